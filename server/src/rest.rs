//! The admin REST API: a thin second face of the handles that the dashboard uses.
//!
//! One table of endpoints mounts the routes and writes the `OpenAPI` document, so the document cannot lie.
//! There are no decisions here: a handler decodes, calls `gateway::Admin`, and encodes.

mod books;
mod cache;
mod checks;
mod credentials;
pub(crate) mod endpoint;
pub(crate) mod error;
mod input;
mod installation;
mod keys;
mod models;
mod nearest;
mod oauth;
pub(crate) mod openapi;
mod packages;
mod pool;
mod prices;
mod providers;
mod quotas;
mod requests;
mod routing;
mod settings;
pub(crate) mod usage;
mod users;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, any, get, on};
use http::{Method, StatusCode};
use types::Problem;

use crate::middleware::{security_headers, session as session_layer};
use crate::state::AppState;
use endpoint::Endpoint;
use error::ApiError;

/// Where every path of this API begins.
pub(crate) const PREFIX: &str = "/api/admin";

/// Every endpoint but the document itself, in the order of the document.
pub(crate) fn table() -> Vec<Endpoint> {
    [
        providers::endpoints(),
        credentials::endpoints(),
        checks::endpoints(),
        pool::endpoints(),
        oauth::endpoints(),
        cache::endpoints(),
        routing::endpoints(),
        users::endpoints(),
        keys::endpoints(),
        models::endpoints(),
        prices::endpoints(),
        quotas::endpoints(),
        packages::endpoints(),
        requests::endpoints(),
        usage::endpoints(),
        books::endpoints(),
        settings::endpoints(),
        installation::endpoints(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Method and path of every route of the REST API, for tests that must not miss one.
pub fn routes() -> Vec<(Method, String)> {
    let mut routes: Vec<_> =
        table().iter().map(|e| (e.method.clone(), format!("{PREFIX}{}", e.path))).collect();
    routes.push((Method::GET, openapi::PATH.to_owned()));
    routes
}

/// The REST API.
pub fn router(state: AppState) -> Router {
    let mut api = Router::new();
    for endpoint in table() {
        // Every method in the table is one that axum can filter on; a test holds the table to that.
        let Ok(filter) = MethodFilter::try_from(endpoint.method.clone()) else { continue };
        let path = format!("{PREFIX}{}", endpoint.path);
        let serve = endpoint.serve;
        let state = state.clone();
        api = api.route(&path, on(filter, move |request: Request| serve(state.clone(), request)));
    }
    // The page that shows the document reads it with its session; scripts bring the bearer.
    let document = Router::new()
        .route(openapi::PATH, get(openapi::document))
        .layer(from_fn_with_state(state.clone(), session_layer::prove))
        .layer(crate::session::layer(&state));
    api.merge(document)
        .route("/api", any(unknown))
        .route("/api/{*rest}", any(unknown))
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn(error::stamp))
        .layer(from_fn_with_state(state.clone(), security_headers::protect))
        .with_state(state)
}

// UI-02: says what was asked and what was probably meant.
async fn unknown(request: Request) -> Response {
    let asked = format!("{} {}", request.method(), request.uri().path());
    let meant = nearest::nearest(request.method(), request.uri().path(), &routes());
    let message = meant.map_or_else(
        || format!("there is no {asked}; GET {} lists every call", openapi::PATH),
        |meant| format!("there is no {asked}; did you mean {meant}?"),
    );
    ApiError::from(Problem::new("not_found", message)).into_response()
}

async fn wrong_method(request: Request) -> Response {
    let message =
        format!("{} does not understand {}; see the Allow header", request.uri().path(), request.method());
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, Problem::new("method_not_allowed", message)).into_response()
}
