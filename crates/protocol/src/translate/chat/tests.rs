//! Whether Chat is read and written right: recorded exchanges, round trips, bad input.

mod recorded;

use super::Reader;
use crate::neutral::{Event, Sequence};
use crate::sse;

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
