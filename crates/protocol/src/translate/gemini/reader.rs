//! Reads answers: a stream's events, and whole answers, which are a stream of one event.
//!
//! A text or thought that comes in pieces is one part. The end is only told when the bytes are over, because a
//! reason to finish may be followed by more.

use serde_json::{Map, Value};
use types::request::TokenUsage;

use super::super::fields::Fields;
use super::super::{Fault, text};
use super::piece::Piece;
use super::{cite, logprobs, media, read_parts, spelling, stop};
use crate::error::{self, UpstreamError};
use crate::meter::Counted;
use crate::neutral::{Answer, Delta, Event, Opening, Sealed, Stop, ToolKind};
use crate::{Dialect, Endpoint, json};

/// Most answers to one request that are believed.
const MAX_ANSWERS: u64 = 128;
/// Most parts of one answer.
const MAX_PARTS: u32 = 100_000;

/// Reads a stream.
#[derive(Debug, Default)]
pub(in super::super) struct Reader {
    ids: String,
    started: bool,
    /// The prompt was refused: there is nothing but this reason.
    blocked: bool,
    answers: Vec<Line>,
    /// The last counts, as they were written.
    usage: Vec<u8>,
    calls: usize,
    /// Kept to spare an allocation for each event.
    scratch: Vec<u8>,
    failed: bool,
}

/// One of the answers.
#[derive(Debug)]
struct Line {
    number: u32,
    next: u32,
    open: Option<Open>,
    /// The last text, open or not: what is cited.
    cited: cite::Cited,
    called: bool,
    stop: Option<Stop>,
}

/// The part that is being said.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Open {
    index: u32,
    thought: bool,
    sealed: bool,
}

impl Reader {
    /// Of a stream that has not begun. `ids` begins the ids that are made up.
    pub(in super::super) fn new(ids: &str) -> Self {
        Self { ids: ids.to_owned(), ..Self::default() }
    }

    /// Reads the data of one event.
    pub(in super::super) fn event(&mut self, data: &[u8], out: &mut Vec<Event>) -> Result<(), Fault> {
        // Not of this dialect, but compatible servers end like that.
        if data.trim_ascii() == b"[DONE]" || data.trim_ascii().is_empty() {
            return Ok(());
        }
        // Once the answer has begun, nearly every event is a piece of text.
        if let Some(line) = self.answers.first_mut().filter(|line| line.number == 0)
            && line.next < MAX_PARTS
            && let Some(piece) = Piece::read(data)
        {
            let (text, counts) = piece.said();
            if let Some(counts) = counts.filter(|counts| counts.get().starts_with('{')) {
                self.usage.clear();
                self.usage.extend_from_slice(counts.get().as_bytes());
            }
            line.said(text.text, text.thought, text.thought_signature, out);
            return Ok(());
        }
        // Every event repeats the counts, which are half of it, and only the last ones matter: they stay text.
        let counts = json::field(data, "usageMetadata").filter(|raw| raw.first() == Some(&b'{'));
        let value = match counts.and_then(|raw| around(data, raw)) {
            Some((before, raw, after)) => {
                self.usage.clear();
                self.usage.extend_from_slice(raw);
                self.scratch.clear();
                self.scratch.extend_from_slice(before);
                self.scratch.extend_from_slice(b"null");
                self.scratch.extend_from_slice(after);
                text::parse(&self.scratch)?
            }
            None => text::parse(data)?,
        };
        if value.get("error").is_some_and(|error| !error.is_null()) {
            self.failed = true;
            let error = error::parse_upstream(Dialect::Gemini, data);
            out.push(Event::Error(error.unwrap_or_else(|| UpstreamError {
                message: "the vendor reported an error".to_owned(),
                ..UpstreamError::default()
            })));
            return Ok(());
        }
        self.read(value, out);
        Ok(())
    }

    /// The bytes are over.
    pub(in super::super) fn finish(&mut self, out: &mut Vec<Event>) {
        let ended = self.blocked || self.answers.iter().any(|line| line.stop.is_some());
        if self.failed || !ended {
            return;
        }
        self.conclude(out);
        out.push(Event::End);
    }

    /// Closes what is open and says what comes last.
    fn conclude(&mut self, out: &mut Vec<Event>) {
        if self.blocked && self.answers.is_empty() {
            out.push(Event::Stop { choice: 0, stop: Stop::Refusal });
        }
        for line in &mut self.answers {
            line.close(out);
            if let Some(stop) = line.stop.take() {
                let stop = if line.called && stop == Stop::End { Stop::ToolUse } else { stop };
                out.push(Event::Stop { choice: line.number, stop });
            }
        }
        out.extend(self.counted().map(Event::Usage));
        let tier = json::field(&self.usage, "serviceTier").and_then(json::text::decode);
        out.extend(
            tier.filter(|tier| !tier.is_empty()).map(|tier| Event::ServiceTier(tier.to_ascii_lowercase())),
        );
    }

