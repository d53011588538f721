//! Requests that an upstream refuses for a known, harmless reason are mended and sent again, visibly.

use fakeup::{Behaviour, Rule};
use serde_json::{Value, json};

use super::chain;
use crate::rig::Rig;
use crate::rig::client::Ask;

fn refusal(message: &str) -> Behaviour {
    let error = json!({"type": "error", "error": {"type": "invalid_request_error", "message": message}});
    Behaviour { status: Some(400), ..Behaviour::body("application/json", error.to_string()) }
}

fn with_thinking() -> Value {
    json!({
        "model": "m-1", "max_tokens": 4096, "thinking": {"type": "enabled", "budget_tokens": 2048},
        "messages": [
            {"role": "user", "content": "Begin."},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "Let me see.", "signature": "from-another-account"},
                {"type": "text", "text": "I see."},
            ]},
            {"role": "user", "content": "Go on."},
        ],
    })
}

/// A rig whose vendor refuses what contains a text.
async fn that_refuses(marker: &str, message: &str) -> Rig {
    let rig = Rig::unbound().await;
    rig.pool("anthropic", json!({}), &["up-a", "up-b"]).await;
    rig.upstream.script(Rule { marker: Some(marker.to_owned()), ..Rule::always(refusal(message)) });
    rig
}

/// Asserts that a body is mended for its first account, and passed on as refused once the switch is off.
async fn mended_by_switch(rig: &Rig, body: &Value, word: &str) {
    let ask = || Ask::post("/v1/messages", body.to_string());
    let (got, row) = rig.asked(ask()).await;
    assert_eq!(got.status, 200, "{word}: {}", got.text());
    assert_eq!(rig.seen(), ["up-a", "up-a"], "{word}: the same account, once more");
    assert_eq!(row["attempts"].as_array().unwrap().len(), 1, "{row}");
    assert_eq!(row["attempts"][0]["rectified"], json!([word]), "{row}");
    rig.setting(&format!("rectify.{word}"), "false").await;
    rig.upstream.clear_invoice();
    let (got, row) = rig.asked(ask()).await;
    assert_eq!((got.status, rig.seen()), (400, vec!["up-a".to_owned()]), "{word}: {}", got.text());
    assert_eq!(chain(&row, "class"), ["client"]);
    assert!(row["attempts"][0].get("rectified").is_none(), "{row}");
}

#[tokio::test]
async fn ex_13_thinking_that_another_account_signed_is_left_out() {
    let message = "messages.1.content.0: Invalid `signature` in `thinking` block";
    let rig = that_refuses("from-another-account", message).await;
    mended_by_switch(&rig, &with_thinking(), "thinking_signature").await;
}

#[tokio::test]
async fn a_thinking_budget_out_of_range_is_put_in_range() {
    let message = "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024";
    let rig = that_refuses("\"budget_tokens\":7", message).await;
    let mut body = with_thinking();
    body["thinking"]["budget_tokens"] = json!(7);
    mended_by_switch(&rig, &body, "thinking_budget").await;
}

#[tokio::test]
async fn empty_texts_are_left_out() {
    let rig = that_refuses("\"text\":\"\"", "messages: text content blocks must be non-empty").await;
    let body = json!({"model": "m-1", "max_tokens": 9, "messages": [
        {"role": "user", "content": [{"type": "text", "text": ""}, {"type": "text", "text": "Hello."}]},
    ]});
    mended_by_switch(&rig, &body, "empty_text").await;
}

#[tokio::test]
async fn tool_results_without_their_call_are_left_out() {
    let message = "messages.2.content.0: unexpected `tool_use_id` found in `tool_result` blocks: toolu_lost";
    let rig = that_refuses("toolu_lost", message).await;
    let body = json!({"model": "m-1", "max_tokens": 9, "messages": [
        {"role": "user", "content": "Begin."},
        {"role": "assistant", "content": "Yes."},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "toolu_lost", "content": "7"},
            {"type": "text", "text": "Go on."},
        ]},
    ]});
    mended_by_switch(&rig, &body, "orphan_tool_results").await;
}

#[tokio::test]
async fn what_mending_does_not_help_is_sent_twice_and_no_more() {
    let rig = Rig::unbound().await;
    rig.pool("anthropic", json!({}), &["up-a", "up-b"]).await;
    rig.upstream.script(Rule::always(refusal("Invalid `signature` in `thinking` block")));
    let (got, row) = rig.asked(Ask::post("/v1/messages", with_thinking().to_string())).await;
    assert_eq!((got.status, rig.seen()), (400, vec!["up-a".to_owned(), "up-a".to_owned()]));
    assert_eq!(row["attempts"][0]["rectified"], json!(["thinking_signature"]), "{row}");
}
