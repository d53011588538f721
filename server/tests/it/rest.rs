//! The admin REST API from outside: shapes, statuses, strictness.

mod accounts;
mod audit;
mod catalogue;
mod environment;
mod import;
mod ip_limit;
mod money;
mod playground;
mod pool;
mod proxies;
mod routing;
mod translation;
mod vitals;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::auth::console::{Answer, Console};

fn check_error(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.status.as_u16(), status, "{answer:?}");
    let error = &answer.json()["error"];
    assert_eq!(error["code"], code, "{answer:?}");
    assert!(!error["message"].as_str().unwrap().is_empty());
    assert_eq!(error["request_id"], answer.header("x-request-id"), "{answer:?}");
}

fn provider(name: &str) -> Value {
    json!({
        "name": name, "kind": "openai-compatible", "base_url": "http://127.0.0.1:9/v1", "api_key": "sk-upstream-0123456789abcdef",
        "groups": ["a"], "models": ["gpt-*"], "model_redirects": { "x": "y" }, "timeouts": { "connect_ms": 500 }
    })
}

#[tokio::test]
async fn au_01_the_bearer_is_missing_malformed_or_wrong() {
    let console = Console::start().await;
    for (header, code) in [
        (None, "missing_authorization"),
        (Some("Bearer"), "malformed_authorization"),
        (Some("Basic YTpi"), "malformed_authorization"),
        (Some("Bearer a b"), "malformed_authorization"),
        (Some("Bearer wrong-secret-value"), "invalid_credentials"),
    ] {
        let headers: Vec<_> = header.iter().map(|value| ("authorization", *value)).collect();
        let answer = console.get("/api/admin/providers", &headers).await;
        check_error(&answer, 401, code);
        assert!(answer.header("www-authenticate").starts_with("Bearer"));
        assert!(answer.json()["error"]["message"].as_str().unwrap().contains("Unauthorized"));
        assert!(!answer.body.contains("wrong-secret-value"));
    }
    let bearer = format!("bEARER {}", console.token);
    assert_eq!(
        console.get("/api/admin/providers", &[("authorization", &bearer)]).await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn a_provider_lives_from_create_to_restore() {
    let console = Console::start().await;
    let made = console.rest(Method::POST, "/providers", Some(provider("one"))).await;
    assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
    assert!(!made.body.contains("0123456789abcdef"), "the secret never comes back");
    let view = made.json();
    let path = format!("/providers/{}", view["id"]);
    assert_eq!(view["credential_count"], 1);

    let list = console.rest(Method::GET, "/providers", None).await.json();
    assert_eq!((list["items"].as_array().unwrap().len(), &list["next"]), (1, &Value::Null));
    let credentials =
        console.rest(Method::GET, &format!("/credentials?provider_id={}", view["id"]), None).await.json();
    assert_eq!(credentials["items"][0]["state"], "valid");

    let change = json!({ "priority": 5, "version": view["version"] });
    let changed = console.rest(Method::PATCH, &path, Some(change.clone())).await;
    assert_eq!((changed.status, &changed.json()["priority"]), (StatusCode::OK, &json!(5)));
    check_error(&console.rest(Method::PATCH, &path, Some(change)).await, 409, "stale_version");
    check_error(&console.rest(Method::POST, "/providers", Some(provider("one"))).await, 409, "conflict");

    let gone = console.rest(Method::DELETE, &path, None).await;
    assert_eq!((gone.status, gone.body.as_str()), (StatusCode::NO_CONTENT, ""));
    check_error(&console.rest(Method::GET, "/providers/999999", None).await, 404, "not_found");
    check_error(&console.rest(Method::GET, "/providers/abc", None).await, 404, "not_found");
    let all = console.rest(Method::GET, "/providers?include_deleted=true", None).await.json();
    assert_eq!(all["items"].as_array().unwrap().len(), 1);
    assert_eq!(console.rest(Method::POST, &format!("{path}/restore"), None).await.status, StatusCode::OK);
    assert_eq!(console.rest(Method::GET, &path, None).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_key_is_shown_once_and_found_again_by_its_text() {
    let console = Console::start().await;
    let (user, key) = console.member("ann").await;
    assert!(key.starts_with("sk-tg-"));
    let list = console.rest(Method::GET, &format!("/users/{user}/keys"), None).await;
    assert!(!list.body.contains(&key));
    let found = console.rest(Method::POST, "/keys/find", Some(json!({ "key": key }))).await;
    assert_eq!(found.json()["user_name"], "ann", "{found:?}");
    check_error(
        &console.rest(Method::POST, "/keys/find", Some(json!({ "key": "sk-tg-nothing" }))).await,
        404,
        "not_found",
    );
    check_error(&console.rest(Method::GET, "/users/4711/keys", None).await, 404, "not_found");
}

#[tokio::test]
async fn fault_x12_unknown_fields_and_parameters_are_refused_by_name() {
    let console = Console::start().await;
    for (path, body, field) in [
        ("/users", json!({ "name": "a", "role": "admin" }), "role"),
        ("/users", json!({ "name": "a", "balance": 1 }), "balance"),
        ("/users", json!({}), "name"),
        ("/users", json!({ "name": "a", "limits": { "rpm_limit": -5 } }), "limits.rpm_limit"),
        ("/users", json!({ "name": "a", "limits": { "typo": 5 } }), "limits.typo"),
        ("/credentials", json!({ "provider_id": "sk-secret", "api_key": "x" }), "provider_id"),
    ] {
        let answer = console.rest(Method::POST, path, Some(body)).await;
        check_error(&answer, 422, "invalid_input");
        assert!(answer.json()["error"]["fields"].get(field).is_some(), "{answer:?}");
        assert!(!answer.body.contains("sk-secret"));
    }
    let answer = console.rest(Method::GET, "/requests?user=1", None).await;
    assert_eq!(answer.json()["error"]["fields"]["user"], "unknown field");
}

#[tokio::test]
async fn broken_bodies_get_400_413_and_415() {
    let console = Console::start().await;
    let bearer = format!("Bearer {}", console.token);
    let send = async |kind: &str, body: &str| {
        let headers = [("authorization", bearer.as_str()), ("content-type", kind)];
        console.call(Method::POST, "/api/admin/users", &headers, body).await
    };
    let broken = send("application/json", "{\"name\": \"a\",}").await;
    check_error(&broken, 400, "bad_request");
    assert!(broken.json()["error"]["message"].as_str().unwrap().contains("line 1 column"));
    check_error(&send("text/plain", "{}").await, 415, "unsupported_media_type");
    let large = format!("{{\"name\":\"{}\"}}", "a".repeat(1_100_000));
    assert_eq!(send("application/json", &large).await.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn ui_02_unknown_paths_name_the_nearest_route() {
    let console = Console::start().await;
    let answer = console.rest(Method::GET, "/provider", None).await;
    check_error(&answer, 404, "not_found");
    assert!(
        answer.json()["error"]["message"].as_str().unwrap().contains("GET /api/admin/providers"),
        "{answer:?}"
    );
    check_error(&console.get("/api", &[]).await, 404, "not_found");

    let answer = console.rest(Method::PUT, "/providers", None).await;
    check_error(&answer, 405, "method_not_allowed");
    let allow = answer.header("allow");
    assert!(allow.contains("GET") && allow.contains("POST"), "{answer:?}");
}

#[tokio::test]
async fn settings_usage_audit_and_system_answer_in_the_agreed_shapes() {
    let console = Console::start().await;
    let put = console.rest(Method::PUT, "/settings/pool.max_attempts", Some(json!({ "value": "5" }))).await;
    assert_eq!((put.status, &put.json()["value"]), (StatusCode::OK, &json!("5")), "{put:?}");
    let bad = console.rest(Method::PUT, "/settings/pool.max_attempts", Some(json!({ "value": "99" }))).await;
    check_error(&bad, 422, "invalid_input");
    check_error(
        &console.rest(Method::PUT, "/settings/no.such", Some(json!({ "value": "1" }))).await,
        404,
        "not_found",
    );
    let reset = console.rest(Method::DELETE, "/settings/pool.max_attempts", None).await;
    assert_eq!(reset.json()["value"], "3", "{reset:?}");

    let audit = console.rest(Method::GET, "/audit?object=setting&limit=1", None).await.json();
    assert_eq!(audit["items"][0]["actor"], "admin-api");
    assert!(audit["next"].is_string());
    assert!(console.rest(Method::GET, "/system", None).await.json()["config"].is_array());
    for by in ["day", "hour", "model", "user", "key", "provider", "credential", "group", "package"] {
        let usage = console.rest(Method::GET, &format!("/usage?by={by}&since=2026-01-01"), None).await;
        assert!(usage.json()["items"].is_array(), "{usage:?}");
    }
    assert!(console.rest(Method::GET, "/usage", None).await.json()["items"].is_array(), "by day");
    check_error(&console.rest(Method::GET, "/usage?by=moon", None).await, 422, "invalid_input");
}

#[tokio::test]
async fn he_01_strangers_get_words_and_administrators_get_details() {
    let console = Console::start().await;
    let plain = console.get("/health", &[]).await.json();
    let names: Vec<_> = plain.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, ["status", "timestamp", "checks", "version"]);
    assert_eq!(plain["checks"]["database"], "ok");
    assert_eq!(plain["checks"]["redis"], "not_configured");
    let bearer = format!("Bearer {}", console.token);
    let full = console.get("/health", &[("authorization", &bearer)]).await.json();
    assert_eq!(full["details"]["database"]["status"], "ok");
    let cookie = console.admin_session().await;
    assert!(console.page("/health", &cookie).await.json()["details"].is_object());

    for path in ["/health/database", "/health/redis", "/health/cache"] {
        let answer = console.get(path, &[]).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        assert!(answer.json().get("latency_ms").is_none());
    }
    assert_eq!(console.get("/health/other", &[]).await.status, StatusCode::NOT_FOUND);
    assert_eq!(console.get("/livez", &[]).await.status, StatusCode::OK);
    assert_eq!(console.get("/readyz", &[]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn he_06_metrics_are_for_administrators() {
    let console = Console::start().await;
    check_error(&console.get("/metrics", &[]).await, 401, "missing_authorization");
    let (_, key) = console.member("ann").await;
    let member = console.sign_in(&key).await;
    assert_eq!(console.page("/metrics", &member).await.status, StatusCode::UNAUTHORIZED);
    let admin = console.admin_session().await;
    let answer = console.page("/metrics", &admin).await;
    assert!(answer.body.contains("# TYPE"), "{answer:?}");
    assert!(answer.header("content-type").starts_with("text/plain; version=0.0.4"));
}

#[tokio::test]
async fn files_come_out_of_the_binary() {
    let console = Console::start().await;
    let css = console.get("/pkg/tollgate.css", &[("accept-encoding", "gzip")]).await;
    assert_eq!(css.status, StatusCode::OK);
    assert_eq!(css.header("content-type"), "text/css; charset=utf-8");
    let again = console
        .get("/pkg/tollgate.css", &[("accept-encoding", "gzip"), ("if-none-match", css.header("etag"))])
        .await;
    assert_eq!(again.status, StatusCode::NOT_MODIFIED);
    for path in ["/pkg/../Cargo.toml", "/pkg/%2e%2e/Cargo.toml", "/.git/config", "/pkg/tollgate.js.map"] {
        assert_ne!(console.get(path, &[]).await.status, StatusCode::OK, "{path}");
    }
}
