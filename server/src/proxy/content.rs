//! Which bodies are taken: JSON, and multipart where the dialect has it, both uncompressed.

use gateway::Refusal;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use types::dialect::Endpoint;

use super::paths::takes_multipart;

/// What the head says about the body; checked before the body is asked for.
pub(super) fn check_head(endpoint: Endpoint, headers: &HeaderMap) -> Result<(), Refusal> {
    let encoding = headers.get(CONTENT_ENCODING).map(|value| value.to_str().unwrap_or("?").trim());
    if let Some(encoding) = encoding.filter(|text| !text.is_empty() && !text.eq_ignore_ascii_case("identity"))
    {
        // A small compressed body can be a very large one; callers gain nothing from it on this side.
        return Err(unsupported(format!(
            "content-encoding {encoding} is not taken; send the body uncompressed"
        )));
    }
    let Some(value) = headers.get(CONTENT_TYPE) else { return Ok(()) };
    if value.as_bytes() == b"application/json" {
        return Ok(());
    }
    let text = value.to_str().unwrap_or("?");
    let kind = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let json = kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"));
    if json || (kind == "multipart/form-data" && takes_multipart(endpoint)) {
        return Ok(());
    }
    let expected = if takes_multipart(endpoint) {
        "multipart/form-data or application/json"
    } else {
        "application/json"
    };
    Err(unsupported(format!("content-type {kind} is not taken here; expected {expected}")))
}

/// Without a content type the body must look like JSON: `curl -d` users forget it.
pub(super) fn check_untyped(headers: &HeaderMap, body: &[u8]) -> Result<(), Refusal> {
    if headers.contains_key(CONTENT_TYPE) {
        return Ok(());
    }
    match body.iter().find(|byte| !byte.is_ascii_whitespace()) {
        None | Some(b'{') => Ok(()),
        Some(_) => Err(unsupported("the content-type is missing and the body is no JSON object".to_owned())),
    }
}

fn unsupported(message: String) -> Refusal {
    Refusal::new(415, "unsupported_media_type", message)
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn headers(name: HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_str(value).unwrap())])
    }

    #[test]
    fn fault_c12_only_json_and_multipart_are_taken() {
        for (endpoint, kind, good) in [
            (Endpoint::Messages, "application/json", true),
            (Endpoint::Messages, "Application/JSON; charset=utf-8", true),
            (Endpoint::Messages, "application/problem+json", true),
            (Endpoint::Messages, "text/plain", false),
            (Endpoint::Messages, "multipart/form-data; boundary=x", false),
            (Endpoint::Messages, "application/x-www-form-urlencoded", false),
            (Endpoint::Messages, "", false),
            (Endpoint::AudioTranscriptions, "multipart/form-data; boundary=x", true),
            (Endpoint::AudioTranscriptions, "application/json", true),
            (Endpoint::ImageEdits, "text/plain", false),
        ] {
            let outcome = check_head(endpoint, &headers(CONTENT_TYPE, kind));
            assert_eq!(
                outcome.map_err(|refusal| refusal.status),
                if good { Ok(()) } else { Err(415) },
                "{kind}"
            );
        }
    }

    #[test]
    fn fault_c12_a_missing_type_is_taken_if_the_body_is_json() {
        let none = HeaderMap::new();
        assert!(check_untyped(&none, b"  {\"model\":1}").is_ok());
        assert!(check_untyped(&none, b"").is_ok(), "the empty body is the probe's matter");
        assert_eq!(check_untyped(&none, b"model=1").unwrap_err().status, 415);
    }

    #[test]
    fn fault_c15_compressed_bodies_are_refused() {
        for (encoding, good) in
            [("identity", true), ("", true), ("gzip", false), ("gzip, identity", false), ("zstd", false)]
        {
            assert_eq!(
                check_head(Endpoint::Messages, &headers(CONTENT_ENCODING, encoding)).is_ok(),
                good,
                "{encoding}"
            );
        }
    }
}
