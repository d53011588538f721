//! What vendors say of an account's usage windows, and stopping before they do (EX-12).

use fakeup::{Behaviour, Rule};
use serde_json::{Value, json};

use super::{Checked, MINUTE, eventually};
use crate::harness::Running;
use crate::rig::browser::Browser;
use crate::rig::faces::{ANTHROPIC, CHAT};
use crate::rig::names::{Names, Says};

const FIVE_HOURS: i64 = 300 * MINUTE;

fn used(share: &str, resets_at_ms: i64) -> Behaviour {
    Behaviour::default()
        .header("anthropic-ratelimit-unified-5h-utilization", share)
        .header("anthropic-ratelimit-unified-5h-reset", &(resets_at_ms / 1_000).to_string())
        .header("anthropic-ratelimit-unified-7d-utilization", "0.12")
}

async fn served(checked: &Checked) -> (u16, Vec<String>) {
    checked.rig.upstream.clear_invoice();
    (checked.ask().await, checked.rig.seen())
}

#[tokio::test]
async fn ex_12_a_credential_is_left_alone_before_its_hard_limit_and_is_back_when_the_window_begins_anew() {
    let checked = Checked::bare("anthropic", &["up-a", "up-b"]).await;
    checked.set("affinity.enabled", "false").await;
    let reset = checked.clock.now().0 + FIVE_HOURS;
    checked.on("up-a", used("0.91", reset));
    assert_eq!(served(&checked).await, (200, vec!["up-a".to_owned()]));
    let account = checked.account("up-a").await;
    let windows = account["allowance"]["windows"].as_array().unwrap();
    assert_eq!((&windows[0]["name"], &windows[0]["used_percent"]), (&json!("5h"), &json!(91)), "{account}");
    let resets_at = windows[0]["resets_at"].as_str().unwrap().parse::<types::Timestamp>().unwrap();
    assert!((resets_at.0 - reset).abs() <= 1_000, "{resets_at}");
    assert_eq!((&windows[1]["name"], &windows[1]["used_percent"]), (&json!("7d"), &json!(12)));
    let browser = Browser::sign_in(&checked.rig.server, "en").await;
    let page = browser.page("/pool").await;
    assert!(page.contains("<meter") && page.contains("5h 91 %") && page.contains("7d 12 %"), "bars: {page}");
    assert_eq!(served(&checked).await, (200, vec!["up-a".to_owned()]), "by default the vendor decides");

    checked.set("account_allowance_percent", "90").await;
    let ask = ANTHROPIC.ask("m-1", false);
    let id = ask.id.clone();
    checked.rig.upstream.clear_invoice();
    assert_eq!(checked.rig.ask(checked.rig.keyed(ask)).await.status, 200);
    assert_eq!(checked.rig.seen(), ["up-b"]);
    let row = checked.rig.row(&id).await;
    let removed = row["decision"]["removed"].as_array().unwrap();
    assert!(removed.iter().any(|one| one["filter"] == "allowance"), "the record says why: {row}");
    // Whoever is left alone is not shown as if he served.
    let account = checked.account("up-a").await;
    assert_eq!((&account["state"], &account["enabled"]), (&json!("rate_limited"), &json!(true)), "{account}");
    let why = account["state_reason"].as_str().unwrap();
    assert!(why.contains("90 %") && why.contains("account_allowance_percent"), "{why}");
    let until = account["cooldown_until"].as_str().unwrap().parse::<types::Timestamp>().unwrap();
    assert!((until.0 - reset).abs() <= 1_000, "{until}");
    let pool = checked.get("/pool").await;
    assert_eq!((&pool["total"], &pool["active"]), (&json!(2), &json!(1)), "{pool}");
    assert!(browser.page("/pool").await.contains("left alone: 90 %"));
    checked.on("up-b", used("0.95", reset));
    assert_eq!(served(&checked).await.0, 200);
    let refused = checked.rig.ask(checked.rig.keyed(ANTHROPIC.ask("m-1", false))).await;
    assert_eq!(refused.status, 429, "{}", refused.text());
    assert!(refused.text().contains("allowance 2"), "{}", refused.text());
    checked.set("account_allowance_percent", "93").await;
    assert_eq!(served(&checked).await, (200, vec!["up-a".to_owned()]), "at once");
    checked.set("account_allowance_percent", "50").await;
    assert_eq!(served(&checked).await.0, 429);
    checked.clock.advance(FIVE_HOURS + MINUTE);
    assert_eq!(served(&checked).await.0, 200, "the window began anew");
    assert_eq!(checked.get("/pool").await["active"], 2);
}

