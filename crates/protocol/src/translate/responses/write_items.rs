//! Turns as the items of `input`.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::super::Names;
use super::super::names::call_id;
use super::media;
use super::parts::mark_text;
use crate::Dialect;
use crate::neutral::{Losses, Part, Request, Role, Sealed, ToolKind, Turn};

const OWN: Dialect = Dialect::OpenAiResponses;
/// Longest id of a call that the vendor takes.
const MAX_ID: usize = 64;

/// Writes the turns behind the first `skip`.
pub(super) fn write(request: &Request, skip: usize, names: &mut Names, losses: &mut Losses) -> Vec<Value> {
    let calls = request.turns.iter().flat_map(|turn| &turn.parts);
    let kinds = calls
        .filter_map(|part| match part {
            Part::ToolCall { id, kind, .. } => Some((id.as_str(), *kind)),
            _ => None,
        })
        .collect();
    let mut items = Items { request, kinds, names, losses, out: Vec::new() };
    for turn in request.turns.iter().skip(skip) {
        items.turn(turn);
    }
    items.out
}

struct Items<'a> {
    request: &'a Request,
    /// Calls by id: a result must be of its call's kind.
    kinds: HashMap<&'a str, ToolKind>,
    names: &'a mut Names,
    losses: &'a mut Losses,
    out: Vec<Value>,
}

