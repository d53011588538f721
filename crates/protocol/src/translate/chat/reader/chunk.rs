//! A chunk of a stream: only what is read of it.
//!
//! Most of a chunk's bytes are names and labels that mean nothing here; a tree of all of it would cost more than
//! everything else that happens to an event.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::super::super::{Fault, text};

/// What is read of a chunk, or of a whole answer.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct Chunk {
    pub(super) choices: Vec<Choice>,
    pub(super) usage: Value,
    pub(super) x_groq: Value,
    pub(super) service_tier: Value,
    pub(super) error: Value,
    pub(super) detail: Value,
    /// Asked for at the start only: later ones repeat it.
    #[serde(skip)]
    pub(super) id: String,
    #[serde(skip)]
    pub(super) model: String,
}

/// One of its answers.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Choice {
    pub(super) index: Value,
    pub(super) delta: Value,
    pub(super) message: Value,
    pub(super) logprobs: Value,
    pub(super) finish_reason: Value,
    pub(super) stop_reason: Value,
    pub(super) error: Value,
}

impl Chunk {
    /// Reads a chunk; `first` with the names that come with the beginning.
    pub(super) fn read(data: &[u8], first: bool) -> Result<Self, Fault> {
        // What does not fit the shape may still be a tree: wrong types are ignored, not refused.
        match text::parse_as(data) {
            Ok(chunk) if !first => Ok(chunk),
            _ => text::parse(data).map(Self::of),
        }
    }

    /// Takes what is read out of a tree.
    pub(in super::super) fn of(value: Value) -> Self {
        let Value::Object(mut map) = value else { return Self::default() };
        let choices = match map.swap_remove("choices") {
            Some(Value::Array(list)) => list.into_iter().map(Choice::of).collect(),
            _ => Vec::new(),
        };
        let name = |value: Value| value.as_str().unwrap_or_default().to_owned();
        Self {
            choices,
            usage: take(&mut map, "usage"),
            x_groq: take(&mut map, "x_groq"),
            service_tier: take(&mut map, "service_tier"),
            error: take(&mut map, "error"),
            detail: take(&mut map, "detail"),
            id: name(take(&mut map, "id")),
            model: name(take(&mut map, "model")),
        }
    }
}

impl Choice {
    fn of(value: Value) -> Self {
        let Value::Object(mut map) = value else { return Self::default() };
        Self {
            index: take(&mut map, "index"),
            delta: take(&mut map, "delta"),
            message: take(&mut map, "message"),
            logprobs: take(&mut map, "logprobs"),
            finish_reason: take(&mut map, "finish_reason"),
            stop_reason: take(&mut map, "stop_reason"),
            error: take(&mut map, "error"),
        }
    }
}

fn take(map: &mut Map<String, Value>, name: &str) -> Value {
    map.swap_remove(name).unwrap_or_default()
}
