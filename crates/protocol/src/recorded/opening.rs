//! How recorded answers begin.

use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::Value;

use super::{cassettes, data, endpoint};
use crate::error::looks_failed;
use crate::gate::{Gate, Opening};
use crate::{Dialect, Endpoint};

struct Stream {
    id: String,
    endpoint: Endpoint,
    body: Vec<u8>,
    /// How many bytes it takes to open, when they come one by one.
    opens_at: usize,
}

/// Every recorded stream of events.
static STREAMS: LazyLock<Vec<Stream>> = LazyLock::new(|| {
    let mut found = Vec::new();
    for record in cassettes() {
        let (Some(endpoint), Some(200)) = (endpoint(&record), record["status"].as_u64()) else { continue };
        let body = record["body"].as_str().unwrap().as_bytes().to_vec();
        if record["sse"] != true || body.first() == Some(&b'[') {
            continue;
        }
        let mut gate = Gate::new(endpoint, true);
        let opens_at = body.iter().position(|byte| gate.feed(&[*byte]) != Opening::Hold);
        let opens_at = opens_at.map_or(body.len() + 1, |at| at + 1);
        found.push(Stream { id: record["id"].to_string(), endpoint, body, opens_at });
    }
    found
});

fn filled(value: &Value) -> bool {
    match value {
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Null => false,
        _ => true,
    }
}

/// Whether an event carries content, read by other means than the gate's.
fn carries(dialect: Dialect, value: &Value) -> bool {
    let any = |paths: &[&str]| paths.iter().any(|path| value.pointer(path).is_some_and(filled));
    let kind = value["type"].as_str().unwrap_or_default();
    match dialect {
        Dialect::Anthropic => {
            let block = value["content_block"]["type"].as_str().unwrap_or("text");
            !matches!(block, "text" | "thinking")
                || any(&[
                    "/content_block/text",
                    "/content_block/thinking",
                    "/delta/text",
                    "/delta/thinking",
                    "/delta/signature",
                    "/delta/partial_json",
                    "/delta/stop_reason",
                ])
        }
        Dialect::OpenAiChat => any(&[
            "/choices/0/delta/content",
            "/choices/0/text",
            "/choices/0/delta/reasoning",
            "/choices/0/delta/reasoning_content",
            "/choices/0/delta/reasoning_details/0/text",
            "/choices/0/delta/reasoning_details/0/data",
            "/choices/0/delta/refusal",
            "/choices/0/delta/tool_calls/0/function/name",
            "/choices/0/finish_reason",
        ]),
        Dialect::OpenAiResponses => {
            let item = value["item"]["type"].as_str().unwrap_or("message");
            (kind == "response.output_item.added" && !matches!(item, "message" | "reasoning"))
                || (kind.rsplit('.').next() == Some("delta") && filled(&value["delta"]))
                || matches!(kind, "response.output_item.done" | "response.completed" | "response.incomplete")
        }
        Dialect::Gemini => {
            let parts = value.pointer("/candidates/0/content/parts").and_then(Value::as_array);
            let full = |part: &Value| {
                ["text", "functionCall", "inlineData", "executableCode", "codeExecutionResult"]
                    .iter()
                    .any(|name| filled(&part[*name]))
            };
            any(&["/candidates/0/finishReason", "/promptFeedback/blockReason"])
                || parts.is_some_and(|parts| parts.iter().any(full))
        }
    }
}

/// Where the first event that carries content begins and ends.
fn first_content(dialect: Dialect, body: &str) -> Option<(usize, usize)> {
    let mut start = 0;
    for line in body.split_inclusive('\n') {
        let end = start + line.len();
        if let Some(data) = line.strip_prefix("data:")
            && serde_json::from_str(data.trim()).is_ok_and(|value| carries(dialect, &value))
        {
            // One vendor writes an event's name behind its data, so only the blank line tells the end.
            let blank =
                ["\n\n", "\r\n\r\n"].iter().filter_map(|b| Some(body[start..].find(b)? + b.len())).min();
            return Some((start, blank.map_or(body.len(), |length| start + length)));
        }
        start = end;
    }
    None
}

