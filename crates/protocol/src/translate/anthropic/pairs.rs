//! Calls and their results, which the vendor wants side by side: every call of a message has one result at the
//! beginning of the next, and no result answers anything else.

use serde_json::{Value, json};

use super::write_parts::text_block;
use super::write_turns::Message;
use crate::neutral::Losses;

/// Puts calls and results right.
pub(super) fn mend(messages: &mut Vec<Message>, losses: &mut Losses) {
    let mut index = 0;
    let mut open: Vec<String> = Vec::new();
    while let Some(message) = messages.get_mut(index) {
        match message.role {
            "user" => answer(message, &mut open, losses),
            // Instructions do not come between a call and its results.
            "system" if open.is_empty() => {}
            _ if !open.is_empty() => {
                let at = message.at.clone();
                messages.insert(index, Message::new("user", Vec::new(), at));
                continue;
            }
            _ => open = calls(message),
        }
        index += 1;
    }
    if !open.is_empty() {
        let at = messages.last().map(|message| message.at.clone()).unwrap_or_default();
        let mut message = Message::new("user", Vec::new(), at);
        answer(&mut message, &mut open, losses);
        messages.push(message);
    }
}

fn calls(message: &Message) -> Vec<String> {
    let calls = message.blocks.iter().filter(|block| kind(block) == "tool_use");
    calls.filter_map(|block| block.get("id")?.as_str().map(str::to_owned)).collect()
}

fn kind(block: &Value) -> &str {
    block.get("type").and_then(Value::as_str).unwrap_or_default()
}

/// Sorts the results of a user's message to its front, adds those that are missing, and makes texts of those that
/// answer nothing.
fn answer(message: &mut Message, open: &mut Vec<String>, losses: &mut Losses) {
    let mut results = Vec::new();
    let mut others = Vec::new();
    for block in std::mem::take(&mut message.blocks) {
        if kind(&block) != "tool_result" {
            others.push(block);
            continue;
        }
        let id = block.get("tool_use_id").and_then(Value::as_str).unwrap_or_default();
        if let Some(place) = open.iter().position(|call| call == id) {
            open.remove(place);
            results.push(block);
        } else {
            losses.meaning(message.place(id), "answers no call of the turn before it and is sent as text");
            others.extend(in_words(block));
        }
    }
    for id in open.drain(..) {
        losses.meaning(message.at.as_str(), "lacks the result of a call before it; an empty one is sent");
        results.push(json!({
            "type": "tool_result", "tool_use_id": id, "is_error": true, "content": "No result was given."
        }));
    }
    results.append(&mut others);
    message.blocks = results;
}

/// The content of a result that cannot be sent as one.
fn in_words(mut result: Value) -> Vec<Value> {
    match result.get_mut("content").map(Value::take) {
        Some(Value::String(text)) if !text.trim().is_empty() => vec![text_block(&text)],
        Some(Value::Array(blocks)) if !blocks.is_empty() => blocks,
        _ => vec![text_block("(no content)")],
    }
}
