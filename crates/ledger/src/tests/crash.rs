//! A process that is killed, and the one that finds what it left.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use types::request::Outcome;

use super::{conclude, id, open, options, record, sound};
use crate::invariant::{Extent, Kind};
use crate::{JournalError, Ledger, Position};

const DIR: &str = "LEDGER_TEST_CRASH_DIR";

/// Not a test of its own: the process that the tests below kill.
#[test]
fn victim() {
    let Some(dir) = std::env::var_os(DIR) else { return };
    let (ledger, _) = open(Path::new(&dir));
    let mut open_requests = Vec::new();
    for n in 0.. {
        let mut reservation = ledger.admit(record(n)).unwrap();
        match n % 4 {
            0 => open_requests.push(reservation),
            1 => {
                reservation.mark_sent().unwrap();
                open_requests.push(reservation);
            }
            _ => drop(reservation.settle().unwrap()),
        }
        // Bounds the memory of a victim that nobody kills.
        if open_requests.len() > 200 {
            open_requests.clear();
        }
        // The line start matters: the test harness prints on the same stream.
        println!("\nadmitted {n}");
        std::io::stdout().flush().unwrap();
    }
}

/// Runs the victim, kills it after so many admissions, and returns the last one that it told of.
fn kill_after(dir: &Path, admissions: u64, meanwhile: impl FnOnce(u32)) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "tests::crash::victim", "--nocapture"])
        .env(DIR, dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut told =
        lines.map_while(Result::ok).filter_map(|line| line.strip_prefix("admitted ")?.parse().ok());
    let last = told.find(|n: &u64| *n >= admissions).unwrap();
    meanwhile(child.id());
    child.kill().unwrap();
    child.wait().unwrap();
    last
}

#[test]
fn fault_s22_after_a_kill_every_request_has_one_end() {
    for admissions in [0, 1, 7, 60, 333] {
        let dir = tempfile::tempdir().unwrap();
        let last = kill_after(dir.path(), admissions, |_| {});
        let (ledger, recovery) = open(dir.path());
        let interrupted = conclude(&ledger, &recovery);
        assert!(admissions == 0 || !interrupted.is_empty());
        assert_eq!(ledger.open_count(), 0);
        for row in &interrupted {
            assert_eq!((row.outcome, row.status_code, row.estimated), (Outcome::Interrupted, 500, true));
            assert_eq!(row.error_code.as_deref(), Some("interrupted"));
            assert!(row.error_message.as_ref().unwrap().contains("process stopped"));
        }
        // The message tells apart what was sent and what was not.
        let message = |n| {
            let row = interrupted.iter().find(|row| row.request_id == id(n))?;
            row.error_message.clone()
        };
        assert!(message(0).is_none_or(|text| text.contains("before the request was sent")));
        assert!(message(1).is_none_or(|text| !text.contains("before") || last < 1));
        let batch = ledger.read_batch(Position::default(), usize::MAX).unwrap();
        drop(ledger);
        let entries = sound(dir.path(), Extent::Whole);
        let admitted = entries.iter().filter(|entry| entry.kind == Kind::Admit).count();
        assert_eq!(batch.map_or(0, |batch| batch.rows.len()), admitted);
        // Those of `n % 4 == 0` stay in memory until the next record: nothing was sent.
        let durable = if last % 4 == 0 { last } else { last + 1 };
        assert!(u64::try_from(admitted).unwrap() >= durable, "an admission that was sent is missing");
        // A second start finds nothing left to do.
        let (_, again) = open(dir.path());
        assert_eq!((again.open.len(), again.truncated_bytes), (0, 0));
        assert_eq!(again.records, u64::try_from(entries.len()).unwrap());
    }
}

#[test]
fn fault_s06_another_process_is_named_as_the_holder() {
    let dir = tempfile::tempdir().unwrap();
    kill_after(dir.path(), 0, |child| {
        let refused = Ledger::open(options(dir.path()));
        assert!(matches!(refused, Err(JournalError::Locked { pid }) if pid == child));
    });
    // The lock went with the process.
    open(dir.path());
}
