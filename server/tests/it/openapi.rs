//! The document describes every route, and real answers look as it says.

mod schema;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::auth::console::Console;

#[tokio::test]
async fn every_mounted_route_is_in_the_document_and_nothing_else() {
    let console = Console::start().await;
    let document = console.rest(Method::GET, "/openapi.json", None).await.json();
    let mut described: Vec<String> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, item)| {
            item.as_object().unwrap().keys().map(move |method| format!("{} {path}", method.to_uppercase()))
        })
        .collect();
    let mut mounted: Vec<String> =
        server::rest::routes().iter().map(|(method, path)| format!("{method} {path}")).collect();
    described.sort();
    mounted.sort();
    assert_eq!(described, mounted);
    for route in &mounted {
        let (method, path) = route.split_once(' ').unwrap();
        let path = path.replace("{id}", "1").replace("{name}", "x").replace("{request_id}", "x");
        let path = path.replace("{model}", "x");
        let answer = console.call(method.parse().unwrap(), &path, &[], "").await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{route} is mounted and guarded");
    }
}

#[tokio::test]
async fn every_reference_in_the_document_leads_somewhere() {
    let console = Console::start().await;
    let document = console.rest(Method::GET, "/openapi.json", None).await.json();
    assert_eq!(document["openapi"], "3.1.0");
    let mut references = Vec::new();
    collect(&document, &mut references);
    assert!(references.len() > 20);
    for reference in references {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

fn collect(value: &Value, references: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            references.extend(map.get("$ref").and_then(Value::as_str).map(str::to_owned));
            map.values().for_each(|value| collect(value, references));
        }
        Value::Array(items) => items.iter().for_each(|value| collect(value, references)),
        _ => {}
    }
}

const LIST: &str = r#"{"m": {"input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6, "mode": "chat"}}"#;

const CHANNELS: &str = r#"[{"type": 1, "key": "sk-0123456789abcdef", "models": "m", "name": "c"}, {"type": 2, "key": "", "models": ""}]"#;

