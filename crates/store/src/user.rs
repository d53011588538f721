//! Users: rows and their changes. Deleting one hides his keys; restoring brings both back.

use types::user::UserSpec;
use types::{Patch, Timestamp, UserId};

use crate::column::json;
use crate::pool::Txn;
use crate::revision::{commit_change, missing_or_stale};
use crate::sql::{Row, args};
use crate::{Change, Store, StoreError};

/// A user as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserRow {
    /// Identity.
    pub id: UserId,
    /// Content but for the password.
    pub spec: UserSpec,
    /// Password hash in PHC form; null if the user signs in with a key only.
    pub password_hash: Option<String>,
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

impl Store {
    /// Lists users by id.
    pub async fn user_list(&self, include_deleted: bool) -> Result<Vec<UserRow>, StoreError> {
        let sql = if include_deleted {
            "SELECT * FROM users ORDER BY id"
        } else {
            "SELECT * FROM users WHERE deleted_at IS NULL ORDER BY id"
        };
        self.pool.rows(sql, args![]).await?.iter().map(user_row).collect()
    }

    /// Fetches a user, deleted ones too.
    pub async fn user_fetch(&self, id: UserId) -> Result<UserRow, StoreError> {
        user_row(&self.pool.row("SELECT * FROM users WHERE id = $1", args![id]).await?)
    }

    /// Fetches the live user of that exact name.
    pub async fn user_fetch_by_name(&self, name: &str) -> Result<Option<UserRow>, StoreError> {
        let sql = "SELECT * FROM users WHERE name = $1 AND deleted_at IS NULL";
        self.pool.row_opt(sql, args![name]).await?.as_ref().map(user_row).transpose()
    }

    /// Adds a user.
    pub async fn user_insert(
        &self,
        spec: &UserSpec,
        password_hash: Option<String>,
        change: Change,
    ) -> Result<UserRow, StoreError> {
        let UserSpec { name, groups, enabled, expires_at, price_rate, limits } = spec;
        let mut txn = self.pool.begin_write().await?;
        let row = txn
            .row(
                "INSERT INTO users
                    (name, group_tags, enabled, expires_at, price_rate, limits, password_hash, created_at,
                     updated_at, version)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, 1) RETURNING *",
                args![
                    name.as_str(),
                    json(groups)?,
                    *enabled,
                    *expires_at,
                    *price_rate,
                    json(limits)?,
                    password_hash,
                    change.at,
                ],
            )
            .await?;
        let row = user_row(&row)?;
        commit_change(txn, change.of_new(row.id.0)).await?;
        Ok(row)
    }

    /// Changes a user that still has the expected version.
    pub async fn user_update(
        &self,
        id: UserId,
        expected_version: i64,
        spec: &UserSpec,
        password_hash: Patch<String>,
        change: Change,
    ) -> Result<UserRow, StoreError> {
        let UserSpec { name, groups, enabled, expires_at, price_rate, limits } = spec;
        let keep = password_hash == Patch::Keep;
        let hash = password_hash.apply(None);
        let mut txn = self.pool.begin_write().await?;
        let row = txn
            .row_opt(
                "UPDATE users SET name = $3, group_tags = $4, enabled = $5, expires_at = $6,
                    price_rate = $7, limits = $8,
                    password_hash = CASE WHEN $9 THEN password_hash ELSE $10 END,
                    updated_at = $11, version = version + 1
                 WHERE id = $1 AND version = $2 AND deleted_at IS NULL RETURNING *",
                args![
                    id,
                    expected_version,
                    name.as_str(),
                    json(groups)?,
                    *enabled,
                    *expires_at,
                    *price_rate,
                    json(limits)?,
                    keep,
                    hash,
                    change.at,
                ],
            )
            .await?;
        let Some(row) = row else {
            let versions = "SELECT version FROM users WHERE id = $1 AND deleted_at IS NULL";
            return Err(missing_or_stale(&mut txn, versions, id.0).await);
        };
        commit_change(txn, change).await?;
        user_row(&row)
    }

    /// Deletes a user so that it can be restored; his keys are hidden with him.
    pub async fn user_delete(&self, id: UserId, change: Change) -> Result<UserRow, StoreError> {
        let mut txn = self.pool.begin_write().await?;
        let row = txn
            .row(
                "UPDATE users SET deleted_at = $2, updated_at = $2, version = version + 1
                 WHERE id = $1 AND deleted_at IS NULL RETURNING *",
                args![id, change.at],
            )
            .await?;
        commit_change(txn, change).await?;
        user_row(&row)
    }

    /// Brings a deleted user back; a conflict if the name is taken by now.
    pub async fn user_restore(&self, id: UserId, change: Change) -> Result<UserRow, StoreError> {
        let mut txn = self.pool.begin_write().await?;
        let row = txn
            .row(
                "UPDATE users SET deleted_at = NULL, updated_at = $2, version = version + 1
                 WHERE id = $1 AND deleted_at IS NOT NULL RETURNING *",
                args![id, change.at],
            )
            .await?;
        commit_change(txn, change).await?;
        user_row(&row)
    }
}

/// All users that are not deleted.
pub(crate) async fn live_in_txn(txn: &mut Txn) -> Result<Vec<UserRow>, StoreError> {
    let rows = txn.rows("SELECT * FROM users WHERE deleted_at IS NULL ORDER BY id", args![]).await?;
    rows.iter().map(user_row).collect()
}

fn user_row(row: &Row) -> Result<UserRow, StoreError> {
    Ok(UserRow {
        id: UserId(row.int("id")?),
        spec: UserSpec {
            name: row.text("name")?,
            groups: row.json("group_tags")?,
            enabled: row.flag("enabled")?,
            expires_at: row.time_opt("expires_at")?,
            price_rate: row.factor("price_rate")?,
            limits: row.json("limits")?,
        },
        password_hash: row.text_opt("password_hash")?,
        usage_reset_at: row.time_opt("usage_reset_at")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
        deleted_at: row.time_opt("deleted_at")?,
        version: row.int("version")?,
    })
}

#[cfg(test)]
mod tests;
