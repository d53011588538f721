//! Request rows against everything that is summed from them: hours, users, keys, providers, credentials, packages,
//! the last minutes, and the counters of keys. And the sums made anew from the rows, where they differ.
//!
//! Only spans from which no row was pruned can be compared; the span is narrowed to those.

mod days;

use std::collections::{BTreeMap, BTreeSet};

use types::books::{Difference, ReconcileFilter, Reconciliation};
use types::usage::UsageTotals;
use types::{Timestamp, UserId};

use crate::pool::Txn;
use crate::revision::commit_change;
use crate::spend::rollup;
use crate::sql::{Args, Row, args};
use crate::usage::{sums, totals};
use crate::{Change, Store, StoreError, dialect, request};

/// Most differences that are told.
const TOLD: usize = 500;

/// Part of the books.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) since: Timestamp,
    pub(crate) until: Timestamp,
    pub(crate) user_id: Option<UserId>,
}

/// One way to cut the books into sums: over rows, over losses, and as they are kept. `$1` and `$2` are the span,
/// `$3` is a user or null.
struct Cut {
    subject: &'static str,
    rows: &'static str,
    losses: &'static str,
    kept: &'static str,
}

macro_rules! cut {
    ($subject:literal, $row:expr, $loss:expr, $hour:expr) => {
        Cut {
            subject: $subject,
            rows: concat!(
                "SELECT ",
                $row,
                " AS line, COUNT(*) AS requests,
                    CAST(SUM(CASE WHEN r.is_error THEN 1 ELSE 0 END) AS BIGINT) AS errors,
                    CAST(SUM(CASE WHEN r.outcome = 'refused' THEN 1 ELSE 0 END) AS BIGINT) AS refused,
                    CAST(SUM(r.input_tokens) AS BIGINT) AS input_tokens,
                    CAST(SUM(r.output_tokens) AS BIGINT) AS output_tokens,
                    CAST(SUM(r.cache_read_tokens) AS BIGINT) AS cache_read_tokens,
                    CAST(SUM(r.cache_write_tokens) AS BIGINT) AS cache_write_tokens,
                    CAST(SUM(CASE WHEN r.price_state = 'unpriced' THEN 1 ELSE 0 END) AS BIGINT) AS unpriced,
                    CAST(SUM(r.cost_nano) AS BIGINT) AS cost_nano,
                    CAST(SUM(r.base_cost_nano) AS BIGINT) AS base_cost_nano,
                    CAST(SUM(r.provider_cost_nano) AS BIGINT) AS provider_cost_nano
                 FROM requests r
                 WHERE r.created_at >= $1 AND r.created_at < $2 AND ($3 IS NULL OR r.user_id = $3)
                 GROUP BY 1"
            ),
            losses: concat!(
                "SELECT ",
                $loss,
                " AS line, CAST(SUM(l.provider_cost_nano) AS BIGINT) AS provider_cost_nano
                 FROM request_loss l JOIN requests r ON r.id = l.request_id
                 WHERE r.created_at >= $1 AND r.created_at < $2 AND ($3 IS NULL OR r.user_id = $3)
                 GROUP BY 1"
            ),
            kept: sums!(
                concat!("SELECT ", $hour, " AS line,"),
                "FROM usage_hour h
                 WHERE h.bucket >= $1 AND h.bucket < $2 AND ($3 IS NULL OR h.user_id = $3) GROUP BY 1"
            ),
        }
    };
}

/// The first cut must be the one by hours: it says how many rows there are.
const CUTS: [Cut; 6] = [
    cut!(
        "hour",
        "r.created_at - r.created_at % 3600000",
        "r.created_at - r.created_at % 3600000",
        "h.bucket"
    ),
    cut!("user", "COALESCE(r.user_id, 0)", "COALESCE(r.user_id, 0)", "h.user_id"),
    cut!("key", "COALESCE(r.key_id, 0)", "COALESCE(r.key_id, 0)", "h.key_id"),
    cut!("provider", "COALESCE(r.provider_id, 0)", "l.provider_id", "h.provider_id"),
    cut!("credential", "COALESCE(r.credential_id, 0)", "l.credential_id", "h.credential_id"),
    cut!("package", "COALESCE(r.grant_id, 0)", "COALESCE(r.grant_id, 0)", "h.grant_id"),
];

impl Store {
    /// Compares rows and sums. Without `since` and `until` everything is compared that can be.
    pub async fn reconcile(&self, filter: &ReconcileFilter) -> Result<Reconciliation, StoreError> {
        let mut txn = self.pool.begin_read().await?;
        let span = span(&mut txn, filter).await?;
        let found = compare(&mut txn, span).await?;
        txn.commit().await?;
        Ok(found)
    }

