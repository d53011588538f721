//! Listening to an answer: tokens, the dialect's end, in-band errors.
//!
//! It never changes, holds or judges bytes, and it never fails: what it cannot read it ignores.

use types::request::TokenUsage;

use crate::error::UpstreamError;
use crate::{Endpoint, sse};

mod begun;
mod body;
pub(crate) mod stream;
mod usage;

pub use begun::Begun;

/// What was heard.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metered {
    /// Tokens by class; zero where nothing was said.
    pub usage: TokenUsage,
    /// Final or partial counts came from the upstream.
    pub usage_seen: bool,
    /// The dialect's own end was seen; for answers that are not streamed: the JSON value was closed.
    /// Answers that are neither JSON nor events (sound, plain text) count as completed once they began.
    pub completed: bool,
    /// An error inside a 200.
    pub error: Option<UpstreamError>,
    /// Bytes of text in the answer as written (escapes included): a base for estimates only.
    pub output_bytes: u64,
    /// The vendor's service tier as the answer named it, in lower case (`default`, `priority`, `flex`, `batch`,
    /// `fast`, `standard`, …); `None` if it said nothing or only `auto`.
    pub service_tier: Option<String>,
    /// How a Responses stream began and how far it came; `None` for everything else.
    pub begun: Option<Begun>,
}

/// Reads usage objects for translation, in the same way as for the books.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counted(Metered);

impl Counted {
    /// Takes over a usage object as the vendor wrote it. Anthropic's later ones complete the earlier ones, all
    /// others replace them.
    pub(crate) fn read(&mut self, endpoint: Endpoint, raw: &[u8]) {
        usage::read(endpoint, raw, &mut self.0);
    }

    /// The counts, if any came.
    pub(crate) fn usage(&self) -> Option<TokenUsage> {
        self.0.usage_seen.then_some(self.0.usage)
    }
}

/// What is known so far, with what only the meter itself needs.
#[derive(Debug, Default)]
struct Tally {
    metered: Metered,
    /// Something that belongs to an answer was seen, beyond greetings and pings.
    content: bool,
    /// Events that were more than a ping, or pieces of what has no events.
    steps: u64,
}

/// Byte order mark.
const MARK: &[u8] = b"\xEF\xBB\xBF";

#[derive(Debug)]
enum Mode {
    /// Too few bytes yet to tell; they are kept here, at most six.
    Unknown(Vec<u8>),
    Events(sse::Decoder),
    Json(body::Scanner),
    Opaque,
}

#[derive(Clone, Copy, Debug)]
enum Form {
    Events,
    Json,
    Opaque,
}

/// Listens to one answer. Feed it the decoded body in pieces of any size.
#[derive(Debug)]
pub struct Meter {
    endpoint: Endpoint,
    streaming: bool,
    mode: Mode,
    tally: Tally,
}

impl Meter {
    /// A meter for one answer. `streaming` is what was asked for; an upstream that answers a stream with a
    /// JSON body, or the other way round, is noticed by the first bytes.
    pub fn new(endpoint: Endpoint, streaming: bool) -> Self {
        Self { endpoint, streaming, mode: Mode::Unknown(Vec::new()), tally: Tally::default() }
    }

    /// Listens to a piece.
    pub fn feed(&mut self, chunk: &[u8]) {
        let mut rest = chunk;
        while let Mode::Unknown(held) = &mut self.mode {
            let Some((byte, tail)) = rest.split_first() else { return };
            rest = tail;
            if held.is_empty() && byte.is_ascii_whitespace() {
                continue;
            }
            held.push(*byte);
            if MARK.starts_with(held) {
                if held.len() == MARK.len() {
                    held.clear();
                }
                continue;
            }
            if let Some(form) = sniff(self.endpoint, self.streaming, held) {
                let held = std::mem::take(held);
                self.begin(form);
                self.hear(&held);
            }
        }
        self.hear(rest);
    }

    /// What was heard so far.
    pub fn snapshot(&self) -> Metered {
        self.tally.metered.clone()
    }

    /// What is certain of the usage by now: the counts that have come, and the pieces seen. Most vendors count the
    /// output only at the very end; until then [`Meter::output_bytes`] tells how much has been written.
    pub fn running(&self) -> TokenUsage {
        self.tally.metered.usage
    }

