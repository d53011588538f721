//! What SDKs find in our errors, and what we find in upstreams'.

use serde_json::{Value, json};

use super::*;

fn body(status: u16, code: &'static str) -> ErrorBody<'static> {
    ErrorBody { status, code, message: "no available account", request_id: "req-1", details: None }
}

fn parse(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

#[test]
fn lg_04_every_dialect_carries_code_message_and_request_id() {
    for dialect in Dialect::ALL {
        let text = String::from_utf8(render(*dialect, &body(503, "no_available_account"))).unwrap();
        for part in ["no_available_account", "no available account", "req-1"] {
            assert!(text.contains(part), "{dialect}: {text}");
        }
    }
    for endpoint in Endpoint::ALL {
        let text =
            String::from_utf8(render_event(*endpoint, &body(503, "no_available_account"), None)).unwrap();
        assert!(text.contains("no_available_account") && text.contains("req-1"), "{endpoint}: {text}");
    }
}

#[test]
fn anthropic_types_follow_the_status() {
    for (status, code, kind) in [
        (400, "bad_request", "invalid_request_error"),
        (401, "key_invalid", "authentication_error"),
        (403, "model_not_allowed", "permission_error"),
        (404, "not_found", "not_found_error"),
        (413, "payload_too_large", "request_too_large"),
        (422, "invalid_input", "invalid_request_error"),
        (429, "rate_limit_exceeded", "rate_limit_error"),
        (429, "user_concurrency_limit", "rate_limit_error"),
        (500, "internal", "api_error"),
        (502, "upstream_auth_failed", "api_error"),
        (502, "upstream_unavailable", "overloaded_error"),
        (503, "no_available_account", "overloaded_error"),
        (503, "database_busy", "api_error"),
        (504, "upstream_timeout", "timeout_error"),
        (529, "overloaded", "overloaded_error"),
    ] {
        let value = parse(&render(Dialect::Anthropic, &body(status, code)));
        assert_eq!(value["type"], "error");
        assert_eq!(value["error"]["type"], kind, "{status} {code}");
        assert_eq!(value["error"]["code"], code);
        assert_eq!(value["request_id"], "req-1");
    }
}

#[test]
fn openai_types_follow_code_and_status() {
    for (status, code, kind) in [
        (400, "bad_request", "invalid_request_error"),
        (401, "missing_authorization", "invalid_request_error"),
        (401, "key_expired", "invalid_api_key"),
        (403, "model_not_allowed", "model_not_allowed"),
        (403, "quota_exceeded", "insufficient_quota"),
        (403, "platform_forbidden", "permission_denied"),
        (429, "pool_exhausted", "rate_limit_exceeded"),
        (503, "pool_exhausted", "server_error"),
        (504, "upstream_timeout", "timeout"),
    ] {
        let value = parse(&render(Dialect::OpenAiChat, &body(status, code)));
        assert_eq!(value["error"]["type"], kind, "{status} {code}");
        assert_eq!(value["error"]["code"], code);
        assert_eq!(value["error"]["param"], Value::Null);
        assert_eq!(value["error"]["request_id"], "req-1");
    }
}

#[test]
fn gemini_carries_googles_status_and_error_info() {
    for (status, word) in [
        (400, "INVALID_ARGUMENT"),
        (401, "UNAUTHENTICATED"),
        (403, "PERMISSION_DENIED"),
        (404, "NOT_FOUND"),
        (429, "RESOURCE_EXHAUSTED"),
        (500, "INTERNAL"),
        (502, "UNAVAILABLE"),
        (503, "UNAVAILABLE"),
        (504, "DEADLINE_EXCEEDED"),
    ] {
        let value = parse(&render(Dialect::Gemini, &body(status, "some_code")));
        assert_eq!(value["error"]["code"], status);
        assert_eq!(value["error"]["status"], word);
        let info = &value["error"]["details"][0];
        assert_eq!(info["@type"], "type.googleapis.com/google.rpc.ErrorInfo");
        assert_eq!(info["reason"], "some_code");
        assert_eq!(info["metadata"]["request_id"], "req-1");
    }
}

#[test]
fn details_go_beside_the_message() {
    let details = json!({ "limit": 3, "field": "model" });
    let e = ErrorBody { details: details.as_object().cloned(), ..body(429, "rate_limit_exceeded") };
    assert_eq!(parse(&render(Dialect::Anthropic, &e))["error"]["details"], details);
    let value = parse(&render(Dialect::OpenAiResponses, &e));
    assert_eq!((&value["error"]["details"], &value["error"]["param"]), (&details, &json!("model")));
    assert_eq!(parse(&render(Dialect::Gemini, &e))["error"]["details"][1]["value"], details);
}

#[test]
fn a_broken_stream_ends_with_the_error_that_its_client_understands() {
    let event =
        |endpoint| String::from_utf8(render_event(endpoint, &body(504, "upstream_timeout"), None)).unwrap();
    let data = |text: &str| parse(text.split_once("data: ").unwrap().1.trim().as_bytes());

    let text = event(Endpoint::Messages);
    assert!(text.starts_with("event: error\ndata: {") && text.ends_with("}\n\n"));
    assert_eq!(data(&text)["error"]["type"], "timeout_error");

    let text = event(Endpoint::ChatCompletions);
    assert!(text.starts_with("data: {") && !text.contains("[DONE]"));
    assert_eq!(data(&text)["error"]["code"], "upstream_timeout");

    let text = event(Endpoint::Responses);
    assert!(text.starts_with("event: response.failed\ndata: {"));
    let value = data(&text);
    assert_eq!(value["type"], "response.failed");
    assert_eq!(value["response"]["status"], "failed");
    assert_eq!(value["response"]["error"]["code"], "upstream_timeout");
    assert_eq!(value["response"]["error"]["message"], "no available account");

    assert_eq!((&value["sequence_number"], &value["response"]["id"]), (&json!(0), &json!("resp_req1")));
    let begun = Begun { id: "resp_a".into(), model: "m-1".into(), created_at: 17, next: 4 };
    let bytes = render_event(Endpoint::Responses, &body(504, "upstream_timeout"), Some(&begun));
    let value = data(std::str::from_utf8(&bytes).unwrap());
    assert_eq!(value["sequence_number"], 4);
    let said = ["id", "model", "created_at"].map(|name| value["response"][name].clone());
    assert_eq!(said, [json!("resp_a"), json!("m-1"), json!(17)]);

    assert_eq!(data(&event(Endpoint::GeminiStream))["error"]["status"], "DEADLINE_EXCEEDED");
}

#[test]
fn wire_06_line_separators_are_escaped_wherever_they_come_from() {
    let message = "a\u{2028}b\u{2029}c\u{85}d\r\ne\0";
    for endpoint in Endpoint::ALL {
        let e = ErrorBody { message, ..body(500, "internal") };
        let bytes = render_event(*endpoint, &e, None);
        let text = std::str::from_utf8(&bytes).unwrap();
        assert!(!text.contains(['\u{2028}', '\u{2029}', '\u{85}', '\r', '\0']), "{text:?}");
        assert!(text.contains(r"a\u2028b\u2029c\u0085d\r\ne\u0000"), "{text}");
    }
}

#[test]
fn our_own_errors_are_read_back_by_our_own_meter() {
    for endpoint in
        [Endpoint::Messages, Endpoint::ChatCompletions, Endpoint::Responses, Endpoint::GeminiStream]
    {
        let mut meter = crate::meter::Meter::new(endpoint, true);
        meter.feed(&render_event(endpoint, &body(500, "internal"), None));
        assert_eq!(meter.finish().error.unwrap().message, "no available account", "{endpoint}");
    }
}

#[test]
fn upstream_errors_are_read_in_every_shape() {
    for (text, message, kind) in [
        (
            r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
            "Overloaded",
            "overloaded_error",
        ),
        (r#"{"error":{"message":"m","type":"t","param":null,"code":null}}"#, "m", "t"),
        (r#"{"error":{"code":429,"message":"quota","status":"RESOURCE_EXHAUSTED"}}"#, "quota", "429"),
        (r#"[{"error":{"code":400,"message":"in an array"}}]"#, "in an array", "400"),
        (r#"{"code":"invalid-argument","error":"just text"}"#, "just text", "invalid-argument"),
        (r#"{"detail":"Invalid API Key"}"#, "Invalid API Key", ""),
        (r#"{"object":"error","message":"m","type":"BadRequestError","code":400}"#, "m", "400"),
        (r#"{"error":{"message":"lone \ud83d"}}"#, "lone \u{fffd}", ""),
        (r#"{"response":{"error":{"code":"server_error","message":"boom"}}}"#, "boom", "server_error"),
    ] {
        let found = parse_upstream(Dialect::OpenAiChat, text.as_bytes()).unwrap();
        assert_eq!((found.message.as_str(), found.kind.as_str()), (message, kind), "{text}");
    }
    let gemini = parse_upstream(
        Dialect::Gemini,
        br#"{"error":{"code":429,"message":"q","status":"RESOURCE_EXHAUSTED"}}"#,
    );
    assert_eq!(gemini.unwrap().kind, "RESOURCE_EXHAUSTED");
}

#[test]
fn the_finest_code_of_an_error_is_kept_beside_its_kind() {
    for (dialect, text, kind, code) in [
        (
            Dialect::Gemini,
            r#"{"error":{"code":400,"message":"API key not valid.","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.LocalizedMessage"},{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID","domain":"googleapis.com"}]}}"#,
            "INVALID_ARGUMENT",
            Some("API_KEY_INVALID"),
        ),
        (
            Dialect::Gemini,
            r#"{"error":{"code":429,"message":"q","status":"RESOURCE_EXHAUSTED"}}"#,
            "RESOURCE_EXHAUSTED",
            Some("429"),
        ),
        (
            Dialect::Anthropic,
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"m","details":{"error_code":"credits_required"}}}"#,
            "invalid_request_error",
            Some("credits_required"),
        ),
        (Dialect::Anthropic, r#"{"error":{"type":"api_error","message":"m"}}"#, "api_error", None),
        (Dialect::OpenAiChat, r#"{"error":{"message":"m","type":"t","code":null}}"#, "t", None),
        (Dialect::OpenAiChat, r#"{"error":{"message":"m","type":"t","code":"c"}}"#, "c", Some("c")),
    ] {
        let found = parse_upstream(dialect, text.as_bytes()).unwrap();
        assert_eq!((found.kind.as_str(), found.code.as_deref()), (kind, code), "{text}");
    }
}

#[test]
fn what_is_no_error_is_none() {
    for text in [
        "",
        "<html>",
        "{}",
        "[]",
        "null",
        r#"{"error":null}"#,
        r#"{"error":{}}"#,
        r#"{"id":"x"}"#,
        "{\"error\":",
    ] {
        assert_eq!(parse_upstream(Dialect::Anthropic, text.as_bytes()), None, "{text}");
    }
}

#[test]
fn a_giant_message_is_cut() {
    let text = json!({ "error": { "message": "é".repeat(100_000) } }).to_string();
    let error = parse_upstream(Dialect::OpenAiChat, text.as_bytes()).unwrap();
    assert_eq!(error.message.chars().count(), 2_000);
}
