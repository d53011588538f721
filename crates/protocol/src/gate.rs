//! Whether an answer that has begun is worth opening: the first real content, or a failure before it.
//!
//! It keeps no bytes beyond one unfinished event (or the first 64 KiB of a JSON body), and it decides nothing:
//! holding back, waiting and switching are the gateway's.

use crate::Endpoint;
use crate::error::{UpstreamError, judge_json};
use crate::meter::{Meter, is_sound};
use crate::sse;

mod event;

/// Most bytes of a JSON body without any text that are listened to. Errors are shorter; images and embeddings are not.
const MAX_JSON: usize = 64 * 1024;

/// What is known of an answer's beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opening {
    /// Nothing but greetings, pings and empty pieces so far.
    Hold,
    /// Real content (text, thinking, a tool call, sound, a picture, a refusal), or a regular end.
    Content,
    /// An error came before any content.
    Failed(UpstreamError),
    /// Something that is no answer of this dialect, in a word: `empty` (nothing, or an end without a reason), `cut`
    /// (broken off before content), `html`, `not_json`, `not_events`, `too_big` (an event over 8 MiB).
    Malformed(&'static str),
}

/// Listens to the beginning of one answer. Feed it the decoded body in pieces of any size.
#[derive(Debug)]
pub struct Gate {
    endpoint: Endpoint,
    sse: bool,
    mode: Mode,
    opening: Opening,
}

#[derive(Debug)]
enum Mode {
    /// Too few bytes yet to tell; they are kept here, at most six.
    Start(Vec<u8>),
    Events {
        decoder: sse::Decoder,
        any: bool,
    },
    Json {
        meter: Box<Meter>,
        kept: Vec<u8>,
    },
}

/// What the first bytes tell.
enum Form {
    Events,
    Json,
    Known(Opening),
}

impl Gate {
    /// A gate for one answer. `sse`: it announced itself as events (without a content type: events were asked for).
    /// A JSON body in place of events, or the other way round, is noticed by the first bytes.
    pub fn new(endpoint: Endpoint, sse: bool) -> Self {
        Self { endpoint, sse, mode: Mode::Start(Vec::new()), opening: Opening::Hold }
    }

    /// Listens to a piece. Once the answer is anything but [`Opening::Hold`] it stays so and nothing more is read.
    pub fn feed(&mut self, piece: &[u8]) -> Opening {
        self.hear(piece);
        self.opening.clone()
    }

    /// The verdict at the end of the answer; never [`Opening::Hold`]. A last event without its blank line counts.
    pub fn finish(&mut self) -> Opening {
        match &self.mode {
            // A sound or a text of a few bytes, or half a field name.
            Mode::Start(held) if !held.is_empty() && self.opening == Opening::Hold => {
                let word = if self.sse { "not_events" } else { "not_json" };
                self.opening =
                    if is_sound(self.endpoint) { Opening::Content } else { Opening::Malformed(word) };
            }
            Mode::Events { .. } => self.hear(b"\n\n"),
            _ => {}
        }
        if self.opening == Opening::Hold {
            self.opening = Opening::Malformed(match &self.mode {
                Mode::Start(_) | Mode::Events { any: false, .. } => "empty",
                Mode::Events { .. } | Mode::Json { .. } => "cut",
            });
        }
        self.opening.clone()
    }

    fn hear(&mut self, piece: &[u8]) {
        let mut rest = piece;
        while let Mode::Start(held) = &mut self.mode
            && self.opening == Opening::Hold
        {
            let Some((byte, tail)) = rest.split_first() else { return };
            rest = tail;
            if held.is_empty() && byte.is_ascii_whitespace() {
                continue;
            }
            held.push(*byte);
            if b"\xEF\xBB\xBF".starts_with(held) {
                if held.len() == 3 {
                    held.clear();
                }
                continue;
            }
            let held = held.clone();
            match sniff(self.endpoint, self.sse, &held) {
                None => continue,
                Some(Form::Known(opening)) => self.opening = opening,
                Some(Form::Events) => {
                    self.mode = Mode::Events { decoder: sse::Decoder::new(), any: false };
                }
                Some(Form::Json) => {
                    let meter = Box::new(Meter::new(self.endpoint, false));
                    self.mode = Mode::Json { meter, kept: Vec::new() };
                }
            }
            self.listen(&held);
        }
        self.listen(rest);
    }

    fn listen(&mut self, piece: &[u8]) {
        if self.opening != Opening::Hold {
            return;
        }
        let (endpoint, opening) = (self.endpoint, &mut self.opening);
        match &mut self.mode {
            Mode::Start(_) => {}
            Mode::Events { decoder, any } => decoder.feed(piece, |event| {
                *any = true;
                if *opening == Opening::Hold {
                    *opening = match event {
                        Ok((name, data)) => event::judge(endpoint, name, data),
                        Err(sse::TooBig) => Opening::Malformed("too_big"),
                    };
                }
            }),
            Mode::Json { meter, kept } => {
                meter.feed(piece);
                kept.extend_from_slice(piece);
                *opening = weigh(endpoint, meter, kept);
            }
        }
        if self.opening != Opening::Hold {
            self.mode = Mode::Start(Vec::new());
        }
    }
}

/// What a JSON body is, as far as it has come.
fn weigh(endpoint: Endpoint, meter: &Meter, kept: &[u8]) -> Opening {
    if let Some(error) = meter.error() {
        Opening::Failed(error.clone())
    } else if meter.output_bytes() > 0 {
        Opening::Content
    } else if meter.completed() {
        judge_json(endpoint, kept).map_or(Opening::Content, Opening::Failed)
    } else if kept.len() > MAX_JSON {
        Opening::Content
    } else {
        Opening::Hold
    }
}

/// Tells the form of an answer by its first bytes, or `None` if more are needed (never more than six).
fn sniff(endpoint: Endpoint, sse: bool, start: &[u8]) -> Option<Form> {
    let first = start.first()?;
    // Raw sound may begin with any byte.
    let speech = endpoint == Endpoint::AudioSpeech && !sse;
    match first {
        b'{' | b'[' if !speech => return Some(Form::Json),
        b'<' if !is_sound(endpoint) => return Some(Form::Known(Opening::Malformed("html"))),
        b':' | b'd' | b'e' | b'i' | b'r' if sse => return Some(Form::Events),
        _ if sse => return Some(Form::Known(Opening::Malformed("not_events"))),
        b':' if !is_sound(endpoint) => return Some(Form::Events),
        _ => {}
    }
    let names: [&[u8]; 2] = [b"data:", b"event:"];
    if names.iter().any(|name| start.starts_with(name)) {
        Some(Form::Events)
    } else if names.iter().any(|name| name.starts_with(start)) {
        None
    } else if is_sound(endpoint) {
        Some(Form::Known(Opening::Content))
    } else {
        Some(Form::Known(Opening::Malformed("not_json")))
    }
}

#[cfg(test)]
mod tests;
