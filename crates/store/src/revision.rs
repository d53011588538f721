//! The configuration as a whole: its revision, which each change raises, and one consistent read of it.

use crate::alias::{self, AliasRow};
use crate::api_key::{self, ApiKeyRow};
use crate::audit::audit_append_in_txn;
use crate::credential::{self, CredentialRow};
use crate::error_rule::{self, ErrorRuleRow};
use crate::grant::{self, GrantRow};
use crate::group::{self, GroupRow};
use crate::oauth_vendor::{self, VendorRow};
use crate::pool::Txn;
use crate::price::{self, PriceRow};
use crate::provider::{self, ProviderRow};
use crate::setting::{self, SettingRow};
use crate::sql::args;
use crate::user::{self, UserRow};
use crate::{Change, Store, StoreError};

/// Everything that requests depend on; rows that are deleted, or belong to a deleted one, are left out.
#[derive(Clone, Debug)]
pub struct ConfigRows {
    /// The revision that these rows belong to.
    pub revision: i64,
    /// Providers, by id.
    pub providers: Vec<ProviderRow>,
    /// Their credentials, by id.
    pub credentials: Vec<CredentialRow>,
    /// Users, by id.
    pub users: Vec<UserRow>,
    /// Their keys, by id.
    pub keys: Vec<ApiKeyRow>,
    /// Settings that differ from their default, by name.
    pub settings: Vec<SettingRow>,
    /// Stored prices, by model.
    pub prices: Vec<PriceRow>,
    /// Groups that have a rate, limits or a strategy, by id.
    pub groups: Vec<GroupRow>,
    /// Grants of packages, by id; those that are over too.
    pub grants: Vec<GrantRow>,
    /// Model aliases, by name.
    pub aliases: Vec<AliasRow>,
    /// Rules about upstreams' errors, in the order in which they are looked at.
    pub error_rules: Vec<ErrorRuleRow>,
    /// Vendors' descriptors that differ from the presets, by name.
    pub vendors: Vec<VendorRow>,
}

impl Store {
    /// Reads the whole configuration as of one moment.
    pub async fn config_load(&self) -> Result<ConfigRows, StoreError> {
        let mut txn = self.pool.begin_read().await?;
        let revision = txn.row("SELECT revision FROM config_revision", args![]).await?.int("revision")?;
        let rows = ConfigRows {
            revision,
            providers: provider::live_in_txn(&mut txn).await?,
            credentials: credential::live_in_txn(&mut txn).await?,
            users: user::live_in_txn(&mut txn).await?,
            keys: api_key::live_in_txn(&mut txn).await?,
            settings: setting::all_in_txn(&mut txn).await?,
            prices: price::all_in_txn(&mut txn).await?,
            groups: group::all_in_txn(&mut txn).await?,
            grants: grant::live_in_txn(&mut txn).await?,
            aliases: alias::all_in_txn(&mut txn).await?,
            error_rules: error_rule::all_in_txn(&mut txn).await?,
            vendors: oauth_vendor::all_in_txn(&mut txn).await?,
        };
        txn.commit().await?;
        Ok(rows)
    }

    /// The current revision: 0 at first, one more with each change of configuration.
    pub async fn config_revision(&self) -> Result<i64, StoreError> {
        self.pool.row("SELECT revision FROM config_revision", args![]).await?.int("revision")
    }
}

/// Ends a change of configuration: audit row, then revision, then commit.
///
/// The revision comes last because its one row is what concurrent changes queue for; locking it first would
/// hold them up longer, and locking it at varying places could deadlock.
pub(crate) async fn commit_change(mut txn: Txn, change: Change) -> Result<(), StoreError> {
    audit_append_in_txn(&mut txn, change).await?;
    bump_in_txn(&mut txn).await?;
    txn.commit().await
}

/// Raises the revision.
pub(crate) async fn bump_in_txn(txn: &mut Txn) -> Result<(), StoreError> {
    txn.execute("UPDATE config_revision SET revision = revision + 1", args![]).await?;
    Ok(())
}

/// Explains why an update that names id and version touched no row.
///
/// `versions` selects `version` of the live row with id `$1`.
pub(crate) async fn missing_or_stale(txn: &mut Txn, versions: &'static str, id: i64) -> StoreError {
    match txn.row_opt(versions, args![id]).await {
        Ok(Some(_)) => StoreError::StaleVersion,
        Ok(None) => StoreError::NotFound,
        Err(error) => error,
    }
}
