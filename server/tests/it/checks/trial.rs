//! A new secret is tried before it is stored: session keys by default, all others where that is asked for (OA-07).

use fakeup::{Behaviour, Rule};
use serde_json::{Value, json};

use super::Checked;
use crate::rig::browser::Browser;

const OLD: &str = "sk-ant-sid01-CANARY-old";
const ORGANISATIONS: &str = "/api/organizations";

/// As long as session keys are.
fn session_key(name: &str) -> String {
    format!("sk-ant-sid01-CANARY-{name}-{}", "x".repeat(60))
}

fn says(status: u16, body: &str) -> Behaviour {
    Behaviour { status: Some(status), ..Behaviour::body("application/json", body.to_owned()) }
}

fn organisations(checked: &Checked, behaviour: Behaviour) {
    let rule = Rule { path: Some(ORGANISATIONS.to_owned()), ..Rule::always(behaviour) };
    checked.rig.upstream.script(rule);
}

impl Checked {
    async fn replace(&self, name: &str, change: Value) -> Value {
        let id = self.id(name).await;
        self.rig.server.admin("PATCH", &format!("/credentials/{id}"), &change).await
    }

    /// The latest change of a credential in the audit log.
    async fn told(&self) -> Value {
        self.get("/audit?object=credential").await["items"][0].clone()
    }
}

