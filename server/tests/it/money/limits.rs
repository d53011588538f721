//! Limits of users, keys, providers and credentials, each through the public route.

use std::sync::Arc;

use fakeup::{Behaviour, Then, Tokens};
use serde_json::{Value, json};

use super::{list_price, nano, usd};
use crate::rig::Rig;
use crate::rig::faces::{ANTHROPIC, FACES};

const BILL: Tokens =
    Tokens { input: 10, output: 60, cache_read: 0, cache_write: 0, cache_write_1h: 0, reasoning: 0 };

async fn rig_with(limits: Value) -> Rig {
    let rig = Rig::start().await;
    rig.priced(&["m-lim"]).await;
    rig.on_model("m-lim", Behaviour::default().billing(BILL));
    rig.change(&format!("/users/{}", rig.user_id), json!({ "limits": limits })).await;
    rig
}

#[tokio::test]
async fn ke_06_requests_per_minute_are_refused_with_everything_a_client_needs() {
    for face in FACES {
        let rig = rig_with(json!({"rpm_limit": 2})).await;
        for _ in 0..2 {
            assert_eq!(rig.ask(rig.keyed(face.ask("m-lim", false))).await.status, 200);
        }
        let ask = rig.keyed(face.ask("m-lim", false));
        let id = ask.id.clone();
        let got = rig.ask(ask).await;
        assert_eq!(got.status, 429);
        face.assert_error(&got.json(), 429, "rate_limit_exceeded", &id);
        assert!(got.text().contains("rate limit exceeded"), "{}", got.text());
        assert_eq!((got.header("x-ratelimit-limit"), got.header("x-ratelimit-remaining")), ("2", "0"));
        assert!(got.header("retry-after").parse::<u64>().is_ok_and(|wait| (1..=61).contains(&wait)));
        assert!(got.header("x-ratelimit-reset").parse::<i64>().is_ok_and(|at| at > 1_700_000_000));
        assert_eq!(rig.upstream.invoice().len(), 2);
        // A changed value holds for the next request (AC-02).
        rig.change(&format!("/users/{}", rig.user_id), json!({"limits": {"rpm_limit": 3}})).await;
        assert_eq!(rig.ask(rig.keyed(face.ask("m-lim", false))).await.status, 200);
        rig.change(&format!("/users/{}", rig.user_id), json!({"limits": {"rpm_limit": null}})).await;
        assert_eq!(rig.ask(rig.keyed(face.ask("m-lim", false))).await.status, 200);
    }
}

#[tokio::test]
async fn tokens_per_minute_stop_the_next_request() {
    let rig = rig_with(json!({"tpm_limit": 70})).await;
    assert_eq!(rig.ask(rig.keyed(ANTHROPIC.ask("m-lim", false))).await.status, 200);
    let got = rig.ask(rig.keyed(ANTHROPIC.ask("m-lim", false))).await;
    assert_eq!((got.status, got.code().as_str()), (429, "rate_limit_exceeded"), "{}", got.text());
    assert!(got.text().contains("tokens per minute"), "{}", got.text());
}

#[tokio::test]
async fn inv_13_the_strictest_limit_wins_and_is_named() {
    let cost = list_price(BILL);
    for (name, phrase) in [
        ("limit_5h_usd", "5-hour limit exceeded"),
        ("daily_limit_usd", "daily limit exceeded"),
        ("limit_weekly_usd", "weekly limit exceeded"),
        ("limit_monthly_usd", "monthly limit exceeded"),
        ("limit_total_usd", "total limit exceeded"),
    ] {
        let rig = rig_with(json!({"daily_limit_usd": "50", "limit_total_usd": "60"})).await;
        rig.change(&format!("/keys/{}", rig.key_id), json!({"limits": {name: "0.05"}})).await;
        // Usage up to the limit, then one more.
        rig.set("limits.wait_ms", "0").await;
        let mut sent = 0;
        let refused = loop {
            let got = rig.ask(rig.keyed(ANTHROPIC.ask("m-lim", false))).await;
            if got.status != 200 {
                break got;
            }
            sent += 1;
            assert!(sent < 100, "{name} never held");
        };
        assert_eq!((refused.status, refused.code().as_str()), (429, "rate_limit_exceeded"));
        let text = refused.text();
        assert!(text.contains(phrase) && text.contains("key 'laptop'"), "{text}");
        let error = &refused.json()["error"]["details"];
        assert_eq!((&error["limit_type"], &error["scope"]), (&json!(name), &json!("key")), "{text}");
        assert_eq!(nano(&error["used_usd"]), cost * sent, "{text}");
        let quota = rig.quota("key", name).await;
        assert_eq!((nano(&quota["used"]), &quota["limit"]), (cost * sent, &json!("0.05")), "{quota}");
        rig.audited().await;
    }
}

