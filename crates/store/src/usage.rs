//! Sums of usage, read side, from the hourly rollups; the request log is never scanned.
//!
//! Ranges are widened at their start to the whole hour, because that is how finely the books are kept.

use std::collections::BTreeMap;

use types::usage::{UsageBy, UsageLine, UsagePoint, UsageTotals, latency_percentile};
use types::{ApiKeyId, Timestamp, UserId};

use crate::sql::{Conditions, Row, args};
use crate::{Store, StoreError};

/// Most points of one chart; a wider request is cut at its end.
const POINTS_MAX: usize = 5_000;

macro_rules! sums {
    ($head:literal, $tail:literal) => {
        concat!(
            $head,
            " COALESCE(CAST(SUM(h.requests) AS BIGINT), 0) AS requests,
              COALESCE(CAST(SUM(h.errors) AS BIGINT), 0) AS errors,
              COALESCE(CAST(SUM(h.refused) AS BIGINT), 0) AS refused,
              COALESCE(CAST(SUM(h.input_tokens) AS BIGINT), 0) AS input_tokens,
              COALESCE(CAST(SUM(h.output_tokens) AS BIGINT), 0) AS output_tokens,
              COALESCE(CAST(SUM(h.cache_read_tokens) AS BIGINT), 0) AS cache_read_tokens,
              COALESCE(CAST(SUM(h.cache_write_tokens) AS BIGINT), 0) AS cache_write_tokens ",
            $tail
        )
    };
}

impl Store {
    /// Sums by day, hour, model, user, key or provider, at most `limit` lines.
    ///
    /// Days and hours come oldest first (the latest ones if there are too many), the rest by requests. An
    /// unknown user, key or provider has the key `0`, an unknown model the empty key.
    pub async fn usage_by(
        &self,
        by: UsageBy,
        since: Timestamp,
        until: Timestamp,
        user_id: Option<UserId>,
        key_id: Option<ApiKeyId>,
        limit: u32,
    ) -> Result<Vec<UsageLine>, StoreError> {
        let (head, tail) = match by {
            UsageBy::Day => (
                sums!("SELECT h.bucket - h.bucket % 86400000 AS line,", "FROM usage_hour h"),
                " GROUP BY h.bucket - h.bucket % 86400000 ORDER BY line DESC LIMIT ?",
            ),
            UsageBy::Hour => (
                sums!("SELECT h.bucket AS line,", "FROM usage_hour h"),
                " GROUP BY h.bucket ORDER BY line DESC LIMIT ?",
            ),
            UsageBy::Model => (
                sums!("SELECT h.model AS line,", "FROM usage_hour h"),
                " GROUP BY h.model ORDER BY requests DESC, line LIMIT ?",
            ),
            UsageBy::User => (
                sums!(
                    "SELECT h.user_id AS line, MAX(n.name) AS label,",
                    "FROM usage_hour h LEFT JOIN users n ON n.id = h.user_id"
                ),
                " GROUP BY h.user_id ORDER BY requests DESC, line LIMIT ?",
            ),
            UsageBy::Key => (
                sums!(
                    "SELECT h.key_id AS line, MAX(n.name) AS label,",
                    "FROM usage_hour h LEFT JOIN api_keys n ON n.id = h.key_id"
                ),
                " GROUP BY h.key_id ORDER BY requests DESC, line LIMIT ?",
            ),
            UsageBy::Provider => (
                sums!(
                    "SELECT h.provider_id AS line, MAX(n.name) AS label,",
                    "FROM usage_hour h LEFT JOIN providers n ON n.id = h.provider_id"
                ),
                " GROUP BY h.provider_id ORDER BY requests DESC, line LIMIT ?",
            ),
        };
        let mut conditions = range(since, until);
        conditions.and_some("h.user_id = ?", user_id);
        conditions.and_some("h.key_id = ?", key_id);
        let (sql, args) = conditions.build(head, tail, limit);
        let rows = self.pool.rows(sql, args).await?;
        let lines = rows.iter().map(|row| {
            let (key, label) = match by {
                UsageBy::Day | UsageBy::Hour => (row.time("line")?.to_string(), None),
                UsageBy::Model => (row.text("line")?, None),
                UsageBy::User | UsageBy::Key | UsageBy::Provider => {
                    (row.int("line")?.to_string(), row.text_opt("label")?)
                }
            };
            Ok(UsageLine { key, label, totals: totals(row)? })
        });
        let mut lines = lines.collect::<Result<Vec<_>, StoreError>>()?;
        if matches!(by, UsageBy::Day | UsageBy::Hour) {
            lines.reverse();
        }
        Ok(lines)
    }