    /// Bytes of text that have been written so far.
    pub fn output_bytes(&self) -> u64 {
        self.tally.metered.output_bytes
    }

    /// The error inside a success, if one was heard.
    pub(crate) fn error(&self) -> Option<&UpstreamError> {
        self.tally.metered.error.as_ref()
    }

    /// Whether the dialect's end was seen.
    pub(crate) fn completed(&self) -> bool {
        self.tally.metered.completed
    }

    /// Grows with everything that was more than a ping: a stream whose count stands still says only that it is alive.
    pub fn steps(&self) -> u64 {
        self.tally.steps
    }

    /// Whether a part of the actual answer was seen: text, a tool call, or the regular end. Greetings
    /// (`message_start`, `response.created`, an empty first delta), pings and errors do not count.
    pub fn has_content(&self) -> bool {
        self.tally.content
    }

    /// Whether the last bytes were inside an event. A stream that breaks off there needs a blank line before
    /// [`crate::error::render_event`].
    pub fn mid_event(&self) -> bool {
        matches!(&self.mode, Mode::Events(decoder) if decoder.mid_event())
    }

    /// The end of the answer. A last event without its blank line still counts if it is whole.
    pub fn finish(mut self) -> Metered {
        match &self.mode {
            // Too short to tell, yet something: a sound or text of a few bytes.
            Mode::Unknown(held) if !held.is_empty() => self.begin(Form::Opaque),
            Mode::Events(_) => self.hear(b"\n\n"),
            _ => {}
        }
        self.tally.metered
    }

    fn begin(&mut self, form: Form) {
        self.mode = match form {
            Form::Events => Mode::Events(sse::Decoder::new()),
            Form::Json => Mode::Json(body::Scanner::default()),
            Form::Opaque => {
                let sound = is_sound(self.endpoint);
                self.tally.metered.completed = sound;
                self.tally.content = sound;
                Mode::Opaque
            }
        };
    }

    fn hear(&mut self, bytes: &[u8]) {
        let (endpoint, tally) = (self.endpoint, &mut self.tally);
        match &mut self.mode {
            Mode::Events(decoder) => decoder.feed(bytes, |event| {
                // A giant event is relayed all the same; only its counts are lost.
                let ping = matches!(event, Ok((name, data)) if is_ping(name, data));
                tally.steps = tally.steps.saturating_add(u64::from(!ping));
                if let Ok((name, data)) = event {
                    stream::event(endpoint, name, data, tally);
                }
            }),
            Mode::Json(scanner) => {
                tally.steps = tally.steps.saturating_add(1);
                scanner.feed(endpoint, bytes, tally);
            }
            Mode::Unknown(_) | Mode::Opaque => tally.steps = tally.steps.saturating_add(1),
        }
    }
}

/// Whether an event says only that the stream is alive; a comment is no event at all.
fn is_ping(name: &[u8], data: &[u8]) -> bool {
    const NAMES: [&[u8]; 2] = [b"ping", b"keepalive"];
    const DATA: [&[u8]; 2] = [b"{\"type\":\"ping\"", b"{\"type\": \"ping\""];
    NAMES.contains(&name) || DATA.iter().any(|start| data.starts_with(start))
}

/// Tells the form of an answer by its first bytes, or `None` if more are needed (never more than six).
fn sniff(endpoint: Endpoint, streaming: bool, start: &[u8]) -> Option<Form> {
    match start.first()? {
        b'{' | b'[' => return Some(Form::Json),
        b':' if !is_sound(endpoint) => return Some(Form::Events),
        _ if streaming && !is_sound(endpoint) => return Some(Form::Events),
        _ => {}
    }
    // Sound may begin with any byte, so only a whole field name makes it events.
    let names: [&[u8]; 2] = [b"data:", b"event:"];
    if names.iter().any(|name| start.starts_with(name)) {
        Some(Form::Events)
    } else if names.iter().any(|name| name.starts_with(start)) {
        None
    } else {
        Some(Form::Opaque)
    }
}

/// Endpoints whose answer may be anything: sound, subtitles, plain text.
pub(crate) fn is_sound(endpoint: Endpoint) -> bool {
    matches!(endpoint, Endpoint::AudioSpeech | Endpoint::AudioTranscriptions | Endpoint::AudioTranslations)
}

#[cfg(test)]
mod tests;
