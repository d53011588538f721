//! Who is first: filters, tiers, priorities, strategies; and a change holds from the next request on.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{chain, fresh};
use crate::rig::Rig;
use crate::rig::faces::{ANTHROPIC, CHAT};

/// How often each account was met by so many requests.
async fn shares(rig: &Rig, count: usize) -> BTreeMap<String, usize> {
    rig.upstream.clear_invoice();
    for _ in 0..count {
        let got = rig.ask(rig.keyed(fresh(CHAT, "m-1", false))).await;
        assert_eq!(got.status, 200, "{}", got.text());
    }
    let mut shares = BTreeMap::new();
    for name in rig.seen() {
        *shares.entry(name).or_insert(0) += 1;
    }
    shares
}

async fn equals(more: &[(&str, Value)]) -> Rig {
    let rig = Rig::unbound().await;
    let provider = rig.provider("openai", json!({"api_key": null})).await;
    for (secret, spec) in more {
        rig.credential(provider, secret, spec.clone()).await;
    }
    rig
}

#[tokio::test]
async fn tp_10_three_hundred_calls_in_turn_are_spread_evenly() {
    let rig = equals(&[("up-a", json!({})), ("up-b", json!({})), ("up-c", json!({}))]).await;
    rig.setting("routing.strategy", "round_robin").await;
    let shares = shares(&rig, 300).await;
    assert_eq!(shares.into_values().collect::<Vec<_>>(), [100, 100, 100]);
}

#[tokio::test]
async fn weights_are_shares() {
    let rig = equals(&[("up-a", json!({"weight": 3})), ("up-b", json!({"weight": 1}))]).await;
    let shares = shares(&rig, 400).await;
    // 300 expected; five standard deviations are 43.
    assert!((255..=345).contains(&shares["up-a"]), "{shares:?}");
}

#[tokio::test]
async fn a_group_has_a_strategy_of_its_own() {
    let rig = Rig::unbound().await;
    let provider = rig.provider("openai", json!({"api_key": null, "groups": ["even"]})).await;
    for secret in ["up-a", "up-b", "up-c"] {
        rig.credential(provider, secret, json!({})).await;
    }
    let answer = rig.server.admin("PUT", "/groups/even", &json!({"strategy": "round_robin"})).await;
    assert_eq!(answer["strategy"], "round_robin", "{answer}");
    rig.change(&format!("/users/{}", rig.user_id), json!({"groups": ["even"]})).await;
    let (_, row) = rig.asked(fresh(CHAT, "m-1", false)).await;
    assert_eq!(row["decision"]["strategy"], "round_robin", "{row}");
    let shares = shares(&rig, 90).await;
    assert_eq!(shares.into_values().collect::<Vec<_>>(), [30, 30, 30]);
}

#[tokio::test]
async fn tp_05_tp_10_tiers_come_in_their_order_and_the_order_is_a_setting() {
    let rig = equals(&[
        ("up-f", json!({"tier": "fallback", "priority": 0})),
        ("up-s", json!({"tier": "shared", "priority": 5})),
        ("up-p", json!({"tier": "personal", "priority": 9})),
    ])
    .await;
    let first = async || rig.sent_with(fresh(CHAT, "m-1", true), 200).await;
    assert_eq!(first().await, ["up-p"]);
    rig.setting("pool.tier_order", "shared,fallback,personal").await;
    assert_eq!(first().await, ["up-s"], "from the next request on");
    rig.setting("pool.tier_order", "personal,shared,fallback").await;
    for name in ["up-p", "up-s"] {
        rig.on_credential(name, fakeup::Behaviour::status(429));
    }
    assert_eq!(first().await, ["up-p", "up-s", "up-f"], "fallback strictly last");
    assert_eq!(first().await, ["up-f"]);
}

#[tokio::test]
async fn least_loaded_goes_where_least_runs() {
    let rig = equals(&[("up-a", json!({})), ("up-b", json!({}))]).await;
    rig.setting("routing.strategy", "least_loaded").await;
    rig.on_model("m-hold", fakeup::Behaviour::cut(CHAT.beyond_content(), fakeup::Then::Hold));
    let mut open = Vec::new();
    for _ in 0..10 {
        open.push(rig.open(rig.keyed(fresh(CHAT, "m-hold", true))).await);
    }
    let seen = rig.seen();
    assert_eq!(seen.iter().filter(|name| *name == "up-a").count(), 5, "{seen:?}");
    rig.upstream.release();
}

#[tokio::test]
async fn fault_u48_a_slow_account_loses_its_load_with_the_latency_strategy() {
    let rig = equals(&[("up-a", json!({})), ("up-b", json!({}))]).await;
    rig.setting("routing.strategy", "latency").await;
    rig.on_credential("up-a", fakeup::Behaviour { delay_ms: 120, ..fakeup::Behaviour::default() });
    shares(&rig, 10).await;
    let shares = shares(&rig, 30).await;
    assert!(shares["up-b"] >= 24, "at least four fifths: {shares:?}");
}

#[tokio::test]
async fn the_cheapest_goes_first_where_that_is_the_strategy() {
    let rig = Rig::unbound().await;
    rig.provider("openai", json!({"name": "dear", "api_key": "up-dear", "cost_multiplier": "1.5"})).await;
    rig.provider("openai", json!({"name": "cheap", "api_key": "up-cheap", "cost_multiplier": "0.5"})).await;
    rig.setting("routing.strategy", "cheapest").await;
    assert_eq!(shares(&rig, 20).await, BTreeMap::from([("up-cheap".to_owned(), 20)]));
}

