//! Keeps the beginning of an event back until its end has come.
//!
//! If the upstream breaks off inside an event, its caller must never get the torn half: closed by a blank line it
//! would be an event that no SDK can parse, left open the error event would become a part of it.

use bytes::{Bytes, BytesMut};
use memchr::memmem;

/// Most that is kept back, in bytes. A longer event goes out as it comes.
const LONGEST: usize = 256 * 1024;

/// Where one event ends and the next begins (WHATWG HTML §9.2.6: lines end in LF, CR LF or CR).
const ENDS: [&[u8]; 3] = [b"\n\n", b"\r\n\r\n", b"\r\r"];

/// What is kept back of a stream.
#[derive(Debug, Default)]
pub(super) struct Holdback {
    held: BytesMut,
    /// Whether the caller has got the beginning of an event that was too long to keep.
    torn: bool,
}

impl Holdback {
    /// Takes a piece and gives what may go on. `inside` says whether the piece ends inside an event. A piece that
    /// ends between two events, as nearly all do, passes without a copy.
    pub(super) fn pass(&mut self, piece: Bytes, inside: bool) -> Option<Bytes> {
        if !inside {
            self.torn = false;
            if self.held.is_empty() {
                return Some(piece);
            }
            self.held.extend_from_slice(&piece);
            return self.rest();
        }
        self.held.extend_from_slice(&piece);
        let end = ENDS.iter().filter_map(|end| memmem::rfind(&self.held, end).map(|at| at + end.len())).max();
        if self.held.len() - end.unwrap_or(0) > LONGEST {
            self.torn = true;
            return self.rest();
        }
        let whole = self.held.split_to(end?);
        self.torn = false;
        Some(whole.freeze())
    }

    /// What is still kept, at the end of a stream that is whole.
    pub(super) fn rest(&mut self) -> Option<Bytes> {
        (!self.held.is_empty()).then(|| self.held.split().freeze())
    }

    /// Whether what has gone out so far ends inside an event.
    pub(super) fn is_torn(&self) -> bool {
        self.torn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pass(holdback: &mut Holdback, text: &'static str, inside: bool) -> Option<String> {
        holdback
            .pass(Bytes::from_static(text.as_bytes()), inside)
            .map(|b| String::from_utf8(b.to_vec()).unwrap())
    }

    #[test]
    fn only_whole_events_go_on_and_nothing_is_lost() {
        let mut holdback = Holdback::default();
        assert_eq!(pass(&mut holdback, "data: 1\n\n", false).unwrap(), "data: 1\n\n");
        assert_eq!(pass(&mut holdback, "data: 2\n\ndata: 3", true).unwrap(), "data: 2\n\n");
        assert_eq!(pass(&mut holdback, "\n", true), None);
        assert_eq!(pass(&mut holdback, "\ndata: 4\r\n\r\nda", true).unwrap(), "data: 3\n\ndata: 4\r\n\r\n");
        assert_eq!(pass(&mut holdback, "ta: 5\n\n", false).unwrap(), "data: 5\n\n");
        assert!(holdback.rest().is_none() && !holdback.is_torn());
    }

    #[test]
    fn an_event_that_is_too_long_goes_out_torn() {
        let mut holdback = Holdback::default();
        let long = Bytes::from(vec![b'x'; LONGEST + 1]);
        assert_eq!(holdback.pass(long, true).unwrap().len(), LONGEST + 1);
        assert!(holdback.is_torn());
        assert_eq!(pass(&mut holdback, "end\n\n", false).unwrap(), "end\n\n");
        assert!(!holdback.is_torn());
    }
}
