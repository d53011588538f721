//! Whether an answer that has begun is worth opening: the first real content, or a failure before it.
//!
//! It keeps no bytes beyond one unfinished event and decides nothing: holding back, waiting and switching are the
//! gateway's.

use crate::Endpoint;
use crate::error::UpstreamError;

/// What is known of an answer's beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opening {
    /// Nothing but greetings, pings and empty pieces so far.
    Hold,
    /// Real content, or a regular end.
    Content,
    /// An error came before any content.
    Failed(UpstreamError),
    /// Something that is no answer of this dialect, in a word: `empty`, `cut`, `html`, `not_json`, `not_events`,
    /// `too_big`.
    Malformed(&'static str),
}

/// Listens to the beginning of one answer. Feed it the decoded body in pieces of any size.
#[derive(Debug)]
pub struct Gate {
    endpoint: Endpoint,
    sse: bool,
    opening: Opening,
}

impl Gate {
    /// A gate for one answer. `sse`: the upstream announced events (by content type or by what was asked for).
    pub fn new(endpoint: Endpoint, sse: bool) -> Self {
        Self { endpoint, sse, opening: Opening::Hold }
    }

    /// Listens to a piece. Once it is anything but [`Opening::Hold`] it stays so.
    pub fn feed(&mut self, piece: &[u8]) -> Opening {
        if self.opening == Opening::Hold && !piece.is_empty() && (self.sse || self.endpoint.is_count()) {
            self.opening = Opening::Content;
        }
        self.opening.clone()
    }

    /// The verdict at the end of the answer; never [`Opening::Hold`].
    pub fn finish(&mut self) -> Opening {
        if self.opening == Opening::Hold { Opening::Malformed("empty") } else { self.opening.clone() }
    }
}
