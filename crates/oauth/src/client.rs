//! The grants of a registered client: the browser's address, the exchange of a code, refreshes, client credentials.
//! Crate `oauth2` writes the requests and reads the answers; the vendors' habits are `wire`'s business.

use futures_util::future::BoxFuture;
use http::header::{AUTHORIZATION, HeaderValue};
use http::{Method, Request};
use oauth2::basic::BasicClient;
use oauth2::{
    AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointNotSet, EndpointSet,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RefreshToken, Scope, TokenUrl,
};
use serde_json::Value;
use types::oauth::{ClientAuth, VendorSpec};
use types::{Secret, Timestamp};

use crate::claims::account_in;
use crate::echo::Sent;
use crate::wire::{Line, granted};
use crate::{Class, Failure, Granted, TokenSet, Transport};

/// Bytes of chance in a state: 256 bits.
const STATE_BYTES: u32 = 32;

/// A vendor with the client that the operator registered there.
#[derive(Clone, Debug)]
pub struct Registered {
    /// The descriptor.
    pub spec: VendorSpec,
    /// The client's id.
    pub client_id: String,
    /// Its secret, if it has one.
    pub client_secret: Option<Secret<String>>,
}

/// A sign-in that can begin.
#[derive(Debug)]
pub struct Authorization {
    /// Where the browser goes.
    pub url: String,
    /// What comes back with the code.
    pub state: Secret<String>,
    /// What proves that the code is ours; `None` without PKCE.
    pub verifier: Option<Secret<String>>,
}

type Client = BasicClient<EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

impl Registered {
    fn client(&self) -> Result<Client, Failure> {
        let token_url = TokenUrl::new(self.spec.token_url.clone()).map_err(|_| bad("the token address"))?;
        let mut client = BasicClient::new(ClientId::new(self.client_id.clone()))
            .set_token_uri(token_url)
            .set_auth_type(match self.spec.client_auth {
                ClientAuth::Body => AuthType::RequestBody,
                ClientAuth::Basic => AuthType::BasicAuth,
            });
        if let Some(secret) = &self.client_secret {
            client = client.set_client_secret(ClientSecret::new(secret.expose().clone()));
        }
        Ok(client)
    }

    fn token_params(&self) -> Vec<(String, String)> {
        self.spec.token_params.clone().into_iter().collect()
    }
}

fn bad(what: &str) -> Failure {
    Failure::new(Class::Client, format!("{what} of this vendor's descriptor is no address"))
}

fn redirect(text: &str) -> Result<RedirectUrl, Failure> {
    RedirectUrl::new(text.to_owned()).map_err(|_| bad("the redirect"))
}

/// The browser's address for a new sign-in, with fresh state and verifier.
pub fn authorize(vendor: &Registered, redirect_uri: &str) -> Result<Authorization, Failure> {
    let spec = &vendor.spec;
    let url = AuthUrl::new(spec.authorize_url.clone()).map_err(|_| bad("the sign-in address"))?;
    let client = BasicClient::new(ClientId::new(vendor.client_id.clone()))
        .set_auth_uri(url)
        .set_redirect_uri(redirect(redirect_uri)?);
    let mut request = client.authorize_url(|| CsrfToken::new_random_len(STATE_BYTES));
    for scope in &spec.scopes {
        request = request.add_scope(Scope::new(scope.clone()));
    }
    for (name, value) in &spec.authorize_params {
        request = request.add_extra_param(name, value);
    }
    let mut verifier = None;
    if spec.pkce {
        let (challenge, secret) = PkceCodeChallenge::new_random_sha256();
        request = request.set_pkce_challenge(challenge);
        verifier = Some(Secret::new(secret.into_secret()));
    }
    let (url, state) = request.url();
    Ok(Authorization { url: url.into(), state: Secret::new(state.into_secret()), verifier })
}

/// Turns a code into tokens.
pub async fn exchange(
    vendor: &Registered,
    code: &Secret<String>,
    state: Option<&Secret<String>>,
    verifier: Option<&Secret<String>>,
    redirect_uri: &str,
    transport: &dyn Transport,
    now: Timestamp,
) -> Result<Granted, Failure> {
    let client = vendor.client()?.set_redirect_uri(redirect(redirect_uri)?);
    let line = Line::new(&vendor.spec, transport);
    {
        let mut request = client.exchange_code(AuthorizationCode::new(code.expose().clone()));
        if let Some(verifier) = verifier {
            request = request.set_pkce_verifier(PkceCodeVerifier::new(verifier.expose().clone()));
        }
        for (name, value) in vendor.token_params() {
            request = request.add_extra_param(name, value);
        }
        if let Some(state) = state.filter(|_| vendor.spec.state_in_exchange) {
            request = request.add_extra_param("state", state.expose().clone());
        }
        let answer: BoxFuture<'_, _> = Box::pin(request.request_async(&line));
        judged(answer.await)?;
    }
    let granted = granted(&line.seen()?, None, now)?;
    finished(vendor, granted, transport, now).await
}

