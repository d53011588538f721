//! A stream for the caller: chunks, one part after the other, and `[DONE]`.

use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value, json};
use types::request::TokenUsage;

use super::super::{Back, text};
use super::proof::{self, Place, Spot};
use super::write_answer::{annotation, chars, id, image, sound};
use super::{stop, usage};
use crate::Dialect;
use crate::neutral::{Delta, Event, Opening, Stop, ToolKind};

/// Writes a stream.
#[derive(Debug)]
pub(in super::super) struct Writer {
    back: Arc<Back>,
    id: String,
    usage: Option<TokenUsage>,
    tier: Option<String>,
    lines: Vec<Line>,
}

/// An answer being written.
#[derive(Debug)]
struct Line {
    choice: u32,
    part: Kind,
    /// Bytes of text and of thinking so far, and where the open part began in them.
    text: usize,
    thinking: usize,
    start: usize,
    /// The same of the text in characters.
    chars: u64,
    first: u64,
    calls: u32,
    details: usize,
    images: usize,
    /// Whether the open call has said anything.
    said: bool,
    stopped: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Nothing,
    Text,
    Thinking,
    Refusal,
    Call(ToolKind),
}

#[derive(Serialize)]
struct Chunk<'a> {
    id: &'a str,
    object: &'static str,
    created: i64,
    model: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_tier: Option<&'a str>,
    choices: &'a [Piece<'a>],
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Value>,
}

#[derive(Serialize)]
struct Piece<'a> {
    index: u32,
    delta: Said<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logprobs: Option<&'a Value>,
    finish_reason: Option<&'static str>,
}

#[derive(Default, Serialize)]
struct Said<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<&'a str>,
    /// Anything rarer.
    #[serde(flatten)]
    more: Map<String, Value>,
}

impl<'a> Said<'a> {
    fn other(name: &str, value: Value) -> Self {
        Self { more: Map::from_iter([(name.to_owned(), value)]), ..Self::default() }
    }

    fn text(text: &'a str) -> Self {
        Self { content: Some(text), ..Self::default() }
    }
}

impl Writer {
    /// Of a stream that has not begun.
    pub(in super::super) fn new(back: Arc<Back>) -> Self {
        let id = id(&back);
        Self { back, id, usage: None, tier: None, lines: Vec::new() }
    }

    /// Writes what an event means for the caller behind `out`.
    pub(in super::super) fn event(&mut self, event: Event, out: &mut Vec<u8>) {
        match event {
            Event::Start { usage, .. } => {
                self.usage = usage;
                self.line(0, out);
            }
            Event::Open { choice, opening, .. } => self.open(choice, opening, out),
            Event::Delta { choice, delta, .. } => self.delta(choice, &delta, out),
            Event::Close { choice, .. } => self.close(choice, out),
            Event::Logprobs { choice, value } => {
                self.line(choice, out);
                self.piece(choice, Said::text(""), Some(&value), None, out);
            }
            Event::Stop { choice, stop } => {
                let place = self.line(choice, out);
                if let Some(line) = self.lines.get_mut(place) {
                    line.stopped = true;
                }
                let word = stop::write(&stop, self.back.request.legacy_functions);
                self.piece(choice, Said::default(), None, Some(word), out);
            }
            Event::Usage(usage) => self.usage = Some(usage),
            Event::ServiceTier(tier) => self.tier = Some(tier),
            Event::Ping => out.extend_from_slice(b": ping\n\n"),
            Event::End => self.end(out),
            // The relay words errors.
            Event::Error(_) => {}
        }
    }

    fn open(&mut self, choice: u32, opening: Opening, out: &mut Vec<u8>) {
        let place = self.line(choice, out);
        let legacy = self.back.request.legacy_functions;
        let Some(line) = self.lines.get_mut(place) else { return };
        let said = match opening {
            Opening::Text => {
                line.part = Kind::Text;
                line.start = line.text;
                line.first = line.chars;
                return;
            }
            Opening::Thinking => {
                line.part = Kind::Thinking;
                line.start = line.thinking;
                return;
            }
            Opening::Refusal => {
                line.part = Kind::Refusal;
                return;
            }
            Opening::ToolCall { id, name, kind, .. } => {
                line.part = Kind::Call(kind);
                line.said = false;
                let number = line.calls;
                line.calls = line.calls.saturating_add(1);
                if legacy {
                    // The older spelling knows one call only.
                    if number > 0 {
                        line.part = Kind::Nothing;
                        return;
                    }
                    Said::other("function_call", json!({"name": name, "arguments": ""}))
                } else {
                    let (holder, input) = holder(kind);
                    Said::other(
                        "tool_calls",
                        json!([{"index": number, "id": id, "type": holder, holder: {"name": name, input: ""}}]),
                    )
                }
            }
            Opening::Media(media) => {
                line.part = Kind::Nothing;
                if let Some(sound) = sound(&media, &self.back) {
                    Said::other("audio", sound)
                } else if let Some(image) = image(&media, line.images) {
                    line.images += 1;
                    Said::other("images", json!([image]))
                } else {
                    return;
                }
            }
            Opening::Native { .. } => {
                line.part = Kind::Nothing;
                return;
            }
        };
        self.piece(choice, said, None, None, out);
    }

