//! Credentials: rows and their changes. Their secrets come sealed and stay so.

mod check;
mod managed;
mod mark;
mod removal;
mod token;

use types::allowance::Allowance;
use types::check::CheckStanding;
use types::credential::{CredentialAuth, CredentialMark, CredentialSpec};
use types::oauth::CredentialToken;
use types::{CredentialId, Patch, ProviderId, Timestamp};

use crate::column::json;
use crate::error::BoxError;
use crate::pool::Txn;
use crate::revision::{commit_change, missing_or_stale};
use crate::sql::{Row, args};
use crate::{Change, SealedProxy, Store, StoreError};

pub use check::{CheckNote, Counting};
pub use token::{Account, FailedRefresh, FreshToken, LeftOver};

/// A credential as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialRow {
    /// Identity.
    pub id: CredentialId,
    /// The provider it belongs to.
    pub provider_id: ProviderId,
    /// Its content but for the secret.
    pub spec: CredentialSpec,
    /// The secret, sealed.
    pub sealed: Vec<u8>,
    /// First and last characters of the secret, for views.
    pub hint: String,
    /// The address of its own outbound proxy, sealed.
    pub proxy_sealed: Option<Vec<u8>>,
    /// The same without its password, for views.
    pub proxy_hint: Option<String>,
    /// What its secret is.
    pub auth: CredentialAuth,
    /// How fresh its token is; all empty for what has none.
    pub token: CredentialToken,
    /// Its stored state.
    pub mark: CredentialMark,
    /// What checks know of it.
    pub check: CheckStanding,
    /// What its vendor said last of how far it is used up.
    pub allowance: Option<Allowance>,
    /// Usage counts towards its limits from here on; null means from the beginning.
    pub usage_reset_at: Option<Timestamp>,
    /// The variable of the environment that names it.
    pub managed_by: Option<String>,
    /// When it was added.
    pub created_at: Timestamp,
    /// Last change.
    pub updated_at: Timestamp,
    /// Set if it is deleted itself; it is hidden too while its provider is deleted.
    pub deleted_at: Option<Timestamp>,
    /// Grows with each change, from 1.
    pub version: i64,
}

/// A secret as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedSecret {
    /// Sealed bytes.
    pub sealed: Vec<u8>,
    /// What views show.
    pub hint: String,
}

const LIVE: &str = "SELECT c.* FROM credentials c JOIN providers p ON p.id = c.provider_id
     WHERE c.deleted_at IS NULL AND p.deleted_at IS NULL ORDER BY c.id";

impl Store {
    /// Lists credentials by id.
    pub async fn credential_list(&self, include_deleted: bool) -> Result<Vec<CredentialRow>, StoreError> {
        let sql = if include_deleted { "SELECT * FROM credentials ORDER BY id" } else { LIVE };
        self.pool.rows(sql, args![]).await?.iter().map(credential_row).collect()
    }

    /// Fetches a credential, deleted ones too.
    pub async fn credential_fetch(&self, id: CredentialId) -> Result<CredentialRow, StoreError> {
        credential_row(&self.pool.row("SELECT * FROM credentials WHERE id = $1", args![id]).await?)
    }

    /// Adds a credential with an API key to a live provider. `seal` seals secret and proxy for the id that the row
    /// has got.
    pub async fn credential_insert<F, E>(
        &self,
        provider_id: ProviderId,
        spec: &CredentialSpec,
        seal: F,
        change: Change,
    ) -> Result<CredentialRow, StoreError>
    where
        F: FnOnce(CredentialId) -> Result<(SealedSecret, Option<SealedProxy>), E> + Send,
        E: Into<BoxError>,
    {
        let account = Account::of(CredentialAuth::ApiKey);
        self.credential_insert_as(provider_id, spec, &account, seal, change).await
    }

