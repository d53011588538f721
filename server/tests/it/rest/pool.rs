//! The pool, breakers and what is remembered, over the admin REST API and after real requests.

use fakeup::{Behaviour, Then};
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::check_error;
use crate::auth::console::Console;
use crate::rig::Rig;
use crate::rig::faces::ANTHROPIC;

async fn get(rig: &Rig, path: &str) -> Value {
    let value = rig.server.admin("GET", path, &Value::Null).await;
    assert!(value.get("error").is_none(), "{path}: {value}");
    value
}

async fn post(rig: &Rig, path: &str) -> Value {
    let value = rig.server.admin("POST", path, &Value::Null).await;
    assert!(value.get("error").is_none(), "{path}: {value}");
    value
}

async fn clear(rig: &Rig, path: &str) -> Value {
    let value = rig.server.admin("DELETE", path, &Value::Null).await;
    assert!(value.get("error").is_none(), "{path}: {value}");
    value["cleared"].clone()
}

/// One request; answers its status.
async fn ask(rig: &Rig, session: &str) -> u16 {
    let ask = ANTHROPIC.ask("m-1", false).header("x-session-id", session);
    rig.ask(rig.keyed(ask)).await.status
}

#[tokio::test]
async fn tp_18_the_pool_is_counted_by_tier_priority_and_state_and_lists_each_entry_with_its_health() {
    let rig = Rig::bare().await;
    let provider = rig.pool("anthropic", json!({}), &["up-a"]).await;
    rig.credential(provider, "up-own", json!({ "tier": "personal", "priority": 7 })).await;
    let off = rig.credential(provider, "up-off", json!({ "tier": "fallback", "enabled": false })).await;
    let stats = get(&rig, "/pool").await;
    assert_eq!(
        (&stats["total"], &stats["active"], &stats["failed"]),
        (&json!(3), &json!(2), &json!(1)),
        "{stats}"
    );
    assert_eq!(stats["states"], json!({ "valid": 2, "disabled": 1 }));
    let priorities: Vec<_> = stats["by_priority"].as_array().unwrap().iter().collect();
    let highest = json!({ "priority": 7, "total": 1, "active": 1 });
    assert_eq!(priorities.last(), Some(&&highest), "{stats}");
    let totals: u64 = priorities.iter().filter_map(|line| line["total"].as_u64()).sum();
    assert_eq!(totals, 3, "{stats}");
    rig.on_credential("up-own", Behaviour::status(401));
    assert_eq!(ask(&rig, "s-1").await, 200);
    let entries = get(&rig, "/pool").await["entries"].as_array().unwrap().clone();
    let of = |name: &str| entries.iter().find(|entry| entry["credential_name"] == name).unwrap().clone();
    assert_eq!(entries.len(), 3);
    let well = of("up-a");
    assert_eq!((&well["active"], &well["state"]), (&json!(true), &json!("valid")), "{well}");
    assert_eq!((&well["answered"], &well["failed"]), (&json!(1), &json!(0)), "{well}");
    assert_eq!((&well["provider_id"], &well["tier"]), (&json!(provider), &json!("shared")), "{well}");
    let lost = of("up-own");
    assert_eq!((&lost["active"], &lost["consecutive_errors"]), (&json!(false), &json!(1)), "{lost}");
    assert!(lost["reason"].as_str().is_some_and(|why| why.contains("401")), "{lost}");
    assert_eq!(of("up-off")["state"], "disabled");
    post(&rig, "/credentials/recover").await;
    let tiers: Vec<_> = stats["tiers"].as_array().unwrap().iter().map(|line| line["tier"].clone()).collect();
    assert_eq!(tiers, ["personal", "shared", "fallback"], "in the order in which they are tried");
    rig.change(&format!("/credentials/{off}"), json!({ "enabled": true })).await;
    assert_eq!(get(&rig, "/pool").await["active"], 3, "a change holds at once");
    rig.server
        .admin("PUT", "/settings/pool.tier_order", &json!({ "value": "fallback,shared,personal" }))
        .await;
    assert_eq!(get(&rig, "/pool").await["tiers"][0]["tier"], "fallback");
}

