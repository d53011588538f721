//! `kill -9` in the middle of a refresh: no token is lost that this side could have kept, and where the vendor had
//! spent the old one already, that is on record and mended by signing in again.
//!
//! `TOLLGATE_KILLS` says how often it is killed around the answer (default 6); the figures are printed.

use std::path::Path;
use std::time::Duration;

use fakeup::Fakeup;
use rand::Rng;
use serde_json::{Value, json};
use tokio_util::task::TaskTracker;

use super::{Vendor, connect};
use crate::crash::{Program, exchange, kills};

/// The program with one account.
struct House<'a> {
    dir: &'a Path,
    program: Program,
    upstream: Fakeup,
    vendor: Vendor,
    key: String,
    id: i64,
}

impl<'a> House<'a> {
    async fn new(dir: &'a Path) -> Self {
        let (program, _) = Program::start(dir).await;
        let upstream = Fakeup::start().await;
        let provider =
            json!({"name": "v", "kind": "anthropic", "base_url": upstream.base_url(), "api_key": null});
        let provider = program.admin("POST", "/providers", &provider).await["id"].clone();
        let user = program.admin("POST", "/users", &json!({"name": "u"})).await;
        let key = program.admin("POST", &format!("/users/{}/keys", user["id"]), &json!({"name": "k"})).await;
        let key = key["key"].as_str().unwrap().to_owned();
        let mut house = Self { dir, program, upstream, vendor: Vendor::start(3_600).await, key, id: 0 };
        house.id = house.sign_in(json!({ "provider_id": provider })).await;
        house
    }

    async fn sign_in(&self, target: Value) -> i64 {
        let admin = async |method: &'static str, path: String, body: Value| {
            self.program.admin(method, &path, &body).await
        };
        let done = connect(admin, &self.vendor, target).await;
        done["credential_id"].as_i64().unwrap_or_else(|| panic!("{done}"))
    }

    /// Begins a refresh, and kills the program once that is due.
    async fn killed(self, due: impl Future<Output = ()>) -> Self {
        let (address, path) = (self.program.address.clone(), format!("/credentials/{}/refresh", self.id));
        let tracker = TaskTracker::new();
        tracker.spawn(async move {
            let request = Program::request("POST", &path, "");
            // It is killed before it answers, or just after.
            drop(exchange(&address, &request, None).await);
        });
        due.await;
        let Self { dir, program, upstream, vendor, key, id } = self;
        program.kill().await;
        let (program, _) = Program::start(dir).await;
        Self { dir, program, upstream, vendor, key, id }
    }

    async fn refresh(&self) -> Value {
        self.program.admin("POST", &format!("/credentials/{}/refresh", self.id), &Value::Null).await
    }

    async fn view(&self) -> Value {
        self.program.admin("GET", &format!("/credentials/{}", self.id), &Value::Null).await
    }

    /// The account wants somebody, and says that a refresh was cut off.
    async fn told_as_cut_off(&self) {
        let until = tokio::time::Instant::now() + crate::rig::SOON;
        while self.view().await["state"] != "needs_reauth" {
            assert!(tokio::time::Instant::now() < until);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let view = self.view().await;
        let error = view["token"]["error"].as_str().unwrap();
        assert!(error.contains("invalid_grant") && error.contains("was cut off"), "{view}");
    }

    async fn served(&self) -> bool {
        let body = r#"{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"Hi"}]}"#;
        let request = format!(
            "POST /v1/messages HTTP/1.1\r\nhost: t\r\nx-api-key: {}\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.key,
            body.len()
        );
        let answer = exchange(&self.program.address, &request, None).await.unwrap();
        let last = self.upstream.invoice().last().and_then(|entry| entry.credential().map(str::to_owned));
        assert!(last.is_some_and(|token| token.ends_with("-CANARY-access-token")));
        answer.starts_with("HTTP/1.1 200")
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rf_06_kill_9_before_the_vendor_acts_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let house = House::new(dir.path()).await;
    let (vendor, asked) = (house.vendor.clone(), house.vendor.asked());
    vendor.hold();
    let gate = vendor.clone();
    let house = house.killed(async move { gate.was_asked(asked + 1).await }).await;
    vendor.release();
    assert!(house.served().await, "what is stored is good until its end");
    let refreshed = house.refresh().await;
    assert_eq!(refreshed["refreshed"], true, "{refreshed}");
    assert_eq!(house.view().await["token"]["status"], "active");
    assert!(house.served().await);
    house.program.kill().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rf_06_kill_9_after_the_vendor_has_spent_the_old_token_is_on_record_and_mended_in_place() {
    let dir = tempfile::tempdir().unwrap();
    let house = House::new(dir.path()).await;
    let (vendor, asked) = (house.vendor.clone(), house.vendor.asked());
    vendor.set(|script| script.mute = true);
    let (gate, spent) = (vendor.clone(), vendor.script.lock().unwrap().good.clone());
    let acted = async move {
        gate.was_asked(asked + 1).await;
        gate.until(|script| script.good != spent).await;
    };
    let house = house.killed(acted).await;
    vendor.set(|script| script.mute = false);
    assert!(house.served().await, "the access token is good until its end");
    let refused = house.refresh().await;
    assert_eq!(refused["refreshed"], false, "{refused}");
    house.told_as_cut_off().await;
    assert_eq!(house.sign_in(json!({ "credential_id": house.id })).await, house.id);
    assert_eq!(house.view().await["state"], "valid");
    assert!(house.served().await);
    house.program.kill().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rf_06_kill_9_around_the_answer_leaves_the_new_token_or_a_record() {
    let dir = tempfile::tempdir().unwrap();
    let mut house = House::new(dir.path()).await;
    let vendor = house.vendor.clone();
    let (mut stored, mut told) = (0, 0);
    for _ in 0..kills() {
        let (gate, spent) = (vendor.clone(), vendor.script.lock().unwrap().good.clone());
        let after_ms = rand::rng().random_range(0..12);
        let answered = async move {
            gate.until(|script| script.good != spent).await;
            tokio::time::sleep(Duration::from_millis(after_ms)).await;
        };
        house = house.killed(answered).await;
        assert!(house.served().await);
        if house.refresh().await["refreshed"] == true {
            stored += 1;
        } else {
            house.told_as_cut_off().await;
            assert_eq!(house.sign_in(json!({ "credential_id": house.id })).await, house.id);
            told += 1;
        }
        assert!(house.served().await);
    }
    eprintln!(
        "{} kills around the answer: {stored} tokens stored, {told} on record as cut off, 0 lost",
        kills()
    );
    assert_eq!(stored + told, kills());
    house.program.kill().await;
}
