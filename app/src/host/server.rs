//! The server's half of `host`: the gateway, the person who asks, and the answer's head.
//!
//! What only a browser can do (dialogs, clipboard, event streams) is a no-op here.

mod conformance;
mod drafts;
mod echo;
mod increase;
mod input;
mod landing;
mod lang;
mod oauth;
mod openapi;
mod play;
mod policy;

pub(crate) use conformance::conformance;
pub use drafts::Drafts;
pub(crate) use drafts::{
    Draft, forget, keep, keep_transfer, kept_export, kept_import, kept_invoice, kept_transfer, take_played,
};
pub(crate) use increase::{lower, raise};
pub(crate) use input::{read_price, read_reconcile};
pub(crate) use landing::{go_back, redirect_to, test_landing};
pub(crate) use oauth::{new_flow, not_lost, read_vendor};
pub(crate) use play::{booked, play};
pub(crate) use policy::{apply_policy, clear_cache};

use leptos::html::Dialog;
use leptos::prelude::*;
use types::principal::Principal;
use types::request::LiveEvent;
use types::{ApiKeyId, Problem};

use super::{Bundle, Facts, OpenApi, Refused, Theme};
use crate::error::AppError;
use crate::text::Lang;

/// Name of the short-lived cookie that carries a new key to the page that shows it once.
const NEW_KEY_COOKIE: &str = "tg_new_key";

/// The engine.
pub(crate) fn gateway() -> Result<gateway::Gateway, AppError> {
    use_context().ok_or_else(|| AppError::from(Problem::new("internal", "the gateway is not available here")))
}

/// This instant, by the gateway's clock.
pub(crate) fn now() -> Result<types::Timestamp, AppError> {
    Ok(gateway()?.clock().now())
}

fn parts() -> Option<http::request::Parts> {
    use_context::<http::request::Parts>()
}

/// Whoever the session proved, if anybody; unlike `principal` it leaves the answer's status alone.
fn proven() -> Option<Principal> {
    let parts = parts()?;
    let optional = parts.extensions.get::<Option<Principal>>().cloned().flatten();
    parts.extensions.get::<Principal>().cloned().or(optional)
}

fn principal() -> Result<Principal, AppError> {
    proven().ok_or_else(|| {
        AppError::from(Problem::new("token_expired", "token expired or missing: sign in again"))
    })
}

fn actor() -> Result<gateway::Actor, AppError> {
    parts()
        .and_then(|parts| parts.extensions.get::<gateway::Actor>().cloned())
        .ok_or_else(|| AppError::from(Problem::new("internal", "the request carries no actor")))
}

/// The handle of a proven administrator.
pub(crate) async fn admin() -> Result<gateway::Admin, AppError> {
    let principal = principal()?;
    Ok(gateway()?.admin(&principal, actor()?)?)
}

/// The handle of a signed-in member.
pub(crate) async fn member() -> Result<gateway::Member, AppError> {
    let principal = principal()?;
    Ok(gateway()?.member(&principal, actor()?)?)
}

/// Every call of the admin REST API, or none where the server gave no document.
pub(crate) fn calls() -> Vec<crate::api::docs::Call> {
    use_context::<OpenApi>().map(|document| openapi::calls((document.0)())).unwrap_or_default()
}

/// Who was refused by the limit per address.
pub(crate) fn refused_addresses() -> types::quota::RefusedAddresses {
    use_context::<Refused>().map(|refused| (refused.0)()).unwrap_or_default()
}

/// Whether there is a browser bundle to name.
pub(crate) fn has_bundle() -> bool {
    use_context::<Bundle>().is_some_and(|bundle| bundle.0)
}

// A plain form post that fails is answered with a redirect back to the page; a forced status would keep
// the `Location` header while the browser no longer follows it.
fn is_form_post(parts: &http::request::Parts) -> bool {
    parts.method == http::Method::POST && accepts_html(parts)
}

fn accepts_html(parts: &http::request::Parts) -> bool {
    header(parts, "accept").is_some_and(|accept| accept.contains("text/html"))
}

fn header<'a>(parts: &'a http::request::Parts, name: &str) -> Option<&'a str> {
    parts.headers.get(name).and_then(|value| value.to_str().ok())
}

/// Sets the status of the answer, unless it is the answer to a plain form post.
pub(crate) fn set_status(status: u16) {
    let Some(parts) = parts() else { return };
    if let (false, Some(options), Ok(status)) = (
        is_form_post(&parts),
        use_context::<leptos_axum::ResponseOptions>(),
        http::StatusCode::from_u16(status),
    ) {
        options.set_status(status);
    }
}

/// Sends the person to another page of the dashboard once the server function is done.
pub(crate) fn redirect(path: &str) {
    leptos_axum::redirect(path);
}

/// Like `redirect`, but for plain form posts only: with scripts the page shows the answer itself.
pub(crate) fn land(path: &str) {
    if parts().is_some_and(|parts| is_form_post(&parts)) {
        redirect(path);
    }
}

fn cookie(parts: &http::request::Parts, name: &str) -> Option<String> {
    parts
        .headers
        .get_all("cookie")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value.to_owned())
}

