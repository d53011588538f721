//! When there is no second attempt.

use serde_json::{Value, json};

use super::super::fresh;
use super::{KNOWN, audited, hedge, learn, pair, slow};
use crate::rig::Rig;
use crate::rig::client::Ask;
use crate::rig::faces::{ANTHROPIC, CHAT, RESPONSES};

#[tokio::test]
async fn it_is_off_by_default() {
    let rig = Rig::unbound().await;
    rig.pool("openai", json!({}), &["up-a", "up-b"]).await;
    let setting = rig.get("/settings").await.to_string();
    assert!(setting.contains("routing.hedge_percent"), "{setting}");
    for _ in 0..KNOWN {
        assert_eq!(rig.sent_with(fresh(CHAT, "m-1", true), 200).await, ["up-a"]);
    }
    rig.upstream.clear_invoice();
    rig.on_credential("up-a", slow(1_000));
    let (got, row) = rig.asked(fresh(CHAT, "m-1", true)).await;
    assert_eq!((got.status, rig.seen()), (200, vec!["up-a".to_owned()]));
    assert_eq!(hedge(&row), "none");
}

#[tokio::test]
async fn before_it_is_known_what_is_usual_there_is_none() {
    let rig = pair().await;
    rig.setting("routing.hedge_min_ms", "50").await;
    rig.setting("routing.hedge_percent", "50").await;
    rig.on_credential("up-a", slow(700));
    let (_, row) = rig.asked(fresh(CHAT, "m-1", true)).await;
    assert_eq!((rig.seen(), hedge(&row)), (vec!["up-a".to_owned()], "none"));
}

#[tokio::test]
async fn no_more_requests_than_the_setting_says_have_one() {
    let rig = pair().await;
    learn(&rig, CHAT, true).await;
    rig.setting("routing.hedge_percent", "1").await;
    rig.on_credential("up-a", slow(2_000));
    let asked = (0..6).map(|_| rig.asked(fresh(CHAT, "m-1", true)));
    let rows: Vec<Value> =
        futures_util::future::join_all(asked).await.into_iter().map(|(_, row)| row).collect();
    let mut outcomes: Vec<&str> = rows.iter().map(hedge).collect();
    outcomes.sort_unstable();
    assert_eq!(outcomes, ["capped", "capped", "capped", "capped", "capped", "won"]);
    let second = rig.seen().iter().filter(|name| *name == "up-b").count();
    assert_eq!(second, 1, "one percent of 31, and one a minute always");
}

#[tokio::test]
async fn the_retry_budget_and_the_bound_on_attempts_bound_it_too() {
    for (setting, value, outcome) in [("pool.max_attempts", "1", "none"), ("pool.max_attempts", "2", "won")] {
        let rig = pair().await;
        learn(&rig, CHAT, true).await;
        rig.setting(setting, value).await;
        rig.on_credential("up-a", slow(1_500));
        let (_, row) = rig.asked(fresh(CHAT, "m-1", true)).await;
        assert_eq!(hedge(&row), outcome, "{setting} {value}: {row}");
    }
}

#[tokio::test]
async fn what_must_happen_once_or_at_one_upstream_is_never_doubled() {
    let rig = pair().await;
    learn(&rig, CHAT, false).await;
    learn(&rig, ANTHROPIC, false).await;
    learn(&rig, RESPONSES, false).await;
    rig.on_credential("up-a", slow(700));
    let searching = json!({
        "model": "m-1", "max_tokens": 64, "messages": [{"role": "user", "content": "Look it up."}],
        "tools": [{"type": "web_search_20250305", "name": "web_search"}],
    });
    let responses = |more: Value| {
        let mut body = json!({"model": "m-1", "input": "Go on."});
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        Ask::post("/v1/responses", body.to_string())
    };
    for (what, ask) in [
        ("a key of its own", fresh(CHAT, "m-1", false).header("idempotency-key", "once-1")),
        ("a search", Ask::post("/v1/messages", searching.to_string())),
        ("what one upstream keeps", responses(json!({"previous_response_id": "resp_1"}))),
        ("what runs on", responses(json!({"background": true}))),
        (
            "servers of others",
            responses(
                json!({"tools": [{"type": "mcp", "server_label": "x", "server_url": "https://x.example"}]}),
            ),
        ),
    ] {
        rig.upstream.clear_invoice();
        let (_, row) = rig.asked(ask).await;
        assert_eq!((rig.seen(), hedge(&row)), (vec!["up-a".to_owned()], "none"), "{what}: {row}");
    }
    // The same without these is.
    rig.upstream.clear_invoice();
    rig.upstream.forget();
    rig.on_credential("up-a", slow(3_000));
    let (_, row) = rig.asked(responses(json!({}))).await;
    assert_eq!((rig.seen().len(), hedge(&row)), (2, "won"), "{row}");
}

#[tokio::test]
async fn attempts_beside_slow_ones_are_taken_out_of_the_retry_budget() {
    let rig = pair().await;
    learn(&rig, CHAT, true).await;
    // Ten in ten seconds are always allowed.
    rig.setting("routing.retry_budget_percent", "0").await;
    rig.on_credential("up-a", slow(3_000));
    let asked = (0..14).map(|_| rig.asked(fresh(CHAT, "m-1", true)));
    let rows: Vec<Value> =
        futures_util::future::join_all(asked).await.into_iter().map(|(_, row)| row).collect();
    let count = |what: &str| rows.iter().filter(|row| hedge(row) == what).count();
    assert_eq!((count("won"), count("capped")), (10, 4), "{:?}", rows.iter().map(hedge).collect::<Vec<_>>());
    assert_eq!(rig.seen().len(), 24);
}

#[tokio::test]
async fn a_request_that_could_waste_more_than_the_setting_allows_has_none() {
    let rig = pair().await;
    learn(&rig, CHAT, true).await;
    rig.setting("routing.hedge_max_usd", "0.000001").await;
    rig.on_credential("up-a", slow(700));
    let (_, row) = rig.asked(fresh(CHAT, "m-1", true)).await;
    assert_eq!((rig.seen(), hedge(&row)), (vec!["up-a".to_owned()], "dear"), "{row}");
    rig.setting("routing.hedge_max_usd", "0.1").await;
    rig.upstream.clear_invoice();
    let (_, row) = rig.asked(fresh(CHAT, "m-1", true)).await;
    assert_eq!((rig.seen().len(), hedge(&row)), (2, "won"), "{row}");
}

#[tokio::test]
async fn a_second_account_at_its_limit_or_unwell_is_no_second_account() {
    let rig = pair().await;
    learn(&rig, CHAT, true).await;
    rig.on_credential("up-a", slow(1_000));
    let accounts = rig.items("/credentials").await;
    let openai: Vec<&Value> = accounts.iter().filter(|account| account["name"] == "up-b").collect();
    for account in &openai {
        let limits = json!({"limits": {"daily_limit_usd": "0.000000001"}});
        rig.change(&format!("/credentials/{}", account["id"]), limits).await;
    }
    let (got, row) = rig.asked(fresh(CHAT, "m-1", true)).await;
    assert_eq!((got.status, rig.seen(), hedge(&row)), (200, vec!["up-a".to_owned()], "nobody"), "{row}");
    audited(&rig).await;
}
