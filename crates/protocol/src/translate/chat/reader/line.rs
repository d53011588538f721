//! One of the answers of a stream.

use serde_json::{Map, Value};

use super::super::content;
use super::super::proof::{self, Detail, Place, Spot};
use super::calls::Calls;
use crate::Dialect;
use crate::neutral::{Delta, Event, Media, MediaKind, Opening, Part, Sealed, Source, Stop};

/// Most bytes of sound that are kept until it is whole.
const MAX_SOUND: usize = 32 * 1024 * 1024;
/// Most citations that wait for their text.
const MAX_WAITING: usize = 256;
/// Most parts of one answer.
pub(super) const MAX_PARTS: u32 = 100_000;

/// An answer being read.
#[derive(Debug)]
pub(super) struct Line {
    number: u32,
    /// The next part's number.
    next: u32,
    open: Option<Open>,
    calls: Calls,
    /// Citations that came before their text.
    waiting: Vec<Value>,
    /// Proofs of stretches of a text that has not come yet: another Tollgate's whole answer.
    places: Vec<(Place, Sealed)>,
    /// The last citations: some vendors repeat them in every chunk.
    cited: Vec<Value>,
    /// Base64 of a sound that comes in pieces.
    sound: String,
    stopped: bool,
}

/// A part that grows.
#[derive(Debug)]
struct Open {
    index: u32,
    kind: Kind,
    /// Thinking: the entry that proves it.
    detail: Option<Detail>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Refusal,
    /// With the field that it stands in; empty for `reasoning_details`.
    Thinking(&'static str),
}

impl Line {
    pub(super) fn new(number: u32) -> Self {
        Self {
            number,
            next: 0,
            open: None,
            calls: Calls::default(),
            waiting: Vec::new(),
            places: Vec::new(),
            cited: Vec::new(),
            sound: String::new(),
            stopped: false,
        }
    }

    pub(super) fn number(&self) -> u32 {
        self.number
    }

    pub(super) fn stopped(&self) -> bool {
        self.stopped
    }

    /// Whether it calls tools.
    pub(super) fn called(&self) -> bool {
        self.calls.any()
    }

    /// Reads what is new.
    pub(super) fn delta(
        &mut self,
        mut delta: Map<String, Value>,
        ids: &str,
        made: &mut u32,
        out: &mut Vec<Event>,
    ) {
        self.think(&mut delta, out);
        match delta.get_mut("content").map(Value::take) {
            Some(Value::String(text)) if self.places.is_empty() => self.say(Kind::Text, text, out),
            Some(Value::String(text)) => self.sealed_text(&text, out),
            Some(Value::Array(parts)) => parts.into_iter().for_each(|part| self.piece(part, out)),
            _ => {}
        }
        if let Some(audio) = delta.get("audio") {
            self.hear(audio, out);
        }
        if let Some(Value::Array(list)) = delta.get_mut("annotations").map(Value::take) {
            for value in list {
                self.cite(value, out);
            }
        }
        if let Some(Value::String(text)) = delta.get_mut("refusal").map(Value::take) {
            self.say(Kind::Refusal, text, out);
        }
        if let Some(Value::Array(images)) = delta.get_mut("images").map(Value::take) {
            for image in &images {
                self.show(image, out);
            }
        }
        if let Some(Value::Array(list)) = delta.get_mut("tool_calls").map(Value::take) {
            for call in list {
                self.call(call, false, ids, made, out);
            }
        }
        if let Some(call @ Value::Object(_)) = delta.get_mut("function_call").map(Value::take) {
            self.call(call, true, ids, made, out);
        }
    }

    /// Ends everything that is open.
    pub(super) fn stop(&mut self, stop: Option<Stop>, out: &mut Vec<Event>) {
        self.close(out);
        self.calls.close(self.number, out);
        if !self.waiting.is_empty() {
            // They refer to a text that is closed already.
            self.begin(Kind::Text, None, out);
            self.flush_citations(out);
            self.close(out);
        }
        if !self.sound.is_empty() {
            let source =
                Source::Base64 { mime: "audio/wav".to_owned(), data: std::mem::take(&mut self.sound) };
            self.medium(MediaKind::Audio, source, None, out);
        }
        self.stopped = true;
        if let Some(stop) = stop {
            out.push(Event::Stop { choice: self.number, stop });
        }
    }

