//! What one event at the beginning of a stream means, by dialect.
//!
//! Events that are not known say nothing: a vendor's new greeting must not pass for an answer.

use crate::error::{UpstreamError, in_band, parse_upstream, present};
use crate::json::text::inner;
use crate::json::{self, Fault, What, elements};
use crate::meter::stream::{kind, members, strings};
use crate::{Dialect, Endpoint};

use super::Opening;

/// The members of an event that matter here.
#[derive(Default)]
struct Said<'a> {
    error: Option<&'a [u8]>,
    /// `type`, without quotes.
    kind: &'a [u8],
    /// The member that carries this dialect's content: `delta`, `content_block`, `message`, `choices`, `item`,
    /// `response`, `candidates`.
    body: Option<&'a [u8]>,
    /// Gemini's verdict on the prompt.
    feedback: Option<&'a [u8]>,
    /// Some member of the dialect's own was there, so words beside it are no error.
    own: bool,
}

/// Judges one event.
pub(super) fn judge(endpoint: Endpoint, name: &[u8], data: &[u8]) -> Opening {
    let data = data.trim_ascii();
    match data.first() {
        None => return Opening::Hold,
        Some(b'<') => return Opening::Malformed("html"),
        _ if name == b"ping" => return Opening::Hold,
        // An end without a reason and without content.
        _ if data == b"[DONE]" => return Opening::Malformed("empty"),
        Some(b'{') => {}
        // Heartbeats like `null` and `0` are no objects.
        _ if json::is_whole(data) => {
            return parse_upstream(endpoint.dialect(), data).map_or(Opening::Hold, Opening::Failed);
        }
        _ => return Opening::Malformed("not_json"),
    }
    let dialect = endpoint.dialect();
    let said = match read(dialect, data) {
        Ok(said) => said,
        // Nobody greets that deeply.
        Err(Fault { what: What::TooDeep, .. }) => return Opening::Content,
        Err(_) => return Opening::Malformed("not_json"),
    };
    if let Some(error) = said.error.and_then(|error| in_band(dialect, error)) {
        return Opening::Failed(error);
    }
    let kind = if dialect == Dialect::OpenAiChat { said.kind } else { kind(name, data) };
    if name == b"error" || kind == b"error" {
        return failed(dialect, data, "the upstream sent an error event");
    }
    if !said.own
        && let Some(error) = parse_upstream(dialect, data)
    {
        return Opening::Failed(error);
    }
    match dialect {
        Dialect::Anthropic => anthropic(kind, &said),
        Dialect::OpenAiChat => chat(kind, &said, data),
        Dialect::OpenAiResponses => responses(kind, &said, data),
        Dialect::Gemini => gemini(&said),
    }
}

fn read(dialect: Dialect, data: &[u8]) -> Result<Said<'_>, Fault> {
    let mut said = Said::default();
    members(data, |key, value| match (key, dialect) {
        (b"error", _) => said.error = Some(value),
        (b"type", _) => {
            said.kind = inner(value).unwrap_or_default();
            said.own = true;
        }
        (b"delta" | b"content_block" | b"message", Dialect::Anthropic)
        | (b"choices", Dialect::OpenAiChat)
        | (b"delta" | b"item" | b"response", Dialect::OpenAiResponses)
        | (b"candidates", Dialect::Gemini) => {
            said.body = Some(value);
            said.own |= value.first() != Some(&b'"') || dialect == Dialect::OpenAiResponses;
        }
        (b"promptFeedback", Dialect::Gemini) => {
            said.feedback = Some(value);
            said.own = true;
        }
        (b"usage" | b"object" | b"id", Dialect::OpenAiChat)
        | (b"usageMetadata" | b"modelVersion" | b"responseId", Dialect::Gemini) => said.own = true,
        _ => {}
    })?;
    Ok(said)
}

fn failed(dialect: Dialect, data: &[u8], otherwise: &str) -> Opening {
    Opening::Failed(parse_upstream(dialect, data).unwrap_or_else(|| UpstreamError::unnamed(otherwise)))
}

fn content(is: bool) -> Opening {
    if is { Opening::Content } else { Opening::Hold }
}

/// Whether any string but the `type`s says something.
fn speaks(value: &[u8]) -> bool {
    let mut any = false;
    strings(value, |_, key, text| any |= key != b"type" && !text.is_empty());
    any
}

