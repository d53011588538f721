//! A vendor's stream of events.
//!
//! Repaired are: content before `message_start`, blocks that begin twice or never end, deltas of another kind
//! than their block, an end without a reason. Only `message_stop` ends it.

mod block;

use serde_json::Value;

use block::Block;

use super::stop::{self, Held};
use super::{thought, usage};
use crate::Dialect;
use crate::error::{UpstreamError, parse_upstream};
use crate::meter::Counted;
use crate::neutral::{Delta, Event, Opening, Sealed};
use crate::translate::{Fault, text};

/// Most parts of one answer that are believed.
const MAX_PARTS: u32 = 100_000;
/// Most blocks that may be open at once; the vendor never has more than one.
const MAX_OPEN: usize = 64;

/// Reads a stream.
#[derive(Debug, Default)]
pub(in crate::translate) struct Reader {
    started: bool,
    stopped: bool,
    ended: bool,
    /// The next part's number.
    next: u32,
    /// Blocks that are open.
    open: Vec<Block>,
    /// A proof that belongs to the block behind it.
    loose: Option<Sealed>,
    held: Held,
    counted: Counted,
    /// The counts that were passed on last.
    told: Option<types::request::TokenUsage>,
    tier: Option<String>,
}

impl Reader {
    /// Of a stream that has not begun.
    pub(in crate::translate) fn new() -> Self {
        Self::default()
    }

    /// Reads the data of one event.
    pub(in crate::translate) fn event(&mut self, data: &[u8], out: &mut Vec<Event>) -> Result<(), Fault> {
        let data = data.trim_ascii();
        if self.ended || data.is_empty() || data == b"[DONE]" {
            return Ok(());
        }
        let event = text::parse(data)?;
        match event.get("type").and_then(Value::as_str) {
            Some("message_start") => self.start(event.get("message"), out),
            Some("content_block_start") => self.block_start(event, out),
            Some("content_block_delta") => self.block_delta(&event, out),
            Some("content_block_stop") => {
                if let Some(at) = self.find(index(&event)) {
                    self.close(at, out);
                }
            }
            Some("message_delta") => self.message_delta(&event, out),
            Some("message_stop") => self.end(out),
            Some("ping") => out.push(Event::Ping),
            Some("error") => self.fail(data, out),
            // Some servers leave the type out of their errors.
            None if event.get("error").is_some_and(|error| !error.is_null()) => self.fail(data, out),
            Some(_) | None => {}
        }
        Ok(())
    }

    fn fail(&mut self, data: &[u8], out: &mut Vec<Event>) {
        self.ended = true;
        let error = parse_upstream(Dialect::Anthropic, data);
        out.push(Event::Error(
            error.unwrap_or_else(|| UpstreamError::unnamed("the upstream sent an error event")),
        ));
    }

    fn start(&mut self, message: Option<&Value>, out: &mut Vec<Event>) {
        self.count(message.and_then(|message| message.get("usage")));
        if self.started {
            return;
        }
        self.started = true;
        let word = |name: &str| message.and_then(|message| message.get(name)?.as_str()).unwrap_or_default();
        let usage = self.counted.usage();
        self.told = usage;
        out.push(Event::Start { id: word("id").to_owned(), model: word("model").to_owned(), usage });
    }

    fn count(&mut self, object: Option<&Value>) {
        usage::read(&mut self.counted, object);
        self.tier = usage::tier(object).or_else(|| self.tier.take());
    }

    fn find(&self, index: u64) -> Option<usize> {
        self.open.iter().position(|block| block.at == index)
    }

    fn block_start(&mut self, mut event: Value, out: &mut Vec<Event>) {
        let at = index(&event);
        if let Some(open) = self.find(at) {
            self.close(open, out);
        }
        let Some(content @ Value::Object(_)) = event.get_mut("content_block").map(Value::take) else {
            return;
        };
        if content.get("type").and_then(Value::as_str) == Some("redacted_thinking") {
            let seal = thought::redacted(content.get("data").and_then(Value::as_str).unwrap_or_default());
            if thought::belongs_to_next(&seal) {
                let earlier = self.loose.replace(seal);
                self.alone(earlier, out);
                return;
            }
        }
        if let Some(block) = Block::begin(at, content) {
            self.push(block, out);
        }
    }

