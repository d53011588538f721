//! Security headers of pages, files and JSON.

use std::collections::HashSet;

use http::Method;

use crate::auth::console::{Answer, Console};

fn policy(answer: &Answer) -> &str {
    answer.header("content-security-policy")
}

fn nonce(answer: &Answer) -> String {
    let (_, tail) = policy(answer).split_once("script-src 'self' 'nonce-").unwrap();
    tail.split('\'').next().unwrap().to_owned()
}

/// The opening tags of that name.
fn tags<'a>(html: &'a str, name: &str) -> Vec<&'a str> {
    let open = format!("<{name}");
    html.match_indices(&open)
        .map(|(at, _)| html[at..].split_once('>').map_or(&html[at..], |(tag, _)| tag))
        .filter(|tag| tag[open.len()..].is_empty() || tag[open.len()..].starts_with([' ', '\n']))
        .collect()
}

#[tokio::test]
async fn fault_x18_every_page_runs_only_scripts_and_styles_of_its_own_nonce() {
    let console = Console::start().await;
    let cookie = console.admin_session().await;
    let mut seen = HashSet::new();
    let pages = server::dashboard::routes(&console.state);
    let pages = pages.iter().filter(|(method, path)| *method == Method::GET && !path.starts_with("/rpc/"));
    for (_, path) in pages {
        let path = path.replace("{id}", "1");
        for round in 0..2 {
            let answer = console.page(&path, &cookie).await;
            if !answer.header("content-type").starts_with("text/html") {
                continue;
            }
            let nonce = nonce(&answer);
            assert!(nonce.len() >= 22, "128 bits: {nonce}");
            assert!(seen.insert(nonce.clone()), "{path}: the nonce was used before");
            let own = format!("nonce=\"{nonce}\"");
            for tag in tags(&answer.body, "script").into_iter().chain(tags(&answer.body, "style")) {
                assert!(tag.contains(&own), "{path} round {round}: <{tag}> lacks {own}");
            }
            for forbidden in [" style=\"", " onclick=", " onload=", " onsubmit=", " onchange=", "javascript:"]
            {
                assert!(!answer.body.contains(forbidden), "{path}: {forbidden}");
            }
            assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        }
    }
    assert!(seen.len() >= 20, "{} pages were looked at", seen.len());
}

#[tokio::test]
async fn fault_x19_pages_json_and_files_carry_the_fixed_headers() {
    let console = Console::start().await;
    let cookie = console.admin_session().await;
    for path in ["/login", "/", "/api/admin/providers", "/health", "/pkg/tollgate.css", "/no/such/page"] {
        let answer = console.page(path, &cookie).await;
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "same-origin"),
            ("x-frame-options", "DENY"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("permissions-policy", "camera=(), microphone=(), geolocation=()"),
        ] {
            assert_eq!(answer.header(name), value, "{path}");
        }
        assert!(policy(&answer).contains("frame-ancestors 'none'"), "{path}");
        assert!(!policy(&answer).contains("unsafe-inline"), "{path}");
        assert_eq!(answer.header("strict-transport-security"), "", "{path}: plain HTTP");
    }
    for path in ["/api/admin/providers", "/health", "/login"] {
        assert_eq!(console.page(path, &cookie).await.header("cache-control"), "no-store", "{path}");
    }
}

#[tokio::test]
async fn sites_behind_tls_are_pinned_to_it() {
    let console = Console::start_with(|config| config.secure_cookies = true).await;
    let answer = console.page("/login", "").await;
    assert_eq!(answer.header("strict-transport-security"), "max-age=31536000; includeSubDomains");
}
