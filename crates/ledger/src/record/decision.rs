//! The decision in the JSON of a request's record, taken out as the text that it is. It reads nothing in it.

use memchr::memmem;

/// Takes the decision out of a record's payload; what is left is the record without it. `None`, and nothing changes,
/// if there is none that can be told from the rest.
///
/// It is the last member of every record that has one, and its name with bare quotes can stand in no text, only in an
/// object: if what follows is one object to the end, it is this one.
pub(super) fn cut_out(payload: &mut Vec<u8>) -> Option<Box<str>> {
    const NAME: &[u8] = b",\"decision\":";
    let at = memmem::find(payload, NAME)?;
    let value = payload.get(at.saturating_add(NAME.len())..)?.strip_suffix(b"}")?;
    let decision = std::str::from_utf8(value).ok().filter(|_| is_one_object(value))?.into();
    payload.truncate(at);
    payload.push(b'}');
    Some(decision)
}

/// Whether a piece of JSON is one object from its first byte to its last. It looks at brackets only: the piece is of a
/// record whose checksum was right.
fn is_one_object(piece: &[u8]) -> bool {
    if !piece.starts_with(b"{") {
        return false;
    }
    let (mut depth, mut in_text, mut escaped) = (0_u32, false, false);
    for (at, byte) in piece.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_text,
            b'"' => in_text = !in_text,
            _ if in_text => {}
            b'{' | b'[' => depth = depth.saturating_add(1),
            b'}' | b']' if depth <= 1 => return depth == 1 && at.saturating_add(1) == piece.len(),
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}
