//! The way to upstreams: one door for everything that is sent, and what comes back through it.
//!
//! [`Upstreams::book`] takes a `&mut Reservation`, and nothing but what it gives can be sent, so nothing goes out that
//! is not in the books. It does not choose credentials and knows no callers.

mod address;
mod answer;
mod client;
mod connect;
mod decode;
mod dns;
mod egress;
mod hosted;
mod knock;
mod listing;
mod pool;
mod probe;
mod request;
mod resolve;
mod stream;
mod tls;
mod tunnel;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use http::Uri;
use ledger::{JournalError, Reservation};
use types::Secret;
use types::provider::Timeouts;
use types::routing::Http2;

use crate::config::{Config, OutboundProxy};
use crate::snapshot::{Provider, Proxy};

pub(crate) use answer::{Answer, AnswerBody};
pub(crate) use connect::ConnectStep;
pub(crate) use knock::{Knock, NoKnock, Question, knock};
pub(crate) use listing::list_models;
pub(crate) use probe::{Books, test_provider};
pub(crate) use request::{Call, Prepared, prepare};

pub(crate) use tls::TlsFault;

use client::Client;
use connect::{ConnectFailure, Connector};
use resolve::Resolver;
use tls::Tls;
use tunnel::ProxyAddress;

/// How a try to send went wrong.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SendError {
    /// No connection was made: nothing was sent.
    #[error("{message}")]
    Connect { step: ConnectStep, message: String },
    /// The request was sent, wholly or partly, and no answer began: the upstream may have acted on it.
    #[error("the connection broke before an answer began: {0}")]
    NoAnswer(String),
    /// The request could not be booked, so it was not sent.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The prepared request cannot be put on the wire.
    #[error("the request cannot be sent: {0}")]
    Unsendable(String),
}

impl From<ConnectFailure> for SendError {
    fn from(failure: ConnectFailure) -> Self {
        Self::Connect { step: failure.step, message: failure.message }
    }
}

/// A request that is in the books and may go out, once.
#[derive(Debug)]
#[must_use = "it was booked as sent"]
pub(crate) struct Booked(Prepared, InTheBooks);

/// Proves that a reservation was marked as sent.
#[derive(Clone, Copy, Debug)]
struct InTheBooks;

impl Booked {
    /// What is needed to send the same attempt once more.
    pub(crate) fn resend(&self) -> Resend {
        Resend(self.1)
    }
}

/// The right to send a booked attempt once more, because its upstream refused it unseen.
#[derive(Debug)]
pub(crate) struct Resend(InTheBooks);

impl Resend {
    /// With another token.
    pub(crate) fn with(self, request: Prepared) -> Booked {
        Booked(request, self.0)
    }
}

/// How long connecting may take, and through what.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Profile {
    connect_ms: u64,
    http2: Http2,
    /// Digest of the proxy's address, credentials included; `None` for a direct way.
    proxy: Option<String>,
}

/// Connection pools to upstreams, one for each way and connect deadline.
#[derive(Debug)]
pub(crate) struct Upstreams {
    tls: Tls,
    resolver: Resolver,
    outbound: OutboundProxy,
    clients: Clients,
}

/// Clients by profile, the newest last. There are one or two in nearly every installation.
#[derive(Debug)]
struct Clients(RwLock<Vec<(Profile, Arc<Client>)>>);

impl Clients {
    /// Profiles come from the configuration, but an administrator may edit one a thousand times. A client that is
    /// let go lives on in the requests that use it.
    const MOST: usize = 64;

    fn new() -> Self {
        Self(RwLock::default())
    }

    fn get(&self, profile: &Profile) -> Option<Arc<Client>> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.iter().find(|(other, _)| other == profile).map(|(_, client)| Arc::clone(client))
    }

    fn get_or_make<E>(
        &self,
        profile: Profile,
        make: impl FnOnce() -> Result<Client, E>,
    ) -> Result<Arc<Client>, E> {
        if let Some(client) = self.get(&profile) {
            return Ok(client);
        }
        let client = Arc::new(make()?);
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, other)) = known.iter().find(|(other, _)| *other == profile) {
            return Ok(Arc::clone(other));
        }
        if known.len() >= Self::MOST {
            known.remove(0);
        }
        known.push((profile, Arc::clone(&client)));
        Ok(client)
    }
}

impl Upstreams {
    /// Loads the trusted certificates; fails if the machine has none.
    pub(crate) fn new(config: &Config) -> Result<Self, String> {
        Ok(Self {
            tls: Tls::new(config.unsafe_disable_tls_check, config.extra_ca_file.as_deref())?,
            resolver: Resolver::new(&config.dns),
            outbound: config.outbound.clone(),
            clients: Clients::new(),
        })
    }

