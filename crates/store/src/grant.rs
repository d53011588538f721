//! Grants: packages that users have, as they were when they were granted. Whether one pays at an instant is decided
//! elsewhere.

use types::package::PackageSpec;
use types::{GrantId, PackageId, Timestamp, UserId};

use crate::column::json;
use crate::pool::Txn;
use crate::revision::{commit_change, missing_or_stale};
use crate::sql::{Row, args};
use crate::{Change, Store, StoreError};

/// A grant as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantRow {
    /// Identity.
    pub id: GrantId,
    /// Who has it.
    pub user_id: UserId,
    /// The template that it was made from; null if it was made by hand.
    pub package_id: Option<PackageId>,
    /// What it grants.
    pub spec: PackageSpec,
    /// When it begins to pay.
    pub starts_at: Timestamp,
    /// When it stops; null means never.
    pub ends_at: Option<Timestamp>,
    /// When it was revoked; null if it was not.
    pub disabled_at: Option<Timestamp>,
    /// Usage counts towards its amounts from here on; null means from the beginning.
    pub usage_reset_at: Option<Timestamp>,
    /// When it was granted.
    pub created_at: Timestamp,
    /// Last change.
    pub updated_at: Timestamp,
    /// Grows with each change, from 1.
    pub version: i64,
}

impl Store {
    /// Lists grants of everybody or of one user, by id.
    pub async fn grant_list(&self, user_id: Option<UserId>) -> Result<Vec<GrantRow>, StoreError> {
        let rows = match user_id {
            None => self.pool.rows("SELECT * FROM grants ORDER BY id", args![]).await?,
            Some(user_id) => {
                let sql = "SELECT * FROM grants WHERE user_id = $1 ORDER BY id";
                self.pool.rows(sql, args![user_id]).await?
            }
        };
        rows.iter().map(grant_row).collect()
    }

    /// Fetches a grant.
    pub async fn grant_fetch(&self, id: GrantId) -> Result<GrantRow, StoreError> {
        grant_row(&self.pool.row("SELECT * FROM grants WHERE id = $1", args![id]).await?)
    }

    /// Grants a package to a live user.
    pub async fn grant_insert(
        &self,
        user_id: UserId,
        package_id: Option<PackageId>,
        spec: &PackageSpec,
        starts_at: Timestamp,
        ends_at: Option<Timestamp>,
        change: Change,
    ) -> Result<GrantRow, StoreError> {
        let mut txn = self.pool.begin_write().await?;
        txn.row("SELECT id FROM users WHERE id = $1 AND deleted_at IS NULL", args![user_id]).await?;
        if let Some(package_id) = package_id {
            let sql = "SELECT id FROM packages WHERE id = $1 AND deleted_at IS NULL";
            txn.row(sql, args![package_id]).await?;
        }
        let row = txn
            .row(
                "INSERT INTO grants (user_id, package_id, spec, starts_at, ends_at, created_at, updated_at, version)
                 VALUES ($1, $2, $3, $4, $5, $6, $6, 1) RETURNING *",
                args![user_id, package_id, json(spec)?, starts_at, ends_at, change.at],
            )
            .await?;
        let row = grant_row(&row)?;
        commit_change(txn, change.of_new(row.id.0)).await?;
        Ok(row)
    }

    /// Changes a grant that still has the expected version: its amounts, its end, and whether it is revoked.
    pub async fn grant_update(
        &self,
        id: GrantId,
        expected_version: i64,
        spec: &PackageSpec,
        ends_at: Option<Timestamp>,
        disabled: bool,
        change: Change,
    ) -> Result<GrantRow, StoreError> {
        let mut txn = self.pool.begin_write().await?;
        let row = txn
            .row_opt(
                "UPDATE grants SET spec = $3, ends_at = $4, updated_at = $5, version = version + 1,
                    disabled_at = CASE WHEN $6 THEN COALESCE(disabled_at, $5) ELSE NULL END
                 WHERE id = $1 AND version = $2 RETURNING *",
                args![id, expected_version, json(spec)?, ends_at, change.at, disabled],
            )
            .await?;
        let Some(row) = row else {
            let versions = "SELECT version FROM grants WHERE id = $1";
            return Err(missing_or_stale(&mut txn, versions, id.0).await);
        };
        commit_change(txn, change).await?;
        grant_row(&row)
    }
}

/// All grants of users that are not deleted; those that are over too, because a refusal names them.
pub(crate) async fn live_in_txn(txn: &mut Txn) -> Result<Vec<GrantRow>, StoreError> {
    let rows = txn
        .rows(
            "SELECT g.* FROM grants g JOIN users u ON u.id = g.user_id WHERE u.deleted_at IS NULL ORDER BY g.id",
            args![],
        )
        .await?;
    rows.iter().map(grant_row).collect()
}

fn grant_row(row: &Row) -> Result<GrantRow, StoreError> {
    Ok(GrantRow {
        id: GrantId(row.int("id")?),
        user_id: UserId(row.int("user_id")?),
        package_id: row.int_opt("package_id")?.map(PackageId),
        spec: row.json("spec")?,
        starts_at: row.time("starts_at")?,
        ends_at: row.time_opt("ends_at")?,
        disabled_at: row.time_opt("disabled_at")?,
        usage_reset_at: row.time_opt("usage_reset_at")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
        version: row.int("version")?,
    })
}

#[cfg(test)]
mod tests;
