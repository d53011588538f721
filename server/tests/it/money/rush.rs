//! Many at once at a limit: nothing is overspent, and nobody is refused while his money is there.

use std::sync::Arc;

use fakeup::{Behaviour, Tokens};
use futures_util::future::join_all;
use serde_json::json;

use super::{list_price, nano, usd};
use crate::rig::Rig;
use crate::rig::client::Ask;
use crate::rig::faces::FACES;

const BILL: Tokens =
    Tokens { input: 40, output: 100, cache_read: 0, cache_write: 0, cache_write_1h: 0, reasoning: 0 };

/// A request with a bound on its output.
fn bounded(model: &str, streaming: bool, max_tokens: u64) -> Ask {
    let body = json!({
        "model": model, "max_tokens": max_tokens, "stream": streaming,
        "messages": [{"role": "user", "content": "Say hello."}],
    });
    Ask::post("/v1/messages", body.to_string())
}

/// Sends so many at once and tells how many were answered; the others must have been refused at a limit.
async fn rush(rig: &Arc<Rig>, model: &str, count: usize) -> usize {
    let asks = (0..count).map(|n| {
        let rig = rig.clone();
        async move { rig.ask(rig.keyed(bounded(model, n % 2 == 0, 4_096))).await }
    });
    let mut answered = 0;
    for got in join_all(asks).await {
        match got.status {
            200 => answered += 1,
            429 => assert_eq!(got.code(), "rate_limit_exceeded", "{}", got.text()),
            other => panic!("{other}: {}", got.text()),
        }
    }
    answered
}

async fn spent(rig: &Rig) -> u128 {
    nano(&rig.quota("user", "daily_limit_usd").await["used"])
}

#[tokio::test]
async fn inv_05_a_hard_limit_is_never_exceeded_however_many_run_at_once() {
    for count in [8, 64] {
        let rig = Arc::new(Rig::bare().await);
        rig.provider("anthropic", json!({})).await;
        rig.priced(&["m-rush"]).await;
        rig.set("limits.wait_ms", "0").await;
        rig.on_model("m-rush", Behaviour { delay_ms: 20, ..Behaviour::default().billing(BILL) });
        // Room for a quarter of them; each could cost far more than it does.
        let limit = list_price(BILL) * u128::try_from(count).unwrap() / 4;
        rig.change(
            &format!("/users/{}", rig.user_id),
            json!({"limits": {"daily_limit_usd": usd(limit + 70_000_000)}}),
        )
        .await;
        let answered = rush(&rig, "m-rush", count).await;
        let used = spent(&rig).await;
        let billed: u128 = rig.upstream.invoice().iter().map(|entry| list_price(entry.billed)).sum();
        assert_eq!(used, billed, "what is counted is what the vendor bills");
        assert!(used <= limit + 70_000_000, "overshoot at N = {count}: {used} of {limit}");
        assert!((1..=count).contains(&answered));
        rig.rows(count).await;
        rig.audited().await;
    }
}

#[tokio::test]
async fn a_burst_that_fits_is_not_refused() {
    const COUNT: usize = 32;
    let mut answered = Vec::new();
    for wait_ms in ["0", "20000"] {
        let rig = Arc::new(Rig::bare().await);
        rig.provider("anthropic", json!({})).await;
        rig.priced(&["m-burst"]).await;
        rig.set("limits.wait_ms", wait_ms).await;
        rig.on_model("m-burst", Behaviour { delay_ms: 20, ..Behaviour::default().billing(BILL) });
        // Enough for all of them, but for two worst cases at once only (4,096 tokens of output are 61 thousandths).
        let limit = list_price(BILL) * u128::try_from(COUNT).unwrap() + 145_000_000;
        rig.change(&format!("/users/{}", rig.user_id), json!({"limits": {"daily_limit_usd": usd(limit)}}))
            .await;
        let admitted = rush(&rig, "m-burst", COUNT).await;
        assert!(spent(&rig).await <= limit);
        rig.audited().await;
        answered.push(admitted);
    }
    let [naive, waiting] = answered[..] else { panic!() };
    eprintln!("admitted of {COUNT}: {naive} with worst-case holds alone, {waiting} with waiting");
    assert_eq!(waiting, COUNT, "nobody is refused while his money is there");
    assert!(naive < COUNT / 2, "the rig proves nothing if the naive way admits {naive}");
}

#[tokio::test]
async fn inv_12_without_money_nothing_reaches_the_vendor_on_any_route() {
    let rig = Rig::start().await;
    rig.priced(&["m-poor"]).await;
    rig.change(&format!("/keys/{}", rig.key_id), json!({"limits": {"limit_total_usd": "0.000000001"}})).await;
    for face in FACES {
        for (_, ask) in face.both("m-poor") {
            let got = rig.ask(rig.keyed(ask)).await;
            assert_eq!(
                (got.status, got.code().as_str()),
                (429, "rate_limit_exceeded"),
                "{face:?} {}",
                got.text()
            );
            assert!(got.text().contains("total limit exceeded"), "{}", got.text());
        }
    }
    assert_eq!(rig.upstream.invoice().len(), 0);
    rig.rows(8).await;
}

#[tokio::test]
async fn an_estimated_limit_cuts_the_stream_that_would_pass_it() {
    let rig = Rig::bare().await;
    rig.provider("anthropic", json!({})).await;
    rig.priced(&["m-long"]).await;
    let text = "word ".repeat(8_000);
    rig.on_model(
        "m-long",
        Behaviour {
            deltas: Some(400),
            pace_ms: 1,
            ..Behaviour::saying(text).billing(Tokens { output: 10_000, ..BILL })
        },
    );
    rig.change(
        &format!("/users/{}", rig.user_id),
        json!({"limits": {"daily_limit_usd": "0.03", "estimated": ["daily_limit_usd"]}}),
    )
    .await;
    let ask = rig.keyed(bounded("m-long", true, 4_096));
    let id = ask.id.clone();
    let got = rig.ask(ask).await;
    assert_eq!(got.status, 200);
    assert!(
        got.text().contains("budget_exceeded") && !got.text().contains("message_stop"),
        "{}",
        got.text().len()
    );
    let row = rig.row(&id).await;
    assert_eq!((&row["outcome"], &row["error_code"]), (&json!("broken"), &json!("budget_exceeded")), "{row}");
    assert_eq!(row["attempts"][0]["outcome"], "budget_cut");
    // One delta of 100 bytes is some 25 tokens: the overshoot is bounded by one event.
    let cost = nano(&row["cost_usd"]);
    assert!((20_000_000..=30_000_000 + 25 * 15_000 * 2).contains(&cost), "{row}");
    rig.audited().await;
}
