//! The engine: takes a caller's request to an upstream and back, and administers what that needs.
//!
//! It does not know that HTTP servers or browsers exist: no axum, no Leptos. Inside, four floors; a module
//! may use its own floor's parent and any floor below (see `ARCHITECTURE.md`):
//!
//! ```text
//! top       facade -> start
//! floor 3   serve | admin | member | tasks | checks | accounts | refresh | …
//! floor 2   upstream | quota
//! floor 1   credential, authenticate -> snapshot | identity | affinity | continuation | used_keys
//! floor 0   config | error | clock | live | metrics | vault | queue | outbox | task_board | …
//! ```
//!
//! [`Gateway`] is the façade over all of it; `core` is what the top floor stands on.

pub mod clock;
pub mod config;
mod disk;
mod error;
mod keepers;
mod live;
mod metrics;
mod model_lists;
mod outbox;
mod pool;
mod task_board;
pub mod vault;

mod accounts;
mod authenticate;
mod catalogue;
mod checks;
pub mod identity;
mod queue;
mod reach;
mod rounds;
mod snapshot;

mod affinity;
mod continuation;
mod credential;
mod events;
mod price;
mod quota;
mod upstream;
mod used_keys;

mod core;

mod admin;
mod environment;
mod facade;
mod health;
mod house;
mod loopback;
mod member;
mod pricelist;
mod refresh;
mod serve;
mod sign_in;
mod standing;
mod start;
mod tasks;

pub use admin::Admin;
pub use clock::Clock;
pub use config::{Config, Dns, EnvEntry, EnvList, OutboundProxy, Site};
pub use core::StartError;
pub use error::Refusal;
pub use facade::Gateway;
pub use identity::{Actor, SignIn};
pub use member::Member;
pub use serve::{Caller, Ingress, KeyedCall, ModelsCall, Received, Reply, ReplyBody};

/// A Responses caller's WebSocket: what its messages mean.
pub mod socket {
    pub use crate::serve::{Create, NotUnderstood, Socket, error_message, with_stream_id};
}
