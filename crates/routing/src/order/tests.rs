use proptest::prelude::{Just, any, prop_assert, prop_assert_eq, proptest};
use proptest::strategy::Strategy as _;

use super::*;
use crate::latency::PeakEwma;
use types::Timestamp;

fn plain() -> Facts {
    Facts {
        demoted: false,
        tier: 0,
        priority: (0, 0),
        weight: 1,
        in_flight: 0,
        latency_ms: None,
        multiplier_micro: 1_000_000,
        last_turn: 0,
        translated: false,
    }
}

/// Few values for each fact, so that equals are common.
fn some_facts() -> impl proptest::strategy::Strategy<Value = Facts> {
    let latency = proptest::option::of(1_u32..2000);
    (
        (proptest::bool::weighted(0.2), 0_u8..3, 0_i32..2, 0_i32..2),
        (0_u32..5, 0_u32..4, latency, 1_u32..4, 0_u64..5, proptest::bool::ANY),
    )
        .prop_map(
            |(
                (demoted, tier, first, second),
                (weight, in_flight, latency_ms, price, last_turn, translated),
            )| Facts {
                demoted,
                tier,
                priority: (first, second),
                weight,
                in_flight,
                latency_ms,
                multiplier_micro: price * 500_000,
                last_turn,
                translated,
            },
        )
}

fn some_strategy() -> impl proptest::strategy::Strategy<Value = Strategy> {
    (0..Strategy::ALL.len()).prop_map(|index| Strategy::ALL[index])
}

proptest! {
    #[test]
    fn the_first_is_the_first_of_the_order_and_everybody_is_in_it_once(
        facts in proptest::collection::vec(some_facts(), 0..12),
        strategy in some_strategy(),
        seed in any::<u64>(),
        bound in proptest::option::of(0_usize..14),
    ) {
        let ordered = order(&facts, strategy, seed, bound);
        prop_assert_eq!(first(&facts, strategy, seed, bound), ordered.first().copied());
        let mut sorted = ordered.clone();
        sorted.sort_unstable();
        prop_assert_eq!(sorted, (0..facts.len()).collect::<Vec<_>>());
        prop_assert_eq!(&ordered, &order(&facts, strategy, seed, bound), "the same question, the same answer");
    }

    #[test]
    fn no_strategy_overrules_demotion_tier_or_priority(
        facts in proptest::collection::vec(some_facts(), 0..12),
        strategy in some_strategy(),
        seed in any::<u64>(),
        bound in proptest::option::of(0_usize..12),
    ) {
        let mut ordered = order(&facts, strategy, seed, bound);
        if let Some(bound) = bound.filter(|bound| facts.get(*bound).is_some_and(|facts| !facts.demoted)) {
            prop_assert_eq!(ordered.remove(0), bound);
        }
        for pair in ordered.windows(2) {
            let (before, after) = (facts[pair[0]], facts[pair[1]]);
            prop_assert!(before.class() <= after.class());
            if before.class() == after.class() {
                match strategy {
                    Strategy::RoundRobin => prop_assert!(before.last_turn <= after.last_turn),
                    Strategy::Cheapest => prop_assert!(before.multiplier_micro <= after.multiplier_micro),
                    Strategy::LeastLoaded => {
                        let load = |facts: Facts| f64::from(facts.in_flight) / f64::from(facts.weight.max(1));
                        prop_assert!(load(before) <= load(after));
                    }
                    Strategy::Weighted | Strategy::Latency => {}
                }
            }
        }
    }

    #[test]
    fn taking_away_the_first_leaves_the_others_in_their_order(
        facts in proptest::collection::vec(some_facts(), 1..12),
        (strategy, known) in some_strategy().prop_flat_map(|strategy| (Just(strategy), 1_u32..500)),
        seed in any::<u64>(),
    ) {
        let mut facts = facts;
        for candidate in &mut facts {
            // An unknown latency is measured against its equals, so it changes with them.
            candidate.latency_ms.get_or_insert(known);
        }
        let before = order(&facts, strategy, seed, None);
        let gone = &mut facts[before[0]];
        (gone.demoted, gone.tier) = (true, 9);
        prop_assert_eq!(&before[1..], &order(&facts, strategy, seed, None)[..before.len() - 1]);
    }
}

