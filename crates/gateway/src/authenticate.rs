//! What a credential presents to an upstream: an API key, an access token, an AWS key.
//!
//! It decides which header carries what for which kind of provider. It fetches no token and chooses no credential.

use std::sync::Arc;

use http::header::{AUTHORIZATION, HeaderName, HeaderValue, InvalidHeaderValue};
use http::{HeaderMap, Method, Uri};
use types::provider::ProviderKind;
use types::{Secret, Timestamp};

mod sigv4;
mod slot;

pub(crate) use sigv4::{AwsKey, Unsigned, region_of};
pub(crate) use slot::{AccessToken, Flown, TokenSlot, TokenSlots};

/// Put where a secret stood.
const INSTEAD: &str = "[redacted]";
/// Texts shorter than this are no secret that anybody could find, and would tear words apart.
const SHORTEST: usize = 8;

/// How a credential authenticates, with the opened material.
#[derive(Debug)]
pub(crate) enum Auth {
    /// A key that is sent as it is.
    Key(Secret<String>),
    /// An access token that is replaced from time to time.
    Token(Arc<TokenSlot>),
    /// Keys that each request is signed with.
    Aws(Box<AwsKey>),
    /// What is stored cannot be decrypted: nothing may be sent.
    Unreadable,
}

/// What goes upstream with one request.
#[derive(Clone, Debug)]
pub(crate) enum Presented<'a> {
    /// A key, in the header that the kind of provider wants.
    Key(&'a Secret<String>),
    /// An access token, as a bearer whatever the kind.
    Bearer(Arc<AccessToken>),
    /// A signature over the whole request, as of an instant.
    Aws(&'a AwsKey, Timestamp),
}

/// A request that is ready but for what is presented.
#[derive(Debug)]
pub(crate) struct Outgoing<'a> {
    pub(crate) method: &'a Method,
    pub(crate) uri: &'a Uri,
    pub(crate) body: &'a [u8],
    pub(crate) headers: &'a mut HeaderMap,
}

/// Why something could not be presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unpresented {
    #[error("the credential holds characters that no header may carry")]
    Malformed,
    #[error("AWS keys go to Amazon Bedrock only")]
    WrongKind,
    #[error(transparent)]
    Unsigned(#[from] Unsigned),
}

impl From<InvalidHeaderValue> for Unpresented {
    fn from(_: InvalidHeaderValue) -> Self {
        Self::Malformed
    }
}

/// Why a credential has nothing to present.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unpresentable {
    #[error("its credential cannot be decrypted")]
    Unreadable,
    #[error("its access token has to be fetched first")]
    NoToken,
    #[error("its access token has expired")]
    Expired,
}

impl Auth {
    /// Whether there is anything that could be used, now or after a token was fetched.
    pub(crate) fn is_readable(&self) -> bool {
        !matches!(self, Self::Unreadable)
    }

    /// What to send now.
    pub(crate) fn presented(&self, now: Timestamp) -> Result<Presented<'_>, Unpresentable> {
        match self {
            Self::Key(key) => Ok(Presented::Key(key)),
            Self::Token(slot) => match slot.get() {
                Some(token) if token.is_over(now) => Err(Unpresentable::Expired),
                Some(token) => Ok(Presented::Bearer(token)),
                None => Err(Unpresentable::NoToken),
            },
            Self::Aws(key) => Ok(Presented::Aws(key, now)),
            Self::Unreadable => Err(Unpresentable::Unreadable),
        }
    }

    /// The text without what is secret here; `None` if it holds none of it.
    pub(crate) fn redacted(&self, text: &str) -> Option<String> {
        match self {
            Self::Key(key) => without(text, key.expose()),
            Self::Token(slot) => without(text, slot.get()?.secret.expose()),
            Self::Aws(key) => {
                let clean = without(text, key.secret_access_key.expose());
                let token = key.session_token.as_ref();
                token.and_then(|token| without(clean.as_deref().unwrap_or(text), token.expose())).or(clean)
            }
            Self::Unreadable => None,
        }
    }
}

fn without(text: &str, secret: &str) -> Option<String> {
    (secret.len() >= SHORTEST && text.contains(secret)).then(|| text.replace(secret, INSTEAD))
}

