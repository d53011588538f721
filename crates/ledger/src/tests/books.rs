//! The ordinary life of requests.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use types::request::{Decision, Outcome};

use super::{id, open, options, record, refusal, sound};
use crate::invariant::{Extent, Kind};
use crate::{JournalError, Ledger, invariant};

#[test]
fn a_request_is_admitted_sent_and_settled_once() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, recovery) = open(dir.path());
    assert_eq!((recovery.records, recovery.truncated_bytes, recovery.open.len()), (0, 0, 0));
    let mut reservation = ledger.admit(record(1)).unwrap();
    assert_eq!(ledger.open_count(), 1);
    assert!(!reservation.is_sent());
    reservation.mark_sent().unwrap();
    reservation.mark_sent().unwrap();
    reservation.record_mut().status_code = 201;
    let settled = reservation.settle().unwrap();
    assert_eq!((settled.status_code, ledger.open_count()), (201, 0));
    ledger.refuse(&refusal(2)).unwrap();
    drop(ledger);
    let entries = sound(dir.path(), Extent::Whole);
    let kinds: Vec<_> = entries.iter().map(|entry| (entry.kind, entry.request_id)).collect();
    let expected =
        [(Kind::Admit, id(1)), (Kind::Sent, id(1)), (Kind::Terminal, id(1)), (Kind::Refused, id(2))];
    assert_eq!(kinds, expected);
    assert_eq!(entries[2].record.as_ref(), Some(&settled));
}

#[test]
fn inv_02_an_admit_goes_out_with_what_follows_it_in_one_write() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, _) = open(dir.path());
    let written = || invariant::entries(dir.path()).unwrap().len();
    let mut first = ledger.admit(record(1)).unwrap();
    let second = ledger.admit(record(2)).unwrap();
    assert_eq!((written(), ledger.open_count(), ledger.is_synced()), (0, 2, false));
    first.mark_sent().unwrap();
    assert_eq!(written(), 3);
    // Whoever waits for the disk waits for what is kept back, too.
    let third = ledger.admit(record(3)).unwrap();
    ledger.sync().unwrap();
    assert_eq!((written(), ledger.is_synced()), (4, true));
    let fourth = ledger.admit(record(4)).unwrap();
    let batch = ledger.read_batch(crate::Position::default(), 10).unwrap().unwrap();
    assert_eq!((written(), batch.rows.len()), (5, 0));
    drop((first, second, third, fourth));
    // More than a little is not kept back.
    let many: Vec<_> = (10..600).map(|n| ledger.admit(record(n)).unwrap()).collect();
    assert!(written() > 9);
    // Strict mode keeps nothing back.
    ledger.set_strict(true);
    let strict = ledger.admit(record(1000)).unwrap();
    assert_eq!(written(), 9 + 590 + 1);
    drop((many, strict, ledger));
    sound(dir.path(), Extent::Whole);
}

#[test]
fn each_attempt_is_sent_once() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, _) = open(dir.path());
    let mut reservation = ledger.admit(record(1)).unwrap();
    reservation.mark_sent().unwrap();
    reservation.mark_sent().unwrap();
    reservation.record_mut().credential_id = Some(types::CredentialId(9));
    reservation.mark_sent().unwrap();
    reservation.settle().unwrap();
    drop(ledger);
    let sent = sound(dir.path(), Extent::Whole).iter().filter(|entry| entry.kind == Kind::Sent).count();
    assert_eq!(sent, 2);
}

#[test]
fn fault_s26_a_panic_ends_the_request_as_interrupted() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, _) = open(dir.path());
    let worker = ledger.clone();
    let ended = thread::spawn(move || {
        let mut reservation = worker.admit(record(1)).unwrap();
        reservation.record_mut().input_tokens = 77;
        panic!("a stream task fails");
    });
    assert!(ended.join().is_err());
    assert_eq!((ledger.open_count(), ledger.lost()), (0, 0));
    drop(ledger);
    let entries = sound(dir.path(), Extent::Whole);
    let last = entries[1].record.as_ref().unwrap();
    assert_eq!((last.outcome, last.status_code, last.estimated), (Outcome::Interrupted, 500, true));
    assert_eq!((last.error_code.as_deref(), last.input_tokens), (Some("interrupted"), 77));
}

