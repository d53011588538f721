//! Credentials: what authenticates to a provider.

use serde::{Deserialize, Serialize};

use crate::clean::{clean_name, parse_or_note};
use crate::dialect::named;
use crate::limits::{Limits, LimitsInput};
use crate::oauth::TokenView;
use crate::problem::FieldErrors;
use crate::{CredentialId, Patch, Problem, ProviderId, Secret, Timestamp};

mod material;

pub use material::{AwsInput, ClientInput, Material, MaterialInput};

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

fn nothing() -> Secret<String> {
    Secret::new(String::new())
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

/// Body of `POST /api/admin/credentials`.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateCredential {
    /// The provider it belongs to.
    pub provider_id: ProviderId,
    /// Default: `key N`.
    #[serde(default)]
    pub name: Option<String>,
    /// The upstream's API key; empty or absent where something else is given in its place.
    #[serde(default = "nothing")]
    pub api_key: Secret<String>,
    /// What may be given in its place.
    #[serde(flatten)]
    pub material: MaterialInput,
    /// Default `shared`.
    #[serde(default)]
    pub tier: Option<String>,
    /// Default 0.
    #[serde(default)]
    pub priority: Option<i32>,
    /// Default 1.
    #[serde(default)]
    pub weight: Option<u32>,
    /// Default: no bound.
    #[serde(default)]
    pub max_concurrency: Option<u32>,
    /// Default true.
    #[serde(default)]
    pub enabled: Option<bool>,
    /// Default none. A credential at a limit is not chosen.
    #[serde(default)]
    pub limits: LimitsInput,
    /// `http://`, `https://` or `socks5://` proxy for everything sent with it; default: its provider's.
    #[serde(default)]
    pub proxy_url: Option<Secret<String>>,
}

/// Body of `PATCH /api/admin/credentials/{id}`: absent fields stay.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct UpdateCredential {
    /// New name.
    pub name: Option<String>,
    /// New secret.
    pub api_key: Option<Secret<String>>,
    /// What may be given in its place, of the same kind as the present one.
    #[serde(flatten)]
    pub material: MaterialInput,
    /// New tier.
    pub tier: Option<String>,
    /// New priority.
    pub priority: Option<i32>,
    /// New weight.
    pub weight: Option<u32>,
    /// New bound; null removes it.
    pub max_concurrency: Patch<u32>,
    /// On or off.
    pub enabled: Option<bool>,
    /// If given, must equal the stored version.
    pub version: Option<i64>,
    /// Changed limits; null or 0 removes one.
    pub limits: LimitsInput,
    /// New outbound proxy; null removes it.
    pub proxy_url: Patch<Secret<String>>,
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

impl CreateCredential {
    fn key(&self) -> Option<&Secret<String>> {
        Some(&self.api_key).filter(|key| !key.expose().is_empty())
    }

    /// What is to be sealed; `None` if nothing was given.
    pub fn secret(&self) -> Option<Material> {
        self.material.material(self.key())
    }

    /// Checks the input; `default_name` is used if it names none.
    pub fn parse(&self, default_name: &str) -> Result<CredentialSpec, Problem> {
        let mut errors = FieldErrors::default();
        self.material.check(self.key(), true, &mut errors);
        let spec = CredentialSpec {
            name: clean_name(self.name.as_deref().unwrap_or(default_name), "name", &mut errors),
            tier: tier_or_note(self.tier.as_deref(), Tier::Shared, &mut errors),
            priority: self.priority.unwrap_or(0),
            weight: self.weight.unwrap_or(1),
            max_concurrency: self.max_concurrency.filter(|n| *n > 0),
            enabled: self.enabled.unwrap_or(true),
            limits: self.limits.apply(Limits::default(), &mut errors),
        };
        spec.check(&mut errors);
        errors.finish(spec)
    }
}

impl UpdateCredential {
    /// What is to be sealed in place of the present secret; `None` if that stays.
    pub fn secret(&self) -> Option<Material> {
        self.material.material(self.api_key.as_ref())
    }

    /// Applies the change to what is stored now and checks the result.
    pub fn apply(&self, current: CredentialSpec) -> Result<CredentialSpec, Problem> {
        let mut errors = FieldErrors::default();
        self.material.check(self.api_key.as_ref(), false, &mut errors);
        let spec = CredentialSpec {
            name: self.name.as_ref().map_or(current.name, |n| clean_name(n, "name", &mut errors)),
            tier: tier_or_note(self.tier.as_deref(), current.tier, &mut errors),
            priority: self.priority.unwrap_or(current.priority),
            weight: self.weight.unwrap_or(current.weight),
            max_concurrency: self.max_concurrency.clone().apply(current.max_concurrency).filter(|n| *n > 0),
            enabled: self.enabled.unwrap_or(current.enabled),
            limits: self.limits.apply(current.limits, &mut errors),
        };
        spec.check(&mut errors);
        errors.finish(spec)
    }
}

impl CredentialSpec {
    fn check(&self, errors: &mut FieldErrors) {
        if !(1..=100).contains(&self.weight) {
            errors.add("weight", "expected 1 to 100");
        }
        if !(-1_000..=1_000).contains(&self.priority) {
            errors.add("priority", "expected -1000 to 1000");
        }
    }
}

fn tier_or_note(text: Option<&str>, otherwise: Tier, errors: &mut FieldErrors) -> Tier {
    text.map_or(Some(otherwise), |text| parse_or_note(text, "tier", errors)).unwrap_or(otherwise)
}

// A secret travels in a header, so anything that is no visible ASCII would fail at the first request
// instead of here. Quotes and blanks around it are the usual paste accidents.
fn check_secret(secret: &Secret<String>, errors: &mut FieldErrors) {
    let text = secret.expose();
    if text.is_empty() || text.len() > 16_384 || !text.bytes().all(|b| b.is_ascii_graphic()) {
        errors.add("api_key", "expected 1 to 16,384 visible characters without blanks or line ends");
    } else if text.starts_with(['"', '\'']) {
        errors.add("api_key", "leave out the quotation marks");
    }
}