#[tokio::test]
async fn clients_are_sorted_by_their_user_agent() {
    let rig = Rig::unbound().await;
    rig.provider(
        "anthropic",
        json!({"name": "cli", "api_key": "up-cli", "clients": ["claude-cli"], "priority": 0}),
    )
    .await;
    rig.provider(
        "anthropic",
        json!({"name": "rest", "api_key": "up-rest", "clients": ["!curl*"], "priority": 1}),
    )
    .await;
    let ask = |agent: &str| fresh(ANTHROPIC, "m-1", true).header("user-agent", agent);
    assert_eq!(rig.sent_with(ask("claude-cli/2.0.1 (external, cli)"), 200).await, ["up-cli"]);
    assert_eq!(rig.sent_with(ask("anthropic-python/0.70"), 200).await, ["up-rest"]);
    rig.upstream.clear_invoice();
    let (got, row) = rig.asked(ask("curl/8.5.0")).await;
    assert_eq!((got.status, got.code().as_str()), (503, "no_available_account"), "{}", got.text());
    assert!(got.text().contains("client 2"), "{}", got.text());
    assert_eq!((rig.seen().len(), &row["decision"]["removed"][0]["filter"]), (0, &json!("client")));
}

#[tokio::test]
async fn a_provider_serves_in_its_hours_only() {
    let rig = Rig::unbound().await;
    let id = rig.provider("openai", json!({"name": "nightly", "api_key": "up-night", "priority": 0})).await;
    rig.provider("openai", json!({"name": "always", "api_key": "up-always", "priority": 1})).await;
    let minute = super::now_ms() / 60_000 % 1_440;
    let at = |ahead: i64| {
        let minute = (minute + ahead).rem_euclid(1_440);
        format!("{:02}:{:02}", minute / 60, minute % 60)
    };
    let hours = |start: i64, end: i64| json!({"schedule": {"start": at(start), "end": at(end)}});
    rig.change(&format!("/providers/{id}"), hours(-30, 30)).await;
    assert_eq!(rig.sent_with(fresh(CHAT, "m-1", true), 200).await, ["up-night"], "over midnight too");
    rig.change(&format!("/providers/{id}"), hours(60, 120)).await;
    assert_eq!(rig.sent_with(fresh(CHAT, "m-1", true), 200).await, ["up-always"]);
    rig.change(&format!("/providers/{id}"), json!({"schedule": null})).await;
    assert_eq!(rig.sent_with(fresh(CHAT, "m-1", true), 200).await, ["up-night"]);
}

#[tokio::test]
async fn ac_02_every_change_holds_from_the_next_request_on() {
    let rig = Rig::unbound().await;
    let provider = rig.provider("openai", json!({"api_key": "up-one", "groups": ["g"]})).await;
    let sent = async |status: u16| rig.sent_with(fresh(CHAT, "m-1", false), status).await;
    assert_eq!(sent(200).await, ["up-one"]);
    let second = rig.credential(provider, "up-two", json!({"priority": -1})).await;
    assert_eq!(sent(200).await, ["up-two"], "added");
    rig.change(&format!("/credentials/{second}"), json!({"priority": 500})).await;
    assert_eq!(sent(200).await, ["up-one"], "edited");
    rig.change(&format!("/credentials/{second}"), json!({"priority": -1})).await;
    rig.delete(&format!("/credentials/{second}")).await;
    assert_eq!(sent(200).await, ["up-one"], "deleted");
    rig.change(&format!("/providers/{provider}"), json!({"enabled": false})).await;
    assert!(sent(503).await.is_empty(), "disabled");
    rig.change(&format!("/providers/{provider}"), json!({"enabled": true})).await;
    assert_eq!(sent(200).await, ["up-one"]);
    rig.change(&format!("/users/{}", rig.user_id), json!({"groups": ["other"]})).await;
    assert!(sent(503).await.is_empty(), "regrouped");
    let refreshed = rig.server.admin("POST", "/scheduler/refresh", &Value::Null).await;
    assert!(refreshed["revision"].as_i64().unwrap() > 0 && refreshed["credentials"] == 1, "{refreshed}");
}

#[tokio::test]
async fn ac_01_when_nobody_can_serve_the_reasons_are_counted_and_no_name_is_told() {
    let rig = Rig::unbound().await;
    rig.provider("openai", json!({"name": "secret-off", "enabled": false})).await;
    rig.provider("openai", json!({"name": "secret-models", "models": ["x-*"]})).await;
    rig.provider("openai", json!({"name": "secret-group", "groups": ["vip"]})).await;
    rig.provider("openai", json!({"name": "secret-empty", "api_key": null})).await;
    rig.provider("anthropic", json!({"name": "secret-kind", "translate": false})).await;
    rig.change(&format!("/users/{}", rig.user_id), json!({"groups": ["default"]})).await;
    let (got, row) = rig.asked(fresh(CHAT, "m-1", true)).await;
    assert_eq!((got.status, got.code().as_str()), (503, "no_available_account"));
    let text = got.text();
    for part in [
        "No available provider found",
        "no available account",
        "account not available",
        "disabled 1",
        "endpoint 1",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("secret-"), "{text}");
    assert!(chain(&row, "outcome").is_empty(), "{row}");
    assert_eq!(row["decision"]["candidates"].as_array().unwrap().len(), 5, "{row}");
}
