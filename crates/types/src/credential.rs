//! Credentials: what authenticates to a provider.

use serde::{Deserialize, Serialize};

use crate::dialect::named;
use crate::limits::Limits;
use crate::oauth::TokenView;
use crate::problem::FieldErrors;
use crate::{CredentialId, ProviderId, Timestamp};

mod input;
mod material;
mod removal;

pub use input::{CreateCredential, UpdateCredential};
pub use material::{AwsInput, ClientInput, Material, MaterialInput};
pub use removal::{DeletedCredentials, ProviderReset, ResetProvider, RestoreCredentials};

named! {
    /// Tiers are tried in this order unless the setting `pool.tier_order` says otherwise.
    Tier {
        /// The operator's own accounts.
        Personal = "personal",
        /// Accounts shared by many; the default.
        Shared = "shared",
        /// Last resort.
        Fallback = "fallback",
    }
}

named! {
    /// Whether a credential can be used, and if not, why.
    CredentialState {
        /// Usable as far as known.
        Valid = "valid",
        /// Its quota at the upstream is used up for now (429); it comes back by itself.
        RateLimited = "rate_limited",
        /// The upstream had too much to do (503, 529); it comes back by itself.
        Overloaded = "overloaded",
        /// The way to it failed lately; it is tried after all others. Kept in memory only.
        Unavailable = "unavailable",
        /// The upstream refused it (401).
        Invalid = "invalid",
        /// The vendor suspended the account, or it is out of credit (402, 403 with that text). Looked at again hourly.
        Suspended = "suspended",
        /// Its account has to be signed in again: the vendor takes its stored token no more.
        NeedsReauth = "needs_reauth",
        /// Suspended three times without a success in between.
        Banned = "banned",
        /// Its stored secret cannot be decrypted; it is never sent upstream.
        Unreadable = "unreadable",
        /// Switched off.
        Disabled = "disabled",
    }
}

named! {
    /// What a credential's sealed secret is.
    CredentialAuth {
        /// An API key.
        ApiKey = "api_key",
        /// The tokens of an account that somebody signed in to.
        Oauth = "oauth",
        /// The key file of a service account; access tokens are made of it.
        ServiceAccount = "service_account",
        /// Id and secret of a client; access tokens are made of them.
        ClientCredentials = "client_credentials",
        /// Access keys of AWS; each request is signed with them.
        Aws = "aws",
    }
}

/// The part of a credential's state that is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CredentialMark {
    /// `valid`, `rate_limited`, `overloaded`, `invalid`, `suspended`, `banned` or `needs_reauth`.
    pub state: CredentialState,
    /// When it is over by itself; null if somebody has to act, or for `valid`.
    pub until: Option<Timestamp>,
    /// What the upstream said, or who set it back.
    pub reason: Option<String>,
    /// Since when.
    pub since: Option<Timestamp>,
    /// Grows with each change; a change names the one that it saw (compare-and-set).
    pub version: i64,
}

impl Default for CredentialMark {
    fn default() -> Self {
        Self { state: CredentialState::Valid, until: None, reason: None, since: None, version: 0 }
    }
}

/// One change of one credential's state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CredentialEvent {
    /// The credential.
    pub credential_id: CredentialId,
    /// When.
    pub at: Timestamp,
    /// Before.
    pub from: CredentialState,
    /// After.
    pub to: CredentialState,
    /// Until when, if it is over by itself.
    pub until: Option<Timestamp>,
    /// Why, in one sentence without secrets.
    pub reason: Option<String>,
    /// `upstream`, `recovery`, `admin`, `refresh` or `health_check`.
    pub cause: String,
    /// The request that showed it.
    pub request_id: Option<crate::RequestId>,
}

/// A wait that the upstream asked for, for one model or for all of a credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CooldownView {
    /// The model as sent upstream; null for all.
    pub model: Option<String>,
    /// What it is: `rate_limited`, `overloaded` or `unavailable`.
    pub state: CredentialState,
    /// Until when.
    pub until: Timestamp,
    /// Why.
    pub reason: String,
}

