//! Circuit breakers: their settings and how they are shown.

use serde::{Deserialize, Serialize};

use crate::dialect::named;
use crate::problem::FieldErrors;
use crate::{CredentialId, ProviderId, Timestamp};

named! {
    /// Whether requests pass.
    BreakerState {
        /// They do.
        Closed = "closed",
        /// They do not, until it is time to probe.
        Open = "open",
        /// One at a time does, to see whether it is well again.
        HalfOpen = "half_open",
    }
}

/// When breakers of a provider's credentials open and close. Null means the default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct BreakerConfig {
    /// Failures in a row that open it; default 5 (1 to 1,000).
    pub failure_threshold: Option<u32>,
    /// How long it stays open at first, in milliseconds; default 1,800,000 (1,000 to 86,400,000). Each failed probe
    /// doubles it, up to eight times as long.
    pub open_duration_ms: Option<u64>,
    /// Successes in a row that close it again; default 2 (1 to 100).
    pub half_open_success_threshold: Option<u32>,
}

impl BreakerConfig {
    /// Default of `failure_threshold`.
    pub const FAILURES: u32 = 5;
    /// Default of `open_duration_ms`.
    pub const OPEN_MS: u64 = 1_800_000;
    /// Default of `half_open_success_threshold`.
    pub const SUCCESSES: u32 = 2;

    /// Failures in a row that open it.
    pub fn failures(&self) -> u32 {
        self.failure_threshold.unwrap_or(Self::FAILURES)
    }

    /// How long it stays open at first, in milliseconds.
    pub fn open_ms(&self) -> u64 {
        self.open_duration_ms.unwrap_or(Self::OPEN_MS)
    }

    /// Successes in a row that close it.
    pub fn successes(&self) -> u32 {
        self.half_open_success_threshold.unwrap_or(Self::SUCCESSES)
    }

    pub(crate) fn check(&self, errors: &mut FieldErrors) {
        if self.failure_threshold.is_some_and(|n| !(1..=1_000).contains(&n)) {
            errors.add("breaker.failure_threshold", "expected 1 to 1000");
        }
        if self.open_duration_ms.is_some_and(|n| !(1_000..=86_400_000).contains(&n)) {
            errors.add("breaker.open_duration_ms", "expected 1000 to 86400000 milliseconds");
        }
        if self.half_open_success_threshold.is_some_and(|n| !(1..=100).contains(&n)) {
            errors.add("breaker.half_open_success_threshold", "expected 1 to 100");
        }
    }
}

/// One breaker: of one model on one credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BreakerView {
    /// The provider.
    pub provider_id: ProviderId,
    /// The credential.
    pub credential_id: CredentialId,
    /// The model as sent upstream; null for requests without one.
    pub model: Option<String>,
    /// Its state.
    pub state: BreakerState,
    /// Failures in a row.
    pub failures: u32,
    /// Successes in a row since it is half open.
    pub successes: u32,
    /// How often it opened without closing in between.
    pub openings: u32,
    /// When it last changed its state.
    pub changed_at: Option<Timestamp>,
    /// When the next probe may pass; null if it is closed.
    pub probe_at: Option<Timestamp>,
    /// What the last failure was.
    pub last_error: Option<String>,
}

/// One change of one breaker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BreakerEvent {
    /// When.
    pub at: Timestamp,
    /// The provider.
    pub provider_id: ProviderId,
    /// The credential.
    pub credential_id: CredentialId,
    /// The model as sent upstream; null for requests without one.
    pub model: Option<String>,
    /// Before.
    pub from: BreakerState,
    /// After.
    pub to: BreakerState,
    /// Why, in one sentence.
    pub reason: String,
}
