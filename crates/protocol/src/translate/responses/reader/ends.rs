//! Ends of items and of the answer.

use serde_json::Value;

use super::super::live::{Kind, Live};
use super::super::parts::{Carried, carried};
use super::super::{given, usage};
use super::{Reader, output_index};
use crate::neutral::{Delta, Event, Part};

impl Reader {
    pub(super) fn done(&mut self, mut value: Value, out: &mut Vec<Event>) {
        let number = output_index(&value);
        let Some(item) = value.get_mut("item").map(Value::take).filter(Value::is_object) else { return };
        self.start(None, out);
        let Some(place) = self.live.iter().position(|live| live.number == number) else {
            self.unheard(number, item, out);
            return;
        };
        let live = self.live.swap_remove(place);
        self.finish(live, item, out);
    }

    fn finish(&mut self, mut live: Live, item: Value, out: &mut Vec<Event>) {
        match live.kind {
            Kind::Message => self.message_done(live, &item, out),
            Kind::Call { index, .. } => {
                let said = if item.get("input").is_some() { "input" } else { "arguments" };
                live.complete_call(given::text(&item, said), out);
                out.push(Event::Close { choice: 0, index });
            }
            Kind::Thought { index: Some(index), .. } => {
                if let Some(Part::Thinking { seal: Some(seal), .. }) = given::thought(&item) {
                    out.push(Event::Delta { choice: 0, index, delta: Delta::Seal(seal) });
                }
                out.push(Event::Close { choice: 0, index });
            }
            Kind::Thought { index: None, .. } | Kind::Other => self.tell(item, live.number, out),
        }
    }

    fn message_done(&mut self, mut live: Live, item: &Value, out: &mut Vec<Event>) {
        for (content, part) in (0_u64..).zip(given::list(item, "content")) {
            let Some(part) = given::content(part) else { continue };
            match live.pieces.iter_mut().find(|piece| piece.content == content) {
                Some(piece) => piece.complete(part, out),
                None => self.whole(part, out),
            }
        }
        live.close(out);
    }

    /// An item that only comes when it is complete.
    fn unheard(&mut self, number: u64, item: Value, out: &mut Vec<Event>) {
        if self.begin(number, Kind::Other).is_some() {
            let id = given::text(&item, "id");
            if !id.is_empty() {
                self.ids.insert(id.to_owned());
            }
            self.live.retain(|live| live.number != number);
            self.tell(item, number, out);
        }
    }

    fn tell(&mut self, item: Value, number: u64, out: &mut Vec<Event>) {
        let (mut parts, mut logprobs) = (Vec::new(), Vec::new());
        given::parts(item, usize::try_from(number).unwrap_or(0), &mut parts, &mut logprobs);
        for part in parts {
            match part {
                Part::Thinking { text, seal: Some(seal) } if text.is_empty() => match carried(seal) {
                    Carried::OfCall(seal) => {
                        if let Some(seal) = self.proof.replace(seal) {
                            let part = Part::Thinking { text: String::new(), seal: Some(seal) };
                            self.whole(part, out);
                        }
                    }
                    // Its text has been closed; a text can do without.
                    Carried::OfText(_) => {}
                    Carried::Thought(seal) => self.whole(Part::Thinking { text, seal: Some(seal) }, out),
                },
                part => self.whole(part, out),
            }
        }
        if !self.likely {
            self.probable(logprobs, out);
        }
    }

    pub(super) fn end(&mut self, response: Option<Value>, out: &mut Vec<Event>) {
        let mut response = response.unwrap_or_default();
        self.start(Some(&response), out);
        let mut items = match response.get_mut("output").map(Value::take) {
            Some(Value::Array(items)) => items,
            _ => Vec::new(),
        };
        for mut live in std::mem::take(&mut self.live) {
            let whole = usize::try_from(live.number).ok().and_then(|n| items.get_mut(n)).map(Value::take);
            match whole {
                Some(item @ Value::Object(_)) => self.finish(live, item, out),
                _ => live.close(out),
            }
        }
        for (number, item) in (0_u64..).zip(items) {
            if !self.likely {
                let likely =
                    given::list(&item, "content").iter().flat_map(|part| given::list(part, "logprobs"));
                self.probable(likely.cloned().collect(), out);
            }
            // Some servers leave items out of the stream, and others number them in a way of their own.
            if !self.seen.contains(&number) && !self.ids.contains(given::text(&item, "id")) {
                self.unheard(number, item, out);
            }
        }
        if let Some(seal) = self.proof.take() {
            self.whole(Part::Thinking { text: String::new(), seal: Some(seal) }, out);
        }
        self.ended = true;
        if let Some(stop) = given::stop(&response, self.called) {
            out.push(Event::Stop { choice: 0, stop });
        }
        out.extend(usage::read(response.get("usage")).map(Event::Usage));
        out.extend(given::tier(&response).map(Event::ServiceTier));
        out.push(Event::End);
    }
}
