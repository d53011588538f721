//! What goes wrong on a WebSocket, and what the other end and the books hear of it.

use fakeup::{Behaviour, End, Rule, Then};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::HELLO;
use crate::rig::Rig;
use crate::rig::faces::{CHAT, GEMINI, RESPONSES};
use crate::rig::socket::text_of;

#[tokio::test]
async fn a_second_request_while_one_runs_is_refused_and_the_first_goes_on() {
    let rig = Rig::start().await;
    rig.on_model("m-hold", Behaviour::cut(RESPONSES.beyond_content(), Then::Hold));
    let mut socket = rig.socket().await;
    socket.create(json!({"model": "m-hold", "input": "a"})).await;
    assert_eq!(socket.event().await["type"], "response.created");
    socket.create(json!({"input": "b", "stream_id": "other"})).await;
    let mut events = Vec::new();
    let refused = loop {
        let event = socket.event().await;
        if event["type"] == "error" {
            break event;
        }
        events.push(event);
    };
    assert_eq!(
        (&refused["status"], &refused["error"]["code"], &refused["stream_id"]),
        (&json!(409), &json!("response_in_flight"), &json!("other")),
        "{refused}"
    );
    rig.upstream.release();
    events.extend(socket.response().await);
    assert_eq!(text_of(&events), HELLO);
    socket.create(json!({"input": "b"})).await;
    assert_eq!(text_of(&socket.response().await), HELLO, "now it is free");
    assert_eq!(rig.upstream.invoice().len(), 2, "the refused one reached nobody");
}

#[tokio::test]
async fn fault_u15_an_upstream_that_breaks_off_is_a_failed_response_and_the_socket_goes_on() {
    for to in [RESPONSES, CHAT, GEMINI] {
        let rig = Rig::speaking(to).await;
        for then in [Then::Close, Then::Reset] {
            rig.upstream.forget();
            rig.recover().await;
            rig.upstream.script(Rule::always(Behaviour::cut(to.beyond_content(), then)).times(1));
            let before = rig.server.admin("GET", "/requests?limit=200", &Value::Null).await["items"]
                .as_array()
                .unwrap()
                .len();
            let mut socket = rig.socket().await;
            socket.create(json!({"input": "a"})).await;
            let events = socket.response().await;
            let last = events.last().unwrap();
            assert_eq!(last["type"], "response.failed", "{to:?} {then:?}: {last}");
            assert_eq!(last["response"]["error"]["code"], "upstream_cut_off", "{to:?} {then:?}: {last}");
            assert_eq!(rig.rows(before + 1).await[0]["outcome"], "broken");
            socket.create(json!({"input": "b"})).await;
            assert_eq!(text_of(&socket.response().await), HELLO, "{to:?} {then:?}");
            rig.rows(before + 2).await;
        }
    }
}

#[tokio::test]
async fn fault_c02_a_caller_that_leaves_cancels_the_upstream_and_is_booked_as_gone() {
    let rig = Rig::start().await;
    rig.on_model("m-head", Behaviour::instead(Then::Stall));
    rig.on_model("m-body", Behaviour::cut(RESPONSES.beyond_content(), Then::Stall));
    for (count, (model, begun)) in [("m-head", false), ("m-body", true)].into_iter().enumerate() {
        for polite in [false, true] {
            let count = count * 2 + usize::from(polite) + 1;
            let mut socket = rig.socket().await;
            socket.create(json!({"model": model, "input": "a"})).await;
            if begun {
                socket.event().await;
            }
            rig.upstream.until(crate::rig::SOON, |entries| entries.len() >= count).await;
            if polite {
                socket.0.close(None).await.unwrap();
            } else {
                drop(socket);
            }
            let entries = rig.ended(count).await;
            assert_eq!(entries.last().unwrap().end, End::ClientGone, "{model} {polite}");
            let rows = rig.rows(count).await;
            assert_eq!(rows[0]["outcome"], "client_gone", "{model} {polite}: {rows:#?}");
            assert_eq!(rows[0]["attempts"][0]["outcome"], "client_gone", "{rows:#?}");
        }
    }
}

