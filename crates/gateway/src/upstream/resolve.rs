//! Looks names up: under a deadline, with a memory for when nobody answers, and never to a forbidden address.
//!
//! Every new connection asks anew; connections are kept, so that is rare. What was found is remembered for the
//! case that the next question fails (U4), and that a name does not exist is remembered shortly (U3).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use hyper::rt::Executor;
use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use hyper_util::rt::TokioExecutor;
use moka::sync::Cache;
use tokio::sync::oneshot;
use tokio::time::Instant;
use tower::Service;

use super::connect::{ConnectFailure, ConnectStep};
use super::dns::{self, Servers};
use super::egress;
use crate::config::Dns;

/// How long addresses are used after nobody could confirm them.
const STALE: Duration = Duration::from_mins(5);
/// How long a name that does not exist is not asked for again.
const MISSING: Duration = Duration::from_secs(5);
/// Most names that are remembered.
const MOST_NAMES: u64 = 1_024;

/// Why a lookup gave no address.
#[derive(Clone, Debug)]
pub(super) enum LookupError {
    /// There is no such name, or it has no address.
    Missing,
    /// The machine's resolver failed; it does not say whether the name exists.
    Unclear(String),
    /// The name servers failed, or did not answer in time.
    Failed(String),
}

#[derive(Clone, Debug)]
enum Known {
    Addresses(Arc<[IpAddr]>),
    Missing(Instant),
}

#[derive(Clone)]
enum Source {
    Machine(GaiResolver),
    Servers(Arc<Servers>),
}

/// Looks names up. Cheap to clone.
#[derive(Clone)]
pub(super) struct Resolver {
    source: Source,
    known: Cache<String, Known>,
    patience: Duration,
}

impl std::fmt::Debug for Resolver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Resolver")
    }
}

impl Resolver {
    pub(super) fn new(dns: &Dns) -> Self {
        let patience = Duration::from_millis(dns.timeout_ms);
        let source = if dns.servers.is_empty() {
            Source::Machine(GaiResolver::new())
        } else {
            Source::Servers(Arc::new(Servers::new(dns.servers.clone(), patience)))
        };
        let known = Cache::builder().max_capacity(MOST_NAMES).time_to_live(STALE).build();
        Self { source, known, patience }
    }

    /// The addresses of a name that may be contacted, with port 0.
    pub(super) async fn lookup(&self, name: &str) -> Result<Vec<SocketAddr>, ConnectFailure> {
        let found = match self.known.get(name) {
            Some(Known::Missing(since)) if since.elapsed() < MISSING => Err(LookupError::Missing),
            known => match (self.ask(name).await, known) {
                (
                    Err(error @ (LookupError::Unclear(_) | LookupError::Failed(_))),
                    Some(Known::Addresses(old)),
                ) => {
                    tracing::warn!(
                        name,
                        ?error,
                        "a name cannot be looked up; its last known addresses are used"
                    );
                    Ok(old)
                }
                (found, _) => found,
            },
        };
        let found = found.map_err(failure)?;
        let allowed: Vec<_> =
            found.iter().filter(|ip| !egress::is_denied(**ip)).map(|ip| SocketAddr::new(*ip, 0)).collect();
        if allowed.is_empty() { Err(ConnectFailure::denied()) } else { Ok(allowed) }
    }

    /// Asks, in a task of its own: an answer that comes too late for this request is there for the next one.
    async fn ask(&self, name: &str) -> Result<Arc<[IpAddr]>, LookupError> {
        let (sender, answer) = oneshot::channel();
        let (me, name) = (self.clone(), name.to_owned());
        TokioExecutor::new().execute(async move {
            let found = me.source.lookup(&name).await;
            match &found {
                Ok(addresses) => me.known.insert(name, Known::Addresses(Arc::clone(addresses))),
                Err(LookupError::Missing) => me.known.insert(name, Known::Missing(Instant::now())),
                Err(LookupError::Unclear(_) | LookupError::Failed(_)) => {}
            }
            // Nobody may wait for it any more.
            drop(sender.send(found));
        });
        match tokio::time::timeout(self.patience, answer).await {
            Ok(Ok(found)) => found,
            Ok(Err(_)) => Err(LookupError::Failed("the lookup was given up".into())),
            Err(_) => Err(LookupError::Failed(format!("no answer within {} ms", self.patience.as_millis()))),
        }
    }
}

impl Source {
    async fn lookup(&self, name: &str) -> Result<Arc<[IpAddr]>, LookupError> {
        let servers = match self {
            Self::Servers(servers) => servers,
            Self::Machine(machine) => {
                let asked = name.parse::<Name>().map_err(|_| LookupError::Missing)?;
                let found = machine.clone().call(asked).await;
                let found = found.map_err(|error| LookupError::Unclear(error.to_string()))?;
                return some(found.map(|address| address.ip()).collect());
            }
        };
        // RFC 6761 §6.3: no server is asked for it.
        if name == "localhost" || name.ends_with(".localhost") {
            return Ok(Arc::from([IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)]));
        }
        some(dns::lookup(servers, name).await?)
    }
}

fn some(found: Vec<IpAddr>) -> Result<Arc<[IpAddr]>, LookupError> {
    if found.is_empty() { Err(LookupError::Missing) } else { Ok(found.into()) }
}

fn failure(error: LookupError) -> ConnectFailure {
    match error {
        LookupError::Missing => ConnectFailure::new(ConnectStep::Dns, "there is no such name"),
        LookupError::Unclear(why) => {
            ConnectFailure::new(ConnectStep::Dns, format!("the name could not be looked up: {why}"))
        }
        LookupError::Failed(why) => {
            ConnectFailure::new(ConnectStep::DnsUnknown, format!("the name could not be looked up: {why}"))
        }
    }
}

impl Service<Name> for Resolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = ConnectFailure;
    type Future = BoxFuture<'static, Result<Self::Response, ConnectFailure>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectFailure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let me = self.clone();
        Box::pin(async move { me.lookup(name.as_str()).await.map(Vec::into_iter) })
    }
}
