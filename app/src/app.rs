//! Every page path in one table.
//!
//! Pages render before they are sent (`SsrMode::Async`), so that they are whole without scripts and can set a
//! status. Who may open which path is decided by the server's edge and by the handles, not here.

use leptos::prelude::*;
use leptos_meta::{Title, provide_meta_context};
use leptos_router::components::{FlatRoutes, Route, Router};
use leptos_router::{Method, SsrMode, path};

use crate::api;
use crate::components::layout::Frame;
use crate::components::palette::Names;
use crate::components::{Busy, Refresh};
use crate::host;
use crate::pages;

/// The path of every page below, as the server's router writes it.
const PAGES: [&str; 41] = [
    "/login",
    "/",
    "/providers",
    "/providers/new",
    "/providers/{id}",
    "/pool",
    "/routing",
    "/oauth",
    "/oauth/new",
    "/oauth/vendors/{name}",
    "/oauth/flows/{id}",
    "/breakers",
    "/cache",
    "/credentials/import",
    "/models",
    "/conformance",
    "/playground",
    "/users",
    "/users/new",
    "/users/{id}",
    "/keys",
    "/keys/new",
    "/keys/{id}",
    "/requests",
    "/requests/{id}",
    "/usage",
    "/quotas",
    "/prices",
    "/prices/edit",
    "/prices/import",
    "/prices/reprice",
    "/groups",
    "/packages",
    "/packages/new",
    "/packages/{id}",
    "/ledger",
    "/settings",
    "/audit",
    "/system",
    "/api-docs",
    "/me",
];

/// Every page: its path, how it is rendered and how it is asked for. A server that mounts these need not walk through
/// the application to learn them, which would bring much of the dashboard's code into memory before anybody looks at it.
pub fn page_list() -> impl Iterator<Item = (&'static str, SsrMode, Method)> {
    PAGES.into_iter().map(|path| (path, SsrMode::Async, Method::Get))
}

/// The application, on both sides.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    let facts = host::facts();
    provide_context(facts.lang);
    provide_context(facts);
    provide_context(Refresh(RwSignal::new(0)));
    provide_context(Busy(RwSignal::new(0)));
    provide_context(Names(Action::new(|()| async { api::palette::names().await.unwrap_or_default() })));
    let mode = SsrMode::Async;
    view! {
        <Title formatter=|title: String| if title.is_empty() { "Tollgate".to_owned() } else { format!("{title} · Tollgate") }/>
        <Router>
            <Frame>
                <FlatRoutes fallback=pages::not_found::NotFound>
                    <Route path=path!("/login") view=pages::login::Login ssr=mode.clone()/>
                    <Route path=path!("/") view=pages::overview::OverviewPage ssr=mode.clone()/>
                    <Route path=path!("/providers") view=pages::providers::Providers ssr=mode.clone()/>
                    <Route path=path!("/providers/new") view=pages::provider_new::ProviderNew ssr=mode.clone()/>
                    <Route path=path!("/providers/:id") view=pages::provider::ProviderPage ssr=mode.clone()/>
                    <Route path=path!("/pool") view=pages::pool::Pool ssr=mode.clone()/>
                    <Route path=path!("/routing") view=pages::routing::Routing ssr=mode.clone()/>
                    <Route path=path!("/oauth") view=pages::oauth::Oauth ssr=mode.clone()/>
                    <Route path=path!("/oauth/new") view=pages::oauth_vendor::OauthVendorNew ssr=mode.clone()/>
                    <Route path=path!("/oauth/vendors/:name") view=pages::oauth_vendor::OauthVendor ssr=mode.clone()/>
                    <Route path=path!("/oauth/flows/:id") view=pages::oauth_flow::OauthFlow ssr=mode.clone()/>
                    <Route path=path!("/breakers") view=pages::breakers::Breakers ssr=mode.clone()/>
                    <Route path=path!("/cache") view=pages::cache::Cache ssr=mode.clone()/>
                    <Route path=path!("/credentials/import") view=pages::credential_import::CredentialImportPage ssr=mode.clone()/>
                    <Route path=path!("/models") view=pages::models::Models ssr=mode.clone()/>
                    <Route path=path!("/conformance") view=pages::conformance::Conformance ssr=mode.clone()/>
                    <Route path=path!("/playground") view=pages::playground::Playground ssr=mode.clone()/>
                    <Route path=path!("/users") view=pages::users::Users ssr=mode.clone()/>
                    <Route path=path!("/users/new") view=pages::user::UserNew ssr=mode.clone()/>
                    <Route path=path!("/users/:id") view=pages::user::UserPage ssr=mode.clone()/>
                    <Route path=path!("/keys") view=pages::keys::Keys ssr=mode.clone()/>
                    <Route path=path!("/keys/new") view=pages::key::KeyNew ssr=mode.clone()/>
                    <Route path=path!("/keys/:id") view=pages::key::KeyPage ssr=mode.clone()/>
                    <Route path=path!("/requests") view=pages::requests::Requests ssr=mode.clone()/>
                    <Route path=path!("/requests/:id") view=pages::request::RequestPage ssr=mode.clone()/>
                    <Route path=path!("/usage") view=pages::usage::UsagePage ssr=mode.clone()/>
                    <Route path=path!("/quotas") view=pages::quotas::Quotas ssr=mode.clone()/>
                    <Route path=path!("/prices") view=pages::prices::Prices ssr=mode.clone()/>
                    <Route path=path!("/prices/edit") view=pages::price_edit::PriceEdit ssr=mode.clone()/>
                    <Route path=path!("/prices/import") view=pages::price_import::PriceImportPage ssr=mode.clone()/>
                    <Route path=path!("/prices/reprice") view=pages::reprice::RepricePage ssr=mode.clone()/>
                    <Route path=path!("/groups") view=pages::groups::Groups ssr=mode.clone()/>
                    <Route path=path!("/packages") view=pages::packages::Packages ssr=mode.clone()/>
                    <Route path=path!("/packages/new") view=pages::packages::PackageNew ssr=mode.clone()/>
                    <Route path=path!("/packages/:id") view=pages::packages::PackagePage ssr=mode.clone()/>
                    <Route path=path!("/ledger") view=pages::ledger::Ledger ssr=mode.clone()/>
                    <Route path=path!("/settings") view=pages::settings::SettingsPage ssr=mode.clone()/>
                    <Route path=path!("/audit") view=pages::audit::Audit ssr=mode.clone()/>
                    <Route path=path!("/system") view=pages::system::SystemPage ssr=mode.clone()/>
                    <Route path=path!("/api-docs") view=pages::api_docs::ApiDocs ssr=mode.clone()/>
                    <Route path=path!("/me") view=pages::me::Me ssr=mode/>
                </FlatRoutes>
            </Frame>
        </Router>
    }
}
