//! The gate in front of streams: until the first content, whatever happens can still become another account's answer.

use fakeup::{Behaviour, Framing, Rule, Then, answer_body};
use serde_json::{Value, json};

use super::{chain, fresh};
use crate::rig::Rig;
use crate::rig::faces::{ANTHROPIC, CHAT, FACES, Face};

/// Two accounts of each kind, the first one preferred, with deadlines of a second.
async fn two() -> Rig {
    let rig = Rig::unbound().await;
    let timeouts = json!({"first_byte_ms": 1_000, "total_ms": 1_000, "idle_ms": 1_000});
    for kind in ["anthropic", "openai", "gemini"] {
        rig.pool(kind, json!({"timeouts": timeouts}), &["up-a", "up-b"]).await;
    }
    rig
}

/// Where the first content of a stream of this dialect begins.
fn content_at(whole: &[u8]) -> usize {
    let text = String::from_utf8_lossy(whole);
    text.find("Hello").unwrap_or_else(|| panic!("{text}"))
}

/// Asks, and asserts that the caller got the second account's whole answer and nothing of the first one's.
async fn served_by_the_second(rig: &Rig, face: Face, streaming: bool, what: &str) -> Value {
    let (got, row) = rig.asked(fresh(face, "m-1", streaming)).await;
    assert_eq!((got.status, got.whole), (200, true), "{what} {face:?}: {}", got.text());
    let entries = rig.upstream.invoice();
    let sent = answer_body(&entries.last().unwrap().request, &Behaviour::default());
    assert_eq!(got.body, sent, "{what} {face:?}: not a byte of the first answer");
    assert_eq!(chain(&row, "credential_name"), ["up-a", "up-b"], "{what} {face:?}");
    assert_eq!((&row["outcome"], &row["error_code"]), (&json!("ok"), &Value::Null), "{what}: {row}");
    row
}

#[tokio::test]
async fn fault_u13_u14_a_stream_cut_before_its_first_content_is_another_accounts() {
    for face in FACES {
        let rig = two().await;
        let whole = rig.ask(rig.keyed(fresh(face, "m-1", true))).await.body;
        let content = content_at(&whole);
        for (number, at) in [0, 3, 5, content / 2, content - 1].into_iter().enumerate() {
            for then in [Then::Close, Then::Finish] {
                // Each cut concerns the first account once, and no breaker opens before five.
                rig.server.admin("POST", "/credentials/recover", &Value::Null).await;
                rig.upstream.script(Rule::credential("up-a", Behaviour::cut(at, then)).times(1));
                let row =
                    served_by_the_second(&rig, face, true, &format!("cut {number} at {at} {then:?}")).await;
                // Half an event at the end of a body that seems whole is a bad answer.
                let outcome = chain(&row, "outcome").remove(0);
                assert!(
                    outcome == "cut_off" || (outcome == "bad_answer" && then == Then::Finish),
                    "{outcome} at {at}"
                );
            }
        }
    }
}

#[tokio::test]
async fn fault_u39_an_error_as_the_first_event_is_another_accounts_answer() {
    for face in FACES {
        let rig = two().await;
        rig.upstream.script(
            Rule::credential("up-a", Behaviour { error_after: Some(0), ..Behaviour::default() }).times(1),
        );
        let row = served_by_the_second(&rig, face, true, "error event").await;
        let class = chain(&row, "class").remove(0);
        assert!(class == "overload" || class == "provider", "{face:?}: {class}");
    }
}

#[tokio::test]
async fn fault_u11_u12_a_success_that_is_none_is_another_accounts_answer() {
    let json = |body: &str| Behaviour::body("application/json", body.to_owned());
    for (what, behaviour, outcome) in [
        ("a web page", Behaviour::body("text/html", "<!doctype html><title>Log in</title>"), "bad_answer"),
        ("an error body", Behaviour { error_in_success: true, ..Behaviour::default() }, "upstream_error"),
        ("nothing", json(""), "cut_off"),
        ("no JSON", json("upstream connect error or disconnect/reset before headers"), "cut_off"),
        ("half of it", Behaviour { framing: Framing::Chunked, ..json("{\"id\":\"x\",\"choi") }, "cut_off"),
    ] {
        for face in FACES {
            let rig = two().await;
            for streaming in [false, true] {
                rig.upstream.script(Rule::credential("up-a", behaviour.clone()).times(1));
                let row = served_by_the_second(&rig, face, streaming, what).await;
                assert_eq!(
                    chain(&row, "outcome"),
                    [outcome, "done"],
                    "{what} {face:?} streaming {streaming}"
                );
                rig.server.admin("POST", "/credentials/recover", &Value::Null).await;
            }
        }
    }
}

