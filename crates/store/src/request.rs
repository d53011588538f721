//! The request log, read side: pages, one request with its decision, and pruning. `ledger` writes it.

use types::dialect::Endpoint;
use types::page::page_size;
use types::price::PriceState;
use types::request::{Outcome, RequestFilter, RequestRecord, RequestRow};
use types::{ApiKeyId, CredentialId, GrantId, Page, ProviderId, RequestId, Timestamp, UserId};

use crate::audit::page;
use crate::pool::Txn;
use crate::sql::{Conditions, Row, args};
use crate::{Store, StoreError};

macro_rules! select_rows {
    ($more:literal, $from:literal) => {
        concat!(
            "SELECT r.*, u.name AS user_name, k.name AS key_name, p.name AS provider_name",
            $more,
            " FROM requests r
              LEFT JOIN users u ON u.id = r.user_id
              LEFT JOIN api_keys k ON k.id = r.key_id
              LEFT JOIN providers p ON p.id = r.provider_id",
            $from
        )
    };
}

impl Store {
    /// Lists requests, newest first, without their decisions and bills.
    pub async fn request_list(&self, filter: &RequestFilter) -> Result<Page<RequestRow>, StoreError> {
        let size = page_size(filter.limit);
        let (sql, args) = conditions(filter)?.build(
            select_rows!("", ""),
            " ORDER BY r.id DESC LIMIT ?",
            i64::from(size) + 1,
        );
        let rows = self.pool.rows(sql, args).await?;
        let items = rows.iter().map(request_row).collect::<Result<Vec<_>, _>>()?;
        Ok(page(items, size, |row| row.record.request_id.to_string()))
    }

    /// Fetches a request with its decision and bill, by its identity or by the caller's own `x-request-id`, of which
    /// the newest counts.
    pub async fn request_fetch(&self, id: &str) -> Result<Option<RequestRow>, StoreError> {
        self.request_find(None, id).await
    }

    /// The same among the requests of one user: two callers may have chosen the same `x-request-id`.
    pub async fn request_fetch_of(
        &self,
        user_id: UserId,
        id: &str,
    ) -> Result<Option<RequestRow>, StoreError> {
        self.request_find(Some(user_id), id).await
    }

    async fn request_find(
        &self,
        user_id: Option<UserId>,
        id: &str,
    ) -> Result<Option<RequestRow>, StoreError> {
        let by = |condition: &'static str, id: String| {
            let mut conditions = Conditions::default();
            conditions.and_value(condition, id);
            conditions.and_some("r.user_id = ?", user_id);
            conditions.build(
                select_rows!(
                    ", d.body AS decision, b.body AS bill",
                    " LEFT JOIN request_decision d ON d.id = r.id LEFT JOIN request_bill b ON b.id = r.id"
                ),
                " ORDER BY r.id DESC LIMIT ?",
                1_i64,
            )
        };
        let mut found = None;
        if let Ok(id) = id.parse::<RequestId>() {
            let (sql, args) = by("r.id = ?", id.to_string());
            found = self.pool.row_opt(sql, args).await?;
        }
        if found.is_none() {
            let (sql, args) = by("r.client_request_id = ?", id.to_owned());
            found = self.pool.row_opt(sql, args).await?;
        }
        let Some(row) = found else { return Ok(None) };
        let mut fetched = request_row(&row)?;
        fetched.record.decision = row.json_opt("decision")?;
        fetched.record.bill = row.json_opt("bill")?;
        Ok(Some(fetched))
    }

    /// Deletes at most `max_rows` of the requests that arrived before the given time; answers how many. The
    /// sums of usage stay.
    pub async fn request_prune(&self, before: Timestamp, max_rows: u32) -> Result<u64, StoreError> {
        let mut txn = self.pool.begin_write().await?;
        let pruned = txn
            .execute(
                "DELETE FROM requests WHERE id IN
                    (SELECT id FROM requests WHERE created_at < $1 ORDER BY created_at LIMIT $2)",
                args![before, max_rows],
            )
            .await?;
        if pruned > 0 {
            note_pruned(&mut txn, before).await?;
        }
        txn.commit().await?;
        Ok(pruned)
    }
}

/// Where `meta` keeps up to when requests may be missing, in milliseconds.
const PRUNED: &str = "requests_pruned_before";

// It never goes back: what is gone does not return when requests are kept longer from now on.
async fn note_pruned(txn: &mut Txn, before: Timestamp) -> Result<(), StoreError> {
    txn.execute(
        "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value
         WHERE CAST(meta.value AS BIGINT) < CAST(excluded.value AS BIGINT)",
        args![PRUNED, before.0.to_string()],
    )
    .await?;
    Ok(())
}

/// From when on no request is missing.
pub(crate) async fn whole_since(txn: &mut Txn) -> Result<Timestamp, StoreError> {
    let row = txn.row_opt("SELECT value FROM meta WHERE name = $1", args![PRUNED]).await?;
    row.map_or(Ok(Timestamp::default()), |row| row.named::<i64>("value").map(Timestamp))
}

