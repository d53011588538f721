//! Which requests to list.

use serde::{Deserialize, Serialize};

use crate::price::PriceState;
use crate::{ApiKeyId, CredentialId, ProviderId, Timestamp, UserId};

/// Which requests to list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct RequestFilter {
    /// Only of this key.
    pub key_id: Option<ApiKeyId>,
    /// Only of this user.
    pub user_id: Option<UserId>,
    /// Only of this provider.
    pub provider_id: Option<ProviderId>,
    /// Only of this credential.
    pub credential_id: Option<CredentialId>,
    /// `ok`, `error`, another [`Outcome`](super::Outcome), a status code (`429`) or a class (`4xx`).
    pub status: Option<String>,
    /// Exact model name asked for.
    pub model: Option<String>,
    /// Exact error code.
    pub error_code: Option<String>,
    /// Only with this price state, `unpriced` above all.
    pub price_state: Option<PriceState>,
    /// Only of this session.
    pub session_id: Option<String>,
    /// Arrived at or after.
    pub since: Option<Timestamp>,
    /// Arrived before.
    pub until: Option<Timestamp>,
    /// Page size; default 50, 1 to 500.
    pub limit: Option<u32>,
    /// `next` of the page before.
    pub cursor: Option<String>,
}
