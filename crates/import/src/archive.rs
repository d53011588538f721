//! Files out of a zip, a tar or a gzipped tar, in memory, bounded by number and by what they unpack to.
//!
//! Only what is needed to get JSON out: no links, no rights, no names that lead anywhere. A zip is read by its central
//! directory; entries are stored or deflated.

use std::io::Read;

use flate2::read::{DeflateDecoder, GzDecoder};

use crate::plan::Fault;
use crate::{MAX_BYTES, MAX_FILES};

const TOO_LARGE: Fault = Fault::TooLarge("unpacked, at most 8 MiB");

/// A file of an archive.
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
}

/// Its files, if it is an archive.
pub(crate) fn unpack(bytes: &[u8]) -> Option<Result<Vec<Entry>, Fault>> {
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
        return Some(zip(bytes));
    }
    if bytes.starts_with(&[0x1f, 0x8b]) {
        return Some(gunzip(bytes));
    }
    is_tar(bytes).then(|| tar(bytes))
}

fn is_tar(bytes: &[u8]) -> bool {
    bytes.get(257..262) == Some(b"ustar")
}

fn gunzip(bytes: &[u8]) -> Result<Vec<Entry>, Fault> {
    let clear = inflate(GzDecoder::new(bytes), MAX_BYTES * 2)?;
    if is_tar(&clear) {
        return tar(&clear);
    }
    if clear.len() > MAX_BYTES {
        return Err(TOO_LARGE);
    }
    Ok(vec![Entry { name: "file".to_owned(), bytes: clear }])
}

fn inflate(reader: impl Read, most: usize) -> Result<Vec<u8>, Fault> {
    let mut clear = Vec::new();
    let bound = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    reader.take(bound).read_to_end(&mut clear).map_err(|_damaged| Fault::Archive("its data is damaged"))?;
    if clear.len() > most { Err(TOO_LARGE) } else { Ok(clear) }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<usize> {
    let piece: [u8; 2] = bytes.get(at..at.checked_add(2)?)?.try_into().ok()?;
    Some(usize::from(u16::from_le_bytes(piece)))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<usize> {
    let piece: [u8; 4] = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
    usize::try_from(u32::from_le_bytes(piece)).ok()
}

fn zip(bytes: &[u8]) -> Result<Vec<Entry>, Fault> {
    let damaged = || Fault::Archive("the directory of the zip is damaged");
    // The end record is 22 bytes plus a comment of at most 64 KiB.
    let from = bytes.len().saturating_sub(22 + 65_535);
    let tail = bytes.get(from..).unwrap_or_default();
    let end = (0..tail.len()).rev().find(|at| tail.get(*at..at + 4) == Some(b"PK\x05\x06"));
    let end = from + end.ok_or_else(damaged)?;
    let count = u16_at(bytes, end + 10).ok_or_else(damaged)?;
    let mut at = u32_at(bytes, end + 16).ok_or_else(damaged)?;
    if count > MAX_FILES {
        return Err(Fault::TooLarge("at most 2,000 files"));
    }
    let (mut entries, mut left) = (Vec::new(), MAX_BYTES);
    for _ in 0..count {
        let entry = zip_entry(bytes, &mut at, left).ok_or_else(damaged)??;
        if let Some(entry) = entry {
            left = left.saturating_sub(entry.bytes.len());
            entries.push(entry);
        }
    }
    Ok(entries)
}

/// One entry of the directory; `None` if it lies outside the file.
fn zip_entry(bytes: &[u8], at: &mut usize, left: usize) -> Option<Result<Option<Entry>, Fault>> {
    let head = *at;
    if bytes.get(head..head.checked_add(4)?)? != b"PK\x01\x02" {
        return None;
    }
    let flags = u16_at(bytes, head + 8)?;
    let method = u16_at(bytes, head + 10)?;
    let packed = u32_at(bytes, head + 20)?;
    let lengths = [u16_at(bytes, head + 28)?, u16_at(bytes, head + 30)?, u16_at(bytes, head + 32)?];
    let local = u32_at(bytes, head + 42)?;
    let name_end = (head + 46).checked_add(lengths[0])?;
    let name = String::from_utf8_lossy(bytes.get(head + 46..name_end)?).into_owned();
    *at = name_end.checked_add(lengths[1])?.checked_add(lengths[2])?;
    if name.ends_with('/') {
        return Some(Ok(None));
    }
    if flags & 1 == 1 {
        return Some(Err(Fault::Archive("the zip is locked with a password; unpack it first")));
    }
    let start = local.checked_add(30)?.checked_add(u16_at(bytes, local.checked_add(26)?)?)?;
    let start = start.checked_add(u16_at(bytes, local.checked_add(28)?)?)?;
    let data = bytes.get(start..start.checked_add(packed)?)?;
    let clear = match method {
        0 if data.len() > left => Err(TOO_LARGE),
        0 => Ok(data.to_vec()),
        8 => inflate(DeflateDecoder::new(data), left),
        _ => Err(Fault::Archive("the zip uses a method other than store and deflate")),
    };
    Some(clear.map(|bytes| Some(Entry { name, bytes })))
}

fn tar(bytes: &[u8]) -> Result<Vec<Entry>, Fault> {
    let damaged = || Fault::Archive("the tar is damaged");
    let (mut entries, mut at, mut left) = (Vec::new(), 0_usize, MAX_BYTES);
    let mut long_name = None;
    while let Some(head) = bytes.get(at..at + 512) {
        if head.iter().all(|byte| *byte == 0) {
            break;
        }
        let octal = head.get(124..136).and_then(|field| std::str::from_utf8(field).ok());
        let octal = octal.map(|text| text.trim_matches(['\0', ' ']));
        let size = octal.and_then(|text| usize::from_str_radix(text, 8).ok()).ok_or_else(damaged)?;
        let start = at + 512;
        let data = start.checked_add(size).and_then(|end| bytes.get(start..end)).ok_or_else(damaged)?;
        match head.get(156) {
            Some(b'0' | 0) => {
                left = left.checked_sub(size).ok_or(TOO_LARGE)?;
                let name = long_name.take().unwrap_or_else(|| short_name(head));
                entries.push(Entry { name, bytes: data.to_vec() });
            }
            Some(b'L') => long_name = Some(until_zero(data)),
            _ => long_name = None,
        }
        if entries.len() > MAX_FILES {
            return Err(Fault::TooLarge("at most 2,000 files"));
        }
        at = size
            .checked_next_multiple_of(512)
            .and_then(|size| start.checked_add(size))
            .ok_or_else(damaged)?;
    }
    Ok(entries)
}

fn short_name(head: &[u8]) -> String {
    let name = until_zero(head.get(..100).unwrap_or_default());
    let prefix = until_zero(head.get(345..500).unwrap_or_default());
    if prefix.is_empty() { name } else { format!("{prefix}/{name}") }
}

fn until_zero(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.split(|byte| *byte == 0).next().unwrap_or_default()).into_owned()
}