#[tokio::test]
async fn ex_12_ac_08_who_recovers_an_account_uses_it_until_its_vendor_says_more() {
    let checked = Checked::bare("anthropic", &["up-a", "up-b"]).await;
    for (name, value) in [("affinity.enabled", "false"), ("account_allowance_percent", "90")] {
        checked.set(name, value).await;
    }
    let reset = checked.clock.now().0 + FIVE_HOURS;
    checked.on("up-a", used("0.95", reset));
    let only = |name: &str| (200, vec![name.to_owned()]);
    let id = checked.id("up-a").await;
    for call in [format!("/credentials/{id}/recover"), "/credentials/recover".to_owned()] {
        assert_eq!(served(&checked).await, only("up-a"), "it says so");
        assert_eq!(served(&checked).await, only("up-b"), "it is left alone");
        let marks = checked.get("/cache/unavailable").await;
        assert_eq!(marks["items"][0]["credential_id"], id, "the list says who is not chosen: {marks}");
        assert!(marks["items"][0]["reason"].as_str().unwrap().contains("90 %"), "{marks}");
        let told = checked.post(&call).await;
        assert!(told["state"] == "valid" || told["cleared"] == 1, "{call}: {told}");
        assert_eq!(checked.account("up-a").await["state"], "valid", "{call}");
        assert_eq!(checked.get("/cache/unavailable").await["items"], json!([]));
    }
    assert_eq!(served(&checked).await, only("up-a"));
    assert_eq!(served(&checked).await, only("up-b"), "its vendor said it again");
}

#[tokio::test]
async fn ex_12_odd_windows_stop_nobody_for_long() {
    let checked = Checked::bare("anthropic", &["up-a", "up-b"]).await;
    for (name, value) in [("affinity.enabled", "false"), ("account_allowance_percent", "90")] {
        checked.set(name, value).await;
    }
    // Share, reset, whether the next request goes elsewhere, and what the page says is used.
    for (share, reset, stops, percent) in [
        ("1.35", "seconds", true, json!(135)),
        ("0.95", "iso", true, json!(95)),
        ("0.95", "9999999999999", true, json!(95)),
        ("0.95", "1577836800", false, json!(95)),
        ("-0.5", "seconds", false, Value::Null),
        ("NaN", "soon", false, Value::Null),
    ] {
        let ahead = checked.clock.now().plus_ms(MINUTE);
        let reset = match reset {
            "seconds" => (ahead.0 / 1_000).to_string(),
            "iso" => ahead.to_string(),
            other => other.to_owned(),
        };
        checked.rig.upstream.forget();
        let odd = Behaviour::default()
            .header("anthropic-ratelimit-unified-5h-utilization", share)
            .header("anthropic-ratelimit-unified-5h-reset", &reset);
        checked.on("up-a", odd);
        assert_eq!(served(&checked).await.1, ["up-a"], "{share} {reset}: an honest word ends the one before");
        let next = if stops { "up-b" } else { "up-a" };
        assert_eq!(served(&checked).await.1, [next], "{share} until {reset}");
        let account = checked.account("up-a").await;
        if !percent.is_null() {
            assert_eq!(account["allowance"]["windows"][0]["used_percent"], percent, "{account}");
        }
        // A minute, or five where nobody can say, and it is asked again.
        checked.clock.advance(6 * MINUTE);
        checked.rig.upstream.forget();
        checked.on("up-a", used("0.1", checked.clock.now().0 + FIVE_HOURS));
        assert_eq!(served(&checked).await.1, ["up-a"], "{share} until {reset} is over");
    }
}

