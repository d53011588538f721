//! The pages, in both languages and without scripts (HC-02, HC-04, HC-05, HC-11, HC-15, TP-09, TP-13).

use fakeup::Behaviour;
use serde_json::json;

use super::Checked;
use crate::rig::browser::Browser;

#[tokio::test]
async fn hc_02_hc_15_the_page_says_whether_checks_are_on_and_how_they_do_in_both_languages() {
    let checked = Checked::bare("anthropic", &["up-a", "up-b"]).await;
    let (english, chinese) = (
        Browser::sign_in(&checked.rig.server, "en").await,
        Browser::sign_in(&checked.rig.server, "zh").await,
    );
    let off = english.page("/pool").await;
    assert!(
        off.contains("Checks are off") && off.contains("/settings#setting-account_health_check_enabled"),
        "{off}"
    );
    assert!(chinese.page("/pool").await.contains("检查已关闭"));
    assert!(english.page("/settings").await.contains("id=\"setting-account_health_check_enabled\""));
    checked.set("account_health_check_enabled", "true").await;
    checked.on("up-b", Behaviour::status(401));
    assert_eq!(english.press("check/all", "").await, "/pool?done=checked");
    let on = english.page("/pool").await;
    for words in ["Checks are on.", "Last check", "Next check", "Inconclusive", "Switched off by checks"] {
        assert!(on.contains(words), "{words} is missing: {on}");
    }
    let card = checked.get("/checks").await;
    assert_eq!((&card["counts"]["healthy"], &card["counts"]["failed"]), (&json!(1), &json!(1)), "{card}");
    assert!(card["last_run_at"].is_string() && card["next_run_at"].is_string());
}

#[tokio::test]
async fn hc_01_hc_04_hc_05_hc_11_errors_are_listed_explained_and_mended_without_scripts() {
    let checked = Checked::bare("anthropic", &["up-a", "up-b"]).await;
    checked.set("account_error_threshold", "2").await;
    let browser = Browser::sign_in(&checked.rig.server, "en").await;
    assert!(browser.page("/pool?errors=1").await.contains("No credential has errors in a row."));
    checked.on("up-b", Behaviour::status(401));
    let id = checked.id("up-b").await;
    let landing = browser.press("check/one", &format!("id={id}")).await;
    assert_eq!(landing, format!("/pool?history={id}&done=checked"));
    let history = browser.page(&landing).await;
    assert!(history.contains("Last checks") && history.contains("HTTP 401"), "{history}");
    let remedy = "the vendor does not take this API key: make a new one";
    let list = history.split("id=\"history\"").nth(1).unwrap().split("</section>").next().unwrap();
    assert!(list.contains("What to do") && list.contains(remedy), "HC-14: what to do is on the page: {list}");
    let chinese = Browser::sign_in(&checked.rig.server, "zh").await.page("/pool").await;
    let todo = "供应商不接受此 API 密钥：请在供应商控制台新建密钥";
    assert!(chinese.contains("处理办法") && chinese.contains(todo), "and beside the last check: {chinese}");
    browser.press("check/one", &format!("id={id}")).await;
    let page = browser.page("/pool?errors=1").await;
    let list = page.split("id=\"errors\"").nth(1).unwrap().split("</section>").next().unwrap();
    for words in ["up-b", "anthropic", "0 / 2", "HTTP 401", "Reset and enable"] {
        assert!(list.contains(words), "{words} is missing: {list}");
    }
    assert!(!list.contains("/ up-a"), "it has no errors: {list}");
    assert!(page.contains("Auto-disabled 2/2"), "{page}");
    assert_eq!(browser.press("check/enable", &format!("id={id}")).await, "/pool?done=enabled");
    let page = browser.page("/pool?done=enabled").await;
    assert!(page.contains("in use again") && !page.contains("Auto-disabled 2/2"), "{page}");
    assert_eq!(checked.account("up-b").await["enabled"], true);
    browser.press("check/one", &format!("id={id}")).await;
    assert_eq!(browser.press("check/reset", &format!("id={id}")).await, "/pool?done=errors_reset");
    assert_eq!(checked.failures("up-b").await, 0);
    browser.press("check/one", &format!("id={id}")).await;
    assert_eq!(browser.press("check/reset_all", "").await, "/pool?done=errors_reset");
    assert_eq!(checked.failures("up-b").await, 0);
    // The last fifty, and no more.
    checked.set("account_error_threshold", "100").await;
    for _ in 0..52 {
        checked.check("up-b").await;
    }
    let lines = checked.get(&format!("/credentials/{id}/checks")).await;
    let lines = lines["items"].as_array().unwrap();
    assert_eq!(lines.len(), 50);
    assert!(
        lines
            .iter()
            .all(|line| line["probe"] == "models" && line["latency_ms"].is_u64() && line["at"].is_string())
    );
    assert!(
        lines[0]["remedy"].as_str().unwrap().contains(remedy)
            && checked.account("up-b").await["check"]["remedy"] == lines[0]["remedy"]
    );
}

