//! Tests of the grants: what goes out, and what is made of the answers.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::digest::{SHA256, digest};
use types::oauth::{BodyForm, TokenFault};
use url::Url;

use super::*;
use crate::scripted::{NOW, Scripted, value, vendor};

const BACK: &str = "http://localhost:54545/callback";

fn secret(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

fn query(url: &str) -> Vec<(String, String)> {
    Url::parse(url).unwrap().query_pairs().into_owned().collect()
}

#[test]
fn oa_05_the_browsers_address_carries_state_and_an_s256_challenge() {
    let vendor = vendor(|spec| drop(spec.authorize_params.insert("code".to_owned(), "true".to_owned())));
    let begun = authorize(&vendor, BACK).unwrap();
    let query = query(&begun.url);
    assert!(begun.url.starts_with("https://login.example.com/authorize?"));
    for (name, expected) in [
        ("response_type", "code"),
        ("client_id", "client-1"),
        ("redirect_uri", BACK),
        ("scope", "openid inference"),
        ("code_challenge_method", "S256"),
        ("code", "true"),
        ("state", begun.state.expose()),
    ] {
        assert_eq!(value(&query, name).as_deref(), Some(expected), "{name}");
    }
    let verifier = begun.verifier.unwrap();
    let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.expose().as_bytes()));
    assert_eq!(value(&query, "code_challenge"), Some(challenge));
    assert!(verifier.expose().len() >= 43);
    assert!(!begun.url.contains("cret"));
}

#[test]
fn oa_05_no_two_sign_ins_share_a_state_and_each_has_256_bits() {
    let vendor = vendor(|_| ());
    let states: std::collections::BTreeSet<String> =
        (0..200).map(|_| authorize(&vendor, BACK).unwrap().state.expose().clone()).collect();
    assert_eq!(states.len(), 200);
    assert!(states.iter().all(|state| URL_SAFE_NO_PAD.decode(state).unwrap().len() == 32));
}

#[test]
fn without_pkce_there_is_no_challenge() {
    let begun = authorize(&vendor(|spec| spec.pkce = false), BACK).unwrap();
    assert!(begun.verifier.is_none() && !begun.url.contains("code_challenge"));
}

#[tokio::test]
async fn a_code_is_exchanged_as_a_form() {
    let wire = Scripted::answering(&[(
        200,
        r#"{"access_token":"a","refresh_token":"r","expires_in":3600,"scope":"openid"}"#,
    )]);
    let vendor = vendor(|spec| drop(spec.token_params.insert("audience".to_owned(), "x".to_owned())));
    let granted = exchange(&vendor, &secret("c"), Some(&secret("st")), Some(&secret("v")), BACK, &wire, NOW)
        .await
        .unwrap();
    assert_eq!(granted.set.access_token.expose(), "a");
    assert_eq!(granted.expires_at, Some(NOW.plus_ms(3_600_000)));
    assert_eq!(granted.scopes.as_deref(), Some("openid"));
    let form = wire.form(0);
    for (name, expected) in [
        ("grant_type", "authorization_code"),
        ("code", "c"),
        ("code_verifier", "v"),
        ("redirect_uri", BACK),
        ("client_id", "client-1"),
        ("client_secret", "s&cret"),
        ("audience", "x"),
    ] {
        assert_eq!(value(&form, name).as_deref(), Some(expected), "{name}");
    }
    assert_eq!(value(&form, "state"), None);
    assert_eq!(wire.header(0, "authorization"), None);
    assert_eq!(wire.header(0, "user-agent"), None);
}

