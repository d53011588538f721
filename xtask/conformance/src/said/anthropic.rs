//! Anthropic Messages, read naively.

use serde_json::{Value, json};

use super::{Called, End, Said};
use crate::walk::{at, count, list, parsed, put, text};

pub(super) fn whole(message: &Value) -> Said {
    let mut said = Said {
        end: match text(message, "/stop_reason") {
            "end_turn" => End::Done,
            "max_tokens" => End::Length,
            "stop_sequence" => End::Sequence,
            "tool_use" => End::Tools,
            "refusal" => End::Refused,
            "pause_turn" => End::Paused,
            "model_context_window_exceeded" => End::Full,
            _ => End::Silent,
        },
        failed: text(message, "/type") == "error",
        ..Said::default()
    };
    for block in list(message, "/content") {
        match text(block, "/type") {
            "text" => said.text += text(block, "/text"),
            "thinking" => said.thinking += text(block, "/thinking"),
            "tool_use" => said.calls.push(Called {
                id: text(block, "/id").to_owned(),
                name: text(block, "/name").to_owned(),
                arguments: block["input"].clone(),
            }),
            _ => {}
        }
    }
    let usage = &message["usage"];
    // Steps of other models inside one answer are paid for, but not in the totals.
    let steps: Vec<&Value> =
        list(usage, "/iterations").iter().filter(|step| text(step, "/type") != "message").collect();
    let more = |field: &str| steps.iter().map(|step| count(step, field)).sum::<u64>();
    said.cached = count(usage, "/cache_read_input_tokens");
    said.input = count(usage, "/input_tokens")
        + more("/input_tokens")
        + said.cached
        + count(usage, "/cache_creation_input_tokens");
    said.output = count(usage, "/output_tokens") + more("/output_tokens");
    said
}

pub(super) fn stream(values: &[Value]) -> Said {
    let mut message = json!({});
    let mut blocks: Vec<Value> = Vec::new();
    let (mut arguments, mut open, mut over) = (String::new(), false, false);
    let mut broken = Vec::new();
    for value in values {
        let kind = text(value, "/type");
        if over
            || (at(&message, "/id").is_null() && kind != "message_start" && kind != "ping" && kind != "error")
        {
            broken.push(format!("{kind} out of place"));
        }
        match kind {
            "message_start" => {
                if !at(&message, "/id").is_null() {
                    broken.push("two starts".into());
                }
                message = value["message"].clone();
            }
            "content_block_start" => {
                if open || value["index"] != blocks.len() {
                    broken.push(format!("block {} opens out of turn", value["index"]));
                }
                blocks.push(value["content_block"].clone());
                (arguments, open) = (String::new(), true);
            }
            "content_block_delta" => {
                let Some(block) = blocks.last_mut() else {
                    broken.push("a delta without a block".into());
                    continue;
                };
                let kind = text(block, "/type").to_owned();
                match (text(value, "/delta/type"), kind.as_str()) {
                    ("text_delta", "text") => append(block, "text", text(value, "/delta/text")),
                    ("thinking_delta", "thinking") => {
                        append(block, "thinking", text(value, "/delta/thinking"));
                    }
                    ("input_json_delta", _) => arguments += text(value, "/delta/partial_json"),
                    ("signature_delta", "thinking") | ("citations_delta" | "compaction_delta", _) => {}
                    (delta, block) => broken.push(format!("{delta} in a block of {block}")),
                }
            }
            "content_block_stop" => {
                if !open {
                    broken.push("a stop without a block".into());
                }
                open = false;
                if let Some(block) = blocks.last_mut()
                    && text(block, "/type") == "tool_use"
                    && !arguments.is_empty()
                {
                    put(block, "input", parsed(&arguments));
                }
            }
            "message_delta" => {
                put(&mut message, "stop_reason", at(value, "/delta/stop_reason").clone());
                let mut usage = at(&message, "/usage").clone();
                for (name, number) in value["usage"].as_object().into_iter().flatten() {
                    if !number.is_null() {
                        put(&mut usage, name, number.clone());
                    }
                }
                put(&mut message, "usage", usage);
            }
            "message_stop" => over = true,
            _ => {}
        }
    }
    put(&mut message, "content", json!(blocks));
    Said { over, broken, ..whole(&message) }
}

fn append(block: &mut Value, field: &str, more: &str) {
    let longer = format!("{}{more}", text(block, &format!("/{field}")));
    put(block, field, json!(longer));
}
