//! Faults: most of them leave JSON that is JSON, so that they reach the readers and not only the parser.

use std::ops::Range;

use super::random::Random;
use super::seed::{Piece, Seed};

/// Values that mean something to some reader, or that none expects.
const VALUES: &[&str] = &[
    "null",
    "{}",
    "[]",
    "\"\"",
    "-1",
    "0",
    "1",
    "7",
    "0.5",
    "1e999",
    "1e-9",
    "18446744073709551615",
    "4294967295",
    "-9223372036854775809",
    "true",
    "false",
    "\"\\ud800\"",
    "\"a\\u2028b\\u0085\"",
    "\"\\u0000\"",
    "[null]",
    "[[]]",
    "[{}]",
    "\"{\"",
    "\"{\\\"a\\\":1}\"",
    "\"text\"",
    "\"tool_use\"",
    "\"thinking\"",
    "\"redacted_thinking\"",
    "\"function_call\"",
    "\"custom_tool_call\"",
    "\"reasoning\"",
    "\"message\"",
    "\"system\"",
    "\"developer\"",
    "\"tool\"",
    "\"model\"",
    "\"assistant\"",
    "\"user\"",
    "\"STRING\"",
    "\"OBJECT\"",
    "\"object\"",
    "\"auto\"",
    "\"any\"",
    "\"data:image/png;base64,AAAA\"",
    "\"https://example.com/a.png\"",
    "\"failed\"",
    "\"incomplete\"",
    "\"MAX_TOKENS\"",
    "\"STOP\"",
    "\"length\"",
    "\"tool_calls\"",
    "\"max_tokens\"",
];

/// Bytes for the places between values.
const BYTES: &[&str] = &[
    "\n\n",
    "\r\n",
    "\r",
    "\n",
    "data: ",
    "data:",
    "data: [DONE]\n\n",
    "event: error\n",
    "event: message_stop\n",
    ": c\n",
    "\u{feff}",
    "\u{2028}",
    "\"",
    "\\",
    "\\u",
    "\\ud83d",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "[[[[[[[[[[[[[[[[",
    "{\"a\":{\"a\":{\"a\":",
    "null",
    "\u{0}",
];

/// A body with a few faults, in place of what is there.
pub(super) fn mutated(seeds: &[Seed], random: &mut Random, out: &mut Vec<u8>) {
    out.clear();
    let Some(seed) = random.one(seeds) else { return };
    let stream = seed.0.len() > 1;
    // Where a stream has many events, faults are spread over them.
    let chance = if stream { 1 + seed.0.len().div_ceil(3) } else { 1 };
    for piece in &seed.0 {
        let mut piece = piece;
        let mut times = 1;
        if stream {
            match random.below(64) {
                0 => continue,
                1 => times = 2,
                2 => times = 0,
                3 => {
                    if let Some(other) = random.one(seeds).and_then(|other| random.one(&other.0)) {
                        piece = other;
                    }
                }
                _ => {}
            }
        }
        for _ in 0..times {
            out.extend_from_slice(&piece.before);
            if random.once_in(chance) {
                edited(piece, seeds, random, out);
            } else {
                out.extend_from_slice(&piece.json);
            }
            out.extend_from_slice(&piece.after);
        }
    }
    if random.once_in(6) {
        broken(out, random);
    }
}

/// One to four values, members or names of a piece replaced, left out or said twice.
fn edited(piece: &Piece, seeds: &[Seed], random: &mut Random, out: &mut Vec<u8>) {
    let mut places: Vec<(Range<usize>, u8)> = Vec::with_capacity(4);
    for _ in 0..=random.below(4) {
        let how = u8::try_from(random.below(10)).unwrap_or_default();
        let of = match how {
            0..=5 => &piece.values,
            6 | 7 => &piece.elements,
            _ => &piece.keys,
        };
        if let Some(place) = random.one(of) {
            places.push((place.clone(), how));
        }
    }
    places.sort_by_key(|(place, _)| place.start);
    let mut at = 0;
    for (place, how) in places {
        if place.start < at {
            continue;
        }
        out.extend_from_slice(piece.json.get(at..place.start).unwrap_or_default());
        let own = piece.json.get(place.clone()).unwrap_or_default();
        at = place.end;
        match how {
            0..=2 => out.extend_from_slice(random.one(VALUES).map_or(b"null", |value| value.as_bytes())),
            3 | 4 => donated(seeds, random, out, |piece| &piece.values),
            5 => {
                // A text with something odd in it.
                out.extend_from_slice(own);
                if out.last() == Some(&b'"') {
                    out.pop();
                    out.extend_from_slice(
                        random
                            .one(&[r"\ud83d", r"\u2028", r"\u0000", r"{\", "é", r"\n\n"])
                            .map_or(b"x", |odd| odd.as_bytes()),
                    );
                    out.push(b'"');
                }
            }
            6 => {
                out.extend_from_slice(own);
                out.push(b',');
                out.extend_from_slice(own);
            }
            7 => {
                // Left out, with a comma of its neighbourhood.
                if piece.json.get(at) == Some(&b',') {
                    at += 1;
                } else if out.last() == Some(&b',') {
                    out.pop();
                }
            }
            _ => donated(seeds, random, out, |piece| &piece.keys),
        }
    }
    out.extend_from_slice(piece.json.get(at..).unwrap_or_default());
}

/// Something of the same sort from any body.
fn donated(seeds: &[Seed], random: &mut Random, out: &mut Vec<u8>, of: fn(&Piece) -> &Vec<Range<usize>>) {
    let piece = random.one(seeds).and_then(|seed| random.one(&seed.0));
    let found = piece.and_then(|piece| piece.json.get(random.one(of(piece))?.clone()));
    out.extend_from_slice(found.filter(|found| found.len() <= 1_024).unwrap_or(b"\"x\""));
}

/// Faults that need not leave JSON, nor UTF-8, nor events.
fn broken(bytes: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..=random.below(3) {
        let at = random.below(bytes.len() + 1);
        let until = (at + random.below(64)).min(bytes.len());
        match random.below(5) {
            0 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = random.byte();
                }
            }
            1 => drop(bytes.drain(at..until)),
            2 => {
                let again = bytes.get(at..until).unwrap_or_default().to_vec();
                bytes.splice(at..at, again).for_each(drop);
            }
            3 => {
                let word = random.one(BYTES).copied().unwrap_or_default();
                bytes.splice(at..until.min(at + random.below(8)), word.bytes()).for_each(drop);
            }
            _ => bytes.truncate(at),
        }
    }
}
