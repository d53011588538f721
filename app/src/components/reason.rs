//! Why a credential is in its state, and what comes next.

use leptos::prelude::*;
use types::allowance::{Allowance, AllowanceBalance};
use types::credential::{CooldownView, CredentialState, CredentialView};

use super::badge;
use super::time::{Time, Until};
use crate::text::{check as k, pool as o, provider as p, translator};

/// Most cooldowns that are listed; a credential may have one for each model.
const MOST: usize = 6;

/// The sentences under a credential's name.
#[component]
pub(crate) fn Reason(credential: CredentialView) -> impl IntoView {
    let t = translator();
    let next = match credential.state {
        CredentialState::Invalid => Some(t(p::INVALID_NEXT)),
        CredentialState::Unreadable => Some(t(p::UNREADABLE_NEXT)),
        CredentialState::Suspended => Some(t(p::SUSPENDED_NEXT)),
        CredentialState::NeedsReauth => Some(t(p::NEEDS_REAUTH_NEXT)),
        CredentialState::Banned => Some(t(p::BANNED_NEXT)),
        _ => None,
    };
    let resting =
        credential.cooldown_until.map(|at| view! { <p class="reason">{t(o::UNTIL)} " " <Until at/></p> });
    let why = credential.state_reason.clone();
    // The last complaint, unless it is what the state says already.
    let last = credential.last_error.clone().filter(|error| why.as_ref() != Some(error)).map(|error| {
        let at = credential.last_error_at;
        view! {
            <p class="reason break">{error} " " {at.map(|at| view! { <span class="faint"><Time at relative=true/></span> })}</p>
        }
    });
    let errors = (credential.consecutive_errors > 0)
        .then(|| format!("{} {}", credential.consecutive_errors, t(p::ERRORS_IN_A_ROW)));
    let shown = credential.cooldowns.len().min(MOST);
    let more = credential.cooldowns.len() - shown;
    let rests = credential.cooldowns.into_iter().take(MOST).map(|rest| view! { <Rest rest/> }).collect_view();
    view! {
        {why.map(|why| view! { <p class="reason break">{why}</p> })}
        {resting}
        {rests}
        {(more > 0).then(|| view! { <p class="reason">{format!("+ {more}")}</p> })}
        {last}
        {errors.map(|text| view! { <p class="reason">{text}</p> })}
        {credential.allowance.map(|allowance| view! { <Bars allowance/> })}
        {next.map(|text| view! { <p class="reason">{text}</p> })}
    }
}

/// How far the vendor says that the account is used up.
#[component]
fn Bars(allowance: Allowance) -> impl IntoView {
    let t = translator();
    let (at, has_windows) = (allowance.at, !allowance.windows.is_empty());
    let bars = allowance
        .windows
        .into_iter()
        .map(|window| {
            let text = format!("{} {} %", window.name, window.used_percent);
            let used = window.used_percent.min(100).to_string();
            view! {
                <p class="reason">
                    <meter min="0" max="100" high="80" optimum="0" value=used aria-label=text.clone()></meter> " " {text}
                    {window.resets_at.map(|at| view! { <span class="faint">" · " {t(k::RESETS)} " " <Until at/></span> })}
                </p>
            }
        })
        .collect_view();
    let balances = allowance.balances.into_iter().map(|money| view! { <Balance money/> }).collect_view();
    view! {
        {has_windows.then(|| view! {
            <p class="reason">{t(k::ALLOWANCE)} " " <span class="faint"><Time at relative=true/></span></p>
        })}
        {bars}
        {balances}
    }
}

/// What money is left, as a bar where the vendor says of how much.
#[component]
fn Balance(money: AllowanceBalance) -> impl IntoView {
    let t = translator();
    let AllowanceBalance { at, currency, left, of, used_percent } = money;
    let of = of.map(|of| format!(" {} {of}", t(k::LEFT_OF))).unwrap_or_default();
    let text = format!("{} {currency} {left}{of}", t(k::BALANCE));
    let bar = used_percent.map(|used| {
        let (label, used) = (format!("{text} ({used} %)"), used.min(100).to_string());
        view! { <meter min="0" max="100" high="80" optimum="0" value=used aria-label=label></meter> " " }
    });
    let spent = (used_percent == Some(100)).then(|| format!(" · {}", t(k::NOTHING_LEFT)));
    view! {
        <p class="reason">{bar} {text} {spent} " " <span class="faint"><Time at relative=true/></span></p>
    }
}

#[component]
fn Rest(rest: CooldownView) -> impl IntoView {
    let t = translator();
    let CooldownView { model, state, until, reason } = rest;
    let model = model.unwrap_or_else(|| t(o::ALL_MODELS).to_owned());
    view! {
        <p class="reason break">
            {badge::state(state)} " " <code>{model}</code> " " {t(o::UNTIL)} " " <Until at=until/> " " {reason}
        </p>
    }
}
