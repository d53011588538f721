//! OpenAI Chat Completions and what others make of it, read naively. Of several answers, the first.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Called, End, Said};
use crate::walk::{count, first, list, parsed, text};

pub(super) fn whole(value: &Value) -> Said {
    let mut reading = Reading::default();
    reading.usage(value);
    if let Some(choice) = list(value, "/choices").first() {
        reading.message(&choice["message"]);
        reading.end(choice);
    }
    reading.said.failed = value.get("error").is_some_and(|error| !error.is_null());
    reading.said()
}

pub(super) fn stream(values: &[Value]) -> Said {
    let mut reading = Reading::default();
    for value in values {
        reading.usage(value);
        let mine = |choice: &&Value| count(choice, "/index") == 0;
        let Some(choice) = list(value, "/choices").iter().find(mine) else { continue };
        reading.message(&choice["delta"]);
        reading.end(choice);
    }
    reading.said()
}

#[derive(Default)]
struct Reading {
    said: Said,
    /// Id, name and arguments by index.
    calls: BTreeMap<u64, (String, String, String)>,
}

impl Reading {
    fn message(&mut self, message: &Value) {
        self.said.text += text(message, "/content");
        for part in list(message, "/content") {
            self.said.text += text(part, "/text");
            for piece in list(part, "/thinking") {
                self.said.thinking += text(piece, "/text");
            }
        }
        self.said.text += text(message, "/refusal");
        let plain = [text(message, "/reasoning_content"), text(message, "/reasoning")];
        match plain.iter().find(|thought| !thought.is_empty()) {
            Some(thought) => self.said.thinking += thought,
            None => {
                for detail in list(message, "/reasoning_details") {
                    self.said.thinking += text(detail, "/text");
                    self.said.thinking += text(detail, "/summary");
                }
            }
        }
        for (place, call) in (0_u64..).zip(list(message, "/tool_calls")) {
            let index = call["index"].as_u64().unwrap_or(place);
            let entry = self.calls.entry(index).or_default();
            if entry.0.is_empty() {
                text(call, "/id").clone_into(&mut entry.0);
            }
            if entry.1.is_empty() {
                text(call, "/function/name").clone_into(&mut entry.1);
            }
            entry.2 += text(call, "/function/arguments");
        }
    }

    fn end(&mut self, choice: &Value) {
        match text(choice, "/finish_reason") {
            "" => {}
            "length" => self.said.end = End::Length,
            "tool_calls" | "function_call" => self.said.end = End::Tools,
            "content_filter" => self.said.end = End::Refused,
            _ => self.said.end = End::Done,
        }
    }

    fn usage(&mut self, value: &Value) {
        let Some(usage) = first(value, &["/usage", "/x_groq/usage"]) else { return };
        let cached = [
            "/prompt_tokens_details/cached_tokens",
            "/cached_tokens",
            "/num_cached_tokens",
            "/prompt_cache_hit_tokens",
        ];
        self.said.cached = cached.iter().map(|field| count(usage, field)).max().unwrap_or(0);
        self.said.input = count(usage, "/prompt_tokens");
        self.said.output = count(usage, "/completion_tokens");
    }

    fn said(mut self) -> Said {
        self.said.calls = self
            .calls
            .into_values()
            .map(|(id, name, arguments)| Called { id, name, arguments: parsed(&arguments) })
            .collect();
        self.said
    }
}
