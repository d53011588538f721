//! One event of a stream, by dialect.
//!
//! Each event is walked over once; nothing is built. What an event says counts only if it is whole.

use crate::error::{UpstreamError, in_band};
use crate::json::text::inner;
use crate::json::{self, Fault, Reader};
use crate::{Dialect, Endpoint};

use super::{Tally, usage};

/// Takes over what one event says.
pub(super) fn event(endpoint: Endpoint, name: &[u8], data: &[u8], tally: &mut Tally) {
    let data = data.trim_ascii();
    if data == b"[DONE]" {
        tally.metered.completed = true;
        return;
    }
    let mut heard = Heard::default();
    let result = match endpoint.dialect() {
        Dialect::Anthropic => anthropic(name, data, &mut heard),
        Dialect::OpenAiChat => chat(name, data, &mut heard),
        Dialect::OpenAiResponses => responses(name, data, &mut heard),
        Dialect::Gemini => gemini(data, &mut heard),
    };
    if result.is_err() {
        return;
    }
    let metered = &mut tally.metered;
    if let Some(raw) = heard.usage {
        usage::read(endpoint, raw, metered);
    }
    metered.output_bytes = metered.output_bytes.saturating_add(heard.text_bytes);
    metered.completed |= heard.completed;
    if metered.error.is_none() {
        metered.error = heard.error;
    }
    tally.content |= heard.content || heard.text_bytes > 0;
}

/// What one event said.
#[derive(Default)]
struct Heard<'a> {
    usage: Option<&'a [u8]>,
    error: Option<UpstreamError>,
    text_bytes: u64,
    content: bool,
    completed: bool,
}

/// Walks over an object's members.
fn members<'a>(data: &'a [u8], mut each: impl FnMut(&'a [u8], &'a [u8])) -> Result<(), Fault> {
    let mut reader = Reader::new(data);
    let mut more = reader.open_object()?;
    while more {
        let key = reader.key()?;
        let value = reader.skip()?;
        each(key, value);
        more = reader.more_members()?;
    }
    reader.finish()
}

/// The event's kind: its name, or `type` inside for servers that leave the name out.
fn kind<'a>(name: &'a [u8], data: &'a [u8]) -> &'a [u8] {
    match name {
        b"" | b"message" => json::field(data, "type").and_then(inner).unwrap_or_default(),
        name => name,
    }
}

fn anthropic<'a>(name: &[u8], data: &'a [u8], heard: &mut Heard<'a>) -> Result<(), Fault> {
    let kind = kind(name, data);
    heard.content = kind.starts_with(b"content_block") || kind == b"message_delta";
    heard.completed = kind == b"message_stop";
    members(data, |key, value| match key {
        b"message" if kind == b"message_start" => heard.usage = json::field(value, "usage"),
        b"usage" => heard.usage = Some(value),
        b"delta" if kind == b"content_block_delta" => {
            strings(value, |_, key, text| {
                if matches!(key, b"text" | b"thinking" | b"partial_json") {
                    heard.text_bytes += length(text);
                }
            });
        }
        b"error" if kind == b"error" => heard.error = in_band(Dialect::Anthropic, value),
        _ => {}
    })
}

fn chat<'a>(name: &[u8], data: &'a [u8], heard: &mut Heard<'a>) -> Result<(), Fault> {
    let mut elsewhere = None;
    members(data, |key, value| match key {
        b"choices" => strings(value, |depth, key, text| match key {
            b"finish_reason" if depth == 2 => {
                heard.completed = true;
                heard.content = true;
            }
            b"content" | b"text" | b"reasoning" | b"reasoning_content" | b"refusal" | b"thinking"
            | b"arguments" => heard.text_bytes += length(text),
            // A call's name may be all that a first delta brings.
            b"name" => heard.content = true,
            _ => {}
        }),
        b"usage" if value != b"null" => heard.usage = Some(value),
        // Groq's older place.
        b"x_groq" => elsewhere = json::field(value, "usage"),
        b"error" => heard.error = in_band(Dialect::OpenAiChat, value),
        // Streams of images and sound: `image_generation.completed`, `speech.audio.done`, `….delta`.
        b"type" => {
            let kind = inner(value).unwrap_or_default();
            heard.completed |= kind.ends_with(b".completed") || kind.ends_with(b".done");
            heard.content |= kind.contains(&b'.');
        }
        _ => {}
    })?;
    heard.usage = heard.usage.or(elsewhere);
    if heard.error.is_none() && name == b"error" {
        heard.error = crate::error::parse_upstream(Dialect::OpenAiChat, data);
    }
    Ok(())
}

