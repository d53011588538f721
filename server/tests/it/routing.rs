//! Routing and resilience through the public routes and over real sockets: who serves, who is left alone and for how
//! long, what a fault costs its caller, and what the record says of it (`U`, `TP`, `AC`, `CA` rows).

mod affinity;
mod aliases;
mod breaker;
mod cooldown;
mod failover;
mod figures;
mod gate;
mod hedge;
mod kept;
mod network;
mod order;
mod outage;
mod proxies;
mod queue;
mod record;
mod rectify;
mod states;
mod storm;

use std::time::Duration;

use serde_json::{Value, json};

use crate::rig::client::{Ask, Got};
use crate::rig::faces::Face;
use crate::rig::{Rig, SOON};

/// A request whose words nobody said before: a conversation of its own, and to breakers a request of its own.
fn fresh(face: Face, model: &str, streaming: bool) -> Ask {
    let mut ask = face.ask(model, streaming);
    let words = format!("Say {:016x}.", rand::random::<u64>());
    ask.body = String::from_utf8_lossy(&ask.body).replace("Say hello.", &words).into();
    ask
}

/// A text of each attempt of a row.
fn chain(row: &Value, field: &str) -> Vec<String> {
    let attempts = row["attempts"].as_array().unwrap_or_else(|| panic!("{row}"));
    attempts.iter().map(|attempt| attempt[field].as_str().unwrap_or_default().to_owned()).collect()
}

/// What becomes true soon, looked at now and then.
async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let until = tokio::time::Instant::now() + SOON;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(tokio::time::Instant::now() < until, "never: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Milliseconds since the epoch.
fn now_ms() -> i64 {
    gateway::Clock::system().now().0
}

impl Rig {
    /// A rig whose requests stick to nothing, so that each is a choice of its own.
    async fn unbound() -> Self {
        let rig = Self::bare().await;
        rig.setting("affinity.enabled", "false").await;
        rig
    }

    async fn setting(&self, name: &str, value: &str) {
        let answer = self.server.admin("PUT", &format!("/settings/{name}"), &json!({ "value": value })).await;
        assert!(answer.get("error").is_none(), "{name}: {answer}");
    }

    /// What the admin API says.
    async fn get(&self, path: &str) -> Value {
        self.server.admin("GET", path, &Value::Null).await
    }

    /// All entries of a list.
    async fn items(&self, path: &str) -> Vec<Value> {
        let page = self.get(path).await;
        page["items"].as_array().or(page.as_array()).unwrap_or_else(|| panic!("{path}: {page}")).clone()
    }

    /// A credential as shown.
    async fn account(&self, name: &str) -> Value {
        let all = self.items("/credentials").await;
        all.into_iter().find(|item| item["name"] == name).unwrap_or_else(|| panic!("no {name}"))
    }

    /// Asks with the rig's key and waits for the row.
    async fn asked(&self, ask: Ask) -> (Got, Value) {
        let id = ask.id.clone();
        let got = self.ask(self.keyed(ask)).await;
        (got, self.row(&id).await)
    }

    /// The credentials that one more request was sent with.
    async fn sent_with(&self, ask: Ask, status: u16) -> Vec<String> {
        self.upstream.clear_invoice();
        let got = self.ask(self.keyed(ask)).await;
        assert_eq!(got.status, status, "{}", got.text());
        self.seen()
    }
}
