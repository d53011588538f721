//! Sign-in with a secret (admin token or API key), or with name and password.
//!
//! It judges no secret and counts no failure; `gateway.sign_in` does both.

use std::net::{IpAddr, Ipv4Addr};

use axum::extract::{Request, State};
use axum::response::Response;
use gateway::SignIn;
use http::header::SET_COOKIE;
use serde::Deserialize;
use tower_sessions::Session;
use types::Secret;
use types::principal::Principal;
use url::form_urlencoded;

use super::{device, form, local_path, see_other, to_login};
use crate::middleware::client_ip::ClientIp;
use crate::session::{ENTRY, SignedIn};
use crate::state::AppState;

#[derive(Deserialize)]
struct Login {
    secret: Option<Secret<String>>,
    name: Option<String>,
    password: Option<Secret<String>>,
    next: Option<String>,
}

impl Login {
    // Surrounding blanks are the usual paste accident; no secret of ours has any.
    fn sign_in(&self) -> Option<SignIn> {
        match (&self.secret, &self.name, &self.password) {
            (Some(secret), _, _) if !secret.expose().trim().is_empty() => {
                Some(SignIn::Token(Secret::new(secret.expose().trim().to_owned())))
            }
            (_, Some(name), Some(password)) if !name.trim().is_empty() => {
                Some(SignIn::Password { name: name.trim().to_owned(), password: password.clone() })
            }
            _ => None,
        }
    }
}

/// `POST /auth/login`
pub(super) async fn login(State(state): State<AppState>, session: Session, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let login: Login = match form::read(&parts, body).await {
        Ok(login) => login,
        Err(answer) => return answer,
    };
    let next = local_path(login.next.as_deref().unwrap_or("/"));
    let Some(sign_in) = login.sign_in() else { return to_login(next, Some("missing_authorization")) };
    let client_ip = parts.extensions.get::<ClientIp>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ip| ip.0);
    let trusted = device::is_trusted(&state, &parts.headers).await;
    let principal = match state.gateway.sign_in(sign_in, client_ip, trusted).await {
        Ok(principal) => principal,
        Err(problem) => return to_login(next, Some(&problem.code)),
    };
    if let Err(error) = begin(&state, &session, principal.clone()).await {
        tracing::error!(%error, "a session could not be started");
        return to_login(next, Some("database_unavailable"));
    }
    let mut answer = see_other(&landing(&state, next));
    if principal == Principal::Admin
        && let Some(cookie) = device::enrol(&state, &parts.headers).await
    {
        answer.headers_mut().append(SET_COOKIE, cookie);
    }
    answer
}

// A new id at every sign-in: whoever planted the old one gains nothing (session fixation).
async fn begin(
    state: &AppState,
    session: &Session,
    principal: Principal,
) -> Result<(), tower_sessions::session::Error> {
    session.cycle_id().await?;
    session.clear().await;
    let now = state.gateway.clock().now();
    session.insert(ENTRY, SignedIn::begin(principal, now, &state.gateway.settings())).await?;
    // Saved here and not by the layer, so that a failing database becomes a sentence instead of a bare 500.
    session.save().await
}

// A browser drops a `Secure` cookie that came over plain HTTP without a word, and the reader would see the
// sign-in page again as if the token were wrong. Where that can happen, the next step checks that it arrived.
fn landing(state: &AppState, next: &str) -> String {
    if state.gateway.site().secure_cookies {
        let query = form_urlencoded::Serializer::new(String::new()).append_pair("next", next).finish();
        format!("/auth/arrived?{query}")
    } else {
        next.to_owned()
    }
}

#[derive(Deserialize)]
pub(super) struct Arrival {
    next: Option<String>,
}

/// `GET /auth/arrived`: says so if the browser refused the session cookie. It changes nothing.
pub(super) async fn arrived(
    arrival: axum::extract::Query<Arrival>,
    principal: Option<axum::Extension<Principal>>,
) -> Response {
    let next = local_path(arrival.next.as_deref().unwrap_or("/"));
    if principal.is_some() { see_other(next) } else { to_login(next, Some("cookie_refused")) }
}
