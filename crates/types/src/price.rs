//! Prices of models: what one million tokens, one call or one image costs. Inputs and views.
//!
//! It states prices; `ledger::price` turns tokens into money and `gateway::price` finds the price of a request.

mod import;

use serde::{Deserialize, Serialize};

pub use import::{ImportPrices, PriceChange, PriceDiff, PriceImport, Reprice, Repriced};

use crate::dialect::named;
use crate::money::{Factor, Money};
use crate::pattern::is_model_text;
use crate::problem::FieldErrors;
use crate::{Problem, Timestamp};

mod put;

pub use put::PutPrice;

/// Prices per class, each optional. Token prices are USD per one million tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Rates {
    /// Fresh input.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_per_million_usd: Option<Money>,
    /// Output, reasoning included unless it has its own price.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_per_million_usd: Option<Money>,
    /// Input read from a prompt cache; absent: as fresh input.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_read_per_million_usd: Option<Money>,
    /// Input written to a prompt cache for five minutes (or the vendor's only lifetime); absent: as fresh input.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_write_5m_per_million_usd: Option<Money>,
    /// Input written to a prompt cache for one hour; absent: twice fresh input if the five-minute price is known,
    /// else as fresh input.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_write_1h_per_million_usd: Option<Money>,
    /// Hidden reasoning; absent: as output.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning_per_million_usd: Option<Money>,
    /// Audio in; absent: as fresh input.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audio_input_per_million_usd: Option<Money>,
    /// Audio out; absent: as output.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audio_output_per_million_usd: Option<Money>,
    /// Image tokens in; absent: as fresh input.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_input_per_million_usd: Option<Money>,
    /// Image tokens out; absent: as output.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_output_per_million_usd: Option<Money>,
}

/// Prices that hold for *all* tokens of a request whose whole input is larger than a threshold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LongContext {
    /// Fresh, cached and written input together must exceed this.
    pub above_input_tokens: u64,
    /// What differs; the rest is as usual.
    #[serde(flatten)]
    pub rates: Rates,
    /// What differs further at the `priority` service tier; absent: that tier's usual prices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Rates>,
    /// What differs further at the `flex` service tier; absent: that tier's usual prices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flex: Option<Rates>,
    /// What differs further at the `batch` service tier; absent: that tier's usual prices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<Rates>,
}

/// What a model costs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct PriceSpec {
    /// The usual prices.
    #[serde(flatten)]
    pub rates: Rates,
    /// Prices of long requests, ascending thresholds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub long_context: Vec<LongContext>,
    /// What differs at the vendor's `priority` service tier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<Rates>,
    /// What differs at the vendor's `flex` service tier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flex: Option<Rates>,
    /// What differs at the vendor's `batch` service tier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch: Option<Rates>,
    /// Added to each answered request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_request_usd: Option<Money>,
    /// Each image made, where images are not counted in tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_image_usd: Option<Money>,
    /// Each web search that the vendor ran.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub web_search_per_call_usd: Option<Money>,
    /// Largest input that the model takes; bounds what is held for a request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_input_tokens: Option<u64>,
    /// Longest output of the model; bounds what is held for a request that names no bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_output_tokens: Option<u64>,
    /// The model costs nothing, on purpose.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub free: bool,
}

named! {
    /// Where a price comes from. A stronger source hides a weaker one for the same model.
    PriceSource {
        /// The table that comes with this version.
        Default = "default",
        /// Fetched from a price list.
        Synced = "synced",
        /// Imported from a file.
        Imported = "imported",
        /// Entered by an administrator.
        Manual = "manual",
    }
}

named! {
    /// How sure the books are of a request's price.
    PriceState {
        /// Nothing to price: refused, or never sent.
        None = "none",
        /// A price was known.
        Priced = "priced",
        /// The model is free on purpose.
        Free = "free",
        /// No price was known and the request cost nothing so far: it waits for a price.
        Unpriced = "unpriced",
        /// No price was known and the set default price was charged.
        DefaultPrice = "default_price",
    }
}

