//! Whose fault an upstream's error is, from its parsed type and its status.
//!
//! It does not read loose text but for one case: a 403 is an account's end only if its message says so.
//! Connection faults have no status and are classed where they happen; exceptions are the matter of
//! [`crate::rule`].

use types::routing::FailureClass;

/// Types and codes that mean one thing whatever the status that came with them.
const DECISIVE: &[(&str, FailureClass)] = &[
    ("rate_limit_error", FailureClass::RateLimit),
    ("rate_limit_exceeded", FailureClass::RateLimit),
    ("resource_exhausted", FailureClass::RateLimit),
    ("too_many_requests", FailureClass::RateLimit),
    ("tokens_exceeded_error", FailureClass::RateLimit),
    ("insufficient_quota", FailureClass::Quota),
    ("billing_error", FailureClass::Quota),
    ("billing_not_active", FailureClass::Quota),
    ("billing_hard_limit_reached", FailureClass::Quota),
    ("account_deactivated", FailureClass::Quota),
    ("overloaded_error", FailureClass::Overload),
    ("server_is_overloaded", FailureClass::Overload),
    ("engine_overloaded", FailureClass::Overload),
    ("slow_down", FailureClass::Overload),
    ("unavailable", FailureClass::Overload),
    ("authentication_error", FailureClass::Auth),
    ("invalid_api_key", FailureClass::Auth),
    ("invalid_authentication", FailureClass::Auth),
    ("unauthenticated", FailureClass::Auth),
    ("token_expired", FailureClass::Auth),
    ("model_not_found", FailureClass::NotFound),
    ("deploymentnotfound", FailureClass::NotFound),
    ("previous_response_not_found", FailureClass::Client),
    ("context_length_exceeded", FailureClass::Client),
    ("request_too_large", FailureClass::Client),
    ("content_filter", FailureClass::Client),
    ("content_policy_violation", FailureClass::Client),
    ("invalid_prompt", FailureClass::Client),
];

/// Types that say something only where the status says nothing: vendors also put them on 401, 404 and 5xx.
const FALLBACK: &[(&str, FailureClass)] = &[
    ("not_found_error", FailureClass::NotFound),
    ("not_found", FailureClass::NotFound),
    ("permission_error", FailureClass::RateLimit),
    ("permission_denied", FailureClass::RateLimit),
    ("invalid_request_error", FailureClass::Client),
    ("invalid_argument", FailureClass::Client),
    ("failed_precondition", FailureClass::Client),
    ("out_of_range", FailureClass::Client),
];

/// What the message of a 403 says if the account is at its end (banned, or out of credit).
const ENDED: &[&str] = &[
    "suspended",
    "banned",
    "deactivated",
    "terminated",
    "has been disabled",
    "account is disabled",
    "account disabled",
    "billing",
    "credit balance",
    "insufficient balance",
    "insufficient credit",
    "insufficient funds",
    "out of credit",
    "payment required",
    "arrears",
    "余额不足",
    "欠费",
    "封禁",
];

/// The class of an upstream's error. `status` is what came over HTTP, so 200 for an error inside a 200; `kind` is its
/// parsed type, status word or code (empty if none), `message` its parsed message.
pub fn of_status(status: u16, kind: &str, message: &str) -> FailureClass {
    let named = |table: &[(&str, FailureClass)]| {
        table.iter().find(|(word, _)| word.eq_ignore_ascii_case(kind)).map(|(_, class)| *class)
    };
    if let Some(class) = named(DECISIVE) {
        return class;
    }
    match status {
        401 => FailureClass::Auth,
        402 => FailureClass::Quota,
        // Anything else that is forbidden may be so for a region, a model or a moment only: rest and look again,
        // never mark the credential for good.
        403 if ended(message) => FailureClass::Quota,
        403 | 429 => FailureClass::RateLimit,
        404 => FailureClass::NotFound,
        // The outbound proxy's own refusal.
        407 => FailureClass::System,
        // Timeouts and aborts between the upstream's own parts.
        408 | 425 | 499 => FailureClass::Provider,
        400..=498 => FailureClass::Client,
        503 | 529 => FailureClass::Overload,
        200..=299 => named(FALLBACK).unwrap_or(FailureClass::Provider),
        _ => FailureClass::Provider,
    }
}

/// Whether a failure of that class leaves the request free for another credential. Not so where the request itself is
/// at fault, nobody waits for it, or it may have been acted on.
pub fn safe_to_retry(class: FailureClass) -> bool {
    match class {
        FailureClass::Provider
        | FailureClass::System
        | FailureClass::Overload
        | FailureClass::RateLimit
        | FailureClass::Auth
        | FailureClass::Quota
        | FailureClass::NotFound => true,
        FailureClass::Client | FailureClass::ClientGone | FailureClass::Unknown | FailureClass::Local => {
            false
        }
    }
}

fn ended(message: &str) -> bool {
    let message = message.to_lowercase();
    ENDED.iter().any(|words| message.contains(words))
}

#[cfg(test)]
mod tests;
