//! Prices that differ from the table that comes with the program: rows and their changes. Which price a request
//! has is decided elsewhere.

use std::collections::BTreeMap;

use types::price::{PriceFilter, PriceSource, PriceSpec, UnpricedModel};
use types::{Page, Timestamp};

use crate::audit::page;
use crate::column::json;
use crate::pool::Txn;
use crate::revision::commit_change;
use crate::sql::{Args, Conditions, Row, args, insert_many, pieces};
use crate::{Change, Store, StoreError};

/// Page size where the filter names none, and the largest.
const PAGE: u32 = 100;
const PAGE_MAX: u32 = 500;

/// A price as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceRow {
    /// Model name or pattern.
    pub model: String,
    /// The price.
    pub spec: PriceSpec,
    /// Where it comes from; never `default`.
    pub source: PriceSource,
    /// File name, address or person behind it.
    pub origin: String,
    /// When it was set.
    pub updated_at: Timestamp,
    /// Grows with each change, from 1.
    pub version: i64,
}

impl Store {
    /// Lists stored prices by model.
    pub async fn price_list(&self, filter: &PriceFilter) -> Result<Page<PriceRow>, StoreError> {
        let PriceFilter { q, source, limit, cursor } = filter;
        let mut conditions = Conditions::default();
        conditions.and_some("model > ?", cursor.clone());
        conditions.and_some("source = ?", source.map(PriceSource::as_str));
        if let Some(part) = q.as_deref().filter(|part| !part.is_empty()) {
            conditions.and_value("lower(model) LIKE ? ESCAPE '!'", containing(part));
        }
        let size = limit.unwrap_or(PAGE).clamp(1, PAGE_MAX);
        let (sql, args) =
            conditions.build("SELECT * FROM prices", " ORDER BY model LIMIT ?", i64::from(size) + 1);
        let rows = self.pool.rows(sql, args).await?;
        let items = rows.iter().map(price_row).collect::<Result<Vec<_>, _>>()?;
        Ok(page(items, size, |row| row.model.clone()))
    }

    /// Fetches the stored price of exactly this name or pattern.
    pub async fn price_fetch(&self, model: &str) -> Result<Option<PriceRow>, StoreError> {
        let row = self.pool.row_opt("SELECT * FROM prices WHERE model = $1", args![model]).await?;
        row.as_ref().map(price_row).transpose()
    }

    /// Stores a price. An expected version must be the stored one, 0 where none is stored.
    pub async fn price_put(
        &self,
        model: &str,
        spec: &PriceSpec,
        source: PriceSource,
        origin: &str,
        expected_version: Option<i64>,
        change: Change,
    ) -> Result<PriceRow, StoreError> {
        let mut txn = self.pool.begin_write().await?;
        let row = txn
            .row_opt(
                "INSERT INTO prices AS p (model, spec, source, origin, updated_at, version)
                 SELECT $1, $2, $3, $4, $5, 1
                  WHERE COALESCE($6, 0) = 0 OR EXISTS (SELECT 1 FROM prices WHERE model = $1)
                 ON CONFLICT (model) DO UPDATE SET spec = excluded.spec, source = excluded.source,
                    origin = excluded.origin, updated_at = excluded.updated_at, version = p.version + 1
                  WHERE $6 IS NULL OR p.version = $6
                 RETURNING *",
                args![model, json(spec)?, source.as_str(), origin, change.at, expected_version],
            )
            .await?
            .ok_or(StoreError::StaleVersion)?;
        commit_change(txn, change).await?;
        price_row(&row)
    }

    /// Forgets a stored price, so that the table that comes with the program applies.
    pub async fn price_delete(&self, model: &str, change: Change) -> Result<(), StoreError> {
        let mut txn = self.pool.begin_write().await?;
        if txn.execute("DELETE FROM prices WHERE model = $1", args![model]).await? == 0 {
            return Err(StoreError::NotFound);
        }
        commit_change(txn, change).await
    }

