//! Much at once: total outages, bursts of faults and of callers who leave. Nothing is made worse by retries, nothing
//! leaks.

use fakeup::{Behaviour, End, Rule, Then};
use futures_util::StreamExt;
use futures_util::stream;
use serde_json::json;

use super::{chain, eventually, fresh};
use crate::rig::Rig;
use crate::rig::faces::{ANTHROPIC, CHAT, FACES, Face, RESPONSES};

/// Sends so many requests, `wide` at a time, to these dialects in turn, and gives their statuses.
async fn rush(rig: &Rig, faces: &[Face], count: usize, wide: usize) -> Vec<u16> {
    let asks = stream::iter(0..count).map(|number| async move {
        let face = faces[number % faces.len()];
        rig.ask(rig.keyed(fresh(face, "m-1", number % 8 < 4))).await.status
    });
    asks.buffer_unordered(wide).collect().await
}

async fn three(more: serde_json::Value) -> Rig {
    let rig = Rig::unbound().await;
    for kind in ["anthropic", "openai", "gemini"] {
        let mut spec = json!({"api_key": null});
        for (name, value) in more.as_object().unwrap() {
            spec[name] = value.clone();
        }
        let provider = rig.provider(kind, spec).await;
        for secret in ["up-a", "up-b", "up-c"] {
            rig.credential(provider, secret, json!({})).await;
        }
    }
    rig
}

#[tokio::test]
async fn fault_u49_a_total_outage_costs_the_upstream_at_most_a_fifth_more() {
    const REQUESTS: usize = 300;
    for (what, behaviour) in [
        ("5xx", Behaviour::status(500)),
        ("overload", Behaviour::status(529)),
        ("empty", Behaviour::body("text/event-stream", "")),
    ] {
        // Breakers that never open, so that the budget alone is tested.
        let rig = three(json!({"breaker": {"failure_threshold": 1_000}})).await;
        rig.upstream.script(Rule::always(behaviour));
        let statuses = rush(&rig, &FACES, REQUESTS, 8).await;
        assert!(statuses.iter().all(|status| *status >= 500), "{what}: {statuses:?}");
        let calls = rig.upstream.invoice().len();
        assert!(calls * 10 <= REQUESTS * 12, "{what}: {calls} calls for {REQUESTS} requests");
    }
}

#[tokio::test]
async fn fault_u49_when_all_is_down_the_refusal_is_quick_and_says_when_to_come_back() {
    let rig = three(json!({})).await;
    rig.upstream.script(Rule::always(Behaviour::status(500)));
    rush(&rig, &FACES, 120, 8).await;
    rig.upstream.clear_invoice();
    for face in FACES {
        let got = rig.ask(rig.keyed(fresh(face, "m-1", true))).await;
        assert_eq!(got.status, 503, "{}", got.text());
        assert!(got.header("retry-after").parse::<u64>().unwrap() > 0);
        assert!(got.text().contains("breaker 3"), "{}", got.text());
    }
    assert!(rig.upstream.invoice().is_empty());
    // And all is well as soon as somebody says so.
    rig.upstream.forget();
    rig.server.admin("POST", "/breakers/reset", &serde_json::Value::Null).await;
    assert!(rush(&rig, &FACES, 40, 8).await.iter().all(|status| *status == 200));
}

#[tokio::test]
async fn fault_u32_with_one_of_three_accounts_sick_every_caller_is_served() {
    for (what, behaviour) in [
        ("500", Behaviour::status(500)),
        ("529", Behaviour::status(529)),
        ("429", Behaviour::status(429).header("retry-after", "30")),
        ("401", Behaviour::status(401)),
        ("402", Behaviour::status(402)),
        ("404", Behaviour::status(404)),
        ("html", Behaviour::body("text/html", "<html>")),
        ("empty", Behaviour::body("text/event-stream", "")),
        ("error in a success", Behaviour { error_in_success: true, ..Behaviour::default() }),
        ("error event", Behaviour { error_after: Some(0), ..Behaviour::default() }),
        ("cut early", Behaviour::cut(20, Then::Close)),
    ] {
        let rig = three(json!({})).await;
        rig.on_credential("up-a", behaviour);
        let statuses = rush(&rig, &[CHAT, RESPONSES], 200, 4).await;
        let lost: Vec<_> = statuses.iter().filter(|status| **status != 200).collect();
        assert!(lost.is_empty(), "{what}: {lost:?}");
        let met = rig.seen().iter().filter(|name| *name == "up-a").count();
        // Those that were on their way when it was noticed come on top.
        assert!(met <= 5 + 3, "{what}: {met} requests met it");
    }
}

#[tokio::test]
async fn ca_03_a_thousand_aborted_streams_leave_no_lease() {
    const ROUNDS: usize = 20;
    const WIDE: usize = 50;
    let rig = Rig::unbound().await;
    let provider = rig.provider("anthropic", json!({"api_key": null})).await;
    rig.credential(provider, "up-a", json!({"max_concurrency": 100})).await;
    rig.on_model("m-stall", Behaviour::cut(ANTHROPIC.beyond_content(), Then::Stall));
    rig.on_model("m-mute", Behaviour::instead(Then::Stall));
    for round in 0..ROUNDS {
        let rig = &rig;
        if round % 2 == 0 {
            let opening = (0..WIDE).map(|_| rig.open(rig.keyed(fresh(ANTHROPIC, "m-stall", true))));
            let open = futures_util::future::join_all(opening).await;
            assert!(open.iter().all(|stream| stream.status == 200));
            drop(open);
        } else {
            // These leave while the vendor is still silent.
            rig.upstream.clear_invoice();
            let asks: Vec<_> =
                (0..WIDE).map(|_| Box::pin(rig.open(rig.keyed(fresh(ANTHROPIC, "m-mute", true))))).collect();
            let mut asks = futures_util::future::select_all(asks);
            tokio::select! {
                _ = &mut asks => panic!("it was answered"),
                entries = rig.upstream.until(crate::rig::SOON, |entries| entries.len() >= WIDE) => {
                    assert_eq!(entries.len(), WIDE);
                }
            }
            drop(asks);
        }
        let left = |entries: &[fakeup::Entry]| entries.iter().all(|entry| entry.end != End::Running);
        assert!(left(&rig.upstream.until(crate::rig::SOON, left).await));
    }
    eventually("all slots are free", async || (rig.account("up-a").await["in_flight"] == 0).then_some(()))
        .await;
    let account = rig.account("up-a").await;
    assert_eq!(
        (&account["state"], &account["breaker"]),
        (&json!("valid"), &json!("closed")),
        "who leaves blames nobody: {account}"
    );
    assert_eq!(rig.sent_with(fresh(ANTHROPIC, "m-1", true), 200).await, ["up-a"]);
}

#[tokio::test]
async fn all_attempts_together_have_a_deadline() {
    let rig = Rig::unbound().await;
    rig.setting("routing.deadline_ms", "3000").await;
    rig.pool("openai", json!({}), &["up-a", "up-b", "up-c"]).await;
    rig.upstream.script(Rule::always(Behaviour { delay_ms: 2_000, ..Behaviour::status(429) }));
    let began = std::time::Instant::now();
    let (got, row) = rig.asked(fresh(CHAT, "m-1", true)).await;
    assert!(got.status >= 429, "{}", got.text());
    assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
    assert_eq!(chain(&row, "outcome").len(), 2, "the third was not begun: {row}");
}
