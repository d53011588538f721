//! Every path in one screen, the one layer around all of them, and the shorter way for forwarded calls.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use http::Request;
use hyper::body::Incoming;
use tower::Service;

use crate::listener::Peer;
use crate::proxy::direct;
use crate::state::AppState;
use crate::{dashboard, health, middleware, proxy, rest};

/// The whole server.
pub fn router(state: AppState) -> Router {
    Router::new()
        // `/v1`, `/v1beta`, `/responses`: model traffic, by key.
        .merge(proxy::router(state.clone()))
        // `/api/admin`: scripts, by admin token.
        .merge(rest::router(state.clone()))
        // `/health…`, `/livez`, `/readyz`, `/metrics`: machines.
        .merge(health::router(state.clone()))
        // `/login`, `/`, pages, `/rpc`, `/auth`, `/preferences`, `/live`, `/pkg` and the 404 page: people.
        .merge(dashboard::router(state.clone()))
        .layer(from_fn_with_state(state, middleware::edge))
}

/// The whole server with the shorter way in front; cheap to clone.
#[derive(Clone, Debug)]
pub struct Doors(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    state: AppState,
    router: Router,
}

impl Doors {
    /// Builds the routes.
    pub fn new(state: AppState) -> Self {
        Self(Arc::new(Inner { router: router(state.clone()), state }))
    }

    /// Answers one request.
    pub async fn answer(&self, request: Request<Incoming>, peer: Peer) -> Response {
        let Inner { state, router } = &*self.0;
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(peer);
        if let Some(endpoint) = direct::endpoint_of(request.method(), request.uri().path()) {
            let inner = |request| direct::call(state, endpoint, request);
            // Boxed, so that nothing of it stays with the connection while a stream runs.
            return Box::pin(middleware::around(state, request, inner)).await;
        }
        // Boxed too: the connection keeps room for whatever this future holds, page or call, as long as it lives.
        let Ok(response) = Box::pin(router.clone().call(request)).await;
        response
    }
}
