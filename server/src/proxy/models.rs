//! What a caller may read about himself: his models, his usage, his own decision records.

use axum::extract::{Request, State};
use axum::response::Response;
use gateway::{KeyedCall, ModelsCall};
use http::request::Parts;

use super::context::Context;
use super::forward::unknown;
use super::refuse::respond;
use crate::state::AppState;

/// `GET /v1/models` and `GET /v1beta/models`.
pub(super) async fn list(State(state): State<AppState>, request: Request) -> Response {
    let call = keyed(&state, request.into_parts().0);
    respond(state.gateway.models(ModelsCall { call, id: None }).await)
}

/// `GET /v1/models/{id}` and `GET /v1beta/models/{id}`; ids may hold slashes.
pub(super) async fn one(State(state): State<AppState>, request: Request) -> Response {
    let path = request.uri().path();
    let tail =
        path.strip_prefix("/v1beta/models/").or_else(|| path.strip_prefix("/v1/models/")).unwrap_or_default();
    let Ok(id) = percent_encoding::percent_decode_str(tail).decode_utf8().map(std::borrow::Cow::into_owned)
    else {
        return unknown(State(state), request).await;
    };
    let call = keyed(&state, request.into_parts().0);
    respond(state.gateway.models(ModelsCall { call, id: Some(id) }).await)
}

/// `GET /v1/usage`.
pub(super) async fn usage(State(state): State<AppState>, request: Request) -> Response {
    let call = keyed(&state, request.into_parts().0);
    respond(state.gateway.usage(call).await)
}

/// `GET /v1/requests/{id}/explain`.
pub(super) async fn explain(State(state): State<AppState>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let id = parts.uri.path().trim_start_matches("/v1/requests/").trim_end_matches("/explain").to_owned();
    let call = keyed(&state, parts);
    respond(state.gateway.explain(call, &id).await)
}

fn keyed(state: &AppState, parts: Parts) -> KeyedCall {
    let context = Context::of(state, &parts);
    KeyedCall {
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().map(str::to_owned),
        headers: parts.headers,
        client_ip: context.client_ip.0,
        shown_id: context.ids.shown(),
    }
}
