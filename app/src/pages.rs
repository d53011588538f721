//! One module a page. They ask server functions and lay out components; they decide nothing.

pub(crate) mod account;
pub(crate) mod aliases;
pub(crate) mod api_docs;
pub(crate) mod audit;
pub(crate) mod backtest;
pub(crate) mod backtest_report;
pub(crate) mod bill;
pub(crate) mod breakers;
pub(crate) mod cache;
pub(crate) mod cache_tables;
pub(crate) mod conformance;
mod credential_export;
pub(crate) mod credential_import;
mod credential_import_table;
pub(crate) mod credentials;
pub(crate) mod error_rule_try;
pub(crate) mod error_rules;
pub(crate) mod grants;
pub(crate) mod groups;
pub(crate) mod invoice;
pub(crate) mod key;
pub(crate) mod keys;
pub(crate) mod ledger;
pub(crate) mod login;
pub(crate) mod me;
pub(crate) mod models;
pub(crate) mod not_found;
pub(crate) mod oauth;
pub(crate) mod oauth_flow;
pub(crate) mod oauth_vendor;
pub(crate) mod overview;
pub(crate) mod overview_charts;
pub(crate) mod packages;
pub(crate) mod playground;
mod playground_lane;
pub(crate) mod pool;
pub(crate) mod pool_checks;
pub(crate) mod pool_history;
mod pool_table;
mod pool_trend;
pub(crate) mod price_edit;
pub(crate) mod price_import;
pub(crate) mod prices;
pub(crate) mod provider;
pub(crate) mod provider_form;
pub(crate) mod provider_health;
pub(crate) mod provider_new;
mod provider_reset;
pub(crate) mod providers;
pub(crate) mod quota_panel;
pub(crate) mod quotas;
pub(crate) mod reconcile;
pub(crate) mod refused;
pub(crate) mod reprice;
pub(crate) mod request;
pub(crate) mod request_tokens;
pub(crate) mod requests;
pub(crate) mod routing;
pub(crate) mod secret_fields;
pub(crate) mod setting_row;
pub(crate) mod settings;
pub(crate) mod simulator;
pub(crate) mod system;
mod system_ports;
mod system_secrets;
pub(crate) mod usage;
pub(crate) mod usage_table;
pub(crate) mod user;
pub(crate) mod users;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

/// The `:id` of the path as an identity; a path that holds none leads to nothing, which id 0 never is.
fn path_id<T: From<i64> + PartialEq + Send + Sync + 'static>() -> Memo<IdBox<T>> {
    let params = use_params_map();
    Memo::new(move |_| {
        let id = params.read().get("id").and_then(|id| id.parse::<i64>().ok()).unwrap_or_default();
        IdBox(T::from(id))
    })
}

/// Carries an identity through a memo.
#[derive(Clone, Copy, PartialEq)]
struct IdBox<T>(T);
