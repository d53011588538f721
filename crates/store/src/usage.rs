//! Sums of usage, read side, from the rollups by hour and by day; the request log is never scanned.
//!
//! Ranges are widened at their start to the whole hour, because that is how finely the books are kept.

mod source;

use std::collections::{BTreeMap, HashMap};

use types::package::PackageSpec;
use types::usage::{UsageBy, UsageFilter, UsageLine, UsagePoint, UsageTotals, latency_percentile};
use types::{ProviderId, Timestamp, UserId};

use crate::pool::Txn;
use crate::sql::{Row, args};
use crate::{Store, StoreError};

use source::Line;
pub(crate) use source::next_day;

/// Most points of one chart; a wider request is cut at its end.
const POINTS_MAX: usize = 5_000;

/// Lines of a table, unless the filter says otherwise, and at most.
const LINES: u32 = 100;
const LINES_MAX: u32 = 10_000;

// `h` is a row of either rollup.
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

impl Store {
    /// Sums by what the filter says; by day, and at most 100 lines, if it does not.
    ///
    /// Days and hours come oldest first (the latest ones if there are too many), the rest by requests. An unknown
    /// or missing user, key, provider, credential or grant has the key `0`, an unknown model and no group the
    /// empty key. Without `since` and `until` everything counts that was ever booked.
    pub async fn usage_by(&self, filter: &UsageFilter) -> Result<Vec<UsageLine>, StoreError> {
        let by = filter.by.unwrap_or(UsageBy::Day);
        let limit = filter.limit.unwrap_or(LINES).clamp(1, LINES_MAX);
        let mut txn = self.pool.begin_read().await?;
        let mut lines: Vec<_> = source::lines(&mut txn, by, filter, limit).await?.into_iter().collect();
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        if matches!(by, UsageBy::Day | UsageBy::Hour) {
            lines.drain(..lines.len().saturating_sub(limit));
        } else {
            // Lines come in order, and the sort keeps it among equals.
            lines.sort_by_key(|(_, totals)| std::cmp::Reverse(totals.requests));
            lines.truncate(limit);
        }
        let labels = labels(&mut txn, by).await?;
        txn.commit().await?;
        let line = |(line, totals)| {
            let label = match &line {
                Line::Id(id) => labels.get(id).cloned(),
                Line::At(_) | Line::Name(_) => None,
            };
            UsageLine { key: line.to_string(), label, totals }
        };
        Ok(lines.into_iter().map(line).collect())
    }

    /// Sums over a range, of everybody or of one user.
    pub async fn usage_totals(
        &self,
        since: Timestamp,
        until: Timestamp,
        user_id: Option<UserId>,
    ) -> Result<UsageTotals, StoreError> {
        let filter =
            UsageFilter { since: Some(since), until: Some(until), user_id, ..UsageFilter::default() };
        let mut txn = self.pool.begin_read().await?;
        let lines = source::lines(&mut txn, UsageBy::Day, &filter, u32::MAX).await?;
        txn.commit().await?;
        let mut sum = UsageTotals::default();
        for totals in lines.values() {
            ledger::batch::add(&mut sum, totals);
        }
        Ok(sum)
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
        let by = if width % Timestamp::DAY_MS == 0 { UsageBy::Day } else { UsageBy::Hour };
        let filter = UsageFilter { since: Some(first), until: Some(until), ..UsageFilter::default() };
        let mut txn = self.pool.begin_read().await?;
        let lines = source::lines(&mut txn, by, &filter, u32::MAX).await?;
        let bins = txn
            .rows(
                "SELECT l.bucket - l.bucket % $3 AS line, l.bin, CAST(SUM(l.requests) AS BIGINT) AS requests
                 FROM latency_hour l WHERE l.bucket >= $1 AND l.bucket < $2 GROUP BY line, l.bin",
                args![first, until, width],
            )
            .await?;
        txn.commit().await?;
        let mut by_line: BTreeMap<Timestamp, (UsageTotals, [u64; 16])> = BTreeMap::new();
        for (line, totals) in &lines {
            if let Line::At(at) = line {
                let start = Timestamp(at.0 - at.0.rem_euclid(width));
                ledger::batch::add(&mut by_line.entry(start).or_default().0, totals);
            }
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

    /// The same of one provider.
    pub async fn provider_latency_bins(
        &self,
        provider: ProviderId,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<[u64; 16], StoreError> {
        let rows = self
            .pool
            .rows(
                "SELECT bin, CAST(SUM(requests) AS BIGINT) AS requests FROM latency_hour
                 WHERE bucket >= $1 AND bucket < $2 AND provider_id = $3 GROUP BY bin",
                args![since.hour_start(), until, provider],
            )
            .await?;
        let mut bins = [0; 16];
        for row in &rows {
            add_bin(&mut bins, row)?;
        }
        Ok(bins)
    }
}

// Names by identity; none for lines that are no things with an identity.
async fn labels(txn: &mut Txn, by: UsageBy) -> Result<HashMap<i64, String>, StoreError> {
    let sql = match by {
        UsageBy::Day | UsageBy::Hour | UsageBy::Model | UsageBy::Group => return Ok(HashMap::new()),
        UsageBy::User => "SELECT id, name FROM users",
        UsageBy::Key => "SELECT id, name FROM api_keys",
        UsageBy::Provider => "SELECT id, name FROM providers",
        UsageBy::Credential => "SELECT id, name FROM credentials",
        UsageBy::Package => "SELECT id, spec FROM grants",
    };
    let mut labels = HashMap::new();
    for row in txn.rows(sql, args![]).await? {
        let name = match by {
            UsageBy::Package => row.json::<PackageSpec>("spec")?.name,
            _ => row.text("name")?,
        };
        labels.insert(row.int("id")?, name);
    }
    Ok(labels)
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
