//! Inputs of providers and credentials.

use types::breaker::BreakerConfig;
use types::credential::{AwsInput, ClientInput, CreateCredential, MaterialInput, UpdateCredential};
use types::problem::FieldErrors;
use types::provider::{CreateProvider, Timeouts, UpdateProvider};
use types::routing::{Http2, RoutingInput, Schedule};
use types::{Patch, Problem, ProviderId, Secret};

use super::{list, number, pairs, parsed};
use crate::form::provider::{CredentialForm, ProviderForm};
use crate::form::{SecretText, checked};

impl ProviderForm {
    fn timeouts(&self, errors: &mut FieldErrors) -> Timeouts {
        Timeouts {
            connect_ms: number(&self.connect_ms, "timeouts.connect_ms", errors),
            first_byte_ms: number(&self.first_byte_ms, "timeouts.first_byte_ms", errors),
            idle_ms: number(&self.idle_ms, "timeouts.idle_ms", errors),
            total_ms: number(&self.total_ms, "timeouts.total_ms", errors),
        }
    }

    fn routing(&self, errors: &mut FieldErrors) -> RoutingInput {
        let start = parsed(&self.schedule_start, "schedule", errors);
        let end = parsed(&self.schedule_end, "schedule", errors);
        let schedule = match (start, end) {
            (Some(start), Some(end)) => Patch::Set(Schedule { start, end }),
            (None, None) => Patch::Clear,
            _ => {
                errors.add("schedule", "fill in both times, or neither");
                Patch::Keep
            }
        };
        RoutingInput {
            breaker: Some(BreakerConfig {
                failure_threshold: number(&self.breaker_failures, "breaker.failure_threshold", errors),
                open_duration_ms: number(&self.breaker_open_ms, "breaker.open_duration_ms", errors),
                half_open_success_threshold: number(
                    &self.breaker_successes,
                    "breaker.half_open_success_threshold",
                    errors,
                ),
            }),
            // A User-Agent may hold commas, so only line ends part the patterns.
            clients: Some(self.clients.lines().map(|line| line.trim().to_owned()).collect()),
            schedule,
            sticky: Some(checked(&self.sticky)),
            proxy_fallback_to_direct: Some(checked(&self.proxy_fallback)),
            http2: Some(if checked(&self.http2) { Http2::Auto } else { Http2::Off }),
            queue_size: Patch::from_option(number(&self.queue_size, "queue_size", errors)),
            queue_ms: Patch::from_option(number(&self.queue_ms, "queue_ms", errors)),
            dialects: Some(
                list(&self.dialects).iter().filter_map(|name| parsed(name, "dialects", errors)).collect(),
            ),
            translate: Some(checked(&self.translate)),
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
            probe: Some(checked(&self.probe)),
            enabled: Some(checked(&self.enabled)),
            groups: list(&self.groups),
            priority: number(&self.priority, "priority", &mut errors),
            weight: number(&self.weight, "weight", &mut errors),
            models: list(&self.models),
            model_redirects: pairs(&self.model_redirects, "model_redirects", &mut errors),
            tier: None,
            proxy_url: self.proxy_url.take(),
            timeouts: self.timeouts(&mut errors),
            limits: self.limits.read(&mut errors),
            cost_multiplier: parsed(&self.cost_multiplier, "cost_multiplier", &mut errors),
            routing: self.routing(&mut errors),
        };
        errors.finish(input)
    }

