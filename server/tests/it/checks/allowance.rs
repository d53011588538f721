//! What vendors say of an account's usage windows, and stopping before they do (EX-12).

use fakeup::{Behaviour, Rule};
use serde_json::{Value, json};

use super::{Checked, MINUTE, eventually};
use crate::harness::Running;
use crate::rig::faces::ANTHROPIC;

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
    let chat = crate::rig::faces::CHAT.ask("m-1", false);
    assert_eq!(checked.rig.ask(checked.rig.keyed(chat)).await.status, 200);
    let codex = Behaviour::default()
        .header("x-codex-primary-used-percent", "64")
        .header("x-codex-primary-window-minutes", "300")
        .header("x-codex-primary-reset-after-seconds", "3600");
    checked.rig.upstream.script(Rule::credential("up-a", codex));
    checked.check("up-a").await;
    let chat = crate::rig::faces::CHAT.ask("m-1", false);
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
