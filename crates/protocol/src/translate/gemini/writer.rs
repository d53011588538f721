//! Writes streams: each event a response of its own, calls whole, the reason to finish and the counts in the last.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use types::request::TokenUsage;

use super::super::{Back, text};
use super::cite::Grounding;
use super::write_answer::{part, response_id, shows_thoughts, usage_metadata};
use super::{logprobs, stop};
use crate::neutral::{Delta, Event, Opening, Part, Sealed, Stop};

/// Most bytes of a text that are kept to tell where citations stand.
const MAX_KEPT: usize = 1024 * 1024;

/// Writes a stream.
#[derive(Debug)]
pub(in super::super) struct Writer {
    back: Arc<Back>,
    show: bool,
    /// What ends each event: model and id.
    tail: Vec<u8>,
    answers: Vec<Line>,
    usage: Option<TokenUsage>,
    tier: Option<String>,
}

/// One of the answers.
#[derive(Debug)]
struct Line {
    number: u32,
    /// The part that is being said. Of texts and thoughts only what is still to be written.
    open: Option<Part>,
    /// The open text as far as it was said, and where it begins in the whole.
    said: String,
    base: usize,
    /// Bytes of the open text: `said` is bounded.
    length: usize,
    grounding: Grounding,
    proof: Option<Sealed>,
    stop: Option<Stop>,
}

impl Writer {
    /// Of a stream that has not begun.
    pub(in super::super) fn new(back: Arc<Back>) -> Self {
        let show = shows_thoughts(&back);
        let mut writer = Self { show, tail: Vec::new(), answers: Vec::new(), usage: None, tier: None, back };
        writer.begin("");
        writer
    }

    /// Writes what an event means for the caller behind `out`.
    pub(in super::super) fn event(&mut self, event: Event, out: &mut Vec<u8>) {
        match event {
            Event::Start { id, usage, .. } => {
                self.begin(&id);
                self.usage = usage;
            }
            Event::Open { choice, opening, .. } => self.open(choice, opening),
            Event::Delta { choice, delta, .. } => self.delta(choice, delta, out),
            Event::Close { choice, .. } => self.close(choice, out),
            Event::Logprobs { choice, value } => {
                if let Some(value) = logprobs::write(&value) {
                    let mut candidate = Map::new();
                    candidate.insert("logprobsResult".into(), value);
                    self.chunk(choice, &json!({"text": ""}), Some(&candidate), None, out);
                }
            }
            Event::Stop { choice, stop } => self.line(choice).stop = Some(stop),
            Event::Usage(usage) => self.usage = Some(usage),
            Event::ServiceTier(tier) => self.tier = Some(tier),
            Event::End => self.end(out),
            Event::Ping | Event::Error(_) => {}
        }
    }

    fn begin(&mut self, id: &str) {
        let id = response_id(id, &self.back);
        self.tail.clear();
        self.tail.extend_from_slice(b",\"modelVersion\":");
        text::write(&self.back.request.model, &mut self.tail);
        self.tail.extend_from_slice(b",\"responseId\":");
        text::write(&id, &mut self.tail);
        self.tail.extend_from_slice(b"}\n\n");
    }

    fn line(&mut self, number: u32) -> &mut Line {
        let place = self.answers.iter().position(|line| line.number == number).unwrap_or_else(|| {
            self.answers.push(Line::new(number));
            self.answers.len() - 1
        });
        #[expect(clippy::indexing_slicing, reason = "the place was found or made just now")]
        &mut self.answers[place]
    }

    fn open(&mut self, choice: u32, opening: Opening) {
        let line = self.line(choice);
        line.said.clear();
        line.length = 0;
        line.open = Some(match opening {
            Opening::Text => Part::text(""),
            Opening::Thinking => Part::Thinking { text: String::new(), seal: None },
            Opening::Refusal => Part::Refusal { text: String::new() },
            Opening::ToolCall { id, name, namespace, kind } => Part::ToolCall {
                id,
                name,
                namespace,
                arguments: String::new(),
                kind,
                seal: None,
                cache: None,
            },
            Opening::Media(media) => Part::Media(media),
            Opening::Native { dialect, value } => Part::Native { dialect, value },
        });
    }

