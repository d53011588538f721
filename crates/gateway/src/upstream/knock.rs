//! Knocking: a question that costs nothing, to see whether a credential is accepted. It judges nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_ENCODING, HeaderName, HeaderValue};
use http::{HeaderMap, Method, Uri};
use serde_json::Value;
use types::Timestamp;

use super::probe::{dialect, present, read};
use super::{Call, Prepared, Upstreams, prepare};
use crate::authenticate::{Outgoing, Presented};
use crate::snapshot::{Credential, Provider};

/// What is asked where it is not the list of models, or not in the usual way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question<'a> {
    /// A whole address, or a path at the provider's own host; empty: the list of models.
    pub(crate) url: &'a str,
    pub(crate) headers: &'a BTreeMap<String, String>,
    /// The header that carries a key, and the word in front of it, in place of the usual one.
    pub(crate) carrier: Option<(&'a str, &'a str)>,
    /// Whether the answer itself is wanted.
    pub(crate) wants_body: bool,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Knock {
    pub(crate) status: http::StatusCode,
    pub(crate) headers: HeaderMap,
    /// What the upstream complained about, in an answer of whatever status.
    pub(crate) error: Option<protocol::error::UpstreamError>,
    /// Whether the body is JSON.
    pub(crate) is_json: bool,
    /// The body, if it was wanted and is JSON.
    pub(crate) body: Option<Value>,
    /// Whether there was no body at all.
    pub(crate) is_empty: bool,
}

/// Why nothing came back.
#[derive(Debug)]
pub(crate) enum NoKnock {
    /// There was nothing to present, or no request could be made of it.
    Unaskable(String),
    /// The network, a proxy or the upstream failed.
    NoAnswer(String),
}

/// Asks, by default for the model list.
pub(crate) async fn knock(
    upstreams: &Upstreams,
    (now, timeout_ms): (Timestamp, u64),
    provider: &Provider,
    credential: &Credential,
    question: Option<Question<'_>>,
) -> Result<Knock, NoKnock> {
    let first = request(now, provider, credential, question)?;
    let fetch = async |request: Prepared| {
        let answer = upstreams.fetch(provider, &credential.proxy, request).await;
        answer.map_err(|error| NoKnock::NoAnswer(error.to_string()))
    };
    let asked = async {
        let before = credential.gauge.vendor_ahead_ms();
        let mut answer = fetch(first).await?;
        credential.hear_refusal(answer.status, &answer.headers, now);
        if credential.gauge.vendor_ahead_ms() != before {
            // It was signed by another clock than the vendor's.
            answer = fetch(request(now, provider, credential, question)?).await?;
        }
        let (status, headers) = (answer.status, answer.headers.clone());
        let body = read(answer).await.map_err(|(_, message)| NoKnock::NoAnswer(message))?;
        let wanted = question.is_some_and(|question| question.wants_body);
        let value = if wanted { serde_json::from_slice::<Value>(&body).ok() } else { None };
        Ok(Knock {
            status,
            headers,
            error: protocol::error::parse_upstream(dialect(provider.spec.kind), &body),
            is_json: value.is_some() || serde_json::from_slice::<serde::de::IgnoredAny>(&body).is_ok(),
            body: value,
            is_empty: body.is_empty(),
        })
    };
    tokio::time::timeout(Duration::from_millis(timeout_ms), asked)
        .await
        .unwrap_or_else(|_| Err(NoKnock::NoAnswer(format!("no answer within {timeout_ms} ms"))))
}

fn request(
    now: Timestamp,
    provider: &Provider,
    credential: &Credential,
    question: Option<Question<'_>>,
) -> Result<Prepared, NoKnock> {
    let presented = present(credential, now).map_err(|(_, message)| NoKnock::Unaskable(message))?;
    let unaskable = |error: &dyn std::fmt::Display| NoKnock::Unaskable(error.to_string());
    let (kind, base_url) = (provider.spec.kind, provider.spec.base_url.as_str());
    let Some(question) = question.filter(|question| !question.url.is_empty()) else {
        let mut own = HeaderMap::new();
        if let Some(question) = question {
            add(question.headers, &mut own)?;
        }
        let list = Call::Models { after: None };
        let mut request = prepare(kind, base_url, &presented, &list, &HeaderMap::new(), Bytes::new())
            .map_err(|error| unaskable(&error))?;
        request.headers.extend(own);
        return Ok(request);
    };
    let uri: Uri =
        address(base_url, question.url).parse().map_err(|error: http::uri::InvalidUri| unaskable(&error))?;
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    add(question.headers, &mut headers)?;
    let method = Method::GET;
    if let (Some((name, word)), Presented::Key(key)) = (question.carrier, &presented) {
        let name = HeaderName::try_from(name).map_err(|error| unaskable(&error))?;
        let value = HeaderValue::from_str(&format!("{word}{}", key.expose()));
        let mut value =
            value.map_err(|_| unaskable(&"the credential holds characters that no header may carry"))?;
        value.set_sensitive(true);
        headers.insert(name, value);
    } else {
        let outgoing = Outgoing { method: &method, uri: &uri, body: &[], headers: &mut headers };
        presented.apply(kind, outgoing).map_err(|fault| unaskable(&fault))?;
    }
    Ok(Prepared { method, uri, headers, body: Bytes::new() })
}

fn add(more: &BTreeMap<String, String>, headers: &mut HeaderMap) -> Result<(), NoKnock> {
    for (name, value) in more {
        let pair = HeaderName::try_from(name).ok().zip(HeaderValue::from_str(value).ok());
        let (name, value) =
            pair.ok_or_else(|| NoKnock::Unaskable(format!("no header can be made of '{name}'")))?;
        headers.insert(name, value);
    }
    Ok(())
}

/// A path stands for one at the provider's own host: what is secret goes nowhere else unless an address says so.
fn address(base_url: &str, url: &str) -> String {
    if !url.starts_with('/') {
        return url.to_owned();
    }
    let host = base_url.find("://").map_or(0, |at| at + 3);
    let end = base_url.get(host..).and_then(|rest| rest.find('/')).map_or(base_url.len(), |at| host + at);
    format!("{}{url}", base_url.get(..end).unwrap_or(base_url))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hc_06_a_path_is_asked_for_at_the_providers_own_host() {
        for (base, url, expected) in [
            ("https://api.anthropic.com", "/api/oauth/usage", "https://api.anthropic.com/api/oauth/usage"),
            (
                "https://chatgpt.com/backend-api/codex",
                "/backend-api/x?a=1",
                "https://chatgpt.com/backend-api/x?a=1",
            ),
            ("http://[::1]:8080/v1/", "/u", "http://[::1]:8080/u"),
            ("https://relay.example/v1", "https://other.example/u", "https://other.example/u"),
        ] {
            assert_eq!(address(base, url), expected);
        }
    }
}
