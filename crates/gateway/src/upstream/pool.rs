//! Connections between two requests, by where they lead. It opens none.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderValue, Uri};
use hyper::rt::Executor;
use hyper_util::rt::TokioExecutor;

use super::SendError;
use super::client::{Line, Shared};

/// Idle connections are dropped before most peers drop theirs (nginx 75 s, many load balancers 60 s).
const IDLE: Duration = Duration::from_secs(50);
/// How often idle connections are looked through.
const SWEEP: Duration = Duration::from_secs(10);
/// Most idle connections to one origin.
const MOST_IDLE: usize = 256;
/// Requests at once on one HTTP/2 connection, and then another is opened. Servers allow 100 or more; beyond what they
/// allow, requests would wait unseen.
const MOST_SHARING: usize = 64;
/// How long an origin whose HTTP/2 failed is spoken to in HTTP/1.1.
const NO_HTTP2: Duration = Duration::from_mins(5);

/// Where connections lead: scheme, host and port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Origin {
    https: bool,
    authority: Authority,
}

impl Origin {
    pub(super) fn of(uri: &Uri) -> Result<Self, SendError> {
        let https = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTPS => true,
            Some(scheme) if *scheme == Scheme::HTTP => false,
            _ => return Err(SendError::Unsendable("its address is neither http nor https".into())),
        };
        match uri.authority() {
            Some(authority) => Ok(Self { https, authority: authority.clone() }),
            None => Err(SendError::Unsendable("its address names no host".into())),
        }
    }

    pub(super) fn is_https(&self) -> bool {
        self.https
    }

    /// The host as it stands in an address: IPv6 in brackets.
    pub(super) fn host_text(&self) -> &str {
        self.authority.host()
    }

    /// The host without brackets.
    pub(super) fn bare_host(&self) -> &str {
        self.host_text().trim_start_matches('[').trim_end_matches(']')
    }

    pub(super) fn port(&self) -> u16 {
        self.authority.port_u16().unwrap_or(if self.https { 443 } else { 80 })
    }

    /// What a connection is asked for with.
    pub(super) fn address(&self) -> Uri {
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(if self.https { Scheme::HTTPS } else { Scheme::HTTP });
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(PathAndQuery::from_static("/"));
        // Complete by construction.
        Uri::from_parts(parts).unwrap_or_default()
    }

    /// The `Host` header: without user information, and without the port that the scheme implies.
    pub(super) fn host(&self) -> HeaderValue {
        let host = self.authority.host();
        let implied = if self.https { 443 } else { 80 };
        match self.authority.port_u16().filter(|port| *port != implied) {
            None => HeaderValue::from_str(host),
            Some(_) if !self.authority.as_str().contains('@') => {
                HeaderValue::from_str(self.authority.as_str())
            }
            Some(port) => HeaderValue::from_str(&format!("{host}:{port}")),
        }
        .unwrap_or(HeaderValue::from_static(""))
    }
}

/// A way to send a request.
pub(super) enum Way {
    /// For this request alone.
    Own(Box<Line>),
    /// Together with others.
    Shared(Shared),
}

#[derive(Default)]
struct Lines {
    /// The one that was used last at the end.
    idle: Vec<(Instant, Box<Line>)>,
    shared: Vec<(Instant, Shared)>,
    /// HTTP/2 failed there.
    no_http2_since: Option<Instant>,
}

impl Lines {
    /// A shared connection with room, if it is open as far as is known.
    fn share(&mut self) -> Option<Shared> {
        self.shared.retain(|(used, shared)| shared.is_open() && (shared.is_used() || used.elapsed() < IDLE));
        let (used, shared) = self.shared.iter_mut().find(|(_, shared)| shared.requests() < MOST_SHARING)?;
        *used = Instant::now();
        Some(shared.clone())
    }
}

#[derive(Default)]
struct State {
    origins: HashMap<Origin, Lines>,
    swept: bool,
}

/// The connections of one client.
pub(super) struct Pool {
    state: Mutex<State>,
    me: Weak<Self>,
}

