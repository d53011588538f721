//! The record of one request: what a log row, its detail page and the live tail show.

mod filter;
mod live;
mod tried;

use serde::{Deserialize, Serialize};

pub use filter::RequestFilter;
pub use live::LiveEvent;
pub use tried::{
    AffinityNote, AffinityOutcome, Attempt, AttemptOutcome, Candidate, Commit, Decision, HedgeNote,
    HedgeOutcome, Removed, SessionSource,
};

use crate::dialect::{Dialect, Endpoint, named};
use crate::price::{Bill, PriceState};
use crate::{ApiKeyId, CredentialId, GrantId, Money, ProviderId, RequestId, Timestamp, UserId};

/// Tokens of one request, by class. Unknown classes are zero. `input` never contains the cache classes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct TokenUsage {
    /// Fresh input tokens.
    pub input: u64,
    /// Output tokens, reasoning included.
    pub output: u64,
    /// Input tokens read from the vendor's prompt cache.
    pub cache_read: u64,
    /// Input tokens written to the vendor's prompt cache, all lifetimes.
    pub cache_write: u64,
    /// Of `cache_write`: those with a lifetime of one hour.
    pub cache_write_1h: u64,
    /// Of `output`: tokens spent on hidden reasoning, where the vendor says so.
    pub reasoning: u64,
    /// Of `input`: audio.
    pub audio_input: u64,
    /// Of `output`: audio.
    pub audio_output: u64,
    /// Of `input`: images, where the vendor counts them apart.
    pub image_input: u64,
    /// Of `output`: images, where the vendor counts them apart.
    pub image_output: u64,
    /// Pieces, not tokens: images made by an endpoint that counts no tokens.
    pub images: u64,
    /// Pieces, not tokens: web searches that the vendor ran.
    pub web_searches: u64,
}

impl TokenUsage {
    /// Everything the vendor counted.
    pub fn total(&self) -> u64 {
        self.input
            .saturating_add(self.output)
            .saturating_add(self.cache_read)
            .saturating_add(self.cache_write)
    }
}

named! {
    /// How a request ended for its caller.
    Outcome {
        /// Answered in full.
        Ok = "ok",
        /// Refused by Tollgate before anything was sent upstream.
        Refused = "refused",
        /// Every attempt failed, or the upstream refused the request itself.
        Failed = "failed",
        /// The stream broke after it had begun; the caller got an error event.
        Broken = "broken",
        /// The caller left before the end.
        ClientGone = "client_gone",
        /// The process stopped or crashed before the end; found when it started again.
        Interrupted = "interrupted",
    }
}

/// Everything that is kept of one request. Field names are those of `GET /api/admin/requests`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RequestRecord {
    /// Identity; also in `x-request-id` of the answer.
    pub request_id: RequestId,
    /// The caller's own `x-request-id`, if it sent a valid one.
    pub client_request_id: Option<String>,
    /// Arrival.
    pub created_at: Timestamp,
    /// Null if the caller could not be identified.
    pub user_id: Option<UserId>,
    /// Null if the caller could not be identified.
    pub key_id: Option<ApiKeyId>,
    /// The provider that answered or was tried last.
    pub provider_id: Option<ProviderId>,
    /// The credential that answered or was tried last.
    pub credential_id: Option<CredentialId>,
    /// The conversation that the client named.
    pub session_id: Option<String>,
    /// Which path was asked.
    pub endpoint: Endpoint,
    /// The caller's wire format.
    pub dialect: Dialect,
    /// The upstream's wire format; null if nothing was sent.
    pub upstream_dialect: Option<Dialect>,
    /// The model asked for, as far as it could be read.
    pub model: Option<String>,
    /// The model sent upstream.
    pub upstream_model: Option<String>,
    /// Whether the caller asked for a stream.
    pub streaming: bool,
    /// The status that the caller got; 499 if it left before there was one.
    pub status_code: u16,
    /// How it ended.
    pub outcome: Outcome,
    /// Stable code if it did not end well.
    pub error_code: Option<String>,
    /// The sentence that the caller got.
    pub error_message: Option<String>,
    /// Fresh input tokens.
    pub input_tokens: u64,
    /// Output tokens.
    pub output_tokens: u64,
    /// Tokens read from a prompt cache.
    pub cache_read_tokens: u64,
    /// Tokens written to a prompt cache.
    pub cache_write_tokens: u64,
    /// Of those written: lifetime one hour.
    pub cache_write_1h_tokens: u64,
    /// Of the output: hidden reasoning.
    pub reasoning_tokens: u64,
    /// Of the input: audio.
    #[serde(default)]
    pub audio_input_tokens: u64,
    /// Of the output: audio.
    #[serde(default)]
    pub audio_output_tokens: u64,
    /// Of the input: images, where counted apart.
    #[serde(default)]
    pub image_input_tokens: u64,
    /// Of the output: images, where counted apart.
    #[serde(default)]
    pub image_output_tokens: u64,
    /// Images made, where they are not counted in tokens.
    #[serde(default)]
    pub images: u64,
    /// Web searches that the vendor ran.
    #[serde(default)]
    pub web_searches: u64,
    /// Whether the counts are partial or estimated because the upstream gave no final ones.
    pub estimated: bool,
    /// The vendor's service tier: what the answer said, else what was asked for; null if neither.
    #[serde(default)]
    pub service_tier: Option<String>,
    /// What the caller is charged.
    #[serde(default)]
    pub cost_usd: Money,
    /// Cost at the list price, before any multiplier.
    #[serde(default)]
    pub base_cost_usd: Money,
    /// What the provider charges for the attempt that answered: base cost × its multiplier.
    #[serde(default)]
    pub provider_cost_usd: Money,
    /// What was held for it in the worst case.
    #[serde(default)]
    pub held_usd: Money,
    /// How sure the cost is.
    #[serde(default = "no_price")]
    pub price_state: PriceState,
    /// The group of providers through which it went: of those that led to its provider the one with the highest
    /// price rate; null if the provider has none.
    #[serde(default)]
    pub group: Option<String>,
    /// The grant that paid for it; null if none did.
    #[serde(default)]
    pub grant_id: Option<GrantId>,
    /// The cost taken apart; null if nothing was priced. Null in lists; fetch one request to see it.
    #[serde(default)]
    pub bill: Option<Box<Bill>>,
    /// From arrival to the last byte.
    pub duration_ms: u64,
    /// From arrival to the first body byte for the caller.
    pub first_byte_ms: Option<u64>,
    /// Size of the request body in bytes.
    pub request_bytes: u64,
    /// Size of the answer body in bytes.
    pub response_bytes: u64,
    /// Where it came from.
    pub client_ip: Option<String>,
    /// User-Agent, at most 200 characters.
    pub user_agent: Option<String>,
    /// Digest of API key and `idempotency-key`, a colon, and digest of endpoint and body, both SHA-256 in hex; null
    /// if the caller sent none. Never the header's text.
    #[serde(default)]
    pub idempotency_key: Option<String>,
    /// The attempt chain.
    pub attempts: Vec<Attempt>,
    /// Why it went there; null where no selection took place.
    pub decision: Option<Decision>,
}

