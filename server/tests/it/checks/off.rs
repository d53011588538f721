//! Counting, switching off, coming back (HC-01, HC-03, HC-05, HC-13, TP-17, AC-13).

use fakeup::{Behaviour, Then};
use gateway::Clock;
use serde_json::{Value, json};

use super::{Checked, MINUTE, eventually};
use crate::harness::Running;
use crate::rig::Rig;
use crate::rig::browser::Browser;

/// Forbidden, but not for good: counted, and nothing else follows.
fn forbidden() -> Behaviour {
    Behaviour {
        status: Some(403),
        ..Behaviour::body("application/json", r#"{"error":{"message":"not from here"}}"#)
    }
}

#[tokio::test]
async fn hc_01_hc_02_a_credential_is_switched_off_at_the_threshold_with_its_reason_and_a_click_brings_it_back()
 {
    let checked = Checked::bare("anthropic", &["up-a", "up-b"]).await;
    checked.set("affinity.enabled", "false").await;
    checked.on("up-a", Behaviour::status(401));
    checked.round().await;
    assert_eq!(checked.rig.seen(), Vec::<String>::new(), "checks are off unless they are switched on");
    assert_eq!(checked.get("/checks").await["enabled"], false);
    for (name, value) in [
        ("account_health_check_interval", "1"),
        ("account_error_threshold", "3"),
        ("account_health_check_enabled", "true"),
    ] {
        checked.set(name, value).await;
    }
    checked.tick().await;
    for failures in 1..=3 {
        checked.round().await;
        let account = checked.account("up-a").await;
        assert_eq!(account["check"]["failures"], failures, "{account}");
        assert_eq!(account["enabled"], json!(failures < 3));
    }
    let account = checked.account("up-a").await;
    assert_eq!(
        (&account["state"], &account["check"]["disabled_by"]),
        (&json!("disabled"), &json!("health_check"))
    );
    let reason = account["state_reason"].as_str().unwrap();
    assert!(reason.contains("3/3") && reason.contains("401"), "{reason}");
    assert!(account["check"]["disabled_at"].is_string());
    assert_eq!(checked.account("up-b").await["check"]["result"], "healthy");
    let id = account["id"].as_i64().unwrap();
    let events = checked.get(&format!("/credentials/{id}/events")).await;
    let event = &events["items"][0];
    assert_eq!((&event["to"], &event["cause"]), (&json!("disabled"), &json!("health_check")), "{events}");
    let audit = checked.get("/audit?object=credential&limit=1").await;
    assert_eq!(
        (&audit["items"][0]["action"], &audit["items"][0]["actor"]),
        (&json!("credential.disable"), &json!("health_check"))
    );
    let metrics = checked.metrics().await;
    assert!(metrics.contains("tollgate_credentials_switched_off_total 1"), "{metrics}");
    let attention = async || checked.get("/overview").await["attention"].clone();
    let told = attention().await;
    assert_eq!(
        (&told[0]["kind"], &told[0]["credential_id"]),
        (&json!("credential_off"), &json!(id)),
        "{told}"
    );
    for (lang, words) in [("en", "was switched off by its health checks"), ("zh", "已被健康检查停用")]
    {
        let browser = Browser::sign_in(&checked.rig.server, lang).await;
        assert!(browser.page("/").await.contains(words), "{lang}");
    }
    checked.rig.upstream.clear_invoice();
    assert_eq!((checked.ask().await, checked.rig.seen()), (200, vec!["up-b".to_owned()]));

    let view = checked.post(&format!("/credentials/{id}/enable")).await;
    assert_eq!(
        (&view["enabled"], &view["state"], &view["check"]["failures"]),
        (&json!(true), &json!("valid"), &json!(0))
    );
    assert!(!attention().await.to_string().contains("credential_off"));
    assert!(view["check"]["disabled_by"].is_null() && view["check"]["disabled_reason"].is_null(), "{view}");
    checked.rig.upstream.forget();
    checked.rig.upstream.clear_invoice();
    assert_eq!((checked.ask().await, checked.rig.seen()), (200, vec!["up-a".to_owned()]), "in use at once");
}

#[tokio::test]
async fn hc_03_interval_and_threshold_hold_at_once_and_are_listed_by_their_prefix() {
    let checked = Checked::bare("anthropic", &["up-a"]).await;
    let listed = checked.get("/settings?prefix=account_").await;
    let named = |name: &str| {
        let all = listed["items"].as_array().unwrap();
        all.iter().find(|one| one["name"] == name).map(|one| one["value"].clone())
    };
    for (name, value) in [
        ("account_health_check_enabled", "false"),
        ("account_health_check_interval", "5"),
        ("account_error_threshold", "5"),
    ] {
        assert_eq!(named(name), Some(json!(value)), "{listed}");
    }
    let refused = checked
        .rig
        .server
        .admin("PUT", "/settings/account_health_check_interval", &json!({ "value": "0" }))
        .await;
    assert_eq!(refused["error"]["code"], "invalid_input", "{refused}");
    checked.set("account_health_check_enabled", "true").await;
    checked.tick().await;
    checked.clock.advance(6 * MINUTE);
    checked.tick().await;
    let count = async || {
        let id = checked.id("up-a").await;
        checked.get(&format!("/credentials/{id}/checks")).await["items"].as_array().unwrap().len()
    };
    let first = count().await;
    checked.clock.advance(2 * MINUTE);
    checked.tick().await;
    assert_eq!(count().await, first, "five minutes are not over");
    checked.set("account_health_check_interval", "1").await;
    checked.tick().await;
    assert_eq!(count().await, first + 1, "without a restart");
    // Written for the first time or once more, it is one setting.
    let listed = checked.get("/settings?prefix=account_health").await;
    let all = listed["items"].as_array().unwrap();
    let named: Vec<_> = all.iter().filter(|one| one["name"] == "account_health_check_interval").collect();
    assert_eq!((named.len(), &named[0]["value"]), (1, &json!("1")), "{listed}");
    checked.set("account_health_check_interval", "7").await;
    let again = checked.get("/settings?prefix=account_health").await;
    assert_eq!(again["items"].as_array().unwrap().len(), all.len(), "{again}");
    assert!(again.to_string().contains("\"7\""), "{again}");
}

#[tokio::test]
async fn hc_05_counters_are_reset_for_one_for_one_that_is_switched_on_and_for_all() {
    let checked = Checked::bare("anthropic", &["up-a", "up-b"]).await;
    for name in ["up-a", "up-b"] {
        checked.on(name, forbidden());
        checked.check(name).await;
        checked.check(name).await;
    }
    assert_eq!((checked.failures("up-a").await, checked.failures("up-b").await), (2, 2));
    let errors = checked.get("/credentials?errors=true").await;
    assert_eq!(errors["items"].as_array().unwrap().len(), 2, "HC-04");
    let id = checked.id("up-a").await;
    assert_eq!(checked.post(&format!("/credentials/{id}/errors/reset")).await["cleared"], 1);
    assert_eq!((checked.failures("up-a").await, checked.failures("up-b").await), (0, 2));
    assert_eq!(checked.get("/audit?limit=1").await["items"][0]["action"], "credential.reset_errors");
    checked.check("up-a").await;
    assert_eq!(checked.post("/credentials/errors/reset").await["cleared"], 2);
    assert_eq!((checked.failures("up-a").await, checked.failures("up-b").await), (0, 0));
    assert_eq!(checked.get("/credentials?errors=true").await["items"], json!([]));
    checked.set("account_error_threshold", "1").await;
    assert_eq!(checked.check("up-a").await["disabled"], true);
    let view = checked.post(&format!("/credentials/{id}/enable")).await;
    assert_eq!((&view["enabled"], &view["check"]["failures"]), (&json!(true), &json!(0)), "{view}");
}

#[tokio::test]
async fn hc_13_a_request_that_goes_well_ends_failed_checks_too() {
    let checked = Checked::bare("anthropic", &["up-a"]).await;
    checked.on("up-a", forbidden());
    checked.check("up-a").await;
    assert_eq!(checked.failures("up-a").await, 1);
    checked.rig.upstream.forget();
    assert_eq!(checked.ask().await, 200);
    eventually("the count begins anew", async || (checked.failures("up-a").await == 0).then_some(())).await;
    checked.on("up-a", forbidden());
    assert_eq!(checked.check("up-a").await["failures"], 1);
}

#[tokio::test]
async fn tp_17_hc_14_who_was_switched_off_is_looked_at_ever_less_often_and_comes_back_by_itself() {
    let checked = Checked::start("anthropic", &["up-a"]).await;
    checked.set("account_error_threshold", "1").await;
    checked.on("up-a", Behaviour::status(401));
    assert_eq!(checked.check("up-a").await["disabled"], true);
    let id = checked.id("up-a").await;
    let count =
        async || checked.get(&format!("/credentials/{id}/checks")).await["items"].as_array().unwrap().len();
    // A minute, then two, then four.
    for (minutes, asked) in [(2, 2), (1, 2), (2, 3), (3, 3), (2, 4)] {
        checked.clock.advance(minutes * MINUTE);
        checked.tick().await;
        assert_eq!(count().await, asked, "after {minutes} more minutes");
    }
    let next =
        checked.account("up-a").await["next_check_at"].as_str().unwrap().parse::<types::Timestamp>().unwrap();
    assert!(
        (7..=9).contains(&((next.0 - checked.clock.now().0 + MINUTE / 2) / MINUTE)),
        "eight minutes: {next}"
    );
    checked.rig.upstream.forget();
    checked.clock.advance(9 * MINUTE);
    checked.tick().await;
    let account = checked.account("up-a").await;
    assert_eq!(
        (&account["enabled"], &account["state"], &account["check"]["failures"]),
        (&json!(true), &json!("valid"), &json!(0))
    );
    assert_eq!(checked.ask().await, 200);

    // What a person switches off stays off.
    checked.rig.change(&format!("/credentials/{id}"), json!({ "enabled": false })).await;
    assert_eq!(checked.account("up-a").await["check"]["disabled_by"], "admin");
    let before = count().await;
    for _ in 0..3 {
        checked.round().await;
    }
    assert_eq!((count().await, &checked.account("up-a").await["enabled"]), (before, &json!(false)));
}

#[tokio::test]
async fn hc_14_recovering_one_or_all_switches_on_what_checks_switched_off() {
    let checked = Checked::bare("anthropic", &["up-a", "up-b"]).await;
    checked.set("account_error_threshold", "1").await;
    for name in ["up-a", "up-b"] {
        checked.on(name, Behaviour::status(401));
        assert_eq!(checked.check(name).await["disabled"], true);
    }
    let id = checked.id("up-a").await;
    let view = checked.post(&format!("/credentials/{id}/recover")).await;
    assert_eq!((&view["enabled"], &view["state"]), (&json!(true), &json!("valid")), "{view}");
    assert_eq!(checked.account("up-b").await["enabled"], false);
    assert_eq!(checked.post("/credentials/recover").await["cleared"], 1);
    assert_eq!(
        (&checked.account("up-b").await["enabled"], checked.failures("up-b").await),
        (&json!(true), 0)
    );
}

#[tokio::test]
async fn ac_13_a_check_of_what_was_reset_meanwhile_counts_for_nothing() {
    let checked = Checked::bare("anthropic", &["up-a"]).await;
    checked.set("account_error_threshold", "2").await;
    checked.on("up-a", Behaviour::status(401));
    assert_eq!(checked.check("up-a").await["failures"], 1);
    checked.on("up-a", Behaviour { instead: Some(Then::Hold), ..Behaviour::status(401) });
    let id = checked.id("up-a").await;
    let (path, reset) = (format!("/credentials/{id}/check"), format!("/credentials/{id}"));
    let late = checked.rig.server.admin("POST", &path, &Value::Null);
    let meanwhile = async {
        let upstream = &checked.rig.upstream;
        let asked = |entries: &[fakeup::Entry]| entries.iter().any(|entry| entry.end == fakeup::End::Running);
        assert!(asked(&upstream.until(crate::rig::SOON, asked).await));
        checked.rig.change(&reset, json!({ "api_key": "up-a" })).await;
        upstream.release();
    };
    let (report, ()) = tokio::join!(late, meanwhile);
    assert_eq!((&report["result"], &report["disabled"]), (&json!("failed"), &json!(false)), "{report}");
    let account = checked.account("up-a").await;
    assert_eq!(
        (&account["enabled"], &account["state"], &account["check"]["failures"]),
        (&json!(true), &json!("valid"), &json!(0)),
        "{account}"
    );
}

#[tokio::test]
async fn a_stop_waits_for_no_silent_vendor_and_keeps_what_the_others_said() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::manual(Clock::system().now());
    let started = async || {
        let own = clock.clone();
        Running::start_in(dir.path(), move |config| config.clock = own).await.unwrap()
    };
    let rig = Rig::of(started().await).await;
    let provider = rig.pool("anthropic", json!({}), &["up-a", "up-b"]).await;
    let mut checked = Checked { rig, clock: clock.clone(), provider };
    let refused = Behaviour::status(401).header("anthropic-ratelimit-unified-5h-utilization", "0.5");
    checked.on("up-a", refused);
    checked.on("up-b", Behaviour::instead(Then::Stall));
    checked.set("account_health_check_enabled", "true").await;
    // From now on it is due within an interval.
    assert!(checked.account("up-a").await["next_check_at"].is_string());
    clock.advance(10 * MINUTE);
    let wake = format!("Authorization: Bearer {}\r\n", crate::harness::ADMIN_TOKEN);
    let path = "/api/admin/tasks/check_credentials/run";
    assert_eq!(checked.rig.server.raw(crate::harness::post(path, &wake, "")).await.status(), 204);
    eventually("one has answered and the other is asked", async || {
        let told = checked.account("up-a").await["allowance"].is_object();
        (told && checked.rig.seen().len() == 2).then_some(())
    })
    .await;
    let Rig { server, upstream, key, key_id, user_id } = checked.rig;
    server.stop().await;
    checked.rig = Rig { server: started().await, upstream, key, key_id, user_id };
    assert_eq!((checked.failures("up-a").await, checked.failures("up-b").await), (1, 0));
    let id = checked.id("up-b").await;
    let history = checked.get(&format!("/credentials/{id}/checks")).await;
    assert_eq!(history["items"], json!([]), "what nobody answered was no check");
    checked.rig.server.stop().await;
}
