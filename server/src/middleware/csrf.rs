//! Refuses changes that another site made the browser send (ASVS 5.0, 3.5.1 to 3.5.3).
//!
//! Leptos checks no origin. A required custom header would lock out forms without scripts, so the browser's
//! own word counts: `Sec-Fetch-Site`, else `Origin`. Safe methods pass; they change nothing.

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;
use gateway::Site;
use http::header::{HOST, ORIGIN, REFERER};
use http::{HeaderMap, HeaderValue, Method};
use types::Problem;
use url::Url;

use crate::rest::error::ApiError;
use crate::state::AppState;

/// Passes safe methods and same-origin requests, answers 403 to the rest.
pub(crate) async fn same_origin(State(state): State<AppState>, request: Request, next: Next) -> Response {
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        return next.run(request).await;
    }
    let (mut parts, body) = request.into_parts();
    if let Err(reason) = verdict(&parts.headers, state.gateway.site()) {
        let problem = Problem::new(
            "cross_origin",
            format!(
                "this change was not sent by a page of this dashboard ({reason}); open the dashboard under the address in BASE_URL and try again"
            ),
        );
        return ApiError::from(problem).with_request_id(&parts.extensions).into_page_or_json(&parts.headers);
    }
    own_referer(&mut parts);
    next.run(Request::from_parts(parts, body)).await
}

/// Whether the headers prove that a page of this origin sent the request.
pub(crate) fn verdict(headers: &HeaderMap, site: &Site) -> Result<(), &'static str> {
    let mut said = headers.get_all("sec-fetch-site").iter();
    match (said.next(), said.next()) {
        (Some(said), None) if said.as_bytes() == b"same-origin" => return Ok(()),
        // `none` is a person typing an address or a bookmark: never a form of ours.
        (Some(_), _) => return Err("Sec-Fetch-Site is not same-origin"),
        (None, _) => {}
    }
    let origin = match headers.get(ORIGIN) {
        None => return Err("neither Sec-Fetch-Site nor Origin was sent"),
        Some(origin) => origin.to_str().ok().and_then(origin_of).ok_or("Origin is no web address")?,
    };
    if is_own(&origin, headers, site) { Ok(()) } else { Err("Origin is another site") }
}

/// Whether a handshake of a WebSocket was sent by a page of another origin. Programs send no `Origin`.
pub(crate) fn is_foreign(headers: &HeaderMap, site: &Site) -> bool {
    headers.get_all(ORIGIN).iter().any(|origin| {
        let origin = origin.to_str().ok().and_then(origin_of);
        !origin.is_some_and(|origin| is_own(&origin, headers, site))
    })
}

fn is_own(origin: &String, headers: &HeaderMap, site: &Site) -> bool {
    match &site.base_url {
        Some(base) => origin_of(base).is_some_and(|own| own == *origin),
        None => own_hosts(headers, site.secure_cookies).contains(origin),
    }
}

// Without BASE_URL nobody knows whether a proxy in front speaks TLS. Secure cookies say that it does.
fn own_hosts(headers: &HeaderMap, tls_only: bool) -> Vec<String> {
    let Some(host) = headers.get(HOST).and_then(|host| host.to_str().ok()) else { return Vec::new() };
    let schemes: &[&str] = if tls_only { &["https"] } else { &["http", "https"] };
    schemes.iter().filter_map(|scheme| origin_of(&format!("{scheme}://{host}"))).collect()
}

/// `scheme://host[:port]` in normal form; nothing for `null` and other texts that are no web origin.
fn origin_of(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let plain = url.username().is_empty() && url.password().is_none();
    (plain && matches!(url.scheme(), "http" | "https")).then(|| url.origin().ascii_serialization())
}

// Leptos sends a form without scripts back to its `Referer`. Only a page of this host may be named there.
fn own_referer(parts: &mut Parts) {
    let Some(referer) = parts.headers.get(REFERER) else { return };
    let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let url = referer.to_str().ok().and_then(|text| Url::parse(text).ok());
    let own = url.as_ref().is_some_and(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.username().is_empty()
            && Url::parse(&format!("{}://{host}", url.scheme()))
                .is_ok_and(|own| own.host_str() == url.host_str() && own.port() == url.port())
    });
    if !own {
        let home = HeaderValue::from_str(&format!("http://{host}/")).unwrap_or(HeaderValue::from_static("/"));
        parts.headers.insert(REFERER, home);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(site: &Site, headers: &[(&'static str, &'static str)], allowed: bool) {
        let mut map = HeaderMap::new();
        map.insert(HOST, HeaderValue::from_static("gate.example:8080"));
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_static(value));
        }
        assert_eq!(verdict(&map, site).is_ok(), allowed, "{headers:?} with {site:?}");
    }

    #[test]
    fn fault_x04_only_the_own_origin_is_believed() {
        let open = Site::default();
        check(&open, &[("sec-fetch-site", "same-origin")], true);
        for other in ["none", "same-site", "cross-site", "", "Same-Origin", "same-origin, same-origin"] {
            check(&open, &[("sec-fetch-site", other)], false);
        }
        check(&open, &[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")], false);
        check(&open, &[("sec-fetch-site", "cross-site"), ("origin", "http://gate.example:8080")], false);
        check(&open, &[("origin", "http://gate.example:8080")], true);
        check(&open, &[("origin", "https://gate.example:8080")], true);
        check(&open, &[("origin", "http://GATE.example:8080")], true);
        for other in
            ["http://gate.example", "http://evil.example:8080", "null", "", "http://gate.example:8080@evil"]
        {
            check(&open, &[("origin", other)], false);
        }
        check(&open, &[], false);
    }

    #[test]
    fn fault_x04_base_url_and_secure_cookies_narrow_the_origin() {
        let named = Site { base_url: Some("https://gate.example".into()), ..Site::default() };
        check(&named, &[("origin", "https://gate.example")], true);
        check(&named, &[("origin", "https://gate.example:443")], true);
        check(&named, &[("origin", "http://gate.example:8080")], false);
        let tls = Site { secure_cookies: true, ..Site::default() };
        check(&tls, &[("origin", "https://gate.example:8080")], true);
        check(&tls, &[("origin", "http://gate.example:8080")], false);
    }

    #[test]
    fn fault_x20_a_foreign_referer_never_becomes_a_redirect_target() {
        for (referer, kept) in [
            ("http://gate.example:8080/providers?x=1", true),
            ("https://gate.example:8080/", true),
            ("http://evil.example/", false),
            ("//evil.example/", false),
            ("javascript:alert(1)", false),
            ("http://gate.example:8080@evil.example/", false),
        ] {
            let request = http::Request::builder()
                .header(HOST, "gate.example:8080")
                .header(REFERER, referer)
                .body(())
                .unwrap();
            let (mut parts, ()) = request.into_parts();
            own_referer(&mut parts);
            let after = parts.headers[REFERER].to_str().unwrap();
            assert_eq!(after, if kept { referer } else { "http://gate.example:8080/" });
        }
    }
}
