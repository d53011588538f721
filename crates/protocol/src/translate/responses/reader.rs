//! A vendor's stream.
//!
//! Deltas open what was not announced, and what the deltas left out is taken from the events that repeat it whole:
//! several servers skip one or the other.

mod ends;

use std::collections::HashSet;

use serde_json::Value;

use super::super::{Fault, text};
use super::given;
use super::live::{Kind, Live, Piece};
use super::parts::PARAGRAPH;
use crate::Dialect;
use crate::error::{UpstreamError, parse_upstream};
use crate::neutral::{Delta, Event, Opening, Part, Sealed};

const OWN: Dialect = Dialect::OpenAiResponses;
/// Most parts of one answer that are believed.
const MAX_PARTS: u32 = 100_000;
/// Most items that are believed to be open at once, and most parts of one message.
const MAX_OPEN: usize = 1_000;

/// Reads a stream.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts, not one state")]
pub(in crate::translate) struct Reader {
    started: bool,
    ended: bool,
    /// Number of the next part.
    next: u32,
    /// Items that have begun and not ended.
    live: Vec<Live>,
    /// Numbers of all items that have begun.
    seen: HashSet<u64>,
    /// Their ids, where they were told.
    ids: HashSet<String>,
    /// The proof of the call that must come next.
    proof: Option<Sealed>,
    /// A tool was called.
    called: bool,
    /// Log probabilities were told.
    likely: bool,
}

impl Reader {
    /// Of a stream that has not begun.
    pub(in crate::translate) fn new() -> Self {
        Self::default()
    }

    /// Reads the data of one event.
    pub(in crate::translate) fn event(&mut self, data: &[u8], out: &mut Vec<Event>) -> Result<(), Fault> {
        if self.ended || data.trim_ascii() == b"[DONE]" {
            return Ok(());
        }
        let mut value = text::parse(data)?;
        let kind = match value.get_mut("type").map(Value::take) {
            Some(Value::String(kind)) => kind,
            _ if value.get("error").is_some_and(|error| !error.is_null()) => "error".to_owned(),
            _ => return Ok(()),
        };
        match kind.strip_prefix("response.").unwrap_or(&kind) {
            "created" | "in_progress" | "queued" => self.start(value.get("response"), out),
            "output_item.added" => self.added(value, out),
            "output_item.done" => self.done(value, out),
            "content_part.added" => {
                let refusal = value.get("part").is_some_and(|part| given::text(part, "type") == "refusal");
                let texts =
                    value.get("part").is_some_and(|part| given::text(part, "type") != "reasoning_text");
                if texts {
                    self.piece(&value, refusal, out);
                }
            }
            "output_text.delta" | "refusal.delta" => self.words(value, kind.starts_with("response.r"), out),
            "output_text.done" => self.words_done(&value, "text", false, out),
            "refusal.done" => self.words_done(&value, "refusal", true, out),
            "output_text.annotation.added" => self.note(&mut value, out),
            "content_part.done" => self.piece_done(&value, out),
            "reasoning_summary_text.delta" => self.thought(value, false, out),
            "reasoning_text.delta" => self.thought(value, true, out),
            "function_call_arguments.delta" | "custom_tool_call_input.delta" => self.arguments(value, out),
            "function_call_arguments.done" => self.arguments_done(&value, "arguments", out),
            "custom_tool_call_input.done" => self.arguments_done(&value, "input", out),
            "completed" | "incomplete" | "done" => self.end(value.get_mut("response").map(Value::take), out),
            "failed" | "cancelled" | "error" => {
                self.ended = true;
                let error = parse_upstream(OWN, data);
                out.push(Event::Error(
                    error.unwrap_or_else(|| UpstreamError::unnamed("the response failed")),
                ));
            }
            // Progress of the vendor's own tools, and what is to come.
            _ => {}
        }
        Ok(())
    }

    fn start(&mut self, response: Option<&Value>, out: &mut Vec<Event>) {
        if std::mem::replace(&mut self.started, true) {
            return;
        }
        let said = |name: &str| response.map_or("", |response| given::text(response, name)).to_owned();
        out.push(Event::Start { id: said("id"), model: said("model"), usage: None });
    }

