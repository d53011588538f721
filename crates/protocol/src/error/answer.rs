//! Whole answers that came with a success status and are none.
//!
//! It knows only strong signs: what might be an answer is one.

use crate::json::text::inner;
use crate::json::{self, Reader, elements};
use crate::meter::is_sound;
use crate::{Dialect, Endpoint};

use super::upstream::{UpstreamError, parse_upstream, present, strip};

/// What makes the whole body of a success no answer at all; `None` if it may be one.
///
/// Besides the upstream's own error (a top-level `error`, a failed response) it is one of these, as `kind`:
/// `empty_answer` (no bytes, no content), `html_answer`, `bad_json` (not JSON, or cut).
pub fn looks_failed(endpoint: Endpoint, body: &[u8]) -> Option<UpstreamError> {
    let body = strip(body);
    let first = body.first();
    match first {
        None => return Some(own("empty_answer", "the upstream's answer is empty")),
        Some(b'{' | b'[') if endpoint != Endpoint::AudioSpeech && json::is_whole(body) => {}
        // Sound, subtitles and plain text are answers; raw sound may even begin with a brace.
        _ if is_sound(endpoint) => return parse_speech(endpoint, body),
        Some(b'<') => {
            return Some(own("html_answer", "the upstream answered with a web page in place of an answer"));
        }
        // Events that nobody asked for are judged as events.
        _ if body.starts_with(b"data:") || body.starts_with(b"event:") || first == Some(&b':') => {
            return None;
        }
        Some(b'{' | b'[') if json::is_too_deep(body) => return None,
        _ => return Some(own("bad_json", "the upstream's answer is not whole JSON")),
    }
    judge_json(endpoint, body)
}

/// The same for the JSON body itself, which need not have come to its end if it is an array.
pub(crate) fn judge_json(endpoint: Endpoint, body: &[u8]) -> Option<UpstreamError> {
    let body = strip(body);
    let dialect = endpoint.dialect();
    if body.first() == Some(&b'[') {
        if dialect != Dialect::Gemini {
            return None;
        }
        // A stream without `alt=sse`.
        return match elements(body).find_map(|element| error_in(dialect, element)) {
            Some(error) => Some(error),
            None if elements(body).any(is_gemini_answer) => None,
            None => Some(empty(dialect, body)),
        };
    }
    // What may stand behind the value is no part of the answer.
    let body = Reader::new(body).skip().unwrap_or(body);
    error_in(dialect, body).or_else(|| is_empty(endpoint, body).then(|| empty(dialect, body)))
}

fn error_in(dialect: Dialect, object: &[u8]) -> Option<UpstreamError> {
    let said = json::field(object, "error").is_some_and(present);
    let failed = dialect == Dialect::OpenAiResponses && word(object, "status") == Some(b"failed");
    if said || failed || word(object, "type") == Some(b"error") || word(object, "object") == Some(b"error") {
        let otherwise = || UpstreamError::unnamed("the upstream answered with an error");
        return Some(parse_upstream(dialect, object).unwrap_or_else(otherwise));
    }
    None
}

/// Whether an answer that must have content has none, nor a reason for it.
fn is_empty(endpoint: Endpoint, object: &[u8]) -> bool {
    let lacks = |name| !json::field(object, name).is_some_and(present);
    match endpoint {
        Endpoint::Messages => lacks("content") && lacks("stop_reason"),
        Endpoint::ChatCompletions | Endpoint::Completions => lacks("choices"),
        Endpoint::GeminiGenerate | Endpoint::GeminiStream => !is_gemini_answer(object),
        Endpoint::Embeddings => lacks("data") && lacks("embeddings"),
        Endpoint::ImageGenerations | Endpoint::ImageEdits | Endpoint::ImageVariations => lacks("data"),
        _ => object == b"{}",
    }
}

fn is_gemini_answer(object: &[u8]) -> bool {
    ["candidates", "promptFeedback"].iter().any(|name| json::field(object, name).is_some_and(present))
}

/// An empty answer, in the words that it holds in place of content, if any.
fn empty(dialect: Dialect, body: &[u8]) -> UpstreamError {
    let words = parse_upstream(dialect, body).filter(|error| !error.message.trim().is_empty());
    words.unwrap_or_else(|| own("empty_answer", "the upstream's answer has no content"))
}

/// JSON in place of sound is an error if it says so.
fn parse_speech(endpoint: Endpoint, body: &[u8]) -> Option<UpstreamError> {
    (json::is_whole(body) && body.first() == Some(&b'{'))
        .then(|| error_in(endpoint.dialect(), body))
        .flatten()
}

fn word<'a>(object: &'a [u8], name: &str) -> Option<&'a [u8]> {
    json::field(object, name).and_then(inner)
}

fn own(kind: &str, message: &str) -> UpstreamError {
    UpstreamError { kind: kind.to_owned(), ..UpstreamError::unnamed(message) }
}
