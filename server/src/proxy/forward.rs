//! Takes a forwarded call from the wire into the engine. It judges only what concerns the wire: type, encoding,
//! size and speed of the body. What is in it, and whose it is, is the engine's business.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use gateway::{Ingress, Refusal};
use http::header::ALLOW;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method};
use protocol::gemini;
use types::dialect::Endpoint;

use super::context::Context;
use super::surface::Surface;
use super::{content, direct, paths, refuse};
use crate::middleware::{body_limit, closing};
use crate::state::AppState;

/// One call to a known endpoint.
pub(super) async fn forward(
    state: AppState,
    endpoint: Endpoint,
    path_model: Option<String>,
    gemini_version: Option<&'static str>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let context = Context::of(&state, &parts);
    let mut ingress = ingress(endpoint, path_model, gemini_version, parts, &context);
    let received = match state.gateway.check_caller(&ingress) {
        Ok(caller) => receive(&state, endpoint, &ingress.headers, body).await.map(|body| (caller, body)),
        Err(refusal) => Err(refusal),
    };
    let caller = match received {
        Ok((caller, body)) => {
            ingress.body = body;
            caller
        }
        Err(refusal) => {
            // After a refused body the rest of it may still be on its way.
            return closing(&context.peer, refuse::respond(state.gateway.refuse(&ingress, &refusal)));
        }
    };
    refuse::respond(Box::pin(state.gateway.serve_known(caller, ingress)).await)
}

pub(super) fn ingress(
    endpoint: Endpoint,
    path_model: Option<String>,
    gemini_version: Option<&'static str>,
    parts: Parts,
    context: &Context,
) -> Ingress {
    Ingress {
        endpoint,
        path_model,
        gemini_version,
        query: parts.uri.query().map(str::to_owned),
        headers: parts.headers,
        body: Bytes::new(),
        client_ip: context.client_ip.0,
        request_id: context.ids.own,
        client_request_id: context.ids.client.clone(),
        received: context.received,
    }
}

/// Refuses a request of the model surface before it was routed; a call of a forwarded endpoint gets its row. The
/// caller closes the connection if there is a body.
pub(crate) fn refuse_unread(state: &AppState, refusal: &Refusal, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let path = parts.uri.path();
    let known = match gemini_version(path) {
        Some((version, tail)) => gemini::parse_call(tail).map(|(model, e)| (e, Some(model), Some(version))),
        None => direct::endpoint_of(&parts.method, path).map(|endpoint| (endpoint, None, None)),
    };
    let context = Context::of(state, &parts);
    let Some((endpoint, model, version)) = known.filter(|_| parts.method == Method::POST) else {
        let surface = Surface::of(&parts.uri, &parts.headers);
        return refuse::refuse(&state.gateway, surface, refusal, &context.ids);
    };
    let ingress = ingress(endpoint, model, version, parts, &context);
    refuse::respond(state.gateway.refuse(&ingress, refusal))
}

/// API version and tail of a path below `…/models/`.
fn gemini_version(path: &str) -> Option<(&'static str, &str)> {
    let versions = [("v1beta", "/v1beta/models/"), ("v1", "/v1/models/")];
    versions.into_iter().find_map(|(version, start)| Some((version, path.strip_prefix(start)?)))
}

async fn receive(
    state: &AppState,
    endpoint: Endpoint,
    headers: &HeaderMap,
    body: Body,
) -> Result<Bytes, Refusal> {
    content::check_head(endpoint, headers)?;
    let limits = &state.config.edge;
    let body = body_limit::read(body, limits.body_bytes, limits, &state.bodies)
        .await
        .map_err(body_limit::BodyFault::refusal)?;
    content::check_untyped(headers, &body)?;
    Ok(body)
}

/// `POST /v1beta/models/{model}:{verb}` and the same under `/v1`.
pub(super) async fn gemini_call(State(state): State<AppState>, request: Request) -> Response {
    let (version, tail) = gemini_version(request.uri().path()).unwrap_or(("v1", ""));
    match gemini::parse_call(tail) {
        Some((model, endpoint)) => forward(state, endpoint, Some(model), Some(version), request).await,
        None if tail.contains(':') => unknown(State(state), request).await,
        None => wrong_method(&state, &request.into_parts().0, "GET"),
    }
}

/// A path that is not in the table.
pub(super) async fn unknown(State(state): State<AppState>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let refusal = paths::not_found(&parts.method, parts.uri.path());
    refuse_parts(&state, &parts, &refusal)
}

/// A path of the table with a method that it does not take.
pub(super) async fn post_only(State(state): State<AppState>, request: Request) -> Response {
    wrong_method(&state, &request.into_parts().0, "POST")
}

/// The same for paths that are only read.
pub(super) async fn get_only(State(state): State<AppState>, request: Request) -> Response {
    wrong_method(&state, &request.into_parts().0, "GET")
}

fn wrong_method(state: &AppState, parts: &Parts, allowed: &'static str) -> Response {
    let refusal = paths::wrong_method(&parts.method, parts.uri.path(), allowed);
    let mut response = refuse_parts(state, parts, &refusal);
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    response
}

pub(super) fn refuse_parts(state: &AppState, parts: &Parts, refusal: &Refusal) -> Response {
    let context = Context::of(state, parts);
    let response =
        refuse::refuse(&state.gateway, Surface::of(&parts.uri, &parts.headers), refusal, &context.ids);
    closing(&context.peer, response)
}
