//! Faults of callers that show at the upstream or in the books (`C` rows): leaving, slowness, bad bodies.

use std::time::Duration;

use fakeup::{Behaviour, End, Then};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::rig::client::Ask;
use crate::rig::faces::{ANTHROPIC, CHAT, FACES, RESPONSES};
use crate::rig::{Rig, SOON, tokens};

#[tokio::test]
async fn fault_c01_a_caller_that_leaves_before_his_body_is_complete_reaches_no_upstream() {
    let rig = Rig::start().await;
    for face in FACES {
        let mut stream = rig.server.connect().await;
        let head = format!(
            "POST {} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nAuthorization: Bearer {}\r\n\
             Content-Length: 500\r\n\r\n{{\"model\":",
            face.target("m-1", false),
            rig.key
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        drop(stream);
    }
    // A later request is served, and nothing of the four has gone anywhere.
    assert_eq!(rig.ask(rig.keyed(CHAT.ask("m-1", false))).await.status, 200);
    assert_eq!(rig.upstream.invoice().len(), 1);
}

#[tokio::test]
async fn fault_c25_an_upload_that_stops_half_way_admits_nothing() {
    let rig = Rig::start().await;
    let mut stream = rig.server.connect().await;
    let head = format!(
        "POST /v1/messages HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nx-api-key: {}\r\n\
         Transfer-Encoding: chunked\r\n\r\n5\r\n{{\"mod\r\n",
        rig.key
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = String::new();
    tokio::time::timeout(SOON, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert_eq!(rig.ask(rig.keyed(CHAT.ask("m-1", false))).await.status, 200);
    assert_eq!(rig.upstream.invoice().len(), 1);
}

#[tokio::test]
async fn fault_c02_a_caller_that_leaves_before_the_answer_cancels_the_upstream() {
    let rig = Rig::start().await;
    rig.on_model("m-head", Behaviour::instead(Then::Stall));
    rig.on_model("m-body", Behaviour::cut(0, Then::Stall));
    let (mut count, mut took) = (0, Vec::new());
    for face in FACES {
        for model in ["m-head", "m-body"] {
            for (_, ask) in face.both(model) {
                let id = ask.id.clone();
                let left = tokio::time::Instant::now();
                rig.ask_and_leave(rig.keyed(ask)).await;
                count += 1;
                let entries = rig.ended(count).await;
                assert_eq!(entries.last().unwrap().end, End::ClientGone);
                took.push(left.elapsed());
                let row = rig.row(&id).await;
                assert_eq!(
                    (&row["outcome"], &row["error_code"]),
                    (&json!("client_gone"), &json!("client_gone")),
                    "{row}"
                );
                assert_eq!(row["status_code"], 499, "{row}");
                assert_eq!(row["attempts"][0]["outcome"], "client_gone", "{row}");
            }
        }
    }
    assert_eq!(rig.upstream.invoice().len(), count, "nothing was tried again");
    within_a_second(took);
}

#[tokio::test]
async fn fault_c03_a_caller_that_leaves_mid_stream_cancels_the_upstream_at_any_event() {
    let rig = Rig::start().await;
    let (mut count, mut took) = (0, Vec::new());
    for face in FACES {
        // Ten bytes into the events after the first content, before which nothing goes out: the half event is kept
        // back, what is whole goes on.
        let whole = rig.ask(rig.keyed(face.ask("m-whole", true))).await;
        count += 1;
        let text = whole.text();
        let content = text.find("Hello").unwrap();
        let ends: Vec<usize> = text
            .match_indices("\n\n")
            .map(|(at, _)| at + 12)
            .filter(|at| (content..text.len()).contains(at))
            .take(3)
            .collect();
        for at in ends {
            rig.on_model("m-leave", Behaviour::cut(at, Then::Stall));
            let ask = face.ask("m-leave", true);
            let id = ask.id.clone();
            let mut open = rig.open(rig.keyed(ask)).await;
            let piece = open.piece().await.unwrap().unwrap();
            assert!(!piece.is_empty());
            let left = tokio::time::Instant::now();
            drop(open);
            count += 1;
            let entries = rig.ended(count).await;
            assert_eq!(entries.last().unwrap().end, End::ClientGone);
            took.push(left.elapsed());
            let row = rig.row(&id).await;
            assert_eq!((&row["outcome"], &row["status_code"]), (&json!("client_gone"), &json!(200)), "{row}");
            assert_eq!(row["estimated"], true, "{row}");
            assert!(tokens(&row).input > 0, "{row}");
            assert!(row["response_bytes"].as_u64().unwrap() > 0, "{row}");
        }
    }
    within_a_second(took);
}

/// How long it took the vendor to hear that his caller has left. Any one of them may meet a busy machine.
fn within_a_second(mut took: Vec<Duration>) {
    took.sort_unstable();
    assert!(took[took.len() / 2] < Duration::from_secs(1), "{took:?}");
}

#[tokio::test]
async fn fault_c04_a_slow_reader_slows_the_upstream_and_is_closed_in_the_end() {
    let rig = Rig::start().await;
    let event =
        format!("data: {{\"choices\":[{{\"delta\":{{\"content\":\"{}\"}}}}]}}\n\n", "y".repeat(16 << 10));
    // 640 MiB, of which only what fits into the sockets between may ever be sent.
    rig.on_model("m-flood", Behaviour { repeat: 40_000, ..Behaviour::body("text/event-stream", event) });
    let ask = rig.keyed(CHAT.ask("m-flood", true));
    let id = ask.id.clone();
    let open = rig.open(ask).await;
    let sent = rig.upstream.until(SOON, |entries| entries[0].end != End::Running).await;
    assert_eq!(sent[0].end, End::ClientGone, "closed after the write stall of five seconds: {sent:?}");
    // Kernel buffers on two hops take some megabytes; Tollgate itself holds next to nothing.
    assert!(sent[0].bytes_sent < 32 << 20, "{} bytes", sent[0].bytes_sent);
    let row = rig.row(&id).await;
    assert_eq!(row["outcome"], "client_gone", "{row}");
    drop(open);
}

#[tokio::test]
async fn fault_c05_a_caller_that_closed_his_sending_half_may_be_gone() {
    let rig = Rig::start().await;
    let mut stream = rig.server.connect().await;
    let body = ANTHROPIC.body("m-1", true).to_string();
    let head = format!(
        "POST /v1/messages HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nx-api-key: {}\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        rig.key,
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    tokio::time::timeout(SOON, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    assert!(answer.contains("message_stop"), "{answer}");
}

#[tokio::test]
async fn fault_c10_bad_bodies_are_refused_with_their_place_in_the_callers_dialect() {
    let rig = Rig::start().await;
    let cases: [&[u8]; 9] = [
        b"",
        b"   ",
        b"{",
        b"{\"model\":\"m\",}",
        b"[]",
        b"\"text\"",
        b"{\"model\":\"m\"} trailing",
        b"{\"model\":\"m\",\"x\":\"\xff\xfe\"}",
        b"{\"model\":'m'}",
    ];
    for face in FACES {
        for bad in cases {
            let ask = Ask::post(&face.target("m-1", false), bad);
            let id = ask.id.clone();
            let got = rig.ask(rig.keyed(ask)).await;
            assert_eq!(got.status, 400, "{face:?} {:?}: {}", String::from_utf8_lossy(bad), got.text());
            face.assert_error(&got.json(), 400, "invalid_request", &id);
            assert_eq!(rig.row(&id).await["outcome"], "refused");
        }
    }
    let got = rig.ask(rig.keyed(Ask::post("/v1/messages", r#"{"model":"m",}"#))).await;
    assert!(got.text().contains("13"), "the byte is named: {}", got.text());
    assert!(rig.upstream.invoice().is_empty());
}

#[tokio::test]
async fn fault_c11_depth_and_duplicates_are_refused_and_surrogates_pass() {
    let rig = Rig::start().await;
    let deep = format!("{{\"model\":\"m\",\"x\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let ok_depth = format!("{{\"model\":\"m\",\"x\":{}{}}}", "[".repeat(100), "]".repeat(100));
    for face in [ANTHROPIC, CHAT, RESPONSES] {
        for (body, status, field) in [
            (deep.as_str(), 400, ""),
            (ok_depth.as_str(), 200, ""),
            (r#"{"model":"a","model":"b"}"#, 400, "model"),
            (r#"{"model":"a","stream":true,"stream":false}"#, 400, "stream"),
            (r#"{"model":"a","max_tokens":1,"max_tokens":2}"#, 400, "max_tokens"),
            (r#"{"model":"a","x":NaN}"#, 400, ""),
            (r#"{"model":"a","x":1e400}"#, 200, ""),
            (r#"{"model":"a","x":"\ud83d"}"#, 200, ""),
            (r#"{"model":"a","x":1,"x":2}"#, 200, ""),
            (r#"{"model":7}"#, 400, "model"),
            (r#"{"model":""}"#, 400, "model"),
            (r#"{"x":1}"#, 400, "model"),
        ] {
            let ask = Ask::post(&face.target("m", false), body.to_owned());
            let id = ask.id.clone();
            let got = rig.ask(rig.keyed(ask)).await;
            let shown: String = body.chars().take(60).collect();
            assert_eq!(got.status, status, "{face:?} {shown}: {}", got.text());
            if status == 400 {
                face.assert_error(&got.json(), 400, "invalid_request", &id);
                assert!(got.text().contains(field), "{shown}: {}", got.text());
            }
        }
    }
}

#[tokio::test]
async fn fault_c20_counts_out_of_range_are_refused_by_name() {
    let rig = Rig::start().await;
    for face in [ANTHROPIC, CHAT, RESPONSES] {
        for (field, value) in [
            ("n", "-1"),
            ("n", "18446744073686646784"),
            ("n", "0"),
            ("n", "1.5"),
            ("max_tokens", "9223372036854775808"),
            ("max_tokens", "-1"),
            ("max_completion_tokens", "1e30"),
            ("max_output_tokens", "99999999999999"),
            ("temperature", "1e308"),
        ] {
            let ask = Ask::post(&face.target("m", false), format!("{{\"model\":\"m\",\"{field}\":{value}}}"));
            let id = ask.id.clone();
            let got = rig.ask(rig.keyed(ask)).await;
            assert_eq!(got.status, 400, "{field} {value}: {}", got.text());
            face.assert_error(&got.json(), 400, "invalid_request", &id);
            assert!(got.text().contains(field), "{}", got.text());
        }
    }
}