    /// The last counts, read as for the books.
    fn counted(&self) -> Option<TokenUsage> {
        let mut counted = Counted::default();
        counted.read(Endpoint::GeminiGenerate, &self.usage);
        counted.usage()
    }

    /// Reads a response. What does not fit is left out.
    fn read(&mut self, value: Value, out: &mut Vec<Event>) {
        let Ok(mut fields) = spelling::fields("", value) else { return };
        if let Some(usage) = fields.take("usageMetadata").filter(Value::is_object) {
            self.usage = text::json(&usage);
        }
        if !self.started {
            self.started = true;
            let mut word = |name| fields.string(name).ok().flatten().unwrap_or_default();
            let (id, model) = (word("responseId"), word("modelVersion"));
            out.push(Event::Start { id, model, usage: self.counted() });
        }
        if let Some(Value::Object(feedback)) = fields.take("promptFeedback") {
            let reason = feedback.get("blockReason").and_then(Value::as_str).unwrap_or_default();
            self.blocked |= !reason.is_empty() && reason != "BLOCK_REASON_UNSPECIFIED";
        }
        for (place, candidate) in
            (0_u64..).zip(spelling::list(&mut fields, "candidates").ok().flatten().unwrap_or_default())
        {
            if let Ok(candidate) = spelling::fields("", candidate) {
                self.candidate(place, candidate, out);
            }
        }
    }

    fn candidate(&mut self, place: u64, mut fields: Fields, out: &mut Vec<Event>) {
        let number = spelling::count(&mut fields, "index").ok().flatten().unwrap_or(place);
        let Some(number) = u32::try_from(number).ok().filter(|n| u64::from(*n) < MAX_ANSWERS) else { return };
        let at = self.answers.iter().position(|line| line.number == number).unwrap_or_else(|| {
            self.answers.push(Line::new(number));
            self.answers.len() - 1
        });
        let parts = match spelling::object(&mut fields, "content") {
            Ok(Some(mut content)) => spelling::list(&mut content, "parts").ok().flatten().unwrap_or_default(),
            _ => Vec::new(),
        };
        for part in parts {
            let Some(line) = self.answers.get_mut(at) else { return };
            if line.next < MAX_PARTS {
                line.part(part, &self.ids, &mut self.calls, out);
            }
        }
        let Some(line) = self.answers.get_mut(at) else { return };
        if let Some(value) = fields.take("groundingMetadata") {
            line.cited.grounding(value, |index, citation| {
                let delta = Delta::Citation(Dialect::Gemini, citation);
                out.push(Event::Delta { choice: number, index, delta });
            });
        }
        if let Some(value) = fields.take("citationMetadata") {
            line.cited.sources(value, |index, citation| {
                let delta = Delta::Citation(Dialect::Gemini, citation);
                out.push(Event::Delta { choice: number, index, delta });
            });
        }
        if let Some(value) = fields.take("logprobsResult").and_then(|value| logprobs::read(&value)) {
            out.push(Event::Logprobs { choice: number, value });
        }
        if let Ok(Some(reason)) = fields.string("finishReason") {
            line.stop = stop::read(&reason).or(line.stop.take());
        }
    }
}

impl Line {
    fn new(number: u32) -> Self {
        Self { number, next: 0, open: None, cited: cite::Cited::default(), called: false, stop: None }
    }

    fn close(&mut self, out: &mut Vec<Event>) {
        if let Some(open) = self.open.take() {
            out.push(Event::Close { choice: self.number, index: open.index });
        }
    }

    /// A part that comes whole.
    fn whole(&mut self, opening: Opening, deltas: [Option<Delta>; 2], out: &mut Vec<Event>) {
        self.close(out);
        let (choice, index) = (self.number, self.next);
        self.next += 1;
        out.push(Event::Open { choice, index, opening });
        out.extend(deltas.into_iter().flatten().map(|delta| Event::Delta { choice, index, delta }));
        out.push(Event::Close { choice, index });
    }