#[tokio::test]
async fn ex_12_windows_of_a_minute_are_shown_and_stop_nobody_and_checks_hear_them_too() {
    let checked = Checked::bare("openai", &["up-a"]).await;
    checked.set("account_allowance_percent", "10").await;
    let minute = Behaviour::default()
        .header("x-ratelimit-limit-requests", "100")
        .header("x-ratelimit-remaining-requests", "5")
        .header("x-ratelimit-reset-requests", "20s");
    checked.rig.upstream.script(Rule::credential("up-a", minute));
    assert_eq!(checked.check("up-a").await["result"], "healthy");
    let account = checked.account("up-a").await;
    let window = &account["allowance"]["windows"][0];
    assert_eq!(
        (&window["name"], &window["used_percent"], &window["stops"]),
        (&json!("requests"), &json!(95), &json!(false))
    );
    let chat = CHAT.ask("m-1", false);
    assert_eq!(checked.rig.ask(checked.rig.keyed(chat)).await.status, 200);
    let codex = Behaviour::default()
        .header("x-codex-primary-used-percent", "64")
        .header("x-codex-primary-window-minutes", "300")
        .header("x-codex-primary-reset-after-seconds", "3600");
    checked.rig.upstream.script(Rule::credential("up-a", codex));
    checked.check("up-a").await;
    let chat = CHAT.ask("m-1", false);
    let refused = checked.rig.ask(checked.rig.keyed(chat)).await;
    assert!(refused.status == 429 && refused.text().contains("allowance 1"), "{}", refused.text());
}

#[tokio::test]
async fn ex_12_a_restart_knows_what_was_said() {
    let dir = tempfile::tempdir().unwrap();
    let upstream = fakeup::Fakeup::start().await;
    let running = Running::start_in(dir.path(), |_| {}).await.unwrap();
    running.provision("anthropic", &upstream.base_url()).await;
    let reset = gateway::Clock::system().now().0 + FIVE_HOURS;
    upstream.script(Rule::always(used("0.5", reset)));
    running.admin("POST", "/credentials/check", &Value::Null).await;
    let wake = format!("Authorization: Bearer {}\r\n", crate::harness::ADMIN_TOKEN);
    running.raw(crate::harness::post("/api/admin/tasks/recover/run", &wake, "")).await;
    eventually("it is kept", async || {
        let system = running.admin("GET", "/system", &Value::Null).await;
        let tasks = system["tasks"].as_array()?;
        let task = tasks.iter().find(|task| task["name"] == "recover")?;
        task["last_result"].as_str()?.contains("1 usage windows kept").then_some(())
    })
    .await;
    running.stop().await;
    let running = Running::start_in(dir.path(), |_| {}).await.unwrap();
    let all = running.admin("GET", "/credentials", &Value::Null).await;
    assert_eq!(all["items"][0]["allowance"]["windows"][0]["used_percent"], 50, "{all}");
    running.stop().await;
}

/// Credentials at a vendor's own name, which leads to the fake vendor here.
async fn at_vendors(vendors: &[(&str, &str)]) -> (Checked, Names) {
    let names = Names::start().await;
    let address = names.address;
    let checked = Checked::with("anthropic", &[], move |config| config.dns.servers = vec![address]).await;
    checked.set("affinity.enabled", "false").await;
    for (name, base) in vendors {
        let host = base.split('/').next().unwrap();
        names.say(host, Says::Addresses(vec![std::net::Ipv4Addr::LOCALHOST.into()]));
        let port = checked.rig.upstream.addr().port();
        let base_url = format!("http://{}", base.replacen(host, &format!("{host}:{port}"), 1));
        let spec = json!({ "name": name, "base_url": base_url, "api_key": null });
        let provider = checked.rig.provider("openai-compatible", spec).await;
        checked.rig.credential(provider, name, json!({})).await;
    }
    (checked, names)
}

fn says(checked: &Checked, credential: &str, path: &str, status: u16, body: &Value) {
    let behaviour =
        Behaviour { status: Some(status), ..Behaviour::body("application/json", body.to_string()) };
    let rule = Rule { path: Some(path.to_owned()), ..Rule::credential(credential, behaviour) };
    checked.rig.upstream.script(rule);
}

async fn chat(checked: &Checked) -> (u16, Vec<String>) {
    checked.rig.upstream.clear_invoice();
    let got = checked.rig.ask(checked.rig.keyed(CHAT.ask("m-1", false))).await;
    (got.status, checked.rig.seen())
}

