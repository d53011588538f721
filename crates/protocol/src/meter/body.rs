//! An answer that comes as one JSON value, listened to in pieces and never kept as a whole.
//!
//! Only the few top-level members that matter are captured, each bounded. Also reads Gemini streams
//! without `alt=sse`, which are one array of answers.

use crate::error::{UpstreamError, in_band};
use crate::json;
use crate::json::text::inner;
use crate::{Dialect, Endpoint};

use super::{Tally, stream, usage};

/// Most bytes of one captured member.
const MAX_CAPTURE: usize = 64 * 1024;
/// Most bytes kept of a string, to compare it with names.
const MAX_NAME: usize = 32;

/// State between two pieces.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts about the last byte, not one state")]
pub(super) struct Scanner {
    depth: u32,
    /// Depth of an answer's own members: 1, or 2 inside of an array.
    base: u32,
    in_string: bool,
    escaped: bool,
    /// A colon was read: the next value belongs to `key`.
    after_colon: bool,
    /// The beginning of the last string.
    string: Vec<u8>,
    /// The last member name at any depth.
    key: Vec<u8>,
    /// Bytes of this string count as text.
    counts: bool,
    section: Section,
    pieces: Pieces,
    capture: Option<Capture>,
    closed: bool,
}

/// Which of an answer's own members is being read.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Section {
    #[default]
    Other,
    /// Gemini.
    Candidates,
    /// Chat.
    Choices,
    /// Responses.
    Output,
    /// Images.
    Data,
}

/// What is counted in pieces.
#[derive(Debug, Default)]
struct Pieces {
    /// Calls of the web search tool, and those of them that only looked at a page.
    calls: u64,
    looks: u64,
    /// A citation: some search took place.
    cited: bool,
    /// Gemini's search queries, and whether its model counts them as one.
    queries: u64,
    once: bool,
    images: u64,
}

#[derive(Debug)]
struct Capture {
    member: Member,
    bytes: Vec<u8>,
    too_long: bool,
}

#[derive(Clone, Copy, Debug)]
enum Member {
    Usage,
    Error,
    Tier,
    /// The model's name, which decides how Gemini counts searches.
    Model,
    /// Rerank answers: `{"meta":{"billed_units":{…}}}`.
    Meta,
}

impl Scanner {
    /// Reads a piece.
    pub(super) fn feed(&mut self, endpoint: Endpoint, piece: &[u8], tally: &mut Tally) {
        let mut rest = piece;
        while !rest.is_empty() && !self.closed {
            let used =
                if self.in_string { self.inside(rest, tally) } else { self.outside(rest, endpoint, tally) };
            rest = rest.get(used..).unwrap_or_default();
        }
    }

    /// Reads within a string; returns how many bytes it used.
    fn inside(&mut self, rest: &[u8], tally: &mut Tally) -> usize {
        let mut at = 0;
        if std::mem::take(&mut self.escaped) {
            at = 1;
        }
        loop {
            let tail = rest.get(at..).unwrap_or_default();
            let Some(found) = memchr::memchr2(b'"', b'\\', tail) else {
                at = rest.len();
                break;
            };
            at += found;
            if rest.get(at) == Some(&b'"') {
                self.in_string = false;
                break;
            }
            at += 2;
            if at > rest.len() {
                self.escaped = true;
                at = rest.len();
                break;
            }
        }
        let text = rest.get(..at).unwrap_or_default();
        let room = MAX_NAME.saturating_sub(self.string.len());
        self.string.extend_from_slice(text.get(..room.min(text.len())).unwrap_or_default());
        if self.counts {
            let bytes = u64::try_from(text.len()).unwrap_or(u64::MAX);
            tally.metered.output_bytes = tally.metered.output_bytes.saturating_add(bytes);
            tally.content |= bytes > 0;
        }
        let used = if self.in_string { at } else { at + 1 };
        self.record(rest.get(..used).unwrap_or_default());
        if !self.in_string {
            self.string_ended(tally);
        }
        used
    }

    fn string_ended(&mut self, tally: &mut Tally) {
        let value = std::mem::take(&mut self.after_colon);
        let inside = self.depth.saturating_sub(self.base);
        match (self.section, inside, value, self.key.as_slice()) {
            (Section::Candidates, 2, true, b"finishReason") => {
                tally.content = true;
                // In an array further answers may follow, but the dialect's end has been said.
                tally.metered.completed |= self.base == 2;
            }
            (Section::Candidates, 4, false, b"webSearchQueries") => {
                self.pieces.queries += u64::from(!self.string.is_empty());
            }
            (Section::Choices, _, true, b"type") => self.pieces.cited |= self.string == b"url_citation",
            (Section::Output, 2, true, b"type") => {
                self.pieces.calls += u64::from(self.string == b"web_search_call");
            }
            (Section::Output, 3, true, b"type") => {
                self.pieces.looks += u64::from(stream::looks_at_page(&self.string));
            }
            _ => {}
        }
    }

    /// Takes over what was counted in pieces, at the end of an answer.
    fn count_pieces(&mut self, tally: &mut Tally) {
        let pieces = std::mem::take(&mut self.pieces);
        let queries = if pieces.once { pieces.queries.min(1) } else { pieces.queries };
        let usage = &mut tally.metered.usage;
        usage.web_searches = usage
            .web_searches
            .max(pieces.calls.saturating_sub(pieces.looks))
            .max(queries)
            .max(u64::from(pieces.cited));
        if usage.total() == 0 {
            usage.images = usage.images.max(pieces.images);
        }
    }

