//! Broken bytes for every reader: recorded bodies, mutated. None may panic, and none may make much of little.
//!
//! A run is a number: the same number gives the same bytes on every machine.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use protocol::Dialect;
use protocol::translate::{
    Back, Call, Framing, Stream, Target, read_answer, read_request, write_answer, write_events, write_request,
};

use crate::answers::back;
use crate::data::Recorded;
use crate::tally::name;
use crate::{Result, fail};

/// Longest body that is mutated, in bytes: long ones find nothing new and take long.
const LONGEST: usize = 24 * 1024;
/// Most bytes that may be written for one byte that was read. Responses says every text three times.
const MOST: usize = 64;
/// What an empty answer may take.
const BASE: usize = 64 * 1024;

/// What is fed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Request,
    Answer,
    Stream,
}

/// Runs every reader so many times.
pub(crate) fn run(recorded: &Recorded, rounds: u64) -> Result {
    for &dialect in Dialect::ALL {
        for what in [What::Request, What::Answer, What::Stream] {
            let corpus = corpus(recorded, dialect, what);
            let backs: Vec<Arc<Back>> = Dialect::ALL
                .iter()
                .map(|caller| Arc::new(back(dialect, None, *caller, what == What::Stream)))
                .collect();
            let mut read = 0_u64;
            for round in 0..rounds {
                let mut random = Random(round.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
                let bytes = mutated(&corpus, &mut random);
                let outcome =
                    catch_unwind(AssertUnwindSafe(|| feed(dialect, what, &backs, &bytes, &mut random)));
                let case = || format!("{what:?} of {}, round {round}", name(dialect));
                match outcome {
                    Err(_) => return Err(fail(format!("{} panics", case()))),
                    Ok((true, written)) if written > BASE + MOST * bytes.len() => {
                        return Err(fail(format!("{} makes {written} bytes of {}", case(), bytes.len())));
                    }
                    Ok((understood, _)) => read += u64::from(understood),
                }
            }
            println!("{what:?} of {}: {rounds} runs, {read} understood", name(dialect));
        }
    }
    if let Some(peak) = peak() {
        println!("{peak} MB of memory at most");
        if peak > 512 {
            return Err(fail(format!("{peak} MB of memory were in use")));
        }
    }
    Ok(())
}

/// Most memory that this process had, in MB, where the system tells it.
fn peak() -> Option<u64> {
    let told = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = told.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().split(' ').next()?.parse::<u64>().ok().map(|kib| kib / 1024)
}

fn corpus(recorded: &Recorded, dialect: Dialect, what: What) -> Vec<Vec<u8>> {
    let mut bodies: Vec<Vec<u8>> = match what {
        What::Request => {
            let calls = recorded.calls.iter().filter(|call| call.dialect == dialect);
            calls.map(|call| call.body.to_string().into_bytes()).collect()
        }
        What::Answer | What::Stream => recorded
            .exchanges
            .iter()
            .filter(|exchange| exchange.dialect == dialect && exchange.streams == (what == What::Stream))
            .map(|exchange| exchange.body.clone().into_bytes())
            .collect(),
    };
    bodies.retain(|body| body.len() <= LONGEST);
    bodies
}

/// Whether anything was understood, and how many bytes were written.
fn feed(
    dialect: Dialect,
    what: What,
    backs: &[Arc<Back>],
    bytes: &[u8],
    random: &mut Random,
) -> (bool, usize) {
    let caller = random.below(backs.len());
    let Some(back) = backs.get(caller) else { return (false, 0) };
    match what {
        What::Request => {
            let path = Call { model: Some("m"), stream: Some(random.below(2) == 0) };
            let Ok(request) = read_request(dialect, bytes, path) else { return (false, 0) };
            let model = ["claude-sonnet-4-5", "claude-opus-4-6", "gpt-5", "mistral-large", "gemini-3-pro"];
            let model = model.get(random.below(model.len())).copied().unwrap_or("m");
            let target = Target { dialect: back.request.dialect, model, max_output: None };
            (true, write_request(&request, target).body.len())
        }
        What::Answer => {
            let Ok(answer) = read_answer(back, bytes) else { return (false, 0) };
            let mut out = write_answer(&answer, back);
            let framing = if random.below(2) == 0 { Framing::Events } else { Framing::Array };
            write_events(answer, back, framing, &mut out);
            (true, out.len())
        }
        What::Stream => {
            let (mut stream, mut out) = (Stream::new(back.clone()), Vec::new());
            let size = 1 + random.below(bytes.len().max(1));
            for piece in bytes.chunks(size) {
                if stream.feed(piece, &mut out).is_err() {
                    return (false, out.len());
                }
            }
            stream.finish(&mut out);
            (stream.ended(), out.len())
        }
    }
}

/// Words that mean something to some reader.
const WORDS: &[&str] = &[
    "null",
    "{}",
    "[]",
    "\"\"",
    "-1",
    "1e999",
    "18446744073709551615",
    "0.5",
    "true",
    "\"\\ud800\"",
    "\\u2028",
    "data: ",
    "data: [DONE]\n\n",
    "\n\n",
    "event: error\n",
    "\"type\":\"tool_use\"",
    "\"type\":\"text\"",
    "\"index\":4294967295",
    "\"index\":0",
    "\"functionCall\":{}",
    "\"thought\":true",
    "\"tool_calls\":[{}]",
    "\"role\":\"system\"",
    "\"role\":\"tool\"",
    "[[[[[[[[[[[[[[[[",
    "{\"a\":{\"a\":{\"a\":",
    "\"error\":{\"message\":\"x\"}",
    "\"status\":\"failed\"",
];

/// A recorded body with a few faults.
fn mutated(corpus: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let one = |random: &mut Random| corpus.get(random.below(corpus.len())).cloned().unwrap_or_default();
    let mut bytes = one(random);
    for _ in 0..=random.below(6) {
        let at = random.below(bytes.len() + 1);
        let until = (at + random.below(64)).min(bytes.len());
        match random.below(8) {
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
            3 | 4 => {
                let word = WORDS.get(random.below(WORDS.len())).copied().unwrap_or_default();
                bytes.splice(at..until.min(at + random.below(8)), word.bytes()).for_each(drop);
            }
            5 => {
                let other = one(random);
                let from = random.below(other.len() + 1);
                let to = (from + random.below(512)).min(other.len());
                let piece = other.get(from..to).unwrap_or_default();
                bytes.splice(at..at, piece.iter().copied()).for_each(drop);
            }
            6 => swap_values(&mut bytes, random),
            _ => {
                if random.below(4) == 0 {
                    bytes.truncate(at);
                }
            }
        }
    }
    bytes
}

/// Puts a word in the place of some value, so that the body stays JSON more often than not.
fn swap_values(bytes: &mut Vec<u8>, random: &mut Random) {
    let from = random.below(bytes.len() + 1);
    let behind = bytes.get(from..).unwrap_or_default();
    let Some(colon) = behind.iter().position(|byte| *byte == b':') else { return };
    let start = from + colon + 1;
    let rest = bytes.get(start..).unwrap_or_default();
    let Some(length) = rest.iter().position(|byte| matches!(byte, b',' | b'}' | b']')) else { return };
    let word = ["null", "{}", "[]", "\"\"", "-1", "1e999", "true", "\"x\"", "7"];
    let word = word.get(random.below(word.len())).copied().unwrap_or_default();
    bytes.splice(start..start + length, word.bytes()).for_each(drop);
}

/// Numbers that look random and are the same for the same beginning.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below a bound; 0 if there is none.
    fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).unwrap_or(1).max(1);
        usize::try_from(self.next() % bound).unwrap_or(0)
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[3]
    }
}
