//! What others do while a token is refreshed, and failures that are not the account's.

use super::*;
use types::credential::{CredentialEvent, CredentialMark};

#[tokio::test]
async fn oa_06_a_sign_in_during_a_refresh_counts_and_the_refusal_of_the_old_token_does_not() {
    let rig = Rig::new(HOUR_MS).await;
    rig.endpoint.state.lock().unwrap().good = "another".to_owned();
    rig.endpoint.hold();
    let flight = rig.begin();
    rig.endpoint.was_asked(1).await;
    let set = json!({ "access_token": "new-CANARY", "refresh_token": "another" }).to_string();
    let core = rig.house.core();
    let sealed = core.vault.seal(Purpose::CredentialSecret, rig.id.0, &Secret::new(set)).unwrap();
    let account = Account {
        vendor: Some("test".to_owned()),
        expires_at: Some(NOW.plus_ms(HOUR_MS)),
        refreshed_at: Some(NOW),
        ..Account::of(CredentialAuth::Oauth)
    };
    let secret = SealedSecret { sealed, hint: "account".to_owned() };
    rig.house.store().credential_sign_in(rig.id, secret, &account, change()).await.unwrap();
    core.reload().await.unwrap();
    rig.endpoint.release();
    assert_eq!(flight.await.unwrap(), Flown::Fresh);
    let view = rig.house.admin().credential_fetch(rig.id).await.unwrap();
    assert_eq!((view.state, view.token.unwrap().status), (CredentialState::Valid, TokenStatus::Active));
    assert_eq!(rig.slot().get().unwrap().secret.expose(), "new-CANARY");
    assert_eq!(rig.endpoint.asked(), 1);
}

#[tokio::test]
async fn ac_13_rf_03_an_account_is_lost_even_if_its_state_changed_a_moment_ago() {
    let rig = Rig::new(HOUR_MS).await;
    rig.endpoint.state.lock().unwrap().good = "another".to_owned();
    // Another instance rests it, and this one has not heard of that.
    let state = CredentialState::RateLimited;
    let until = Some(NOW.plus_ms(HOUR_MS));
    let to = CredentialMark { state, until, reason: None, since: Some(NOW), version: 0 };
    let event = CredentialEvent {
        credential_id: rig.id,
        at: NOW,
        from: CredentialState::Valid,
        to: state,
        until,
        reason: None,
        cause: "request".to_owned(),
        request_id: None,
    };
    assert!(rig.house.store().credential_mark(rig.id, 0, &to, &event).await.unwrap());
    let lost = rig.refreshed(Trigger::Due).await;
    assert!(matches!(lost, Flown::Failed(TokenFault::NeedsSignIn, _)), "{lost:?}");
    let view = rig.house.admin().credential_fetch(rig.id).await.unwrap();
    assert_eq!(view.state, CredentialState::NeedsReauth);
}

#[tokio::test]
async fn rf_03_a_client_that_the_vendor_refuses_loses_no_account() {
    let rig = Rig::new(HOUR_MS + 120_000).await;
    for (status, body) in
        [(401, r#"{"error":"invalid_client"}"#), (400, r#"{"error":"unauthorized_client"}"#)]
    {
        let asked = rig.endpoint.asked();
        rig.endpoint.state.lock().unwrap().failures = vec![(status, body)];
        let flown = rig.refreshed(Trigger::Manual).await;
        assert!(
            matches!(&flown, Flown::Failed(TokenFault::Transient, why) if why.contains("client id and secret")),
            "{flown:?}"
        );
        assert_eq!(rig.endpoint.asked(), asked + 1, "asked once: it would say the same again");
        assert_eq!(rig.status().await, TokenStatus::RefreshFailed);
        assert!(rig.slot().is_ready(NOW), "the token is good until its end");
    }
    let view = rig.house.admin().credential_fetch(rig.id).await.unwrap();
    assert_eq!(view.state, CredentialState::Valid);
    // The operator enters the right one, and nobody has to sign in.
    assert_eq!(rig.refreshed(Trigger::Manual).await, Flown::Fresh);
}