    /// Reads between strings, up to and including the next byte of structure; returns how many bytes it used.
    fn outside(&mut self, rest: &[u8], endpoint: Endpoint, tally: &mut Tally) -> usize {
        let structure = |b: &u8| matches!(b, b'"' | b':' | b',' | b'{' | b'}' | b'[' | b']');
        let Some(at) = rest.iter().position(structure) else {
            self.record(rest);
            return rest.len();
        };
        let (before, from) = rest.split_at(at);
        self.record(before);
        let Some(byte) = from.first().copied() else { return at };
        match byte {
            b'"' => {
                self.in_string = true;
                self.string.clear();
                // What is captured (an error, counts) is never the model's text.
                self.counts = self.after_colon && self.capture.is_none() && is_text(&self.key);
                self.record(b"\"");
            }
            b':' => {
                self.record(b":");
                self.key.clone_from(&self.string);
                self.after_colon = true;
                if self.depth == self.base {
                    self.section = section(endpoint, &self.key);
                    self.capture = member(endpoint, &self.key).map(|member| Capture {
                        member,
                        bytes: Vec::new(),
                        too_long: false,
                    });
                }
            }
            b'{' | b'[' => {
                self.record(&[byte]);
                if self.depth == 0 {
                    self.base = if byte == b'{' { 1 } else { 2 };
                }
                if byte == b'{' && self.section == Section::Data && self.depth == self.base + 1 {
                    self.pieces.images += 1;
                }
                self.depth = self.depth.saturating_add(1);
                self.after_colon = false;
            }
            b',' => {
                if self.depth == self.base {
                    self.captured(endpoint, tally);
                }
                self.record(b",");
                self.after_colon = false;
            }
            _ => {
                if self.depth == self.base {
                    self.captured(endpoint, tally);
                    self.count_pieces(tally);
                }
                self.record(&[byte]);
                self.depth = self.depth.saturating_sub(1);
                self.after_colon = false;
                if self.depth == 0 {
                    self.closed = true;
                    tally.metered.completed = true;
                    tally.content |= tally.metered.error.is_none();
                }
            }
        }
        at + 1
    }

    fn record(&mut self, bytes: &[u8]) {
        if let Some(capture) = &mut self.capture {
            if capture.too_long || capture.bytes.len() + bytes.len() > MAX_CAPTURE {
                capture.too_long = true;
                capture.bytes = Vec::new();
            } else {
                capture.bytes.extend_from_slice(bytes);
            }
        }
    }

    fn captured(&mut self, endpoint: Endpoint, tally: &mut Tally) {
        let Some(capture) = self.capture.take() else { return };
        let raw = capture.bytes.trim_ascii();
        let metered = &mut tally.metered;
        match capture.member {
            Member::Usage => {
                usage::read(endpoint, raw, metered);
            }
            Member::Meta if !metered.usage_seen => {
                // Cohere: what is billed counts; `tokens` is what was read.
                let counted = usage::read(endpoint, raw, metered);
                if let (false, Some(tokens)) = (counted, json::field(raw, "tokens")) {
                    usage::read(endpoint, tokens, metered);
                }
            }
            Member::Meta => {}
            Member::Tier => usage::tier(raw, metered),
            Member::Model => self.pieces.once = inner(raw).is_some_and(stream::searches_once),
            Member::Error if capture.too_long => {
                let message = "the upstream answered with an error too long to keep".to_owned();
                metered.error = Some(UpstreamError { message, ..UpstreamError::default() });
            }
            Member::Error => {
                if let Some(error) = in_band(endpoint.dialect(), raw) {
                    metered.error = Some(error);
                }
            }
        }
    }
}

fn member(endpoint: Endpoint, key: &[u8]) -> Option<Member> {
    match (key, endpoint.dialect()) {
        (b"error", _) => Some(Member::Error),
        (b"usageMetadata", Dialect::Gemini) => Some(Member::Usage),
        (b"usage", Dialect::Anthropic | Dialect::OpenAiChat | Dialect::OpenAiResponses) => {
            Some(Member::Usage)
        }
        (b"meta", Dialect::OpenAiChat) => Some(Member::Meta),
        (b"service_tier", Dialect::OpenAiChat | Dialect::OpenAiResponses) => Some(Member::Tier),
        (b"modelVersion", Dialect::Gemini) => Some(Member::Model),
        _ => None,
    }
}

fn section(endpoint: Endpoint, key: &[u8]) -> Section {
    match (key, endpoint.dialect()) {
        (b"candidates", Dialect::Gemini) => Section::Candidates,
        (b"choices", Dialect::OpenAiChat) => Section::Choices,
        (b"output", Dialect::OpenAiResponses) => Section::Output,
        (b"data", Dialect::OpenAiChat) if usage::is_image(endpoint) => Section::Data,
        _ => Section::Other,
    }
}

/// Members whose strings are what a model wrote.
fn is_text(key: &[u8]) -> bool {
    matches!(
        key,
        b"text" | b"content" | b"thinking" | b"arguments" | b"reasoning" | b"reasoning_content" | b"refusal"
    )
}
