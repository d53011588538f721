//! States: shape, colour and word together, so that none is needed to understand the others.

use leptos::prelude::*;
use types::breaker::BreakerState;
use types::check::CheckResult;
use types::credential::{CredentialState, CredentialView};
use types::request::{AttemptOutcome, Outcome};

use crate::text::{Text, cache, check as k, common as c, pool as o, provider as p, request as r, translator};

/// A state mark. Moods: `good`, `warn`, `bad`, `info`, `off`.
#[component]
pub(crate) fn State(mood: &'static str, #[prop(into)] word: String) -> impl IntoView {
    let mark = match mood {
        "good" => "●",
        "warn" => "▲",
        "bad" => "■",
        "info" => "◐",
        _ => "○",
    };
    view! { <span class=format!("state {mood}")><span class="mark" aria-hidden="true">{mark}</span>{word}</span> }
}

/// On, off, expired or deleted.
pub(crate) fn on_off(enabled: bool, deleted: bool) -> AnyView {
    let t = translator();
    let (mood, word) = match (deleted, enabled) {
        (true, _) => ("off", c::DELETED),
        (false, true) => ("good", c::ON),
        (false, false) => ("off", c::OFF),
    };
    view! { <State mood word=t(word)/> }.into_any()
}

/// How a request ended.
pub(crate) fn outcome(outcome: Outcome) -> AnyView {
    let t = translator();
    let (mood, word) = outcome_words(outcome);
    view! { <State mood word=t(word)/> }.into_any()
}

/// Mood and word of an outcome.
pub(crate) fn outcome_words(outcome: Outcome) -> (&'static str, Text) {
    match outcome {
        Outcome::Ok => ("good", r::OUT_OK),
        Outcome::Refused => ("warn", r::OUT_REFUSED),
        Outcome::Failed => ("bad", r::OUT_FAILED),
        Outcome::Broken => ("bad", r::OUT_BROKEN),
        Outcome::ClientGone => ("off", r::OUT_CLIENT_GONE),
        Outcome::Interrupted => ("bad", r::OUT_INTERRUPTED),
    }
}

/// How an attempt ended.
pub(crate) fn attempt(outcome: AttemptOutcome) -> AnyView {
    let t = translator();
    let (mood, word) = match outcome {
        AttemptOutcome::Done => ("good", r::A_DONE),
        AttemptOutcome::ConnectFailed => ("bad", r::A_CONNECT_FAILED),
        AttemptOutcome::NoAnswer => ("bad", r::A_NO_ANSWER),
        AttemptOutcome::TimedOut => ("bad", r::A_TIMED_OUT),
        AttemptOutcome::UpstreamError => ("bad", r::A_UPSTREAM_ERROR),
        AttemptOutcome::BadAnswer => ("bad", r::A_BAD_ANSWER),
        AttemptOutcome::CutOff => ("bad", r::A_CUT_OFF),
        AttemptOutcome::ClientGone => ("off", r::A_CLIENT_GONE),
        AttemptOutcome::BudgetCut => ("bad", r::A_BUDGET_CUT),
        AttemptOutcome::Superseded => ("off", r::A_SUPERSEDED),
        AttemptOutcome::Interrupted => ("bad", r::A_INTERRUPTED),
    };
    view! { <State mood word=t(word)/> }.into_any()
}

/// A credential's state; a cooldown or an open breaker shows before "usable".
pub(crate) fn credential(view: &CredentialView) -> AnyView {
    let t = translator();
    let (mood, word) = match view.state {
        CredentialState::Valid if view.cooldown_until.is_some() => ("warn", p::STATE_COOLING),
        CredentialState::Valid if view.breaker == BreakerState::Open => ("warn", cache::M_BREAKER_OPEN),
        state => state_words(state),
    };
    view! { <State mood word=t(word)/> }.into_any()
}

/// Mood and word of a credential's state.
pub(crate) fn state_words(state: CredentialState) -> (&'static str, Text) {
    match state {
        CredentialState::Valid => ("good", p::STATE_VALID),
        CredentialState::RateLimited => ("warn", p::STATE_RATE_LIMITED),
        CredentialState::Overloaded => ("warn", p::STATE_OVERLOADED),
        CredentialState::Unavailable => ("warn", p::STATE_UNAVAILABLE),
        CredentialState::Suspended => ("bad", p::STATE_SUSPENDED),
        CredentialState::Banned => ("bad", p::STATE_BANNED),
        CredentialState::Invalid => ("bad", p::STATE_INVALID),
        CredentialState::NeedsReauth => ("bad", p::STATE_NEEDS_REAUTH),
        CredentialState::Unreadable => ("bad", p::STATE_UNREADABLE),
        CredentialState::Disabled => ("off", p::STATE_DISABLED),
    }
}

/// A credential's state by itself.
pub(crate) fn state(state: CredentialState) -> AnyView {
    let t = translator();
    let (mood, word) = state_words(state);
    view! { <State mood word=t(word)/> }.into_any()
}

/// What a check found; nothing of the kind is grey.
pub(crate) fn check(result: Option<CheckResult>) -> AnyView {
    let t = translator();
    let (mood, word) = match result {
        Some(CheckResult::Healthy) => ("good", k::HEALTHY),
        Some(CheckResult::Alive) => ("warn", k::ALIVE),
        Some(CheckResult::Failed) => ("bad", k::FAILED),
        Some(CheckResult::Inconclusive) => ("off", k::INCONCLUSIVE),
        Some(CheckResult::NotProbed) => ("off", k::NOT_PROBED),
        None => ("off", k::NEVER),
    };
    view! { <State mood word=t(word)/> }.into_any()
}

/// A mark on the page of what is unavailable: a state or a breaker's.
pub(crate) fn mark(word: &str) -> AnyView {
    let t = translator();
    let (mood, words) = match word {
        "breaker_open" => ("bad", t(cache::M_BREAKER_OPEN)),
        "breaker_half_open" => ("info", t(cache::M_BREAKER_HALF)),
        state => match state.parse::<CredentialState>() {
            Ok(state) => {
                let (mood, words) = state_words(state);
                (mood, t(words))
            }
            Err(_) => return view! { <State mood="warn" word=word.to_owned()/> }.into_any(),
        },
    };
    view! { <State mood word=words/> }.into_any()
}

/// A circuit breaker.
pub(crate) fn breaker(state: BreakerState) -> AnyView {
    let t = translator();
    let (mood, word) = match state {
        BreakerState::Closed => ("good", o::B_CLOSED),
        BreakerState::HalfOpen => ("info", o::B_HALF),
        BreakerState::Open => ("bad", o::B_OPEN),
    };
    view! { <State mood word=t(word)/> }.into_any()
}
