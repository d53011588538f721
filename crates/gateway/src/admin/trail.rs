//! What goes into the audit log: the fields that changed, before and after, never a secret.

use serde_json::{Map, Value, json};
use types::alias::AliasSpec;
use types::api_key::ApiKeySpec;
use types::credential::CredentialSpec;
use types::error_rule::ErrorRuleSpec;
use types::group::GroupSpec;
use types::package::PackageSpec;
use types::provider::ProviderSpec;
use types::user::UserSpec;

/// Stands for a secret that was replaced.
pub(super) const CHANGED: &str = "changed";

/// The fields that differ, before and after; `None` if none does.
pub(super) fn changed(before: &Value, after: &Value) -> Option<(Value, Value)> {
    let (before, after) = (before.as_object()?, after.as_object()?);
    let (mut old, mut new) = (Map::new(), Map::new());
    for (field, value) in after {
        let was = before.get(field).unwrap_or(&Value::Null);
        if was != value {
            old.insert(field.clone(), was.clone());
            new.insert(field.clone(), value.clone());
        }
    }
    (!new.is_empty()).then_some((Value::Object(old), Value::Object(new)))
}

/// Notes that a secret was replaced.
pub(super) fn mark_changed(fields: &mut Value, field: &str) {
    put(fields, field, CHANGED);
}

/// Adds a field.
pub(super) fn put(fields: &mut Value, field: &str, value: impl Into<Value>) {
    if let Some(map) = fields.as_object_mut() {
        map.insert(field.to_owned(), value.into());
    }
}

pub(super) fn provider(spec: &ProviderSpec, proxy_hint: Option<&str>) -> Value {
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
    } = spec;
    let mut fields = json!({
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
        "proxy_url": proxy_hint,
    });
    // Not by hand: a change of a field that is missing here would pass for no change at all.
    if let Ok(Value::Object(routing)) = serde_json::to_value(routing) {
        for (field, value) in routing {
            put(&mut fields, &field, value);
        }
    }
    fields
}

pub(super) fn credential(spec: &CredentialSpec, proxy_hint: Option<&str>) -> Value {
    let CredentialSpec { name, tier, priority, weight, max_concurrency, enabled, limits } = spec;
    json!({
        "name": name,
        "tier": tier,
        "priority": priority,
        "weight": weight,
        "max_concurrency": max_concurrency,
        "enabled": enabled,
        "limits": limits,
        "proxy_url": proxy_hint,
    })
}

pub(super) fn user(spec: &UserSpec) -> Value {
    let UserSpec { name, groups, enabled, expires_at, price_rate, limits } = spec;
    json!({
        "name": name,
        "groups": groups,
        "enabled": enabled,
        "expires_at": expires_at,
        "price_rate": price_rate,
        "limits": limits,
    })
}

pub(super) fn api_key(spec: &ApiKeySpec) -> Value {
    let ApiKeySpec {
        name,
        groups,
        models,
        clients,
        ip_allow,
        enabled,
        expires_at,
        limits,
        grant_id,
        translation,
    } = spec;
    json!({
        "name": name,
        "groups": groups,
        "models": models,
        "clients": clients,
        "ip_allow": ip_allow,
        "enabled": enabled,
        "expires_at": expires_at,
        "limits": limits,
        "grant_id": grant_id,
        "translation": translation,
    })
}

pub(super) fn group(spec: &GroupSpec) -> Value {
    let GroupSpec { price_rate, limits, strategy } = spec;
    json!({ "price_rate": price_rate, "limits": limits, "strategy": strategy })
}

pub(super) fn alias(spec: &AliasSpec) -> Value {
    let AliasSpec { name, targets, enabled } = spec;
    json!({ "name": name, "targets": targets, "enabled": enabled })
}

pub(super) fn error_rule(spec: &ErrorRuleSpec) -> Value {
    serde_json::to_value(spec).unwrap_or(Value::Null)
}

/// What a package grants; of a template as of a grant.
pub(super) fn package(spec: &PackageSpec) -> Value {
    let PackageSpec { name, kind, daily_usd, weekly_usd, monthly_usd, total_usd, duration_days, models } =
        spec;
    json!({
        "name": name,
        "kind": kind,
        "daily_usd": daily_usd,
        "weekly_usd": weekly_usd,
        "monthly_usd": monthly_usd,
        "total_usd": total_usd,
        "duration_days": duration_days,
        "models": models,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn op_06_only_changed_fields_are_written() {
        let before = json!({"name": "a", "enabled": true, "groups": []});
        let mut after = json!({"name": "b", "enabled": true, "groups": []});
        assert_eq!(changed(&before, &after), Some((json!({"name": "a"}), json!({"name": "b"}))));
        assert_eq!(changed(&before, &before), None);
        mark_changed(&mut after, "api_key");
        let (old, new) = changed(&before, &after).unwrap();
        assert_eq!(new["api_key"], json!("changed"));
        assert_eq!(old["api_key"], Value::Null);
    }
}
