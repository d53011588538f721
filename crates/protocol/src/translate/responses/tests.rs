//! Tests against recorded exchanges, the official shapes, and nonsense.

mod answers;
mod faults;
mod nonsense;
mod places;
mod recorded;
mod requests;
mod round;
mod store;

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::{Back, Call, Names, Target, read_request, text, write_request};
use super::{Reader, Writer};
use crate::Dialect;
use crate::neutral::{Answer, Event, Request};
use crate::sse::Decoder;

/// What a stream says, read in pieces of a size.
fn heard(body: &[u8], size: usize) -> Vec<Event> {
    let (mut decoder, mut reader, mut events) = (Decoder::new(), Reader::new(), Vec::new());
    for piece in body.chunks(size.max(1)) {
        decoder.feed(piece, |event| {
            reader.event(event.unwrap().1, &mut events).unwrap();
        });
    }
    events
}

/// The way back of a request that came from a Responses caller.
fn back(request: Request, upstream: Dialect) -> Back {
    Back {
        request: Arc::new(request),
        upstream,
        names: Names::new(),
        ids: "t1".into(),
        created: 1_700_000_000,
        sealer: None,
    }
}

fn read(body: &Value) -> Request {
    read_request(Dialect::OpenAiResponses, body.to_string().as_bytes(), Call::default()).unwrap()
}

/// The body that goes to a Responses vendor, and the fields that were lost.
fn sent(request: &Request, model: &str) -> (Value, Vec<String>) {
    let target = Target { dialect: Dialect::OpenAiResponses, model, max_output: None };
    let written = write_request(request, target);
    let losses = written.losses.kept().iter().map(|loss| loss.field.clone()).collect();
    (serde_json::from_slice(&written.body).unwrap(), losses)
}

/// A stream as it is written, and its events as any client would read them.
fn streamed(answer: Answer, back: &Back) -> (Vec<u8>, Vec<Value>) {
    let mut writer = Writer::new(Arc::new(back.clone()));
    let mut out = Vec::new();
    for event in answer.into_events() {
        writer.event(event, &mut out);
    }
    let events = String::from_utf8(out.clone())
        .unwrap()
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .map(|data| text::parse(data.as_bytes()).unwrap())
        .collect();
    (out, events)
}

fn asked() -> Request {
    read(&json!({"model": "m", "input": "hi"}))
}
