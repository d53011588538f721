//! THE cfg file: what differs between the server and the browser stands behind equal names here.
//!
//! Server functions name it by full path (`crate::host::admin()`), because their bodies vanish from the
//! browser build. Components use only what both halves offer.

#[cfg(not(feature = "ssr"))]
mod browser;
#[cfg(feature = "ssr")]
mod server;

#[cfg(not(feature = "ssr"))]
pub(crate) use browser::*;
#[cfg(feature = "ssr")]
pub use server::Drafts;
#[cfg(feature = "ssr")]
pub(crate) use server::*;

use serde::{Deserialize, Serialize};
use types::RequestId;
use types::principal::Viewer;

use crate::text::Lang;

/// Gives the `OpenAPI` document of the admin REST API, handed in by the server through Leptos' context. It is large, and
/// only one page asks for it.
#[derive(Clone, Copy, Debug)]
pub struct OpenApi(pub fn() -> &'static serde_json::Value);

/// Whether the server holds the browser bundle, handed in through Leptos' context. Without it the shell must
/// not name the bundle's scripts: pages then work server-rendered only.
#[derive(Clone, Copy, Debug)]
pub struct Bundle(pub bool);

/// Tells who was refused by the limit per address, which only the edge knows; handed in through Leptos' context.
#[derive(Clone)]
pub struct Refused(pub std::sync::Arc<dyn Fn() -> types::quota::RefusedAddresses + Send + Sync>);

impl std::fmt::Debug for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Refused").finish_non_exhaustive()
    }
}

/// What a page needs before its first render, equal on both sides: the server writes it into
/// `<html data-facts>`, the browser reads it from there, so that hydration meets the same text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Facts {
    /// Language of all texts.
    pub(crate) lang: Lang,
    /// Theme asked for.
    pub(crate) theme: Theme,
    /// Address under which callers reach this gateway, without a trailing slash.
    pub(crate) origin: String,
    /// Who is signed in.
    pub(crate) viewer: Option<Viewer>,
    /// Whether the session cookie is marked Secure while the page came over plain HTTP.
    pub(crate) cookie_trap: bool,
}

/// What is heard of a request that the browser makes itself.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "ssr", expect(dead_code, reason = "only a browser hears anything"))]
pub(crate) enum Sound {
    /// The head of the answer.
    Head { status: u16, request_id: Option<RequestId>, upstream: Option<String>, dropped: String },
    /// Bytes of its body.
    Piece(Vec<u8>),
    /// Its end.
    End,
    /// It broke off, or never came.
    Broken,
}

/// Light, dark, or as the system says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Theme {
    /// Follows `prefers-color-scheme`.
    #[default]
    Auto,
    /// Always light.
    Light,
    /// Always dark.
    Dark,
}

impl Theme {
    /// Value of the cookie and of the `data-theme` attribute.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}
