//! What must always hold of the books, as functions over the journal's contents and over batches.
//!
//! For tests and for self-checks: they find violations and repair nothing.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use types::RequestId;
use types::request::RequestRecord;
use types::usage::UsageTotals;

use crate::batch::{UsageKey, add, fold, totals};
use crate::medium::list_segments;
use crate::reader::{Reader, corrupt};
pub use crate::record::Kind;
use crate::{JournalError, Position, UsageDelta};

/// One record of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Where it begins.
    pub at: Position,
    /// Its number.
    pub seq: u64,
    /// What it says.
    pub kind: Kind,
    /// Of which request.
    pub request_id: RequestId,
    /// The request's record; `None` for [`Kind::Sent`] and [`Kind::Progress`].
    pub record: Option<RequestRecord>,
}

/// How much of the journal the entries are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// All that was ever written.
    Whole,
    /// Older segments were deleted, so that the ADMIT of some terminals is gone.
    Rest,
}

/// What does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// INV-1.
    #[error("request {0} was admitted and never ended")]
    NotEnded(RequestId),
    /// INV-1.
    #[error("request {0} ended more than once")]
    EndedTwice(RequestId),
    /// INV-1.
    #[error("request {0} was admitted more than once")]
    AdmittedTwice(RequestId),
    /// INV-1 and INV-2.
    #[error("request {0} was sent or ended without having been admitted")]
    NotAdmitted(RequestId),
    /// INV-2.
    #[error("request {0} was sent after it had ended")]
    SentAfterEnd(RequestId),
    /// INV-15.
    #[error("record {found} stands where {expected} should")]
    Gap {
        /// The number that was due.
        expected: u64,
        /// The number that is there.
        found: u64,
    },
    /// INV-15.
    #[error("two parts of the journal do not add up to the whole when cut at {cut}")]
    NotAdditive {
        /// Rows in the first part.
        cut: usize,
    },
    /// INV-16.
    #[error("the rows add up to {rows:?} but the deltas to {deltas:?}")]
    TotalsDiffer {
        /// Sum of the rows.
        rows: Box<UsageTotals>,
        /// Sum of the deltas.
        deltas: Box<UsageTotals>,
    },
}

/// Reads every record of the journal in a directory, without its lock: for a journal at rest.
pub fn entries(dir: &Path) -> Result<Vec<Entry>, JournalError> {
    let mut entries = Vec::new();
    for (segment, len) in list_segments(dir)? {
        let mut reader = Reader::open(dir, Position { segment, offset: 0 }, len)?;
        loop {
            let at = reader.at();
            let Some(raw) = reader.next()? else { break };
            let request_id = raw.request_id().ok_or_else(|| corrupt(at))?;
            let record = raw.record();
            entries.push(Entry { at, seq: raw.seq, kind: raw.kind, request_id, record });
        }
    }
    Ok(entries)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Life {
    Open,
    Ended,
}

/// INV-1, the journal's side of INV-2, and the numbering of INV-15, over a journal at rest (nothing open).
pub fn check(entries: &[Entry], extent: Extent) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut lives: HashMap<RequestId, Life> = HashMap::new();
    let mut expected = entries.first().map_or(0, |entry| entry.seq);
    for entry in entries {
        if entry.seq != expected {
            violations.push(Violation::Gap { expected, found: entry.seq });
        }
        expected = entry.seq.saturating_add(1);
        let id = entry.request_id;
        match (entry.kind, lives.get(&id).copied()) {
            (Kind::Admit, None) => {
                lives.insert(id, Life::Open);
            }
            (Kind::Admit, Some(_)) => violations.push(Violation::AdmittedTwice(id)),
            (Kind::Sent | Kind::Progress, Some(Life::Ended)) => violations.push(Violation::SentAfterEnd(id)),
            (Kind::Terminal | Kind::Refused, Some(Life::Ended)) => violations.push(Violation::EndedTwice(id)),
            (Kind::Terminal | Kind::Sent | Kind::Progress, None) if extent == Extent::Whole => {
                violations.push(Violation::NotAdmitted(id));
            }
            (Kind::Sent | Kind::Progress, _) => {}
            // A refusal of an open request is the first of its two ends; the second is found above.
            (Kind::Terminal | Kind::Refused, _) => {
                lives.insert(id, Life::Ended);
            }
        }
    }
    let open = lives.iter().filter(|(_, life)| **life == Life::Open);
    violations.extend(open.map(|(id, _)| Violation::NotEnded(*id)));
    violations
}

/// Usage deltas by their key, added up: what any number of batches come to in the database.
pub fn sum<'a>(deltas: impl IntoIterator<Item = &'a UsageDelta>) -> BTreeMap<UsageKey<'a>, UsageTotals> {
    let mut sums: BTreeMap<UsageKey<'a>, UsageTotals> = BTreeMap::new();
    for delta in deltas {
        add(sums.entry(delta.key()).or_default(), &delta.totals);
    }
    sums
}

/// INV-15: rows folded in two parts come to the same as folded at once.
pub fn check_additive(rows: &[RequestRecord], cut: usize) -> Option<Violation> {
    let (first, second) = rows.split_at_checked(cut)?;
    let (first, second, whole) = (fold(first), fold(second), fold(rows));
    let same_usage = sum(first.0.iter().chain(&second.0)) == sum(&whole.0);
    let mut latency = BTreeMap::new();
    for (delta, sign) in
        first.1.iter().chain(&second.1).map(|d| (d, 1)).chain(whole.1.iter().map(|d| (d, -1)))
    {
        let count = i128::from(delta.count) * sign;
        *latency.entry((delta.bucket, delta.provider_id, delta.bin)).or_insert(0_i128) += count;
    }
    let same_latency = latency.values().all(|count| *count == 0);
    (!same_usage || !same_latency).then_some(Violation::NotAdditive { cut })
}

/// INV-16: the sums of some deltas equal the sums of the rows that they stand for.
pub fn check_totals<'a>(
    rows: impl IntoIterator<Item = &'a RequestRecord>,
    deltas: impl IntoIterator<Item = &'a UsageDelta>,
) -> Option<Violation> {
    let mut of_rows = UsageTotals::default();
    rows.into_iter().for_each(|row| add(&mut of_rows, &totals(row)));
    let mut of_deltas = UsageTotals::default();
    deltas.into_iter().for_each(|delta| add(&mut of_deltas, &delta.totals));
    (of_rows != of_deltas)
        .then(|| Violation::TotalsDiffer { rows: Box::new(of_rows), deltas: Box::new(of_deltas) })
}
