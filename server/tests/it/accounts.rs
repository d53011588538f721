//! Accounts by OAuth through public routes: connected over the admin API, used on the model surface, kept fresh
//! against a token endpoint on a real socket.

mod by_hand;
mod cut_off;
mod endpoint;
mod pages;
mod returning;
mod sign_in;
mod skew;
pub(crate) mod vendor;

use fakeup::{Behaviour, Cut, Then};
use gateway::Clock;
use serde_json::{Value, json};

use crate::harness::post;
use crate::rig::faces::ANTHROPIC;
use crate::rig::{Rig, SOON};
use vendor::Vendor;

/// Begins a sign-in and comes back with a code, as a script does: for a provider, or for a credential again.
async fn connect(
    admin: impl AsyncFn(&'static str, String, Value) -> Value,
    vendor: &Vendor,
    mut target: Value,
) -> Value {
    let put =
        json!({"spec": vendor.spec(), "client_id": "client-1", "client_secret": "secret-CANARY-of-client"});
    let made = admin("PUT", "/oauth/vendors/test".to_owned(), put).await;
    assert_eq!(made["missing"], Value::Null, "{made}");
    target["vendor"] = json!("test");
    target["way"] = json!("callback");
    target["origin"] = json!("http://gate.example");
    let flow = admin("POST", "/oauth/flows".to_owned(), target).await;
    let url = flow["authorize_url"].as_str().unwrap_or_else(|| panic!("{flow}"));
    let state = url.split("state=").nth(1).unwrap().split('&').next().unwrap();
    let back = format!("http://gate.example/auth/enrol/callback?code=c-1-CANARY-code&state={state}");
    let pasted = json!({ "pasted": back });
    let finish = format!("/oauth/flows/{}/finish", flow["id"]);
    let done = admin("POST", finish.clone(), pasted.clone()).await;
    if done["phase"] == "completed" {
        let again = admin("POST", finish, pasted).await;
        assert_eq!(again["error"]["code"], "oauth_flow_over", "{again}");
    }
    done
}

impl Rig {
    async fn connected(&self, vendor: &Vendor, target: Value) -> i64 {
        let admin = async |method: &'static str, path: String, body: Value| {
            self.server.admin(method, &path, &body).await
        };
        let done = connect(admin, vendor, target).await;
        done["credential_id"].as_i64().unwrap_or_else(|| panic!("{done}"))
    }

    async fn account_view(&self, id: i64) -> Value {
        self.server.admin("GET", &format!("/credentials/{id}"), &Value::Null).await
    }

    async fn refresh(&self, id: i64) -> Value {
        self.server.admin("POST", &format!("/credentials/{id}/refresh"), &Value::Null).await
    }

    /// Waits until an account is as wished, and answers it.
    async fn account_until(&self, id: i64, wished: impl Fn(&Value) -> bool) -> Value {
        let until = tokio::time::Instant::now() + SOON;
        loop {
            let view = self.account_view(id).await;
            if wished(&view) {
                return view;
            }
            assert!(tokio::time::Instant::now() < until, "{view}");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }

    /// A request of a new conversation; answers its status.
    async fn usual(&self) -> u16 {
        let session = format!("s-{:016x}", rand::random::<u64>());
        self.ask(self.keyed(ANTHROPIC.ask("m-1", false).header("x-session-id", &session))).await.status
    }

    fn last_token(&self) -> String {
        let entries = self.upstream.invoice();
        let last = entries.iter().rev().find(|entry| entry.request.path() == "/v1/messages");
        last.and_then(|entry| entry.credential()).unwrap_or("none").to_owned()
    }
}

/// A rig with one account, whose first token lives so long. The provider is 1.
async fn pool(first_life_s: i64) -> (Rig, Vendor, i64) {
    pool_at(Clock::system(), first_life_s).await
}

async fn pool_at(clock: Clock, first_life_s: i64) -> (Rig, Vendor, i64) {
    let rig = Rig::bare_with(|config| config.clock = clock).await;
    let provider = rig.provider("anthropic", json!({"api_key": null})).await;
    let vendor = Vendor::start(first_life_s).await;
    let id = rig.connected(&vendor, json!({ "provider_id": provider })).await;
    (rig, vendor, id)
}

fn refuses() -> Behaviour {
    Behaviour { status: Some(401), ..Behaviour::body("application/json", "{}") }
}

#[tokio::test]
async fn oa_05_an_account_is_connected_serves_and_shows_nothing_secret() {
    let (rig, vendor, id) = pool(3_600).await;
    assert_eq!(rig.usual().await, 200);
    assert_eq!(rig.last_token(), "a1-CANARY-access-token");
    assert_eq!(vendor.asked(), 1);
    let mut shown = String::new();
    for path in ["/credentials", "/oauth/flows", "/oauth/vendors", "/audit"] {
        shown.push_str(&rig.server.admin("GET", path, &Value::Null).await.to_string());
    }
    assert!(!shown.contains("CANARY"), "{shown}");
    let view = rig.account_view(id).await;
    assert_eq!((&view["auth"], &view["token"]["status"]), (&json!("oauth"), &json!("active")), "{view}");
    assert_eq!(view["token"]["account"], "ops@example.com");
}

#[tokio::test]
async fn rf_02_500_requests_at_once_on_an_expired_token_make_exactly_one_refresh() {
    let (rig, vendor, id) = pool(3_600).await;
    // The token that everybody finds is over when it comes.
    vendor.set(|script| script.expires_in = Some(0));
    assert_eq!(rig.refresh(id).await["refreshed"], true);
    let began = std::time::Instant::now();
    let body = ANTHROPIC.body("m-1", false).to_string();
    let request = post("/v1/messages", &format!("x-api-key: {}\r\n", rig.key), &body);
    for got in futures_util::future::join_all((0..500).map(|_| rig.server.raw(&request))).await {
        assert_eq!(got.status(), 200, "{got:?}");
    }
    let refreshes = vendor.asked() - 2;
    eprintln!("500 requests on an expired token: {refreshes} refresh, {} ms", began.elapsed().as_millis());
    assert_eq!(refreshes, 1);
    assert_eq!(rig.account_view(id).await["token"]["status"], "active");
}

#[tokio::test]
async fn rf_02_a_token_that_ends_in_the_middle_of_a_stream_harms_neither_it_nor_the_next_request() {
    let clock = Clock::ahead();
    let (rig, vendor, id) = pool_at(clock.clone(), 3_600).await;
    let held = Cut { at: Some(ANTHROPIC.beyond_content()), then: Then::Hold };
    rig.on_model("m-held", Behaviour { cut: Some(held), ..Behaviour::default() });
    let mut open = rig.open(rig.keyed(ANTHROPIC.ask("m-held", true))).await;
    assert_eq!(open.status, 200);
    let begun = open.piece().await.unwrap().unwrap();
    assert_eq!(rig.last_token(), "a1-CANARY-access-token");
    clock.advance(3_600_000);
    let status = rig.account_view(id).await["token"]["status"].clone();
    assert!(status == "expired" || vendor.asked() > 1, "{status}");
    rig.upstream.release();
    let rest = open.rest().await;
    let text = format!("{}{}", String::from_utf8_lossy(&begun), rest.text());
    assert!(rest.whole && text.contains(ANTHROPIC.end), "{text}");
    assert_eq!(rig.usual().await, 200);
    assert_eq!((rig.last_token().as_str(), vendor.asked()), ("a2-CANARY-access-token", 2));
}

#[tokio::test]
async fn f_3_fault_u29_a_refused_token_is_refreshed_and_the_request_sent_once_more() {
    let (rig, vendor, _) = pool(3_600).await;
    rig.on_credential("a1-CANARY-access-token", refuses());
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
async fn f_3_fault_u30_rf_03_a_revoked_account_is_out_of_rotation_within_one_request_and_told_everywhere() {
    let (rig, vendor, id) = pool(3_600).await;
    rig.credential(1, "up-b", json!({"priority": 9})).await;
    vendor.set(|script| script.revoked = true);
    rig.on_credential("a1-CANARY-access-token", refuses());
    for _ in 0..5 {
        assert_eq!(rig.usual().await, 200);
    }
    let sent = |credential: &str| {
        let own = |entry: &fakeup::Entry| {
            entry.credential() == Some(credential) && entry.request.path() == "/v1/messages"
        };
        rig.upstream.invoice().iter().filter(|entry| own(entry)).count()
    };
    eprintln!("a revoked account: {} of 5 requests met it", sent("a1-CANARY-access-token"));
    assert_eq!((sent("a1-CANARY-access-token"), sent("up-b")), (1, 5));
    assert_eq!(vendor.asked(), 2, "one sign-in, one refresh that was refused");
    let view = rig.account_until(id, |view| view["state"] == "needs_reauth").await;
    assert_eq!(view["token"]["status"], "needs_reauth");
    assert!(view["token"]["error"].as_str().unwrap().contains("revoked"), "{view}");
    let overview = rig.server.admin("GET", "/overview", &Value::Null).await;
    let told = overview["attention"].as_array().unwrap().iter().find(|entry| entry["kind"] == "account_lost");
    assert_eq!(told.unwrap_or_else(|| panic!("{overview}"))["credential_id"], id);
    assert!(rig.server.gateway.metrics().contains("tollgate_accounts_lost 1\n"));
    // OA-06: signing in again keeps the credential, and it serves at once.
    vendor.set(|script| script.revoked = false);
    assert_eq!(rig.connected(&vendor, json!({ "credential_id": id })).await, id);
    assert_eq!(rig.usual().await, 200);
    assert_eq!(rig.last_token(), "a3-CANARY-access-token");
    assert_eq!(rig.account_view(id).await["state"], "valid");
    assert!(rig.server.gateway.metrics().contains("tollgate_accounts_lost 0\n"));
}

#[tokio::test]
async fn fault_u29_a_second_attempt_beside_a_slow_one_is_sent_again_with_a_fresh_token_too() {
    let (rig, vendor, id) = pool(3_600).await;
    let setting = async |name: &str, value: &str| {
        rig.server.admin("PUT", &format!("/settings/{name}"), &json!({ "value": value })).await
    };
    setting("affinity.enabled", "false").await;
    setting("routing.hedge_min_ms", "50").await;
    rig.change(&format!("/credentials/{id}"), json!({"priority": 9})).await;
    rig.credential(1, "up-a", json!({"priority": 1})).await;
    for _ in 0..25 {
        assert_eq!(rig.ask(rig.keyed(ANTHROPIC.ask("m-1", false))).await.status, 200);
    }
    setting("routing.hedge_percent", "50").await;
    rig.upstream.clear_invoice();
    rig.on_credential("up-a", Behaviour::instead(Then::Stall));
    rig.on_credential("a1-CANARY-access-token", refuses());
    let ask = rig.keyed(ANTHROPIC.ask("m-1", false));
    let request = ask.id.clone();
    let got = rig.ask(ask).await;
    assert_eq!(got.status, 200, "{}", got.text());
    let entries = rig.upstream.invoice().into_iter().filter(|entry| entry.request.path() == "/v1/messages");
    let seen: Vec<_> = entries.map(|entry| entry.credential().unwrap().to_owned()).collect();
    assert_eq!(seen, ["up-a", "a1-CANARY-access-token", "a2-CANARY-access-token"]);
    let row = rig.row(&request).await;
    assert_eq!(row["decision"]["hedge"]["outcome"], "won", "{row}");
    assert_eq!(row["attempts"].as_array().unwrap().len(), 2, "{row}");
    assert_eq!(row["attempts"][1]["rectified"], json!(["token_refreshed"]), "{row}");
    assert_eq!(vendor.asked(), 2, "one sign-in, one refresh");
    let report = rig.server.admin("GET", "/ledger/audit", &Value::Null).await;
    assert_eq!(report["violations"], json!([]), "{report}");
}