fn anthropic(kind: &[u8], said: &Said<'_>) -> Opening {
    let body = said.body.unwrap_or_default();
    match kind {
        b"message_start" => content(json::field(body, "content").is_some_and(present)),
        b"content_block_start" => content(match json::field(body, "type").and_then(inner) {
            None | Some(b"text" | b"thinking") => speaks(body),
            // A call has a name, a result has its contents, redacted thinking has its data.
            Some(_) => true,
        }),
        b"content_block_delta" => content(speaks(body)),
        b"message_delta" => content(json::field(body, "stop_reason").is_some_and(present)),
        b"message_stop" => Opening::Malformed("empty"),
        _ => Opening::Hold,
    }
}

fn chat(kind: &[u8], said: &Said<'_>, data: &[u8]) -> Opening {
    let (mut speaks, mut ends, mut broke) = (false, false, false);
    for choice in elements(said.body.unwrap_or_default()) {
        // Each choice has been walked over already, so this cannot fail.
        let _ = members(choice, |key, value| match key {
            b"finish_reason" if present(value) => {
                ends = true;
                broke |= value == b"\"error\"";
            }
            b"text" => speaks |= present(value),
            b"delta" | b"message" => speaks |= delta_speaks(value),
            _ => {}
        });
    }
    if broke && !speaks {
        return failed(Dialect::OpenAiChat, data, "the upstream ended its answer with an error");
    }
    // Streams of pictures and sound: `image_generation.partial_image`, `speech.audio.delta`, `….done`.
    let typed = kind.contains(&b'.');
    if typed && kind.ends_with(b".failed") {
        return failed(Dialect::OpenAiChat, data, "the upstream failed");
    }
    let typed_end = typed && (kind.ends_with(b".completed") || kind.ends_with(b".done"));
    let typed_piece = typed
        && ["delta", "audio", "b64_json", "text"]
            .iter()
            .any(|name| json::field(data, name).is_some_and(present));
    content(speaks || ends || typed_end || typed_piece)
}

/// Whether a chat delta brings something that the model made. Citations of a search that ran before it are not that.
fn delta_speaks(delta: &[u8]) -> bool {
    let mut any = false;
    let _ = members(delta, |key, value| match (key, value.first()) {
        (
            b"content" | b"reasoning" | b"reasoning_content" | b"thinking" | b"refusal" | b"reasoning_text",
            Some(b'"'),
        ) => any |= present(value),
        (b"annotations" | b"citations", _) => {}
        (_, Some(b'{' | b'[')) => strings(value, |_, key, text| match key {
            b"text" | b"thinking" | b"summary" | b"name" | b"arguments" | b"input" | b"data"
            | b"transcript" | b"url" => any |= !text.is_empty(),
            _ => {}
        }),
        _ => {}
    });
    any
}

fn responses(kind: &[u8], said: &Said<'_>, data: &[u8]) -> Opening {
    let body = said.body.unwrap_or_default();
    match kind {
        b"response.failed" => failed(Dialect::OpenAiResponses, data, "the upstream's response failed"),
        b"response.cancelled" => {
            failed(Dialect::OpenAiResponses, data, "the upstream cancelled the response")
        }
        b"response.completed" => {
            let there = |name| json::field(body, name).is_some_and(present);
            if there("output") || there("usage") { Opening::Content } else { Opening::Malformed("empty") }
        }
        // An incomplete one says why.
        b"response.incomplete" | b"response.output_item.done" => Opening::Content,
        b"response.output_item.added" => {
            let kind = json::field(body, "type").and_then(inner);
            content(!matches!(kind, None | Some(b"message" | b"reasoning")))
        }
        _ if kind.ends_with(b".delta") => content(present(body)),
        _ => content(kind.ends_with(b".partial_image")),
    }
}

fn gemini(said: &Said<'_>) -> Opening {
    // A blocked prompt gets no candidates: this is its end, wherever it is sent.
    if said.feedback.is_some_and(|f| json::field(f, "blockReason").is_some_and(present)) {
        return Opening::Content;
    }
    let mut any = false;
    strings(said.body.unwrap_or_default(), |depth, key, text| match key {
        b"finishReason" if depth == 2 => any = true,
        b"text" | b"name" | b"data" | b"code" | b"output" | b"fileUri" => any |= !text.is_empty(),
        _ => {}
    });
    content(any)
}
