//! Signing in with a code that is typed in elsewhere (RFC 8628), one question at a time: whoever asks keeps the pauses.

use http::header::CONTENT_TYPE;
use http::{Method, Request};
use oauth2::{PkceCodeChallenge, PkceCodeVerifier};
use serde_json::Value;
use types::oauth::ClientAuth;
use types::{Secret, Timestamp};
use url::form_urlencoded;

use crate::client::{Registered, finished};
use crate::wire::{Line, granted};
use crate::{Class, Failure, Granted, Transport};

/// Seconds between two questions if the vendor does not say (RFC 8628 section 3.2).
const INTERVAL_S: u64 = 5;
/// The longest that is believed.
const INTERVAL_MAX_S: u64 = 120;
/// The longest life of a code that is believed.
const LIFE_MAX_S: i64 = 1_800;

/// What a person has to do, and what to ask with meanwhile.
#[derive(Debug)]
pub struct DeviceCode {
    /// What the token endpoint is asked with.
    pub device_code: Secret<String>,
    /// Proof that the code is ours, for vendors with PKCE.
    pub verifier: Option<Secret<String>>,
    /// What is typed in.
    pub user_code: String,
    /// Where.
    pub verification_url: String,
    /// The same with the code filled in.
    pub verification_url_complete: Option<String>,
    /// Seconds between two questions.
    pub interval_s: u64,
    /// When the code is over.
    pub expires_at: Timestamp,
}

/// What a question brought.
#[derive(Debug)]
pub enum Polled {
    /// The tokens.
    Granted(Box<Granted>),
    /// Not yet; ask again after the pause.
    Pending,
    /// Not yet, and the pauses have to be five seconds longer from now on.
    SlowDown,
}

/// Asks for a code.
pub async fn begin_device(
    vendor: &Registered,
    transport: &dyn Transport,
    now: Timestamp,
) -> Result<DeviceCode, Failure> {
    let spec = &vendor.spec;
    let mut form = vec![("client_id".to_owned(), vendor.client_id.clone())];
    if !spec.scopes.is_empty() {
        form.push(("scope".to_owned(), spec.scopes.join(" ")));
    }
    let mut verifier = None;
    if spec.pkce {
        let (challenge, secret) = PkceCodeChallenge::new_random_sha256();
        form.push(("code_challenge".to_owned(), challenge.as_str().to_owned()));
        form.push(("code_challenge_method".to_owned(), "S256".to_owned()));
        verifier = Some(Secret::new(PkceCodeVerifier::into_secret(secret)));
    }
    form.extend(spec.device_params.clone());
    let answer = post(vendor, &spec.device_url, form, transport).await?;
    let text = |name: &str| {
        answer.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let address =
        |name: &str| text(name).filter(|url| url.starts_with("https://") || url.starts_with("http://"));
    let missing = || {
        Failure::new(Class::Client, "the vendor answered without a code to type in; is its address right?")
    };
    let life = answer.get("expires_in").and_then(Value::as_i64).unwrap_or(LIFE_MAX_S).clamp(1, LIFE_MAX_S);
    Ok(DeviceCode {
        device_code: Secret::new(text("device_code").ok_or_else(missing)?),
        verifier,
        user_code: text("user_code").ok_or_else(missing)?,
        verification_url: address("verification_uri")
            .or_else(|| address("verification_url"))
            .ok_or_else(missing)?,
        verification_url_complete: address("verification_uri_complete"),
        interval_s: answer
            .get("interval")
            .and_then(Value::as_u64)
            .unwrap_or(INTERVAL_S)
            .clamp(1, INTERVAL_MAX_S),
        expires_at: now.plus_ms(life * 1_000),
    })
}

/// Asks once whether the code was typed in.
pub async fn poll_device(
    vendor: &Registered,
    device_code: &Secret<String>,
    verifier: Option<&Secret<String>>,
    transport: &dyn Transport,
    now: Timestamp,
) -> Result<Polled, Failure> {
    let grant = "urn:ietf:params:oauth:grant-type:device_code";
    let mut form = vec![
        ("grant_type".to_owned(), grant.to_owned()),
        ("device_code".to_owned(), device_code.expose().clone()),
        ("client_id".to_owned(), vendor.client_id.clone()),
    ];
    if let Some(verifier) = verifier {
        form.push(("code_verifier".to_owned(), verifier.expose().clone()));
    }
    form.extend(vendor.spec.token_params.clone());
    match post(vendor, &vendor.spec.token_url, form, transport).await {
        Ok(answer) => {
            let granted = finished(vendor, granted(&answer, None, now)?, transport, now).await?;
            Ok(Polled::Granted(Box::new(granted)))
        }
        Err(failure) => match failure.code.as_deref() {
            Some("authorization_pending" | "AuthorizationPendingException") => Ok(Polled::Pending),
            Some("slow_down" | "SlowDownException") => Ok(Polled::SlowDown),
            _ => Err(failure),
        },
    }
}

async fn post(
    vendor: &Registered,
    url: &str,
    mut form: Vec<(String, String)>,
    transport: &dyn Transport,
) -> Result<Value, Failure> {
    let mut builder = Request::builder().method(Method::POST).uri(url);
    if let Some(secret) = &vendor.client_secret {
        if vendor.spec.client_auth == ClientAuth::Basic {
            builder = builder.header(http::header::AUTHORIZATION, basic(&vendor.client_id, secret)?);
        } else {
            form.push(("client_secret".to_owned(), secret.expose().clone()));
        }
    }
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let request =
        builder.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(body.into_bytes()).map_err(
            |_| Failure::new(Class::Client, "an address of this vendor's descriptor is no address"),
        )?;
    let line = Line::new(&vendor.spec, transport);
    line.send(request).await?;
    line.seen()
}

fn basic(client_id: &str, secret: &Secret<String>) -> Result<http::HeaderValue, Failure> {
    use base64::Engine as _;
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = format!("{}:{}", encode(client_id), encode(secret.expose()));
    let text = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair));
    let mut value = http::HeaderValue::from_str(&text)
        .map_err(|_| Failure::new(Class::Client, "the client id or secret holds strange characters"))?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests;
