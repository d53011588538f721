//! Providers: upstream endpoints, their views and inputs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base_url::BaseUrl;
use crate::clean::{clean_name, clean_patterns, clean_tags, parse_or_note};
use crate::limits::{Limits, LimitsInput};
use crate::pattern::is_model_text;
use crate::problem::FieldErrors;
use crate::routing::{ProviderRouting, RoutingInput};
use crate::{Factor, Patch, Problem, ProviderId, Secret, Timestamp};

mod kind;
mod vitals;

pub use kind::ProviderKind;
pub use vitals::ProviderVitals;

/// How long to wait for an upstream, in milliseconds. Null means the default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Timeouts {
    /// Connecting, TLS included; default 10,000 (100 to 120,000).
    pub connect_ms: Option<u64>,
    /// From the request sent to the first byte of a stream; default 60,000 (1,000 to 3,600,000).
    pub first_byte_ms: Option<u64>,
    /// Between two pieces of a stream; default 60,000 (1,000 to 3,600,000).
    pub idle_ms: Option<u64>,
    /// A whole answer that is no stream; default 600,000 (1,000 to 3,600,000).
    pub total_ms: Option<u64>,
}

impl Timeouts {
    /// Default of `connect_ms`.
    pub const CONNECT_MS: u64 = 10_000;
    /// Default of `first_byte_ms`.
    pub const FIRST_BYTE_MS: u64 = 60_000;
    /// Default of `idle_ms`.
    pub const IDLE_MS: u64 = 60_000;
    /// Default of `total_ms`.
    pub const TOTAL_MS: u64 = 600_000;

    fn check(&self, errors: &mut FieldErrors) {
        for (field, value, range) in [
            ("timeouts.connect_ms", self.connect_ms, 100..=120_000),
            ("timeouts.first_byte_ms", self.first_byte_ms, 1_000..=3_600_000),
            ("timeouts.idle_ms", self.idle_ms, 1_000..=3_600_000),
            ("timeouts.total_ms", self.total_ms, 1_000..=3_600_000),
        ] {
            if value.is_some_and(|value| !range.contains(&value)) {
                errors.add(field, format!("expected {} to {} milliseconds", range.start(), range.end()));
            }
        }
    }
}

/// A provider as stored and shown; it holds no secret (`proxy_url` is shown without its password).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ProviderView {
    /// Identity.
    pub id: ProviderId,
    /// Unique among providers that are not deleted.
    pub name: String,
    /// What it speaks.
    pub kind: ProviderKind,
    /// Where it is.
    pub base_url: String,
    /// Whether it may be chosen.
    pub enabled: bool,
    /// Tags; a key that names groups uses only providers that carry one of them.
    pub groups: Vec<String>,
    /// Lower is tried first.
    pub priority: i32,
    /// Share among equals, 1 to 100.
    pub weight: u32,
    /// Patterns (`*` matches anything) of the model names that it serves; empty means all.
    pub models: Vec<String>,
    /// Requested model name to the name sent upstream; keys may be patterns.
    pub model_redirects: BTreeMap<String, String>,
    /// Deadlines; null fields mean the default.
    pub timeouts: Timeouts,
    /// List price × this = what the provider charges.
    pub cost_multiplier: Factor,
    /// Its limits.
    pub limits: Limits,
    /// Outbound proxy, password masked.
    pub proxy_url: Option<String>,
    /// Breakers, clients, hours, stickiness, queue.
    #[serde(flatten)]
    pub routing: ProviderRouting,
    /// How many credentials it has that are not deleted.
    pub credential_count: u32,
    /// When it was added.
    pub created_at: Timestamp,
    /// Last change.
    pub updated_at: Timestamp,
    /// Set if it was deleted and can still be restored.
    pub deleted_at: Option<Timestamp>,
    /// Grows with each change; send it back in a PATCH to refuse overwriting another's change.
    pub version: i64,
}

