//! Forwarded calls, told from everything else before the router sees them: matching, layers and boxed services cost
//! a call more than all else that the edge does with it. It takes no other way than the router's own handler.

use axum::extract::Request;
use axum::response::Response;
use http::Method;
use types::dialect::Endpoint;

use super::forward::forward;
use super::paths::FORWARDED;
use crate::state::AppState;

/// The endpoint that a request line names, where the path has no variable part.
pub fn endpoint_of(method: &Method, path: &str) -> Option<Endpoint> {
    let known = FORWARDED.iter().find(|(known, _)| method == Method::POST && *known == path);
    known.map(|(_, endpoint)| *endpoint)
}

/// Answers a call of an endpoint that [`endpoint_of`] found.
pub async fn call(state: &AppState, endpoint: Endpoint, request: Request) -> Response {
    forward(state.clone(), endpoint, None, None, request).await
}