#[tokio::test]
async fn ca_10_ca_11_conversations_are_listed_searched_and_really_forgotten() {
    let rig = Rig::bare().await;
    rig.pool("anthropic", json!({}), &["up-a", "up-b"]).await;
    let empty = get(&rig, "/cache/sessions").await;
    assert_eq!((&empty["total"], &empty["ttl_s"]), (&json!(0), &json!(3_600)), "{empty}");
    assert!(empty["since"].is_string() && empty["next"].is_null());
    for session in ["talk-1", "talk-2", "talk-2"] {
        assert_eq!(ask(&rig, session).await, 200);
    }
    let list = get(&rig, "/cache/sessions").await;
    assert_eq!(list["total"], 2, "{list}");
    let found = get(&rig, "/cache/sessions?search=TALK-2").await;
    let line = &found["items"][0];
    assert_eq!(
        (&found["total"], &line["hits"], &line["source"]),
        (&json!(1), &json!(1), &json!("client")),
        "{found}"
    );
    assert_eq!((&line["user_name"], &line["key_id"]), (&json!("someone"), &json!(rig.key_id)));
    assert!(line["credential_name"].as_str().unwrap().starts_with("up-"), "{line}");
    let accounts = get(&rig, "/cache/accounts").await;
    let sessions: i64 =
        accounts["items"].as_array().unwrap().iter().map(|l| l["sessions"].as_i64().unwrap()).sum();
    assert_eq!(sessions, 2, "{accounts}");

    rig.server.admin("PUT", "/settings/affinity.ttl_minutes", &json!({ "value": "7" })).await;
    assert_eq!(get(&rig, "/cache/sessions").await["ttl_s"], 420, "the setting holds at once");
    assert_eq!(clear(&rig, "/cache/sessions?key_id=4711").await, 0);
    let id = line["id"].as_str().unwrap();
    assert_eq!(clear(&rig, &format!("/cache/sessions/{id}")).await, 1);
    let gone = rig.server.admin("DELETE", &format!("/cache/sessions/{id}"), &Value::Null).await;
    assert_eq!(gone["error"]["code"], "not_found");
    assert_eq!(clear(&rig, &format!("/cache/sessions?key_id={}", rig.key_id)).await, 1);
    assert_eq!(get(&rig, "/cache/sessions").await["total"], 0);
    let audit = get(&rig, "/audit?object=cache&limit=1").await;
    assert_eq!(audit["items"][0]["action"], "cache.clear", "{audit}");
}

#[tokio::test]
async fn ca_04_ca_12_counts_of_accounts_and_users_are_shown_and_set_to_zero() {
    let rig = Rig::bare().await;
    let provider = rig.provider("anthropic", json!({ "name": "main" })).await;
    let credential =
        get(&rig, &format!("/credentials?provider_id={provider}")).await["items"][0]["id"].clone();
    rig.on_model("m-slow", Behaviour::cut(60, Then::Hold));
    // Without content a stream would be held back.
    rig.server.admin("PUT", "/settings/routing.gate_ms", &json!({ "value": "0" })).await;
    let open = rig.open(rig.keyed(ANTHROPIC.ask("m-slow", true))).await;
    let of = async |path: &str| get(&rig, path).await["items"][0]["in_flight"].clone();
    assert_eq!((of("/cache/accounts").await, of("/cache/users").await), (json!(1), json!(1)));
    assert_eq!(get(&rig, "/cache/accounts?search=main").await["total"], 1);
    assert_eq!(get(&rig, "/cache/users?search=nobody").await["total"], 0);

    assert_eq!(clear(&rig, &format!("/cache/accounts/{credential}")).await, 1);
    assert_eq!(clear(&rig, &format!("/cache/users/{}", rig.user_id)).await, 1);
    assert_eq!((of("/cache/accounts").await, of("/cache/users").await), (json!(0), json!(0)));
    drop(open);
    rig.ended(1).await;
    assert_eq!(ask(&rig, "after").await, 200);
    assert_eq!(
        (of("/cache/accounts").await, of("/cache/users").await),
        (json!(0), json!(0)),
        "never below zero"
    );
    assert_eq!(
        (clear(&rig, "/cache/accounts").await, clear(&rig, "/cache/users").await),
        (json!(0), json!(0))
    );
}

