//! `kill -9` while clients hammer the real program: afterwards every request that reached the vendor stands in the
//! books once, at what it cost.
//!
//! `TOLLGATE_KILLS` says how often it is killed (default 6, the long run takes 1,000); the figures are printed.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use fakeup::{Behaviour, Fakeup, Rule, Tokens};
use rand::Rng;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio_util::task::TaskTracker;

use crate::harness::Answer;

const TOKEN: &str = "crash-admin-4c1f7be09d2a63587f10";
const CLIENTS: usize = 64;
const BILL: Tokens =
    Tokens { input: 200, output: 90, cache_read: 0, cache_write: 0, cache_write_1h: 0, reasoning: 0 };
/// $3 and $15 per million: 200 × 3000 + 90 × 15000 nano-USD.
const COST: &str = "0.00195";

/// The program, running.
pub(crate) struct Program {
    child: Child,
    pub(crate) address: String,
}

impl Program {
    pub(crate) async fn start(dir: &Path) -> (Self, Duration) {
        let began = Instant::now();
        let mut child = Command::new(env!("CARGO_BIN_EXE_tollgate"))
            .current_dir(dir)
            .env_clear()
            .envs([("PORT", "0"), ("ADMIN_TOKEN", TOKEN), ("LOG_LEVEL", "error")])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut seen = String::new();
        let address = loop {
            let line = tokio::time::timeout(Duration::from_mins(1), lines.next_line()).await;
            let Ok(Ok(Some(line))) = line else { panic!("it never became ready: {seen}") };
            seen.extend([line.as_str(), "\n"]);
            if let Some((_, address)) = line.split_once("is ready: http://") {
                break address.to_owned();
            }
        };
        // Nobody else reads its standard error; it must not block on it.
        TaskTracker::new().spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        (Self { child, address }, began.elapsed())
    }

    pub(crate) async fn admin(&self, method: &str, path: &str, body: &Value) -> Value {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = exchange(&self.address, &Self::request(method, path, &body), None).await.unwrap();
        Answer(answer).json()
    }

