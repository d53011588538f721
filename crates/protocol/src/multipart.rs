//! Finding `model` and its neighbours in a `multipart/form-data` body.
//!
//! It reads part headers and short text parts only; files are stepped over. Whatever two readers could
//! understand differently is refused.

use std::ops::Range;

use memchr::memmem;

use crate::probe::{DecodeError, Probe, check_n, checked_model};

/// Most parts in one body.
const MAX_PARTS: usize = 1_000;
/// Most bytes of one part's header.
const MAX_HEADER: usize = 8 * 1024;

/// One part: its name and where its content stands.
struct Part<'a> {
    name: &'a str,
    content: Range<usize>,
}

/// Reads model, stream and `n` from the parts.
pub(crate) fn probe(content_type: &str, body: &[u8]) -> Result<Probe, DecodeError> {
    let boundary = boundary(content_type)
        .ok_or(DecodeError::Multipart { offset: 0, what: "the content type names no usable boundary" })?;
    let mut found = Probe::default();
    let mut stream = false;
    walk(boundary, body, |part| {
        let offset = part.content.start;
        let once = |field, seen: bool| {
            if seen { Err(DecodeError::Duplicate { field, offset }) } else { Ok(true) }
        };
        let value = body.get(part.content.clone()).unwrap_or_default();
        match part.name {
            "model" => {
                once("model", found.model.is_some())?;
                let name = std::str::from_utf8(value).ok().map(str::to_owned);
                found.model = Some(checked_model(name, part.content.clone())?);
            }
            "stream" => {
                stream = once("stream", stream)?;
                found.stream = match value.trim_ascii() {
                    v if v.eq_ignore_ascii_case(b"true") || v == b"1" => true,
                    v if v.eq_ignore_ascii_case(b"false") || v == b"0" || v.is_empty() => false,
                    _ => return Err(DecodeError::Field { field: "stream", what: "must be true or false" }),
                };
            }
            "n" => {
                once("n", found.n.is_some())?;
                found.n = Some(check_n(value.trim_ascii())?);
            }
            "image" | "image[]" | "mask" => found.images = found.images.saturating_add(1),
            _ => {}
        }
        Ok(())
    })?;
    Ok(found)
}

fn walk<'a>(
    boundary: &str,
    body: &'a [u8],
    mut each: impl FnMut(Part<'a>) -> Result<(), DecodeError>,
) -> Result<(), DecodeError> {
    let delimiter = format!("\r\n--{boundary}");
    let finder = memmem::Finder::new(delimiter.as_bytes());
    // The first delimiter may stand at the very start, without the line end that belongs to the others.
    let first = delimiter.as_bytes().get(2..).unwrap_or_default();
    let mut at = if body.starts_with(first) {
        first.len()
    } else {
        finder.find(body).map(|i| i + delimiter.len()).ok_or_else(|| bad(0, "the boundary does not occur"))?
    };
    for _ in 0..=MAX_PARTS {
        let rest = body.get(at..).unwrap_or_default();
        if rest.starts_with(b"--") {
            return Ok(());
        }
        let padding = rest.iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
        let header_start = at + padding;
        if !body.get(header_start..).is_some_and(|r| r.starts_with(b"\r\n")) {
            return Err(bad(header_start, "expected a line end after the boundary"));
        }
        // The header ends at the first empty line; starting at the delimiter's own line end makes an
        // empty header the same case.
        let window_end = body.len().min(header_start + MAX_HEADER);
        let window = body.get(header_start..window_end).unwrap_or_default();
        let header_length = memmem::find(window, b"\r\n\r\n")
            .ok_or_else(|| bad(header_start, "a part's header is too long or does not end"))?;
        let header = window.get(..header_length).unwrap_or_default();
        let start = header_start + header_length + 4;
        // A part may be empty: then the empty line's own end is the delimiter's beginning.
        let search = start - 2;
        let found = finder
            .find(body.get(search..).unwrap_or_default())
            .ok_or_else(|| bad(start, "the last boundary is missing"))?;
        let end = search + found;
        let name = part_name(header).map_err(|what| bad(header_start, what))?;
        each(Part { name, content: start..end.max(start) })?;
        at = end + delimiter.len();
    }
    Err(bad(at, "more than 1000 parts"))
}

fn bad(offset: usize, what: &'static str) -> DecodeError {
    DecodeError::Multipart { offset, what }
}

/// The boundary of a content type, if it is a legal one (RFC 2046: 1 to 70 characters of a small set).
fn boundary(content_type: &str) -> Option<&str> {
    let mut found =
        parameters(content_type.split_once(';')?.1).filter(|(name, _)| name.eq_ignore_ascii_case("boundary"));
    let (_, value) = found.next()?;
    let legal = |b: u8| b.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&b);
    let good = (1..=70).contains(&value.len()) && value.bytes().all(legal) && !value.ends_with(' ');
    (good && found.next().is_none()).then_some(value)
}

/// The `name` of a part's `Content-Disposition`.
fn part_name(header: &[u8]) -> Result<&str, &'static str> {
    let header = std::str::from_utf8(header).map_err(|_| "a part's header is not UTF-8")?;
    let mut name = None;
    for line in header.split("\r\n").filter(|line| !line.is_empty()) {
        if line.contains(['\r', '\n', '\0']) {
            return Err("a part's header holds a bare line end");
        }
        let (field, value) = line.split_once(':').ok_or("a part's header has a line without a colon")?;
        if !field.trim().eq_ignore_ascii_case("content-disposition") {
            continue;
        }
        let tail = value.split_once(';').map_or("", |(_, tail)| tail);
        for (parameter, text) in parameters(tail) {
            if parameter.eq_ignore_ascii_case("name") && name.replace(text).is_some() {
                return Err("a part has two names");
            }
        }
    }
    name.ok_or("a part has no name")
}

/// `key=value; key="value"` pairs. A quoted value is given as it stands, escapes included.
fn parameters(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (name, tail) = rest.split_once('=')?;
        let name = name.trim_matches([' ', '\t', ';']);
        let tail = tail.trim_start();
        let (value, after) = if let Some(quoted) = tail.strip_prefix('"') {
            let mut escaped = false;
            let end = quoted.bytes().position(|b| {
                let closes = b == b'"' && !escaped;
                escaped = b == b'\\' && !escaped;
                closes
            })?;
            (quoted.get(..end)?, quoted.get(end + 1..)?)
        } else {
            let end = tail.find(';').unwrap_or(tail.len());
            (tail.get(..end)?.trim_end(), tail.get(end..)?)
        };
        rest = after;
        Some((name, value))
    })
}

#[cfg(test)]
mod tests;
