//! What a vendor says when all is well, and how it words an error, in each dialect.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::behaviour::{Behaviour, Tokens, Usage};
use crate::request::{Call, Received};

mod agent;
mod anthropic;
mod chat;
mod gemini;
mod others;
mod responses;

/// The text that is said if the script names none.
const TEXT: &str = "Hello from the fake upstream: all is well.";

/// A body in the pieces in which a vendor would send it.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) content_type: &'static str,
    pub(crate) pieces: Vec<Bytes>,
    pub(crate) billed: Tokens,
    /// Amazon's name for an error, for a header.
    pub(crate) error_type: Option<&'static str>,
}

/// What is to be said.
#[derive(Clone, Debug)]
pub(crate) struct Words {
    call: Call,
    model: String,
    deltas: Vec<String>,
    tokens: Tokens,
    usage: Usage,
    /// Whether a chat stream ends with its usage.
    usage_asked: bool,
    error_after: Option<usize>,
}

impl Words {
    fn text(&self) -> String {
        self.deltas.concat()
    }

    /// The deltas of a stream, up to where an error takes its place.
    fn spoken(&self) -> impl Iterator<Item = &String> {
        self.deltas.iter().take(self.error_after.unwrap_or(usize::MAX))
    }

    /// A count as the script wants it told.
    fn count(&self, count: u64) -> Value {
        match self.usage {
            Usage::Told | Usage::Missing => json!(count),
            Usage::Negative => json!(-5),
            Usage::Text => json!("many"),
            Usage::Huge => json!(1_000_000_000_000_000_000_u64),
        }
    }

    /// Puts the usage where it belongs, unless it is to be missing.
    fn with_usage(&self, mut value: Value, name: &str, usage: impl FnOnce() -> Value) -> Value {
        if let (false, Value::Object(fields)) = (self.usage == Usage::Missing, &mut value) {
            fields.insert(name.to_owned(), usage());
        }
        value
    }
}

/// The answer to a request.
pub(crate) fn answer(request: &Received, behaviour: &Behaviour) -> Said {
    let call = request.call();
    let text = behaviour.text.as_deref().unwrap_or(TEXT);
    let tokens = behaviour.tokens.unwrap_or_default();
    let usage = behaviour.usage;
    let words = Words {
        call,
        model: request.model().unwrap_or("fake-default").to_owned(),
        deltas: split(text, behaviour.deltas.unwrap_or(4)),
        tokens: billable(call, tokens),
        usage,
        usage_asked: usage != Usage::Told || request.include_usage(),
        error_after: behaviour.error_after.and_then(|count| usize::try_from(count).ok()),
    };
    let streaming = request.streaming();
    if let Some(agent) = &behaviour.agent
        && matches!(
            call,
            Call::Messages | Call::Chat | Call::Responses | Call::GeminiGenerate | Call::GeminiStream
        )
    {
        return agent::Turn::of(agent, request, &words).say(&words, streaming);
    }
    match call {
        Call::Messages if streaming => anthropic::stream(&words),
        Call::Messages | Call::CountTokens => anthropic::whole(&words),
        Call::Chat | Call::Completions if streaming => chat::stream(&words),
        Call::Chat | Call::Completions => chat::whole(&words),
        Call::Responses if streaming => responses::stream(&words),
        Call::Responses | Call::Compact => responses::whole(&words),
        Call::GeminiStream => {
            gemini::stream(&words, request.query().is_some_and(|query| query.contains("alt=sse")))
        }
        Call::GeminiGenerate | Call::GeminiCount | Call::GeminiEmbed | Call::GeminiBatchEmbed => {
            gemini::whole(&words)
        }
        _ => others::whole(&words, request),
    }
}

/// The dialect's error body.
pub(crate) fn error(request: &Received, status: u16) -> Said {
    let message = format!("the fake upstream was told to answer {status}");
    Said::json(
        &error_value(request.call(), status, &message),
        Tokens { input: 0, output: 0, ..Tokens::default() },
    )
}

/// The dialect's error object.
pub(crate) fn error_value(call: Call, status: u16, message: &str) -> Value {
    let kind = match status {
        400 | 413 | 422 => "invalid_request_error",
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        429 => "rate_limit_error",
        503 | 529 => "overloaded_error",
        _ => "api_error",
    };
    match call {
        Call::Messages | Call::CountTokens => {
            json!({"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_fake"})
        }
        Call::GeminiGenerate
        | Call::GeminiStream
        | Call::GeminiCount
        | Call::GeminiEmbed
        | Call::GeminiBatchEmbed => {
            let name = match status {
                400 => "INVALID_ARGUMENT",
                401 => "UNAUTHENTICATED",
                403 => "PERMISSION_DENIED",
                404 => "NOT_FOUND",
                429 => "RESOURCE_EXHAUSTED",
                503 => "UNAVAILABLE",
                _ => "INTERNAL",
            };
            json!({"error": {"code": status, "message": message, "status": name}})
        }
        _ => json!({"error": {"message": message, "type": kind, "param": null, "code": null}}),
    }
}

impl Said {
    fn json(value: &Value, billed: Tokens) -> Self {
        Self {
            content_type: "application/json",
            pieces: vec![value.to_string().into()],
            billed,
            error_type: None,
        }
    }

    fn events(pieces: Vec<String>, billed: Tokens) -> Self {
        let pieces = pieces.into_iter().map(Bytes::from).collect();
        Self { content_type: "text/event-stream; charset=utf-8", pieces, billed, error_type: None }
    }
}

/// What a vendor of this dialect can bill at all.
fn billable(call: Call, mut tokens: Tokens) -> Tokens {
    match call {
        Call::CountTokens | Call::GeminiCount | Call::Models | Call::Unknown => {
            return Tokens { input: 0, output: 0, ..Tokens::default() };
        }
        Call::Messages => {}
        Call::GeminiGenerate | Call::GeminiStream => (tokens.cache_write, tokens.cache_write_1h) = (0, 0),
        Call::Chat | Call::Completions | Call::Responses | Call::Compact => tokens.cache_write_1h = 0,
        _ => tokens = Tokens { input: tokens.input, output: 0, ..Tokens::default() },
    }
    tokens.reasoning = tokens.reasoning.min(tokens.output);
    tokens.cache_write_1h = tokens.cache_write_1h.min(tokens.cache_write);
    tokens
}

/// Cuts a text into so many deltas of about the same length.
fn split(text: &str, count: u32) -> Vec<String> {
    let count = usize::try_from(count.max(1)).unwrap_or(1);
    let chars: Vec<char> = text.chars().collect();
    let each = chars.len().div_ceil(count).max(1);
    let mut deltas: Vec<String> = chars.chunks(each).map(|part| part.iter().collect()).collect();
    // A short text still gives the number of deltas that was asked for.
    deltas.resize(count.max(deltas.len()), " ".to_owned());
    deltas
}
