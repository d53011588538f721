//! When a request is translated, what is said of losses, and who may refuse them.

use fakeup::Call;
use serde_json::{Value, json};

use crate::rig::Rig;
use crate::rig::client::Ask;
use crate::rig::faces::{ANTHROPIC, CHAT, FACES, GEMINI, RESPONSES};

/// A Chat request with a field that Anthropic has no word for, and that may change the answer.
fn lossy() -> Ask {
    let mut ask = CHAT.ask("m-1", false);
    let mut body: Value = serde_json::from_slice(&ask.body).unwrap();
    body["seed"] = json!(7);
    body["presence_penalty"] = json!(1.5);
    ask.body = body.to_string().into();
    ask
}

#[tokio::test]
async fn what_is_lost_stands_in_a_header_and_in_the_record_of_the_attempt() {
    let rig = Rig::speaking(ANTHROPIC).await;
    let (got, row) = rig.translated(lossy()).await;
    assert_eq!(got.status, 200, "{}", got.text());
    let dropped = got.header("x-tollgate-dropped");
    assert!(dropped.contains("seed") && dropped.contains("presence_penalty"), "{dropped}");
    let losses = row["attempts"][0]["translation"]["losses"].as_array().unwrap().clone();
    let fields: Vec<_> = losses.iter().map(|loss| loss["field"].as_str().unwrap()).collect();
    assert!(fields.contains(&"seed") && fields.contains(&"presence_penalty"), "{row}");
    assert!(losses.iter().all(|loss| loss["meaning"] == true && loss["what"].is_string()), "{row}");
    // The caller reads it in his own explanation too.
    let id = row["request_id"].as_str().unwrap();
    let mut explain = Ask::get(&format!("/v1/requests/{id}/explain"));
    explain = rig.keyed(explain);
    let said = rig.ask(explain).await;
    assert_eq!(said.status, 200, "{}", said.text());
}

#[tokio::test]
async fn strict_callers_are_refused_rather_than_misunderstood() {
    let rig = Rig::speaking(ANTHROPIC).await;
    for by_key in [false, true] {
        rig.upstream.clear_invoice();
        let mut ask = lossy();
        if by_key {
            rig.change(&format!("/keys/{}", rig.key_id), json!({"translation": "strict"})).await;
        } else {
            ask = ask.header("x-tollgate-translation", "strict");
        }
        let id = ask.id.clone();
        let (got, row) = rig.translated(ask).await;
        assert_eq!(got.status, 400, "{}", got.text());
        CHAT.assert_error(&got.json(), 400, "translation_would_lose", &id);
        assert!(got.text().contains("seed") || got.text().contains("presence_penalty"), "{}", got.text());
        assert_eq!(row["error_code"], "translation_would_lose");
        assert!(rig.upstream.invoice().is_empty(), "nothing was sent");
    }
    // A strict key cannot be loosened by a header, and what loses nothing passes.
    let (got, _) = rig.translated(lossy().header("x-tollgate-translation", "allow")).await;
    assert_eq!(got.status, 400, "{}", got.text());
    let (got, _) = rig.translated(CHAT.ask("m-1", false)).await;
    assert_eq!(got.status, 200, "{}", got.text());
    let (got, _) = rig.translated(CHAT.ask("m-1", false).header("x-tollgate-translation", "maybe")).await;
    assert_eq!(got.status, 400);
    assert!(got.text().contains("x-tollgate-translation") && got.text().contains("strict"), "{}", got.text());
}

#[tokio::test]
async fn without_translation_nobody_of_another_dialect_is_asked() {
    for from in FACES {
        let to = if from == GEMINI { ANTHROPIC } else { GEMINI };
        let rig = Rig::speaking(to).await;
        let off = from.ask("m-1", false).header("x-tollgate-translation", "off");
        let (got, row) = rig.translated(off).await;
        assert_eq!((got.status, got.code().as_str()), (503, "no_available_account"), "{}", got.text());
        assert_eq!(row["decision"]["removed"][0]["filter"], "dialect", "{row}");
        // Nor for a model that no list names.
        let (got, _) = rig.translated(from.ask("unnamed", false)).await;
        assert_eq!(got.status, 503, "{}", got.text());
        assert!(rig.upstream.invoice().is_empty());
    }
}

#[tokio::test]
async fn who_speaks_the_callers_dialect_comes_first_and_its_bytes_are_untouched() {
    let rig = Rig::bare().await;
    rig.upstream_speaking(GEMINI, json!({"name": "other", "api_key": "up-other"})).await;
    rig.upstream_speaking(ANTHROPIC, json!({"name": "own", "api_key": "up-own"})).await;
    for _ in 0..5 {
        let ask = ANTHROPIC.ask("m-1", false);
        let sent = ask.body.clone();
        rig.upstream.clear_invoice();
        let (got, row) = rig.translated(ask).await;
        assert_eq!(got.status, 200);
        let entry = rig.ended(1).await.remove(0);
        assert_eq!((entry.credential(), entry.request.body.clone()), (Some("up-own"), sent));
        assert_eq!(row["attempts"][0].get("translation"), None, "{row}");
        assert_eq!(got.header("x-tollgate-upstream-dialect"), "");
    }
    // When it cannot, the other one can.
    rig.on_credential("up-own", fakeup::Behaviour::status(500));
    let (got, row) = rig.translated(ANTHROPIC.ask("m-1", true)).await;
    assert_eq!(got.status, 200, "{}", got.text());
    assert!(got.text().contains("message_stop") && row["attempts"].as_array().unwrap().len() == 2, "{row}");
}