    /// Sums over a range, of everybody or of one user.
    pub async fn usage_totals(
        &self,
        since: Timestamp,
        until: Timestamp,
        user_id: Option<UserId>,
    ) -> Result<UsageTotals, StoreError> {
        let mut conditions = range(since, until);
        conditions.and_some("h.user_id = ?", user_id);
        let (sql, args) = conditions.build(sums!("SELECT", "FROM usage_hour h"), " LIMIT ?", 1_i64);
        totals(&self.pool.row(sql, args).await?)
    }

    /// One point a bucket from the one that holds `since` to the one before `until`, without holes.
    ///
    /// `bucket_ms` is the width of a bucket in milliseconds: an hour or a multiple of it.
    pub async fn usage_points(
        &self,
        since: Timestamp,
        until: Timestamp,
        bucket_ms: i64,
    ) -> Result<Vec<UsagePoint>, StoreError> {
        let width = bucket_ms.max(Timestamp::HOUR_MS);
        let first = Timestamp(since.0 - since.0.rem_euclid(width));
        let sums = self
            .pool
            .rows(
                sums!(
                    "SELECT h.bucket - h.bucket % $3 AS line,",
                    "FROM usage_hour h WHERE h.bucket >= $1 AND h.bucket < $2 GROUP BY line"
                ),
                args![first, until, width],
            )
            .await?;
        let bins = self
            .pool
            .rows(
                "SELECT l.bucket - l.bucket % $3 AS line, l.bin, CAST(SUM(l.requests) AS BIGINT) AS requests
                 FROM latency_hour l WHERE l.bucket >= $1 AND l.bucket < $2 GROUP BY line, l.bin",
                args![first, until, width],
            )
            .await?;
        let mut by_line: BTreeMap<Timestamp, (UsageTotals, [u64; 16])> = BTreeMap::new();
        for row in &sums {
            by_line.entry(row.time("line")?).or_default().0 = totals(row)?;
        }
        for row in &bins {
            add_bin(&mut by_line.entry(row.time("line")?).or_default().1, row)?;
        }
        let starts = std::iter::successors(Some(first), |at| Some(at.plus_ms(width)));
        let points = starts.take_while(|at| *at < until).take(POINTS_MAX).map(|at| {
            let (totals, bins) = by_line.remove(&at).unwrap_or_default();
            UsagePoint {
                at,
                totals,
                first_byte_p50_ms: latency_percentile(&bins, 50),
                first_byte_p95_ms: latency_percentile(&bins, 95),
            }
        });
        Ok(points.collect())
    }

    /// The latency histogram of a range; bins as in `types::usage::latency_bin`.
    pub async fn latency_bins(&self, since: Timestamp, until: Timestamp) -> Result<[u64; 16], StoreError> {
        let rows = self
            .pool
            .rows(
                "SELECT bin, CAST(SUM(requests) AS BIGINT) AS requests FROM latency_hour
                 WHERE bucket >= $1 AND bucket < $2 GROUP BY bin",
                args![since.hour_start(), until],
            )
            .await?;
        let mut bins = [0; 16];
        for row in &rows {
            add_bin(&mut bins, row)?;
        }
        Ok(bins)
    }
}

fn range(since: Timestamp, until: Timestamp) -> Conditions {
    let mut conditions = Conditions::default();
    conditions.and_value("h.bucket >= ?", since.hour_start());
    conditions.and_value("h.bucket < ?", until);
    conditions
}

fn totals(row: &Row) -> Result<UsageTotals, StoreError> {
    Ok(UsageTotals {
        requests: row.number("requests")?,
        errors: row.number("errors")?,
        refused: row.number("refused")?,
        input_tokens: row.number("input_tokens")?,
        output_tokens: row.number("output_tokens")?,
        cache_read_tokens: row.number("cache_read_tokens")?,
        cache_write_tokens: row.number("cache_write_tokens")?,
    })
}

fn add_bin(bins: &mut [u64; 16], row: &Row) -> Result<(), StoreError> {
    let bin: usize = row.number("bin")?;
    if let Some(slot) = bins.get_mut(bin) {
        *slot += row.number::<u64>("requests")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
