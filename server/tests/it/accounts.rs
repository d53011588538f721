//! Accounts by OAuth through public routes: connected over the admin API, used on the model surface, kept fresh
//! against a token endpoint on a real socket.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use fakeup::Behaviour;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;

use crate::rig::Rig;
use crate::rig::faces::ANTHROPIC;

/// A token endpoint that rotates refresh tokens and refuses those that were spent.
struct Vendor {
    url: String,
    asked: Arc<AtomicU32>,
    script: Arc<Mutex<Script>>,
    _tasks: TaskTracker,
}

struct Script {
    good: String,
    expires_in: i64,
    revoked: bool,
}

impl Vendor {
    async fn start(first_life_s: i64) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let script = Script { good: String::new(), expires_in: first_life_s, revoked: false };
        let (asked, script) = (Arc::new(AtomicU32::new(0)), Arc::new(Mutex::new(script)));
        let tasks = TaskTracker::new();
        let (count, state, connections) = (asked.clone(), script.clone(), tasks.clone());
        tasks.spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (count, state) = (count.clone(), state.clone());
                connections.spawn(async move {
                    let mut all = Vec::new();
                    let mut piece = [0; 4096];
                    let body = loop {
                        let Ok(read) = stream.read(&mut piece).await else { return };
                        if read == 0 {
                            return;
                        }
                        all.extend_from_slice(&piece[..read]);
                        let text = String::from_utf8_lossy(&all).into_owned();
                        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
                        let head = head.to_ascii_lowercase();
                        let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
                        if body.len() >= length.unwrap_or("0").parse::<usize>().unwrap() {
                            break body.to_owned();
                        }
                    };
                    let n = count.fetch_add(1, Ordering::SeqCst) + 1;
                    // As slow as a real one: whoever comes meanwhile has to join.
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                    let (status, answer) = answer(&mut state.lock().unwrap(), &body, n);
                    let answer = answer.to_string();
                    let answer = format!(
                        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{answer}",
                        answer.len()
                    );
                    let _ = stream.write_all(answer.as_bytes()).await;
                });
            }
        });
        Self { url, asked, script, _tasks: tasks }
    }

    fn asked(&self) -> u32 {
        self.asked.load(Ordering::SeqCst)
    }
}

fn answer(script: &mut Script, body: &str, n: u32) -> (u16, Value) {
    let first = body.contains("grant_type=authorization_code");
    let good = !script.revoked && (first || body.contains(&format!("refresh_token={}", script.good)));
    if !good || first && !body.contains("code_verifier=") {
        return (400, json!({"error": "invalid_grant", "error_description": "Token has been revoked"}));
    }
    script.good = format!("r{n}-CANARY");
    let life = script.expires_in;
    script.expires_in = 3_600;
    (
        200,
        json!({"access_token": format!("a{n}-CANARY"), "refresh_token": script.good, "expires_in": life, "email": "ops@example.com"}),
    )
}

/// Connects an account of a provider, as a script does: begin, sign in, paste.
async fn connect(rig: &Rig, vendor: &Vendor, provider: i64) -> i64 {
    let spec = json!({
        "label": "Test", "authorize_url": format!("{}/authorize", vendor.url),
        "token_url": format!("{}/token", vendor.url), "extra_headers": {"anthropic-beta": "oauth-test"},
    });
    let put = json!({"spec": spec, "client_id": "client-1", "client_secret": "secret-CANARY"});
    let made = rig.server.admin("PUT", "/oauth/vendors/test", &put).await;
    assert_eq!(made["missing"], Value::Null, "{made}");
    let begin = json!({"vendor": "test", "provider_id": provider, "way": "callback", "origin": "http://gate.example"});
    let flow = rig.server.admin("POST", "/oauth/flows", &begin).await;
    let url = flow["authorize_url"].as_str().unwrap_or_else(|| panic!("{flow}"));
    let state = url.split("state=").nth(1).unwrap().split('&').next().unwrap();
    let pasted = json!({"pasted": format!("http://gate.example/auth/enrol/callback?code=c-1&state={state}")});
    let done = rig.server.admin("POST", &format!("/oauth/flows/{}/finish", flow["id"]), &pasted).await;
    assert_eq!(done["phase"], "completed", "{done}");
    let again = rig.server.admin("POST", &format!("/oauth/flows/{}/finish", flow["id"]), &pasted).await;
    assert_eq!(again["error"]["code"], "oauth_flow_over", "{again}");
    done["credential_id"].as_i64().unwrap()
}

