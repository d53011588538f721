//! Tests of when a token is due.

use super::*;

const MINUTE: i64 = 60_000;

fn due_after(life_minutes: i64) -> i64 {
    let token = CredentialToken {
        refreshed_at: Some(Timestamp(1_000)),
        expires_at: Some(Timestamp(1_000 + life_minutes * MINUTE)),
        ..CredentialToken::default()
    };
    (token.due_at().unwrap().0 - 1_000) / MINUTE
}

#[test]
fn rf_02_due_at_four_fifths_or_five_minutes_before_the_end_whichever_is_earlier() {
    assert_eq!(due_after(600), 480);
    assert_eq!(due_after(60), 48);
    assert_eq!(due_after(20), 15);
    assert_eq!(due_after(10), 5);
    // A life shorter than that is not refreshed in its first half, or it would be refreshed for ever.
    assert_eq!(due_after(4), 2);
}

#[test]
fn a_token_without_an_end_is_never_due() {
    assert_eq!(CredentialToken::default().due_at(), None);
    assert!(!CredentialToken::default().is_over(Timestamp(i64::MAX)));
}

#[test]
fn a_token_is_over_at_its_end() {
    let token = CredentialToken { expires_at: Some(Timestamp(5)), ..CredentialToken::default() };
    assert!(!token.is_over(Timestamp(4)) && token.is_over(Timestamp(5)));
}

/// The fields that are refused of a descriptor with these changes.
fn refused(changes: &serde_json::Value) -> Vec<String> {
    let mut spec = serde_json::json!({"label": "Test", "authorize_url": "https://v.example/a", "token_url": "https://v.example/t"});
    for (name, value) in changes.as_object().unwrap() {
        spec[name] = value.clone();
    }
    let spec: VendorSpec = serde_json::from_value(spec).unwrap();
    spec.check().map_or_else(|problem| problem.fields.into_keys().collect(), |()| Vec::new())
}

#[test]
fn cr_03_a_descriptor_holds_no_secret_and_sends_none_in_the_clear() {
    use serde_json::json;
    for near in [
        "http://127.0.0.1:9/t",
        "http://[::1]/t",
        "http://10.0.0.5/t",
        "http://keycloak:8080/t",
        "http://id.internal/t",
    ] {
        assert!(refused(&json!({ "token_url": near })).is_empty(), "{near}");
    }
    for far in
        ["http://v.example/t", "http://8.8.8.8/t", "http://[2606:4700::1]/t", "http://127.0.0.1.v.example/t"]
    {
        for field in ["token_url", "authorize_url", "device_url", "session_url", "userinfo_url"] {
            assert_eq!(refused(&json!({ field: far })), [field], "{far}");
        }
    }
    for (field, name) in [
        ("token_params", "client_secret"),
        ("token_params", "Refresh_Token"),
        ("token_params", "code"),
        ("device_params", "client_secret"),
        ("extra_headers", "Authorization"),
        ("extra_headers", "cookie"),
        ("extra_headers", "x-api-key"),
    ] {
        assert_eq!(refused(&json!({ field: { name: "x" } })), [field], "{name}");
    }
}

#[test]
fn oa_05_a_descriptor_cannot_fix_the_state_or_undo_the_proof_of_a_sign_in() {
    use serde_json::json;
    for name in
        ["state", "redirect_uri", "code_challenge", "code_challenge_method", "client_id", "response_type"]
    {
        assert_eq!(refused(&json!({ "authorize_params": { name: "x" } })), ["authorize_params"], "{name}");
    }
    assert!(refused(&json!({ "authorize_params": { "code": "true", "prompt": "consent" } })).is_empty());
    assert!(refused(&json!({ "token_params": { "audience": "x", "scope": "a" } })).is_empty());
}
