use std::collections::BTreeMap;

use axum::response::IntoResponse;
use types::provider::CreateProvider;
use types::request::RequestFilter;

use super::*;

async fn check(result: Result<impl Sized, ApiError>, status: u16, fields: &[(&str, &str)]) {
    let response = result.map(drop).unwrap_err().into_response();
    assert_eq!(response.status(), status);
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    let body: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    assert!(!body.to_string().contains("sk-secret"), "{body}");
    let found: BTreeMap<String, String> =
        serde_json::from_value(body["error"].get("fields").cloned().unwrap_or(serde_json::json!({})))
            .unwrap();
    let expected = fields.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    assert_eq!(found, expected, "{body}");
}

fn provider(json: &str) -> Result<CreateProvider, ApiError> {
    decode(json.as_bytes())
}

#[tokio::test]
async fn fault_x12_unknown_fields_are_refused_by_name() {
    let head = r#""name":"a","kind":"openai","base_url":"http://x""#;
    check(provider(&format!("{{{head},\"role\":\"admin\"}}")), 422, &[("role", "unknown field")]).await;
    check(
        provider(&format!("{{{head},\"timeouts\":{{\"connect\":1}}}}")),
        422,
        &[("timeouts.connect", "unknown field")],
    )
    .await;
    check(query::<RequestFilter>("user_id=1&sort=asc"), 422, &[("sort", "unknown field")]).await;
    check(query::<NoQuery>("x=1"), 422, &[("x", "unknown field")]).await;
}

#[tokio::test]
async fn missing_double_and_mistyped_fields_are_named_and_values_not_repeated() {
    check(provider("{}"), 422, &[("name", "is required")]).await;
    check(provider(r#"{"name":"a","name":"b"}"#), 422, &[("name", "is given twice")]).await;
    check(
        provider(r#"{"name":"a","priority":"sk-secret"}"#),
        422,
        &[("priority", "expected a whole number")],
    )
    .await;
    check(provider("[1]"), 422, &[("body", "expected an object")]).await;
}

#[tokio::test]
async fn broken_json_is_a_400_with_its_position() {
    check(provider("{\"name\": }"), 400, &[]).await;
    check(provider(r#"{"name":"a","kind":"openai","base_url":"http://x"} trailing"#), 400, &[]).await;
    check(provider(""), 400, &[]).await;
}

#[test]
fn empty_parameters_count_as_absent() {
    let filter: RequestFilter = query("user_id=&status=error&limit=10&since=2026-11-21").unwrap();
    assert_eq!(filter.user_id, None);
    assert_eq!(filter.status.as_deref(), Some("error"));
    assert_eq!(filter.limit, Some(10));
    assert!(filter.since.is_some());
}