    fn part(&mut self, value: Value, ids: &str, calls: &mut usize, out: &mut Vec<Event>) {
        let value = spelling::camel_keys(value);
        let Value::Object(map) = &value else { return };
        let has = |name: &str| map.get(name).is_some_and(|value| !value.is_null());
        if has("functionCall") {
            if let Ok(fields) = Fields::of("", value) {
                self.call(fields, ids, calls, out);
            }
        } else if has("inlineData") || has("fileData") {
            let Ok(mut fields) = Fields::of("", value) else { return };
            let seal = read_parts::seal(&mut fields).ok().flatten();
            if let Ok(Some(mut medium)) = media::read(&mut fields, &mut Vec::new()) {
                medium.seal = seal;
                self.whole(Opening::Media(medium), [None, None], out);
            }
        } else if has("text")
            || map.keys().all(|name| matches!(name.as_str(), "thought" | "thoughtSignature"))
        {
            let Value::Object(mut map) = value else { return };
            let thought = map.get("thought").and_then(Value::as_bool).unwrap_or(false);
            let (text, seal) = (take_text(&mut map, "text"), take_text(&mut map, "thoughtSignature"));
            self.said(text.unwrap_or_default(), thought, seal, out);
        } else {
            self.whole(Opening::Native { dialect: Dialect::Gemini, value }, [None, None], out);
        }
    }

    /// A piece of text or thought.
    fn said(&mut self, said: String, thought: bool, seal: Option<String>, out: &mut Vec<Event>) {
        let seal = seal.filter(|text| !text.is_empty());
        if said.is_empty() && seal.is_none() {
            return;
        }
        // A proof may come behind the text that it is of, in an empty piece of its own.
        let same = self.open.filter(|open| !open.sealed && (open.thought == thought || said.is_empty()));
        let choice = self.number;
        let mut open = same.unwrap_or_else(|| {
            self.close(out);
            let index = self.next;
            self.next += 1;
            let opening = if thought { Opening::Thinking } else { Opening::Text };
            out.push(Event::Open { choice, index, opening });
            if !thought {
                self.cited.begin(index);
            }
            Open { index, thought, sealed: false }
        });
        if !said.is_empty() {
            if !thought {
                self.cited.push(&said);
            }
            out.push(Event::Delta { choice, index: open.index, delta: Delta::Text(said) });
        }
        if let Some(seal) = seal {
            open.sealed = true;
            let delta = Delta::Seal(Sealed::read(Dialect::Gemini, &seal));
            out.push(Event::Delta { choice, index: open.index, delta });
        }
        self.open = Some(open);
    }

    fn call(&mut self, mut fields: Fields, ids: &str, calls: &mut usize, out: &mut Vec<Event>) {
        let seal = read_parts::seal(&mut fields).ok().flatten();
        let Ok(Some(mut call)) = spelling::object(&mut fields, "functionCall") else { return };
        let Ok(Some(name)) = call.string("name") else { return };
        let id = call.string("id").ok().flatten().filter(|id| !id.is_empty()).unwrap_or_else(|| {
            *calls += 1;
            format!("call_{ids}_{calls}")
        });
        let arguments = read_parts::arguments(&mut call).unwrap_or_else(|_| "{}".to_owned());
        self.called = true;
        let opening = Opening::ToolCall { id, name, namespace: None, kind: ToolKind::Function };
        self.whole(opening, [Some(Delta::Text(arguments)), seal.map(Delta::Seal)], out);
    }
}

/// Reads a whole answer, or the list of responses that a stream without events is.
pub(in super::super) fn read_answer(body: Value, ids: &str) -> Result<Answer, Fault> {
    let responses = match body {
        Value::Array(list) => list,
        one => vec![one],
    };
    let known = ["candidates", "promptFeedback", "prompt_feedback", "usageMetadata", "usage_metadata"];
    let mut reader = Reader::new(ids);
    let mut events = Vec::new();
    for response in responses {
        if !known.iter().any(|name| response.get(name).is_some()) {
            return Err(Fault::field("candidates", "is missing"));
        }
        reader.read(response, &mut events);
    }
    reader.conclude(&mut events);
    let mut answer = Answer::from_events(events);
    if answer.choices.is_empty() {
        answer.choices.push(crate::neutral::Choice { parts: Vec::new(), stop: None, logprobs: None });
    }
    Ok(answer)
}

fn take_text(map: &mut Map<String, Value>, name: &str) -> Option<String> {
    match map.swap_remove(name) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    }
}

/// A piece of `data` with what stands before and behind it.
fn around<'a>(data: &'a [u8], piece: &'a [u8]) -> Option<(&'a [u8], &'a [u8], &'a [u8])> {
    let start = piece.as_ptr().addr().checked_sub(data.as_ptr().addr())?;
    let (before, rest) = data.split_at_checked(start)?;
    let (piece, after) = rest.split_at_checked(piece.len())?;
    Some((before, piece, after))
}
