//! Undoes compression that was never asked for.
//!
//! `accept-encoding: identity` goes upstream, yet some answer compressed all the same, with the header or (the
//! famous `\x1f`) without it. The header *and* the first bytes decide (UP-02). Both the size and the ratio of
//! what comes out are bounded, so that a bomb costs nothing (U23).

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_compression::tokio::bufread::{
    BrotliDecoder, DeflateDecoder, GzipDecoder, ZlibDecoder, ZstdDecoder,
};
use bytes::Bytes;
use futures_util::StreamExt;
use http::HeaderMap;
use http::header::CONTENT_ENCODING;
use tokio::io::{AsyncRead, BufReader};
use tokio_util::io::{ReaderStream, StreamReader};

use super::AnswerBody;

/// Bytes that may come out before the ratio is looked at.
const FREE_BYTES: u64 = 1024 * 1024;
/// How many times larger than what went in it may get.
const MAX_RATIO: u64 = 100;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    Gzip,
    Zlib,
    Deflate,
    Brotli,
    Zstd,
}

/// Why an answer's encoding cannot be undone.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EncodingError {
    /// A coding that nobody asked for and nobody knows, or several on top of each other.
    #[error("content-encoding '{0}' is not supported")]
    Unknown(String),
    /// The header promises one thing and the bytes are another.
    #[error("content-encoding says {coding}, but the body begins with {found}")]
    Mismatch {
        /// What the header said.
        coding: &'static str,
        /// The first bytes in hexadecimal.
        found: String,
    },
}

impl AnswerBody {
    /// Looks at the header and at the first piece, and puts a decoder in front of the body where one is needed.
    /// Removes `content-encoding` and `content-length` when it does.
    pub(crate) fn decoded(mut self, headers: &mut HeaderMap, first: Bytes) -> Result<Self, EncodingError> {
        let declared = headers
            .get(CONTENT_ENCODING)
            .map(|value| value.to_str().unwrap_or("?").trim().to_ascii_lowercase());
        let coding = match declared.as_deref() {
            None | Some("" | "identity") => sniff(&first),
            Some("gzip" | "x-gzip") => {
                Some(expect(Coding::Gzip, "gzip", &first, first.starts_with(&[0x1f, 0x8b]))?)
            }
            Some("zstd") => {
                Some(expect(Coding::Zstd, "zstd", &first, first.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]))?)
            }
            // RFC 9110 §8.4.1.2 means zlib; some servers send the bare deflate stream.
            Some("deflate") => Some(if is_zlib(&first) { Coding::Zlib } else { Coding::Deflate }),
            Some("br") => Some(Coding::Brotli),
            Some(other) => return Err(EncodingError::Unknown(other.chars().take(40).collect())),
        };
        self.put_back(first);
        let Some(coding) = coding else { return Ok(self) };
        headers.remove(CONTENT_ENCODING);
        headers.remove(http::header::CONTENT_LENGTH);
        let taken_in = Arc::new(AtomicU64::new(0));
        let counter = taken_in.clone();
        let input = BufReader::new(StreamReader::new(self.inspect(move |piece| {
            if let Ok(piece) = piece {
                counter.fetch_add(u64::try_from(piece.len()).unwrap_or(0), Ordering::Relaxed);
            }
        })));
        let output: std::pin::Pin<Box<dyn AsyncRead + Send>> = match coding {
            Coding::Gzip => Box::pin(GzipDecoder::new(input)),
            Coding::Zlib => Box::pin(ZlibDecoder::new(input)),
            Coding::Deflate => Box::pin(DeflateDecoder::new(input)),
            Coding::Brotli => Box::pin(BrotliDecoder::new(input)),
            Coding::Zstd => Box::pin(ZstdDecoder::new(input)),
        };
        let mut given_out = 0_u64;
        Ok(Self::stream(ReaderStream::new(output).map(move |piece| {
            let piece = piece?;
            given_out = given_out.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
            let allowed = taken_in.load(Ordering::Relaxed).saturating_mul(MAX_RATIO);
            if given_out > FREE_BYTES && given_out > allowed {
                return Err(io::Error::other("the compressed answer grows more than a hundredfold"));
            }
            Ok(piece)
        })))
    }
}

/// Compressed bytes without a header that says so.
fn sniff(first: &[u8]) -> Option<Coding> {
    if first.starts_with(&[0x1f, 0x8b]) {
        Some(Coding::Gzip)
    } else if first.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        Some(Coding::Zstd)
    } else {
        None
    }
}

/// RFC 1950 §2.2: method 8, and the header's 16 bits are a multiple of 31.
fn is_zlib(first: &[u8]) -> bool {
    matches!(first, [cmf, flg, ..] if cmf & 0x0f == 8 && (u16::from(*cmf) * 256 + u16::from(*flg)) % 31 == 0)
}

fn expect(coding: Coding, name: &'static str, first: &[u8], fits: bool) -> Result<Coding, EncodingError> {
    if fits {
        return Ok(coding);
    }
    Err(EncodingError::Mismatch { coding: name, found: hex::encode(first.get(..8).unwrap_or(first)) })
}
