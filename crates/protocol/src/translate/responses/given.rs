//! What a vendor's output items are. Lenient: what makes no sense is passed on as it is or left out.

use serde_json::{Map, Value};

use super::parts::thinking;
use crate::Dialect;
use crate::neutral::{Media, MediaKind, Opening, Part, Source, Stop, ToolKind};

const OWN: Dialect = Dialect::OpenAiResponses;

/// A text field; empty if it is missing.
pub(super) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// A list field; empty if it is missing.
pub(super) fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Adds the parts of an output item, the `n`th, and the log probabilities of its texts.
pub(super) fn parts(item: Value, n: usize, parts: &mut Vec<Part>, logprobs: &mut Vec<Value>) {
    match text(&item, "type") {
        "message" => match item.get("content") {
            Some(Value::String(text)) => parts.push(Part::text(text.as_str())),
            _ => {
                for part in list(&item, "content") {
                    logprobs.extend(list(part, "logprobs").iter().cloned());
                    parts.extend(content(part));
                }
            }
        },
        "reasoning" => parts.extend(thought(&item)),
        "function_call" | "custom_tool_call" => {
            if let Some(Opening::ToolCall { id, name, namespace, kind }) = call(&item, n) {
                let said = if kind == ToolKind::Custom { "input" } else { "arguments" };
                let arguments = text(&item, said).to_owned();
                parts.push(Part::ToolCall { id, name, namespace, arguments, kind, seal: None, cache: None });
            }
        }
        _ => parts.extend(other(item)),
    }
}

/// A call without its arguments; `None` if the item is none.
pub(super) fn call(item: &Value, n: usize) -> Option<Opening> {
    let kind = match text(item, "type") {
        "function_call" => ToolKind::Function,
        "custom_tool_call" => ToolKind::Custom,
        _ => return None,
    };
    // The result will name it.
    let given = ["call_id", "id"].map(|name| text(item, name)).into_iter().find(|id| !id.is_empty());
    Some(Opening::ToolCall {
        id: given.map_or_else(|| format!("call_{n}"), str::to_owned),
        name: text(item, "name").to_owned(),
        namespace: item.get("namespace").and_then(Value::as_str).map(str::to_owned),
        kind,
    })
}

/// A thought, unless there is nothing in it.
pub(super) fn thought(item: &Value) -> Option<Part> {
    let sealed = item.get("encrypted_content").and_then(Value::as_str);
    let part = thinking(list(item, "summary"), list(item, "content"), sealed);
    (!matches!(&part, Part::Thinking { text, seal: None } if text.is_empty())).then_some(part)
}

/// A part of a message.
pub(super) fn content(part: &Value) -> Option<Part> {
    match text(part, "type") {
        "output_text" | "text" => Some(Part::Text {
            text: text(part, "text").to_owned(),
            citations: list(part, "annotations").iter().map(|note| (OWN, note.clone())).collect(),
            seal: None,
            cache: None,
        }),
        "refusal" => Some(Part::Refusal { text: text(part, "refusal").to_owned() }),
        _ => None,
    }
}

/// A picture that the vendor made, or something that only this dialect knows.
pub(super) fn other(item: Value) -> Option<Part> {
    if !item.is_object() {
        return None;
    }
    if text(&item, "type") == "image_generation_call"
        && let Some(data) = item.get("result").and_then(Value::as_str)
    {
        let form = text(&item, "output_format");
        let mime = format!("image/{}", if form.is_empty() { "png" } else { form });
        let source = Source::Base64 { mime, data: data.to_owned() };
        let kind = MediaKind::Image;
        return Some(Part::Media(Media { kind, source, name: None, detail: None, cache: None, seal: None }));
    }
    Some(Part::Native { dialect: OWN, value: item })
}

/// Why the model stopped; `None` for an answer that has not ended.
pub(super) fn stop(response: &Value, called: bool) -> Option<Stop> {
    match text(response, "status") {
        "in_progress" | "queued" => None,
        "incomplete" => {
            let why = response.get("incomplete_details").map_or("", |details| text(details, "reason"));
            Some(match why {
                "max_output_tokens" | "max_tokens" => Stop::MaxTokens,
                "content_filter" => Stop::Refusal,
                why => Stop::Other(why.to_owned()),
            })
        }
        "cancelled" => Some(Stop::Other("cancelled".to_owned())),
        _ if called => Some(Stop::ToolUse),
        _ => Some(Stop::End),
    }
}

/// Log probabilities in Chat's shape.
pub(super) fn logprobs(list: Vec<Value>) -> Option<Value> {
    (!list.is_empty()).then(|| Value::Object(Map::from_iter([("content".to_owned(), Value::Array(list))])))
}

/// The class of service that was given; `auto` is only a wish.
pub(super) fn tier(response: &Value) -> Option<String> {
    let tier = text(response, "service_tier");
    (!tier.is_empty() && tier != "auto").then(|| tier.to_owned())
}
