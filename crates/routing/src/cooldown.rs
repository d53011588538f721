//! How long a credential rests after a failure, by what the upstream asked for or, if it asked for nothing, by how
//! often it failed.
//!
//! It remembers nothing (see [`crate::health`]) and never takes a rest for the truth: each is short enough to be
//! looked at again, and bounded whatever the upstream asks for.

use http::HeaderMap;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use types::Timestamp;
use types::credential::CredentialState;
use types::provider::ProviderKind;
use types::routing::FailureClass;

use crate::reset;

const SECOND_MS: i64 = 1_000;
const MINUTE_MS: i64 = 60 * SECOND_MS;
/// Shortest rest that an upstream can ask for.
const LEAST_MS: i64 = SECOND_MS;
/// First and longest rest for a quota whose end is not told (U28).
const UNTOLD_MS: (i64, i64) = (5 * SECOND_MS, 5 * MINUTE_MS);
/// First and longest rest of an overloaded upstream.
const OVERLOAD_MS: (i64, i64) = (10 * SECOND_MS, 2 * MINUTE_MS);
/// First time for which a credential is tried last; the longest is a setting.
const UNAVAILABLE_MS: i64 = 5 * SECOND_MS;
/// How long a model rests that the account does not have (U36).
const NOT_FOUND_MS: i64 = 10 * MINUTE_MS;
/// How long an account rests that is suspended or out of credit, before it is looked at again (U34).
const QUOTA_MS: i64 = 60 * MINUTE_MS;

/// A rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rest {
    /// Until when.
    pub until: Timestamp,
    /// What it is.
    pub state: CredentialState,
    /// Whether the whole credential rests, or only the model.
    pub whole: bool,
    /// Whether the upstream named its end.
    pub told: bool,
}

/// What `retry-after-ms` or `Retry-After` ask for, in milliseconds from now, at least 1 s. `None` if they are absent
/// or nonsense.
pub fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<i64> {
    reset::retry_after(headers, now).map(|ms| ms.max(LEAST_MS))
}

/// The rest that follows from a failure; `None` if none does.
///
/// `body_delay_ms` is what the body asked for, `streak` how many rests came before without a success in between,
/// `max_s` the longest rest by the settings (`routing.unavailable_s` for [`FailureClass::System`], else
/// `routing.cooldown_max_s`).
#[expect(clippy::too_many_arguments, reason = "each is one fact of the failure, and none belong together")]
pub fn rest(
    class: FailureClass,
    kind: ProviderKind,
    headers: &HeaderMap,
    body_delay_ms: Option<u64>,
    now: Timestamp,
    streak: u32,
    max_s: u32,
    seed: u64,
) -> Option<Rest> {
    let longest = i64::from(max_s).saturating_mul(SECOND_MS).max(LEAST_MS);
    let (ms, state, whole, told) = match class {
        FailureClass::RateLimit => {
            let told = asked_ms(kind, headers, body_delay_ms, now);
            let ms = told.unwrap_or_else(|| jittered(growing(UNTOLD_MS, streak), seed).min(UNTOLD_MS.1));
            let whole = kind == ProviderKind::Anthropic && reset::is_whole(headers);
            (ms, CredentialState::RateLimited, whole, told.is_some())
        }
        FailureClass::Overload => {
            let told = asked_ms(kind, headers, body_delay_ms, now);
            let ms = told.unwrap_or_else(|| growing(OVERLOAD_MS, streak));
            (ms, CredentialState::Overloaded, false, told.is_some())
        }
        FailureClass::System => {
            (growing((UNAVAILABLE_MS, longest), streak), CredentialState::Unavailable, false, false)
        }
        FailureClass::NotFound => (NOT_FOUND_MS, CredentialState::Unavailable, false, false),
        FailureClass::Quota => {
            let until = now.plus_ms(QUOTA_MS);
            return Some(Rest { until, state: CredentialState::Suspended, whole: true, told: false });
        }
        FailureClass::Provider
        | FailureClass::Auth
        | FailureClass::Client
        | FailureClass::ClientGone
        | FailureClass::Unknown
        | FailureClass::Local => return None,
    };
    Some(Rest { until: now.plus_ms(ms.clamp(LEAST_MS, longest)), state, whole, told })
}

/// What the upstream asks for, in milliseconds. A `Retry-After` that is over already says nothing, so anything else
/// that it said counts first.
fn asked_ms(
    kind: ProviderKind,
    headers: &HeaderMap,
    body_delay_ms: Option<u64>,
    now: Timestamp,
) -> Option<i64> {
    let header = reset::retry_after(headers, now);
    header
        .filter(|ms| *ms > 0)
        .or_else(|| reset::of_vendor(kind, headers, now))
        .or_else(|| body_delay_ms.map(|ms| i64::try_from(ms).unwrap_or(i64::MAX)))
        .or(header)
}

/// `first`, doubled with each rest before it, up to `most`.
fn growing((first, most): (i64, i64), streak: u32) -> i64 {
    first.saturating_mul(1_i64 << streak.min(32)).min(most)
}

/// Between half and one and a half of it, so that credentials that failed together do not come back together.
fn jittered(ms: i64, seed: u64) -> i64 {
    ms / 2 + SmallRng::seed_from_u64(seed).random_range(0..=ms)
}

#[cfg(test)]
mod tests;
