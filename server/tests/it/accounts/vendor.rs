//! A vendor's token endpoint on a real socket: rotates refresh tokens, refuses what was spent, and does what vendors
//! and networks do amiss. Every secret that it gives out carries the mark `CANARY`.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

use crate::rig::SOON;

/// What the endpoint does.
#[derive(Debug, Default)]
pub(crate) struct Script {
    /// The refresh token that is good now.
    pub(crate) good: String,
    /// Seconds that the next access token lives; later ones live an hour. `None`: the answer does not say.
    pub(crate) expires_in: Option<i64>,
    /// Access tokens are JWTs with this end, in seconds since 1970 by the vendor's clock, and this age.
    pub(crate) jwt: Option<(i64, i64)>,
    /// Who signs in; `None`: the same one as always.
    pub(crate) account: Option<&'static str>,
    /// The account was withdrawn.
    pub(crate) revoked: bool,
    /// Refusals repeat what was sent.
    pub(crate) echoes: bool,
    /// Answers before anything else.
    pub(crate) faults: VecDeque<(u16, String)>,
    /// It acts, and its answer never leaves.
    pub(crate) mute: bool,
    /// Everything that it was sent.
    pub(crate) bodies: Vec<String>,
}

/// The endpoint. Its authority is in `url`, any path below it answers. Clones are the same one.
#[derive(Clone)]
pub(crate) struct Vendor {
    pub(crate) url: String,
    asked: Arc<AtomicU32>,
    pub(crate) script: Arc<Mutex<Script>>,
    held: watch::Sender<bool>,
    _tasks: TaskTracker,
}

impl Vendor {
    pub(crate) async fn start(first_life_s: i64) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let script = Arc::new(Mutex::new(Script { expires_in: Some(first_life_s), ..Script::default() }));
        let (asked, held) = (Arc::new(AtomicU32::new(0)), watch::Sender::new(false));
        let tasks = TaskTracker::new();
        let (count, state, gate, connections) = (asked.clone(), script.clone(), held.clone(), tasks.clone());
        tasks.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, count.clone(), state.clone(), gate.subscribe()));
            }
        });
        Self { url, asked, script, held, _tasks: tasks }
    }

    /// How often it was asked.
    pub(crate) fn asked(&self) -> u32 {
        self.asked.load(Ordering::SeqCst)
    }

    /// Changes what it does from now on.
    pub(crate) fn set(&self, change: impl FnOnce(&mut Script)) {
        change(&mut self.script.lock().unwrap());
    }

    /// From now on questions wait; whoever leaves meanwhile has asked nothing.
    pub(crate) fn hold(&self) {
        self.held.send_replace(true);
    }

    /// Answers those that wait.
    pub(crate) fn release(&self) {
        self.held.send_replace(false);
    }

    /// Waits until it was asked so often.
    pub(crate) async fn was_asked(&self, times: u32) {
        let until = tokio::time::Instant::now() + SOON;
        while self.asked() < times {
            assert!(tokio::time::Instant::now() < until, "asked {} times, not {times}", self.asked());
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
    }

    /// Waits until what it knows is as wished.
    pub(crate) async fn until(&self, wished: impl Fn(&Script) -> bool) {
        let until = tokio::time::Instant::now() + SOON;
        while !wished(&self.script.lock().unwrap()) {
            assert!(tokio::time::Instant::now() < until);
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    }

    /// Its descriptor.
    pub(crate) fn spec(&self) -> Value {
        json!({
            "label": "Test", "grants": ["authorization_code", "device_code"],
            "authorize_url": format!("{}/authorize", self.url), "token_url": format!("{}/token", self.url),
            "device_url": format!("{}/device", self.url), "extra_headers": {"anthropic-beta": "oauth-test"},
        })
    }
}

async fn serve(
    mut stream: TcpStream,
    count: Arc<AtomicU32>,
    script: Arc<Mutex<Script>>,
    mut held: watch::Receiver<bool>,
) {
    let Some((path, body)) = read(&mut stream).await else { return };
    let n = count.fetch_add(1, Ordering::SeqCst) + 1;
    let mut rest = [0; 64];
    let open = async { held.wait_for(|held| !held).await.is_ok() };
    tokio::select! {
        open = open => assert!(open),
        // Whoever asked is gone before anything was done.
        _ = stream.read(&mut rest) => return,
    }
    // As slow as a real one: whoever comes meanwhile has to join.
    tokio::time::sleep(std::time::Duration::from_millis(40)).await;
    let (status, answer, mute) = {
        let mut script = script.lock().unwrap();
        script.bodies.push(body.clone());
        let (status, answer) = match script.faults.pop_front() {
            Some(fault) => fault,
            None => answer(&mut script, &path, &body, n),
        };
        (status, answer, script.mute)
    };
    if mute {
        let _gone = stream.read(&mut rest).await;
        return;
    }
    let answer = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{answer}",
        answer.len()
    );
    let _sent = stream.write_all(answer.as_bytes()).await;
}

/// Path and body of a request; `None` if it broke off.
async fn read(stream: &mut TcpStream) -> Option<(String, String)> {
    let (mut all, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        let read = stream.read(&mut piece).await.ok().filter(|read| *read > 0)?;
        all.extend_from_slice(&piece[..read]);
        let text = String::from_utf8_lossy(&all).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let lower = head.to_ascii_lowercase();
        let length = lower.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
        if body.len() >= length.unwrap_or("0").parse::<usize>().unwrap() {
            return Some((head.split(' ').nth(1)?.to_owned(), body.to_owned()));
        }
    }
}

fn answer(script: &mut Script, path: &str, body: &str, n: u32) -> (u16, String) {
    let refuse = |script: &Script, code: &str, why: &str| {
        let why = if script.echoes { format!("{why}: {body}") } else { why.to_owned() };
        (400, json!({"error": code, "error_description": why}).to_string())
    };
    if path == "/device" {
        let device_code = format!("device-{n}-CANARY-code-of-a-device");
        let answer = json!({
            "device_code": device_code, "user_code": "WDJB-MJHT", "expires_in": 300, "interval": 1,
            "verification_uri": "https://vendor.example/device",
        });
        return (200, answer.to_string());
    }
    if body.contains("device_code=") {
        return refuse(script, "access_denied", "The person said no");
    }
    let first = body.contains("grant_type=authorization_code");
    let own = body.contains("grant_type=client_credentials");
    let spends = format!("refresh_token={}", script.good);
    let good = first || own || body.split('&').any(|pair| pair == spends);
    if script.revoked || !good || first && !body.contains("code_verifier=") {
        return refuse(script, "invalid_grant", "Token has been revoked");
    }
    let access_token = script.jwt.map_or_else(|| format!("a{n}-CANARY-access-token"), jwt);
    let mut answer =
        json!({"access_token": access_token, "email": script.account.unwrap_or("ops@example.com")});
    if !own {
        script.good = format!("r{n}-CANARY-refresh-token");
        answer["refresh_token"] = json!(script.good);
    }
    if let Some(life) = script.expires_in {
        answer["expires_in"] = json!(life);
        script.expires_in = Some(3_600);
    }
    (200, answer.to_string())
}

fn jwt((end, age): (i64, i64)) -> String {
    use base64::Engine as _;
    let part = |value: Value| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string());
    let id = rand::random::<u64>();
    let claims = json!({"sub": "ops", "exp": end, "iat": end - age, "jti": id});
    format!("{}.{}.{}", part(json!({"alg": "none"})), part(claims), part(json!("CANARY-signature")))
}
