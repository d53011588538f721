//! Tokens counted by Tollgate itself, for models whose vendor has no counter.

use serde_json::{Value, json};

use crate::rig::Rig;
use crate::rig::client::Ask;
use crate::rig::faces::{ANTHROPIC, CHAT, GEMINI, RESPONSES};

const HEADER: &str = "x-tollgate-token-count";

fn of_anthropic(model: &str) -> Ask {
    let body =
        json!({"model": model, "messages": [{"role": "user", "content": "What is the capital of Mexico?"}]});
    Ask::post("/v1/messages/count_tokens", body.to_string())
}

fn of_gemini(model: &str) -> Ask {
    let contents =
        json!({"contents": [{"role": "user", "parts": [{"text": "What is the capital of Mexico?"}]}]});
    Ask::post(&format!("/v1beta/models/{model}:countTokens"), contents.to_string())
}

#[tokio::test]
async fn vendors_without_a_counter_are_counted_for_and_not_asked() {
    for to in [CHAT, RESPONSES] {
        let rig = Rig::bare().await;
        let provider = rig.upstream_speaking(to, json!({"models": ["gpt-4o*", "house-*"]})).await;
        for (ask, name) in [(of_anthropic("gpt-4o"), "input_tokens"), (of_gemini("gpt-4o"), "totalTokens")] {
            let (got, row) = rig.translated(ask).await;
            assert_eq!(got.status, 200, "{}", got.text());
            // What the vendor has counted for this very question.
            assert_eq!(got.json()[name], 14, "{}", got.text());
            assert_eq!(got.header(HEADER), "local; vocabulary=o200k_base; error=10%");
            assert_eq!(got.header("content-type"), "application/json");
            assert_eq!(row["decision"]["counted"]["tokens"], 14, "{row}");
            assert_eq!(row["decision"]["counted"]["model"], "gpt-4o", "{row}");
            assert_eq!((&row["outcome"], &row["status_code"]), (&json!("ok"), &json!(200)), "{row}");
            assert_eq!((&row["provider_id"], &row["attempts"]), (&json!(provider), &json!([])), "{row}");
            assert_eq!((&row["cost_usd"], &row["upstream_dialect"]), (&json!("0"), &Value::Null), "{row}");
        }
        let (got, row) = rig.translated(of_anthropic("house-1")).await;
        assert_eq!(got.header(HEADER), "local; vocabulary=o200k_base; error=unknown", "{}", got.text());
        assert_eq!(row["decision"]["counted"].get("within_percent"), None, "{row}");
        assert!(rig.upstream.invoice().is_empty(), "nothing was sent");
    }
}

#[tokio::test]
async fn strict_callers_are_counted_for_and_those_who_want_no_translation_are_not() {
    let rig = Rig::speaking(RESPONSES).await;
    let (got, _) = rig.translated(of_anthropic("m-1").header("x-tollgate-translation", "strict")).await;
    assert_eq!(got.status, 200, "{}", got.text());
    let (got, _) = rig.translated(of_anthropic("m-1").header("x-tollgate-translation", "off")).await;
    assert_eq!((got.status, got.code().as_str()), (503, "no_available_account"), "{}", got.text());
}

#[tokio::test]
async fn who_has_a_counter_is_asked_first_and_counted_for_only_if_it_fails() {
    let rig = Rig::bare().await;
    rig.upstream_speaking(RESPONSES, json!({"name": "other", "api_key": "up-other"})).await;
    rig.upstream_speaking(ANTHROPIC, json!({"name": "own", "api_key": "up-own"})).await;
    let (got, row) = rig.translated(of_anthropic("m-1")).await;
    assert_eq!((got.status, &got.json()["input_tokens"]), (200, &json!(42)), "{row}");
    assert_eq!((got.header(HEADER), row["decision"].get("counted")), ("", None));
    rig.on_credential("up-own", fakeup::Behaviour::status(500));
    let (got, row) = rig.translated(of_anthropic("m-1")).await;
    assert_eq!(got.status, 200, "{}", got.text());
    assert!(got.header(HEADER).starts_with("local;"), "{row}");
    assert_eq!(row["attempts"].as_array().unwrap().len(), 1, "{row}");
}

#[tokio::test]
async fn what_cannot_be_counted_is_refused_with_its_field() {
    let rig = Rig::speaking(CHAT).await;
    let body = json!({"model": "m-1", "messages": [{"role": "nobody", "content": "hi"}]});
    let ask = Ask::post("/v1/messages/count_tokens", body.to_string());
    let id = ask.id.clone();
    let (got, row) = rig.translated(ask).await;
    ANTHROPIC.assert_error(&got.json(), 400, "invalid_request", &id);
    assert!(got.text().contains("messages[0].role"), "{}", got.text());
    assert_eq!(row["outcome"], "refused", "{row}");
    let ask = Ask::post("/v1beta/models/m-1:countTokens", json!({"contents": [{"parts": 7}]}).to_string());
    let id = ask.id.clone();
    let (got, _) = rig.translated(ask).await;
    GEMINI.assert_error(&got.json(), 400, "invalid_request", &id);
}

#[tokio::test]
async fn a_burst_of_counts_takes_no_slots_and_a_large_body_has_an_end() {
    let rig = Rig::bare().await;
    let provider = rig.upstream_speaking(CHAT, json!({"api_key": null})).await;
    rig.credential(provider, "up-one", json!({"max_concurrency": 1})).await;
    let all = futures_util::future::join_all((0..25).map(|_| rig.ask(rig.keyed(of_anthropic("m-1"))))).await;
    assert!(
        all.iter().all(|got| got.status == 200),
        "{:?}",
        all.iter().map(|got| got.status).collect::<Vec<_>>()
    );
    let words = "All is well. ".repeat(60_000);
    let body = json!({"model": "m-1", "messages": [{"role": "user", "content": words}]});
    let (got, _) = rig.translated(Ask::post("/v1/messages/count_tokens", body.to_string())).await;
    assert_eq!(got.status, 200, "{}", got.text());
    // Four tokens each time.
    let tokens = got.json()["input_tokens"].as_u64().unwrap();
    assert!((235_000..250_000).contains(&tokens), "{tokens}");
}
