//! Whether a provider itself is up: what it did last, how quick it is, and whether the network can be blamed instead.

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::routing::FailureClass;

/// How a provider did lately (RF-07). What it did last is remembered by this process only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ProviderVitals {
    /// When a request last went well; null if none did since the process started.
    pub last_success_at: Option<Timestamp>,
    /// When an attempt last failed by the provider's or the network's fault; null as above.
    pub last_failure_at: Option<Timestamp>,
    /// Whose fault that was.
    pub last_failure_class: Option<FailureClass>,
    /// What it was, in one sentence.
    pub last_failure: Option<String>,
    /// 95th percentile of the time to the first byte, in milliseconds, of the last 24 hours; null without requests.
    pub first_byte_p95_ms: Option<u64>,
    /// Whether another provider answered in the last 30 seconds: if not, the own network may be what fails.
    pub others_answer: bool,
    /// Since when the process remembers.
    pub started_at: Timestamp,
}
