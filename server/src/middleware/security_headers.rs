//! Headers that tell the browser what these pages may do, and a fresh nonce for each answer.
//!
//! It does not touch the model paths: programs read those, and their answers belong to the caller's dialect.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, STRICT_TRANSPORT_SECURITY};
use http::{HeaderMap, HeaderValue};
use leptos::nonce::Nonce;

use crate::state::AppState;

/// Headers that never vary.
const FIXED: &[(&str, &str)] = &[
    ("x-content-type-options", "nosniff"),
    // Not `no-referrer`: after a form without scripts, Leptos sends the browser back to its `Referer`.
    // Other sites still learn nothing.
    ("referrer-policy", "same-origin"),
    ("x-frame-options", "DENY"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), microphone=(), geolocation=()"),
];

/// Policy of everything that is no page: it may load nothing at all.
const BARE_POLICY: &str = "default-src 'none'; frame-ancestors 'none'";

/// Puts a nonce into the request's extensions and the headers onto the answer.
pub(crate) async fn protect(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let nonce = Nonce::new();
    request.extensions_mut().insert(nonce.clone());
    let mut response = next.run(request).await;
    let reload = is_watched().then_some(state.leptos_options.reload_port);
    dress(response.headers_mut(), &nonce, state.gateway.site().secure_cookies, reload);
    response
}

/// Whether `cargo xtask dev` runs us, as Leptos finds it out before it writes its script into the page.
#[expect(clippy::disallowed_methods, reason = "a debug build's own variable, no setting of the product")]
fn is_watched() -> bool {
    cfg!(debug_assertions) && std::env::var("LEPTOS_WATCH").is_ok()
}

/// `reload` is the port of the WebSocket over which a developer's pages learn that they are out of date.
fn dress(headers: &mut HeaderMap, nonce: &str, secure: bool, reload: Option<u32>) {
    for (name, value) in FIXED {
        headers.insert(*name, HeaderValue::from_static(value));
    }
    let is_page = headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    let policy = if is_page { page_policy(nonce, reload) } else { BARE_POLICY.to_owned() };
    let policy = HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static(BARE_POLICY));
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    if secure {
        let year = HeaderValue::from_static("max-age=31536000; includeSubDomains");
        headers.insert(STRICT_TRANSPORT_SECURITY, year);
    }
    // Static files bring their own; everything else may show secrets or somebody's usage.
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}

/// Scripts and styles come from here or carry the nonce; `wasm-unsafe-eval` lets the bundle compile and nothing else.
fn page_policy(nonce: &str, reload: Option<u32>) -> String {
    // Another port is another origin, so `'self'` does not cover it.
    let reload =
        reload.map(|port| format!(" ws://127.0.0.1:{port} ws://localhost:{port}")).unwrap_or_default();
    format!(
        "default-src 'none'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self' 'nonce-{nonce}'; \
         img-src 'self' data:; font-src 'self'; connect-src 'self'{reload}; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'; object-src 'none'"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fault_x18_pages_get_a_policy_without_unsafe_words() {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        dress(&mut headers, "abc", false, None);
        let policy = headers[CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.contains("script-src 'self' 'nonce-abc' 'wasm-unsafe-eval';"));
        assert!(policy.contains("connect-src 'self';"));
        assert!(!policy.contains("'unsafe-inline'") && !policy.contains("'unsafe-eval'"));
        assert_eq!(headers[CACHE_CONTROL], "no-store");
        assert!(!headers.contains_key(STRICT_TRANSPORT_SECURITY));
    }

    #[test]
    fn only_pages_under_a_developers_watch_may_hear_that_they_are_out_of_date() {
        let page = page_policy("abc", Some(3001));
        assert!(page.contains("connect-src 'self' ws://127.0.0.1:3001 ws://localhost:3001;"), "{page}");
        let mut file = HeaderMap::new();
        dress(&mut file, "abc", false, Some(3001));
        assert_eq!(file[CONTENT_SECURITY_POLICY], BARE_POLICY);
        assert!(!is_watched(), "tests are not");
    }

    #[test]
    fn files_keep_their_own_cache_rule_and_tls_sites_are_pinned() {
        let mut headers = HeaderMap::new();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        dress(&mut headers, "abc", true, None);
        assert_eq!(headers[CACHE_CONTROL], "no-cache");
        assert_eq!(headers[CONTENT_SECURITY_POLICY], BARE_POLICY);
        assert!(headers.contains_key(STRICT_TRANSPORT_SECURITY));
    }
}
