//! Server-sent events, incrementally.
//!
//! It splits bytes into events and understands nothing of what they carry. Ids and retry hints are ignored.

/// Most bytes of one event that are kept, fields of all lines together (and of one unfinished line).
pub const MAX_EVENT: usize = 8 * 1024 * 1024;

/// An event was larger than [`MAX_EVENT`]; it was left out, and reading can go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a server-sent event is larger than 8 MiB")]
pub struct TooBig;

/// Decodes a stream fed in pieces of any size.
///
/// Lines may end in `\n`, `\r\n` or `\r`; a byte order mark at the start is skipped.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts about the last byte, not one state")]
pub struct Decoder {
    /// An unfinished line carried over from earlier pieces.
    line: Vec<u8>,
    /// `event:` of the event being read.
    name: Vec<u8>,
    /// `data:` of the event being read, lines joined by `\n`.
    data: Vec<u8>,
    has_data: bool,
    /// The last byte was a `\r` that ended a line: a `\n` right after it belongs to it.
    after_cr: bool,
    /// How many bytes of a byte order mark were seen; 3 once the start is behind us.
    start: usize,
    /// The current event is too large: skip it.
    skipping: bool,
    /// The current line is too long: skip to its end.
    skipping_line: bool,
}

const BOM: [u8; 3] = [0xEF, 0xBB, 0xBF];

impl Decoder {
    /// A decoder at the start of a stream.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a piece and hands each event that it completes to `each`, as name (empty if none) and data.
    ///
    /// Events without data are not handed over. An event that is too large comes as [`TooBig`].
    pub fn feed(&mut self, piece: &[u8], mut each: impl FnMut(Result<(&[u8], &[u8]), TooBig>)) {
        let mut rest = self.skip_mark(piece);
        while !rest.is_empty() {
            if std::mem::take(&mut self.after_cr)
                && let Some(tail) = rest.strip_prefix(b"\n")
            {
                rest = tail;
                continue;
            }
            let Some(end) = memchr::memchr2(b'\n', b'\r', rest) else {
                self.keep(rest);
                return;
            };
            let (head, tail) = rest.split_at(end);
            self.after_cr = tail.first() == Some(&b'\r');
            rest = tail.get(1..).unwrap_or_default();
            if self.line.is_empty() && !self.skipping_line {
                // The common case: an event's only data line lies within this piece and the blank line
                // follows it, so nothing is copied.
                if !self.has_data
                    && !self.skipping
                    && let Some(data) = field(head, b"data")
                    && let Some((blank, after_cr)) = blank_line(rest, self.after_cr)
                {
                    each(if data.len() > MAX_EVENT { Err(TooBig) } else { Ok((&self.name, data)) });
                    self.name.clear();
                    self.after_cr = after_cr;
                    rest = rest.get(blank..).unwrap_or_default();
                    continue;
                }
                self.line(head, &mut each);
            } else {
                self.keep(head);
                let line = std::mem::take(&mut self.line);
                self.skipping_line = false;
                self.line(&line, &mut each);
                self.line = line;
                self.line.clear();
                // One giant line must not pin its memory for the rest of a long stream.
                self.line.shrink_to(64 * 1024);
            }
        }
    }

    /// Whether bytes of an event were read whose end has not come yet.
    pub fn mid_event(&self) -> bool {
        !self.line.is_empty() || self.skipping_line || self.skipping || self.has_data || !self.name.is_empty()
    }

    fn skip_mark<'a>(&mut self, piece: &'a [u8]) -> &'a [u8] {
        let mut rest = piece;
        while let Some(expected) = BOM.get(self.start) {
            match rest.split_first() {
                Some((byte, tail)) if byte == expected => {
                    self.start += 1;
                    rest = tail;
                }
                Some(_) => {
                    // Not a mark after all: what looked like one is the beginning of a line.
                    let seen = BOM.get(..self.start).unwrap_or_default();
                    self.line.extend_from_slice(seen);
                    self.start = BOM.len();
                }
                None => break,
            }
        }
        rest
    }

    fn keep(&mut self, bytes: &[u8]) {
        if self.skipping_line || self.line.len().saturating_add(bytes.len()) > MAX_EVENT {
            self.line = Vec::new();
            self.skipping_line = true;
            self.skipping = true;
            self.data = Vec::new();
            return;
        }
        self.line.extend_from_slice(bytes);
    }

    fn line(&mut self, line: &[u8], each: &mut impl FnMut(Result<(&[u8], &[u8]), TooBig>)) {
        if line.is_empty() {
            if std::mem::take(&mut self.skipping) {
                each(Err(TooBig));
            } else if self.has_data {
                each(Ok((&self.name, &self.data)));
            }
            self.name.clear();
            self.data.clear();
            self.data.shrink_to(64 * 1024);
            self.has_data = false;
        } else if let Some(data) = field(line, b"data") {
            if self.skipping || self.data.len().saturating_add(data.len()) >= MAX_EVENT {
                self.skipping = true;
                self.data = Vec::new();
                return;
            }
            if self.has_data {
                self.data.push(b'\n');
            }
            self.data.extend_from_slice(data);
            self.has_data = true;
        } else if let Some(name) = field(line, b"event") {
            self.name.clear();
            self.name.extend_from_slice(name.get(..256).unwrap_or(name));
        }
    }
}

/// The value of a line `name: value`, `name:value` or `name`.
fn field<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let rest = line.strip_prefix(name)?;
    match rest.split_first() {
        None => Some(rest),
        Some((b':', value)) => Some(value.strip_prefix(b" ").unwrap_or(value)),
        Some(_) => None,
    }
}

/// If a blank line follows: how many bytes to step over, and whether it ended in a bare `\r`.
fn blank_line(rest: &[u8], after_cr: bool) -> Option<(usize, bool)> {
    match (after_cr, rest) {
        (true, [b'\n', b'\r', b'\n', ..]) => Some((3, false)),
        (false, [b'\n', ..]) => Some((1, false)),
        // Everything else, a line end cut by the piece's end included, goes the slow way.
        _ => None,
    }
}

#[cfg(test)]
mod tests;
