//! `kill -9` in the middle of a refresh: no token is lost that this side could have kept, and where the vendor had
//! spent the old one already, that is on record and mended by signing in again.
//!
//! `TOLLGATE_KILLS` says how often it is killed around the answer (default 6); the figures are printed.

use std::path::{Path, PathBuf};
use std::time::Duration;

use fakeup::Fakeup;
use rand::Rng;
use serde_json::{Value, json};
use store::testing::{WritesHeld, hold_writes};
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

    /// Begins a refresh that nobody waits for.
    fn begin_refresh(&self) {
        let (address, path) = (self.program.address.clone(), format!("/credentials/{}/refresh", self.id));
        TaskTracker::new().spawn(async move {
            let request = Program::request("POST", &path, "");
            // The program may be killed before it answers.
            drop(exchange(&address, &request, None).await);
        });
    }

    /// Begins a refresh, kills the program once that is due, and starts it again; what `due` ends with is held until
    /// the program is dead.
    async fn killed<T>(self, due: impl Future<Output = T>) -> Self {
        self.begin_refresh();
        let held = due.await;
        let Self { dir, program, upstream, vendor, key, id } = self;
        program.kill().await;
        drop(held);
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

    /// The files of fresh tokens that wait for the database.
    fn waiting(&self) -> usize {
        waiting(self.dir)
    }

    async fn until_saved(&self) {
        let until = tokio::time::Instant::now() + crate::rig::SOON;
        while self.waiting() > 0 {
            assert!(tokio::time::Instant::now() < until, "a fresh token still waits for the database");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until requests go with the token of the vendor's so manieth answer.
    async fn until_refreshed(&self, answer: u32) {
        let token = format!("a{answer}-CANARY-access-token");
        let until = tokio::time::Instant::now() + crate::rig::SOON;
        loop {
            assert!(self.served().await);
            let last = self.upstream.invoice().last().and_then(|entry| entry.credential().map(str::to_owned));
            if last.as_ref() == Some(&token) {
                return;
            }
            assert!(tokio::time::Instant::now() < until, "requests go with {last:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
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

fn waiting(dir: &Path) -> usize {
    let files = std::fs::read_dir(dir.join("data/tokens")).into_iter().flatten().flatten();
    files.filter(|file| file.path().extension().is_some_and(|extension| extension == "sealed")).count()
}

/// Has the vendor, who holds his answers, answer a question when nobody can write to the database any more. Ends when
/// the new token waits for the database.
async fn answered_without_a_database(dir: PathBuf, vendor: Vendor, question: u32) -> WritesHeld {
    vendor.was_asked(question).await;
    let held = hold_writes(&dir.join("data/tollgate.db")).await;
    vendor.release();
    let until = tokio::time::Instant::now() + crate::rig::SOON;
    while waiting(&dir) == 0 {
        assert!(tokio::time::Instant::now() < until, "nothing was kept");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    held
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rf_06_kill_9_between_the_vendors_answer_and_the_database_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let house = House::new(dir.path()).await;
    let (vendor, asked) = (house.vendor.clone(), house.vendor.asked());
    vendor.hold();
    let answered = answered_without_a_database(dir.path().to_owned(), vendor.clone(), asked + 1);
    let house = house.killed(answered).await;
    // The start takes up what was kept, without a word to the vendor, who would refuse what was spent.
    house.until_saved().await;
    assert_eq!(vendor.asked(), asked + 1);
    assert!(house.served().await);
    let refreshed = house.refresh().await;
    assert_eq!(refreshed["refreshed"], true, "{refreshed}");
    assert_eq!((vendor.asked(), house.waiting()), (asked + 2, 0));
    house.program.kill().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rf_06_a_database_that_takes_nothing_for_a_while_costs_no_token_and_no_request() {
    let dir = tempfile::tempdir().unwrap();
    let house = House::new(dir.path()).await;
    let (vendor, asked) = (house.vendor.clone(), house.vendor.asked());
    vendor.hold();
    house.begin_refresh();
    let held = answered_without_a_database(dir.path().to_owned(), vendor.clone(), asked + 1).await;
    house.until_refreshed(asked + 1).await;
    assert_eq!(house.waiting(), 1);
    drop(held);
    let look = Program::request("POST", "/tasks/refresh_tokens/run", "");
    let answer = exchange(&house.program.address, &look, None).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
    house.until_saved().await;
    assert_eq!(vendor.asked(), asked + 1);
    assert_eq!(house.refresh().await["refreshed"], true);
    assert_eq!(house.view().await["token"]["status"], "active");
    house.program.kill().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rf_06_kill_9_before_the_vendor_acts_loses_nothing_and_the_start_refreshes_anew() {
    let dir = tempfile::tempdir().unwrap();
    let house = House::new(dir.path()).await;
    let (vendor, asked) = (house.vendor.clone(), house.vendor.asked());
    vendor.hold();
    let gate = vendor.clone();
    let house = house.killed(async move { gate.was_asked(asked + 1).await }).await;
    assert!(house.served().await, "what is stored is good until its end");
    // The token is not due, and nobody asks for another one.
    vendor.was_asked(asked + 2).await;
    vendor.release();
    house.until_refreshed(asked + 2).await;
    assert_eq!(house.view().await["token"]["status"], "active");
    house.program.kill().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rf_06_kill_9_after_the_vendor_has_spent_the_old_token_is_known_at_the_start_and_mended_in_place() {
    let dir = tempfile::tempdir().unwrap();
    let house = House::new(dir.path()).await;
    let (vendor, asked) = (house.vendor.clone(), house.vendor.asked());
    vendor.set(|script| script.mute = true);
    let (gate, spent) = (vendor.clone(), vendor.script.lock().unwrap().good.clone());
    let acted = async move {
        gate.was_asked(asked + 1).await;
        gate.until(|script| script.good != spent).await;
        // From the next question on.
        gate.set(|script| script.mute = false);
    };
    let house = house.killed(acted).await;
    // The token is not due, and nobody asks for another one.
    house.told_as_cut_off().await;
    assert_eq!(vendor.asked(), asked + 2, "asked once, and not again");
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
