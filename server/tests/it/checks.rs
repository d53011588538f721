//! Health checks of credentials through the public routes and pages, over real sockets and a clock that tests move
//! (`HC`, `TP-17`, `AC-13` rows).

mod allowance;
mod instances;
mod many;
mod network;
mod off;
mod pages;
mod trial;
mod trial_at_first;
mod vendors;
mod verdicts;

use std::time::Duration;

use fakeup::Behaviour;
use gateway::Clock;
use serde_json::{Value, json};

use crate::rig::faces::ANTHROPIC;
use crate::rig::{Rig, SOON};

const MINUTE: i64 = 60_000;

/// A rig whose clock can be moved ahead.
struct Checked {
    rig: Rig,
    clock: Clock,
    provider: i64,
}

impl Checked {
    /// With a provider of that kind and these credentials, and checks as they are by default: off.
    async fn bare(kind: &str, secrets: &[&str]) -> Self {
        Self::with(kind, secrets, |_| {}).await
    }

    /// The same with changes to the configuration.
    async fn with(
        kind: &str,
        secrets: &[&str],
        change: impl FnOnce(&mut server::config::ServerConfig),
    ) -> Self {
        // It stands still between steps, however slow the machine is.
        let clock = Clock::manual(Clock::system().now());
        let own = clock.clone();
        let rig = Rig::bare_with(move |config| {
            config.clock = own;
            change(config);
        })
        .await;
        let provider = rig.pool(kind, json!({}), secrets).await;
        Self { rig, clock, provider }
    }

    /// With checks switched on, once a minute.
    async fn start(kind: &str, secrets: &[&str]) -> Self {
        let checked = Self::bare(kind, secrets).await;
        checked.set("account_health_check_interval", "1").await;
        checked.set("account_health_check_enabled", "true").await;
        checked
    }

    async fn set(&self, name: &str, value: &str) {
        let answer =
            self.rig.server.admin("PUT", &format!("/settings/{name}"), &json!({ "value": value })).await;
        assert!(answer.get("error").is_none(), "{name}: {answer}");
    }

    async fn get(&self, path: &str) -> Value {
        let value = self.rig.server.admin("GET", path, &Value::Null).await;
        assert!(value.get("error").is_none(), "{path}: {value}");
        value
    }

    async fn post(&self, path: &str) -> Value {
        let value = self.rig.server.admin("POST", path, &Value::Null).await;
        // A report of a check has a field of that name too.
        assert!(value["error"]["code"].is_null(), "{path}: {value}");
        value
    }

    /// A credential as shown.
    async fn account(&self, name: &str) -> Value {
        let page = self.get("/credentials").await;
        let all = page["items"].as_array().unwrap();
        all.iter().find(|item| item["name"] == name).unwrap_or_else(|| panic!("no {name}: {page}")).clone()
    }

    async fn id(&self, name: &str) -> i64 {
        self.account(name).await["id"].as_i64().unwrap()
    }

    /// Checks one by hand.
    async fn check(&self, name: &str) -> Value {
        let id = self.id(name).await;
        self.post(&format!("/credentials/{id}/check")).await
    }

    async fn failures(&self, name: &str) -> u64 {
        self.account(name).await["check"]["failures"].as_u64().unwrap()
    }

    /// Lets the checker look once who is due.
    async fn tick(&self) {
        self.clock.advance(1);
        let asked = self.clock.now().to_string();
        let answer = self
            .rig
            .server
            .raw(crate::harness::post(
                "/api/admin/tasks/check_credentials/run",
                &format!("Authorization: Bearer {}\r\n", crate::harness::ADMIN_TOKEN),
                "",
            ))
            .await;
        assert_eq!(answer.status(), 204, "{answer:?}");
        eventually("the task ran", async || {
            let system = self.get("/system").await;
            let tasks = system["tasks"].as_array().unwrap();
            let task = tasks.iter().find(|task| task["name"] == "check_credentials").unwrap();
            assert_eq!(task["failed"], false, "{task}");
            (task["last_run_at"].as_str()? >= asked.as_str()).then_some(())
        })
        .await;
    }

    /// One interval of a minute, and a little.
    async fn round(&self) {
        self.clock.advance(MINUTE + MINUTE / 10);
        self.tick().await;
    }

    /// What Prometheus reads.
    async fn metrics(&self) -> String {
        let token = crate::harness::ADMIN_TOKEN;
        let head = format!("GET /metrics HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer {token}\r\n");
        self.rig.server.raw(format!("{head}Connection: close\r\n\r\n")).await.body()
    }

    /// One request; answers its status.
    async fn ask(&self) -> u16 {
        self.rig.ask(self.rig.keyed(ANTHROPIC.ask("m-1", false))).await.status
    }

    fn on(&self, credential: &str, behaviour: Behaviour) {
        self.rig.on_credential(credential, behaviour);
    }
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
