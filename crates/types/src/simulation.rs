//! Questions to the router that send nothing: what it would do now, and what it would have done.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::credential::Tier;
use crate::request::Decision;
use crate::routing::Strategy;
use crate::{ApiKeyId, Money, ProviderId, Timestamp};

/// Body of `POST /api/admin/routing/simulate`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Simulate {
    /// Ask as this key; null means a key without bounds.
    pub key_id: Option<ApiKeyId>,
    /// `anthropic` (default), `openai-chat`, `openai-responses` or `gemini`.
    pub dialect: Option<String>,
    /// The model asked for.
    pub model: String,
    /// The conversation.
    pub session_id: Option<String>,
    /// The User-Agent.
    pub user_agent: Option<String>,
    /// Seed of the draw; null means a new one.
    pub seed: Option<u64>,
}

/// What a request like that would meet now. Nothing was sent and nothing was held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Simulation {
    /// The decision, as it would be recorded.
    pub decision: Decision,
    /// What would have to be different for another candidate to be first, the smallest change first.
    pub changes: Vec<Counterfactual>,
    /// What the caller would be told if nobody could serve; null otherwise.
    pub refusal: Option<String>,
}

/// A change that would have put another candidate first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Counterfactual {
    /// The candidate, as `provider / credential`.
    pub candidate: String,
    /// What would have to be different, as a stable word: `enabled`, `group`, `model`, `wait`, `breaker`, `state`,
    /// `concurrency`, `limit`, `tier`, `priority`, `weight`, `draw`, `load`, `latency`, `affinity`, …
    pub change: String,
    /// The same as a sentence.
    pub says: String,
    /// What the sentence is made of, for whoever tells it in other words.
    pub obstacles: Vec<Obstacle>,
    /// Whether it is sure that nothing else stood in its way.
    pub sure: bool,
}

/// One thing that kept a candidate from being first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Obstacle {
    /// A stable name: a filter's, or `demoted`, `affinity`, `tier`, `priority`, `provider_priority`, `turn`,
    /// `load_by_weight`, `load`, `cost`, `latency`, `weight`, `draw`, `draw_of_two`.
    pub code: String,
    /// Whom it came after, as `provider / credential`.
    pub other: Option<String>,
    /// Its own figure: a priority, a weight, a load, a tier.
    pub mine: Option<String>,
    /// The other one's.
    pub theirs: Option<String>,
    /// Its chance in the draw, in thousandths.
    pub chance_permille: Option<u32>,
    /// When it is over by itself.
    pub until: Option<Timestamp>,
}

/// Body of `POST /api/admin/routing/backtest`: a policy to try on what was recorded. Absent fields stay as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Backtest {
    /// From when; null means the last 24 hours.
    pub since: Option<Timestamp>,
    /// Until when; null means now.
    pub until: Option<Timestamp>,
    /// At most so many requests, the latest; 1 to 20,000, default 5,000.
    pub limit: Option<u32>,
    /// Another strategy.
    pub strategy: Option<Strategy>,
    /// Another order of tiers.
    pub tier_order: Option<Vec<Tier>>,
    /// Other values of providers, by id.
    pub providers: BTreeMap<i64, ProviderEdit>,
}

/// Values of a provider to try.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct ProviderEdit {
    /// Whether it may serve.
    pub enabled: Option<bool>,
    /// Its priority.
    pub priority: Option<i32>,
    /// Its weight.
    pub weight: Option<u32>,
}

/// What another policy would have made of recorded requests.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BacktestReport {
    /// Requests with a decision that was looked at.
    pub requests: u64,
    /// Of those: that would have gone elsewhere first.
    pub moved: u64,
    /// Of those: that nobody would have served.
    pub unserved: u64,
    /// Requests left out because their record holds too little.
    pub skipped: u64,
    /// What providers charged.
    pub cost_before: Money,
    /// What they would have charged: the same tokens at the other provider's multiplier.
    pub cost_after: Money,
    /// Attempts beyond the first.
    pub failovers_before: u64,
    /// Expected, from the share of first attempts that failed at each credential in the same hours.
    pub failovers_after: u64,
    /// Mean time to the first byte in milliseconds.
    pub first_byte_ms_before: Option<u64>,
    /// Expected, from the mean of each credential in the same span.
    pub first_byte_ms_after: Option<u64>,
    /// First choices by provider.
    pub providers: Vec<BacktestLine>,
}

/// First choices of one provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BacktestLine {
    /// The provider.
    pub provider_id: ProviderId,
    /// Its name.
    pub name: String,
    /// As recorded.
    pub before: u64,
    /// Under the other policy.
    pub after: u64,
}