    /// The same of any kind of secret.
    pub async fn credential_insert_as<F, E>(
        &self,
        provider_id: ProviderId,
        spec: &CredentialSpec,
        account: &Account,
        seal: F,
        change: Change,
    ) -> Result<CredentialRow, StoreError>
    where
        F: FnOnce(CredentialId) -> Result<(SealedSecret, Option<SealedProxy>), E> + Send,
        E: Into<BoxError>,
    {
        let mut txn = self.pool.begin_write().await?;
        let row = insert_in_txn(&mut txn, (provider_id, spec, account), seal, change.at).await?;
        commit_change(txn, change.of_new(row.id.0)).await?;
        Ok(row)
    }

    /// Changes a credential that still has the expected version. A new secret also makes it
    /// valid again.
    pub async fn credential_update(
        &self,
        id: CredentialId,
        expected_version: i64,
        spec: &CredentialSpec,
        secret: Option<SealedSecret>,
        proxy: Patch<SealedProxy>,
        change: Change,
    ) -> Result<CredentialRow, StoreError> {
        let CredentialSpec { name, tier, priority, weight, max_concurrency, enabled, limits } = spec;
        let mut txn = self.pool.begin_write().await?;
        let was = check::switch_in_txn(&mut txn, id).await?;
        let touched = txn
            .execute(
                "UPDATE credentials SET name = $3, tier = $4, priority = $5, weight = $6, max_concurrency = $7,
                    enabled = $8, limits = $9, updated_at = $10, version = version + 1
                 WHERE id = $1 AND version = $2 AND deleted_at IS NULL",
                args![
                    id,
                    expected_version,
                    name.as_str(),
                    tier.as_str(),
                    *priority,
                    *weight,
                    *max_concurrency,
                    *enabled,
                    json(limits)?,
                    change.at,
                ],
            )
            .await?;
        if touched == 0 {
            let versions = "SELECT version FROM credentials WHERE id = $1 AND deleted_at IS NULL";
            return Err(missing_or_stale(&mut txn, versions, id.0).await);
        }
        check::switched_in_txn(&mut txn, id, was, *enabled, change.at).await?;
        if let Some(SealedSecret { sealed, hint }) = secret {
            txn.execute(
                "UPDATE credentials SET sealed = $2, hint = $3, token_version = token_version + 1,
                    refresh_by = NULL, refresh_until = NULL WHERE id = $1",
                args![id, sealed, hint],
            )
            .await?;
            let was =
                txn.row("SELECT state FROM credentials WHERE id = $1", args![id]).await?.named("state")?;
            mark::forget_in_txn(&mut txn, id, change.at, was).await?;
        }
        let proxy = match proxy {
            Patch::Keep => None,
            Patch::Clear => Some((None, None)),
            Patch::Set(SealedProxy { sealed, hint }) => Some((Some(sealed), Some(hint))),
        };
        if let Some((sealed, hint)) = proxy {
            txn.execute(
                "UPDATE credentials SET proxy_sealed = $2, proxy_hint = $3 WHERE id = $1",
                args![id, sealed, hint],
            )
            .await?;
        }
        let row = txn.row("SELECT * FROM credentials WHERE id = $1", args![id]).await?;
        commit_change(txn, change).await?;
        credential_row(&row)
    }

    /// Deletes a credential so that it can be restored.
    pub async fn credential_delete(
        &self,
        id: CredentialId,
        change: Change,
    ) -> Result<CredentialRow, StoreError> {
        let mut txn = self.pool.begin_write().await?;
        let row = txn
            .row(
                "UPDATE credentials SET deleted_at = $2, updated_at = $2, version = version + 1
                 WHERE id = $1 AND deleted_at IS NULL RETURNING *",
                args![id, change.at],
            )
            .await?;
        commit_change(txn, change).await?;
        credential_row(&row)
    }

