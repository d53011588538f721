//! The reading end: batches, positions, and segments that go away.

use std::fs;

use super::{id, now, only_segment, open, options, record, refusal, sound};
use types::request::{Attempt, Candidate, Decision, RequestRecord};
use types::{CredentialId, ProviderId};

use crate::invariant::{self, Extent, Kind};
use crate::record::{Frame, Next, read};
use crate::{Batch, Ledger, Options, Position};

fn small(dir: &std::path::Path) -> Ledger {
    Ledger::open(Options { segment_bytes: 3000, ..options(dir) }).unwrap().0
}

fn drain(ledger: &Ledger, mut after: Position, max: usize) -> Vec<Batch> {
    let mut batches = Vec::new();
    while let Some(batch) = ledger.read_batch(after, max).unwrap() {
        assert!(batch.end > after);
        after = batch.end;
        batches.push(batch);
    }
    batches
}

#[test]
fn batches_of_any_size_hold_every_end_once_and_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = small(dir.path());
    assert_eq!(ledger.read_batch(Position::default(), 10).unwrap(), None);
    for n in 0..20 {
        let mut reservation = ledger.admit(record(2 * n)).unwrap();
        ledger.refuse(&refusal(2 * n + 1)).unwrap();
        reservation.mark_sent().unwrap();
        reservation.settle().unwrap();
    }
    let expected: Vec<_> = (0..20).flat_map(|n| [id(2 * n + 1), id(2 * n)]).collect();
    let whole = drain(&ledger, Position::default(), usize::MAX);
    assert_eq!((whole.len(), whole[0].is_full), (1, false));
    for max in [1, 2, 3, 7, 80, 1000] {
        let batches = drain(&ledger, Position::default(), max);
        let ids: Vec<_> = batches.iter().flat_map(|batch| &batch.rows).map(|row| row.request_id).collect();
        assert_eq!(ids, expected, "{max} at a time");
        let parts = batches.iter().flat_map(|batch| &batch.usage);
        assert_eq!(invariant::sum(parts), invariant::sum(&whole[0].usage));
        assert_eq!(batches.last().unwrap().end, whole[0].end);
        assert!(batches[..batches.len() - 1].iter().all(|batch| batch.is_full), "{max} at a time");
    }
    let rows: Vec<_> = whole[0].rows.clone();
    assert_eq!(invariant::check_totals(&rows, &whole[0].usage), None);
    assert_eq!(whole[0].usage.iter().map(|delta| delta.totals.refused).sum::<u64>(), 20);
}

#[test]
fn a_decision_comes_beside_its_row_as_the_journal_has_it() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, _) = open(dir.path());
    let tricky = r#"a","decision":{"b":1}}"#;
    let candidate = Candidate::plain((ProviderId(1), tricky), Some((CredentialId(2), tricky)));
    let decision =
        Decision { candidates: vec![candidate], config_revision: 7, seed: u64::MAX, ..Decision::default() };
    let attempt = Attempt::begun((ProviderId(1), tricky), (CredentialId(2), "x\\"));
    let plain = |n| RequestRecord {
        error_message: Some(tricky.into()),
        attempts: vec![attempt.clone()],
        ..record(n)
    };
    let with = |n| RequestRecord { decision: Some(decision.clone()), ..plain(n) };
    ledger.admit(with(1)).unwrap().settle().unwrap();
    ledger.refuse(&with(2)).unwrap();
    ledger.refuse(&plain(3)).unwrap();
    let batch = ledger.read_batch(Position::default(), 10).unwrap().unwrap();
    assert_eq!(batch.rows, [plain(1), plain(2), plain(3)]);
    let decided = |at| batch.decision(at).map(|text| serde_json::from_str::<Decision>(text).unwrap());
    assert_eq!([decided(0), decided(1), decided(2)], [Some(decision.clone()), Some(decision.clone()), None]);
    drop(ledger);
    sound(dir.path(), Extent::Whole);

    // Records of versions before had their decisions inside, wherever among the members: it stays on the record.
    let row = |text: &str| {
        let mut frame = Frame::raw(Kind::Terminal, text.as_bytes());
        frame.seal(1);
        let mut bytes = frame.bytes();
        let size = u64::try_from(bytes.len()).unwrap();
        let Next::Record(raw) = read(&mut bytes, size).unwrap() else { panic!("{text}") };
        assert_eq!(raw.record().map(|record| record.decision), raw.row().map(|(record, _)| record.decision));
        raw.row().unwrap()
    };
    let whole = serde_json::to_string(&with(1)).unwrap();
    assert_eq!(row(&whole), (with(1), None));
    assert_eq!(row(&serde_json::to_string(&plain(1)).unwrap()), (plain(1), None));
    let moved = format!(r#"{{"decision":{},{}"#, serde_json::to_string(&decision).unwrap(), {
        let (rest, _) = whole.rsplit_once(r#","decision":{"candidates""#).unwrap();
        format!("{}}}", rest.strip_prefix('{').unwrap())
    });
    assert_eq!(row(&moved), (with(1), None));
}

#[test]
fn a_record_with_its_decision_behind_it_reads_back_whole() {
    let decision = Decision { config_revision: 3, ..Decision::default() };
    let record = RequestRecord { decision: Some(decision), ..record(1) };
    for kind in [Kind::Terminal, Kind::Refused] {
        let Next::Record(raw) = sealed(Frame::of(kind, &record)) else { panic!("no record") };
        assert_eq!((raw.record(), raw.request_id()), (Some(record.clone()), Some(id(1))));
        let mut cut = raw;
        cut.payload.pop();
        assert_eq!(cut.record(), None, "half a decision is none");
    }
    let Next::Record(raw) = sealed(Frame::of(Kind::Admit, &record)) else { panic!("no record") };
    assert_eq!(raw.record().map(|record| record.decision), Some(None), "an admission has none yet");
}

