//! Sums of usage, read side, from the hourly rollups; the request log is never scanned.
//!
//! Ranges are widened at their start to the whole hour, because that is how finely the books are kept.

use std::collections::BTreeMap;

use types::package::PackageSpec;
use types::usage::{UsageBy, UsageFilter, UsageLine, UsagePoint, UsageTotals, latency_percentile};
use types::{Timestamp, UserId};

use crate::sql::{Conditions, Row, args};
use crate::{Store, StoreError};

/// Most points of one chart; a wider request is cut at its end.
const POINTS_MAX: usize = 5_000;

/// Lines of a table, unless the filter says otherwise, and at most.
const LINES: u32 = 100;
const LINES_MAX: u32 = 10_000;

macro_rules! sums {
    ($head:expr, $tail:expr) => {
        concat!(
            $head,
            " COALESCE(CAST(SUM(h.requests) AS BIGINT), 0) AS requests,
              COALESCE(CAST(SUM(h.errors) AS BIGINT), 0) AS errors,
              COALESCE(CAST(SUM(h.refused) AS BIGINT), 0) AS refused,
              COALESCE(CAST(SUM(h.input_tokens) AS BIGINT), 0) AS input_tokens,
              COALESCE(CAST(SUM(h.output_tokens) AS BIGINT), 0) AS output_tokens,
              COALESCE(CAST(SUM(h.cache_read_tokens) AS BIGINT), 0) AS cache_read_tokens,
              COALESCE(CAST(SUM(h.cache_write_tokens) AS BIGINT), 0) AS cache_write_tokens,
              COALESCE(CAST(SUM(h.unpriced) AS BIGINT), 0) AS unpriced,
              COALESCE(CAST(SUM(h.cost_nano) AS BIGINT), 0) AS cost_nano,
              COALESCE(CAST(SUM(h.base_cost_nano) AS BIGINT), 0) AS base_cost_nano,
              COALESCE(CAST(SUM(h.provider_cost_nano) AS BIGINT), 0) AS provider_cost_nano ",
            $tail
        )
    };
}
pub(crate) use sums;

// A line's name is looked up once a line, after the sums: joining it to the hours would do so once an hour.
fn lines_by(by: UsageBy) -> (&'static str, &'static str) {
    match by {
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
        UsageBy::Group => (
            sums!("SELECT h.group_name AS line,", "FROM usage_hour h"),
            " GROUP BY h.group_name ORDER BY requests DESC, line LIMIT ?",
        ),
        UsageBy::User => (
            sums!(
                "SELECT h.user_id AS line, (SELECT n.name FROM users n WHERE n.id = h.user_id) AS label,",
                "FROM usage_hour h"
            ),
            " GROUP BY h.user_id ORDER BY requests DESC, line LIMIT ?",
        ),
        UsageBy::Key => (
            sums!(
                "SELECT h.key_id AS line, (SELECT n.name FROM api_keys n WHERE n.id = h.key_id) AS label,",
                "FROM usage_hour h"
            ),
            " GROUP BY h.key_id ORDER BY requests DESC, line LIMIT ?",
        ),
        UsageBy::Provider => (
            sums!(
                "SELECT h.provider_id AS line,
                    (SELECT n.name FROM providers n WHERE n.id = h.provider_id) AS label,",
                "FROM usage_hour h"
            ),
            " GROUP BY h.provider_id ORDER BY requests DESC, line LIMIT ?",
        ),
        UsageBy::Credential => (
            sums!(
                "SELECT h.credential_id AS line,
                    (SELECT n.name FROM credentials n WHERE n.id = h.credential_id) AS label,",
                "FROM usage_hour h"
            ),
            " GROUP BY h.credential_id ORDER BY requests DESC, line LIMIT ?",
        ),
        UsageBy::Package => (
            sums!(
                "SELECT h.grant_id AS line, (SELECT n.spec FROM grants n WHERE n.id = h.grant_id) AS label,",
                "FROM usage_hour h"
            ),
            " GROUP BY h.grant_id ORDER BY requests DESC, line LIMIT ?",
        ),
    }
}

impl Store {
    /// Sums by what the filter says; by day, and at most 100 lines, if it does not.
    ///
    /// Days and hours come oldest first (the latest ones if there are too many), the rest by requests. An unknown
    /// or missing user, key, provider, credential or grant has the key `0`, an unknown model and no group the
    /// empty key. Without `since` and `until` everything counts that was ever booked.
    pub async fn usage_by(&self, filter: &UsageFilter) -> Result<Vec<UsageLine>, StoreError> {
        let UsageFilter { by, since, until, user_id, key_id, provider_id, model, limit } = filter;
        let by = by.unwrap_or(UsageBy::Day);
        let mut conditions = range(since.unwrap_or_default(), until.unwrap_or(Timestamp(i64::MAX)));
        conditions.and_some("h.user_id = ?", *user_id);
        conditions.and_some("h.key_id = ?", *key_id);
        conditions.and_some("h.provider_id = ?", *provider_id);
        conditions.and_some("h.model = ?", model.clone());
        let (head, tail) = lines_by(by);
        let (sql, args) = conditions.build(head, tail, limit.unwrap_or(LINES).clamp(1, LINES_MAX));
        let rows = self.pool.rows(sql, args).await?;
        let mut lines = rows.iter().map(|row| line(by, row)).collect::<Result<Vec<_>, StoreError>>()?;
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

fn line(by: UsageBy, row: &Row) -> Result<UsageLine, StoreError> {
    let (key, label) = match by {
        UsageBy::Day | UsageBy::Hour => (row.time("line")?.to_string(), None),
        UsageBy::Model | UsageBy::Group => (row.text("line")?, None),
        UsageBy::User | UsageBy::Key | UsageBy::Provider | UsageBy::Credential => {
            (row.int("line")?.to_string(), row.text_opt("label")?)
        }
        UsageBy::Package => {
            let package = row.json_opt::<PackageSpec>("label")?;
            (row.int("line")?.to_string(), package.map(|package| package.name))
        }
    };
    Ok(UsageLine { key, label, totals: totals(row)? })
}

/// The sums of a row that was read with `sums!`.
pub(crate) fn totals(row: &Row) -> Result<UsageTotals, StoreError> {
    Ok(UsageTotals {
        requests: row.number("requests")?,
        errors: row.number("errors")?,
        refused: row.number("refused")?,
        input_tokens: row.number("input_tokens")?,
        output_tokens: row.number("output_tokens")?,
        cache_read_tokens: row.number("cache_read_tokens")?,
        cache_write_tokens: row.number("cache_write_tokens")?,
        unpriced: row.number("unpriced")?,
        cost_usd: row.money("cost_nano")?,
        base_cost_usd: row.money("base_cost_nano")?,
        provider_cost_usd: row.money("provider_cost_nano")?,
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
