//! How a request's record is written to the journal: the fields that say something, and no others.
//!
//! Names and values are those of [`RequestRecord`] itself, so that whole records of earlier versions read back the
//! same way. It decides no more than what may be left out.

use serde::{Deserialize, Serialize};
use types::dialect::{Dialect, Endpoint};
use types::price::{Bill, PriceState};
use types::request::{Attempt, Decision, Outcome, RequestRecord};
use types::{ApiKeyId, CredentialId, GrantId, Money, ProviderId, RequestId, Timestamp, UserId};

/// A record whose JSON is slim.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Slim(#[serde(with = "Fields")] pub(crate) RequestRecord);

/// The same without owning the record.
#[derive(Serialize)]
#[serde(transparent)]
pub(crate) struct SlimRef<'a>(#[serde(serialize_with = "Fields::serialize")] pub(crate) &'a RequestRecord);

/// Whether a value says nothing.
fn plain<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "RequestRecord")]
struct Fields {
    request_id: RequestId,
    #[serde(skip_serializing_if = "plain")]
    client_request_id: Option<String>,
    created_at: Timestamp,
    #[serde(skip_serializing_if = "plain")]
    user_id: Option<UserId>,
    #[serde(skip_serializing_if = "plain")]
    key_id: Option<ApiKeyId>,
    #[serde(skip_serializing_if = "plain")]
    provider_id: Option<ProviderId>,
    #[serde(skip_serializing_if = "plain")]
    credential_id: Option<CredentialId>,
    #[serde(skip_serializing_if = "plain")]
    session_id: Option<String>,
    endpoint: Endpoint,
    dialect: Dialect,
    #[serde(skip_serializing_if = "plain")]
    upstream_dialect: Option<Dialect>,
    #[serde(skip_serializing_if = "plain")]
    model: Option<String>,
    #[serde(skip_serializing_if = "plain")]
    upstream_model: Option<String>,
    #[serde(default, skip_serializing_if = "plain")]
    streaming: bool,
    status_code: u16,
    outcome: Outcome,
    #[serde(skip_serializing_if = "plain")]
    error_code: Option<String>,
    #[serde(skip_serializing_if = "plain")]
    error_message: Option<String>,
    #[serde(default, skip_serializing_if = "plain")]
    input_tokens: u64,
    #[serde(default, skip_serializing_if = "plain")]
    output_tokens: u64,
    #[serde(default, skip_serializing_if = "plain")]
    cache_read_tokens: u64,
    #[serde(default, skip_serializing_if = "plain")]
    cache_write_tokens: u64,
    #[serde(default, skip_serializing_if = "plain")]
    cache_write_1h_tokens: u64,
    #[serde(default, skip_serializing_if = "plain")]
    reasoning_tokens: u64,
    #[serde(default, skip_serializing_if = "plain")]
    audio_input_tokens: u64,
    #[serde(default, skip_serializing_if = "plain")]
    audio_output_tokens: u64,
    #[serde(default, skip_serializing_if = "plain")]
    image_input_tokens: u64,
    #[serde(default, skip_serializing_if = "plain")]
    image_output_tokens: u64,
    #[serde(default, skip_serializing_if = "plain")]
    images: u64,
    #[serde(default, skip_serializing_if = "plain")]
    web_searches: u64,
    #[serde(default, skip_serializing_if = "plain")]
    estimated: bool,
    #[serde(skip_serializing_if = "plain")]
    service_tier: Option<String>,
    #[serde(default, skip_serializing_if = "plain")]
    cost_usd: Money,
    #[serde(default, skip_serializing_if = "plain")]
    base_cost_usd: Money,
    #[serde(default, skip_serializing_if = "plain")]
    provider_cost_usd: Money,
    #[serde(default, skip_serializing_if = "plain")]
    held_usd: Money,
    #[serde(default = "no_price")]
    price_state: PriceState,
    #[serde(skip_serializing_if = "plain")]
    group: Option<String>,
    #[serde(skip_serializing_if = "plain")]
    grant_id: Option<GrantId>,
    #[serde(skip_serializing_if = "plain")]
    bill: Option<Box<Bill>>,
    #[serde(default, skip_serializing_if = "plain")]
    duration_ms: u64,
    #[serde(skip_serializing_if = "plain")]
    first_byte_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "plain")]
    request_bytes: u64,
    #[serde(default, skip_serializing_if = "plain")]
    response_bytes: u64,
    #[serde(skip_serializing_if = "plain")]
    client_ip: Option<String>,
    #[serde(skip_serializing_if = "plain")]
    user_agent: Option<String>,
    #[serde(skip_serializing_if = "plain")]
    idempotency_key: Option<String>,
    #[serde(default, skip_serializing_if = "plain")]
    attempts: Vec<Attempt>,
    /// Written behind the record instead.
    #[serde(skip_serializing)]
    decision: Option<Decision>,
}

fn no_price() -> PriceState {
    PriceState::None
}
