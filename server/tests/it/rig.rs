//! A server with fake vendors behind it: what the tests of the model surface stand on.

pub(crate) mod browser;
pub(crate) mod certificates;
pub(crate) mod client;
pub(crate) mod faces;
pub(crate) mod frames;
pub(crate) mod names;
pub(crate) mod proxies;
pub(crate) mod socket;

use std::time::Duration;

use fakeup::{Behaviour, Entry, Fakeup, Rule};
use serde_json::{Value, json};
use server::ServerConfig;

use crate::harness::{ADMIN_TOKEN, Running};
use client::Ask;

/// Long enough for anything that happens at all.
pub(crate) const SOON: Duration = Duration::from_secs(30);

/// A server, one fake vendor, one user with one key.
pub(crate) struct Rig {
    pub(crate) server: Running,
    pub(crate) upstream: Fakeup,
    pub(crate) key: String,
    pub(crate) key_id: i64,
    pub(crate) user_id: i64,
}

impl Rig {
    /// With a provider of each kind at the same fake vendor; the credentials are `up-<kind>`.
    pub(crate) async fn start() -> Self {
        let rig = Self::bare().await;
        for kind in ["anthropic", "openai", "gemini"] {
            rig.provider(kind, json!({})).await;
        }
        rig
    }

    /// Without providers.
    pub(crate) async fn bare() -> Self {
        Self::bare_with(|_| {}).await
    }

    /// Without providers, with changes to the configuration.
    pub(crate) async fn bare_with(change: impl FnOnce(&mut ServerConfig)) -> Self {
        Self::of(Running::start_with(change).await).await
    }

    /// Without providers, on a server that runs already.
    pub(crate) async fn of(server: Running) -> Self {
        let upstream = Fakeup::start().await;
        let user = server.admin("POST", "/users", &json!({"name": "someone"})).await;
        let user_id = user["id"].as_i64().unwrap();
        let mut rig = Self { server, upstream, key: String::new(), key_id: 0, user_id };
        (rig.key_id, rig.key) = rig.new_key(json!({"name": "laptop"})).await;
        rig
    }

    /// A provider at the fake vendor; `more` goes over the defaults. Answers its id.
    pub(crate) async fn provider(&self, kind: &str, more: Value) -> i64 {
        let mut spec = json!({
            "name": format!("fake {kind}"), "kind": kind, "base_url": self.upstream.base_url(),
            "api_key": format!("up-{kind}"),
        });
        for (name, value) in more.as_object().unwrap() {
            spec[name] = value.clone();
        }
        let made = self.server.admin("POST", "/providers", &spec).await;
        made["id"].as_i64().unwrap_or_else(|| panic!("{made}"))
    }

    /// One more credential of a provider. Answers its id.
    pub(crate) async fn credential(&self, provider: i64, secret: &str, more: Value) -> i64 {
        let mut spec = json!({"provider_id": provider, "name": secret, "api_key": secret});
        for (name, value) in more.as_object().unwrap() {
            spec[name] = value.clone();
        }
        let made = self.server.admin("POST", "/credentials", &spec).await;
        made["id"].as_i64().unwrap_or_else(|| panic!("{made}"))
    }

    /// A provider of a face's kind with these credentials in the order of their priority.
    pub(crate) async fn pool(&self, kind: &str, more: Value, secrets: &[&str]) -> i64 {
        let mut spec = json!({"api_key": null});
        for (name, value) in more.as_object().unwrap() {
            spec[name] = value.clone();
        }
        let provider = self.provider(kind, spec).await;
        for (priority, secret) in secrets.iter().enumerate() {
            self.credential(provider, secret, json!({"priority": priority})).await;
        }
        provider
    }

    /// One more key of the user: id and key.
    pub(crate) async fn new_key(&self, spec: Value) -> (i64, String) {
        let made = self.server.admin("POST", &format!("/users/{}/keys", self.user_id), &spec).await;
        let key = made["key"].as_str().unwrap_or_else(|| panic!("{made}"));
        (made["id"].as_i64().unwrap(), key.to_owned())
    }