impl Presented<'_> {
    /// Puts it into the headers of a request that is complete otherwise; everything that is secret is marked as such,
    /// so that no log and no header compression keeps it.
    pub(crate) fn apply(&self, kind: ProviderKind, mut request: Outgoing<'_>) -> Result<(), Unpresented> {
        let headers = &mut *request.headers;
        match self {
            Self::Key(key) => {
                let (name, value) = key_header(kind, key.expose())?;
                headers.insert(name, value);
            }
            Self::Bearer(token) => {
                match &token.carrier {
                    None => headers.insert(AUTHORIZATION, bearer(token.secret.expose())?),
                    Some((name, scheme)) => {
                        let text = format!("{scheme} {}", token.secret.expose());
                        headers.insert(name, sensitive(HeaderValue::from_str(text.trim_start())?))
                    }
                };
                for (name, value) in &token.headers {
                    merge(headers, name, value)?;
                }
            }
            Self::Aws(key, at) if kind == ProviderKind::Bedrock => key.sign("bedrock", *at, &mut request)?,
            Self::Aws(..) => return Err(Unpresented::WrongKind),
        }
        Ok(())
    }
}

fn key_header(kind: ProviderKind, key: &str) -> Result<(HeaderName, HeaderValue), InvalidHeaderValue> {
    let name = match kind {
        ProviderKind::Anthropic => HeaderName::from_static("x-api-key"),
        ProviderKind::Gemini | ProviderKind::Vertex => HeaderName::from_static("x-goog-api-key"),
        ProviderKind::AzureOpenAi => HeaderName::from_static("api-key"),
        ProviderKind::OpenAi | ProviderKind::OpenAiCompatible | ProviderKind::Bedrock => {
            return Ok((AUTHORIZATION, bearer(key)?));
        }
    };
    Ok((name, sensitive(HeaderValue::from_str(key)?)))
}

fn bearer(token: &str) -> Result<HeaderValue, InvalidHeaderValue> {
    HeaderValue::from_str(&format!("Bearer {token}")).map(sensitive)
}

fn sensitive(mut value: HeaderValue) -> HeaderValue {
    value.set_sensitive(true);
    value
}

