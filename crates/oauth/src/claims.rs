//! What a JWT says about itself: who, until when. Unverified: it came from the vendor over TLS, and is used for
//! display and to know when to refresh, never to decide who somebody is.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use types::Timestamp;

/// What is read of a JWT.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    /// E-mail, else name, else subject.
    pub account: Option<String>,
    /// Its end by the vendor's clock.
    pub expires_at: Option<Timestamp>,
    /// When it was made, by the same clock.
    pub issued_at: Option<Timestamp>,
}

impl Claims {
    /// The end of a token that was just given. Nobody gives one that is over: if it seems so, the clocks differ, and
    /// what counts is how long it lives.
    pub fn end(&self, now: Timestamp) -> Option<Timestamp> {
        let end = self.expires_at?;
        if end > now {
            return Some(end);
        }
        let life = end.0.checked_sub(self.issued_at?.0).filter(|life| *life > 0)?;
        Some(now.plus_ms(life))
    }
}

/// Longest name that is kept.
const LONGEST: usize = 96;

/// Whether a token looks like a JWT: three parts, of which the first two are JSON objects.
pub fn is_jwt(token: &str) -> bool {
    let parts: Vec<&str> = token.split('.').collect();
    let [head, body, signature] = parts.as_slice() else { return false };
    let is_object = |part: &str| object_in(part).is_some_and(|value| value.is_object());
    !signature.is_empty() && is_object(head) && is_object(body)
}

fn object_in(part: &str) -> Option<Value> {
    let bytes = URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// Reads a token's claims; empty if it is no JWT.
pub fn claims_of(token: &str) -> Claims {
    let mut parts = token.split('.');
    let (Some(_), Some(body), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Claims::default();
    };
    let Some(claims) = object_in(body) else { return Claims::default() };
    let time = |name: &str| {
        claims.get(name).and_then(Value::as_i64).and_then(|s| s.checked_mul(1_000)).map(Timestamp)
    };
    Claims { account: account_in(&claims), expires_at: time("exp"), issued_at: time("iat") }
}

/// The account that a JSON object names: of a token, of a userinfo endpoint, or of a token answer.
pub(crate) fn account_in(value: &Value) -> Option<String> {
    let direct = ["email", "preferred_username", "login", "name", "sub"];
    let inner = ["account", "user", "organization", "https://api.openai.com/profile"];
    let text = |value: &Value, name: &str| {
        let text = value.get(name)?.as_str()?.trim();
        let clean: String = text.chars().filter(|c| !c.is_control()).take(LONGEST).collect();
        (!clean.is_empty()).then_some(clean)
    };
    let inside = || {
        inner.iter().find_map(|name| {
            let value = value.get(*name)?;
            ["email_address", "email", "name"].iter().find_map(|name| text(value, name))
        })
    };
    // An e-mail anywhere before a bare subject.
    text(value, "email").or_else(inside).or_else(|| direct.iter().find_map(|name| text(value, name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jwt(claims: &str) -> String {
        format!("{}.{}.sig", URL_SAFE_NO_PAD.encode("{}"), URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn the_account_is_the_e_mail_before_anything_else() {
        let of = |claims| claims_of(&jwt(claims)).account;
        assert_eq!(of(r#"{"sub":"1","email":"a@example.com"}"#).as_deref(), Some("a@example.com"));
        assert_eq!(of(r#"{"sub":"1","name":"Ann"}"#).as_deref(), Some("Ann"));
        let nested = r#"{"sub":"1","account":{"email_address":"b@example.com"}}"#;
        assert_eq!(of(nested).as_deref(), Some("b@example.com"));
        assert_eq!(of("{}"), None);
    }

    #[test]
    fn the_end_is_read_in_seconds() {
        assert_eq!(claims_of(&jwt(r#"{"exp":1800000000}"#)).expires_at, Some(Timestamp(1_800_000_000_000)));
        assert_eq!(claims_of(&jwt(r#"{"exp":9223372036854775807}"#)).expires_at, None);
    }

    #[test]
    fn rf_02_a_fresh_token_that_seems_to_be_over_lives_as_long_as_it_says() {
        let of = |claims| claims_of(&jwt(claims)).end(Timestamp(2_000_000));
        assert_eq!(of(r#"{"exp":2300,"iat":1900}"#), Some(Timestamp(2_300_000)));
        assert_eq!(of(r#"{"exp":1700,"iat":1400}"#), Some(Timestamp(2_300_000)));
        assert_eq!(of(r#"{"exp":1700}"#), None);
        assert_eq!(of(r#"{"exp":1700,"iat":1800}"#), None);
        assert_eq!(of(r#"{"iat":1800}"#), None);
    }

    #[test]
    fn hc_08_a_jwt_has_three_parts_and_says_something() {
        assert!(is_jwt(&jwt(r#"{"exp":1800000000}"#)));
        for text in ["", "opaque", "a.b.c", "sess-1234", &jwt("[1]"), jwt("{}").trim_end_matches("sig")] {
            assert!(!is_jwt(text), "{text}");
        }
    }

    #[test]
    fn what_is_no_jwt_says_nothing() {
        for text in ["", "opaque", "a.b", "a.b.c", "a.!!.c", "a.b.c.d"] {
            assert_eq!(claims_of(text), Claims::default(), "{text}");
        }
    }
}
