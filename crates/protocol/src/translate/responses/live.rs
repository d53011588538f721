//! Items of a vendor's stream that have begun and not ended.

use crate::neutral::{Delta, Event, Part};

/// An item.
#[derive(Debug)]
pub(super) struct Live {
    /// Its place in the output.
    pub(super) number: u64,
    /// What it is.
    pub(super) kind: Kind,
    /// The content parts of a message.
    pub(super) pieces: Vec<Piece>,
}

/// What an item is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// A message.
    Message,
    /// A thought; its part is opened with the first words.
    Thought {
        /// Its part.
        index: Option<u32>,
        /// The part of the summary that came last.
        part: Option<u64>,
        /// The thought itself is told, not a summary.
        raw: bool,
    },
    /// A call.
    Call {
        /// Its part.
        index: u32,
        /// Whether any of its arguments were said.
        said: bool,
    },
    /// Told when it is complete.
    Other,
}

/// A content part of a message.
#[derive(Debug)]
pub(super) struct Piece {
    /// Its place in the message.
    pub(super) content: u64,
    /// Its part.
    pub(super) index: u32,
    /// Whether any of its words were said.
    pub(super) said: bool,
    /// Whether any of its annotations were said.
    pub(super) noted: bool,
    /// Whether it has ended.
    pub(super) closed: bool,
}

impl Piece {
    /// Says what was left out of it so far and ends it.
    pub(super) fn complete(&mut self, whole: Part, out: &mut Vec<Event>) {
        if std::mem::replace(&mut self.closed, true) {
            return;
        }
        let index = self.index;
        let (words, notes) = match whole {
            Part::Text { text, citations, .. } => (text, citations),
            Part::Refusal { text } => (text, Vec::new()),
            _ => (String::new(), Vec::new()),
        };
        if !self.said && !words.is_empty() {
            out.push(Event::Delta { choice: 0, index, delta: Delta::Text(words) });
        }
        if !self.noted {
            let notes = notes.into_iter().map(|(from, note)| Delta::Citation(from, note));
            out.extend(notes.map(|delta| Event::Delta { choice: 0, index, delta }));
        }
        out.push(Event::Close { choice: 0, index });
    }
}

impl Live {
    /// Says the arguments of a call if none were said so far.
    pub(super) fn complete_call(&mut self, whole: &str, out: &mut Vec<Event>) {
        if let Kind::Call { index, said } = &mut self.kind
            && !*said
            && !whole.is_empty()
        {
            *said = true;
            let delta = Delta::Text(whole.to_owned());
            out.push(Event::Delta { choice: 0, index: *index, delta });
        }
    }

    /// Ends what is still open.
    pub(super) fn close(&mut self, out: &mut Vec<Event>) {
        match self.kind {
            Kind::Call { index, .. } | Kind::Thought { index: Some(index), .. } => {
                out.push(Event::Close { choice: 0, index });
            }
            Kind::Message => {
                for piece in self.pieces.iter_mut().filter(|piece| !piece.closed) {
                    piece.closed = true;
                    out.push(Event::Close { choice: 0, index: piece.index });
                }
            }
            Kind::Thought { index: None, .. } | Kind::Other => {}
        }
    }
}
