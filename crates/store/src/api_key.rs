//! API keys: rows and their changes. Of the key itself only a keyed hash and its first characters are stored
//! (KE-02). How often a key was used is counted by the books, not here.

use std::collections::HashMap;

use types::api_key::ApiKeySpec;
use types::{ApiKeyId, GrantId, Money, Timestamp, UserId};

use crate::column::json;
use crate::pool::Txn;
use crate::revision::{commit_change, missing_or_stale};
use crate::sql::{Row, args};
use crate::{Change, Store, StoreError};

/// A key as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKeyRow {
    /// Identity.
    pub id: ApiKeyId,
    /// Its owner.
    pub user_id: UserId,
    /// Its content but for the secret part.
    pub spec: ApiKeySpec,
    /// First characters, for views.
    pub prefix: String,
    /// Keyed hash of the whole key.
    pub hash: Vec<u8>,
    /// Which pepper the hash was keyed with.
    pub pepper_id: String,
    /// Usage counts towards its limits from here on; null means from the beginning.
    pub usage_reset_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Last change.
    pub updated_at: Timestamp,
    /// Set if it is deleted itself; it is hidden too while its user is deleted.
    pub deleted_at: Option<Timestamp>,
    /// Grows with each change, from 1.
    pub version: i64,
}

/// How much a key was used, according to the books.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyStats {
    /// Requests booked on it.
    pub request_count: u64,
    /// Arrival of the latest one.
    pub last_used_at: Option<Timestamp>,
    /// What they were charged altogether.
    pub cost_usd: Money,
}

const LIVE: &str = "SELECT k.* FROM api_keys k JOIN users u ON u.id = k.user_id
     WHERE k.deleted_at IS NULL AND u.deleted_at IS NULL ORDER BY k.id";

impl Store {
    /// Lists keys by id.
    pub async fn key_list(&self, include_deleted: bool) -> Result<Vec<ApiKeyRow>, StoreError> {
        let sql = if include_deleted { "SELECT * FROM api_keys ORDER BY id" } else { LIVE };
        self.pool.rows(sql, args![]).await?.iter().map(key_row).collect()
    }

    /// Fetches a key, deleted ones too.
    pub async fn key_fetch(&self, id: ApiKeyId) -> Result<ApiKeyRow, StoreError> {
        key_row(&self.pool.row("SELECT * FROM api_keys WHERE id = $1", args![id]).await?)
    }

