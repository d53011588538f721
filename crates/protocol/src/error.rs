//! Errors in each dialect: written for callers so that their SDK raises its right class, and read from
//! upstreams.
//!
//! It does not choose codes or statuses; it only words what the gateway has decided.

use serde_json::{Map, Value, json};

use crate::meter::Begun;
use crate::{Dialect, Endpoint};

mod answer;
mod kinds;
mod upstream;
mod wait;

pub(crate) use answer::judge_json;
pub use answer::looks_failed;
pub use upstream::{UpstreamError, parse_upstream};
pub(crate) use upstream::{in_band, present};

/// An error for a caller.
#[derive(Clone, Debug)]
pub struct ErrorBody<'a> {
    /// HTTP status that goes with it, 400 to 599.
    pub status: u16,
    /// Stable code, `snake_case`.
    pub code: &'a str,
    /// One plain sentence.
    pub message: &'a str,
    /// Identity of the request.
    pub request_id: &'a str,
    /// Further fields for programs. A text under `param` or `field` also becomes OpenAI's `param`.
    pub details: Option<Map<String, Value>>,
}

/// The JSON body of an error answer in the caller's dialect.
pub fn render(dialect: Dialect, e: &ErrorBody<'_>) -> Vec<u8> {
    to_bytes(&match dialect {
        Dialect::Anthropic => anthropic(e),
        Dialect::OpenAiChat | Dialect::OpenAiResponses => json!({ "error": openai(e) }),
        Dialect::Gemini => gemini(e),
    })
}

/// The bytes that end a broken stream. They begin at a line's start: if the upstream broke off inside an
/// event (see [`crate::meter::Meter::mid_event`]), send a blank line (`\n\n`) before them.
///
/// There is deliberately no `[DONE]` and no `message_stop` after it: a clean end would make clients take
/// half an answer for a whole one. `begun` is what a Responses stream was before it broke: SDKs refuse an end that
/// names another response.
pub fn render_event(endpoint: Endpoint, e: &ErrorBody<'_>, begun: Option<&Begun>) -> Vec<u8> {
    let (name, body) = match endpoint.dialect() {
        Dialect::Anthropic => (Some("error"), anthropic(e)),
        Dialect::OpenAiChat => (None, json!({ "error": openai(e) })),
        // Codex does not understand a bare `error` event; `response.failed` makes it retry and show the text.
        Dialect::OpenAiResponses => (Some("response.failed"), failed_response(e, begun)),
        Dialect::Gemini => (None, gemini(e)),
    };
    let mut out = Vec::with_capacity(512);
    if let Some(name) = name {
        out.extend_from_slice(b"event: ");
        out.extend_from_slice(name.as_bytes());
        out.push(b'\n');
    }
    out.extend_from_slice(b"data: ");
    out.extend_from_slice(&to_bytes(&body));
    out.extend_from_slice(b"\n\n");
    out
}

/// Serialises without the three characters at which some clients (those built on httpx) wrongly end a line.
pub(crate) fn to_bytes(value: &Value) -> Vec<u8> {
    let text = value.to_string();
    if !text.contains(['\u{2028}', '\u{2029}', '\u{85}']) {
        return text.into_bytes();
    }
    // Outside of strings JSON text is ASCII, so a plain replacement stays valid JSON.
    text.replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
        .replace('\u{85}', "\\u0085")
        .into_bytes()
}

fn anthropic(e: &ErrorBody<'_>) -> Value {
    let mut error = json!({
        "type": kinds::anthropic(e.status, e.code),
        "message": e.message,
        "code": e.code,
    });
    put_details(&mut error, e);
    json!({ "type": "error", "error": error, "request_id": e.request_id })
}

fn openai(e: &ErrorBody<'_>) -> Value {
    let param = e.details.as_ref().and_then(|d| d.get("param").or_else(|| d.get("field")));
    let mut error = json!({
        "message": e.message,
        "type": kinds::openai(e.status, e.code),
        "param": param.filter(|p| p.is_string()),
        "code": e.code,
        "request_id": e.request_id,
    });
    put_details(&mut error, e);
    error
}

fn put_details(error: &mut Value, e: &ErrorBody<'_>) {
    if let (Some(error), Some(details)) = (error.as_object_mut(), &e.details) {
        error.insert("details".to_owned(), Value::Object(details.clone()));
    }
}

fn gemini(e: &ErrorBody<'_>) -> Value {
    let mut details = vec![json!({
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": e.code,
        "domain": "tollgate",
        "metadata": { "request_id": e.request_id },
    })];
    if let Some(more) = &e.details {
        // ErrorInfo's metadata can hold texts only; a Struct holds anything.
        details.push(json!({ "@type": "type.googleapis.com/google.protobuf.Struct", "value": more }));
    }
    json!({ "error": {
        "code": e.status,
        "message": e.message,
        "status": kinds::gemini(e.status),
        "details": details,
    } })
}

fn failed_response(e: &ErrorBody<'_>, begun: Option<&Begun>) -> Value {
    let unknown = || Begun { id: format!("resp_{}", e.request_id.replace('-', "")), ..Begun::default() };
    let begun = begun.cloned().unwrap_or_else(unknown);
    json!({
        "type": "response.failed",
        "sequence_number": begun.next,
        "response": {
            "id": begun.id,
            "object": "response",
            "created_at": begun.created_at,
            "status": "failed",
            "error": openai(e),
            "incomplete_details": null,
            "model": begun.model,
            "output": [],
            "usage": null,
            "metadata": {},
        },
    })
}

#[cfg(test)]
mod tests;