    /// Stores a whole list of prices or nothing of it; answers how many rows are new or different now.
    ///
    /// Prices that were entered by hand stay unless `replace_manual`. Of a model that is named twice the last
    /// entry counts.
    pub async fn price_apply(
        &self,
        entries: Vec<(String, PriceSpec)>,
        source: PriceSource,
        origin: &str,
        replace_manual: bool,
        change: Change,
    ) -> Result<u64, StoreError> {
        let entries: BTreeMap<String, PriceSpec> = entries.into_iter().collect();
        let entries: Vec<_> = entries.into_iter().collect();
        let tail = if replace_manual {
            " ON CONFLICT (model) DO UPDATE SET spec = excluded.spec, source = excluded.source,
                origin = excluded.origin, updated_at = excluded.updated_at, version = p.version + 1
              WHERE p.spec <> excluded.spec OR p.source <> excluded.source"
        } else {
            " ON CONFLICT (model) DO UPDATE SET spec = excluded.spec, source = excluded.source,
                origin = excluded.origin, updated_at = excluded.updated_at, version = p.version + 1
              WHERE (p.spec <> excluded.spec OR p.source <> excluded.source) AND p.source <> 'manual'"
        };
        let mut txn = self.pool.begin_write().await?;
        let mut changed = 0;
        for piece in pieces(&entries) {
            let head = "INSERT INTO prices AS p (model, spec, source, origin, updated_at, version) VALUES";
            let sql = insert_many(txn.placeholders(), head, 6, piece.len(), tail);
            let mut args = Args::with_capacity(piece.len() * 6);
            for (model, spec) in piece {
                args.extend(args![model.as_str(), json(spec)?, source.as_str(), origin, change.at, 1_i64]);
            }
            changed += txn.execute(sql, args).await?;
        }
        commit_change(txn, change).await?;
        Ok(changed)
    }

    /// Models that were used without a known price since the given time, most used first.
    pub async fn unpriced_models(
        &self,
        since: Timestamp,
        limit: u32,
    ) -> Result<Vec<UnpricedModel>, StoreError> {
        // The condition on the state is written as in the partial index, and the time so that its index, which holds
        // far more rows, is not taken instead.
        let rows = self
            .pool
            .rows(
                "SELECT COALESCE(r.model, '') AS model, COUNT(*) AS requests, MAX(r.created_at) AS last_used_at,
                    CAST(SUM(r.input_tokens + r.output_tokens + r.cache_read_tokens + r.cache_write_tokens)
                        AS BIGINT) AS tokens
                 FROM requests r WHERE r.price_state = 'unpriced' AND r.created_at + 0 >= $1
                 GROUP BY COALESCE(r.model, '') ORDER BY requests DESC, model LIMIT $2",
                args![since, limit],
            )
            .await?;
        rows.iter().map(unpriced_row).collect()
    }
}

/// All stored prices.
pub(crate) async fn all_in_txn(txn: &mut Txn) -> Result<Vec<PriceRow>, StoreError> {
    txn.rows("SELECT * FROM prices ORDER BY model", args![]).await?.iter().map(price_row).collect()
}

// Both sides in small letters: SQLite's LIKE ignores the case of ASCII letters only, PostgreSQL's of none.
fn containing(part: &str) -> String {
    let mut pattern = String::from("%");
    for letter in part.to_lowercase().chars() {
        if matches!(letter, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

fn price_row(row: &Row) -> Result<PriceRow, StoreError> {
    Ok(PriceRow {
        model: row.text("model")?,
        spec: row.json("spec")?,
        source: row.named("source")?,
        origin: row.text("origin")?,
        updated_at: row.time("updated_at")?,
        version: row.int("version")?,
    })
}

fn unpriced_row(row: &Row) -> Result<UnpricedModel, StoreError> {
    Ok(UnpricedModel {
        model: row.text("model")?,
        requests: row.number("requests")?,
        tokens: row.number("tokens")?,
        last_used_at: row.time("last_used_at")?,
    })
}

#[cfg(test)]
mod tests;