/// A credential as shown: never the secret, only its mask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CredentialView {
    /// Identity.
    pub id: CredentialId,
    /// The provider it belongs to.
    pub provider_id: ProviderId,
    /// Display name, unique within the provider.
    pub name: String,
    /// First and last characters of the secret.
    pub secret_hint: String,
    /// What its secret is.
    #[serde(default = "api_key")]
    pub auth: CredentialAuth,
    /// Whether its key is a session key of a web page and no API key. A new one is tried before it is stored.
    #[serde(default)]
    pub session_key: bool,
    /// How fresh its token is; null if it has none that expires.
    #[serde(default)]
    pub token: Option<TokenView>,
    /// Tier.
    pub tier: Tier,
    /// Lower is tried first within its tier.
    pub priority: i32,
    /// Share among equals, 1 to 100.
    pub weight: u32,
    /// At most so many requests at once; null means no bound.
    pub max_concurrency: Option<u32>,
    /// Whether it may be chosen.
    pub enabled: bool,
    /// Its limits.
    pub limits: Limits,
    /// Its own outbound proxy, password masked; null means its provider's.
    #[serde(default)]
    pub proxy_url: Option<String>,
    /// Computed from what is stored and what was seen.
    pub state: CredentialState,
    /// Why it is in that state; null if it is valid.
    pub state_reason: Option<String>,
    /// Until when it rests as a whole; null if it does not.
    pub cooldown_until: Option<Timestamp>,
    /// Everything that rests: models, or all of it.
    #[serde(default)]
    pub cooldowns: Vec<CooldownView>,
    /// Its worst breaker.
    pub breaker: crate::breaker::BreakerState,
    /// Milliseconds to the first byte lately (a moving average that jumps up and sinks slowly); null if unknown.
    pub latency_ms: Option<u64>,
    /// Requests answered since the process started.
    #[serde(default)]
    pub answered: u64,
    /// Requests failed since the process started.
    #[serde(default)]
    pub failed: u64,
    /// Failures in a row since the last success, in this process.
    pub consecutive_errors: u32,
    /// What its checks found, and who switched it off.
    #[serde(default)]
    pub check: crate::check::CheckStanding,
    /// When its next check is due; null if it is not checked.
    #[serde(default)]
    pub next_check_at: Option<Timestamp>,
    /// How far the vendor says that the account is used up; null if it said nothing.
    #[serde(default)]
    pub allowance: Option<crate::allowance::Allowance>,
    /// What the upstream last complained about.
    pub last_error: Option<String>,
    /// When it last complained.
    pub last_error_at: Option<Timestamp>,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
    /// Requests on it right now.
    pub in_flight: u32,
    /// The variable of the environment that names it, and in which alone it can be changed; null for all others.
    #[serde(default)]
    pub managed_by: Option<String>,
    /// When it was added.
    pub created_at: Timestamp,
    /// Last change.
    pub updated_at: Timestamp,
    /// Set if it was deleted and can still be restored.
    pub deleted_at: Option<Timestamp>,
    /// Grows with each change.
    pub version: i64,
}

fn api_key() -> CredentialAuth {
    CredentialAuth::ApiKey
}

impl CredentialView {
    /// Whether requests or checks failed in a row with it.
    pub fn has_errors(&self) -> bool {
        self.consecutive_errors > 0 || self.check.failures > 0
    }
}

/// The checked content of a credential but for its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialSpec {
    /// Name.
    pub name: String,
    /// Tier.
    pub tier: Tier,
    /// Lower first.
    pub priority: i32,
    /// 1 to 100.
    pub weight: u32,
    /// Bound on requests at once.
    pub max_concurrency: Option<u32>,
    /// On or off.
    pub enabled: bool,
    /// Limits.
    pub limits: Limits,
}

impl CredentialSpec {
    /// What a credential is of which nothing is said but its name: shared, first in its tier, switched on, unlimited.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            tier: Tier::Shared,
            priority: 0,
            weight: 1,
            max_concurrency: None,
            enabled: true,
            limits: Limits::default(),
        }
    }

    fn check(&self, errors: &mut FieldErrors) {
        if !(1..=100).contains(&self.weight) {
            errors.add("weight", "expected 1 to 100");
        }
        if !(-1_000..=1_000).contains(&self.priority) {
            errors.add("priority", "expected -1000 to 1000");
        }
    }
}
