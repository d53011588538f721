use proptest::prelude::{any, prop_assert_eq, proptest};
use proptest::strategy::Strategy as _;
use types::request::{AffinityNote, AffinityOutcome, Candidate};
use types::simulation::ProviderEdit;

use super::*;
use crate::order::{Facts, order};

const TIERS: &[Tier] = Tier::ALL;
const ALL: Strategy = Strategy::Weighted;

fn money(text: &str) -> Money {
    text.parse().unwrap()
}

/// Credential `10 * provider` of a provider, at list price.
fn one(provider: i64) -> Candidate {
    another(provider, 0)
}

fn another(provider: i64, number: i64) -> Candidate {
    let id = CredentialId(provider * 10 + number);
    Candidate {
        tier: Some(Tier::Shared),
        ..Candidate::plain((ProviderId(provider), &format!("p{provider}")), Some((id, &format!("c{id}"))))
    }
}

/// A decision as the gateway records it: ordered by the strategy and ranked.
fn decided(candidates: &[Candidate], strategy: Strategy, seed: u64) -> Decision {
    let facts: Vec<_> = candidates
        .iter()
        .enumerate()
        .map(|(turn, candidate)| Facts {
            demoted: candidate.demoted.is_some(),
            tier: u8::try_from(TIERS.iter().position(|tier| Some(*tier) == candidate.tier).unwrap()).unwrap(),
            priority: candidate.priority,
            weight: candidate.weight,
            in_flight: candidate.in_flight,
            latency_ms: candidate.latency_ms.map(|ms| u32::try_from(ms).unwrap()),
            multiplier_micro: candidate.cost_multiplier.micro(),
            translated: false,
            last_turn: (seed + u64::try_from(turn).unwrap() * 7) % 11,
        })
        .collect();
    let ranked = order(&facts, strategy, seed, None);
    let ranked = ranked
        .iter()
        .zip(1..)
        .map(|(index, rank)| Candidate { rank: Some(rank), ..candidates[*index].clone() });
    Decision { candidates: ranked.collect(), strategy: Some(strategy), seed, ..Decision::default() }
}

/// A request that went where the decision said, at the second of its seed, and well.
fn sample(decision: Decision) -> Sample {
    let first = decision.candidates.first().map(|first| (first.provider_id, first.credential_id.unwrap()));
    Sample {
        at: Timestamp(1_795_000_000_000 + i64::try_from(decision.seed % 1_000_000).unwrap() * 1000),
        first: first.unwrap_or((ProviderId(0), CredentialId(0))),
        decision,
        first_failed: false,
        attempts: 1,
        base_cost: money("1"),
        provider_cost: money("1"),
        first_byte_ms: Some(100),
    }
}

fn samples(candidates: &[Candidate], strategy: Strategy, count: u64) -> Vec<Sample> {
    (0..count).map(|seed| sample(decided(candidates, strategy, seed))).collect()
}

fn edit(providers: &[(i64, ProviderEdit)]) -> Backtest {
    Backtest { providers: providers.iter().copied().collect(), ..Backtest::default() }
}

fn weight(weight: u32) -> ProviderEdit {
    ProviderEdit { weight: Some(weight), ..ProviderEdit::default() }
}

fn priority(priority: i32) -> ProviderEdit {
    ProviderEdit { priority: Some(priority), ..ProviderEdit::default() }
}

fn enabled(enabled: bool) -> ProviderEdit {
    ProviderEdit { enabled: Some(enabled), ..ProviderEdit::default() }
}

/// First choices after, by provider.
fn after(report: &BacktestReport) -> Vec<(i64, u64)> {
    report.providers.iter().map(|line| (line.provider_id.0, line.after)).collect()
}

fn some_candidates() -> impl proptest::strategy::Strategy<Value = Vec<Candidate>> {
    let facts =
        (0..3_usize, 0..2_i32, 1..4_u32, 0..3_u32, proptest::option::of(1..900_u64), 1..3_u32, any::<bool>());
    proptest::collection::vec(facts, 1..8).prop_map(|all| {
        let candidate =
            |(number, (tier, priority, weight, in_flight, latency_ms, price, demoted))| Candidate {
                tier: Some(TIERS[tier]),
                priority: (priority, 0),
                weight,
                in_flight,
                latency_ms,
                cost_multiplier: Factor::from_micro(price * 500_000).unwrap(),
                demoted: bool::then(demoted, || "unavailable".to_owned()),
                ..one(number)
            };
        (1..).zip(all).map(candidate).collect()
    })
}

