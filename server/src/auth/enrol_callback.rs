//! Where vendors send browsers back to after a sign-in. It decides nothing: `gateway` holds the answer against the
//! sign-in that waits for it.

use axum::extract::{Request, State};
use axum::response::{Html, IntoResponse, Response};
use http::StatusCode;
use types::principal::Principal;

use super::{actor, see_other, to_login, via};
use crate::middleware::session::sign_in_problem;
use crate::state::AppState;

/// Marks the second look: the first comes from the vendor's page, and brings no cookie (`SameSite=Strict`).
const AGAIN: &str = "again=1";

/// `GET /auth/enrol/callback`.
pub(super) async fn callback(State(state): State<AppState>, request: Request) -> Response {
    let query = request.uri().query().unwrap_or_default().to_owned();
    let Some(principal) = request.extensions().get::<Principal>().cloned() else {
        if query.split('&').any(|pair| pair == AGAIN) {
            return to_login("/oauth", sign_in_problem(request.extensions()));
        }
        return once_more(&query);
    };
    let admin = match state.gateway.admin(&principal, acting(&principal, request.extensions())) {
        Ok(admin) => admin,
        Err(problem) => return see_other(&format!("/oauth?problem={}", problem.code)),
    };
    match admin.flow_return(&query).await {
        Ok(flow) => see_other(&format!("/oauth/flows/{}?done=connected", flow.id)),
        // What was said is kept with the sign-in and shown there: an address that carried it could be made by anybody.
        Err(problem) => {
            let flow = admin.flow_named(&query).await;
            let page = flow.map_or_else(|| "/oauth".to_owned(), |id| format!("/oauth/flows/{id}"));
            see_other(&format!("{page}?problem={}", problem.code))
        }
    }
}

/// Who acts, with the session that the sign-in is bound to.
fn acting(principal: &Principal, extensions: &http::Extensions) -> gateway::Actor {
    extensions.get::<gateway::Actor>().cloned().unwrap_or_else(|| actor(via(principal), extensions))
}

/// A page of ours that asks for the same address again: this time the cookie comes along.
fn once_more(query: &str) -> Response {
    let safe: String = query.chars().filter(|c| c.is_ascii_graphic() && !"\"'<>\\`".contains(*c)).collect();
    let address = format!("/auth/enrol/callback?{safe}&{AGAIN}").replace('&', "&amp;");
    let page = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Tollgate</title>\
         <link rel=\"icon\" href=\"/favicon.svg\" type=\"image/svg+xml\">\
         <meta http-equiv=\"refresh\" content=\"0;url={address}\"></head>\
         <body><p><a href=\"{address}\">Continue</a></p></body></html>"
    );
    (StatusCode::OK, [("cache-control", "no-store")], Html(page)).into_response()
}
