//! What happens to every request before a handler sees it, and why in this order:
//!
//! 1. **request id** first, because every refusal and every log line below carries it;
//! 2. **client address** next, because the log line and the sign-in brake need it even for refused requests;
//! 3. **access log** around all the rest, so that nothing is answered without a line;
//! 4. **panic catcher** inside the log, so that a panic is logged as the 500 that the caller got;
//! 5. **host, framing and path** before the router, so that guards and router see the same path;
//! 6. **limit per address** next, before anything of the body is read, and only for what is well-formed so far;
//! 7. **body cap and deadline** last: only a request that is well-formed so far may send its body. Model paths
//!    read theirs in `proxy`, where the caller's dialect and the larger cap are known.
//!
//! Nobody is authenticated here. What only pages and forms need (session, same origin, security headers) wraps
//! their routers alone.

use std::time::Instant;

use axum::body::{Body, HttpBody};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use gateway::{Received, Refusal};
use http::HeaderValue;
use http::header::CONNECTION;
use tracing::Instrument;

use crate::listener::Peer;
use crate::proxy::refuse::refuse;
use crate::proxy::surface::Surface;
use crate::state::AppState;

pub mod access_log;
pub mod body_limit;
pub mod client_ip;
pub mod csrf;
pub mod host;
pub mod ip_limit;
pub mod panic;
pub mod request_id;
pub mod security_headers;
pub mod session;

use client_ip::ClientIp;
use request_id::{RequestIds, X_REQUEST_ID};

/// The whole chain as one layer: eight small functions are cheaper than eight boxed services.
pub async fn edge(State(state): State<AppState>, request: Request, next: Next) -> Response {
    around(&state, request, |request| next.run(request)).await
}

/// The chain around whatever answers.
pub async fn around<F: Future<Output = Response>>(
    state: &AppState,
    mut request: Request,
    inner: impl FnOnce(Request) -> F,
) -> Response {
    let received = Received { at: state.gateway.clock().now(), started: Instant::now() };
    let ids = RequestIds::assign(received.at, request.headers());
    let peer = request.extensions().get::<Peer>().cloned().unwrap_or_default();
    let client_ip = client_ip::resolve(peer.ip(), request.headers(), &state.config.trust_proxy);
    state.proxy_hint.look(peer.ip(), request.headers(), &state.config.trust_proxy);
    let surface = Surface::of(request.uri(), request.headers());
    let entry = access_log::Entry {
        request_id: ids.own,
        method: request.method().clone(),
        path: request.uri().path().to_owned(),
        client_ip: client_ip.0,
        started: received.started,
    };
    let extensions = request.extensions_mut();
    extensions.insert(ids.clone());
    extensions.insert(client_ip);
    extensions.insert(received);

    let span = tracing::info_span!("request", id = %ids.own);
    let answer = panic::catch(admit(state, surface, &ids, &peer, request, inner)).instrument(span).await;
    let mut response = answer.unwrap_or_else(|| refuse(&state.gateway, surface, &internal(), &ids));
    response.headers_mut().insert(X_REQUEST_ID, ids.echo());
    if state.gateway.is_draining() {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    access_log::attach(response, entry)
}

async fn admit<F: Future<Output = Response>>(
    state: &AppState,
    surface: Surface,
    ids: &RequestIds,
    peer: &Peer,
    request: Request,
    inner: impl FnOnce(Request) -> F,
) -> Response {
    let limits = &state.config.edge;
    if let Err(refusal) = host::check(request.method(), request.uri(), request.headers(), limits) {
        return closing(peer, refuse(&state.gateway, surface, &refusal, ids));
    }
    if state.config.enable_rate_limit
        && ip_limit::concerns(surface, request.uri())
        && let Some(verdict) = over_limit(state, &request)
    {
        let unread = !request.body().is_end_stream();
        let response = ip_limit::answer(state, surface, &verdict, ids, request);
        return if unread { closing(peer, response) } else { response };
    }
    if matches!(surface, Surface::Model(_)) || request.body().is_end_stream() {
        return inner(request).await;
    }
    let (parts, body) = request.into_parts();
    match body_limit::read(body, body_limit::cap_of(parts.uri.path()), limits, &state.bodies).await {
        Ok(bytes) => inner(Request::from_parts(parts, Body::from(bytes))).await,
        Err(fault) => closing(peer, refuse(&state.gateway, surface, &fault.refusal(), ids)),
    }
}

fn over_limit(state: &AppState, request: &Request) -> Option<ip_limit::Verdict> {
    let ClientIp(address) = *request.extensions().get()?;
    let Received { at, .. } = *request.extensions().get()?;
    state.gateway.with_settings(|settings| state.ip_limit.admit(address, at, settings))
}

/// Ends the connection after this answer: what follows on it may be the rest of a body that nobody reads.
pub fn closing(peer: &Peer, mut response: Response) -> Response {
    peer.linger();
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

fn internal() -> Refusal {
    Refusal::new(
        500,
        "internal_error",
        "Tollgate failed on this request; its log holds the cause under the request id",
    )
}
