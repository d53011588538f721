//! What hyper lets through and we do not: requests without exactly one `Host`, absolute targets that name
//! another host, doubled fields that must be single, oversized heads, and paths that two parsers could read in
//! two ways. Framing itself (lengths, chunks, bare line feeds in values) is hyper's business.

use gateway::Refusal;
use http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HOST};
use http::uri::Authority;
use http::{HeaderMap, HeaderName, Method, Uri};

use crate::config::EdgeLimits;

/// Fields that mean something else to each reader when they are there twice.
const SINGLE: [HeaderName; 5] = [
    AUTHORIZATION,
    CONTENT_TYPE,
    CONTENT_ENCODING,
    HeaderName::from_static("x-api-key"),
    HeaderName::from_static("x-goog-api-key"),
];

fn bad_request(message: impl Into<String>) -> Refusal {
    Refusal::new(400, "bad_request", message)
}

/// Checks the head of a request; the error is the answer.
pub fn check(method: &Method, uri: &Uri, headers: &HeaderMap, limits: &EdgeLimits) -> Result<(), Refusal> {
    if method == Method::TRACE || method == Method::CONNECT {
        return Err(Refusal::new(405, "method_not_allowed", format!("{method} is not served here")));
    }
    if headers.len() > limits.headers {
        return Err(Refusal::new(
            431,
            "header_too_large",
            format!("more than {} header fields", limits.headers),
        ));
    }
    let url_bytes = uri.path_and_query().map_or(0, |path| path.as_str().len());
    if url_bytes > limits.url_bytes {
        return Err(Refusal::new(
            414,
            "uri_too_long",
            format!("the address is longer than {} bytes", limits.url_bytes),
        ));
    }
    check_host(uri, headers)?;
    for name in SINGLE {
        if headers.get_all(&name).iter().nth(1).is_some() {
            return Err(bad_request(format!("the header {name} was sent more than once")));
        }
    }
    check_path(uri.path())
}

fn check_host(uri: &Uri, headers: &HeaderMap) -> Result<(), Refusal> {
    let mut hosts = headers.get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return Err(bad_request("exactly one Host header is needed (RFC 9112, 3.2)"));
    };
    let authority = host
        .to_str()
        .ok()
        .filter(|text| !text.is_empty() && !text.contains('@'))
        .and_then(|text| text.parse::<Authority>().ok())
        .ok_or_else(|| bad_request("the Host header is no valid host"))?;
    match uri.authority() {
        Some(target) if !target.as_str().eq_ignore_ascii_case(authority.as_str()) => {
            Err(bad_request("the request target names another host than the Host header"))
        }
        _ => Ok(()),
    }
}

/// The router and whatever guards a path must see the same segments, also if a proxy in front decodes or
/// joins them. Model names behind `…/models/`, `…/prices/` and `…/aliases/` may hold an encoded slash: vendors' names
/// do.
fn check_path(path: &str) -> Result<(), Refusal> {
    let harmless = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_' | b':');
    if path.bytes().all(harmless) && !path.contains("//") {
        return Ok(());
    }
    let lower = path.to_ascii_lowercase();
    let names_model = ["/v1/models/", "/v1beta/models/", "/api/admin/prices/", "/api/admin/aliases/"]
        .iter()
        .any(|start| lower.starts_with(start));
    let forbidden = if names_model {
        &["%00", "\\", "%5c", "//"][..]
    } else {
        &["%00", "\\", "%5c", "//", "%2f", ";", "%3b"][..]
    };
    if let Some(part) = forbidden.iter().find(|part| lower.contains(**part)) {
        let hint = if *part == "//" { "; does the base URL end with a slash?" } else { "" };
        return Err(bad_request(format!("the path contains {part}{hint}")));
    }
    let decoded = lower.replace("%2e", ".").replace("%2f", "/");
    if decoded.split('/').any(|segment| segment == "." || segment == "..") {
        return Err(bad_request("the path contains a dot segment"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn checked(target: &str, fields: &[(&str, &str)]) -> Result<(), u16> {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(HeaderName::try_from(*name).unwrap(), HeaderValue::from_str(value).unwrap());
        }
        let limits = EdgeLimits::of_profile(false);
        check(&Method::GET, &target.parse().unwrap(), &headers, &limits).map_err(|refusal| refusal.status)
    }

    #[test]
    fn c13_exactly_one_valid_host_is_needed() {
        type Fields = &'static [(&'static str, &'static str)];
        let cases: &[(&str, Fields, Result<(), u16>)] = &[
            ("/", &[("host", "a.example")], Ok(())),
            ("/", &[("host", "a.example:8080")], Ok(())),
            ("/", &[("host", "[::1]:8080")], Ok(())),
            ("/", &[], Err(400)),
            ("/", &[("host", "")], Err(400)),
            ("/", &[("host", "a"), ("host", "a")], Err(400)),
            ("/", &[("host", "a"), ("host", "b")], Err(400)),
            ("/", &[("host", "user@a")], Err(400)),
            ("/", &[("host", "a/b")], Err(400)),
            ("/", &[("host", "a b")], Err(400)),
            ("http://a.example/", &[("host", "A.example")], Ok(())),
            ("http://b.example/", &[("host", "a.example")], Err(400)),
            ("http://a.example:81/", &[("host", "a.example")], Err(400)),
        ];
        for (target, fields, expected) in cases {
            assert_eq!(checked(target, fields), *expected, "{target} {fields:?}");
        }
    }

    #[test]
    fn c13_doubled_single_fields_are_refused() {
        for name in ["authorization", "content-type", "x-api-key", "x-goog-api-key"] {
            assert_eq!(checked("/", &[("host", "a"), (name, "x"), (name, "x")]), Err(400), "{name}");
        }
    }

    #[test]
    fn x31_paths_that_two_parsers_read_differently_are_refused() {
        let host = [("host", "a")];
        for bad in [
            "/api/admin%2fusers",
            "/api//admin",
            "//v1/messages",
            "/rpc/../api",
            "/rpc/%2e%2e/api",
            "/rpc/.%2E/api",
            "/api/admin;x=1",
            "/api/%5cadmin",
            "/a%00b",
            "/v1/models/../../api/admin",
            "/v1/models/..%2f..%2fapi",
            "/v1/models/a%00",
            "/api/admin/prices/..%2fusers",
            "/api/admin/prices%2fx",
            "/api/admin/aliases/..%2fusers",
            "/.",
        ] {
            assert_eq!(checked(bad, &host), Err(400), "{bad}");
        }
        for good in [
            "/",
            "/v1/messages",
            "/v1/models/org%2Fmodel-1",
            "/v1beta/models/a.b:generateContent",
            "/api/admin/prices/azure%2Fgpt-4o",
            "/api/admin/aliases/azure%2Fgpt-4o",
            "/pkg/a..b.js",
        ] {
            assert_eq!(checked(good, &host), Ok(()), "{good}");
        }
    }

    #[test]
    fn c21_too_many_fields_and_too_long_addresses_have_their_status() {
        let many: Vec<(String, &str)> = (0..65).map(|n| (format!("x-{n}"), "1")).collect();
        let many: Vec<(&str, &str)> =
            many.iter().map(|(n, v)| (n.as_str(), *v)).chain([("host", "a")]).collect();
        assert_eq!(checked("/", &many), Err(431));
        assert_eq!(checked(&format!("/{}", "a".repeat(9_000)), &[("host", "a")]), Err(414));
    }
}