#[tokio::test]
async fn usage_can_be_reset_and_limits_raised_for_a_while() {
    let rig = rig_with(json!({"limit_total_usd": "0.012"})).await;
    rig.set("limits.wait_ms", "0").await;
    let mut asked = 1;
    while rig.ask(rig.keyed(ANTHROPIC.ask("m-lim", false))).await.status == 200 {
        asked += 1;
    }
    let until = "2999-01-01T00:00:00Z";
    let user = format!("/users/{}", rig.user_id);
    rig.change(
        &user,
        json!({"limits": {"increases": [{"limit": "limit_total_usd", "extra_usd": "1", "until": until}]}}),
    )
    .await;
    assert_eq!(rig.ask(rig.keyed(ANTHROPIC.ask("m-lim", false))).await.status, 200);
    rig.change(&user, json!({"limits": {"increases": null}})).await;
    assert_eq!(rig.ask(rig.keyed(ANTHROPIC.ask("m-lim", false))).await.status, 429);
    rig.rows(asked + 2).await;
    let before = rig.server.admin("GET", "/usage?by=user", &Value::Null).await;
    rig.reset(&user).await;
    assert_eq!(nano(&rig.quota("user", "limit_total_usd").await["used"]), 0);
    assert_eq!(rig.ask(rig.keyed(ANTHROPIC.ask("m-lim", false))).await.status, 200);
    // History stays.
    let after = rig.server.admin("GET", "/usage?by=user", &Value::Null).await;
    assert!(nano(&after["items"][0]["cost_usd"]) >= nano(&before["items"][0]["cost_usd"]), "{after}");
    rig.audited().await;
}

#[tokio::test]
async fn rl_05_requests_and_sessions_at_once() {
    let rig = Arc::new(rig_with(json!({"max_concurrent_requests": 1})).await);
    rig.on_model("m-hold", Behaviour::instead(Then::Hold));
    let first = {
        let rig = rig.clone();
        tokio_util::task::TaskTracker::new()
            .spawn(async move { rig.ask(rig.keyed(ANTHROPIC.ask("m-hold", false))).await.status })
    };
    rig.upstream.until(crate::rig::SOON, |entries| entries.len() == 1).await;
    let got = rig.ask(rig.keyed(ANTHROPIC.ask("m-lim", false))).await;
    assert_eq!((got.status, got.code().as_str()), (429, "user_concurrency_limit"), "{}", got.text());
    assert!(got.text().contains("too many concurrent requests"));
    rig.upstream.release();
    assert_eq!(first.await.unwrap(), 200);
    assert_eq!(rig.ask(rig.keyed(ANTHROPIC.ask("m-lim", false))).await.status, 200);

    rig.change(
        &format!("/users/{}", rig.user_id),
        json!({"limits": {"max_concurrent_requests": 0, "limit_concurrent_sessions": 1}}),
    )
    .await;
    let of = |session: &str| rig.keyed(ANTHROPIC.ask("m-lim", false)).header("x-session-id", session);
    assert_eq!(rig.ask(of("one")).await.status, 200);
    assert_eq!(rig.ask(of("two")).await.status, 429);
    assert_eq!(rig.ask(of("one")).await.status, 200);
}

