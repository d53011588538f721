//! Writes the conversation: two speakers who take turns, and each speech with calls is followed by all results.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::super::names::call_id;
use super::super::{Names, restore, text};
use super::media;
use super::model::Line;
use super::write_request::{is_instruction, note_cache};
use crate::Dialect;
use crate::neutral::{Losses, Media, Part, Request, Role, Sealed, ToolKind, Turn};

/// Stands for the proof of a call that another vendor's model made; documented by the vendor.
const NO_PROOF: &str = "skip_thought_signature_validator";
/// Longest id of a call.
const MAX_ID: usize = 64;

/// What one speaker says at once.
#[derive(Debug, Default)]
struct Speech {
    model: bool,
    parts: Vec<Value>,
    /// Ids and names of its calls, as sent, in order.
    calls: Vec<(String, String)>,
    /// Results by id, media that could not stand in them, and their path.
    results: Vec<(String, Value, Vec<Value>, String)>,
}

/// The conversation that is being written.
#[derive(Debug)]
pub(super) struct Turns<'a> {
    request: &'a Request,
    line: Line,
    names: &'a mut Names,
    pub(super) losses: &'a mut Losses,
    speeches: Vec<Speech>,
    /// Names of calls, as sent, by id.
    called: HashMap<String, String>,
}

impl<'a> Turns<'a> {
    pub(super) fn new(
        request: &'a Request,
        line: Line,
        names: &'a mut Names,
        losses: &'a mut Losses,
    ) -> Self {
        // What is offered comes first: histories may call custom tools functions.
        for tool in &request.tools {
            if let crate::neutral::Tool::Caller { name, namespace, kind, .. } = tool {
                names.send(namespace.as_ref().map(|(space, _)| space.as_str()), name, *kind);
            }
        }
        Self { request, line, names, losses, speeches: Vec::new(), called: HashMap::new() }
    }

    /// A turn of instructions, as parts of `systemInstruction`.
    pub(super) fn instruction(&mut self, turn: &Turn) -> Vec<Value> {
        let mut parts = Vec::new();
        for (number, part) in turn.parts.iter().enumerate() {
            let at = turn.place(number);
            note_cache(part, || at.clone(), self.losses);
            match part {
                Part::Text { text, .. } | Part::Refusal { text } => {
                    if !text.is_empty() {
                        parts.push(json!({"text": text}));
                    }
                }
                Part::Media(media) => parts.extend(self.media(media, &at)),
                _ => self.losses.meaning(at, "cannot stand among the instructions"),
            }
        }
        parts
    }

    /// A turn of instructions in the place of a user's, as it is.
    pub(super) fn user(&mut self, turn: &Turn) {
        let parts = self.instruction(turn);
        self.speech(false).parts.extend(parts);
    }

    /// Any turn of the conversation.
    pub(super) fn turn(&mut self, turn: &Turn) {
        if is_instruction(turn.role) {
            let mut parts = self.instruction(turn);
            if parts.is_empty() {
                return;
            }
            self.losses.meaning(turn.at.as_str(), "is sent as a user turn");
            parts.insert(0, json!({"text": "<system>"}));
            parts.push(json!({"text": "</system>"}));
            // One text where it can be one.
            if parts.iter().all(|part| part.as_object().is_some_and(|map| map.len() == 1)) {
                let words: Vec<_> = parts.iter().filter_map(|part| part.get("text")?.as_str()).collect();
                if words.len() == parts.len() {
                    parts = vec![json!({"text": words.join("\n")})];
                }
            }
            self.speech(false).parts.extend(parts);
            return;
        }
        let model = turn.role == Role::Assistant;
        if turn.name.is_some() {
            self.losses.hint(format!("{}.name", turn.at), "is not known to this dialect");
        }
        for (number, part) in turn.parts.iter().enumerate() {
            let at = turn.place(number);
            note_cache(part, || at.clone(), self.losses);
            self.part(part, model, at);
        }
    }