    /// Adds a key of a live user.
    pub async fn key_insert(
        &self,
        user_id: UserId,
        spec: &ApiKeySpec,
        prefix: &str,
        hash: &[u8],
        pepper_id: &str,
        change: Change,
    ) -> Result<ApiKeyRow, StoreError> {
        let ApiKeySpec {
            name,
            groups,
            models,
            clients,
            ip_allow,
            enabled,
            expires_at,
            limits,
            grant_id,
            translation,
        } = spec;
        let mut txn = self.pool.begin_write().await?;
        txn.row("SELECT id FROM users WHERE id = $1 AND deleted_at IS NULL", args![user_id]).await?;
        let row = txn
            .row(
                "INSERT INTO api_keys (user_id, name, group_tags, models, clients, ip_allow, enabled,
                    expires_at, limits, grant_id, prefix, hash, pepper_id, created_at, updated_at, version, translation)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14, 1, $15) RETURNING *",
                args![
                    user_id,
                    name.as_str(),
                    json(groups)?,
                    json(models)?,
                    json(clients)?,
                    json(ip_allow)?,
                    *enabled,
                    *expires_at,
                    json(limits)?,
                    *grant_id,
                    prefix,
                    hash,
                    pepper_id,
                    change.at,
                    translation.as_str(),
                ],
            )
            .await?;
        let row = key_row(&row)?;
        commit_change(txn, change.of_new(row.id.0)).await?;
        Ok(row)
    }

    /// Changes a key that still has the expected version.
    pub async fn key_update(
        &self,
        id: ApiKeyId,
        expected_version: i64,
        spec: &ApiKeySpec,
        change: Change,
    ) -> Result<ApiKeyRow, StoreError> {
        let ApiKeySpec {
            name,
            groups,
            models,
            clients,
            ip_allow,
            enabled,
            expires_at,
            limits,
            grant_id,
            translation,
        } = spec;
        let mut txn = self.pool.begin_write().await?;
        let row = txn
            .row_opt(
                "UPDATE api_keys SET name = $3, group_tags = $4, models = $5, clients = $6, ip_allow = $7,
                    enabled = $8, expires_at = $9, limits = $10, grant_id = $11, updated_at = $12, translation = $13,
                    version = version + 1
                 WHERE id = $1 AND version = $2 AND deleted_at IS NULL RETURNING *",
                args![
                    id,
                    expected_version,
                    name.as_str(),
                    json(groups)?,
                    json(models)?,
                    json(clients)?,
                    json(ip_allow)?,
                    *enabled,
                    *expires_at,
                    json(limits)?,
                    *grant_id,
                    change.at,
                    translation.as_str(),
                ],
            )
            .await?;
        let Some(row) = row else {
            let versions = "SELECT version FROM api_keys WHERE id = $1 AND deleted_at IS NULL";
            return Err(missing_or_stale(&mut txn, versions, id.0).await);
        };
        commit_change(txn, change).await?;
        key_row(&row)
    }

    /// Deletes a key so that it can be restored.
    pub async fn key_delete(&self, id: ApiKeyId, change: Change) -> Result<ApiKeyRow, StoreError> {
        let mut txn = self.pool.begin_write().await?;
        let row = txn
            .row(
                "UPDATE api_keys SET deleted_at = $2, updated_at = $2, version = version + 1
                 WHERE id = $1 AND deleted_at IS NULL RETURNING *",
                args![id, change.at],
            )
            .await?;
        commit_change(txn, change).await?;
        key_row(&row)
    }

    /// Brings a deleted key back; a conflict on `user_id` if its user is
    /// deleted.
    pub async fn key_restore(&self, id: ApiKeyId, change: Change) -> Result<ApiKeyRow, StoreError> {
        let mut txn = self.pool.begin_write().await?;
        let row = txn
            .row(
                "UPDATE api_keys SET deleted_at = NULL, updated_at = $2, version = version + 1
                 WHERE id = $1 AND deleted_at IS NOT NULL RETURNING *",
                args![id, change.at],
            )
            .await?;
        let row = key_row(&row)?;
        let user = "SELECT id FROM users WHERE id = $1 AND deleted_at IS NULL";
        if txn.row_opt(user, args![row.user_id]).await?.is_none() {
            return Err(StoreError::Conflict { field: "user_id".to_owned() });
        }
        commit_change(txn, change).await?;
        Ok(row)
    }

    /// How much each of the given keys was used; keys that never were are left out.
    pub async fn key_stats(&self, ids: &[ApiKeyId]) -> Result<HashMap<ApiKeyId, KeyStats>, StoreError> {
        // One key is the page of one key; several are a list, for which the small table is read whole.
        let rows = match ids {
            [] => return Ok(HashMap::new()),
            [one] => self.pool.rows("SELECT * FROM key_usage WHERE key_id = $1", args![*one]).await?,
            _ => self.pool.rows("SELECT * FROM key_usage", args![]).await?,
        };
        let wanted: std::collections::HashSet<_> = ids.iter().copied().collect();
        let mut stats = HashMap::new();
        for row in rows {
            let id = ApiKeyId(row.int("key_id")?);
            if wanted.contains(&id) {
                let request_count = row.number("request_count")?;
                let last_used_at = row.time_opt("last_used_at")?;
                stats.insert(id, KeyStats { request_count, last_used_at, cost_usd: row.money("cost_nano")? });
            }
        }
        Ok(stats)
    }
}

/// All keys that are not deleted, of users that are not deleted.
pub(crate) async fn live_in_txn(txn: &mut Txn) -> Result<Vec<ApiKeyRow>, StoreError> {
    txn.rows(LIVE, args![]).await?.iter().map(key_row).collect()
}

fn key_row(row: &Row) -> Result<ApiKeyRow, StoreError> {
    Ok(ApiKeyRow {
        id: ApiKeyId(row.int("id")?),
        user_id: UserId(row.int("user_id")?),
        spec: ApiKeySpec {
            name: row.text("name")?,
            groups: row.json("group_tags")?,
            models: row.json("models")?,
            clients: row.json("clients")?,
            ip_allow: row.json("ip_allow")?,
            enabled: row.flag("enabled")?,
            expires_at: row.time_opt("expires_at")?,
            limits: row.json("limits")?,
            grant_id: row.int_opt("grant_id")?.map(GrantId),
            translation: row.named("translation")?,
        },
        prefix: row.text("prefix")?,
        hash: row.bytes("hash")?,
        pepper_id: row.text("pepper_id")?,
        usage_reset_at: row.time_opt("usage_reset_at")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
        deleted_at: row.time_opt("deleted_at")?,
        version: row.int("version")?,
    })
}

#[cfg(test)]
mod tests;
