//! What the program says of its pool: at a start, and to `doctor pool`.

use std::path::Path;

use fakeup::{Behaviour, Fakeup, Rule};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{STRONG, STRONG_TOO, outcome, signal, started, text, tollgate};

const ENV: [(&str, &str); 4] = [
    ("ADMIN_TOKEN", STRONG),
    ("ENCRYPTION_SECRET", STRONG_TOO),
    ("LOG_FORMAT", "json"),
    ("LOG_LEVEL", "debug"),
];

/// Makes a provider with two more credentials over the admin API.
async fn provision(address: &str, upstream: &Fakeup) {
    let post = async |path: &str, body: Value| {
        let text = body.to_string();
        let head = format!(
            "POST /api/admin{path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {STRONG}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            text.len()
        );
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(format!("{head}{text}").as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let made: Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
        assert!(made["id"].is_i64(), "{made}");
        made["id"].clone()
    };
    let id = post("/providers", json!({
        "name": "main", "kind": "anthropic", "base_url": upstream.base_url(), "api_key": "up-good", "tier": "personal",
    }))
    .await;
    post("/credentials", json!({ "provider_id": id, "name": "bad", "api_key": "up-bad" })).await;
    post(
        "/credentials",
        json!({
            "provider_id": id, "name": "off", "api_key": "up-off", "tier": "fallback", "enabled": false,
        }),
    )
    .await;
}

async fn doctor(dir: &Path, port: &str) -> (i32, String) {
    let mut env = ENV.to_vec();
    env.push(("PORT", port));
    let (code, output) = outcome(tollgate(dir, &["doctor", "pool"], &env)).await;
    (code, text(&output.stdout))
}

fn line<'a>(found: &'a str, what: &str) -> &'a str {
    found.lines().find(|line| line.contains(what)).unwrap_or_else(|| panic!("{what} is missing in:\n{found}"))
}

#[tokio::test]
async fn tp_08_tp_15_a_start_counts_the_pool_and_doctor_calls_each_entry() {
    let (dir, upstream) = (tempfile::tempdir().unwrap(), Fakeup::start().await);
    let (child, _, address) = started(tollgate(dir.path(), &[], &ENV)).await;
    provision(&address, &upstream).await;
    let port = address.rsplit(':').next().unwrap();
    let (code, found) = doctor(dir.path(), port).await;
    assert_eq!(code, 0, "{found}");
    for (what, begins) in [("main / key 1", "ok "), ("main / bad", "ok "), ("main / off", "note ")] {
        assert!(line(&found, what).starts_with(begins), "{found}");
    }
    assert!(
        line(&found, "main / key 1").contains("personal") && line(&found, "main / key 1").ends_with(" ms")
    );
    upstream.script(Rule::credential("up-bad", Behaviour::status(401)));
    let (code, found) = doctor(dir.path(), port).await;
    assert_eq!(code, 1, "{found}");
    assert!(
        line(&found, "main / bad").starts_with("FAIL ") && line(&found, "main / bad").contains("401"),
        "{found}"
    );
    assert!(!found.contains("up-bad"), "no secret");
    upstream.forget();
    let (code, found) = doctor(dir.path(), port).await;
    assert_eq!(code, 0, "the vendor takes it again: {found}");
    signal(&child, rustix::process::Signal::TERM);
    assert!(child.wait_with_output().await.unwrap().status.success());

    let (code, found) = doctor(dir.path(), port).await;
    assert_eq!(code, 0, "stored states are all well: {found}");
    assert!(line(&found, "nobody was called").starts_with("note "), "{found}");

    let (child, _, _) = started(tollgate(dir.path(), &[], &ENV)).await;
    signal(&child, rustix::process::Signal::TERM);
    let output = child.wait_with_output().await.unwrap();
    let stdout = text(&output.stdout);
    let told = |message: &str| -> Vec<Value> {
        let lines = stdout.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.filter(|line| line["message"] == message).collect()
    };
    let pool = told("the pool").remove(0);
    for (name, count) in
        [("total", 3), ("active", 2), ("failed", 1), ("personal", 1), ("shared", 1), ("fallback", 1)]
    {
        assert_eq!(pool[name], count, "{name}: {pool}");
    }
    let entries = told("in the pool");
    assert_eq!(entries.len(), 3, "{stdout}");
    assert_eq!((&entries[0]["provider.name"], &entries[0]["state"]), (&json!("main"), &json!("valid")));
}
