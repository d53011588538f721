//! `previous_response_id`: a request that continues an answer which Tollgate itself remembers is made whole.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;
use types::UserId;
use types::dialect::Endpoint;

use super::{Ingress, Request};
use crate::continuation::Continuations;
use crate::core::Core;
use crate::error::Refusal;

const FIELD: &str = "previous_response_id";

/// Puts what was said before in front of the input. An id that is not known here is left to an upstream that speaks
/// Responses itself.
pub(super) fn resolve(core: &Core, user: UserId, ingress: &mut Ingress) -> Result<(), Refusal> {
    let continues = matches!(ingress.endpoint, Endpoint::Responses | Endpoint::ResponsesCompact);
    if !continues || !mentions(&ingress.body) {
        return Ok(());
    }
    // A body that is no JSON is refused by those who read it next.
    let Ok(body) = serde_json::from_slice::<Value>(&ingress.body) else { return Ok(()) };
    let Some(id) = body.get(FIELD).and_then(Value::as_str) else { return Ok(()) };
    let Some(items) = core.continuations.of(user, id) else { return Ok(()) };
    let whole = protocol::translate::continued(&items, &ingress.body)
        .map_err(|fault| Refusal::bad_request(fault.to_string()))?;
    ingress.body = whole.into();
    Ok(())
}

/// Whether a request is about something that one upstream keeps, or runs on there after its answer.
pub(super) fn needs_its_upstream(ingress: &Ingress) -> bool {
    let names = |field: &str| memchr::memmem::find(&ingress.body, field.as_bytes()).is_some();
    ingress.endpoint == Endpoint::Responses
        && [FIELD, "\"background\"", "\"conversation\""].iter().any(|field| names(field))
}

/// Whether a request lets its vendor call servers of others, who would be called twice.
pub(super) fn calls_others(ingress: &Ingress) -> bool {
    let body = ingress.body.as_ref();
    ["\"mcp_servers\"", "\"server_url\"", "\"connector_id\""]
        .iter()
        .any(|field| memchr::memmem::find(body, field.as_bytes()).is_some())
}

fn mentions(body: &[u8]) -> bool {
    // Most requests do not, and a search costs less than a tree.
    memchr::memmem::find(body, FIELD.as_bytes()).is_some()
}

/// An answer that nobody remembers cannot be continued by an upstream that keeps nothing.
pub(super) fn unknown(id: &str) -> Refusal {
    let shown: String = id.chars().take(80).collect();
    Refusal::new(
        400,
        "previous_response_not_found",
        format!("'{FIELD}' {shown} is not known here (any more); send the whole input without it"),
    )
    .with("field", FIELD)
}

/// Whether a caller lets its answer be kept (the default).
fn may_keep(body: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Wish {
        store: Option<bool>,
    }
    serde_json::from_slice::<Wish>(body).map_or(true, |wish| wish.store != Some(false))
}

/// A Responses caller's answer of an upstream that keeps none, to be continued by its id.
pub(super) struct Keep {
    continuations: Arc<Continuations>,
    user: UserId,
    /// Of the request.
    body: Bytes,
}

impl Keep {
    /// For the answer of a request; `None` if it is not to be kept.
    pub(super) fn of(core: &Core, request: &Request) -> Option<Self> {
        let ingress = &request.ingress;
        (ingress.endpoint == Endpoint::Responses && may_keep(&ingress.body)).then(|| Self {
            continuations: core.continuations.clone(),
            user: request.key.user.id,
            body: ingress.body.clone(),
        })
    }

    /// Remembers the response object that the caller got.
    pub(super) fn keep(&self, response: &Value) {
        self.continuations.keep(self.user, &self.body, response);
    }
}