    fn delta(&mut self, choice: u32, delta: &Delta, out: &mut Vec<u8>) {
        let legacy = self.back.request.legacy_functions;
        let Some(line) = self.lines.iter_mut().find(|line| line.choice == choice) else { return };
        let number = line.calls.saturating_sub(1);
        let said = match (delta, line.part) {
            (Delta::Text(more), _) if more.is_empty() => return,
            (Delta::Text(more), Kind::Text) => {
                line.text += more.len();
                line.chars += chars(more);
                Said::text(more)
            }
            (Delta::Text(more), Kind::Thinking) => {
                line.thinking += more.len();
                Said { reasoning_content: Some(more), ..Said::default() }
            }
            (Delta::Text(more), Kind::Refusal) => Said { refusal: Some(more), ..Said::default() },
            (Delta::Text(more), Kind::Call(kind)) => {
                line.said = true;
                if legacy {
                    Said::other("function_call", json!({"arguments": more}))
                } else {
                    let (holder, input) = holder(kind);
                    Said::other("tool_calls", json!([{"index": number, holder: {input: more}}]))
                }
            }
            (Delta::Seal(seal), Kind::Text | Kind::Thinking) => {
                let (spot, end) = if line.part == Kind::Text {
                    (Spot::Text, line.text)
                } else {
                    (Spot::Thinking, line.thinking)
                };
                let place = Place { spot, start: line.start, length: end - line.start };
                let detail = proof::detail(seal, line.details, place);
                line.details += 1;
                Said::other("reasoning_details", json!([detail]))
            }
            (Delta::Seal(seal), Kind::Call(kind)) if !legacy => {
                let extra = proof::extra(&seal.write(Dialect::OpenAiChat));
                let (holder, input) = holder(kind);
                // OpenAI's SDK for Python asserts that each piece of a call has this.
                Said::other(
                    "tool_calls",
                    json!([{"index": number, holder: {input: ""}, "extra_content": extra}]),
                )
            }
            (Delta::Citation(dialect, value), Kind::Text) => {
                let Some(cited) = annotation(*dialect, value, line.first, line.chars) else { return };
                Said::other("annotations", json!([cited]))
            }
            _ => return,
        };
        self.piece(choice, said, None, None, out);
    }

    fn close(&mut self, choice: u32, out: &mut Vec<u8>) {
        let legacy = self.back.request.legacy_functions;
        let Some(line) = self.lines.iter_mut().find(|line| line.choice == choice) else { return };
        let part = std::mem::replace(&mut line.part, Kind::Nothing);
        let number = line.calls.saturating_sub(1);
        // Callers parse the arguments: nothing at all is no JSON.
        if part != Kind::Call(ToolKind::Function) || line.said {
            return;
        }
        let said = if legacy {
            Said::other("function_call", json!({"arguments": "{}"}))
        } else {
            Said::other("tool_calls", json!([{"index": number, "function": {"arguments": "{}"}}]))
        };
        self.piece(choice, said, None, None, out);
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        self.line(0, out);
        let legacy = self.back.request.legacy_functions;
        for place in 0..self.lines.len() {
            let Some(line) = self.lines.get(place).filter(|line| !line.stopped) else { continue };
            let stop = if line.calls > 0 { Stop::ToolUse } else { Stop::End };
            self.piece(line.choice, Said::default(), None, Some(stop::write(&stop, legacy)), out);
        }
        if let Some(counts) = self.usage.filter(|_| self.back.request.include_usage) {
            self.chunk(&[], Some(usage::write(&counts)), out);
        }
        out.extend_from_slice(b"data: [DONE]\n\n");
    }

    /// The place of an answer, begun if it has not.
    fn line(&mut self, choice: u32, out: &mut Vec<u8>) -> usize {
        if let Some(place) = self.lines.iter().position(|line| line.choice == choice) {
            return place;
        }
        self.lines.push(Line {
            choice,
            part: Kind::Nothing,
            text: 0,
            thinking: 0,
            start: 0,
            chars: 0,
            first: 0,
            calls: 0,
            details: 0,
            images: 0,
            said: false,
            stopped: false,
        });
        let said = Said { role: Some("assistant"), content: Some(""), ..Said::default() };
        self.piece(choice, said, None, None, out);
        self.lines.len() - 1
    }

    fn piece(
        &self,
        index: u32,
        delta: Said<'_>,
        logprobs: Option<&Value>,
        finish_reason: Option<&'static str>,
        out: &mut Vec<u8>,
    ) {
        self.chunk(&[Piece { index, delta, logprobs, finish_reason }], None, out);
    }

    fn chunk(&self, choices: &[Piece<'_>], usage: Option<Value>, out: &mut Vec<u8>) {
        out.extend_from_slice(b"data: ");
        let chunk = Chunk {
            id: &self.id,
            object: "chat.completion.chunk",
            created: self.back.created,
            model: &self.back.request.model,
            service_tier: self.tier.as_deref(),
            choices,
            usage,
        };
        text::write(&chunk, out);
        out.extend_from_slice(b"\n\n");
    }
}

/// Where a call's name and input stand.
fn holder(kind: ToolKind) -> (&'static str, &'static str) {
    match kind {
        ToolKind::Function => ("function", "arguments"),
        ToolKind::Custom => ("custom", "input"),
    }
}
