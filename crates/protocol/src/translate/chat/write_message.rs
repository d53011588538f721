//! Turns as messages of a vendor's request.
//!
//! `OpenAI` wants the results of all calls right behind the message that made them, and refuses results without a
//! call and calls without a result; the conversation is mended where the caller's dialect was less strict.

mod assistant;

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value, json};

use super::super::Names;
use super::super::names::call_id;
use super::content;
use super::model::Model;
use crate::neutral::{Losses, Media, Part, Request, Role, Source, Turn};

/// Letters and digits of a call's id that Mistral takes: exactly so many.
const MISTRAL_ID: usize = 9;
/// Longest id of a call that `OpenAI` takes.
const MAX_ID: usize = 40;

/// Writes the conversation.
pub(super) fn write(request: &Request, model: Model, names: &mut Names, losses: &mut Losses) -> Vec<Value> {
    let mut talk = Talk {
        model,
        names,
        losses,
        messages: Vec::new(),
        calls: Vec::new(),
        open: HashSet::new(),
        results: Vec::new(),
        images: Vec::new(),
        later: Vec::new(),
        called: HashMap::new(),
    };
    let mut turns = request.turns.iter().peekable();
    while let Some(turn) = turns.next() {
        match turn.role {
            Role::System | Role::Developer => talk.system(turn),
            Role::User => talk.user(turn),
            Role::Assistant => {
                // Responses has a turn for each call, Chat one message for all.
                let mut said: Vec<&Turn> = vec![turn];
                while let Some(next) = turns.next_if(|next| goes_on(&said, next)) {
                    said.push(next);
                }
                talk.assistant(turn, &said);
            }
        }
    }
    talk.settle();
    talk.messages
}

/// Whether the next turn of the model belongs to the same message.
fn goes_on(before: &[&Turn], next: &Turn) -> bool {
    let said = |part: &Part| matches!(part, Part::Text { .. } | Part::Refusal { .. });
    let mut parts = before.iter().flat_map(|turn| &turn.parts);
    next.role == Role::Assistant
        && (parts.clone().any(|part| matches!(part, Part::ToolCall { .. }))
            || !(parts.any(said) && next.parts.iter().any(said)))
}

struct Talk<'a> {
    model: Model,
    names: &'a mut Names,
    losses: &'a mut Losses,
    messages: Vec<Value>,
    /// The last message's calls: ids as they were sent, with where they stood.
    calls: Vec<(String, String)>,
    /// Those of them that have no result yet.
    open: HashSet<String>,
    /// Results of those calls; they stand right behind them.
    results: Vec<Value>,
    /// Pictures of results; they follow the last result.
    images: Vec<Value>,
    /// What was said besides; it follows the pictures.
    later: Vec<Value>,
    /// Tools by the ids of all calls so far.
    called: HashMap<String, String>,
}