    /// Changes something over the admin API.
    pub(crate) async fn change(&self, path: &str, change: Value) {
        let answer = self.server.admin("PATCH", path, &change).await;
        assert!(answer.get("error").is_none(), "{path} {change}: {answer}");
    }

    /// Deletes something over the admin API.
    pub(crate) async fn delete(&self, path: &str) {
        let head =
            format!("DELETE /api/admin{path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {ADMIN_TOKEN}\r\n");
        let answer = self.server.raw(format!("{head}Connection: close\r\n\r\n")).await;
        assert_eq!(answer.status(), 204, "{answer:?}");
    }

    /// Lets every credential be used again, as if nothing had ever failed.
    pub(crate) async fn recover(&self) {
        let (until, mut well) = (tokio::time::Instant::now() + SOON, 0);
        // A state is stored a moment after the answer that showed it, perhaps only now.
        while well < 2 {
            let answer = self.server.admin("POST", "/credentials/recover", &Value::Null).await;
            assert!(answer["cleared"].is_u64(), "{answer}");
            tokio::time::sleep(Duration::from_millis(5)).await;
            let page = self.server.admin("GET", "/credentials", &Value::Null).await;
            let all = page["items"].as_array().unwrap_or_else(|| panic!("{page}"));
            well = if all.iter().all(|item| item["state"] == "valid") { well + 1 } else { 0 };
            assert!(tokio::time::Instant::now() < until, "{page}");
        }
    }

    /// An ask with the rig's key.
    pub(crate) fn keyed(&self, ask: Ask) -> Ask {
        ask.header("authorization", &format!("Bearer {}", self.key))
    }

    /// Lets every request with this credential meet a behaviour.
    pub(crate) fn on_credential(&self, credential: &str, behaviour: Behaviour) {
        self.upstream.script(Rule::credential(credential, behaviour));
    }

    /// Lets every request for this model meet a behaviour.
    pub(crate) fn on_model(&self, model: &str, behaviour: Behaviour) {
        self.upstream.script(Rule::model(model, behaviour));
    }

    /// The row of a request, once the books have it.
    pub(crate) async fn row(&self, id: &str) -> Value {
        let until = tokio::time::Instant::now() + SOON;
        loop {
            let row = self.server.admin("GET", &format!("/requests/{id}"), &Value::Null).await;
            if row.get("request_id").is_some() {
                return row;
            }
            assert!(tokio::time::Instant::now() < until, "no row {id}: {row}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// All rows, newest first, once there are so many; more than that fails too.
    pub(crate) async fn rows(&self, count: usize) -> Vec<Value> {
        let until = tokio::time::Instant::now() + SOON;
        loop {
            let page = self.server.admin("GET", "/requests?limit=200", &Value::Null).await;
            let rows = page["items"].as_array().unwrap_or_else(|| panic!("{page}")).clone();
            if rows.len() >= count {
                assert_eq!(rows.len(), count, "{rows:#?}");
                return rows;
            }
            assert!(tokio::time::Instant::now() < until, "{} rows of {count}: {rows:#?}", rows.len());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The invoice, once it has so many lines that have ended.
    pub(crate) async fn ended(&self, count: usize) -> Vec<Entry> {
        let done =
            |entries: &[Entry]| entries.iter().filter(|e| e.end != fakeup::End::Running).count() >= count;
        let entries = self.upstream.until(SOON, done).await;
        assert!(done(&entries), "{entries:#?}");
        entries
    }

    /// The credentials that the vendor saw, in order.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.upstream.invoice().iter().map(|entry| entry.credential().unwrap_or("none").to_owned()).collect()
    }
}

/// The tokens of a row in the order of [`fakeup::Tokens`].
pub(crate) fn tokens(row: &Value) -> fakeup::Tokens {
    let count = |name: &str| row[name].as_u64().unwrap_or_else(|| panic!("{name}: {row}"));
    fakeup::Tokens {
        input: count("input_tokens"),
        output: count("output_tokens"),
        cache_read: count("cache_read_tokens"),
        cache_write: count("cache_write_tokens"),
        cache_write_1h: count("cache_write_1h_tokens"),
        reasoning: count("reasoning_tokens"),
    }
}
