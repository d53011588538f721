use types::breaker::BreakerState;
use types::request::AffinityNote;
use types::{CredentialId, Factor, ProviderId};

use super::*;

const TIERS: &[Tier] = Tier::ALL;

/// A candidate named `p<id> / c<id>`.
fn one(id: i64, rank: impl Into<Option<u32>>) -> Candidate {
    let names = (format!("p{id}"), format!("c{id}"));
    Candidate {
        rank: rank.into(),
        tier: Some(Tier::Shared),
        ..Candidate::plain((ProviderId(id), &names.0), Some((CredentialId(id), &names.1)))
    }
}

fn removed(id: i64, filter: &str) -> Candidate {
    Candidate { removed_by: Some(filter.to_owned()), ..one(id, None) }
}

fn decision(candidates: Vec<Candidate>) -> Decision {
    Decision { candidates, ..Decision::default() }
}

fn told(decision: &Decision) -> Vec<(String, String)> {
    counterfactuals(decision, TIERS).into_iter().map(|found| (found.candidate, found.change)).collect()
}

fn only(decision: &Decision) -> (String, String) {
    let mut found = counterfactuals(decision, TIERS);
    assert_eq!(found.len(), 1, "{found:?}");
    let found = found.remove(0);
    (found.change, found.says)
}

#[test]
fn a_decision_without_an_alternative_tells_nothing() {
    assert!(told(&decision(vec![])).is_empty());
    assert!(told(&decision(vec![one(1, 1)])).is_empty());
    assert!(told(&decision(vec![one(1, 1), removed(2, "tried")])).is_empty());
}

#[test]
fn what_came_before_an_equal_is_named_by_strategy() {
    let first = || Candidate { chance_permille: Some(750), weight: 3, ..one(1, 1) };
    let second = || Candidate { chance_permille: Some(250), ..one(2, 2) };
    let (change, says) = only(&decision(vec![first(), second()]));
    assert_eq!(change, "weight");
    let expected = "Its weight is 1, that of p1 / c1 3. It had a chance of 25.0 %. \
                    Otherwise it could have been first.";
    assert_eq!(says, expected);

    for (strategy, first, second, word, part) in [
        (Strategy::Weighted, one(1, 1), one(2, 2), "draw", "The draw went to p1 / c1."),
        (Strategy::RoundRobin, one(1, 1), one(2, 2), "turn", "would have been first"),
        (
            Strategy::LeastLoaded,
            one(1, 1),
            Candidate { in_flight: 1, ..one(2, 2) },
            "load",
            "It carried 1 request at weight 1, p1 / c1 0 requests at weight 1.",
        ),
        (Strategy::LeastLoaded, one(1, 1), one(2, 2), "draw", "could"),
        (
            Strategy::Latency,
            Candidate { latency_ms: Some(100), ..one(1, 1) },
            Candidate { latency_ms: Some(900), ..one(2, 2) },
            "latency",
            "It took 900 ms to the first byte lately, p1 / c1 100 ms.",
        ),
        (
            Strategy::Latency,
            Candidate { latency_ms: Some(100), ..one(1, 1) },
            Candidate { latency_ms: Some(90), in_flight: 4, ..one(2, 2) },
            "load",
            "It carried 4 requests, p1 / c1 0 requests.",
        ),
        (Strategy::Latency, one(1, 1), one(2, 2), "draw", "The draw of two"),
        (
            Strategy::Cheapest,
            one(1, 1),
            Candidate { cost_multiplier: Factor::from_micro(1_250_000).unwrap(), ..one(2, 2) },
            "cost",
            "It charges 1.25 times the list price, p1 / c1 1 times.",
        ),
    ] {
        let (change, says) = only(&Decision { strategy: Some(strategy), ..decision(vec![first, second]) });
        assert_eq!(change, word, "{strategy}");
        assert!(says.contains(part), "{says}");
    }
}

