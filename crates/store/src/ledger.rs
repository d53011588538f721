//! The books' way into the database: one batch, one transaction, exactly once.
//!
//! Rows, sums and the position reached are written together, and only rows that were not there yet are summed,
//! so a batch may be applied again, or overlap another, without changing anything.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};

use ledger::batch::fold;
use ledger::{Batch, LatencyDelta, Position, UsageDelta};
use types::request::RequestRecord;
use types::{ApiKeyId, Timestamp};

use crate::column::{COUNT_MAX, count, json};
use crate::pool::Txn;
use crate::sql::{Args, Value, args, insert_many, pieces};
use crate::{Store, StoreError};

/// Most characters kept of a text that is part of an index; PostgreSQL refuses index entries above 2.7 KB.
const INDEXED_CHARS: usize = 200;

/// What [`Store::ledger_apply`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Rows that were new.
    pub inserted: u64,
    /// Rows that were there already.
    pub known: u64,
}

impl Store {
    /// Writes a batch of a node's journal and the position where the next one begins.
    pub async fn ledger_apply(&self, node: &str, batch: &Batch) -> Result<Applied, StoreError> {
        let rows: Vec<Cow<'_, RequestRecord>> = batch.rows.iter().map(bounded).collect();
        let untouched = rows.iter().all(|row| matches!(row, Cow::Borrowed(_)));
        let mut txn = self.pool.begin_write().await?;
        let mut new: HashSet<String> = HashSet::with_capacity(rows.len());
        for piece in pieces(&rows) {
            insert_requests(&mut txn, piece, &mut new).await?;
        }
        let inserted = new.len();
        // The same request twice in one batch counts once.
        let fresh: Vec<&RequestRecord> =
            rows.iter().map(AsRef::as_ref).filter(|row| new.remove(&row.request_id.to_string())).collect();
        insert_decisions(&mut txn, &fresh).await?;
        let refolded = (!untouched || fresh.len() < rows.len()).then(|| fold(fresh.iter().copied()));
        let (usage, latency) =
            refolded.as_ref().map_or((&batch.usage, &batch.latency), |(usage, latency)| (usage, latency));
        add_usage(&mut txn, usage).await?;
        add_latency(&mut txn, latency).await?;
        add_key_usage(&mut txn, &fresh).await?;
        // Overwritten even when it goes back: a journal that was removed starts over, and a position ahead of
        // it would lose what it writes.
        txn.execute(
            "INSERT INTO ledger_position (node, segment, byte_offset) VALUES ($1, $2, $3)
             ON CONFLICT (node) DO UPDATE
                SET segment = excluded.segment, byte_offset = excluded.byte_offset",
            args![node, position(batch.end.segment)?, position(batch.end.offset)?],
        )
        .await?;
        txn.commit().await?;
        let known = rows.len() - inserted;
        let number = |n| u64::try_from(n).unwrap_or(u64::MAX);
        Ok(Applied { inserted: number(inserted), known: number(known) })
    }

    /// Where the next batch of a node's journal begins.
    pub async fn ledger_position(&self, node: &str) -> Result<Position, StoreError> {
        let sql = "SELECT segment, byte_offset FROM ledger_position WHERE node = $1";
        match self.pool.row_opt(sql, args![node]).await? {
            None => Ok(Position::default()),
            Some(row) => Ok(Position { segment: row.number("segment")?, offset: row.number("byte_offset")? }),
        }
    }
}

const REQUEST_COLUMNS: usize = 34;

