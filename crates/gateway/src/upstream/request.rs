//! Puts a request together for one provider and credential: address, credential header, and an allow-list of the
//! caller's headers. The body is passed on as it is.

use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, HeaderValue, USER_AGENT};
use http::{HeaderMap, Method, Request, Uri};
use http_body_util::Full;
use types::dialect::Endpoint;
use types::provider::ProviderKind;

use super::SendError;
use super::address::address;
use super::hosted;
use crate::authenticate::{Outgoing, Presented};

/// A request that is ready for the wire. Its headers hold a secret.
#[derive(Clone)]
pub(crate) struct Prepared {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl std::fmt::Debug for Prepared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prepared")
            .field("method", &self.method)
            .field("uri", &self.uri)
            .finish_non_exhaustive()
    }
}

impl Prepared {
    /// A copy for hyper; the body is shared, not copied.
    pub(super) fn to_http(&self) -> Result<Request<Full<Bytes>>, SendError> {
        let mut request = Request::builder()
            .method(self.method.clone())
            .uri(self.uri.clone())
            .body(Full::new(self.body.clone()))
            .map_err(|error| SendError::Unsendable(error.to_string()))?;
        *request.headers_mut() = self.headers.clone();
        Ok(request)
    }
}

/// What to ask an upstream for.
#[derive(Clone, Debug)]
pub(crate) enum Call<'a> {
    /// One of the forwarded endpoints.
    Endpoint {
        endpoint: Endpoint,
        /// The name for the path (Gemini); elsewhere it is in the body.
        model: &'a str,
        gemini_version: &'static str,
        /// The caller's query.
        query: Option<&'a str>,
        /// Whether the answer is to come in pieces.
        stream: bool,
    },
    /// A page of the upstream's model list: the first, or the one after a mark.
    Models { after: Option<&'a str> },
}

/// Headers of the caller that an upstream may see, by name and by prefix. Everything else stays here: cookies,
/// credentials, forwarding headers, and whatever a proxy in front added.
const PASSED: &[&str] = &[
    "anthropic-version",
    "anthropic-beta",
    "openai-beta",
    "traceparent",
    "tracestate",
    "session-id",
    "session_id",
    "thread-id",
    "x-session-id",
    "x-client-request-id",
    "x-app",
    "x-goog-api-client",
    "originator",
];
const PASSED_PREFIXES: &[&str] = &["x-stainless-", "x-claude-code-", "x-codex-"];

/// Makes the request.
pub(crate) fn prepare(
    kind: ProviderKind,
    base_url: &str,
    presented: &Presented<'_>,
    call: &Call<'_>,
    caller: &HeaderMap,
    body: Bytes,
) -> Result<Prepared, SendError> {
    let text = address(kind, base_url, call);
    let uri: Uri =
        text.parse().map_err(|error: http::uri::InvalidUri| SendError::Unsendable(error.to_string()))?;
    let mut headers = HeaderMap::with_capacity(12);
    for (name, value) in caller {
        let text = name.as_str();
        if PASSED.contains(&text) || PASSED_PREFIXES.iter().any(|prefix| text.starts_with(prefix)) {
            headers.append(name, value.clone());
        }
    }
    for name in [CONTENT_TYPE, ACCEPT, USER_AGENT] {
        if let Some(value) = caller.get(&name) {
            headers.insert(name, value.clone());
        }
    }
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    if kind == ProviderKind::Anthropic && !headers.contains_key("anthropic-version") {
        headers.insert("anthropic-version", HeaderValue::from_static("2023-06-01"));
    }
    let body = hosted::body(kind, call, &mut headers, body)?;
    let method = if matches!(call, Call::Models { .. }) { Method::GET } else { Method::POST };
    let outgoing = Outgoing { method: &method, uri: &uri, body: &body, headers: &mut headers };
    presented.apply(kind, outgoing).map_err(|fault| SendError::Unsendable(fault.to_string()))?;
    Ok(Prepared { method, uri, headers, body })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(endpoint: Endpoint, query: Option<&'static str>) -> Call<'static> {
        Call::Endpoint { endpoint, model: "m-1", gemini_version: "v1beta", query, stream: false }
    }

    #[test]
    fn t_hdr_only_listed_headers_pass_and_the_callers_key_never_does() {
        let mut caller = HeaderMap::new();
        for (name, value) in [
            ("authorization", "Bearer sk-tg-callers"),
            ("x-api-key", "sk-tg-callers"),
            ("x-goog-api-key", "sk-tg-callers"),
            ("cookie", "a=b"),
            ("x-forwarded-for", "1.2.3.4"),
            ("connection", "keep-alive, x-secret"),
            ("accept-encoding", "gzip, br"),
            ("host", "tollgate.example"),
            ("content-length", "3"),
            ("te", "trailers"),
            ("anthropic-beta", "one,two"),
            ("x-stainless-timeout", "600"),
            ("content-type", "application/json"),
        ] {
            caller.append(name, value.parse().unwrap());
        }
        let secret = types::Secret::new("upstream-key".to_owned());
        let prepared = prepare(
            ProviderKind::Anthropic,
            "http://u",
            &Presented::Key(&secret),
            &call(Endpoint::Messages, None),
            &caller,
            Bytes::new(),
        )
        .unwrap();
        let mut names: Vec<_> = prepared.headers.keys().map(http::HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(
            names,
            [
                "accept-encoding",
                "anthropic-beta",
                "anthropic-version",
                "content-type",
                "x-api-key",
                "x-stainless-timeout"
            ]
        );
        assert_eq!(prepared.headers["x-api-key"], "upstream-key");
        assert_eq!(prepared.headers["accept-encoding"], "identity");
        assert!(!format!("{prepared:?}").contains("upstream-key"));
    }
}