impl Pool {
    pub(super) fn new() -> Arc<Self> {
        Arc::new_cyclic(|me| Self { state: Mutex::default(), me: me.clone() })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection that is open as far as is known, the one that was used last first.
    pub(super) fn take(&self, origin: &Origin) -> Option<Way> {
        loop {
            let mut state = self.lock();
            let lines = state.origins.get_mut(origin)?;
            if let Some(shared) = lines.share() {
                return Some(Way::Shared(shared));
            }
            let (since, mut line) = lines.idle.pop()?;
            drop(state);
            // Nobody has looked at it since it was put here: it may have been closed.
            line.drive(&mut Context::from_waker(Waker::noop()));
            if since.elapsed() < IDLE && line.is_ready() {
                return Some(Way::Own(line));
            }
        }
    }

    /// Keeps a connection for the next request, unless its peer has closed it or has not read everything.
    pub(super) fn put(&self, origin: &Origin, line: Box<Line>) {
        if !line.is_ready() {
            return;
        }
        let mut state = self.lock();
        let lines = match state.origins.get_mut(origin) {
            Some(lines) => lines,
            None => state.origins.entry(origin.clone()).or_default(),
        };
        if lines.idle.len() < MOST_IDLE {
            lines.idle.push((Instant::now(), line));
        }
        self.sweep_later(state);
    }

    /// Shares a new connection, and answers the one to use: another request may have been faster.
    pub(super) fn share(&self, origin: &Origin, new: Shared) -> Shared {
        let mut state = self.lock();
        let lines = state.origins.entry(origin.clone()).or_default();
        if let Some(known) = lines.share() {
            return known;
        }
        lines.shared.push((Instant::now(), new.clone()));
        self.sweep_later(state);
        new
    }

    /// Gives a shared connection to nobody any more.
    pub(super) fn forget(&self, origin: &Origin, bad: &Shared) {
        if let Some(lines) = self.lock().origins.get_mut(origin) {
            lines.shared.retain(|(_, shared)| !shared.is_same(bad));
        }
    }

    /// Whether HTTP/2 failed there lately.
    pub(super) fn avoids_http2(&self, origin: &Origin) -> bool {
        let state = self.lock();
        let since = state.origins.get(origin).and_then(|lines| lines.no_http2_since);
        since.is_some_and(|since| since.elapsed() < NO_HTTP2)
    }

    /// Lets an origin be spoken to in HTTP/1.1 for a while.
    pub(super) fn avoid_http2(&self, origin: &Origin) {
        let mut state = self.lock();
        let lines = state.origins.entry(origin.clone()).or_default();
        lines.no_http2_since = Some(Instant::now());
        lines.shared.clear();
        self.sweep_later(state);
    }

    fn sweep_later(&self, mut state: MutexGuard<'_, State>) {
        if !std::mem::replace(&mut state.swept, true) {
            let me = self.me.clone();
            TokioExecutor::new().execute(async move {
                loop {
                    tokio::time::sleep(SWEEP).await;
                    if me.upgrade().is_none_or(|pool| pool.sweep()) {
                        return;
                    }
                }
            });
        }
    }

    /// Drops what is closed or has been idle for too long; true if nothing is left.
    fn sweep(&self) -> bool {
        let mut state = self.lock();
        state.origins.retain(|_, lines| {
            lines.idle.retain_mut(|(since, line)| {
                line.drive(&mut Context::from_waker(Waker::noop()));
                since.elapsed() < IDLE && line.is_ready()
            });
            lines
                .shared
                .retain(|(used, shared)| shared.is_open() && (shared.is_used() || used.elapsed() < IDLE));
            lines.no_http2_since.take_if(|since| since.elapsed() >= NO_HTTP2);
            !lines.idle.is_empty() || !lines.shared.is_empty() || lines.no_http2_since.is_some()
        });
        state.swept = !state.origins.is_empty();
        !state.swept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_header_names_no_user_and_no_implied_port() {
        for (address, host) in [
            ("http://a.example/x", "a.example"),
            ("http://a.example:80/x", "a.example"),
            ("https://a.example:443", "a.example"),
            ("https://a.example:80", "a.example:80"),
            ("http://u:p@a.example:8080/", "a.example:8080"),
            ("http://u@a.example/", "a.example"),
            ("http://[::1]:9000/", "[::1]:9000"),
        ] {
            let origin = Origin::of(&address.parse().unwrap()).unwrap();
            assert_eq!(origin.host(), host, "{address}");
            assert_eq!(Origin::of(&origin.address()).unwrap(), origin);
        }
        for address in ["/v1/messages", "ftp://a.example/"] {
            assert!(Origin::of(&address.parse().unwrap()).is_err(), "{address}");
        }
    }
}