    fn think(&mut self, delta: &mut Map<String, Value>, out: &mut Vec<Event>) {
        let mut said = None;
        for field in ["reasoning_content", "reasoning"] {
            if let Some(Value::String(text)) = delta.get_mut(field).map(Value::take)
                && said.is_none()
                && !text.is_empty()
            {
                said = Some((field, text));
            }
        }
        let details = match delta.get_mut("reasoning_details").map(Value::take) {
            Some(Value::Array(list)) => list.into_iter().filter_map(Detail::of).collect(),
            _ => Vec::new(),
        };
        if details.iter().any(Detail::is_foreign)
            && let Some((field, text)) = said
        {
            self.thoughts(field, &text, details, out);
            return;
        }
        // Where both are there they say the same, and the details know more.
        if let Some((field, text)) = said
            && details.iter().all(|detail: &Detail| detail.text.is_empty())
        {
            self.say(Kind::Thinking(field), text, out);
        }
        for detail in details {
            self.detail(detail, out);
        }
    }

    /// Another Tollgate's whole answer: all thoughts at once, with the proofs of their stretches.
    fn thoughts(&mut self, field: &'static str, said: &str, details: Vec<Detail>, out: &mut Vec<Event>) {
        let (parts, places) = proof::thinking(said, details);
        self.places = places;
        self.close(out);
        for part in parts {
            let Part::Thinking { text, seal } = part else { continue };
            let Some(index) = self.index() else { return };
            let choice = self.number;
            let seal = seal.unwrap_or_else(|| proof::mark(field));
            out.push(Event::Open { choice, index, opening: Opening::Thinking });
            out.push(Event::Delta { choice, index, delta: Delta::Text(text) });
            out.push(Event::Delta { choice, index, delta: Delta::Seal(seal) });
            out.push(Event::Close { choice, index });
        }
    }

    /// A whole text of which stretches are proved.
    fn sealed_text(&mut self, said: &str, out: &mut Vec<Event>) {
        let mut parts = Vec::new();
        proof::sealed_text(said, std::mem::take(&mut self.places), &mut parts);
        for part in parts {
            let Part::Text { text, seal, .. } = part else { continue };
            self.close(out);
            self.say(Kind::Text, text, out);
            if let (Some(seal), Some(Open { index, .. })) = (seal, &self.open) {
                out.push(Event::Delta { choice: self.number, index: *index, delta: Delta::Seal(seal) });
            }
        }
    }

    fn detail(&mut self, mut detail: Detail, out: &mut Vec<Event>) {
        let text = std::mem::take(&mut detail.text);
        let foreign = detail.is_foreign();
        match &mut self.open {
            Some(Open { kind: Kind::Thinking(_), detail: Some(own), .. }) if own.goes_on(&detail) => {
                own.join(detail);
            }
            // Another Tollgate's: it proves the thinking, or the text, that was said just now.
            Some(Open { kind: Kind::Thinking(_), detail: own @ None, .. }) if foreign => *own = Some(detail),
            Some(Open { index, kind: Kind::Text, .. }) if foreign => {
                let delta = Delta::Seal(detail.seal().0);
                out.push(Event::Delta { choice: self.number, index: *index, delta });
                return;
            }
            _ => {
                if let (seal, Some(place)) = detail.seal()
                    && place.spot == Spot::Text
                {
                    self.places.push((place, seal));
                    return;
                }
                self.close(out);
                self.begin(Kind::Thinking(""), Some(detail), out);
            }
        }
        if !text.is_empty()
            && let Some(Open { index, .. }) = self.open
        {
            out.push(Event::Delta { choice: self.number, index, delta: Delta::Text(text) });
        }
    }

    /// More text of a kind.
    fn say(&mut self, kind: Kind, text: String, out: &mut Vec<Event>) {
        if text.is_empty() {
            return;
        }
        if self.open.as_ref().is_none_or(|open| open.kind != kind) {
            self.close(out);
            self.calls.close_whole(self.number, out);
            self.begin(kind, None, out);
        }
        let Some(Open { index, .. }) = self.open else { return };
        out.push(Event::Delta { choice: self.number, index, delta: Delta::Text(text) });
        if kind == Kind::Text {
            self.flush_citations(out);
        }
    }

