//! A Responses caller's WebSocket, as far as it needs decisions: who may open one, what a message asks for, what an
//! answer leaves behind for the next message.
//!
//! Each `response.create` becomes an ordinary request of `POST /v1/responses` and takes no other way than that.
//! Frames, deadlines and the order of messages are the edge's business.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};
use types::UserId;

use super::{Ingress, Reply, examine, find_caller, guard, record_of, refuse};
use crate::core::Core;
use crate::error::Refusal;
use crate::metrics::GaugeGuard;

mod message;

pub use message::{Create, NotUnderstood, error_message, with_stream_id};

/// One open socket. Dropping it forgets what was kept for it.
#[derive(Debug)]
pub struct Socket {
    core: Arc<Core>,
    user: UserId,
    /// Begins the names of what is kept for this socket alone.
    name: String,
    /// The last answer that only this socket can continue.
    last: Option<String>,
    _open: GaugeGuard,
}

/// Opens a socket for whoever sent the handshake, if he may have one; `most` is how many may be open.
pub(crate) fn open(core: &Arc<Core>, handshake: &Ingress, most: usize) -> Result<Socket, Refusal> {
    if core.draining.is_cancelled() {
        return Err(Refusal::draining());
    }
    let key = find_caller(core, &core.snapshot(), handshake)?;
    guard::origin(&key, handshake.client_ip, &handshake.headers)?;
    let (guard, open) = core.metrics.open_socket();
    if open > u64::try_from(most).unwrap_or(u64::MAX) {
        // 426 and not 503: clients then go on over plain HTTP at once.
        return Err(Refusal::new(
            426,
            "too_many_sockets",
            format!("{most} WebSockets are open here already; send the same request as POST /v1/responses"),
        ));
    }
    Ok(Socket {
        core: core.clone(),
        user: key.user.id,
        name: handshake.request_id.to_string(),
        last: None,
        _open: guard,
    })
}

impl Socket {
    /// Reads a message of the client: a request, with what it continues put in front if this socket keeps that.
    pub fn read(&self, text: &[u8]) -> Result<Create, NotUnderstood> {
        let create = message::read(text)?;
        let Some(id) = &create.previous else { return Ok(create) };
        let known = self.core.continuations.of(self.user, &self.kept_as(id));
        let Some(items) = known.or_else(|| self.core.continuations.of(self.user, id)) else {
            return Ok(create);
        };
        match protocol::translate::continued(&items, &create.body) {
            Ok(body) => Ok(Create { body: body.into(), previous: None, ..create }),
            Err(fault) => Err(create.refused(Refusal::bad_request(fault.to_string()))),
        }
    }

    /// Answers `generate: false` without a model: its events, or the refusal. What it said can be continued.
    pub fn warm_up(&mut self, mut ingress: Ingress, create: &Create) -> Result<Vec<Value>, Box<Reply>> {
        ingress.body.clone_from(&create.body);
        let mut record = record_of(&ingress);
        let request = match examine(&self.core, ingress, None, &mut record) {
            Ok(request) => request,
            Err(refused) => {
                let (ingress, refusal) = *refused;
                return Err(Box::new(refuse(&self.core, &ingress, record, &refusal)));
            }
        };
        let response = |status: &str, usage: Value| {
            json!({
                "id": format!("resp_{}", request.ingress.request_id.0.as_simple()), "object": "response",
                "created_at": request.ingress.received.at.0.div_euclid(1_000), "status": status,
                "error": null, "incomplete_details": null, "model": request.model(), "output": [],
                "usage": usage,
            })
        };
        let counts = json!({
            "input_tokens": 0, "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": 0, "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 0,
        });
        let done = response("completed", counts);
        self.keep(&create.body, &done);
        let begun = response("in_progress", Value::Null);
        Ok(vec![
            json!({"type": "response.created", "sequence_number": 0, "response": begun}),
            json!({"type": "response.in_progress", "sequence_number": 1, "response": begun}),
            json!({"type": "response.completed", "sequence_number": 2, "response": done}),
        ])
    }

    /// Takes the last event of an answer. An answer that its caller lets nobody store can be continued on this socket
    /// only; any other is in the store of whoever made it.
    pub fn answered(&mut self, create: &Create, event: &[u8]) {
        if create.stored || create.previous.is_some() {
            return;
        }
        let Ok(mut event) = serde_json::from_slice::<Value>(event) else { return };
        let kind = event.get("type").and_then(Value::as_str);
        let ended = matches!(kind, Some("response.completed" | "response.incomplete"));
        let Some(response) = event.get_mut("response").filter(|_| ended) else { return };
        if let Some(output) = response.get_mut("output").and_then(Value::as_array_mut) {
            // Thoughts that neither side holds cannot be referred to.
            output.retain(|item| {
                let reasoning = item.get("type").and_then(Value::as_str) == Some("reasoning");
                !reasoning || item.get("encrypted_content").is_some_and(Value::is_string)
            });
        }
        self.keep(&create.body, response);
    }

    fn keep(&mut self, request: &Bytes, response: &Value) {
        let Some(id) = response.get("id").and_then(Value::as_str) else { return };
        let name = self.kept_as(id);
        self.core.continuations.keep_as(self.user, name.clone(), request, response);
        // An upstream may give two answers one id.
        if self.last.as_ref() != Some(&name) {
            self.forget();
            self.last = Some(name);
        }
    }

    fn forget(&mut self) {
        if let Some(last) = self.last.take() {
            self.core.continuations.forget(self.user, last);
        }
    }

    fn kept_as(&self, id: &str) -> String {
        format!("{}/{id}", self.name)
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.forget();
    }
}
