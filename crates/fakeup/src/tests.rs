//! The fake vendor seen from the other end of a socket.

use std::time::Duration;

use crate::{Behaviour, Blob, Coding, Cut, End, Fakeup, Framing, Rule, Then, Tokens, Usage, scenario};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const SOON: Duration = Duration::from_secs(30);
const PATHS: [&str; 4] = [
    "/v1/messages",
    "/v1/chat/completions",
    "/v1/responses",
    "/v1beta/models/M:streamGenerateContent?alt=sse",
];

fn post(path: &str, model: &str, more: &str) -> String {
    let path = path.replace("/M:", &format!("/{model}:"));
    let body = format!("{{\"model\":\"{model}\"{more}}}");
    format!(
        "POST {path} HTTP/1.1\r\nHost: f\r\nx-api-key: k1\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Sends one request and reads until the end of the answer or of the connection.
async fn ask(fakeup: &Fakeup, request: &str) -> Vec<u8> {
    let mut stream = TcpStream::connect(fakeup.addr()).await.unwrap();
    stream
        .write_all(request.replacen("Host: f", "Host: f\r\nConnection: close", 1).as_bytes())
        .await
        .unwrap();
    let mut bytes = Vec::new();
    // A reset is an end like any other here.
    drop(tokio::time::timeout(SOON, stream.read_to_end(&mut bytes)).await.expect("it ends"));
    bytes
}

/// Head and body, with chunks put together.
fn parts(answer: &[u8]) -> (String, Vec<u8>) {
    let at = answer.windows(4).position(|w| w == b"\r\n\r\n").unwrap_or_else(|| panic!("{answer:?}"));
    let head = String::from_utf8_lossy(&answer[..at]).into_owned();
    let mut rest = &answer[at + 4..];
    if !head.contains("transfer-encoding: chunked") {
        return (head, rest.to_vec());
    }
    let mut body = Vec::new();
    while let Some(at) = rest.windows(2).position(|w| w == b"\r\n") {
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..at]).unwrap(), 16).unwrap();
        if size == 0 || rest.len() < at + 2 + size {
            break;
        }
        body.extend_from_slice(&rest[at + 2..at + 2 + size]);
        rest = rest.get(at + 4 + size..).unwrap_or_default();
    }
    (head, body)
}

#[tokio::test]
async fn every_dialect_answers_whole_and_in_a_stream() {
    let fakeup = Fakeup::start().await;
    for path in [
        "/v1/messages",
        "/v1/chat/completions",
        "/v1/completions",
        "/v1/responses",
        "/v1beta/models/M:generateContent",
    ] {
        let (head, body) = parts(&ask(&fakeup, &post(path, "m-1", "")).await);
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        let value: Value = serde_json::from_slice(&body).unwrap();
        assert!(value.to_string().contains("m-1"), "{value}");
    }
    for (path, last) in
        PATHS.iter().zip(["event: message_stop", "data: [DONE]", "event: response.completed", "\"STOP\""])
    {
        let (head, body) = parts(&ask(&fakeup, &post(path, "m-1", ",\"stream\":true")).await);
        let text = String::from_utf8(body).unwrap();
        assert!(head.contains("text/event-stream") && text.contains(last), "{path}: {text}");
    }
    for entry in fakeup.invoice() {
        assert_eq!(
            (entry.credential(), entry.end, entry.billed),
            (Some("k1"), End::Finished, Tokens::default())
        );
    }
}

#[tokio::test]
async fn connections_are_kept_and_bodies_in_chunks_are_read() {
    let fakeup = Fakeup::start().await;
    let mut stream = TcpStream::connect(fakeup.addr()).await.unwrap();
    for _ in 0..3 {
        let request = "POST /v1/messages HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{\"mod\r\n8\r\nel\":\"x\"}\r\n0\r\n\r\n";
        stream.write_all(request.as_bytes()).await.unwrap();
        let seen = fakeup.invoice().len();
        let entries = fakeup
            .until(SOON, |entries| entries.len() > seen && entries.last().unwrap().end == End::Finished)
            .await;
        assert_eq!(entries.last().unwrap().request.body, "{\"model\":\"x\"}");
    }
    assert_eq!(fakeup.connections(), 1);
}

#[tokio::test]
async fn rules_are_chosen_by_credential_path_model_and_marker() {
    let fakeup = Fakeup::start().await;
    fakeup.script(Rule::always(Behaviour::status(404)));
    fakeup.script(Rule { marker: Some("needle".into()), ..Rule::always(Behaviour::status(402)) });
    fakeup.script(Rule { path: Some("/responses".into()), ..Rule::always(Behaviour::status(403)) });
    fakeup.script(Rule::model("m", Behaviour::status(500)).times(1));
    fakeup.script(Rule::model("m", Behaviour::status(503)).times(1));
    fakeup.script(Rule::credential("k2", Behaviour::status(401)));
    for (request, status) in [
        (post("/v1/messages", "m", ""), 500),
        (post("/v1/messages", "m", ""), 503),
        (post("/v1/messages", "m", ""), 404),
        (post("/v1/messages", "n", ",\"text\":\"a needle\""), 402),
        (post("/v1/responses", "n", ""), 403),
        (post("/v1/messages", "n", "").replace("x-api-key: k1", "authorization: Bearer k2"), 401),
    ] {
        let answer = ask(&fakeup, &request).await;
        assert!(answer.starts_with(format!("HTTP/1.1 {status} ").as_bytes()), "{status}: {request}");
    }
    fakeup.forget();
    assert!(ask(&fakeup, &post("/v1/messages", "m", "")).await.starts_with(b"HTTP/1.1 200 "));
}

