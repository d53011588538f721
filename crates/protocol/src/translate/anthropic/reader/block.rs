//! One content block of a stream while it is open.

use serde_json::Value;

use super::super::{read_answer, thought};
use crate::Dialect;
use crate::neutral::{Delta, Event, Opening, Part, Sealed, ToolKind};
use crate::translate::text;

/// Most bytes of a proof or of a server tool's input that are kept.
const MAX_KEPT: usize = 8 * 1024 * 1024;

/// An open block.
#[derive(Debug)]
pub(super) struct Block {
    /// The vendor's number of it.
    pub(super) at: u64,
    /// Our number of the part.
    pub(super) part: u32,
    /// Its proof, passed on when it closes.
    pub(super) seal: Option<Sealed>,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Text {
        first: String,
        citations: Vec<(Dialect, Value)>,
    },
    Thinking {
        first: String,
        signature: String,
    },
    Redacted,
    Call {
        id: String,
        name: String,
        /// The input that stood in the start, which is `{}` unless the server streams no input.
        input: Option<Value>,
        said: bool,
    },
    /// Kept until it is whole.
    Native {
        value: Value,
        input: String,
    },
}

impl Block {
    fn new(at: u64, kind: Kind) -> Self {
        Self { at, part: 0, seal: None, kind }
    }

    /// Of a `content_block_start`.
    pub(super) fn begin(at: u64, content: Value) -> Option<Self> {
        let word = |name: &str| content.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let kind = match content.get("type").and_then(Value::as_str)? {
            "text" => Kind::Text { first: word("text"), citations: read_answer::citations(&content) },
            "thinking" => Kind::Thinking { first: word("thinking"), signature: word("signature") },
            "redacted_thinking" => {
                let mut block = Self::new(at, Kind::Redacted);
                block.seal = Some(thought::redacted(&word("data")));
                return Some(block);
            }
            "tool_use" if !word("id").is_empty() && !word("name").is_empty() => Kind::Call {
                id: word("id"),
                name: word("name"),
                input: content.get("input").cloned(),
                said: false,
            },
            _ => Kind::Native { value: content, input: String::new() },
        };
        Some(Self::new(at, kind))
    }

    /// Of a delta whose start never came. A call's cannot be guessed.
    pub(super) fn of_delta(at: u64, kind: &str) -> Option<Self> {
        let kind = match kind {
            "text_delta" | "citations_delta" => Kind::Text { first: String::new(), citations: Vec::new() },
            "thinking_delta" | "signature_delta" => {
                Kind::Thinking { first: String::new(), signature: String::new() }
            }
            _ => return None,
        };
        Some(Self::new(at, kind))
    }

    /// Whether a delta of that kind belongs into it.
    pub(super) fn fits(&self, delta: &str) -> bool {
        match self.kind {
            Kind::Text { .. } => matches!(delta, "text_delta" | "citations_delta"),
            Kind::Thinking { .. } => matches!(delta, "thinking_delta" | "signature_delta"),
            Kind::Redacted => false,
            Kind::Call { .. } => delta == "input_json_delta",
            Kind::Native { .. } => true,
        }
    }

    /// Whether a proof right before it is its own.
    pub(super) fn takes_proof(&self) -> bool {
        matches!(self.kind, Kind::Text { .. } | Kind::Call { .. })
    }

    /// Whether it calls a tool of the caller's.
    pub(super) fn is_call(&self) -> bool {
        matches!(self.kind, Kind::Call { .. })
    }

    fn say(&self, delta: Delta, out: &mut Vec<Event>) {
        out.push(Event::Delta { choice: 0, index: self.part, delta });
    }

    /// Passes its beginning on.
    pub(super) fn open(&mut self, out: &mut Vec<Event>) {
        let (opening, first, citations) = match &mut self.kind {
            Kind::Text { first, citations } => {
                (Opening::Text, std::mem::take(first), std::mem::take(citations))
            }
            Kind::Thinking { first, .. } => (Opening::Thinking, std::mem::take(first), Vec::new()),
            Kind::Redacted => (Opening::Thinking, String::new(), Vec::new()),
            Kind::Call { id, name, .. } => {
                let (id, name) = (std::mem::take(id), std::mem::take(name));
                let opening = Opening::ToolCall { id, name, namespace: None, kind: ToolKind::Function };
                (opening, String::new(), Vec::new())
            }
            Kind::Native { .. } => return,
        };
        out.push(Event::Open { choice: 0, index: self.part, opening });
        if !first.is_empty() {
            self.say(Delta::Text(first), out);
        }
        for (dialect, value) in citations {
            self.say(Delta::Citation(dialect, value), out);
        }
    }

    /// Takes a delta that fits.
    pub(super) fn take(&mut self, kind: &str, delta: &Value, out: &mut Vec<Event>) {
        let word = |name: &str| delta.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        match (&mut self.kind, kind) {
            (Kind::Text { .. }, "citations_delta") => {
                if let Some(citation) = delta.get("citation").filter(|citation| citation.is_object()) {
                    self.say(Delta::Citation(Dialect::Anthropic, citation.clone()), out);
                }
            }
            (Kind::Text { .. }, _) => self.pass(word("text"), out),
            (Kind::Thinking { signature, .. }, "signature_delta") => keep(signature, word("signature")),
            (Kind::Thinking { .. }, _) => self.pass(word("thinking"), out),
            (Kind::Call { said, .. }, _) => {
                *said |= word("partial_json").is_some();
                self.pass(word("partial_json"), out);
            }
            (Kind::Native { input, .. }, "input_json_delta") => keep(input, word("partial_json")),
            (Kind::Native { value, .. }, "compaction_delta") => {
                // The whole summary comes in one delta.
                if let (Some(map), Some(content)) = (value.as_object_mut(), delta.get("content")) {
                    map.insert("content".to_owned(), content.clone());
                }
            }
            (Kind::Native { .. } | Kind::Redacted, _) => {}
        }
    }

    fn pass(&self, text: Option<&str>, out: &mut Vec<Event>) {
        if let Some(text) = text {
            self.say(Delta::Text(text.to_owned()), out);
        }
    }

    /// Passes its end on.
    pub(super) fn close(mut self, out: &mut Vec<Event>) {
        match &mut self.kind {
            Kind::Thinking { signature, .. } => {
                if let Part::Thinking { seal, .. } = thought::thinking(String::new(), Some(signature)) {
                    self.seal = seal;
                }
            }
            Kind::Call { input, said: false, .. } => {
                let arguments = read_answer::arguments(input.as_ref());
                self.say(Delta::Text(arguments), out);
            }
            Kind::Text { .. } | Kind::Redacted | Kind::Call { .. } => {}
            Kind::Native { value, input } => {
                let mut value = std::mem::take(value);
                if let (Some(map), Ok(whole)) = (value.as_object_mut(), text::parse(input.as_bytes())) {
                    map.insert("input".to_owned(), whole);
                }
                let opening = Opening::Native { dialect: Dialect::Anthropic, value };
                out.push(Event::Open { choice: 0, index: self.part, opening });
            }
        }
        if let Some(seal) = self.seal.take() {
            self.say(Delta::Seal(seal), out);
        }
        out.push(Event::Close { choice: 0, index: self.part });
    }
}

/// Adds to what is kept, within reason.
fn keep(kept: &mut String, more: Option<&str>) {
    if let Some(more) = more.filter(|more| kept.len() + more.len() <= MAX_KEPT) {
        kept.push_str(more);
    }
}
