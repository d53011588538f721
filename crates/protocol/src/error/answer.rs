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
    if first == Some(&b'{')
        && endpoint != Endpoint::AudioSpeech
        && let (members, Ok(())) = Members::of(endpoint, body)
    {
        return members.judge(endpoint, body);
    }
    match first {
        None => return Some(own("empty_answer", "the upstream's answer is empty")),
        Some(b'[') if endpoint != Endpoint::AudioSpeech && json::is_whole(body) => {}
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
        return match elements(body).find_map(|element| error_in(endpoint, element)) {
            Some(error) => Some(error),
            None if elements(body).any(is_gemini_answer) => None,
            None => Some(empty(dialect, body)),
        };
    }
    // What may stand behind the value is no part of the answer.
    let body = Reader::new(body).skip().unwrap_or(body);
    Members::of(endpoint, body).0.judge(endpoint, body)
}

/// The members of an answer that it is judged by, found in one walk: an answer may be megabytes long.
#[derive(Debug)]
struct Members<'a> {
    error: Option<&'a [u8]>,
    status: Option<&'a [u8]>,
    kind: Option<&'a [u8]>,
    object: Option<&'a [u8]>,
    /// What it must have one of to be an answer, see [`content_of`].
    content: [Option<&'a [u8]>; 2],
}

impl<'a> Members<'a> {
    /// As far as the text is JSON, and whether it is one whole object.
    fn of(endpoint: Endpoint, text: &'a [u8]) -> (Self, Result<(), json::Fault>) {
        let [one, other] = content_of(endpoint);
        let names = ["error", "status", "type", "object", one, other];
        let ([error, status, kind, object, one, other], whole) = json::fields(text, names);
        (Self { error, status, kind, object, content: [one, other] }, whole)
    }

    fn judge(&self, endpoint: Endpoint, object: &[u8]) -> Option<UpstreamError> {
        let dialect = endpoint.dialect();
        let error = self.error(dialect, object);
        error.or_else(|| self.is_empty(endpoint, object).then(|| empty(dialect, object)))
    }

    fn error(&self, dialect: Dialect, object: &[u8]) -> Option<UpstreamError> {
        let is = |value: Option<&[u8]>, word: &[u8]| value.and_then(inner) == Some(word);
        let said = self.error.is_some_and(present);
        let failed = dialect == Dialect::OpenAiResponses && is(self.status, b"failed");
        if said || failed || is(self.kind, b"error") || is(self.object, b"error") {
            let otherwise = || UpstreamError::unnamed("the upstream answered with an error");
            return Some(parse_upstream(dialect, object).unwrap_or_else(otherwise));
        }
        None
    }

    /// Whether an answer that must have content has none, nor a reason for it.
    fn is_empty(&self, endpoint: Endpoint, object: &[u8]) -> bool {
        match content_of(endpoint) {
            ["", _] => object == b"{}",
            _ => !self.content.into_iter().flatten().any(present),
        }
    }
}

/// The members of which an answer has at least one, with something in it; empty where it need not.
fn content_of(endpoint: Endpoint) -> [&'static str; 2] {
    match endpoint {
        Endpoint::Messages => ["content", "stop_reason"],
        Endpoint::ChatCompletions | Endpoint::Completions => ["choices", ""],
        Endpoint::GeminiGenerate | Endpoint::GeminiStream => GEMINI_CONTENT,
        Endpoint::Embeddings => ["data", "embeddings"],
        Endpoint::ImageGenerations | Endpoint::ImageEdits | Endpoint::ImageVariations => ["data", ""],
        _ => ["", ""],
    }
}

const GEMINI_CONTENT: [&str; 2] = ["candidates", "promptFeedback"];

fn error_in(endpoint: Endpoint, object: &[u8]) -> Option<UpstreamError> {
    Members::of(endpoint, object).0.error(endpoint.dialect(), object)
}

fn is_gemini_answer(object: &[u8]) -> bool {
    GEMINI_CONTENT.iter().any(|name| json::field(object, name).is_some_and(present))
}

/// An empty answer, in the words that it holds in place of content, if any.
fn empty(dialect: Dialect, body: &[u8]) -> UpstreamError {
    let words = parse_upstream(dialect, body).filter(|error| !error.message.trim().is_empty());
    words.unwrap_or_else(|| own("empty_answer", "the upstream's answer has no content"))
}

/// JSON in place of sound is an error if it says so.
fn parse_speech(endpoint: Endpoint, body: &[u8]) -> Option<UpstreamError> {
    (json::is_whole(body) && body.first() == Some(&b'{')).then(|| error_in(endpoint, body)).flatten()
}

fn own(kind: &str, message: &str) -> UpstreamError {
    UpstreamError { kind: kind.to_owned(), ..UpstreamError::unnamed(message) }
}