async fn pool(first_life_s: i64) -> (Rig, Vendor, i64, i64) {
    let rig = Rig::bare().await;
    let provider = rig.provider("anthropic", json!({"api_key": null})).await;
    let vendor = Vendor::start(first_life_s).await;
    let id = connect(&rig, &vendor, provider).await;
    (rig, vendor, provider, id)
}

#[tokio::test]
async fn oa_an_account_is_connected_serves_and_shows_nothing_secret() {
    let (rig, vendor, _, id) = pool(3_600).await;
    let got = rig.ask(rig.keyed(ANTHROPIC.ask("m-1", false))).await;
    assert_eq!(got.status, 200, "{}", got.text());
    let served =
        rig.upstream.invoice().into_iter().filter(|entry| entry.credential() == Some("a1-CANARY")).count();
    assert!(served >= 1, "{:?}", rig.seen());
    assert_eq!(vendor.asked(), 1);
    let mut shown = String::new();
    for path in ["/credentials", "/oauth/flows", "/oauth/vendors", "/audit"] {
        shown.push_str(&rig.server.admin("GET", path, &Value::Null).await.to_string());
    }
    assert!(!shown.contains("CANARY"), "{shown}");
    let view = rig.server.admin("GET", &format!("/credentials/{id}"), &Value::Null).await;
    assert_eq!((&view["auth"], &view["token"]["status"]), (&json!("oauth"), &json!("active")), "{view}");
    assert_eq!(view["token"]["account"], "ops@example.com");
}

#[tokio::test]
async fn rf_02_100_requests_at_once_on_an_expired_token_make_exactly_one_refresh() {
    let (rig, vendor, _, id) = pool(0).await;
    // The look that follows each sign-in may have refreshed it: begin with a token that is over in any case.
    let asks = (0..100).map(|_| rig.ask(rig.keyed(ANTHROPIC.ask("m-1", false))));
    let got = futures_util::future::join_all(asks).await;
    for got in got {
        assert_eq!(got.status, 200, "{}", got.text());
    }
    assert_eq!(vendor.asked(), 2, "one sign-in, one refresh");
    let view = rig.server.admin("GET", &format!("/credentials/{id}"), &Value::Null).await;
    assert_eq!(view["token"]["status"], "active", "{view}");
}

#[tokio::test]
async fn fault_u29_a_refused_token_is_refreshed_and_the_request_sent_once_more() {
    let (rig, vendor, _, _) = pool(3_600).await;
    rig.on_credential(
        "a1-CANARY",
        Behaviour { status: Some(401), ..Behaviour::body("application/json", "{}") },
    );
    let ask = rig.keyed(ANTHROPIC.ask("m-1", false));
    let id = ask.id.clone();
    let got = rig.ask(ask).await;
    assert_eq!(got.status, 200, "{}", got.text());
    let row = rig.row(&id).await;
    assert_eq!(row["attempts"].as_array().unwrap().len(), 1, "{row}");
    assert_eq!(row["attempts"][0]["rectified"], json!(["token_refreshed"]), "{row}");
    assert_eq!(vendor.asked(), 2);
}

#[tokio::test]
async fn fault_u30_a_revoked_account_is_out_of_rotation_within_one_request() {
    let (rig, vendor, provider, id) = pool(3_600).await;
    rig.credential(provider, "up-b", json!({"priority": 9})).await;
    vendor.script.lock().unwrap().revoked = true;
    rig.on_credential(
        "a1-CANARY",
        Behaviour { status: Some(401), ..Behaviour::body("application/json", "{}") },
    );
    for _ in 0..5 {
        let got = rig.ask(rig.keyed(ANTHROPIC.ask("m-1", false))).await;
        assert_eq!(got.status, 200, "{}", got.text());
    }
    let posts = rig.upstream.invoice().into_iter().filter(|entry| entry.credential() == Some("up-b")).count();
    assert_eq!(posts, 5);
    assert_eq!(vendor.asked(), 2, "one sign-in, one refresh that was refused");
    let until = tokio::time::Instant::now() + crate::rig::SOON;
    loop {
        let view = rig.server.admin("GET", &format!("/credentials/{id}"), &Value::Null).await;
        if view["state"] == "needs_reauth" {
            assert_eq!(view["token"]["status"], "needs_reauth");
            assert!(view["token"]["error"].as_str().unwrap().contains("revoked"), "{view}");
            break;
        }
        assert!(tokio::time::Instant::now() < until, "{view}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}