impl Items<'_> {
    fn turn(&mut self, turn: &Turn) {
        if turn.name.is_some() {
            self.losses.hint(format!("{}.name", turn.at), "is not known to this dialect");
        }
        let assistant = turn.role == Role::Assistant;
        let mut content: Vec<Value> = Vec::new();
        for (n, part) in turn.parts.iter().enumerate() {
            let at = || turn.place(n);
            match part {
                Part::Text { text, citations, seal, cache } => {
                    let mut part = if assistant { output_text(text, citations) } else { input_text(text) };
                    if cache.is_some() {
                        self.cache(&at(), &mut part, assistant);
                    }
                    content.push(part);
                    if let Some(seal) = seal.as_ref().filter(|_| assistant) {
                        self.flush(turn.role, &mut content);
                        self.sealed(&mark_text(seal));
                    }
                }
                Part::Refusal { text } if assistant => {
                    content.push(json!({"type": "refusal", "refusal": text}));
                }
                Part::Refusal { text } => content.push(input_text(text)),
                Part::Media(media) => {
                    if media.cache.is_some() {
                        self.losses.hint(at(), NO_CACHE);
                    }
                    let Some(part) = media::write(media, &at(), self.losses) else { continue };
                    if assistant {
                        // Only users show pictures to this vendor.
                        self.losses.meaning(at(), "is sent as if the user had shown it");
                        self.flush(turn.role, &mut content);
                        self.flush(Role::User, &mut vec![part]);
                    } else {
                        content.push(part);
                    }
                }
                Part::Thinking { text, seal } => {
                    self.flush(turn.role, &mut content);
                    self.thinking(&at(), text, seal.as_ref());
                }
                Part::ToolCall { id, name, namespace, arguments, kind, seal, .. } => {
                    self.flush(turn.role, &mut content);
                    if let Some(seal) = seal {
                        self.sealed(seal);
                    }
                    self.call(id, name, namespace.as_deref(), arguments, *kind);
                }
                Part::ToolResult { id, parts, is_error, kind, .. } => {
                    self.flush(turn.role, &mut content);
                    self.result(&at(), id, parts, *is_error, *kind);
                }
                Part::Native { dialect: OWN, value } => {
                    let whole =
                        value.get("type").and_then(Value::as_str).is_some_and(|t| t.starts_with("input_"));
                    if whole {
                        content.push(value.clone());
                    } else {
                        self.flush(turn.role, &mut content);
                        self.out.push(value.clone());
                    }
                }
                Part::Native { .. } => {
                    self.losses.meaning(at(), "is known to another vendor only and was left out");
                }
            }
        }
        self.flush(turn.role, &mut content);
    }

    /// A breakpoint of the prompt cache behind a part.
    fn cache(&mut self, at: &str, part: &mut Value, assistant: bool) {
        match part.as_object_mut() {
            Some(map) if self.request.dialect == OWN && !assistant => {
                map.insert("prompt_cache_breakpoint".into(), json!({"mode": "explicit"}));
            }
            _ => self.losses.hint(format!("{at}.cache_control"), NO_CACHE),
        }
    }

    /// Ends the message that is being written. Empty ones are left out.
    fn flush(&mut self, role: Role, content: &mut Vec<Value>) {
        if content.is_empty() {
            return;
        }
        let role = match role {
            Role::System => "system",
            Role::Developer => "developer",
            Role::User => "user",
            Role::Assistant => "assistant",
        };
        let content = std::mem::take(content);
        self.out.push(json!({"type": "message", "role": role, "content": content}));
    }

    fn thinking(&mut self, at: &str, text: &str, seal: Option<&Sealed>) {
        let proof = seal.and_then(|seal| seal.for_vendor(OWN));
        if proof.is_none() && (self.request.dialect != OWN || seal.is_some()) {
            self.losses.hint(at, "was thought by another vendor's model and was left out");
            return;
        }
        let mut item = Map::new();
        item.insert("type".into(), "reasoning".into());
        let summary =
            if text.is_empty() { json!([]) } else { json!([{"type": "summary_text", "text": text}]) };
        item.insert("summary".into(), summary);
        if let Some(proof) = proof {
            item.insert("encrypted_content".into(), proof.into());
        }
        self.out.push(Value::Object(item));
    }

    /// A proof of a call or a text. Only Gemini makes them, and no other vendor wants them.
    fn sealed(&mut self, seal: &Sealed) {
        if let Some(proof) = seal.for_vendor(OWN) {
            self.out.push(json!({"type": "reasoning", "summary": [], "encrypted_content": proof}));
        }
    }

    /// A call's id as the vendor takes it. What comes from this dialect was taken before.
    fn id(&self, id: &str) -> String {
        if self.request.dialect == OWN { id.to_owned() } else { call_id(id, MAX_ID) }
    }

    fn call(&mut self, id: &str, name: &str, namespace: Option<&str>, arguments: &str, kind: ToolKind) {
        let mut item = Map::new();
        let custom = kind == ToolKind::Custom;
        item.insert("type".into(), if custom { "custom_tool_call" } else { "function_call" }.into());
        item.insert("call_id".into(), self.id(id).into());
        let sent = if namespace.is_some() { name.to_owned() } else { self.names.send(None, name, kind) };
        item.insert("name".into(), sent.into());
        if let Some(space) = namespace {
            item.insert("namespace".into(), space.into());
        }
        if custom {
            item.insert("input".into(), arguments.into());
        } else {
            item.insert("arguments".into(), if arguments.is_empty() { "{}" } else { arguments }.into());
        }
        self.out.push(Value::Object(item));
    }

    fn result(&mut self, at: &str, id: &str, parts: &[Part], is_error: bool, kind: ToolKind) {
        let custom = self.kinds.get(id).copied().unwrap_or(kind) == ToolKind::Custom;
        let mut content: Vec<Value> = Vec::new();
        for (n, part) in parts.iter().enumerate() {
            let at = format!("{at}.content[{n}]");
            match part {
                Part::Text { text, .. } | Part::Thinking { text, .. } | Part::Refusal { text } => {
                    content.push(input_text(text));
                }
                Part::Media(media) => content.extend(media::write(media, &at, self.losses)),
                Part::Native { dialect: OWN, value } => content.push(value.clone()),
                Part::ToolCall { .. } | Part::ToolResult { .. } | Part::Native { .. } => {
                    self.losses.meaning(at, "is not known to this dialect and was left out");
                }
            }
        }
        if is_error {
            self.losses.hint(format!("{at}.is_error"), "is said in words: this dialect has no mark for it");
            content.insert(0, input_text("The tool failed:"));
        }
        let output = match content.as_slice() {
            [] => "".into(),
            [only] if only.get("type").is_some_and(|kind| kind == "input_text") => {
                only.get("text").cloned().unwrap_or_default()
            }
            _ => Value::Array(content),
        };
        let kind = if custom { "custom_tool_call_output" } else { "function_call_output" };
        self.out.push(json!({"type": kind, "call_id": self.id(id), "output": output}));
    }
}

const NO_CACHE: &str = "is not needed: this vendor caches by itself";

fn input_text(text: &str) -> Value {
    json!({"type": "input_text", "text": text})
}

fn output_text(text: &str, citations: &[(Dialect, Value)]) -> Value {
    let notes: Vec<&Value> =
        citations.iter().filter(|(from, _)| *from == OWN).map(|(_, note)| note).collect();
    json!({"type": "output_text", "text": text, "annotations": notes})
}
