//! Opens connections to upstreams: guarded name lookup, TCP, TLS, one deadline over all of it.
//!
//! Each failure says which step it was, because the operator's remedy differs.

use std::error::Error;
use std::net::{IpAddr, SocketAddr};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::Uri;
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower::Service;

use super::egress;

/// Which step of connecting failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ConnectStep {
    Dns,
    Denied,
    Tcp,
    TimedOut,
    Tls,
    Proxy,
}

/// A connection that was not made; nothing was sent.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct ConnectFailure {
    pub(crate) step: ConnectStep,
    pub(crate) message: String,
}

impl ConnectFailure {
    /// Finds the failure inside an error's chain of causes.
    pub(crate) fn find<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a Self> {
        causes(error).find_map(|error| error.downcast_ref())
    }
}

/// Connects to `http` and `https` addresses.
#[derive(Clone)]
pub(crate) struct Connector {
    inner: HttpsConnector<HttpConnector<GuardedResolver>>,
    timeout: Duration,
}

impl Connector {
    pub(crate) fn new(tls: rustls::ClientConfig, timeout: Duration) -> Self {
        let mut http = HttpConnector::new_with_resolver(GuardedResolver(GaiResolver::new()));
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_keepalive(Some(Duration::from_mins(1)));
        let inner = hyper_rustls::HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .enable_http2()
            .wrap_connector(http);
        Self { inner, timeout }
    }
}

impl Service<Uri> for Connector {
    type Response = Stream;
    type Error = ConnectFailure;
    type Future = BoxFuture<'static, Result<Stream, ConnectFailure>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), ConnectFailure>> {
        self.inner.poll_ready(cx).map_err(|error| classify(error.as_ref()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let timeout = self.timeout;
        // A literal address never reaches the resolver, so it is judged here.
        let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
        if host.parse::<IpAddr>().is_ok_and(egress::is_denied) {
            return Box::pin(std::future::ready(Err(denied())));
        }
        let connecting = self.inner.call(uri);
        Box::pin(async move {
            match tokio::time::timeout(timeout, connecting).await {
                Ok(Ok(inner)) => Ok(inner),
                Ok(Err(error)) => Err(classify(error.as_ref())),
                Err(_) => Err(ConnectFailure {
                    step: ConnectStep::TimedOut,
                    message: format!("no connection within {} ms", timeout.as_millis()),
                }),
            }
        })
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

fn denied() -> ConnectFailure {
    ConnectFailure {
        step: ConnectStep::Denied,
        message:
            "the address belongs to a range that is never contacted (link-local, metadata service, multicast)"
                .into(),
    }
}

fn classify(error: &(dyn Error + 'static)) -> ConnectFailure {
    if let Some(known) = ConnectFailure::find(error) {
        return ConnectFailure { step: known.step, message: known.message.clone() };
    }
    let tls = causes(error).any(is_tls);
    ConnectFailure { step: if tls { ConnectStep::Tls } else { ConnectStep::Tcp }, message: last_cause(error) }
}

/// Whether TLS failed. It comes inside an I/O error, sometimes inside two, which hide it from their sources.
fn is_tls(error: &(dyn Error + 'static)) -> bool {
    error.downcast_ref::<rustls::Error>().is_some()
        || error
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref)
            .is_some_and(|inner| is_tls(inner))
}

/// Looks names up and drops addresses that are never contacted.
#[derive(Clone)]
struct GuardedResolver(GaiResolver);

impl Service<Name> for GuardedResolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = ConnectFailure;
    type Future = BoxFuture<'static, Result<Self::Response, ConnectFailure>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), ConnectFailure>> {
        self.0.poll_ready(cx).map_err(|error| dns_failure(&error))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let lookup = self.0.call(name);
        Box::pin(async move {
            let found: Vec<SocketAddr> = lookup.await.map_err(|error| dns_failure(&error))?.collect();
            let allowed: Vec<_> =
                found.iter().copied().filter(|address| !egress::is_denied(address.ip())).collect();
            if allowed.is_empty() && !found.is_empty() {
                return Err(denied());
            }
            Ok(allowed.into_iter())
        })
    }
}

fn dns_failure(error: &std::io::Error) -> ConnectFailure {
    ConnectFailure { step: ConnectStep::Dns, message: format!("the name could not be looked up: {error}") }
}

/// An open connection.
pub(crate) type Stream = MaybeHttpsStream<TokioIo<TcpStream>>;
