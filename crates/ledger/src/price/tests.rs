//! Prices: examples by hand, and laws over everything.

mod examples;
mod laws;

use types::price::{PriceSource, PriceSpec, Rates};

use super::Priced;

fn usd(text: &str) -> types::Money {
    text.parse().unwrap()
}

fn priced(spec: &PriceSpec) -> Priced<'_> {
    Priced { model: "m", source: PriceSource::Default, spec }
}

/// A price with most classes, as Anthropic has them.
fn sonnet() -> PriceSpec {
    PriceSpec {
        rates: Rates {
            input_per_million_usd: Some(usd("3")),
            output_per_million_usd: Some(usd("15")),
            cache_read_per_million_usd: Some(usd("0.3")),
            cache_write_5m_per_million_usd: Some(usd("3.75")),
            ..Rates::default()
        },
        ..PriceSpec::default()
    }
}
