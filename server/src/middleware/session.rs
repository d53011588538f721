//! Turns the session cookie into a proven [`Principal`], and keeps strangers away from pages.
//!
//! It decides nothing about rights: a member who asks for an administrator's page is refused by `gateway`.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::{COOKIE, SET_COOKIE};
use http::{Extensions, HeaderMap, HeaderValue};
use tower_sessions::Session;
use types::principal::Principal;

use crate::auth;
use crate::session::{ENTRY, SignedIn, cookie_attributes, cookie_name};
use crate::state::AppState;

/// Why a request that brought a session cookie is not signed in: `token_expired` or `token_invalid`, or
/// `database_unavailable` where that could not be found out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SignInProblem(pub(crate) &'static str);

/// Adds the extensions [`Principal`] (or [`SignInProblem`]) and `gateway::Actor` to the request.
pub(crate) async fn prove(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let brought = brings_cookie(request.headers(), cookie_name(state.gateway.site().secure_cookies));
    let session = request.extensions().get::<Session>().cloned();
    let mut via = "member";
    let id = session.clone();
    if let (true, Some(session)) = (brought, session) {
        match standing(&state, &session).await {
            Ok(principal) => {
                via = auth::via(&principal);
                request.extensions_mut().insert(principal);
            }
            Err(problem) => {
                request.extensions_mut().insert(problem);
            }
        }
    }
    let mut actor = auth::actor(via, request.extensions());
    actor.session = id.filter(|_| brought).and_then(|session| session.id()).map(|id| id.to_string());
    request.extensions_mut().insert(actor);
    next.run(request).await
}

async fn standing(state: &AppState, session: &Session) -> Result<Principal, SignInProblem> {
    let entry = match session.get_value(ENTRY).await {
        Ok(entry) => entry,
        Err(error) => {
            tracing::error!(%error, "a session could not be read");
            return Err(SignInProblem("database_unavailable"));
        }
    };
    let now = state.gateway.clock().now();
    let settings = state.gateway.settings();
    let refusal = match entry.and_then(|entry| serde_json::from_value::<SignedIn>(entry).ok()) {
        None => "token_invalid",
        Some(known) if known.is_over(now, &settings) => "token_expired",
        Some(known) if state.gateway.viewer(&known.principal).is_none() => "token_invalid",
        Some(known) => {
            if let Some(touched) = known.touched(now) {
                // A failure costs the reader some idle time, not the page.
                if let Err(error) = session.insert(ENTRY, touched).await {
                    tracing::warn!(%error, "a session's last use could not be noted");
                }
            }
            return Ok(known.principal);
        }
    };
    if let Err(error) = session.flush().await {
        tracing::warn!(%error, "a session that is over could not be deleted");
    }
    Err(SignInProblem(refusal))
}

/// Pages of the administrator that can be opened without reading anything that would refuse a member.
const EMPTY: &[&str] =
    &["/", "/credentials/import", "/ledger", "/prices/edit", "/prices/import", "/prices/reprice"];

/// Lets only signed-in readers pass to pages and server functions; `/login` is open.
pub(crate) async fn guard(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    match request.extensions().get::<Principal>() {
        // The overview and the empty forms are the administrator's; a member who opens one means his own page.
        Some(Principal::Member { .. }) if path.ends_with("/new") || EMPTY.contains(&path) => {
            return auth::see_other("/me");
        }
        Some(_) => return next.run(request).await,
        None if path == "/login" => return next.run(request).await,
        None => {}
    }
    if request.uri().path().starts_with("/rpc/") {
        return auth::refuse_call(&request);
    }
    let wanted = request.uri().path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    auth::to_login(wanted, sign_in_problem(request.extensions()))
}

/// The reason to show on the sign-in page, if there is one.
pub(crate) fn sign_in_problem(extensions: &Extensions) -> Option<&'static str> {
    extensions.get::<SignInProblem>().map(|problem| problem.0)
}

/// Gives a removed session cookie the attributes it was set with. tower-sessions leaves them out, and a
/// browser ignores any `__Host-` cookie without `Secure`: the reader would stay "signed out" with a live cookie.
pub(crate) async fn mend_removal(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let secure = state.gateway.site().secure_cookies;
    let mut response = next.run(request).await;
    let prefix = format!("{}=;", cookie_name(secure));
    let cookies: Vec<HeaderValue> = response.headers_mut().get_all(SET_COOKIE).iter().cloned().collect();
    if cookies.iter().any(|cookie| cookie.as_bytes().starts_with(prefix.as_bytes())) {
        response.headers_mut().remove(SET_COOKIE);
        let removal = format!("{prefix} Max-Age=0{}", cookie_attributes(secure));
        for cookie in cookies {
            let removed = cookie.as_bytes().starts_with(prefix.as_bytes());
            let mended = if removed { HeaderValue::from_str(&removal).unwrap_or(cookie) } else { cookie };
            response.headers_mut().append(SET_COOKIE, mended);
        }
    }
    response
}

fn brings_cookie(headers: &HeaderMap, name: &str) -> bool {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .any(|pair| pair.trim().split_once('=').is_some_and(|(known, _)| known == name))
}
