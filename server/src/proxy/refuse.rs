//! How the edge itself says "no": in the caller's dialect, as JSON, or as a small page.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use gateway::{Gateway, Refusal, Reply};
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, StatusCode};

use super::surface::Surface;
use crate::middleware::request_id::RequestIds;

/// The answer to a request that goes no further.
pub fn refuse(gateway: &Gateway, surface: Surface, refusal: &Refusal, ids: &RequestIds) -> Response {
    let mut response = match surface {
        Surface::Model(dialect) => return respond(gateway.refusal(dialect, refusal, &ids.shown())),
        Surface::Api => json(refusal),
        Surface::Page => page(refusal, ids),
    };
    *response.status_mut() =
        StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if let Some(seconds) = refusal.retry_after_s {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// The engine's answer as axum's.
pub fn respond(reply: Reply) -> Response {
    let mut response = Response::new(Body::new(reply.body));
    *response.status_mut() = reply.status;
    *response.headers_mut() = reply.headers;
    response
}

fn json(refusal: &Refusal) -> Response {
    let mut error = (*refusal.details).clone();
    error.insert("code".into(), refusal.code.into());
    error.insert("message".into(), refusal.message.clone().into());
    axum::Json(serde_json::json!({ "error": error })).into_response()
}

fn page(refusal: &Refusal, ids: &RequestIds) -> Response {
    let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Tollgate</title>\
         <h1>{}</h1><p>{}</p><p>Request <code>{}</code></p><p><a href=\"/\">Overview</a></p></html>",
        refusal.status,
        escape(&refusal.message),
        ids.own,
    );
    ([(CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response()
}
