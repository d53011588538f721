//! The dashboard: pages, components and server functions, for the server (`ssr`) and the browser (`hydrate`).
//!
//! It holds no decision and no state of its own: pages ask server functions, server functions ask `gateway`.
//! It names neither SQL nor HTTP clients nor routers. Which half is built is decided in `host.rs` alone.

// A page's view is one type, and the compiler walks it to its depth.
#![recursion_limit = "512"]
#![expect(clippy::needless_pass_by_value, reason = "components own their properties")]
#![expect(unreachable_pub, reason = "the component macro writes `pub` whatever the component says")]

pub mod host;

mod api;
mod app;
mod components;
mod error;
mod form;
mod format;
mod pages;
mod play;
mod shell;
mod text;

pub use app::{App, page_list};
pub use shell::shell;