    /// Citations that came before their text.
    fn flush_citations(&mut self, out: &mut Vec<Event>) {
        let Some(Open { index, .. }) = self.open else { return };
        for value in std::mem::take(&mut self.waiting) {
            let delta = Delta::Citation(Dialect::OpenAiChat, value);
            out.push(Event::Delta { choice: self.number, index, delta });
        }
    }

    /// A part of a content that is a list.
    fn piece(&mut self, mut part: Value, out: &mut Vec<Event>) {
        match part.get("type").and_then(Value::as_str).unwrap_or("text") {
            "text" | "output_text" => {
                if let Some(Value::String(text)) = part.get_mut("text").map(Value::take) {
                    self.say(Kind::Text, text, out);
                }
            }
            "refusal" => {
                if let Some(Value::String(text)) = part.get_mut("refusal").map(Value::take) {
                    self.say(Kind::Refusal, text, out);
                }
            }
            "thinking" => {
                let text = content::thinking_text(part.get("thinking"));
                self.say(Kind::Thinking("thinking"), text, out);
            }
            "image_url" => self.show(&part, out),
            // Mistral's references, and what may come.
            _ => {}
        }
    }

    fn cite(&mut self, value: Value, out: &mut Vec<Event>) {
        if self.cited.contains(&value) || self.cited.len() >= MAX_WAITING {
            return;
        }
        self.cited.push(value.clone());
        match self.open {
            Some(Open { index, kind: Kind::Text, .. }) => {
                let delta = Delta::Citation(Dialect::OpenAiChat, value);
                out.push(Event::Delta { choice: self.number, index, delta });
            }
            _ => self.waiting.push(value),
        }
    }

    fn show(&mut self, image: &Value, out: &mut Vec<Event>) {
        let url = image.pointer("/image_url/url").or_else(|| image.get("image_url")).and_then(Value::as_str);
        if let Some(url) = url.filter(|url| !url.is_empty()) {
            self.medium(MediaKind::Image, Source::of_url(url), image.get("extra_content"), out);
        }
    }

    fn hear(&mut self, audio: &Value, out: &mut Vec<Event>) {
        let field = |name: &str| audio.get(name).and_then(Value::as_str).unwrap_or_default();
        self.say(Kind::Text, field("transcript").to_owned(), out);
        let data = field("data");
        if self.sound.len().saturating_add(data.len()) <= MAX_SOUND {
            self.sound.push_str(data);
        }
    }

    fn medium(&mut self, kind: MediaKind, source: Source, extra: Option<&Value>, out: &mut Vec<Event>) {
        self.close(out);
        let Some(index) = self.index() else { return };
        let seal = proof::of_call(extra);
        let media = Media { kind, source, name: None, detail: None, cache: None, seal };
        out.push(Event::Open { choice: self.number, index, opening: Opening::Media(media) });
        out.push(Event::Close { choice: self.number, index });
    }

    fn call(&mut self, call: Value, legacy: bool, ids: &str, made: &mut u32, out: &mut Vec<Event>) {
        if self.calls.is_new(&call, legacy) {
            self.close(out);
        }
        self.calls.read(call, legacy, self.number, &mut self.next, (ids, made), out);
    }

    fn begin(&mut self, kind: Kind, detail: Option<Detail>, out: &mut Vec<Event>) {
        let Some(index) = self.index() else { return };
        let opening = match kind {
            Kind::Text => Opening::Text,
            Kind::Refusal => Opening::Refusal,
            Kind::Thinking(_) => Opening::Thinking,
        };
        out.push(Event::Open { choice: self.number, index, opening });
        self.open = Some(Open { index, kind, detail });
    }

    /// Closes the part that grows, with its proof.
    fn close(&mut self, out: &mut Vec<Event>) {
        let Some(Open { index, kind, detail }) = self.open.take() else { return };
        if let Kind::Thinking(field) = kind {
            let seal = detail.map_or_else(|| proof::mark(field), |detail| detail.seal().0);
            out.push(Event::Delta { choice: self.number, index, delta: Delta::Seal(seal) });
        }
        out.push(Event::Close { choice: self.number, index });
    }

    /// A number for a new part; `None` if there are absurdly many.
    fn index(&mut self) -> Option<u32> {
        let index = self.next;
        self.next = self.next.saturating_add(1);
        (index < MAX_PARTS).then_some(index)
    }
}