    /// Opens a part.
    fn push(&mut self, mut block: Block, out: &mut Vec<Event>) -> Option<usize> {
        if self.stopped || self.next >= MAX_PARTS {
            return None;
        }
        if self.open.len() >= MAX_OPEN {
            self.close(0, out);
        }
        if !self.started {
            self.start(None, out);
        }
        if block.takes_proof() {
            block.seal = self.loose.take();
        } else {
            let loose = self.loose.take();
            self.alone(loose, out);
        }
        block.part = self.next;
        self.next += 1;
        self.held.calls |= block.is_call();
        block.open(out);
        self.open.push(block);
        Some(self.open.len() - 1)
    }

    /// A proof that turned out to stand for itself.
    fn alone(&mut self, seal: Option<Sealed>, out: &mut Vec<Event>) {
        let Some(seal) = seal.filter(|_| self.next < MAX_PARTS && !self.stopped) else { return };
        if !self.started {
            self.start(None, out);
        }
        let index = self.next;
        self.next += 1;
        out.push(Event::Open { choice: 0, index, opening: Opening::Thinking });
        out.push(Event::Delta { choice: 0, index, delta: Delta::Seal(seal) });
        out.push(Event::Close { choice: 0, index });
    }

    fn block_delta(&mut self, event: &Value, out: &mut Vec<Event>) {
        let at = index(event);
        let Some(delta) = event.get("delta") else { return };
        let kind = delta.get("type").and_then(Value::as_str).unwrap_or_default();
        let mut place = self.find(at);
        if let Some(open) = place
            && self.open.get(open).is_some_and(|block| !block.fits(kind))
        {
            // A thought inside a text's block, as some gateways write it, is a part of its own.
            if Block::of_delta(at, kind).is_none() {
                return;
            }
            self.close(open, out);
            place = None;
        }
        let place = place.or_else(|| self.push(Block::of_delta(at, kind)?, out));
        if let Some(block) = place.and_then(|open| self.open.get_mut(open)) {
            block.take(kind, delta, out);
        }
    }

    fn close(&mut self, open: usize, out: &mut Vec<Event>) {
        if open < self.open.len() {
            self.open.remove(open).close(out);
        }
    }

    fn close_all(&mut self, out: &mut Vec<Event>) {
        for block in std::mem::take(&mut self.open) {
            block.close(out);
        }
        let loose = self.loose.take();
        self.alone(loose, out);
    }

    fn message_delta(&mut self, event: &Value, out: &mut Vec<Event>) {
        self.count(event.get("usage"));
        let delta = event.get("delta");
        let word = |name: &str| delta.and_then(|delta| delta.get(name)?.as_str());
        if let Some(reason) = word("stop_reason") {
            self.stop(stop::read(reason, word("stop_sequence")), out);
        }
        self.tell(out);
    }

    fn stop(&mut self, stop: crate::neutral::Stop, out: &mut Vec<Event>) {
        if self.stopped {
            return;
        }
        self.close_all(out);
        if !self.started {
            self.start(None, out);
        }
        self.stopped = true;
        out.push(Event::Stop { choice: 0, stop });
    }

    /// Passes counts on that have changed.
    fn tell(&mut self, out: &mut Vec<Event>) {
        let usage = self.counted.usage();
        if usage != self.told {
            self.told = usage;
            out.extend(usage.map(Event::Usage));
        }
    }

    fn end(&mut self, out: &mut Vec<Event>) {
        // An end without a reason is still an end.
        let (reason, _) = stop::write(None, self.held);
        self.stop(stop::read(reason, None), out);
        self.tell(out);
        out.extend(self.tier.take().map(Event::ServiceTier));
        self.ended = true;
        out.push(Event::End);
    }
}

fn index(event: &Value) -> u64 {
    event.get("index").and_then(Value::as_u64).unwrap_or_default()
}
