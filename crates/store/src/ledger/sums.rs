//! Sums that the books keep beside the rows, written: usage and latency by hour, and what is kept of each key.

use std::collections::BTreeMap;

use ledger::batch::add;
use ledger::{LatencyDelta, UsageDelta};
use types::request::RequestRecord;
use types::usage::UsageTotals;
use types::{ApiKeyId, Money, Timestamp};

use crate::StoreError;
use crate::pool::Txn;
use crate::sql::{Args, args, insert_many, pieces};

// `h` is a row of either rollup.
macro_rules! added {
    () => {
        "
            requests = h.requests + excluded.requests,
            errors = h.errors + excluded.errors,
            refused = h.refused + excluded.refused,
            input_tokens = h.input_tokens + excluded.input_tokens,
            output_tokens = h.output_tokens + excluded.output_tokens,
            cache_read_tokens = h.cache_read_tokens + excluded.cache_read_tokens,
            cache_write_tokens = h.cache_write_tokens + excluded.cache_write_tokens,
            unpriced = h.unpriced + excluded.unpriced,
            cost_nano = h.cost_nano + excluded.cost_nano,
            base_cost_nano = h.base_cost_nano + excluded.base_cost_nano,
            provider_cost_nano = h.provider_cost_nano + excluded.provider_cost_nano"
    };
}

/// Adds to the sums by hour.
pub(crate) async fn add_usage(txn: &mut Txn, deltas: &[UsageDelta]) -> Result<(), StoreError> {
    for piece in pieces(deltas) {
        let sql = insert_many(
            txn.placeholders(),
            "INSERT INTO usage_hour AS h (bucket, user_id, key_id, provider_id, credential_id, group_name, grant_id,
                model, requests, errors, refused, input_tokens, output_tokens, cache_read_tokens,
                cache_write_tokens, unpriced, cost_nano, base_cost_nano, provider_cost_nano) VALUES",
            19,
            piece.len(),
            concat!(
                " ON CONFLICT (bucket, user_id, key_id, provider_id, credential_id, group_name, grant_id, model)
                  DO UPDATE SET",
                added!()
            ),
        );
        let mut args = Args::new();
        for delta in piece {
            push_usage(&mut args, delta);
        }
        txn.execute(sql, args).await?;
    }
    Ok(())
}

fn push_usage(args: &mut Args, delta: &UsageDelta) {
    let UsageDelta { bucket, user_id, key_id, provider_id, credential_id, grant_id, group, model, totals } =
        delta;
    // 0 stands for unknown: null cannot be part of a primary key.
    args.extend(args![
        *bucket,
        user_id.map_or(0, |id| id.0),
        key_id.map_or(0, |id| id.0),
        provider_id.map_or(0, |id| id.0),
        credential_id.map_or(0, |id| id.0),
        group.as_str(),
        grant_id.map_or(0, |id| id.0),
        model.as_str(),
    ]);
    push_totals(args, totals);
}

fn push_totals(args: &mut Args, totals: &UsageTotals) {
    let UsageTotals {
        requests,
        errors,
        refused,
        input_tokens,
        output_tokens,
        cache_read_tokens,
        cache_write_tokens,
        unpriced,
        cost_usd,
        base_cost_usd,
        provider_cost_usd,
    } = *totals;
    let counts = [
        requests,
        errors,
        refused,
        input_tokens,
        output_tokens,
        cache_read_tokens,
        cache_write_tokens,
        unpriced,
    ];
    args.extend(counts.map(|count| sum(count).into()));
    args.extend([cost_usd, base_cost_usd, provider_cost_usd].map(Into::into));
}

