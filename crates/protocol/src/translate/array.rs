//! Gemini's streams for callers who did not ask for events: one JSON array that grows.

/// Turns events into elements.
#[derive(Debug, Default)]
pub(super) struct Array {
    begun: bool,
}

impl Array {
    /// Writes whole events (`data: …` and a blank line) as elements behind `out`.
    pub(super) fn write(&mut self, events: &[u8], out: &mut Vec<u8>) {
        for line in events.split(|byte| *byte == b'\n').filter_map(|line| line.strip_prefix(b"data: ")) {
            out.extend_from_slice(if self.begun { b",\r\n" } else { b"[" });
            out.extend_from_slice(line);
            self.begun = true;
        }
    }

    /// Closes the array.
    pub(super) fn end(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(if self.begun { b"]" } else { b"[]" });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_become_elements() {
        let (mut array, mut out) = (Array::default(), Vec::new());
        array.write(b"data: {\"a\":1}\n\ndata: {\"b\":2}\n\n", &mut out);
        array.write(b"", &mut out);
        array.write(b"data: {\"c\":3}\n\n", &mut out);
        array.end(&mut out);
        assert_eq!(out, b"[{\"a\":1},\r\n{\"b\":2},\r\n{\"c\":3}]");
    }
}