#[tokio::test]
async fn ex_12_a_balance_is_a_bar_and_keeps_requests_away_before_it_is_spent() {
    let (checked, _names) =
        at_vendors(&[("up-router", "openrouter.ai/api/v1"), ("up-moon", "api.moonshot.cn/v1")]).await;
    let key = |left: f64| json!({"data": {"label": "x", "limit": 100, "limit_remaining": left, "usage": 1}});
    says(&checked, "up-router", "/api/v1/key", 200, &key(7.5));
    let moon = json!({"code": 0, "data": {"available_balance": 49.58, "voucher_balance": 0}});
    says(&checked, "up-moon", "/v1/users/me/balance", 200, &moon);
    for (name, path, probe) in [
        ("up-router", "/api/v1/key", "openrouter_key"),
        ("up-moon", "/v1/users/me/balance", "moonshot_balance"),
    ] {
        let report = checked.check(name).await;
        assert_eq!((&report["result"], &report["probe"]), (&json!("healthy"), &json!(probe)), "{report}");
        let asked = checked.rig.upstream.invoice().last().unwrap().clone();
        assert_eq!((asked.request.method.as_str(), asked.request.target.as_str()), ("GET", path));
        assert_eq!(asked.request.header("authorization"), Some(format!("Bearer {name}").as_str()));
    }
    let money = checked.account("up-router").await["allowance"]["balances"][0].clone();
    assert_eq!(
        (&money["currency"], &money["left"], &money["of"], &money["used_percent"]),
        (&json!("USD"), &json!("7.5"), &json!("100"), &json!(92)),
        "{money}"
    );
    let money = checked.account("up-moon").await["allowance"]["balances"][0].clone();
    assert_eq!((&money["left"], &money["used_percent"]), (&json!("49.58"), &Value::Null), "{money}");
    let page = Browser::sign_in(&checked.rig.server, "en").await.page("/pool").await;
    for words in ["Balance USD 7.5 of 100", "value=\"92\"", "Balance CNY 49.58"] {
        assert!(page.contains(words), "{words} is missing: {page}");
    }
    assert!(
        Browser::sign_in(&checked.rig.server, "zh")
            .await
            .page("/pool")
            .await
            .contains("余额 USD 7.5 总额 100")
    );

    checked.set("account_allowance_percent", "92").await;
    for _ in 0..4 {
        assert_eq!(chat(&checked).await, (200, vec!["up-moon".to_owned()]), "before the vendor refuses");
    }
    assert_eq!(checked.account("up-router").await["state"], "rate_limited");
    // Nothing left is nothing left, of whatever size it was.
    let none = json!({"code": 0, "data": {"available_balance": -0.1}});
    says(&checked, "up-moon", "/v1/users/me/balance", 200, &none);
    checked.check("up-moon").await;
    assert_eq!(chat(&checked).await, (429, Vec::new()));
    says(&checked, "up-router", "/api/v1/key", 200, &key(95.0));
    checked.check("up-router").await;
    assert_eq!(chat(&checked).await, (200, vec!["up-router".to_owned()]), "it was topped up");
}

#[tokio::test]
async fn hc_10_an_account_without_money_fails_its_check_and_comes_back_when_there_is_some() {
    let (checked, _names) =
        at_vendors(&[("up-deep", "api.deepseek.com"), ("up-flow", "api.siliconflow.cn/v1")]).await;
    let deep = |available: bool, left: &str| json!({"is_available": available, "balance_infos": [{"currency": "CNY", "total_balance": left}]});
    says(&checked, "up-deep", "/user/balance", 200, &deep(false, "0.00"));
    let report = checked.check("up-deep").await;
    assert_eq!((&report["result"], &report["failures"]), (&json!("failed"), &json!(1)), "{report}");
    assert!(report["remedy"].as_str().unwrap().contains("top it up"), "{report}");
    let account = checked.account("up-deep").await;
    assert_eq!(account["state"], "suspended", "{account}");
    assert_eq!(account["allowance"]["balances"][0]["used_percent"], 100, "{account}");
    assert_eq!(chat(&checked).await, (200, vec!["up-flow".to_owned()]));
    says(&checked, "up-deep", "/user/balance", 200, &deep(true, "110.00"));
    let report = checked.check("up-deep").await;
    assert_eq!((&report["result"], &report["recovered"]), (&json!("healthy"), &json!(true)), "{report}");
    assert_eq!(checked.account("up-deep").await["state"], "valid");
    // A list of models that anybody may read proves no key.
    let bad = json!("Invalid token");
    says(&checked, "up-flow", "/v1/user/info", 401, &bad);
    let report = checked.check("up-flow").await;
    assert_eq!(
        (&report["result"], &report["probe"]),
        (&json!("failed"), &json!("siliconflow_balance")),
        "{report}"
    );
    assert_eq!(checked.account("up-flow").await["state"], "invalid");
}
