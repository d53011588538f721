//! What every handler can reach: the engine, the static configuration, and Leptos' options.
//!
//! What it holds of its own is the edge's: counters and budgets of this process. The `Gateway` here is the very object that pages get through Leptos' context.

use std::sync::Arc;

use axum::extract::FromRef;
use gateway::Gateway;
use leptos::config::LeptosOptions;
use store::Store;
use types::quota::RefusedAddresses;

use crate::config::ServerConfig;
use crate::middleware::body_limit::BodyBudget;
use crate::middleware::ip_limit::{IpLimit, ProxyHint};

/// State of the router; cheap to clone.
#[derive(Clone, FromRef)]
pub struct AppState {
    /// The engine.
    pub gateway: Gateway,
    /// Where sessions are kept. Everything else in the database is reached through the engine.
    pub store: Store,
    /// Static configuration of this process.
    pub config: Arc<ServerConfig>,
    /// Where the dashboard's assets are and what the bundle is called.
    pub leptos_options: LeptosOptions,
    /// Memory that request bodies may take, all of them together.
    pub bodies: BodyBudget,
    /// Requests by address over the last minute.
    pub ip_limit: IpLimit,
    /// Whether a missing `TRUST_PROXY` was spoken of.
    pub proxy_hint: ProxyHint,
}

impl AppState {
    /// Who was refused by the limit per address, for the dashboard and the REST API.
    pub(crate) fn refused_addresses(&self) -> RefusedAddresses {
        let per_minute = self.gateway.with_settings(|settings| settings.limits_ip_per_minute);
        RefusedAddresses {
            per_minute: if self.config.enable_rate_limit { per_minute } else { 0 },
            refused: self.ip_limit.refused(),
            items: self.ip_limit.most_refused(self.gateway.clock().now()),
        }
    }
}

impl std::fmt::Debug for AppState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AppState").finish_non_exhaustive()
    }
}
