//! Sign-ins over the admin API: what is said before anybody leaves, every form of an answer, and each way to fail.

use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::Vendor;
use crate::rig::Rig;

/// A rig with a provider and the vendor `test`, whose clients come back to a fixed port if one is given.
async fn rig(base_url: Option<&str>, port: Option<u16>) -> (Rig, Vendor) {
    let base_url = base_url.map(|text| types::base_url::BaseUrl::parse(text).unwrap());
    rig_with(port, |config| config.base_url = base_url).await
}

/// The same with changes to the configuration.
async fn rig_with(port: Option<u16>, change: impl FnOnce(&mut server::ServerConfig)) -> (Rig, Vendor) {
    let rig = Rig::bare_with(change).await;
    rig.provider("anthropic", json!({"api_key": null})).await;
    let vendor = Vendor::start(3_600).await;
    let mut spec = vendor.spec();
    spec["callback_port"] = json!(port);
    let put = json!({"spec": spec, "client_id": "client-1"});
    assert!(rig.server.admin("PUT", "/oauth/vendors/test", &put).await.get("error").is_none());
    (rig, vendor)
}

async fn begin(rig: &Rig, way: &str, origin: &str) -> Value {
    let begin = json!({"vendor": "test", "provider_id": 1, "way": way, "origin": origin});
    let flow = rig.server.admin("POST", "/oauth/flows", &begin).await;
    assert!(flow["id"].is_i64(), "{flow}");
    flow
}

fn state(flow: &Value) -> String {
    let url = flow["authorize_url"].as_str().unwrap();
    url.split("state=").nth(1).unwrap().split('&').next().unwrap().to_owned()
}

async fn finish(rig: &Rig, flow: &Value, pasted: &str) -> Value {
    rig.server
        .admin("POST", &format!("/oauth/flows/{}/finish", flow["id"]), &json!({ "pasted": pasted }))
        .await
}

#[tokio::test]
async fn oa_01_a_base_url_that_is_not_what_the_browser_shows_is_told_before_anybody_leaves() {
    let (rig, _vendor) = rig(Some("https://gate.example"), None).await;
    let flow = begin(&rig, "callback", "http://10.0.0.5:8080").await;
    let warnings = flow["warnings"].to_string();
    assert!(warnings.contains("https://gate.example") && warnings.contains("http://10.0.0.5:8080"), "{flow}");
    assert_eq!(flow["redirect_uri"], "https://gate.example/auth/enrol/callback");
    let same = begin(&rig, "callback", "https://gate.example").await;
    assert_eq!(same["warnings"], json!([]), "{same}");
}

#[tokio::test]
async fn oa_02_an_occupied_port_is_told_and_the_answer_can_be_pasted_all_the_same() {
    let other = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = other.local_addr().unwrap().port();
    let (rig, _vendor) = rig(None, Some(port)).await;
    let flow = begin(&rig, "loopback", "http://127.0.0.1:1").await;
    assert_eq!(flow["port"]["state"], "occupied", "{flow}");
    assert!(flow["warnings"].to_string().contains("cannot be listened on"), "{flow}");
    let back = format!("http://localhost:{port}/callback?code=c-1&state={}", state(&flow));
    assert_eq!(finish(&rig, &flow, &back).await["phase"], "completed");
    // The vendor's page and the system page say the same.
    let port = async || {
        let own = rig.server.admin("GET", "/oauth/vendors/test", &Value::Null).await["port"].clone();
        let system = rig.server.admin("GET", "/system", &Value::Null).await;
        let ports = system["ports"].as_array().unwrap();
        let told = ports.iter().find(|told| told["port"] == port).unwrap_or_else(|| panic!("{system}"));
        assert_eq!((&told["state"], &told["reason"]), (&own["state"], &own["reason"]), "{system}");
        assert_eq!(told["vendors"], json!(["test"]), "{system}");
        own["state"].clone()
    };
    assert_eq!(port().await, "occupied");
    drop(other);
    assert_eq!(port().await, "off");
    let flow = begin(&rig, "loopback", "http://127.0.0.1:1").await;
    assert_eq!((&flow["port"]["state"], port().await), (&json!("listening"), json!("listening")), "{flow}");
    let flow = rig.server.admin("POST", &format!("/oauth/flows/{}/cancel", flow["id"]), &Value::Null).await;
    assert_eq!((&flow["phase"], &flow["port"]["state"]), (&json!("cancelled"), &json!("off")), "{flow}");
}

