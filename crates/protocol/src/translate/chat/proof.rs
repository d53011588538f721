//! Thinking and vendors' proofs: `reasoning_details` and `extra_content`.
//!
//! Chat has one text for all thinking of a message. A proof of another vendor's belongs to one block of it, so its
//! entry says in its id which stretch of the text it proves: `thinking_0_0_120` is bytes 0 to 120. Proofs of texts
//! (Gemini's) stand there too: `text_0_0_15`. Entries of Chat vendors are kept as they are, without their text.

use serde_json::{Map, Value, json};

use super::super::text;
use crate::Dialect;
use crate::neutral::{Part, Sealed};

const HOME: Dialect = Dialect::OpenAiChat;

/// What a proof belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spot {
    /// A stretch of the thinking.
    Thinking,
    /// A stretch of the content.
    Text,
}

/// A stretch of a text, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) spot: Spot,
    pub(super) start: usize,
    pub(super) length: usize,
}

/// One of `reasoning_details`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Detail {
    /// Its own text, if it has one.
    pub(super) text: String,
    /// What is left of it.
    fields: Map<String, Value>,
}

impl Detail {
    /// Takes an entry apart. `None` if it is no object.
    pub(super) fn of(value: Value) -> Option<Self> {
        let Value::Object(mut fields) = value else { return None };
        let mut text = String::new();
        for name in ["text", "summary"] {
            if matches!(fields.get(name), Some(Value::String(_) | Value::Null))
                && let Some(Value::String(more)) = fields.shift_remove(name)
            {
                text.push_str(&more);
            }
        }
        Some(Self { text, fields })
    }

    /// Whether `next` goes on where this one stopped: streams send an entry in pieces.
    pub(super) fn goes_on(&self, next: &Self) -> bool {
        self.fields.get("type") == next.fields.get("type")
            && self.fields.get("index") == next.fields.get("index")
            && self.fields.get("type").and_then(Value::as_str) != Some("reasoning.encrypted")
    }

    /// Takes over the fields of the next piece.
    pub(super) fn join(&mut self, next: Self) {
        for (name, value) in next.fields {
            match (self.fields.get_mut(&name), value) {
                (_, Value::Null) => {}
                (Some(Value::String(old)), Value::String(more)) if name == "signature" => old.push_str(&more),
                (_, value) => {
                    self.fields.insert(name, value);
                }
            }
        }
    }

    /// Whether it is another vendor's, wrapped.
    pub(super) fn is_foreign(&self) -> bool {
        ["data", "signature"].iter().any(|name| {
            let data = self.fields.get(*name).and_then(Value::as_str);
            data.is_some_and(|data| Sealed::read(HOME, data).dialect != HOME)
        })
    }

    /// What it proves, and where its place is if it is another vendor's.
    pub(super) fn seal(&self) -> (Sealed, Option<Place>) {
        for name in ["data", "signature"] {
            if let Some(data) = self.fields.get(name).and_then(Value::as_str) {
                let seal = Sealed::read(HOME, data);
                if seal.dialect != HOME {
                    return (seal, self.fields.get("id").and_then(Value::as_str).and_then(place));
                }
            }
        }
        let own = text::json_text(&Value::Object(self.fields.clone()));
        (Sealed { dialect: HOME, data: own }, None)
    }
}

/// The mark of thinking that stood in a field of its own, for the way back to the same vendor.
pub(super) fn mark(field: &str) -> Sealed {
    Sealed { dialect: HOME, data: field.to_owned() }
}

/// Where a Chat vendor's thinking stood.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Home {
    /// In this field of the message.
    Field(&'static str),
    /// Among the parts of the content (Mistral).
    Content,
    /// In this entry of `reasoning_details`, text included.
    Detail(Value),
}

/// Reads the data of a Chat vendor's proof.
pub(super) fn home(data: &str, thought: &str) -> Home {
    match data {
        "reasoning" => Home::Field("reasoning"),
        "thinking" => Home::Content,
        _ => match text::parse(data.as_bytes()) {
            Ok(Value::Object(mut fields)) => {
                if !thought.is_empty() {
                    let summary = fields.get("type").and_then(Value::as_str) == Some("reasoning.summary");
                    fields.insert(if summary { "summary" } else { "text" }.to_owned(), json!(thought));
                }
                Home::Detail(Value::Object(fields))
            }
            _ => Home::Field("reasoning_content"),
        },
    }
}