#[tokio::test]
async fn ac_08_ca_06_marks_are_listed_with_their_end_and_cleared() {
    let rig = Rig::bare().await;
    let provider = rig.pool("anthropic", json!({}), &["up-a", "up-b"]).await;
    rig.on_credential("up-a", Behaviour::status(429).header("retry-after", "600"));
    assert_eq!(ask(&rig, "s").await, 200, "another one serves");
    let marks = get(&rig, "/cache/unavailable").await;
    let mark = &marks["items"][0];
    assert_eq!((&marks["total"], &mark["mark"]), (&json!(1), &json!("rate_limited")), "{marks}");
    assert_eq!((&mark["credential_name"], &mark["provider_id"]), (&json!("up-a"), &json!(provider)));
    assert!(mark["until"].is_string() && !mark["reason"].as_str().unwrap().is_empty());
    assert_eq!(get(&rig, "/cache/unavailable?search=up-b").await["total"], 0);
    let stats = get(&rig, "/pool").await;
    assert_eq!((&stats["rate_limited"], &stats["switches"]), (&json!(1), &json!(1)), "{stats}");
    let id = mark["credential_id"].as_i64().unwrap();
    let view = get(&rig, &format!("/credentials/{id}")).await;
    assert_eq!(view["cooldowns"][0]["state"], "rate_limited", "{view}");

    assert_eq!(clear(&rig, &format!("/cache/unavailable/{id}")).await, 1);
    assert_eq!(get(&rig, "/cache/unavailable").await["total"], 0);
    rig.upstream.clear_invoice();
    assert_eq!(ask(&rig, "t").await, 200);
    assert_eq!(rig.seen(), ["up-a", "up-b"], "what was cleared is asked again at once");
    let grid = get(&rig, "/pool/availability").await;
    assert_eq!((&grid["slot_s"], grid["rows"].as_array().unwrap().len()), (&json!(300), 2), "{grid}");
    let slots = grid["rows"][0]["slots"].as_array().unwrap();
    assert_eq!((slots.len(), slots.last().unwrap()), (288, &json!([0, 2])), "two failures in this slot");
}