impl RequestRecord {
    /// A record of which only identity, endpoint and arrival are known; it counts as interrupted until it is ended.
    pub fn blank(request_id: RequestId, endpoint: Endpoint, created_at: Timestamp) -> Self {
        Self {
            request_id,
            client_request_id: None,
            created_at,
            user_id: None,
            key_id: None,
            provider_id: None,
            credential_id: None,
            session_id: None,
            endpoint,
            dialect: endpoint.dialect(),
            upstream_dialect: None,
            model: None,
            upstream_model: None,
            streaming: false,
            status_code: 0,
            outcome: Outcome::Interrupted,
            error_code: None,
            error_message: None,
            input_tokens: 0,
            output_tokens: 0,
            cache_read_tokens: 0,
            cache_write_tokens: 0,
            cache_write_1h_tokens: 0,
            reasoning_tokens: 0,
            audio_input_tokens: 0,
            audio_output_tokens: 0,
            image_input_tokens: 0,
            image_output_tokens: 0,
            images: 0,
            web_searches: 0,
            estimated: false,
            service_tier: None,
            cost_usd: Money::ZERO,
            base_cost_usd: Money::ZERO,
            provider_cost_usd: Money::ZERO,
            held_usd: Money::ZERO,
            price_state: PriceState::None,
            group: None,
            grant_id: None,
            bill: None,
            duration_ms: 0,
            first_byte_ms: None,
            request_bytes: 0,
            response_bytes: 0,
            client_ip: None,
            user_agent: None,
            idempotency_key: None,
            attempts: Vec::new(),
            decision: None,
        }
    }

    /// The token counts as one value.
    pub fn usage(&self) -> TokenUsage {
        TokenUsage {
            input: self.input_tokens,
            output: self.output_tokens,
            cache_read: self.cache_read_tokens,
            cache_write: self.cache_write_tokens,
            cache_write_1h: self.cache_write_1h_tokens,
            reasoning: self.reasoning_tokens,
            audio_input: self.audio_input_tokens,
            audio_output: self.audio_output_tokens,
            image_input: self.image_input_tokens,
            image_output: self.image_output_tokens,
            images: self.images,
            web_searches: self.web_searches,
        }
    }

    /// Takes over the token counts.
    pub fn set_usage(&mut self, usage: TokenUsage) {
        let TokenUsage {
            input,
            output,
            cache_read,
            cache_write,
            cache_write_1h,
            reasoning,
            audio_input,
            audio_output,
            image_input,
            image_output,
            images,
            web_searches,
        } = usage;
        self.input_tokens = input;
        self.output_tokens = output;
        self.cache_read_tokens = cache_read;
        self.cache_write_tokens = cache_write;
        self.cache_write_1h_tokens = cache_write_1h;
        self.reasoning_tokens = reasoning;
        self.audio_input_tokens = audio_input;
        self.audio_output_tokens = audio_output;
        self.image_input_tokens = image_input;
        self.image_output_tokens = image_output;
        self.images = images;
        self.web_searches = web_searches;
    }

    /// Whether it counts as an error in overviews: not refused by a rule and not left by the caller.
    pub fn is_error(&self) -> bool {
        matches!(self.outcome, Outcome::Failed | Outcome::Broken | Outcome::Interrupted)
            || (self.outcome == Outcome::Refused && self.status_code >= 500)
    }
}

fn no_price() -> PriceState {
    PriceState::None
}

/// A log row: the record plus the names of what it points at (null where that was purged).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RequestRow {
    /// The record. In lists, `decision` is null; fetch one request to see it.
    #[serde(flatten)]
    pub record: RequestRecord,
    /// The user's name.
    pub user_name: Option<String>,
    /// The key's name.
    pub key_name: Option<String>,
    /// The provider's name.
    pub provider_name: Option<String>,
}
