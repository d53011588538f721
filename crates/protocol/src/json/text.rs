//! Text of JSON strings: escapes undone.

/// The text of a JSON string (quotes included). `None` if it is no string, or holds a lone surrogate.
pub(crate) fn decode(raw: &[u8]) -> Option<String> {
    let (text, whole) = unescape(inner(raw)?)?;
    whole.then_some(text)
}

/// Like [`decode`], with U+FFFD for lone surrogates.
pub(crate) fn decode_lossy(raw: &[u8]) -> Option<String> {
    unescape(inner(raw)?).map(|(text, _)| text)
}

/// The text of a member name as the reader gives it (without quotes), if it can be told.
pub(crate) fn decode_key(raw: &[u8]) -> Option<String> {
    unescape(raw).map(|(text, _)| text)
}

/// What stands between the quotes; `None` if it is no string.
pub(crate) fn inner(raw: &[u8]) -> Option<&[u8]> {
    raw.strip_prefix(b"\"")?.strip_suffix(b"\"")
}

fn unescape(raw: &[u8]) -> Option<(String, bool)> {
    let mut text = String::with_capacity(raw.len());
    let mut whole = true;
    let mut rest = raw;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        let (plain, escape) = rest.split_at_checked(at)?;
        text.push_str(std::str::from_utf8(plain).ok()?);
        let (letter, tail) = escape.get(1..)?.split_first()?;
        rest = tail;
        text.push(match letter {
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let (unit, tail) = hex4(rest)?;
                rest = tail;
                if let Some(c) = char::from_u32(unit) {
                    c
                } else if let Some((c, tail)) = pair(unit, rest) {
                    rest = tail;
                    c
                } else {
                    whole = false;
                    char::REPLACEMENT_CHARACTER
                }
            }
            other => char::from(*other),
        });
    }
    text.push_str(std::str::from_utf8(rest).ok()?);
    Some((text, whole))
}

fn pair(high: u32, rest: &[u8]) -> Option<(char, &[u8])> {
    let (low, tail) = hex4(rest.strip_prefix(b"\\u")?)?;
    if !(0xD800..0xDC00).contains(&high) || !(0xDC00..0xE000).contains(&low) {
        return None;
    }
    char::from_u32(0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00)).map(|c| (c, tail))
}

fn hex4(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (digits, tail) = bytes.split_at_checked(4)?;
    let value = digits.iter().try_fold(0, |sum, d| Some(sum * 16 + char::from(*d).to_digit(16)?))?;
    Some((value, tail))
}
