//! Where a browser may be sent after a form: only to a path of this very site.

/// The path if it stays on this site, else `/`.
///
/// Browsers read `//host` and `/\host` as another site and drop tabs and line ends inside an address, so one
/// leading slash is not enough. The sign-in ceremony itself is no place to land on.
pub(crate) fn local_path(text: &str) -> &str {
    let ours = text.len() <= 2_048
        && text.starts_with('/')
        && !text.starts_with("//")
        && !text.contains('\\')
        && text.bytes().all(|byte| byte.is_ascii_graphic());
    let path = text.split(['?', '#']).next().unwrap_or_default();
    let ceremony = path == "/login" || ["/auth/", "/rpc/", "/api/"].iter().any(|p| path.starts_with(p));
    if ours && !ceremony { text } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fault_x20_only_own_paths_are_landed_on() {
        for good in ["/", "/providers", "/requests?status=error&model=a%2Fb", "/keys/7#limits"] {
            assert_eq!(local_path(good), good);
        }
        for bad in [
            "",
            "providers",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\/evil.example",
            "https://evil.example",
            "javascript:alert(1)",
            "/\t/evil.example",
            "/\n/evil.example",
            "/a\\b",
            " /providers",
            "/login?next=/login",
            "/auth/logout",
            "/rpc/x",
            "/\u{202e}x",
        ] {
            assert_eq!(local_path(bad), "/", "{bad:?}");
        }
        assert_eq!(local_path(&format!("/{}", "a".repeat(3_000))), "/");
    }
}
