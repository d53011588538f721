//! The database, and nothing but: every SQL statement of Tollgate stands in this crate.
//!
//! One SQL text serves SQLite and PostgreSQL; what differs is in `dialect`. The store takes ids and times, it
//! does not make them; it never sees a secret in the clear, and it decides nothing about requests.

mod adjustment;
mod alias;
mod api_key;
mod audit;
mod book_audit;
mod column;
mod connect;
mod credential;
mod decision;
mod dialect;
mod error;
mod error_rule;
mod event;
#[cfg(test)]
mod failpoint;
#[cfg(test)]
mod fixture;
mod grant;
mod group;
mod idempotency;
mod import;
mod invoice;
mod lease;
mod ledger;
mod meta;
mod migrate;
mod oauth_flow;
mod oauth_vendor;
mod package;
mod pool;
mod price;
mod provider;
mod reconcile;
mod request;
mod reset;
mod revision;
#[cfg(test)]
mod scale;
mod sealed;
mod session;
mod setting;
mod share;
mod spend;
mod sql;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod usage;
mod user;
mod whole;

use std::time::{Duration, Instant};

pub use adjustment::{Corrected, Correction};
pub use alias::AliasRow;
pub use api_key::{ApiKeyRow, KeyStats};
pub use audit::Change;
pub use book_audit::BooksAudit;
pub use connect::{ConnectError, ConnectFault, ConnectOptions, Target};
pub use credential::{
    Account, CheckNote, Counting, CredentialRow, FailedRefresh, FreshToken, LeftOver, SealedSecret,
};
pub use decision::DecisionSample;
pub use error::{BoxError, StoreError};
pub use error_rule::ErrorRuleRow;
pub use grant::GrantRow;
pub use group::GroupRow;
pub use idempotency::UsedKey;
pub use import::{ImportTarget, NewCredential, NewProvider, SealCredential, SealProvider};
pub use invoice::ProviderDay;
pub use ledger::Applied;
pub use migrate::{MigrateError, MigrationReport};
pub use oauth_flow::{FlowEnd, FlowRow, NewFlow};
pub use oauth_vendor::VendorRow;
pub use package::PackageRow;
pub use price::PriceRow;
pub use provider::{ProviderRow, SealedProxy};
pub use revision::ConfigRows;
pub use sealed::{Resealed, SEALED_META, SealedCount, SealedPlace, SealedValue};
pub use setting::SettingRow;
pub use share::{ShareRow, ShareWindow};
pub use spend::{SpendFrom, SpendRow};
pub use user::UserRow;

use pool::Pool;

/// A handle on the database; cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    pool: Pool,
    backend: std::sync::Arc<str>,
}

impl Store {
    /// Connects and checks what was reached; the tables are made by [`Store::migrate`].
    ///
    /// Accepts `sqlite:path`, `sqlite://path`, `postgres://…` and `postgresql://…`.
    pub async fn connect(url: &str, options: ConnectOptions) -> Result<Self, ConnectError> {
        let (pool, backend) = connect::open(url, options).await?;
        Ok(Self { pool, backend: backend.into() })
    }

    /// What was reached: `sqlite 3.51.3` or `postgres 15.18`.
    pub fn backend(&self) -> String {
        self.backend.as_ref().to_owned()
    }

    /// Whether other instances may use the same database.
    pub fn is_shared(&self) -> bool {
        self.backend.starts_with("postgres")
    }

    /// Asks the database for a sign of life and says how long it took.
    pub async fn ping(&self) -> Result<Duration, StoreError> {
        let started = Instant::now();
        self.pool.row("SELECT 1 AS alive", sql::args![]).await?;
        Ok(started.elapsed())
    }

    /// Connections in use and the most there may be.
    pub fn pool_state(&self) -> (u32, u32) {
        self.pool.state()
    }

    /// Waits for running statements and closes all connections.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}