#[test]
fn an_admission_alone_moves_the_position_and_brings_no_row() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, _) = open(dir.path());
    let reservation = ledger.admit(record(1)).unwrap();
    let batch = ledger.read_batch(Position::default(), 10).unwrap().unwrap();
    assert!(batch.rows.is_empty() && batch.usage.is_empty() && batch.latency.is_empty());
    assert_eq!(ledger.read_batch(batch.end, 10).unwrap(), None);
    reservation.settle().unwrap();
    assert_eq!(ledger.read_batch(batch.end, 10).unwrap().unwrap().rows.len(), 1);
}

#[test]
fn applied_segments_go_and_those_of_open_requests_stay() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = small(dir.path());
    for n in 0..10 {
        ledger.admit(record(n)).unwrap().settle().unwrap();
    }
    let long = ledger.admit(record(100)).unwrap();
    for n in 10..20 {
        ledger.admit(record(n)).unwrap().settle().unwrap();
    }
    assert_eq!(ledger.backlog(), 41);
    let end = drain(&ledger, Position::default(), 5).last().unwrap().end;
    let before = ledger.bytes();
    ledger.mark_applied(end).unwrap();
    assert_eq!(ledger.backlog(), 0);
    assert!(ledger.bytes() < before);
    let entries = invariant::entries(dir.path()).unwrap();
    assert!(entries.iter().any(|entry| entry.kind == Kind::Admit && entry.request_id == id(100)));
    assert!(entries.iter().all(|entry| entry.request_id != id(0)));
    long.settle().unwrap();
    let end = drain(&ledger, end, 5).last().unwrap().end;
    ledger.mark_applied(end).unwrap();
    only_segment(dir.path());
    ledger.refuse(&refusal(200)).unwrap();
    assert_eq!(ledger.backlog(), 1);
    assert_eq!(drain(&ledger, end, 5).len(), 1);
    drop(ledger);
    sound(dir.path(), Extent::Rest);
    let (_, recovery) = open(dir.path());
    assert!(recovery.open.is_empty());
}

#[test]
fn a_part_that_is_applied_counts_as_such_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = small(dir.path());
    for n in 0..10 {
        ledger.admit(record(n)).unwrap().settle().unwrap();
    }
    let first = ledger.read_batch(Position::default(), 6).unwrap().unwrap();
    drop(ledger);
    let ledger = small(dir.path());
    assert_eq!(ledger.backlog(), 20);
    ledger.mark_applied(first.end).unwrap();
    assert_eq!(ledger.backlog(), 14);
    let rest: usize = drain(&ledger, first.end, 100).iter().map(|batch| batch.rows.len()).sum();
    assert_eq!(first.rows.len() + rest, 10);
}

#[test]
fn a_place_of_another_journal_starts_over_and_deletes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = small(dir.path());
    for n in 0..10 {
        ledger.admit(record(n)).unwrap().settle().unwrap();
    }
    let end = drain(&ledger, Position::default(), 100)[0].end;
    let bytes = ledger.bytes();
    for strange in [
        Position { segment: 5, offset: 99 },
        Position { segment: end.segment, offset: end.offset + 1 },
        Position { segment: end.segment + 50, offset: 0 },
        Position { segment: end.segment - 1, offset: 0 },
    ] {
        assert_eq!(ledger.read_batch(strange, 100).unwrap().unwrap().rows.len(), 10, "{strange:?}");
        ledger.mark_applied(strange).unwrap();
        assert_eq!((ledger.bytes(), ledger.backlog()), (bytes, 20), "{strange:?}");
    }
}

#[test]
fn a_batch_ends_at_eight_mebibytes() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, _) = open(dir.path());
    for n in 0..20 {
        let mut big = refusal(n);
        big.error_message = Some("x".repeat(600 << 10));
        ledger.refuse(&big).unwrap();
    }
    let batches = drain(&ledger, Position::default(), usize::MAX);
    assert_eq!(batches.iter().map(|batch| batch.rows.len()).collect::<Vec<_>>(), [14, 6]);
    assert_eq!(batches.iter().map(|batch| batch.is_full).collect::<Vec<_>>(), [true, false]);
}

#[test]
fn damage_under_a_running_journal_is_reported() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, _) = open(dir.path());
    ledger.refuse(&refusal(1)).unwrap();
    ledger.refuse(&refusal(2)).unwrap();
    let file = only_segment(dir.path());
    let mut bytes = fs::read(&file).unwrap();
    bytes[30] ^= 1;
    fs::write(&file, bytes).unwrap();
    let result = ledger.read_batch(Position::default(), 10);
    assert!(matches!(result, Err(crate::JournalError::Corrupt { offset: 0, .. })));
}

#[test]
fn records_of_other_versions_are_read() {
    let mut fields = serde_json::to_value(record(1)).unwrap();
    let object = fields.as_object_mut().unwrap();
    object.remove("request_bytes");
    object.remove("estimated");
    object.remove("attempts");
    object.insert("of_the_future".to_owned(), serde_json::json!({ "a": [1] }));
    let frame = Frame::of(Kind::Terminal, &record(1));
    let Next::Record(mut raw) = sealed(frame) else { panic!("no record") };
    raw.payload = serde_json::to_vec(&fields).unwrap();
    assert_eq!(raw.record(), Some(record(1)));
    raw.payload = b"{}".to_vec();
    assert_eq!((raw.record(), raw.request_id()), (None, None));
}

fn sealed(mut frame: Frame) -> Next {
    frame.seal(u64::try_from(now().0).unwrap());
    read(&mut frame.bytes(), frame.size()).unwrap()
}
