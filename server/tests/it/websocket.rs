//! The WebSocket on `/v1/responses`, over real sockets: what comes through it, what the upstream was asked, and what the
//! books say of it.

mod continuing;
mod edges;
mod faults;

use serde_json::{Value, json};

use crate::rig::Rig;
use crate::rig::client::Ask;
use crate::rig::faces::{FACES, RESPONSES};
use crate::rig::socket::text_of;

/// What the fake vendor says.
const HELLO: &str = "Hello from the fake upstream: all is well.";

#[tokio::test]
async fn a_message_is_answered_with_the_events_of_the_same_post_and_booked_like_it() {
    let rig = Rig::start().await;
    let posted = rig.ask(rig.keyed(RESPONSES.ask("m-1", true))).await;
    let posted_row = rig.rows(1).await.remove(0);
    let mut socket = rig.socket().await;
    socket.create(json!({"input": "Say hello."})).await;
    let events = socket.response().await;
    let kinds = |events: &[Value]| -> Vec<String> {
        events.iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect()
    };
    let streamed: Vec<Value> = posted
        .text()
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .filter_map(|data| serde_json::from_str(data).ok())
        .collect();
    assert_eq!(kinds(&events), kinds(&streamed));
    assert_eq!(text_of(&events), HELLO);
    assert!(events.iter().all(|event| event.get("stream_id").is_none()));
    let rows = rig.rows(2).await;
    let row = rows.iter().find(|row| row["request_id"] != posted_row["request_id"]).unwrap();
    let entry = rig.ended(2).await.pop().unwrap();
    assert_eq!(crate::rig::tokens(row), entry.billed, "{row}");
    for field in
        ["dialect", "upstream_dialect", "endpoint", "streaming", "status_code", "outcome", "model", "key_id"]
    {
        assert_eq!(row[field], posted_row[field], "{field}: {row}");
    }
    let asked: Value = serde_json::from_slice(&entry.request.body).unwrap();
    assert_eq!(
        asked,
        json!({"stream": true, "model": "m-1", "input": "Say hello."}),
        "nothing of the message is left"
    );
    for header in ["upgrade", "sec-websocket-key", "sec-websocket-version"] {
        assert_eq!(entry.request.header(header), None, "{header}");
    }
}

#[tokio::test]
async fn every_dialect_answers_a_message() {
    for to in FACES {
        let rig = Rig::speaking(to).await;
        let mut socket = rig.socket().await;
        for round in 0..2 {
            socket.create(json!({"input": "Say hello.", "stream_id": "main"})).await;
            let events = socket.response().await;
            assert_eq!(text_of(&events), HELLO, "{to:?} {round}: {events:#?}");
            assert_eq!(events.last().unwrap()["type"], "response.completed", "{to:?}");
            assert!(events.iter().all(|event| event["stream_id"] == "main"), "{to:?}: the lane is named");
        }
        for row in rig.rows(2).await {
            assert_eq!(
                (&row["outcome"], &row["dialect"]),
                (&json!("ok"), &json!("openai-responses")),
                "{row}"
            );
            assert_eq!(row["upstream_dialect"], to.name, "{row}");
        }
    }
}

#[tokio::test]
async fn an_upstream_that_answers_whole_is_the_last_event() {
    let rig = Rig::start().await;
    let whole = rig.ask(rig.keyed(RESPONSES.ask("m-1", false))).await.body;
    rig.upstream.script(fakeup::Rule::always(fakeup::Behaviour::body("application/json", whole)));
    let mut socket = rig.socket().await;
    socket.create(json!({"input": "Say hello."})).await;
    let last = socket.last().await;
    assert_eq!(last["type"], "response.completed", "{last}");
    assert!(last["response"]["output"].to_string().contains("all is well"), "{last}");
}

#[tokio::test]
async fn open_sockets_are_counted() {
    let rig = Rig::start().await;
    let ask = format!(
        "GET /metrics HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {}\r\nConnection: close\r\n\r\n",
        crate::harness::ADMIN_TOKEN
    );
    let reading = async || {
        let metrics = rig.server.raw(&ask).await.body();
        let line = metrics.lines().find(|line| line.starts_with("tollgate_open_sockets ")).map(str::to_owned);
        line.unwrap_or_else(|| panic!("{metrics}"))
    };
    let (one, two) = (rig.socket().await, rig.socket().await);
    assert_eq!(reading().await, "tollgate_open_sockets 2");
    drop((one, two));
    let until = tokio::time::Instant::now() + crate::rig::SOON;
    while reading().await != "tollgate_open_sockets 0" {
        assert!(tokio::time::Instant::now() < until);
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert_eq!(rig.ask(rig.keyed(Ask::get("/v1/models"))).await.status, 200);
}
