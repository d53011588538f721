//! Faults of clients on the wire (`C` rows): sizes, speeds, types, addresses.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::harness::{Running, post, read_to_close};

const JSON: &str = "Content-Type: application/json\r\n";

/// A server and the header of a caller that it knows: strangers get 401 before anything is said about a body.
async fn with_caller() -> (Running, String) {
    let server = Running::start().await;
    let key = server.provision("anthropic", "http://127.0.0.1:9").await;
    (server, format!("Authorization: Bearer {key}\r\n"))
}

#[tokio::test]
async fn fault_c06_a_declared_length_over_the_cap_is_refused_before_reading() {
    let (server, caller) = with_caller().await;
    let answer = server
        .raw(format!(
            "POST /v1/messages HTTP/1.1\r\nHost: a\r\n{caller}{JSON}Content-Length: 10737418240\r\n\r\n"
        ))
        .await;
    assert_eq!(answer.status(), 413, "{answer:?}");
    assert_eq!(answer.header("connection"), Some("close"));
    let body = answer.json();
    assert_eq!(body["type"], "error", "in the caller's dialect: {body}");
    assert!(body.to_string().contains("payload_too_large"), "{body}");
}

#[tokio::test]
async fn fault_c06_pages_and_forms_have_smaller_caps() {
    let server = Running::start().await;
    for (path, length) in [("/auth/login", 5_000), ("/api/admin/users", 2_000_000), ("/rpc/x", 2_000_000)] {
        let answer = server
            .raw(format!("POST {path} HTTP/1.1\r\nHost: a\r\n{JSON}Content-Length: {length}\r\n\r\n"))
            .await;
        assert_eq!(answer.status(), 413, "{path}: {answer:?}");
    }
}

#[tokio::test]
async fn fault_c07_an_endless_chunked_body_is_refused_at_the_cap() {
    let (server, caller) = with_caller().await;
    let mut stream = server.connect().await;
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\n{caller}{JSON}Transfer-Encoding: chunked\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    let mut sent = 0_usize;
    while sent < 64 << 20 && stream.write_all(chunk.as_bytes()).await.is_ok() {
        sent += chunk.len();
        // The cap of tests is 1 MiB; once the answer is there, the rest is not wanted.
        if sent > 3 << 20 {
            break;
        }
    }
    let answer = read_to_close_half(&mut stream).await;
    assert!(answer.contains(" 413 "), "{answer}");
}

/// Closes the sending half first: the server waits a moment for what is still on its way.
async fn read_to_close_half(stream: &mut tokio::net::TcpStream) -> String {
    let _closed = stream.shutdown().await;
    read_to_close(stream).await.0
}

#[tokio::test]
async fn fault_c08_body_drip_is_cut() {
    let (server, caller) = with_caller().await;
    let mut stream = server.connect().await;
    let head =
        format!("POST /v1/messages HTTP/1.1\r\nHost: a\r\n{caller}{JSON}Content-Length: 1000\r\n\r\n{{");
    let began = Instant::now();
    stream.write_all(head.as_bytes()).await.unwrap();
    let answer = read_to_close(&mut stream).await;
    assert_eq!(answer.status(), 408, "{answer:?}");
    assert!(began.elapsed() >= Duration::from_millis(250), "not before the grace: {:?}", began.elapsed());
    assert!(answer.body().contains("request_timeout"), "{answer:?}");
}

#[tokio::test]
async fn fault_c09_header_drip_is_cut() {
    let server = Running::start().await;
    let began = Instant::now();
    let mut stream = server.connect().await;
    stream.write_all(b"GET /livez HTTP/1.1\r\nHost: a\r\n").await.unwrap();
    // One field every 40 ms: the deadline is for the whole head, so activity does not extend it.
    let mut buffer = [0_u8; 256];
    loop {
        let gone = tokio::select! {
            read = stream.read(&mut buffer) => matches!(read, Ok(0) | Err(_)),
            () = tokio::time::sleep(Duration::from_millis(40)) => false,
        };
        if gone || stream.write_all(b"X-A: 1\r\n").await.is_err() {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "the header drip is still connected");
    }
    assert!(began.elapsed() >= Duration::from_millis(350), "{:?}", began.elapsed());
}