#[tokio::test]
async fn bodies_stop_where_they_are_told_to() {
    let fakeup = Fakeup::start().await;
    let whole = parts(&ask(&fakeup, &post("/v1/messages", "m", ",\"stream\":true")).await).1;
    for at in [0, 1, 100, whole.len() - 1] {
        for then in [Then::Close, Then::Finish] {
            fakeup.script(Rule::model("m", Behaviour::cut(at, then)).times(1));
            let answer = ask(&fakeup, &post("/v1/messages", "m", ",\"stream\":true")).await;
            assert_eq!(parts(&answer).1, whole[..at], "{at} {then:?}");
            assert_eq!(answer.ends_with(b"0\r\n\r\n"), then == Then::Finish);
        }
    }
    let ends: Vec<End> = fakeup.invoice().iter().map(|entry| entry.end).skip(1).collect();
    assert_eq!(ends, [End::BrokenOff, End::Finished].repeat(4));
}

#[tokio::test]
async fn resets_are_resets() {
    let fakeup = Fakeup::start().await;
    fakeup.script(Rule::always(Behaviour::instead(Then::Reset)));
    let mut stream = TcpStream::connect(fakeup.addr()).await.unwrap();
    stream.write_all(post("/v1/messages", "m", "").as_bytes()).await.unwrap();
    let error = stream.read_to_end(&mut Vec::new()).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    fakeup.reset_next(1);
    let mut stream = TcpStream::connect(fakeup.addr()).await.unwrap();
    assert!(stream.read_to_end(&mut Vec::new()).await.is_err());
    assert_eq!(fakeup.connections(), 2);
}

#[tokio::test]
async fn a_peer_that_leaves_is_noticed_and_a_held_answer_goes_on() {
    let fakeup = Fakeup::start().await;
    fakeup.script(Rule::model("stall", Behaviour::cut(10, Then::Stall)));
    fakeup.script(Rule::model("hold", Behaviour::cut(10, Then::Hold)));
    let mut stream = TcpStream::connect(fakeup.addr()).await.unwrap();
    stream.write_all(post("/v1/messages", "stall", "").as_bytes()).await.unwrap();
    let entries = fakeup.until(SOON, |entries| entries.iter().any(|entry| entry.bytes_sent > 0)).await;
    assert_eq!(entries[0].end, End::Running);
    drop(stream);
    let entries = fakeup.until(SOON, |entries| entries[0].end != End::Running).await;
    assert_eq!(entries[0].end, End::ClientGone);
    let mut stream = TcpStream::connect(fakeup.addr()).await.unwrap();
    stream.write_all(post("/v1/messages", "hold", "").as_bytes()).await.unwrap();
    fakeup.until(SOON, |entries| entries.len() == 2 && entries[1].bytes_sent > 0).await;
    fakeup.release();
    let entries = fakeup.until(SOON, |entries| entries[1].end != End::Running).await;
    assert_eq!(entries[1].end, End::Finished);
}

#[tokio::test]
async fn compressed_bodies_are_what_they_say() {
    let fakeup = Fakeup::start().await;
    let plain = parts(&ask(&fakeup, &post("/v1/messages", "m", "")).await).1;
    for (coding, name) in
        [(Coding::Gzip, "gzip"), (Coding::Zlib, "deflate"), (Coding::Br, "br"), (Coding::Zstd, "zstd")]
    {
        fakeup.script(Rule::model("m", Behaviour::default().coded(coding, None)));
        let (head, body) = parts(&ask(&fakeup, &post("/v1/messages", "m", "")).await);
        assert!(head.contains(&format!("content-encoding: {name}")), "{head}");
        assert_eq!(body, crate::encode(coding, &plain));
        assert_ne!(body, plain);
    }
    fakeup.script(Rule::model("m", Behaviour::default().coded(Coding::Gzip, Some(""))));
    let (head, body) = parts(&ask(&fakeup, &post("/v1/messages", "m", "")).await);
    assert!(!head.contains("content-encoding") && body.starts_with(&[0x1f, 0x8b]));
}

