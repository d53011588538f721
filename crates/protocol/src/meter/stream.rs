//! One event of a stream, by dialect.
//!
//! Each event is walked over once; nothing is built. What an event says counts only if it is whole.

use crate::error::{UpstreamError, in_band};
use crate::json::text::inner;
use crate::json::{self, Fault, Reader};
use crate::{Dialect, Endpoint};

use super::{Begun, Tally, usage};

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
    if let Some(name) = heard.tier {
        usage::tier(name, metered);
    }
    if metered.begun.is_none() {
        metered.begun = heard.begun.and_then(Begun::read);
    }
    if let (Some(begun), Some(number)) = (&mut metered.begun, heard.sequence) {
        begun.hear(number);
    }
    let pieces = &mut metered.usage;
    pieces.web_searches = pieces.web_searches.saturating_add(heard.search).max(heard.searches);
    if usage::is_image(endpoint) && heard.completed && pieces.total() == 0 {
        pieces.images = pieces.images.saturating_add(1);
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
    tier: Option<&'a [u8]>,
    /// The response object of a Responses stream that has just begun.
    begun: Option<&'a [u8]>,
    /// The event's number.
    sequence: Option<&'a [u8]>,
    error: Option<UpstreamError>,
    /// Web searches that this event reports as done: they add up.
    search: u64,
    /// Web searches of the whole answer as far as this event knows.
    searches: u64,
    text_bytes: u64,
    content: bool,
    completed: bool,
}

/// Walks over an object's members.
pub(crate) fn members<'a>(data: &'a [u8], mut each: impl FnMut(&'a [u8], &'a [u8])) -> Result<(), Fault> {
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
pub(crate) fn kind<'a>(name: &'a [u8], data: &'a [u8]) -> &'a [u8] {
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
            // Models that always search do not count; a citation proves one search.
            b"type" if text == b"url_citation" => heard.searches = 1,
            _ => {}
        }),
        b"service_tier" => heard.tier = Some(value),
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
    let begins = matches!(kind, b"response.created" | b"response.in_progress" | b"response.queued");
    heard.completed = ends;
    heard.content = kind.starts_with(b"response.") && !begins && kind != b"response.failed";
    let delta = kind.ends_with(b".delta");
    members(data, |key, value| match key {
        b"response" if ends => {
            let mut output = None;
            // The event has been walked over as a whole already, so this cannot fail.
            let _ = members(value, |key, value| match key {
                b"usage" => heard.usage = Some(value),
                b"service_tier" => heard.tier = Some(value),
                b"output" => output = Some(value),
                _ => {}
            });
            heard.searches = output.map_or(0, searches);
            if kind == b"response.failed" {
                heard.error = json::field(value, "error")
                    .and_then(|error| in_band(Dialect::OpenAiResponses, error))
                    .or_else(|| Some(UpstreamError::unnamed("the upstream's response failed")));
            }
        }
        b"response" if begins => heard.begun = Some(value),
        b"sequence_number" => heard.sequence = Some(value),
        b"delta" if delta => heard.text_bytes += inner(value).map_or(0, length),
        b"item" if kind == b"response.output_item.done" => heard.search = u64::from(is_search(value)),
        _ => {}
    })?;
    // A bare `error` event carries its fields either inside `error` or beside `type`.
    if kind == b"error" {
        heard.error = crate::error::parse_upstream(Dialect::OpenAiResponses, data)
            .or_else(|| Some(UpstreamError::unnamed("the upstream sent an error event")));
    }
    Ok(())
}

/// How many items of a response's output are web searches.
fn searches(output: &[u8]) -> u64 {
    let mut reader = Reader::new(output);
    let mut found = 0;
    let mut more = reader.open_array().unwrap_or(false);
    while more {
        let Ok(item) = reader.skip() else { break };
        found += u64::from(is_search(item));
        more = reader.more_elements().unwrap_or(false);
    }
    found
}

/// Whether an item of a response is a web search. Opening a page and looking through it costs nothing.
fn is_search(item: &[u8]) -> bool {
    if kind_of(item) != Some(b"web_search_call") {
        return false;
    }
    !json::field(item, "action").and_then(kind_of).is_some_and(looks_at_page)
}

fn kind_of(object: &[u8]) -> Option<&[u8]> {
    json::field(object, "type").and_then(inner)
}

/// Actions of a web search call that are no search.
pub(super) fn looks_at_page(action: &[u8]) -> bool {
    matches!(action, b"open_page" | b"find_in_page" | b"find")
}

/// Whether the vendor counts one search for a whole answer, however many queries it took.
pub(super) fn searches_once(model: &[u8]) -> bool {
    model.starts_with(b"gemini-1") || model.starts_with(b"gemini-2")
}

fn gemini<'a>(data: &'a [u8], heard: &mut Heard<'a>) -> Result<(), Fault> {
    let mut model: &[u8] = b"";
    members(data, |key, value| match key {
        b"candidates" => strings(value, |depth, key, text| match key {
            b"finishReason" if depth == 2 => {
                heard.completed = true;
                heard.content = true;
            }
            b"text" => heard.text_bytes += length(text),
            b"name" => heard.content = true,
            b"webSearchQueries" if depth == 4 => heard.searches += u64::from(!text.is_empty()),
            // Inside a call's arguments: candidates, candidate, content, parts, part, functionCall, args.
            _ if depth >= 7 => heard.text_bytes += length(text),
            _ => {}
        }),
        b"usageMetadata" => heard.usage = Some(value),
        // A blocked prompt gets no candidates: this is its end.
        b"promptFeedback" => heard.completed |= json::field(value, "blockReason").is_some(),
        b"modelVersion" => model = inner(value).unwrap_or_default(),
        b"error" => heard.error = in_band(Dialect::Gemini, value),
        _ => {}
    })?;
    if searches_once(model) {
        heard.searches = heard.searches.min(1);
    }
    Ok(())
}

fn length(text: &[u8]) -> u64 {
    u64::try_from(text.len()).unwrap_or(u64::MAX)
}

/// Visits every string that is a member's value or an array's element, as depth, nearest member name and
/// text. The value must be known to be valid JSON.
pub(crate) fn strings<'a>(value: &'a [u8], mut each: impl FnMut(usize, &'a [u8], &'a [u8])) {
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