impl Talk<'_> {
    fn system(&mut self, turn: &Turn) {
        let developer = turn.role == Role::Developer && self.model.openai;
        let mut texts = Vec::new();
        for (number, part) in (0_usize..).zip(&turn.parts) {
            match part {
                Part::Text { text, cache, .. } => {
                    self.cached(turn, number, cache.as_ref());
                    texts.push(text.as_str());
                }
                _ => {
                    self.losses.meaning(turn.place(number), "is no text, and instructions are texts only");
                }
            }
        }
        if !texts.is_empty() {
            let role = if developer { "developer" } else { "system" };
            self.say(role, turn.name.as_deref(), json!(texts.join("\n\n")));
        }
    }

    fn user(&mut self, turn: &Turn) {
        let mut parts = Vec::new();
        for (number, part) in (0_usize..).zip(&turn.parts) {
            match part {
                Part::Text { text, cache, .. } => {
                    self.cached(turn, number, cache.as_ref());
                    if !text.is_empty() {
                        parts.push(json!({"type": "text", "text": text}));
                    }
                }
                Part::Media(media) => parts.extend(self.medium(media, &turn.place(number))),
                Part::ToolResult { .. } => parts.extend(self.result(part, &turn.place(number))),
                Part::Refusal { text } => parts.push(json!({"type": "text", "text": text})),
                Part::Thinking { .. } | Part::ToolCall { .. } => {
                    self.losses.meaning(turn.place(number), "cannot be said by a user");
                }
                Part::Native { .. } => self.losses.meaning(turn.place(number), NATIVE),
            }
        }
        if !parts.is_empty() {
            self.say("user", turn.name.as_deref(), joined(parts, "\n\n"));
        }
    }

    /// Writes a result. One without a call comes back as words for the user's message.
    fn result(&mut self, part: &Part, at: &str) -> Option<Value> {
        let Part::ToolResult { id, name, parts, is_error, cache, .. } = part else { return None };
        if cache.is_some() {
            self.losses.hint(format!("{at}.cache_control"), "is not known to this dialect");
        }
        if *is_error {
            self.losses.hint(format!("{at}.is_error"), "is said in words: this dialect has no mark for it");
        }
        let mut texts = Vec::new();
        if *is_error {
            texts.push("The tool failed:");
        }
        let mut images = Vec::new();
        for (number, part) in (0_usize..).zip(parts) {
            let at = format!("{at}.content[{number}]");
            match part {
                Part::Text { text, .. }
                | Part::Refusal { text }
                | Part::Media(Media { source: Source::Text(text), .. }) => texts.push(text.as_str()),
                Part::Media(media) => {
                    if let Some(image) = self.medium(media, &at) {
                        self.losses.meaning(at, "images of a tool result are sent as a user message");
                        images.push(image);
                    }
                }
                _ => self.losses.meaning(at, NATIVE),
            }
        }
        let mut text = texts.join("\n");
        if text.is_empty() && !images.is_empty() {
            "See the next message.".clone_into(&mut text);
        }
        let sent = self.id(id);
        if !self.open.remove(&sent) {
            self.losses.meaning(at, "answers no call of the turn before it and is sent as text");
            self.images.append(&mut images);
            let called = self.called.get(&sent).map(String::as_str);
            let name = name.as_deref().or(called).unwrap_or("a tool");
            return Some(json!({"type": "text", "text": format!("Result of {name}: {text}")}));
        }
        self.results.push(json!({"role": "tool", "tool_call_id": sent, "content": text}));
        self.images.append(&mut images);
        None
    }

    /// Writes a medium, or says why not.
    fn medium(&mut self, media: &Media, at: &str) -> Option<Value> {
        if media.cache.is_some() {
            self.losses.hint(format!("{at}.cache_control"), "is not known to this dialect");
        }
        if matches!(media.source, Source::Text(_)) {
            self.losses.hint(at, "is sent as plain text instead of a document");
        }
        content::write_media(media).map_err(|why| self.losses.meaning(at, why)).ok()
    }

    fn say(&mut self, role: &str, name: Option<&str>, content: Value) {
        let mut message = Map::new();
        message.insert("role".to_owned(), json!(role));
        if let Some(name) = name {
            message.insert("name".to_owned(), json!(name));
        }
        message.insert("content".to_owned(), content);
        self.later.push(Value::Object(message));
    }

    /// Ends a round of calls: nothing of it may stay open when the model speaks again, or at the end.
    fn settle(&mut self) {
        self.messages.append(&mut self.results);
        for (id, at) in std::mem::take(&mut self.calls) {
            if self.open.remove(&id) {
                self.losses.meaning(at, "is a call without a result; an empty one was added");
                self.messages.push(json!({"role": "tool", "tool_call_id": id, "content": "(no result)"}));
            }
        }
        let images = std::mem::take(&mut self.images);
        if !images.is_empty() {
            self.messages.push(json!({"role": "user", "content": images}));
        }
        self.messages.append(&mut self.later);
    }

    fn cached(&mut self, turn: &Turn, number: usize, cache: Option<&Value>) {
        if cache.is_some() {
            self.losses.hint(format!("{}.cache_control", turn.place(number)), "is not known to this dialect");
        }
    }

    /// A call's id as this vendor takes it.
    fn id(&self, id: &str) -> String {
        if !self.model.mistral {
            return call_id(id, MAX_ID);
        }
        if id.len() == MISTRAL_ID && id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return id.to_owned();
        }
        // The digest of an id that does not fit: eight hexadecimal digits behind the last `_`.
        let mended = call_id(&format!("{id}."), MAX_ID);
        format!("t{}", mended.rsplit('_').next().unwrap_or_default())
    }
}

const NATIVE: &str = "is only known to its own vendor";

/// A text where there are texts only: many servers take nothing else.
fn joined(parts: Vec<Value>, between: &str) -> Value {
    let texts: Option<Vec<&str>> =
        parts.iter().map(|part| part.get("text").and_then(Value::as_str)).collect();
    match texts {
        Some(texts) => json!(texts.join(between)),
        None => Value::Array(parts),
    }
}
