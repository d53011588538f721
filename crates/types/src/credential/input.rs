//! What is typed to add a credential or to change one.

use serde::Deserialize;

use super::{CredentialSpec, Material, MaterialInput, Tier};
use crate::clean::{clean_name, parse_or_note};
use crate::limits::{Limits, LimitsInput};
use crate::problem::FieldErrors;
use crate::{Patch, Problem, ProviderId, Secret};

fn nothing() -> Secret<String> {
    Secret::new(String::new())
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
    /// Whether the vendor is asked first, and nothing is stored unless it takes the secret. Default false.
    #[serde(default)]
    pub probe: Option<bool>,
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
    /// Whether the vendor is asked first, and nothing is stored unless it takes the new secret. Default: true where
    /// the old or the new one is a session key, else false.
    pub probe: Option<bool>,
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

fn tier_or_note(text: Option<&str>, otherwise: Tier, errors: &mut FieldErrors) -> Tier {
    text.map_or(Some(otherwise), |text| parse_or_note(text, "tier", errors)).unwrap_or(otherwise)
}
