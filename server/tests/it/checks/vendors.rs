//! Accounts are asked after as their vendor's descriptor says (HC-06 to HC-09), at the provider's own host.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fakeup::{Behaviour, Entry, Rule, Then};
use serde_json::{Value, json};

use super::{Checked, eventually};
use crate::rig::Rig;
use crate::rig::faces::ANTHROPIC;

const USAGE: &str = "/api/oauth/usage";
const ACCOUNTS: &str = "/backend-api/accounts/check/v4-2023-04-27";
const ORGANISATIONS: &str = "/api/organizations";

fn says(status: u16, body: &str) -> Behaviour {
    Behaviour { status: Some(status), ..Behaviour::body("application/json", body.to_owned()) }
}

/// A token of a person, as vendors sign them; nobody here checks the signature.
fn jwt(exp: u64) -> String {
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let claims = json!({"exp": exp, "email": "one@example.com"});
    format!("{}.{}.c2ln", part(json!({"alg": "none"})), part(claims))
}

#[expect(clippy::disallowed_methods, reason = "a token that is good by the real clock")]
fn in_a_day() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + 86_400
}

/// Accounts taken over from another installation: a provider of that kind with these tokens. Answers what was done.
async fn taken_over(rig: &Rig, kind: &str, path: &str, vendor: &str, tokens: &[&str]) -> Value {
    let credentials: Vec<Value> = tokens
        .iter()
        .map(|token| {
            let set = json!({ "access_token": token }).to_string();
            json!({ "auth": "oauth", "secret": set, "name": token, "vendor": vendor })
        })
        .collect();
    let base_url = format!("{}{path}", rig.upstream.base_url());
    let provider = json!({ "name": vendor, "kind": kind, "base_url": base_url });
    let content = json!({
        "tollgate_export": 1, "providers": [{ "provider": provider, "credentials": credentials }],
    });
    let done =
        rig.server.admin("POST", "/credentials/import", &json!({ "content": content.to_string() })).await;
    assert_eq!(done["applied"], true, "{done}");
    done
}

/// Accounts of Claude's, checks switched off.
async fn claude(tokens: &[&str]) -> Checked {
    let mut checked = Checked::bare("openai", &[]).await;
    taken_over(&checked.rig, "anthropic", "", "claude", tokens).await;
    let page = checked.get("/providers").await;
    let all = page["items"].as_array().unwrap();
    checked.provider = all.iter().find(|one| one["name"] == "claude").unwrap()["id"].as_i64().unwrap();
    checked
}

fn on(checked: &Checked, token: &str, path: &str, behaviour: Behaviour) {
    let rule = Rule { path: Some(path.to_owned()), ..Rule::credential(token, behaviour) };
    checked.rig.upstream.script(rule);
}

/// What was asked of the vendor last.
fn last(rig: &Rig) -> Entry {
    rig.upstream.invoice().last().unwrap().clone()
}

