//! Why a request went where it went: the decision with its facts, for the administrator and, without names, for the
//! caller; and the same question asked beforehand.

use fakeup::{Behaviour, Rule};
use serde_json::{Value, json};

use super::{chain, fresh};
use crate::rig::Rig;
use crate::rig::client::Ask;
use crate::rig::faces::CHAT;

/// A pool in which one account is disabled, one limited, and the best one fails once.
async fn pool() -> Rig {
    let rig = Rig::unbound().await;
    let provider = rig.provider("openai", json!({"name": "vendor-name", "api_key": null})).await;
    rig.credential(provider, "up-first", json!({"priority": 0})).await;
    rig.credential(provider, "up-second", json!({"priority": 1, "weight": 3})).await;
    rig.credential(provider, "up-third", json!({"priority": 1, "weight": 1})).await;
    rig.credential(provider, "up-off", json!({"priority": 0, "enabled": false})).await;
    rig.upstream
        .script(Rule::credential("up-first", Behaviour::status(429).header("retry-after", "50")).times(1));
    rig
}

fn candidate<'a>(decision: &'a Value, name: &str) -> &'a Value {
    let all = decision["candidates"].as_array().unwrap_or_else(|| panic!("{decision}"));
    all.iter().find(|item| item["credential_name"] == name).unwrap_or_else(|| panic!("no {name}: {decision}"))
}

#[tokio::test]
async fn tp_12_the_record_holds_every_candidate_with_its_facts_and_every_attempt_with_its_phases() {
    let rig = pool().await;
    let (_, row) = rig.asked(fresh(CHAT, "m-1", true)).await;
    let decision = &row["decision"];
    assert_eq!(candidate(decision, "up-first")["rank"], 1);
    let second = candidate(decision, "up-second");
    assert_eq!(
        (&second["weight"], &second["priority"], &second["tier"]),
        (&json!(3), &json!([0, 1]), &json!("shared")),
        "{second}"
    );
    assert_eq!(candidate(decision, "up-off")["removed_by"], "disabled");
    assert_eq!(decision["removed"], json!([{"filter": "disabled", "count": 1}]));
    assert!(decision["config_revision"].as_i64().unwrap() > 0 && decision["seed"].is_u64(), "{decision}");
    let attempts = row["attempts"].as_array().unwrap();
    assert_eq!(chain(&row, "outcome"), ["upstream_error", "done"]);
    assert_eq!((&attempts[0]["class"], &attempts[0]["status_code"]), (&json!("rate_limit"), &json!(429)));
    assert!(attempts[0]["head_ms"].is_u64() && attempts[1]["first_byte_ms"].is_u64(), "{row}");
    assert!(attempts[1]["started_ms"].as_u64() >= attempts[0]["started_ms"].as_u64(), "{row}");
    // The next decision knows that the first one rests, and until when; the draw shows its chances.
    let (_, row) = rig.asked(fresh(CHAT, "m-1", true)).await;
    let rests = candidate(&row["decision"], "up-first");
    assert_eq!(rests["removed_by"], "cooldown");
    assert!(rests["until"].is_string(), "{rests}");
    assert_eq!(candidate(&row["decision"], "up-second")["chance_permille"], 750);
    assert_eq!(candidate(&row["decision"], "up-third")["chance_permille"], 250);
}

#[tokio::test]
async fn the_smallest_change_that_would_have_chosen_differently_is_told() {
    let rig = pool().await;
    rig.asked(fresh(CHAT, "m-1", true)).await;
    let (_, row) = rig.asked(fresh(CHAT, "m-1", true)).await;
    let path = format!("/requests/{}/explain", row["request_id"].as_str().unwrap());
    let explained = rig.get(&path).await;
    let changes = explained["changes"].as_array().unwrap_or_else(|| panic!("{explained}"));
    let change = |name: &str| changes.iter().find(|c| c["candidate"].as_str().unwrap().ends_with(name));
    assert_eq!(change("up-first").unwrap()["change"], "wait", "{changes:?}");
    assert_eq!(change("up-off").unwrap()["change"], "enabled", "{changes:?}");
    let drawn = chain(&row, "credential_name").remove(0);
    let other = if drawn == "up-second" { "up-third" } else { "up-second" };
    assert!(change(other).is_some(), "{changes:?}");
    assert!(changes.iter().all(|c| c["says"].as_str().is_some_and(|says| says.len() > 20)), "{changes:?}");
}

