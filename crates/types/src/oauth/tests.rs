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