#[test]
fn a_table_of_who_is_first() {
    let slow = Facts { latency_ms: Some(900), ..plain() };
    let quick = Facts { latency_ms: Some(100), ..plain() };
    let busy = |in_flight, weight| Facts { weight, in_flight, ..plain() };
    let price = |multiplier_micro| Facts { multiplier_micro, ..plain() };
    let turn = |last_turn| Facts { last_turn, ..plain() };
    let demoted = Facts { demoted: true, ..plain() };
    let tier = |tier| Facts { tier, ..plain() };
    let priority = |a, b| Facts { priority: (a, b), ..plain() };
    for (what, facts, strategy, bound, expected) in [
        ("nobody", vec![], Strategy::Weighted, Some(0), None),
        ("demoted last", vec![demoted, tier(2)], Strategy::Weighted, None, Some(1)),
        ("demoted alone", vec![demoted], Strategy::Weighted, None, Some(0)),
        ("tier before priority", vec![tier(1), priority(5, 5)], Strategy::Weighted, None, Some(1)),
        (
            "priority of the provider first",
            vec![priority(1, 0), priority(0, 9)],
            Strategy::Weighted,
            None,
            Some(1),
        ),
        ("bound before tier", vec![tier(0), tier(1)], Strategy::Weighted, Some(1), Some(1)),
        ("bound, demoted", vec![plain(), demoted], Strategy::Weighted, Some(1), Some(0)),
        ("bound, gone", vec![plain()], Strategy::Weighted, Some(7), Some(0)),
        ("longest without a turn", vec![turn(3), turn(1), turn(2)], Strategy::RoundRobin, None, Some(1)),
        ("load by weight", vec![busy(2, 1), busy(3, 4)], Strategy::LeastLoaded, None, Some(1)),
        ("idle before loaded", vec![busy(1, 100), busy(0, 1)], Strategy::LeastLoaded, None, Some(1)),
        ("the quicker of two", vec![slow, quick], Strategy::Latency, None, Some(1)),
        ("quick but crowded", vec![slow, Facts { in_flight: 9, ..quick }], Strategy::Latency, None, Some(0)),
        (
            "unknown counts as the best",
            vec![Facts { in_flight: 1, ..quick }, plain()],
            Strategy::Latency,
            None,
            Some(1),
        ),
        ("the cheaper", vec![price(1_000_000), price(999_999)], Strategy::Cheapest, None, Some(1)),
    ] {
        for seed in 0..20 {
            assert_eq!(first(&facts, strategy, seed, bound), expected, "{what}, seed {seed}");
            assert_eq!(
                order(&facts, strategy, seed, bound).first().copied(),
                expected,
                "{what}, seed {seed}"
            );
        }
    }
}

/// First choices of each candidate over so many seeds.
fn shares(facts: &[Facts], strategy: Strategy, seeds: std::ops::Range<u64>) -> Vec<u32> {
    let mut counts = vec![0; facts.len()];
    for seed in seeds {
        counts[first(facts, strategy, seed, None).unwrap()] += 1;
    }
    counts
}

#[test]
fn a_weighted_draw_gives_each_its_share_in_every_place() {
    let facts: Vec<_> = [1, 2, 7, 10].map(|weight| Facts { weight, ..plain() }).into();
    let chances = chances(&facts, Strategy::Weighted);
    assert_eq!(chances, [Some(50), Some(100), Some(350), Some(500)]);
    // Seeds in a row and seeds far apart: neither may show a pattern.
    for step in [1_u64, 0x1234_5678_9abc_def1] {
        let mut firsts = [0_u32; 4];
        let mut seconds_after_the_heaviest = [0_u32; 4];
        for number in 0..40_000_u64 {
            let ordered = order(&facts, Strategy::Weighted, number.wrapping_mul(step), None);
            firsts[ordered[0]] += 1;
            if ordered[0] == 3 {
                seconds_after_the_heaviest[ordered[1]] += 1;
            }
        }
        for (count, chance) in firsts.iter().zip(&chances) {
            // Four standard deviations of the widest share are 400 of 40,000.
            assert!(count.abs_diff(chance.unwrap() * 40) < 400, "{firsts:?}");
        }
        let rest: u32 = seconds_after_the_heaviest.iter().sum();
        for (count, weight) in seconds_after_the_heaviest.iter().zip([1, 2, 7]) {
            assert!(count.abs_diff(rest * weight / 10) < 300, "{seconds_after_the_heaviest:?}");
        }
    }
}

#[test]
fn chances_are_told_where_something_is_drawn() {
    let price = |multiplier_micro, weight| Facts { weight, multiplier_micro, ..plain() };
    let facts = [price(2, 9), price(1, 1), price(1, 3), Facts { tier: 1, ..plain() }];
    assert_eq!(chances(&facts, Strategy::Cheapest), [None, Some(250), Some(750), None]);
    assert_eq!(chances(&facts, Strategy::Weighted), [Some(692), Some(77), Some(231), None]);
    assert_eq!(chances(&facts, Strategy::Latency), [None; 4]);
    assert_eq!(chances(&facts[..1], Strategy::Weighted), [None]);
    assert_eq!(chances(&[], Strategy::Weighted), []);
    let drawn = shares(&facts, Strategy::Cheapest, 0..4000);
    assert!(drawn[0] == 0 && drawn[3] == 0 && drawn[1].abs_diff(1000) < 110, "{drawn:?}");
}

