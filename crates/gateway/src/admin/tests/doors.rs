//! Sign-in, bearer calls and what happens to those who guess.

use serde_json::json;
use types::Problem;

use super::*;
use crate::identity::SignIn;

const STRANGER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(198, 51, 100, 7));

async fn sign_in(house: &House, presented: SignIn, ip: IpAddr) -> Result<Principal, Problem> {
    house.gateway.sign_in(presented, ip, false).await
}

fn token(text: &str) -> SignIn {
    SignIn::Token(secret(text))
}

fn password(name: &str, text: &str) -> SignIn {
    SignIn::Password { name: name.to_owned(), password: secret(text) }
}

#[tokio::test]
async fn au_01_bearer_calls_are_told_what_is_wrong_and_never_see_the_value_again() {
    let house = House::new().await;
    let call = async |header: Option<&str>| house.gateway.admin_by_bearer(header, actor("admin-api")).await;
    for (header, code) in [
        (None, "missing_authorization"),
        (Some("Token abc"), "malformed_authorization"),
        (Some("Bearer wrong-secret-value"), "invalid_credentials"),
    ] {
        let problem = call(header).await.unwrap_err();
        assert_eq!((problem.code.as_str(), problem.status()), (code, 401));
        assert!(problem.message.contains("Unauthorized"));
        assert!(!problem.message.contains("wrong-secret-value"));
    }
    for header in [format!("Bearer {TOKEN}"), format!("bearer {TOKEN}")] {
        call(Some(&header)).await.unwrap();
    }
    assert!(!format!("{:?}", house.audit("").await).contains("wrong-secret-value"));
}

#[tokio::test]
async fn many_right_bearer_calls_at_once_all_succeed() {
    let house = House::new().await;
    let header = format!("Bearer {TOKEN}");
    let calls = (0..40).map(|_| house.gateway.admin_by_bearer(Some(&header), actor("admin-api")));
    let results = futures_util::future::join_all(calls).await;
    assert!(results.iter().all(Result::is_ok));
}

#[tokio::test]
async fn x1_guessing_is_slowed_down_audited_and_never_locks_out_the_owner() {
    let house = House::new().await;
    let mut codes = Vec::new();
    for n in 0..12 {
        let guess = sign_in(&house, token(&format!("guess-{n}")), STRANGER).await.unwrap_err();
        codes.push(guess.code);
    }
    assert_eq!(codes.iter().filter(|code| *code == "invalid_credentials").count(), 5);
    assert_eq!(codes.last().map(String::as_str), Some("too_many_attempts"));
    let failed = house.audit("sign_in.failed").await;
    assert_eq!(failed.len(), 5);
    assert_eq!(failed[0].client_ip.as_deref(), Some("198.51.100.7"));
    assert!(!format!("{failed:?}").contains("guess-"));

    // Even the right token waits from there; the owner at the machine, or on a known device, does not.
    assert_eq!(sign_in(&house, token(TOKEN), STRANGER).await.unwrap_err().code, "too_many_attempts");
    assert_eq!(sign_in(&house, token(TOKEN), LOOPBACK).await.unwrap(), Principal::Admin);
    assert_eq!(house.gateway.sign_in(token(TOKEN), STRANGER, true).await.unwrap(), Principal::Admin);
    house.clock.advance(1_000);
    assert_eq!(sign_in(&house, token(TOKEN), STRANGER).await.unwrap(), Principal::Admin);
    assert_eq!(house.audit("sign_in.ok").await.len(), 3);
}

#[tokio::test]
async fn a_member_signs_in_with_his_key_until_he_is_switched_off() {
    let house = House::new().await;
    let admin = house.admin();
    let user = admin.user_create(input(json!({"name": "maria"}))).await.unwrap();
    let made = admin.key_create(user.id, input(json!({"name": "laptop"}))).await.unwrap();
    let principal = sign_in(&house, token(&format!(" {} ", made.key)), STRANGER).await.unwrap();
    assert_eq!(principal, Principal::Member { user_id: user.id });
    assert_eq!(house.gateway.viewer(&principal).unwrap().name, "maria");
    assert_eq!(house.gateway.admin(&principal, actor("admin")).unwrap_err().code, "forbidden");
    assert!(house.gateway.member(&principal, actor("member")).is_ok());
    assert_eq!(house.gateway.member(&Principal::Admin, actor("member")).unwrap_err().code, "forbidden");

    admin.user_update(user.id, input(json!({"enabled": false}))).await.unwrap();
    assert_eq!(sign_in(&house, token(&made.key), STRANGER).await.unwrap_err().code, "invalid_credentials");
    assert_eq!(house.gateway.member(&principal, actor("member")).unwrap_err().code, "token_invalid");
    assert!(house.gateway.viewer(&principal).is_none());
}

#[tokio::test]
async fn x25_a_wrong_password_and_an_unknown_name_get_the_same_answer() {
    let house = House::new().await;
    let admin = house.admin();
    let create = json!({"name": "maria", "password": "correct horse battery"});
    let user = admin.user_create(input(create)).await.unwrap();
    assert!(user.has_password);
    admin.user_create(input(json!({"name": "keys-only"}))).await.unwrap();
    let right = sign_in(&house, password("maria", "correct horse battery"), STRANGER).await.unwrap();
    assert_eq!(right, Principal::Member { user_id: user.id });
    let wrong = sign_in(&house, password("maria", "wrong horse battery"), STRANGER).await.unwrap_err();
    let unknown = sign_in(&house, password("nobody", "wrong horse battery"), STRANGER).await.unwrap_err();
    let without = sign_in(&house, password("keys-only", "wrong horse battery"), STRANGER).await.unwrap_err();
    assert_eq!(wrong, unknown);
    assert_eq!(wrong, without);
    let row = house.store.user_fetch(user.id).await.unwrap();
    assert!(row.password_hash.unwrap().starts_with("$argon2id$"));
    assert!(!format!("{:?}", house.audit("").await).contains("horse"));
}

#[tokio::test]
async fn inv_14_the_admin_token_is_no_key_and_a_key_is_no_admin_token() {
    let house = House::new().await;
    let admin = house.admin();
    let user = admin.user_create(input(json!({"name": "maria"}))).await.unwrap();
    let made = admin.key_create(user.id, input(json!({"name": "laptop"}))).await.unwrap();
    let core = &house.gateway.core;
    assert!(!core.snapshot().keys.contains_key(&core.keys.hash(TOKEN)));
    let header = format!("Bearer {}", made.key);
    let refused = house.gateway.admin_by_bearer(Some(&header), actor("admin-api")).await.unwrap_err();
    assert_eq!(refused.code, "invalid_credentials");
}

#[tokio::test]
async fn au_02_the_fingerprint_is_that_of_the_configured_token() {
    let house = House::new().await;
    assert_eq!(house.gateway.fingerprint(), crate::identity::fingerprint(TOKEN));
}

#[tokio::test]
async fn a_new_password_ends_the_sessions_of_its_user() {
    let house = House::new().await;
    let admin = house.admin();
    let user = admin
        .user_create(input(json!({"name": "maria", "password": "correct horse battery"})))
        .await
        .unwrap();
    let (now, end) = (house.clock.now(), house.clock.now().plus_ms(60_000));
    let change = json!({"password": "another horse battery"});
    for (patch, survives) in [(json!({"groups": ["eu"]}), true), (change, false)] {
        house.store.session_save(b"session", Some(user.id), "{}", end).await.unwrap();
        admin.user_update(user.id, input(patch)).await.unwrap();
        assert_eq!(house.store.session_load(b"session", now).await.unwrap().is_some(), survives);
    }
}
