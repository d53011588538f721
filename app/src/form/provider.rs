//! Forms of providers and credentials.

use serde::{Deserialize, Serialize};
use types::credential::{CreateCredential, CredentialView, UpdateCredential};
use types::limits::LimitsInput;
use types::problem::FieldErrors;
use types::provider::{CreateProvider, ProviderView, Timeouts, UpdateProvider};
use types::{Patch, Problem, ProviderId};

use super::{SecretText, checked, list, number, pairs};

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
            version: view.version.to_string(),
            ..Self::default()
        }
    }

    fn timeouts(&self, errors: &mut FieldErrors) -> Timeouts {
        Timeouts {
            connect_ms: number(&self.connect_ms, "timeouts.connect_ms", errors),
            first_byte_ms: number(&self.first_byte_ms, "timeouts.first_byte_ms", errors),
            idle_ms: number(&self.idle_ms, "timeouts.idle_ms", errors),
            total_ms: number(&self.total_ms, "timeouts.total_ms", errors),
        }
    }

    /// As the input of a new provider.
    pub(crate) fn create(&self) -> Result<CreateProvider, Problem> {
        let mut errors = FieldErrors::default();
        let input = CreateProvider {
            name: self.name.clone(),
            kind: self.kind.clone(),
            base_url: self.base_url.clone(),
            api_key: self.api_key.take(),
            enabled: Some(checked(&self.enabled)),
            groups: list(&self.groups),
            priority: number(&self.priority, "priority", &mut errors),
            weight: number(&self.weight, "weight", &mut errors),
            models: list(&self.models),
            model_redirects: pairs(&self.model_redirects, "model_redirects", &mut errors),
            tier: None,
            proxy_url: self.proxy_url.take(),
            timeouts: self.timeouts(&mut errors),
            limits: LimitsInput::default(),
        };
        errors.finish(input)
    }

    /// As the change of a known provider. An emptied number goes back to its default.
    pub(crate) fn update(&self) -> Result<UpdateProvider, Problem> {
        let mut errors = FieldErrors::default();
        let proxy_url = match self.proxy_url.take() {
            Some(proxy) => Patch::Set(proxy),
            None if checked(&self.proxy_clear) => Patch::Clear,
            None => Patch::Keep,
        };
        let input = UpdateProvider {
            name: Some(self.name.clone()),
            base_url: Some(self.base_url.clone()),
            enabled: Some(checked(&self.enabled)),
            groups: Some(list(&self.groups)),
            priority: Some(number(&self.priority, "priority", &mut errors).unwrap_or(0)),
            weight: Some(number(&self.weight, "weight", &mut errors).unwrap_or(1)),
            models: Some(list(&self.models)),
            model_redirects: Some(pairs(&self.model_redirects, "model_redirects", &mut errors)),
            proxy_url,
            timeouts: Some(self.timeouts(&mut errors)),
            version: number(&self.version, "version", &mut errors),
            limits: LimitsInput::default(),
        };
        errors.finish(input)
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
            version: view.version.to_string(),
        }
    }

    /// As the input of a new credential.
    pub(crate) fn create(&self, provider_id: ProviderId) -> Result<CreateCredential, Problem> {
        let mut errors = FieldErrors::default();
        let secret = self.api_key.take();
        if secret.is_none() {
            errors.add("api_key", "must not be empty");
        }
        let input = CreateCredential {
            provider_id,
            name: (!self.name.trim().is_empty()).then(|| self.name.clone()),
            api_key: secret.unwrap_or_else(|| types::Secret::new(String::new())),
            tier: (!self.tier.is_empty()).then(|| self.tier.clone()),
            priority: number(&self.priority, "priority", &mut errors),
            weight: number(&self.weight, "weight", &mut errors),
            max_concurrency: number(&self.max_concurrency, "max_concurrency", &mut errors),
            enabled: None,
            limits: LimitsInput::default(),
        };
        errors.finish(input)
    }

    /// As the change of a known credential.
    pub(crate) fn update(&self) -> Result<UpdateCredential, Problem> {
        let mut errors = FieldErrors::default();
        let input = UpdateCredential {
            name: Some(self.name.clone()),
            api_key: self.api_key.take(),
            tier: (!self.tier.is_empty()).then(|| self.tier.clone()),
            priority: Some(number(&self.priority, "priority", &mut errors).unwrap_or(0)),
            weight: Some(number(&self.weight, "weight", &mut errors).unwrap_or(1)),
            max_concurrency: Patch::from_option(number(&self.max_concurrency, "max_concurrency", &mut errors)),
            enabled: None,
            version: number(&self.version, "version", &mut errors),
            limits: LimitsInput::default(),
        };
        errors.finish(input)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_proxy_field_keeps_the_proxy_and_the_box_removes_it() {
        let mut form = ProviderForm { name: "a".into(), ..ProviderForm::default() };
        assert!(matches!(form.update().unwrap().proxy_url, Patch::Keep));
        form.proxy_clear = "on".into();
        assert!(matches!(form.update().unwrap().proxy_url, Patch::Clear));
    }

    #[test]
    fn an_unchecked_box_switches_off() {
        let form = ProviderForm::default();
        assert_eq!(form.update().unwrap().enabled, Some(false));
    }

    #[test]
    fn all_fields_that_are_no_numbers_are_named_at_once() {
        let form = ProviderForm { weight: "x".into(), idle_ms: "y".into(), ..ProviderForm::default() };
        let problem = form.create().unwrap_err();
        assert!(problem.fields.contains_key("weight") && problem.fields.contains_key("timeouts.idle_ms"));
    }
}