#[tokio::test]
async fn fault_u11_an_answer_without_any_content_is_none() {
    for (face, body) in [
        (CHAT, json!({"id": "x", "object": "chat.completion", "model": "m-1", "choices": []})),
        (
            ANTHROPIC,
            json!({"id": "m", "type": "message", "role": "assistant", "model": "m-1", "content": [], "stop_reason": null}),
        ),
    ] {
        let rig = two().await;
        rig.upstream
            .script(Rule::credential("up-a", Behaviour::body("application/json", body.to_string())).times(1));
        served_by_the_second(&rig, face, false, "no content").await;
    }
}

#[tokio::test]
async fn fault_u10_a_stall_before_the_first_content_is_another_accounts_answer() {
    let rig = two().await;
    let rig = &rig;
    let waiting = FACES.map(|face| async move {
        let whole = rig.ask(rig.keyed(fresh(face, "m-1", true))).await.body;
        let model = format!("m-stall-{}", face.name);
        let behaviour = Behaviour::cut(content_at(&whole) - 1, Then::Stall);
        rig.upstream.script(Rule { credential: Some("up-a".into()), ..Rule::model(&model, behaviour) });
        let began = std::time::Instant::now();
        let (got, row) = rig.asked(fresh(face, &model, true)).await;
        assert_eq!((got.status, got.whole), (200, true), "{face:?}: {}", got.text());
        assert!(began.elapsed().as_millis() >= 1_000, "its time is not cut short");
        assert_eq!(chain(&row, "outcome"), ["timed_out", "done"], "{face:?}: {row}");
        assert_eq!(
            (chain(&row, "class")[0].as_str(), chain(&row, "commit")[0].as_str()),
            ("provider", "response_started")
        );
        assert!(chain(&row, "reason")[0].contains("first byte"), "{row}");
    });
    futures_util::future::join_all(waiting).await;
}

#[tokio::test]
async fn a_stream_is_held_for_its_content_no_longer_than_the_setting_says() {
    let rig = two().await;
    rig.setting("routing.gate_ms", "200").await;
    let whole = rig.ask(rig.keyed(fresh(ANTHROPIC, "m-1", true))).await.body;
    rig.on_model("m-slow", Behaviour::cut(content_at(&whole) - 40, Then::Hold));
    let mut open = rig.open(rig.keyed(fresh(ANTHROPIC, "m-slow", true))).await;
    let early = open.until("message_start").await;
    assert!(!early.contains("Hello"), "it was let through without content: {early}");
    rig.upstream.release();
    let rest = open.rest().await;
    assert!(rest.whole && rest.text().contains("message_stop"), "{}", rest.text());
}

#[tokio::test]
async fn fault_u15_after_the_first_content_nobody_else_is_asked() {
    for face in FACES {
        let rig = two().await;
        let whole = rig.ask(rig.keyed(fresh(face, "m-1", true))).await.body;
        let behaviour = Behaviour { pace_ms: 5, ..Behaviour::cut(content_at(&whole) + 300, Then::Close) };
        rig.on_credential("up-a", behaviour);
        rig.upstream.clear_invoice();
        let (got, row) = rig.asked(fresh(face, "m-1", true)).await;
        assert_eq!(got.status, 200);
        assert!(got.text().contains(face.error_event) && !got.text().contains(face.end), "{}", got.text());
        assert_eq!((rig.seen(), &row["outcome"]), (vec!["up-a".to_owned()], &json!("broken")), "{row}");
    }
}
