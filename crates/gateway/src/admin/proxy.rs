//! The address of an outbound proxy: checked when it is entered, shown without its password.

use types::{Patch, Problem, Secret};
use url::Url;

/// Schemes that the outbound client can speak to a proxy.
const SCHEMES: &[&str] = &["http", "https", "socks5", "socks5h"];

/// Checks an address and answers what views may show of it.
pub(super) fn check_proxy(address: &Secret<String>) -> Result<String, Problem> {
    let wrong = |message: &str| Problem::field("proxy_url", message);
    let text = address.expose();
    if text.len() > 2_048 || text.contains(|c: char| c.is_control() || c.is_whitespace() || c == '\\') {
        return Err(wrong("the address is too long or holds blanks or control characters"));
    }
    let mut url =
        Url::parse(text).map_err(|_| wrong("expected an address such as http://proxy.example.com:3128"))?;
    if !SCHEMES.contains(&url.scheme()) {
        return Err(wrong("only http, https and socks5 proxies can be used"));
    }
    if url.host_str().is_none_or(str::is_empty) || url.port() == Some(0) {
        return Err(wrong("the address names no host"));
    }
    if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("leave out everything after host and port"));
    }
    if url.password().is_some() && url.set_password(Some("MASKED")).is_err() {
        return Err(wrong("the password cannot be read"));
    }
    Ok(url.as_str().trim_end_matches('/').replacen(":MASKED@", ":…@", 1))
}

/// The same of a change.
pub(super) fn check_patch(change: &Patch<Secret<String>>) -> Result<Patch<String>, Problem> {
    match change {
        Patch::Set(address) => check_proxy(address).map(Patch::Set),
        Patch::Clear => Ok(Patch::Clear),
        Patch::Keep => Ok(Patch::Keep),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<String, Problem> {
        check_proxy(&Secret::new(text.to_owned()))
    }

    #[test]
    fn the_password_is_never_shown() {
        assert_eq!(
            check("http://user:hunter2@proxy.example.com:3128").unwrap(),
            "http://user:…@proxy.example.com:3128"
        );
        assert_eq!(check("socks5://10.0.0.1:1080/").unwrap(), "socks5://10.0.0.1:1080");
    }

    #[test]
    fn an_address_that_no_client_could_use_is_refused() {
        for bad in [
            "",
            "proxy:3128",
            "ftp://proxy",
            "http://",
            "http://p:0",
            "http://p/x",
            "http://p?a",
            "http://a b",
        ] {
            let problem = check(bad).unwrap_err();
            assert!(problem.fields.contains_key("proxy_url"), "{bad}");
        }
    }
}