proptest! {
    #[test]
    fn an_unchanged_policy_moves_nothing(
        decisions in proptest::collection::vec((some_candidates(), any::<u64>(), 0..Strategy::ALL.len()), 1..20),
        filled_in in any::<bool>(),
    ) {
        let samples: Vec<_> = decisions
            .iter()
            .map(|(candidates, seed, strategy)| sample(decided(candidates, Strategy::ALL[*strategy], *seed)))
            .collect();
        // A form sends what is set already; that is no change either.
        let edit = Backtest {
            strategy: filled_in.then_some(Strategy::LeastLoaded),
            tier_order: filled_in.then(|| TIERS.to_vec()),
            ..Backtest::default()
        };
        let report = backtest(&samples, &edit, TIERS, Strategy::LeastLoaded);
        prop_assert_eq!(report.requests, u64::try_from(samples.len()).unwrap());
        prop_assert_eq!((report.moved, report.unserved, report.skipped), (0, 0, 0));
        prop_assert_eq!(report.cost_before, report.cost_after);
        prop_assert_eq!(report.failovers_before, report.failovers_after);
        prop_assert_eq!(report.first_byte_ms_before, report.first_byte_ms_after);
        for line in &report.providers {
            prop_assert_eq!(line.before, line.after);
        }
    }
}

#[test]
fn another_priority_moves_all_and_their_cost_and_time() {
    let half = Factor::from_micro(500_000).unwrap();
    let (dear, cheap) = (one(1), Candidate { cost_multiplier: half, priority: (1, 0), ..one(2) });
    let mut samples = samples(&[dear.clone(), cheap.clone()], ALL, 10);
    // One request found the dear one rested, so it is known how quick the cheap one is.
    let mut other = sample(decided(&[cheap], ALL, 99));
    (other.provider_cost, other.first_byte_ms) = (money("0.5"), Some(40));
    samples.push(other);
    let report = backtest(&samples, &edit(&[(2, priority(-1))]), TIERS, ALL);
    assert_eq!((report.requests, report.moved), (11, 10));
    assert_eq!((report.cost_before, report.cost_after), (money("10.5"), money("5.5")));
    assert_eq!((report.first_byte_ms_before, report.first_byte_ms_after), (Some(95), Some(40)));
    assert_eq!(after(&report), [(1, 0), (2, 11)]);
    assert_eq!(report.providers[0].name, "p1");
    assert_eq!(report.providers[0].before, 10);
}

#[test]
fn another_weight_moves_as_few_as_its_new_share_needs() {
    let samples = samples(&[one(1), one(2)], ALL, 4000);
    let report = backtest(&samples, &edit(&[(2, weight(3))]), TIERS, ALL);
    let [first, second] = &report.providers[..] else { panic!("{report:?}") };
    assert!(first.before.abs_diff(2000) < 130, "{report:?}");
    assert!(second.after.abs_diff(3000) < 130, "three of four: {report:?}");
    assert_eq!(report.moved, second.after - second.before, "nobody moves to and fro");
}

#[test]
fn levels_that_become_one_share_by_weight() {
    let behind = Candidate { priority: (1, 0), weight: 3, ..one(2) };
    let samples = samples(&[one(1), behind], ALL, 4000);
    let report = backtest(&samples, &edit(&[(2, priority(0))]), TIERS, ALL);
    assert!(report.moved.abs_diff(3000) < 130, "{report:?}");
}

#[test]
fn weights_of_credentials_stay_when_their_providers_change() {
    let pair = [Candidate { weight: 10, ..another(1, 1) }, Candidate { weight: 15, ..another(1, 2) }];
    let candidates = [pair[0].clone(), pair[1].clone(), Candidate { weight: 25, ..one(2) }];
    let samples = samples(&candidates, ALL, 4000);
    // The provider's own weight is the 5 that both share: the same again changes nothing, 15 gives three to one.
    assert_eq!(backtest(&samples, &edit(&[(1, weight(5))]), TIERS, ALL).moved, 0);
    let report = backtest(&samples, &edit(&[(1, weight(15))]), TIERS, ALL);
    assert!(report.providers[0].after.abs_diff(3000) < 130, "{report:?}");
}

#[test]
fn a_provider_switched_off_serves_nobody() {
    let samples = samples(&[one(1), one(2)], ALL, 100);
    let report = backtest(&samples, &edit(&[(1, enabled(false))]), TIERS, ALL);
    assert_eq!(after(&report), [(1, 0), (2, 100)]);
    assert_eq!(report.moved, report.providers[0].before);
    let report = backtest(&samples, &edit(&[(1, enabled(false)), (2, enabled(false))]), TIERS, ALL);
    assert_eq!((report.unserved, report.moved, report.cost_after), (100, 0, Money::ZERO));
    assert_eq!((report.failovers_after, report.first_byte_ms_after), (0, None));
}