#[test]
fn turns_are_even() {
    let mut facts = vec![plain(); 7];
    let mut counts = [0; 7];
    for turn in 1..=700 {
        let chosen = first(&facts, Strategy::RoundRobin, turn * 31, None).unwrap();
        facts[chosen].last_turn = turn;
        counts[chosen] += 1;
    }
    assert_eq!(counts, [100; 7]);
}

#[test]
fn the_least_loaded_fill_up_in_proportion_to_their_weights() {
    let mut facts: Vec<_> = [1, 2, 7].map(|weight| Facts { weight, ..plain() }).into();
    for seed in 0..1000 {
        let chosen = first(&facts, Strategy::LeastLoaded, seed, None).unwrap();
        facts[chosen].in_flight += 1;
    }
    for (candidate, share) in facts.iter().zip([100_u32, 200, 700]) {
        assert!(candidate.in_flight.abs_diff(share) <= 2, "{facts:?}");
    }
}

#[test]
fn the_least_loaded_are_drawn_while_all_are_idle() {
    let facts: Vec<_> = [1, 3].map(|weight| Facts { weight, ..plain() }).into();
    let counts = shares(&facts, Strategy::LeastLoaded, 0..4000);
    assert!(counts[0].abs_diff(1000) < 110, "{counts:?}");
}

/// Requests at an even pace to credentials of fixed latencies; what each got of those after the first `warm`.
fn paced(latencies: &[u32], seed: u64, warm: u64, requests: u64, pace_ms: i64) -> Vec<u32> {
    let averages: Vec<_> = latencies.iter().map(|_| PeakEwma::default()).collect();
    let mut facts = vec![plain(); latencies.len()];
    let mut counts = vec![0; latencies.len()];
    let mut running: Vec<(Timestamp, usize)> = Vec::new();
    let mut now = Timestamp(1_795_000_000_000);
    for number in 0..requests {
        now = now.plus_ms(pace_ms);
        running.retain(|(end, chosen)| {
            if *end <= now {
                averages[*chosen].observe(latencies[*chosen], *end);
                facts[*chosen].in_flight -= 1;
            }
            *end > now
        });
        for (candidate, average) in facts.iter_mut().zip(&averages) {
            candidate.latency_ms = average.get(now);
        }
        let chosen = first(&facts, Strategy::Latency, seed.wrapping_add(number), None).unwrap();
        facts[chosen].in_flight += 1;
        running.push((now.plus_ms(i64::from(latencies[chosen])), chosen));
        if number >= warm {
            counts[chosen] += 1;
        }
    }
    counts
}

#[test]
fn u48_a_tenfold_slower_one_loses_four_fifths_of_its_load_within_thirty_requests() {
    for others in [1_u32, 2, 4, 9] {
        for seed in 0..50 {
            let mut latencies = vec![200; usize::try_from(others).unwrap()];
            latencies.push(2000);
            // After 30 requests at 10 a second, 300 more.
            let counts = paced(&latencies, seed * 7919, 30, 330, 100);
            let fair = 300 / (others + 1);
            let slow = counts.last().copied().unwrap();
            assert!(slow * 5 <= fair, "{others} others, seed {seed}: {slow} of {fair}");
        }
    }
}

#[test]
fn u48_one_that_recovers_gets_its_share_back() {
    let facts = [200, 2000].map(|ms| Facts { latency_ms: Some(ms), ..plain() });
    let counts = shares(&facts, Strategy::Latency, 0..1000);
    assert_eq!(counts, [1000, 0]);
    // Nothing was sent there for a minute: its average has sunk below the other's, so that it is tried.
    let average = PeakEwma::default();
    average.observe(2000, Timestamp(0));
    let facts = [Some(200), average.get(Timestamp(60_000))].map(|latency_ms| Facts { latency_ms, ..plain() });
    assert_eq!(shares(&facts, Strategy::Latency, 0..1000), [0, 1000]);
}

#[test]
fn equally_quick_ones_share_by_weight() {
    let facts = [1, 3].map(|weight| Facts { weight, latency_ms: Some(100), ..plain() });
    let counts = shares(&facts, Strategy::Latency, 0..4000);
    assert!(counts[0].abs_diff(1000) < 110, "{counts:?}");
}

/// Prints what a choice among 200 costs; the bound holds for optimised builds only.
#[test]
fn choosing_among_two_hundred_takes_microseconds() {
    let facts: Vec<_> = (0..200_u32)
        .map(|number| Facts { weight: number % 7 + 1, latency_ms: Some(number + 100), ..plain() })
        .collect();
    for strategy in Strategy::ALL {
        let best = (0..20_u64)
            .map(|round| {
                let started = std::time::Instant::now();
                for seed in 0..100 {
                    std::hint::black_box(first(&facts, *strategy, round * 100 + seed, None));
                }
                started.elapsed() / 100
            })
            .min()
            .unwrap();
        println!("{strategy}: {best:?} among {}", facts.len());
        let bound = if cfg!(debug_assertions) { 500 } else { 5 };
        assert!(best < std::time::Duration::from_micros(bound), "{strategy}: {best:?}");
    }
}