    /// Marks the reservation as sent, which must happen before the first byte leaves; where the journal is strict, that
    /// waits for the disk.
    pub(crate) fn book(
        reservation: &mut Reservation,
        strict: bool,
        request: Prepared,
    ) -> Result<Booked, SendError> {
        crate::disk::on_disk(strict, || reservation.mark_sent())?;
        Ok(Booked(request, InTheBooks))
    }

    /// Sends a request and waits for the head of the answer. `own` is the credential's outbound proxy.
    ///
    /// There is no deadline here but the one for connecting: the caller of this function owns the others.
    pub(crate) async fn send(
        &self,
        request: Booked,
        provider: &Provider,
        own: &Proxy,
    ) -> Result<Answer, SendError> {
        self.exchange(provider, own, request.0).await
    }

    /// Fetches something that costs nothing and carries no content of a caller, such as a model list.
    pub(crate) async fn fetch(
        &self,
        provider: &Provider,
        own: &Proxy,
        request: Prepared,
    ) -> Result<Answer, SendError> {
        if request.method != http::Method::GET || !request.body.is_empty() {
            return Err(SendError::Unsendable("only a GET without a body goes unbooked".into()));
        }
        self.exchange(provider, own, request).await
    }

    /// Asks a vendor's token endpoint: nothing of a caller goes there, and nothing is charged for it. Only `tokens` uses
    /// it, with what crate `oauth` writes.
    pub(crate) async fn ask_for_token(
        &self,
        provider: &Provider,
        own: &Proxy,
        request: Prepared,
    ) -> Result<Answer, SendError> {
        self.exchange(provider, own, request).await
    }

    async fn exchange(
        &self,
        provider: &Provider,
        own: &Proxy,
        request: Prepared,
    ) -> Result<Answer, SendError> {
        let path = request.uri.path().to_owned();
        let answer = self.by_way(provider, own, request).await?;
        Ok(hosted::answer(provider.spec.kind, &path, answer))
    }

    async fn by_way(&self, provider: &Provider, own: &Proxy, request: Prepared) -> Result<Answer, SendError> {
        let Some(proxy) = self.proxy_for(provider, own, &request.uri)? else {
            return self.client(provider, None)?.send(request).await;
        };
        let direct = provider.spec.routing.proxy_fallback_to_direct.then(|| request.clone());
        let answer = Box::pin(self.client(provider, Some(proxy))?.send(request)).await;
        match (answer, direct) {
            // Nothing reached the upstream, so sending again cannot double anything.
            (Err(SendError::Connect { step: ConnectStep::Proxy, message }), Some(request)) => {
                tracing::warn!(
                    provider.name = provider.spec.name,
                    error = message,
                    "the outbound proxy cannot be used; the request goes out directly, as its provider allows"
                );
                self.client(provider, None)?.send(request).await
            }
            (answer, _) => answer,
        }
    }

    fn client(&self, provider: &Provider, proxy: Option<&Secret<String>>) -> Result<Arc<Client>, SendError> {
        let connect_ms = provider.spec.timeouts.connect_ms.unwrap_or(Timeouts::CONNECT_MS);
        let http2 = provider.spec.routing.http2;
        let profile = Profile { connect_ms, http2, proxy: proxy.map(digest) };
        self.clients.get_or_make(profile, || {
            let proxy = proxy.map(ProxyAddress::parse).transpose()?;
            let timeout = Duration::from_millis(connect_ms);
            let connector = Connector::new(self.resolver.clone(), self.tls.clone(), timeout, proxy);
            Ok(Client::new(connector, http2 == Http2::Auto))
        })
    }

    /// The credential's proxy, else the provider's, else the process's own.
    fn proxy_for<'a>(
        &'a self,
        provider: &'a Provider,
        own: &'a Proxy,
        uri: &Uri,
    ) -> Result<Option<&'a Secret<String>>, SendError> {
        let chosen = if matches!(own, Proxy::Default) { &provider.proxy } else { own };
        match chosen {
            Proxy::Own(proxy) => Ok(Some(proxy)),
            Proxy::Unreadable => Err(SendError::Connect {
                step: ConnectStep::Proxy,
                message: "the stored address of the outbound proxy cannot be decrypted; enter it again"
                    .into(),
            }),
            Proxy::Default => {
                let https = uri.scheme() == Some(&http::uri::Scheme::HTTPS);
                Ok(self.outbound.for_host(https, uri.host().unwrap_or_default()))
            }
        }
    }
}

fn digest(secret: &Secret<String>) -> String {
    use sha2::Digest;
    hex::encode(sha2::Sha256::digest(secret.expose().as_bytes()))
}