/// Spends a refresh token. The answer's set keeps it if the vendor gave no new one.
pub async fn refresh(
    vendor: &Registered,
    refresh_token: &Secret<String>,
    transport: &dyn Transport,
    now: Timestamp,
) -> Result<Granted, Failure> {
    if !vendor.spec.session_url.is_empty() {
        // The vendor's own token lives long; what is replaced is the short-lived one that was made of it.
        return session(vendor, refresh_token, transport, now).await;
    }
    let client = vendor.client()?;
    let line = Line::new(&vendor.spec, transport);
    {
        let spent = RefreshToken::new(refresh_token.expose().clone());
        let mut request = client.exchange_refresh_token(&spent);
        for (name, value) in vendor.token_params() {
            request = request.add_extra_param(name, value);
        }
        let answer: BoxFuture<'_, _> = Box::pin(request.request_async(&line));
        judged(answer.await)?;
    }
    granted(&line.seen()?, Some(refresh_token), now)
}

/// A token for the client itself.
pub async fn client_credentials(
    vendor: &Registered,
    transport: &dyn Transport,
    now: Timestamp,
) -> Result<Granted, Failure> {
    let client = vendor.client()?;
    let line = Line::new(&vendor.spec, transport);
    {
        let mut request = client.exchange_client_credentials();
        for scope in &vendor.spec.scopes {
            request = request.add_scope(Scope::new(scope.clone()));
        }
        for (name, value) in vendor.token_params() {
            request = request.add_extra_param(name, value);
        }
        let answer: BoxFuture<'_, _> = Box::pin(request.request_async(&line));
        judged(answer.await)?;
    }
    granted(&line.seen()?, None, now)
}

/// Whether the endpoint was reached at all: what it answered was noted by the line, which knows vendors better.
fn judged<T, E>(answer: Result<T, oauth2::RequestTokenError<crate::Unreachable, E>>) -> Result<(), Failure>
where
    E: oauth2::ErrorResponse + 'static,
{
    match answer {
        Err(oauth2::RequestTokenError::Request(error)) => Err(error.into()),
        _ => Ok(()),
    }
}

/// What follows a new sign-in: the second step of vendors that have one, and who the account is.
pub(crate) async fn finished(
    vendor: &Registered,
    mut granted: Granted,
    transport: &dyn Transport,
    now: Timestamp,
) -> Result<Granted, Failure> {
    if granted.account.is_none() && !vendor.spec.userinfo_url.is_empty() {
        // Only for display: an account without a name is an account all the same.
        let info = ask(&vendor.spec.userinfo_url, &granted.set.access_token, transport).await;
        granted.account = info.ok().as_ref().and_then(account_in);
    }
    if !vendor.spec.session_url.is_empty() {
        let own = granted.set.access_token.clone();
        let account = granted.account.take();
        granted = session(vendor, &own, transport, now).await?;
        granted.account = account.or(granted.account);
    }
    Ok(granted)
}

/// Asks for the short-lived token that is made of the vendor's own one.
async fn session(
    vendor: &Registered,
    own: &Secret<String>,
    transport: &dyn Transport,
    now: Timestamp,
) -> Result<Granted, Failure> {
    let answer = ask(&vendor.spec.session_url, own, transport).await?;
    let token = answer.get("token").or_else(|| answer.get("access_token")).and_then(Value::as_str);
    let token = token.filter(|token| !token.is_empty()).ok_or_else(Failure::no_token)?;
    let end = answer.get("expires_at").and_then(Value::as_i64);
    Ok(Granted {
        set: TokenSet {
            access_token: Secret::new(token.to_owned()),
            refresh_token: Some(own.clone()),
            id_token: None,
            token_type: None,
        },
        expires_at: end
            .and_then(|seconds| seconds.checked_mul(1_000))
            .map(Timestamp)
            .filter(|end| *end > now),
        scopes: None,
        account: None,
    })
}

async fn ask(url: &str, token: &Secret<String>, transport: &dyn Transport) -> Result<Value, Failure> {
    let mut bearer =
        HeaderValue::from_str(&format!("Bearer {}", token.expose())).map_err(|_| Failure::no_token())?;
    bearer.set_sensitive(true);
    let request = Request::builder()
        .method(Method::GET)
        .uri(url)
        .header(AUTHORIZATION, bearer)
        .header(http::header::ACCEPT, "application/json")
        .body(Vec::new())
        .map_err(|_| bad("an address"))?;
    let sent = Sent::of(&request);
    let answer = transport.send(request).await?;
    let status = answer.status().as_u16();
    if !(200..300).contains(&status) {
        return Err(Failure::of_answer(status, &sent.cleaned(answer.body())));
    }
    serde_json::from_slice(answer.body()).map_err(|_| Failure::no_token())
}

#[cfg(test)]
mod tests;
