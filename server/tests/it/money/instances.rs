//! Two instances on one PostgreSQL: a limit holds for both together.

use std::sync::Arc;

use fakeup::{Behaviour, Tokens};
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{list_price, nano, usd};
use crate::harness::{Running, post};
use crate::rig::Rig;

const BILL: Tokens =
    Tokens { input: 40, output: 100, cache_read: 0, cache_write: 0, cache_write_1h: 0, reasoning: 0 };

/// Asks an instance; answers the status.
async fn ask(instance: &Running, key: &str) -> u16 {
    let body = json!({
        "model": "m-two", "max_tokens": 256, "messages": [{"role": "user", "content": "Say hello."}],
    });
    let headers = format!("Content-Type: application/json\r\nx-api-key: {key}\r\n");
    instance.raw(post("/v1/messages", &headers, &body.to_string())).await.status()
}

#[tokio::test]
async fn inv_05_postgres_two_instances_never_pass_a_limit_together() {
    let Some(database) = store::testing::postgres().await else { return };
    database.close().await;
    let url = database.url().to_owned();
    for count in [8_usize, 64, 256] {
        let on_database =
            |config: &mut server::ServerConfig| config.database_url = types::Secret::new(url.clone());
        let first = Rig::bare_with(on_database).await;
        let provider = format!("fake {count}");
        first.provider("anthropic", json!({ "name": provider, "models": ["m-two"] })).await;
        first.priced(&["m-two"]).await;
        first.set("limits.wait_ms", "2000").await;
        first.on_model("m-two", Behaviour { delay_ms: 10, ..Behaviour::default().billing(BILL) });
        // Room for about half of them; the worst case of one is three times what it costs.
        let limit = list_price(BILL) * u128::try_from(count).unwrap() / 2 + 12_000_000;
        first
            .change(&format!("/users/{}", first.user_id), json!({"limits": {"daily_limit_usd": usd(limit)}}))
            .await;
        let second = Running::start_with(on_database).await;
        let rig = Arc::new((first, second));
        let asks = (0..count).map(|n| {
            let rig = rig.clone();
            async move {
                let instance = if n % 2 == 0 { &rig.0.server } else { &rig.1 };
                ask(instance, &rig.0.key).await
            }
        });
        let answers = join_all(asks).await;
        let answered = answers.iter().filter(|status| **status == 200).count();
        assert!(answers.iter().all(|status| matches!(status, 200 | 429)), "{answers:?}");
        let billed: u128 = rig.0.upstream.invoice().iter().map(|entry| list_price(entry.billed)).sum();
        assert!(billed <= limit, "overshoot at N = {count}: {billed} of {limit}");
        assert!(answered > 0, "a limit that lets nobody in proves nothing");
        // What both booked is what the vendor bills.
        let until = tokio::time::Instant::now() + crate::rig::SOON;
        let path = format!("/usage?by=user&user_id={}", rig.0.user_id);
        loop {
            let usage = rig.0.server.admin("GET", &path, &Value::Null).await;
            let booked: u128 =
                usage["items"].as_array().unwrap().iter().map(|line| nano(&line["cost_usd"])).sum();
            if booked == billed {
                break;
            }
            assert!(tokio::time::Instant::now() < until, "{booked} booked, {billed} billed");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        eprintln!("two instances, N = {count}: {answered} answered, {billed} of {limit} nano-USD spent");
        // Each round has a user of its own name.
        first_is_renamed(&rig.0, count).await;
    }
}

/// The next round's rig makes a user and a provider of the same names.
async fn first_is_renamed(rig: &Rig, count: usize) {
    rig.change(&format!("/users/{}", rig.user_id), json!({ "name": format!("someone {count}") })).await;
    let providers = rig.server.admin("GET", "/providers", &Value::Null).await;
    for provider in providers["items"].as_array().unwrap() {
        rig.delete(&format!("/providers/{}", provider["id"])).await;
    }
}
