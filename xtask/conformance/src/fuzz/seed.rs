//! What is mutated: recorded bodies made short, with the places of their values, members and keys.
//!
//! A run of ten million needs small bodies: of events that say the same again and again two are kept, and long texts
//! are cut. What is left has every field and every kind of event that the recording had.

use std::collections::BTreeSet;
use std::ops::Range;

use serde_json::Value;

/// Longest text that is kept, in characters; longer ones are cut to half of it.
const TEXT: usize = 48;
/// Longest body that is mutated, in bytes.
const LONGEST: usize = 6 * 1024;
/// Longest body in a collection that has enough short ones.
const SHORT: usize = 2 * 1024;

/// JSON, and where in it what stands.
#[derive(Debug, Default)]
pub(super) struct Piece {
    pub(super) before: Vec<u8>,
    pub(super) json: Vec<u8>,
    pub(super) after: Vec<u8>,
    /// Every value, the whole too.
    pub(super) values: Vec<Range<usize>>,
    /// Members of objects and elements of arrays, without commas.
    pub(super) elements: Vec<Range<usize>>,
    /// Names of members, with their quotes.
    pub(super) keys: Vec<Range<usize>>,
}

/// One body: a single piece, or the events of a stream.
#[derive(Debug, Default)]
pub(super) struct Seed(pub(super) Vec<Piece>);

impl Seed {
    /// Of a body that is JSON.
    pub(super) fn of_body(body: &str) -> Option<Self> {
        let value = shortened(serde_json::from_str(body).ok()?);
        Some(Self(vec![Piece::of("", &value.to_string(), "")]))
    }

    /// Of a stream of events.
    pub(super) fn of_stream(body: &str) -> Self {
        let (mut pieces, mut last, mut same) = (Vec::new(), BTreeSet::new(), 0_u32);
        for event in body.split_inclusive("\n\n").flat_map(|event| event.split_inclusive("\r\n\r\n")) {
            let Some(at) = event.find("data:") else { continue };
            let (before, rest) = event.split_at(at + 5);
            let data = rest.trim();
            let Ok(value) = serde_json::from_str::<Value>(data) else {
                pieces.push(Piece { before: event.as_bytes().to_vec(), ..Piece::default() });
                continue;
            };
            let shape = shape(&value);
            same = if shape == last { same + 1 } else { 0 };
            last = shape;
            if same < 2 {
                pieces.push(Piece::of(before, &shortened(value).to_string(), "\n\n"));
            }
        }
        Self(pieces)
    }

    fn len(&self) -> usize {
        self.0.iter().map(|piece| piece.before.len() + piece.json.len() + piece.after.len()).sum()
    }
}

/// The short ones of some; a few of the long ones if there are not enough.
pub(super) fn kept(mut seeds: Vec<Seed>) -> Vec<Seed> {
    seeds.retain(|seed| (1..=LONGEST).contains(&seed.len()));
    seeds.sort_by_key(Seed::len);
    let short = seeds.iter().filter(|seed| seed.len() <= SHORT).count();
    seeds.truncate(short.max(12));
    seeds
}

/// The names of all members, in any depth, with the types: what makes an event another kind of event.
fn shape(value: &Value) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut left = vec![value];
    while let Some(value) = left.pop() {
        match value {
            Value::Object(map) => {
                for (name, inner) in map {
                    let kind = if name == "type" { inner.as_str().unwrap_or_default() } else { "" };
                    names.insert(format!("{name}={kind}"));
                    left.push(inner);
                }
            }
            Value::Array(list) => left.extend(list),
            _ => {}
        }
    }
    names
}

fn shortened(value: Value) -> Value {
    match value {
        Value::String(text) if text.chars().count() > TEXT => {
            Value::String(text.chars().take(TEXT / 2).collect())
        }
        Value::Array(list) if list.len() > 64 => list.into_iter().take(8).map(shortened).collect(),
        Value::Array(list) => list.into_iter().map(shortened).collect(),
        Value::Object(map) => map.into_iter().map(|(name, value)| (name, shortened(value))).collect(),
        other => other,
    }
}

impl Piece {
    fn of(before: &str, json: &str, after: &str) -> Self {
        let mut piece = Self {
            before: before.as_bytes().to_vec(),
            json: json.as_bytes().to_vec(),
            after: after.as_bytes().to_vec(),
            ..Self::default()
        };
        let mut scan = Scan { json: json.as_bytes(), at: 0, piece: &mut piece };
        scan.value();
        piece
    }
}

/// Walks over JSON that is known to be right and has no blanks between its marks.
struct Scan<'a> {
    json: &'a [u8],
    at: usize,
    piece: &'a mut Piece,
}

impl Scan<'_> {
    fn here(&self) -> u8 {
        self.json.get(self.at).copied().unwrap_or_default()
    }

    fn value(&mut self) {
        let start = self.at;
        match self.here() {
            b'{' | b'[' => self.list(self.here() == b'{'),
            b'"' => self.text(),
            _ => {
                while !matches!(self.here(), b',' | b'}' | b']' | 0) {
                    self.at += 1;
                }
            }
        }
        self.piece.values.push(start..self.at);
    }

    fn list(&mut self, named: bool) {
        self.at += 1;
        while !matches!(self.here(), b'}' | b']' | 0) {
            let start = self.at;
            if named {
                self.text();
                self.piece.keys.push(start..self.at);
                self.at += 1;
            }
            self.value();
            self.piece.elements.push(start..self.at);
            if self.here() == b',' {
                self.at += 1;
            }
        }
        self.at += 1;
    }

    fn text(&mut self) {
        self.at += 1;
        while !matches!(self.here(), b'"' | 0) {
            self.at += if self.here() == b'\\' { 2 } else { 1 };
        }
        self.at += 1;
    }
}
