//! Remembers browsers in which the owner has signed in, so that strangers who guess at the admin token cannot
//! lock him out: his browser is slowed down by its own failures only.
//!
//! The cookie opens nothing. It only chooses which failure counter applies.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};
use rand::TryRngCore;
use sha2::{Digest, Sha256};
use types::Timestamp;

use crate::state::AppState;

/// Content of the row; a session's row never equals it.
const MARK: &str = "device";

/// How long a browser is remembered.
const LIFETIME_DAYS: i64 = 180;

fn name(secure: bool) -> &'static str {
    if secure { "__Host-tg_device" } else { "tg_device" }
}

/// Whether the request comes from a remembered browser. An unreachable database means no.
pub(super) async fn is_trusted(state: &AppState, headers: &HeaderMap) -> bool {
    let Some(hash) = hash_in(headers, name(state.gateway.site().secure_cookies)) else { return false };
    let row = state.store.session_load(&hash, state.gateway.clock().now()).await;
    row.is_ok_and(|row| row.as_deref() == Some(MARK))
}

/// Remembers this browser; nothing if it is remembered already or cannot be now.
pub(super) async fn enrol(state: &AppState, headers: &HeaderMap) -> Option<HeaderValue> {
    if is_trusted(state, headers).await {
        return None;
    }
    let mut token = [0_u8; 32];
    rand::rngs::OsRng.try_fill_bytes(&mut token).ok()?;
    let token = URL_SAFE_NO_PAD.encode(token);
    let until = state.gateway.clock().now().plus_ms(LIFETIME_DAYS * Timestamp::DAY_MS);
    state.store.session_save(&hash(&token), None, MARK, until).await.ok()?;
    let secure = state.gateway.site().secure_cookies;
    let attributes = crate::session::cookie_attributes(secure);
    let seconds = LIFETIME_DAYS * 86_400;
    HeaderValue::from_str(&format!("{}={token}; Max-Age={seconds}{attributes}", name(secure))).ok()
}

fn hash_in(headers: &HeaderMap, name: &str) -> Option<[u8; 32]> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(known, value)| *known == name && value.len() == 43)
        .map(|(_, value)| hash(value))
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::new().chain_update("device:").chain_update(token).finalize().into()
}