#[tokio::test]
async fn lengths_and_chunks_can_lie() {
    let fakeup = Fakeup::start().await;
    let request = post("/v1/messages", "m", "");
    let with = async |behaviour| {
        fakeup.script(Rule::model("m", behaviour));
        String::from_utf8_lossy(&ask(&fakeup, &request).await).into_owned()
    };
    let framed =
        |framing| Behaviour { framing, body: Some(Blob::from("0123456789")), ..Behaviour::default() };
    assert!(with(framed(Framing::LengthOff(5))).await.contains("content-length: 15\r\n\r\n0123456789"));
    assert!(with(framed(Framing::LengthOff(-4))).await.contains("content-length: 6\r\n\r\n0123456789"));
    let bad = Behaviour { piece_bytes: Some(6), ..framed(Framing::BadChunk) };
    assert!(with(bad).await.ends_with("6\r\n012345\r\nzz\r\n6789\r\n"));
    assert!(with(framed(Framing::HugeExtension)).await.len() > 1024 * 1024);
    assert!(with(framed(Framing::UntilClose)).await.ends_with("\r\n\r\n0123456789"));
    let raw = "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n";
    assert_eq!(with(Behaviour::raw(raw)).await, raw);
    assert_eq!(fakeup.invoice().last().unwrap().status, 101);
}

#[tokio::test]
async fn usage_is_told_kept_back_or_absurd() {
    let fakeup = Fakeup::start().await;
    let tokens =
        Tokens { input: 10, output: 9, cache_read: 8, cache_write: 7, cache_write_1h: 6, reasoning: 5 };
    for path in PATHS {
        for (usage, told) in [
            (Usage::Missing, "no"),
            (Usage::Negative, "-5"),
            (Usage::Text, "\"many\""),
            (Usage::Huge, "1000000000000000000"),
        ] {
            fakeup.script(Rule::always(Behaviour { usage, ..Behaviour::default().billing(tokens) }));
            let text = String::from_utf8(ask(&fakeup, &post(path, "m", ",\"stream\":true")).await).unwrap();
            let counts = text.contains("okenCount\":") || text.contains("_tokens\":");
            assert_eq!(counts, usage != Usage::Missing, "{path} {usage:?}: {text}");
            assert!(!counts || text.contains(told), "{path} {usage:?}: {text}");
        }
        assert_eq!(fakeup.invoice().last().unwrap().billed.input, 10);
    }
    assert_eq!(fakeup.invoice()[0].billed.cache_write_1h, 6);
    assert_eq!(fakeup.invoice().last().unwrap().billed.cache_write, 0, "Gemini writes no cache");
}

#[tokio::test]
async fn scripts_and_the_invoice_travel_over_http() {
    let fakeup = Fakeup::start().await;
    let control = async |method: &str, path: &str, body: &str| {
        let request =
            format!("{method} {path} HTTP/1.1\r\nHost: f\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        // Control calls keep their connection; one byte of the body more than the head is enough to know.
        let mut stream = TcpStream::connect(fakeup.addr()).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        let (head, body) = parts(&answer);
        (head.split(' ').nth(1).unwrap().to_owned(), serde_json::from_slice::<Value>(&body).unwrap())
    };
    let rules = r#"[{"model":"a","status":429,"headers":[["retry-after","3"]]},{"model":"cut","cut":true}]"#;
    assert_eq!(control("POST", "/__fakeup/script", rules).await.0, "200");
    let (status, told) = control("POST", "/__fakeup/script", r#"{"model":"a","statsu":429}"#).await;
    assert!(status == "400" && told.to_string().contains("statsu"), "{told}");
    assert_eq!(control("GET", "/__fakeup/nothing", "").await.0, "404");
    let answer = ask(&fakeup, &post("/v1/messages", "a", "")).await;
    assert!(String::from_utf8_lossy(&answer).contains("retry-after: 3"));
    ask(&fakeup, &post("/v1/messages", "cut", "")).await;
    let (_, invoice) = control("GET", "/__fakeup/invoice", "").await;
    assert_eq!(invoice["entries"][0]["status"], 429);
    assert_eq!(invoice["entries"][1]["end"], "broken_off");
    assert_eq!(invoice["entries"][1]["credential"], "k1");
    control("DELETE", "/__fakeup/invoice", "").await;
    control("DELETE", "/__fakeup/script", "").await;
    assert!(fakeup.invoice().is_empty());
    assert!(ask(&fakeup, &post("/v1/messages", "a", "")).await.starts_with(b"HTTP/1.1 200 "));
}

#[tokio::test]
async fn every_model_name_with_a_meaning_is_answered() {
    let fakeup = Fakeup::start().await;
    for name in scenario::NAMES
        .iter()
        .filter(|name| !name.contains("stall") && **name != "fake-late" && **name != "fake-slow")
    {
        for path in PATHS {
            let answer = ask(&fakeup, &post(path, name, ",\"stream\":true")).await;
            let cut_short = matches!(*name, "fake-no-answer" | "fake-reset");
            assert!(answer.starts_with(b"HTTP/1.1 ") || cut_short, "{name}");
        }
    }
    let text = String::from_utf8(ask(&fakeup, &post("/v1/messages", "fake-separators", "")).await).unwrap();
    assert!(text.contains("one\u{2028}two"));
    let cut = Behaviour { cut: Some(Cut::default()), ..Behaviour::default() };
    assert_eq!(serde_json::from_str::<Behaviour>(&serde_json::to_string(&cut).unwrap()).unwrap(), cut);
}
