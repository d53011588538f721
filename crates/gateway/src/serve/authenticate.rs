//! Presented key to caller: one key per request, the same rules whichever header carries it.

use std::sync::Arc;

use http::HeaderMap;
use http::header::{AUTHORIZATION, HeaderName};
use types::Timestamp;

use crate::core::Core;
use crate::error::Refusal;
use crate::snapshot::{ApiKey, Snapshot};

/// Headers that carry a bare key.
const KEY_HEADERS: [HeaderName; 3] = [
    HeaderName::from_static("x-api-key"),
    HeaderName::from_static("x-goog-api-key"),
    HeaderName::from_static("api-key"),
];

/// Finds the caller. `query_key` says whether `?key=` counts, which it does on Gemini paths only.
pub(super) fn caller(
    core: &Core,
    snapshot: &Snapshot,
    headers: &HeaderMap,
    query: Option<&str>,
    query_key: bool,
    now: Timestamp,
) -> Result<Arc<ApiKey>, Refusal> {
    let presented = presented_key(headers, query, query_key)?;
    // The lookup is by the keyed hash of the whole key: an unknown key and a wrong one take the same path.
    let key = snapshot.keys.get(&core.keys.hash(presented)).ok_or_else(Refusal::key_invalid)?;
    if !key.spec.enabled {
        return Err(Refusal::key_disabled("it was switched off"));
    }
    if key.spec.expires_at.is_some_and(|end| now >= end) {
        return Err(Refusal::key_expired("its end date has passed"));
    }
    if !key.user.spec.enabled {
        return Err(Refusal::key_disabled("its user was switched off"));
    }
    if !key.user.is_active(now) {
        return Err(Refusal::key_expired("its user's end date has passed"));
    }
    Ok(key.clone())
}

/// The one key that a request presents.
fn presented_key<'a>(
    headers: &'a HeaderMap,
    query: Option<&'a str>,
    query_key: bool,
) -> Result<&'a str, Refusal> {
    let mut found: Option<&'a str> = None;
    let mut take = |key: &'a str| match found {
        Some(known) if known != key => Err(Refusal::conflicting_keys()),
        _ => {
            found = Some(key);
            Ok(())
        }
    };
    for value in headers.get_all(AUTHORIZATION) {
        let text = value.to_str().map_err(|_| Refusal::malformed_key())?.trim();
        let (scheme, key) = text.split_once(' ').ok_or_else(Refusal::malformed_key)?;
        if !scheme.eq_ignore_ascii_case("bearer") || key.trim().is_empty() {
            return Err(Refusal::malformed_key());
        }
        take(key.trim())?;
    }
    for name in KEY_HEADERS {
        for value in headers.get_all(name) {
            let key = value.to_str().map_err(|_| Refusal::malformed_key())?.trim();
            if !key.is_empty() {
                take(key)?;
            }
        }
    }
    for pair in query.unwrap_or_default().split('&') {
        if let Some(key) = pair.strip_prefix("key=").filter(|key| !key.is_empty()) {
            if !query_key {
                return Err(Refusal::key_in_query());
            }
            take(key)?;
        }
    }
    found.ok_or_else(Refusal::missing_key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn present(
        headers: &[(&str, &str)],
        query: Option<&str>,
        query_key: bool,
    ) -> Result<String, &'static str> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
        }
        presented_key(&map, query, query_key).map(str::to_owned).map_err(|refusal| refusal.code)
    }

    #[test]
    fn ke_01_every_header_form_carries_a_key() {
        for header in [
            ("authorization", "Bearer k"),
            ("authorization", "bearer  k"),
            ("x-api-key", "k"),
            ("x-goog-api-key", "k"),
            ("api-key", "k"),
        ] {
            assert_eq!(present(&[header], None, false), Ok("k".into()), "{header:?}");
        }
        assert_eq!(present(&[], Some("alt=sse&key=k"), true), Ok("k".into()));
    }

    #[test]
    fn x9_x10_keys_in_addresses_and_two_different_keys_are_refused() {
        assert_eq!(present(&[], Some("key=k"), false), Err("key_in_query"));
        assert_eq!(
            present(&[("x-api-key", "a"), ("authorization", "Bearer b")], None, false),
            Err("conflicting_keys")
        );
        assert_eq!(
            present(&[("authorization", "Bearer a"), ("authorization", "Bearer b")], None, false),
            Err("conflicting_keys")
        );
        assert_eq!(
            present(&[("x-api-key", "a"), ("authorization", "Bearer a")], None, false),
            Ok("a".into())
        );
    }

    #[test]
    fn au_01_missing_and_malformed_are_told_apart() {
        assert_eq!(present(&[], None, false), Err("missing_authorization"));
        for bad in ["k", "Basic a2V5", "Bearer ", "Bearer"] {
            assert_eq!(
                present(&[("authorization", bad)], None, false),
                Err("malformed_authorization"),
                "{bad}"
            );
        }
    }
}
