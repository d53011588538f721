//! The size of a picture, from the head of its file.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Characters of base64 that are looked at: the size of a photograph stands behind its notes.
const HEAD: usize = 256 * 1024;

/// Width and height in pixels of a PNG, JPEG, GIF or WebP in base64; `None` if it is something else.
pub(crate) fn size(data: &str) -> Option<(u64, u64)> {
    let head = data.as_bytes().get(..data.len().min(HEAD) / 4 * 4)?;
    let bytes = STANDARD.decode(head).ok()?;
    let size = png(&bytes).or_else(|| gif(&bytes)).or_else(|| webp(&bytes)).or_else(|| jpeg(&bytes))?;
    (size.0 > 0 && size.1 > 0).then_some(size)
}

fn big(bytes: &[u8], at: usize, len: usize) -> Option<u64> {
    Some(bytes.get(at..at + len)?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

fn little(bytes: &[u8], at: usize, len: usize) -> Option<u64> {
    Some(bytes.get(at..at + len)?.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

fn png(bytes: &[u8]) -> Option<(u64, u64)> {
    bytes.starts_with(b"\x89PNG\r\n\x1a\n").then_some(())?;
    Some((big(bytes, 16, 4)?, big(bytes, 20, 4)?))
}

fn gif(bytes: &[u8]) -> Option<(u64, u64)> {
    bytes.starts_with(b"GIF8").then_some(())?;
    Some((little(bytes, 6, 2)?, little(bytes, 8, 2)?))
}

fn webp(bytes: &[u8]) -> Option<(u64, u64)> {
    (bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP")).then_some(())?;
    match bytes.get(12..16)? {
        b"VP8X" => Some((little(bytes, 24, 3)? + 1, little(bytes, 27, 3)? + 1)),
        b"VP8L" => {
            let packed = little(bytes, 21, 4)?;
            Some(((packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1))
        }
        b"VP8 " => Some((little(bytes, 26, 2)? & 0x3FFF, little(bytes, 28, 2)? & 0x3FFF)),
        _ => None,
    }
}

fn jpeg(bytes: &[u8]) -> Option<(u64, u64)> {
    bytes.starts_with(b"\xff\xd8").then_some(())?;
    let mut at = 2;
    loop {
        if bytes.get(at) != Some(&0xFF) {
            return None;
        }
        match bytes.get(at + 1)? {
            0xFF => at += 1,
            // The heads of a frame, apart from tables that stand among their numbers.
            0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF => {
                return Some((big(bytes, at + 7, 2)?, big(bytes, at + 5, 2)?));
            }
            _ => at += 2 + usize::try_from(big(bytes, at + 2, 2)?).ok()?,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bytes: &[u8]) -> Option<(u64, u64)> {
        let mut padded = bytes.to_vec();
        padded.resize(bytes.len().next_multiple_of(3) + 30, 0);
        size(&STANDARD.encode(padded))
    }

    #[test]
    fn the_size_of_each_format_is_found_in_its_head() {
        assert_eq!(of(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x02\x80\0\0\x01\xe0"), Some((640, 480)));
        assert_eq!(of(b"GIF89a\x80\x02\xe0\x01"), Some((640, 480)));
        assert_eq!(of(b"RIFF\0\0\0\0WEBPVP8X\0\0\0\0\0\0\0\0\x7f\x02\0\xdf\x01\0"), Some((640, 480)));
        let jpeg = b"\xff\xd8\xff\xe0\0\x04ab\xff\xc0\0\x11\x08\x01\xe0\x02\x80";
        assert_eq!(of(jpeg), Some((640, 480)));
    }

    #[test]
    fn what_is_no_picture_has_no_size() {
        for bytes in [&b"%PDF-1.7"[..], b"", b"\xff\xd8\xff\xe0\0\0", b"\x89PNG\r\n\x1a\n"] {
            assert_eq!(of(bytes), None, "{bytes:?}");
        }
        assert_eq!(size("no base64!"), None);
    }
}
