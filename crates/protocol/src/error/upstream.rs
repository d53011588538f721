//! Reading an upstream's error body, whatever shape it chose.
//!
//! Bodies with lone surrogate escapes or absurd numbers are real, so nothing here goes through `serde`.

use crate::Dialect;
use crate::json::{self, text};

use super::wait;

/// Longest message that is kept, in characters.
const MESSAGE_CHARS: usize = 2_000;

/// What an upstream said went wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UpstreamError {
    /// Its message, at most 2,000 characters.
    pub message: String,
    /// Its type, status word or code (`overloaded_error`, `RESOURCE_EXHAUSTED`, `model_not_found`); empty if none.
    pub kind: String,
    /// Its finest code, if it gave one: Gemini's `ErrorInfo.reason` (`API_KEY_INVALID`), Anthropic's
    /// `details.error_code`, else `code` (`model_not_found`, `429`).
    pub code: Option<String>,
    /// How long it asked to wait, in milliseconds, at most 31 days: Gemini's `RetryInfo`, `retry_after` and its like,
    /// OpenAI's "try again in 1.5s". Headers are not looked at.
    pub retry_after_ms: Option<u64>,
}

impl UpstreamError {
    /// An error that the upstream did not word itself.
    pub(crate) fn unnamed(message: &str) -> Self {
        Self { message: message.to_owned(), ..Self::default() }
    }
}

/// Reads an error body. `None` if the body is no JSON or holds nothing that looks like an error.
///
/// The dialect is a hint for the order in which names are tried; compatible servers mix the shapes.
pub fn parse_upstream(dialect: Dialect, body: &[u8]) -> Option<UpstreamError> {
    let body = strip(body);
    // Gemini streams without `alt=sse` wrap everything, errors too, in an array.
    let body = if body.first() == Some(&b'[') { json::first_element(body)? } else { body };
    if let Some(error) = json::field(body, "error").filter(|e| present(e)) {
        return Some(read(dialect, error, body));
    }
    // Responses bodies and events: {"response":{"error":{…}}}.
    if let Some(error) =
        json::field(body, "response").and_then(|r| json::field(r, "error")).filter(|e| present(e))
    {
        return Some(read(dialect, error, body));
    }
    // Bodies without `error`: {"detail":"…"}, {"message":"…"}, {"errors":[…]}.
    let message = ["message", "detail", "msg", "errors"]
        .iter()
        .find_map(|name| json::field(body, name))
        .filter(|value| present(value))?;
    Some(told(dialect, message, body))
}

/// Reads the value of a non-null `error` field that came inside a 200.
pub(crate) fn in_band(dialect: Dialect, error: &[u8]) -> Option<UpstreamError> {
    present(error).then(|| read(dialect, error, b""))
}

fn read(dialect: Dialect, error: &[u8], around: &[u8]) -> UpstreamError {
    if error.first() != Some(&b'{') {
        return told(dialect, error, around);
    }
    let message = ["message", "detail", "msg"].iter().find_map(|n| json::field(error, n)).unwrap_or(error);
    told(dialect, message, error)
}

/// The error whose other fields stand in `object`.
fn told(dialect: Dialect, message: &[u8], object: &[u8]) -> UpstreamError {
    let message = words(message);
    UpstreamError {
        kind: kind_of(dialect, object),
        code: code_of(object),
        retry_after_ms: wait::asked(object, &message),
        message,
    }
}

fn kind_of(dialect: Dialect, object: &[u8]) -> String {
    let names: &[&str] = match dialect {
        Dialect::Gemini => &["status", "type", "code"],
        // `code` is the finer word here: `type` is nearly always `invalid_request_error`.
        Dialect::OpenAiChat | Dialect::OpenAiResponses => &["code", "type", "status"],
        Dialect::Anthropic => &["type", "code", "status"],
    };
    names.iter().find_map(|name| word(object, name)).unwrap_or_default()
}

fn code_of(object: &[u8]) -> Option<String> {
    let details = json::field(object, "details").unwrap_or_default();
    let finer = match details.first() {
        Some(b'[') => json::elements(details).find_map(|detail| word(detail, "reason")),
        Some(b'{') => word(details, "error_code"),
        _ => None,
    };
    finer.or_else(|| word(object, "code"))
}

fn word(object: &[u8], name: &str) -> Option<String> {
    json::field(object, name).filter(|value| present(value)).map(words).filter(|word| !word.is_empty())
}

/// A string's text, or any other value's JSON as it stands.
fn words(value: &[u8]) -> String {
    let full = text::decode_lossy(value).unwrap_or_else(|| String::from_utf8_lossy(value).into_owned());
    match full.char_indices().nth(MESSAGE_CHARS) {
        Some((end, _)) => full.get(..end).unwrap_or_default().to_owned(),
        None => full,
    }
}

/// Empty containers, `null` and `false` are how some servers say "no error".
pub(crate) fn present(value: &[u8]) -> bool {
    !matches!(value, b"" | b"null" | b"false" | b"\"\"" | b"{}" | b"[]")
}

pub(super) fn strip(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body).trim_ascii()
}