async fn insert_requests(
    txn: &mut Txn,
    rows: &[Cow<'_, RequestRecord>],
    new: &mut HashSet<String>,
) -> Result<(), StoreError> {
    let sql = insert_many(
        txn.placeholders(),
        "INSERT INTO requests (id, client_request_id, created_at, user_id, key_id, provider_id, credential_id,
            session_id, endpoint, dialect, upstream_dialect, model, upstream_model, streaming, status_code,
            outcome, is_error, error_code, error_message, input_tokens, output_tokens, cache_read_tokens,
            cache_write_tokens, cache_write_1h_tokens, reasoning_tokens, estimated, duration_ms,
            first_byte_ms, request_bytes, response_bytes, client_ip, user_agent, idempotency_key, attempts) VALUES",
        REQUEST_COLUMNS,
        rows.len(),
        " ON CONFLICT (id) DO NOTHING RETURNING id",
    );
    let mut args: Args = Vec::with_capacity(rows.len() * (REQUEST_COLUMNS));
    for row in rows {
        push_request(&mut args, row)?;
    }
    for row in txn.rows(sql, args).await? {
        new.insert(row.text("id")?);
    }
    Ok(())
}

fn push_request(args: &mut Args, record: &RequestRecord) -> Result<(), StoreError> {
    let is_error = record.is_error();
    let RequestRecord {
        request_id,
        client_request_id,
        created_at,
        user_id,
        key_id,
        provider_id,
        credential_id,
        session_id,
        endpoint,
        dialect,
        upstream_dialect,
        model,
        upstream_model,
        streaming,
        status_code,
        outcome,
        error_code,
        error_message,
        input_tokens,
        output_tokens,
        cache_read_tokens,
        cache_write_tokens,
        cache_write_1h_tokens,
        reasoning_tokens,
        estimated,
        duration_ms,
        first_byte_ms,
        request_bytes,
        response_bytes,
        client_ip,
        user_agent,
        idempotency_key,
        attempts,
        decision: _,
    } = record;
    let text = |value: &Option<String>| Value::from(value.clone());
    args.extend([
        request_id.to_string().into(),
        text(client_request_id),
        (*created_at).into(),
        (*user_id).into(),
        (*key_id).into(),
        (*provider_id).into(),
        (*credential_id).into(),
        text(session_id),
        endpoint.as_str().into(),
        dialect.as_str().into(),
        upstream_dialect.map(types::dialect::Dialect::as_str).into(),
        text(model),
        text(upstream_model),
        (*streaming).into(),
        (*status_code).into(),
        outcome.as_str().into(),
        is_error.into(),
        text(error_code),
        text(error_message),
        count(*input_tokens).into(),
        count(*output_tokens).into(),
        count(*cache_read_tokens).into(),
        count(*cache_write_tokens).into(),
        count(*cache_write_1h_tokens).into(),
        count(*reasoning_tokens).into(),
        (*estimated).into(),
        count(*duration_ms).into(),
        first_byte_ms.map(count).into(),
        count(*request_bytes).into(),
        count(*response_bytes).into(),
        text(client_ip),
        text(user_agent),
        text(idempotency_key),
        json(attempts)?.into(),
    ]);
    Ok(())
}

async fn insert_decisions(txn: &mut Txn, rows: &[&RequestRecord]) -> Result<(), StoreError> {
    let mut decided = Vec::new();
    for row in rows {
        if let Some(decision) = &row.decision {
            decided.push((row.request_id.to_string(), json(decision)?));
        }
    }
    for piece in pieces(&decided) {
        let sql = insert_many(
            txn.placeholders(),
            "INSERT INTO request_decision (id, body) VALUES",
            2,
            piece.len(),
            "",
        );
        let args = piece.iter().flat_map(|(id, body)| [id.as_str().into(), body.as_str().into()]).collect();
        txn.execute(sql, args).await?;
    }
    Ok(())
}