#[test]
fn inv_15_eight_threads_leave_no_gap() {
    const THREADS: u64 = 8;
    const EACH: u64 = 100;
    let dir = tempfile::tempdir().unwrap();
    let (ledger, _) =
        Ledger::open(crate::Options { segment_bytes: 64 << 10, ..options(dir.path()) }).unwrap();
    thread::scope(|scope| {
        for worker in 0..THREADS {
            let ledger = ledger.clone();
            scope.spawn(move || {
                for n in 0..EACH {
                    let mut reservation = ledger.admit(record(worker * EACH + n)).unwrap();
                    match n % 3 {
                        0 => drop(reservation),
                        1 => {
                            reservation.mark_sent().unwrap();
                            reservation.settle().map(drop).unwrap();
                        }
                        _ => reservation.settle().map(drop).unwrap(),
                    }
                }
            });
        }
        scope.spawn(|| (0..50).for_each(|_| ledger.sync().unwrap()));
    });
    assert_eq!(ledger.open_count(), 0);
    drop(ledger);
    let entries = sound(dir.path(), Extent::Whole);
    let sent = 8 * 33;
    assert_eq!(entries.len(), 2 * 800 + sent);
}

#[test]
fn strict_mode_serves_many_threads_and_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, _) = open(dir.path());
    ledger.set_strict(true);
    thread::scope(|scope| {
        for worker in 0..4 {
            let ledger = ledger.clone();
            scope.spawn(move || {
                for n in 0..10 {
                    ledger.admit(record(worker * 10 + n)).unwrap().settle().unwrap();
                }
            });
        }
    });
    drop(ledger);
    assert_eq!(sound(dir.path(), Extent::Whole).len(), 80);
}

#[test]
fn the_waker_hears_of_ended_requests_only() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, _) = open(dir.path());
    let heard = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&heard);
    ledger.set_waker(move || {
        counter.fetch_add(1, Ordering::Relaxed);
    });
    let mut reservation = ledger.admit(record(1)).unwrap();
    reservation.mark_sent().unwrap();
    assert_eq!(heard.load(Ordering::Relaxed), 0);
    reservation.settle().unwrap();
    ledger.refuse(&refusal(2)).unwrap();
    drop(ledger.admit(record(3)).unwrap());
    assert_eq!(heard.load(Ordering::Relaxed), 3);
}

#[test]
fn an_id_cannot_be_open_twice() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, _) = open(dir.path());
    let first = ledger.admit(record(1)).unwrap();
    assert!(matches!(ledger.admit(record(1)), Err(JournalError::AlreadyOpen(_))));
    assert_eq!(ledger.open_count(), 1);
    first.settle().unwrap();
    drop(ledger);
    sound(dir.path(), Extent::Whole);
}

#[test]
fn a_huge_record_loses_details_but_not_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, _) = open(dir.path());
    let mut huge = record(1);
    huge.model = Some("é".repeat(1 << 20));
    huge.decision = Some(Decision::default());
    ledger.admit(huge).unwrap().settle().unwrap();
    drop(ledger);
    let entries = sound(dir.path(), Extent::Whole);
    let kept = entries[1].record.as_ref().unwrap();
    assert_eq!(kept.model.as_ref().map(String::len), Some(1000));
    assert_eq!((kept.input_tokens, &kept.decision), (1, &None));
}

#[test]
fn the_journal_is_closed_to_other_accounts() {
    let dir = tempfile::tempdir().unwrap();
    let journal = dir.path().join("deep").join("journal");
    let (ledger, _) = open(&journal);
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&journal), 0o700);
    assert_eq!(mode(&super::only_segment(&journal)), 0o600);
    assert_eq!(mode(&journal.join("lock")), 0o600);
    drop(ledger);
}

#[test]
fn fault_s06_a_second_opener_is_refused_and_told_the_process() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, _) = open(dir.path());
    let second = Ledger::open(options(dir.path()));
    assert!(matches!(second, Err(JournalError::Locked { pid }) if pid == std::process::id()));
    let reservation = ledger.admit(record(1)).unwrap();
    drop(ledger);
    // A reservation that is still out keeps the journal.
    assert!(matches!(Ledger::open(options(dir.path())), Err(JournalError::Locked { .. })));
    drop(reservation);
    open(dir.path());
}