#[expect(clippy::too_many_lines, reason = "one list of calls")]
#[tokio::test]
async fn real_answers_match_their_schema() {
    let console = Console::start().await;
    let document = console.rest(Method::GET, "/openapi.json", None).await.json();
    let provider = json!({ "name": "p", "kind": "anthropic", "base_url": "http://127.0.0.1:9", "api_key": "sk-0123456789abcdef" });
    for (method, route, path, body) in [
        (Method::POST, "/providers", "/providers", Some(provider)),
        (Method::GET, "/providers", "/providers", None),
        (Method::GET, "/providers/{id}", "/providers/1", None),
        (Method::PATCH, "/providers/{id}", "/providers/1", Some(json!({ "enabled": false }))),
        (Method::POST, "/providers/{id}/test", "/providers/1/test", None),
        (
            Method::POST,
            "/credentials",
            "/credentials",
            Some(json!({ "provider_id": 1, "api_key": "sk-0123456789abcdef" })),
        ),
        (Method::GET, "/credentials", "/credentials", None),
        (Method::GET, "/credentials/{id}", "/credentials/1", None),
        (Method::POST, "/users", "/users", Some(json!({ "name": "ann" }))),
        (Method::GET, "/users", "/users", None),
        (Method::GET, "/users/{id}", "/users/1", None),
        (Method::POST, "/users/{id}/keys", "/users/1/keys", Some(json!({ "name": "laptop" }))),
        (Method::GET, "/keys", "/keys", None),
        (Method::GET, "/models", "/models", None),
        (Method::GET, "/keys/{id}", "/keys/1", None),
        (Method::GET, "/requests", "/requests", None),
        (Method::GET, "/usage", "/usage?by=day", None),
        (Method::PUT, "/prices/{model}", "/prices/a%2Fb", Some(json!({ "input_per_million_usd": "1" }))),
        (Method::GET, "/prices/{model}", "/prices/a%2Fb", None),
        (Method::GET, "/prices", "/prices?limit=500", None),
        (Method::POST, "/price-import/preview", "/price-import/preview", Some(json!({ "list": LIST }))),
        (Method::GET, "/unpriced-models", "/unpriced-models", None),
        (Method::POST, "/reprice/preview", "/reprice/preview", Some(json!({}))),
        (Method::GET, "/adjustments", "/adjustments", None),
        (Method::PUT, "/groups/{name}", "/groups/g", Some(json!({ "limits": { "daily_limit_usd": "1" } }))),
        (Method::GET, "/groups", "/groups", None),
        (
            Method::POST,
            "/packages",
            "/packages",
            Some(json!({ "name": "p", "kind": "quota", "total_usd": "5" })),
        ),
        (Method::GET, "/packages", "/packages", None),
        (Method::POST, "/users/{id}/packages", "/users/1/packages", Some(json!({ "package_id": 1 }))),
        (Method::GET, "/users/{id}/packages", "/users/1/packages", None),
        (Method::PATCH, "/grants/{id}", "/grants/1", Some(json!({ "disabled": true }))),
        (Method::GET, "/quotas", "/quotas", None),
        (Method::GET, "/quotas", "/quotas?user_id=1", None),
        (Method::GET, "/ledger/audit", "/ledger/audit", None),
        (Method::GET, "/ledger/reconcile", "/ledger/reconcile", None),
        (Method::POST, "/ledger/rebuild", "/ledger/rebuild", None),
        (
            Method::POST,
            "/ledger/invoice",
            "/ledger/invoice",
            Some(json!({ "csv": "date,model,cost\n2026-11-20,m,1\n" })),
        ),
        (Method::PUT, "/aliases/{name}", "/aliases/fast", Some(json!({ "targets": ["a", "b"] }))),
        (Method::GET, "/aliases", "/aliases", None),
        (
            Method::POST,
            "/error-rules",
            "/error-rules",
            Some(json!({ "name": "r", "status": 418, "class": "overload" })),
        ),
        (Method::GET, "/error-rules", "/error-rules", None),
        (Method::POST, "/error-rules/test", "/error-rules/test", Some(json!({ "status": 418 }))),
        (Method::POST, "/routing/simulate", "/routing/simulate", Some(json!({ "model": "m" }))),
        (Method::POST, "/routing/backtest", "/routing/backtest", Some(json!({}))),
        (Method::POST, "/scheduler/refresh", "/scheduler/refresh", None),
        (Method::GET, "/pool", "/pool", None),
        (Method::GET, "/pool/availability", "/pool/availability", None),
        (Method::GET, "/breakers", "/breakers", None),
        (Method::GET, "/breakers/events", "/breakers/events", None),
        (Method::POST, "/breakers/reset", "/breakers/reset", None),
        (Method::GET, "/credentials/{id}/events", "/credentials/1/events", None),
        (Method::POST, "/credentials/recover", "/credentials/recover", None),
        (
            Method::POST,
            "/credentials/import",
            "/credentials/import",
            Some(json!({ "content": CHANNELS, "dry_run": true })),
        ),
        (
            Method::POST,
            "/credentials/export",
            "/credentials/export",
            Some(json!({ "passphrase": "correct horse battery" })),
        ),
        (Method::GET, "/cache/sessions", "/cache/sessions", None),
        (Method::GET, "/cache/accounts", "/cache/accounts", None),
        (Method::GET, "/cache/users", "/cache/users", None),
        (Method::GET, "/cache/unavailable", "/cache/unavailable", None),
        (Method::DELETE, "/cache/users", "/cache/users", None),
        (Method::GET, "/overview", "/overview?span=7d", None),
        (Method::GET, "/settings", "/settings", None),
        (Method::GET, "/audit", "/audit", None),
        (Method::GET, "/system", "/system", None),
        (Method::GET, "/providers/{id}", "/providers/4711", None),
        (Method::GET, "/providers/{id}/vitals", "/providers/1/vitals", None),
        (Method::POST, "/users", "/users", Some(json!({ "nam": "ann" }))),
    ] {
        let answer = console.rest(method.clone(), path, body).await;
        let operation = &document["paths"][format!("/api/admin{route}")][method.as_str().to_lowercase()];
        let described =
            operation["responses"].get(answer.status.as_str()).unwrap_or(&operation["responses"]["default"]);
        let described = schema::resolve(&document, described);
        let schema = &described["content"]["application/json"]["schema"];
        assert!(schema.is_object(), "{method} {route} has no schema for {}", answer.status);
        let faults = schema::check(&document, schema, &answer.json(), "answer");
        assert!(faults.is_empty(), "{method} {path}: {faults:?} in {}", answer.body);
    }
}

#[test]
fn the_checker_itself_finds_faults() {
    let schema =
        json!({ "type": "object", "required": ["a"], "properties": { "a": { "type": ["string", "null"] } } });
    assert!(schema::check(&schema, &schema, &json!({ "a": null }), "x").is_empty());
    assert!(!schema::check(&schema, &schema, &json!({ "a": 1 }), "x").is_empty());
    assert!(!schema::check(&schema, &schema, &json!({}), "x").is_empty());
    assert!(!schema::check(&schema, &schema, &json!({ "a": "", "b": 1 }), "x").is_empty());
}

#[tokio::test]
async fn the_document_is_for_the_bearer_and_for_a_signed_in_administrator() {
    let console = Console::start().await;
    let path = "/api/admin/openapi.json";
    let (_, key) = console.member("ann").await;
    let member = console.sign_in(&key).await;
    let admin = console.admin_session().await;
    assert_eq!(console.get(path, &[]).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(console.page(path, &member).await.status, StatusCode::UNAUTHORIZED);
    let document = console.page(path, &admin).await;
    assert_eq!(document.status, StatusCode::OK);
    assert!(!document.body.contains(&console.token));
}
