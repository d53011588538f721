//! Costs worked out by hand.

use types::price::{CostClass, LongContext, PriceSpec, Rates};
use types::request::TokenUsage;
use types::{Factor, Money};

use super::super::{Factors, Tier, WorstCase, cost, worst_case};
use super::{priced, sonnet, usd};

fn usage() -> TokenUsage {
    TokenUsage {
        input: 1000,
        output: 500,
        cache_read: 2000,
        cache_write: 300,
        cache_write_1h: 100,
        ..TokenUsage::default()
    }
}

#[test]
fn pk_each_class_has_its_line_and_the_lines_add_up() {
    let spec = sonnet();
    let cost = cost(priced(&spec), &usage(), None, true, Factors::default());
    let lines: Vec<_> =
        cost.bill.lines.iter().map(|line| (line.class, line.quantity, line.amount_usd.to_string())).collect();
    let expected = [
        (CostClass::Input, 1000, "0.003".to_owned()),
        (CostClass::CacheRead, 2000, "0.0006".to_owned()),
        (CostClass::CacheWrite5m, 200, "0.00075".to_owned()),
        // One hour is twice fresh input.
        (CostClass::CacheWrite1h, 100, "0.0006".to_owned()),
        (CostClass::Output, 500, "0.0075".to_owned()),
    ];
    assert_eq!(lines, expected);
    assert_eq!((cost.base, cost.billed, cost.provider), (usd("0.01245"), usd("0.01245"), usd("0.01245")));
}

#[test]
fn a_part_without_a_price_of_its_own_is_counted_in() {
    let spec = PriceSpec {
        rates: Rates {
            input_per_million_usd: Some(usd("2")),
            output_per_million_usd: Some(usd("8")),
            audio_input_per_million_usd: Some(usd("40")),
            ..Rates::default()
        },
        ..PriceSpec::default()
    };
    let usage = TokenUsage {
        input: 100,
        audio_input: 60,
        image_input: 30,
        output: 50,
        reasoning: 20,
        cache_read: 10,
        cache_write: 5,
        ..TokenUsage::default()
    };
    let bill = cost(priced(&spec), &usage, None, true, Factors::default()).bill;
    let lines: Vec<_> = bill.lines.iter().map(|line| (line.class, line.quantity)).collect();
    assert_eq!(lines, [(CostClass::Input, 55), (CostClass::AudioInput, 60), (CostClass::Output, 50)]);
    // A part that exceeds its whole is not counted twice.
    let odd = TokenUsage { input: 10, audio_input: 60, ..TokenUsage::default() };
    let bill = cost(priced(&spec), &odd, None, true, Factors::default()).bill;
    assert_eq!(bill.lines.len(), 1);
    assert_eq!(bill.lines[0].quantity, 10);
}

#[test]
fn factors_are_applied_to_the_base_and_rounded_once() {
    let spec = PriceSpec {
        rates: Rates {
            input_per_million_usd: Some(Money::from_nano(1_000_000).unwrap()),
            ..Rates::default()
        },
        ..PriceSpec::default()
    };
    let factor = |text: &str| text.parse::<Factor>().unwrap();
    let factors = Factors { multiplier: factor("0.333333"), group: factor("1.5"), user: factor("0.7") };
    let cost = cost(priced(&spec), &TokenUsage { input: 10, ..TokenUsage::default() }, None, true, factors);
    assert_eq!(cost.base.nano(), 10);
    // 3.33333 up; 3.4999965 up: rounding between the factors would have made it 5.
    assert_eq!((cost.provider.nano(), cost.billed.nano()), (4, 4));
    assert_eq!(cost.bill.group_rate, factor("1.5"));
}

#[test]
fn the_highest_threshold_exceeded_prices_all_tokens_and_the_tier_wins() {
    let long = |above, input| LongContext {
        above_input_tokens: above,
        rates: Rates { input_per_million_usd: Some(usd(input)), ..Rates::default() },
        ..LongContext::default()
    };
    let spec = PriceSpec {
        long_context: vec![long(1000, "6"), long(2000, "9")],
        priority: Some(Rates { output_per_million_usd: Some(usd("30")), ..Rates::default() }),
        flex: Some(Rates { input_per_million_usd: Some(usd("1")), ..Rates::default() }),
        ..sonnet()
    };
    let of = |input, tier: Option<&str>| {
        let usage = TokenUsage { input, cache_read: 500, output: 1, ..TokenUsage::default() };
        let bill = cost(priced(&spec), &usage, tier, true, Factors::default()).bill;
        let rate = |class| bill.lines.iter().find(|line| line.class == class).unwrap().rate_usd;
        (rate(CostClass::Input), rate(CostClass::Output), bill.long_context_above, bill.service_tier)
    };
    // Exactly at the threshold is not above it.
    assert_eq!(of(500, None), (usd("3"), usd("15"), None, None));
    assert_eq!(of(501, None), (usd("6"), usd("15"), Some(1000), None));
    assert_eq!(of(9000, Some("default")), (usd("9"), usd("15"), Some(2000), None));
    assert_eq!(of(501, Some("fast")), (usd("6"), usd("30"), Some(1000), Some("priority".to_owned())));
    assert_eq!(of(9000, Some("FLEX")), (usd("1"), usd("15"), Some(2000), Some("flex".to_owned())));
    // A tier without prices of its own is not priced apart.
    assert_eq!(of(1, Some("batch")), (usd("3"), usd("15"), None, None));
}

