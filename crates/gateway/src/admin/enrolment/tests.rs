//! Tests of sign-ins through the administrator's handle, with a token endpoint on a real socket.

use std::sync::{Arc, Mutex};

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;
use types::Patch;
use types::credential::CredentialAuth;
use types::oauth::{BeginFlow, FinishFlow, Grant, PutVendor, VendorSpec};

use super::*;
use crate::admin::tests::House;

/// A server that answers from a list and keeps what it was asked.
async fn endpoint(answers: Vec<(u16, serde_json::Value)>) -> (String, Arc<Mutex<Vec<String>>>, TaskTracker) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (asked, tasks) = (Arc::new(Mutex::new(Vec::new())), TaskTracker::new());
    let seen = asked.clone();
    tasks.spawn(async move {
        for (status, answer) in answers {
            let Ok((mut stream, _)) = listener.accept().await else { return };
            let mut all = Vec::new();
            let mut piece = [0; 4096];
            let text = loop {
                let Ok(read) = stream.read(&mut piece).await else { return };
                all.extend_from_slice(&piece[..read]);
                let text = String::from_utf8_lossy(&all).into_owned();
                let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
                let head = head.to_ascii_lowercase();
                let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
                if body.len() >= length.unwrap_or("0").parse::<usize>().unwrap() {
                    break body.to_owned();
                }
            };
            seen.lock().unwrap().push(text);
            let answer = answer.to_string();
            let answer = format!(
                "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{answer}",
                answer.len()
            );
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    (url, asked, tasks)
}

struct Rig {
    house: House,
    admin: Admin,
    provider: types::ProviderId,
    asked: Arc<Mutex<Vec<String>>>,
    _tasks: TaskTracker,
}

async fn rig(answers: Vec<(u16, serde_json::Value)>) -> Rig {
    let house = House::at(store::testing::sqlite().await).await;
    let (url, asked, tasks) = endpoint(answers).await;
    let admin = house.admin();
    let input = json!({ "name": "up", "kind": "anthropic", "base_url": "http://127.0.0.1:9" });
    let provider = admin.provider_create(serde_json::from_value(input).unwrap()).await.unwrap().id;
    let spec = VendorSpec {
        label: "Test".to_owned(),
        grants: vec![Grant::AuthorizationCode, Grant::DeviceCode],
        authorize_url: format!("{url}/authorize"),
        token_url: format!("{url}/token"),
        device_url: format!("{url}/device"),
        ..VendorSpec::default()
    };
    let put = PutVendor {
        spec: Some(spec),
        client_id: Some("client-1".to_owned()),
        client_secret: Patch::Set(Secret::new("secret-CANARY".to_owned())),
        version: None,
    };
    let vendor = admin.vendor_put("test".to_owned(), put).await.unwrap();
    assert!(vendor.missing.is_none() && !format!("{vendor:?}").contains("CANARY"));
    Rig { house, admin, provider, asked, _tasks: tasks }
}

impl Rig {
    async fn begin(&self, way: &str) -> FlowView {
        let input = BeginFlow {
            vendor: "test".to_owned(),
            provider_id: Some(self.provider),
            way: Some(way.to_owned()),
            origin: Some("https://gate.example".to_owned()),
            ..BeginFlow::default()
        };
        self.admin.flow_begin(input).await.unwrap()
    }

    fn state(flow: &FlowView) -> String {
        let url = url::Url::parse(flow.authorize_url.as_ref().unwrap()).unwrap();
        url.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned()
    }
}

fn pasted(text: impl Into<String>) -> FinishFlow {
    FinishFlow { pasted: Some(Secret::new(text.into())) }
}

fn token() -> serde_json::Value {
    json!({ "access_token": "a-CANARY", "refresh_token": "r-CANARY", "expires_in": 3600, "email": "ops@example.com" })
}

#[tokio::test]
async fn an_account_is_connected_by_the_redirect_and_is_used_once() {
    let rig = rig(vec![(200, token())]).await;
    let flow = rig.begin("callback").await;
    assert_eq!(flow.redirect_uri.as_deref(), Some("https://gate.example/auth/enrol/callback"));
    let state = Rig::state(&flow);
    let query = format!("code=c-1&state={state}");
    let done = rig.admin.flow_return(&query).await.unwrap();
    assert_eq!(done.phase, FlowPhase::Completed);
    let made = rig.admin.credential_fetch(done.credential_id.unwrap()).await.unwrap();
    assert_eq!((made.auth, made.name.as_str()), (CredentialAuth::Oauth, "ops@example.com"));
    assert!(made.token.unwrap().can_refresh);
    {
        let asked = rig.asked.lock().unwrap();
        assert!(asked[0].contains("code=c-1") && asked[0].contains("code_verifier="), "{asked:?}");
        assert!(asked[0].contains("client_secret=secret-CANARY"));
    }
    let again = rig.admin.flow_return(&query).await.unwrap_err();
    assert_eq!((again.code.as_str(), again.status()), ("oauth_flow_over", 409));
    let shown = format!(
        "{:?} {:?}",
        rig.admin.flow_list().await.unwrap(),
        rig.house.audit("credential.create").await
    );
    assert!(!shown.contains("CANARY") && !shown.contains(&state), "{shown}");
}

#[tokio::test]
async fn oa_03_a_pasted_answer_must_belong_to_this_sign_in() {
    let rig = rig(vec![(200, token())]).await;
    let (one, two) = (rig.begin("callback").await, rig.begin("callback").await);
    let foreign = rig.admin.flow_finish(one.id, pasted(format!("c#{}", Rig::state(&two)))).await.unwrap_err();
    assert!(foreign.fields["pasted"].contains("another sign-in"), "{foreign}");
    let bare = rig.admin.flow_finish(one.id, pasted("c")).await.unwrap_err();
    assert!(bare.fields["pasted"].contains("state"), "{bare}");
    let done = rig.admin.flow_finish(one.id, pasted(format!("c#{}", Rig::state(&one)))).await.unwrap();
    assert_eq!(done.phase, FlowPhase::Completed);
    let unknown = rig.admin.flow_return("code=c&state=nobody").await.unwrap_err();
    assert_eq!(unknown.code, "oauth_state_unknown");
}

#[tokio::test]
async fn oa_04_what_the_vendor_refused_stays_readable() {
    let rig =
        rig(vec![(400, json!({ "error": "invalid_grant", "error_description": "Code not valid" }))]).await;
    let denied = rig.begin("callback").await;
    let query = format!("error=access_denied&error_description=No+way&state={}", Rig::state(&denied));
    let problem = rig.admin.flow_return(&query).await.unwrap_err();
    assert_eq!((problem.code.as_str(), problem.status()), ("oauth_refused", 502));
    let wrong = rig.begin("callback").await;
    let problem = rig.admin.flow_return(&format!("code=x&state={}", Rig::state(&wrong))).await.unwrap_err();
    assert!(problem.message.contains("invalid_grant: Code not valid"), "{problem}");
    let flows = rig.admin.flow_list().await.unwrap();
    assert!(
        flows.iter().all(|flow| flow.phase == FlowPhase::Error && flow.request_id.is_some()),
        "{flows:?}"
    );
    assert!(flows[1].error.as_ref().unwrap().contains("access_denied: No way"));
}

#[tokio::test]
async fn oa_05_another_session_can_neither_see_nor_finish_a_sign_in() {
    let rig = rig(vec![(200, token())]).await;
    let flow = rig.begin("callback").await;
    let other = rig.house.admin_in("another session");
    assert_eq!(other.flow_fetch(flow.id).await.unwrap().authorize_url, None);
    let query = format!("code=c&state={}", Rig::state(&flow));
    let problem = other.flow_return(&query).await.unwrap_err();
    assert_eq!(problem.code, "oauth_other_session");
    rig.admin.flow_cancel(flow.id).await.unwrap();
    assert_eq!(rig.admin.flow_return(&query).await.unwrap_err().code, "oauth_flow_over");
    assert!(rig.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn oa_05_a_sign_in_is_over_after_ten_minutes() {
    let rig = rig(vec![]).await;
    let flow = rig.begin("callback").await;
    let query = format!("code=c&state={}", Rig::state(&flow));
    rig.house.clock().advance(TEN_MINUTES_MS);
    let problem = rig.admin.flow_return(&query).await.unwrap_err();
    assert!(problem.message.contains("ten minutes"), "{problem}");
    assert_eq!(rig.admin.flow_fetch(flow.id).await.unwrap().phase, FlowPhase::Expired);
    // So is one whose process died while it exchanged the code.
    let left = rig.begin("callback").await;
    assert!(rig.house.store().oauth_flow_take(left.id, rig.house.clock().now()).await.unwrap());
    assert_eq!(rig.admin.flow_fetch(left.id).await.unwrap().phase, FlowPhase::Exchanging);
    rig.house.clock().advance(TEN_MINUTES_MS);
    assert_eq!(rig.admin.flow_fetch(left.id).await.unwrap().phase, FlowPhase::Expired);
}

#[tokio::test]
async fn a_device_code_is_asked_for_no_more_often_than_the_vendor_allows() {
    let device = json!({ "device_code": "d-CANARY", "user_code": "ABCD", "verification_uri": "https://v.example/x", "interval": 5 });
    let pending = (400, json!({ "error": "authorization_pending" }));
    let slow = (400, json!({ "error": "slow_down" }));
    let rig = rig(vec![(200, device), pending, slow, (200, token())]).await;
    let flow = rig.begin("device").await;
    assert_eq!((flow.phase, flow.user_code.as_deref()), (FlowPhase::WaitingDevice, Some("ABCD")));
    let asked = || rig.asked.lock().unwrap().len();
    let look = || rig.admin.flow_fetch(flow.id);
    look().await.unwrap();
    assert_eq!(asked(), 1, "the pause is not over");
    rig.house.clock().advance(5_000);
    assert_eq!(look().await.unwrap().phase, FlowPhase::WaitingDevice);
    rig.house.clock().advance(5_000);
    assert_eq!(look().await.unwrap().interval_s, Some(10));
    rig.house.clock().advance(5_000);
    look().await.unwrap();
    assert_eq!(asked(), 3, "the pause is longer now");
    rig.house.clock().advance(5_000);
    let done = look().await.unwrap();
    assert_eq!((done.phase, asked()), (FlowPhase::Completed, 4));
}

#[tokio::test]
async fn a_device_code_whose_endpoint_gives_no_answer_is_asked_for_ever_more_rarely() {
    let device =
        json!({ "device_code": "d-CANARY", "user_code": "ABCD", "verification_uri": "https://v.example/x" });
    let mut answers = vec![(200, device)];
    answers.extend(std::iter::repeat_n((503, json!({})), 5));
    let rig = rig(answers).await;
    let flow = rig.begin("device").await;
    assert_eq!(flow.interval_s, Some(5), "the pause of RFC 8628 where the vendor names none");
    let mut pause = 5;
    for longer in [10, 20, 40, 60, 60] {
        rig.house.clock().advance(pause * 1_000);
        let shown = rig.admin.flow_fetch(flow.id).await.unwrap();
        assert_eq!((shown.phase, shown.interval_s), (FlowPhase::WaitingDevice, Some(longer)));
        assert!(shown.warnings[0].contains("503"), "{shown:?}");
        pause = i64::try_from(longer).unwrap();
    }
}

#[tokio::test]
async fn a_device_code_that_its_vendor_calls_expired_is_too_old_and_not_refused() {
    let device = json!({ "device_code": "d", "user_code": "ABCD", "verification_uri": "https://v.example/x", "interval": 5 });
    let rig = rig(vec![(200, device), (400, json!({ "error": "expired_token" }))]).await;
    let flow = rig.begin("device").await;
    rig.house.clock().advance(5_000);
    let shown = rig.admin.flow_fetch(flow.id).await.unwrap();
    assert_eq!((shown.phase, shown.user_code), (FlowPhase::Expired, None));
}

#[tokio::test]
async fn oa_06_signing_in_again_keeps_the_credential_and_its_name() {
    let rig = rig(vec![(200, token()), (200, token())]).await;
    let flow = rig.begin("callback").await;
    let done = rig.admin.flow_return(&format!("code=c&state={}", Rig::state(&flow))).await.unwrap();
    let id = done.credential_id.unwrap();
    let before = rig.admin.credential_fetch(id).await.unwrap();
    let again = BeginFlow {
        vendor: "test".to_owned(),
        credential_id: Some(id),
        way: Some("callback".to_owned()),
        origin: Some("https://gate.example".to_owned()),
        ..BeginFlow::default()
    };
    let flow = rig.admin.flow_begin(again).await.unwrap();
    let done = rig.admin.flow_return(&format!("code=c&state={}", Rig::state(&flow))).await.unwrap();
    let after = rig.admin.credential_fetch(id).await.unwrap();
    assert_eq!(
        (done.credential_id, &after.name, after.created_at),
        (Some(id), &before.name, before.created_at)
    );
    assert_eq!(rig.admin.credential_list(None).await.unwrap().len(), 1);
}

#[tokio::test]
async fn oa_01_what_could_go_wrong_is_said_before_anybody_leaves() {
    let rig = rig(vec![]).await;
    let flow = rig.begin("callback").await;
    assert!(
        flow.warnings.iter().any(|warning| warning.contains("BASE_URL is not set")),
        "{:?}",
        flow.warnings
    );
    let unknown =
        BeginFlow { vendor: "claude".to_owned(), provider_id: Some(rig.provider), ..BeginFlow::default() };
    let problem = rig.admin.flow_begin(unknown).await.unwrap_err();
    assert!(problem.fields["vendor"].contains("client"), "{problem}");
}
