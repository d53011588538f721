//! One run of one decoder: what it reads is written on, and what must hold is looked at.

use std::sync::Arc;

use protocol::Dialect;
use protocol::sse::Decoder;
use protocol::translate::{
    Back, Call, Framing, Stream, Target, read_answer, read_request, write_answer, write_events, write_request,
};

use super::random::Random;

/// Most bytes that may be written for one byte that was read. Responses says every text three times.
const MOST: usize = 64;
/// What an empty answer may take.
const BASE: usize = 64 * 1024;

/// What is fed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Request(Dialect),
    Answer(Dialect),
    Stream(Dialect),
    /// Events, whoever's.
    Framing,
}

impl What {
    /// All of them.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        let of = |what: fn(Dialect) -> Self| Dialect::ALL.iter().map(move |dialect| what(*dialect));
        of(Self::Request).chain(of(Self::Answer)).chain(of(Self::Stream)).chain([Self::Framing])
    }

    /// Its dialect, if it has one.
    pub(super) fn dialect(self) -> Option<Dialect> {
        match self {
            Self::Request(dialect) | Self::Answer(dialect) | Self::Stream(dialect) => Some(dialect),
            Self::Framing => None,
        }
    }
}

/// Kept from run to run, so that the rig allocates little.
#[derive(Debug, Default)]
pub(super) struct Room {
    whole: Vec<u8>,
    pieces: Vec<u8>,
}

/// Whether anything was understood.
///
/// # Errors
/// What does not hold, as a sentence.
pub(super) fn feed(
    what: What,
    backs: &[Arc<Back>],
    bytes: &[u8],
    random: &mut Random,
    room: &mut Room,
) -> Result<bool, String> {
    if what == What::Framing {
        return framing(bytes, random, room);
    }
    let Some(back) = random.one(backs) else { return Ok(false) };
    let (understood, written) = match what {
        What::Request(dialect) => {
            let path = Call { model: Some("m"), stream: Some(random.once_in(2)) };
            let Ok(request) = read_request(dialect, bytes, path) else { return Ok(false) };
            let models = ["claude-sonnet-4-5", "claude-opus-4-6", "gpt-5", "mistral-large", "gemini-3-pro"];
            let model = random.one(&models).copied().unwrap_or("m");
            let target = Target { dialect: back.request.dialect, model, max_output: None };
            (true, write_request(&request, target).body.len())
        }
        What::Answer(_) => {
            let Ok(answer) = read_answer(back, bytes) else { return Ok(false) };
            if random.once_in(2) {
                (true, write_answer(&answer, back).len())
            } else {
                room.whole.clear();
                write_events(answer, back, framed(back, random), &mut room.whole);
                (true, room.whole.len())
            }
        }
        What::Stream(_) | What::Framing => {
            let framing = framed(back, random);
            let whole = streamed(back, framing, bytes, bytes.len().max(1), &mut room.whole);
            let size = some_size(bytes, random);
            let pieces = streamed(back, framing, bytes, size, &mut room.pieces);
            if whole != pieces || room.whole != room.pieces {
                return Err(format!("says something else in pieces of {size}"));
            }
            (whole == End::Ended, room.whole.len())
        }
    };
    if written > BASE + MOST * bytes.len() {
        return Err(format!("makes {written} bytes of {}", bytes.len()));
    }
    Ok(understood)
}

/// Only Gemini's callers may want an array.
fn framed(back: &Back, random: &mut Random) -> Framing {
    let array = back.request.dialect == Dialect::Gemini && random.once_in(2);
    if array { Framing::Array } else { Framing::Events }
}

/// Of a few bytes as often as of many.
fn some_size(bytes: &[u8], random: &mut Random) -> usize {
    let most = if random.once_in(2) { 8 } else { bytes.len().max(1) };
    1 + random.below(most)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Ended,
    Open,
    Failed,
    Fault,
}

fn streamed(back: &Arc<Back>, framing: Framing, bytes: &[u8], size: usize, out: &mut Vec<u8>) -> End {
    out.clear();
    let mut stream = Stream::framed(back.clone(), framing);
    for piece in bytes.chunks(size) {
        if stream.feed(piece, out).is_err() {
            return End::Fault;
        }
    }
    stream.finish(out);
    match (stream.ended(), stream.failed()) {
        (_, Some(_)) => End::Failed,
        (true, None) => End::Ended,
        (false, None) => End::Open,
    }
}

/// The events that are found in bytes, with their lengths.
fn events(bytes: &[u8], size: usize, out: &mut Vec<u8>) -> (usize, bool) {
    out.clear();
    let (mut decoder, mut count) = (Decoder::new(), 0);
    for piece in bytes.chunks(size) {
        decoder.feed(piece, |event| {
            count += 1;
            if let Ok((name, data)) = event {
                for part in [name, data] {
                    out.extend_from_slice(&part.len().to_le_bytes());
                    out.extend_from_slice(part);
                }
            }
        });
    }
    (count, decoder.mid_event())
}

fn framing(bytes: &[u8], random: &mut Random, room: &mut Room) -> Result<bool, String> {
    let whole = events(bytes, bytes.len().max(1), &mut room.whole);
    let size = some_size(bytes, random);
    let pieces = events(bytes, size, &mut room.pieces);
    if whole != pieces || room.whole != room.pieces {
        return Err(format!("finds other events in pieces of {size}"));
    }
    let told = room.whole.len().saturating_sub(whole.0 * 2 * size_of::<usize>());
    if told > bytes.len() {
        return Err(format!("makes {told} bytes of {}", bytes.len()));
    }
    Ok(whole.0 > 0)
}