fn responses<'a>(name: &[u8], data: &'a [u8], heard: &mut Heard<'a>) -> Result<(), Fault> {
    let kind = kind(name, data);
    let ends = matches!(
        kind,
        b"response.completed" | b"response.incomplete" | b"response.failed" | b"response.cancelled"
    );
    heard.completed = ends;
    heard.content = kind.starts_with(b"response.")
        && !matches!(
            kind,
            b"response.created" | b"response.in_progress" | b"response.queued" | b"response.failed"
        );
    let delta = kind.ends_with(b".delta");
    members(data, |key, value| match key {
        b"response" if ends => {
            heard.usage = json::field(value, "usage");
            if kind == b"response.failed" {
                heard.error = json::field(value, "error")
                    .and_then(|error| in_band(Dialect::OpenAiResponses, error))
                    .or_else(|| Some(unnamed("the upstream's response failed")));
            }
        }
        b"delta" if delta => heard.text_bytes += inner(value).map_or(0, length),
        _ => {}
    })?;
    // A bare `error` event carries its fields either inside `error` or beside `type`.
    if kind == b"error" {
        heard.error = crate::error::parse_upstream(Dialect::OpenAiResponses, data)
            .or_else(|| Some(unnamed("the upstream sent an error event")));
    }
    Ok(())
}

fn gemini<'a>(data: &'a [u8], heard: &mut Heard<'a>) -> Result<(), Fault> {
    members(data, |key, value| match key {
        b"candidates" => strings(value, |depth, key, text| match key {
            b"finishReason" if depth == 2 => {
                heard.completed = true;
                heard.content = true;
            }
            b"text" => heard.text_bytes += length(text),
            b"name" => heard.content = true,
            // Inside a call's arguments: candidates, candidate, content, parts, part, functionCall, args.
            _ if depth >= 7 => heard.text_bytes += length(text),
            _ => {}
        }),
        b"usageMetadata" => heard.usage = Some(value),
        // A blocked prompt gets no candidates: this is its end.
        b"promptFeedback" => heard.completed |= json::field(value, "blockReason").is_some(),
        b"error" => heard.error = in_band(Dialect::Gemini, value),
        _ => {}
    })
}

fn unnamed(message: &str) -> UpstreamError {
    UpstreamError { message: message.to_owned(), kind: String::new() }
}

fn length(text: &[u8]) -> u64 {
    u64::try_from(text.len()).unwrap_or(u64::MAX)
}

/// Visits every string that is a member's value or an array's element, as depth, nearest member name and
/// text. The value must be known to be valid JSON.
fn strings<'a>(value: &'a [u8], mut each: impl FnMut(usize, &'a [u8], &'a [u8])) {
    let mut depth = 0_usize;
    let mut key: &[u8] = b"";
    let mut rest = value;
    while let Some((byte, tail)) = rest.split_first() {
        rest = tail;
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => {
                let Some(end) = closing_quote(tail) else { return };
                let text = tail.get(..end).unwrap_or_default();
                rest = tail.get(end + 1..).unwrap_or_default();
                if rest.trim_ascii_start().first() == Some(&b':') {
                    key = text;
                } else {
                    each(depth, key, text);
                }
            }
            _ => {}
        }
    }
}

/// Where the string that has been entered ends.
fn closing_quote(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let rest = text.get(at..)?;
        let found = memchr::memchr2(b'"', b'\\', rest)?;
        at += found;
        if rest.get(found) == Some(&b'"') {
            return Some(at);
        }
        at += 2;
    }
}