#[tokio::test]
async fn an_idle_connection_is_kept_longer_than_a_head_may_take() {
    let server = Running::start().await;
    let mut stream = server.connect().await;
    let mut began = Instant::now();
    for _ in 0..2 {
        began = Instant::now();
        stream.write_all(b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        let mut buffer = [0_u8; 4096];
        let length = stream.read(&mut buffer).await.unwrap();
        assert!(String::from_utf8_lossy(&buffer[..length]).starts_with("HTTP/1.1 200"));
    }
    let rest = read_to_close(&mut stream).await;
    assert_eq!(rest.0, "", "an idle connection ends without a word");
    assert!(began.elapsed() > Duration::from_secs(1), "header time is not idle time: {:?}", began.elapsed());
}

#[tokio::test]
async fn fault_c12_other_types_than_json_are_refused_in_the_dialect() {
    let (server, caller) = with_caller().await;
    for (headers, body, status) in [
        ("Content-Type: text/plain\r\n", "{}", 415),
        ("Content-Type: application/x-www-form-urlencoded\r\n", "a=b", 415),
        ("", "a=b", 415),
        // These come as far as the engine, which misses the model.
        ("", " {}", 400),
        ("Content-Type: application/json; charset=utf-8\r\n", "{}", 400),
    ] {
        let answer = server.raw(post("/v1/chat/completions", &format!("{caller}{headers}"), body)).await;
        assert_eq!(answer.status(), status, "{headers:?} {body:?}: {answer:?}");
        assert!(answer.json()["error"]["message"].is_string(), "{answer:?}");
        assert!(answer.header("x-request-id").is_some());
    }
}

#[tokio::test]
async fn fault_c13_exactly_one_host_and_no_doubled_fields() {
    let server = Running::start().await;
    for head in [
        "GET /livez HTTP/1.1\r\n",
        "GET /livez HTTP/1.1\r\nHost: a\r\nHost: a\r\n",
        "GET /livez HTTP/1.1\r\nHost: a\r\nHost: b\r\n",
        "GET /livez HTTP/1.1\r\nHost: \r\n",
        "GET http://b/livez HTTP/1.1\r\nHost: a\r\n",
        "GET /livez HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer x\r\nAuthorization: Bearer y\r\n",
        "GET /livez HTTP/1.1\r\nHost: a\r\nContent-Type: a/b\r\nContent-Type: a/c\r\n",
    ] {
        let answer = server.raw(format!("{head}\r\n")).await;
        assert_eq!(answer.status(), 400, "{head:?}: {answer:?}");
        assert_eq!(answer.header("connection"), Some("close"));
    }
    let good = server.raw("GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    assert_eq!(good.status(), 200);
}

#[tokio::test]
async fn fault_c15_compressed_requests_are_refused() {
    let (server, caller) = with_caller().await;
    let headers = format!("{caller}{JSON}Content-Encoding: gzip\r\n");
    let answer = server.raw(post("/v1/messages", &headers, "\u{1f}x")).await;
    assert_eq!(answer.status(), 415, "{answer:?}");
    assert!(answer.body().contains("gzip"));
}

#[tokio::test]
async fn fault_c16_a_stranger_is_refused_before_his_body_is_asked_for() {
    let server = Running::start().await;
    let answer = server
        .raw(format!(
            "POST /v1/messages HTTP/1.1\r\nHost: a\r\n{JSON}Content-Length: 1000\r\nExpect: 100-continue\r\n\r\n"
        ))
        .await;
    assert_eq!(answer.status(), 401, "no 100 before it: {answer:?}");
}

#[tokio::test]
async fn fault_c21_oversized_heads_have_their_status() {
    let server = Running::start().await;
    let big = format!("GET /livez HTTP/1.1\r\nHost: a\r\nX-Big: {}\r\n\r\n", "x".repeat(500_000));
    let many: String = (0..200).fold(String::new(), |all, n| format!("{all}X-{n}: 1\r\n"));
    let many = format!("GET /livez HTTP/1.1\r\nHost: a\r\n{many}\r\n");
    let long = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(1_000_000));
    let longish = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(10_000));
    for (name, request, statuses) in [
        ("500 KB header", big, vec![431]),
        ("200 headers", many, vec![431]),
        ("1 MB address", long, vec![414, 431]),
        ("10 KB address", longish, vec![414]),
    ] {
        let mut stream = server.connect().await;
        let _sent = stream.write_all(request.as_bytes()).await;
        let mut first = [0_u8; 12];
        // hyper closes at once after its own refusal, so a reset may overtake the answer on very long heads.
        match stream.read_exact(&mut first).await {
            Ok(_) => {
                let status: u16 = String::from_utf8_lossy(&first[9..12]).parse().unwrap();
                assert!(statuses.contains(&status), "{name}: {status}");
            }
            Err(_reset) => assert!(request.len() > 100_000, "{name} got no answer"),
        }
    }
}

#[tokio::test]
async fn wrong_methods_and_unknown_paths_explain_themselves() {
    let server = Running::start().await;
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    for path in ["/v1/messages", "/v1/chat/completions", "/v1/embeddings", "/v1/audio/speech"] {
        let answer = server.raw(get(path)).await;
        assert_eq!((answer.status(), answer.header("allow")), (405, Some("POST")), "{path}");
    }
    let answer = server.raw(post("/v1/usage", JSON, "{}")).await;
    assert_eq!((answer.status(), answer.header("allow")), (405, Some("GET")));

    // UI-02: what was asked, and what was probably meant.
    for path in ["/v1/message", "/v1", "/v1beta/nothing", "/v1beta/models/x:fly", "/responses/x/y"] {
        let answer = server.raw(post(path, JSON, "{}")).await;
        assert_eq!(answer.status(), 404, "{path}: {answer:?}");
        let text = answer.json().to_string();
        assert!(text.contains("no such route") && text.contains(&format!("POST {path}")), "{text}");
    }
}

#[tokio::test]
async fn lg_04_the_request_id_is_the_callers_if_valid() {
    let server = Running::start().await;
    let ask = |id: &str| {
        format!("GET /v1/models HTTP/1.1\r\nHost: a\r\nX-Request-Id: {id}\r\nConnection: close\r\n\r\n")
    };
    assert_eq!(server.raw(ask("mine-1")).await.header("x-request-id"), Some("mine-1"));
    let ours = server.raw(ask("not valid!")).await;
    assert_eq!(ours.header("x-request-id").unwrap().len(), 36, "{ours:?}");
}
