//! Who gets a WebSocket, how long, and what ends it.

use std::time::Duration;

use fakeup::{Behaviour, Then};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::HELLO;
use crate::rig::Rig;
use crate::rig::faces::RESPONSES;
use crate::rig::socket::text_of;

#[tokio::test]
async fn the_key_is_asked_for_before_the_upgrade_in_openais_dialect() {
    let rig = Rig::start().await;
    for (headers, code) in [
        ("Connection: close\r\n", "missing_authorization"),
        ("Authorization: Bearer sk-tg-unknown\r\n", "key_invalid"),
        ("Authorization: Basic x\r\n", "malformed_authorization"),
    ] {
        let head = format!(
            "GET /v1/responses HTTP/1.1\r\nHost: a\r\nConnection: close, Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{}\r\n",
            headers.replace("Connection: close\r\n", "")
        );
        let answer = rig.server.raw(head).await;
        assert_eq!(
            (answer.status(), answer.json()["error"]["code"].as_str()),
            (401, Some(code)),
            "{answer:?}"
        );
        assert!(answer.json()["error"]["type"].is_string(), "{answer:?}");
    }
    let rows = rig.rows(3).await;
    assert!(rows.iter().all(|row| row["outcome"] == "refused" && row["status_code"] == 401), "{rows:#?}");
}

#[tokio::test]
async fn every_header_that_carries_a_key_opens_a_socket_on_both_paths() {
    let rig = Rig::start().await;
    let bearer = format!("Bearer {}", rig.key);
    for (name, value) in [("authorization", &bearer), ("x-api-key", &rig.key), ("api-key", &rig.key)] {
        let mut socket =
            rig.socket_with(&[(name, value)]).await.unwrap_or_else(|status| panic!("{name}: {status}"));
        socket.create(json!({"input": "a"})).await;
        assert_eq!(text_of(&socket.response().await), HELLO, "{name}");
    }
    let head = format!(
        "GET /responses HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nx-api-key: {}\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n\u{88}\u{80}",
        rig.key
    );
    // A close frame, masked with zeros, follows at once.
    let mut bytes = head.split("\u{88}").next().unwrap().as_bytes().to_vec();
    bytes.extend_from_slice(&[0x88, 0x80, 0, 0, 0, 0]);
    let answer = rig.server.raw(bytes).await;
    assert_eq!(answer.status(), 101, "{answer:?}");
    assert_eq!(answer.header("sec-websocket-accept"), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    assert!(answer.header("x-request-id").is_some());
}

#[tokio::test]
async fn fault_x29_a_page_of_another_origin_gets_no_socket() {
    let rig = Rig::start().await;
    let key = rig.key.as_str();
    for (origin, status) in [
        ("https://evil.example", Some(403)),
        ("null", Some(403)),
        ("file://", Some(403)),
        ("http://tollgate.test.evil.example", Some(403)),
        ("http://tollgate.test", None),
    ] {
        let opened = rig.socket_with(&[("x-api-key", key), ("origin", origin)]).await;
        assert_eq!(opened.err(), status, "{origin}");
    }
}

#[tokio::test]
async fn a_key_that_may_not_be_used_from_here_gets_no_socket() {
    let rig = Rig::start().await;
    let (_, key) = rig.new_key(json!({"name": "office", "ip_allow": ["10.0.0.0/8"]})).await;
    assert_eq!(rig.socket_with(&[("x-api-key", &key)]).await.err(), Some(403));
    assert_eq!(rig.rows(1).await[0]["error_code"], "ip_blocked");
}

#[tokio::test]
async fn a_key_that_is_switched_off_meanwhile_gets_no_further_answer() {
    let rig = Rig::start().await;
    let mut socket = rig.socket().await;
    socket.create(json!({"input": "a"})).await;
    assert_eq!(text_of(&socket.response().await), HELLO);
    rig.change(&format!("/keys/{}", rig.key_id), json!({"enabled": false})).await;
    for more in [json!({"input": "b"}), json!({"input": "b", "generate": false})] {
        socket.create(more).await;
        let error = socket.last().await;
        assert_eq!(
            (&error["status"], &error["error"]["code"]),
            (&json!(401), &json!("key_disabled")),
            "{error}"
        );
    }
    assert_eq!(rig.upstream.invoice().len(), 1);
}

#[tokio::test]
async fn what_is_no_handshake_is_told_what_to_do() {
    let rig = Rig::start().await;
    let key = format!("x-api-key: {}\r\n", rig.key);
    let ask = |more: &str| format!("GET /v1/responses HTTP/1.1\r\nHost: a\r\n{key}{more}\r\n");
    let good = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    for (more, status) in [
        ("Connection: close\r\n".to_owned(), 426),
        (format!("Connection: close\r\nUpgrade: websocket\r\n{good}"), 426),
        (format!("Connection: close, Upgrade\r\nUpgrade: h2c\r\n{good}"), 426),
        ("Connection: close, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n".to_owned(), 400),
        (format!("Connection: close, Upgrade\r\nUpgrade: websocket\r\n{}", good.replace("13", "8")), 400),
    ] {
        let answer = rig.server.raw(ask(&more)).await;
        assert_eq!(answer.status(), status, "{more}: {answer:?}");
        assert_eq!(answer.header("upgrade"), (status == 426).then_some("websocket"), "{answer:?}");
        assert!(answer.json()["error"]["message"].is_string(), "{answer:?}");
    }
    for path in ["/v1/realtime", "/v1/responses/compact"] {
        let answer = rig.handshake(path, "Connection: close\r\n").await;
        assert!(matches!(answer.status(), 404 | 405), "{path}: {answer:?}");
    }
}

#[tokio::test]
async fn over_the_cap_a_caller_is_sent_to_plain_http_at_once() {
    let rig = Rig::bare_with(|config| config.edge.sockets = 2).await;
    let (one, _two) = (rig.socket().await, rig.socket().await);
    let key = rig.key.as_str();
    assert_eq!(rig.socket_with(&[("x-api-key", key)]).await.err(), Some(426));
    drop(one);
    let until = tokio::time::Instant::now() + crate::rig::SOON;
    while rig.socket_with(&[("x-api-key", key)]).await.is_err() {
        assert!(tokio::time::Instant::now() < until, "the slot came back");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_socket_that_nobody_uses_is_closed_and_one_that_waits_between_requests_is_not() {
    let rig = Rig::bare_with(|config| config.edge.socket_idle = Duration::from_secs(2)).await;
    rig.provider("openai", json!({})).await;
    let began = tokio::time::Instant::now();
    let mut socket = rig.socket().await;
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(40)).await;
        socket.create(json!({"input": "a"})).await;
        assert_eq!(text_of(&socket.response().await), HELLO);
    }
    let (said, frame) = socket.closed().await;
    assert!(said.is_empty() && began.elapsed() > Duration::from_secs(2), "{said:?}");
    assert_eq!(frame.map(|frame| frame.code), Some(CloseCode::Normal));
}

#[tokio::test]
async fn a_socket_outlives_the_idle_time_of_plain_http() {
    let rig = Rig::bare_with(|config| config.edge.keep_alive_idle = Duration::from_millis(100)).await;
    rig.provider("openai", json!({})).await;
    let mut socket = rig.socket().await;
    let pause = tokio::time::timeout(Duration::from_millis(500), socket.closed()).await;
    assert!(pause.is_err(), "it was closed");
    socket.create(json!({"input": "a"})).await;
    assert_eq!(text_of(&socket.response().await), HELLO);
}

#[tokio::test]
async fn a_socket_that_is_too_old_says_so_after_its_response() {
    let rig = Rig::bare_with(|config| config.edge.socket_life = Duration::from_secs(2)).await;
    rig.provider("openai", json!({})).await;
    rig.on_model("m-hold", Behaviour::cut(RESPONSES.beyond_content(), Then::Hold));
    let mut socket = rig.socket().await;
    socket.create(json!({"model": "m-hold", "input": "a"})).await;
    socket.event().await;
    let early = tokio::time::timeout(Duration::from_millis(2_500), async {
        while socket.event().await["type"] != "error" {}
    });
    assert!(early.await.is_err(), "a response that runs is finished");
    rig.upstream.release();
    let (said, _) = socket.closed().await;
    let kinds: Vec<&Value> = said.iter().map(|event| &event["type"]).collect();
    assert!(kinds.contains(&&json!("response.completed")), "{said:?}");
    let last = said.last().unwrap();
    assert_eq!(
        (&last["status"], &last["error"]["code"]),
        (&json!(400), &json!("websocket_connection_limit_reached")),
        "{last}"
    );
}

#[tokio::test]
async fn pings_are_sent_and_one_who_never_answers_is_gone() {
    let rig = Rig::bare_with(|config| config.edge.socket_ping = Duration::from_millis(50)).await;
    let mut stream = rig.server.connect().await;
    let head = format!(
        "GET /v1/responses HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nx-api-key: {}\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        rig.key
    );
    tokio::io::AsyncWriteExt::write_all(&mut stream, head.as_bytes()).await.unwrap();
    // Bytes are read but no ping is answered.
    let mut bytes = Vec::new();
    let read = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut bytes);
    tokio::time::timeout(crate::rig::SOON, read).await.expect("closed in time").unwrap();
    let frames = &bytes[bytes.windows(4).position(|end| end == b"\r\n\r\n").unwrap() + 4..];
    assert!(frames.starts_with(&[0x89, 0]), "a ping: {frames:?}");
    assert!(frames.contains(&0x88), "a close: {frames:?}");
    // Who answers stays: the client here does so while it reads.
    let rig = Rig::bare_with(|config| config.edge.socket_ping = Duration::from_millis(500)).await;
    let mut alive = rig.socket().await;
    assert!(tokio::time::timeout(Duration::from_millis(2_500), alive.closed()).await.is_err());
}

