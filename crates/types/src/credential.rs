//! Credentials: what authenticates to a provider.

use serde::{Deserialize, Serialize};

use crate::clean::{clean_name, parse_or_note};
use crate::dialect::named;
use crate::limits::{Limits, LimitsInput};
use crate::problem::FieldErrors;
use crate::{CredentialId, Patch, Problem, ProviderId, Secret, Timestamp};

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
        /// The upstream refused it (401 or 403) when it was last used.
        Invalid = "invalid",
        /// Its stored secret cannot be decrypted; it is never sent upstream.
        Unreadable = "unreadable",
        /// Switched off.
        Disabled = "disabled",
    }
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
    /// Computed from what is stored and what was seen.
    pub state: CredentialState,
    /// Until when it rests because the upstream asked for it; null if it does not.
    pub cooldown_until: Option<Timestamp>,
    /// Failures in a row since the last success, in this process.
    pub consecutive_errors: u32,
    /// What the upstream last complained about.
    pub last_error: Option<String>,
    /// When it last complained.
    pub last_error_at: Option<Timestamp>,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
    /// Requests on it right now.
    pub in_flight: u32,
    /// When it was added.
    pub created_at: Timestamp,
    /// Last change.
    pub updated_at: Timestamp,
    /// Set if it was deleted and can still be restored.
    pub deleted_at: Option<Timestamp>,
    /// Grows with each change.
    pub version: i64,
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
    /// The upstream's API key.
    pub api_key: Secret<String>,
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
    /// Checks the input; `default_name` is used if it names none.
    pub fn parse(&self, default_name: &str) -> Result<CredentialSpec, Problem> {
        let mut errors = FieldErrors::default();
        check_secret(&self.api_key, &mut errors);
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
    /// Applies the change to what is stored now and checks the result.
    pub fn apply(&self, current: CredentialSpec) -> Result<CredentialSpec, Problem> {
        let mut errors = FieldErrors::default();
        if let Some(secret) = &self.api_key {
            check_secret(secret, &mut errors);
        }
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
