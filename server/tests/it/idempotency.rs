//! `Idempotency-Key` (C19, INV-9, X33): one request upstream, however often it is sent, and also after a restart.

use std::path::Path;
use std::time::Duration;

use fakeup::{Behaviour, End, Fakeup, Rule, Then};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::harness::{Answer, Running, post};

const PATH: &str = "/v1/chat/completions";
/// Long enough for anything that happens at all.
const SOON: Duration = Duration::from_secs(30);

/// Server, vendor and one caller. The vendor outlives the server.
struct Setup {
    server: Running,
    upstream: Fakeup,
    key: String,
}

impl Setup {
    async fn start(dir: &Path) -> Self {
        let upstream = Fakeup::start().await;
        let server = start(dir).await;
        let key = server.provision("openai", &upstream.base_url()).await;
        Self { server, upstream, key }
    }

    /// The same folder and the same vendor, but another process as far as memory goes.
    async fn restart(self, dir: &Path) -> Self {
        let Self { server, upstream, key } = self;
        server.stop().await;
        Self { server: start(dir).await, upstream, key }
    }

    /// Calls with the first caller's key.
    async fn call(&self, name: &str, body: &Value) -> Answer {
        self.call_as(&self.key, PATH, name, body).await
    }

    async fn call_as(&self, key: &str, path: &str, name: &str, body: &Value) -> Answer {
        self.server.raw(request(key, path, name, body)).await
    }