    /// Makes the sums of a span anew from its rows, and the counters of keys from all sums; answers what differed
    /// before.
    pub async fn rebuild(
        &self,
        filter: &ReconcileFilter,
        change: Change,
    ) -> Result<Reconciliation, StoreError> {
        let mut txn = self.pool.begin_write().await?;
        dialect::books_lock(&mut txn).await?;
        let span = span(&mut txn, filter).await?;
        let found = compare(&mut txn, span).await?;
        for sql in [FORGET_HOURS, SUM_ROWS, SUM_LOSSES] {
            txn.execute(sql, span.args()).await?;
        }
        days::rebuild(&mut txn, span).await?;
        rollup::rebuild(&mut txn, span).await?;
        for sql in [FORGET_COUNTERS, SUM_COUNTERS] {
            txn.execute(sql, args![span.user_id]).await?;
        }
        commit_change(txn, change).await?;
        Ok(Reconciliation { rebuilt: true, ..found })
    }
}

impl Span {
    fn args(self) -> Args {
        args![self.since, self.until, self.user_id]
    }
}

async fn span(txn: &mut Txn, filter: &ReconcileFilter) -> Result<Span, StoreError> {
    let ReconcileFilter { user_id, since, until } = filter;
    let whole = next_hour(request::whole_since(txn).await?);
    let since = since.unwrap_or_default().hour_start().max(whole);
    let until = until.map_or(Timestamp(i64::MAX), next_hour).max(since);
    Ok(Span { since, until, user_id: *user_id })
}

/// The first whole hour at or after an instant.
pub(crate) fn next_hour(at: Timestamp) -> Timestamp {
    Timestamp(at.0.saturating_add(Timestamp::HOUR_MS - 1)).hour_start()
}

/// Compares rows and sums within a transaction.
async fn compare(txn: &mut Txn, span: Span) -> Result<Reconciliation, StoreError> {
    let mut found = Reconciliation {
        since: span.since,
        until: span.until,
        rows: 0,
        compared: 0,
        differences: Vec::new(),
        rebuilt: false,
    };
    for (index, cut) in CUTS.iter().enumerate() {
        let mut rows = lines(&txn.rows(cut.rows, span.args()).await?)?;
        if index == 0 {
            found.rows = rows.values().map(|totals| totals.requests).sum();
        }
        for row in txn.rows(cut.losses, span.args()).await? {
            let sum = &mut rows.entry(row.int("line")?).or_default().provider_cost_usd;
            *sum = sum.plus(row.money("provider_cost_nano")?);
        }
        note(&mut found, cut.subject, &rows, &lines(&txn.rows(cut.kept, span.args()).await?)?);
    }
    days::compare(txn, &mut found, span).await?;
    rollup::compare(txn, &mut found, span).await?;
    let mut hours = BTreeMap::new();
    for row in txn.rows(COUNTED, args![span.user_id]).await? {
        hours.insert(row.int("line")?, counter(&row)?);
    }
    let mut counters = BTreeMap::new();
    for row in txn.rows(COUNTERS, args![span.user_id]).await? {
        counters.insert(row.int("line")?, counter(&row)?);
    }
    note(&mut found, "counter", &hours, &counters);
    Ok(found)
}

type Lines = BTreeMap<i64, UsageTotals>;

fn lines(rows: &[Row]) -> Result<Lines, StoreError> {
    rows.iter().map(|row| Ok((row.int("line")?, totals(row)?))).collect()
}

fn counter(row: &Row) -> Result<UsageTotals, StoreError> {
    let (requests, cost_usd) = (row.number("requests")?, row.money("cost_nano")?);
    Ok(UsageTotals { requests, cost_usd, ..UsageTotals::default() })
}

/// Notes where two ways to sum differ.
pub(crate) fn note<K: Ord + ToString>(
    found: &mut Reconciliation,
    subject: &str,
    rows: &BTreeMap<K, UsageTotals>,
    kept: &BTreeMap<K, UsageTotals>,
) {
    let ids: BTreeSet<&K> = rows.keys().chain(kept.keys()).collect();
    for id in ids {
        let of = |lines: &BTreeMap<K, UsageTotals>| lines.get(id).copied().unwrap_or_default();
        let (rows, kept) = (of(rows), of(kept));
        found.compared += 1;
        if rows != kept && found.differences.len() < TOLD {
            let id = id.to_string();
            let id = match id.parse() {
                Ok(at) if subject == "hour" => Timestamp(at).to_string(),
                _ => id,
            };
            found.differences.push(Difference { subject: subject.to_owned(), id, rows, kept });
        }
    }
}

