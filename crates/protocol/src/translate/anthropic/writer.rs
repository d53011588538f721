//! The stream of events for an Anthropic caller.
//!
//! A block begins with its first content, so that empty parts leave nothing behind and a proof can still be put
//! before the call that it belongs to.

use std::sync::Arc;

use serde::Serialize;
use serde_json::{Value, json};
use types::request::TokenUsage;

use super::stop::Held;
use super::thought::{self, Form};
use super::write_answer::{ending, in_words, input, message_id};
use super::{citation, usage};
use crate::Dialect;
use crate::neutral::{Delta, Event, Opening, Sealed, Stop, ToolKind};
use crate::translate::{Back, text};

/// Most bytes that are kept of a text for quoting what its citations cite.
const MAX_QUOTED: usize = 1024 * 1024;

/// Writes a stream.
#[derive(Debug)]
pub(in crate::translate) struct Writer {
    back: Arc<Back>,
    started: bool,
    /// The next block's number.
    next: u32,
    part: Option<Part>,
    held: Held,
    usage: Option<TokenUsage>,
    tier: Option<String>,
    stop: Option<Stop>,
}

/// The part being written.
#[derive(Debug)]
struct Part {
    index: u32,
    kind: Kind,
    /// Its block has begun.
    begun: bool,
}

#[derive(Debug)]
enum Kind {
    Text {
        /// Kept only where citations may quote it.
        said: String,
    },
    Thinking {
        /// Whether its proof has been written.
        signed: bool,
    },
    Call {
        id: String,
        name: String,
        kind: ToolKind,
        /// Arguments that wait: of custom tools until they are whole, and while a proof may still come.
        waiting: String,
        seal: Option<Sealed>,
    },
    /// Written already, or of no use to this caller.
    Done,
}

#[derive(Serialize)]
struct BlockDelta<'a> {
    r#type: &'static str,
    index: u32,
    delta: Piece<'a>,
}

