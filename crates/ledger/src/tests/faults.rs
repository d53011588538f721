//! A disk that fails at the k-th operation.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use types::request::Outcome;

use super::{conclude, options, record, refusal, sound};
use crate::invariant::{Extent, Kind};
use crate::medium::{Disk, Medium, Storage};
use crate::{JournalError, Ledger, Options, Position};

/// What the disk does at its next operations.
#[derive(Debug, Default)]
struct Script {
    appends: AtomicU64,
    /// Appends from this one on find the disk full after half of their bytes; 0 is never.
    full_from: AtomicU64,
    /// Cutting off fails too.
    stuck: AtomicBool,
    sync_fails: AtomicBool,
    syncs: AtomicU64,
    /// Held by the test while a sync is to hang.
    gate: Mutex<()>,
}

#[derive(Clone, Debug, Default)]
struct Faulty(Arc<Script>);

#[derive(Debug)]
struct FaultyFile(Arc<dyn Medium>, Arc<Script>);

impl Storage for Faulty {
    fn open(&self, path: &Path) -> io::Result<Arc<dyn Medium>> {
        Ok(Arc::new(FaultyFile(Disk.open(path)?, Arc::clone(&self.0))))
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        Disk.sync_dir(dir)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        Disk.remove(path)
    }
}

impl Medium for FaultyFile {
    fn append(&self, bytes: &[u8]) -> io::Result<()> {
        let number = self.1.appends.fetch_add(1, Ordering::SeqCst) + 1;
        let full_from = self.1.full_from.load(Ordering::SeqCst);
        if full_from > 0 && number >= full_from {
            self.0.append(&bytes[..bytes.len() / 2])?;
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.0.append(bytes)
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        if self.1.stuck.load(Ordering::SeqCst) {
            return Err(io::Error::other("stuck"));
        }
        self.0.truncate(len)
    }

    fn sync(&self) -> io::Result<()> {
        self.1.syncs.fetch_add(1, Ordering::SeqCst);
        drop(self.1.gate.lock().unwrap());
        if self.1.sync_fails.load(Ordering::SeqCst) {
            return Err(io::Error::other("input/output error"));
        }
        self.0.sync()
    }
}

impl Faulty {
    fn open(&self, options: Options) -> Ledger {
        Ledger::open_on(options, Arc::new(self.clone())).unwrap().0
    }

    fn full_after(&self, appends: u64) {
        let from = self.0.appends.load(Ordering::SeqCst) + appends + 1;
        self.0.full_from.store(from, Ordering::SeqCst);
    }

    fn heal(&self) {
        self.0.full_from.store(0, Ordering::SeqCst);
        self.0.stuck.store(false, Ordering::SeqCst);
    }
}

/// Records on the disk after so many appends of [`traffic`]: the ADMITs go out with the refusal.
const RECORDS: [usize; 5] = [0, 3, 4, 5, 6];

/// Two requests and a refusal: seven records. Returns how many calls the full disk refused.
fn traffic(ledger: &Ledger, base: u64) -> u64 {
    let mut refused = 0;
    let mut note = |result: Result<(), JournalError>| match result {
        Ok(()) => {}
        Err(JournalError::Full | JournalError::Io(_)) => refused += 1,
        Err(other) => panic!("{other}"),
    };
    let first = ledger.admit(record(base)).map_err(|error| note(Err(error))).ok();
    let second = ledger.admit(record(base + 1)).map_err(|error| note(Err(error))).ok();
    note(ledger.refuse(&refusal(base + 2)));
    if let Some(mut first) = first {
        note(first.mark_sent());
        note(first.settle().map(drop));
    }
    if let Some(mut second) = second {
        note(second.mark_sent());
        drop(second);
    }
    refused
}

#[test]
fn fault_s03_a_full_disk_leaves_no_torn_record_and_owes_no_end() {
    for stuck in [false, true] {
        for (healthy, records) in (0..).zip(RECORDS) {
            let dir = tempfile::tempdir().unwrap();
            let disk = Faulty::default();
            let ledger = disk.open(options(dir.path()));
            disk.full_after(healthy);
            disk.0.stuck.store(stuck, Ordering::SeqCst);
            let refused = traffic(&ledger, 1);
            assert!(refused > 0 || ledger.lost() > 0, "after {healthy}");
            assert_eq!(ledger.open_count(), 0);
            if !stuck {
                let whole = crate::invariant::entries(dir.path()).unwrap();
                assert_eq!(whole.len(), records, "a torn record is left");
            }
            // What is on the disk can still be read and applied: that is what makes space.
            let _ = ledger.read_batch(Position::default(), 100).unwrap();
            disk.heal();
            ledger.sync().unwrap();
            assert_eq!(traffic(&ledger, 10), 0);
            drop(ledger);
            let entries = sound(dir.path(), Extent::Whole);
            assert_eq!(entries.iter().filter(|e| e.request_id == super::id(10)).count(), 3);
        }
    }
}

#[test]
fn fault_s03_the_error_says_full() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Faulty::default();
    let ledger = disk.open(options(dir.path()));
    disk.full_after(1);
    let mut reservation = ledger.admit(record(1)).unwrap();
    reservation.mark_sent().unwrap();
    // Nothing was refused so far, so this one is taken, but it cannot be sent.
    let mut second = ledger.admit(record(2)).unwrap();
    assert!(matches!(second.mark_sent(), Err(JournalError::Full)));
    // Now the trouble is known.
    assert!(matches!(ledger.admit(record(3)), Err(JournalError::Full)));
    drop(second);
    assert!(matches!(reservation.settle(), Err(JournalError::Full)));
    assert_eq!(ledger.lost(), 2);
    assert_eq!(ledger.sync().unwrap_err().kind(), io::ErrorKind::StorageFull);
}

