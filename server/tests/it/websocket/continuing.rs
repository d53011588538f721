//! `previous_response_id` and `generate: false` on a WebSocket.

use serde_json::{Value, json};

use super::HELLO;
use crate::rig::Rig;
use crate::rig::faces::{ANTHROPIC, CHAT, FACES, RESPONSES};
use crate::rig::socket::text_of;

/// What the upstream was asked last.
async fn asked(rig: &Rig, count: usize) -> String {
    String::from_utf8(rig.ended(count).await.pop().unwrap().request.body.to_vec()).unwrap()
}

#[tokio::test]
async fn an_answer_that_nobody_stores_is_continued_on_its_own_socket_whoever_made_it() {
    for to in FACES {
        let rig = Rig::speaking(to).await;
        let mut socket = rig.socket().await;
        socket.create(json!({"input": "The word is apple.", "store": false})).await;
        let id = socket.last().await["response"]["id"].clone();
        assert!(id.is_string(), "{to:?}");
        let more = json!({"input": "Which word?", "store": false, "previous_response_id": id});
        socket.create(more.clone()).await;
        let last = socket.last().await;
        assert_eq!(last["type"], "response.completed", "{to:?}: {last}");
        let body = asked(&rig, 2).await;
        for part in ["The word is apple.", HELLO, "Which word?"] {
            assert!(body.contains(part), "{to:?}: {part} is missing in {body}");
        }
        assert!(!body.contains("previous_response_id"), "{to:?}: {body}");
        // A third turn reaches back to the first.
        socket
            .create(json!({"input": "Sure?", "store": false, "previous_response_id": last["response"]["id"]}))
            .await;
        assert_eq!(socket.last().await["type"], "response.completed", "{to:?}");
        let body = asked(&rig, 3).await;
        assert!(body.contains("apple") && body.contains("Which word?") && body.contains("Sure?"), "{body}");

        if to != RESPONSES {
            let mut other = rig.socket().await;
            other.create(more).await;
            let error = other.last().await;
            assert_eq!(error["error"]["code"], "previous_response_not_found", "{to:?}: {error}");
        }
    }
}

#[tokio::test]
async fn an_answer_that_may_be_stored_is_continued_from_any_socket_and_by_post() {
    let rig = Rig::speaking(ANTHROPIC).await;
    let mut socket = rig.socket().await;
    socket.create(json!({"input": "The word is apple."})).await;
    let id = socket.last().await["response"]["id"].clone();
    let mut other = rig.socket().await;
    other.create(json!({"input": "Which word?", "previous_response_id": id})).await;
    assert_eq!(text_of(&other.response().await), HELLO);
    assert!(asked(&rig, 2).await.contains("apple"));
    let body = json!({"model": "m-1", "input": "And now?", "previous_response_id": id});
    let ask = crate::rig::client::Ask::post("/v1/responses", body.to_string());
    assert_eq!(rig.ask(rig.keyed(ask)).await.status, 200);
    assert!(asked(&rig, 3).await.contains("apple"));
}

#[tokio::test]
async fn an_unknown_answer_is_refused_in_the_protocols_words_and_the_socket_goes_on() {
    let rig = Rig::speaking(CHAT).await;
    let mut socket = rig.socket().await;
    socket
        .create(json!({"input": "Go on.", "previous_response_id": "resp_of_yesterday", "stream_id": "main"}))
        .await;
    let error = socket.last().await;
    assert_eq!(
        (&error["type"], &error["status"], &error["stream_id"]),
        (&json!("error"), &json!(400), &json!("main")),
        "{error}"
    );
    assert_eq!(error["error"]["code"], "previous_response_not_found", "{error}");
    assert_eq!(error["error"]["param"], "previous_response_id", "{error}");
    socket.create(json!({"input": "Say hello."})).await;
    assert_eq!(text_of(&socket.response().await), HELLO);
    let rows = rig.rows(2).await;
    assert!(rows.iter().any(|row| row["error_code"] == "previous_response_not_found"), "{rows:#?}");
}

#[tokio::test]
async fn a_warm_up_asks_no_model_and_can_be_continued() {
    for to in [RESPONSES, CHAT] {
        let rig = Rig::speaking(to).await;
        let mut socket = rig.socket().await;
        let input = json!([{"role": "user", "content": "The word is apple."}]);
        socket.create(json!({"input": input, "generate": false, "store": false, "stream_id": "w"})).await;
        let events = socket.response().await;
        let kinds: Vec<&str> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["response.created", "response.in_progress", "response.completed"]);
        assert!(events.iter().all(|event| event["stream_id"] == "w"));
        let done = &events[2]["response"];
        assert_eq!((&done["output"], &done["usage"]["total_tokens"]), (&json!([]), &json!(0)));
        assert!(rig.upstream.invoice().is_empty(), "no model was asked");
        socket.create(json!({"input": [], "store": false, "previous_response_id": done["id"]})).await;
        assert_eq!(text_of(&socket.response().await), HELLO);
        let body = asked(&rig, 1).await;
        assert!(body.contains("apple") && !body.contains("generate"), "{body}");
        assert_eq!(rig.rows(1).await[0]["outcome"], "ok");
    }
}

#[tokio::test]
async fn a_warm_up_is_refused_like_the_request_it_prepares() {
    let rig = Rig::start().await;
    let (_, key) = rig.new_key(json!({"name": "narrow", "models": ["other-*"]})).await;
    let mut socket =
        rig.socket_with(&[("x-api-key", &key)]).await.unwrap_or_else(|status| panic!("{status}"));
    socket.create(json!({"input": "x", "generate": false})).await;
    let error: Value = socket.last().await;
    assert_eq!((&error["status"], &error["error"]["code"]), (&json!(403), &json!("model_not_allowed")));
    assert_eq!(rig.rows(1).await[0]["error_code"], "model_not_allowed");
}