#[test]
fn another_strategy_or_order_of_tiers_is_replayed() {
    let candidates = [
        Candidate { in_flight: 2, latency_ms: Some(50), ..one(1) },
        Candidate { in_flight: 0, latency_ms: Some(500), ..one(2) },
        Candidate { in_flight: 1, latency_ms: Some(500), cost_multiplier: Factor::ZERO, ..one(3) },
        Candidate { tier: Some(Tier::Fallback), ..one(4) },
    ];
    // Latest first, as the store gives them.
    let samples: Vec<_> = samples(&candidates, ALL, 300).into_iter().rev().collect();
    let with = |strategy| backtest(&samples, &Backtest { strategy: Some(strategy), ..edit(&[]) }, TIERS, ALL);
    assert_eq!(after(&with(Strategy::RoundRobin)), [(1, 100), (2, 100), (3, 100)]);
    assert_eq!(after(&with(Strategy::LeastLoaded))[1], (2, 300));
    let cheapest = with(Strategy::Cheapest);
    assert_eq!(after(&cheapest)[2], (3, 300));
    assert_eq!(
        cheapest.cost_after.nano(),
        i64::try_from(cheapest.providers[2].before).unwrap() * 1_000_000_000
    );
    // The quicker of two: the first is drawn in two of three pairs and wins them.
    assert!(after(&with(Strategy::Latency))[0].1.abs_diff(200) < 40);
    let tier_order = Some(vec![Tier::Fallback, Tier::Shared, Tier::Personal]);
    let report = backtest(&samples, &Backtest { tier_order, ..edit(&[]) }, TIERS, ALL);
    assert_eq!(report.moved, 300);
    // What was decided under another order than the present one is repeated under its own.
    let now = [Tier::Fallback, Tier::Shared, Tier::Personal];
    let mut recorded = samples.clone();
    assert!(backtest(&recorded, &edit(&[]), &now, ALL).moved > 0, "old records say nothing of it");
    for sample in &mut recorded {
        sample.decision.tier_order = TIERS.to_vec();
    }
    assert_eq!(backtest(&recorded, &edit(&[]), &now, ALL).moved, 0);
}

#[test]
fn failovers_are_expected_from_the_same_hour() {
    let hour =
        |index: i64| Timestamp(Timestamp(1_795_000_000_000).hour_start().0 + index * Timestamp::HOUR_MS);
    let at = |mut sample: Sample, index: i64, failed: bool| {
        (sample.at, sample.first_failed) = (hour(index), failed);
        sample.attempts = if failed { 3 } else { 1 };
        sample
    };
    let (bad, good) = (one(1), Candidate { priority: (1, 0), ..one(2) });
    let went_bad = |seed| sample(decided(&[bad.clone(), good.clone()], ALL, seed));
    let went_good = |seed| sample(decided(std::slice::from_ref(&good), ALL, seed));
    let mut samples: Vec<_> = (0..8).map(|seed| at(went_bad(seed), 0, seed < 6)).collect();
    // In that hour a quarter failed at the other; later all did, which must not count.
    samples.extend((10..14).map(|seed| at(went_good(seed), 0, seed == 10)));
    samples.extend((20..30).map(|seed| at(went_good(seed), 5, true)));
    let report = backtest(&samples, &edit(&[(2, priority(-1))]), TIERS, ALL);
    assert_eq!(report.failovers_before, 6 * 2 + 2 + 10 * 2);
    assert_eq!(report.failovers_after, 8 / 4 + 2 + 10 * 2);
}

#[test]
fn records_that_tell_too_little_are_left_out() {
    let off = Candidate {
        credential_id: None,
        credential_name: None,
        removed_by: Some("disabled".to_owned()),
        ..one(2)
    };
    let mut told = decided(&[one(1)], ALL, 1);
    told.candidates.push(off);
    let samples = [sample(told), sample(Decision::default())];
    let report = backtest(&samples, &edit(&[]), TIERS, ALL);
    assert_eq!((report.requests, report.skipped), (1, 1));
    let report = backtest(&samples, &edit(&[(2, enabled(true))]), TIERS, ALL);
    assert_eq!((report.requests, report.skipped, report.cost_before), (0, 2, Money::ZERO));
    assert_eq!(backtest(&[], &edit(&[]), TIERS, ALL), BacktestReport::default());
}

#[test]
fn a_bound_conversation_stays_where_it_was_while_it_can() {
    let mut decision = decided(&[one(1)], ALL, 1);
    decision.candidates.push(Candidate { rank: Some(2), tier: Some(Tier::Personal), ..one(2) });
    decision.affinity = Some(AffinityNote {
        outcome: AffinityOutcome::Hit,
        source: None,
        credential_id: Some(CredentialId(10)),
        removed_by: None,
    });
    let samples = [sample(decision)];
    assert_eq!(backtest(&samples, &edit(&[]), TIERS, ALL).moved, 0);
    assert_eq!(backtest(&samples, &edit(&[(2, priority(-9))]), TIERS, ALL).moved, 0);
    assert_eq!(backtest(&samples, &edit(&[(1, enabled(false))]), TIERS, ALL).moved, 1);
}

#[test]
fn the_recorded_first_attempt_is_what_it_is_compared_with() {
    // The first by the draw was full when it was to be used, so the second was tried first.
    let mut taken = sample(decided(&[one(1), Candidate { priority: (1, 0), ..one(2) }], ALL, 1));
    taken.first = (ProviderId(2), CredentialId(20));
    let report = backtest(&[taken], &edit(&[]), TIERS, ALL);
    assert_eq!((report.moved, after(&report)), (1, vec![(1, 1), (2, 0)]));
}
