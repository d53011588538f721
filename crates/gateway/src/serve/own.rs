//! What a caller may ask about himself: his usage, and why one of his requests went the way it did.

use std::sync::Arc;

use http::header::{CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use types::dialect::Dialect;
use types::request::RequestRow;

use super::{KeyedCall, Reply, ReplyBody, authenticate, render};
use crate::core::Core;
use crate::error::Refusal;
use crate::snapshot::ApiKey;
use crate::standing;

/// `GET /v1/usage`
pub(crate) async fn usage(core: &Arc<Core>, call: KeyedCall) -> Reply {
    let result = async {
        let key = caller(core, &call)?;
        let own = standing::own_usage(core, key.user.id, Some(&key)).await.map_err(|error| {
            tracing::error!(%error, "usage could not be read");
            Refusal::database_unavailable()
        })?;
        serde_json::to_value(own).map_err(|_| Refusal::database_unavailable())
    };
    answer(&call, result.await)
}

/// `GET /v1/requests/{id}/explain`
pub(crate) async fn explain(core: &Arc<Core>, call: KeyedCall, id: &str) -> Reply {
    let result = async {
        let key = caller(core, &call)?;
        let row = core.store.request_fetch_of(key.user.id, id).await.map_err(|error| {
            tracing::error!(%error, "a request could not be read");
            Refusal::database_unavailable()
        })?;
        // Somebody else's request looks exactly like one that does not exist.
        let row = row
            .filter(|row| row.record.user_id == Some(key.user.id))
            .ok_or_else(Refusal::request_not_found)?;
        Ok(redacted(&row))
    };
    answer(&call, result.await)
}

fn caller(core: &Core, call: &KeyedCall) -> Result<Arc<ApiKey>, Refusal> {
    let snapshot = core.snapshot();
    let key =
        authenticate::caller(core, &snapshot, &call.headers, call.query.as_deref(), false, core.clock.now())?;
    super::guard::origin(&key, call.client_ip, &call.headers)?;
    Ok(key)
}

/// The record without the names and ids of providers and credentials.
fn redacted(row: &RequestRow) -> Value {
    let record = &row.record;
    let attempts: Vec<Value> = record
        .attempts
        .iter()
        .zip(1..)
        .map(|(attempt, number)| {
            json!({
                "number": number,
                "outcome": attempt.outcome,
                "status_code": attempt.status_code,
                "started_ms": attempt.started_ms,
                "duration_ms": attempt.duration_ms,
                "first_byte_ms": attempt.first_byte_ms,
            })
        })
        .collect();
    json!({
        "request_id": record.request_id,
        "created_at": record.created_at,
        "endpoint": record.endpoint,
        "model": record.model,
        "streaming": record.streaming,
        "outcome": record.outcome,
        "status_code": record.status_code,
        "error_code": record.error_code,
        "duration_ms": record.duration_ms,
        "first_byte_ms": record.first_byte_ms,
        "usage": record.usage(),
        "estimated": record.estimated,
        "cost_usd": record.cost_usd,
        "held_usd": record.held_usd,
        "price_state": record.price_state,
        "attempts": attempts,
        "removed": record.decision.as_ref().map(|decision| &decision.removed),
        "candidates": record.decision.as_ref().map(|d| d.candidates.iter().filter(|c| c.rank.is_some()).count()),
    })
}

fn answer(call: &KeyedCall, result: Result<Value, Refusal>) -> Reply {
    match result {
        Ok(value) => {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            Reply { status: StatusCode::OK, headers, body: ReplyBody::whole(value.to_string().into()) }
        }
        Err(refusal) => {
            let anthropic = call.headers.contains_key("anthropic-version");
            let dialect = if anthropic { Dialect::Anthropic } else { Dialect::OpenAiChat };
            render(dialect, &refusal, &call.shown_id)
        }
    }
}
