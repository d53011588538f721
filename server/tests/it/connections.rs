//! Faults of clients that open connections rather than send requests (C17, C18).

use std::time::{Duration, Instant};

use fakeup::Fakeup;
use futures_util::future::join_all;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::{Answer, Running, post, read_to_close};

/// Most that one call of somebody else may take meanwhile. It is far above what it takes (milliseconds), so that
/// a busy machine does not fail the test, and far below the deadlines that would pass if it were stuck.
const UNAFFECTED: Duration = Duration::from_secs(3);

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A frame of HTTP/2: type, flags, stream, payload.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// What the floods of C17 consist of, each begun as a client of HTTP/2 begins.
fn floods() -> Vec<(&'static str, Vec<u8>)> {
    let settings = frame(4, 0, 0, &[]);
    // `:method GET`, `:scheme http`, `:path /` from the static table.
    let get = [0x82, 0x86, 0x84];
    let reset: Vec<u8> = (0..500_u32)
        .flat_map(|n| [frame(1, 5, 2 * n + 1, &get), frame(3, 0, 2 * n + 1, &8_u32.to_be_bytes())].concat())
        .collect();
    let continuation: Vec<u8> =
        [frame(1, 0, 1, &get), frame(9, 0, 1, &[0x40, 1, b'a', 1, b'b'].repeat(100)).repeat(20)].concat();
    let empty = [frame(1, 4, 1, &get), frame(0, 0, 1, &[]).repeat(1_000)].concat();
    [
        ("the preface alone", Vec::new()),
        ("rapid reset", reset),
        ("CONTINUATION", continuation),
        ("empty DATA", empty),
        ("PING", frame(6, 0, 0, &[0; 8]).repeat(1_000)),
        ("SETTINGS", settings.repeat(1_000)),
    ]
    .map(|(name, frames)| (name, [PREFACE, &settings, &frames].concat()))
    .to_vec()
}

/// A caller that behaves, and his vendor.
struct Caller {
    upstream: Fakeup,
    key: String,
}

impl Caller {
    async fn of(server: &Running) -> Self {
        let upstream = Fakeup::start().await;
        let key = server.provision("openai", &upstream.base_url()).await;
        Self { upstream, key }
    }

    /// One request to the vendor on a connection of its own.
    async fn call(&self, server: &Running) -> (Answer, Duration) {
        let headers = format!("Authorization: Bearer {}\r\nContent-Type: application/json\r\n", self.key);
        let body = json!({"model": "gpt-5-mini", "messages": [{"role": "user", "content": "hello"}]});
        let began = Instant::now();
        let answer = server.raw(post("/v1/chat/completions", &headers, &body.to_string())).await;
        (answer, began.elapsed())
    }
}

#[tokio::test]
async fn fault_c17_an_http2_preface_is_refused_and_others_are_unaffected() {
    let server = Running::start().await;
    let caller = Caller::of(&server).await;
    let floods = floods();
    let attack = join_all(floods.iter().cycle().take(60).map(|(name, bytes)| async {
        let mut stream = server.connect().await;
        // It may be closed before everything is sent.
        let _sent = stream.write_all(bytes).await;
        (*name, read_to_close(&mut stream).await)
    }));
    let traffic = async {
        let mut took = Vec::new();
        for _ in 0..20 {
            took.push(caller.call(&server).await);
        }
        took
    };
    let (refused, took) = tokio::join!(attack, traffic);
    for (name, answer) in refused {
        let quiet = answer.0.is_empty();
        assert!(quiet || matches!(answer.status(), 400 | 505), "{name}: {answer:?}");
    }
    for (answer, time) in took {
        assert_eq!(answer.status(), 200, "{answer:?}");
        assert!(time < UNAFFECTED, "{time:?}");
    }
    assert_eq!(caller.upstream.invoice().len(), 20, "nothing of the flood was taken for a request");
}

#[tokio::test]
async fn fault_c18_a_thousand_idle_connections_do_not_stop_traffic() {
    const IDLE: usize = 1_000;
    let server = Running::start_with(|config| {
        config.edge.connections = 2 * IDLE;
        // They stay until the test is through with them.
        config.edge.header_time = Duration::from_mins(1);
        config.edge.keep_alive_idle = Duration::from_mins(1);
    })
    .await;
    let caller = Caller::of(&server).await;
    let mut idle: Vec<TcpStream> = Vec::with_capacity(IDLE);
    for n in 0..IDLE {
        let mut stream = server.connect().await;
        // Some have never said a word, some stopped in the middle of a head, some were served before.
        match n % 3 {
            0 => {}
            1 => stream.write_all(b"POST /v1/chat/completions HTTP/1.1\r\nHost:").await.unwrap(),
            _ => {
                stream.write_all(b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
                let mut answer = [0_u8; 2048];
                let length = stream.read(&mut answer).await.unwrap();
                assert!(answer[..length].starts_with(b"HTTP/1.1 200"), "{n}");
            }
        }
        idle.push(stream);
    }
    for _ in 0..50 {
        let (answer, took) = caller.call(&server).await;
        assert_eq!(answer.status(), 200, "{answer:?}");
        assert!(took < UNAFFECTED, "{took:?}");
    }
    let mut buffer = [0_u8; 64];
    for stream in &idle {
        let read = stream.try_read(&mut buffer);
        let waits = matches!(&read, Err(error) if error.kind() == std::io::ErrorKind::WouldBlock);
        assert!(waits, "they were there all the time: {read:?}");
    }
    // They do not hold up a stop either.
    server.begin_stop();
    let ended = join_all(idle.iter_mut().map(read_to_close));
    tokio::time::timeout(Duration::from_secs(30), ended).await.expect("idle connections end with the server");
    server.stop().await;
}