fn append_cookie(line: &str) {
    if let (Some(options), Ok(value)) =
        (use_context::<leptos_axum::ResponseOptions>(), http::HeaderValue::from_str(line))
    {
        options.append_header(http::header::SET_COOKIE, value);
    }
}

fn cookie_flags() -> &'static str {
    let secure = gateway().is_ok_and(|gateway| gateway.site().secure_cookies);
    if secure { "; Path=/; HttpOnly; SameSite=Strict; Secure" } else { "; Path=/; HttpOnly; SameSite=Strict" }
}

/// Hands a new key to the next page, which shows it once. A plain form post can only be answered with a
/// redirect, and an address would end up in histories and logs; a cookie of two minutes does not.
pub(crate) fn show_new_key(id: ApiKeyId, key: &str) {
    redirect(&format!("/keys/{id}"));
    append_cookie(&format!("{NEW_KEY_COOKIE}={id}.{key}; Max-Age=120{}", cookie_flags()));
}

/// Takes the new key of that id, if there is one, and removes it from the browser.
pub(crate) fn take_new_key(id: ApiKeyId) -> Option<String> {
    let value = cookie(&parts()?, NEW_KEY_COOKIE)?;
    let (owner, key) = value.split_once('.')?;
    if owner != id.to_string() {
        return None;
    }
    append_cookie(&format!("{NEW_KEY_COOKIE}=; Max-Age=0{}", cookie_flags()));
    Some(key.to_owned())
}

/// What the page needs to know before its first render.
pub(crate) fn facts() -> Facts {
    let Some(parts) = parts() else { return Facts::default() };
    let gateway = use_context::<gateway::Gateway>();
    let theme = match cookie(&parts, "tg_theme").as_deref() {
        Some("light") => Theme::Light,
        Some("dark") => Theme::Dark,
        _ => Theme::Auto,
    };
    let lang = cookie(&parts, "tg_lang")
        .and_then(|tag| Lang::from_tag(&tag))
        .or_else(|| header(&parts, "accept-language").and_then(Lang::from_accept))
        .unwrap_or_default();
    let site = gateway.as_ref().map(|gateway| gateway.site().clone());
    let base_url = site.as_ref().and_then(|site| site.base_url.clone());
    let https = base_url.as_ref().is_some_and(|url| url.starts_with("https:"))
        || header(&parts, "x-forwarded-proto") == Some("https");
    let host = header(&parts, "host").unwrap_or("localhost");
    // Browsers treat localhost as trustworthy and keep Secure cookies there.
    let local = ["localhost", "127.0.0.1", "[::1]"].iter().any(|name| host.starts_with(name));
    let origin = base_url.unwrap_or_else(|| format!("{}://{host}", if https { "https" } else { "http" }));
    Facts {
        lang,
        theme,
        origin: origin.trim_end_matches('/').to_owned(),
        viewer: proven().and_then(|who| gateway.and_then(|gateway| gateway.viewer(&who))),
        cookie_trap: !https && !local && site.is_some_and(|site| site.secure_cookies),
    }
}

/// Milliseconds since the epoch in the browser; unknown while rendering on the server.
pub(crate) fn now_ms() -> Option<i64> {
    None
}

/// Opens a dialog; only a browser can.
pub(crate) fn open_dialog(_: NodeRef<Dialog>) {}

/// Closes a dialog; only a browser can.
pub(crate) fn close_dialog(_: NodeRef<Dialog>) {}

/// Copies text; only a browser can.
pub(crate) fn copy(_: &str) {}

/// Whether the tab is hidden; a server has none.
pub(crate) fn is_hidden() -> bool {
    false
}

/// An open event stream; a server opens none.
#[derive(Debug)]
pub(crate) struct Live;

/// Opens the live tail; only a browser does.
pub(crate) fn live(_: impl Fn(LiveEvent) + 'static, _: impl Fn(bool) + 'static) -> Option<Live> {
    None
}

/// Listens for tab visibility; only a browser does.
pub(crate) fn on_visibility(_: impl Fn() + 'static) {}

/// Listens for Ctrl/⌘ K; only a browser does.
pub(crate) fn on_palette_key(_: impl Fn() + 'static) {}

/// Reads the file that was chosen in a field; only a browser does.
pub(crate) fn read_file(_: &leptos::ev::Event, _: impl FnOnce(String, String) + 'static) {}

/// Reads the files that were chosen in a field; only a browser does.
pub(crate) fn read_files(
    _: &leptos::ev::Event,
    _: f64,
    _: impl FnOnce(Option<Vec<(String, String)>>) + 'static,
) {
}

/// Moves the keyboard focus; only a browser does.
pub(crate) fn focus(_: NodeRef<leptos::html::Input>) {}

/// A request of the browser's own; a server makes none for a page.
#[derive(Debug)]
pub(crate) struct Talk;

/// Asks as the page's reader; only a browser does.
pub(crate) fn talk(_: crate::play::Call, _: &str, _: impl Fn(super::Sound) + 'static) -> Talk {
    Talk
}
