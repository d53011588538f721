//! Model aliases: rows and their changes. What an alias leads to is decided elsewhere.

use types::Timestamp;
use types::alias::AliasSpec;

use crate::column::json;
use crate::pool::Txn;
use crate::revision::commit_change;
use crate::sql::{Row, args};
use crate::{Change, Store, StoreError};

const ALL: &str = "SELECT * FROM aliases ORDER BY name";

/// An alias as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AliasRow {
    /// Its content; the name is its identity.
    pub spec: AliasSpec,
    /// Last change.
    pub updated_at: Timestamp,
    /// Grows with each change, from 1.
    pub version: i64,
}

impl Store {
    /// Lists aliases by name.
    pub async fn alias_list(&self) -> Result<Vec<AliasRow>, StoreError> {
        self.pool.rows(ALL, args![]).await?.iter().map(alias_row).collect()
    }

    /// Stores an alias. An expected version must be the stored one, 0 where none is stored.
    pub async fn alias_put(
        &self,
        spec: &AliasSpec,
        expected_version: Option<i64>,
        change: Change,
    ) -> Result<AliasRow, StoreError> {
        let AliasSpec { name, targets, enabled } = spec;
        let mut txn = self.pool.begin_write().await?;
        let row = txn
            .row_opt(
                "INSERT INTO aliases AS a (name, targets, enabled, updated_at, version)
                 SELECT $1, $2, $3, $4, 1
                  WHERE COALESCE($5, 0) = 0 OR EXISTS (SELECT 1 FROM aliases WHERE name = $1)
                 ON CONFLICT (name) DO UPDATE SET targets = excluded.targets, enabled = excluded.enabled,
                    updated_at = excluded.updated_at, version = a.version + 1
                  WHERE $5 IS NULL OR a.version = $5
                 RETURNING *",
                args![name.as_str(), json(targets)?, *enabled, change.at, expected_version],
            )
            .await?
            .ok_or(StoreError::StaleVersion)?;
        commit_change(txn, change).await?;
        alias_row(&row)
    }

    /// Deletes an alias.
    pub async fn alias_delete(&self, name: &str, change: Change) -> Result<(), StoreError> {
        let mut txn = self.pool.begin_write().await?;
        if txn.execute("DELETE FROM aliases WHERE name = $1", args![name]).await? == 0 {
            return Err(StoreError::NotFound);
        }
        commit_change(txn, change).await
    }
}

/// All aliases.
pub(crate) async fn all_in_txn(txn: &mut Txn) -> Result<Vec<AliasRow>, StoreError> {
    txn.rows(ALL, args![]).await?.iter().map(alias_row).collect()
}

fn alias_row(row: &Row) -> Result<AliasRow, StoreError> {
    Ok(AliasRow {
        spec: AliasSpec {
            name: row.text("name")?,
            targets: row.json("targets")?,
            enabled: row.flag("enabled")?,
        },
        updated_at: row.time("updated_at")?,
        version: row.int("version")?,
    })
}

#[cfg(test)]
mod tests;
