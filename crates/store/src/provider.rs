//! Providers: rows and their changes. Deleting one hides its credentials; restoring brings both back.

use types::base_url::BaseUrl;
use types::provider::ProviderSpec;
use types::{Patch, ProviderId, Timestamp};

use crate::column::{damaged, json};
use crate::error::BoxError;
use crate::pool::Txn;
use crate::revision::{commit_change, missing_or_stale};
use crate::sql::{Row, args};
use crate::{Change, Store, StoreError};

/// A provider as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderRow {
    /// Identity.
    pub id: ProviderId,
    /// Its content.
    pub spec: ProviderSpec,
    /// The outbound proxy's address, sealed.
    pub proxy_sealed: Option<Vec<u8>>,
    /// The same without its password, for views.
    pub proxy_hint: Option<String>,
    /// Usage counts towards its limits from here on; null means from the beginning.
    pub usage_reset_at: Option<Timestamp>,
    /// When it was added.
    pub created_at: Timestamp,
    /// Last change.
    pub updated_at: Timestamp,
    /// Set if it is deleted.
    pub deleted_at: Option<Timestamp>,
    /// Grows with each change, from 1.
    pub version: i64,
}

/// An outbound proxy's address as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedProxy {
    /// Sealed bytes.
    pub sealed: Vec<u8>,
    /// What views show.
    pub hint: String,
}

impl Store {
    /// Lists providers by id.
    pub async fn provider_list(&self, include_deleted: bool) -> Result<Vec<ProviderRow>, StoreError> {
        let sql = if include_deleted {
            "SELECT * FROM providers ORDER BY id"
        } else {
            "SELECT * FROM providers WHERE deleted_at IS NULL ORDER BY id"
        };
        self.pool.rows(sql, args![]).await?.iter().map(provider_row).collect()
    }

    /// Fetches a provider, deleted ones too.
    pub async fn provider_fetch(&self, id: ProviderId) -> Result<ProviderRow, StoreError> {
        provider_row(&self.pool.row("SELECT * FROM providers WHERE id = $1", args![id]).await?)
    }

    /// Adds a provider. `proxy` seals the proxy's address for the id that the row has got.
    pub async fn provider_insert<F, E>(
        &self,
        spec: &ProviderSpec,
        proxy: F,
        change: Change,
    ) -> Result<ProviderRow, StoreError>
    where
        F: FnOnce(ProviderId) -> Result<Option<SealedProxy>, E> + Send,
        E: Into<BoxError>,
    {
        let mut txn = self.pool.begin_write().await?;
        let row = insert_in_txn(&mut txn, spec, proxy, change.at).await?;
        commit_change(txn, change.of_new(row.id.0)).await?;
        Ok(row)
    }

    /// Changes a provider that still has the expected version.
    pub async fn provider_update(
        &self,
        id: ProviderId,
        expected_version: i64,
        spec: &ProviderSpec,
        proxy: Patch<SealedProxy>,
        change: Change,
    ) -> Result<ProviderRow, StoreError> {
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
        let mut txn = self.pool.begin_write().await?;
        let touched = txn
            .execute(
                "UPDATE providers SET name = $3, kind = $4, base_url = $5, enabled = $6, group_tags = $7,
                    priority = $8, weight = $9, models = $10, model_redirects = $11, timeouts = $12,
                    cost_multiplier = $13, limits = $14, routing = $15, updated_at = $16, version = version + 1
                 WHERE id = $1 AND version = $2 AND deleted_at IS NULL",
                args![
                    id,
                    expected_version,
                    name.as_str(),
                    kind.as_str(),
                    base_url.as_str(),
                    *enabled,
                    json(groups)?,
                    *priority,
                    *weight,
                    json(models)?,
                    json(model_redirects)?,
                    json(timeouts)?,
                    *cost_multiplier,
                    json(limits)?,
                    json(routing)?,
                    change.at,
                ],
            )
            .await?;
        if touched == 0 {
            let versions = "SELECT version FROM providers WHERE id = $1 AND deleted_at IS NULL";
            return Err(missing_or_stale(&mut txn, versions, id.0).await);
        }
        let proxy = match proxy {
            Patch::Keep => None,
            Patch::Clear => Some((None, None)),
            Patch::Set(SealedProxy { sealed, hint }) => Some((Some(sealed), Some(hint))),
        };
        if let Some((sealed, hint)) = proxy {
            txn.execute(
                "UPDATE providers SET proxy_sealed = $2, proxy_hint = $3 WHERE id = $1",
                args![id, sealed, hint],
            )
            .await?;
        }
        let row = provider_row(&txn.row("SELECT * FROM providers WHERE id = $1", args![id]).await?)?;
        commit_change(txn, change).await?;
        Ok(row)
    }

