//! Forms of providers and credentials.

use serde::{Deserialize, Serialize};
use types::credential::CredentialView;
use types::provider::ProviderView;
use types::routing::Http2;

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
    /// Whether the vendor is asked before the key is stored.
    pub(crate) probe: String,
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
    pub(crate) breaker_failures: String,
    pub(crate) breaker_open_ms: String,
    pub(crate) breaker_successes: String,
    pub(crate) clients: String,
    pub(crate) schedule_start: String,
    pub(crate) schedule_end: String,
    pub(crate) sticky: String,
    pub(crate) proxy_fallback: String,
    pub(crate) http2: String,
    pub(crate) queue_size: String,
    pub(crate) queue_ms: String,
    pub(crate) dialects: String,
    pub(crate) translate: String,
    #[serde(flatten)]
    pub(crate) limits: LimitsForm,
    pub(crate) version: String,
}

impl ProviderForm {
    /// What a known provider's form shows.
    pub(crate) fn of(view: &ProviderView) -> Self {
        fn text<T: ToString>(value: Option<T>) -> String {
            value.map(|value| value.to_string()).unwrap_or_default()
        }
        let routing = &view.routing;
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
            breaker_failures: text(routing.breaker.failure_threshold),
            breaker_open_ms: text(routing.breaker.open_duration_ms),
            breaker_successes: text(routing.breaker.half_open_success_threshold),
            clients: routing.clients.join("\n"),
            schedule_start: text(routing.schedule.map(|schedule| schedule.start)),
            schedule_end: text(routing.schedule.map(|schedule| schedule.end)),
            sticky: routing.sticky.to_string(),
            proxy_fallback: routing.proxy_fallback_to_direct.to_string(),
            http2: (routing.http2 == Http2::Auto).to_string(),
            queue_size: text(routing.queue_size),
            queue_ms: text(routing.queue_ms),
            dialects: routing.dialects.iter().map(|d| d.as_str()).collect::<Vec<_>>().join(", "),
            translate: routing.translate.to_string(),
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
    /// Whether the vendor is asked before a secret is stored.
    pub(crate) probe: String,
    /// Of a service account, or empty.
    pub(crate) key_file: SecretText,
    /// Of a client of Entra ID; these three go together.
    pub(crate) tenant: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: SecretText,
    /// Of AWS; the first two go together.
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: SecretText,
    pub(crate) session_token: SecretText,
    pub(crate) region: String,
    pub(crate) tier: String,
    pub(crate) priority: String,
    pub(crate) weight: String,
    pub(crate) max_concurrency: String,
    pub(crate) proxy_url: SecretText,
    pub(crate) proxy_clear: String,
    #[serde(flatten)]
    pub(crate) limits: LimitsForm,
    pub(crate) version: String,
}

impl CredentialForm {
    /// What a known credential's form shows.
    pub(crate) fn of(view: &CredentialView) -> Self {
        Self {
            name: view.name.clone(),
            probe: view.session_key.to_string(),
            tier: view.tier.to_string(),
            priority: view.priority.to_string(),
            weight: view.weight.to_string(),
            max_concurrency: view.max_concurrency.map(|n| n.to_string()).unwrap_or_default(),
            limits: LimitsForm::of(&view.limits),
            version: view.version.to_string(),
            ..Self::default()
        }
    }
}