    fn part(&mut self, part: &Part, model: bool, at: String) {
        let own = self.request.dialect == Dialect::Gemini;
        match part {
            Part::Text { text, seal, .. } => {
                let signature = seal.as_ref().and_then(|seal| seal.for_vendor(Dialect::Gemini));
                if !text.is_empty() || signature.is_some() {
                    self.speech(model).parts.push(signed(json!({"text": text}), signature));
                }
            }
            Part::Refusal { text } => {
                if !text.is_empty() {
                    self.speech(model).parts.push(json!({"text": text}));
                }
            }
            Part::Media(medium) => {
                if let Some(part) = self.media(medium, &at) {
                    self.speech(model).parts.push(part);
                }
            }
            Part::Thinking { text, seal } => {
                let signature = seal.as_ref().and_then(|seal| seal.for_vendor(Dialect::Gemini));
                if signature.is_some() || (own && seal.is_none()) {
                    let part = json!({"text": text, "thought": true});
                    self.speech(model).parts.push(signed(part, signature));
                } else {
                    self.losses.hint(at, "was made by another vendor");
                }
            }
            Part::ToolCall { id, name, namespace, arguments, kind, seal, .. } => {
                let sent = self.names.send(namespace.as_deref(), name, *kind);
                let args = match kind {
                    ToolKind::Function => arguments.clone(),
                    ToolKind::Custom => restore::wrap_input(arguments),
                };
                let args = object_of(&args).unwrap_or_else(|| {
                    self.losses.hint(format!("{at}.arguments"), "is no JSON object and was wrapped in one");
                    json!({"_raw": arguments})
                });
                self.call(call_id(id, MAX_ID), sent, &args, seal.as_ref());
            }
            Part::ToolResult { id, name, parts, is_error, .. } => {
                self.result(call_id(id, MAX_ID), name.as_deref(), parts, *is_error, at);
            }
            Part::Native { dialect: Dialect::Gemini, value } => {
                self.speech(model).parts.push(value.clone());
            }
            Part::Native { .. } => self.losses.meaning(at, "is known to another vendor only"),
        }
    }

    fn call(&mut self, id: String, name: String, args: &Value, seal: Option<&Sealed>) {
        let signature = seal.and_then(|seal| seal.for_vendor(Dialect::Gemini));
        let third = self.line.third;
        let speech = self.speech(true);
        // Only the first of parallel calls is signed.
        let signature = signature.or((third && speech.calls.is_empty()).then_some(NO_PROOF));
        let part = json!({"functionCall": {"id": id, "name": name, "args": args}});
        speech.parts.push(signed(part, signature));
        speech.calls.push((id.clone(), name.clone()));
        self.called.insert(id, name);
    }

    fn result(&mut self, id: String, name: Option<&str>, parts: &[Part], is_error: bool, at: String) {
        let name = self
            .called
            .get(&id)
            .cloned()
            .or_else(|| name.map(|name| self.names.send(None, name, ToolKind::Function)));
        let mut words: Vec<&str> = Vec::new();
        let (mut inside, mut beside) = (Vec::new(), Vec::new());
        for (number, part) in parts.iter().enumerate() {
            let at = format!("{at}.content[{number}]");
            match part {
                Part::Text { text, .. } | Part::Refusal { text } => words.push(text),
                Part::Media(medium) => match self.media(medium, &at) {
                    Some(part) if self.line.third && part.get("inlineData").is_some() => inside.push(part),
                    Some(part) => beside.push(part),
                    None => {}
                },
                _ => self.losses.meaning(at, "cannot stand in a result in this dialect"),
            }
        }
        let said = words.join("\n");
        let key = if is_error { "error" } else { "output" };
        let mut response = Map::new();
        response.insert("id".into(), id.as_str().into());
        response.insert("name".into(), name.unwrap_or_default().into());
        let silent = words.is_empty() && !inside.is_empty() && !is_error;
        response.insert("response".into(), if silent { json!({}) } else { json!({ key: said }) });
        if !inside.is_empty() {
            response.insert("parts".into(), Value::Array(inside));
        }
        self.speech(false).results.push((id, Value::Object(response), beside, at));
    }