#[test]
fn u14_every_recorded_stream_opens_at_its_first_content() {
    let mut held = 0;
    for stream in STREAMS.iter() {
        let text = std::str::from_utf8(&stream.body).unwrap();
        let Some((start, end)) = first_content(stream.endpoint.dialect(), text) else {
            // Background responses are recorded up to where their client stopped listening, and one breaks.
            let mut gate = Gate::new(stream.endpoint, true);
            gate.feed(&stream.body);
            let ending = gate.finish();
            assert!(
                matches!(ending, Opening::Malformed("cut") | Opening::Failed(_)),
                "{}: {ending:?}",
                stream.id
            );
            held += 1;
            continue;
        };
        assert!(
            stream.opens_at > start && stream.opens_at <= end,
            "{}: {} {start} {end}",
            stream.id,
            stream.opens_at
        );
        let mut gate = Gate::new(stream.endpoint, true);
        assert_eq!(gate.feed(&stream.body[..stream.opens_at]), Opening::Content, "{}", stream.id);
    }
    println!("{} recorded streams checked, {held} of them without content", STREAMS.len());
}

#[test]
fn u11_recorded_answers_are_answers_and_recorded_errors_are_none() {
    let mut checked = 0;
    for record in cassettes() {
        let (Some(endpoint), Some(status)) = (endpoint(&record), record["status"].as_u64()) else { continue };
        if record["sse"] == true {
            continue;
        }
        let (id, body) = (&record["id"], record["body"].as_str().unwrap().as_bytes());
        let found = looks_failed(endpoint, body);
        assert_eq!(found.is_some(), status >= 400, "{id} {endpoint}: {found:?}");
        for pieces in [vec![body], body.chunks(1).collect::<Vec<_>>()] {
            let mut gate = Gate::new(endpoint, false);
            for piece in pieces {
                gate.feed(piece);
            }
            let opening = gate.finish();
            let right = match &opening {
                Opening::Content => status == 200,
                Opening::Failed(error) => Some(error) == found.as_ref(),
                _ => false,
            };
            assert!(right, "{id} {endpoint}: {opening:?}");
        }
        checked += 1;
    }
    let Some(folder) = data("cassettes") else { return };
    let text = std::fs::read_to_string(folder.join("errors.json")).unwrap();
    for record in serde_json::from_str::<Vec<Value>>(&text).unwrap() {
        let endpoint = match record["api"].as_str().unwrap() {
            "messages" | "messages_count" => Endpoint::Messages,
            "responses" => Endpoint::Responses,
            "gemini" | "gemini_count" | "gemini_embed" => Endpoint::GeminiStream,
            _ => Endpoint::ChatCompletions,
        };
        let body = record["body"].as_str().unwrap().as_bytes();
        assert!(looks_failed(endpoint, body).is_some(), "{record}");
        // The same as the only body of what should have been events.
        let mut gate = Gate::new(endpoint, true);
        gate.feed(body);
        assert!(matches!(gate.finish(), Opening::Failed(_)), "{record}");
        checked += 1;
    }
    println!("{checked} recorded bodies checked");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn u14_u51_no_cut_changes_where_a_recorded_stream_opens(
        which in any::<prop::sample::Index>(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        near in -3_isize..3,
    ) {
        if STREAMS.is_empty() {
            // Without the recorded data, which said SKIP already.
            return Ok(());
        }
        let stream = which.get(&STREAMS);
        let length = stream.body.len();
        let mut points: Vec<usize> = cuts.iter().map(|cut| cut.index(length + 1)).collect();
        // One cut close to where it matters.
        points.push(stream.opens_at.saturating_add_signed(near).min(length));
        points.extend([0, length]);
        points.sort_unstable();
        let mut gate = Gate::new(stream.endpoint, true);
        for ends in points.windows(2) {
            let opening = gate.feed(&stream.body[ends[0]..ends[1]]);
            prop_assert_eq!(opening == Opening::Hold, ends[1] < stream.opens_at, "{} {:?}", stream.id, ends);
        }
    }
}
