//! The administrator's handle against a real store: what changes, what is written down, and what never shows.

mod doors;
mod money;
mod nouns;
mod rotation;
mod transfer;

use std::net::IpAddr;
use std::sync::Arc;

use store::testing::{self, TestStore};
use store::{ConnectOptions, Store};
use types::audit::{AuditFilter, AuditRow};
use types::principal::Principal;
use types::{Secret, Timestamp};

use super::Admin;
use crate::clock::Clock;
use crate::config::{Config, OutboundProxy, Site};
use crate::facade::Gateway;
use crate::identity::Actor;

const TOKEN: &str = "tg-admin-0123456789abcdef0123456789abcdef";
pub(crate) const ENCRYPTION: &str = "the-encryption-secret-of-the-tests";
const LOOPBACK: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

/// A gateway on a fresh SQLite file and a clock that stands still.
pub(crate) struct House {
    gateway: Gateway,
    store: Store,
    clock: Clock,
    dir: tempfile::TempDir,
    /// The database's folder goes away with it.
    home: Option<TestStore>,
}

impl House {
    async fn new() -> Self {
        Self::at(testing::sqlite().await).await
    }

    /// On a database that the test made.
    pub(crate) async fn at(home: TestStore) -> Self {
        let house = Self::on(home.store(), ENCRYPTION, &[]).await;
        Self { home: Some(home), ..house }
    }

    /// Another instance on the same database.
    pub(crate) async fn again(other: &Self, node: &str) -> Self {
        Self::named(other.store.clone(), ENCRYPTION, &[], node).await
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    pub(crate) fn core(&self) -> &Arc<crate::core::Core> {
        &self.gateway.core
    }

    /// The database of this house, opened anew, as after a restart.
    async fn reopened(&self) -> Store {
        let url = self.home.as_ref().map(TestStore::url).unwrap();
        Store::connect(url, ConnectOptions { max_connections: 2 }).await.unwrap()
    }

    /// With these secrets of encryption.
    pub(crate) async fn on(store: Store, encryption: &str, previous: &[&str]) -> Self {
        Self::named(store, encryption, previous, "test").await
    }

    async fn named(store: Store, encryption: &str, previous: &[&str], node: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Clock::manual(Timestamp(1_800_000_000_000));
        let options = ledger::Options {
            dir: dir.path().join("journal"),
            strict: false,
            segment_bytes: 1 << 20,
            now: crate::clock::system_now,
        };
        let (ledger, recovery) = ledger::Ledger::open(options).unwrap();
        let config = Config { node: node.to_owned(), ..config(dir.path().to_owned(), encryption, previous) };
        let gateway = Gateway::start(config, store.clone(), ledger, recovery, clock.clone()).await.unwrap();
        Self { gateway, store, clock, dir, home: None }
    }

    /// The handle as another session of the dashboard has it.
    pub(crate) fn admin_in(&self, session: &str) -> Admin {
        let actor = Actor { session: Some(session.to_owned()), ..actor("admin") };
        self.gateway.admin(&Principal::Admin, actor).unwrap()
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    pub(crate) fn admin(&self) -> Admin {
        self.gateway.admin(&Principal::Admin, actor("admin")).unwrap()
    }

    pub(crate) async fn audit(&self, action: &str) -> Vec<AuditRow> {
        let filter = AuditFilter { action: Some(action.to_owned()), ..AuditFilter::default() };
        self.store.audit_list(&filter).await.unwrap().items
    }
}

fn config(data_dir: std::path::PathBuf, encryption: &str, previous: &[&str]) -> Config {
    Config {
        data_dir,
        site: Site::default(),
        admin_token: secret(TOKEN),
        encryption_secret: secret(encryption),
        encryption_previous: previous.iter().map(|text| secret(text)).collect(),
        outbound: OutboundProxy::default(),
        unsafe_disable_tls_check: false,
        api_test_timeout_ms: 5_000,
        dns: crate::config::Dns::default(),
        extra_ca_file: None,
        oauth_callback_host: Some(std::net::Ipv4Addr::LOCALHOST.into()),
        enforce_limits: true,
        breaker_on_network_errors: false,
        env_lists: Vec::new(),
        config_lines: Vec::new(),
        node: "test".to_owned(),
        set_log_level: Arc::new(|_| ()),
    }
}

fn actor(via: &'static str) -> Actor {
    Actor { via, client_ip: Some("192.0.2.10".to_owned()), request_id: "test".to_owned(), session: None }
}

fn secret(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

fn input<T: serde::de::DeserializeOwned>(value: serde_json::Value) -> T {
    serde_json::from_value(value).unwrap()
}
