//! Amazon's binary event stream (`application/vnd.amazon.eventstream`), turned into the server-sent events that
//! Claude writes elsewhere.
//!
//! A frame is: total length, length of its headers, checksum of these two; headers; payload; checksum of everything
//! before it (all numbers big-endian, both checksums CRC-32). A frame of Bedrock's carries one event of the dialect as
//! base64 in `{"bytes":"…"}`, or an exception. It keeps at most one frame in memory and knows nothing of connections.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::json;
use crate::json::text;

/// Most bytes of one frame. Amazon's own bound is 24 MiB; events of Claude are far smaller.
pub const MAX_FRAME: usize = 8 * 1024 * 1024;
/// Length, length of headers, checksum.
const PRELUDE: usize = 12;
/// Prelude and the last checksum: the shortest frame.
const SHORTEST: usize = PRELUDE + 4;

/// Why a stream cannot be read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadFrame {
    /// A length that no frame can have.
    #[error("a frame of the event stream says it is {0} bytes long")]
    Length(u32),
    /// A checksum over the frame's beginning or its whole that is wrong.
    #[error("a frame of the event stream is damaged (its checksum is wrong)")]
    Checksum,
    /// Headers that cannot be read.
    #[error("a frame of the event stream has headers that cannot be read")]
    Headers,
    /// A payload that is no event.
    #[error("a frame of the event stream holds no event")]
    Payload,
}

/// Decodes a stream fed in pieces of any size.
#[derive(Debug, Default)]
pub struct Decoder {
    /// The frame that has begun.
    held: Vec<u8>,
    failed: Option<BadFrame>,
}

impl Decoder {
    /// A decoder at the start of a stream.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a piece and appends the events that it completes to `out`. After a failure nothing more is read.
    pub fn feed(&mut self, piece: &[u8], out: &mut Vec<u8>) -> Result<(), BadFrame> {
        if let Some(fault) = self.failed {
            return Err(fault);
        }
        let mut rest = piece;
        loop {
            match self.step(&mut rest, out) {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(fault) => {
                    self.failed = Some(fault);
                    self.held = Vec::new();
                    return Err(fault);
                }
            }
        }
    }

    /// Whether the stream stopped inside a frame.
    pub fn is_mid_frame(&self) -> bool {
        !self.held.is_empty()
    }

    /// Takes what the present frame lacks; true if it was completed.
    fn step(&mut self, rest: &mut &[u8], out: &mut Vec<u8>) -> Result<bool, BadFrame> {
        if !self.fill(rest, PRELUDE) {
            return Ok(false);
        }
        let total = self.prelude()?;
        if !self.fill(rest, total) {
            return Ok(false);
        }
        read_frame(&self.held, out)?;
        self.held.clear();
        Ok(true)
    }

    /// Takes from `rest` until `wanted` bytes are held; false if there were too few.
    fn fill(&mut self, rest: &mut &[u8], wanted: usize) -> bool {
        let lacking = wanted.saturating_sub(self.held.len()).min(rest.len());
        let (taken, left) = rest.split_at(lacking);
        self.held.extend_from_slice(taken);
        *rest = left;
        self.held.len() >= wanted
    }

    /// The frame's length, checked before anything that long is waited for.
    fn prelude(&self) -> Result<usize, BadFrame> {
        let total = number(&self.held, 0).ok_or(BadFrame::Checksum)?;
        let sum = self.held.get(..8).map(crc32fast::hash);
        if sum != number(&self.held, 8) {
            return Err(BadFrame::Checksum);
        }
        let long = usize::try_from(total).unwrap_or(usize::MAX);
        if (SHORTEST..=MAX_FRAME).contains(&long) { Ok(long) } else { Err(BadFrame::Length(total)) }
    }
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at.checked_add(4)?)?;
    four.try_into().ok().map(u32::from_be_bytes)
}

