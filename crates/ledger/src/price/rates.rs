//! Which prices hold: the usual ones, overlaid with those of long context and of the service tier.
//!
//! It chooses prices and multiplies nothing.

use types::Money;
use types::price::{LongContext, PriceSpec, Rates};

/// A service tier that vendors price apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tier {
    /// Faster than usual; also what vendors call `fast`.
    Priority,
    /// Slower than usual.
    Flex,
    /// Within a day.
    Batch,
}

impl Tier {
    /// Reads a vendor's name of a tier; `None` for the usual one and for names that nobody prices apart.
    pub fn parse(name: &str) -> Option<Self> {
        let name = name.trim();
        let name = name.get(..10).filter(|head| head.eq_ignore_ascii_case("on_demand_")).map_or(name, |_| {
            // Gemini's `trafficType`.
            name.get(10..).unwrap_or_default()
        });
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        if is("priority") || is("fast") {
            Some(Self::Priority)
        } else if is("flex") {
            Some(Self::Flex)
        } else {
            is("batch").then_some(Self::Batch)
        }
    }

    /// Its name in the price table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Priority => "priority",
            Self::Flex => "flex",
            Self::Batch => "batch",
        }
    }

    fn rates(self, spec: &PriceSpec) -> Option<&Rates> {
        match self {
            Self::Priority => spec.priority.as_ref(),
            Self::Flex => spec.flex.as_ref(),
            Self::Batch => spec.batch.as_ref(),
        }
    }

    fn long_rates(self, long: &LongContext) -> Option<&Rates> {
        match self {
            Self::Priority => long.priority.as_ref(),
            Self::Flex => long.flex.as_ref(),
            Self::Batch => long.batch.as_ref(),
        }
    }
}

/// Prices per one million tokens with nothing left to look up. `None` means: counted in with `input` or `output`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Flat {
    pub(super) input: Money,
    pub(super) output: Money,
    pub(super) cache_read: Option<Money>,
    pub(super) cache_write_5m: Option<Money>,
    pub(super) cache_write_1h: Option<Money>,
    pub(super) reasoning: Option<Money>,
    pub(super) audio_input: Option<Money>,
    pub(super) audio_output: Option<Money>,
    pub(super) image_input: Option<Money>,
    pub(super) image_output: Option<Money>,
}

impl Flat {
    /// The first layer that has a price for a class wins: the tier's at that length, the tier's, those of that length,
    /// the usual ones. Fallbacks come last, so that a cheaper tier without a price for cached input still has the
    /// usual one.
    fn of(spec: &PriceSpec, long: Option<&LongContext>, tier: Option<Tier>) -> Self {
        let layers = [
            long.and_then(|long| tier?.long_rates(long)),
            tier.and_then(|tier| tier.rates(spec)),
            long.map(|long| &long.rates),
            Some(&spec.rates),
        ];
        let find =
            |class: fn(&Rates) -> Option<Money>| layers.iter().flatten().find_map(|rates| class(rates));
        let input = find(|rates| rates.input_per_million_usd).unwrap_or_default();
        let cache_write_5m = find(|rates| rates.cache_write_5m_per_million_usd);
        let twice = cache_write_5m.map(|_| input.plus(input));
        Self {
            input,
            output: find(|rates| rates.output_per_million_usd).unwrap_or_default(),
            cache_read: find(|rates| rates.cache_read_per_million_usd),
            cache_write_5m,
            cache_write_1h: find(|rates| rates.cache_write_1h_per_million_usd).or(twice),
            reasoning: find(|rates| rates.reasoning_per_million_usd),
            audio_input: find(|rates| rates.audio_input_per_million_usd),
            audio_output: find(|rates| rates.audio_output_per_million_usd),
            image_input: find(|rates| rates.image_input_per_million_usd),
            image_output: find(|rates| rates.image_output_per_million_usd),
        }
    }

    pub(super) fn dearest_input(&self, may_cache_1h: bool) -> Money {
        let hour = self.cache_write_1h.filter(|_| may_cache_1h);
        [self.cache_read, self.cache_write_5m, hour, self.audio_input, self.image_input]
            .into_iter()
            .flatten()
            .fold(self.input, Ord::max)
    }

    pub(super) fn dearest_output(&self) -> Money {
        [self.reasoning, self.audio_output, self.image_output]
            .into_iter()
            .flatten()
            .fold(self.output, Ord::max)
    }
}

/// The prices of one request, and why.
pub(super) struct Chosen {
    pub(super) rates: Flat,
    /// Only if it has prices of its own.
    pub(super) tier: Option<Tier>,
    /// The threshold that was exceeded.
    pub(super) long_context: Option<u64>,
}

/// The prices of a request with that much input.
pub(super) fn settled(spec: &PriceSpec, input: u64, service_tier: Option<&str>) -> Chosen {
    let long = spec
        .long_context
        .iter()
        .filter(|long| input > long.above_input_tokens)
        .max_by_key(|long| long.above_input_tokens);
    let tier = service_tier.and_then(Tier::parse).filter(|tier| {
        tier.rates(spec).is_some() || long.is_some_and(|long| tier.long_rates(long).is_some())
    });
    Chosen { rates: Flat::of(spec, long, tier), tier, long_context: long.map(|long| long.above_input_tokens) }
}

/// All prices that a request with at most that much input can come under.
pub(super) fn possible<'a>(
    spec: &'a PriceSpec,
    input: u64,
    service_tier: Option<&str>,
) -> impl Iterator<Item = Flat> + 'a {
    let asked = match service_tier.map(str::trim) {
        Some(name) if names_the_usual(name) => None,
        // The vendor chooses; a tier of an unknown name is up to the vendor, too.
        None => Some(Tier::Priority),
        Some(name) => Tier::parse(name).or(Some(Tier::Priority)),
    };
    let tiers = std::iter::once(None).chain(asked.map(Some));
    tiers.flat_map(move |tier| {
        let long = spec.long_context.iter().filter(move |long| input > long.above_input_tokens);
        std::iter::once(None).chain(long.map(Some)).map(move |long| Flat::of(spec, long, tier))
    })
}

fn names_the_usual(name: &str) -> bool {
    ["default", "standard", "standard_only"].iter().any(|usual| name.eq_ignore_ascii_case(usual))
}
