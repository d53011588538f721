//! Two instances on one PostgreSQL check each credential once in an interval, not twice.

use gateway::Clock;
use serde_json::json;

use super::{Checked, MINUTE};
use crate::harness::Running;
use crate::rig::Rig;

#[tokio::test]
async fn hc_03_postgres_two_instances_check_each_credential_once_in_an_interval() {
    let Some(database) = store::testing::postgres().await else { return };
    database.close().await;
    let (url, clock) = (database.url().to_owned(), Clock::ahead());
    let on_database = |config: &mut server::ServerConfig| {
        config.database_url = types::Secret::new(url.clone());
        config.clock = clock.clone();
    };
    let rig = Rig::bare_with(on_database).await;
    let secrets: Vec<String> = (0..12).map(|n| format!("up-{n}")).collect();
    let secrets: Vec<&str> = secrets.iter().map(String::as_str).collect();
    let provider = rig.pool("anthropic", json!({}), &secrets).await;
    let second = Running::start_with(on_database).await;
    let first = Checked { rig, clock: clock.clone(), provider };
    first.set("account_health_check_interval", "1").await;
    first.set("account_health_check_enabled", "true").await;
    let wake = format!("Authorization: Bearer {}\r\n", crate::harness::ADMIN_TOKEN);
    for _ in 0..8 {
        clock.advance(MINUTE / 4);
        second.raw(crate::harness::post("/api/admin/tasks/check_credentials/run", &wake, "")).await;
        first.tick().await;
    }
    let mut times: Vec<Vec<i64>> = Vec::new();
    for name in secrets {
        let id = first.id(name).await;
        let history = first.get(&format!("/credentials/{id}/checks")).await;
        let at =
            |line: &serde_json::Value| line["at"].as_str().unwrap().parse::<types::Timestamp>().unwrap().0;
        times.push(history["items"].as_array().unwrap().iter().map(at).collect());
    }
    for of_one in &times {
        assert!(!of_one.is_empty() && of_one.len() <= 3, "{times:?}");
        assert!(of_one.windows(2).all(|pair| pair[0] - pair[1] > MINUTE * 9 / 10 - 1_000), "{times:?}");
    }
    second.stop().await;
}