    /// Opens a part. `None` if there were too many.
    fn open(&mut self, opening: Opening, out: &mut Vec<Event>) -> Option<u32> {
        self.start(None, out);
        let index = self.next;
        if index >= MAX_PARTS {
            return None;
        }
        self.next += 1;
        self.called |= matches!(opening, Opening::ToolCall { .. });
        // A proof that no call follows is a thought of its own.
        if let Some(seal) = self.proof.take() {
            if matches!(opening, Opening::ToolCall { .. }) {
                out.push(Event::Open { choice: 0, index, opening });
                out.push(Event::Delta { choice: 0, index, delta: Delta::Seal(seal) });
                return Some(index);
            }
            self.whole(Part::Thinking { text: String::new(), seal: Some(seal) }, out);
            let index = self.next;
            self.next += 1;
            out.push(Event::Open { choice: 0, index, opening });
            return Some(index);
        }
        out.push(Event::Open { choice: 0, index, opening });
        Some(index)
    }

    /// A part that is complete.
    fn whole(&mut self, part: Part, out: &mut Vec<Event>) {
        let (opening, deltas) = Opening::of(part);
        let Some(index) = self.open(opening, out) else { return };
        out.extend(deltas.into_iter().map(|delta| Event::Delta { choice: 0, index, delta }));
        out.push(Event::Close { choice: 0, index });
    }

    /// The item that an event belongs to, which is made if it was not announced.
    fn item(&mut self, value: &Value, kind: Kind) -> Option<&mut Live> {
        let number = output_index(value);
        let place = self.live.iter().position(|live| live.number == number);
        if place.is_none() {
            self.begin(number, kind)?;
        }
        let place = place.unwrap_or(self.live.len().saturating_sub(1));
        self.live.get_mut(place)
    }

    fn begin(&mut self, number: u64, kind: Kind) -> Option<()> {
        // What has ended does not begin again.
        let full = u32::try_from(self.seen.len()).ok()? >= MAX_PARTS || self.live.len() >= MAX_OPEN;
        if full || !self.seen.insert(number) {
            return None;
        }
        self.live.push(Live { number, kind, pieces: Vec::new() });
        Some(())
    }

    fn added(&mut self, mut value: Value, out: &mut Vec<Event>) {
        let number = output_index(&value);
        let Some(item) = value.get_mut("item").map(Value::take) else { return };
        self.start(None, out);
        let called = self.seen.len();
        let kind = match given::text(&item, "type") {
            "message" => Kind::Message,
            "reasoning" => Kind::Thought { index: None, part: None, raw: false },
            _ => Kind::Other,
        };
        if self.begin(number, kind).is_none() {
            return;
        }
        let id = given::text(&item, "id");
        if !id.is_empty() {
            self.ids.insert(id.to_owned());
        }
        if let Some(opening) = given::call(&item, called)
            && let Some(index) = self.open(opening, out)
            && let Some(live) = self.live.last_mut()
        {
            live.kind = Kind::Call { index, said: false };
        }
    }

    /// The content part that an event belongs to, opened if it was not announced.
    fn piece(&mut self, value: &Value, refusal: bool, out: &mut Vec<Event>) -> Option<&mut Piece> {
        let content = value.get("content_index").and_then(Value::as_u64).unwrap_or(0);
        let live = self.item(value, Kind::Message)?;
        if !matches!(live.kind, Kind::Message) {
            return None;
        }
        let number = live.number;
        let place = live.pieces.iter().position(|piece| piece.content == content);
        if place.is_none() {
            if live.pieces.len() >= MAX_OPEN {
                return None;
            }
            let index = self.open(if refusal { Opening::Refusal } else { Opening::Text }, out)?;
            let live = self.live.iter_mut().find(|live| live.number == number)?;
            live.pieces.push(Piece { content, index, said: false, noted: false, closed: false });
        }
        let live = self.live.iter_mut().find(|live| live.number == number)?;
        live.pieces.iter_mut().find(|piece| piece.content == content).filter(|piece| !piece.closed)
    }

