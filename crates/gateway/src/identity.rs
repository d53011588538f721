//! Who is there: recognises keys, passwords and the admin token, and slows down guessing.
//!
//! It holds no list of users and decides nothing about what somebody may do.

pub(crate) mod admin_token;
pub mod api_key;
pub(crate) mod password;
pub(crate) mod problem;
pub(crate) mod throttle;

pub use admin_token::fingerprint;

use std::net::IpAddr;

use store::{ApiKeyRow, KeyStats};
use types::Secret;
use types::api_key::{ApiKeySpec, ApiKeyView};

/// What is presented at the sign-in.
#[derive(Clone, Debug)]
pub enum SignIn {
    /// The admin token, or a member's API key.
    Token(Secret<String>),
    /// A member's name and password.
    Password {
        /// The user's name.
        name: String,
        /// The password.
        password: Secret<String>,
    },
}

/// In whose name and from where something is administered; it ends up in the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// `admin` (dashboard), `admin-api` (REST) or `member`.
    pub via: &'static str,
    /// The client's address.
    pub client_ip: Option<String>,
    /// Identity of the request that asked for it.
    pub request_id: String,
    /// Identity of the dashboard's session; `None` for scripts.
    pub session: Option<String>,
}

impl Actor {
    /// The address to count failures for. An unknown one counts as a network of its own, never as loopback.
    pub(crate) fn ip(&self) -> IpAddr {
        self.client_ip
            .as_deref()
            .and_then(|text| text.parse().ok())
            .unwrap_or(IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED))
    }
}

/// A key as it is shown to its owner and to the administrator.
pub(crate) fn api_key_view(row: ApiKeyRow, user_name: String, stats: KeyStats) -> ApiKeyView {
    let ApiKeyRow {
        id,
        user_id,
        spec,
        prefix,
        hash: _,
        pepper_id: _,
        created_at,
        updated_at,
        deleted_at,
        usage_reset_at,
        version,
    } = row;
    let ApiKeySpec {
        name,
        groups,
        models,
        clients,
        ip_allow,
        enabled,
        expires_at,
        limits,
        grant_id,
        translation,
    } = spec;
    ApiKeyView {
        id,
        user_id,
        user_name,
        name,
        prefix,
        groups,
        models,
        clients,
        ip_allow: ip_allow.iter().map(ToString::to_string).collect(),
        enabled,
        expires_at,
        limits,
        grant_id,
        translation,
        usage_reset_at,
        cost_usd: stats.cost_usd,
        last_used_at: stats.last_used_at,
        request_count: stats.request_count,
        created_at,
        updated_at,
        deleted_at,
        version,
    }
}
