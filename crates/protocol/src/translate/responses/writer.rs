//! The caller's stream, and its whole answer: both are made of the same items.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use types::request::TokenUsage;

use super::super::Back;
use super::echo;
use super::output::Item;
use super::said::{Said, Voice};
use super::summary::Summary;
use super::usage;
use crate::Dialect;
use crate::meter::Begun;
use crate::neutral::{Answer, Delta, Event, Opening, Stop};

/// Writes a whole answer. Responses has one choice.
pub(in crate::translate) fn write_answer(answer: &Answer, back: &Back) -> Value {
    let mut writer = Writer::new(Arc::new(back.clone()));
    writer.voice.mute = true;
    let mut nowhere = Vec::new();
    for event in answer.clone().into_events() {
        writer.event(event, &mut nowhere);
    }
    writer.response.unwrap_or_default()
}

/// Writes a stream.
#[derive(Debug)]
pub(in crate::translate) struct Writer {
    back: Arc<Back>,
    voice: Voice,
    /// The response object without its output; `None` before the start.
    shell: Option<Map<String, Value>>,
    /// The item that is being written.
    item: Option<Item>,
    /// Items that are complete.
    output: Vec<Value>,
    logprobs: Vec<Value>,
    usage: Option<TokenUsage>,
    tier: Option<String>,
    stop: Option<Stop>,
    /// The conversation is compacted: what the model says is a summary.
    summary: Option<Summary>,
    /// The whole answer, at its end.
    response: Option<Value>,
}

impl Writer {
    /// Of a stream that has not begun.
    pub(in crate::translate) fn new(back: Arc<Back>) -> Self {
        Self {
            summary: back.request.compact.is_some().then(Summary::default),
            back,
            voice: Voice::default(),
            shell: None,
            item: None,
            output: Vec::new(),
            logprobs: Vec::new(),
            usage: None,
            tier: None,
            stop: None,
            response: None,
        }
    }

    /// The whole answer, once it has ended.
    pub(in crate::translate) fn response(&self) -> Option<&Value> {
        self.response.as_ref()
    }

    /// What the caller knows of the stream by now.
    pub(in crate::translate) fn begun(&self) -> Option<Begun> {
        self.shell.as_ref().map(|_| Begun {
            id: format!("resp_{}", self.back.ids),
            model: self.back.request.model.clone(),
            created_at: self.back.created,
            next: self.voice.said(),
        })
    }

    /// Writes what an event means for the caller behind `out`.
    pub(in crate::translate) fn event(&mut self, event: Event, out: &mut Vec<u8>) {
        if self.response.is_some() {
            return;
        }
        if self.shell.is_none() && !matches!(event, Event::Ping | Event::Error(_)) {
            self.begin(out);
        }
        let event = match &mut self.summary {
            Some(summary) if speaks(&event) => {
                return summary.hear(event, &self.back, &mut self.voice, out);
            }
            _ => event,
        };
        match event {
            Event::Start { usage, .. } => self.usage = usage.or(self.usage),
            Event::Open { choice: 0, opening, .. } => self.open(opening, out),
            Event::Delta { choice: 0, delta, .. } => self.delta(delta, out),
            Event::Close { choice: 0, .. } => self.close(out),
            Event::Logprobs { choice: 0, value } => {
                if let Some(Value::Array(list)) = value.get("content").cloned() {
                    self.logprobs.extend(list.into_iter().map(probability));
                }
            }
            Event::Stop { choice: 0, stop } => {
                self.finish_item(out);
                self.stop = Some(stop);
            }
            Event::Usage(usage) => self.usage = Some(usage),
            Event::ServiceTier(tier) => self.tier = Some(tier),
            Event::End => self.end(out),
            Event::Ping
            | Event::Error(_)
            | Event::Open { .. }
            | Event::Delta { .. }
            | Event::Close { .. }
            | Event::Logprobs { .. }
            | Event::Stop { .. } => {}
        }
    }

    fn begin(&mut self, out: &mut Vec<u8>) {
        let shell = echo::begun(&self.back);
        if !self.voice.mute {
            let response = Value::Object(shell.clone());
            for kind in ["response.created", "response.in_progress"] {
                self.voice.say(&Said { kind, response: Some(&response), ..Said::default() }, out);
            }
        }
        self.shell = Some(shell);
    }