    /// As the change of a known provider. An emptied number goes back to its default.
    pub(crate) fn update(&self) -> Result<UpdateProvider, Problem> {
        let mut errors = FieldErrors::default();
        let input = UpdateProvider {
            name: Some(self.name.clone()),
            base_url: Some(self.base_url.clone()),
            enabled: Some(checked(&self.enabled)),
            groups: Some(list(&self.groups)),
            priority: Some(number(&self.priority, "priority", &mut errors).unwrap_or(0)),
            weight: Some(number(&self.weight, "weight", &mut errors).unwrap_or(1)),
            models: Some(list(&self.models)),
            model_redirects: Some(pairs(&self.model_redirects, "model_redirects", &mut errors)),
            proxy_url: proxy_change(&self.proxy_url, &self.proxy_clear),
            timeouts: Some(self.timeouts(&mut errors)),
            version: number(&self.version, "version", &mut errors),
            limits: self.limits.read(&mut errors),
            cost_multiplier: Some(
                parsed(&self.cost_multiplier, "cost_multiplier", &mut errors).unwrap_or_default(),
            ),
            routing: self.routing(&mut errors),
        };
        errors.finish(input)
    }
}

/// An empty field keeps the proxy, the box removes it.
fn proxy_change(typed: &SecretText, clear: &str) -> Patch<Secret<String>> {
    match typed.take() {
        Some(proxy) => Patch::Set(proxy),
        None if checked(clear) => Patch::Clear,
        None => Patch::Keep,
    }
}

impl CredentialForm {
    /// What was typed in place of a key. Half of it is handed on, so that the other half is asked for by its field.
    fn material(&self) -> MaterialInput {
        let some = |text: &str| (!text.trim().is_empty()).then(|| text.trim().to_owned());
        let or_empty = |secret: &SecretText| secret.take().unwrap_or_else(|| Secret::new(String::new()));
        let (client_secret, access_secret) =
            (or_empty(&self.client_secret), or_empty(&self.secret_access_key));
        let session_token = self.session_token.take();
        let has_client = some(&self.client_id).is_some() || !client_secret.expose().is_empty();
        let has_keys = some(&self.access_key_id).is_some() || !access_secret.expose().is_empty();
        MaterialInput {
            service_account: self.key_file.take_verbatim(),
            client_credentials: has_client.then(|| ClientInput {
                tenant: self.tenant.clone(),
                client_id: self.client_id.clone(),
                client_secret,
            }),
            aws: has_keys.then(|| AwsInput {
                access_key_id: self.access_key_id.clone(),
                secret_access_key: access_secret,
                session_token,
                region: some(&self.region),
            }),
        }
    }

    /// As the input of a new credential.
    pub(crate) fn create(&self, provider_id: ProviderId) -> Result<CreateCredential, Problem> {
        let mut errors = FieldErrors::default();
        let secret = self.api_key.take();
        let material = self.material();
        if secret.is_none() && material.is_empty() {
            errors.add("api_key", "must not be empty");
        }
        let input = CreateCredential {
            provider_id,
            name: (!self.name.trim().is_empty()).then(|| self.name.clone()),
            api_key: secret.unwrap_or_else(|| Secret::new(String::new())),
            material,
            tier: (!self.tier.is_empty()).then(|| self.tier.clone()),
            priority: number(&self.priority, "priority", &mut errors),
            weight: number(&self.weight, "weight", &mut errors),
            max_concurrency: number(&self.max_concurrency, "max_concurrency", &mut errors),
            enabled: None,
            limits: self.limits.read(&mut errors),
            proxy_url: self.proxy_url.take(),
            probe: Some(checked(&self.probe)),
        };
        errors.finish(input)
    }

    /// As the change of a known credential.
    pub(crate) fn update(&self) -> Result<UpdateCredential, Problem> {
        let mut errors = FieldErrors::default();
        let input = UpdateCredential {
            name: Some(self.name.clone()),
            api_key: self.api_key.take(),
            material: self.material(),
            tier: (!self.tier.is_empty()).then(|| self.tier.clone()),
            priority: Some(number(&self.priority, "priority", &mut errors).unwrap_or(0)),
            weight: Some(number(&self.weight, "weight", &mut errors).unwrap_or(1)),
            max_concurrency: Patch::from_option(number(
                &self.max_concurrency,
                "max_concurrency",
                &mut errors,
            )),
            enabled: None,
            version: number(&self.version, "version", &mut errors),
            limits: self.limits.read(&mut errors),
            proxy_url: proxy_change(&self.proxy_url, &self.proxy_clear),
            probe: Some(checked(&self.probe)),
        };
        errors.finish(input)
    }
}