    fn words(&mut self, mut value: Value, refusal: bool, out: &mut Vec<Event>) {
        let Some(Value::String(more)) = value.get_mut("delta").map(Value::take) else { return };
        if let Some(piece) = self.piece(&value, refusal, out) {
            piece.said |= !more.is_empty();
            out.push(Event::Delta { choice: 0, index: piece.index, delta: Delta::Text(more) });
        }
        if let Some(Value::Array(list)) = value.get_mut("logprobs").map(Value::take) {
            self.probable(list, out);
        }
    }

    fn probable(&mut self, list: Vec<Value>, out: &mut Vec<Event>) {
        if let Some(value) = given::logprobs(list) {
            self.likely = true;
            out.push(Event::Logprobs { choice: 0, value });
        }
    }

    /// The whole text of a part: what was not said before.
    fn words_done(&mut self, value: &Value, name: &str, refusal: bool, out: &mut Vec<Event>) {
        let whole = given::text(value, name);
        if let Some(piece) = self.piece(value, refusal, out)
            && !piece.said
            && !whole.is_empty()
        {
            piece.said = true;
            out.push(Event::Delta { choice: 0, index: piece.index, delta: Delta::Text(whole.to_owned()) });
        }
    }

    fn note(&mut self, value: &mut Value, out: &mut Vec<Event>) {
        let Some(note) = value.get_mut("annotation").map(Value::take).filter(Value::is_object) else {
            return;
        };
        if let Some(piece) = self.piece(value, false, out) {
            piece.noted = true;
            let delta = Delta::Citation(OWN, note);
            out.push(Event::Delta { choice: 0, index: piece.index, delta });
        }
    }

    fn piece_done(&mut self, value: &Value, out: &mut Vec<Event>) {
        let Some(part) = value.get("part").and_then(given::content) else { return };
        let refusal = matches!(part, Part::Refusal { .. });
        if let Some(piece) = self.piece(value, refusal, out) {
            piece.complete(part, out);
        }
    }

    /// More of a thought. `raw` is the thought itself, which only counts if there is no summary.
    fn thought(&mut self, mut value: Value, is_raw: bool, out: &mut Vec<Event>) {
        let Some(Value::String(more)) = value.get_mut("delta").map(Value::take) else { return };
        let number = output_index(&value);
        let of = if is_raw { "content_index" } else { "summary_index" };
        let now = value.get(of).and_then(Value::as_u64).unwrap_or(0);
        let Some(live) = self.item(&value, Kind::Thought { index: None, part: None, raw: is_raw }) else {
            return;
        };
        let Kind::Thought { index, part, raw } = live.kind else { return };
        if index.is_some() && raw != is_raw {
            return;
        }
        let opened = index.or_else(|| self.open(Opening::Thinking, out));
        let Some(at) = opened else { return };
        if part.is_some_and(|part| part != now) {
            let delta = Delta::Text(PARAGRAPH.to_owned());
            out.push(Event::Delta { choice: 0, index: at, delta });
        }
        out.push(Event::Delta { choice: 0, index: at, delta: Delta::Text(more) });
        if let Some(live) = self.live.iter_mut().find(|live| live.number == number) {
            live.kind = Kind::Thought { index: opened, part: Some(now), raw: is_raw };
        }
    }

    fn arguments(&mut self, mut value: Value, out: &mut Vec<Event>) {
        let Some(Value::String(more)) = value.get_mut("delta").map(Value::take) else { return };
        let number = output_index(&value);
        let live = self.live.iter_mut().find(|live| live.number == number);
        if let Some(Live { kind: Kind::Call { index, said }, .. }) = live {
            *said |= !more.is_empty();
            out.push(Event::Delta { choice: 0, index: *index, delta: Delta::Text(more) });
        }
    }

    fn arguments_done(&mut self, value: &Value, name: &str, out: &mut Vec<Event>) {
        let number = output_index(value);
        if let Some(live) = self.live.iter_mut().find(|live| live.number == number) {
            live.complete_call(given::text(value, name), out);
        }
    }
}

fn output_index(value: &Value) -> u64 {
    value.get("output_index").and_then(Value::as_u64).unwrap_or(0)
}
