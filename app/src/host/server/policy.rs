//! Several changes behind one button: the values of a backtest, and the clearing of a view of the cache.

use gateway::Admin;
use types::provider::UpdateProvider;
use types::simulation::Backtest;
use types::{CredentialId, Problem, ProviderId, UserId};

/// Puts the values of a backtest into force, each as a change of its own with its own line in the audit log. The
/// policy comes first: it can be refused as a whole.
pub(crate) async fn apply_policy(admin: &Admin, policy: &str) -> Result<(), Problem> {
    let policy: Backtest =
        serde_json::from_str(policy).map_err(|error| Problem::field("policy", error.to_string()))?;
    if let Some(strategy) = policy.strategy {
        admin.setting_put("routing.strategy".to_owned(), strategy.to_string()).await?;
    }
    if let Some(order) = &policy.tier_order {
        let order = order.iter().map(|tier| tier.as_str()).collect::<Vec<_>>().join(",");
        admin.setting_put("pool.tier_order".to_owned(), order).await?;
    }
    for (id, edit) in &policy.providers {
        let change = UpdateProvider {
            enabled: edit.enabled,
            priority: edit.priority,
            weight: edit.weight,
            ..UpdateProvider::default()
        };
        admin.provider_update(ProviderId(*id), change).await?;
    }
    Ok(())
}

/// Removes one entry of a view, or all of them if `id` is empty.
pub(crate) async fn clear_cache(admin: &Admin, view: &str, id: &str) -> Result<(), Problem> {
    let number = || match id {
        "" => Ok(None),
        id => id.parse::<i64>().map(Some).map_err(|_| Problem::field("id", "expected a whole number")),
    };
    match view {
        "sessions" => {
            let id = Some(id.to_owned()).filter(|id| !id.is_empty());
            admin.cache_sessions_clear(id, None).await?;
        }
        "accounts" => {
            admin.cache_accounts_clear(number()?.map(CredentialId)).await?;
        }
        "users" => {
            admin.cache_users_clear(number()?.map(UserId)).await?;
        }
        "unavailable" => {
            admin.cache_unavailable_clear(number()?.map(CredentialId)).await?;
        }
        _ => return Err(Problem::field("view", "expected one of: sessions, accounts, users, unavailable")),
    }
    Ok(())
}
