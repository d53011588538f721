//! Quotas as shown: each limit with what is used and held, and when it resets.

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::dialect::named;
use crate::limits::LimitName;

named! {
    /// What a limit stands on.
    ScopeKind {
        /// The whole gateway.
        Global = "global",
        /// A user.
        User = "user",
        /// A key.
        Key = "key",
        /// A group of providers.
        Group = "group",
        /// A grant of a package.
        Package = "package",
        /// A provider.
        Provider = "provider",
        /// A credential.
        Credential = "credential",
    }
}

/// One limit and how far it is used. Amounts are decimal text: USD for limits in USD, else a whole number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct QuotaLine {
    /// What it stands on.
    pub scope: ScopeKind,
    /// Identity of that; 0 for the whole gateway.
    pub scope_id: i64,
    /// Its name.
    pub scope_name: String,
    /// Which limit.
    pub limit_name: LimitName,
    /// `rolling` or `fixed`; null where neither fits.
    pub mode: Option<crate::limits::WindowMode>,
    /// Settled in the current window.
    pub used: String,
    /// Held for requests that are running.
    pub reserved: String,
    /// The limit in force, temporary increases included; null if there is none (shown for its usage only).
    pub limit: Option<String>,
    /// Per cent of the limit that is used and held, 0 to 100 and above.
    pub percent: Option<u32>,
    /// When the current window began; null for rolling windows and totals.
    pub since: Option<Timestamp>,
    /// When it begins anew; null for rolling windows and totals.
    pub resets_at: Option<Timestamp>,
    /// USD an hour over the last hours; null where it makes no sense.
    pub burn_per_hour_usd: Option<String>,
    /// When the limit is reached at this pace, if before the reset.
    pub exhausted_at: Option<Timestamp>,
}

/// One address that the limit per address refused (RL-03).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RefusedAddress {
    /// An IPv4 address, or the network of an IPv6 address (`2001:db8::/64`), which is counted as one.
    pub address: String,
    /// Requests refused since `since`.
    pub refused: u64,
    /// The first of them.
    pub since: Timestamp,
    /// The latest of them.
    pub latest: Timestamp,
}

/// Who was refused by the limit per address: at most 20 addresses, the most often refused first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RefusedAddresses {
    /// Requests that one address may make in 60 seconds; 0: as many as it likes.
    pub per_minute: u32,
    /// Refused requests of all addresses since this process began.
    pub refused: u64,
    /// The addresses that this process remembers. After a day without a refusal one is forgotten.
    pub items: Vec<RefusedAddress>,
}

/// Which quotas to show.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct QuotaFilter {
    /// Of this user, his keys' not included.
    pub user_id: Option<crate::UserId>,
    /// Of this key and of its user.
    pub key_id: Option<crate::ApiKeyId>,
    /// Of this provider.
    pub provider_id: Option<crate::ProviderId>,
    /// Of this credential.
    pub credential_id: Option<crate::CredentialId>,
    /// Only limits that stand on this; `global` are those of the whole gateway.
    pub scope: Option<ScopeKind>,
    /// Without any of them: only lines at or above this per cent, worst first; default 0.
    pub min_percent: Option<u32>,
}