#[test]
fn tier_and_priority_are_named_before_any_draw() {
    let fallback = Candidate { tier: Some(Tier::Fallback), priority: (-5, 0), ..one(2, 2) };
    let (change, says) = only(&decision(vec![one(1, 1), fallback.clone()]));
    assert_eq!(change, "tier");
    let expected = "Its tier fallback comes after shared of p1 / c1. Otherwise it would have been first.";
    assert_eq!(says, expected);
    // The same pair the other way round, under another order of tiers.
    let other = [Tier::Fallback, Tier::Shared, Tier::Personal];
    let found = counterfactuals(&decision(vec![Candidate { rank: Some(1), ..fallback }, one(1, 2)]), &other);
    let expected = "Its tier shared comes after fallback of p2 / c2. Its provider's priority 0 comes after -5 of \
                    p2 / c2; lower is first. Without all of that it would have been first.";
    assert_eq!(found[0].says, expected);

    let later = Candidate { priority: (10, 0), ..one(2, 2) };
    let (change, says) = only(&decision(vec![one(1, 1), later]));
    assert_eq!(change, "priority");
    assert!(says.starts_with("Its provider's priority 10 comes after 0 of p1 / c1"), "{says}");
    let later = Candidate { priority: (0, 7), ..one(2, 2) };
    let (_, says) = only(&decision(vec![one(1, 1), later]));
    assert!(says.starts_with("Its priority 7 comes after 0"), "{says}");

    // Where there is a tier before, that alone is enough.
    let both = Candidate { tier: Some(Tier::Fallback), priority: (1, 0), ..one(2, 2) };
    let (change, says) = only(&decision(vec![one(1, 1), both]));
    assert_eq!(change, "tier");
    let expected = "Its tier fallback comes after shared of p1 / c1; personal comes before. \
                    Otherwise it would have been first.";
    assert_eq!(says, expected);
}

#[test]
fn each_filter_has_its_remedy() {
    let until = Some("2026-11-21T09:00:00Z".parse().unwrap());
    for (filter, until, word, part) in [
        ("disabled", None, "enabled", "disabled"),
        ("endpoint", None, "endpoint", "kind of request"),
        ("group", None, "group", "groups"),
        ("model", None, "model", "model"),
        ("client", None, "client", "client"),
        ("schedule", None, "schedule", "hours"),
        ("schedule", until, "wait", "wait until 2026-11-21 09:00:00 UTC"),
        ("unpriced", None, "price", "price"),
        ("limit", None, "limit", "limit"),
        ("no_credential", None, "credential", "no credential"),
        ("unreadable", None, "secret", "decrypted"),
        ("state", None, "state", "state"),
        ("state", until, "wait", "wait until"),
        ("cooldown", until, "wait", "It rested; wait until 2026-11-21 09:00:00 UTC"),
        ("breaker", until, "breaker", "from 2026-11-21 09:00:00 UTC on one request may probe it"),
        ("concurrency", None, "concurrency", "limit of requests"),
        ("something_new", None, "filter", "something_new"),
    ] {
        let candidate = Candidate { until, ..removed(2, filter) };
        let (change, says) = only(&decision(vec![one(1, 1), candidate.clone()]));
        assert_eq!(change, word, "{filter}");
        assert!(says.contains(part) && says.ends_with("it could have been first."), "{says}");
        // With nobody else there is no doubt.
        let (_, says) = only(&decision(vec![candidate]));
        assert!(says.ends_with("it would have been first."), "{says}");
    }
}

