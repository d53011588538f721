//! What the middleware found out about a request, taken from its extensions.

use std::net::IpAddr;
use std::time::Instant;

use gateway::Received;
use http::request::Parts;

use crate::listener::Peer;
use crate::middleware::client_ip::ClientIp;
use crate::middleware::request_id::RequestIds;
use crate::state::AppState;

/// Identity, origin and arrival of a request.
#[derive(Clone, Debug)]
pub struct Context {
    /// Both request ids.
    pub ids: RequestIds,
    /// The caller's address.
    pub client_ip: ClientIp,
    /// When it arrived.
    pub received: Received,
    /// The connection.
    pub peer: Peer,
}

impl Context {
    /// Takes it from the extensions; a router without the middleware (in tests) gets stand-ins.
    pub fn of(state: &AppState, parts: &Parts) -> Self {
        let now = || Received { at: state.gateway.clock().now(), started: Instant::now() };
        let received = parts.extensions.get().copied().unwrap_or_else(now);
        let peer: Peer = parts.extensions.get().cloned().unwrap_or_default();
        Self {
            ids: parts
                .extensions
                .get()
                .cloned()
                .unwrap_or_else(|| RequestIds::assign(received.at, &parts.headers)),
            client_ip: parts.extensions.get().copied().unwrap_or(ClientIp(IpAddr::to_canonical(&peer.ip()))),
            received,
            peer,
        }
    }
}