fn conditions(filter: &RequestFilter) -> Result<Conditions, StoreError> {
    let RequestFilter {
        key_id,
        user_id,
        provider_id,
        credential_id,
        status,
        model,
        error_code,
        price_state,
        session_id,
        since,
        until,
        limit: _,
        cursor,
    } = filter;
    let mut conditions = Conditions::default();
    if let Some(cursor) = cursor {
        let last: RequestId = cursor.parse().map_err(|_no_id| StoreError::Filter { field: "cursor" })?;
        conditions.and_value("r.id < ?", last.to_string());
    }
    conditions.and_some("r.key_id = ?", *key_id);
    conditions.and_some("r.user_id = ?", *user_id);
    conditions.and_some("r.provider_id = ?", *provider_id);
    conditions.and_some("r.credential_id = ?", *credential_id);
    conditions.and_some("r.model = ?", model.clone());
    conditions.and_some("r.error_code = ?", error_code.clone());
    conditions.and_some("r.session_id = ?", session_id.clone());
    match price_state {
        // Written as in the partial index.
        Some(PriceState::Unpriced) => conditions.and("r.price_state = 'unpriced'"),
        other => conditions.and_some("r.price_state = ?", other.map(PriceState::as_str)),
    }
    conditions.and_some("r.created_at >= ?", *since);
    conditions.and_some("r.created_at < ?", *until);
    if let Some(status) = status {
        status_condition(status, &mut conditions)?;
    }
    Ok(conditions)
}

fn status_condition(status: &str, conditions: &mut Conditions) -> Result<(), StoreError> {
    let unknown = StoreError::Filter { field: "status" };
    if status == "error" {
        // Written as in the partial index, which is what makes this list fast.
        conditions.and("r.is_error");
    } else if let Ok(outcome) = status.parse::<Outcome>() {
        conditions.and_value("r.outcome = ?", outcome.as_str());
    } else if let Some(class) = status.strip_suffix("xx") {
        let class: i64 = class.parse().ok().filter(|class| (1..=9).contains(class)).ok_or(unknown)?;
        if class >= 4 {
            // Written as in the partial index.
            conditions.and("r.status_code >= 400");
        }
        conditions.and_value("r.status_code >= ?", class * 100);
        conditions.and_value("r.status_code < ?", class * 100 + 100);
    } else {
        let code: u16 = status.parse().map_err(|_no_number| unknown)?;
        if code >= 400 {
            conditions.and("r.status_code >= 400");
        }
        conditions.and_value("r.status_code = ?", code);
    }
    Ok(())
}

fn request_row(row: &Row) -> Result<RequestRow, StoreError> {
    Ok(RequestRow {
        record: record(row)?,
        user_name: row.text_opt("user_name")?,
        key_name: row.text_opt("key_name")?,
        provider_name: row.text_opt("provider_name")?,
    })
}

/// Reads the columns of `requests`.
pub(crate) fn record(row: &Row) -> Result<RequestRecord, StoreError> {
    let endpoint: Endpoint = row.named("endpoint")?;
    Ok(RequestRecord {
        request_id: row.request_id("id")?,
        client_request_id: row.text_opt("client_request_id")?,
        created_at: row.time("created_at")?,
        user_id: row.int_opt("user_id")?.map(UserId),
        key_id: row.int_opt("key_id")?.map(ApiKeyId),
        provider_id: row.int_opt("provider_id")?.map(ProviderId),
        credential_id: row.int_opt("credential_id")?.map(CredentialId),
        session_id: row.text_opt("session_id")?,
        endpoint,
        dialect: row.named("dialect")?,
        upstream_dialect: row.named_opt("upstream_dialect")?,
        model: row.text_opt("model")?,
        upstream_model: row.text_opt("upstream_model")?,
        streaming: row.flag("streaming")?,
        status_code: row.number("status_code")?,
        outcome: row.named("outcome")?,
        error_code: row.text_opt("error_code")?,
        error_message: row.text_opt("error_message")?,
        input_tokens: row.number("input_tokens")?,
        output_tokens: row.number("output_tokens")?,
        cache_read_tokens: row.number("cache_read_tokens")?,
        cache_write_tokens: row.number("cache_write_tokens")?,
        cache_write_1h_tokens: row.number("cache_write_1h_tokens")?,
        reasoning_tokens: row.number("reasoning_tokens")?,
        audio_input_tokens: row.number("audio_input_tokens")?,
        audio_output_tokens: row.number("audio_output_tokens")?,
        image_input_tokens: row.number("image_input_tokens")?,
        image_output_tokens: row.number("image_output_tokens")?,
        images: row.number("images")?,
        web_searches: row.number("web_searches")?,
        estimated: row.flag("estimated")?,
        service_tier: row.text_opt("service_tier")?,
        cost_usd: row.money("cost_nano")?,
        base_cost_usd: row.money("base_cost_nano")?,
        provider_cost_usd: row.money("provider_cost_nano")?,
        held_usd: row.money("held_nano")?,
        price_state: row.named("price_state")?,
        group: row.text_opt("group_name")?,
        grant_id: row.int_opt("grant_id")?.map(GrantId),
        bill: None,
        duration_ms: row.number("duration_ms")?,
        first_byte_ms: row.number_opt("first_byte_ms")?,
        request_bytes: row.number("request_bytes")?,
        response_bytes: row.number("response_bytes")?,
        client_ip: row.text_opt("client_ip")?,
        user_agent: row.text_opt("user_agent")?,
        idempotency_key: row.text_opt("idempotency_key")?,
        attempts: row.json("attempts")?,
        decision: None,
    })
}

#[cfg(test)]
mod tests;
