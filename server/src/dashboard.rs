//! Mounts the dashboard: Leptos' pages and server functions, the sign-in forms, the live tail and static files,
//! with the layers that only a browser's surface needs.
//!
//! It renders nothing and knows no page; `app` lists them.

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use http::{Method, StatusCode};
use leptos::nonce::Nonce;
use leptos::prelude::{provide_context, use_context};
use leptos_axum::{
    AxumRouteListing, LeptosRoutes, generate_route_list_with_exclusions_and_ssg_and_context,
    render_app_async_with_context,
};
use types::Problem;
use types::principal::Principal;

use crate::middleware::{csrf, security_headers, session as session_layer};
use crate::rest::error::{self, ApiError};
use crate::rest::{openapi, usage};
use crate::state::AppState;
use crate::{assets, auth, live};

/// The dashboard. Its fallback answers every path that no other router knows.
pub fn router(state: AppState) -> Router {
    let context = context(&state);
    let shell = {
        let options = state.leptos_options.clone();
        move || app::shell(options.clone())
    };
    let pages = Router::new()
        .leptos_routes_with_context(&state, listed(), context.clone(), shell.clone())
        .route("/rpc/{*function}", any(no_such_function))
        .route_layer(from_fn(session_layer::guard));
    let not_found = render_app_async_with_context(context, shell);
    let personal = pages
        .merge(auth::routes())
        .route("/live/requests", get(live::requests))
        .route("/usage/export", get(export_usage))
        .fallback(move |request: Request| missing(request, not_found.clone()))
        .layer(from_fn_with_state(state.clone(), session_layer::prove))
        .layer(crate::session::layer(&state))
        .layer(from_fn_with_state(state.clone(), session_layer::mend_removal))
        .layer(from_fn_with_state(state.clone(), csrf::same_origin));
    personal
        .merge(assets::routes())
        .layer(from_fn(error::stamp))
        .layer(from_fn_with_state(state.clone(), security_headers::protect))
        .with_state(state)
}

/// The pages that are mounted.
fn listed() -> Vec<AxumRouteListing> {
    app::page_list()
        .map(|(path, mode, method)| AxumRouteListing::new(path.to_owned(), mode, [method], Vec::new()))
        .collect()
}

/// Path and rendering of every page that is mounted, and of every page that the application itself names; for the test
/// that holds the two to each other.
pub fn pages(state: &AppState) -> [Vec<String>; 2] {
    [listed(), walked(state)].map(|pages| {
        let mut pages: Vec<_> =
            pages.iter().map(|page| format!("{} {:?}", page.path(), page.mode())).collect();
        pages.sort();
        pages
    })
}

/// Method and path of every page and server function, for tests that must not miss one.
pub fn routes(state: &AppState) -> Vec<(Method, String)> {
    let pages = walked(state).into_iter().map(|page| (Method::GET, page.path().to_owned()));
    let functions =
        leptos::server_fn::axum::server_fn_paths().map(|(path, method)| (method, path.to_owned()));
    pages.chain(functions).collect()
}

/// The pages that the application names, found by walking through it.
fn walked(state: &AppState) -> Vec<AxumRouteListing> {
    generate_route_list_with_exclusions_and_ssg_and_context(app::App, None, context(state)).0
}

// Context carries the gateway and constants; who asks travels as a request extension.
fn context(state: &AppState) -> impl Fn() + Clone + Send + Sync + 'static + use<> {
    let gateway = state.gateway.clone();
    let drafts = app::host::Drafts::default();
    let edge = state.clone();
    let refused = app::host::Refused(std::sync::Arc::new(move || edge.refused_addresses()));
    move || {
        provide_context(drafts.clone());
        provide_context(refused.clone());
        provide_context(gateway.clone());
        provide_context(app::host::OpenApi(openapi::value));
        provide_context(app::host::Bundle(assets::has_bundle()));
        // The page must carry the nonce that the header names; Leptos has just provided one of its own.
        let nonce = use_context::<http::request::Parts>().and_then(|p| p.extensions.get::<Nonce>().cloned());
        if let Some(nonce) = nonce {
            provide_context(nonce);
        }
    }
}

/// The usage page's table as a file; a link, so that it works without scripts.
async fn export_usage(State(state): State<AppState>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let Some(principal) = parts.extensions.get::<Principal>() else {
        let wanted = parts.uri.path_and_query().map_or("/usage", http::uri::PathAndQuery::as_str);
        return auth::to_login(wanted, session_layer::sign_in_problem(&parts.extensions));
    };
    let actor = auth::actor(auth::via(principal), &parts.extensions);
    let made = match state.gateway.admin(principal, actor) {
        Ok(admin) => usage::download(admin, parts.uri.query().unwrap_or_default()).await,
        Err(problem) => Err(ApiError::from(problem)),
    };
    match made {
        Ok(file) => file.into_response(),
        Err(error) => error.with_request_id(&parts.extensions).into_page_or_json(&parts.headers),
    }
}

async fn no_such_function(request: Request) -> Response {
    let message = format!("there is no server function {}", request.uri().path());
    ApiError::from(Problem::new("not_found", message)).into_response()
}

async fn missing<F, Fut>(request: Request, page: F) -> Response
where
    F: Fn(http::Request<Body>) -> Fut,
    Fut: Future<Output = Response>,
{
    let readable = matches!(*request.method(), Method::GET | Method::HEAD);
    let reader = request.extensions().get::<Principal>().is_some();
    if readable && reader && auth::wants_page(request.headers()) {
        let mut response = page(request).await;
        *response.status_mut() = StatusCode::NOT_FOUND;
        return response;
    }
    let message =
        format!("there is no {} {}; the dashboard begins at /", request.method(), request.uri().path());
    let error = ApiError::from(Problem::new("not_found", message)).with_request_id(request.extensions());
    error.into_page_or_json(request.headers())
}
