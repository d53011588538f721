//! The face of Amazon Bedrock: binary frames in place of server-sent events, errors in Amazon's words, and the check
//! of signatures (written after Amazon's description, not after the gateway's code, so that both can be wrong only in
//! different ways).

use std::fmt::Write;

use bytes::Bytes;
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::request::Received;
use crate::say::Said;

/// Whether a request is for this face.
pub(crate) fn is_concerned(request: &Received) -> bool {
    request.path().starts_with("/model/") || request.path().contains("/foundation-models")
}

/// What Anthropic would say, as Amazon says it.
pub(crate) fn dressed(request: &Received, status: u16, mut said: Said) -> Said {
    if !is_concerned(request) {
        return said;
    }
    if said.content_type.starts_with("text/event-stream") {
        said.pieces = said.pieces.iter().filter_map(frame_of_event).collect();
        said.content_type = "application/vnd.amazon.eventstream";
        return said;
    }
    let whole = said.pieces.concat();
    if status >= 300 {
        let value: Value = serde_json::from_slice(&whole).unwrap_or_default();
        said.pieces = vec![json!({"message": value.pointer("/error/message")}).to_string().into()];
        said.error_type = Some(exception(status));
    } else if request.path().ends_with("/count-tokens") {
        said.pieces = vec![json!({"inputTokens": 42}).to_string().into()];
    }
    said
}

fn exception(status: u16) -> &'static str {
    match status {
        400 => "ValidationException",
        401 | 403 => "AccessDeniedException",
        404 => "ResourceNotFoundException",
        408 => "ModelTimeoutException",
        424 => "ModelErrorException",
        429 => "ThrottlingException",
        503 | 529 => "ServiceUnavailableException",
        _ => "InternalServerException",
    }
}

fn frame_of_event(event: &Bytes) -> Option<Bytes> {
    let text = std::str::from_utf8(event).ok()?;
    let (name, data) = text.strip_prefix("event: ")?.split_once("\ndata: ")?;
    let data = data.trim_end();
    if name == "error" {
        let value: Value = serde_json::from_str(data).ok()?;
        let kind = match value.pointer("/error/type").and_then(Value::as_str) {
            Some("rate_limit_error") => "throttlingException",
            Some("overloaded_error") => "serviceUnavailableException",
            Some("invalid_request_error") => "validationException",
            _ => "internalServerException",
        };
        let payload = json!({"message": value.pointer("/error/message")}).to_string();
        return Some(frame(&[(":exception-type", kind), (":message-type", "exception")], payload.as_bytes()));
    }
    let payload = json!({"bytes": base64(data.as_bytes()), "p": "abcdefgh"}).to_string();
    let headers =
        [(":event-type", "chunk"), (":content-type", "application/json"), (":message-type", "event")];
    Some(frame(&headers, payload.as_bytes()))
}

/// One frame of an event stream: lengths, checksum, headers (all of them texts), payload, checksum.
pub fn frame(headers: &[(&str, &str)], payload: &[u8]) -> Bytes {
    let mut head = Vec::new();
    for (name, value) in headers {
        head.push(u8::try_from(name.len()).unwrap_or(u8::MAX));
        head.extend_from_slice(name.as_bytes());
        head.push(7);
        head.extend_from_slice(&u16::try_from(value.len()).unwrap_or(u16::MAX).to_be_bytes());
        head.extend_from_slice(value.as_bytes());
    }
    let length = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX).to_be_bytes();
    let mut out = Vec::with_capacity(16 + head.len() + payload.len());
    out.extend_from_slice(&length(16 + head.len() + payload.len()));
    out.extend_from_slice(&length(head.len()));
    out.extend_from_slice(&crc32fast::hash(&out).to_be_bytes());
    out.extend_from_slice(&head);
    out.extend_from_slice(payload);
    out.extend_from_slice(&crc32fast::hash(&out).to_be_bytes());
    out.into()
}

fn base64(data: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(data)
}

/// An account of Amazon's whose signatures are checked.
#[derive(Clone, Debug, Default)]
pub struct AwsAccount {
    /// Public half.
    pub access_key_id: String,
    /// Secret half.
    pub secret_access_key: String,
    /// If set, each request must carry and sign it.
    pub session_token: Option<String>,
    /// The only region that it may sign for.
    pub region: String,
}

