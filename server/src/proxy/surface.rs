//! Which face of Tollgate a request looks at, so that even a refusal speaks the caller's language.

use http::{HeaderMap, Uri};
use protocol::models::{Shape, shape};
use types::dialect::Dialect;

/// Who reads the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Surface {
    /// A model client that expects errors of this dialect.
    Model(Dialect),
    /// A script: `{"error":{…}}`.
    Api,
    /// A person with a browser.
    Page,
}

impl Surface {
    /// Tells it by the path, and by headers where a path has several faces.
    pub fn of(uri: &Uri, headers: &HeaderMap) -> Self {
        let path = uri.path();
        let under = |prefix: &str| {
            path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if under("/v1beta") {
            return Self::Model(Dialect::Gemini);
        }
        if under("/responses") || under("/v1/responses") {
            return Self::Model(Dialect::OpenAiResponses);
        }
        if under("/v1/messages") {
            return Self::Model(Dialect::Anthropic);
        }
        if under("/v1") {
            return Self::Model(of_shape(path, uri.query(), headers));
        }
        let api = ["/api", "/rpc", "/live", "/livez", "/readyz", "/health", "/metrics"];
        if api.into_iter().any(under) { Self::Api } else { Self::Page }
    }
}

/// `/v1/models` and whatever is unknown under `/v1`: the headers that each vendor's SDK sends tell it.
fn of_shape(path: &str, query: Option<&str>, headers: &HeaderMap) -> Dialect {
    // `…/models/{model}:generateContent` under `/v1` is Google's newer SDK.
    if path.starts_with("/v1/models/") && path.contains(':') {
        return Dialect::Gemini;
    }
    let query_key = query.is_some_and(|query| query.split('&').any(|pair| pair.starts_with("key=")));
    let (anthropic, google) =
        (headers.contains_key("anthropic-version"), headers.contains_key("x-goog-api-key"));
    match shape(path, anthropic, google, query_key) {
        Shape::Anthropic => Dialect::Anthropic,
        Shape::Gemini => Dialect::Gemini,
        Shape::OpenAi => Dialect::OpenAiChat,
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn the_face_follows_from_path_and_headers() {
        let of = |target: &str, header: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            if let Some(name) = header {
                headers.insert(name, HeaderValue::from_static("x"));
            }
            Surface::of(&target.parse().unwrap(), &headers)
        };
        for (target, header, expected) in [
            ("/v1/messages", None, Surface::Model(Dialect::Anthropic)),
            ("/v1/messages/count_tokens", None, Surface::Model(Dialect::Anthropic)),
            ("/v1/chat/completions", None, Surface::Model(Dialect::OpenAiChat)),
            ("/v1/responses", None, Surface::Model(Dialect::OpenAiResponses)),
            ("/responses/compact", None, Surface::Model(Dialect::OpenAiResponses)),
            ("/v1beta/models/x:generateContent", None, Surface::Model(Dialect::Gemini)),
            ("/v1/models/x:generateContent", None, Surface::Model(Dialect::Gemini)),
            ("/v1/models", None, Surface::Model(Dialect::OpenAiChat)),
            ("/v1/models", Some("anthropic-version"), Surface::Model(Dialect::Anthropic)),
            ("/v1/models", Some("x-goog-api-key"), Surface::Model(Dialect::Gemini)),
            ("/v1/models?key=abc", None, Surface::Model(Dialect::Gemini)),
            ("/api/admin/users", None, Surface::Api),
            ("/rpc/user/list", None, Surface::Api),
            ("/", None, Surface::Page),
            ("/apidocs", None, Surface::Page),
            ("/responsesx", None, Surface::Page),
        ] {
            assert_eq!(of(target, header), expected, "{target}");
        }
    }
}