#[tokio::test]
async fn what_is_no_request_is_answered_in_words_and_the_socket_goes_on() {
    let rig = Rig::start().await;
    let mut socket = rig.socket().await;
    for (message, code) in [
        (Message::text("hello"), "invalid_request"),
        (Message::text("[1]"), "invalid_request"),
        (Message::text("{}"), "unknown_event_type"),
        (Message::text(r#"{"type":"response.cancel"}"#), "unknown_event_type"),
        (Message::text(r#"{"type":"response.create","stream_id":" "}"#), "invalid_stream_id"),
        (Message::text(r#"{"type":"response.create","model":"m-1","background":true}"#), "invalid_request"),
        (Message::text(r#"{"type":"response.create","input":"x"}"#), "invalid_request"),
        (Message::text(r#"{"type":"response.create","model":"m-1","model":"m-2"}"#), "invalid_request"),
        (Message::binary(b"{\"type\":\"response.create\"}".to_vec()), "invalid_request"),
    ] {
        let what = format!("{message:?}");
        socket.send(message).await;
        let error = socket.last().await;
        assert_eq!((&error["type"], &error["status"]), (&json!("error"), &json!(400)), "{what}: {error}");
        assert_eq!(error["error"]["code"], code, "{what}: {error}");
        assert!(error["error"]["message"].is_string() && error["error"]["type"].is_string(), "{error}");
    }
    assert!(rig.upstream.invoice().is_empty());
    socket.create(json!({"input": "Say hello."})).await;
    assert_eq!(text_of(&socket.response().await), HELLO);
}

#[tokio::test]
async fn fault_c07_a_message_over_the_cap_is_refused_in_words_before_the_close() {
    let rig = Rig::start().await;
    let mut socket = rig.socket().await;
    // The caller goes on sending for a moment.
    let _sent = futures_util::SinkExt::send(&mut socket.0, Message::text("x".repeat(3 << 20))).await;
    let (said, frame) = socket.closed().await;
    assert_eq!(said[0]["status"], 413, "{said:?}");
    assert_eq!(said[0]["error"]["code"], "payload_too_large", "{said:?}");
    assert_eq!(frame.map(|frame| frame.code), Some(CloseCode::Size));
}

#[tokio::test]
async fn fault_c08_a_message_that_comes_in_drips_is_cut() {
    let rig = Rig::start().await;
    let mut socket = rig.socket().await;
    // A masked text frame of 200 bytes, of which ten come.
    socket
        .0
        .get_mut()
        .write_all(&[0x81, 0xFE, 0, 200, 1, 2, 3, 4, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9])
        .await
        .unwrap();
    let (said, frame) = socket.closed().await;
    assert_eq!(
        (&said[0]["status"], &said[0]["error"]["code"]),
        (&json!(408), &json!("request_timeout")),
        "{said:?}"
    );
    assert_eq!(frame.map(|frame| frame.code), Some(CloseCode::Policy));
}

#[tokio::test]
async fn broken_framing_ends_the_socket_with_the_protocols_code() {
    let rig = Rig::start().await;
    let mut socket = rig.socket().await;
    // A client must mask what it sends.
    socket.0.get_mut().write_all(&[0x81, 0x02, b'{', b'}']).await.unwrap();
    let (_, frame) = socket.closed().await;
    assert_eq!(frame.map(|frame| frame.code), Some(CloseCode::Protocol));
}

#[tokio::test]
async fn rl_a_reached_limit_is_a_message_with_the_status_and_the_time_to_come_back() {
    let rig = Rig::start().await;
    let (_, key) = rig.new_key(json!({"name": "slow", "limits": {"rpm_limit": 1}})).await;
    let mut socket =
        rig.socket_with(&[("x-api-key", &key)]).await.unwrap_or_else(|status| panic!("{status}"));
    socket.create(json!({"input": "a"})).await;
    assert_eq!(socket.last().await["type"], "response.completed");
    socket.create(json!({"input": "b"})).await;
    let error = socket.last().await;
    assert_eq!((&error["type"], &error["status"]), (&json!("error"), &json!(429)), "{error}");
    assert!(
        error["headers"]["retry-after"].as_str().is_some_and(|wait| wait.parse::<u64>().is_ok()),
        "{error}"
    );
    let ask = RESPONSES.ask("m-1", true).header("x-api-key", &key);
    let posted = rig.ask(ask).await;
    assert_eq!((posted.status, json!(posted.code())), (429, error["error"]["code"].clone()));
    assert_eq!(rig.upstream.invoice().len(), 1);
    assert_eq!(rig.rows(3).await.iter().filter(|row| row["status_code"] == 429).count(), 2);
}

#[tokio::test]
async fn an_upstreams_refusal_is_a_message_with_its_status() {
    let rig = Rig::start().await;
    let mut socket = rig.socket().await;
    socket.create(json!({"model": "fake-400", "input": "a"})).await;
    let error = socket.last().await;
    assert_eq!((&error["type"], &error["status"]), (&json!("error"), &json!(400)), "{error}");
    assert!(error["error"]["message"].as_str().unwrap().contains("told to answer 400"), "{error}");
}
