//! Breakers: when they open, who looks whether they may close, and what does not open them.

use fakeup::{Behaviour, Rule, Then};
use gateway::Clock;
use serde_json::{Value, json};

use super::{chain, eventually, fresh};
use crate::rig::Rig;
use crate::rig::client::Ask;
use crate::rig::faces::{ANTHROPIC, CHAT, FACES};

/// Two accounts, the first one preferred, with breakers that may close again after a second.
async fn two(breaker: Value) -> Rig {
    two_of(Rig::unbound().await, breaker).await
}

async fn two_of(rig: Rig, breaker: Value) -> Rig {
    for kind in ["anthropic", "openai", "gemini"] {
        rig.pool(kind, json!({"breaker": breaker}), &["up-a", "up-b"]).await;
    }
    rig
}

fn quick() -> Value {
    json!({"failure_threshold": 5, "open_duration_ms": 1_000, "half_open_success_threshold": 2})
}

/// Leaves nobody but the first account of each kind.
async fn without_the_second(rig: &Rig) {
    for other in rig.items("/credentials").await.iter().filter(|item| item["name"] == "up-b") {
        rig.change(&format!("/credentials/{}", other["id"]), json!({"enabled": false})).await;
    }
}

/// Breakers that are not closed, by credential and state.
async fn open_ones(rig: &Rig) -> Vec<(String, String)> {
    let names: Vec<Value> = rig.items("/credentials").await;
    let name = |id: &Value| {
        names
            .iter()
            .find(|item| item["id"] == *id)
            .map_or("?", |item| item["name"].as_str().unwrap())
            .to_owned()
    };
    let all = rig.items("/breakers").await;
    let open = all.iter().filter(|line| line["state"] != "closed");
    open.map(|line| (name(&line["credential_id"]), line["state"].as_str().unwrap().to_owned())).collect()
}

/// What the overview asks a person to look at.
async fn attention(rig: &Rig) -> Vec<String> {
    let overview = rig.get("/overview").await;
    let kind = |item: &Value| item["kind"].as_str().unwrap().to_owned();
    overview["attention"].as_array().unwrap().iter().map(kind).collect()
}

/// The changes of breakers so far, the oldest first.
async fn timeline(rig: &Rig, count: usize) -> Vec<(String, String)> {
    eventually("the timeline is written", async || {
        let mut events = rig.items("/breakers/events").await;
        events.reverse();
        let word = |event: &Value, name: &str| event[name].as_str().unwrap().to_owned();
        let words: Vec<_> = events.iter().map(|event| (word(event, "from"), word(event, "to"))).collect();
        (words.len() >= count).then_some(words)
    })
    .await
}

#[tokio::test]
async fn fault_u32_five_failures_open_the_breaker_and_no_caller_sees_one() {
    for face in FACES {
        let rig = two(json!({})).await;
        rig.on_credential("up-a", Behaviour::status(500));
        for number in 0..40 {
            let got = rig.ask(rig.keyed(fresh(face, "m-1", number % 2 == 0))).await;
            assert_eq!((got.status, got.whole), (200, true), "{face:?} {number}: {}", got.text());
        }
        let sick = rig.seen().iter().filter(|credential| *credential == "up-a").count();
        assert_eq!(sick, 5, "{face:?}: no request met it after the trip");
        assert_eq!(open_ones(&rig).await, [("up-a".to_owned(), "open".to_owned())]);
        assert_eq!(attention(&rig).await.iter().filter(|kind| *kind == "breaker_open").count(), 1);
    }
}