#[tokio::test]
async fn an_upstream_gets_its_own_path_and_none_of_the_callers_headers() {
    let rig = Rig::speaking(RESPONSES).await;
    let ask = ANTHROPIC
        .ask("m-1", false)
        .header("anthropic-version", "2026-10-21")
        .header("anthropic-beta", "context-1m")
        .header("x-stainless-lang", "js")
        .header("user-agent", "claude-cli/2.1.329 (external, cli)");
    let (got, _) = rig.translated(ask).await;
    assert_eq!(got.status, 200, "{}", got.text());
    let entry = rig.ended(1).await.remove(0);
    assert_eq!((entry.request.call(), entry.request.path()), (Call::Responses, "/v1/responses"));
    for name in ["anthropic-version", "anthropic-beta", "x-stainless-lang", "x-api-key"] {
        assert_eq!(entry.request.header(name), None, "{name}");
    }
    assert!(entry.request.header("user-agent").is_some_and(|agent| agent.starts_with("tollgate/")));
}

#[tokio::test]
async fn a_responses_caller_continues_an_answer_of_an_upstream_that_keeps_nothing() {
    for to in [ANTHROPIC, CHAT, GEMINI] {
        let rig = Rig::speaking(to).await;
        let ask = |body: &Value| {
            let mut ask = RESPONSES.ask("m-1", false);
            ask.body = body.to_string().into();
            ask
        };
        for streaming in [false, true] {
            let first =
                json!({"model": "m-1", "stream": streaming, "input": "Remember the word heliotrope."});
            let (got, _) = rig.translated(ask(&first)).await;
            assert_eq!(got.status, 200, "{}", got.text());
            let text = got.text();
            let id = text.split("\"id\":\"resp_").nth(1).unwrap().split('"').next().unwrap();
            let id = format!("resp_{id}");
            rig.upstream.clear_invoice();
            let next = json!({"model": "m-1", "input": "Which word?", "previous_response_id": id});
            let (got, _) = rig.translated(ask(&next)).await;
            assert_eq!(got.status, 200, "{}", got.text());
            let sent = String::from_utf8_lossy(&rig.ended(1).await.remove(0).request.body).into_owned();
            for words in ["heliotrope", "all is well", "Which word?"] {
                assert!(sent.contains(words), "{to:?} {streaming}: '{words}' in {sent}");
            }
            // Nobody else's key continues it.
            let user =
                rig.server.admin("POST", "/users", &json!({"name": format!("other {streaming}")})).await;
            let path = format!("/users/{}/keys", user["id"]);
            let key = rig.server.admin("POST", &path, &json!({"name": "k"})).await;
            let mut stranger = ask(&next);
            stranger = stranger.header("authorization", &format!("Bearer {}", key["key"].as_str().unwrap()));
            let id = stranger.id.clone();
            let got = rig.ask(stranger).await;
            assert_eq!(got.status, 400, "{}", got.text());
            RESPONSES.assert_error(&got.json(), 400, "previous_response_not_found", &id);
        }
        let kept = json!({"model": "m-1", "input": "Hello.", "store": false});
        let (got, _) = rig.translated(ask(&kept)).await;
        let next = json!({"model": "m-1", "input": "Again.", "previous_response_id": got.json()["id"]});
        let (got, _) = rig.translated(ask(&next)).await;
        assert_eq!((got.status, got.code().as_str()), (400, "previous_response_not_found"));
    }
}

#[tokio::test]
async fn vectors_and_counts_are_translated_between_the_vendors_that_make_them() {
    let rig = Rig::speaking(GEMINI).await;
    let ask = Ask::post("/v1/embeddings", json!({"model": "m-1", "input": ["one", "two"]}).to_string());
    let (got, row) = rig.translated(ask).await;
    assert_eq!(got.status, 200, "{}", got.text());
    let data = got.json()["data"].as_array().unwrap().clone();
    assert_eq!(data.len(), 2, "{}", got.text());
    assert_eq!((&data[0]["embedding"], &data[1]["index"]), (&json!([0.25, -0.5]), &json!(1)));
    assert_eq!(row["upstream_dialect"], "gemini");
    let count = json!({"model": "m-1", "messages": [{"role": "user", "content": "Say hello."}]});
    let (got, _) = rig.translated(Ask::post("/v1/messages/count_tokens", count.to_string())).await;
    assert_eq!((got.status, got.json()), (200, json!({"input_tokens": 42})));

    let rig = Rig::speaking(ANTHROPIC).await;
    let contents = json!({"contents": [{"role": "user", "parts": [{"text": "Say hello."}]}]});
    let (got, _) = rig.translated(Ask::post("/v1beta/models/m-1:countTokens", contents.to_string())).await;
    assert_eq!((got.status, &got.json()["totalTokens"]), (200, &json!(42)), "{}", got.text());

    let rig = Rig::speaking(CHAT).await;
    let content = json!({"content": {"parts": [{"text": "one"}]}});
    let (got, _) = rig.translated(Ask::post("/v1beta/models/m-1:embedContent", content.to_string())).await;
    assert_eq!(got.status, 200, "{}", got.text());
    assert!(
        got.json()["embedding"]["values"].as_array().is_some_and(|values| !values.is_empty()),
        "{}",
        got.text()
    );
}
