//! The pool of credentials entry by entry, what is wrong with it as a whole, and how it did lately.

use serde::{Deserialize, Serialize};

use crate::credential::{CredentialState, Tier};
use crate::dialect::named;
use crate::provider::ProviderKind;
use crate::{CredentialId, Money, ProviderId, Timestamp};

named! {
    /// What kept a part of the pool from being set up. The service runs without that part.
    PoolFaultKind {
        /// An entry of a variable is a placeholder.
        Placeholder = "placeholder",
        /// An entry of a variable cannot be an API key.
        Malformed = "malformed",
        /// A variable is for a provider that is not there.
        NoProvider = "no_provider",
        /// A variable fits several providers.
        Ambiguous = "ambiguous",
        /// What a variable names could not be stored.
        NotStored = "not_stored",
        /// The stored secret of a credential cannot be decrypted.
        Unreadable = "unreadable",
    }
}

/// One thing that is wrong with the pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PoolFault {
    /// What.
    pub kind: PoolFaultKind,
    /// Name of the variable, or of the credential with its provider.
    pub subject: String,
    /// Which entry of the variable, from 1; null if it is about all of it.
    pub entry: Option<u32>,
    /// One plain sentence, without the value.
    pub message: String,
}

/// One credential as the pool sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PoolEntry {
    /// The credential.
    pub credential_id: CredentialId,
    /// Its name.
    pub credential_name: String,
    /// Its provider.
    pub provider_id: ProviderId,
    /// The provider's name.
    pub provider_name: String,
    /// The provider's kind.
    pub kind: ProviderKind,
    /// Its tier.
    pub tier: Tier,
    /// Lower is tried first within its tier, after the provider's own priority.
    pub priority: i32,
    /// Whether it is switched on itself.
    pub enabled: bool,
    /// Whether it could serve now.
    pub active: bool,
    /// Its state.
    pub state: CredentialState,
    /// Why; null if it is valid.
    pub reason: Option<String>,
    /// When that is over by itself; null if it is not.
    pub until: Option<Timestamp>,
    /// When the last of its rate limits ends, those of single models too; null if none holds.
    pub rate_limit_reset_at: Option<Timestamp>,
    /// Requests on it right now.
    pub current_load: u32,
    /// Requests that ended on it today (UTC), as far as they are booked; null if the database does not answer.
    pub daily_requests: Option<u64>,
    /// What it cost at its vendor since it was added; null if the database does not answer.
    pub total_cost_usd: Option<Money>,
    /// Requests answered since the process started.
    pub answered: u64,
    /// Requests failed since the process started.
    pub failed: u64,
    /// Failures in a row.
    pub consecutive_errors: u32,
    /// What went wrong last, or what its state says; null if nothing did.
    pub last_error: Option<String>,
    /// When.
    pub last_error_at: Option<Timestamp>,
}

/// What happened to the pool in one slot of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PoolSlot {
    /// Answers 429 of upstreams.
    pub rate_limited: u32,
    /// Attempts at another credential after a failed one.
    pub switches: u32,
    /// Requests that ran out of credentials.
    pub exhausted: u32,
    /// Attempts that say how well upstreams do.
    pub judged: u32,
    /// Those of them that went well.
    pub good: u32,
}

/// The same over the last day, in the memory of this process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PoolTrend {
    /// Length of a slot in seconds.
    pub slot_s: u64,
    /// Start of the oldest slot.
    pub since: Option<Timestamp>,
    /// The slots, the oldest first; the last one is the current one.
    pub slots: Vec<PoolSlot>,
}

/// Counts of one priority.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PriorityStats {
    /// The credentials' priority.
    pub priority: i32,
    /// Credentials with it.
    pub total: u32,
    /// Those that could serve now.
    pub active: u32,
}

/// Answer of `GET /api/admin/pool`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PoolReport {
    /// The counts.
    #[serde(flatten)]
    pub stats: crate::cached::PoolStats,
    /// Every credential, in the order of providers and ids.
    pub entries: Vec<PoolEntry>,
}