#[test]
fn a_tier_has_prices_of_its_own_at_a_threshold() {
    let of_input = |amount| Some(Rates { input_per_million_usd: Some(usd(amount)), ..Rates::default() });
    let spec = PriceSpec {
        rates: of_input("2").unwrap(),
        long_context: vec![LongContext {
            above_input_tokens: 1000,
            rates: of_input("4").unwrap(),
            priority: of_input("8"),
            flex: None,
            batch: of_input("3"),
        }],
        priority: of_input("5"),
        flex: of_input("1"),
        ..PriceSpec::default()
    };
    let of = |input, tier| {
        let usage = TokenUsage { input, ..TokenUsage::default() };
        cost(priced(&spec), &usage, tier, true, Factors::default()).bill.lines[0].rate_usd
    };
    for (tier, short, long) in [
        (None, "2", "4"),
        (Some("priority"), "5", "8"),
        (Some("flex"), "1", "1"),
        // Priced apart only above the threshold.
        (Some("batch"), "2", "3"),
    ] {
        assert_eq!((of(1000, tier), of(1001, tier)), (usd(short), usd(long)), "{tier:?}");
    }
    let demand = WorstCase { input_tokens: 1_000_000, ..WorstCase::default() };
    let (worst, _) = worst_case(priced(&spec), &demand, Some("priority"), Factors::default());
    assert!(worst >= usd("8"));
}

#[test]
fn requests_images_and_searches_cost_by_the_piece() {
    let spec = PriceSpec {
        per_request_usd: Some(usd("0.01")),
        per_image_usd: Some(usd("0.04")),
        web_search_per_call_usd: Some(usd("0.005")),
        ..PriceSpec::default()
    };
    let usage = TokenUsage { images: 3, web_searches: 2, input: 99, ..TokenUsage::default() };
    let of = |answered| cost(priced(&spec), &usage, None, answered, Factors::default()).billed;
    assert_eq!(of(true), usd("0.14"));
    assert_eq!(of(false), usd("0.13"));
    let demand = WorstCase { images: 3, web_searches: 2, ..WorstCase::default() };
    assert_eq!(worst_case(priced(&spec), &demand, None, Factors::default()).0, usd("0.14"));
}

#[test]
fn a_free_model_costs_nothing() {
    let spec = PriceSpec { free: true, ..PriceSpec::default() };
    let cost = cost(priced(&spec), &usage(), None, true, Factors::default());
    assert_eq!((cost.billed, cost.bill.lines.len()), (Money::ZERO, 0));
    let demand = WorstCase { input_tokens: u64::MAX, ..WorstCase::default() };
    assert_eq!(worst_case(priced(&spec), &demand, None, Factors::default()), (Money::ZERO, Money::ZERO));
}

#[test]
fn the_worst_case_is_the_dearest_class_that_can_happen() {
    let mut spec = sonnet();
    spec.priority = Some(Rates { output_per_million_usd: Some(usd("30")), ..Rates::default() });
    let demand = WorstCase { input_tokens: 1_000_000, output_tokens: 1_000_000, ..WorstCase::default() };
    let of = |demand: WorstCase, tier| worst_case(priced(&spec), &demand, tier, Factors::default()).0;
    // Eight nano-USD for lines that are rounded up apart.
    assert_eq!(of(demand, Some("default")), usd("18.750000008"));
    assert_eq!(of(demand, None), usd("33.750000008"));
    assert_eq!(of(WorstCase { may_cache_1h: true, ..demand }, Some("default")), usd("21.000000008"));
}

#[test]
fn the_worst_case_of_what_has_one_price_is_that_price() {
    let spec = PriceSpec { per_request_usd: Some(usd("1")), ..PriceSpec::default() };
    let demand = WorstCase { input_tokens: 2_000, output_tokens: 64, ..WorstCase::default() };
    assert_eq!(worst_case(priced(&spec), &demand, None, Factors::default()).0, usd("1"));
}

#[test]
fn tiers_are_known_by_all_their_names() {
    for (name, tier) in [
        ("priority", Some(Tier::Priority)),
        ("fast", Some(Tier::Priority)),
        (" Flex ", Some(Tier::Flex)),
        ("batch", Some(Tier::Batch)),
        ("ON_DEMAND_PRIORITY", Some(Tier::Priority)),
        ("ON_DEMAND", None),
        ("default", None),
        ("auto", None),
        ("ääääääääää", None),
        ("", None),
    ] {
        assert_eq!(Tier::parse(name), tier, "{name}");
    }
}
