//! OpenAI Responses, read naively.

use serde_json::{Value, json};

use super::{Called, End, Said};
use crate::walk::{at, count, list, parsed, put, text};

pub(super) fn whole(value: &Value) -> Said {
    let mut said = Said {
        end: match (text(value, "/status"), text(value, "/incomplete_details/reason")) {
            ("completed" | "complete", _) => End::Done,
            (_, "max_output_tokens") => End::Length,
            (_, "content_filter") => End::Refused,
            _ => End::Silent,
        },
        failed: text(value, "/status") == "failed",
        ..Said::default()
    };
    for item in list(value, "/output") {
        match text(item, "/type") {
            "message" => {
                for part in list(item, "/content") {
                    said.text += text(part, "/text");
                    said.text += text(part, "/refusal");
                }
            }
            "reasoning" => {
                // Some models show a summary, open ones the thing itself.
                let shown = if list(item, "/summary").is_empty() { "/content" } else { "/summary" };
                let parts: Vec<&str> = list(item, shown).iter().map(|part| text(part, "/text")).collect();
                said.thinking += &parts.join("\n\n");
            }
            "function_call" => said.calls.push(Called {
                id: text(item, "/call_id").to_owned(),
                name: text(item, "/name").to_owned(),
                arguments: parsed(text(item, "/arguments")),
            }),
            "custom_tool_call" => said.calls.push(Called {
                id: text(item, "/call_id").to_owned(),
                name: text(item, "/name").to_owned(),
                arguments: json!({ "input": item["input"] }),
            }),
            _ => {}
        }
    }
    let usage = &value["usage"];
    said.cached = count(usage, "/input_tokens_details/cached_tokens");
    said.input = count(usage, "/input_tokens");
    said.output = count(usage, "/output_tokens");
    said
}

pub(super) fn stream(values: &[Value]) -> Said {
    let mut broken = Vec::new();
    let (mut written, mut done) = (String::new(), Vec::new());
    let mut calls: Vec<(u64, String)> = Vec::new();
    for (number, value) in values.iter().enumerate() {
        if value["sequence_number"] != number {
            broken.push(format!("event {number} is numbered {}", value["sequence_number"]));
        }
        match text(value, "/type") {
            "response.output_text.delta" => written += text(value, "/delta"),
            "response.function_call_arguments.delta" => {
                let index = count(value, "/output_index");
                match calls.iter_mut().find(|(other, _)| *other == index) {
                    Some((_, arguments)) => *arguments += text(value, "/delta"),
                    None => calls.push((index, text(value, "/delta").to_owned())),
                }
            }
            "response.output_item.done" => done.push(value["item"].clone()),
            _ => {}
        }
    }
    let last = values.last().cloned().unwrap_or_default();
    let over = ["response.completed", "response.incomplete"].contains(&text(&last, "/type"));
    let mut response = at(&last, "/response").clone();
    if list(&response, "/output").is_empty() {
        put(&mut response, "output", json!(done));
    } else if over && bare(list(&response, "/output")) != bare(&done) {
        broken.push("the items of the whole are not those that were done".into());
    }
    let said = whole(&response);
    if over && written != said.text {
        broken.push("the deltas do not add up to the text".into());
    }
    for (item, index) in list(&response, "/output").iter().zip(0_u64..) {
        let streamed = calls.iter().find(|(other, _)| *other == index).map_or("", |(_, arguments)| arguments);
        if over && text(item, "/type") == "function_call" && text(item, "/arguments") != streamed {
            broken.push("the deltas do not add up to the arguments".into());
        }
    }
    Said { over, broken, ..said }
}

/// Items without log probabilities: of a whole answer that is told as a stream they are known last.
fn bare(items: &[Value]) -> Vec<Value> {
    let mut items = items.to_vec();
    for part in items.iter_mut().filter_map(|item| item.get_mut("content")?.as_array_mut()).flatten() {
        if let Some(part) = part.as_object_mut() {
            part.remove("logprobs");
        }
    }
    items
}