fn read_frame(frame: &[u8], out: &mut Vec<u8>) -> Result<(), BadFrame> {
    let end = frame.len().saturating_sub(4);
    if frame.get(..end).map(crc32fast::hash) != number(frame, end) {
        return Err(BadFrame::Checksum);
    }
    let headers = number(frame, 4).and_then(|length| usize::try_from(length).ok()).unwrap_or(usize::MAX);
    let body = PRELUDE.saturating_add(headers);
    let (Some(headers), Some(payload)) = (frame.get(PRELUDE..body), frame.get(body..end)) else {
        return Err(BadFrame::Headers);
    };
    let headers = Headers::read(headers).ok_or(BadFrame::Headers)?;
    match headers.message_type {
        Some(b"event") => event(headers.event_type, payload, out),
        Some(b"exception") => {
            exception(&words(headers.exception_type), &message(payload), out);
            Ok(())
        }
        Some(b"error") => {
            exception(&words(headers.error_code), &words(headers.error_message), out);
            Ok(())
        }
        _ => Err(BadFrame::Headers),
    }
}

/// The headers that say what a frame is.
#[derive(Debug, Default)]
struct Headers<'a> {
    message_type: Option<&'a [u8]>,
    event_type: Option<&'a [u8]>,
    exception_type: Option<&'a [u8]>,
    error_code: Option<&'a [u8]>,
    error_message: Option<&'a [u8]>,
}

impl<'a> Headers<'a> {
    fn read(mut bytes: &'a [u8]) -> Option<Self> {
        let mut headers = Self::default();
        while !bytes.is_empty() {
            let name = take_short(&mut bytes)?;
            let kind = *take(&mut bytes, 1)?.first()?;
            let value = match kind {
                0 | 1 => &[][..],
                2 => take(&mut bytes, 1)?,
                3 => take(&mut bytes, 2)?,
                4 => take(&mut bytes, 4)?,
                5 | 8 => take(&mut bytes, 8)?,
                6 | 7 => {
                    let length = take(&mut bytes, 2)?;
                    let length = u16::from_be_bytes(length.try_into().ok()?);
                    take(&mut bytes, usize::from(length))?
                }
                9 => take(&mut bytes, 16)?,
                _ => return None,
            };
            match name {
                b":message-type" => headers.message_type = Some(value),
                b":event-type" => headers.event_type = Some(value),
                b":exception-type" => headers.exception_type = Some(value),
                b":error-code" => headers.error_code = Some(value),
                b":error-message" => headers.error_message = Some(value),
                _ => {}
            }
        }
        Some(headers)
    }
}

fn take<'a>(bytes: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (head, tail) = bytes.split_at_checked(count)?;
    *bytes = tail;
    Some(head)
}

fn take_short<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = *take(bytes, 1)?.first()?;
    take(bytes, usize::from(length))
}

fn words(value: Option<&[u8]>) -> String {
    String::from_utf8_lossy(value.unwrap_or_default()).into_owned()
}

/// One event of Claude's.
fn event(kind: Option<&[u8]>, payload: &[u8], out: &mut Vec<u8>) -> Result<(), BadFrame> {
    if kind != Some(b"chunk") {
        // `initial-response` and whatever may come: nothing that a caller knows.
        return Ok(());
    }
    let coded = json::field(payload, "bytes").and_then(text::decode_lossy).ok_or(BadFrame::Payload)?;
    let data = STANDARD.decode(coded.as_bytes()).map_err(|_| BadFrame::Payload)?;
    // A line's end inside would tear the event apart; JSON on the wire has none but as white space.
    let data: Vec<u8> = data.into_iter().filter(|byte| !matches!(byte, b'\n' | b'\r')).collect();
    let name = json::field(&data, "type").and_then(text::decode_lossy).ok_or(BadFrame::Payload)?;
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') {
        return Err(BadFrame::Payload);
    }
    write_event(&name, &data, out);
    Ok(())
}

/// An exception becomes the error event that the dialect knows, with its type translated.
fn exception(kind: &str, message: &str, out: &mut Vec<u8>) {
    let said = if message.is_empty() { kind } else { message };
    let error = serde_json::json!({
        "type": "error",
        "error": { "type": crate::hosted::error_kind(kind, 0), "message": said, "code": kind },
    });
    write_event("error", &crate::error::to_bytes(&error), out);
}

fn message(payload: &[u8]) -> String {
    json::field(payload, "message").and_then(text::decode_lossy).unwrap_or_default()
}

fn write_event(name: &str, data: &[u8], out: &mut Vec<u8>) {
    for part in [b"event: ", name.as_bytes(), b"\ndata: ", data, b"\n\n"] {
        out.extend_from_slice(part);
    }
}

#[cfg(test)]
mod tests;
