//! Sign-out: the row dies, the cookie goes.
//!
//! The cookie's removal is written by the session layer and mended by `middleware::session`.

use axum::extract::State;
use axum::response::Response;
use http::HeaderValue;
use http::header::SET_COOKIE;
use tower_sessions::Session;

use super::{see_other, to_login};
use crate::session::{cookie_attributes, cookie_name};
use crate::state::AppState;

/// `POST /auth/logout`
pub(super) async fn logout(State(state): State<AppState>, session: Session) -> Response {
    match session.flush().await {
        Ok(()) => see_other("/login"),
        Err(error) => {
            tracing::error!(%error, "a session could not be deleted at sign-out");
            let mut answer = to_login("/", Some("database_unavailable"));
            let secure = state.gateway.site().secure_cookies;
            let removal = format!("{}=; Max-Age=0{}", cookie_name(secure), cookie_attributes(secure));
            if let Ok(removal) = HeaderValue::from_str(&removal) {
                answer.headers_mut().append(SET_COOKIE, removal);
            }
            answer
        }
    }
}