async fn add_usage(txn: &mut Txn, deltas: &[UsageDelta]) -> Result<(), StoreError> {
    for piece in pieces(deltas) {
        let sql = insert_many(
            txn.placeholders(),
            "INSERT INTO usage_hour AS h (bucket, user_id, key_id, provider_id, model, requests, errors,
                refused, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens) VALUES",
            12,
            piece.len(),
            " ON CONFLICT (bucket, user_id, key_id, provider_id, model) DO UPDATE SET
                requests = h.requests + excluded.requests,
                errors = h.errors + excluded.errors,
                refused = h.refused + excluded.refused,
                input_tokens = h.input_tokens + excluded.input_tokens,
                output_tokens = h.output_tokens + excluded.output_tokens,
                cache_read_tokens = h.cache_read_tokens + excluded.cache_read_tokens,
                cache_write_tokens = h.cache_write_tokens + excluded.cache_write_tokens",
        );
        let mut args = Args::new();
        for UsageDelta { bucket, user_id, key_id, provider_id, model, totals } in piece {
            // 0 stands for unknown: null cannot be part of a primary key.
            args.extend(args![
                *bucket,
                user_id.map_or(0, |id| id.0),
                key_id.map_or(0, |id| id.0),
                provider_id.map_or(0, |id| id.0),
                model.as_str(),
                sum(totals.requests),
                sum(totals.errors),
                sum(totals.refused),
                sum(totals.input_tokens),
                sum(totals.output_tokens),
                sum(totals.cache_read_tokens),
                sum(totals.cache_write_tokens),
            ]);
        }
        txn.execute(sql, args).await?;
    }
    Ok(())
}

async fn add_latency(txn: &mut Txn, deltas: &[LatencyDelta]) -> Result<(), StoreError> {
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

async fn add_key_usage(txn: &mut Txn, rows: &[&RequestRecord]) -> Result<(), StoreError> {
    let mut by_key: BTreeMap<ApiKeyId, (i64, Timestamp)> = BTreeMap::new();
    for row in rows {
        if let Some(key_id) = row.key_id {
            let (requests, last) = by_key.entry(key_id).or_default();
            *requests += 1;
            *last = row.created_at.max(*last);
        }
    }
    let entries: Vec<_> = by_key.into_iter().collect();
    for piece in pieces(&entries) {
        let sql = insert_many(
            txn.placeholders(),
            "INSERT INTO key_usage AS k (key_id, request_count, last_used_at) VALUES",
            3,
            piece.len(),
            " ON CONFLICT (key_id) DO UPDATE SET
                request_count = k.request_count + excluded.request_count,
                last_used_at = CASE WHEN excluded.last_used_at > k.last_used_at
                    THEN excluded.last_used_at ELSE k.last_used_at END",
        );
        let args = piece.iter().flat_map(|(key, (requests, last))| args![*key, *requests, *last]).collect();
        txn.execute(sql, args).await?;
    }
    Ok(())
}

// Content that one of the databases could not take would stop the books for good, so it is cut to size first,
// in rows and sums alike.
fn bounded(record: &RequestRecord) -> Cow<'_, RequestRecord> {
    let long = |text: &Option<String>| {
        text.as_ref().is_some_and(|text| text.len() > INDEXED_CHARS || text.contains('\0'))
    };
    let counts =
        [record.input_tokens, record.output_tokens, record.cache_read_tokens, record.cache_write_tokens];
    if !long(&record.model)
        && !long(&record.client_request_id)
        && counts.iter().all(|count| *count <= COUNT_MAX)
    {
        return Cow::Borrowed(record);
    }
    let cut = |text: &mut Option<String>| {
        if let Some(text) = text {
            *text = text.replace('\0', "\u{fffd}").chars().take(INDEXED_CHARS).collect();
        }
    };
    let mut record = record.clone();
    cut(&mut record.model);
    cut(&mut record.client_request_id);
    for count in [
        &mut record.input_tokens,
        &mut record.output_tokens,
        &mut record.cache_read_tokens,
        &mut record.cache_write_tokens,
    ] {
        *count = (*count).min(COUNT_MAX);
    }
    Cow::Owned(record)
}

// A sum over bounded counts; it cannot reach the end of the range.
fn sum(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

// A position must never be bent: a wrong one would skip records.
fn position(value: u64) -> Result<i64, StoreError> {
    i64::try_from(value).map_err(|_range| StoreError::Corrupt(format!("journal position {value}")))
}

#[cfg(test)]
mod tests;
