//! Messages of a request, as turns.

use std::collections::{HashMap, VecDeque};

use serde_json::Value;

use super::super::Fault;
use super::super::fields::Fields;
use super::super::text;
use super::{content, proof};
use crate::neutral::{Part, Rest, Role, Sealed, ToolKind, Turn, Weight};

/// Reads messages one after the other.
#[derive(Debug, Default)]
pub(super) struct Messages {
    pub(super) turns: Vec<Turn>,
    pub(super) rest: Vec<Rest>,
    /// Calls by id, to know what their results answer.
    kinds: HashMap<String, ToolKind>,
    /// Calls by `function_call`, which has no ids: by name, the ids that were made up.
    legacy: HashMap<String, VecDeque<String>>,
}

impl Messages {
    /// Reads the next message.
    pub(super) fn read(&mut self, value: Value) -> Result<(), Fault> {
        let at = format!("messages[{}]", self.turns.len());
        let mut fields = Fields::of(at.clone(), value)?;
        let role = fields.required("role")?;
        let name = fields.string("name")?;
        let turn = match role.as_str() {
            "system" => self.spoken(Role::System, name, &mut fields)?,
            "developer" => self.spoken(Role::Developer, name, &mut fields)?,
            "user" => self.spoken(Role::User, name, &mut fields)?,
            "assistant" => self.assistant(name, &mut fields)?,
            "tool" => self.result(name, &mut fields)?,
            "function" => self.legacy_result(name, &mut fields)?,
            _ => {
                let known = "must be one of system, developer, user, assistant, tool, function";
                return Err(fields.wrong("role", known));
            }
        };
        self.rest.extend(fields.rest(|name| match name {
            // What clients copy from an answer into the history.
            "annotations" | "refusal" | "tool_calls" | "id" | "channel" | "provider" | "cache_control" => {
                Weight::Hint
            }
            _ => Weight::Meaning,
        }));
        self.turns.push(turn);
        Ok(())
    }

    fn content(&mut self, fields: &mut Fields) -> Result<Vec<Part>, Fault> {
        let at = fields.path("content");
        content::read(fields.take("content"), &at, &mut self.rest)
    }

    fn spoken(&mut self, role: Role, name: Option<String>, fields: &mut Fields) -> Result<Turn, Fault> {
        let at = fields.path("content");
        let content = fields.take("content").ok_or_else(|| fields.wrong("content", "is missing"))?;
        let parts = content::read(Some(content), &at, &mut self.rest)?;
        Ok(Turn { role, name, parts, at: fields.at().to_owned(), places: Vec::new() })
    }

    fn result(&mut self, name: Option<String>, fields: &mut Fields) -> Result<Turn, Fault> {
        let id = fields.required("tool_call_id")?;
        let parts = self.content(fields)?;
        let kind = self.kinds.get(&id).copied().unwrap_or_default();
        let cache = fields.take("cache_control");
        let result = Part::ToolResult { id, name, parts, is_error: false, kind, cache };
        Ok(Turn {
            role: Role::User,
            name: None,
            parts: vec![result],
            at: fields.at().to_owned(),
            places: Vec::new(),
        })
    }

    fn legacy_result(&mut self, name: Option<String>, fields: &mut Fields) -> Result<Turn, Fault> {
        let name = name.ok_or_else(|| fields.wrong("name", "is missing"))?;
        let parts = self.content(fields)?;
        let call = self.legacy.get_mut(&name).and_then(VecDeque::pop_front);
        let id = call.unwrap_or_else(|| made_up(fields.at()));
        let kind = ToolKind::Function;
        let result = Part::ToolResult { id, name: Some(name), parts, is_error: false, kind, cache: None };
        Ok(Turn {
            role: Role::User,
            name: None,
            parts: vec![result],
            at: fields.at().to_owned(),
            places: Vec::new(),
        })
    }

