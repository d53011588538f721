//! The address of an upstream, checked before it is stored.

use std::fmt;

use serde::Serialize;
use url::Url;

/// An `http` or `https` address without credentials, query or fragment, and without a trailing slash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct BaseUrl(String);

/// Why an address was refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BadBaseUrl {
    /// Not an absolute URL.
    #[error("not a complete address; expected something like https://api.example.com")]
    NotAbsolute,
    /// Neither `http` nor `https`.
    #[error("only http and https addresses can be used")]
    Scheme,
    /// `user:password@` inside.
    #[error("credentials do not belong into the address; add them as a credential")]
    Userinfo,
    /// `?…` or `#…` inside.
    #[error("leave out everything from '?' or '#' on")]
    QueryOrFragment,
    /// Longer than 2,048 bytes, or with control characters.
    #[error("the address is too long or holds control characters")]
    Malformed,
}

impl BaseUrl {
    /// Parses and normalises an address.
    pub fn parse(text: &str) -> Result<Self, BadBaseUrl> {
        let text = text.trim();
        // The URL parser would silently drop tabs and newlines and turn '\' into '/': two ways to
        // make a checked address and a used address differ.
        if text.len() > 2048 || text.contains(|c: char| c.is_control() || c == '\\') {
            return Err(BadBaseUrl::Malformed);
        }
        let url = Url::parse(text).map_err(|_| BadBaseUrl::NotAbsolute)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(BadBaseUrl::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(BadBaseUrl::Userinfo);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(BadBaseUrl::QueryOrFragment);
        }
        if url.host_str().is_none_or(str::is_empty) || url.port() == Some(0) {
            return Err(BadBaseUrl::NotAbsolute);
        }
        Ok(Self(url.as_str().trim_end_matches('/').to_owned()))
    }

    /// The normalised text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_addresses_are_normalised() {
        for (text, expected) in [
            ("https://api.example.com/", "https://api.example.com"),
            (" http://127.0.0.1:9000/v1/ ", "http://127.0.0.1:9000/v1"),
            ("HTTPS://API.Example.COM", "https://api.example.com"),
        ] {
            assert_eq!(BaseUrl::parse(text).unwrap().as_str(), expected);
        }
    }

    #[test]
    fn bad_addresses_say_why() {
        for (text, expected) in [
            ("api.example.com", BadBaseUrl::NotAbsolute),
            ("ftp://example.com", BadBaseUrl::Scheme),
            ("http://a:b@example.com", BadBaseUrl::Userinfo),
            ("http://example.com?x=1", BadBaseUrl::QueryOrFragment),
            ("http://a\\@127.0.0.1", BadBaseUrl::Malformed),
            ("http://exa\tmple.com", BadBaseUrl::Malformed),
            ("http://example.com:0", BadBaseUrl::NotAbsolute),
        ] {
            assert_eq!(BaseUrl::parse(text).unwrap_err(), expected, "{text}");
        }
    }
}
