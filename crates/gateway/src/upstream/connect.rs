//! Opens connections to upstreams: name, TCP, perhaps an outbound proxy, TLS, one deadline over all of it.
//!
//! Each failure says which step it was, because the operator's remedy differs.

use std::error::Error;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use tokio::time::{Instant, timeout_at};
use tower::{Service, ServiceExt};

use super::egress;
use super::pool::Origin;
use super::resolve::Resolver;
use super::stream::Stream;
use super::tls::{Tls, TlsFault};
use super::tunnel::ProxyAddress;

/// Which step of connecting failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ConnectStep {
    /// There is no such name, as far as is known.
    Dns,
    /// Nobody could say whether there is such a name.
    DnsUnknown,
    /// An address that is never contacted.
    Denied,
    Tcp,
    TimedOut,
    Tls(TlsFault),
    /// The way to or through the outbound proxy.
    Proxy,
}

/// A connection that was not made; nothing was sent.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct ConnectFailure {
    pub(crate) step: ConnectStep,
    pub(crate) message: String,
}

impl ConnectFailure {
    pub(super) fn new(step: ConnectStep, message: impl Into<String>) -> Self {
        Self { step, message: message.into() }
    }

    pub(super) fn denied() -> Self {
        Self::new(
            ConnectStep::Denied,
            "the address belongs to a range that is never contacted (link-local, metadata service, multicast)",
        )
    }

    /// Finds the failure inside an error's chain of causes.
    fn find<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a Self> {
        causes(error).find_map(|error| error.downcast_ref())
    }
}

/// An open connection, and whether HTTP/2 was agreed on.
pub(super) type Connected = (TokioIo<Stream>, bool);

/// Connects to `http` and `https` addresses.
#[derive(Clone, Debug)]
pub(super) struct Connector {
    tcp: HttpConnector<Resolver>,
    resolver: Resolver,
    tls: Tls,
    proxy: Option<Arc<ProxyAddress>>,
    timeout: Duration,
}

impl Connector {
    pub(super) fn new(resolver: Resolver, tls: Tls, timeout: Duration, proxy: Option<ProxyAddress>) -> Self {
        let mut tcp = HttpConnector::new_with_resolver(resolver.clone());
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_keepalive(Some(Duration::from_mins(1)));
        // Shared out among the addresses of a name, so that a dead first one does not use up all of it.
        tcp.set_connect_timeout(Some(timeout));
        Self { tcp, resolver, tls, proxy: proxy.map(Arc::new), timeout }
    }

    /// The proxy, if it wants to be asked for whole addresses instead of passing bytes on.
    pub(super) fn asks_proxy(&self, origin: &Origin) -> Option<&ProxyAddress> {
        self.proxy.as_deref().filter(|proxy| !origin.is_https() && !proxy.is_socks())
    }

    /// Connects; HTTP/2 is offered only if wanted.
    pub(super) async fn connect(&self, origin: &Origin, http2: bool) -> Result<Connected, ConnectFailure> {
        // A literal address never reaches the resolver, so it is judged here.
        let host = origin.bare_host();
        if host.parse::<IpAddr>().is_ok_and(egress::is_denied) {
            return Err(ConnectFailure::denied());
        }
        let until = Instant::now() + self.timeout;
        let late = |step, what| {
            let message = format!("{what} within {} ms", self.timeout.as_millis());
            move |_| ConnectFailure::new(step, message)
        };
        let stream = match &self.proxy {
            None => timeout_at(until, self.tcp(origin.address()))
                .await
                .map_err(late(ConnectStep::TimedOut, "no connection"))??,
            Some(proxy) => {
                let open = proxy.open(origin, &self.tls, &self.resolver, |uri| self.tcp(uri));
                timeout_at(until, open)
                    .await
                    .map_err(late(ConnectStep::Proxy, "the outbound proxy made no connection"))??
            }
        };
        if !origin.is_https() {
            return Ok((TokioIo::new(stream), false));
        }
        let (stream, agreed) = timeout_at(until, self.tls.wrap(stream, host, http2))
            .await
            .map_err(late(ConnectStep::TimedOut, "TLS was not agreed on"))?
            .map_err(|failed| ConnectFailure::new(ConnectStep::Tls(failed.fault), failed.message))?;
        Ok((TokioIo::new(stream), agreed))
    }

    async fn tcp(&self, uri: Uri) -> Result<Stream, ConnectFailure> {
        let mut tcp = self.tcp.clone();
        let ready = tcp.ready().await.map_err(|error| self.classify(&error))?;
        let stream = ready.call(uri).await.map_err(|error| self.classify(&error))?;
        Ok(Stream::Plain(stream.into_inner()))
    }

    fn classify(&self, error: &(dyn Error + 'static)) -> ConnectFailure {
        if let Some(known) = ConnectFailure::find(error) {
            return known.clone();
        }
        let timed_out = causes(error)
            .filter_map(|error| error.downcast_ref::<std::io::Error>())
            .any(|error| error.kind() == std::io::ErrorKind::TimedOut);
        if timed_out {
            let message = format!("no connection within {} ms", self.timeout.as_millis());
            return ConnectFailure::new(ConnectStep::TimedOut, message);
        }
        ConnectFailure::new(ConnectStep::Tcp, last_cause(error))
    }
}

/// An error and what caused it, outermost first.
pub(super) fn causes<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| (*error).source())
}

/// The innermost cause, which is the one that tells an operator something.
pub(super) fn last_cause(error: &(dyn Error + 'static)) -> String {
    causes(error).last().map(ToString::to_string).unwrap_or_default()
}
