//! The composition root and the HTTP edge of Tollgate: configuration, boot, listener, routes, stop.
//!
//! It holds no business decisions, no SQL and no vendor's payloads; those are the engine's and the store's.

use std::net::SocketAddr;
use std::sync::Arc;

use gateway::Gateway;
use leptos::config::LeptosOptions;

pub mod assets;
pub mod auth;
pub mod boot;
pub mod cli;
pub mod config;
pub mod dashboard;
pub mod health;
pub mod listener;
pub mod live;
pub mod middleware;
pub mod proxy;
pub mod rest;
pub mod router;
pub mod session;
pub mod shutdown;
pub mod state;
pub mod telemetry;

pub use boot::BootError;
pub use config::ServerConfig;

use middleware::body_limit::BodyBudget;
use middleware::ip_limit::{IpLimit, ProxyHint};
use shutdown::Signals;
use state::AppState;

/// A server that is ready to accept but does not yet.
#[derive(Debug)]
pub struct Server {
    booted: boot::Booted,
    address: SocketAddr,
    state: AppState,
}

impl Server {
    /// Everything from the data folder to the engine, in the order of [`boot`].
    pub async fn build(config: ServerConfig) -> Result<Self, BootError> {
        let mut booted = Box::pin(boot::boot(config)).await?;
        let address = booted.listener.local_addr().map_err(|error| {
            BootError::new(boot::Exit::Port, format!("the bound address is unknown: {error}"), "Start again.")
        })?;
        booted.config.port = address.port();
        let state = AppState {
            gateway: booted.gateway.clone(),
            store: booted.store.clone(),
            config: Arc::new(booted.config.clone()),
            leptos_options: leptos_options(address),
            bodies: BodyBudget::new(booted.config.edge.bodies_bytes),
            ip_limit: IpLimit::default(),
            proxy_hint: ProxyHint::default(),
        };
        Ok(Self { booted, address, state })
    }

    /// Where it listens; the port is the real one also if 0 was asked for.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// The engine.
    pub fn gateway(&self) -> &Gateway {
        &self.booted.gateway
    }

    /// The configuration, complete.
    pub fn config(&self) -> &ServerConfig {
        &self.booted.config
    }

    /// The state that handlers get.
    pub fn state(&self) -> &AppState {
        &self.state
    }

    /// The admin token, if this start made it.
    pub fn new_admin_token(&self) -> Option<&types::Secret<String>> {
        self.booted.new_admin_token.as_ref()
    }

    /// Accepts until the future ends, then lets running requests finish within the configured time.
    pub async fn run(self, stop: impl Future<Output = ()> + Send + 'static) {
        let signals = Signals::default();
        let watched = signals.clone();
        self.booted.gateway.tracker().spawn(async move {
            tokio::select! {
                () = stop => watched.stop.cancel(),
                () = watched.stop.cancelled() => {}
            }
        });
        self.run_until(signals).await;
    }

    /// Accepts until told to stop, then drains; see [`shutdown`].
    pub async fn run_until(self, signals: Signals) {
        let doors = router::Doors::new(self.state);
        shutdown::run(self.booted, doors, signals).await;
    }
}

fn leptos_options(address: SocketAddr) -> LeptosOptions {
    LeptosOptions::builder().output_name("tollgate").site_pkg_dir("pkg").site_addr(address).build()
}
