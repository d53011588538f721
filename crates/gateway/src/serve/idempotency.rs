//! `Idempotency-Key`: however often a caller sends a request under one key, it goes upstream once (C19, INV-9).
//!
//! Answers are not kept, so a request that was answered before is refused, not answered again. Which keys are used
//! is remembered in [`crate::used_keys`]; other instances on the same database learn of it only when they start.

use http::HeaderMap;
use sha2::{Digest as _, Sha256};
use types::ApiKeyId;
use types::request::RequestRecord;

use super::Ingress;
use crate::core::Core;
use crate::error::Refusal;
use crate::used_keys::{Claim, Digest, scope_of};

pub(super) const HEADER: &str = "idempotency-key";
/// Longest value of the header in bytes.
const LONGEST: usize = 255;

/// Claims the caller's key, if he sent one. A request without it costs one look at its headers.
pub(super) fn claim(
    core: &Core,
    ingress: &Ingress,
    key_id: ApiKeyId,
    record: &mut RequestRecord,
) -> Result<Option<Claim>, Refusal> {
    let Some(text) = header(&ingress.headers)? else { return Ok(None) };
    let (scope, content) = (scope_of(key_id, text), content_of(ingress));
    record.idempotency_key = Some(format!("{}:{}", hex::encode(scope), hex::encode(content)));
    let at = ingress.received.at;
    core.used_keys.claim(scope, content, key_id, ingress.request_id, at).map(Some)
}

/// The header's value, if there is one that can be a key.
fn header(headers: &HeaderMap) -> Result<Option<&[u8]>, Refusal> {
    let mut values = headers.get_all(HEADER).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let text = value.as_bytes();
    if values.next().is_some() || text.is_empty() || text.len() > LONGEST {
        return Err(malformed());
    }
    if text.iter().all(u8::is_ascii_graphic) { Ok(Some(text)) } else { Err(malformed()) }
}

fn malformed() -> Refusal {
    Refusal::bad_request(format!(
        "{HEADER}: expected one value of 1 to {LONGEST} visible ASCII characters without blanks"
    ))
    .with("field", HEADER)
}

/// What is asked: the path, with the model that a Gemini path names, and the body.
fn content_of(ingress: &Ingress) -> Digest {
    let model = ingress.path_model.as_deref().unwrap_or_default();
    let mut hash = Sha256::new();
    for part in [ingress.endpoint.as_str(), model] {
        // With its length in front, so that no part can pass for the end of another.
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    hash.chain_update(&ingress.body).finalize().into()
}

/// What goes upstream in place of the caller's header: two callers may choose the same text, and a vendor that
/// honours it would take them for one, because they share an account there (X33).
pub(super) fn upstream_key(record: &RequestRecord) -> Option<http::HeaderValue> {
    let (scope, _) = record.idempotency_key.as_deref()?.split_once(':')?;
    http::HeaderValue::from_str(scope).ok()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn c19_only_one_value_of_visible_ascii_is_a_key() {
        let read = |values: &[&[u8]]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(HEADER, HeaderValue::from_bytes(value).unwrap());
            }
            header(&headers)
                .map(|text| text.map(<[u8]>::to_vec))
                .map_err(|refusal| (refusal.status, refusal.code))
        };
        assert_eq!(read(&[]), Ok(None));
        for good in [&b"k"[..], b"!~", &[b'x'; 255]] {
            assert_eq!(read(&[good]), Ok(Some(good.to_vec())));
        }
        for bad in [&b""[..], b"two words", b"\xc3\xa4", b"a\tb", &[b'x'; 256]] {
            assert_eq!(read(&[bad]), Err((400, "invalid_request")), "{bad:?}");
        }
        assert_eq!(read(&[b"a", b"a"]), Err((400, "invalid_request")), "which one?");
        assert!(malformed().message.contains("idempotency-key"));
    }
}