// Counters of keys stand over all sums, because they are older than any row: `$1` is a user or null.
const COUNTED: &str = "SELECT h.key_id AS line, CAST(SUM(h.requests) AS BIGINT) AS requests,
        CAST(SUM(h.cost_nano) AS BIGINT) AS cost_nano
     FROM usage_hour h
     WHERE h.key_id <> 0 AND ($1 IS NULL OR h.key_id IN (SELECT id FROM api_keys WHERE user_id = $1))
     GROUP BY h.key_id";
const COUNTERS: &str = "SELECT c.key_id AS line, c.request_count AS requests, c.cost_nano
     FROM key_usage c WHERE $1 IS NULL OR c.key_id IN (SELECT id FROM api_keys WHERE user_id = $1)";
const FORGET_COUNTERS: &str = "UPDATE key_usage SET request_count = 0, cost_nano = 0
     WHERE $1 IS NULL OR key_id IN (SELECT id FROM api_keys WHERE user_id = $1)";
const SUM_COUNTERS: &str = "INSERT INTO key_usage (key_id, request_count, last_used_at, cost_nano)
     SELECT key_id, SUM(requests), MAX(bucket), SUM(cost_nano)
     FROM usage_hour
     WHERE key_id <> 0 AND ($1 IS NULL OR key_id IN (SELECT id FROM api_keys WHERE user_id = $1))
     GROUP BY key_id
     ON CONFLICT (key_id) DO UPDATE SET request_count = excluded.request_count, cost_nano = excluded.cost_nano";

const FORGET_HOURS: &str = "DELETE FROM usage_hour
     WHERE bucket >= $1 AND bucket < $2 AND ($3 IS NULL OR user_id = $3)";
const SUM_ROWS: &str =
    "INSERT INTO usage_hour (bucket, user_id, key_id, provider_id, credential_id, group_name,
        grant_id, model, requests, errors, refused, input_tokens, output_tokens, cache_read_tokens,
        cache_write_tokens, unpriced, cost_nano, base_cost_nano, provider_cost_nano)
     SELECT r.created_at - r.created_at % 3600000, COALESCE(r.user_id, 0), COALESCE(r.key_id, 0),
        COALESCE(r.provider_id, 0), COALESCE(r.credential_id, 0), COALESCE(r.group_name, ''),
        COALESCE(r.grant_id, 0), COALESCE(r.model, ''), COUNT(*), SUM(CASE WHEN r.is_error THEN 1 ELSE 0 END),
        SUM(CASE WHEN r.outcome = 'refused' THEN 1 ELSE 0 END), SUM(r.input_tokens), SUM(r.output_tokens),
        SUM(r.cache_read_tokens), SUM(r.cache_write_tokens),
        SUM(CASE WHEN r.price_state = 'unpriced' THEN 1 ELSE 0 END), SUM(r.cost_nano), SUM(r.base_cost_nano),
        SUM(r.provider_cost_nano)
     FROM requests r
     WHERE r.created_at >= $1 AND r.created_at < $2 AND ($3 IS NULL OR r.user_id = $3)
     GROUP BY 1, 2, 3, 4, 5, 6, 7, 8";
const SUM_LOSSES: &str = "INSERT INTO usage_hour AS h (bucket, user_id, key_id, provider_id, credential_id, group_name,
        grant_id, model, requests, errors, refused, input_tokens, output_tokens, cache_read_tokens,
        cache_write_tokens, unpriced, cost_nano, base_cost_nano, provider_cost_nano)
     SELECT r.created_at - r.created_at % 3600000, COALESCE(r.user_id, 0), COALESCE(r.key_id, 0), l.provider_id,
        l.credential_id, COALESCE(r.group_name, ''), COALESCE(r.grant_id, 0), COALESCE(r.model, ''),
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, SUM(l.provider_cost_nano)
     FROM request_loss l JOIN requests r ON r.id = l.request_id
     WHERE r.created_at >= $1 AND r.created_at < $2 AND ($3 IS NULL OR r.user_id = $3)
     GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
     ON CONFLICT (bucket, user_id, key_id, provider_id, credential_id, group_name, grant_id, model)
     DO UPDATE SET provider_cost_nano = h.provider_cost_nano + excluded.provider_cost_nano";

#[cfg(test)]
mod tests;