#[test]
fn the_smallest_change_comes_first_and_one_is_smaller_than_two() {
    let at = |text: &str| Some(text.parse().unwrap());
    let found = told(&decision(vec![
        one(1, 1),
        one(2, 2),
        Candidate { tier: Some(Tier::Fallback), ..one(3, 3) },
        Candidate { tier: Some(Tier::Fallback), ..removed(4, "concurrency") },
        removed(5, "endpoint"),
        Candidate { until: at("2026-11-21T10:00:00Z"), ..removed(6, "cooldown") },
        Candidate { until: at("2026-11-21T09:00:00Z"), ..removed(7, "cooldown") },
        Candidate { tier: None, credential_id: None, credential_name: None, ..removed(8, "disabled") },
    ]));
    let found: Vec<_> = found.iter().map(|(name, change)| (name.as_str(), change.as_str())).collect();
    let expected = [
        ("p2 / c2", "draw"),
        ("p7 / c7", "wait"),
        ("p6 / c6", "wait"),
        ("p3 / c3", "tier"),
        ("p8", "enabled"),
        ("p5 / c5", "endpoint"),
        ("p4 / c4", "concurrency"),
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_bound_conversation_is_the_reason_where_it_is_one() {
    let held = |first: Candidate, rest: Vec<Candidate>| Decision {
        affinity: Some(AffinityNote {
            outcome: AffinityOutcome::Hit,
            source: None,
            credential_id: first.credential_id,
            removed_by: None,
        }),
        ..decision(std::iter::once(first).chain(rest).collect())
    };
    let bound = Candidate { tier: Some(Tier::Fallback), ..one(1, 1) };
    let (change, says) = only(&held(bound.clone(), vec![one(2, 2)]));
    assert_eq!(change, "affinity");
    assert_eq!(says, "The conversation is bound to p1 / c1. Otherwise it would have been first.");
    // The third has to beat the second too, not only the one that was held.
    let third = Candidate { priority: (1, 0), ..one(3, 3) };
    let found = counterfactuals(&held(bound, vec![one(2, 2), third]), TIERS);
    assert!(found[1].says.contains("comes after 0 of p2 / c2"), "{found:?}");
    // Where the bound one is better anyway, a new conversation alone changes nothing.
    let (_, says) = only(&held(one(1, 1), vec![Candidate { tier: Some(Tier::Fallback), ..one(2, 2) }]));
    assert!(says.contains("tier fallback"), "{says}");
}

#[test]
fn the_one_that_a_conversation_was_bound_to_needs_no_rank() {
    let bound =
        Candidate { tier: Some(Tier::Fallback), breaker: Some(BreakerState::Open), ..removed(2, "breaker") };
    let broken = |bound: Candidate| Decision {
        affinity: Some(AffinityNote {
            outcome: AffinityOutcome::Broken,
            source: None,
            credential_id: bound.credential_id,
            removed_by: bound.removed_by.clone(),
        }),
        ..decision(vec![one(1, 1), bound])
    };
    let expected = "Its breaker was open. Otherwise it would have been first.";
    assert_eq!(only(&broken(bound)), ("breaker".into(), expected.into()));
    let demoted = Candidate {
        tier: Some(Tier::Fallback),
        demoted: Some("unavailable".to_owned()),
        until: Some(Timestamp(1_795_000_000_000)),
        ..one(2, 2)
    };
    let (change, says) = only(&broken(demoted));
    assert_eq!(change, "wait");
    assert!(says.ends_with("Otherwise it would have been first."), "{says}");
}

#[test]
fn a_demoted_one_is_told_to_wait() {
    let demoted = |why: &str| Candidate { demoted: Some(why.to_owned()), ..one(2, 2) };
    let until = Some(Timestamp(1_795_000_000_000));
    let rests = Candidate { until, ..demoted("unavailable") };
    assert_eq!(only(&decision(vec![one(1, 1), rests])).0, "wait");
    let (change, says) = only(&decision(vec![one(1, 1), demoted("odd")]));
    assert_eq!(change, "state");
    assert!(says.starts_with("It came last (odd)."), "{says}");
}

#[test]
fn at_most_ten_are_told() {
    let many = (1..60).map(|id| one(id, u32::try_from(id).unwrap())).collect();
    let found = told(&decision(many));
    assert_eq!(found.len(), 10);
    assert_eq!(found[0].0, "p2 / c2");
}

#[test]
fn what_stood_in_the_way_is_told_without_words_too() {
    let rests = Candidate {
        removed_by: Some("cooldown".into()),
        until: Some(Timestamp(1_795_000_000_000)),
        ..one(2, None)
    };
    let later = Candidate { tier: Some(Tier::Fallback), ..one(3, 2) };
    let found = counterfactuals(&decision(vec![one(1, 1), rests, later]), TIERS);
    let of = |name: &str| found.iter().find(|change| change.candidate == name).unwrap();
    let rest = &of("p2 / c2").obstacles[0];
    assert_eq!((rest.code.as_str(), rest.until), ("cooldown", Some(Timestamp(1_795_000_000_000))));
    let tier = &of("p3 / c3").obstacles[0];
    assert_eq!(
        (tier.code.as_str(), tier.other.as_deref(), tier.mine.as_deref(), tier.theirs.as_deref()),
        ("tier", Some("p1 / c1"), Some("fallback"), Some("shared"))
    );
    let whole = Candidate { removed_by: Some("disabled".into()), credential_id: None, ..one(4, None) };
    let found = counterfactuals(&decision(vec![one(1, 1), whole]), TIERS);
    assert_eq!(found[0].obstacles[0].code, "disabled_provider");
}
