//! Gemini and Claude at Google's Vertex AI, by key.

use fakeup::Behaviour;
use serde_json::{Value, json};

use super::BILL;
use crate::rig::client::Ask;
use crate::rig::faces::{ANTHROPIC, FACES};
use crate::rig::{Rig, tokens};

const PROJECT: &str = "/v1/projects/p-1/locations/us-central1";

#[tokio::test]
async fn vertex_speaks_the_dialect_of_each_model_and_every_caller_is_answered() {
    let rig = Rig::bare().await;
    let base_url = format!("{}{PROJECT}", rig.upstream.base_url());
    let models = json!(["gemini-*", "claude-*"]);
    rig.provider("vertex", json!({"base_url": base_url, "models": models})).await;
    for (model, publisher, whole, stream) in [
        ("gemini-test", "google", "generateContent", "streamGenerateContent"),
        ("claude-test@20250929", "anthropic", "rawPredict", "streamRawPredict"),
    ] {
        rig.on_model(model, Behaviour::default().billing(BILL));
        for face in FACES {
            for (streaming, ask) in face.both(model) {
                let id = ask.id.clone();
                let got = rig.ask(rig.keyed(ask)).await;
                assert_eq!(got.status, 200, "{model} {face:?}: {}", got.text());
                assert!(got.text().contains("Hello"), "{model} {face:?}: {}", got.text());
                assert!(!streaming || got.text().contains(face.end), "{model} {face:?}: {}", got.text());
                let entry = rig.upstream.invoice().last().unwrap().clone();
                let verb = if streaming { stream } else { whole };
                let path = format!("{PROJECT}/publishers/{publisher}/models/{model}:{verb}");
                assert_eq!(entry.request.path(), path);
                assert_eq!(entry.request.header("x-goog-api-key"), Some("up-vertex"));
                if publisher == "anthropic" {
                    let sent: Value = serde_json::from_slice(&entry.request.body).unwrap();
                    assert_eq!(sent["anthropic_version"], "vertex-2023-10-16", "{sent}");
                    assert!(sent.get("model").is_none(), "{sent}");
                }
                let row = rig.row(&id).await;
                assert_eq!(tokens(&row), entry.billed, "{model} {face:?} {streaming}: {row}");
                let spoken = if publisher == "google" { "gemini" } else { "anthropic" };
                assert_eq!(row["upstream_dialect"], spoken, "{row}");
            }
        }
    }
    let count = json!({"model": "claude-test", "messages": [{"role": "user", "content": "Hi"}]});
    let got = rig.ask(rig.keyed(Ask::post("/v1/messages/count_tokens", count.to_string()))).await;
    assert_eq!((got.status, got.json()), (200, json!({"input_tokens": 42})));
    let listed = rig.server.admin("POST", "/providers/1/test", &json!({})).await;
    assert_eq!(listed["ok"], true, "{listed}");
    let target = rig.upstream.invoice().last().unwrap().request.target.clone();
    assert_eq!(target, "/v1beta1/publishers/google/models?pageSize=300");
    for model in ["gemini-test", "claude-test"] {
        let asked = rig.server.admin("POST", "/providers/1/test", &json!({ "model": model })).await;
        assert_eq!(asked["ok"], true, "{model}: {asked}");
    }
}

#[tokio::test]
async fn an_error_of_googles_about_claude_is_classed_like_any_other() {
    let rig = Rig::bare().await;
    rig.provider("vertex", json!({"base_url": format!("{}{PROJECT}", rig.upstream.base_url())})).await;
    let error =
        r#"{"error":{"code":429,"message":"Quota exceeded for base model","status":"RESOURCE_EXHAUSTED"}}"#;
    rig.on_model(
        "claude-test",
        Behaviour { status: Some(429), ..Behaviour::body("application/json", error) },
    );
    for (_, ask) in ANTHROPIC.both("claude-test") {
        rig.recover().await;
        let id = ask.id.clone();
        let got = rig.ask(rig.keyed(ask)).await;
        assert_eq!(got.status, 429, "{}", got.text());
        ANTHROPIC.assert_error(&got.json(), 429, "upstream_rate_limited", &id);
        assert!(got.text().contains("Quota exceeded"), "{}", got.text());
    }
}