#[tokio::test]
async fn tp_09_tp_13_the_page_of_the_pool_warns_of_what_is_missing_and_shows_its_day() {
    let fault = types::pool::PoolFault {
        kind: types::pool::PoolFaultKind::Placeholder,
        subject: "POOL_KEYS_FAKE_ANTHROPIC".to_owned(),
        entry: Some(3),
        message: "entry 3 is a placeholder, not a key".to_owned(),
    };
    let list = gateway::EnvList {
        variable: "POOL_KEYS_FAKE_ANTHROPIC".to_owned(),
        provider: "FAKE_ANTHROPIC".to_owned(),
        tier: types::credential::Tier::Shared,
        entries: vec![gateway::EnvEntry { number: 1, secret: types::Secret::new("up-env".to_owned()) }],
        refused: vec![fault],
    };
    let checked = Checked::with("anthropic", &["up-a"], |config| config.pool_lists = vec![list]).await;
    let (english, chinese) = (
        Browser::sign_in(&checked.rig.server, "en").await,
        Browser::sign_in(&checked.rig.server, "zh").await,
    );
    let page = english.page("/pool").await;
    for words in
        ["Part of the pool could not be set up", "POOL_KEYS_FAKE_ANTHROPIC", "entry 3: this is a placeholder"]
    {
        assert!(page.contains(words), "{words} is missing: {page}");
    }
    assert!(page.contains("from the environment:"), "the credential that came of it is marked: {page}");
    assert!(!page.contains("id=\"trend\""), "nothing happened yet");
    assert!(
        english.page("/").await.contains("POOL_KEYS_FAKE_ANTHROPIC: some credentials that it names"),
        "the overview"
    );
    let page = chinese.page("/pool").await;
    assert!(page.contains("部分凭证未能载入") && page.contains("第 3 项：是占位文本"), "{page}");
    let got = checked.rig.ask(checked.rig.keyed(crate::rig::faces::ANTHROPIC.ask("m-1", false))).await;
    assert_eq!(got.status, 200, "{}", got.text());
    let page = english.page("/pool").await;
    assert!(page.contains("id=\"trend\"") && page.contains("Attempts that went well in 24 hours"), "{page}");
    let own = english.page(&format!("/providers/{}", checked.provider)).await;
    assert!(own.contains("Named by this variable") && own.contains("up-a"), "{own}");
}

#[tokio::test]
async fn cr_04_the_system_page_says_under_which_key_secrets_are_and_seals_anew_without_scripts() {
    let checked = Checked::bare("anthropic", &["up-a"]).await;
    let (english, chinese) = (
        Browser::sign_in(&checked.rig.server, "en").await,
        Browser::sign_in(&checked.rig.server, "zh").await,
    );
    let page = english.page("/system").await;
    for words in ["Stored secrets", "Everything is sealed with the current key.", "Secrets of credentials"] {
        assert!(page.contains(words), "{words} is missing: {page}");
    }
    assert!(chinese.page("/system").await.contains("已加密存储的机密"));
    assert_eq!(english.press("system/rotate", "").await, "/system?done=rotating");
    let until = tokio::time::Instant::now() + crate::rig::SOON;
    while checked.get("/secrets").await["rotation"]["phase"] != "done" {
        assert!(tokio::time::Instant::now() < until, "it does not end");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let page = english.page("/system?done=rotating").await;
    assert!(page.contains("has begun") && page.contains("0 sealed anew"), "{page}");
}
