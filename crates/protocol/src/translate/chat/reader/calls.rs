//! Tool calls of a stream: told apart by their number, and where servers number them all alike, by their id.

use serde_json::Value;

use super::super::super::text;
use super::super::proof;
use super::line::MAX_PARTS;
use crate::neutral::{Delta, Event, Opening, ToolKind};

/// Most bytes of arguments that wait for the name of their tool.
const MAX_HELD: usize = 1024 * 1024;

/// Most calls that are open at once.
const MAX_OPEN: usize = 1024;

/// The calls of one answer.
#[derive(Debug, Default)]
pub(super) struct Calls {
    /// Those that are still open.
    open: Vec<Call>,
    any: bool,
}

#[derive(Debug)]
struct Call {
    /// The vendor's number; `None` for the older `function_call`.
    number: Option<u64>,
    /// The vendor's id; empty if it gave none.
    id: String,
    /// The part's number, once its name is known.
    part: Option<u32>,
    kind: ToolKind,
    /// Arguments that came before the name.
    held: String,
    brackets: Brackets,
}

/// Follows JSON just far enough to tell where its object ends.
#[derive(Debug, Default)]
struct Brackets {
    depth: u32,
    in_text: bool,
    escaped: bool,
    begun: bool,
}

impl Brackets {
    fn feed(&mut self, text: &str) {
        for byte in text.bytes() {
            if self.in_text {
                match byte {
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' => self.in_text = false,
                    _ => {}
                }
                continue;
            }
            match byte {
                b'"' => self.in_text = true,
                b'{' | b'[' => {
                    self.depth = self.depth.saturating_add(1);
                    self.begun = true;
                }
                b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
        }
    }

    fn whole(&self) -> bool {
        self.begun && self.depth == 0 && !self.in_text
    }
}

impl Calls {
    /// Whether there was one.
    pub(super) fn any(&self) -> bool {
        self.any
    }

    /// Whether a piece begins another call.
    pub(super) fn is_new(&self, piece: &Value, legacy: bool) -> bool {
        self.find(piece, legacy).is_none()
    }

    /// Reads a piece of a call.
    pub(super) fn read(
        &mut self,
        mut piece: Value,
        legacy: bool,
        choice: u32,
        next: &mut u32,
        (ids, made): (&str, &mut u32),
        out: &mut Vec<Event>,
    ) {
        let place = self.find(&piece, legacy);
        let custom = piece.get("custom").is_some_and(Value::is_object)
            || piece.get("type").and_then(Value::as_str) == Some("custom");
        if place.is_none() {
            if self.open.len() >= MAX_OPEN {
                return;
            }
            self.close_whole(choice, out);
            let id = piece.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
            self.open.push(Call {
                number: number(&piece, legacy),
                id,
                part: None,
                kind: if custom { ToolKind::Custom } else { ToolKind::Function },
                held: String::new(),
                brackets: Brackets::default(),
            });
        }
        let place = place.unwrap_or(self.open.len().saturating_sub(1));
        let Some(call) = self.open.get_mut(place) else { return };
        let seal = proof::of_call(piece.get("extra_content"));
        let inner = match call.kind {
            _ if legacy => Some(&mut piece),
            ToolKind::Custom => piece.get_mut("custom"),
            ToolKind::Function => piece.get_mut("function"),
        };
        let (name, arguments) = inner.map_or((String::new(), String::new()), |inner| {
            let name = inner.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
            let field = if call.kind == ToolKind::Custom { "input" } else { "arguments" };
            (name, words(inner.get_mut(field).map(Value::take)))
        });
        let mut arguments = arguments;
        if call.part.is_none() {
            if name.is_empty() {
                // A call without a name, or one whose name comes later.
                if call.held.len().saturating_add(arguments.len()) <= MAX_HELD {
                    call.held.push_str(&arguments);
                }
                return;
            }
            let index = *next;
            *next = next.saturating_add(1);
            if index >= MAX_PARTS {
                return;
            }
            call.part = Some(index);
            self.any = true;
            let id = if call.id.is_empty() {
                *made = made.saturating_add(1);
                format!("call_{ids}_{made}")
            } else {
                call.id.clone()
            };
            let opening = Opening::ToolCall { id, name, namespace: None, kind: call.kind };
            out.push(Event::Open { choice, index, opening });
            if !call.held.is_empty() {
                arguments.insert_str(0, &std::mem::take(&mut call.held));
            }
        }
        let Some(index) = call.part else { return };
        if !arguments.is_empty() {
            call.brackets.feed(&arguments);
            out.push(Event::Delta { choice, index, delta: Delta::Text(arguments) });
        }
        if let Some(seal) = seal {
            out.push(Event::Delta { choice, index, delta: Delta::Seal(seal) });
        }
    }

    /// Closes the calls whose arguments are whole: something else begins.
    pub(super) fn close_whole(&mut self, choice: u32, out: &mut Vec<Event>) {
        self.open.retain(|call| {
            let whole = call.brackets.whole();
            if let Some(index) = call.part.filter(|_| whole) {
                out.push(Event::Close { choice, index });
            }
            !whole
        });
    }

    /// Closes all.
    pub(super) fn close(&mut self, choice: u32, out: &mut Vec<Event>) {
        for call in self.open.drain(..) {
            if let Some(index) = call.part {
                out.push(Event::Close { choice, index });
            }
        }
    }

    /// The open call that a piece belongs to.
    fn find(&self, piece: &Value, legacy: bool) -> Option<usize> {
        let id = piece.get("id").and_then(Value::as_str).unwrap_or_default();
        let named = ["function", "custom"].iter().any(|holder| {
            piece.pointer(&format!("/{holder}/name")).and_then(Value::as_str).is_some_and(|n| !n.is_empty())
        });
        let wanted = number(piece, legacy);
        // A server that gives no numbers goes on with the last call until it names another.
        let unnumbered = wanted.is_none() && !legacy;
        self.open.iter().rposition(|call| {
            let same_number = if unnumbered { !named } else { call.number == wanted };
            // One that gives all the same number tells them apart by id.
            let other_id = named && !id.is_empty() && !call.id.is_empty() && call.id != id;
            same_number && !other_id
        })
    }
}

fn number(piece: &Value, legacy: bool) -> Option<u64> {
    if legacy { None } else { piece.get("index").and_then(Value::as_u64) }
}

/// Arguments as a text; some servers write them as an object.
fn words(value: Option<Value>) -> String {
    match value {
        Some(Value::String(text)) => text,
        Some(object @ Value::Object(_)) => text::json_text(&object),
        _ => String::new(),
    }
}