#[cfg(test)]
mod tests {
    use types::dialect::Dialect;

    use super::*;

    #[test]
    fn an_empty_proxy_field_keeps_the_proxy_and_the_box_removes_it() {
        let mut form = ProviderForm { name: "a".into(), ..ProviderForm::default() };
        assert!(matches!(form.update().unwrap().proxy_url, Patch::Keep));
        form.proxy_clear = "on".into();
        assert!(matches!(form.update().unwrap().proxy_url, Patch::Clear));
        let mut form = CredentialForm { name: "a".into(), ..CredentialForm::default() };
        assert!(matches!(form.update().unwrap().proxy_url, Patch::Keep));
        form.proxy_clear = "on".into();
        assert!(matches!(form.update().unwrap().proxy_url, Patch::Clear));
    }

    #[test]
    fn what_was_typed_in_place_of_a_key_is_handed_on_even_if_half_of_it_is_missing() {
        let secret = |text: &str| SecretText(text.to_owned());
        let form = CredentialForm { secret_access_key: secret("s"), ..CredentialForm::default() };
        let input = form.create(ProviderId(1)).unwrap();
        let problem = input.parse("key 1").unwrap_err();
        assert_eq!(problem.fields.keys().collect::<Vec<_>>(), ["aws.access_key_id"]);
        let form = CredentialForm { key_file: secret("{"), ..CredentialForm::default() };
        let problem = form.create(ProviderId(1)).unwrap().parse("key 1").unwrap_err();
        assert!(problem.fields.contains_key("service_account"));
        assert!(CredentialForm::default().create(ProviderId(1)).is_err());
        assert!(CredentialForm::default().update().unwrap().material.is_empty());
    }

    #[test]
    fn hours_come_in_pairs_and_an_emptied_pair_means_always() {
        let mut form = ProviderForm { schedule_start: "22:00".into(), ..ProviderForm::default() };
        assert!(form.update().unwrap_err().fields.contains_key("schedule"));
        form.schedule_end = "06:00".into();
        assert!(matches!(form.update().unwrap().routing.schedule, Patch::Set(_)));
        assert!(matches!(ProviderForm::default().update().unwrap().routing.schedule, Patch::Clear));
    }

    #[test]
    fn dialects_keep_their_order_and_an_unknown_one_is_named() {
        let mut form = ProviderForm { dialects: "openai-chat, anthropic".into(), ..ProviderForm::default() };
        let routing = form.update().unwrap().routing;
        assert_eq!(routing.dialects, Some(vec![Dialect::OpenAiChat, Dialect::Anthropic]));
        assert_eq!(routing.translate, Some(false), "an unchecked box switches off");
        form.dialects = "latin".into();
        assert!(form.update().unwrap_err().fields.contains_key("dialects"));
    }

    #[test]
    fn an_unchecked_box_switches_off() {
        let form = ProviderForm::default();
        assert_eq!(form.update().unwrap().enabled, Some(false));
        assert_eq!(form.update().unwrap().routing.http2, Some(Http2::Off));
        let form = ProviderForm { http2: "true".into(), ..form };
        assert_eq!(form.update().unwrap().routing.http2, Some(Http2::Auto));
    }

    #[test]
    fn all_fields_that_are_no_numbers_are_named_at_once() {
        let form = ProviderForm { weight: "x".into(), idle_ms: "y".into(), ..ProviderForm::default() };
        let problem = form.create().unwrap_err();
        assert!(problem.fields.contains_key("weight") && problem.fields.contains_key("timeouts.idle_ms"));
    }
}