/// Body of `POST /api/admin/providers`.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateProvider {
    /// 1 to 80 characters, unique.
    pub name: String,
    /// See [`ProviderKind`].
    pub kind: String,
    /// `https://…` (or `http://…`) without path details; `/v1` at the end is allowed.
    pub base_url: String,
    /// Becomes the first credential.
    #[serde(default)]
    pub api_key: Option<Secret<String>>,
    /// Whether the vendor is asked about the key first, and nothing is stored unless it takes it. Default false.
    #[serde(default)]
    pub probe: Option<bool>,
    /// Default true.
    #[serde(default)]
    pub enabled: Option<bool>,
    /// Default none.
    #[serde(default)]
    pub groups: Vec<String>,
    /// Default 0; lower is tried first.
    #[serde(default)]
    pub priority: Option<i32>,
    /// Default 1; 1 to 100.
    #[serde(default)]
    pub weight: Option<u32>,
    /// Default empty: all models.
    #[serde(default)]
    pub models: Vec<String>,
    /// Default empty.
    #[serde(default)]
    pub model_redirects: BTreeMap<String, String>,
    /// Tier of the first credential; default `shared`.
    #[serde(default)]
    pub tier: Option<String>,
    /// `http://`, `https://` or `socks5://` proxy for everything sent to this provider.
    #[serde(default)]
    pub proxy_url: Option<Secret<String>>,
    /// Default: the defaults of [`Timeouts`].
    #[serde(default)]
    pub timeouts: Timeouts,
    /// Default none. A provider at a limit is not chosen.
    #[serde(default)]
    pub limits: LimitsInput,
    /// List price × this = what the provider charges; default `"1"`.
    #[serde(default)]
    pub cost_multiplier: Option<Factor>,
    /// Breakers, clients, hours, stickiness, queue.
    #[serde(flatten)]
    pub routing: RoutingInput,
}

/// Body of `PATCH /api/admin/providers/{id}`: absent fields stay.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct UpdateProvider {
    /// New name.
    pub name: Option<String>,
    /// New address.
    pub base_url: Option<String>,
    /// On or off.
    pub enabled: Option<bool>,
    /// New groups.
    pub groups: Option<Vec<String>>,
    /// New priority.
    pub priority: Option<i32>,
    /// New weight.
    pub weight: Option<u32>,
    /// New patterns.
    pub models: Option<Vec<String>>,
    /// New redirects.
    pub model_redirects: Option<BTreeMap<String, String>>,
    /// New outbound proxy; null removes it.
    pub proxy_url: Patch<Secret<String>>,
    /// New deadlines, all four at once.
    pub timeouts: Option<Timeouts>,
    /// If given, the change is refused with 409 when the provider has another version by now.
    pub version: Option<i64>,
    /// Changed limits; null or 0 removes one.
    pub limits: LimitsInput,
    /// New multiplier.
    pub cost_multiplier: Option<Factor>,
    /// Breakers, clients, hours, stickiness, queue.
    #[serde(flatten)]
    pub routing: RoutingInput,
}

/// The checked content of a provider, ready for the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderSpec {
    /// Name.
    pub name: String,
    /// Kind.
    pub kind: ProviderKind,
    /// Address.
    pub base_url: BaseUrl,
    /// On or off.
    pub enabled: bool,
    /// Groups, trimmed, sorted, without doubles.
    pub groups: Vec<String>,
    /// Lower first.
    pub priority: i32,
    /// 1 to 100.
    pub weight: u32,
    /// Patterns.
    pub models: Vec<String>,
    /// Redirects.
    pub model_redirects: BTreeMap<String, String>,
    /// Deadlines.
    pub timeouts: Timeouts,
    /// List price × this = what the provider charges.
    pub cost_multiplier: Factor,
    /// Limits; sessions are not limited here.
    pub limits: Limits,
    /// Breakers, clients, hours, stickiness, queue.
    pub routing: ProviderRouting,
}

impl CreateProvider {
    /// An input with defaults for everything else.
    pub fn new(name: &str, kind: &str, base_url: &str) -> Self {
        Self {
            name: name.to_owned(),
            kind: kind.to_owned(),
            base_url: base_url.to_owned(),
            api_key: None,
            probe: None,
            enabled: None,
            groups: Vec::new(),
            priority: None,
            weight: None,
            models: Vec::new(),
            model_redirects: BTreeMap::new(),
            tier: None,
            proxy_url: None,
            timeouts: Timeouts::default(),
            limits: LimitsInput::default(),
            cost_multiplier: None,
            routing: RoutingInput::default(),
        }
    }

