//! Static files, embedded in the binary by `build.rs`: style, icons and, where it was built, the browser bundle.
//!
//! Nothing is read from disk at run time, so there is no path to walk out of.

mod negotiation;

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::state::AppState;
use negotiation::{Encoding, choose};

/// One embedded file.
#[derive(Debug)]
pub(crate) struct Asset {
    /// Where it is served, `/pkg/tollgate.css`.
    pub(crate) path: &'static str,
    content_type: &'static str,
    /// The first 16 hex digits of the content's SHA-256.
    pub(crate) hash: &'static str,
    plain: &'static [u8],
    brotli: Option<&'static [u8]>,
    gzip: Option<&'static [u8]>,
}

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// Whether the browser bundle is inside. Without it pages must not name its scripts.
pub(crate) fn has_bundle() -> bool {
    ASSETS.iter().any(|asset| asset.path == "/pkg/tollgate.js")
        && ASSETS.iter().any(|asset| asset.path == "/pkg/tollgate_bg.wasm")
}

/// One route for each file, open to everybody: the sign-in page needs them.
pub(crate) fn routes() -> Router<AppState> {
    let mut router = Router::new();
    for asset in ASSETS {
        router =
            router.route(asset.path, get(move |request: Request| async move { answer(asset, &request) }));
    }
    router
}

fn answer(asset: &Asset, request: &Request) -> Response {
    // A name that carries the content's hash never changes its meaning; any other is asked for again.
    let pinned = request.uri().query().is_some_and(|query| {
        url::form_urlencoded::parse(query.as_bytes()).any(|(name, value)| name == "v" && value == asset.hash)
    });
    let cache = if pinned { "public, max-age=31536000, immutable" } else { "no-cache" };
    let accepted =
        request.headers().get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (encoding, bytes) = match choose(accepted, asset.brotli.is_some(), asset.gzip.is_some()) {
        Encoding::Brotli => (Some("br"), asset.brotli.unwrap_or(asset.plain)),
        Encoding::Gzip => (Some("gzip"), asset.gzip.unwrap_or(asset.plain)),
        Encoding::Identity => (None, asset.plain),
    };
    // A strong tag belongs to the bytes as sent, so each encoding has its own.
    let etag = format!("\"{}{}\"", asset.hash, encoding.map(|e| format!("-{e}")).unwrap_or_default());
    let fresh = matches(request.headers(), &etag);
    let mut response = if fresh { StatusCode::NOT_MODIFIED.into_response() } else { bytes.into_response() };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(cache));
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        headers.insert(ETAG, etag);
    }
    if fresh {
        headers.remove(CONTENT_TYPE);
    } else {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(asset.content_type));
        if let Some(encoding) = encoding {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
    }
    response
}

fn matches(headers: &HeaderMap, etag: &str) -> bool {
    headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok()).any(|value| {
        value.split(',').map(str::trim).any(|known| known == "*" || known.trim_start_matches("W/") == etag)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    fn css() -> &'static Asset {
        ASSETS.iter().find(|asset| asset.path == "/pkg/tollgate.css").unwrap()
    }

    fn fetch(uri: &str, header: Option<(&str, &str)>) -> Response {
        let mut request = Request::builder().uri(uri);
        if let Some((name, value)) = header {
            request = request.header(name, value);
        }
        answer(css(), &request.body(Body::empty()).unwrap())
    }

    #[test]
    fn only_the_right_hash_makes_a_file_immutable() {
        let right = format!("/pkg/tollgate.css?v={}", css().hash);
        assert!(fetch(&right, None).headers()[CACHE_CONTROL].to_str().unwrap().contains("immutable"));
        assert_eq!(fetch("/pkg/tollgate.css?v=other", None).headers()[CACHE_CONTROL], "no-cache");
        assert_eq!(fetch("/pkg/tollgate.css", None).headers()[CACHE_CONTROL], "no-cache");
    }

    #[test]
    fn a_known_tag_is_answered_without_a_body() {
        let first = fetch("/pkg/tollgate.css", None);
        let etag = first.headers()[ETAG].to_str().unwrap().to_owned();
        assert_eq!(
            fetch("/pkg/tollgate.css", Some(("if-none-match", &etag))).status(),
            StatusCode::NOT_MODIFIED
        );
        assert_eq!(fetch("/pkg/tollgate.css", Some(("if-none-match", "\"x\""))).status(), StatusCode::OK);
    }
}