/// Checks a signature; the name of Amazon's exception and a message if it is not right.
pub(crate) fn check(
    request: &Received,
    accounts: &[AwsAccount],
    now_s: u64,
) -> Result<(), (&'static str, String)> {
    let deny = |kind, what: &str| Err((kind, what.to_owned()));
    let Some(text) = request.header("authorization") else {
        return deny("MissingAuthenticationTokenException", "Missing Authentication Token");
    };
    let part = |name: &str| {
        text.split([' ', ',']).find_map(|part| part.strip_prefix(name)?.strip_prefix('=')).unwrap_or_default()
    };
    let credential: Vec<&str> = part("Credential").split('/').collect();
    let [id, day, region, service, "aws4_request"] = credential.as_slice() else {
        return deny("IncompleteSignatureException", "the credential has another form");
    };
    let Some(account) = accounts.iter().find(|account| account.access_key_id == *id) else {
        return deny("UnrecognizedClientException", "The security token included in the request is invalid.");
    };
    if *region != account.region || *service != "bedrock" {
        return deny(
            "InvalidSignatureException",
            "Credential should be scoped to another region or service.",
        );
    }
    if request.header("x-amz-security-token") != account.session_token.as_deref() {
        return deny("UnrecognizedClientException", "The security token included in the request is invalid.");
    }
    let stamp = request.header("x-amz-date").unwrap_or_default();
    if !stamp.starts_with(day) || seconds(stamp).is_none_or(|at| at.abs_diff(now_s) > 300) {
        return deny("InvalidSignatureException", "Signature expired");
    }
    let names: Vec<&str> = part("SignedHeaders").split(';').collect();
    let needed = ["host", "x-amz-date"].iter().all(|name| names.contains(name))
        && (account.session_token.is_none() || names.contains(&"x-amz-security-token"));
    if !needed || !names.is_sorted() {
        return deny("InvalidSignatureException", "a header that has to be signed is not");
    }
    let mut canonical = format!("{}\n{}\n{}\n", request.method, twice(request.path()), query(request));
    for name in &names {
        let _ = writeln!(canonical, "{name}:{}", request.header(name).unwrap_or_default().trim());
    }
    let _ = write!(canonical, "\n{}\n{}", names.join(";"), hex::encode(Sha256::digest(&request.body)));
    let scope = format!("{day}/{region}/bedrock/aws4_request");
    let signed =
        format!("AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{}", hex::encode(Sha256::digest(canonical.as_bytes())));
    let key = format!("AWS4{}", account.secret_access_key).into_bytes();
    let key = [*day, *region, "bedrock", "aws4_request"].iter().fold(key, |key, part| mac(&key, part));
    if hex::encode(mac(&key, &signed)) == part("Signature") {
        Ok(())
    } else {
        deny(
            "InvalidSignatureException",
            "The request signature we calculated does not match the signature you provided.",
        )
    }
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let Ok(mut mac) = <Hmac<Sha256> as Mac>::new_from_slice(key) else { return Vec::new() };
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// The path as it came, escaped once more.
fn twice(path: &str) -> String {
    path.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}

fn query(request: &Received) -> String {
    let mut pairs: Vec<&str> =
        request.query().unwrap_or_default().split('&').filter(|p| !p.is_empty()).collect();
    pairs.sort_unstable();
    pairs.join("&")
}

/// `20150830T123600Z` as seconds since 1970.
fn seconds(stamp: &str) -> Option<u64> {
    let part = |from: usize, to: usize| stamp.get(from..to)?.parse::<u64>().ok();
    let (year, month, day) = (part(0, 4)?, part(4, 6)?, part(6, 8)?);
    let (hour, minute, second) = (part(9, 11)?, part(11, 13)?, part(13, 15)?);
    // Days since 1970 of the civil calendar, counted from March so that leap days come last.
    let (y, m) = if month > 2 { (year, month - 3) } else { (year.checked_sub(1)?, month + 9) };
    let days = y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day;
    let days = days.checked_sub(719_469)?;
    Some(((days * 24 + hour) * 60 + minute) * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_are_seconds() {
        assert_eq!(seconds("20150830T123600Z"), Some(1_440_938_160));
        assert_eq!(seconds("20240229T000000Z"), Some(1_709_164_800));
        assert_eq!(seconds("19700101T000000Z"), Some(0));
        assert_eq!(seconds("nonsense"), None);
    }
}
