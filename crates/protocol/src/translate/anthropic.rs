//! Anthropic Messages: reading and writing requests, answers and streams.

use std::sync::Arc;

use serde_json::Value;

use super::{Back, Fault, Names, Target};
use crate::neutral::{Answer, Event, Losses, Request};

/// Reads a request.
pub(super) fn read_request(_body: Value) -> Result<Request, Fault> {
    Err(Fault::Json("not built".into()))
}

/// Writes a request.
pub(super) fn write_request(
    _request: &Request,
    _target: Target<'_>,
    _names: &mut Names,
    _losses: &mut Losses,
) -> Value {
    Value::Null
}

/// Reads a whole answer.
pub(super) fn read_answer(_body: Value) -> Result<Answer, Fault> {
    Err(Fault::Json("not built".into()))
}

/// Writes a whole answer.
pub(super) fn write_answer(_answer: &Answer, _back: &Back) -> Value {
    Value::Null
}

/// Reads a stream.
#[derive(Debug)]
pub(super) struct Reader;

impl Reader {
    /// Of a stream that has not begun.
    pub(super) fn new() -> Self {
        Self
    }

    /// Reads the data of one event.
    pub(super) fn event(&mut self, _data: &[u8], _out: &mut Vec<Event>) -> Result<(), Fault> {
        Ok(())
    }
}

/// Writes a stream.
#[derive(Debug)]
pub(super) struct Writer;

impl Writer {
    /// Of a stream that has not begun.
    pub(super) fn new(_back: Arc<Back>) -> Self {
        Self
    }

    /// Writes what an event means for the caller behind `out`.
    pub(super) fn event(&mut self, _event: Event, _out: &mut Vec<u8>) {}
}