#[derive(Serialize)]
#[serde(tag = "type")]
enum Piece<'a> {
    #[serde(rename = "text_delta")]
    Text { text: &'a str },
    #[serde(rename = "thinking_delta")]
    Thinking { thinking: &'a str },
    #[serde(rename = "signature_delta")]
    Signature { signature: &'a str },
    #[serde(rename = "input_json_delta")]
    Input { partial_json: &'a str },
    #[serde(rename = "citations_delta")]
    Citation { citation: Value },
}

impl Writer {
    /// Of a stream that has not begun.
    pub(in crate::translate) fn new(back: Arc<Back>) -> Self {
        Self {
            back,
            started: false,
            next: 0,
            part: None,
            held: Held::default(),
            usage: None,
            tier: None,
            stop: None,
        }
    }

    /// Writes what an event means for the caller behind `out`.
    pub(in crate::translate) fn event(&mut self, event: Event, out: &mut Vec<u8>) {
        match event {
            Event::Start { id, usage, .. } => {
                self.usage = usage;
                self.start(&id, out);
            }
            // An Anthropic caller cannot ask for several answers.
            Event::Open { choice, .. }
            | Event::Delta { choice, .. }
            | Event::Close { choice, .. }
            | Event::Stop { choice, .. }
                if choice > 0 => {}
            Event::Open { index, opening, .. } => self.open(index, opening, out),
            Event::Delta { index, delta, .. } => self.delta(index, delta, out),
            Event::Close { index, .. } => {
                if self.part.as_ref().is_some_and(|part| part.index == index) {
                    self.close(out);
                }
            }
            Event::Stop { stop, .. } => self.stop = Some(stop),
            Event::Usage(usage) => self.usage = Some(usage),
            Event::ServiceTier(tier) => self.tier = Some(tier),
            Event::Ping => {
                if self.started {
                    send("ping", &json!({ "type": "ping" }), out);
                }
            }
            Event::End => self.end(out),
            Event::Logprobs { .. } | Event::Error(_) => {}
        }
    }

    fn start(&mut self, id: &str, out: &mut Vec<u8>) {
        if self.started {
            return;
        }
        self.started = true;
        let message = json!({
            "id": message_id(id, &self.back),
            "type": "message",
            "role": "assistant",
            "model": self.back.request.model,
            "content": [],
            "stop_reason": null,
            "stop_sequence": null,
            "usage": usage::write(self.usage, self.tier.as_deref()),
        });
        send("message_start", &json!({ "type": "message_start", "message": message }), out);
        send("ping", &json!({ "type": "ping" }), out);
    }

    fn open(&mut self, index: u32, opening: Opening, out: &mut Vec<u8>) {
        self.start("", out);
        self.close(out);
        let kind = match opening {
            Opening::Text => Kind::Text { said: String::new() },
            Opening::Refusal => {
                self.held.refuses = true;
                Kind::Text { said: String::new() }
            }
            Opening::Thinking => Kind::Thinking { signed: false },
            Opening::ToolCall { id, name, kind, .. } => {
                self.held.calls = true;
                Kind::Call { id, name, kind, waiting: String::new(), seal: None }
            }
            Opening::Media(media) => {
                let words = in_words(&media);
                if !words.is_empty() {
                    self.whole(&json!({ "type": "text", "text": words }), out);
                }
                Kind::Done
            }
            Opening::Native { dialect, value } => {
                if dialect == Dialect::Anthropic {
                    self.whole(&value, out);
                }
                Kind::Done
            }
        };
        self.part = Some(Part { index, kind, begun: false });
    }

    fn delta(&mut self, index: u32, delta: Delta, out: &mut Vec<u8>) {
        let Some(mut part) = self.part.take_if(|part| part.index == index) else { return };
        match (&mut part.kind, delta) {
            (Kind::Text { said }, Delta::Text(more)) => {
                if !part.begun && !more.is_empty() {
                    part.begun = true;
                    self.begin(&json!({ "type": "text", "text": "" }), out);
                }
                if part.begun {
                    self.piece(Piece::Text { text: &more }, out);
                }
                if self.quotes() && said.len() + more.len() <= MAX_QUOTED {
                    said.push_str(&more);
                }
            }
            (Kind::Text { said }, Delta::Citation(dialect, value)) => {
                if let Some(citation) = citation::write(dialect, &value, said) {
                    if !std::mem::replace(&mut part.begun, true) {
                        self.begin(&json!({ "type": "text", "text": "" }), out);
                    }
                    self.piece(Piece::Citation { citation }, out);
                }
            }
            (Kind::Text { .. }, Delta::Seal(seal)) => {
                // Behind a text that has been said already, the proof stands for itself.
                if part.begun {
                    self.finish_block(out);
                    self.whole(&Form::Signed(seal.write(Dialect::Anthropic)).block(""), out);
                    part.begun = false;
                } else {
                    self.whole(&thought::before(&seal), out);
                }
            }
            (Kind::Thinking { .. }, Delta::Text(more)) => {
                self.begin_thinking(&mut part.begun, out);
                self.piece(Piece::Thinking { thinking: &more }, out);
            }
            (Kind::Thinking { signed }, Delta::Seal(seal)) => match Form::of(&seal, part.begun) {
                Form::Redacted(data) if !part.begun => {
                    self.whole(&thought::redacted_block(&data), out);
                    part.kind = Kind::Done;
                }
                Form::Redacted(_) => {}
                Form::Signed(signature) => {
                    self.begin_thinking(&mut part.begun, out);
                    self.piece(Piece::Signature { signature: &signature }, out);
                    *signed = true;
                }
            },
            (Kind::Call { kind, waiting, .. }, Delta::Text(more)) => {
                if *kind == ToolKind::Custom || self.back.upstream == Dialect::Gemini {
                    waiting.push_str(&more);
                } else {
                    self.begin_call(&mut part, out);
                    self.piece(Piece::Input { partial_json: &more }, out);
                }
            }
            (Kind::Call { seal, .. }, Delta::Seal(new)) => *seal = Some(new),
            _ => {}
        }
        self.part = Some(part);
    }

    fn close(&mut self, out: &mut Vec<u8>) {
        let Some(mut part) = self.part.take() else { return };
        if let Kind::Call { kind, waiting, .. } = &mut part.kind {
            let waiting = std::mem::take(waiting);
            let kind = *kind;
            self.begin_call(&mut part, out);
            if !waiting.is_empty() {
                let input = text::json_text(&input(&waiting, kind));
                self.piece(Piece::Input { partial_json: &input }, out);
            }
        }
        if let (true, Kind::Thinking { signed: false }) = (part.begun, &part.kind) {
            let signature = thought::unsigned(self.back.upstream);
            self.piece(Piece::Signature { signature: &signature }, out);
        }
        if part.begun {
            self.finish_block(out);
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        self.start("", out);
        self.close(out);
        let delta = json!({
            "type": "message_delta",
            "delta": ending(self.stop.as_ref(), self.held),
            "usage": usage::write(self.usage, self.tier.as_deref()),
        });
        send("message_delta", &delta, out);
        send("message_stop", &json!({ "type": "message_stop" }), out);
    }

    /// Only OpenAI's citations name what they cite by its place in the text.
    fn quotes(&self) -> bool {
        matches!(self.back.upstream, Dialect::OpenAiChat | Dialect::OpenAiResponses)
    }

    fn begin_thinking(&self, begun: &mut bool, out: &mut Vec<u8>) {
        if !std::mem::replace(begun, true) {
            self.begin(&thought::signed("", ""), out);
        }
    }

    fn begin_call(&mut self, part: &mut Part, out: &mut Vec<u8>) {
        let Part { kind: Kind::Call { id, name, seal, .. }, begun, .. } = part else { return };
        if std::mem::replace(begun, true) {
            return;
        }
        if let Some(seal) = seal.take() {
            self.whole(&thought::before(&seal), out);
        }
        self.begin(&json!({ "type": "tool_use", "id": id, "name": name, "input": {} }), out);
    }

    fn begin(&self, block: &Value, out: &mut Vec<u8>) {
        let event = json!({ "type": "content_block_start", "index": self.next, "content_block": block });
        send("content_block_start", &event, out);
    }

    fn piece(&self, delta: Piece<'_>, out: &mut Vec<u8>) {
        let event = BlockDelta { r#type: "content_block_delta", index: self.next, delta };
        send("content_block_delta", &event, out);
    }

    fn finish_block(&mut self, out: &mut Vec<u8>) {
        send("content_block_stop", &json!({ "type": "content_block_stop", "index": self.next }), out);
        self.next += 1;
    }

    /// A block that has no deltas.
    fn whole(&mut self, block: &Value, out: &mut Vec<u8>) {
        self.begin(block, out);
        self.finish_block(out);
    }
}

fn send(name: &str, data: &impl Serialize, out: &mut Vec<u8>) {
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\ndata: ");
    text::write(data, out);
    out.extend_from_slice(b"\n\n");
}