#[tokio::test]
async fn oa_07_a_session_key_is_replaced_only_by_one_that_the_vendor_takes_or_that_somebody_insists_on() {
    let checked = Checked::bare("anthropic", &[OLD]).await;
    let before = checked.account(OLD).await;
    assert_eq!(before["session_key"], true, "{before}");
    let (first, second) = (session_key("first"), session_key("second"));

    // The policy flag is off: nobody may be asked, and that is said.
    let refused = checked.replace(OLD, json!({ "api_key": first })).await;
    let message = refused["error"]["message"].as_str().unwrap();
    assert_eq!(refused["error"]["code"], "probe_failed", "{refused}");
    assert!(message.contains("account_session_key_probe") && message.contains("probe=false"), "{message}");
    assert!(checked.rig.upstream.invoice().is_empty(), "nobody was asked");

    checked.set("account_session_key_probe", "true").await;
    for (behaviour, words) in [
        (says(401, &format!(r#"{{"error":{{"message":"no session {first}"}}}}"#)), "session key expired"),
        (says(200, "[]"), "names nothing"),
        (says(429, "{}"), "HTTP 429"),
        (Behaviour::body("text/html", "<html>wait</html>"), "no JSON"),
        (Behaviour::instead(fakeup::Then::Reset), "nothing was saved"),
    ] {
        organisations(&checked, behaviour);
        let refused = checked.replace(OLD, json!({ "api_key": first })).await;
        let message = refused["error"]["message"].as_str().unwrap_or_else(|| panic!("{refused}"));
        assert!(message.contains("nothing was saved") && message.contains(words), "{message}");
        assert!(!message.contains("CANARY") && !message.contains("Hint"), "{message}");
        let asked = checked.rig.upstream.invoice().pop().unwrap();
        assert_eq!(asked.request.header("cookie"), Some(format!("sessionKey={first}").as_str()));
    }
    let after = checked.account(OLD).await;
    assert_eq!((&after["version"], &after["state"]), (&before["version"], &json!("valid")), "{after}");
    assert_eq!(after["check"]["failures"], 0, "what was tried counts against nobody: {after}");

    organisations(&checked, says(200, r#"[{"uuid":"o-1"}]"#));
    let saved = checked.replace(OLD, json!({ "api_key": first })).await;
    assert_eq!(saved["state"], "valid", "{saved}");
    let told = checked.told().await;
    assert_eq!((&told["after"]["api_key"], &told["after"]["probe"]), (&json!("changed"), &json!("passed")));
    checked.check(OLD).await;
    let asked = checked.rig.upstream.invoice().pop().unwrap();
    assert_eq!(asked.request.header("cookie"), Some(format!("sessionKey={first}").as_str()));

    // Somebody insists.
    organisations(&checked, says(401, "{}"));
    let count = checked.rig.upstream.invoice().len();
    let saved = checked.replace(OLD, json!({ "api_key": second, "probe": false })).await;
    assert!(saved.get("error").is_none(), "{saved}");
    assert_eq!(checked.rig.upstream.invoice().len(), count, "nobody was asked");
    let told = checked.told().await;
    assert_eq!(told["after"]["probe"], "skipped", "{told}");
    assert!(!told.to_string().contains("CANARY-second"), "{told}");
    checked.check(OLD).await;
    let asked = checked.rig.upstream.invoice().pop().unwrap();
    assert_eq!(asked.request.header("cookie"), Some(format!("sessionKey={second}").as_str()));
}

#[tokio::test]
async fn oa_07_what_looks_wrong_is_said_with_the_refusal() {
    let checked = Checked::bare("anthropic", &[OLD]).await;
    checked.set("account_session_key_probe", "true").await;
    let refusal = r#"{"type":"error","error":{"type":"authentication_error","message":"invalid"}}"#;
    checked.rig.upstream.script(Rule::always(says(401, refusal)));
    let whole = format!("sessionKey={}", session_key("whole"));
    for (key, hint) in [
        ("sk-ant-sid01-short", "copied whole"),
        (whole.as_str(), "whole cookie"),
        ("sk-ant-oat01-abcdefgh", "signing in"),
        ("sk-ant-api03-abcdefgh", "an API key"),
        ("something-else", "begins with sk-ant-sid"),
    ] {
        let refused = checked.replace(OLD, json!({ "api_key": key })).await;
        let message = refused["error"]["message"].as_str().unwrap_or_else(|| panic!("{refused}"));
        assert!(message.contains("Hint: ") && message.contains(hint), "{key}: {message}");
    }
    // A hint stops nobody whom the vendor takes: an API key may follow a session key.
    checked.rig.upstream.script(Rule::credential("sk-ant-api03-abcdefgh", Behaviour::default()));
    let saved = checked.replace(OLD, json!({ "api_key": "sk-ant-api03-abcdefgh" })).await;
    assert_eq!((&saved["session_key"], &saved["state"]), (&json!(false), &json!("valid")), "{saved}");
}

#[tokio::test]
async fn oa_07_any_key_is_tried_first_where_that_is_asked_for_and_only_there() {
    let checked = Checked::bare("anthropic", &["up-a"]).await;
    checked.on("up-bad", Behaviour::status(401));
    let refused = checked.replace("up-a", json!({ "api_key": "up-bad", "probe": true })).await;
    assert_eq!(refused["error"]["code"], "probe_failed", "{refused}");
    assert_eq!(checked.ask().await, 200, "the old key serves on");
    let saved = checked.replace("up-a", json!({ "api_key": "up-good", "probe": true })).await;
    assert_eq!(saved["state"], "valid", "{saved}");
    let asked = checked.rig.upstream.invoice().len();
    let saved = checked.replace("up-a", json!({ "api_key": "up-bad" })).await;
    assert!(saved.get("error").is_none(), "{saved}");
    assert_eq!(checked.rig.upstream.invoice().len(), asked, "not asked for, not done");
    // Without a new secret there is nothing to try.
    let renamed = checked.replace("up-a", json!({ "priority": 3, "probe": true })).await;
    assert_eq!(renamed["priority"], 3, "{renamed}");
    assert_eq!(checked.rig.upstream.invoice().len(), asked);

    let new =
        |key: &str| json!({ "provider_id": checked.provider, "name": key, "api_key": key, "probe": true });
    let server = &checked.rig.server;
    let refused = server.admin("POST", "/credentials", &new("up-bad")).await;
    assert_eq!(refused["error"]["code"], "probe_failed", "{refused}");
    assert_eq!(checked.get("/credentials").await["items"].as_array().unwrap().len(), 1);
    let made = server.admin("POST", "/credentials", &new("up-new")).await;
    assert_eq!(made["name"], "up-new", "{made}");
}

#[tokio::test]
async fn oa_07_the_page_replaces_a_session_key_without_scripts_in_both_languages() {
    let checked = Checked::bare("anthropic", &[OLD, "up-a"]).await;
    checked.set("account_session_key_probe", "true").await;
    organisations(&checked, says(401, r#"{"error":{"message":"Invalid session"}}"#));
    let (id, provider) = (checked.id(OLD).await, checked.provider);
    let edit = format!("/providers/{provider}?edit={id}");
    let key = session_key("page");
    let form = async |browser: &Browser<'_>, probe: &str| {
        let version = checked.account(OLD).await["version"].clone();
        let body = format!(
            "provider_id={provider}&id={id}&form[name]={OLD}&form[api_key]={key}&form[version]={version}{probe}"
        );
        browser.send("/rpc/app/api/credential/update", &edit, &body).await
    };
    for (lang, button, ask_first, refusal) in [
        ("en", "Replace session key", "Ask the vendor first", "Nothing was saved."),
        ("zh", "更换会话密钥", "先向供应商验证", "未保存任何内容"),
    ] {
        let browser = Browser::sign_in(&checked.rig.server, lang).await;
        let page = browser.page(&format!("/providers/{provider}")).await;
        assert_eq!(page.matches(button).count(), 1, "for the session key alone: {page}");
        let page = browser.page(&edit).await;
        assert!(page.contains(ask_first), "{page}");
        let tick = page.split("id=\"credential-probe\"").nth(1).unwrap().split('>').next().unwrap();
        assert!(tick.contains("checked"), "the tick is there for a session key: {tick}");
        let landed = form(&browser, "&form[probe]=on").await;
        let page = browser.page(&landed).await;
        assert!(page.contains(refusal) && page.contains("Invalid session"), "{landed}: {page}");
        assert!(!page.contains(&key), "{page}");
    }
    let browser = Browser::sign_in(&checked.rig.server, "en").await;
    let landed = form(&browser, "").await;
    assert_eq!(landed, format!("/providers/{provider}?done=saved"));
    assert_eq!(checked.told().await["after"]["probe"], "skipped");
    let api = checked.id("up-a").await;
    let page = browser.page(&format!("/providers/{provider}?edit={api}")).await;
    let tick = page.split("id=\"credential-probe\"").nth(1).unwrap().split('>').next().unwrap();
    assert!(!tick.contains("checked"), "other keys are tried where somebody asks for it: {tick}");
}
