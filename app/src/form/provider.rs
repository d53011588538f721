//! Forms of providers and credentials.

use serde::{Deserialize, Serialize};
use types::credential::CredentialView;
use types::provider::ProviderView;

use super::SecretText;
use super::limits::LimitsForm;

/// The form of a provider, new or known.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct ProviderForm {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) base_url: String,
    pub(crate) api_key: SecretText,
    pub(crate) enabled: String,
    pub(crate) groups: String,
    pub(crate) priority: String,
    pub(crate) weight: String,
    pub(crate) models: String,
    pub(crate) model_redirects: String,
    pub(crate) proxy_url: SecretText,
    pub(crate) proxy_clear: String,
    pub(crate) connect_ms: String,
    pub(crate) first_byte_ms: String,
    pub(crate) idle_ms: String,
    pub(crate) total_ms: String,
    pub(crate) cost_multiplier: String,
    #[serde(flatten)]
    pub(crate) limits: LimitsForm,
    pub(crate) version: String,
}

impl ProviderForm {
    /// What a known provider's form shows.
    pub(crate) fn of(view: &ProviderView) -> Self {
        let text = |value: Option<u64>| value.map(|v| v.to_string()).unwrap_or_default();
        Self {
            name: view.name.clone(),
            kind: view.kind.to_string(),
            base_url: view.base_url.clone(),
            enabled: view.enabled.to_string(),
            groups: view.groups.join(", "),
            priority: view.priority.to_string(),
            weight: view.weight.to_string(),
            models: view.models.join("\n"),
            model_redirects: view
                .model_redirects
                .iter()
                .map(|(from, to)| format!("{from} = {to}"))
                .collect::<Vec<_>>()
                .join("\n"),
            connect_ms: text(view.timeouts.connect_ms),
            first_byte_ms: text(view.timeouts.first_byte_ms),
            idle_ms: text(view.timeouts.idle_ms),
            total_ms: text(view.timeouts.total_ms),
            cost_multiplier: view.cost_multiplier.to_string(),
            limits: LimitsForm::of(&view.limits),
            version: view.version.to_string(),
            ..Self::default()
        }
    }
}

/// The form of a credential, new or known.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct CredentialForm {
    pub(crate) name: String,
    pub(crate) api_key: SecretText,
    pub(crate) tier: String,
    pub(crate) priority: String,
    pub(crate) weight: String,
    pub(crate) max_concurrency: String,
    #[serde(flatten)]
    pub(crate) limits: LimitsForm,
    pub(crate) version: String,
}

impl CredentialForm {
    /// What a known credential's form shows.
    pub(crate) fn of(view: &CredentialView) -> Self {
        Self {
            name: view.name.clone(),
            api_key: SecretText::default(),
            tier: view.tier.to_string(),
            priority: view.priority.to_string(),
            weight: view.weight.to_string(),
            max_concurrency: view.max_concurrency.map(|n| n.to_string()).unwrap_or_default(),
            limits: LimitsForm::of(&view.limits),
            version: view.version.to_string(),
        }
    }
}