#[test]
fn fault_s03_owed_ends_are_written_first_and_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Faulty::default();
    let ledger = disk.open(options(dir.path()));
    let [first, second, third] = [1, 2, 3].map(|n| ledger.admit(record(n)).unwrap());
    disk.full_after(0);
    assert!(first.settle().is_err());
    assert!(second.settle().is_err());
    disk.heal();
    third.settle().unwrap();
    drop(ledger);
    let entries = sound(dir.path(), Extent::Whole);
    let ends: Vec<_> = entries.iter().skip(3).map(|entry| entry.request_id).collect();
    assert_eq!(ends, [super::id(1), super::id(2), super::id(3)]);
}

#[test]
fn fault_s03_a_crash_on_a_full_disk_is_repaired_at_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Faulty::default();
    let ledger = disk.open(options(dir.path()));
    disk.full_after(1);
    disk.0.stuck.store(true, Ordering::SeqCst);
    let mut reservation = ledger.admit(record(1)).unwrap();
    reservation.mark_sent().unwrap();
    assert!(reservation.settle().is_err());
    drop(ledger);
    let (ledger, recovery) = super::open(dir.path());
    assert!(recovery.truncated_bytes > 0);
    assert_eq!(conclude(&ledger, &recovery).len(), 1);
    drop(ledger);
    sound(dir.path(), Extent::Whole);
}

#[test]
fn fault_s04_a_failed_sync_is_never_tried_again() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Faulty::default();
    let ledger = disk.open(Options { strict: true, ..options(dir.path()) });
    let running = ledger.admit(record(1)).unwrap();
    disk.0.sync_fails.store(true, Ordering::SeqCst);
    assert!(ledger.admit(record(2)).is_err());
    let syncs = disk.0.syncs.load(Ordering::SeqCst);
    disk.0.sync_fails.store(false, Ordering::SeqCst);
    assert!(matches!(ledger.admit(record(3)), Err(JournalError::Stopped)));
    assert!(matches!(ledger.refuse(&refusal(4)), Err(JournalError::Stopped)));
    assert!(matches!(ledger.read_batch(Position::default(), 10), Err(JournalError::Stopped)));
    assert!(ledger.sync().is_err());
    assert!(matches!(running.settle(), Err(JournalError::Stopped)));
    assert_eq!(disk.0.syncs.load(Ordering::SeqCst), syncs);
    drop(ledger);
    // The next start reads back what is really there.
    let (ledger, recovery) = super::open(dir.path());
    assert_eq!(recovery.open.len(), 0);
    drop(ledger);
    let entries = sound(dir.path(), Extent::Whole);
    let ends: Vec<_> = entries.iter().filter(|entry| entry.kind == Kind::Terminal).collect();
    assert_eq!(ends.len(), 2);
    assert_eq!(ends[0].record.as_ref().unwrap().outcome, Outcome::Interrupted);
}

#[test]
fn fault_s04_a_segment_that_cannot_be_synced_has_no_successor() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Faulty::default();
    let ledger = disk.open(Options { segment_bytes: 300, ..options(dir.path()) });
    ledger.refuse(&refusal(1)).unwrap();
    disk.0.sync_fails.store(true, Ordering::SeqCst);
    assert!(matches!(ledger.refuse(&refusal(2)), Err(JournalError::Stopped)));
    assert!(matches!(ledger.admit(record(3)), Err(JournalError::Stopped)));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
}

#[test]
fn appends_do_not_wait_for_a_sync_and_strict_ones_do() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Faulty::default();
    let ledger = disk.open(options(dir.path()));
    ledger.refuse(&refusal(1)).unwrap();
    let before = disk.0.syncs.load(Ordering::SeqCst);
    std::thread::scope(|scope| {
        let hung = disk.0.gate.lock().unwrap();
        let syncing = scope.spawn(|| ledger.sync());
        while disk.0.syncs.load(Ordering::SeqCst) == before {
            std::thread::yield_now();
        }
        // The sync hangs inside the disk; this would deadlock if appends waited for it.
        ledger.admit(record(2)).unwrap().settle().unwrap();
        ledger.set_strict(true);
        let waiting = scope.spawn(|| ledger.admit(record(3)).map(drop));
        while ledger.open_count() == 0 {
            std::thread::yield_now();
        }
        assert!(!waiting.is_finished());
        drop(hung);
        syncing.join().unwrap().unwrap();
        waiting.join().unwrap().unwrap();
    });
    // The hanging sync began before the strict admission, so it must not count for it.
    assert_eq!(disk.0.syncs.load(Ordering::SeqCst), before + 2);
    ledger.sync().unwrap();
    let settled = disk.0.syncs.load(Ordering::SeqCst);
    ledger.sync().unwrap();
    assert_eq!(disk.0.syncs.load(Ordering::SeqCst), settled, "nothing was written, nothing to sync");
}