    fn media(&mut self, medium: &Media, at: &str) -> Option<Value> {
        if medium.detail.as_ref().is_some_and(|detail| detail != "auto") {
            self.losses.hint(format!("{at}.detail"), "is not known to this dialect");
        }
        let signature = medium.seal.as_ref().and_then(|seal| seal.for_vendor(Dialect::Gemini));
        let part = media::write(medium);
        if part.is_none() {
            self.losses.meaning(at, "is an upload to another vendor");
        }
        Some(signed(Value::Object(part?), signature))
    }

    /// The speech of the one who speaks now.
    fn speech(&mut self, model: bool) -> &mut Speech {
        if self.speeches.last().is_none_or(|last| last.model != model) {
            self.speeches.push(Speech { model, ..Speech::default() });
        }
        let last = self.speeches.len() - 1;
        #[expect(clippy::indexing_slicing, reason = "there is a last one: it was pushed if there was none")]
        &mut self.speeches[last]
    }

    /// The contents, with each call answered right after it was made.
    pub(super) fn finish(mut self) -> Vec<Value> {
        let mut contents = Vec::with_capacity(self.speeches.len());
        let mut calls: Vec<(String, String)> = Vec::new();
        let speeches = std::mem::take(&mut self.speeches);
        if speeches.first().is_some_and(|first| !first.calls.is_empty()) {
            // A call may only follow somebody else's turn.
            contents.push(json!({"role": "user", "parts": [{"text": "(the conversation begins here)"}]}));
        }
        for mut speech in speeches {
            let asked = std::mem::replace(&mut calls, std::mem::take(&mut speech.calls));
            let role = if speech.model { "model" } else { "user" };
            let parts = if speech.model { speech.parts } else { self.answers(asked, speech) };
            if !parts.is_empty() {
                contents.push(json!({"role": role, "parts": parts}));
            }
        }
        contents
    }

    /// The parts of a user's speech: the results in the order of the calls, then the rest.
    fn answers(&mut self, asked: Vec<(String, String)>, mut speech: Speech) -> Vec<Value> {
        let (mut parts, mut media) = (Vec::new(), Vec::new());
        for (id, name) in asked {
            if let Some(place) = speech.results.iter().position(|(own, ..)| *own == id) {
                let (_, result, beside, _) = speech.results.remove(place);
                parts.push(json!({"functionResponse": result}));
                media.extend(beside);
            } else {
                self.losses.meaning(format!("tool call '{id}'"), "has no result; one was put in its place");
                let response = json!({"error": "There is no result of this call."});
                parts.push(json!({"functionResponse": {"id": id, "name": name, "response": response}}));
            }
        }
        for (_, result, beside, at) in speech.results {
            // The vendor refuses results that do not follow their call.
            self.losses.meaning(at, "answers no call of the turn before it and is sent as text");
            let said = result.get("response").map(text::json_text).unwrap_or_default();
            parts.push(json!({"text": format!("<tool_result>{said}</tool_result>")}));
            media.extend(beside);
        }
        parts.extend(media);
        parts.append(&mut speech.parts);
        parts
    }
}

/// A call's arguments as an object.
pub(super) fn object_of(arguments: &str) -> Option<Value> {
    if arguments.trim().is_empty() {
        return Some(Value::Object(Map::new()));
    }
    text::parse(arguments.as_bytes()).ok().filter(Value::is_object)
}

/// A part with its proof.
pub(super) fn signed(mut part: Value, signature: Option<&str>) -> Value {
    if let (Some(map), Some(signature)) = (part.as_object_mut(), signature) {
        map.insert("thoughtSignature".into(), signature.into());
    }
    part
}
