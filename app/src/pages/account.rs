//! The token of one account: how fresh it is, why not, when it is refreshed, and what can be done (RF-01).

use leptos::prelude::*;
use types::credential::CredentialView;
use types::oauth::{TokenStatus, TokenView};

use crate::api;
use crate::components::time::maybe;
use crate::text::{Text, oauth as w, translator};

/// What can be done with the token of an account.
#[derive(Clone, Copy)]
pub(crate) struct AccountActions {
    /// Fetches a fresh token.
    pub(crate) refresh: ServerAction<api::oauth::Refresh>,
    /// Signs in again.
    pub(crate) again: ServerAction<api::oauth::Again>,
}

impl AccountActions {
    pub(crate) fn new() -> Self {
        Self { refresh: ServerAction::new(), again: ServerAction::new() }
    }
}

/// Facts and actions; nothing for a credential without a token.
#[component]
pub(crate) fn Account(credential: CredentialView, actions: AccountActions) -> impl IntoView {
    credential.token.clone().map(|token| view! { <Token credential token actions/> })
}

#[component]
fn Token(credential: CredentialView, token: TokenView, actions: AccountActions) -> impl IntoView {
    let t = translator();
    let AccountActions { refresh, again } = actions;
    let (id, provider) = (credential.id, credential.provider_id);
    let vendor = token.vendor.clone().unwrap_or_default();
    let account = token.account.clone().filter(|account| *account != credential.name);
    let lost = token.status == TokenStatus::NeedsReauth;
    // What the state says above needs no second time.
    let error = token.error.clone().filter(|error| credential.state_reason.as_ref() != Some(error));
    view! {
        <p class="reason break">
            {t(w::TOKEN)} ": " <strong>{t(word(token.status))}</strong>
            {account.map(|account| format!(" · {account}"))}
            {reason(&token).filter(|_| !lost).map(|text| format!(" · {}", t(text)))}
            {error.map(|error| format!(" · {error}"))}
        </p>
        <dl class="facts">
            <div><dt>{t(w::ENDS)}</dt><dd>{maybe(token.expires_at, "–")}</dd></div>
            <div><dt>{t(w::LAST_REFRESH)}</dt><dd>{maybe(token.refreshed_at, "–")}</dd></div>
            <div><dt>{t(w::NEXT_REFRESH)}</dt><dd>{maybe(token.next_refresh_at, "–")}</dd></div>
        </dl>
        <div class="card-actions">
            <ActionForm action=refresh>
                <input type="hidden" name="provider_id" value=provider.to_string()/>
                <input type="hidden" name="id" value=id.to_string()/>
                <button class="button small" class:quiet=lost disabled=move || refresh.pending().get()>{t(w::REFRESH_NOW)}</button>
            </ActionForm>
            <ActionForm action=again>
                <input type="hidden" name="vendor" value=vendor/>
                <input type="hidden" name="id" value=id.to_string()/>
                <button class="button small" class:primary=lost class:quiet=!lost>{t(w::SIGN_IN_AGAIN)}</button>
            </ActionForm>
        </div>
    }
}

/// Why it is not simply good, and what comes next.
fn reason(token: &TokenView) -> Option<Text> {
    Some(match token.status {
        TokenStatus::Active | TokenStatus::Disabled => return None,
        TokenStatus::Expiring | TokenStatus::Expired if !token.can_refresh => w::R_NO_REFRESH,
        TokenStatus::Expiring => w::R_EXPIRING,
        TokenStatus::Expired => w::R_EXPIRED,
        TokenStatus::RefreshFailed => w::R_FAILED,
        TokenStatus::NeedsReauth => w::R_SIGN_IN,
        TokenStatus::Unreadable => w::R_UNREADABLE,
    })
}

fn word(status: TokenStatus) -> Text {
    match status {
        TokenStatus::Active => w::S_ACTIVE,
        TokenStatus::Expiring => w::S_EXPIRING,
        TokenStatus::Expired => w::S_EXPIRED,
        TokenStatus::RefreshFailed => w::S_REFRESH_FAILED,
        TokenStatus::NeedsReauth => w::S_NEEDS_REAUTH,
        TokenStatus::Unreadable => w::S_UNREADABLE,
        TokenStatus::Disabled => w::S_DISABLED,
    }
}
