//! Thinking blocks and the proofs that they carry, of Anthropic's own and of other vendors'.
//!
//! Other vendors sign calls and texts too. Such a proof stands in a `redacted_thinking` block right before the
//! block that it belongs to; [`join`] puts them together again.

use serde_json::{Value, json};

use crate::Dialect;
use crate::neutral::{Part, Sealed};

/// Tells Anthropic's own redacted thinking from a signature.
const REDACTED: &str = "redacted:";

/// Thinking as it stands in a `thinking` block.
pub(super) fn thinking(text: String, signature: Option<&str>) -> Part {
    let seal = signature.filter(|s| !s.is_empty()).map(|s| Sealed::read(Dialect::Anthropic, s));
    let seal = seal.filter(|seal| !seal.data.is_empty());
    Part::Thinking { text, seal }
}

/// What stands in a `redacted_thinking` block.
pub(super) fn redacted(data: &str) -> Sealed {
    let seal = Sealed::read(Dialect::Anthropic, data);
    if seal.dialect == Dialect::Anthropic {
        return Sealed { dialect: Dialect::Anthropic, data: format!("{REDACTED}{}", seal.data) };
    }
    seal
}

/// Whether a proof belongs to the block behind it.
pub(super) fn belongs_to_next(seal: &Sealed) -> bool {
    seal.dialect == Dialect::Gemini
}

/// Gives calls and texts the proofs that stand right before them.
pub(super) fn join(parts: Vec<Read>) -> Vec<Part> {
    let mut joined = Vec::with_capacity(parts.len());
    let mut loose: Option<Sealed> = None;
    for part in parts {
        let mut part = match part {
            Read::Loose(seal) => {
                joined.extend(loose.replace(seal).map(alone));
                continue;
            }
            Read::Part(part) => part,
        };
        if let Part::ToolCall { seal, .. } | Part::Text { seal, .. } = &mut part {
            *seal = loose.take();
        }
        joined.extend(loose.take().map(alone));
        joined.push(part);
    }
    joined.extend(loose.map(alone));
    joined
}

/// A part as it was read.
#[derive(Debug)]
pub(super) enum Read {
    /// Complete.
    Part(Part),
    /// A proof that belongs to the call or text behind it.
    Loose(Sealed),
}

impl From<Part> for Read {
    fn from(part: Part) -> Self {
        Self::Part(part)
    }
}

impl Read {
    /// Of a `redacted_thinking` block.
    pub(super) fn redacted(data: &str) -> Self {
        let seal = redacted(data);
        if belongs_to_next(&seal) { Self::Loose(seal) } else { Self::Part(alone(seal)) }
    }
}

/// A proof without text.
pub(super) fn alone(seal: Sealed) -> Part {
    Part::Thinking { text: String::new(), seal: Some(seal) }
}

/// How thinking is written: with its text, or as data only.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A `thinking` block with this signature.
    Signed(String),
    /// A `redacted_thinking` block with this data.
    Redacted(String),
}

impl Form {
    /// Of a thought with a text or without, for a caller. A Gemini proof without text is no redacted thinking:
    /// that place belongs to proofs of the block behind.
    pub(super) fn of(seal: &Sealed, has_text: bool) -> Self {
        let written = seal.write(Dialect::Anthropic);
        if seal.dialect == Dialect::Anthropic {
            return match written.strip_prefix(REDACTED) {
                Some(data) => Self::Redacted(data.to_owned()),
                None => Self::Signed(written),
            };
        }
        if has_text || belongs_to_next(seal) { Self::Signed(written) } else { Self::Redacted(written) }
    }

    /// The whole block.
    pub(super) fn block(self, text: &str) -> Value {
        match self {
            Self::Signed(signature) => signed(text, &signature),
            Self::Redacted(data) => redacted_block(&data),
        }
    }
}

/// A `thinking` block.
pub(super) fn signed(text: &str, signature: &str) -> Value {
    json!({ "type": "thinking", "thinking": text, "signature": signature })
}

/// A `redacted_thinking` block.
pub(super) fn redacted_block(data: &str) -> Value {
    json!({ "type": "redacted_thinking", "data": data })
}

/// What stands for the signature of a thought that its vendor did not sign.
pub(super) fn unsigned(vendor: Dialect) -> String {
    Sealed::none(vendor).write(Dialect::Anthropic)
}

/// What goes before a call or text whose proof another vendor made.
pub(super) fn before(seal: &Sealed) -> Value {
    redacted_block(&seal.write(Dialect::Anthropic))
}
