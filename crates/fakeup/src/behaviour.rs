//! How one request is answered, as data: every field left out means "as a vendor would".

use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How one request is answered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Behaviour {
    /// Status; 400 and above come with the dialect's error body.
    pub status: Option<u16>,
    /// Further headers, in this order.
    pub headers: Vec<(String, String)>,
    /// Replaces the content type.
    pub content_type: Option<String>,
    /// Replaces the whole body, before coding and framing.
    pub body: Option<Blob>,
    /// What the model says.
    pub text: Option<String>,
    /// Thinks and calls tools.
    pub agent: Option<Agent>,
    /// Into how many deltas a stream cuts the text; default 4.
    pub deltas: Option<u32>,
    /// What is billed.
    pub tokens: Option<Tokens>,
    /// How the answer tells what was billed.
    pub usage: Usage,
    /// Compresses the body.
    pub coding: Option<Coding>,
    /// The `content-encoding` to send: `None` names the coding, an empty text leaves the header out.
    pub coding_header: Option<String>,
    /// How the body's length is told.
    pub framing: Framing,
    /// Bytes per HTTP chunk; without it each event is a chunk.
    pub piece_bytes: Option<usize>,
    /// Pause before each chunk but the first, in milliseconds.
    pub pace_ms: u64,
    /// Pause before the head, in milliseconds.
    pub delay_ms: u64,
    /// Pause between head and body, in milliseconds.
    pub body_delay_ms: u64,
    /// What to do in place of an answer.
    pub instead: Option<Then>,
    /// Where the body stops, and how.
    #[serde(deserialize_with = "cut_or_true")]
    pub cut: Option<Cut>,
    /// Replaces the rest of a stream by the dialect's error event after so many deltas.
    pub error_after: Option<u32>,
    /// An error body under status 200.
    pub error_in_success: bool,
    /// Bytes after the end of the body and its repeats, inside the framing (data after `[DONE]`).
    pub afterwards: Option<Blob>,
    /// Repeats the body so many times more, for answers that should not fit into memory.
    pub repeat: u64,
    /// Changes one bit of the byte that stands there in the body, before compression.
    pub flip: Option<usize>,
    /// Closes the connection after the answer without having announced it.
    pub hang_up: bool,
    /// The whole answer, head included, byte for byte; the connection is closed after it.
    pub raw: Option<Blob>,
}

impl Behaviour {
    /// Answers with a status and, from 400 on, with the dialect's error body.
    pub fn status(status: u16) -> Self {
        Self { status: Some(status), ..Self::default() }
    }

    /// Does this in place of an answer.
    pub fn instead(then: Then) -> Self {
        Self { instead: Some(then), ..Self::default() }
    }

    /// Stops after so many bytes of the body.
    pub fn cut(at: usize, then: Then) -> Self {
        Self { cut: Some(Cut { at: Some(at), then }), ..Self::default() }
    }

    /// Says this text.
    pub fn saying(text: impl Into<String>) -> Self {
        Self { text: Some(text.into()), ..Self::default() }
    }

    /// Sends exactly these bytes, head included, and closes.
    pub fn raw(bytes: impl Into<Bytes>) -> Self {
        Self { raw: Some(Blob(bytes.into())), ..Self::default() }
    }

    /// Sends this body as it is.
    pub fn body(content_type: &str, bytes: impl Into<Bytes>) -> Self {
        Self {
            content_type: Some(content_type.to_owned()),
            body: Some(Blob(bytes.into())),
            ..Self::default()
        }
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Compresses the body; see [`Behaviour::coding_header`].
    pub fn coded(mut self, coding: Coding, header: Option<&str>) -> Self {
        self.coding = Some(coding);
        self.coding_header = header.map(str::to_owned);
        self
    }

    /// Bills this.
    pub fn billing(mut self, tokens: Tokens) -> Self {
        self.tokens = Some(tokens);
        self
    }
}

/// A model that thinks and calls tools.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Agent {
    /// What it thinks aloud.
    pub thinking: Option<String>,
    /// The tools that it calls at once, until the request holds a result of one.
    pub calls: Vec<ToolUse>,
    /// Whether it speaks beside calling tools. Without calls it always does.
    pub speaks: bool,
}

/// One call of a tool.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ToolUse {
    /// Its name; the first tool that the request offers if it is left out.
    pub name: Option<String>,
    /// A JSON object as text.
    pub arguments: String,
}

/// Where a body stops, and how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cut {
    /// Bytes of the (coded) body that are sent; `None` is half of it.
    pub at: Option<usize>,
    /// What follows.
    pub then: Then,
}

/// What happens in place of the bytes that are due.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Then {
    /// The connection is closed in good order, without the framing's end.
    #[default]
    Close,
    /// The connection is reset.
    Reset,
    /// Nothing, until the peer leaves.
    Stall,
    /// Nothing, until [`crate::Fakeup::release`]; then it goes on as if nothing had been.
    Hold,
    /// The framing is ended properly, as if this were all.
    Finish,
}

/// Tokens by class, each counted once (cached input is not part of `input`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tokens {
    /// Input that came from no cache.
    pub input: u64,
    /// Output, reasoning included.
    pub output: u64,
    /// Input read from a cache.
    pub cache_read: u64,
    /// Input written into a cache, all lifetimes.
    pub cache_write: u64,
    /// The part of `cache_write` that lives an hour; only the Anthropic dialect tells it.
    pub cache_write_1h: u64,
    /// The part of `output` that is reasoning.
    pub reasoning: u64,
}

impl Default for Tokens {
    fn default() -> Self {
        Self { input: 25, output: 12, cache_read: 0, cache_write: 0, cache_write_1h: 0, reasoning: 0 }
    }
}

/// How an answer tells what was billed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Usage {
    /// As vendors do: a chat stream tells it only to those who ask with `include_usage`.
    #[default]
    Told,
    /// Not at all.
    Missing,
    /// Every count is negative.
    Negative,
    /// Every count is a text.
    Text,
    /// Every count is 10^18.
    Huge,
}

/// A compression.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Coding {
    /// RFC 1952.
    Gzip,
    /// RFC 1950, which `deflate` means.
    Zlib,
    /// RFC 1951, which some servers send as `deflate`.
    Deflate,
    /// Brotli.
    Br,
    /// Zstandard, in stored blocks.
    Zstd,
}

/// How a body's length is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Framing {
    /// Streams in chunks, everything else with its length.
    #[default]
    Auto,
    /// In chunks.
    Chunked,
    /// With its length.
    Length,
    /// With a length that is wrong by so much; negative is too short. The connection is closed afterwards.
    LengthOff(i64),
    /// Until the connection is closed.
    UntilClose,
    /// In chunks whose second size is no number.
    BadChunk,
    /// In chunks with an extension of 1 MiB.
    HugeExtension,
}

/// Bytes; in JSON they are a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Blob(pub Bytes);

impl<T: Into<Bytes>> From<T> for Blob {
    fn from(bytes: T) -> Self {
        Self(bytes.into())
    }
}

impl Serialize for Blob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&String::from_utf8_lossy(&self.0))
    }
}

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(String::deserialize(deserializer)?.into()))
    }
}

/// `true` is short for a cut in the middle.
fn cut_or_true<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Cut>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Form {
        Short(bool),
        Long(Cut),
    }
    Ok(match Option::<Form>::deserialize(deserializer)? {
        None | Some(Form::Short(false)) => None,
        Some(Form::Short(true)) => Some(Cut::default()),
        Some(Form::Long(cut)) => Some(cut),
    })
}
