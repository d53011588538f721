//! Tests of the computed status: it can never contradict what is stored (RF-01).

use super::*;

const NOW: Timestamp = Timestamp(10_000_000);

fn token(start: i64, end: i64) -> CredentialToken {
    CredentialToken {
        refreshed_at: Some(NOW.plus_ms(start)),
        expires_at: Some(NOW.plus_ms(end)),
        ..CredentialToken::default()
    }
}

fn of(token: &CredentialToken, state: CredentialState) -> TokenStatus {
    view(CredentialAuth::Oauth, token, state, true, NOW).unwrap().status
}

#[test]
fn rf_01_the_status_follows_from_expiry_failure_and_state() {
    let valid = CredentialState::Valid;
    assert_eq!(of(&token(-1_000, 3_600_000), valid), TokenStatus::Active);
    assert_eq!(of(&token(-3_500_000, 100_000), valid), TokenStatus::Expiring);
    assert_eq!(of(&token(-3_600_000, 0), valid), TokenStatus::Expired);
    let failed =
        |fault| CredentialToken { fault: Some(fault), error: Some("503".to_owned()), ..token(-1, 1_000_000) };
    assert_eq!(of(&failed(TokenFault::Transient), valid), TokenStatus::RefreshFailed);
    assert_eq!(of(&failed(TokenFault::Revoked), valid), TokenStatus::NeedsReauth);
    assert_eq!(of(&failed(TokenFault::NeedsSignIn), valid), TokenStatus::NeedsReauth);
    let fresh = token(-1_000, 3_600_000);
    assert_eq!(of(&fresh, CredentialState::NeedsReauth), TokenStatus::NeedsReauth);
    assert_eq!(of(&fresh, CredentialState::Unreadable), TokenStatus::Unreadable);
    assert_eq!(of(&fresh, CredentialState::Disabled), TokenStatus::Disabled);
}

#[test]
fn rf_01_everything_but_good_says_why_and_only_what_will_be_refreshed_says_when() {
    for (state, start, end) in [
        (CredentialState::Valid, -3_500_000, 100_000),
        (CredentialState::Valid, -3_600_000, 0),
        (CredentialState::NeedsReauth, -1_000, 3_600_000),
        (CredentialState::Unreadable, -1_000, 3_600_000),
    ] {
        let view = view(CredentialAuth::Oauth, &token(start, end), state, true, NOW).unwrap();
        assert!(view.reason.is_some(), "{view:?}");
        assert_eq!(view.next_refresh_at.is_some(), state == CredentialState::Valid, "{view:?}");
    }
    let stuck =
        view(CredentialAuth::Oauth, &token(-3_600_000, 0), CredentialState::Valid, false, NOW).unwrap();
    assert_eq!(stuck.next_refresh_at, None);
    assert!(stuck.reason.unwrap().contains("sign in again"));
}

#[test]
fn what_has_no_stored_token_shows_none() {
    let none = CredentialToken::default();
    assert_eq!(view(CredentialAuth::ApiKey, &none, CredentialState::Valid, false, NOW), None);
}
