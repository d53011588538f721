//! The model's own turns.

use serde_json::{Map, Value, json};

use super::super::super::restore;
use super::super::{content, proof};
use super::{NATIVE, Talk};
use crate::Dialect;
use crate::neutral::{Part, ToolKind, Turn};

/// A message of the model being written.
#[derive(Default)]
struct Said {
    text: String,
    refusal: String,
    /// Mistral's thinking stands among the parts of the content.
    thinking: Vec<Value>,
    /// Thinking by the field that it goes to.
    fields: Map<String, Value>,
    details: Vec<Value>,
    calls: Vec<Value>,
}

impl Talk<'_> {
    /// Writes what the model said, thought and called.
    pub(super) fn assistant(&mut self, first: &Turn, turns: &[&Turn]) {
        self.settle();
        let mut said = Said::default();
        let parts = turns.iter().flat_map(|turn| (0_usize..).zip(&turn.parts).map(move |part| (turn, part)));
        for (turn, (number, part)) in parts {
            let at = turn.place(number);
            match part {
                Part::Text { text, cache, .. } => {
                    self.cached(turn, number, cache.as_ref());
                    said.text.push_str(text);
                }
                Part::Refusal { text } => said.refusal.push_str(text),
                Part::Thinking { text, seal } => {
                    let own = seal.as_ref().map(|seal| seal.for_vendor(Dialect::OpenAiChat));
                    match own {
                        Some(None) => self.losses.hint(at, "was made by another vendor"),
                        // OpenAI refuses fields that it does not know.
                        _ if self.model.openai => {
                            self.losses.hint(at, "is thinking, which this vendor does not take back");
                        }
                        Some(Some(data)) => said.think(proof::home(data, text), text),
                        None if self.model.mistral => {
                            self.losses.hint(at, "is thinking, which this vendor does not take back");
                        }
                        None => said.think(proof::Home::Field("reasoning_content"), text),
                    }
                }
                Part::ToolCall { .. } => self.call(part, &at, &mut said),
                Part::Media(media) => match content::write_media(media) {
                    Ok(image) => {
                        self.losses.meaning(at, "is a picture of the model's and is sent as a user message");
                        self.images.push(image);
                    }
                    Err(why) => self.losses.meaning(at, why),
                },
                Part::ToolResult { .. } => self.losses.meaning(at, "cannot be said by the model"),
                Part::Native { .. } => self.losses.meaning(at, NATIVE),
            }
        }
        if let Some(message) = said.message(first.name.as_deref()) {
            self.messages.push(message);
        }
    }

    fn call(&mut self, part: &Part, at: &str, said: &mut Said) {
        let Part::ToolCall { id, name, namespace, arguments, kind, seal, cache } = part else { return };
        if cache.is_some() {
            self.losses.hint(format!("{at}.cache_control"), "is not known to this dialect");
        }
        let name = self.names.send(namespace.as_deref(), name, *kind);
        let id = self.id(id);
        let mut call = match kind {
            ToolKind::Custom if self.model.is_new() => {
                json!({"id": id, "type": "custom", "custom": {"name": name, "input": arguments}})
            }
            ToolKind::Custom => {
                let arguments = restore::wrap_input(arguments);
                json!({"id": id, "type": "function", "function": {"name": name, "arguments": arguments}})
            }
            ToolKind::Function => {
                let arguments = if arguments.is_empty() { "{}" } else { arguments };
                json!({"id": id, "type": "function", "function": {"name": name, "arguments": arguments}})
            }
        };
        if let Some(seal) = seal {
            match (seal.for_vendor(Dialect::OpenAiChat), call.as_object_mut()) {
                (Some(data), Some(fields)) => {
                    fields.insert("extra_content".to_owned(), proof::extra(data));
                }
                _ => self.losses.hint(format!("{at}.signature"), "was made by another vendor"),
            }
        }
        said.calls.push(call);
        self.open.insert(id.clone());
        self.called.insert(id.clone(), name);
        self.calls.push((id, at.to_owned()));
    }
}

impl Said {
    fn think(&mut self, home: proof::Home, text: &str) {
        match home {
            proof::Home::Detail(value) => self.details.push(value),
            proof::Home::Content => self.thinking.push(json!({
                "type": "thinking",
                "thinking": [{"type": "text", "text": text}],
            })),
            proof::Home::Field(field) => {
                let whole = self.fields.entry(field).or_insert_with(|| json!(""));
                if let Value::String(whole) = whole {
                    whole.push_str(text);
                }
            }
        }
    }

    /// The message; `None` if nothing is left of it.
    fn message(self, name: Option<&str>) -> Option<Value> {
        let Self { text, refusal, mut thinking, fields, details, calls } = self;
        if text.is_empty() && refusal.is_empty() && calls.is_empty() {
            // Thoughts alone are no message to any server.
            return None;
        }
        let mut message = Map::new();
        message.insert("role".to_owned(), json!("assistant"));
        if let Some(name) = name {
            message.insert("name".to_owned(), json!(name));
        }
        let content = if !thinking.is_empty() {
            if !text.is_empty() {
                thinking.push(json!({"type": "text", "text": text}));
            }
            Value::Array(thinking)
        } else if text.is_empty() {
            Value::Null
        } else {
            json!(text)
        };
        message.insert("content".to_owned(), content);
        message.extend(fields);
        if !details.is_empty() {
            message.insert("reasoning_details".to_owned(), Value::Array(details));
        }
        if !refusal.is_empty() {
            message.insert("refusal".to_owned(), json!(refusal));
        }
        if !calls.is_empty() {
            message.insert("tool_calls".to_owned(), Value::Array(calls));
        }
        Some(Value::Object(message))
    }
}
