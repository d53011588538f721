//! A vendor's stream: chunks with one or more choices, `[DONE]` at the end.
//!
//! A choice's texts are parts one after the other; its tool calls may overlap. What a chunk says twice (thinking
//! as text and as details) is taken once.

mod calls;
mod chunk;
mod line;

use serde_json::Value;

use super::super::{Fault, text};
use super::stop;
use crate::error::parse_upstream;
use crate::meter::Counted;
use crate::neutral::{Event, Stop};
use crate::{Dialect, Endpoint, json};
use chunk::Choice;
pub(super) use chunk::Chunk;
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
        let chunk = Chunk::read(data, !self.started)?;
        let failed = is_error(&chunk.error) || (chunk.choices.is_empty() && is_error(&chunk.detail));
        if failed && let Some(error) = parse_upstream(Dialect::OpenAiChat, data) {
            self.ended = true;
            out.push(Event::Error(error));
            return Ok(());
        }
        self.chunk(chunk, data, out);
        Ok(())
    }

    /// Reads a chunk, or a whole answer. `data` is its text, for the counts.
    pub(super) fn chunk(&mut self, chunk: Chunk, data: &[u8], out: &mut Vec<Event>) {
        let counts = usage(&chunk, data);
        let Chunk { choices, service_tier, id, model, .. } = chunk;
        // Azure's first chunk tells of its filters and names no model.
        if !self.started && (!choices.is_empty() || counts.is_some()) {
            self.started = true;
            out.push(Event::Start { id, model, usage: None });
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
        if let Some(tier) = service_tier.as_str()
            && self.started
            && !tier.is_empty()
            && self.tier.as_deref() != Some(tier)
        {
            self.tier = Some(tier.to_owned());
            out.push(Event::ServiceTier(tier.to_owned()));
        }
    }

    fn choice(&mut self, choice: Choice, out: &mut Vec<Event>) {
        if is_error(&choice.error) {
            let body = text::json(&serde_json::json!({"error": choice.error}));
            let error = parse_upstream(Dialect::OpenAiChat, &body).unwrap_or_default();
            self.ended = true;
            out.push(Event::Error(error));
            return;
        }
        let index = choice.index.as_u64().unwrap_or(0);
        let Some(number) = u32::try_from(index).ok().filter(|_| index < MAX_CHOICES) else { return };
        let place = self.lines.iter().position(|line| line.number() == number).unwrap_or_else(|| {
            self.lines.push(Line::new(number));
            self.lines.len() - 1
        });
        let Some(line) = self.lines.get_mut(place) else { return };
        let delta = if choice.delta.is_object() { choice.delta } else { choice.message };
        if let Value::Object(delta) = delta
            && !line.stopped()
        {
            line.delta(delta, &self.ids, &mut self.made, out);
        }
        if says_something(&choice.logprobs) {
            out.push(Event::Logprobs { choice: number, value: choice.logprobs });
        }
        let word = choice.finish_reason.as_str().unwrap_or_default();
        if !line.stopped() && !word.is_empty() {
            // vLLM says there which stop text was met.
            let reason = stop::read(word, choice.stop_reason.as_str(), line.called());
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
fn usage<'a>(chunk: &Chunk, data: &'a [u8]) -> Option<&'a [u8]> {
    if chunk.usage.is_object() {
        return json::field(data, "usage");
    }
    if chunk.x_groq.get("usage").is_some_and(Value::is_object) {
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
