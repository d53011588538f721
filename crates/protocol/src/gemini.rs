//! Gemini's paths: model and verb are in the URL, not in the body.
//!
//! It does not know which API versions are served.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::Endpoint;

// Everything but RFC 3986's unreserved characters, so that a model name can never add a path segment,
// a query or a second verb.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

const VERBS: [(&str, Endpoint); 5] = [
    ("generateContent", Endpoint::GeminiGenerate),
    ("streamGenerateContent", Endpoint::GeminiStream),
    ("countTokens", Endpoint::GeminiCountTokens),
    ("embedContent", Endpoint::GeminiEmbed),
    ("batchEmbedContents", Endpoint::GeminiBatchEmbed),
];

/// Splits what follows `/models/` (without query) into the decoded model name and the call.
///
/// `None` for an unknown verb, an empty or over-long (200 characters) name, or one with control characters.
pub fn parse_call(tail: &str) -> Option<(String, Endpoint)> {
    // Decode before splitting: some clients send the colon as %3A.
    let tail = percent_decode_str(tail).decode_utf8().ok()?;
    let (model, verb) = tail.rsplit_once(':')?;
    let (_, endpoint) = VERBS.iter().find(|(name, _)| *name == verb)?;
    crate::probe::valid_model(model).then(|| (model.to_owned(), *endpoint))
}

/// The path of a call, with the model name percent-encoded. `version` is `v1beta` or `v1`. An endpoint
/// that is no Gemini call gives the plain `…/models/{model}`.
pub fn call_path(version: &str, model: &str, endpoint: Endpoint) -> String {
    let model = utf8_percent_encode(model, SEGMENT);
    match VERBS.iter().find(|(_, e)| *e == endpoint) {
        Some((verb, _)) => format!("/{version}/models/{model}:{verb}"),
        None => format!("/{version}/models/{model}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wire_10_the_model_in_the_path_may_be_percent_encoded() {
        for (tail, model, endpoint) in [
            ("gemini-2.5-flash:streamGenerateContent", "gemini-2.5-flash", Endpoint::GeminiStream),
            ("gemini%2D2.5%2Dflash%3AgenerateContent", "gemini-2.5-flash", Endpoint::GeminiGenerate),
            ("org%2Fmodel:countTokens", "org/model", Endpoint::GeminiCountTokens),
            ("a:b:embedContent", "a:b", Endpoint::GeminiEmbed),
            ("%E6%A8%A1:batchEmbedContents", "模", Endpoint::GeminiBatchEmbed),
        ] {
            assert_eq!(parse_call(tail), Some((model.to_owned(), endpoint)), "{tail}");
        }
    }

    #[test]
    fn x21_bad_tails_are_no_calls() {
        for tail in [
            "gemini-2.5-flash",
            ":generateContent",
            "m:unknownVerb",
            "m%0d%0ax:generateContent",
            "m%ff:generateContent",
            "",
        ] {
            assert_eq!(parse_call(tail), None, "{tail}");
        }
        assert_eq!(parse_call(&format!("{}:generateContent", "m".repeat(201))), None);
    }

    #[test]
    fn wire_10_a_model_name_cannot_leave_its_path_segment() {
        assert_eq!(
            call_path("v1beta", "../x?key=1#:generateContent", Endpoint::GeminiStream),
            "/v1beta/models/..%2Fx%3Fkey%3D1%23%3AgenerateContent:streamGenerateContent"
        );
        for model in ["gemini-2.5-flash", "org/model", "a:b", "模 型", "50%"] {
            let path = call_path("v1", model, Endpoint::GeminiEmbed);
            let tail = path.strip_prefix("/v1/models/").unwrap();
            assert_eq!(parse_call(tail), Some((model.to_owned(), Endpoint::GeminiEmbed)));
        }
    }
}
