//! Tests of the whole journal: what a caller sees, and what a fault leaves behind.

mod attempts;
mod books;
mod crash;
mod damage;
mod faults;
mod folding;
mod reading;
mod recovery;

use std::path::Path;

use types::request::{Outcome, RequestRecord};
use types::{ApiKeyId, ProviderId, RequestId, Timestamp, UserId};

use crate::invariant::{self, Entry, Extent};
use crate::record::blank;
use crate::{Ledger, Options, Recovery, interrupted};

fn now() -> Timestamp {
    Timestamp(1_700_000_000_000)
}

fn id(n: u64) -> RequestId {
    format!("00000000-0000-7000-8000-{n:012x}").parse().unwrap()
}

/// A request that was answered.
fn record(n: u64) -> RequestRecord {
    RequestRecord {
        user_id: Some(UserId(1)),
        key_id: Some(ApiKeyId(2)),
        provider_id: Some(ProviderId(3)),
        model: Some("claude-sonnet".to_owned()),
        outcome: Outcome::Ok,
        status_code: 200,
        input_tokens: n,
        output_tokens: 2 * n,
        first_byte_ms: Some(40),
        duration_ms: 400,
        ..blank(id(n), now())
    }
}

/// A request that Tollgate refused.
fn refusal(n: u64) -> RequestRecord {
    RequestRecord {
        outcome: Outcome::Refused,
        status_code: 403,
        error_code: Some("model_not_allowed".to_owned()),
        ..blank(id(n), now())
    }
}

fn options(dir: &Path) -> Options {
    Options { dir: dir.to_owned(), strict: false, segment_bytes: 64 << 20, now }
}

fn open(dir: &Path) -> (Ledger, Recovery) {
    Ledger::open(options(dir)).unwrap()
}

/// Ends what a start found open, as its owner does, and returns the records.
fn conclude(ledger: &Ledger, recovery: &Recovery) -> Vec<RequestRecord> {
    let records: Vec<_> = recovery.open.iter().cloned().map(interrupted).collect();
    ledger.conclude(&records).unwrap();
    records
}

/// Entries of a journal at rest, after checking that everything holds.
fn sound(dir: &Path, extent: Extent) -> Vec<Entry> {
    let entries = invariant::entries(dir).unwrap();
    assert_eq!(invariant::check(&entries, extent), []);
    entries
}

/// The only segment's file.
fn only_segment(dir: &Path) -> std::path::PathBuf {
    let segments = crate::medium::list_segments(dir).unwrap();
    assert_eq!(segments.len(), 1);
    crate::medium::segment_path(dir, segments[0].0)
}
