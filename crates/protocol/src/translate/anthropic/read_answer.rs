//! A vendor's whole answer. Vendors break their own types, so nothing but the frame is insisted on.

use serde_json::Value;

use super::thought::{self, Read};
use super::{stop, usage};
use crate::Dialect;
use crate::meter::Counted;
use crate::neutral::{Answer, Choice, Part, ToolKind};
use crate::translate::{Fault, text};

/// Reads a whole answer.
pub(in crate::translate) fn read_answer(body: Value) -> Result<Answer, Fault> {
    let Value::Object(mut map) = body else { return Err(Fault::field("body", "must be an object")) };
    if map.get("type").and_then(Value::as_str).is_some_and(|kind| kind != "message") {
        return Err(Fault::field("type", "must be 'message'"));
    }
    let Some(Value::Array(blocks)) = map.swap_remove("content") else {
        return Err(Fault::field("content", "must be an array"));
    };
    let word = |name: &str| map.get(name).and_then(Value::as_str);
    let mut counted = Counted::default();
    usage::read(&mut counted, map.get("usage"));
    Ok(Answer {
        id: word("id").unwrap_or_default().to_owned(),
        model: word("model").unwrap_or_default().to_owned(),
        choices: vec![Choice {
            parts: thought::join(blocks.into_iter().map(block).collect()),
            stop: word("stop_reason").map(|reason| stop::read(reason, word("stop_sequence"))),
            logprobs: None,
        }],
        usage: counted.usage(),
        service_tier: usage::tier(map.get("usage")),
    })
}

fn block(block: Value) -> Read {
    let word = |name: &str| block.get(name).and_then(Value::as_str);
    let read: Option<Read> = match word("type") {
        Some("text") => word("text").map(|text| {
            Part::Text { text: text.to_owned(), citations: citations(&block), seal: None, cache: None }.into()
        }),
        Some("thinking") => {
            word("thinking").map(|text| thought::thinking(text.to_owned(), word("signature")).into())
        }
        Some("redacted_thinking") => word("data").map(Read::redacted),
        Some("tool_use") => word("id").filter(|id| !id.is_empty()).zip(word("name")).map(|(id, name)| {
            Part::ToolCall {
                id: id.to_owned(),
                name: name.to_owned(),
                namespace: None,
                arguments: arguments(block.get("input")),
                kind: ToolKind::Function,
                seal: None,
                cache: None,
            }
            .into()
        }),
        _ => None,
    };
    read.unwrap_or_else(|| Part::Native { dialect: Dialect::Anthropic, value: block }.into())
}

/// Citations of a text block.
pub(super) fn citations(block: &Value) -> Vec<(Dialect, Value)> {
    let list = block.get("citations").and_then(Value::as_array);
    list.into_iter().flatten().map(|citation| (Dialect::Anthropic, citation.clone())).collect()
}

/// A call's input as JSON text. Some servers write it as text themselves.
pub(super) fn arguments(input: Option<&Value>) -> String {
    match input {
        None | Some(Value::Null) => "{}".to_owned(),
        Some(Value::String(text)) if text.is_empty() => "{}".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(input) => text::json_text(input),
    }
}