    /// Brings a deleted credential back; a conflict on `name` if that is taken by now, on `provider_id` if its
    /// provider is deleted.
    pub async fn credential_restore(
        &self,
        id: CredentialId,
        change: Change,
    ) -> Result<CredentialRow, StoreError> {
        let mut txn = self.pool.begin_write().await?;
        let row = txn
            .row(
                "UPDATE credentials SET deleted_at = NULL, updated_at = $2, version = version + 1
                 WHERE id = $1 AND deleted_at IS NOT NULL RETURNING *",
                args![id, change.at],
            )
            .await?;
        let row = credential_row(&row)?;
        let provider = "SELECT id FROM providers WHERE id = $1 AND deleted_at IS NULL";
        if txn.row_opt(provider, args![row.provider_id]).await?.is_none() {
            return Err(StoreError::Conflict { field: "provider_id".to_owned() });
        }
        commit_change(txn, change).await?;
        Ok(row)
    }
}

/// Adds a credential to a live provider within a transaction; the caller writes its audit row.
pub(crate) async fn insert_in_txn<F, E>(
    txn: &mut Txn,
    (provider_id, spec, account): (ProviderId, &CredentialSpec, &Account),
    seal: F,
    at: Timestamp,
) -> Result<CredentialRow, StoreError>
where
    F: FnOnce(CredentialId) -> Result<(SealedSecret, Option<SealedProxy>), E> + Send,
    E: Into<BoxError>,
{
    let CredentialSpec { name, tier, priority, weight, max_concurrency, enabled, limits } = spec;
    txn.row("SELECT id FROM providers WHERE id = $1 AND deleted_at IS NULL", args![provider_id]).await?;
    let id = txn
        .row(
            "INSERT INTO credentials (provider_id, name, tier, priority, weight, max_concurrency, enabled,
                limits, sealed, hint, created_at, updated_at, version)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, '', $10, $10, 1) RETURNING id",
            args![
                provider_id,
                name.as_str(),
                tier.as_str(),
                *priority,
                *weight,
                *max_concurrency,
                *enabled,
                json(limits)?,
                Vec::<u8>::new(),
                at,
            ],
        )
        .await?
        .int("id")?;
    let (SealedSecret { sealed, hint }, proxy) =
        seal(CredentialId(id)).map_err(|error| StoreError::Seal(error.into()))?;
    let (proxy_sealed, proxy_hint) = proxy.map(|proxy| (proxy.sealed, proxy.hint)).unzip();
    if account.auth != CredentialAuth::ApiKey {
        token::account_in_txn(txn, CredentialId(id), account).await?;
    }
    let row = txn
        .row(
            "UPDATE credentials SET sealed = $2, hint = $3, proxy_sealed = $4, proxy_hint = $5
             WHERE id = $1 RETURNING *",
            args![id, sealed, hint, proxy_sealed, proxy_hint],
        )
        .await?;
    credential_row(&row)
}

/// All credentials that are not deleted, of providers that are not deleted.
pub(crate) async fn live_in_txn(txn: &mut Txn) -> Result<Vec<CredentialRow>, StoreError> {
    txn.rows(LIVE, args![]).await?.iter().map(credential_row).collect()
}

fn credential_row(row: &Row) -> Result<CredentialRow, StoreError> {
    Ok(CredentialRow {
        id: CredentialId(row.int("id")?),
        provider_id: ProviderId(row.int("provider_id")?),
        spec: CredentialSpec {
            name: row.text("name")?,
            tier: row.named("tier")?,
            priority: row.number("priority")?,
            weight: row.number("weight")?,
            max_concurrency: row.number_opt("max_concurrency")?,
            enabled: row.flag("enabled")?,
            limits: row.json("limits")?,
        },
        sealed: row.bytes("sealed")?,
        hint: row.text("hint")?,
        proxy_sealed: row.bytes_opt("proxy_sealed")?,
        proxy_hint: row.text_opt("proxy_hint")?,
        auth: row.named("auth")?,
        token: token::token(row)?,
        mark: mark::mark(row)?,
        check: check::standing(row)?,
        allowance: check::allowance(row)?,
        usage_reset_at: row.time_opt("usage_reset_at")?,
        managed_by: row.text_opt("managed_by")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
        deleted_at: row.time_opt("deleted_at")?,
        version: row.int("version")?,
    })
}

#[cfg(test)]
mod tests;
