//! Sessions of the dashboard: what one holds, how long it lives, and the cookie that names it.
//!
//! Rows live in `store` (see `session/rows.rs`); who may do what is decided by `gateway`, never here.

pub(crate) mod rows;

use serde::{Deserialize, Serialize};
use tower_sessions::SessionManagerLayer;
use tower_sessions::cookie::SameSite;
use types::Timestamp;
use types::principal::Principal;
use types::setting::Settings;

use crate::state::AppState;
use rows::Rows;

/// The one entry of a session's data.
pub(crate) const ENTRY: &str = "signed_in";

/// A session is written again at most so often, in milliseconds, to note that it is in use.
const TOUCH_MS: i64 = 60_000;

/// What a session holds. A row that lacks a field, or has one too many, is no session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignedIn {
    /// Who signed in.
    pub(crate) principal: Principal,
    /// The absolute end, fixed at sign-in: no activity moves it.
    pub(crate) ends_at: Timestamp,
    /// When it was last seen in use, to a minute.
    pub(crate) seen_at: Timestamp,
}

impl SignedIn {
    /// A session that begins now.
    pub(crate) fn begin(principal: Principal, now: Timestamp, settings: &Settings) -> Self {
        let lifetime_ms = i64::from(settings.session_lifetime_hours) * Timestamp::HOUR_MS;
        Self { principal, ends_at: now.plus_ms(lifetime_ms), seen_at: now }
    }

    /// Whether its absolute or its idle end has come.
    pub(crate) fn is_over(&self, now: Timestamp, settings: &Settings) -> bool {
        let idle_ms = i64::from(settings.session_idle_minutes) * 60_000;
        now >= self.ends_at || now >= self.seen_at.plus_ms(idle_ms)
    }

    /// The session as seen now, if that is worth a write.
    pub(crate) fn touched(&self, now: Timestamp) -> Option<Self> {
        (now >= self.seen_at.plus_ms(TOUCH_MS)).then(|| Self { seen_at: now, ..self.clone() })
    }
}

/// Name of the session cookie. The prefix makes browsers insist on `Secure`, `Path=/` and no `Domain`
/// (RFC 6265bis §4.1.3.2), so a sibling host cannot plant one.
pub(crate) fn cookie_name(secure: bool) -> &'static str {
    if secure { "__Host-tg_sid" } else { "tg_sid" }
}

/// Everything behind the session cookie's value. No `Max-Age`: the server decides when a session ends.
pub(crate) fn cookie_attributes(secure: bool) -> &'static str {
    if secure { "; HttpOnly; SameSite=Strict; Secure; Path=/" } else { "; HttpOnly; SameSite=Strict; Path=/" }
}

/// The layer that turns the cookie into a `tower_sessions::Session`.
pub(crate) fn layer(state: &AppState) -> SessionManagerLayer<Rows> {
    let secure = state.gateway.site().secure_cookies;
    SessionManagerLayer::new(Rows::new(state.store.clone(), state.gateway.clock().clone()))
        .with_name(cookie_name(secure))
        .with_http_only(true)
        .with_same_site(SameSite::Strict)
        .with_secure(secure)
        .with_path("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp(minutes * 60_000)
    }

    #[test]
    fn au_04_activity_moves_the_idle_end_but_never_the_absolute_end() {
        let settings =
            Settings { session_lifetime_hours: 2, session_idle_minutes: 30, ..Settings::default() };
        let session = SignedIn::begin(Principal::Admin, at(0), &settings);
        assert!(!session.is_over(at(29), &settings));
        assert!(session.is_over(at(30), &settings), "idle for 30 minutes");
        let mut used = session;
        for minute in (0..120).step_by(10) {
            assert!(!used.is_over(at(minute), &settings), "in use at minute {minute}");
            used = used.touched(at(minute)).unwrap_or(used);
        }
        assert!(used.is_over(at(120), &settings), "two hours are over");
    }

    #[test]
    fn fault_x06_a_row_that_lacks_or_adds_a_field_is_no_session() {
        let good = r#"{"principal":{"role":"admin"},"ends_at":"2026-01-01T00:00:00Z","seen_at":"2026-01-01T00:00:00Z"}"#;
        assert!(serde_json::from_str::<SignedIn>(good).is_ok());
        for bad in [
            r"{}",
            r#"{"principal":{"role":"admin"}}"#,
            r#"{"ends_at":"2026-01-01T00:00:00Z","seen_at":"2026-01-01T00:00:00Z"}"#,
            r#"{"principal":{},"ends_at":"2026-01-01T00:00:00Z","seen_at":"2026-01-01T00:00:00Z"}"#,
            r#"{"principal":{"role":"owner"},"ends_at":"2026-01-01T00:00:00Z","seen_at":"2026-01-01T00:00:00Z"}"#,
            r#"{"principal":{"role":"member"},"ends_at":"2026-01-01T00:00:00Z","seen_at":"2026-01-01T00:00:00Z"}"#,
            r#"{"principal":{"role":"admin"},"ends_at":"2026-01-01T00:00:00Z","seen_at":"2026-01-01T00:00:00Z","admin":true}"#,
        ] {
            assert!(serde_json::from_str::<SignedIn>(bad).is_err(), "{bad}");
        }
    }
}
