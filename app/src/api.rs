//! Server functions by noun: signature and at most five lines, the first of which obtains a permission handle.
//!
//! They decide nothing; `gateway` does. Paths are stable: `/rpc/app/api/<noun>/<verb>`. Reads take JSON, since
//! optional values survive it; changes take forms, so that they work without scripts.

pub(crate) mod alias;
pub(crate) mod audit;
pub(crate) mod breaker;
pub(crate) mod cache;
pub(crate) mod catalogue;
pub(crate) mod check;
pub(crate) mod conformance;
pub(crate) mod credential;
pub(crate) mod docs;
pub(crate) mod error_rule;
pub(crate) mod group;
pub(crate) mod key;
pub(crate) mod ledger;
pub(crate) mod me;
pub(crate) mod oauth;
pub(crate) mod overview;
pub(crate) mod package;
pub(crate) mod palette;
pub(crate) mod playground;
pub(crate) mod pool;
pub(crate) mod price;
pub(crate) mod provider;
pub(crate) mod quota;
pub(crate) mod request;
pub(crate) mod routing;
pub(crate) mod setting;
pub(crate) mod system;
pub(crate) mod transfer;
pub(crate) mod usage;
pub(crate) mod user;
