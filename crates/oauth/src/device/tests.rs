//! Tests of the device grant.

use types::oauth::BodyForm;

use super::*;
use crate::scripted::{NOW, Scripted, value, vendor};

const CODE: &str = r#"{"device_code":"d","user_code":"ABCD-EFGH","verification_uri":"https://login.example.com/activate",
    "verification_uri_complete":"https://login.example.com/activate?c=ABCD-EFGH","expires_in":900,"interval":7}"#;

fn secret(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

#[tokio::test]
async fn a_code_says_what_to_type_where_and_how_often_to_ask() {
    let wire = Scripted::answering(&[(200, CODE)]);
    let code = begin_device(&vendor(|_| ()), &wire, NOW).await.unwrap();
    assert_eq!((code.user_code.as_str(), code.interval_s), ("ABCD-EFGH", 7));
    assert_eq!(code.verification_url, "https://login.example.com/activate");
    assert_eq!(code.expires_at, NOW.plus_ms(900_000));
    let form = wire.form(0);
    assert_eq!(value(&form, "scope").as_deref(), Some("openid inference"));
    assert_eq!(value(&form, "code_challenge_method").as_deref(), Some("S256"));
    assert!(code.verifier.is_some());
}

#[tokio::test]
async fn a_code_without_its_parts_is_a_fault_of_the_descriptor() {
    for body in [
        "{}",
        r#"{"device_code":"d"}"#,
        r#"{"device_code":"d","user_code":"u","verification_uri":"javascript:x"}"#,
    ] {
        let wire = Scripted::answering(&[(200, body)]);
        let failure = begin_device(&vendor(|_| ()), &wire, NOW).await.unwrap_err();
        assert_eq!(failure.class, Class::Client, "{body}");
    }
}

#[tokio::test]
async fn pending_slow_down_denied_and_over_are_told_apart() {
    let vendor = vendor(|_| ());
    let poll = |status: u16, body: &'static str| {
        let vendor = &vendor;
        async move {
            let wire = Scripted::answering(&[(status, body)]);
            poll_device(vendor, &secret("d"), Some(&secret("v")), &wire, NOW).await
        }
    };
    assert!(matches!(poll(400, r#"{"error":"authorization_pending"}"#).await, Ok(Polled::Pending)));
    // GitHub's way.
    assert!(matches!(poll(200, r#"{"error":"authorization_pending"}"#).await, Ok(Polled::Pending)));
    assert!(matches!(poll(400, r#"{"error":"slow_down"}"#).await, Ok(Polled::SlowDown)));
    // Amazon's way.
    assert!(matches!(poll(400, r#"{"__type":"SlowDownException"}"#).await, Ok(Polled::SlowDown)));
    assert_eq!(poll(400, r#"{"error":"access_denied"}"#).await.unwrap_err().class, Class::Denied);
    assert_eq!(poll(400, r#"{"error":"expired_token"}"#).await.unwrap_err().class, Class::CodeExpired);
    assert_eq!(poll(503, "").await.unwrap_err().class, Class::Transient);
    let granted = poll(200, r#"{"access_token":"a","refresh_token":"r"}"#).await.unwrap();
    assert!(matches!(granted, Polled::Granted(granted) if granted.set.access_token.expose() == "a"));
}

#[tokio::test]
async fn names_in_camel_case_go_out_and_come_in() {
    let answer = r#"{"deviceCode":"d","userCode":"U","verificationUri":"https://a.example/v","expiresIn":600,"interval":1}"#;
    let wire = Scripted::answering(&[
        (200, answer),
        (200, r#"{"accessToken":"a","refreshToken":"r","expiresIn":10}"#),
    ]);
    let vendor = vendor(|spec| {
        spec.body = BodyForm::JsonCamel;
        spec.pkce = false;
        spec.device_params.insert("start_url".to_owned(), "https://a.example/start".to_owned());
    });
    let code = begin_device(&vendor, &wire, NOW).await.unwrap();
    assert_eq!(wire.json(0)["startUrl"], "https://a.example/start");
    assert_eq!(wire.json(0)["clientSecret"], "s&cret");
    let polled = poll_device(&vendor, &code.device_code, None, &wire, NOW).await.unwrap();
    let Polled::Granted(granted) = polled else { panic!("{polled:?}") };
    assert_eq!(granted.expires_at, Some(NOW.plus_ms(10_000)));
    assert_eq!((&wire.json(1)["deviceCode"], &wire.json(1)["clientId"]), (&"d".into(), &"client-1".into()));
}
