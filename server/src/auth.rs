//! The ceremonies around a session: sign-in, sign-out, language and theme. Plain forms and redirects, so that
//! they work before any script has loaded.
//!
//! Whether a secret is right is `gateway`'s judgement; so is slowing down those who guess.

mod device;
mod enrol_callback;
mod form;
mod landing;
mod login;
mod logout;
mod preferences;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use gateway::Actor;
use http::header::{ACCEPT, CONTENT_TYPE, LOCATION, REFERER};
use http::{Extensions, HeaderMap, HeaderValue, StatusCode};
use types::Problem;
use types::principal::Principal;
use url::form_urlencoded;

use crate::middleware::client_ip::ClientIp;
use crate::middleware::request_id::RequestIds;
use crate::middleware::session::sign_in_problem;
use crate::state::AppState;

pub(crate) use landing::local_path;

/// The paths of this module; sessions and the same-origin check are layered on by `dashboard`.
pub(crate) fn routes() -> Router<AppState> {
    Router::new()
        .route("/auth/login", post(login::login))
        .route("/auth/arrived", get(login::arrived))
        .route("/auth/logout", post(logout::logout))
        .route("/auth/enrol/callback", get(enrol_callback::callback))
        .route("/preferences", post(preferences::preferences))
}

/// Who acts, for the audit log. `via` is `admin`, `admin-api` or `member`.
pub(crate) fn actor(via: &'static str, extensions: &Extensions) -> Actor {
    Actor {
        via,
        client_ip: extensions.get::<ClientIp>().map(|ip| ip.0.to_string()),
        request_id: request_id(extensions),
        session: None,
    }
}

/// The request's identity as text; empty only if the middleware that gives it was left out.
pub(crate) fn request_id(extensions: &Extensions) -> String {
    extensions.get::<RequestIds>().map(|ids| ids.own.to_string()).unwrap_or_default()
}

/// Sends the browser to the sign-in page, which brings it back afterwards.
pub(crate) fn to_login(wanted: &str, problem: Option<&str>) -> Response {
    let mut query = form_urlencoded::Serializer::new(String::new());
    if let Some(problem) = problem {
        query.append_pair("problem", problem);
    }
    let next = local_path(wanted);
    if next != "/" {
        query.append_pair("next", next);
    }
    let query = query.finish();
    see_other(&if query.is_empty() { "/login".to_owned() } else { format!("/login?{query}") })
}

/// A redirect after which the browser asks with GET. The target must be a path of ours already.
pub(crate) fn see_other(path: &str) -> Response {
    let target = HeaderValue::from_str(path).unwrap_or(HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(LOCATION, target)]).into_response()
}

/// Whether the client is a browser that wants a page rather than data.
pub(crate) fn wants_page(headers: &HeaderMap) -> bool {
    headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).is_some_and(|a| a.contains("text/html"))
}

/// Answers a server function's call without a session: a redirect to forms, the dashboard's error shape to scripts.
pub(crate) fn refuse_call(request: &Request) -> Response {
    let reason = sign_in_problem(request.extensions());
    if wants_page(request.headers()) {
        return to_login(&referring_path(request.headers()), reason);
    }
    let code = reason.unwrap_or("token_invalid");
    let message = match code {
        "token_expired" => {
            "token expired: sign in again; the setting session.lifetime_hours says how long a session lasts"
        }
        "database_unavailable" => "the session could not be read because the database is unavailable",
        _ => "invalid token: sign in again",
    };
    let problem = Problem::new(code, message);
    let status = StatusCode::from_u16(problem.status()).unwrap_or(StatusCode::UNAUTHORIZED);
    call_problem(request.uri().path(), status, &problem)
}

/// A problem as the browser's half of a server function reads it.
pub(crate) fn call_problem(path: &str, status: StatusCode, problem: &Problem) -> Response {
    // The shape of `app::error::AppError`; the header is how Leptos tells an error from a value.
    let body = serde_json::json!({ "problem": problem }).to_string();
    let path = HeaderValue::from_str(path).unwrap_or(HeaderValue::from_static("/rpc"));
    let mut response = (status, [(CONTENT_TYPE, "application/json")], Body::from(body)).into_response();
    response.headers_mut().insert("serverfnerror", path);
    response
}

// The same-origin layer has already made sure that a `Referer` names a page of ours.
fn referring_path(headers: &HeaderMap) -> String {
    let referer = headers.get(REFERER).and_then(|referer| referer.to_str().ok());
    let url = referer.and_then(|referer| url::Url::parse(referer).ok());
    url.map_or_else(
        || "/".to_owned(),
        |url| url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path())),
    )
}

/// What the audit log calls a principal.
pub(crate) fn via(principal: &Principal) -> &'static str {
    match principal {
        Principal::Admin => "admin",
        Principal::Member { .. } => "member",
    }
}