    fn open(&mut self, opening: Opening, out: &mut Vec<u8>) {
        // Texts that follow one another share a message.
        if let (Some(item), Opening::Text | Opening::Refusal) = (&mut self.item, &opening)
            && item.takes_text()
        {
            item.open_text(opening == Opening::Refusal, &mut self.voice, self.output.len(), out);
            return;
        }
        self.finish_item(out);
        let n = self.output.len();
        // Gemini says the proof of a call behind it, and it has to stand before it.
        let held = self.back.upstream == Dialect::Gemini;
        if let Some(item) = Item::begin(opening, &self.back.ids, n, held, &mut self.voice, out) {
            self.item = Some(item);
        }
    }

    fn delta(&mut self, delta: Delta, out: &mut Vec<u8>) {
        if let Some(item) = &mut self.item {
            item.delta(delta, &mut self.voice, self.output.len(), out);
        }
    }

    fn close(&mut self, out: &mut Vec<u8>) {
        let n = self.output.len();
        match &mut self.item {
            Some(item) if item.takes_text() => {
                item.close_text(&mut self.voice, n, out);
                if item.seals() {
                    self.finish_item(out);
                }
            }
            _ => self.finish_item(out),
        }
    }

    fn finish_item(&mut self, out: &mut Vec<u8>) {
        if let Some(item) = self.item.take() {
            item.finish(&self.back.ids, &mut self.output, &mut self.voice, out);
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        self.finish_item(out);
        if let Some(summary) = &mut self.summary {
            // Without one the stream has no end; who reads it finds no response here.
            let Some(item) = summary.end(&self.back, &mut self.voice, out) else { return };
            self.output.push(item);
        }
        let mut object = self.shell.take().unwrap_or_default();
        self.put_logprobs();
        let reason = match self.stop {
            Some(Stop::MaxTokens | Stop::ContextFull) => Some("max_output_tokens"),
            Some(Stop::Refusal) => Some("content_filter"),
            _ => None,
        };
        let status = if reason.is_some() { "incomplete" } else { "completed" };
        object.insert("status".into(), status.into());
        if let Some(reason) = reason {
            object.insert("incomplete_details".into(), json!({"reason": reason}));
        }
        object.insert("output".into(), Value::Array(std::mem::take(&mut self.output)));
        object.insert("usage".into(), self.usage.as_ref().map_or(Value::Null, usage::write));
        if let Some(tier) = self.tier.take() {
            // The official types know no others; every vendor's usual class has a name of its own.
            let known = ["auto", "flex", "scale", "priority", "fast", "ultrafast"].contains(&tier.as_str());
            object.insert("service_tier".into(), if known { tier } else { "default".to_owned() }.into());
        }
        let response = Value::Object(object);
        let kind = if reason.is_some() { "response.incomplete" } else { "response.completed" };
        self.voice.say(&Said { kind, response: Some(&response), ..Said::default() }, out);
        self.response = Some(response);
    }

    /// Log probabilities are known last; they stand with the first text.
    fn put_logprobs(&mut self) {
        if self.logprobs.is_empty() {
            return;
        }
        let contents = self.output.iter_mut().filter_map(|item| item.get_mut("content")?.as_array_mut());
        let text = contents
            .flatten()
            .filter_map(Value::as_object_mut)
            .find(|part| part.get("type").is_some_and(|kind| kind == "output_text"));
        if let Some(text) = text {
            text.insert("logprobs".into(), Value::Array(std::mem::take(&mut self.logprobs)));
        }
    }
}

/// Whether an event is of what the model says.
fn speaks(event: &Event) -> bool {
    matches!(event, Event::Open { .. } | Event::Delta { .. } | Event::Close { .. } | Event::Stop { .. })
}

/// A token's probability with all fields that the official types want.
fn probability(mut token: Value) -> Value {
    if let Some(map) = token.as_object_mut() {
        for (name, usual) in [("bytes", json!([])), ("top_logprobs", json!([]))] {
            if map.get(name).is_none_or(Value::is_null) {
                map.insert(name.into(), usual);
            }
        }
        if let Some(others) = map.get_mut("top_logprobs").and_then(Value::as_array_mut) {
            for other in others.iter_mut().filter_map(Value::as_object_mut) {
                if other.get("bytes").is_none_or(Value::is_null) {
                    other.insert("bytes".into(), json!([]));
                }
            }
        }
    }
    token
}
