//! The error shape of the REST API and of the dashboard's edge.
//!
//! Model paths answer errors in their caller's dialect instead; see `proxy`.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{Extensions, HeaderMap, HeaderValue, StatusCode};
use http_body_util::LengthLimitError;
use serde_json::json;
use types::Problem;

use crate::auth;

/// A refusal: a status and a [`Problem`], as `{"error":{"code","message","fields"?,"request_id"}}`.
#[derive(Clone, Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    problem: Problem,
    request_id: Option<String>,
}

impl From<Problem> for ApiError {
    fn from(problem: Problem) -> Self {
        let status = StatusCode::from_u16(problem.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self::new(status, problem)
    }
}

impl ApiError {
    /// A refusal whose status does not follow from its code.
    pub(crate) fn new(status: StatusCode, problem: Problem) -> Self {
        Self { status, problem, request_id: None }
    }

    /// 415 that names what would have been read.
    pub(crate) fn unsupported_media_type(expected: &str) -> Self {
        let message = format!("send the body as {expected} and say so in Content-Type");
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, Problem::new("unsupported_media_type", message))
    }

    /// 413 if the body was longer than `limit` bytes, else 400: it broke off.
    pub(crate) fn from_body_error(error: &(dyn std::error::Error + 'static), limit: usize) -> Self {
        let mut cause = Some(error);
        while let Some(error) = cause {
            if error.is::<LengthLimitError>() {
                return Self::too_large(limit);
            }
            cause = error.source();
        }
        Self::from(Problem::new("bad_request", "the request body broke off"))
    }

    /// 413 that names the limit.
    pub(crate) fn too_large(limit: usize) -> Self {
        Self::from(Problem::new("payload_too_large", format!("the body is longer than {limit} bytes")))
    }

    /// Names the request, so that the log line can be found.
    pub(crate) fn with_request_id(mut self, extensions: &Extensions) -> Self {
        self.request_id = Some(auth::request_id(extensions));
        self
    }

    /// A plain sentence for browsers, JSON for everybody else.
    pub(crate) fn into_page_or_json(self, headers: &HeaderMap) -> Response {
        if auth::wants_page(headers) {
            let text = format!("{}\n", self.problem);
            (self.status, [(CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
        } else {
            self.into_response()
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let Self { status, problem, request_id } = self;
        let Problem { code, message, fields } = problem.clone();
        let mut error = json!({ "code": code, "message": message });
        if let Some(error) = error.as_object_mut() {
            if !fields.is_empty() {
                error.insert("fields".into(), json!(fields));
            }
            if let Some(request_id) = &request_id {
                error.insert("request_id".into(), json!(request_id));
            }
        }
        let body = json!({ "error": error }).to_string();
        let mut response = (status, [(CONTENT_TYPE, "application/json")], body).into_response();
        if status == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Bearer realm=\"tollgate\"");
            response.headers_mut().insert(WWW_AUTHENTICATE, scheme);
        }
        // The sign-in brake says how long to wait.
        let wait =
            problem.fields.get("retry_after_s").and_then(|seconds| HeaderValue::from_str(seconds).ok());
        if let Some(wait) = wait {
            response.headers_mut().insert(RETRY_AFTER, wait);
        }
        if request_id.is_none() {
            // `stamp` adds the id where the handler had no request at hand.
            response.extensions_mut().insert(Unstamped(Self { status, problem, request_id }));
        }
        response
    }
}

#[derive(Clone)]
struct Unstamped(ApiError);

/// Writes the request id into errors that were made without one.
pub(crate) async fn stamp(request: Request, next: Next) -> Response {
    let request_id = auth::request_id(request.extensions());
    let mut response = next.run(request).await;
    let Some(Unstamped(mut error)) = response.extensions_mut().remove::<Unstamped>() else { return response };
    error.request_id = Some(request_id);
    // Headers that were added on the way, `Allow` above all, stay.
    let (mut parts, body) = error.into_response().into_parts();
    for (name, value) in response.headers() {
        if !parts.headers.contains_key(name) && name != http::header::CONTENT_LENGTH {
            parts.headers.append(name.clone(), value.clone());
        }
    }
    Response::from_parts(parts, body)
}
