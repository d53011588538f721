//! One part after the other: most dialects cannot have two parts of an answer open at once.

use super::{Delta, Event};

/// Most bytes of parts that wait for their turn, over all answers of a stream.
const MAX_HELD: usize = 8 * 1024 * 1024;

/// More than 8 MiB of parts waited for another part to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the parts of the answer overlap by more than 8 MiB")]
pub struct Overlap;

/// Puts parts that overlap one after the other. Parts that do not overlap pass at once.
#[derive(Debug, Default)]
pub struct Sequence {
    lines: Vec<Line>,
    held: usize,
}

/// The parts of one answer.
#[derive(Debug)]
struct Line {
    choice: u32,
    open: Option<u32>,
    waiting: Vec<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    index: u32,
    events: Vec<Event>,
    closed: bool,
}

impl Sequence {
    /// For a stream that has not begun.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes an event and hands on what may be said now.
    ///
    /// # Errors
    /// [`Overlap`] if too much would have to be held back; the stream cannot go on.
    pub fn push(&mut self, event: Event, mut out: impl FnMut(Event)) -> Result<(), Overlap> {
        match event {
            Event::Open { choice, index, .. } => {
                let line = self.line(choice);
                if line.open.is_none() {
                    line.open = Some(index);
                    out(event);
                } else {
                    line.waiting.push(Waiting { index, events: vec![event], closed: false });
                }
            }
            Event::Delta { choice, index, ref delta } => {
                let size = delta.size();
                let line = self.line(choice);
                if line.open == Some(index) {
                    out(event);
                } else if let Some(waiting) = line.waiting.iter_mut().find(|w| w.index == index) {
                    waiting.events.push(event);
                    self.held = self.held.saturating_add(size);
                    if self.held > MAX_HELD {
                        return Err(Overlap);
                    }
                }
            }
            Event::Close { choice, index } => {
                let line = self.line(choice);
                if line.open == Some(index) {
                    line.open = None;
                    out(event);
                    line.promote(&mut out);
                } else if let Some(waiting) = line.waiting.iter_mut().find(|w| w.index == index) {
                    waiting.closed = true;
                }
            }
            Event::Stop { choice, .. } => {
                self.line(choice).flush(&mut out);
                out(event);
            }
            Event::End => {
                for line in &mut self.lines {
                    line.flush(&mut out);
                }
                out(event);
            }
            Event::Start { .. }
            | Event::Usage(_)
            | Event::ServiceTier(_)
            | Event::Logprobs { .. }
            | Event::Ping
            | Event::Error(_) => out(event),
        }
        Ok(())
    }

    fn line(&mut self, choice: u32) -> &mut Line {
        let place = self.lines.iter().position(|line| line.choice == choice);
        let place = place.unwrap_or_else(|| {
            self.lines.push(Line { choice, open: None, waiting: Vec::new() });
            self.lines.len() - 1
        });
        // The place was found or made just now.
        #[expect(clippy::indexing_slicing, reason = "the place exists")]
        &mut self.lines[place]
    }
}

impl Line {
    /// Lets those that wait pass, up to the first that is not complete.
    fn promote(&mut self, out: &mut impl FnMut(Event)) {
        while self.open.is_none() && !self.waiting.is_empty() {
            let next = self.waiting.remove(0);
            next.events.into_iter().for_each(&mut *out);
            if next.closed {
                out(Event::Close { choice: self.choice, index: next.index });
            } else {
                self.open = Some(next.index);
            }
        }
    }

    /// Ends everything that is open.
    fn flush(&mut self, out: &mut impl FnMut(Event)) {
        while let Some(index) = self.open.take() {
            out(Event::Close { choice: self.choice, index });
            self.promote(out);
        }
    }
}

impl Delta {
    /// Bytes, about.
    fn size(&self) -> usize {
        /// What an event takes besides its text.
        const BASE: usize = 64;
        BASE + match self {
            Self::Text(text) => text.len(),
            Self::Seal(seal) => seal.data.len(),
            Self::Citation(..) => 1024,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::neutral::{Opening, Stop, ToolKind};

    fn open(index: u32) -> Event {
        let opening = Opening::ToolCall {
            id: format!("call_{index}"),
            name: "f".into(),
            namespace: None,
            kind: ToolKind::Function,
        };
        Event::Open { choice: 0, index, opening }
    }

    fn more(index: u32, text: &str) -> Event {
        Event::Delta { choice: 0, index, delta: Delta::Text(text.into()) }
    }

    fn close(index: u32) -> Event {
        Event::Close { choice: 0, index }
    }

    fn run(events: Vec<Event>) -> Vec<Event> {
        let mut sequence = Sequence::new();
        let mut out = Vec::new();
        for event in events {
            sequence.push(event, |e| out.push(e)).unwrap();
        }
        out
    }

    #[test]
    fn calls_that_overlap_come_one_after_the_other_with_all_their_arguments() {
        let out = run(vec![
            open(0),
            open(1),
            more(0, "a"),
            more(1, "x"),
            more(0, "b"),
            close(1),
            more(0, "c"),
            close(0),
            open(2),
            Event::Stop { choice: 0, stop: Stop::ToolUse },
        ]);
        let stop = Event::Stop { choice: 0, stop: Stop::ToolUse };
        let wanted = vec![
            open(0),
            more(0, "a"),
            more(0, "b"),
            more(0, "c"),
            close(0),
            open(1),
            more(1, "x"),
            close(1),
            open(2),
            close(2),
            stop,
        ];
        assert_eq!(out, wanted);
    }

    #[test]
    fn what_does_not_overlap_passes_at_once() {
        let mut sequence = Sequence::new();
        for event in [open(0), more(0, "a"), close(0), open(1), more(1, "b")] {
            let mut out = Vec::new();
            sequence.push(event.clone(), |e| out.push(e)).unwrap();
            assert_eq!(out, vec![event]);
        }
    }

    #[test]
    fn an_overlap_without_end_is_refused() {
        let mut sequence = Sequence::new();
        sequence.push(open(0), drop).unwrap();
        sequence.push(open(1), drop).unwrap();
        let piece = "x".repeat(1024 * 1024);
        let refused = (0..16).any(|_| sequence.push(more(1, &piece), drop).is_err());
        assert!(refused);
    }
}