#[tokio::test]
async fn hc_06_a_claude_account_is_asked_after_at_its_usage_endpoint_and_each_answer_has_its_verdict() {
    let cases = [
        (
            "up-healthy",
            says(200, r#"{"five_hour":{"utilization":3.0,"resets_at":null}}"#),
            Some(200),
            "healthy",
            "valid",
        ),
        ("up-401", Behaviour::status(401), Some(401), "failed", "needs_reauth"),
        ("up-403", Behaviour::status(403), Some(403), "failed", "needs_reauth"),
        ("up-429", Behaviour::status(429), Some(429), "alive", "valid"),
        ("up-500", Behaviour::status(500), Some(500), "inconclusive", "valid"),
        ("up-529", Behaviour::status(529), Some(529), "inconclusive", "valid"),
        (
            "up-page",
            Behaviour::body("text/html", "<html>sign in here</html>"),
            Some(200),
            "inconclusive",
            "valid",
        ),
        (
            "up-wall",
            Behaviour { status: Some(403), ..Behaviour::body("text/html", "<html>a browser, please</html>") },
            Some(403),
            "inconclusive",
            "valid",
        ),
        (
            "up-scope",
            says(403, r#"{"error":{"message":"OAuth token does not meet scope requirement user:profile"}}"#),
            Some(403),
            "not_probed",
            "valid",
        ),
        ("up-gone", Behaviour::instead(Then::Reset), None, "inconclusive", "valid"),
    ];
    let tokens: Vec<&str> = cases.iter().map(|case| case.0).collect();
    let checked = claude(&tokens).await;
    for (token, behaviour, status, result, state) in cases {
        on(&checked, token, USAGE, behaviour);
        let report = checked.check(token).await;
        let found = (report["status"].as_u64(), report["result"].as_str(), report["probe"].as_str());
        assert_eq!(found, (status, Some(result), Some("claude_usage")), "{report}");
        if result == "failed" {
            let remedy = report["remedy"].as_str().unwrap();
            assert!(remedy.contains("access token expired or revoked: re-authorise"), "{report}");
        }
        let asked = last(&checked.rig);
        assert_eq!((asked.request.method.as_str(), asked.request.path()), ("GET", USAGE));
        assert_eq!(asked.request.header("authorization"), Some(format!("Bearer {token}").as_str()));
        assert_eq!(asked.request.header("anthropic-beta"), Some("oauth-2025-04-20"));
        assert!(asked.request.body.is_empty());
        eventually(token, async || (checked.account(token).await["state"] == state).then_some(())).await;
    }
    let lines = checked.get(&format!("/credentials/{}/checks", checked.id("up-403").await)).await;
    assert_eq!(
        (&lines["items"][0]["probe"], &lines["items"][0]["result"]),
        (&json!("claude_usage"), &json!("failed"))
    );
}

#[tokio::test]
async fn hc_06_a_limited_account_is_alive_and_only_a_healthy_answer_brings_it_back() {
    let checked = claude(&["up-a"]).await;
    for (behaviour, result, recovered, state, failures) in [
        (Behaviour::status(403), "failed", false, "needs_reauth", 1),
        (Behaviour::status(429), "alive", false, "needs_reauth", 1),
        (Behaviour::status(500), "inconclusive", false, "needs_reauth", 1),
        (says(200, "{}"), "healthy", true, "valid", 0),
    ] {
        on(&checked, "up-a", USAGE, behaviour);
        let report = checked.check("up-a").await;
        assert_eq!(
            (&report["result"], &report["recovered"]),
            (&json!(result), &json!(recovered)),
            "{report}"
        );
        let account = checked.account("up-a").await;
        assert_eq!((&account["state"], &account["check"]["failures"]), (&json!(state), &json!(failures)));
    }
}

#[tokio::test]
async fn ex_12_windows_of_the_usage_endpoint_are_bars_and_keep_requests_away_from_a_used_up_account() {
    let checked = claude(&["up-a", "up-b"]).await;
    checked.set("affinity.enabled", "false").await;
    checked.set("account_allowance_percent", "90").await;
    let reset = checked.clock.now().plus_ms(5 * 3_600_000);
    let used = |five: f64| {
        let body = json!({
            "five_hour": {"utilization": five, "resets_at": reset.to_string()},
            "seven_day": {"utilization": 41.0, "resets_at": null},
            "seven_day_opus": {"utilization": 99.0, "resets_at": null},
        });
        says(200, &body.to_string())
    };
    on(&checked, "up-a", USAGE, used(93.4));
    on(&checked, "up-b", USAGE, used(12.0));
    let round = checked.post("/credentials/check").await;
    assert_eq!(round["counts"]["healthy"], 2, "{round}");
    let account = checked.account("up-a").await;
    let windows = account["allowance"]["windows"].as_array().unwrap();
    let told: Vec<_> =
        windows.iter().map(|w| (w["name"].as_str().unwrap(), w["used_percent"].as_u64().unwrap())).collect();
    assert_eq!(told, [("5h", 93), ("7d", 41), ("7d_opus", 99)], "{account}");
    assert_eq!(windows[0]["resets_at"], json!(reset.to_string()));
    checked.rig.upstream.clear_invoice();
    for _ in 0..6 {
        let got = checked.rig.ask(checked.rig.keyed(ANTHROPIC.ask("claude-x", false))).await;
        assert_eq!(got.status, 200, "{}", got.text());
    }
    assert!(checked.rig.seen().iter().all(|token| token == "up-b"), "{:?}", checked.rig.seen());
    // A family's own window stops nobody: only that of all models does.
    on(&checked, "up-a", USAGE, used(5.0));
    checked.check("up-a").await;
    checked.rig.upstream.clear_invoice();
    for _ in 0..40 {
        checked.rig.ask(checked.rig.keyed(ANTHROPIC.ask("claude-x", false))).await;
    }
    assert!(checked.rig.seen().iter().any(|token| token == "up-a"), "{:?}", checked.rig.seen());
}

#[tokio::test]
async fn hc_07_a_session_key_is_asked_after_only_where_a_setting_says_so() {
    const KEY: &str = "sk-ant-sid01-CANARY-0001";
    let checked = Checked::bare("anthropic", &[KEY]).await;
    let report = checked.check(KEY).await;
    assert_eq!((&report["result"], &report["failures"]), (&json!("not_probed"), &json!(0)), "{report}");
    assert!(report["error"].as_str().unwrap().contains("account_session_key_probe"), "{report}");
    assert!(checked.rig.upstream.invoice().is_empty(), "nobody was asked");
    checked.set("account_session_key_probe", "true").await;
    for (behaviour, result, state) in [
        (says(200, r#"[{"uuid":"o-1"}]"#), "healthy", "valid"),
        (says(200, "[]"), "failed", "invalid"),
        (says(403, r#"{"error":{"message":"Invalid session"}}"#), "failed", "invalid"),
        (says(401, r#"{"error":{"message":"Invalid session"}}"#), "failed", "invalid"),
        (says(429, "{}"), "alive", "invalid"),
        (Behaviour::status(404), "not_probed", "invalid"),
        (Behaviour::body("text/html", "<html>wait</html>"), "inconclusive", "invalid"),
    ] {
        let rule = Rule { path: Some(ORGANISATIONS.to_owned()), ..Rule::always(behaviour) };
        checked.rig.upstream.script(rule);
        let report = checked.check(KEY).await;
        assert_eq!(
            (&report["result"], &report["probe"]),
            (&json!(result), &json!("session_key")),
            "{report}"
        );
        assert_eq!(checked.account(KEY).await["state"], state, "{report}");
        if result == "failed" {
            assert!(
                report["remedy"].as_str().unwrap().contains("session key expired: sign in again"),
                "{report}"
            );
        }
        assert!(!report["error"].to_string().contains("CANARY"), "{report}");
        let asked = last(&checked.rig);
        assert_eq!(asked.request.path(), ORGANISATIONS);
        assert_eq!(asked.request.header("cookie"), Some(format!("sessionKey={KEY}").as_str()));
        assert_eq!((asked.request.header("x-api-key"), asked.request.header("authorization")), (None, None));
    }
}

#[tokio::test]
async fn hc_08_a_chatgpt_account_needs_one_that_is_real_and_a_token_that_is_a_jwt() {
    let rig = Checked::bare("openai", &[]).await;
    let exp = in_a_day();
    let token = jwt(exp);
    let done =
        taken_over(&rig.rig, "openai", "/backend-api/codex", "codex", &[&token, "opaque-CANARY"]).await;
    let [good, bad] = done["providers"][0]["credentials"].as_array().unwrap().as_slice() else {
        panic!("{done}")
    };
    assert_eq!((&good["action"], &bad["action"]), (&json!("add"), &json!("skip")), "{done}");
    let reason = bad["reason"].as_str().unwrap();
    assert!(reason.contains("no JWT") && reason.contains("obtain a new ChatGPT OAuth token"), "{done}");
    let name = good["name"].as_str().unwrap().to_owned();
    let account = rig.account(&name).await;
    let end = types::Timestamp(i64::try_from(exp).unwrap() * 1_000).to_string();
    assert_eq!(account["token"]["expires_at"], json!(end), "its end is read out of it: {account}");
    for (body, result, state) in [
        (r#"{"accounts":{"default":{},"a-1":{"account":{}}}}"#, "healthy", "valid"),
        (r#"{"accounts":{"default":{}}}"#, "failed", "needs_reauth"),
        (r#"{"accounts":{"default":{},"a-1":{"account":{}}}}"#, "healthy", "valid"),
        (r#"{"accounts":{}}"#, "failed", "needs_reauth"),
        ("<html>", "inconclusive", "needs_reauth"),
    ] {
        on(&rig, &token, ACCOUNTS, says(200, body));
        let report = rig.check(&name).await;
        assert_eq!(
            (&report["result"], &report["probe"]),
            (&json!(result), &json!("chatgpt_accounts")),
            "{body} {report}"
        );
        assert_eq!(rig.account(&name).await["state"], state, "{body}");
        assert_eq!(
            last(&rig.rig).request.path(),
            ACCOUNTS,
            "the path is one of the host, not of the base address"
        );
        if result == "failed" {
            assert!(
                report["remedy"].as_str().unwrap().contains("obtain a new ChatGPT OAuth token"),
                "{report}"
            );
        }
    }
}

#[tokio::test]
async fn hc_08_a_sign_in_whose_token_is_no_jwt_stores_nothing_where_the_vendor_has_jwts() {
    let checked = Checked::bare("openai", &[]).await;
    let base = checked.rig.upstream.base_url();
    let spec = |strict: bool| {
        json!({"spec": {
            "label": "Test", "authorize_url": format!("{base}/authorize"), "token_url": format!("{base}/grant"),
            "probe": {"token_is_jwt": strict, "remedy": "sign in with the other client"},
        }, "client_id": "c-1"})
    };
    let grant = says(200, r#"{"access_token":"opaque-CANARY","refresh_token":"r","expires_in":3600}"#);
    checked.rig.upstream.script(Rule { path: Some("/grant".to_owned()), ..Rule::always(grant) });
    for (strict, phase) in [(true, "error"), (false, "completed")] {
        let server = &checked.rig.server;
        let made = server.admin("PUT", "/oauth/vendors/test", &spec(strict)).await;
        assert_eq!(made["spec"]["probe"]["token_is_jwt"], strict, "{made}");
        let begin = json!({"vendor": "test", "provider_id": checked.provider, "way": "callback", "origin": "http://g.example"});
        let flow = server.admin("POST", "/oauth/flows", &begin).await;
        let url = flow["authorize_url"].as_str().unwrap_or_else(|| panic!("{flow}"));
        let state = url.split("state=").nth(1).unwrap().split('&').next().unwrap();
        let pasted = json!({"pasted": format!("code=c-1&state={state}")});
        let done = server.admin("POST", &format!("/oauth/flows/{}/finish", flow["id"]), &pasted).await;
        if strict {
            let said = done["error"]["message"].as_str().unwrap();
            assert!(
                said.contains("no JWT") && said.contains("the other client") && !said.contains("CANARY"),
                "{done}"
            );
        }
        // A sign-in that failed has a field named `error` too.
        let flow = server.admin("GET", &format!("/oauth/flows/{}", flow["id"]), &Value::Null).await;
        assert_eq!(flow["phase"], phase, "{flow}");
        let stored = checked.get("/credentials").await["items"].as_array().unwrap().len();
        assert_eq!(stored, usize::from(!strict));
    }
}

#[tokio::test]
async fn hc_09_a_google_account_is_asked_after_by_its_models_and_the_remedy_names_google() {
    let checked = Checked::bare("openai", &[]).await;
    taken_over(&checked.rig, "gemini", "", "gemini", &["up-good", "up-bad", "up-off"]).await;
    let path = "/v1beta/models";
    let off = r#"{"error":{"code":403,"message":"The API has not been used in project p-1 before or it is disabled.","status":"PERMISSION_DENIED"}}"#;
    let bad = r#"{"error":{"code":401,"message":"Request had invalid authentication credentials.","status":"UNAUTHENTICATED"}}"#;
    on(&checked, "up-bad", path, says(401, bad));
    on(&checked, "up-off", path, says(403, off));
    for (token, result, state) in
        [("up-good", "healthy", "valid"), ("up-bad", "failed", "needs_reauth"), ("up-off", "failed", "valid")]
    {
        let report = checked.check(token).await;
        assert_eq!((&report["result"], &report["probe"]), (&json!(result), &json!("models")), "{report}");
        if result == "failed" {
            assert!(
                report["remedy"].as_str().unwrap().contains("Google OAuth authorisation needed"),
                "{report}"
            );
        }
        let asked = last(&checked.rig);
        assert_eq!(asked.request.path(), path);
        assert_eq!(asked.request.header("authorization"), Some(format!("Bearer {token}").as_str()));
        eventually(token, async || (checked.account(token).await["state"] == state).then_some(())).await;
    }
}

#[tokio::test]
async fn hc_10_a_descriptor_that_the_operator_changes_is_asked_by_at_once() {
    let checked = claude(&["up-a"]).await;
    let vendor = checked.get("/oauth/vendors/claude").await;
    assert_eq!(vendor["spec"]["probe_url"], USAGE, "{vendor}");
    let mut spec = vendor["spec"].clone();
    spec["probe_url"] = json!("/v9/health?deep=1");
    spec["probe"] = json!({
        "name": "own", "headers": {"x-reason": "check"}, "statuses": {"4xx": "not_probed", "418": "sign_in"},
        "remedy": "ask the operator",
    });
    let server = &checked.rig.server;
    let put = server.admin("PUT", "/oauth/vendors/claude", &json!({ "spec": spec })).await;
    assert_eq!(put["changed"], true, "{put}");
    for (status, result) in [(404, "not_probed"), (418, "failed")] {
        on(&checked, "up-a", "/v9/health", Behaviour::status(status));
        let report = checked.check("up-a").await;
        assert_eq!((&report["result"], &report["probe"]), (&json!(result), &json!("own")), "{report}");
        let asked = last(&checked.rig);
        assert_eq!(
            (asked.request.target.as_str(), asked.request.header("x-reason")),
            ("/v9/health?deep=1", Some("check"))
        );
    }
    let account = checked.account("up-a").await;
    assert!(account["check"]["message"].as_str().unwrap().contains("418"), "{account}");
    for (field, value) in [
        ("probe_url", json!("//elsewhere.example/x")),
        ("probe", json!({"method": "POST"})),
        ("probe", json!({"headers": {"host": "elsewhere.example"}})),
    ] {
        let mut wrong = spec.clone();
        wrong[field] = value;
        let refused = server.admin("PUT", "/oauth/vendors/claude", &json!({ "spec": wrong })).await;
        let fields = refused["error"]["fields"].as_object().unwrap();
        assert!(fields.keys().all(|name| name.starts_with(field)), "{refused}");
    }
}
