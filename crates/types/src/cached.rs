//! What the process remembers from one request to the next, as shown on the cache page.

use serde::{Deserialize, Serialize};

use crate::credential::{CredentialState, Tier};
use crate::request::SessionSource;
use crate::{ApiKeyId, CredentialId, ProviderId, Timestamp, UserId};

/// A conversation and the credential that it sticks to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SessionView {
    /// Names it in calls that clear it: a digest of key and session.
    pub id: String,
    /// What the client calls it, at most 128 characters; the digest where it names none.
    pub session: String,
    /// Where that came from.
    pub source: SessionSource,
    /// Whose it is.
    pub user_id: UserId,
    /// Null if he is gone.
    pub user_name: Option<String>,
    /// The key.
    pub key_id: ApiKeyId,
    /// Null if it is gone.
    pub key_name: Option<String>,
    /// The bound credential.
    pub credential_id: CredentialId,
    /// Null if it is gone.
    pub credential_name: Option<String>,
    /// Its provider.
    pub provider_id: ProviderId,
    /// Null if it is gone.
    pub provider_name: Option<String>,
    /// When it was bound.
    pub bound_at: Timestamp,
    /// Its last request.
    pub last_used_at: Timestamp,
    /// When it is forgotten unless another request comes.
    pub expires_at: Timestamp,
    /// Requests that stuck to it.
    pub hits: u64,
    /// How often it moved to another credential.
    pub rebinds: u32,
}

/// Requests at once on one credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AccountLoad {
    /// The credential.
    pub credential_id: CredentialId,
    /// Its name.
    pub credential_name: String,
    /// Its provider.
    pub provider_id: ProviderId,
    /// The provider's name.
    pub provider_name: String,
    /// Its tier.
    pub tier: Tier,
    /// Requests on it now.
    pub in_flight: u32,
    /// Most at once; null for no bound.
    pub max_concurrency: Option<u32>,
    /// Requests that wait for a slot on its provider.
    pub waiting: u32,
    /// Conversations bound to it.
    pub sessions: u32,
    /// Its last request.
    pub last_used_at: Option<Timestamp>,
}

/// Requests at once of one user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UserLoad {
    /// The user.
    pub user_id: UserId,
    /// His name.
    pub user_name: String,
    /// His requests now.
    pub in_flight: u32,
    /// Most at once; null for no bound.
    pub max_concurrent_requests: Option<u32>,
    /// His conversations that count as active.
    pub sessions: u32,
    /// Most of them; null for no bound.
    pub limit_concurrent_sessions: Option<u32>,
}

/// Something that keeps a credential, or one model of it, from being chosen (or first).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UnavailableMark {
    /// The credential.
    pub credential_id: CredentialId,
    /// Its name.
    pub credential_name: String,
    /// Its provider.
    pub provider_id: ProviderId,
    /// The provider's name.
    pub provider_name: String,
    /// The model as sent upstream; null for all.
    pub model: Option<String>,
    /// `rate_limited`, `overloaded`, `unavailable`, or `breaker_open`, `breaker_half_open`, or a stored state.
    pub mark: String,
    /// The state that it gives the credential.
    pub state: CredentialState,
    /// When it ends by itself; null if somebody has to act.
    pub until: Option<Timestamp>,
    /// Why.
    pub reason: String,
}

/// One of the four lists, and what is true of all of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CacheList<T> {
    /// Entries, at most 500, the busiest or latest first.
    pub items: Vec<T>,
    /// Always null, because what runs now has no pages: a search narrows it.
    pub next: Option<String>,
    /// All entries that fit the search.
    pub total: u64,
    /// Since when the process remembers: its start. A restart forgets all of it.
    pub since: Timestamp,
    /// How long an entry lives without use, in seconds; 0 where that does not apply.
    pub ttl_s: u64,
}

/// Answer of a `DELETE` under `/api/admin/cache`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Cleared {
    /// How many entries were removed.
    pub cleared: u64,
}

/// Counts of the whole pool.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PoolStats {
    /// Credentials of providers that are not deleted.
    pub total: u32,
    /// Those that could serve now.
    pub active: u32,
    /// Those that cannot.
    pub failed: u32,
    /// By tier, in the order in which they are tried.
    pub tiers: Vec<TierStats>,
    /// By priority, in the order in which they are tried within a tier.
    #[serde(default)]
    pub by_priority: Vec<crate::pool::PriorityStats>,
    /// By state.
    pub states: std::collections::BTreeMap<String, u32>,
    /// Upstream answers 429 since the process started.
    pub rate_limited: u64,
    /// Switches to another credential since then.
    pub switches: u64,
    /// Requests that ran out of credentials since then.
    pub exhausted: u64,
    /// The same over the last day.
    #[serde(default)]
    pub trend: crate::pool::PoolTrend,
    /// What is wrong with the pool's set-up; empty if nothing is.
    #[serde(default)]
    pub faults: Vec<crate::pool::PoolFault>,
}

/// Counts of one tier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TierStats {
    /// The tier.
    pub tier: Tier,
    /// Credentials in it.
    pub total: u32,
    /// Those that could serve now.
    pub active: u32,
}

/// How a credential did lately.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AvailabilityRow {
    /// The credential.
    pub credential_id: CredentialId,
    /// Its name.
    pub credential_name: String,
    /// Its provider.
    pub provider_id: ProviderId,
    /// The provider's name.
    pub provider_name: String,
    /// Attempts that went well and that failed, by slot, oldest first; the last slot is the current one.
    pub slots: Vec<(u32, u32)>,
}

/// The availability grid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Availability {
    /// Length of a slot in seconds.
    pub slot_s: u64,
    /// Start of the oldest slot.
    pub since: Timestamp,
    /// Since when the process remembers.
    pub started_at: Timestamp,
    /// One line for each credential.
    pub rows: Vec<AvailabilityRow>,
}