named! {
    /// What a line of a bill is about.
    CostClass {
        /// Fresh input tokens.
        Input = "input",
        /// Output tokens.
        Output = "output",
        /// Tokens read from a prompt cache.
        CacheRead = "cache_read",
        /// Tokens written to a prompt cache, five minutes.
        CacheWrite5m = "cache_write_5m",
        /// Tokens written to a prompt cache, one hour.
        CacheWrite1h = "cache_write_1h",
        /// Hidden reasoning tokens.
        Reasoning = "reasoning",
        /// Audio tokens in.
        AudioInput = "audio_input",
        /// Audio tokens out.
        AudioOutput = "audio_output",
        /// Image tokens in.
        ImageInput = "image_input",
        /// Image tokens out.
        ImageOutput = "image_output",
        /// The request itself.
        Request = "request",
        /// Images made.
        Image = "image",
        /// Web searches.
        WebSearch = "web_search",
    }
}

impl CostClass {
    /// Whether its rate is per one million (tokens) rather than per piece.
    pub fn is_tokens(self) -> bool {
        !matches!(self, Self::Request | Self::Image | Self::WebSearch)
    }
}

/// One line of a bill: quantity × rate, rounded up to the next nano-USD.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BillLine {
    /// What it is about.
    pub class: CostClass,
    /// Tokens or pieces.
    pub quantity: u64,
    /// USD per one million tokens, or per piece.
    pub rate_usd: Money,
    /// What it comes to.
    pub amount_usd: Money,
}

/// The cost of a request, taken apart. Its sums stand on the record itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Bill {
    /// The entry of the price table that was used; empty if none was found.
    pub price_model: String,
    /// Where that price came from.
    pub price_source: PriceSource,
    /// The vendor's service tier, if it was priced apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_tier: Option<String>,
    /// The long-context threshold that was exceeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub long_context_above: Option<u64>,
    /// The lines; their amounts add up to the base cost.
    pub lines: Vec<BillLine>,
    /// The provider's `cost_multiplier`: base cost × this = what the provider charges.
    pub cost_multiplier: Factor,
    /// The group's price rate.
    pub group_rate: Factor,
    /// The user's (or the global) price rate.
    pub user_rate: Factor,
}

/// One entry of the price table as shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PriceView {
    /// Model name or pattern (`*` matches anything).
    pub model: String,
    /// The price.
    #[serde(flatten)]
    pub spec: PriceSpec,
    /// Where it comes from.
    pub source: PriceSource,
    /// File name, address or person behind it.
    pub origin: String,
    /// When it was set; null for the table that comes with this version.
    pub updated_at: Option<Timestamp>,
    /// Grows with each change; 0 for the table that comes with this version.
    pub version: i64,
}

/// Which prices to list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct PriceFilter {
    /// Part of the model's name, case ignored.
    pub q: Option<String>,
    /// Only from this source.
    pub source: Option<PriceSource>,
    /// Page size; default 100, 1 to 500.
    pub limit: Option<u32>,
    /// `next` of the page before.
    pub cursor: Option<String>,
}

/// A model that was used without a known price.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UnpricedModel {
    /// The model's name.
    pub model: String,
    /// Requests without a price.
    pub requests: u64,
    /// Their tokens.
    pub tokens: u64,
    /// The latest of them.
    pub last_used_at: Timestamp,
}

impl PriceSpec {
    /// Checks a price that was entered; amounts are checked by their type already.
    pub fn check(&self, model: &str) -> Result<(), Problem> {
        let mut errors = FieldErrors::default();
        if !is_model_text(model) {
            errors.add("model", "expected a model name or pattern of at most 200 visible characters");
        }
        let pieces = self.per_request_usd.is_some() || self.per_image_usd.is_some();
        let per_token =
            self.rates.input_per_million_usd.is_some() || self.rates.output_per_million_usd.is_some();
        if !self.free && !pieces && !per_token {
            errors.add(
                "input_per_million_usd",
                "a price needs an amount; set `free` for a model that costs nothing",
            );
        }
        if self.free && (pieces || per_token) {
            errors.add("free", "a free model has no amounts");
        }
        let mut last = 0;
        for tier in &self.long_context {
            if tier.above_input_tokens <= last {
                errors.add("long_context", "thresholds must be above zero and ascend");
            }
            last = tier.above_input_tokens;
        }
        errors.finish(())
    }
}
