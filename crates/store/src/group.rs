//! Groups of providers: their rates, limits and strategies. A group without any of them has no row; it is a tag and nothing more.

use types::group::GroupSpec;
use types::routing::Strategy;
use types::{GroupId, Timestamp};

use crate::column::json;
use crate::pool::Txn;
use crate::revision::commit_change;
use crate::sql::{Row, args};
use crate::{Change, Store, StoreError};

/// A group as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupRow {
    /// Identity.
    pub id: GroupId,
    /// The tag.
    pub name: String,
    /// Rate, limits and strategy.
    pub spec: GroupSpec,
    /// Usage counts towards its limits from here on; null means from the beginning.
    pub usage_reset_at: Option<Timestamp>,
    /// Last change.
    pub updated_at: Timestamp,
    /// Grows with each change, from 1.
    pub version: i64,
}

impl Store {
    /// Lists groups that have a row, by name.
    pub async fn group_list(&self) -> Result<Vec<GroupRow>, StoreError> {
        let rows = self.pool.rows("SELECT * FROM provider_groups ORDER BY name", args![]).await?;
        rows.iter().map(group_row).collect()
    }

    /// Fetches the group of that exact name.
    pub async fn group_fetch(&self, name: &str) -> Result<Option<GroupRow>, StoreError> {
        let sql = "SELECT * FROM provider_groups WHERE name = $1";
        self.pool.row_opt(sql, args![name]).await?.as_ref().map(group_row).transpose()
    }

    /// Stores rate, limits and strategy. An expected version must be the stored one, 0 where none is stored.
    pub async fn group_put(
        &self,
        name: &str,
        spec: &GroupSpec,
        expected_version: Option<i64>,
        change: Change,
    ) -> Result<GroupRow, StoreError> {
        let GroupSpec { price_rate, limits, strategy } = spec;
        let mut txn = self.pool.begin_write().await?;
        let row = txn
            .row_opt(
                "INSERT INTO provider_groups AS g (name, price_rate, limits, strategy, updated_at, version)
                 SELECT $1, $2, $3, $4, $5, 1
                  WHERE COALESCE($6, 0) = 0 OR EXISTS (SELECT 1 FROM provider_groups WHERE name = $1)
                 ON CONFLICT (name) DO UPDATE SET price_rate = excluded.price_rate, limits = excluded.limits,
                    strategy = excluded.strategy, updated_at = excluded.updated_at, version = g.version + 1
                  WHERE $6 IS NULL OR g.version = $6
                 RETURNING *",
                args![
                    name,
                    *price_rate,
                    json(limits)?,
                    strategy.map(Strategy::as_str),
                    change.at,
                    expected_version,
                ],
            )
            .await?
            .ok_or(StoreError::StaleVersion)?;
        let row = group_row(&row)?;
        commit_change(txn, change.of_new(row.id.0)).await?;
        Ok(row)
    }
}

/// All groups that have a row.
pub(crate) async fn all_in_txn(txn: &mut Txn) -> Result<Vec<GroupRow>, StoreError> {
    txn.rows("SELECT * FROM provider_groups ORDER BY id", args![]).await?.iter().map(group_row).collect()
}

fn group_row(row: &Row) -> Result<GroupRow, StoreError> {
    Ok(GroupRow {
        id: GroupId(row.int("id")?),
        name: row.text("name")?,
        spec: GroupSpec {
            price_rate: row.factor("price_rate")?,
            limits: row.json("limits")?,
            strategy: row.named_opt("strategy")?,
        },
        usage_reset_at: row.time_opt("usage_reset_at")?,
        updated_at: row.time("updated_at")?,
        version: row.int("version")?,
    })
}

#[cfg(test)]
mod tests;