    fn assistant(&mut self, name: Option<String>, fields: &mut Fields) -> Result<Turn, Fault> {
        let mut said = String::new();
        for field in ["reasoning_content", "reasoning"] {
            // Some servers write the same thoughts twice.
            match fields.take(field) {
                Some(Value::String(text)) if said.is_empty() => said = text,
                Some(Value::String(_)) | None => {}
                Some(_) => return Err(fields.wrong(field, "must be a string")),
            }
        }
        let details = fields.list("reasoning_details")?.unwrap_or_default();
        let details = details.into_iter().filter_map(proof::Detail::of).collect();
        let (mut parts, places) = proof::thinking(&said, details);
        match self.content(fields)? {
            whole if places.is_empty() => parts.extend(whole),
            mut whole => match whole.as_mut_slice() {
                [Part::Text { text, .. }] => proof::sealed_text(&std::mem::take(text), places, &mut parts),
                _ => parts.extend(whole),
            },
        }
        if let Some(text) = fields.string("refusal")?.filter(|text| !text.is_empty()) {
            parts.push(Part::Refusal { text });
        }
        let at = fields.path("images");
        for mut image in content::read(fields.take("images"), &at, &mut self.rest)? {
            if let Part::Media(media) = &mut image {
                media.seal = self.image_seal();
            }
            parts.push(image);
        }
        let list = fields.list("tool_calls")?.unwrap_or_default();
        for (number, value) in (0_usize..).zip(list) {
            let call = self.call(Fields::of(fields.path(&format!("tool_calls[{number}]")), value)?)?;
            parts.push(call);
        }
        if let Some(mut call) = fields.object("function_call")? {
            // Snowflake answers with an empty one.
            let name = call.string("name")?.unwrap_or_default();
            if !name.is_empty() {
                let arguments = arguments(call.take("arguments"), || call.wrong("arguments", TEXT))?;
                let id = made_up(fields.at());
                self.legacy.entry(name.clone()).or_default().push_back(id.clone());
                let kind = ToolKind::Function;
                parts.push(Part::ToolCall {
                    id,
                    name,
                    namespace: None,
                    arguments,
                    kind,
                    seal: None,
                    cache: None,
                });
            }
        }
        self.echoes(fields);
        Ok(Turn { role: Role::Assistant, name, parts, at: fields.at().to_owned(), places: Vec::new() })
    }

    /// What answers hold and histories repeat without meaning.
    fn echoes(&mut self, fields: &mut Fields) {
        let silent = |value: &Value| match value {
            Value::Bool(said) => !said,
            Value::Array(list) => list.is_empty(),
            Value::Object(map) => map.is_empty() || map.get("id").is_some_and(|id| id.as_str() == Some("")),
            _ => false,
        };
        for name in ["prefix", "annotations", "audio"] {
            if let Some(value) = fields.take(name).filter(|value| !silent(value)) {
                let weight = if name == "annotations" { Weight::Hint } else { Weight::Meaning };
                self.rest.push(Rest { field: fields.path(name), value, weight });
            }
        }
    }

    fn image_seal(&mut self) -> Option<Sealed> {
        // The block's own fields were reported as left over; this one was understood.
        let last = self.rest.last()?;
        if !last.field.ends_with(".extra_content") {
            return None;
        }
        let rest = self.rest.pop()?;
        proof::of_call(Some(&rest.value))
    }

    fn call(&mut self, mut fields: Fields) -> Result<Part, Fault> {
        let id = fields.required("id")?;
        if id.is_empty() {
            return Err(fields.wrong("id", "must not be empty"));
        }
        let kind = match fields.string("type")?.as_deref() {
            None | Some("function") => ToolKind::Function,
            Some("custom") => ToolKind::Custom,
            Some(_) => return Err(fields.wrong("type", "must be 'function' or 'custom'")),
        };
        let (holder, input) = match kind {
            ToolKind::Function => ("function", "arguments"),
            ToolKind::Custom => ("custom", "input"),
        };
        let mut inner = fields.object(holder)?.ok_or_else(|| fields.wrong(holder, "is missing"))?;
        let name = inner.required("name")?;
        let arguments = arguments(inner.take(input), || inner.wrong(input, TEXT))?;
        let seal = proof::of_call(fields.take("extra_content").as_ref());
        let cache = fields.take("cache_control");
        fields.take("index");
        self.kinds.insert(id.clone(), kind);
        self.rest.extend(fields.rest(|_| Weight::Hint));
        Ok(Part::ToolCall { id, name, namespace: None, arguments, kind, seal, cache })
    }
}

const TEXT: &str = "must be a string";

/// Arguments as a text; some servers write them as an object.
fn arguments(value: Option<Value>, fault: impl Fn() -> Fault) -> Result<String, Fault> {
    match value {
        None => Ok(String::new()),
        Some(Value::String(text)) => Ok(text),
        Some(object @ Value::Object(_)) => Ok(text::json_text(&object)),
        Some(_) => Err(fault()),
    }
}

/// An id for a call that has none: `call_3` for `messages[3]`.
fn made_up(at: &str) -> String {
    let digits: String = at.chars().filter(char::is_ascii_digit).collect();
    format!("call_{digits}")
}