#[tokio::test]
async fn fault_u32_a_half_open_breaker_lets_one_request_look_and_closes_after_two_successes() {
    let rig = two(quick()).await;
    rig.upstream.script(Rule::credential("up-a", Behaviour::status(500)).times(5));
    for _ in 0..6 {
        assert_eq!(rig.ask(rig.keyed(fresh(CHAT, "m-1", true))).await.status, 200);
    }
    eventually("it is half open", async || {
        (open_ones(&rig).await == [("up-a".to_owned(), "half_open".to_owned())]).then_some(())
    })
    .await;
    without_the_second(&rig).await;
    rig.on_credential("up-a", Behaviour::cut(CHAT.beyond_content(), Then::Hold));
    let probe = rig.open(rig.keyed(fresh(CHAT, "m-1", true))).await;
    assert_eq!(probe.status, 200);
    rig.upstream.clear_invoice();
    let got = rig.ask(rig.keyed(fresh(CHAT, "m-1", true))).await;
    assert_eq!((got.status, rig.seen().len()), (503, 0), "one at a time: {}", got.text());
    rig.upstream.release();
    assert!(probe.rest().await.whole);
    rig.upstream.forget();
    assert_eq!(rig.sent_with(fresh(CHAT, "m-1", true), 200).await, ["up-a"]);
    assert!(open_ones(&rig).await.is_empty());
    let words = timeline(&rig, 2).await;
    assert_eq!(words[0], ("closed".to_owned(), "open".to_owned()));
    assert_eq!(words.last().unwrap(), &("half_open".to_owned(), "closed".to_owned()));
}

#[tokio::test]
async fn tp_17_an_account_that_is_well_again_is_used_again_although_others_are_well_too() {
    let rig = two(json!({"open_duration_ms": 1_000})).await;
    rig.upstream.script(Rule::credential("up-a", Behaviour::status(500)).times(5));
    for _ in 0..6 {
        assert_eq!(rig.ask(rig.keyed(fresh(CHAT, "m-1", true))).await.status, 200);
    }
    assert_eq!(rig.sent_with(fresh(CHAT, "m-1", true), 200).await, ["up-b"]);
    eventually("it is closed again", async || {
        rig.ask(rig.keyed(fresh(CHAT, "m-1", true))).await;
        open_ones(&rig).await.is_empty().then_some(())
    })
    .await;
    assert_eq!(rig.sent_with(fresh(CHAT, "m-1", true), 200).await, ["up-a"]);
}

#[tokio::test]
async fn fault_u50_a_failed_probe_opens_it_again_for_twice_as_long() {
    // It stands still between steps, however slow the machine is.
    let clock = Clock::manual(Clock::system().now());
    let own = clock.clone();
    let rig = Rig::bare_with(move |config| config.clock = own).await;
    rig.setting("affinity.enabled", "false").await;
    let rig = two_of(rig, quick()).await;
    rig.on_credential("up-a", Behaviour::status(500));
    for _ in 0..6 {
        assert_eq!(rig.ask(rig.keyed(fresh(CHAT, "m-1", true))).await.status, 200);
    }
    without_the_second(&rig).await;
    rig.upstream.clear_invoice();
    // One probe after the first second, and none before two more have passed.
    for (passed_ms, probes, retry_after) in
        [(999, 0, "1"), (1, 1, ""), (0, 1, "2"), (1_999, 1, "1"), (1, 2, "")]
    {
        clock.advance(passed_ms);
        let got = rig.ask(rig.keyed(fresh(CHAT, "m-1", true))).await;
        assert_eq!(rig.seen().len(), probes, "{passed_ms}: {}", got.text());
        if retry_after.is_empty() {
            assert_eq!(got.status, 502, "{}", got.text());
        } else {
            assert_eq!((got.status, got.code().as_str()), (503, "no_available_account"), "{}", got.text());
            assert_eq!(got.header("retry-after"), retry_after, "{passed_ms}");
        }
    }
    let lines = rig.items("/breakers").await;
    let line = lines.iter().find(|line| line["state"] != "closed").unwrap();
    assert_eq!((&line["openings"], &line["model"]), (&json!(3), &json!("m-1")), "{line}");
    assert!(line["last_error"].as_str().unwrap().contains("500"), "{line}");
    // By hand it closes at once.
    rig.upstream.forget();
    let reset = rig.server.admin("POST", "/breakers/reset", &Value::Null).await;
    assert_eq!(reset["cleared"], 1, "{reset}");
    assert_eq!(rig.sent_with(fresh(CHAT, "m-1", true), 200).await, ["up-a"]);
}

