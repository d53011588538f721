//! Tests of the Gemini dialect on its own.

mod cross;
mod faults;
mod history;
mod nonsense;
mod recorded;
mod requests;

use std::sync::Arc;

use serde_json::Value;

use super::super::{Back, Names};
use super::{Reader, Writer};
use crate::neutral::{Answer, Event, Request, Sequence};
use crate::{Dialect, sse};

/// The way back to a Gemini caller.
fn back(request: Request) -> Back {
    Back {
        request: Arc::new(request),
        upstream: Dialect::Gemini,
        names: Names::new(),
        ids: "t1".into(),
        created: 0,
        sealer: None,
    }
}

/// A caller who wants to see thoughts.
fn shown() -> Back {
    let mut request = Request::new(Dialect::Gemini, "gemini-2.5-flash", true);
    request.reasoning = Some(crate::neutral::Reasoning { shown: Some(true), ..Default::default() });
    back(request)
}

/// Everything that a stream says, fed in pieces of a size.
fn hear(bytes: &[u8], size: usize) -> Vec<Event> {
    let (mut decoder, mut reader, mut events) = (sse::Decoder::new(), Reader::new("t1"), Vec::new());
    for piece in bytes.chunks(size.max(1)) {
        decoder.feed(piece, |event| reader.event(event.unwrap().1, &mut events).unwrap());
    }
    reader.finish(&mut events);
    events
}

/// Pieces of the same part as one: cuts differ, what is said must not.
fn heard(bytes: &[u8], size: usize) -> Answer {
    Answer::from_events(hear(bytes, size))
}

/// What a caller gets for events.
fn tell(events: Vec<Event>, back: Back) -> Vec<u8> {
    let (mut sequence, mut writer, mut out) = (Sequence::new(), Writer::new(Arc::new(back)), Vec::new());
    for event in events {
        sequence.push(event, |event| writer.event(event, &mut out)).unwrap();
    }
    out
}

/// The data of a stream.
fn chunks(bytes: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(bytes).unwrap();
    text.lines().filter_map(|l| l.strip_prefix("data: ")).map(|d| serde_json::from_str(d).unwrap()).collect()
}
