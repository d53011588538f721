//! OAuth 2.0 as vendors really speak it: descriptors as data, the grants over crate `oauth2`, and what failures mean.
//!
//! No sockets (a [`Transport`] is passed in), no clock (times are passed in), nothing stored. Nothing here imitates a
//! vendor's own client: ids and secrets are the operator's, and no request names another program.

mod assertion;
mod claims;
mod client;
mod device;
mod echo;
mod failure;
mod key_hint;
mod key_probe;
mod paste;
mod preset;
mod token;
mod wire;

use futures_util::future::BoxFuture;

pub use assertion::{ServiceAccount, mint};
pub use claims::{Claims, claims_of, is_jwt};
pub use client::{Authorization, Registered, authorize, client_credentials, exchange, refresh};
pub use device::{DeviceCode, Polled, begin_device, poll_device};
pub use failure::{Class, Failure};
pub use key_hint::key_hint;
pub use key_probe::{KeyProbe, is_session_key, key_probe};
pub use paste::{BadPaste, Returned, parse_pasted, parse_query};
pub use preset::{preset, presets};
pub use token::{Granted, TokenSet};

/// Carries a request to a vendor's endpoint.
pub trait Transport: Sync {
    /// Sends it and reads the whole answer, whatever its status. Redirects are not followed.
    fn send(
        &self,
        request: http::Request<Vec<u8>>,
    ) -> BoxFuture<'_, Result<http::Response<Vec<u8>>, Unreachable>>;
}

/// The endpoint gave no whole answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreachable(pub String);

#[cfg(test)]
mod scripted;
