//! What goes into the audit log: the fields that changed, before and after, never a secret.

use serde_json::{Map, Value, json};
use types::api_key::ApiKeySpec;
use types::credential::CredentialSpec;
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
    if let Some(map) = fields.as_object_mut() {
        map.insert(field.to_owned(), Value::from(CHANGED));
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
    } = spec;
    json!({
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
        "proxy_url": proxy_hint,
    })
}

pub(super) fn credential(spec: &CredentialSpec) -> Value {
    let CredentialSpec { name, tier, priority, weight, max_concurrency, enabled } = spec;
    json!({
        "name": name,
        "tier": tier,
        "priority": priority,
        "weight": weight,
        "max_concurrency": max_concurrency,
        "enabled": enabled,
    })
}

pub(super) fn user(spec: &UserSpec) -> Value {
    let UserSpec { name, groups, enabled, expires_at } = spec;
    json!({ "name": name, "groups": groups, "enabled": enabled, "expires_at": expires_at })
}

pub(super) fn api_key(spec: &ApiKeySpec) -> Value {
    let ApiKeySpec { name, groups, models, clients, ip_allow, enabled, expires_at } = spec;
    json!({
        "name": name,
        "groups": groups,
        "models": models,
        "clients": clients,
        "ip_allow": ip_allow,
        "enabled": enabled,
        "expires_at": expires_at,
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