    /// Checks everything that types alone cannot, and reports all faults at once.
    pub fn parse(&self) -> Result<ProviderSpec, Problem> {
        let mut errors = FieldErrors::default();
        let kind = parse_or_note(&self.kind, "kind", &mut errors);
        let base_url = BaseUrl::parse(&self.base_url).map_err(|e| errors.add("base_url", e.to_string())).ok();
        let spec = ProviderSpec {
            name: clean_name(&self.name, "name", &mut errors),
            kind: kind.unwrap_or(ProviderKind::OpenAiCompatible),
            base_url: base_url.unwrap_or_else(placeholder_url),
            enabled: self.enabled.unwrap_or(true),
            groups: clean_tags(&self.groups, "groups", &mut errors),
            priority: self.priority.unwrap_or(0),
            weight: self.weight.unwrap_or(1),
            models: clean_patterns(&self.models, "models", &mut errors),
            model_redirects: self.model_redirects.clone(),
            timeouts: self.timeouts,
            cost_multiplier: self.cost_multiplier.unwrap_or_default(),
            limits: self.limits.apply(Limits::default(), &mut errors),
            routing: self.routing.apply(ProviderRouting::default(), &mut errors),
        };
        spec.check(&mut errors);
        errors.finish(spec)
    }
}

impl UpdateProvider {
    /// Applies the change to what is stored now and checks the result.
    pub fn apply(&self, current: ProviderSpec) -> Result<ProviderSpec, Problem> {
        let mut errors = FieldErrors::default();
        let base_url = match &self.base_url {
            None => current.base_url.clone(),
            Some(text) => BaseUrl::parse(text)
                .map_err(|e| errors.add("base_url", e.to_string()))
                .unwrap_or_else(|()| current.base_url.clone()),
        };
        let spec = ProviderSpec {
            name: self.name.as_ref().map_or(current.name, |n| clean_name(n, "name", &mut errors)),
            kind: current.kind,
            base_url,
            enabled: self.enabled.unwrap_or(current.enabled),
            groups: self.groups.as_ref().map_or(current.groups, |g| clean_tags(g, "groups", &mut errors)),
            priority: self.priority.unwrap_or(current.priority),
            weight: self.weight.unwrap_or(current.weight),
            models: self.models.as_ref().map_or(current.models, |m| clean_patterns(m, "models", &mut errors)),
            model_redirects: self.model_redirects.clone().unwrap_or(current.model_redirects),
            timeouts: self.timeouts.unwrap_or(current.timeouts),
            cost_multiplier: self.cost_multiplier.unwrap_or(current.cost_multiplier),
            limits: self.limits.apply(current.limits, &mut errors),
            routing: self.routing.apply(current.routing, &mut errors),
        };
        spec.check(&mut errors);
        errors.finish(spec)
    }
}

impl ProviderSpec {
    fn check(&self, errors: &mut FieldErrors) {
        if !(1..=100).contains(&self.weight) {
            errors.add("weight", "expected 1 to 100");
        }
        if !(-1_000..=1_000).contains(&self.priority) {
            errors.add("priority", "expected -1000 to 1000");
        }
        if self.model_redirects.len() > 200 {
            errors.add("model_redirects", "at most 200 redirects");
        }
        for (from, to) in &self.model_redirects {
            if !is_model_text(from) || !is_model_text(to) || to.contains('*') {
                errors.add("model_redirects", format!("'{from}' to '{to}' is no pair of model names"));
            }
        }
        self.timeouts.check(errors);
    }
}

// Stands in for an address that was refused; `FieldErrors::finish` never lets it out.
fn placeholder_url() -> BaseUrl {
    BaseUrl::parse("http://invalid.invalid").unwrap_or_else(|_| unreachable!("a constant address parses"))
}

/// Answer of `POST /api/admin/providers/{id}/test`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ProviderTest {
    /// Whether the upstream answered as its kind should.
    pub ok: bool,
    /// HTTP status, null if none came.
    pub status: Option<u16>,
    /// Wall time of the call in milliseconds.
    pub latency_ms: u64,
    /// The model that was asked, null if none was needed.
    pub model: Option<String>,
    /// What went wrong and what to do.
    pub error: Option<String>,
}

/// Body of `POST /api/admin/providers/{id}/test`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct TestProvider {
    /// Model to send a one-token request to; without it the provider's model list is fetched instead.
    pub model: Option<String>,
    /// Credential to use; without it the first usable one.
    pub credential_id: Option<crate::CredentialId>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_of_an_input_is_reported_at_once() {
        let input: CreateProvider = serde_json::from_str(
            r#"{"name":" ","kind":"mystery","base_url":"nope","weight":0,"limits":{"estimated":["rpm_limit"]}}"#,
        )
        .unwrap();
        let problem = input.parse().unwrap_err();
        let names: Vec<_> = problem.fields.keys().map(String::as_str).collect();
        assert_eq!(names, ["base_url", "kind", "limits.estimated", "name", "weight"]);
    }
}
