//! JSON text in and out, for bodies that become a tree.
//!
//! Three traps are handled here and nowhere else. Lone surrogate escapes (`\ud83d`) are real in streams but
//! no Rust string holds them: on the way in they become characters of a private plane (U+10D800 to U+10DFFF), on
//! the way out they are escapes again. U+2028, U+2029 and U+0085 end lines for some clients of event streams and
//! are always escaped. Bodies are read to a depth of 128.

use std::borrow::Cow;
use std::io;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::ser::{CharEscape, CompactFormatter, Formatter, Serializer};

use super::Fault;

/// What a lone surrogate's code is moved by.
const MOVED: u32 = 0x10_0000;

/// Reads a body.
pub(super) fn parse(body: &[u8]) -> Result<Value, Fault> {
    parse_as(body)
}

/// Reads a body into a type of its own: what it does not name costs nothing.
pub(super) fn parse_as<T: DeserializeOwned>(body: &[u8]) -> Result<T, Fault> {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    serde_json::from_slice(&mend(body)).map_err(|error| Fault::Json(error.to_string()))
}

/// Writes a value.
pub(super) fn json(value: &impl Serialize) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    write(value, &mut out);
    out
}

/// Writes a value behind what is there.
pub(super) fn write(value: &impl Serialize, out: &mut Vec<u8>) {
    // Writing to memory does not fail, and every map's keys are strings.
    let _ = value.serialize(&mut Serializer::with_formatter(out, Careful));
}

/// JSON as a text: arguments of a tool call.
pub(super) fn json_text(value: &Value) -> String {
    String::from_utf8(json(value)).unwrap_or_default()
}

/// Replaces escapes of lone surrogates by characters that a Rust string can hold.
fn mend(body: &[u8]) -> Cow<'_, [u8]> {
    let mut finder = memchr::memmem::find_iter(body, b"\\u");
    let mut out: Vec<u8> = Vec::new();
    let mut done = 0;
    let mut skip_until = 0;
    for at in finder.by_ref() {
        if at < skip_until || !begins_escape(body, at) {
            continue;
        }
        let Some(code) = escape(body, at).filter(|code| (0xD800..=0xDFFF).contains(code)) else { continue };
        let pair = escape(body, at + 6).filter(|low| (0xDC00..=0xDFFF).contains(low));
        if code < 0xDC00 && pair.is_some() {
            skip_until = at + 12;
            continue;
        }
        let Some(stand_in) = char::from_u32(MOVED + code) else { continue };
        out.extend_from_slice(body.get(done..at).unwrap_or_default());
        out.extend_from_slice(stand_in.encode_utf8(&mut [0; 4]).as_bytes());
        done = at + 6;
    }
    if done == 0 {
        return Cow::Borrowed(body);
    }
    out.extend_from_slice(body.get(done..).unwrap_or_default());
    Cow::Owned(out)
}

/// Whether the backslash there is not itself escaped.
fn begins_escape(body: &[u8], at: usize) -> bool {
    let before = body.get(..at).unwrap_or_default();
    before.iter().rev().take_while(|b| **b == b'\\').count() % 2 == 0
}

/// The code of the escape (`\u` and four digits) that stands there.
fn escape(body: &[u8], at: usize) -> Option<u32> {
    let digits = body.get(at..at.checked_add(6)?)?.strip_prefix(b"\\u")?;
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// Writes compact JSON with the escapes that event streams need.
struct Careful;

impl Formatter for Careful {
    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, out: &mut W, text: &str) -> io::Result<()> {
        // All of them begin with one of these bytes, which are rare in most texts.
        let mut rest = text;
        while let Some(at) = memchr::memchr3(0xC2, 0xE2, 0xF4, rest.as_bytes()) {
            let (head, tail) = rest.split_at(at);
            out.write_all(head.as_bytes())?;
            let Some(next) = tail.chars().next() else { break };
            match u32::from(next) {
                code @ (0x85 | 0x2028 | 0x2029) => write!(out, "\\u{code:04x}")?,
                code @ 0x10_D800..=0x10_DFFF => write!(out, "\\u{:04x}", code - MOVED)?,
                _ => out.write_all(tail.get(..next.len_utf8()).unwrap_or_default().as_bytes())?,
            }
            rest = tail.get(next.len_utf8()..).unwrap_or_default();
        }
        out.write_all(rest.as_bytes())
    }

    fn write_char_escape<W: ?Sized + io::Write>(
        &mut self,
        out: &mut W,
        escape: CharEscape,
    ) -> io::Result<()> {
        CompactFormatter.write_char_escape(out, escape)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn through(text: &str) -> String {
        json_text(&parse(text.as_bytes()).unwrap())
    }

    #[test]
    fn lone_surrogates_survive_and_pairs_are_characters() {
        assert_eq!(through(r#""a\ud83d b""#), r#""a\ud83d b""#);
        assert_eq!(through(r#""\ude00\ud83d""#), r#""\ude00\ud83d""#);
        assert_eq!(through(r#""\ud83d\ude00""#), "\"\u{1F600}\"");
        assert_eq!(through(r#""\ud83d\ud83d\ude00""#), "\"\\ud83d\u{1F600}\"");
        assert_eq!(through(r#""\\ud83d""#), r#""\\ud83d""#);
        assert_eq!(through(r#"{"\ud800":1}"#), r#"{"\ud800":1}"#);
    }

    #[test]
    fn line_ends_of_other_alphabets_are_escaped() {
        assert_eq!(
            through("\"a\u{2028}b\u{2029}c\u{85}d\u{e9}\u{20ac}\""),
            "\"a\\u2028b\\u2029c\\u0085d\u{e9}\u{20ac}\""
        );
    }

    #[test]
    fn deep_nesting_and_rubbish_are_faults() {
        assert!(parse("[".repeat(100_000).as_bytes()).is_err());
        assert!(parse(b"{\"a\":\xff}").is_err());
        assert!(parse(b"").is_err());
    }
}