#[tokio::test]
async fn the_caller_reads_why_without_any_name() {
    let rig = pool().await;
    let (_, row) = rig.asked(fresh(CHAT, "m-1", true)).await;
    let id = row["request_id"].as_str().unwrap();
    let got = rig.ask(rig.keyed(Ask::get(&format!("/v1/requests/{id}/explain")))).await;
    assert_eq!(got.status, 200, "{}", got.text());
    let text = got.text();
    for secret in ["up-first", "up-second", "up-off", "vendor-name", "credential_id", "provider_id"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    let told = got.json();
    assert_eq!(told["attempts"].as_array().unwrap().len(), 2, "{told}");
    assert_eq!(
        (&told["attempts"][0]["status_code"], &told["attempts"][1]["outcome"]),
        (&json!(429), &json!("done"))
    );
    assert_eq!(
        (&told["candidates"], &told["removed"][0]["filter"]),
        (&json!(3), &json!("disabled")),
        "{told}"
    );
    // Somebody else's request does not exist.
    let user = rig.server.admin("POST", "/users", &json!({"name": "stranger"})).await;
    let key = rig.server.admin("POST", &format!("/users/{}/keys", user["id"]), &json!({"name": "k"})).await;
    let ask = Ask::get(&format!("/v1/requests/{id}/explain"));
    let got = rig.ask(ask.header("authorization", &format!("Bearer {}", key["key"].as_str().unwrap()))).await;
    assert_eq!(got.status, 404);
}

#[tokio::test]
async fn a_simulation_says_what_would_happen_and_sends_nothing() {
    let rig = pool().await;
    let question = json!({"model": "m-1", "dialect": "openai-chat", "key_id": rig.key_id, "seed": 7});
    let told = rig.server.admin("POST", "/routing/simulate", &question).await;
    assert_eq!(candidate(&told["decision"], "up-first")["rank"], 1, "{told}");
    let again = rig.server.admin("POST", "/routing/simulate", &question).await;
    for field in ["candidates", "removed", "seed"] {
        assert_eq!(told["decision"][field], again["decision"][field], "the same seed, the same answer");
    }
    assert!(rig.upstream.invoice().is_empty());
    assert_eq!(rig.sent_with(fresh(CHAT, "m-1", true), 200).await[0], "up-first", "and it was right");
    let none = json!({"model": "m-1", "dialect": "gemini"});
    let told = rig.server.admin("POST", "/routing/simulate", &none).await;
    assert!(told["refusal"].as_str().unwrap().contains("No available provider found"), "{told}");
}

#[tokio::test]
async fn a_backtest_tries_another_policy_on_what_was_recorded() {
    let rig = pool().await;
    let provider = rig.items("/providers").await[0]["id"].clone();
    rig.provider("openai", json!({"name": "other", "api_key": "up-other", "priority": 9})).await;
    for _ in 0..20 {
        rig.asked(fresh(CHAT, "m-1", false)).await;
    }
    let edit = json!({"providers": {(provider.to_string()): {"enabled": false}}});
    let report = rig.server.admin("POST", "/routing/backtest", &edit).await;
    assert_eq!(
        (&report["requests"], &report["moved"], &report["unserved"]),
        (&json!(20), &json!(20), &json!(0)),
        "{report}"
    );
    let same = rig.server.admin("POST", "/routing/backtest", &json!({})).await;
    assert_eq!((&same["moved"], &same["failovers_before"]), (&json!(0), &json!(1)), "{same}");
}

#[tokio::test]
async fn tp_12_the_record_keeps_the_order_of_tiers_that_was_in_force() {
    let rig = Rig::unbound().await;
    let provider = rig.provider("openai", json!({"api_key": null})).await;
    for (name, tier) in [("up-own", "personal"), ("up-all", "shared"), ("up-last", "fallback")] {
        rig.credential(provider, name, json!({"tier": tier})).await;
    }
    let (_, usual) = rig.asked(fresh(CHAT, "m-1", false)).await;
    assert_eq!(usual["decision"]["tier_order"], json!(["personal", "shared", "fallback"]), "{usual}");
    assert_eq!(chain(&usual, "credential_name"), ["up-own"]);
    rig.setting("pool.tier_order", "fallback,shared,personal").await;
    let (_, other) = rig.asked(fresh(CHAT, "m-1", false)).await;
    assert_eq!(other["decision"]["tier_order"], json!(["fallback", "shared", "personal"]), "{other}");
    assert_eq!(chain(&other, "credential_name"), ["up-last"]);
    // Each is explained by its own order, whatever the setting says by now.
    for (row, last) in [(&usual, "up-last"), (&other, "up-own")] {
        let explained = rig.get(&format!("/requests/{}/explain", row["request_id"].as_str().unwrap())).await;
        let changes = explained["changes"].as_array().unwrap_or_else(|| panic!("{explained}"));
        let change = |name: &str| changes.iter().find(|c| c["candidate"].as_str().unwrap().ends_with(name));
        assert_eq!(change(last).unwrap()["change"], "tier", "{changes:?}");
    }
    // A backtest that edits nothing moves nobody, neither of then nor of now.
    let same = rig.server.admin("POST", "/routing/backtest", &json!({})).await;
    assert_eq!((&same["requests"], &same["moved"]), (&json!(2), &json!(0)), "{same}");
}
