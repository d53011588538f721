//! Reads the small url-encoded forms of this module.
//!
//! It decides nothing about their content.

use axum::body::Body;
use axum::response::Response;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http_body_util::{BodyExt, Limited};
use serde::de::DeserializeOwned;
use types::Problem;

use crate::rest::error::ApiError;

/// Largest form in bytes: a sign-in needs far less, and nobody has proven anything yet.
const FORM_BYTES: usize = 4_096;

/// Decodes the form, or answers why not.
pub(super) async fn read<T: DeserializeOwned>(parts: &Parts, body: Body) -> Result<T, Response> {
    let refuse = |error: ApiError| error.with_request_id(&parts.extensions).into_page_or_json(&parts.headers);
    let kind = parts.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .eq_ignore_ascii_case("application/x-www-form-urlencoded")
    {
        return Err(refuse(ApiError::unsupported_media_type("application/x-www-form-urlencoded")));
    }
    let bytes = match Limited::new(body, FORM_BYTES).collect().await {
        Ok(collected) => collected.to_bytes(),
        Err(error) => return Err(refuse(ApiError::from_body_error(error.as_ref(), FORM_BYTES))),
    };
    serde_urlencoded::from_bytes(&bytes).map_err(|_malformed| {
        refuse(ApiError::from(Problem::new("bad_request", "the form could not be read")))
    })
}
