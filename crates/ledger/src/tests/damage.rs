//! Journals that were cut or damaged on the disk.

use std::fs;
use std::path::Path;

use super::{conclude, id, now, only_segment, open, options, record, refusal, sound};
use crate::invariant::{Entry, Extent, Kind};
use crate::{JournalError, Ledger, Options};

/// A journal of six records whose last three are TERMINAL, ADMIT and SENT.
fn written(dir: &Path) -> Vec<Entry> {
    let (ledger, _) = open(dir);
    let first = ledger.admit(record(1)).unwrap();
    ledger.refuse(&refusal(2)).unwrap();
    let second = ledger.admit(record(3)).unwrap();
    first.settle().unwrap();
    let mut third = ledger.admit(record(4)).unwrap();
    third.mark_sent().unwrap();
    let entries = crate::invariant::entries(dir).unwrap();
    assert_eq!(entries.len(), 6);
    drop((second, third));
    entries
}

fn size(n: usize) -> u64 {
    u64::try_from(n).unwrap()
}

#[test]
fn fault_s12_a_journal_cut_at_any_byte_recovers() {
    let made = tempfile::tempdir().unwrap();
    let entries = written(made.path());
    let file = only_segment(made.path());
    let bytes = fs::read(&file).unwrap();
    // What the two dropped reservations added behind the sixth record is cut off in any case.
    let ends: Vec<usize> = crate::invariant::entries(made.path())
        .unwrap()
        .iter()
        .skip(1)
        .map(|entry| usize::try_from(entry.at.offset).unwrap())
        .collect();
    for cut in ends[2]..=ends[5] {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(file.file_name().unwrap()), &bytes[..cut]).unwrap();
        let (ledger, recovery) = open(dir.path());
        let whole = ends.iter().filter(|end| **end <= cut).count();
        assert_eq!(recovery.records, size(whole), "cut at {cut}");
        assert_eq!(recovery.truncated_bytes, size(cut - ends[whole - 1]));
        let has =
            |kind, n| entries[..whole].iter().any(|entry| entry.kind == kind && entry.request_id == id(n));
        let expected = [1, 3, 4]
            .into_iter()
            .filter(|n| has(Kind::Admit, *n) && !has(Kind::Terminal, *n))
            .map(id)
            .collect::<Vec<_>>();
        let found: Vec<_> = conclude(&ledger, &recovery).iter().map(|row| row.request_id).collect();
        assert_eq!(found, expected, "cut at {cut}");
        // It goes on working.
        ledger.admit(record(9)).unwrap().settle().unwrap();
        drop(ledger);
        let after = sound(dir.path(), Extent::Whole);
        assert_eq!(after[..whole], entries[..whole]);
    }
}

#[test]
fn fault_s13_a_flipped_byte_in_the_middle_stops_the_start() {
    let made = tempfile::tempdir().unwrap();
    written(made.path());
    let entries = crate::invariant::entries(made.path()).unwrap();
    let file = only_segment(made.path());
    let bytes = fs::read(&file).unwrap();
    let last = usize::try_from(entries.last().unwrap().at.offset).unwrap();
    for at in 0..last {
        let dir = tempfile::tempdir().unwrap();
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x40;
        let copy = dir.path().join(file.file_name().unwrap());
        fs::write(&copy, &damaged).unwrap();
        let hit = entries.iter().rev().find(|entry| entry.at.offset <= size(at)).unwrap();
        match Ledger::open(options(dir.path())) {
            Err(JournalError::Corrupt { segment, offset }) => {
                assert_eq!((segment, offset), (hit.at.segment, hit.at.offset), "flipped {at}");
            }
            other => panic!("flipped {at}: {other:?}"),
        }
        assert_eq!(fs::read(&copy).unwrap(), damaged, "a refused journal must stay as it is");
    }
}

#[test]
fn fault_s12_zeros_behind_the_last_record_are_cut() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, _) = open(dir.path());
    ledger.admit(record(1)).unwrap().settle().unwrap();
    drop(ledger);
    let file = only_segment(dir.path());
    let mut bytes = fs::read(&file).unwrap();
    bytes.extend([0; 5000]);
    fs::write(&file, bytes).unwrap();
    let (ledger, recovery) = open(dir.path());
    assert_eq!((recovery.records, recovery.truncated_bytes), (2, 5000));
    drop(ledger);
    sound(dir.path(), Extent::Whole);
}

/// Several segments of two or three records each.
fn segmented(dir: &Path) -> Vec<(u64, u64)> {
    let (ledger, _) = Ledger::open(Options { segment_bytes: 1200, ..options(dir) }).unwrap();
    for n in 0..8 {
        ledger.admit(record(n)).unwrap().settle().unwrap();
    }
    drop(ledger);
    let segments = crate::medium::list_segments(dir).unwrap();
    assert!(segments.len() > 3);
    segments
}

#[test]
fn fault_s13_only_the_last_segment_may_have_a_torn_end() {
    let dir = tempfile::tempdir().unwrap();
    let (number, len) = segmented(dir.path())[1];
    let file = crate::medium::segment_path(dir.path(), number);
    let bytes = fs::read(&file).unwrap();
    fs::write(&file, &bytes[..usize::try_from(len).unwrap() - 1]).unwrap();
    let refused = Ledger::open(options(dir.path()));
    assert!(matches!(refused, Err(JournalError::Corrupt { segment, .. }) if segment == number));
}

#[test]
fn fault_s13_a_missing_segment_stops_the_start() {
    for content in [None, Some(b"")] {
        let dir = tempfile::tempdir().unwrap();
        let segments = segmented(dir.path());
        let file = crate::medium::segment_path(dir.path(), segments[1].0);
        match content {
            None => fs::remove_file(file).unwrap(),
            Some(bytes) => fs::write(file, bytes).unwrap(),
        }
        let refused = Ledger::open(options(dir.path()));
        assert!(
            matches!(refused, Err(JournalError::Corrupt { segment, offset: 0 }) if segment == segments[2].0)
        );
    }
}

#[test]
fn an_empty_segment_of_a_failed_rotation_is_left_out() {
    let dir = tempfile::tempdir().unwrap();
    let segments = segmented(dir.path());
    // The number was free when the rotation failed; the old segment took that record after all.
    let stray = crate::medium::segment_path(dir.path(), segments[3].0 + 1);
    fs::write(&stray, b"").unwrap();
    let (ledger, recovery) = open(dir.path());
    assert_eq!((recovery.records, recovery.truncated_bytes), (16, 0));
    assert!(!stray.exists());
    drop(ledger);
    sound(dir.path(), Extent::Whole);
}

#[test]
fn numbers_of_an_emptied_journal_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let later = u64::try_from(now().0).unwrap() + 5;
    fs::write(crate::medium::segment_path(dir.path(), later), b"").unwrap();
    let (ledger, _) = open(dir.path());
    ledger.refuse(&refusal(1)).unwrap();
    drop(ledger);
    assert_eq!(sound(dir.path(), Extent::Whole)[0].seq, later);
}

#[test]
fn fault_s13_a_record_that_was_taken_out_stops_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let entries = written(dir.path());
    let file = only_segment(dir.path());
    let mut bytes = fs::read(&file).unwrap();
    let offset = |n: usize| usize::try_from(entries[n].at.offset).unwrap();
    bytes.drain(offset(1)..offset(2));
    fs::write(&file, bytes).unwrap();
    let refused = Ledger::open(options(dir.path()));
    assert!(matches!(refused, Err(JournalError::Corrupt { offset, .. }) if offset == entries[1].at.offset));
}
