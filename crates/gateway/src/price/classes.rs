//! The classes of token prices as a list, for everything that treats them alike.

use types::Money;
use types::price::{LongContext, PriceSpec, Rates};

/// One class of tokens.
#[derive(Clone, Copy, Debug)]
pub(super) struct Class {
    /// Its letter in the default table.
    pub(super) letter: char,
    /// Its price.
    pub(super) get: fn(&Rates) -> Option<Money>,
    /// Its place.
    pub(super) slot: fn(&mut Rates) -> &mut Option<Money>,
}

/// Fresh input.
pub(super) const INPUT: Class = class('i', |r| r.input_per_million_usd, |r| &mut r.input_per_million_usd);
/// Output.
pub(super) const OUTPUT: Class = class('o', |r| r.output_per_million_usd, |r| &mut r.output_per_million_usd);
/// Reads from a prompt cache.
pub(super) const CACHE_READ: Class =
    class('r', |r| r.cache_read_per_million_usd, |r| &mut r.cache_read_per_million_usd);
/// Writes to a prompt cache, five minutes.
pub(super) const CACHE_WRITE_5M: Class =
    class('w', |r| r.cache_write_5m_per_million_usd, |r| &mut r.cache_write_5m_per_million_usd);
/// Writes to a prompt cache, one hour.
pub(super) const CACHE_WRITE_1H: Class =
    class('h', |r| r.cache_write_1h_per_million_usd, |r| &mut r.cache_write_1h_per_million_usd);
/// Hidden reasoning.
pub(super) const REASONING: Class =
    class('g', |r| r.reasoning_per_million_usd, |r| &mut r.reasoning_per_million_usd);
/// Audio in.
pub(super) const AUDIO_INPUT: Class =
    class('a', |r| r.audio_input_per_million_usd, |r| &mut r.audio_input_per_million_usd);
/// Audio out.
pub(super) const AUDIO_OUTPUT: Class =
    class('A', |r| r.audio_output_per_million_usd, |r| &mut r.audio_output_per_million_usd);
/// Image tokens in.
pub(super) const IMAGE_INPUT: Class =
    class('m', |r| r.image_input_per_million_usd, |r| &mut r.image_input_per_million_usd);
/// Image tokens out.
pub(super) const IMAGE_OUTPUT: Class =
    class('M', |r| r.image_output_per_million_usd, |r| &mut r.image_output_per_million_usd);

/// All of them.
pub(super) const CLASSES: [Class; 10] = [
    INPUT,
    OUTPUT,
    CACHE_READ,
    CACHE_WRITE_5M,
    CACHE_WRITE_1H,
    REASONING,
    AUDIO_INPUT,
    AUDIO_OUTPUT,
    IMAGE_INPUT,
    IMAGE_OUTPUT,
];

const fn class(
    letter: char,
    get: fn(&Rates) -> Option<Money>,
    slot: fn(&mut Rates) -> &mut Option<Money>,
) -> Class {
    Class { letter, get, slot }
}

/// A vendor's service tier that may be priced apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tier {
    Priority,
    Flex,
    Batch,
}

impl Tier {
    /// All of them.
    pub(super) const ALL: [Self; 3] = [Self::Priority, Self::Flex, Self::Batch];

    /// Its usual prices.
    pub(super) fn of(self, spec: &PriceSpec) -> Option<&Rates> {
        match self {
            Self::Priority => spec.priority.as_ref(),
            Self::Flex => spec.flex.as_ref(),
            Self::Batch => spec.batch.as_ref(),
        }
    }

    /// The place of its usual prices.
    pub(super) fn slot(self, spec: &mut PriceSpec) -> &mut Option<Rates> {
        match self {
            Self::Priority => &mut spec.priority,
            Self::Flex => &mut spec.flex,
            Self::Batch => &mut spec.batch,
        }
    }

    /// The place of its prices for long requests.
    pub(super) fn long_slot(self, long: &mut LongContext) -> &mut Option<Rates> {
        match self {
            Self::Priority => &mut long.priority,
            Self::Flex => &mut long.flex,
            Self::Batch => &mut long.batch,
        }
    }

    /// Its prices for long requests.
    #[cfg(test)]
    pub(super) fn of_long(self, long: &LongContext) -> Option<&Rates> {
        match self {
            Self::Priority => long.priority.as_ref(),
            Self::Flex => long.flex.as_ref(),
            Self::Batch => long.batch.as_ref(),
        }
    }
}
