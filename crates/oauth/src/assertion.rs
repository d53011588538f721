//! Service accounts: a token for a statement signed with the key of the account's file (RFC 7523, RS256).

use std::time::UNIX_EPOCH;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::header::{CONTENT_TYPE, DATE};
use http::{Method, Request, Response};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde::Deserialize;
use serde_json::json;
use types::oauth::VendorSpec;
use types::{Secret, Timestamp};
use url::form_urlencoded;

use crate::wire::{Line, granted};
use crate::{Class, Failure, Granted, Transport};

/// Life of a statement in seconds: the longest that Google takes.
const LIFE_S: i64 = 3_600;
/// It is dated back by so much, for clocks that are behind.
const SKEW_S: i64 = 30;

/// The key file of a service account.
#[derive(Clone, Debug, Deserialize)]
pub struct ServiceAccount {
    /// Who it is.
    pub client_email: String,
    /// Its private key in PEM: PKCS #8, as Google makes it, or PKCS #1.
    pub private_key: Secret<String>,
    /// The key's name.
    #[serde(default)]
    pub private_key_id: Option<String>,
    /// Where to send the statement; the vendor's descriptor counts if it is absent.
    #[serde(default)]
    pub token_uri: Option<String>,
    /// The project that it belongs to.
    #[serde(default)]
    pub project_id: Option<String>,
}

impl ServiceAccount {
    /// Reads a key file; says in a sentence what is wrong with it.
    pub fn parse(text: &Secret<String>) -> Result<Self, String> {
        let account: Self = serde_json::from_str(text.expose())
            .map_err(|_| "this is no key file: expected JSON with client_email and private_key".to_owned())?;
        account.key()?;
        Ok(account)
    }

    fn key(&self) -> Result<RsaKeyPair, String> {
        let bad = || "its private_key is no RSA key in PEM (PKCS #8 or PKCS #1)".to_owned();
        let text = self.private_key.expose();
        let between = |what: &str| {
            let (_, rest) = text.split_once(&format!("-----BEGIN {what}-----"))?;
            let (body, _) = rest.split_once(&format!("-----END {what}-----"))?;
            // Whoever carries the file through an environment variable often has its line ends escaped twice.
            let body = zeroize::Zeroizing::new(body.replace("\\n", ""));
            let body = zeroize::Zeroizing::new(body.split_whitespace().collect::<String>());
            Some(STANDARD.decode(body.as_bytes()).map(zeroize::Zeroizing::new))
        };
        let key = if let Some(der) = between("PRIVATE KEY") {
            RsaKeyPair::from_pkcs8(&der.map_err(|_| bad())?)
        } else {
            let der = between("RSA PRIVATE KEY").ok_or_else(bad)?;
            RsaKeyPair::from_der(&der.map_err(|_| bad())?)
        };
        key.map_err(|_| bad())
    }

    fn statement(&self, audience: &str, scopes: &[String], now: Timestamp) -> Result<Secret<String>, String> {
        let issued = now.0 / 1_000 - SKEW_S;
        let header = match &self.private_key_id {
            Some(id) => json!({ "alg": "RS256", "typ": "JWT", "kid": id }),
            None => json!({ "alg": "RS256", "typ": "JWT" }),
        };
        let claims = json!({
            "iss": self.client_email, "scope": scopes.join(" "), "aud": audience,
            "iat": issued, "exp": issued + LIFE_S,
        });
        let encode = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", encode(&header), encode(&claims));
        let key = self.key()?;
        let mut signature = vec![0; key.public().modulus_len()];
        key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
            .map_err(|_| "the statement could not be signed".to_owned())?;
        Ok(Secret::new(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))))
    }
}

/// Makes an access token of a service account.
pub async fn mint(
    spec: &VendorSpec,
    account: &ServiceAccount,
    transport: &dyn Transport,
    now: Timestamp,
) -> Result<Granted, Failure> {
    let line = Line::new(spec, transport);
    let answer = line.send(stated(spec, account, now)?).await?;
    let mut seen = line.seen();
    let of_time = seen.as_ref().is_err_and(|failure| failure.code.as_deref() == Some("invalid_grant"));
    if let Some(theirs) = clock(&answer, now).filter(|_| of_time) {
        // It was dated by a clock that is wrong. The refusal tells the right time.
        line.send(stated(spec, account, theirs)?).await?;
        seen = line.seen();
    }
    let mut granted = granted(&seen?, None, now)?;
    granted.account = Some(account.client_email.clone());
    Ok(granted)
}

/// The request with a statement of that instant.
fn stated(spec: &VendorSpec, account: &ServiceAccount, at: Timestamp) -> Result<Request<Vec<u8>>, Failure> {
    let url = account.token_uri.as_deref().filter(|url| !url.is_empty()).unwrap_or(&spec.token_url);
    let statement =
        account.statement(url, &spec.scopes, at).map_err(|error| Failure::new(Class::NeedsSignIn, error))?;
    let form = form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer")
        .append_pair("assertion", statement.expose())
        .finish();
    Request::builder()
        .method(Method::POST)
        .uri(url)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(form.into_bytes())
        .map_err(|_| Failure::new(Class::Client, "the token address of this account is no address"))
}

/// The vendor's clock, if it differs from ours by more than statements are dated back for.
fn clock(answer: &Response<Vec<u8>>, now: Timestamp) -> Option<Timestamp> {
    let date = answer.headers().get(DATE)?.to_str().ok()?;
    let since = httpdate::parse_http_date(date).ok()?.duration_since(UNIX_EPOCH).ok()?;
    let theirs = Timestamp(i64::try_from(since.as_millis()).ok()?);
    (theirs.0.abs_diff(now.0) > SKEW_S.unsigned_abs() * 1_000).then_some(theirs)
}

#[cfg(test)]
mod tests;