#[tokio::test]
async fn one_bad_request_repeated_fifty_times_opens_nothing() {
    let rig = two(quick()).await;
    rig.upstream.script(Rule { marker: Some("poison".into()), ..Rule::always(Behaviour::status(500)) });
    let body = json!({"model": "m-1", "max_tokens": 8, "messages": [{"role": "user", "content": "poison"}]});
    for _ in 0..50 {
        let got = rig.ask(rig.keyed(Ask::post("/v1/messages", body.to_string()))).await;
        assert_eq!((got.status, got.code().as_str()), (502, "upstream_unavailable"), "{}", got.text());
    }
    assert!(open_ones(&rig).await.is_empty(), "{:?}", open_ones(&rig).await);
    assert_eq!(rig.sent_with(fresh(ANTHROPIC, "m-1", true), 200).await, ["up-a"]);
}

#[tokio::test]
async fn fault_u35_refused_requests_never_open_a_breaker() {
    let rig = two(quick()).await;
    rig.on_credential("up-a", Behaviour::status(400));
    for _ in 0..25 {
        assert_eq!(
            rig.sent_with(fresh(ANTHROPIC, "m-1", true), 400).await,
            ["up-a"],
            "and nobody else is asked"
        );
    }
    assert!(open_ones(&rig).await.is_empty());
}

#[tokio::test]
async fn fault_u15_streams_that_break_off_open_the_breaker() {
    let rig = two(json!({})).await;
    rig.on_credential(
        "up-a",
        Behaviour { pace_ms: 5, ..Behaviour::cut(ANTHROPIC.beyond_content(), Then::Close) },
    );
    for _ in 0..5 {
        let got = rig.ask(rig.keyed(fresh(ANTHROPIC, "m-1", true))).await;
        assert!(
            got.text().contains("event: error") && !got.text().contains("message_stop"),
            "{}",
            got.text()
        );
    }
    assert_eq!(open_ones(&rig).await, [("up-a".to_owned(), "open".to_owned())]);
    let got = rig.ask(rig.keyed(fresh(ANTHROPIC, "m-1", true))).await;
    assert!(got.whole && got.text().contains("message_stop"), "{}", got.text());
}

#[tokio::test]
async fn a_breaker_is_of_one_model_on_one_account() {
    let rig = two(json!({})).await;
    rig.upstream
        .script(Rule { credential: Some("up-a".into()), ..Rule::model("m-sick", Behaviour::status(500)) });
    for _ in 0..8 {
        rig.ask(rig.keyed(fresh(CHAT, "m-sick", true))).await;
    }
    let (_, row) = rig.asked(fresh(CHAT, "m-sick", true)).await;
    assert_eq!(chain(&row, "credential_name"), ["up-b"]);
    let candidates = row["decision"]["candidates"].as_array().unwrap();
    let open = candidates.iter().find(|candidate| candidate["credential_name"] == "up-a").unwrap();
    assert_eq!((&open["removed_by"], &open["breaker"]), (&json!("breaker"), &json!("open")), "{open}");
    assert!(open["until"].is_string(), "{open}");
    assert_eq!(rig.sent_with(fresh(CHAT, "m-well", true), 200).await, ["up-a"]);
}

#[tokio::test]
async fn half_of_twenty_within_ten_seconds_open_it_although_successes_lie_between() {
    let rig = two(json!({"failure_threshold": 1_000})).await;
    rig.setting("routing.retry_budget_percent", "100").await;
    for number in 0..24 {
        let status = if number % 2 == 0 { 500 } else { 200 };
        rig.upstream.script(
            Rule::credential("up-a", Behaviour { status: Some(status), ..Behaviour::default() }).times(1),
        );
        assert_eq!(rig.ask(rig.keyed(fresh(CHAT, "m-1", true))).await.status, 200);
    }
    assert_eq!(open_ones(&rig).await, [("up-a".to_owned(), "open".to_owned())]);
}
