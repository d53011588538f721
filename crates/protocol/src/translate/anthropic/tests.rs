//! What the tests of the Anthropic half share, and the tests of recorded answers.

mod answers;
mod faults;
mod foreign;
mod requests;
mod round_trip;
mod streams;
mod writing;

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Reader, read_answer};
use crate::Dialect;
use crate::neutral::{Answer, Event, Part, Request, Stop};
use crate::recorded::cassettes;
use crate::sse;
use crate::translate::{Back, Names, text};

/// The way back to a caller of one dialect from a vendor of another.
fn back(caller: Dialect, upstream: Dialect) -> Back {
    Back {
        request: Arc::new(Request::new(caller, "asked-for", true)),
        upstream,
        names: Names::new(),
        ids: "t1".into(),
        created: 0,
        sealer: None,
    }
}

/// Reads a stream that comes in pieces of a size.
pub(super) fn read_stream(body: &[u8], size: usize) -> Vec<Event> {
    let (mut reader, mut decoder, mut events) = (Reader::new(), sse::Decoder::new(), Vec::new());
    for piece in body.chunks(size) {
        decoder.feed(piece, |event| {
            let (_, data) = event.unwrap();
            reader.event(data, &mut events).unwrap();
        });
    }
    events
}

/// The message that a stream's events add up to, put together by other means than the reader's.
fn add_up(body: &str) -> Value {
    let mut message = Value::Null;
    for line in body.lines().filter_map(|line| line.strip_prefix("data:")) {
        let event: Value = serde_json::from_str(line.trim()).unwrap();
        let index = usize::try_from(event["index"].as_u64().unwrap_or(0)).unwrap();
        match event["type"].as_str().unwrap() {
            "message_start" => message = event["message"].clone(),
            "content_block_start" => {
                let blocks = message["content"].as_array_mut().unwrap();
                assert_eq!(blocks.len(), index);
                blocks.push(event["content_block"].clone());
            }
            "content_block_delta" => {
                let (block, delta) = (&mut message["content"][index], &event["delta"]);
                let (from, to) = match delta["type"].as_str().unwrap() {
                    "text_delta" => ("text", "text"),
                    "thinking_delta" => ("thinking", "thinking"),
                    "signature_delta" => ("signature", "signature"),
                    "input_json_delta" => ("partial_json", "json"),
                    _ => {
                        let citation = delta["citation"].clone();
                        if let Some(list) = block["citations"].as_array_mut() {
                            list.push(citation);
                        } else {
                            block["citations"] = json!([citation]);
                        }
                        continue;
                    }
                };
                let whole = block[to].as_str().unwrap_or_default().to_owned() + delta[from].as_str().unwrap();
                block[to] = whole.into();
            }
            "message_delta" => {
                for name in ["stop_reason", "stop_sequence"] {
                    message[name] = event["delta"][name].clone();
                }
                for (name, value) in event["usage"].as_object().unwrap() {
                    message["usage"][name] = value.clone();
                }
            }
            _ => {}
        }
    }
    for block in message["content"].as_array_mut().unwrap() {
        if let Some(json) = block.as_object_mut().unwrap().remove("json").filter(|json| json != "") {
            block["input"] = serde_json::from_str(json.as_str().unwrap()).unwrap();
        }
    }
    message
}

