//! Conversations that are continued by `previous_response_id` with vendors that keep none: the gateway keeps the
//! items and puts them in front of what is new.
//!
//! It does not decide whose items they are or how long they are kept.

use serde_json::{Map, Value, json};

use super::super::{Fault, compaction, text};
use super::input::TRIGGER;

/// The request with the items of earlier turns in front of its own, continuing nothing any more.
///
/// # Errors
/// [`Fault`] if the body or its `input` is not of the right form.
pub fn continued(previous: &[Value], body: &[u8]) -> Result<Vec<u8>, Fault> {
    let mut body = object(body)?;
    let new = body.get_mut("input").map(Value::take).unwrap_or_default();
    let mut items = previous.to_vec();
    // Items that are referred to are there already.
    items.extend(list(new)?.into_iter().filter(|item| !refers_to_any(item, previous)));
    body.shift_remove("previous_response_id");
    body.insert("input".to_owned(), Value::Array(items));
    Ok(text::json(&Value::Object(body)))
}

/// The items to keep for a continuation: those of the request (after [`continued`], so that they reach back to the
/// first turn) and those of the answer, as a request may send them.
///
/// `answer` is the whole response object. A request that is not understood adds nothing.
pub fn items_of(request_body: &[u8], answer: &Value) -> Vec<Value> {
    let input = object(request_body).ok().and_then(|mut body| list(body.get_mut("input")?.take()).ok());
    let mut items = input.unwrap_or_default();
    // The answer to it stands for the conversation, which is not to be continued as it was.
    if items.last().is_some_and(|item| item.get("type").and_then(Value::as_str) == Some(TRIGGER)) {
        items = compaction::kept(&items);
    }
    let output = answer.get("output").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    items.extend(output.iter().map(as_input));
    items
}

fn object(body: &[u8]) -> Result<Map<String, Value>, Fault> {
    match text::parse(body)? {
        Value::Object(map) => Ok(map),
        _ => Err(Fault::field("body", "must be an object")),
    }
}

fn list(input: Value) -> Result<Vec<Value>, Fault> {
    match input {
        Value::Null => Ok(Vec::new()),
        Value::String(text) => Ok(vec![json!({"type": "message", "role": "user", "content": text})]),
        Value::Array(items) => Ok(items),
        _ => Err(Fault::field("input", "must be a string or an array of items")),
    }
}

fn refers_to_any(item: &Value, previous: &[Value]) -> bool {
    let kind = item.get("type").and_then(Value::as_str);
    let bare = kind == Some("item_reference") || (kind.is_none() && item.get("role").is_none());
    bare && item.get("id").is_some_and(|id| previous.iter().any(|old| old.get("id") == Some(id)))
}

/// An output item without what only answers have.
fn as_input(item: &Value) -> Value {
    let mut item = item.clone();
    for part in item.get_mut("content").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(part) = part.as_object_mut() {
            part.shift_remove("logprobs");
        }
    }
    item
}