    /// A call of the admin API as bytes.
    pub(crate) fn request(method: &str, path: &str, body: &str) -> String {
        format!(
            "{method} /api/admin{path} HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer {TOKEN}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    }

    /// Ends it as a power failure would, as far as the program can tell.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }
}

/// Sends and reads until the peer closes, or until `leave_after` has come.
pub(crate) async fn exchange(
    address: &str,
    request: &str,
    leave_after: Option<&str>,
) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(request.as_bytes()).await?;
    let (mut answer, mut buffer) = (Vec::new(), [0_u8; 4_096]);
    loop {
        let read = stream.read(&mut buffer).await?;
        if read == 0 {
            break;
        }
        answer.extend_from_slice(&buffer[..read]);
        if leave_after.is_some_and(|text| String::from_utf8_lossy(&answer).contains(text)) {
            break;
        }
    }
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// What a client knows to have been answered to the end.
type Answered = Arc<Mutex<HashSet<String>>>;

/// Sends one request after another until the program is gone.
async fn client(address: String, key: String, number: usize, answered: Answered) {
    for count in 0.. {
        let id = format!("k-{number}-{count}-{:08x}", rand::random::<u32>());
        let streaming = rand::random_bool(0.5);
        let leaves = streaming && rand::random_bool(0.2);
        let request = question(&id, &key, streaming);
        let Ok(answer) = exchange(&address, &request, leaves.then_some("content_block_delta")).await else {
            return;
        };
        if !answer.starts_with("HTTP/1.1 200") {
            return;
        }
        let whole = if streaming { answer.contains("message_stop") } else { answer.ends_with('}') };
        if whole && !leaves {
            answered.lock().unwrap().insert(id);
        }
    }
}

/// All rows since an instant, by the client's id.
async fn rows(program: &Program, since: types::Timestamp) -> HashMap<String, Vec<Value>> {
    let mut rows: HashMap<String, Vec<Value>> = HashMap::new();
    let mut cursor = String::new();
    loop {
        let page =
            program.admin("GET", &format!("/requests?limit=500&since={since}{cursor}"), &Value::Null).await;
        for row in page["items"].as_array().unwrap_or_else(|| panic!("{page}")) {
            rows.entry(row["client_request_id"].as_str().unwrap_or_default().to_owned())
                .or_default()
                .push(row.clone());
        }
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return rows,
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "how long the rig runs is no setting of the product")]
pub(crate) fn kills() -> usize {
    std::env::var("TOLLGATE_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(6)
}

fn marker(body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(body);
    let (_, rest) = text.split_once("marker ")?;
    Some(rest.split('.').next()?.to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn inv_01_02_03_16_kill_9_loses_nothing_and_books_nothing_twice() {
    let kills = kills();
    let dir = tempfile::tempdir().unwrap();
    let upstream = Fakeup::start().await;
    upstream.script(Rule::model(
        "m-crash",
        Behaviour { deltas: Some(5), pace_ms: 4, delay_ms: 3, ..Behaviour::default().billing(BILL) },
    ));
    let (mut program, _) = Program::start(dir.path()).await;
    let provider = json!({
        "name": "fake", "kind": "anthropic", "base_url": upstream.base_url(), "api_key": "up",
    });
    assert!(program.admin("POST", "/providers", &provider).await["id"].is_i64());
    let price = json!({"input_per_million_usd": "3", "output_per_million_usd": "15"});
    assert_eq!(program.admin("PUT", "/prices/m-crash", &price).await["model"], "m-crash");
    let user =
        program.admin("POST", "/users", &json!({"name": "u", "limits": {"daily_limit_usd": "1000"}})).await;
    let key = program.admin("POST", &format!("/users/{}/keys", user["id"]), &json!({"name": "k"})).await;
    let key = key["key"].as_str().unwrap().to_owned();
    let answered: Answered = Arc::default();
    let (mut slowest, mut sent) = (Duration::ZERO, 0);
    for _ in 0..kills {
        let since = gateway::clock::system_now();
        let tracker = TaskTracker::new();
        for number in 0..CLIENTS {
            tracker.spawn(client(program.address.clone(), key.clone(), number, answered.clone()));
        }
        let load = rand::rng().random_range(20..400);
        tokio::time::sleep(Duration::from_millis(load)).await;
        program.kill().await;
        tracker.close();
        tokio::time::timeout(Duration::from_secs(30), tracker.wait())
            .await
            .expect("clients end with the program");
        let took;
        (program, took) = Program::start(dir.path()).await;
        slowest = slowest.max(took);
        let report = program.admin("GET", "/ledger/audit", &Value::Null).await;
        assert_eq!(report["violations"], json!([]), "{report}");
        let rows = rows(&program, since).await;
        let invoice = upstream.invoice();
        sent += invoice.len();
        for entry in &invoice {
            let id = marker(&entry.request.body).unwrap();
            let found = rows.get(&id).map_or(&[][..], Vec::as_slice);
            assert_eq!(found.len(), 1, "{id}: sent to the vendor and booked {} times", found.len());
            let row = &found[0];
            let cost: f64 = row["cost_usd"].as_str().unwrap().parse().unwrap();
            // Its input at least; the whole where the answer came to its end.
            assert!(cost > 0.0 && cost <= 0.00195 + 1e-9, "{row}");
            if row["outcome"] == "ok" {
                assert_eq!(row["cost_usd"], COST, "{row}");
            }
        }
        for id in answered.lock().unwrap().iter() {
            let found = rows.get(id).map_or(&[][..], Vec::as_slice);
            assert_eq!(found.len(), 1, "{id} was answered and is booked {} times", found.len());
            assert_eq!(found[0]["outcome"], "ok", "{}", found[0]);
        }
        assert!(rows.values().all(|rows| rows.len() == 1), "a request is booked twice");
        let quotas = program.admin("GET", &format!("/quotas?user_id={}", user["id"]), &Value::Null).await;
        let line = quotas["items"]
            .as_array()
            .unwrap()
            .iter()
            .find(|l| l["limit_name"] == "daily_limit_usd")
            .unwrap();
        assert_eq!(line["reserved"], "0", "nothing stays held: {quotas}");
        upstream.clear_invoice();
        answered.lock().unwrap().clear();
    }
    eprintln!(
        "{kills} kills, {sent} requests at the vendor: 0 lost, 0 double; slowest start {} ms",
        slowest.as_millis()
    );
    assert!(sent > 0, "no request reached the vendor: the rig proves nothing");
    program.kill().await;
}

/// A request as bytes; its marker tells the vendor's invoice which one it is.
fn question(id: &str, key: &str, streaming: bool) -> String {
    let body = json!({
        "model": "m-crash", "max_tokens": 100, "stream": streaming,
        "messages": [{"role": "user", "content": format!("marker {id}.")}],
    })
    .to_string();
    format!(
        "POST /v1/messages HTTP/1.1\r\nHost: t\r\nx-api-key: {key}\r\nx-request-id: {id}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn nano(value: &Value) -> u128 {
    let Some(text) = value.as_str() else { return 0 };
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    format!("{whole}{fraction:0<9}").parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn inv_01_03_19_kill_9_while_two_attempts_run_books_both_and_charges_once() {
    let dir = tempfile::tempdir().unwrap();
    let upstream = Fakeup::start().await;
    let (mut program, _) = Program::start(dir.path()).await;
    let provider = json!({"name": "fake", "kind": "anthropic", "base_url": upstream.base_url()});
    let provider = program.admin("POST", "/providers", &provider).await["id"].clone();
    for (priority, secret) in ["up-a", "up-b"].into_iter().enumerate() {
        let spec = json!({"provider_id": provider, "name": secret, "api_key": secret, "priority": priority});
        assert!(program.admin("POST", "/credentials", &spec).await["id"].is_i64());
    }
    let price = json!({"input_per_million_usd": "3", "output_per_million_usd": "15"});
    program.admin("PUT", "/prices/m-crash", &price).await;
    let user = program.admin("POST", "/users", &json!({"name": "u"})).await;
    let key = program.admin("POST", &format!("/users/{}/keys", user["id"]), &json!({"name": "k"})).await;
    let key = key["key"].as_str().unwrap().to_owned();
    for (name, value) in
        [("affinity.enabled", "false"), ("routing.hedge_min_ms", "50"), ("routing.hedge_percent", "50")]
    {
        program.admin("PUT", &format!("/settings/{name}"), &json!({ "value": value })).await;
    }
    // Killed before it is decided, and again after the first one has answered, in the middle of its stream.
    for decided in [false, true] {
        upstream.forget();
        let fresh = || format!("h-{:016x}", rand::random::<u64>());
        for _ in 0..25 {
            let answer = exchange(&program.address, &question(&fresh(), &key, true), None).await.unwrap();
            assert!(answer.contains("message_stop"), "{answer}");
        }
        upstream.clear_invoice();
        let slow = if decided {
            Behaviour { delay_ms: 1_500, deltas: Some(400), pace_ms: 50, ..Behaviour::default() }
        } else {
            Behaviour::instead(fakeup::Then::Stall)
        };
        upstream.script(Rule::credential("up-a", slow));
        upstream.script(Rule::credential("up-b", Behaviour::instead(fakeup::Then::Stall)));
        let (address, id) = (program.address.clone(), fresh());
        let request = question(&id, &key, true);
        let begun = if decided { Some("content_block_delta") } else { None };
        if decided {
            // It leaves the connection open: the kill ends it.
            let mut stream = TcpStream::connect(&address).await.unwrap();
            stream.write_all(request.as_bytes()).await.unwrap();
            let (mut answer, mut buffer) = (String::new(), [0_u8; 4_096]);
            while !answer.contains(begun.unwrap_or_default()) {
                let read = stream.read(&mut buffer).await.unwrap();
                assert!(read > 0, "{answer}");
                answer.push_str(&String::from_utf8_lossy(&buffer[..read]));
            }
            program.kill().await;
        } else {
            let tracker = TaskTracker::new();
            tracker.spawn(async move { exchange(&address, &request, None).await.ok() });
            let both = upstream.until(Duration::from_secs(30), |entries| entries.len() >= 2).await;
            assert_eq!(both.len(), 2, "{both:?}");
            program.kill().await;
        }
        (program, _) = Program::start(dir.path()).await;
        let report = program.admin("GET", "/ledger/audit", &Value::Null).await;
        assert_eq!(report["violations"], json!([]), "{report}");
        let row = program.admin("GET", &format!("/requests/{id}"), &Value::Null).await;
        assert_eq!(row["outcome"], "interrupted", "{row}");
        let attempts = row["attempts"].as_array().unwrap();
        let names: Vec<&str> = attempts.iter().map(|one| one["credential_name"].as_str().unwrap()).collect();
        let outcomes: Vec<&str> = attempts.iter().map(|one| one["outcome"].as_str().unwrap()).collect();
        let input = u128::from(row["request_bytes"].as_u64().unwrap().div_ceil(4)) * 3_000;
        assert_eq!(
            nano(&attempts[0]["provider_cost_usd"]),
            input,
            "the one that is charged to nobody: {row}"
        );
        assert_eq!(nano(&row["cost_usd"]), input, "charged once: {row}");
        assert_eq!(row["credential_id"], attempts[1]["credential_id"], "{row}");
        if decided {
            assert_eq!((names, outcomes), (vec!["up-b", "up-a"], vec!["superseded", "interrupted"]), "{row}");
        } else {
            assert_eq!(
                (names, outcomes),
                (vec!["up-a", "up-b"], vec!["interrupted", "interrupted"]),
                "{row}"
            );
        }
    }
    program.kill().await;
}