#[tokio::test]
async fn oa_02_the_system_page_shows_each_fixed_port_and_who_has_it() {
    let other = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = other.local_addr().unwrap().port();
    let (rig, _vendor) = rig(None, Some(port)).await;
    let answer = rig.server.raw(crate::harness::post(
        "/auth/login",
        "Content-Type: application/x-www-form-urlencoded\r\nSec-Fetch-Site: same-origin\r\n",
        &format!("secret={}", crate::harness::ADMIN_TOKEN),
    ));
    let answer = answer.await;
    let sid = answer.0.split("tg_sid=").nth(1).and_then(|rest| rest.split(';').next()).unwrap();
    for (lang, title, occupied, why) in [
        ("en", "Ports for sign-ins", "occupied", "another program listens there"),
        ("zh", "登录回调端口", "被占用", "由其他程序监听"),
    ] {
        let request = format!(
            "GET /system HTTP/1.1\r\nHost: test\r\nAccept: text/html\r\nCookie: tg_sid={sid}; tg_lang={lang}\r\n\
             Connection: close\r\n\r\n"
        );
        let page = rig.server.raw(request).await.body();
        let panel = page.split("id=\"ports\"").nth(1).unwrap_or_else(|| panic!("{page}"));
        let panel = panel.split("</section>").next().unwrap();
        assert!(panel.contains(title), "{panel}");
        for (known, vendor) in [(54545, "claude"), (1455, "codex"), (8085, "gemini"), (11451, "iflow")] {
            assert!(
                panel.contains(&known.to_string()) && panel.contains(vendor),
                "{known} {vendor}: {panel}"
            );
        }
        let own = panel.split("<tr").find(|row| row.contains(&port.to_string())).unwrap();
        assert!(own.contains("test") && own.contains(occupied) && own.contains(why), "{own}");
    }
}

#[tokio::test]
async fn oa_02_no_port_is_opened_where_the_operator_wants_none_and_the_answer_is_pasted() {
    let probe = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = probe.local_addr().unwrap().port();
    drop(probe);
    let (rig, _vendor) = rig_with(Some(port), |config| config.oauth_callback_host = None).await;
    let view = rig.server.admin("GET", "/oauth/vendors/test", &Value::Null).await;
    assert_eq!((&view["port"]["state"], &view["port"]["port"]), (&json!("off"), &json!(port)), "{view}");
    assert_eq!(view["port"]["reason"], "OAUTH_CALLBACK_HOST is off");
    let flow = begin(&rig, "loopback", "http://127.0.0.1:1").await;
    let warnings = flow["warnings"].to_string();
    assert!(warnings.contains("OAUTH_CALLBACK_HOST is off") && warnings.contains("paste"), "{flow}");
    assert_eq!(flow["port"]["state"], "off", "{flow}");
    assert!(TcpListener::bind(("127.0.0.1", port)).await.is_ok(), "nobody listens there");
    let page = rig.server.admin("GET", &format!("/oauth/flows/{}", flow["id"]), &Value::Null).await;
    assert_eq!(page["phase"], "waiting_callback", "{page}");
    let back = format!("http://localhost:{port}/callback?code=c-1&state={}", state(&flow));
    assert_eq!(finish(&rig, &flow, &back).await["phase"], "completed");
}

/// Writes an answer down around its state.
type Form = fn(&str) -> String;

#[tokio::test]
async fn oa_03_four_forms_of_an_answer_are_taken_and_each_mistake_is_named() {
    let (rig, vendor) = rig(None, None).await;
    let forms: [Form; 4] = [
        |state| format!("http://gate.example/auth/enrol/callback?code=c-1&state={state}"),
        |state| format!("?state={state}&code=c-1"),
        |state| format!("#code=c-1&state={state}"),
        |state| format!("c-1#{state}"),
    ];
    for (n, form) in (1_u32..).zip(forms) {
        let flow = begin(&rig, "callback", "http://gate.example").await;
        let done = finish(&rig, &flow, &form(&state(&flow))).await;
        assert_eq!((&done["phase"], vendor.asked()), (&json!("completed"), n), "{done}");
    }
    let flow = begin(&rig, "callback", "http://gate.example").await;
    for (pasted, reason) in [
        ("c-1", "the state is missing"),
        ("c-1#of-another", "another sign-in"),
        ("?state=x", "holds no code"),
        ("", "paste the whole address"),
    ] {
        let refused = finish(&rig, &flow, pasted).await;
        let note = refused.pointer("/error/fields/pasted").and_then(Value::as_str).unwrap_or_default();
        assert!(note.contains(reason), "{pasted}: {refused}");
    }
    assert_eq!(vendor.asked(), 4, "nobody was asked for what is no answer");
    assert_eq!(finish(&rig, &flow, &format!("c-1#{}", state(&flow))).await["phase"], "completed");
}

