//! Gives tool calls of a vendor their names, namespaces and kinds back, as the caller knows them.
//!
//! A custom tool was sent as a function with one text, `input`; its call comes back as that text.

use serde_json::{Map, Value};

use super::{Names, text};
use crate::neutral::{Answer, Delta, Event, Opening, Part, ToolKind};

/// The one argument of a custom tool that was sent as a function.
pub(super) const INPUT: &str = "input";

/// Arguments of a custom tool's call for a vendor that knows functions only.
pub(super) fn wrap_input(input: &str) -> String {
    let mut map = Map::new();
    map.insert(INPUT.to_owned(), Value::String(input.to_owned()));
    text::json_text(&Value::Object(map))
}

/// JSON Schema of the function that stands for a custom tool.
pub(super) fn input_schema() -> Value {
    serde_json::json!({
        "type": "object",
        "properties": {INPUT: {"type": "string"}},
        "required": [INPUT],
        "additionalProperties": false
    })
}

fn unwrap_input(arguments: &str) -> String {
    match text::parse(arguments.as_bytes()) {
        Ok(Value::Object(mut map)) => match map.swap_remove(INPUT) {
            Some(Value::String(input)) => input,
            _ => arguments.to_owned(),
        },
        _ => arguments.to_owned(),
    }
}

/// Puts the calls of a whole answer right.
pub(super) fn answer(answer: &mut Answer, names: &Names) {
    for part in answer.choices.iter_mut().flat_map(|choice| &mut choice.parts) {
        let Part::ToolCall { name, namespace, arguments, kind, .. } = part else { continue };
        // A vendor that knows namespaces was sent the tool as it is.
        if namespace.is_some() {
            continue;
        }
        let Some(known) = names.known(name) else { continue };
        if *kind == ToolKind::Function && known.kind == ToolKind::Custom {
            *arguments = unwrap_input(arguments);
        }
        *kind = known.kind;
        name.clone_from(&known.name);
        namespace.clone_from(&known.namespace);
    }
}

/// Puts the calls of a stream right. Arguments of custom tools are held back until they are complete: their
/// text stands inside JSON.
#[derive(Debug, Default)]
pub(super) struct Restore {
    /// Custom calls being read: choice, index, arguments so far.
    custom: Vec<(u32, u32, String)>,
}

impl Restore {
    /// Takes an event and hands on what may be said now.
    pub(super) fn push(&mut self, mut event: Event, names: &Names, mut out: impl FnMut(Event)) {
        match &mut event {
            Event::Open { choice, index, opening: Opening::ToolCall { name, namespace, kind, .. } } => {
                // A vendor that knows namespaces was sent the tool as it is.
                if let Some(known) = names.known(name).filter(|_| namespace.is_none()) {
                    if *kind == ToolKind::Function && known.kind == ToolKind::Custom {
                        self.custom.push((*choice, *index, String::new()));
                    }
                    *kind = known.kind;
                    name.clone_from(&known.name);
                    namespace.clone_from(&known.namespace);
                }
            }
            Event::Delta { choice, index, delta: Delta::Text(more) } if !self.custom.is_empty() => {
                let place = (*choice, *index);
                if let Some((.., held)) = self.custom.iter_mut().find(|(c, i, _)| (*c, *i) == place) {
                    held.push_str(more);
                    return;
                }
            }
            Event::Close { choice, index } => {
                let place = (*choice, *index);
                if let Some(at) = self.custom.iter().position(|(c, i, _)| (*c, *i) == place) {
                    let (choice, index, held) = self.custom.swap_remove(at);
                    let delta = Delta::Text(unwrap_input(&held));
                    out(Event::Delta { choice, index, delta });
                }
            }
            _ => {}
        }
        out(event);
    }
}
