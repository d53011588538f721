//! Claude at other vendors' (Amazon Bedrock, Google Vertex AI): what differs from Anthropic's own API in requests,
//! counts and errors.
//!
//! Only the outermost members of a body are touched; everything inside passes as it was written.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::error::to_bytes;
use crate::json::{Reader, field, text};

/// The body is no JSON object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the body is no JSON object")]
pub struct NoObject;

/// A request to Anthropic's API as another vendor wants it: with the version inside, without the members `left_out`
/// (the address says what they said). `betas` are the features that the caller asked for in a header where the vendor
/// takes them in the body; those that the body names already are not named twice.
pub fn request(body: &[u8], version: &str, left_out: &[&str], betas: &[&str]) -> Result<Vec<u8>, NoObject> {
    let mut reader = Reader::new(body);
    let mut more = reader.open_object().map_err(|_| NoObject)?;
    let mut out = Vec::with_capacity(body.len() + 96);
    out.extend_from_slice(b"{\"anthropic_version\":");
    out.extend_from_slice(&to_bytes(&Value::from(version)));
    let mut asked: Vec<Value> = Vec::new();
    while more {
        let key = reader.key().map_err(|_| NoObject)?;
        let value = reader.skip().map_err(|_| NoObject)?;
        more = reader.more_members().map_err(|_| NoObject)?;
        if key == b"anthropic_beta" && !betas.is_empty() {
            asked = serde_json::from_slice(value).unwrap_or_default();
        } else if key != b"anthropic_version" && !left_out.iter().any(|name| name.as_bytes() == key) {
            for part in [&b",\""[..], key, b"\":", value] {
                out.extend_from_slice(part);
            }
        }
    }
    reader.finish().map_err(|_| NoObject)?;
    if !betas.is_empty() {
        for beta in betas {
            if !asked.iter().any(|known| known == beta) {
                asked.push(Value::from(*beta));
            }
        }
        out.extend_from_slice(b",\"anthropic_beta\":");
        out.extend_from_slice(&to_bytes(&Value::from(asked)));
    }
    out.push(b'}');
    Ok(out)
}

/// A question for Bedrock's token count: the request inside, in base64.
pub fn bedrock_count(request: &[u8]) -> Vec<u8> {
    format!("{{\"input\":{{\"invokeModel\":{{\"body\":\"{}\"}}}}}}", STANDARD.encode(request)).into_bytes()
}

/// Bedrock's count as Anthropic gives it; `None` if it is none.
pub fn bedrock_counted(answer: &[u8]) -> Option<Vec<u8>> {
    let count: u64 = std::str::from_utf8(field(answer, "inputTokens")?).ok()?.parse().ok()?;
    Some(format!("{{\"input_tokens\":{count}}}").into_bytes())
}

/// Amazon's error answer as Anthropic words it. `kind` is the exception's name, from the header `x-amzn-errortype`
/// (what follows a colon there is left out). `None` if the body says nothing.
pub fn bedrock_error(status: u16, kind: &str, body: &[u8]) -> Option<Vec<u8>> {
    let own = ["__type", "code"].iter().find_map(|name| text::decode_lossy(field(body, name)?));
    let kind = if kind.is_empty() { own.unwrap_or_default() } else { kind.to_owned() };
    let kind = kind.split(':').next().unwrap_or_default();
    let kind = kind.rsplit('#').next().unwrap_or_default();
    let message = ["message", "Message"].iter().find_map(|name| text::decode_lossy(field(body, name)?))?;
    let error = serde_json::json!({
        "type": "error",
        "error": { "type": error_kind(kind, status), "message": message, "code": kind },
    });
    Some(to_bytes(&error))
}

/// The status that Anthropic would have given: Amazon says 403 of keys that it does not know and of signatures that are
/// wrong, and so of what only other keys can mend.
pub fn bedrock_status(status: u16, kind: &str) -> u16 {
    let kind = kind.split(':').next().unwrap_or_default();
    if status == 403 && error_kind(kind, 0) == "authentication_error" { 401 } else { status }
}

