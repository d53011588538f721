//! Our own export: the plain JSON inside of the sealed file, and how the sealed file begins.
//!
//! Sealing and opening are the vault's work in `gateway`; here is only what both sides agree on.

use serde_json::{Map, Value, json};
use types::credential::CredentialSpec;
use types::provider::{CreateProvider, ProviderSpec};
use types::{Secret, Timestamp};

use crate::plan::{Auth, Fault, Format, Plan, PlannedCredential, PlannedProvider};
use crate::tree::Node;
use crate::vendor;

/// What a sealed export begins with.
pub const HEADER: &str = "tollgate-export v";
/// The field that marks the opened JSON; its value is the version.
pub(crate) const MARK: &str = "tollgate_export";
const VERSION: u64 = 1;

/// Whether a text is a sealed export.
pub fn is_sealed(text: &str) -> bool {
    text.trim_start_matches('\u{feff}').trim_start().starts_with(HEADER)
}

/// A provider with its credentials, on its way out.
#[derive(Debug)]
pub struct Exported {
    /// Its content.
    pub spec: ProviderSpec,
    /// Its outbound proxy, in clear.
    pub proxy_url: Option<Secret<String>>,
    /// Its credentials with their content; `place` is ignored.
    pub credentials: Vec<(CredentialSpec, PlannedCredential)>,
}

/// The JSON that is sealed.
pub fn write(at: Timestamp, providers: &[Exported]) -> Secret<String> {
    let providers: Vec<Value> = providers.iter().map(provider).collect();
    let text = json!({ MARK: VERSION, "exported_at": at, "providers": providers }).to_string();
    Secret::new(text)
}

fn provider(exported: &Exported) -> Value {
    let ProviderSpec {
        name,
        kind,
        base_url,
        enabled,
        groups,
        priority,
        weight,
        models,
        model_redirects,
        timeouts,
        cost_multiplier,
        limits,
        routing,
    } = &exported.spec;
    // Flat, as in a request that creates one: what is read back is checked by the same code.
    let mut fields = object(serde_json::to_value(routing).unwrap_or_default());
    fields.extend(object(json!({
        "name": name,
        "kind": kind,
        "base_url": base_url,
        "enabled": enabled,
        "groups": groups,
        "priority": priority,
        "weight": weight,
        "models": models,
        "model_redirects": model_redirects,
        "timeouts": timeouts,
        "cost_multiplier": cost_multiplier,
        "limits": limits,
        "proxy_url": exported.proxy_url.as_ref().map(Secret::expose),
    })));
    let credentials: Vec<Value> = exported.credentials.iter().map(credential).collect();
    json!({ "provider": fields, "credentials": credentials })
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

fn credential((spec, held): &(CredentialSpec, PlannedCredential)) -> Value {
    let CredentialSpec { name, tier, priority, weight, max_concurrency, enabled, limits } = spec;
    json!({
        "name": name,
        "tier": tier,
        "priority": priority,
        "weight": weight,
        "max_concurrency": max_concurrency,
        "enabled": enabled,
        "limits": limits,
        "auth": held.auth.as_str(),
        "secret": held.secret.expose(),
        "account": held.account,
        "vendor": held.vendor,
        "scopes": held.scopes,
        "expires_at": held.expires_at,
        "proxy_url": held.proxy_url.as_ref().map(Secret::expose),
    })
}

/// Reads what [`write`] wrote.
pub(crate) fn read(root: &Node<'_>) -> Result<Plan, Fault> {
    let version = root.number_of(MARK).and_then(|version| u64::try_from(version).ok());
    match version {
        Some(VERSION) => {}
        Some(other) => return Err(Fault::Version(other)),
        None => return Err(root.expected("a version")),
    }
    let mut plan = Plan::new(Format::Own);
    let list = root.get("providers").ok_or_else(|| root.expected("`providers`"))?;
    for entry in list.list()? {
        let fields = entry.get("provider").ok_or_else(|| entry.expected("`provider`"))?;
        let input: CreateProvider = serde_json::from_value(fields.value.clone())
            .map_err(|_may_repeat_a_value| fields.expected("a provider of this version"))?;
        let mut credentials = Vec::new();
        for held in entry.get("credentials").map(|list| list.list()).transpose()?.unwrap_or_default() {
            credentials.push(held_of(&held)?);
        }
        plan.providers.push(PlannedProvider { place: entry.place.clone(), input, credentials });
    }
    Ok(plan)
}

fn held_of(held: &Node<'_>) -> Result<PlannedCredential, Fault> {
    let auth = held.text_of("auth").and_then(|text| Auth::parse(&text));
    let auth = auth.ok_or_else(|| held.expected("a credential with a known `auth`"))?;
    let secret = held.text_of("secret").ok_or_else(|| held.expected("a credential with a `secret`"))?;
    let mut credential = PlannedCredential::new(held.place.clone(), auth, Secret::new(secret));
    credential.name = held.text_of("name");
    if let Some(tier) = held.text_of("tier").and_then(|text| text.parse().ok()) {
        credential.tier = tier;
    }
    credential.priority = held.number_of("priority").and_then(|n| i32::try_from(n).ok());
    credential.weight = held.number_of("weight").and_then(|n| u32::try_from(n).ok());
    credential.max_concurrency = held.number_of("max_concurrency").and_then(|n| u32::try_from(n).ok());
    credential.enabled = held.flag_of("enabled").unwrap_or(true);
    if let Some(limits) = held.get("limits") {
        credential.limits = serde_json::from_value(limits.value.clone())
            .map_err(|_may_repeat_a_value| limits.expected("limits of this version"))?;
    }
    credential.account = held.text_of("account");
    credential.vendor = held.text_of("vendor");
    credential.scopes = held.text_of("scopes");
    credential.expires_at = held.get("expires_at").and_then(|node| vendor::time(&node));
    credential.proxy_url = held.secret_of("proxy_url");
    Ok(credential)
}
