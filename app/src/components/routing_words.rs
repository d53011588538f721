//! Words of what routing knows by stable names: strategies, tiers, failure classes, filters.

use types::credential::{CredentialAuth, Tier};
use types::request::HedgeOutcome;
use types::routing::{FailureClass, Strategy};

use crate::text::{
    Text, check as k, provider as p, request as r, routing as w, rule as e, translation as x, translator,
};

/// Name of a strategy, and what it does.
pub(crate) fn strategy(strategy: Strategy) -> (Text, Text) {
    match strategy {
        Strategy::Weighted => (w::S_WEIGHTED, w::T_WEIGHTED),
        Strategy::RoundRobin => (w::S_ROUND_ROBIN, w::T_ROUND_ROBIN),
        Strategy::LeastLoaded => (w::S_LEAST_LOADED, w::T_LEAST_LOADED),
        Strategy::Latency => (w::S_LATENCY, w::T_LATENCY),
        Strategy::Cheapest => (w::S_CHEAPEST, w::T_CHEAPEST),
    }
}

/// Name of a tier.
pub(crate) fn tier(tier: Tier) -> Text {
    match tier {
        Tier::Personal => p::TIER_PERSONAL,
        Tier::Shared => p::TIER_SHARED,
        Tier::Fallback => p::TIER_FALLBACK,
    }
}

/// `personal,shared,fallback` as `Personal → shared → fallback`, in words.
pub(crate) fn tier_order(order: &str) -> String {
    let t = translator();
    order
        .split(',')
        .map(|tier| {
            tier.trim().parse().map_or_else(|_| tier.to_owned(), |tier| t(self::tier(tier)).to_owned())
        })
        .collect::<Vec<_>>()
        .join(" → ")
}

/// Name of what a credential authenticates with.
pub(crate) fn auth(auth: CredentialAuth) -> Text {
    match auth {
        CredentialAuth::ApiKey => p::AUTH_API_KEY,
        CredentialAuth::Oauth => p::AUTH_OAUTH,
        CredentialAuth::ServiceAccount => p::AUTH_SERVICE_ACCOUNT,
        CredentialAuth::ClientCredentials => p::AUTH_CLIENT,
        CredentialAuth::Aws => p::AUTH_AWS,
    }
}

/// Name of a failure class, and what follows from it.
pub(crate) fn class(class: FailureClass) -> (Text, Text) {
    match class {
        FailureClass::Provider => (e::C_PROVIDER, e::T_PROVIDER),
        FailureClass::System => (e::C_SYSTEM, e::T_SYSTEM),
        FailureClass::Overload => (e::C_OVERLOAD, e::T_OVERLOAD),
        FailureClass::RateLimit => (e::C_RATE_LIMIT, e::T_RATE_LIMIT),
        FailureClass::Auth => (e::C_AUTH, e::T_AUTH),
        FailureClass::Quota => (e::C_QUOTA, e::T_QUOTA),
        FailureClass::NotFound => (e::C_NOT_FOUND, e::T_NOT_FOUND),
        FailureClass::Client => (e::C_CLIENT, e::T_CLIENT),
        FailureClass::ClientGone => (e::C_CLIENT_GONE, e::T_OTHER),
        FailureClass::Unknown => (e::C_UNKNOWN, e::T_OTHER),
        FailureClass::Local => (e::C_LOCAL, e::T_OTHER),
    }
}

/// Classes that an upstream's answer can mean, as rules may name them.
pub(crate) const CLASSES: [FailureClass; 8] = [
    FailureClass::Provider,
    FailureClass::System,
    FailureClass::Overload,
    FailureClass::RateLimit,
    FailureClass::Auth,
    FailureClass::Quota,
    FailureClass::NotFound,
    FailureClass::Client,
];

/// What a filter of the selection says; `None` for a name that this page does not know.
pub(crate) fn filter(name: &str) -> Option<Text> {
    Some(match name {
        "disabled" => r::R_DISABLED,
        "endpoint" => r::R_ENDPOINT,
        "group" => r::R_GROUP,
        "model" => r::R_MODEL,
        "dialect" => x::R_DIALECT,
        "client" => r::R_CLIENT,
        "schedule" => r::R_SCHEDULE,
        "unpriced" => r::R_UNPRICED,
        "limit" => r::R_LIMIT,
        "no_credential" => r::R_NO_CREDENTIAL,
        "unreadable" => r::R_UNREADABLE,
        "token" => r::R_TOKEN,
        "state" => r::R_STATE,
        "allowance" => k::R_ALLOWANCE,
        "cooldown" => r::R_COOLDOWN,
        "unavailable" => r::R_UNAVAILABLE,
        "breaker" => r::R_BREAKER,
        "concurrency" => r::R_CONCURRENCY,
        "tried" => r::R_TRIED,
        "kept_elsewhere" => r::R_KEPT_ELSEWHERE,
        _ => return None,
    })
}

/// What became of a second attempt beside a slow one.
pub(crate) fn hedge(outcome: HedgeOutcome) -> Text {
    match outcome {
        HedgeOutcome::Won => r::HEDGE_WON,
        HedgeOutcome::Lost => r::HEDGE_LOST,
        HedgeOutcome::Failed => r::HEDGE_FAILED,
        HedgeOutcome::TookOver => r::HEDGE_TOOK_OVER,
        HedgeOutcome::Open => r::HEDGE_OPEN,
        HedgeOutcome::Capped => r::HEDGE_CAPPED,
        HedgeOutcome::Dear => r::HEDGE_DEAR,
        HedgeOutcome::Nobody => r::HEDGE_NOBODY,
    }
}

/// What was mended in a body, by its stable name.
pub(crate) fn rectified(name: &str) -> Option<Text> {
    Some(match name {
        "thinking_signature" => r::F_THINKING_SIGNATURE,
        "thinking_budget" => r::F_THINKING_BUDGET,
        "empty_text" => r::F_EMPTY_TEXT,
        "token_refreshed" => r::F_TOKEN_REFRESHED,
        "clock_corrected" => r::F_CLOCK_CORRECTED,
        "orphan_tool_results" => r::F_ORPHAN_TOOLS,
        _ => return None,
    })
}
