//! Every path in one screen, and the one layer around all of them.

use axum::Router;
use axum::middleware::from_fn_with_state;

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
