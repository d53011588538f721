//! Compressing bodies.

use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

use crate::behaviour::Coding;

/// Largest stored block of Zstandard (RFC 8878, 3.1.1.2.4).
const ZSTD_BLOCK: usize = 128 * 1024;

/// Compresses. Writing into memory cannot fail; if it did, the answer would be empty and the test would see it.
pub fn encode(coding: Coding, plain: &[u8]) -> Bytes {
    let level = Compression::fast();
    let coded = match coding {
        Coding::Gzip => {
            let mut writer = GzEncoder::new(Vec::new(), level);
            writer.write_all(plain).and_then(|()| writer.finish())
        }
        Coding::Zlib => {
            let mut writer = ZlibEncoder::new(Vec::new(), level);
            writer.write_all(plain).and_then(|()| writer.finish())
        }
        Coding::Deflate => {
            let mut writer = DeflateEncoder::new(Vec::new(), level);
            writer.write_all(plain).and_then(|()| writer.finish())
        }
        Coding::Br => {
            let mut writer = brotli::CompressorWriter::new(Vec::new(), 4096, 5, 20);
            writer.write_all(plain).map(|()| writer.into_inner())
        }
        Coding::Zstd => Ok(stored_zstd(plain)),
    };
    coded.unwrap_or_default().into()
}

/// The name for `content-encoding`.
pub(crate) fn name(coding: Coding) -> &'static str {
    match coding {
        Coding::Gzip => "gzip",
        Coding::Zlib | Coding::Deflate => "deflate",
        Coding::Br => "br",
        Coding::Zstd => "zstd",
    }
}

/// A frame of stored blocks: magic, a descriptor without size or checksum, a window of 1 MiB, the blocks.
fn stored_zstd(plain: &[u8]) -> Vec<u8> {
    let mut out = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x50];
    let mut blocks = plain.chunks(ZSTD_BLOCK).peekable();
    if blocks.peek().is_none() {
        out.extend([1, 0, 0]);
    }
    while let Some(block) = blocks.next() {
        let last = u32::from(blocks.peek().is_none());
        let size = u32::try_from(block.len()).unwrap_or(0);
        out.extend((last | size << 3).to_le_bytes().iter().take(3));
        out.extend(block);
    }
    out
}