#[tokio::test]
async fn st_16_a_shutdown_lets_a_response_finish_and_closes_what_is_idle() {
    let rig = Rig::start().await;
    rig.on_model("m-hold", Behaviour::cut(RESPONSES.beyond_content(), Then::Hold));
    let (mut busy, mut idle) = (rig.socket().await, rig.socket().await);
    busy.create(json!({"model": "m-hold", "input": "a"})).await;
    busy.event().await;
    rig.server.begin_stop();
    let (said, frame) = idle.closed().await;
    assert_eq!((said.len(), frame.map(|frame| frame.code)), (0, Some(CloseCode::Away)));
    rig.upstream.release();
    let (said, frame) = busy.closed().await;
    assert_eq!(said.last().map(|event| &event["type"]), Some(&json!("response.completed")), "{said:?}");
    assert_eq!(frame.map(|frame| frame.code), Some(CloseCode::Away));
}

#[tokio::test]
async fn fault_s24_a_response_longer_than_the_drain_ends_in_words() {
    let rig = Rig::bare_with(|config| config.edge.drain = Duration::from_millis(200)).await;
    rig.provider("openai", json!({})).await;
    rig.on_model("m-stall", Behaviour::cut(RESPONSES.beyond_content(), Then::Stall));
    let mut socket = rig.socket().await;
    socket.create(json!({"model": "m-stall", "input": "a"})).await;
    socket.event().await;
    rig.server.begin_stop();
    let (said, _) = socket.closed().await;
    assert_eq!(said.last().map(|event| &event["type"]), Some(&json!("response.failed")), "{said:?}");
}
