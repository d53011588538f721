//! Aliases, error rules, a provider's routing, and questions to the router over the admin REST API: shapes, statuses,
//! strictness. What they do to requests is tested elsewhere.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{check_error, provider};
use crate::auth::console::{Answer, Console};
use crate::rig::Rig;
use crate::rig::faces::ANTHROPIC;

async fn send(console: &Console, method: Method, path: &str, body: Value) -> Answer {
    console.rest(method, path, Some(body)).await
}

fn refused(answer: &Answer, field: &str) {
    check_error(answer, 422, "invalid_input");
    assert!(answer.json()["error"]["fields"].get(field).is_some(), "{field}: {answer:?}");
}

#[tokio::test]
async fn a_providers_routing_is_made_changed_field_by_field_and_shown() {
    let console = Console::start().await;
    let mut body = provider("one");
    body["breaker"] = json!({ "failure_threshold": 3, "open_duration_ms": 60_000 });
    body["clients"] = json!(["claude-code", "!curl"]);
    body["schedule"] = json!({ "start": "22:00", "end": "06:00" });
    body["queue_size"] = json!(7);
    body["models"] = json!(["re:^gpt-[45]", "o*"]);
    body["model_redirects"] = json!({ "re:^fast": "gpt-4o-mini" });
    let made = send(&console, Method::POST, "/providers", body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
    let view = made.json();
    assert_eq!(view["breaker"]["failure_threshold"], 3);
    assert_eq!((&view["sticky"], &view["queue_ms"]), (&json!(true), &Value::Null));
    assert_eq!(view["schedule"], json!({ "start": "22:00", "end": "06:00" }));

    let path = format!("/providers/{}", view["id"]);
    let change =
        json!({ "schedule": null, "sticky": false, "queue_ms": 250, "proxy_fallback_to_direct": true });
    let changed = send(&console, Method::PATCH, &path, change).await.json();
    assert_eq!((&changed["schedule"], &changed["sticky"]), (&Value::Null, &json!(false)), "{changed}");
    assert_eq!((&changed["queue_ms"], &changed["queue_size"]), (&json!(250), &json!(7)));
    assert_eq!(changed["breaker"]["open_duration_ms"], 60_000, "what is absent stays");
    assert_eq!(changed["clients"], json!(["claude-code", "!curl"]));
    let audit = console.rest(Method::GET, "/audit?object=provider&limit=1", None).await.json();
    assert_eq!(audit["items"][0]["after"]["sticky"], json!(false), "{audit}");

    for (change, field) in [
        (json!({ "breaker": { "failure_threshold": 0 } }), "breaker.failure_threshold"),
        (json!({ "schedule": { "start": "08:00", "end": "08:00" } }), "schedule"),
        (json!({ "clients": ["!"] }), "clients"),
        (json!({ "queue_size": 10_001 }), "queue_size"),
        (json!({ "models": ["re:(unclosed"] }), "models"),
        (json!({ "model_redirects": { "re:[": "x" } }), "model_redirects"),
        (json!({ "stickyness": true }), "stickyness"),
        (json!({ "limits": { "typo": 1 } }), "limits.typo"),
    ] {
        refused(&send(&console, Method::PATCH, &path, change).await, field);
    }
    let mut typo = provider("two");
    typo["scheduled"] = json!(null);
    refused(&send(&console, Method::POST, "/providers", typo).await, "scheduled");
}

#[tokio::test]
async fn a_group_has_a_strategy_of_its_own() {
    let console = Console::start().await;
    let put = send(&console, Method::PUT, "/groups/fast", json!({ "strategy": "latency" })).await;
    assert_eq!((put.status, &put.json()["strategy"]), (StatusCode::OK, &json!("latency")), "{put:?}");
    let back = send(&console, Method::PUT, "/groups/fast", json!({ "strategy": null })).await;
    assert_eq!(back.json()["strategy"], Value::Null);
    let odd = send(&console, Method::PUT, "/groups/fast", json!({ "strategy": "random" })).await;
    check_error(&odd, 422, "invalid_input");
}

#[tokio::test]
async fn an_alias_lives_under_a_name_with_a_slash() {
    let console = Console::start().await;
    let path = "/aliases/house%2Ffast";
    let put = send(&console, Method::PUT, path, json!({ "targets": ["a-1", "b-1"] })).await;
    assert_eq!(put.status, StatusCode::OK, "{put:?}");
    let view = put.json();
    assert_eq!((&view["name"], &view["version"]), (&json!("house/fast"), &json!(1)));
    let again = send(&console, Method::PUT, path, json!({ "targets": ["b-1"], "version": 1 })).await.json();
    assert_eq!((&again["targets"], &again["version"]), (&json!(["b-1"]), &json!(2)));
    let stale = send(&console, Method::PUT, path, json!({ "targets": ["c-1"], "version": 1 })).await;
    check_error(&stale, 409, "stale_version");
    let list = console.rest(Method::GET, "/aliases", None).await.json();
    assert_eq!(list["items"].as_array().unwrap().len(), 1, "{list}");

    for (body, field) in [
        (json!({ "targets": [] }), "targets"),
        (json!({ "targets": ["a*"] }), "targets"),
        (json!({ "targets": ["a", "a"] }), "targets"),
        (json!({ "targets": ["a"], "weight": 1 }), "weight"),
    ] {
        refused(&send(&console, Method::PUT, "/aliases/x", body).await, field);
    }
    refused(&send(&console, Method::PUT, "/aliases/re:x", json!({ "targets": ["a"] })).await, "name");
    assert_eq!(console.rest(Method::DELETE, path, None).await.status, StatusCode::NO_CONTENT);
    check_error(&console.rest(Method::DELETE, path, None).await, 404, "not_found");
    let audit = console.rest(Method::GET, "/audit?object=alias", None).await.json();
    let actions: Vec<_> = audit["items"].as_array().unwrap().iter().map(|row| &row["action"]).collect();
    assert_eq!(actions, ["alias.delete", "alias.update", "alias.update"]);
}

#[tokio::test]
async fn an_error_rule_is_looked_at_before_the_built_in_ones_and_can_be_tried() {
    let console = Console::start().await;
    let error = json!({
        "status": 400,
        "body": r#"{"type":"error","error":{"type":"invalid_request_error","message":"Zelle 7 ist voll"}}"#,
    });
    let tried = send(&console, Method::POST, "/error-rules/test", error.clone()).await;
    assert_eq!(tried.status, StatusCode::OK, "{tried:?}");
    let tried = tried.json();
    assert_eq!((&tried["rule"], &tried["class"]), (&Value::Null, &json!("client")), "{tried}");
    assert_eq!(
        (&tried["kind"], &tried["message"]),
        (&json!("invalid_request_error"), &json!("Zelle 7 ist voll"))
    );

    let rule = json!({ "name": "full cell", "status": 400, "contains": "ist VOLL", "class": "overload", "cooldown_s": 5 });
    let made = send(&console, Method::POST, "/error-rules", rule.clone()).await;
    assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
    let made = made.json();
    let tried = send(&console, Method::POST, "/error-rules/test", error.clone()).await.json();
    assert_eq!((&tried["rule"], &tried["class"]), (&json!("full cell"), &json!("overload")));
    let list = console.rest(Method::GET, "/error-rules", None).await.json();
    let items = list["items"].as_array().unwrap();
    assert_eq!(items[0]["id"], made["id"], "own rules come first");
    assert!(
        items.len() > 10 && items.last().unwrap()["id"].is_null(),
        "the built-in ones are listed: {list}"
    );

    let path = format!("/error-rules/{}", made["id"]);
    let off =
        send(&console, Method::PATCH, &path, json!({ "enabled": false, "cooldown_s": null })).await.json();
    assert_eq!((&off["cooldown_s"], &off["contains"]), (&Value::Null, &json!("ist VOLL")), "{off}");
    let tried = send(&console, Method::POST, "/error-rules/test", error).await.json();
    assert_eq!(tried["rule"], Value::Null, "a rule that is switched off never holds");
    check_error(&send(&console, Method::PATCH, &path, json!({ "version": 1 })).await, 409, "stale_version");
    check_error(&send(&console, Method::POST, "/error-rules", rule).await, 409, "conflict");
    for (body, field) in [
        (json!({ "name": "x", "class": "provider" }), "status"),
        (json!({ "name": "x", "status": 500 }), "class"),
        (json!({ "name": "x", "status": 500, "class": "unknown" }), "class"),
        (json!({ "name": "x", "status": 500, "class": "provider", "answer_status": 200 }), "answer_status"),
        (json!({ "name": "x", "regex": "y" }), "regex"),
    ] {
        refused(&send(&console, Method::POST, "/error-rules", body).await, field);
    }
    refused(&send(&console, Method::POST, "/error-rules/test", json!({ "status": 99 })).await, "status");
    assert_eq!(console.rest(Method::DELETE, &path, None).await.status, StatusCode::NO_CONTENT);
    check_error(&console.rest(Method::DELETE, &path, None).await, 404, "not_found");
}

#[tokio::test]
async fn ac_03_refresh_says_what_is_in_force() {
    let console = Console::start().await;
    assert_eq!(send(&console, Method::POST, "/providers", provider("one")).await.status, StatusCode::CREATED);
    let answer = console.rest(Method::POST, "/scheduler/refresh", None).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let answer = answer.json();
    assert_eq!((&answer["providers"], &answer["credentials"]), (&json!(1), &json!(1)), "{answer}");
    assert!(answer["revision"].as_i64().unwrap() > 0 && answer["age_ms"].is_u64());
}

#[tokio::test]
async fn a_simulation_names_who_would_serve_and_sends_nothing() {
    let rig = Rig::bare().await;
    let provider = rig.pool("anthropic", json!({ "models": ["m-*"] }), &["up-a", "up-b"]).await;
    let ask = json!({ "key_id": rig.key_id, "model": "m-1", "seed": 7 });
    let simulation = rig.server.admin("POST", "/routing/simulate", &ask).await;
    let first = &simulation["decision"]["candidates"][0];
    assert_eq!((&first["credential_name"], &first["rank"]), (&json!("up-a"), &json!(1)), "{simulation}");
    assert_eq!((&simulation["refusal"], &simulation["decision"]["seed"]), (&Value::Null, &json!(7)));
    let changes = simulation["changes"].as_array().unwrap();
    assert!(
        changes.iter().any(|change| change["candidate"].as_str().unwrap().contains("up-b")),
        "{simulation}"
    );
    assert!(rig.upstream.invoice().is_empty(), "nothing was sent");

    let nobody = json!({ "model": "other" });
    let simulation = rig.server.admin("POST", "/routing/simulate", &nobody).await;
    assert!(simulation["refusal"].as_str().unwrap().contains("No available provider found"), "{simulation}");
    for (ask, field) in [
        (json!({}), "model"),
        (json!({ "model": "m-1", "dialect": "latin" }), "dialect"),
        (json!({ "model": "m-1", "key_id": 4711 }), "key_id"),
        (json!({ "model": "m-1", "stream": true }), "stream"),
    ] {
        let answer = rig.server.admin("POST", "/routing/simulate", &ask).await;
        assert!(answer["error"]["fields"].get(field).is_some(), "{field}: {answer}");
    }
    assert!(provider > 0);
}

#[tokio::test]
async fn a_backtest_says_who_would_have_been_first() {
    let rig = Rig::bare().await;
    let one = rig
        .provider("anthropic", json!({ "name": "one", "api_key": "up-one", "priority": 1, "sticky": false }))
        .await;
    let two = rig
        .provider("anthropic", json!({ "name": "two", "api_key": "up-two", "priority": 2, "sticky": false }))
        .await;
    for _ in 0..3 {
        let got = rig.ask(rig.keyed(ANTHROPIC.ask("m-1", false))).await;
        assert_eq!(got.status, 200, "{}", got.text());
    }
    rig.rows(3).await;
    let same = rig.server.admin("POST", "/routing/backtest", &json!({})).await;
    assert_eq!((&same["requests"], &same["moved"]), (&json!(3), &json!(0)), "{same}");
    let turned = json!({ "providers": { (two.to_string()): { "priority": 0 } } });
    let turned = rig.server.admin("POST", "/routing/backtest", &turned).await;
    assert_eq!((&turned["requests"], &turned["moved"]), (&json!(3), &json!(3)), "{turned}");
    let after =
        |id: i64| turned["providers"].as_array().unwrap().iter().find(|line| line["provider_id"] == id);
    assert_eq!(after(two).map(|line| line["after"].clone()), Some(json!(3)), "{turned}");
    assert_eq!(after(one).map(|line| line["before"].clone()), Some(json!(3)));
    let nobody = json!({ "providers": {
        (one.to_string()): { "enabled": false }, (two.to_string()): { "enabled": false },
    } });
    let nobody = rig.server.admin("POST", "/routing/backtest", &nobody).await;
    assert_eq!(nobody["unserved"], json!(3), "{nobody}");
    for (edit, field) in [
        (json!({ "limit": 0 }), "limit"),
        (json!({ "tier_order": ["shared", "shared"] }), "tier_order"),
        (json!({ "providers": { "1": { "weight": 0 } } }), "providers.1.weight"),
        (json!({ "since": "2026-01-02T00:00:00Z", "until": "2026-01-01T00:00:00Z" }), "since"),
    ] {
        let answer = rig.server.admin("POST", "/routing/backtest", &edit).await;
        assert!(answer["error"]["fields"].get(field).is_some(), "{field}: {answer}");
    }

    let id = rig.rows(3).await[0]["request_id"].as_str().unwrap().to_owned();
    let explained = rig.server.admin("GET", &format!("/requests/{id}/explain"), &Value::Null).await;
    let changes = explained["changes"].as_array().unwrap();
    assert!(changes.iter().any(|change| change["change"] == "priority"), "{explained}");
}
