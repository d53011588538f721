use http::HeaderValue;

use super::*;

fn body(text: &str) -> String {
    String::from_utf8(read(text.as_bytes()).unwrap().body.to_vec()).unwrap()
}

#[test]
fn the_body_of_a_message_is_that_of_a_post_with_its_values_as_they_were() {
    let text = r#"{"type":"response.create", "model":"m","input":[{"a": 1.0 ,"b":"\ud83d"}],
        "stream":false,"stream_id":"main","generate":true,"background":false,"store":false}"#;
    assert_eq!(body(text), r#"{"stream":true,"model":"m","input":[{"a": 1.0 ,"b":"\ud83d"}],"store":false}"#);
    let create = read(text.as_bytes()).unwrap();
    assert_eq!((create.stream_id.as_deref(), create.generate, create.stored), (Some("main"), true, false));
    assert_eq!(body(r#"{"type":"response.create"}"#), r#"{"stream":true}"#);
}

#[test]
fn what_is_no_request_is_refused_by_the_name_of_its_field() {
    for (text, code, field) in [
        ("", "invalid_request", None),
        ("[]", "invalid_request", None),
        ("{\"type\":", "invalid_request", None),
        ("{}", "unknown_event_type", Some("type")),
        (r#"{"type":"response.cancel"}"#, "unknown_event_type", Some("type")),
        (r#"{"type":7}"#, "invalid_request", Some("type")),
        (r#"{"type":"response.create","stream_id":""}"#, "invalid_stream_id", Some("stream_id")),
        (r#"{"type":"response.create","stream_id":"a b"}"#, "invalid_stream_id", Some("stream_id")),
        (r#"{"type":"response.create","stream_id":1}"#, "invalid_stream_id", Some("stream_id")),
        (r#"{"type":"response.create","background":true}"#, "invalid_request", Some("background")),
        (r#"{"type":"response.create","generate":"no"}"#, "invalid_request", Some("generate")),
    ] {
        let refused = read(text.as_bytes()).unwrap_err();
        let found = refused.refusal.details.get("field").and_then(Value::as_str);
        assert_eq!((refused.refusal.code, found, refused.refusal.status), (code, field, 400), "{text}");
    }
    let long = format!(r#"{{"type":"response.create","stream_id":"{}"}}"#, "a".repeat(257));
    assert_eq!(read(long.as_bytes()).unwrap_err().refusal.code, "invalid_stream_id");
    let named = read(br#"{"type":"x","stream_id":"main"}"#).unwrap_err();
    assert_eq!(named.stream_id.as_deref(), Some("main"), "the lane hears of it");
}

#[test]
fn an_events_lane_is_its_first_field() {
    assert_eq!(with_stream_id(r#"{"type":"x"}"#, Some("a.b")), r#"{"stream_id":"a.b","type":"x"}"#);
    assert_eq!(with_stream_id("{}", Some("a")), r#"{"stream_id":"a"}"#);
    assert_eq!(with_stream_id(r#"{"type":"x"}"#, None), r#"{"type":"x"}"#);
}

#[test]
fn an_error_keeps_status_code_and_when_to_come_back() {
    let mut headers = HeaderMap::new();
    headers.insert("retry-after", HeaderValue::from_static("7"));
    headers.insert("set-cookie", HeaderValue::from_static("secret"));
    let text = error_message(429, &headers, br#"{"error":{"code":"c","message":"m"}}"#, Some("main"));
    let message: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        message,
        json!({"type": "error", "status": 429, "stream_id": "main",
            "error": {"code": "c", "message": "m"}, "headers": {"retry-after": "7"}})
    );
    let other: Value = serde_json::from_str(&error_message(502, &HeaderMap::new(), b"<html>", None)).unwrap();
    assert_eq!((&other["error"]["message"], &other["status"]), (&json!("<html>"), &json!(502)));
}