#[tokio::test]
async fn a_provider_at_its_limit_is_left_out_of_selection() {
    let rig = Rig::bare().await;
    rig.priced(&["m-lim"]).await;
    rig.on_model("m-lim", Behaviour::default().billing(BILL));
    let cheap =
        rig.pool("anthropic", json!({"limits": {"daily_limit_usd": usd(60_000_000)}}), &["up-a"]).await;
    rig.pool("anthropic", json!({"name": "second", "priority": 5}), &["up-b"]).await;
    for _ in 0..80 {
        assert_eq!(rig.ask(rig.keyed(ANTHROPIC.ask("m-lim", false))).await.status, 200, "nobody notices");
    }
    let seen = rig.seen();
    let first = seen.iter().filter(|name| *name == "up-a").count();
    assert!((10..80).contains(&first) && seen.last().unwrap() == "up-b", "{first}");
    let quotas = rig.server.admin("GET", &format!("/quotas?provider_id={cheap}"), &Value::Null).await;
    assert!(nano(&quotas["items"][0]["used"]) <= 60_000_000, "{quotas}");
    rig.audited().await;
}

#[tokio::test]
async fn a_key_may_not_be_given_more_than_its_user() {
    let rig = rig_with(json!({"daily_limit_usd": "5", "rpm_limit": 10})).await;
    for (limits, field) in [
        (json!({"daily_limit_usd": "6"}), "limits.daily_limit_usd"),
        (json!({"rpm_limit": 11}), "limits.rpm_limit"),
    ] {
        let path = format!("/keys/{}", rig.key_id);
        let answer = rig.server.admin("PATCH", &path, &json!({ "limits": limits })).await;
        assert!(answer["error"]["fields"][field].is_string(), "{answer}");
        let path = format!("/users/{}/keys", rig.user_id);
        let answer = rig.server.admin("POST", &path, &json!({"name": "x", "limits": limits})).await;
        assert!(answer["error"]["fields"][field].is_string(), "{answer}");
    }
    for (limits, field) in [
        (json!({"daily_limit_usd": "-1"}), "daily_limit_usd"),
        (json!({"daily_limit_usd": "1e40"}), "daily_limit_usd"),
        (json!({"daily_limit_usd": "0.0000000001"}), "daily_limit_usd"),
        (json!({"daily_reset_time": "25:00"}), "daily_reset_time"),
        (json!({"limit_5h_mode": "sliding"}), "limit_5h_mode"),
        (json!({"dialy_limit_usd": "1"}), "dialy_limit_usd"),
        (json!({"estimated": ["rpm_limit"]}), "estimated"),
    ] {
        let path = format!("/users/{}", rig.user_id);
        let answer = rig.server.admin("PATCH", &path, &json!({ "limits": limits })).await;
        assert!(answer["error"].to_string().contains(field), "{limits}: {answer}");
    }
    let user = rig.server.admin("GET", &format!("/users/{}", rig.user_id), &Value::Null).await;
    assert_eq!(user["limits"]["daily_limit_usd"], "5", "nothing was half applied: {user}");
}

#[tokio::test]
async fn two_editors_at_once_do_not_overwrite_each_other() {
    let rig = rig_with(json!({"daily_limit_usd": "5"})).await;
    let path = format!("/users/{}", rig.user_id);
    let seen = rig.server.admin("GET", &path, &Value::Null).await["version"].clone();
    rig.change(&path, json!({"limits": {"daily_limit_usd": "6"}, "version": seen})).await;
    let second =
        rig.server.admin("PATCH", &path, &json!({"limits": {"daily_limit_usd": "7"}, "version": seen})).await;
    assert_eq!(second["error"]["code"], "stale_version", "{second}");
    assert!(
        second["error"]["message"].as_str().unwrap().contains("limits"),
        "it says what changed: {second}"
    );
}
