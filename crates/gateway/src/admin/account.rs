//! How fresh an account is, computed from what is stored (RF-01). It reads nothing and changes nothing.

use types::credential::{CredentialAuth, CredentialState};
use types::oauth::{CredentialToken, TokenFault, TokenStatus, TokenView};
use types::{Secret, Timestamp};

/// Whether an opened token set holds what a refresh needs.
pub(super) fn can_refresh(secret: &Secret<String>) -> bool {
    oauth::TokenSet::parse(secret).is_some_and(|set| set.refresh_token.is_some())
}

/// What is shown of a credential's token; `None` for what has no stored token. `state` is the computed one.
pub(super) fn view(
    auth: CredentialAuth,
    token: &CredentialToken,
    state: CredentialState,
    can_refresh: bool,
    now: Timestamp,
) -> Option<TokenView> {
    if auth != CredentialAuth::Oauth {
        return None;
    }
    let status = status(token, state, now);
    let waits = can_refresh
        && !matches!(status, TokenStatus::NeedsReauth | TokenStatus::Unreadable | TokenStatus::Disabled);
    Some(TokenView {
        status,
        reason: reason(token, status, can_refresh),
        vendor: token.vendor.clone(),
        account: token.account.clone(),
        scopes: token.scopes.clone(),
        expires_at: token.expires_at,
        refreshed_at: token.refreshed_at,
        next_refresh_at: token.due_at().filter(|_| waits),
        error: token.error.clone(),
        error_at: token.error_at,
        fault: token.fault,
        failures: token.failures,
        can_refresh,
    })
}

fn status(token: &CredentialToken, state: CredentialState, now: Timestamp) -> TokenStatus {
    match state {
        CredentialState::Unreadable => return TokenStatus::Unreadable,
        CredentialState::Disabled => return TokenStatus::Disabled,
        CredentialState::NeedsReauth => return TokenStatus::NeedsReauth,
        _ => {}
    }
    match token.fault {
        Some(TokenFault::NeedsSignIn | TokenFault::Revoked) => TokenStatus::NeedsReauth,
        Some(TokenFault::Transient) => TokenStatus::RefreshFailed,
        None if token.is_over(now) => TokenStatus::Expired,
        None if token.due_at().is_some_and(|due| due <= now) => TokenStatus::Expiring,
        None => TokenStatus::Active,
    }
}

fn reason(token: &CredentialToken, status: TokenStatus, can_refresh: bool) -> Option<String> {
    let error = token.error.as_deref();
    let text = match status {
        TokenStatus::Active | TokenStatus::Disabled => return None,
        TokenStatus::Expiring | TokenStatus::Expired if !can_refresh => {
            "the vendor gave nothing to refresh it with: sign in again before it is over".to_owned()
        }
        TokenStatus::Expiring => "it is refreshed with the next run of the task".to_owned(),
        TokenStatus::Expired => "its token is over; the next request or the task refreshes it".to_owned(),
        TokenStatus::RefreshFailed => {
            format!("the last refresh failed and is tried again: {}", error.unwrap_or("unknown"))
        }
        TokenStatus::NeedsReauth => {
            format!("sign in again: {}", error.unwrap_or("the vendor refuses its token"))
        }
        TokenStatus::Unreadable => "its tokens cannot be decrypted; sign in again".to_owned(),
    };
    Some(text)
}

#[cfg(test)]
mod tests;