/// An entry for a proof, towards a caller.
pub(super) fn detail(seal: &Sealed, number: usize, place: Place) -> Value {
    let spot = match place.spot {
        Spot::Thinking => "thinking",
        Spot::Text => "text",
    };
    json!({
        "type": "reasoning.encrypted",
        "id": format!("{spot}_{number}_{}_{}", place.start, place.length),
        "format": "unknown",
        "index": number,
        "data": seal.write(HOME),
    })
}

fn place(id: &str) -> Option<Place> {
    let mut pieces = id.split('_');
    let spot = match pieces.next()? {
        "thinking" => Spot::Thinking,
        "text" => Spot::Text,
        _ => return None,
    };
    pieces.next()?;
    let (start, length) = (pieces.next()?.parse().ok()?, pieces.next()?.parse().ok()?);
    Some(Place { spot, start, length })
}

/// The thinking of a caller's message, and the proofs of stretches of its content.
pub(super) fn thinking(said: &str, details: Vec<Detail>) -> (Vec<Part>, Vec<(Place, Sealed)>) {
    let mut parts = Vec::new();
    let mut texts = Vec::new();
    if details.iter().any(|detail| !detail.text.is_empty()) {
        for detail in details {
            let (seal, _) = detail.seal();
            parts.push(Part::Thinking { text: detail.text, seal: Some(seal) });
        }
        return (parts, texts);
    }
    let mut done = 0;
    let mut loose = Vec::new();
    for detail in details {
        match detail.seal() {
            (seal, Some(place)) if place.spot == Spot::Text => texts.push((place, seal)),
            (seal, Some(place)) => {
                let end = place.start.saturating_add(place.length);
                let (Some(before), Some(own)) = (said.get(done..place.start), said.get(place.start..end))
                else {
                    // The caller changed the text.
                    loose.push(seal);
                    continue;
                };
                if !before.is_empty() {
                    parts.push(Part::Thinking { text: before.to_owned(), seal: None });
                }
                parts.push(Part::Thinking { text: own.to_owned(), seal: Some(seal) });
                done = end;
            }
            (seal, None) => loose.push(seal),
        }
    }
    let left = said.get(done..).unwrap_or_default();
    let mut loose = loose.into_iter();
    if !left.is_empty() {
        // A lone proof whose id was lost can only be of this.
        let foreign = loose.as_slice().first().is_some_and(|seal| seal.dialect != HOME);
        let seal = if parts.is_empty() && foreign { loose.next() } else { None };
        parts.push(Part::Thinking { text: left.to_owned(), seal });
    }
    parts.extend(loose.map(|seal| Part::Thinking { text: String::new(), seal: Some(seal) }));
    (parts, texts)
}

/// Puts the proofs of stretches of a text where they belong.
pub(super) fn sealed_text(said: &str, mut places: Vec<(Place, Sealed)>, out: &mut Vec<Part>) {
    places.sort_by_key(|(place, _)| place.start);
    let mut done = 0;
    for (place, seal) in places {
        let end = place.start.saturating_add(place.length);
        let (Some(before), Some(own)) = (said.get(done..place.start), said.get(place.start..end)) else {
            continue;
        };
        if !before.is_empty() {
            out.push(Part::text(before));
        }
        out.push(Part::Text { text: own.to_owned(), citations: Vec::new(), seal: Some(seal), cache: None });
        done = end;
    }
    let left = said.get(done..).unwrap_or_default();
    if !left.is_empty() {
        out.push(Part::text(left));
    }
}

/// The proof of a tool call: `extra_content.google.thought_signature`.
pub(super) fn of_call(extra: Option<&Value>) -> Option<Sealed> {
    let data = extra?.pointer("/google/thought_signature")?.as_str()?;
    (!data.is_empty()).then(|| Sealed::read(HOME, data))
}

/// The same, written.
pub(super) fn extra(data: &str) -> Value {
    json!({"google": {"thought_signature": data}})
}
