//! Templates of packages: rows and their changes. What was granted from them stands on its own, in `grant`.

use std::collections::HashMap;

use types::package::PackageSpec;
use types::{PackageId, Timestamp};

use crate::column::json;
use crate::revision::{commit_change, missing_or_stale};
use crate::sql::{Row, args};
use crate::{Change, Store, StoreError};

/// A template as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageRow {
    /// Identity.
    pub id: PackageId,
    /// What it grants.
    pub spec: PackageSpec,
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
    /// Lists templates by id.
    pub async fn package_list(&self, include_deleted: bool) -> Result<Vec<PackageRow>, StoreError> {
        let sql = if include_deleted {
            "SELECT * FROM packages ORDER BY id"
        } else {
            "SELECT * FROM packages WHERE deleted_at IS NULL ORDER BY id"
        };
        self.pool.rows(sql, args![]).await?.iter().map(package_row).collect()
    }

    /// Fetches a template, deleted ones too.
    pub async fn package_fetch(&self, id: PackageId) -> Result<PackageRow, StoreError> {
        package_row(&self.pool.row("SELECT * FROM packages WHERE id = $1", args![id]).await?)
    }

    /// How many grants that are not revoked were made from each template; those without any are left out.
    pub async fn package_grants(&self) -> Result<HashMap<PackageId, u64>, StoreError> {
        let rows = self
            .pool
            .rows(
                "SELECT package_id, COUNT(*) AS grants FROM grants
                 WHERE package_id IS NOT NULL AND disabled_at IS NULL GROUP BY package_id",
                args![],
            )
            .await?;
        rows.iter().map(|row| Ok((PackageId(row.int("package_id")?), row.number("grants")?))).collect()
    }

    /// Adds a template.
    pub async fn package_insert(&self, spec: &PackageSpec, change: Change) -> Result<PackageRow, StoreError> {
        let mut txn = self.pool.begin_write().await?;
        let row = txn
            .row(
                "INSERT INTO packages (name, spec, created_at, updated_at, version)
                 VALUES ($1, $2, $3, $3, 1) RETURNING *",
                args![spec.name.as_str(), json(spec)?, change.at],
            )
            .await?;
        let row = package_row(&row)?;
        commit_change(txn, change.of_new(row.id.0)).await?;
        Ok(row)
    }

    /// Changes a template that still has the expected version. What was granted from it stays as it is.
    pub async fn package_update(
        &self,
        id: PackageId,
        expected_version: i64,
        spec: &PackageSpec,
        change: Change,
    ) -> Result<PackageRow, StoreError> {
        let mut txn = self.pool.begin_write().await?;
        let row = txn
            .row_opt(
                "UPDATE packages SET name = $3, spec = $4, updated_at = $5, version = version + 1
                 WHERE id = $1 AND version = $2 AND deleted_at IS NULL RETURNING *",
                args![id, expected_version, spec.name.as_str(), json(spec)?, change.at],
            )
            .await?;
        let Some(row) = row else {
            let versions = "SELECT version FROM packages WHERE id = $1 AND deleted_at IS NULL";
            return Err(missing_or_stale(&mut txn, versions, id.0).await);
        };
        commit_change(txn, change).await?;
        package_row(&row)
    }

    /// Deletes a template so that it can be restored; what was granted from it goes on.
    pub async fn package_delete(&self, id: PackageId, change: Change) -> Result<PackageRow, StoreError> {
        let mut txn = self.pool.begin_write().await?;
        let row = txn
            .row(
                "UPDATE packages SET deleted_at = $2, updated_at = $2, version = version + 1
                 WHERE id = $1 AND deleted_at IS NULL RETURNING *",
                args![id, change.at],
            )
            .await?;
        commit_change(txn, change).await?;
        package_row(&row)
    }

    /// Brings a deleted template back; a conflict if its name is taken by now.
    pub async fn package_restore(&self, id: PackageId, change: Change) -> Result<PackageRow, StoreError> {
        let mut txn = self.pool.begin_write().await?;
        let row = txn
            .row(
                "UPDATE packages SET deleted_at = NULL, updated_at = $2, version = version + 1
                 WHERE id = $1 AND deleted_at IS NOT NULL RETURNING *",
                args![id, change.at],
            )
            .await?;
        commit_change(txn, change).await?;
        package_row(&row)
    }
}

fn package_row(row: &Row) -> Result<PackageRow, StoreError> {
    Ok(PackageRow {
        id: PackageId(row.int("id")?),
        spec: row.json("spec")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
        deleted_at: row.time_opt("deleted_at")?,
        version: row.int("version")?,
    })
}

#[cfg(test)]
mod tests;