#[tokio::test]
async fn a_vendor_that_wants_json_and_the_state_gets_them() {
    let wire =
        Scripted::answering(&[(200, r#"{"access_token":"a","account":{"email_address":"a@example.com"}}"#)]);
    let vendor = vendor(|spec| {
        spec.body = BodyForm::Json;
        spec.state_in_exchange = true;
    });
    let granted = exchange(&vendor, &secret("c"), Some(&secret("st")), None, BACK, &wire, NOW).await.unwrap();
    assert_eq!(granted.account.as_deref(), Some("a@example.com"));
    let body = wire.json(0);
    assert_eq!((&body["code"], &body["state"]), (&"c".into(), &"st".into()));
    assert_eq!(wire.header(0, "content-type").as_deref(), Some("application/json"));
}

#[tokio::test]
async fn a_client_may_prove_itself_by_basic() {
    let wire = Scripted::answering(&[(200, r#"{"access_token":"a"}"#)]);
    let vendor = vendor(|spec| spec.client_auth = ClientAuth::Basic);
    refresh(&vendor, &secret("r"), &wire, NOW).await.unwrap();
    let expected = format!("Basic {}", STANDARD.encode("client-1:s%26cret"));
    assert_eq!(wire.header(0, "authorization"), Some(expected));
    assert_eq!(value(&wire.form(0), "client_secret"), None);
}

#[tokio::test]
async fn rf_06_a_refresh_takes_the_rotated_token_or_keeps_the_old_one() {
    let wire = Scripted::answering(&[
        (200, r#"{"access_token":"a2","refresh_token":"r2","token_type":"Bearer"}"#),
        (200, r#"{"access_token":"a3"}"#),
    ]);
    let vendor = vendor(|_| ());
    let rotated = refresh(&vendor, &secret("r1"), &wire, NOW).await.unwrap();
    assert_eq!(rotated.set.refresh_token.as_ref().unwrap().expose(), "r2");
    let kept = refresh(&vendor, rotated.set.refresh_token.as_ref().unwrap(), &wire, NOW).await.unwrap();
    assert_eq!(kept.set.refresh_token.unwrap().expose(), "r2");
    let form = wire.form(0);
    assert_eq!(value(&form, "grant_type").as_deref(), Some("refresh_token"));
    assert_eq!(value(&form, "refresh_token").as_deref(), Some("r1"));
}

#[tokio::test]
async fn rf_03_a_refusal_a_strange_answer_and_no_answer_are_told_apart() {
    let vendor = vendor(|_| ());
    let of = |wire: Scripted| {
        let vendor = &vendor;
        async move { refresh(vendor, &secret("r-CANARY"), &wire, NOW).await.unwrap_err() }
    };
    let refused = of(Scripted::answering(&[(400, r#"{"error":"invalid_grant"}"#)])).await;
    assert_eq!((refused.class, refused.status), (Class::NeedsSignIn, Some(400)));
    let odd = of(Scripted::answering(&[(401, r#"{"error":"something_new","message":"no"}"#)])).await;
    assert_eq!(odd.class, Class::NeedsSignIn);
    let busy = of(Scripted::answering(&[(503, "<html>")])).await;
    assert_eq!((busy.class, busy.status), (Class::Transient, Some(503)));
    let page = of(Scripted::answering(&[(200, "<html>welcome</html>")])).await;
    assert_eq!(page.class.of_account(), TokenFault::Transient);
    // Careless vendors repeat what they were sent.
    let long = "x".repeat(280);
    let echo =
        format!(r#"{{"error":"invalid_grant","error_description":"{long} unknown token r-CANARY, s&cret"}}"#);
    let echoed = of(Scripted::answering(&[(400, echo.as_str())])).await;
    assert_eq!(echoed.class, Class::NeedsSignIn);
    assert!(echoed.message.contains("unknown token [reda"), "{}", echoed.message);
    let down = of(Scripted::down()).await;
    assert_eq!(down.message, "the token endpoint could not be reached: connection refused");
    for failure in [refused, odd, busy, page, echoed, down] {
        assert!(!failure.message.contains("r-CAN") && !failure.message.contains("s&cret"));
    }
}

#[tokio::test]
async fn the_account_is_asked_for_where_the_answer_does_not_tell() {
    let wire =
        Scripted::answering(&[(200, r#"{"access_token":"a"}"#), (200, r#"{"email":"b@example.com"}"#)]);
    let vendor = vendor(|spec| spec.userinfo_url = "https://login.example.com/me".to_owned());
    let granted = exchange(&vendor, &secret("c"), None, None, BACK, &wire, NOW).await.unwrap();
    assert_eq!(granted.account.as_deref(), Some("b@example.com"));
    assert_eq!(wire.header(1, "authorization").as_deref(), Some("Bearer a"));
    // Who it is matters less than that it is there.
    let wire = Scripted::answering(&[(200, r#"{"access_token":"a"}"#), (500, "")]);
    assert_eq!(exchange(&vendor, &secret("c"), None, None, BACK, &wire, NOW).await.unwrap().account, None);
}

#[tokio::test]
async fn a_second_step_makes_the_token_that_requests_carry_and_keeps_the_first_to_refresh() {
    let session = r#"{"token":"short","expires_at":1800001500}"#;
    let vendor = vendor(|spec| spec.session_url = "https://api.example.com/session".to_owned());
    let wire = Scripted::answering(&[(200, r#"{"access_token":"long"}"#), (200, session), (200, session)]);
    let granted = exchange(&vendor, &secret("c"), None, None, BACK, &wire, NOW).await.unwrap();
    assert_eq!(granted.set.access_token.expose(), "short");
    let own = granted.set.refresh_token.unwrap();
    assert_eq!((own.expose().as_str(), granted.expires_at), ("long", Some(NOW.plus_ms(1_500_000))));
    let again = refresh(&vendor, &own, &wire, NOW).await.unwrap();
    assert_eq!(again.set.refresh_token.unwrap().expose(), "long");
    assert_eq!(wire.header(2, "authorization").as_deref(), Some("Bearer long"));
}

#[tokio::test]
async fn a_client_gets_a_token_for_itself() {
    let wire = Scripted::answering(&[(200, r#"{"access_token":"a","expires_in":60}"#)]);
    let granted = client_credentials(&vendor(|_| ()), &wire, NOW).await.unwrap();
    assert!(granted.set.refresh_token.is_none());
    let form = wire.form(0);
    assert_eq!(value(&form, "grant_type").as_deref(), Some("client_credentials"));
    assert_eq!(value(&form, "scope").as_deref(), Some("openid inference"));
}
