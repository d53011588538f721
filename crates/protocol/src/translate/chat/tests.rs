//! Whether Chat is read and written right: recorded exchanges, round trips, bad input.

mod answers;
mod faults;
mod recorded;
mod round_trip;
mod streams;
mod written;

use std::sync::Arc;

use super::super::{Back, Names};
use super::{Reader, Writer};
use crate::Dialect;
use crate::neutral::{Answer, Event, Request, Sequence};
use crate::sse;

/// What the way back knows, for a caller of this dialect.
fn back(include_usage: bool) -> Back {
    let mut request = Request::new(Dialect::OpenAiChat, "m", true);
    request.include_usage = include_usage;
    Back {
        request: Arc::new(request),
        upstream: Dialect::Anthropic,
        names: Names::new(),
        ids: "t1".into(),
        created: 1_700_000_000,
        sealer: None,
    }
}

/// Reads a stream in pieces of a size, in sequence as a writer would see it.
fn read(body: &[u8], size: usize) -> Vec<Event> {
    let (mut decoder, mut reader, mut sequence) = (sse::Decoder::new(), Reader::new("t1"), Sequence::new());
    let (mut events, mut out) = (Vec::new(), Vec::new());
    for piece in body.chunks(size.max(1)) {
        decoder.feed(piece, |event| reader.event(event.unwrap().1, &mut events).unwrap());
    }
    reader.finish(&mut events);
    for event in events {
        sequence.push(event, |event| out.push(event)).unwrap();
    }
    out
}

/// Writes an answer as a stream.
fn stream(answer: Answer, back: &Back) -> Vec<u8> {
    let mut writer = Writer::new(Arc::new(back.clone()));
    let mut out = Vec::new();
    for event in answer.into_events() {
        writer.event(event, &mut out);
    }
    out
}

/// Whether events keep the order that writers count on: start once and first, parts one after the other, nothing of
/// an answer behind its stop, nothing behind the end.
fn in_order(events: &[Event]) -> Result<(), String> {
    let (mut open, mut used, mut stopped) = (Vec::new(), Vec::new(), Vec::new());
    for (place, event) in events.iter().enumerate() {
        let wrong = match event {
            Event::Start { .. } => place != 0,
            Event::Open { choice, index, .. } => {
                let fresh = !used.contains(&(*choice, *index));
                let alone = !open.iter().any(|(other, _)| other == choice);
                open.push((*choice, *index));
                used.push((*choice, *index));
                !fresh || !alone || stopped.contains(choice)
            }
            Event::Delta { choice, index, .. } => !open.contains(&(*choice, *index)),
            Event::Close { choice, index } => {
                let before = open.len();
                open.retain(|part| part != &(*choice, *index));
                open.len() == before
            }
            Event::Stop { choice, .. } => {
                let again = stopped.contains(choice);
                stopped.push(*choice);
                again || open.iter().any(|(other, _)| other == choice)
            }
            Event::End => place + 1 != events.len() || !open.is_empty(),
            Event::Error(_) => place + 1 != events.len(),
            Event::Logprobs { .. } | Event::Usage(_) | Event::ServiceTier(_) | Event::Ping => false,
        };
        if wrong {
            return Err(format!("{place}: {event:?} in {events:?}"));
        }
    }
    Ok(())
}
