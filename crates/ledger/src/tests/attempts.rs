//! What the journal knows of a request's attempts when the process stops in the middle.

use std::path::Path;

use types::request::{Attempt, AttemptOutcome};
use types::{Money, ProviderId};

use super::recovery::attempt;
use super::{id, now, only_segment, open, sound};
use crate::invariant::Extent;
use crate::record::blank;
use crate::{Ledger, Progress, Reservation};

/// The journal as a stop at this moment leaves it.
fn copy_of(dir: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    let file = only_segment(dir);
    std::fs::copy(&file, copy.path().join(file.file_name().unwrap())).unwrap();
    copy
}

/// A request whose first attempt has left.
fn first_sent(ledger: &Ledger) -> Reservation {
    let mut reservation = ledger.admit(blank(id(1), now())).unwrap();
    reservation.record_mut().provider_id = Some(ProviderId(7));
    reservation.record_mut().attempts.push(attempt(1));
    reservation.mark_sent().unwrap();
    reservation
}

#[test]
fn what_became_of_an_attempt_is_told_with_the_next_one_even_of_one_that_never_left() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, _) = open(dir.path());
    let mut reservation = first_sent(&ledger);
    let ended = |number| Attempt {
        outcome: AttemptOutcome::TimedOut,
        provider_cost_usd: Money::from_nano(90).unwrap(),
        ..attempt(number)
    };
    reservation.record_mut().attempts[0] = ended(1);
    for number in [2, 3] {
        reservation.record_mut().attempts.push(ended(number));
    }
    reservation.record_mut().attempts.push(attempt(4));
    reservation.mark_sent().unwrap();
    let (_, recovery) = open(copy_of(dir.path()).path());
    assert_eq!(recovery.open[0].record.attempts, [ended(1), ended(2), ended(3), attempt(4)]);
    assert_eq!(&recovery.open[0].record.attempts, &reservation.record().attempts);
    reservation.settle().unwrap();
}

#[test]
fn of_two_attempts_side_by_side_the_journal_knows_both_and_then_which_one_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, _) = open(dir.path());
    let mut reservation = first_sent(&ledger);
    reservation.record_mut().provider_id = Some(ProviderId(8));
    reservation.record_mut().attempts.push(attempt(2));
    reservation.mark_sent().unwrap();
    let (_, recovery) = open(copy_of(dir.path()).path());
    assert_eq!(recovery.open[0].record.attempts, [attempt(1), attempt(2)], "both may be running");
    assert_eq!(recovery.open[0].record.provider_id, Some(ProviderId(8)));

    // The first one goes on.
    let lost = Attempt { outcome: AttemptOutcome::Superseded, ..attempt(2) };
    reservation.record_mut().provider_id = Some(ProviderId(7));
    reservation.record_mut().attempts = vec![lost.clone(), attempt(1)];
    reservation.mark_staying().unwrap();
    reservation.progress(&Progress { output_estimate: 5, ..Progress::default() }).unwrap();
    let (_, recovery) = open(copy_of(dir.path()).path());
    let known = &recovery.open[0];
    assert_eq!(known.record.attempts, [lost.clone(), attempt(1)]);
    assert_eq!((known.record.provider_id, known.progressed), (Some(ProviderId(7)), true));
    // A mended body is the same attempt; another one is told as always.
    reservation.mark_sent().unwrap();
    let ended = Attempt { outcome: AttemptOutcome::CutOff, ..attempt(1) };
    reservation.record_mut().attempts[1] = ended.clone();
    reservation.record_mut().attempts.push(attempt(3));
    reservation.mark_sent().unwrap();
    let (_, recovery) = open(copy_of(dir.path()).path());
    assert_eq!(recovery.open[0].record.attempts, [lost, ended, attempt(3)]);
    reservation.settle().unwrap();
    drop(ledger);
    sound(dir.path(), Extent::Whole);
}