    /// Deletes a provider so that it can be restored; its credentials are hidden with it.
    pub async fn provider_delete(&self, id: ProviderId, change: Change) -> Result<ProviderRow, StoreError> {
        let mut txn = self.pool.begin_write().await?;
        let row = txn
            .row(
                "UPDATE providers SET deleted_at = $2, updated_at = $2, version = version + 1
                 WHERE id = $1 AND deleted_at IS NULL RETURNING *",
                args![id, change.at],
            )
            .await?;
        commit_change(txn, change).await?;
        provider_row(&row)
    }

    /// Brings a deleted provider back; a conflict if its name is taken by now.
    pub async fn provider_restore(&self, id: ProviderId, change: Change) -> Result<ProviderRow, StoreError> {
        let mut txn = self.pool.begin_write().await?;
        let row = txn
            .row(
                "UPDATE providers SET deleted_at = NULL, updated_at = $2, version = version + 1
                 WHERE id = $1 AND deleted_at IS NOT NULL RETURNING *",
                args![id, change.at],
            )
            .await?;
        commit_change(txn, change).await?;
        provider_row(&row)
    }
}

/// Adds a provider within a transaction; the caller writes its audit row.
pub(crate) async fn insert_in_txn<F, E>(
    txn: &mut Txn,
    spec: &ProviderSpec,
    proxy: F,
    at: Timestamp,
) -> Result<ProviderRow, StoreError>
where
    F: FnOnce(ProviderId) -> Result<Option<SealedProxy>, E> + Send,
    E: Into<BoxError>,
{
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
    let id = txn
        .row(
            "INSERT INTO providers (name, kind, base_url, enabled, group_tags, priority, weight, models,
                model_redirects, timeouts, cost_multiplier, limits, routing, created_at, updated_at, version)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14, 1) RETURNING id",
            args![
                name.as_str(),
                kind.as_str(),
                base_url.as_str(),
                *enabled,
                json(groups)?,
                *priority,
                *weight,
                json(models)?,
                json(model_redirects)?,
                json(timeouts)?,
                *cost_multiplier,
                json(limits)?,
                json(routing)?,
                at,
            ],
        )
        .await?
        .int("id")?;
    let proxy = proxy(ProviderId(id)).map_err(|error| StoreError::Seal(error.into()))?;
    if let Some(SealedProxy { sealed, hint }) = proxy {
        txn.execute(
            "UPDATE providers SET proxy_sealed = $2, proxy_hint = $3 WHERE id = $1",
            args![id, sealed, hint],
        )
        .await?;
    }
    provider_row(&txn.row("SELECT * FROM providers WHERE id = $1", args![id]).await?)
}

/// All providers that are not deleted.
pub(crate) async fn live_in_txn(txn: &mut Txn) -> Result<Vec<ProviderRow>, StoreError> {
    let rows = txn.rows("SELECT * FROM providers WHERE deleted_at IS NULL ORDER BY id", args![]).await?;
    rows.iter().map(provider_row).collect()
}

fn provider_row(row: &Row) -> Result<ProviderRow, StoreError> {
    Ok(ProviderRow {
        id: ProviderId(row.int("id")?),
        spec: ProviderSpec {
            name: row.text("name")?,
            kind: row.named("kind")?,
            base_url: BaseUrl::parse(&row.text("base_url")?).map_err(|error| damaged("base_url", &error))?,
            enabled: row.flag("enabled")?,
            groups: row.json("group_tags")?,
            priority: row.number("priority")?,
            weight: row.number("weight")?,
            models: row.json("models")?,
            model_redirects: row.json("model_redirects")?,
            timeouts: row.json("timeouts")?,
            cost_multiplier: row.factor("cost_multiplier")?,
            limits: row.json("limits")?,
            routing: row.json("routing")?,
        },
        proxy_sealed: row.bytes_opt("proxy_sealed")?,
        proxy_hint: row.text_opt("proxy_hint")?,
        usage_reset_at: row.time_opt("usage_reset_at")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
        deleted_at: row.time_opt("deleted_at")?,
        version: row.int("version")?,
    })
}

#[cfg(test)]
mod tests;
