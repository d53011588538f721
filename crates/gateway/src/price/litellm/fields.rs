//! Names of LiteLLM's fields: which price each of them states.

use types::price::{LongContext, PriceSpec, Rates};

use super::super::classes::{
    AUDIO_INPUT, AUDIO_OUTPUT, CACHE_READ, CACHE_WRITE_1H, CACHE_WRITE_5M, Class, IMAGE_INPUT, IMAGE_OUTPUT,
    INPUT, OUTPUT, REASONING, Tier,
};

/// What a field of token prices is about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// The threshold that must be exceeded; 0: none.
    pub(super) above: u64,
    /// The service tier.
    pub(super) tier: Option<Tier>,
    /// The class.
    pub(super) class: Class,
}

/// Reads `input_cost_per_token_above_200k_tokens_priority` and its like. `None`: no price of tokens that is used.
pub(super) fn place(name: &str) -> Option<Place> {
    let tiers = [("_priority", Tier::Priority), ("_flex", Tier::Flex), ("_batches", Tier::Batch)];
    let (name, tier) = tiers
        .into_iter()
        .find_map(|(ending, tier)| Some((name.strip_suffix(ending)?, Some(tier))))
        .unwrap_or((name, None));
    let (name, above) = match name.rsplit_once("_above_") {
        // `_above_1hr` belongs to the class.
        Some((head, tail)) if tail != "1hr" => {
            let thousands = tail.strip_suffix("k_tokens")?.parse::<u64>().ok().filter(|k| *k <= 1_000_000)?;
            (head, thousands.checked_mul(1_000)?)
        }
        _ => (name, 0),
    };
    let class = match name {
        "input_cost_per_token" => INPUT,
        "output_cost_per_token" => OUTPUT,
        "cache_read_input_token_cost" => CACHE_READ,
        "cache_creation_input_token_cost" => CACHE_WRITE_5M,
        "cache_creation_input_token_cost_above_1hr" => CACHE_WRITE_1H,
        "output_cost_per_reasoning_token" => REASONING,
        "input_cost_per_audio_token" => AUDIO_INPUT,
        "output_cost_per_audio_token" => AUDIO_OUTPUT,
        "input_cost_per_image_token" => IMAGE_INPUT,
        "output_cost_per_image_token" => IMAGE_OUTPUT,
        _ => return None,
    };
    Some(Place { above, tier, class })
}

/// The prices that a place belongs to, made if need be.
pub(super) fn rates(spec: &mut PriceSpec, above: u64, tier: Option<Tier>) -> &mut Rates {
    if above == 0 {
        return match tier {
            Some(tier) => tier.slot(spec).get_or_insert_default(),
            None => &mut spec.rates,
        };
    }
    let found = spec.long_context.binary_search_by_key(&above, |long| long.above_input_tokens);
    let at = found.unwrap_or_else(|at| {
        spec.long_context.insert(at, LongContext { above_input_tokens: above, ..LongContext::default() });
        at
    });
    match (spec.long_context.get_mut(at), tier) {
        (Some(long), Some(tier)) => tier.long_slot(long).get_or_insert_default(),
        (Some(long), None) => &mut long.rates,
        // It has just been put there.
        (None, _) => &mut spec.rates,
    }
}
