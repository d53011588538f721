//! `/livez`, `/readyz`, the health family and `/metrics`.
//!
//! Strangers get plain status words; details and figures are for administrators. Nothing is measured here:
//! the engine reports on itself.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Extensions, HeaderMap, StatusCode};
use serde_json::{Map, json};
use types::Problem;
use types::principal::Principal;
use types::system::HealthCheck;

use crate::auth;
use crate::middleware::{security_headers, session as session_layer};
use crate::rest::error::{self, ApiError};
use crate::state::AppState;

/// The health family.
pub fn router(state: AppState) -> Router {
    Router::new()
        .route("/health", get(health))
        .route("/health/{check}", get(check))
        .route("/metrics", get(metrics))
        .layer(from_fn_with_state(state.clone(), session_layer::prove))
        .layer(crate::session::layer(&state))
        // Probes ask these often and must be answered even if the database hangs: no session layer.
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .layer(from_fn(error::stamp))
        .layer(from_fn_with_state(state.clone(), security_headers::protect))
        .with_state(state)
}

async fn livez() -> &'static str {
    "ok\n"
}

async fn readyz(State(state): State<AppState>) -> Response {
    if state.gateway.is_draining() {
        (StatusCode::SERVICE_UNAVAILABLE, "draining\n").into_response()
    } else if state.gateway.is_ready().await {
        "ok\n".into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready\n").into_response()
    }
}

// HE-01: 503 only if unhealthy; a degraded gateway still serves.
async fn health(State(state): State<AppState>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let authorised = is_admin(&state, &parts.headers, &parts.extensions).await.is_ok();
    let health = state.gateway.health().await;
    let status = if health.status == "unhealthy" { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    let words: BTreeMap<_, _> = health.checks.iter().map(|(name, check)| (name, &check.status)).collect();
    let mut body = json!({
        "status": health.status,
        "timestamp": health.timestamp,
        "checks": words,
        "version": health.version,
    });
    if let (true, Some(body)) = (authorised, body.as_object_mut()) {
        body.insert("details".to_owned(), json!(health.checks));
    }
    (status, [(CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

async fn check(State(state): State<AppState>, Path(name): Path<String>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let known = ["database", "redis", "cache"].contains(&name.as_str());
    let report = if known { state.gateway.health_of(&name).await } else { None };
    let Some(report) = report else {
        return ApiError::from(Problem::new(
            "not_found",
            "there are /health/database, /health/redis and /health/cache",
        ))
        .into_response();
    };
    let authorised = is_admin(&state, &parts.headers, &parts.extensions).await.is_ok();
    let HealthCheck { status, detail, latency_ms } = report;
    let code = if status == "failed" { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    let mut body = Map::new();
    body.insert("status".to_owned(), json!(status));
    body.insert("timestamp".to_owned(), json!(state.gateway.clock().now()));
    body.insert(name, json!(status));
    if authorised {
        body.insert("detail".to_owned(), json!(detail));
        body.insert("latency_ms".to_owned(), json!(latency_ms));
    }
    let body = serde_json::Value::Object(body).to_string();
    (code, [(CONTENT_TYPE, "application/json")], body).into_response()
}

// HE-06: a scraper brings the bearer; an administrator may look at it in the browser.
async fn metrics(State(state): State<AppState>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    if let Err(problem) = is_admin(&state, &parts.headers, &parts.extensions).await {
        return ApiError::from(problem).into_response();
    }
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    ([(CONTENT_TYPE, kind)], with_own(state.gateway.metrics(), &state.ip_limit.metrics())).into_response()
}

/// The engine's text with the edge's own metrics in front of the mark that ends it.
fn with_own(engine: String, own: &str) -> String {
    match engine.strip_suffix("# EOF\n") {
        Some(body) => format!("{body}{own}# EOF\n"),
        None => engine + own,
    }
}

async fn is_admin(state: &AppState, headers: &HeaderMap, extensions: &Extensions) -> Result<(), Problem> {
    if !headers.contains_key(AUTHORIZATION) && extensions.get::<Principal>() == Some(&Principal::Admin) {
        return Ok(());
    }
    let bearer = headers.get(AUTHORIZATION).map(|value| value.to_str().unwrap_or_default());
    // A stranger without a bearer is the common case on /health and is not worth a guess on the counter.
    if bearer.is_none() {
        return Err(Problem::new(
            "missing_authorization",
            "Unauthorized: expected the header Authorization: Bearer <your-secret>",
        ));
    }
    state.gateway.admin_by_bearer(bearer, auth::actor("admin-api", extensions)).await.map(drop)
}
