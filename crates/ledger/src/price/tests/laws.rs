//! Laws of prices over the whole range of counts and amounts.

use proptest::prelude::*;
use types::price::{LongContext, PriceSpec, Rates};
use types::request::TokenUsage;
use types::{Factor, Money};

use super::super::{Factors, WorstCase, cost, worst_case};
use super::priced;

/// Small, ordinary and absurd numbers; the last are rare, because a sum that is beyond the range hides the rest.
fn count() -> impl Strategy<Value = u64> {
    prop_oneof![20 => 0..4_u64, 20 => 0..300_000_u64, 1 => any::<u64>(), 1 => Just(u64::MAX)]
}

fn money() -> impl Strategy<Value = Money> {
    prop_oneof![30 => 0..3_i64, 30 => 0..100_000_000_000_i64, 1 => 0..=i64::MAX]
        .prop_map(|nano| Money::from_nano(nano).unwrap())
}

fn rates() -> impl Strategy<Value = Rates> {
    prop::collection::vec(prop::option::of(money()), 10).prop_map(|m| Rates {
        input_per_million_usd: m[0],
        output_per_million_usd: m[1],
        cache_read_per_million_usd: m[2],
        cache_write_5m_per_million_usd: m[3],
        cache_write_1h_per_million_usd: m[4],
        reasoning_per_million_usd: m[5],
        audio_input_per_million_usd: m[6],
        audio_output_per_million_usd: m[7],
        image_input_per_million_usd: m[8],
        image_output_per_million_usd: m[9],
    })
}

fn spec() -> impl Strategy<Value = PriceSpec> {
    let tiers = || (prop::option::of(rates()), prop::option::of(rates()), prop::option::of(rates()));
    let long = prop::collection::vec((1..400_000_u64, rates(), tiers()), 0..3);
    let pieces = prop::collection::vec(prop::option::of(money()), 3);
    (rates(), long, tiers(), pieces, prop::bool::weighted(0.05)).prop_map(
        |(rates, long, tiers, pieces, free)| PriceSpec {
            rates,
            long_context: long
                .into_iter()
                .map(|(above_input_tokens, rates, (priority, flex, batch))| LongContext {
                    above_input_tokens,
                    rates,
                    priority,
                    flex,
                    batch,
                })
                .collect(),
            priority: tiers.0,
            flex: tiers.1,
            batch: tiers.2,
            per_request_usd: pieces[0],
            per_image_usd: pieces[1],
            web_search_per_call_usd: pieces[2],
            free,
            ..PriceSpec::default()
        },
    )
}

fn usage() -> impl Strategy<Value = TokenUsage> {
    prop::collection::vec(count(), 12).prop_map(|n| TokenUsage {
        input: n[0],
        output: n[1],
        cache_read: n[2],
        cache_write: n[3],
        cache_write_1h: n[4],
        reasoning: n[5],
        audio_input: n[6],
        audio_output: n[7],
        image_input: n[8],
        image_output: n[9],
        images: n[10],
        web_searches: n[11],
    })
}

fn factors() -> impl Strategy<Value = Factors> {
    let factor = || {
        prop_oneof![Just(1_000_000_u32), 0..=1_000_000_000_u32].prop_map(|n| Factor::from_micro(n).unwrap())
    };
    (factor(), factor(), factor()).prop_map(|(multiplier, group, user)| Factors { multiplier, group, user })
}

