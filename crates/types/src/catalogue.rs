//! The catalogue: every model that keys can reach, by whom, in which dialects, and what the price table knows of it.

use serde::{Deserialize, Serialize};

use crate::dialect::{Dialect, named};
use crate::price::{PriceSource, PriceSpec};
use crate::provider::ProviderKind;
use crate::{ApiKeyId, ProviderId};

named! {
    /// What a model can do, as far as its price tells: each has a price of its own.
    Ability {
        /// Reads from a prompt cache at a price of its own.
        PromptCache = "prompt_cache",
        /// Reasons in hiding, priced apart.
        Reasoning = "reasoning",
        /// Takes audio.
        AudioInput = "audio_input",
        /// Makes audio.
        AudioOutput = "audio_output",
        /// Takes images, counted apart.
        ImageInput = "image_input",
        /// Makes images.
        ImageOutput = "image_output",
        /// Searches the web.
        WebSearch = "web_search",
        /// Takes requests so long that they have prices of their own.
        LongContext = "long_context",
    }
}

impl Ability {
    /// Those that a price speaks of.
    pub fn of(price: &PriceSpec) -> Vec<Self> {
        let rates = &price.rates;
        [
            (rates.cache_read_per_million_usd.is_some(), Self::PromptCache),
            (rates.reasoning_per_million_usd.is_some(), Self::Reasoning),
            (rates.audio_input_per_million_usd.is_some(), Self::AudioInput),
            (rates.audio_output_per_million_usd.is_some(), Self::AudioOutput),
            (rates.image_input_per_million_usd.is_some(), Self::ImageInput),
            (
                rates.image_output_per_million_usd.is_some() || price.per_image_usd.is_some(),
                Self::ImageOutput,
            ),
            (price.web_search_per_call_usd.is_some(), Self::WebSearch),
            (!price.long_context.is_empty(), Self::LongContext),
        ]
        .into_iter()
        .filter_map(|(known, ability)| known.then_some(ability))
        .collect()
    }
}

named! {
    /// Which models to list by what is known of their price.
    Priced {
        /// With a price, or free on purpose.
        Known = "known",
        /// Without.
        Unknown = "unknown",
    }
}

/// Which models to list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct CatalogueFilter {
    /// Part of the name, of an alias or of a model that an alias stands for; case ignored.
    pub q: Option<String>,
    /// Only what callers of this dialect reach.
    pub dialect: Option<Dialect>,
    /// Only what is reached without translation (in that dialect, if one is given).
    pub native: Option<bool>,
    /// Only what this provider serves.
    pub provider_id: Option<ProviderId>,
    /// Only with this ability.
    pub ability: Option<Ability>,
    /// Only with, or without, a known price.
    pub priced: Option<Priced>,
    /// Only what this key reaches.
    pub key_id: Option<ApiKeyId>,
    /// Page size; default 50, 1 to 500.
    pub limit: Option<u32>,
    /// `next` of the page before.
    pub cursor: Option<String>,
}

/// One page of the catalogue, in the order of the names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Catalogue {
    /// The models of this page.
    pub items: Vec<CatalogueModel>,
    /// For `cursor=`; null on the last page.
    pub next: Option<String>,
    /// How many models the filter lets through.
    pub total: u64,
    /// How many there are without a filter.
    pub all: u64,
    /// Providers whose own list did not come: their models beyond those that are named are missing. Empty for members.
    pub missing: Vec<String>,
}

/// A model that can be asked for, or an alias.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CatalogueModel {
    /// What callers ask for.
    pub name: String,
    /// An alias: the models that stand for it, best first. Empty for a model, and for members.
    pub targets: Vec<String>,
    /// Aliases (names or patterns) that lead to it. Empty for members.
    pub aliases: Vec<String>,
    /// Dialects in which somebody serves it as it is.
    pub native: Vec<Dialect>,
    /// Further dialects in which it is served by translation.
    pub translated: Vec<Dialect>,
    /// Who serves it. Empty for members.
    pub providers: Vec<CatalogueProvider>,
    /// Its entry of the price table; null if there is none, and for members.
    pub price_model: Option<String>,
    /// Where that entry comes from; null for members.
    pub price_source: Option<PriceSource>,
    /// Its list price, before rates of groups and users.
    pub price: Option<PriceSpec>,
    /// Largest input in tokens; null if it is not known.
    pub max_input_tokens: Option<u64>,
    /// Longest output in tokens; null if it is not known.
    pub max_output_tokens: Option<u64>,
    /// What it can do, as far as its price tells.
    pub abilities: Vec<Ability>,
}

/// Who serves a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CatalogueProvider {
    /// The provider.
    pub id: ProviderId,
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: ProviderKind,
    /// What it is asked for.
    pub model: String,
    /// What it speaks.
    pub speaks: Vec<Dialect>,
    /// Whether it serves this model to callers of other dialects too.
    pub translates: bool,
    /// Whether one of its credentials is switched on and readable.
    pub ready: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn abilities_are_what_is_priced_apart() {
        let price: PriceSpec = serde_json::from_str(
            r#"{"input_per_million_usd":"1","cache_read_per_million_usd":"0.1","per_image_usd":"0.04"}"#,
        )
        .unwrap();
        assert_eq!(Ability::of(&price), [Ability::PromptCache, Ability::ImageOutput]);
        assert!(Ability::of(&PriceSpec::default()).is_empty());
    }
}
