//! Language and theme, kept in two cookies for a year.
//!
//! They say nothing about the person and are open before sign-in.

use axum::extract::{Request, State};
use axum::response::Response;
use http::HeaderValue;
use http::header::SET_COOKIE;
use serde::Deserialize;

use super::{form, see_other};
use crate::state::AppState;

#[derive(Deserialize)]
struct Preferences {
    lang: Option<String>,
    theme: Option<String>,
    next: Option<String>,
}

/// `POST /preferences`
pub(super) async fn preferences(State(state): State<AppState>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let wanted: Preferences = match form::read(&parts, body).await {
        Ok(wanted) => wanted,
        Err(answer) => return answer,
    };
    let next = wanted.next.as_deref().unwrap_or("/");
    // The sign-in page has the switches too, and is the one ceremony that may be landed on here.
    let on_login = next == "/login" || next.starts_with("/login?");
    let mut answer = see_other(if on_login && next.is_ascii() { next } else { super::local_path(next) });
    let secure = if state.gateway.site().secure_cookies { "; Secure" } else { "" };
    for (name, value, known) in [
        ("tg_lang", wanted.lang, &["en", "zh"][..]),
        ("tg_theme", wanted.theme, &["light", "dark", "auto"][..]),
    ] {
        let cookie = known
            .iter()
            .find(|word| value.as_deref() == Some(**word))
            .map(|word| format!("{name}={word}; Max-Age=31536000; Path=/; SameSite=Lax{secure}"))
            .and_then(|cookie| HeaderValue::from_str(&cookie).ok());
        if let Some(cookie) = cookie {
            answer.headers_mut().append(SET_COOKIE, cookie);
        }
    }
    answer
}