/// Anthropic's type for an exception of Amazon's; `status` decides where the name is unknown.
pub(crate) fn error_kind(exception: &str, status: u16) -> &'static str {
    let name = exception.to_ascii_lowercase();
    match name.strip_suffix("exception").unwrap_or(&name) {
        "throttling" | "toomanyrequests" | "limitexceeded" | "servicequotaexceeded" => "rate_limit_error",
        "serviceunavailable" | "modelnotready" => "overloaded_error",
        "validation" => "invalid_request_error",
        "resourcenotfound" => "not_found_error",
        "modeltimeout" => "timeout_error",
        "unrecognizedclient"
        | "invalidsignature"
        | "signaturedoesnotmatch"
        | "incompletesignature"
        | "missingauthenticationtoken"
        | "invalidclienttokenid"
        | "expiredtoken" => "authentication_error",
        "accessdenied" | "optinrequired" => "permission_error",
        _ => match status {
            400 | 413 => "invalid_request_error",
            401 => "authentication_error",
            403 => "permission_error",
            404 => "not_found_error",
            429 => "rate_limit_error",
            503 => "overloaded_error",
            _ => "api_error",
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: Vec<u8>) -> String {
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn only_what_the_address_says_is_left_out() {
        let body = r#" { "model":"claude-x", "stream" : true,"messages":[{"model":"inner","t":"\ud83d"}], "anthropic_version":"mine","n":1.50 } "#;
        let new = request(body.as_bytes(), "vertex-2023-10-16", &["model"], &[]).unwrap();
        assert_eq!(
            text(new),
            r#"{"anthropic_version":"vertex-2023-10-16","stream":true,"messages":[{"model":"inner","t":"\ud83d"}],"n":1.50}"#
        );
        let new = request(b"{}", "v", &["model"], &[]).unwrap();
        assert_eq!(text(new), r#"{"anthropic_version":"v"}"#);
    }

    #[test]
    fn features_are_named_once_in_the_body() {
        let body = br#"{"anthropic_beta":["a"],"messages":[]}"#;
        let new = text(request(body, "v", &[], &["a", "b"]).unwrap());
        assert_eq!(new, r#"{"anthropic_version":"v","messages":[],"anthropic_beta":["a","b"]}"#);
        let new = text(request(body, "v", &[], &[]).unwrap());
        assert_eq!(new, r#"{"anthropic_version":"v","anthropic_beta":["a"],"messages":[]}"#);
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for body in [&b"[]"[..], b"", b"{", b"{} x", b"{\"a\"}", b"nonsense"] {
            assert_eq!(request(body, "v", &[], &[]), Err(NoObject), "{body:?}");
        }
    }

    #[test]
    fn counts_travel_in_bedrocks_clothes_and_back() {
        let asked: Value = serde_json::from_slice(&bedrock_count(b"{\"a\":1}")).unwrap();
        assert_eq!(asked["input"]["invokeModel"]["body"], STANDARD.encode(b"{\"a\":1}"));
        assert_eq!(text(bedrock_counted(br#"{"inputTokens":12}"#).unwrap()), r#"{"input_tokens":12}"#);
        assert_eq!(bedrock_counted(br#"{"inputTokens":-1}"#), None);
    }

    #[test]
    fn amazons_errors_become_the_types_that_sdks_know() {
        for (status, kind, body, expected) in [
            (
                429,
                "ThrottlingException:http://internal.amazon.com/coral/",
                r#"{"message":"slow"}"#,
                "rate_limit_error",
            ),
            (403, "UnrecognizedClientException", r#"{"message":"no such token"}"#, "authentication_error"),
            (
                403,
                "",
                r#"{"__type":"com.amazon#InvalidSignatureException","message":"bad"}"#,
                "authentication_error",
            ),
            (403, "AccessDeniedException", r#"{"Message":"no"}"#, "permission_error"),
            (400, "ValidationException", r#"{"message":"bad"}"#, "invalid_request_error"),
            (404, "ResourceNotFoundException", r#"{"message":"no model"}"#, "not_found_error"),
            (424, "ModelErrorException", r#"{"message":"oh"}"#, "api_error"),
            (503, "", r#"{"message":"busy"}"#, "overloaded_error"),
        ] {
            let value: Value =
                serde_json::from_slice(&bedrock_error(status, kind, body.as_bytes()).unwrap()).unwrap();
            assert_eq!(value["error"]["type"], expected, "{status} {kind}");
        }
        assert_eq!(bedrock_error(500, "x", b"<html>"), None);
        assert_eq!(bedrock_status(403, "InvalidSignatureException:http://x"), 401);
        assert_eq!(bedrock_status(403, "AccessDeniedException"), 403);
        assert_eq!(bedrock_status(403, ""), 403);
    }
}