    /// Calls until the key is no longer in flight: who has left is noticed a moment later.
    async fn call_when_free(&self, name: &str, body: &Value) -> Answer {
        let until = tokio::time::Instant::now() + SOON;
        loop {
            let answer = self.call(name, body).await;
            if code(&answer) != "request_in_progress" {
                return answer;
            }
            assert!(tokio::time::Instant::now() < until, "never free: {answer:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// All rows, newest first, once there are so many.
    async fn rows(&self, count: usize) -> Vec<Value> {
        let until = tokio::time::Instant::now() + SOON;
        loop {
            let page = self.server.admin("GET", "/requests?limit=200", &Value::Null).await;
            let rows = page["items"].as_array().unwrap_or_else(|| panic!("{page}"));
            if rows.len() >= count {
                assert_eq!(rows.len(), count, "{rows:#?}");
                return rows.clone();
            }
            assert!(tokio::time::Instant::now() < until, "{} rows of {count}: {rows:#?}", rows.len());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// How often the vendor was called.
    fn billed(&self) -> usize {
        self.upstream.invoice().len()
    }
}

async fn start(dir: &Path) -> Running {
    // What is held upstream is cut soon after a stop.
    Running::start_in(dir, |config| config.edge.drain = Duration::from_millis(50)).await.unwrap()
}

fn request(key: &str, path: &str, name: &str, body: &Value) -> String {
    let headers = format!(
        "Authorization: Bearer {key}\r\nContent-Type: application/json\r\nIdempotency-Key: {name}\r\n"
    );
    post(path, &headers, &body.to_string())
}

fn body(model: &str) -> Value {
    json!({"model": model, "messages": [{"role": "user", "content": "hello"}]})
}

/// The stable code of an error; empty for an answer.
fn code(answer: &Answer) -> String {
    if answer.status() == 200 {
        return String::new();
    }
    answer.json()["error"]["code"].as_str().unwrap_or_else(|| panic!("{answer:?}")).to_owned()
}

fn message(answer: &Answer) -> String {
    answer.json()["error"]["message"].as_str().unwrap_or_else(|| panic!("{answer:?}")).to_owned()
}

#[tokio::test]
async fn fault_c19_ten_concurrent_calls_with_one_key_reach_the_upstream_once() {
    let dir = tempfile::tempdir().unwrap();
    let setup = Setup::start(dir.path()).await;
    setup.upstream.script(Rule::always(Behaviour::cut(0, Then::Hold)));
    let asked = body("gpt-5-mini");
    let mut calls: FuturesUnordered<_> = (0..10).map(|_| setup.call("order-1", &asked)).collect();
    for _ in 0..9 {
        let refused = calls.next().await.unwrap();
        assert_eq!((refused.status(), code(&refused).as_str()), (409, "request_in_progress"), "{refused:?}");
        assert_eq!(refused.header("retry-after"), Some("1"));
        assert_eq!(refused.header("x-should-retry"), None, "trying again later is right: {refused:?}");
    }
    let entries =
        setup.upstream.until(SOON, |entries| entries.iter().any(|entry| entry.bytes_sent > 0)).await;
    assert_eq!(entries.len(), 1, "the others never left: {entries:#?}");
    let passed = entries[0].request.header("idempotency-key").unwrap_or_default();
    assert_eq!((passed.len(), passed == "order-1"), (64, false), "a digest of caller and key is passed on");
    setup.upstream.release();
    let served = calls.next().await.unwrap();
    assert_eq!(served.status(), 200, "{served:?}");
    drop(calls);

    let first = served.header("x-request-id").unwrap().to_owned();
    let used = setup.call("order-1", &asked).await;
    assert_eq!((used.status(), code(&used).as_str()), (409, "idempotency_key_used"), "{used:?}");
    assert!(message(&used).contains(&first) && message(&used).contains("new key"), "{used:?}");
    assert_eq!((used.header("x-should-retry"), used.header("retry-after")), (Some("false"), None));

    let rows = setup.rows(11).await;
    let ok: Vec<_> = rows.iter().filter(|row| row["outcome"] == "ok").collect();
    assert_eq!(ok.len(), 1, "{rows:#?}");
    assert_eq!(ok[0]["request_id"], first.as_str());
    let digests = ok[0]["idempotency_key"].as_str().unwrap();
    assert!(digests.len() == 129 && !digests.contains("order-1"), "only digests are kept: {digests}");
    for row in rows.iter().filter(|row| row["outcome"] != "ok") {
        assert_eq!((&row["outcome"], &row["status_code"]), (&json!("refused"), &json!(409)), "{row}");
        assert_eq!(row["idempotency_key"], digests, "what belongs together can be found: {row}");
        assert_eq!(row["attempts"], json!([]));
    }

    let setup = setup.restart(dir.path()).await;
    let after = setup.call("order-1", &asked).await;
    assert_eq!((after.status(), code(&after).as_str()), (409, "idempotency_key_used"), "{after:?}");
    assert!(message(&after).contains(&first), "{after:?}");
    let other = setup.call("order-1", &body("gpt-5")).await;
    assert_eq!((other.status(), code(&other).as_str()), (422, "idempotency_key_reused"), "{other:?}");
    assert_eq!(setup.billed(), 1, "one call, one charge, also after a restart");
    setup.server.stop().await;
}

#[tokio::test]
async fn c19_another_body_or_path_under_the_same_key_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let setup = Setup::start(dir.path()).await;
    let asked = body("gpt-5-mini");
    assert_eq!(setup.call("k", &asked).await.status(), 200);
    let mut longer = asked.clone();
    longer["user"] = json!("somebody");
    for (path, body) in [(PATH, &longer), ("/v1/embeddings", &asked)] {
        let answer = setup.call_as(&setup.key, path, "k", body).await;
        assert_eq!((answer.status(), code(&answer).as_str()), (422, "idempotency_key_reused"), "{answer:?}");
        assert_eq!(answer.header("x-should-retry"), Some("false"));
    }
    // Without the header, or under a new one, the same body goes through as often as it comes.
    assert_eq!(setup.call("k-2", &asked).await.status(), 200);
    let plain = format!("Authorization: Bearer {}\r\nContent-Type: application/json\r\n", setup.key);
    for _ in 0..2 {
        assert_eq!(setup.server.raw(post(PATH, &plain, &asked.to_string())).await.status(), 200);
    }
    assert_eq!(setup.billed(), 4);
    let rows = setup.rows(6).await;
    assert_eq!(rows.iter().filter(|row| row["idempotency_key"].is_null()).count(), 2, "{rows:#?}");
}

#[tokio::test]
async fn x33_the_same_header_of_another_api_key_is_another_request() {
    let dir = tempfile::tempdir().unwrap();
    let setup = Setup::start(dir.path()).await;
    let users = setup.server.admin("GET", "/users", &Value::Null).await;
    let user = users["items"].get(0).or(users.get(0)).unwrap_or_else(|| panic!("{users}"));
    let path = format!("/users/{}/keys", user["id"]);
    let made = setup.server.admin("POST", &path, &json!({"name": "desktop"})).await;
    let second = made["key"].as_str().unwrap().to_owned();
    let asked = body("gpt-5-mini");
    for key in [&setup.key, &second] {
        assert_eq!(setup.call_as(key, PATH, "same", &asked).await.status(), 200);
    }
    for key in [&setup.key, &second] {
        assert_eq!(code(&setup.call_as(key, PATH, "same", &asked).await), "idempotency_key_used");
    }
    assert_eq!(setup.billed(), 2);
    let rows = setup.rows(4).await;
    let digests: std::collections::BTreeSet<_> =
        rows.iter().map(|row| row["idempotency_key"].as_str().unwrap()).collect();
    assert_eq!(digests.len(), 2, "not even the log tells that they were alike: {digests:?}");
}

#[tokio::test]
async fn c19_a_first_call_that_failed_frees_the_key() {
    let dir = tempfile::tempdir().unwrap();
    let setup = Setup::start(dir.path()).await;
    let asked = body("gpt-5-mini");
    // The vendor is broken; the vendor refuses the request itself.
    for status in [500, 400] {
        let name = format!("k-{status}");
        setup.upstream.script(Rule::always(Behaviour::status(status)).times(1));
        let failed = setup.call(&name, &asked).await;
        assert!(failed.status() >= 400, "{failed:?}");
        assert_eq!(setup.call(&name, &asked).await.status(), 200);
        assert_eq!(code(&setup.call(&name, &asked).await), "idempotency_key_used");
    }
    assert_eq!(setup.billed(), 4);
    // A refusal does not hold the key either: nobody may serve this path.
    let refused = setup.call_as(&setup.key, "/v1/messages", "k-3", &asked).await;
    assert_eq!(refused.status(), 503, "{refused:?}");
    assert_eq!(setup.call("k-3", &asked).await.status(), 200);
    // A stream that broke off is no answer.
    let stream = json!({"model": "fake-cut", "stream": true, "messages": []});
    for _ in 0..2 {
        let broken = setup.call("k-4", &stream).await;
        assert!(broken.status() == 200 && broken.body().contains("error"), "{broken:?}");
    }
    assert_eq!(setup.billed(), 7);
}

#[tokio::test]
async fn c19_a_caller_that_left_frees_the_key() {
    let dir = tempfile::tempdir().unwrap();
    let setup = Setup::start(dir.path()).await;
    // Left while the answer was awaited, and left in the middle of a stream.
    for (name, streaming, held) in
        [("whole", false, Behaviour::instead(Then::Hold)), ("stream", true, Behaviour::cut(400, Then::Hold))]
    {
        let mut asked = body("gpt-5-mini");
        asked["stream"] = json!(streaming);
        setup.upstream.script(Rule::always(held).times(1));
        let mut caller = setup.server.connect().await;
        caller.write_all(request(&setup.key, PATH, name, &asked).as_bytes()).await.unwrap();
        if streaming {
            let mut first = [0_u8; 16];
            caller.read_exact(&mut first).await.unwrap();
        } else {
            setup.upstream.until(SOON, |entries| !entries.is_empty()).await;
        }
        assert_eq!(code(&setup.call(name, &asked).await), "request_in_progress", "{name}");
        drop(caller);
        let answer = setup.call_when_free(name, &asked).await;
        assert_eq!(answer.status(), 200, "{name}: {answer:?}");
        assert_eq!(code(&setup.call(name, &asked).await), "idempotency_key_used", "{name}");
    }
    let entries =
        setup.upstream.until(SOON, |entries| entries.iter().all(|entry| entry.end != End::Running)).await;
    let ends: Vec<_> = entries.iter().map(|entry| entry.end).collect();
    assert_eq!(ends, [End::ClientGone, End::Finished, End::ClientGone, End::Finished]);
}

#[tokio::test]
async fn c19_a_request_that_a_stop_interrupted_is_free_after_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let setup = Setup::start(dir.path()).await;
    setup.upstream.script(Rule::always(Behaviour::cut(400, Then::Hold)).times(1));
    let mut asked = body("gpt-5-mini");
    asked["stream"] = json!(true);
    let mut caller = setup.server.connect().await;
    caller.write_all(request(&setup.key, PATH, "k", &asked).as_bytes()).await.unwrap();
    let mut first = [0_u8; 16];
    caller.read_exact(&mut first).await.unwrap();
    let setup = setup.restart(dir.path()).await;
    let again = setup.call("k", &asked).await;
    assert_eq!(again.status(), 200, "{again:?}");
    let rows = setup.rows(2).await;
    assert_eq!(rows[1]["outcome"], "interrupted", "{rows:#?}");
    assert_eq!(setup.billed(), 2);
}

#[tokio::test]
async fn c19_a_header_that_is_no_key_is_refused_by_name_and_booked() {
    let dir = tempfile::tempdir().unwrap();
    let setup = Setup::start(dir.path()).await;
    let asked = body("gpt-5-mini");
    let long = "x".repeat(256);
    for name in ["", "two words", "gr\u{fc}n", &long, "a\r\nIdempotency-Key: a"] {
        let answer = setup.call(name, &asked).await;
        assert_eq!(
            (answer.status(), code(&answer).as_str()),
            (400, "invalid_request"),
            "{name:?}: {answer:?}"
        );
        assert!(message(&answer).contains("idempotency-key"), "{answer:?}");
    }
    assert_eq!(setup.call(&"x".repeat(255), &asked).await.status(), 200);
    assert_eq!(setup.billed(), 1);
    let rows = setup.rows(6).await;
    assert_eq!(rows.iter().filter(|row| row["error_code"] == "invalid_request").count(), 5, "{rows:#?}");
}
