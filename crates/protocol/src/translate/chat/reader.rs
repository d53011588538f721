//! A vendor's stream: chunks with one or more choices, `[DONE]` at the end.
//!
//! A choice's texts are parts one after the other; its tool calls may overlap. What a chunk says twice (thinking
//! as text and as details) is taken once.

mod calls;
mod line;

use serde_json::Value;

use super::super::{Fault, text};
use super::stop;
use crate::error::parse_upstream;
use crate::meter::Counted;
use crate::neutral::{Event, Stop};
use crate::{Dialect, Endpoint, json};
use line::Line;

/// Most answers to one request that are followed.
const MAX_CHOICES: u64 = 128;

/// Reads a stream.
#[derive(Debug)]
pub(in super::super) struct Reader {
    /// Begins ids that have to be made up.
    ids: String,
    /// How many were made up.
    made: u32,
    started: bool,
    ended: bool,
    lines: Vec<Line>,
    counted: Counted,
    tier: Option<String>,
}

impl Reader {
    /// Of a stream that has not begun.
    pub(in super::super) fn new(ids: &str) -> Self {
        Self {
            ids: ids.to_owned(),
            made: 0,
            started: false,
            ended: false,
            lines: Vec::new(),
            counted: Counted::default(),
            tier: None,
        }
    }

    /// Reads the data of one event.
    pub(in super::super) fn event(&mut self, data: &[u8], out: &mut Vec<Event>) -> Result<(), Fault> {
        let data = data.trim_ascii();
        if self.ended || data.is_empty() {
            return Ok(());
        }
        if data == b"[DONE]" {
            self.end(out);
            return Ok(());
        }
        let value = text::parse(data)?;
        let failed = value.get("error").is_some_and(is_error)
            || (value.get("choices").is_none() && value.get("detail").is_some_and(is_error));
        if failed && let Some(error) = parse_upstream(Dialect::OpenAiChat, data) {
            self.ended = true;
            out.push(Event::Error(error));
            return Ok(());
        }
        self.value(value, data, out);
        Ok(())
    }

    /// Reads a chunk, or a whole answer. `data` is its text, for the counts.
    pub(super) fn value(&mut self, mut value: Value, data: &[u8], out: &mut Vec<Event>) {
        let choices = match value.get_mut("choices").map(Value::take) {
            Some(Value::Array(list)) => list,
            _ => Vec::new(),
        };
        let counts = usage(&value, data);
        // Azure's first chunk tells of its filters and names no model.
        if !self.started && (!choices.is_empty() || counts.is_some()) {
            self.started = true;
            let name = |field: &str| value.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
            out.push(Event::Start { id: name("id"), model: name("model"), usage: None });
        }
        for choice in choices {
            self.choice(choice, out);
            if self.ended {
                return;
            }
        }
        if let Some(raw) = counts {
            let before = self.counted.usage();
            self.counted.read(Endpoint::ChatCompletions, raw);
            let now = self.counted.usage();
            if now != before
                && let Some(usage) = now
            {
                out.push(Event::Usage(usage));
            }
        }
        if let Some(tier) = value.get("service_tier").and_then(Value::as_str)
            && self.started
            && !tier.is_empty()
            && self.tier.as_deref() != Some(tier)
        {
            self.tier = Some(tier.to_owned());
            out.push(Event::ServiceTier(tier.to_owned()));
        }
    }

    fn choice(&mut self, mut choice: Value, out: &mut Vec<Event>) {
        if let Some(error) = choice.get("error").filter(|error| is_error(error)) {
            let body = text::json(&serde_json::json!({"error": error}));
            let error = parse_upstream(Dialect::OpenAiChat, &body).unwrap_or_default();
            self.ended = true;
            out.push(Event::Error(error));
            return;
        }
        let index = choice.get("index").and_then(Value::as_u64).unwrap_or(0);
        let Some(number) = u32::try_from(index).ok().filter(|_| index < MAX_CHOICES) else { return };
        let place = self.lines.iter().position(|line| line.number() == number).unwrap_or_else(|| {
            self.lines.push(Line::new(number));
            self.lines.len() - 1
        });
        let Some(line) = self.lines.get_mut(place) else { return };
        let delta = choice.get_mut("delta").filter(|delta| delta.is_object()).map(Value::take);
        let delta = delta.or_else(|| choice.get_mut("message").map(Value::take));
        if let Some(Value::Object(delta)) = delta
            && !line.stopped()
        {
            line.delta(delta, &self.ids, &mut self.made, out);
        }
        if let Some(value) = choice.get_mut("logprobs").map(Value::take).filter(says_something) {
            out.push(Event::Logprobs { choice: number, value });
        }
        let word = choice.get("finish_reason").and_then(Value::as_str).unwrap_or_default();
        if !line.stopped() && !word.is_empty() {
            // vLLM says there which stop text was met.
            let matched = choice.get("stop_reason").and_then(Value::as_str);
            let reason = stop::read(word, matched, line.called());
            line.stop(reason, out);
        }
    }

    /// The bytes are over. Servers that forget `[DONE]` have ended if every answer was ended.
    pub(in super::super) fn finish(&mut self, out: &mut Vec<Event>) {
        if !self.lines.is_empty() && self.lines.iter().all(Line::stopped) {
            self.end(out);
        }
    }

    /// The vendor has ended.
    pub(super) fn end(&mut self, out: &mut Vec<Event>) {
        if self.ended {
            return;
        }
        self.ended = true;
        for line in &mut self.lines {
            if !line.stopped() {
                // It ended in good order and did not say why.
                let stop = line.called().then_some(Stop::ToolUse);
                line.stop(stop, out);
            }
        }
        out.push(Event::End);
    }
}

/// The usage object's text, of the chunk or of Groq's own corner of it.
fn usage<'a>(value: &Value, data: &'a [u8]) -> Option<&'a [u8]> {
    let counts = |value: Option<&Value>| value.is_some_and(Value::is_object);
    if counts(value.get("usage")) {
        return json::field(data, "usage");
    }
    if counts(value.pointer("/x_groq/usage")) {
        return json::field(data, "x_groq").and_then(|corner| json::field(corner, "usage"));
    }
    None
}

fn is_error(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Object(map) => !map.is_empty(),
        Value::Array(list) => !list.is_empty(),
        _ => true,
    }
}

/// Log probabilities that hold some.
fn says_something(value: &Value) -> bool {
    value.as_object().is_some_and(|map| map.values().any(|list| !list.is_null()))
}
