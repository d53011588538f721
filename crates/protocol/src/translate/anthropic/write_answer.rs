//! A whole answer for an Anthropic caller.

use serde_json::{Value, json};

use super::stop::{self, Held};
use super::{citation, thought, usage};
use crate::Dialect;
use crate::neutral::{Answer, Media, Part, Stop, ToolKind};
use crate::translate::{Back, restore, text};

/// Writes a whole answer.
pub(in crate::translate) fn write_answer(answer: &Answer, back: &Back) -> Value {
    let choice = answer.choices.first();
    let parts = choice.map(|choice| choice.parts.as_slice()).unwrap_or_default();
    let content: Vec<Value> = parts.iter().flat_map(|part| blocks(part, back.upstream)).collect();
    let (reason, sequence) = stop::write(choice.and_then(|choice| choice.stop.as_ref()), Held::of(parts));
    json!({
        "id": message_id(&answer.id, back),
        "type": "message",
        "role": "assistant",
        "model": back.request.model,
        "content": content,
        "stop_reason": reason,
        "stop_sequence": sequence,
        "usage": usage::write(answer.usage, answer.service_tier.as_deref()),
    })
}

/// Anthropic's own id stays, another vendor's would not look like one.
pub(super) fn message_id(id: &str, back: &Back) -> String {
    if id.starts_with("msg_") { id.to_owned() } else { format!("msg_{}", back.ids) }
}

fn blocks(part: &Part, vendor: Dialect) -> Vec<Value> {
    match part {
        Part::Text { text, citations, seal, .. } => {
            let before = seal.as_ref().map(thought::before);
            before.into_iter().chain(text_block(text, citations)).collect()
        }
        Part::Thinking { text, seal: None } if text.is_empty() => Vec::new(),
        Part::Thinking { text, seal: None } => vec![thought::signed(text, &thought::unsigned(vendor))],
        Part::Thinking { text, seal: Some(seal) } => {
            vec![thought::Form::of(seal, !text.is_empty()).block(text)]
        }
        Part::Refusal { text } => text_block(text, &[]).into_iter().collect(),
        Part::ToolCall { id, name, arguments, kind, seal, .. } => {
            let call =
                json!({ "type": "tool_use", "id": id, "name": name, "input": input(arguments, *kind) });
            seal.as_ref().map(thought::before).into_iter().chain([call]).collect()
        }
        Part::ToolResult { parts, .. } => parts.iter().flat_map(|part| blocks(part, vendor)).collect(),
        Part::Media(media) => text_block(&in_words(media), &[]).into_iter().collect(),
        Part::Native { dialect: Dialect::Anthropic, value } => vec![value.clone()],
        Part::Native { .. } => Vec::new(),
    }
}

fn text_block(text: &str, citations: &[(Dialect, Value)]) -> Option<Value> {
    if text.is_empty() {
        return None;
    }
    let cited: Vec<Value> =
        citations.iter().filter_map(|(dialect, value)| citation::write(*dialect, value, text)).collect();
    Some(if cited.is_empty() {
        json!({ "type": "text", "text": text })
    } else {
        json!({ "type": "text", "text": text, "citations": cited })
    })
}

/// A call's input as an object, whatever the model wrote.
pub(super) fn input(arguments: &str, kind: ToolKind) -> Value {
    let arguments = match kind {
        ToolKind::Function => arguments.to_owned(),
        ToolKind::Custom => restore::wrap_input(arguments),
    };
    if arguments.trim().is_empty() {
        return json!({});
    }
    match text::parse(arguments.as_bytes()) {
        Ok(input @ Value::Object(_)) => input,
        // How some models say that a tool takes nothing.
        Ok(Value::Null) => json!({}),
        _ => json!({ "_raw": arguments }),
    }
}

/// Anthropic's answers hold no media: a picture that another vendor's model made is shown as a link in Markdown.
pub(super) fn in_words(media: &Media) -> String {
    let name = media.name.as_deref().unwrap_or("media");
    match media.source.to_url() {
        Some(url) => format!("![{name}]({url})"),
        None => String::new(),
    }
}

/// What a stop says, without borrowing from it.
pub(super) fn ending(stop: Option<&Stop>, held: Held) -> Value {
    let (reason, sequence) = stop::write(stop, held);
    json!({ "stop_reason": reason, "stop_sequence": sequence })
}