    fn delta(&mut self, choice: u32, delta: Delta, out: &mut Vec<u8>) {
        let show = self.show;
        let line = self.line(choice);
        let piece = match (delta, &mut line.open) {
            (Delta::Text(more), Some(Part::ToolCall { arguments, .. })) => {
                arguments.push_str(&more);
                return;
            }
            (Delta::Text(more), Some(Part::Text { .. } | Part::Refusal { .. })) => {
                line.length += more.len();
                if line.said.len() + more.len() <= MAX_KEPT {
                    line.said.push_str(&more);
                }
                json!({"text": more})
            }
            (Delta::Text(more), Some(Part::Thinking { .. })) if show => {
                json!({"text": more, "thought": true})
            }
            (Delta::Citation(_, citation), Some(Part::Text { .. })) => {
                if line.said.len() == line.length {
                    line.grounding.add(&citation, &line.said, line.base, None);
                }
                return;
            }
            (
                Delta::Seal(new),
                Some(Part::Text { seal, .. } | Part::Thinking { seal, .. } | Part::ToolCall { seal, .. }),
            ) => {
                *seal = Some(new);
                return;
            }
            _ => return,
        };
        self.chunk(choice, &piece, None, None, out);
    }

    fn close(&mut self, choice: u32, out: &mut Vec<u8>) {
        let show = self.show;
        let line = self.line(choice);
        line.base += line.length;
        let Some(open) = line.open.take() else { return };
        // Of texts and thoughts only the proof is left to say, in an empty piece, as the vendor does it.
        if let Some(piece) = part(&open, show, &mut line.proof)
            && !matches!(open, Part::Refusal { .. })
        {
            self.chunk(choice, &piece, None, None, out);
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        if self.answers.is_empty() {
            self.answers.push(Line::new(0));
        }
        let mut usage = self.usage.map(|usage| usage_metadata(&usage, self.tier.as_deref()));
        let last = self.answers.len() - 1;
        for (place, mut line) in std::mem::take(&mut self.answers).into_iter().enumerate() {
            let mut more = Map::new();
            let stop = line.stop.take().unwrap_or(Stop::End);
            more.insert("finishReason".into(), stop::write(&stop).into());
            if let Some(grounding) = line.grounding.take() {
                more.insert("groundingMetadata".into(), grounding);
            }
            let usage = if place == last { usage.take() } else { None };
            self.chunk(line.number, &json!({"text": ""}), Some(&more), usage.as_ref(), out);
        }
    }

    /// Writes a response with one part.
    fn chunk(
        &self,
        choice: u32,
        part: &Value,
        more: Option<&Map<String, Value>>,
        usage: Option<&Value>,
        out: &mut Vec<u8>,
    ) {
        out.extend_from_slice(b"data: {\"candidates\":[{\"content\":{\"parts\":[");
        text::write(part, out);
        out.extend_from_slice(b"],\"role\":\"model\"}");
        for (name, value) in more.into_iter().flatten() {
            out.push(b',');
            text::write(name, out);
            out.push(b':');
            text::write(value, out);
        }
        out.extend_from_slice(b",\"index\":");
        text::write(&choice, out);
        out.extend_from_slice(b"}]");
        if let Some(usage) = usage {
            out.extend_from_slice(b",\"usageMetadata\":");
            text::write(usage, out);
        }
        out.extend_from_slice(&self.tail);
    }
}

impl Line {
    fn new(number: u32) -> Self {
        Self {
            number,
            open: None,
            said: String::new(),
            base: 0,
            length: 0,
            grounding: Grounding::default(),
            proof: None,
            stop: None,
        }
    }
}
