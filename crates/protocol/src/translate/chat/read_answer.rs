//! A whole answer of a vendor: read as a stream of one event, so that both are understood alike.

use serde_json::{Value, json};

use super::super::{Fault, text};
use super::Reader;
use super::reader::Chunk;
use crate::neutral::Answer;

/// Reads a whole answer. `ids` begins the ids that have to be made up.
pub(in super::super) fn read_answer(body: Value, ids: &str) -> Result<Answer, Fault> {
    if !body.get("choices").is_some_and(Value::is_array) {
        return Err(Fault::field("choices", "is missing"));
    }
    let counts = text::json(&json!({"usage": body.get("usage"), "x_groq": body.get("x_groq")}));
    let mut reader = Reader::new(ids);
    let mut events = Vec::new();
    reader.chunk(Chunk::of(body), &counts, &mut events);
    reader.end(&mut events);
    Ok(Answer::from_events(events))
}