/// Compares an answer with the message that it was read from; how many fields there were.
fn compare(id: &Value, answer: &Answer, message: &Value) -> usize {
    let mut fields = 0;
    let mut same = |what: &str, ours: Value, theirs: Value| {
        assert_eq!(ours, theirs, "{id}: {what}");
        fields += 1;
    };
    same("id", answer.id.as_str().into(), message["id"].clone());
    same("model", answer.model.as_str().into(), message["model"].clone());
    let [choice] = answer.choices.as_slice() else { panic!("{id}: {:?}", answer.choices) };
    let blocks = message["content"].as_array().unwrap();
    same("blocks", choice.parts.len().into(), blocks.len().into());
    for (part, block) in choice.parts.iter().zip(blocks) {
        match part {
            Part::Text { text, citations, seal, cache } => {
                assert!(seal.is_none() && cache.is_none());
                same("kind", "text".into(), block["type"].clone());
                same("text", text.as_str().into(), block["text"].clone());
                let cited: Vec<&Value> = citations.iter().map(|(_, value)| value).collect();
                let theirs = block["citations"].as_array().cloned().unwrap_or_default();
                same("citations", json!(cited), theirs.into());
            }
            Part::Thinking { text, seal } if block["type"] == "redacted_thinking" => {
                same("redacted text", text.as_str().into(), "".into());
                let data = format!("redacted:{}", block["data"].as_str().unwrap());
                same("redacted data", seal.as_ref().unwrap().data.as_str().into(), data.into());
            }
            Part::Thinking { text, seal } => {
                same("kind", "thinking".into(), block["type"].clone());
                same("thinking", text.as_str().into(), block["thinking"].clone());
                let signature = seal.as_ref().map_or("", |seal| seal.data.as_str());
                same("signature", signature.into(), block["signature"].clone());
            }
            Part::ToolCall { id, name, arguments, .. } => {
                same("kind", "tool_use".into(), block["type"].clone());
                same("call id", id.as_str().into(), block["id"].clone());
                same("tool", name.as_str().into(), block["name"].clone());
                same("arguments", serde_json::from_str(arguments).unwrap(), block["input"].clone());
            }
            Part::Native { dialect, value } => {
                assert_eq!(*dialect, Dialect::Anthropic);
                assert!(!matches!(block["type"].as_str(), Some("text" | "thinking" | "tool_use")), "{id}");
                same("native", value.clone(), block.clone());
            }
            other => panic!("{id}: {other:?}"),
        }
    }
    let stop = match choice.stop.as_ref().unwrap() {
        Stop::End => "end_turn",
        Stop::ToolUse => "tool_use",
        Stop::MaxTokens => "max_tokens",
        Stop::Sequence(text) => {
            same("stop sequence", json!(text), message["stop_sequence"].clone());
            "stop_sequence"
        }
        other => panic!("{id}: {other:?}"),
    };
    same("stop", stop.into(), message["stop_reason"].clone());
    let usage = answer.usage.unwrap();
    let theirs = &message["usage"];
    // Steps of the vendor's own are billed on top of the totals.
    let steps = theirs["iterations"].as_array().cloned().unwrap_or_default();
    let more = |name: &str| -> u64 {
        steps
            .iter()
            .filter(|step| step["type"] != "message")
            .map(|step| step[name].as_u64().unwrap_or(0))
            .sum()
    };
    let total = |name: &str| theirs[name].as_u64().unwrap_or(0) + more(name);
    same("input", usage.input.into(), total("input_tokens").into());
    same("output", usage.output.into(), total("output_tokens").into());
    same("cache read", usage.cache_read.into(), total("cache_read_input_tokens").into());
    same("cache write", usage.cache_write.into(), total("cache_creation_input_tokens").into());
    same("tier", json!(answer.service_tier), theirs["service_tier"].clone());
    fields
}

#[test]
fn recorded_answers_and_streams_are_read_as_they_are_at_any_cut() {
    let (mut answers, mut streams, mut fields) = (0, 0, 0);
    for record in cassettes() {
        if record["api"] != "messages" || record["status"] != 200 {
            continue;
        }
        let (id, body) = (&record["id"], record["body"].as_str().unwrap());
        if record["sse"] == true {
            let message = add_up(body);
            for size in [1, 7, body.len()] {
                let events = read_stream(body.as_bytes(), size);
                assert_eq!(events.last(), Some(&Event::End), "{id}");
                fields += compare(id, &Answer::from_events(events), &message);
            }
            streams += 1;
        } else {
            let answer = read_answer(text::parse(body.as_bytes()).unwrap()).unwrap();
            fields += compare(id, &answer, &serde_json::from_str(body).unwrap());
            answers += 1;
        }
    }
    println!("{answers} answers and {streams} streams (at three cuts) read, {fields} fields right");
}
