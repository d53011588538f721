//! The model surface: `/v1`, `/v1beta` and the bare `/responses`. Each handler takes a request apart, hands it to
//! the engine and gives its answer back; it decides nothing.

use axum::Router;
use axum::extract::{Request, State};
use axum::routing::{MethodRouter, any, get, post};
use types::dialect::Endpoint;

use crate::state::AppState;

mod content;
mod context;
pub mod direct;
mod forward;
mod models;
mod paths;
pub mod refuse;
mod socket;
pub mod surface;

pub use context::Context;
pub(crate) use forward::refuse_unread;

/// Every path of the model surface.
pub fn router(state: AppState) -> Router {
    let mut router = Router::new();
    for (path, endpoint) in paths::FORWARDED {
        router = router.route(path, forwarded(*endpoint));
    }
    for version in ["/v1", "/v1beta"] {
        router = router
            .route(&format!("{version}/models"), read(get(models::list)))
            .route(&format!("{version}/models/{{*tail}}"), read(get(models::one).post(forward::gemini_call)))
            .route(version, any(forward::unknown))
            .route(&format!("{version}/{{*rest}}"), any(forward::unknown));
    }
    router
        .route("/v1/usage", read(get(models::usage)))
        .route("/v1/requests/{id}/explain", read(get(models::explain)))
        .route("/responses/{*rest}", any(forward::unknown))
        .with_state(state)
}

fn forwarded(endpoint: Endpoint) -> MethodRouter<AppState> {
    let methods = post(move |State(state): State<AppState>, request: Request| {
        forward::forward(state, endpoint, None, None, request)
    });
    let methods = if endpoint == Endpoint::Responses { methods.get(socket::open) } else { methods };
    methods.fallback(forward::post_only)
}

fn read(methods: MethodRouter<AppState>) -> MethodRouter<AppState> {
    methods.fallback(forward::get_only)
}
