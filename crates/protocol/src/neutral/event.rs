//! The events of a stream, apart from their spelling.
//!
//! A decoder may hold several parts open at once (Chat's parallel tool calls by index); [`super::Sequence`]
//! puts them one after the other for encoders. Per choice the order is: `Open`, its `Delta`s, `Close`, and after
//! the last part `Stop`. `Start` comes first and once, `End` last and once, and only if the vendor really ended.

use serde_json::Value;
use types::request::TokenUsage;

use super::{Media, Part, Sealed, Stop, ToolKind};
use crate::Dialect;
use crate::error::UpstreamError;

/// One event.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The vendor has begun.
    Start {
        /// The vendor's id of the answer; empty if none.
        id: String,
        /// The model that the vendor names; empty if none.
        model: String,
        /// What is counted already (Anthropic says the input at the start).
        usage: Option<TokenUsage>,
    },
    /// A part begins.
    Open {
        /// Which answer; 0 but where several were asked for.
        choice: u32,
        /// Its number within the answer, never used twice.
        index: u32,
        /// What it is.
        opening: Opening,
    },
    /// More of a part.
    Delta {
        /// Which answer.
        choice: u32,
        /// Of which part.
        index: u32,
        /// What.
        delta: Delta,
    },
    /// A part is complete.
    Close {
        /// Which answer.
        choice: u32,
        /// Which part.
        index: u32,
    },
    /// Log probabilities in OpenAI Chat's shape, of what came since the last ones.
    Logprobs {
        /// Which answer.
        choice: u32,
        /// As OpenAI Chat spells them.
        value: Value,
    },
    /// An answer is complete.
    Stop {
        /// Which answer.
        choice: u32,
        /// Why.
        stop: Stop,
    },
    /// The counts, as far as they are known; a later one replaces an earlier one.
    Usage(TokenUsage),
    /// Class of service that was given.
    ServiceTier(String),
    /// Nothing new, still there.
    Ping,
    /// The vendor says that it failed. Nothing but [`Event::End`] may follow, and need not.
    Error(UpstreamError),
    /// The vendor has ended in good order.
    End,
}

/// What a part is, when it begins.
#[derive(Clone, Debug, PartialEq)]
pub enum Opening {
    /// Text.
    Text,
    /// Thinking.
    Thinking,
    /// Words of refusal.
    Refusal,
    /// A call of one of the caller's tools.
    ToolCall {
        /// Ties the result to it; never empty.
        id: String,
        /// The tool.
        name: String,
        /// Responses: the namespace that it is in.
        namespace: Option<String>,
        /// Whether its deltas are JSON or free text.
        kind: ToolKind,
    },
    /// A whole medium: no deltas follow.
    Media(Media),
    /// Something of one dialect only, whole: no deltas follow.
    Native {
        /// Whose.
        dialect: Dialect,
        /// As it was written.
        value: Value,
    },
}

/// More of a part.
#[derive(Clone, Debug, PartialEq)]
pub enum Delta {
    /// Text of a text, thinking or refusal, or arguments of a tool call.
    Text(String),
    /// The proof of a thinking, a text or a tool call; whole.
    Seal(Sealed),
    /// Something that a text refers to, in the dialect that said it.
    Citation(Dialect, Value),
}

impl Opening {
    /// Takes a part apart.
    pub(crate) fn of(part: Part) -> (Self, Vec<Delta>) {
        let said = |text: String| (!text.is_empty()).then_some(Delta::Text(text));
        match part {
            Part::Text { text, citations, seal, .. } => {
                let cited = citations.into_iter().map(|(dialect, value)| Delta::Citation(dialect, value));
                (Self::Text, said(text).into_iter().chain(cited).chain(seal.map(Delta::Seal)).collect())
            }
            Part::Thinking { text, seal } => {
                (Self::Thinking, said(text).into_iter().chain(seal.map(Delta::Seal)).collect())
            }
            Part::Refusal { text } => (Self::Refusal, said(text).into_iter().collect()),
            Part::ToolCall { id, name, namespace, arguments, kind, seal, .. } => (
                Self::ToolCall { id, name, namespace, kind },
                said(arguments).into_iter().chain(seal.map(Delta::Seal)).collect(),
            ),
            Part::Media(media) => (Self::Media(media), Vec::new()),
            Part::Native { dialect, value } => (Self::Native { dialect, value }, Vec::new()),
            // No model answers with a tool's result; a vendor that does is passed on as its text.
            Part::ToolResult { parts, .. } => {
                let text = parts.iter().filter_map(Part::as_text).collect::<String>();
                (Self::Text, said(text).into_iter().collect())
            }
        }
    }

    /// The part before its first delta.
    pub(super) fn empty(self) -> Part {
        match self {
            Self::Text => Part::text(""),
            Self::Thinking => Part::Thinking { text: String::new(), seal: None },
            Self::Refusal => Part::Refusal { text: String::new() },
            Self::ToolCall { id, name, namespace, kind } => Part::ToolCall {
                id,
                name,
                namespace,
                arguments: String::new(),
                kind,
                seal: None,
                cache: None,
            },
            Self::Media(media) => Part::Media(media),
            Self::Native { dialect, value } => Part::Native { dialect, value },
        }
    }
}

/// Two pieces of Chat's log probabilities as one.
pub(super) fn join_logprobs(mut old: Value, new: Value) -> Value {
    let (Some(into), Value::Object(from)) = (old.as_object_mut(), new) else { return old };
    for (name, value) in from {
        match (into.get_mut(&name).and_then(Value::as_array_mut), value) {
            (Some(list), Value::Array(more)) => list.extend(more),
            (None, value) => {
                into.insert(name, value);
            }
            (Some(_), _) => {}
        }
    }
    old
}