#[tokio::test]
async fn oa_04_what_a_vendor_said_after_the_redirect_is_kept_with_phase_and_request() {
    let (rig, vendor) = rig(None, None).await;
    let flow = begin(&rig, "callback", "http://gate.example").await;
    let pasted = format!("?error=access_denied&error_description=The+person+said+no&state={}", state(&flow));
    let refused = finish(&rig, &flow, &pasted).await;
    assert_eq!(refused["error"]["code"], "oauth_refused", "{refused}");
    vendor.set(|script| script.revoked = true);
    let second = begin(&rig, "callback", "http://gate.example").await;
    finish(&rig, &second, &format!("c-1#{}", state(&second))).await;
    let waiting = begin(&rig, "callback", "http://gate.example").await;
    let list = rig.server.admin("GET", "/oauth/flows", &Value::Null).await;
    let of = |flow: &Value| {
        let items = list["items"].as_array().unwrap();
        items.iter().find(|item| item["id"] == flow["id"]).unwrap_or_else(|| panic!("{list}"))
    };
    let (said, exchanged) = (of(&flow), of(&second));
    assert_eq!((&said["phase"], &exchanged["phase"]), (&json!("error"), &json!("error")));
    assert_eq!(said["error"], "the vendor said access_denied: The person said no");
    assert!(exchanged["error"].as_str().unwrap().contains("invalid_grant"), "{exchanged}");
    assert!(said["request_id"].is_string() && exchanged["request_id"].is_string(), "{list}");
    assert_eq!(of(&waiting)["phase"], "waiting_callback");
}

#[tokio::test]
async fn oa_05_a_state_is_used_once_and_a_code_is_exchanged_once() {
    let (rig, vendor) = rig(None, None).await;
    let flow = begin(&rig, "callback", "http://gate.example").await;
    let pasted = format!("c-1#{}", state(&flow));
    // Two at once: one wins.
    let (one, two) = tokio::join!(finish(&rig, &flow, &pasted), finish(&rig, &flow, &pasted));
    let over = |answer: &Value| answer["error"]["code"] == "oauth_flow_over";
    assert!(over(&one) != over(&two), "{one} {two}");
    assert!(over(&finish(&rig, &flow, &pasted).await));
    assert_eq!(vendor.asked(), 1);
    let verifier = vendor.script.lock().unwrap().bodies[0].clone();
    assert!(verifier.contains("code_verifier="), "PKCE goes with it");
}

#[tokio::test]
async fn a_device_code_is_asked_for_once_at_a_time_however_many_pages_show_it() {
    let clock = gateway::Clock::manual(gateway::Clock::system().now());
    let own = clock.clone();
    let (rig, vendor) = rig_with(None, move |config| config.clock = own).await;
    let flow = begin(&rig, "device", "http://gate.example").await;
    // Whoever asks second learns that the code is spent.
    let token = json!({"access_token": "a-CANARY-of-a-device", "refresh_token": "r-CANARY-of-a-device"});
    vendor.set(|script| script.faults.push_back((200, token.to_string())));
    clock.advance(1_000);
    let path = format!("/oauth/flows/{}", flow["id"]);
    let shown = (0..16).map(|_| rig.server.admin("GET", &path, &Value::Null));
    for view in futures_util::future::join_all(shown).await {
        let phase = view["phase"].as_str().unwrap_or_else(|| panic!("{view}"));
        assert!(["waiting_device", "exchanging", "completed"].contains(&phase), "{view}");
    }
    let view = rig.server.admin("GET", &path, &Value::Null).await;
    assert_eq!((&view["phase"], vendor.asked()), (&json!("completed"), 2), "one code, one question: {view}");
}
