//! Rows of the request log as the books write them: cut to what both databases can take, and inserted. Sums are
//! made elsewhere.

use std::borrow::Cow;
use std::collections::HashSet;

use ledger::batch::losses as loss_of;
use types::request::RequestRecord;

use crate::StoreError;
use crate::column::{COUNT_MAX, bounded_cost, count, json};
use crate::pool::Txn;
use crate::sql::{Args, Sql, Value, args, insert_many, pieces};

/// Most characters kept of a text that is part of an index; PostgreSQL refuses index entries above 2.7 KB.
const INDEXED_CHARS: usize = 200;

/// A record that both databases can take. Content that one of them could not would stop the books for good, so it
/// is cut to size first, in rows and sums alike.
pub(super) fn bounded(record: &RequestRecord) -> Cow<'_, RequestRecord> {
    let mut bounded = Cow::Borrowed(record);
    let long = |text: &Option<String>| {
        text.as_ref().is_some_and(|text| text.len() > INDEXED_CHARS || text.contains('\0'))
    };
    if [&record.model, &record.client_request_id, &record.session_id, &record.group].into_iter().any(long) {
        let record = bounded.to_mut();
        for text in
            [&mut record.model, &mut record.client_request_id, &mut record.session_id, &mut record.group]
                .into_iter()
                .flatten()
        {
            *text = text.replace('\0', "\u{fffd}").chars().take(INDEXED_CHARS).collect();
        }
    }
    let counts =
        [record.input_tokens, record.output_tokens, record.cache_read_tokens, record.cache_write_tokens];
    if counts.iter().any(|count| *count > COUNT_MAX) {
        let record = bounded.to_mut();
        for count in [
            &mut record.input_tokens,
            &mut record.output_tokens,
            &mut record.cache_read_tokens,
            &mut record.cache_write_tokens,
        ] {
            *count = (*count).min(COUNT_MAX);
        }
    }
    let costs = [record.cost_usd, record.base_cost_usd, record.provider_cost_usd, record.held_usd];
    let attempts = record.attempts.iter().map(|attempt| attempt.provider_cost_usd);
    if costs.into_iter().chain(attempts).any(|cost| cost != bounded_cost(cost)) {
        let record = bounded.to_mut();
        let costs = [
            &mut record.cost_usd,
            &mut record.base_cost_usd,
            &mut record.provider_cost_usd,
            &mut record.held_usd,
        ];
        let attempts = record.attempts.iter_mut().map(|attempt| &mut attempt.provider_cost_usd);
        for cost in costs.into_iter().chain(attempts) {
            *cost = bounded_cost(*cost);
        }
    }
    bounded
}

const REQUEST_COLUMNS: usize = 48;
const INSERT_REQUESTS: &str = "INSERT INTO requests (id, client_request_id, created_at, user_id, key_id, provider_id,
            credential_id, session_id, endpoint, dialect, upstream_dialect, model, upstream_model, streaming,
            status_code, outcome, is_error, error_code, error_message, input_tokens, output_tokens,
            cache_read_tokens, cache_write_tokens, cache_write_1h_tokens, reasoning_tokens, estimated, duration_ms,
            first_byte_ms, request_bytes, response_bytes, client_ip, user_agent, idempotency_key, attempts,
            audio_input_tokens, audio_output_tokens, image_input_tokens, image_output_tokens, images,
            web_searches, service_tier, cost_nano, base_cost_nano, provider_cost_nano, held_nano, price_state,
            group_name, grant_id) VALUES";

/// Inserts requests; whether they all were new.
pub(super) async fn insert_new(txn: &mut Txn, rows: &[Cow<'_, RequestRecord>]) -> Result<bool, StoreError> {
    let (sql, args) = insertion(txn, rows, " ON CONFLICT (id) DO NOTHING")?;
    let inserted = txn.execute(sql, args).await?;
    Ok(u64::try_from(rows.len()) == Ok(inserted))
}

/// Inserts requests; those that were not there yet are added to `new`.
pub(super) async fn insert_unknown(
    txn: &mut Txn,
    rows: &[Cow<'_, RequestRecord>],
    new: &mut HashSet<String>,
) -> Result<(), StoreError> {
    let (sql, args) = insertion(txn, rows, " ON CONFLICT (id) DO NOTHING RETURNING id")?;
    for row in txn.rows(sql, args).await? {
        new.insert(row.text("id")?);
    }
    Ok(())
}

fn insertion(
    txn: &Txn,
    rows: &[Cow<'_, RequestRecord>],
    tail: &'static str,
) -> Result<(Sql, Args), StoreError> {
    let sql = insert_many(txn.placeholders(), INSERT_REQUESTS, REQUEST_COLUMNS, rows.len(), tail);
    let mut args: Args = Vec::with_capacity(rows.len() * REQUEST_COLUMNS);
    for row in rows {
        push_request(&mut args, row)?;
    }
    Ok((sql, args))
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
        ..
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
    push_money(args, record);
    Ok(())
}

fn push_money(args: &mut Args, record: &RequestRecord) {
    args.extend(args![
        count(record.audio_input_tokens),
        count(record.audio_output_tokens),
        count(record.image_input_tokens),
        count(record.image_output_tokens),
        count(record.images),
        count(record.web_searches),
        record.service_tier.clone(),
        record.cost_usd,
        record.base_cost_usd,
        record.provider_cost_usd,
        record.held_usd,
        record.price_state.as_str(),
        record.group.clone(),
        record.grant_id,
    ]);
}

/// Writes what lists leave out of new requests: decisions (`kept` has those that are not on the record itself), bills,
/// and the losses of attempts before the last.
pub(super) async fn insert_details(
    txn: &mut Txn,
    rows: &[&RequestRecord],
    kept: &[Option<&str>],
) -> Result<(), StoreError> {
    let mut decisions = Args::with_capacity(rows.len() * 2);
    let mut bills = Args::new();
    let mut losses = Args::new();
    for (row, kept) in rows.iter().zip(kept) {
        let id = || row.request_id.to_string();
        if let Some(decision) = &row.decision {
            decisions.extend([id().into(), json(decision)?.into()]);
        } else if let Some(decision) = *kept {
            decisions.extend([id().into(), decision.into()]);
        }
        if let Some(bill) = &row.bill {
            bills.extend([id().into(), json(bill)?.into()]);
        }
        for (attempt, (provider_id, credential_id, cost)) in (0_i64..).zip(loss_of(row)) {
            losses.extend(args![id(), attempt, row.created_at, provider_id, credential_id, cost]);
        }
    }
    insert_all(txn, "INSERT INTO request_decision (id, body) VALUES", 2, decisions).await?;
    insert_all(txn, "INSERT INTO request_bill (id, body) VALUES", 2, bills).await?;
    let head = "INSERT INTO request_loss (request_id, attempt, created_at, provider_id, credential_id,
        provider_cost_nano) VALUES";
    insert_all(txn, head, 6, losses).await
}

async fn insert_all(
    txn: &mut Txn,
    head: &'static str,
    columns: usize,
    values: Args,
) -> Result<(), StoreError> {
    let sizes: Vec<usize> = pieces(&vec![(); values.len() / columns]).map(<[()]>::len).collect();
    let mut values = values.into_iter();
    for rows in sizes {
        let sql = insert_many(txn.placeholders(), head, columns, rows, "");
        txn.execute(sql, values.by_ref().take(rows * columns).collect()).await?;
    }
    Ok(())
}