#[tokio::test]
async fn tp_17_a_lost_credential_has_a_history_and_recovers_alone_or_with_all() {
    let rig = Rig::bare().await;
    rig.pool("anthropic", json!({}), &["up-a", "up-b"]).await;
    rig.on_credential("up-a", Behaviour::status(401));
    assert_eq!(ask(&rig, "s").await, 200);
    let list = get(&rig, "/credentials").await;
    let id = list["items"].as_array().unwrap().iter().find(|c| c["name"] == "up-a").unwrap()["id"].clone();
    // The state is stored beside the request's own way.
    let until = tokio::time::Instant::now() + crate::rig::SOON;
    let events = loop {
        let events = get(&rig, &format!("/credentials/{id}/events")).await;
        if !events["items"].as_array().unwrap().is_empty() {
            break events;
        }
        assert!(tokio::time::Instant::now() < until, "no event");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    let event = &events["items"][0];
    assert_eq!(
        (&event["from"], &event["to"], &event["cause"]),
        (&json!("valid"), &json!("invalid"), &json!("upstream"))
    );
    assert_eq!(get(&rig, &format!("/credentials/{id}")).await["state"], "invalid");
    assert_eq!(get(&rig, "/pool").await["states"], json!({ "invalid": 1, "valid": 1 }));

    let recovered = post(&rig, &format!("/credentials/{id}/recover")).await;
    assert_eq!(
        (&recovered["state"], &recovered["consecutive_errors"]),
        (&json!("valid"), &json!(0)),
        "{recovered}"
    );
    let events = get(&rig, &format!("/credentials/{id}/events")).await;
    assert_eq!((&events["items"][0]["to"], &events["items"][0]["cause"]), (&json!("valid"), &json!("admin")));
    assert_eq!(post(&rig, "/credentials/recover").await["cleared"], 0, "all are well");
    rig.server.admin("GET", "/credentials/4711/events", &Value::Null).await["error"]["code"]
        .as_str()
        .filter(|code| *code == "not_found")
        .unwrap();
}

#[tokio::test]
async fn a_breaker_that_opened_is_shown_with_its_timeline_and_reset() {
    let rig = Rig::bare().await;
    let breaker = json!({ "breaker": { "failure_threshold": 2 }, "sticky": false });
    let provider = rig.pool("anthropic", breaker, &["up-a", "up-b"]).await;
    assert_eq!(get(&rig, "/breakers").await["items"], json!([]));
    rig.on_credential("up-a", Behaviour::status(500));
    for n in 0..2 {
        assert_eq!(ask(&rig, &format!("s-{n}")).await, 200);
    }
    let list = get(&rig, "/breakers").await;
    let open = &list["items"][0];
    assert_eq!(
        (&open["state"], &open["model"], &open["openings"]),
        (&json!("open"), &json!("m-1"), &json!(1)),
        "{list}"
    );
    assert!(open["probe_at"].is_string() && open["last_error"].is_string(), "{list}");
    let credential = get(&rig, &format!("/credentials/{}", open["credential_id"])).await;
    assert_eq!((&credential["breaker"], &credential["state"]), (&json!("open"), &json!("valid")));
    rig.upstream.clear_invoice();
    assert_eq!(ask(&rig, "s-9").await, 200);
    assert_eq!(rig.seen(), ["up-b"], "nobody is sent there");

    let reset = post(&rig, &format!("/providers/{provider}/breaker/reset")).await;
    assert_eq!(reset["cleared"], 1, "{reset}");
    let events = get(&rig, &format!("/breakers/events?provider_id={provider}")).await;
    let steps: Vec<_> =
        events["items"].as_array().unwrap().iter().map(|e| (e["from"].clone(), e["to"].clone())).collect();
    assert_eq!(steps, [(json!("open"), json!("closed")), (json!("closed"), json!("open"))], "{events}");
    assert_eq!(get(&rig, "/breakers/events?provider_id=4711").await["items"], json!([]));
    assert_eq!(post(&rig, "/breakers/reset").await["cleared"], 0);
    rig.upstream.clear_invoice();
    assert_eq!(ask(&rig, "s-10").await, 200);
    assert_eq!(rig.seen(), ["up-a", "up-b"], "it is asked again");
}

#[tokio::test]
async fn what_is_not_there_cannot_be_cleared() {
    let console = Console::start().await;
    for (method, path) in [
        (Method::DELETE, "/cache/accounts/4711"),
        (Method::DELETE, "/cache/users/4711"),
        (Method::DELETE, "/cache/unavailable/4711"),
        (Method::DELETE, "/cache/sessions/feed"),
        (Method::POST, "/providers/4711/breaker/reset"),
        (Method::POST, "/credentials/4711/recover"),
    ] {
        check_error(&console.rest(method, path, None).await, 404, "not_found");
    }
    let odd = console.rest(Method::GET, "/cache/users?q=x", None).await;
    check_error(&odd, 422, "invalid_input");
    assert_eq!(
        console.rest(Method::GET, "/breakers/events?cursor=x", None).await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
}

#[tokio::test]
async fn tp_13_a_day_of_the_pool_is_told_in_slots() {
    let rig = Rig::bare().await;
    rig.pool("anthropic", json!({}), &["up-a", "up-b"]).await;
    let quiet = get(&rig, "/pool").await["trend"].clone();
    assert_eq!(
        (&quiet["slot_s"], quiet["slots"].as_array().map(Vec::len)),
        (&json!(900), Some(1)),
        "{quiet}"
    );
    for credential in ["up-a", "up-b"] {
        rig.on_credential(credential, Behaviour::status(429));
    }
    assert_eq!(ask(&rig, "s-1").await, 429);
    rig.rows(1).await;
    let stats = get(&rig, "/pool").await;
    let sum = |field: &str| -> u64 {
        stats["trend"]["slots"].as_array().unwrap().iter().filter_map(|slot| slot[field].as_u64()).sum()
    };
    let told = ["rate_limited", "switches", "exhausted", "judged", "good"].map(sum);
    assert_eq!(told, [2, 1, 1, 2, 0], "{stats}");
    // The same is scraped.
    let bearer = crate::harness::ADMIN_TOKEN;
    let scrape = format!(
        "GET /metrics HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {bearer}\r\nConnection: close\r\n\r\n"
    );
    let text = rig.server.raw(scrape).await.body();
    for line in [
        "tollgate_pool_switches_total 1",
        "tollgate_pool_exhausted_total 1",
        "tollgate_attempt_success_ratio 0",
    ] {
        assert!(text.lines().any(|found| found.starts_with(line)), "{line} is missing: {text}");
    }
    let limited =
        text.lines().filter(|line| line.starts_with("tollgate_upstream_rate_limited_total{")).count();
    assert_eq!(limited, 2, "one counter for each credential: {text}");
}