/// What a sum by day is about: its kind, and its identity or its name.
pub(crate) type Thing = (&'static str, i64, String);

/// Everything that a sum by hour belongs to.
pub(crate) fn things(delta: &UsageDelta) -> [Thing; 8] {
    let id = |kind, id: Option<i64>| (kind, id.unwrap_or(0), String::new());
    [
        id("all", None),
        id("user", delta.user_id.map(|id| id.0)),
        id("key", delta.key_id.map(|id| id.0)),
        id("provider", delta.provider_id.map(|id| id.0)),
        id("credential", delta.credential_id.map(|id| id.0)),
        id("package", delta.grant_id.map(|id| id.0)),
        ("group", 0, delta.group.clone()),
        ("model", 0, delta.model.clone()),
    ]
}

/// Adds to the sums by day.
pub(super) async fn add_days(txn: &mut Txn, deltas: &[UsageDelta]) -> Result<(), StoreError> {
    let mut days: BTreeMap<(Thing, Timestamp), UsageTotals> = BTreeMap::new();
    for delta in deltas {
        for thing in things(delta) {
            add(days.entry((thing, delta.bucket.day_start())).or_default(), &delta.totals);
        }
    }
    let days: Vec<_> = days.into_iter().collect();
    for piece in pieces(&days) {
        let sql = insert_many(
            txn.placeholders(),
            "INSERT INTO usage_day AS h (kind, id, name, day, requests, errors, refused, input_tokens, output_tokens,
                cache_read_tokens, cache_write_tokens, unpriced, cost_nano, base_cost_nano, provider_cost_nano)
             VALUES",
            15,
            piece.len(),
            concat!(" ON CONFLICT (kind, id, name, day) DO UPDATE SET", added!()),
        );
        let mut args = Args::new();
        for (((kind, id, name), day), totals) in piece {
            args.extend(args![*kind, *id, name.as_str(), *day]);
            push_totals(&mut args, totals);
        }
        txn.execute(sql, args).await?;
    }
    Ok(())
}

/// Adds to the histogram of latencies.
pub(super) async fn add_latency(txn: &mut Txn, deltas: &[LatencyDelta]) -> Result<(), StoreError> {
    for piece in pieces(deltas) {
        let sql = insert_many(
            txn.placeholders(),
            "INSERT INTO latency_hour AS h (bucket, provider_id, bin, requests) VALUES",
            4,
            piece.len(),
            " ON CONFLICT (bucket, provider_id, bin) DO UPDATE SET requests = h.requests + excluded.requests",
        );
        let mut args = Args::new();
        for LatencyDelta { bucket, provider_id, bin, count } in piece {
            let bin = i64::try_from(*bin).unwrap_or(i64::MAX);
            args.extend(args![*bucket, provider_id.map_or(0, |id| id.0), bin, sum(*count)]);
        }
        txn.execute(sql, args).await?;
    }
    Ok(())
}

/// Adds to what is kept of each key.
pub(super) async fn add_key_usage(txn: &mut Txn, rows: &[&RequestRecord]) -> Result<(), StoreError> {
    let mut by_key: BTreeMap<ApiKeyId, (i64, Timestamp, Money)> = BTreeMap::new();
    for row in rows {
        if let Some(key_id) = row.key_id {
            let (requests, last, cost) = by_key.entry(key_id).or_default();
            *requests += 1;
            *last = row.created_at.max(*last);
            *cost = cost.plus(row.cost_usd);
        }
    }
    let entries: Vec<_> = by_key.into_iter().collect();
    for piece in pieces(&entries) {
        let sql = insert_many(
            txn.placeholders(),
            "INSERT INTO key_usage AS k (key_id, request_count, last_used_at, cost_nano) VALUES",
            4,
            piece.len(),
            " ON CONFLICT (key_id) DO UPDATE SET
                request_count = k.request_count + excluded.request_count,
                cost_nano = k.cost_nano + excluded.cost_nano,
                last_used_at = CASE WHEN excluded.last_used_at > k.last_used_at
                    THEN excluded.last_used_at ELSE k.last_used_at END",
        );
        let args =
            piece.iter().flat_map(|(key, (requests, last, cost))| args![*key, *requests, *last, *cost]);
        txn.execute(sql, args.collect()).await?;
    }
    Ok(())
}

// A sum over bounded counts; it cannot reach the end of the range.
fn sum(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