/// What is asked for, and what the vendor may answer then.
fn tiers() -> impl Strategy<Value = (Option<&'static str>, Option<&'static str>)> {
    prop_oneof![
        Just((None, None)),
        Just((None, Some("priority"))),
        Just((Some("auto"), Some("priority"))),
        Just((Some("auto"), Some("default"))),
        Just((Some("default"), Some("default"))),
        Just((Some("standard_only"), Some("standard"))),
        Just((Some("priority"), Some("default"))),
        Just((Some("fast"), Some("priority"))),
        Just((Some("flex"), Some("flex"))),
        Just((Some("flex"), Some("default"))),
        Just((Some("batch"), Some("batch"))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn inv_06_no_cost_exceeds_its_worst_case(
        spec in spec(), usage in usage(), factors in factors(), tiers in tiers(), more in count(), answered: bool,
    ) {
        // More tokens than can be counted are no demand that can be met.
        let usage = TokenUsage {
            input: usage.input / 3,
            cache_read: usage.cache_read / 3,
            cache_write: usage.cache_write / 3,
            ..usage
        };
        let input = usage.input + usage.cache_read + usage.cache_write;
        let demand = WorstCase {
            input_tokens: input.saturating_add(more),
            output_tokens: usage.output.saturating_add(more),
            images: usage.images.saturating_add(more),
            web_searches: usage.web_searches,
            may_cache_1h: usage.cache_write_1h > 0,
        };
        let cost = cost(priced(&spec), &usage, tiers.1, answered, factors);
        let (billed, provider) = worst_case(priced(&spec), &demand, tiers.0, factors);
        prop_assert!(cost.billed <= billed, "{} > {billed}", cost.billed);
        prop_assert!(cost.provider <= provider, "{} > {provider}", cost.provider);
        prop_assert!(cost.base.nano() >= 0);
    }

    #[test]
    fn inv_06_the_worst_case_grows_with_the_demand(
        spec in spec(), usage in usage(), factors in factors(), more in prop::collection::vec(count(), 4),
    ) {
        let small = WorstCase {
            input_tokens: usage.input,
            output_tokens: usage.output,
            images: usage.images,
            web_searches: usage.web_searches,
            may_cache_1h: false,
        };
        let large = WorstCase {
            input_tokens: small.input_tokens.saturating_add(more[0]),
            output_tokens: small.output_tokens.saturating_add(more[1]),
            images: small.images.saturating_add(more[2]),
            web_searches: small.web_searches.saturating_add(more[3]),
            may_cache_1h: true,
        };
        let of = |demand| worst_case(priced(&spec), &demand, None, factors);
        prop_assert!(of(small).0 <= of(large).0);
        prop_assert!(of(small).1 <= of(large).1);
    }

    #[test]
    fn inv_06_costs_grow_with_each_count(
        spec in spec(), usage in usage(), factors in factors(), which in 0..6_usize, more in count(),
    ) {
        // Long context may be cheaper than short, then more input can cost less.
        let spec = PriceSpec { long_context: Vec::new(), ..spec };
        let mut grown = usage;
        let count = [
            &mut grown.input,
            &mut grown.output,
            &mut grown.cache_read,
            &mut grown.cache_write,
            &mut grown.images,
            &mut grown.web_searches,
        ].into_iter().nth(which).unwrap();
        *count = count.saturating_add(more);
        let of = |usage| cost(priced(&spec), &usage, None, true, factors);
        prop_assert!(of(usage).base <= of(grown).base);
        prop_assert!(of(usage).billed <= of(grown).billed);
    }

    #[test]
    fn inv_06_each_line_is_rounded_up_by_less_than_one(spec in spec(), usage in usage()) {
        let cost = cost(priced(&spec), &usage, None, true, Factors::default());
        let mut sum = 0_i128;
        for line in &cost.bill.lines {
            let exact = i128::from(line.quantity) * i128::from(line.rate_usd.nano());
            let unit = if line.class.is_tokens() { 1_000_000 } else { 1 };
            let amount = i128::from(line.amount_usd.nano());
            if line.amount_usd < Money::MAX {
                prop_assert!(amount * unit >= exact && (amount - 1) * unit < exact.max(1));
            }
            sum += amount;
        }
        prop_assert_eq!(Money::clamp_nano(sum), cost.base);
        prop_assert_eq!((cost.billed, cost.provider), (cost.base, cost.base));
    }

    #[test]
    fn factors_round_up_by_less_than_one(base in money(), factors in factors()) {
        let (billed, provider) = factors.of(base);
        let exact = i128::from(base.nano()) * i128::from(factors.multiplier.micro());
        if provider < Money::MAX {
            let amount = i128::from(provider.nano());
            prop_assert!(amount * 1_000_000 >= exact && (amount - 1) * 1_000_000 < exact.max(1));
        }
        // Rounding once can never exceed rounding after each step, as long as nothing is beyond the range.
        let step = |amount: Money, factor: Factor| {
            Factors { multiplier: factor, ..Factors::default() }.of(amount).1
        };
        let grouped = step(provider, factors.group);
        if provider < Money::MAX && grouped < Money::MAX {
            prop_assert!(billed <= step(grouped, factors.user));
        }
    }
}
