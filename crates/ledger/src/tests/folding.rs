//! Folding, over arbitrary rows.

use proptest::prelude::*;
use types::request::{Outcome, RequestRecord};
use types::usage::latency_bin;
use types::{ApiKeyId, ProviderId, Timestamp, UserId};

use super::{id, record, refusal};
use crate::Position;
use crate::batch::fold;
use crate::invariant::{self, Entry, Extent, Kind, Violation};
use crate::record::blank;

fn row() -> impl Strategy<Value = RequestRecord> {
    let who = (any::<u32>(), 0..3_i64, 0..3_i64, prop::option::of(0..3_i64), prop::option::of("[ab]"));
    let how = (-2 * Timestamp::HOUR_MS..2 * Timestamp::HOUR_MS, 0..6_usize, prop::option::of(any::<u64>()));
    let tokens = (any::<u32>(), any::<u32>(), any::<u32>(), any::<u32>());
    (who, how, tokens, any::<u64>()).prop_map(|(who, how, tokens, duration_ms)| RequestRecord {
        user_id: (who.1 > 0).then_some(UserId(who.1)),
        key_id: (who.2 > 0).then_some(ApiKeyId(who.2)),
        provider_id: who.3.map(ProviderId),
        model: who.4,
        outcome: Outcome::ALL[how.1],
        first_byte_ms: how.2,
        input_tokens: tokens.0.into(),
        output_tokens: tokens.1.into(),
        cache_read_tokens: tokens.2.into(),
        cache_write_tokens: tokens.3.into(),
        duration_ms,
        ..blank(id(who.0.into()), Timestamp(how.0))
    })
}

proptest! {
    #[test]
    fn inv_15_and_16_folding_adds_up(rows in prop::collection::vec(row(), 0..40), at in any::<prop::sample::Index>()) {
        let cut = at.index(rows.len() + 1);
        prop_assert_eq!(invariant::check_additive(&rows, cut), None);
        let (usage, latency) = fold(&rows);
        prop_assert_eq!(invariant::check_totals(&rows, &usage), None);
        // Each key once, whole hours only.
        prop_assert_eq!(invariant::sum(&usage).len(), usage.len());
        prop_assert!(usage.iter().all(|delta| delta.bucket == delta.bucket.hour_start()));
        prop_assert!(latency.iter().all(|delta| delta.bin < 16 && delta.count > 0));
        // Order does not matter.
        let turned: Vec<_> = rows.iter().rev().cloned().collect();
        prop_assert_eq!(fold(&turned), (usage, latency));
    }

    #[test]
    fn sums_stop_at_the_end_of_the_range(many in prop::collection::vec(any::<u64>(), 1..5)) {
        let rows: Vec<_> = many.iter().map(|tokens| RequestRecord { input_tokens: *tokens, ..record(1) }).collect();
        let expected = many.iter().fold(0_u64, |sum, more| sum.saturating_add(*more));
        prop_assert_eq!(fold(&rows).0[0].totals.input_tokens, expected);
    }
}

#[test]
fn errors_and_refusals_are_counted_apart() {
    let failed = RequestRecord { outcome: Outcome::Failed, ..record(1) };
    let full = RequestRecord { status_code: 503, ..refusal(2) };
    let (usage, _) = fold(&[record(3), failed, refusal(4), full]);
    let sum = usage.iter().fold((0, 0, 0), |sum, delta| {
        let totals = delta.totals;
        (sum.0 + totals.requests, sum.1 + totals.errors, sum.2 + totals.refused)
    });
    assert_eq!(sum, (4, 2, 2));
}

#[test]
fn latency_is_the_first_byte_or_the_whole_answer_and_never_a_refusal() {
    let whole = RequestRecord { first_byte_ms: None, duration_ms: 400, ..record(1) };
    let failed = RequestRecord { outcome: Outcome::Failed, first_byte_ms: None, ..record(2) };
    let (_, latency) = fold(&[record(3), whole, failed, refusal(4)]);
    let bins: Vec<_> = latency.iter().map(|delta| (delta.bin, delta.count)).collect();
    assert_eq!(bins, [(latency_bin(40), 1), (latency_bin(400), 1)]);
}

#[test]
fn wrong_totals_are_found() {
    let (mut usage, _) = fold(&[record(1)]);
    usage[0].totals.input_tokens += 1;
    assert!(matches!(invariant::check_totals(&[record(1)], &usage), Some(Violation::TotalsDiffer { .. })));
}

#[test]
fn inv_01_and_15_violations_are_found() {
    let entry = |seq, kind, n| Entry {
        at: Position::default(),
        seq,
        kind,
        request_id: id(n),
        record: None,
        names_attempt: kind == Kind::Sent,
    };
    let check = |entries: &[Entry]| invariant::check(entries, Extent::Whole);
    let admit = entry(1, Kind::Admit, 1);
    let end = entry(2, Kind::Terminal, 1);
    assert_eq!(check(&[admit.clone(), end.clone()]), []);
    assert_eq!(check(std::slice::from_ref(&admit)), [Violation::NotEnded(id(1))]);
    assert_eq!(
        check(&[admit.clone(), end.clone(), entry(3, Kind::Terminal, 1)]),
        [Violation::EndedTwice(id(1))]
    );
    assert_eq!(
        check(&[admit.clone(), entry(2, Kind::Refused, 1), entry(3, Kind::Terminal, 1)]),
        [Violation::EndedTwice(id(1))]
    );
    assert_eq!(
        check(&[admit.clone(), end.clone(), entry(3, Kind::Admit, 1)]),
        [Violation::AdmittedTwice(id(1))]
    );
    assert_eq!(
        check(&[admit.clone(), end.clone(), entry(3, Kind::Sent, 1)]),
        [Violation::SentAfterEnd(id(1))]
    );
    assert_eq!(check(std::slice::from_ref(&end)), [Violation::NotAdmitted(id(1))]);
    assert_eq!(invariant::check(&[end], Extent::Rest), []);
    let sent = entry(2, Kind::Sent, 1);
    let forgot = Entry { record: Some(record(1)), ..entry(3, Kind::Terminal, 1) };
    assert_eq!(
        check(&[admit.clone(), sent, forgot]),
        [Violation::AttemptsMissing { id: id(1), sent: 1, booked: 0 }]
    );
    assert_eq!(check(&[admit, entry(3, Kind::Terminal, 1)]), [Violation::Gap { expected: 2, found: 3 }]);
}