/// Adds an item to a header that is a list, unless it is in there.
fn merge(headers: &mut HeaderMap, name: &HeaderName, item: &HeaderValue) -> Result<(), InvalidHeaderValue> {
    let known: Vec<&[u8]> = headers.get_all(name).iter().map(HeaderValue::as_bytes).collect();
    let is_there = |part: &[u8]| part.trim_ascii() == item.as_bytes();
    if known.iter().any(|value| value.split(|byte| *byte == b',').any(is_there)) {
        return Ok(());
    }
    let parts: Vec<&[u8]> = known.into_iter().chain([item.as_bytes()]).collect();
    let joined = HeaderValue::from_bytes(&parts.join(&b","[..]))?;
    headers.insert(name, joined);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(text: &str, expires_at: Option<i64>) -> AccessToken {
        let beta = (HeaderName::from_static("anthropic-beta"), HeaderValue::from_static("oauth-2025-04-20"));
        AccessToken {
            secret: Secret::new(text.to_owned()),
            expires_at: expires_at.map(Timestamp),
            due_at: None,
            carrier: None,
            headers: vec![beta],
            version: 1,
        }
    }

    fn apply(
        presented: &Presented<'_>,
        kind: ProviderKind,
        headers: &mut HeaderMap,
    ) -> Result<(), Unpresented> {
        let uri = Uri::from_static("https://bedrock-runtime.us-east-1.amazonaws.com/model/m/invoke");
        presented.apply(kind, Outgoing { method: &Method::POST, uri: &uri, body: b"{}", headers })
    }

    #[test]
    fn each_kind_has_its_header_for_a_key_and_all_are_sensitive() {
        let key = Secret::new("upstream-key".to_owned());
        for (kind, name, value) in [
            (ProviderKind::Anthropic, "x-api-key", "upstream-key"),
            (ProviderKind::Gemini, "x-goog-api-key", "upstream-key"),
            (ProviderKind::AzureOpenAi, "api-key", "upstream-key"),
            (ProviderKind::OpenAi, "authorization", "Bearer upstream-key"),
            (ProviderKind::OpenAiCompatible, "authorization", "Bearer upstream-key"),
            (ProviderKind::Vertex, "x-goog-api-key", "upstream-key"),
            (ProviderKind::Bedrock, "authorization", "Bearer upstream-key"),
        ] {
            let mut headers = HeaderMap::new();
            apply(&Presented::Key(&key), kind, &mut headers).unwrap();
            assert_eq!(headers.len(), 1, "{kind}");
            assert_eq!(headers[name], value, "{kind}");
            assert!(headers[name].is_sensitive(), "{kind}");
        }
        assert!(!format!("{:?}", Presented::Key(&key)).contains("upstream-key"));
    }

    #[test]
    fn a_token_is_a_bearer_for_every_kind_and_adds_to_the_callers_list() {
        for kind in ProviderKind::ALL {
            let mut headers = HeaderMap::new();
            headers.append("anthropic-beta", "one,two".parse().unwrap());
            headers.append("anthropic-beta", "three".parse().unwrap());
            let presented = Presented::Bearer(Arc::new(token("access-token-1", None)));
            apply(&presented, *kind, &mut headers).unwrap();
            apply(&presented, *kind, &mut headers).unwrap();
            assert_eq!(headers["authorization"], "Bearer access-token-1");
            assert!(headers["authorization"].is_sensitive());
            let betas: Vec<_> = headers.get_all("anthropic-beta").iter().collect();
            assert_eq!(betas, ["one,two,three,oauth-2025-04-20"]);
        }
    }

    #[test]
    fn an_expired_token_is_not_presented_and_a_new_one_is() {
        let slot = Arc::new(TokenSlot::default());
        let auth = Auth::Token(slot.clone());
        assert_eq!(auth.presented(Timestamp(1)).unwrap_err(), Unpresentable::NoToken);
        slot.put(token("access-token-1", Some(1_000)));
        assert!(matches!(auth.presented(Timestamp(999)), Ok(Presented::Bearer(_))));
        assert_eq!(auth.presented(Timestamp(1_000)).unwrap_err(), Unpresentable::Expired);
        slot.put(token("access-token-2", Some(2_000)));
        assert!(auth.presented(Timestamp(1_000)).is_ok());
        assert_eq!(auth.redacted("said access-token-2 aloud").unwrap(), "said [redacted] aloud");
        assert_eq!(auth.redacted("said nothing"), None);
        assert_eq!(Auth::Unreadable.presented(Timestamp(1)).unwrap_err(), Unpresentable::Unreadable);
    }

    #[test]
    fn a_key_that_no_header_can_carry_is_refused() {
        let mut headers = HeaderMap::new();
        let key = Secret::new("line\nbreak".to_owned());
        assert_eq!(
            apply(&Presented::Key(&key), ProviderKind::OpenAi, &mut headers),
            Err(Unpresented::Malformed)
        );
    }

    #[test]
    fn aws_keys_sign_for_bedrock_and_are_sent_nowhere_else() {
        let secret = |text: &str| Secret::new(text.to_owned());
        let auth = Auth::Aws(Box::new(AwsKey {
            access_key_id: "AKIDEXAMPLE".into(),
            secret_access_key: secret("secret-access-key"),
            session_token: Some(secret("session-token")),
            region: None,
        }));
        let presented = auth.presented(Timestamp(1_440_938_160_000)).unwrap();
        let mut headers = HeaderMap::new();
        apply(&presented, ProviderKind::Bedrock, &mut headers).unwrap();
        let text = headers["authorization"].to_str().unwrap();
        assert!(text.contains("AKIDEXAMPLE/20150830/us-east-1/bedrock/aws4_request"), "{text}");
        let mut headers = HeaderMap::new();
        assert_eq!(apply(&presented, ProviderKind::OpenAi, &mut headers), Err(Unpresented::WrongKind));
        assert!(headers.is_empty());
        let echo = auth.redacted("secret-access-key and session-token").unwrap();
        assert_eq!(echo, "[redacted] and [redacted]");
    }
}
