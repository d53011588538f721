//! What must always hold of the books, as functions over the journal's contents and over batches.
//!
//! For tests and for self-checks: they find violations and repair nothing.

mod money;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use types::limits::LimitName;
use types::price::PriceState;
use types::request::RequestRecord;
use types::usage::UsageTotals;
use types::{Money, RequestId};

use crate::batch::{UsageKey, add, fold, totals};
use crate::budget::{Amounts, Scope};
use crate::medium::list_segments;
use crate::reader::{Reader, corrupt};
pub use crate::record::Kind;
use crate::{JournalError, Position, UsageDelta};
pub use money::{check_counter, check_covered, check_figures, check_limit, check_row};

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
    /// Whether a [`Kind::Sent`] names its attempt; version 0.1.0 did not.
    pub names_attempt: bool,
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
    /// INV-19.
    #[error("request {id} was sent {sent} times and names {booked} attempts")]
    AttemptsMissing {
        /// The request.
        id: RequestId,
        /// SENT records.
        sent: usize,
        /// Attempts of its terminal record.
        booked: usize,
    },
    /// INV-3.
    #[error("request {id} cost {booked} USD by the books and {invoiced} USD by the invoice")]
    NotCovered {
        /// The request.
        id: RequestId,
        /// What the books say that providers charge for it.
        booked: Money,
        /// What the provider says.
        invoiced: Money,
    },
    /// INV-4.
    #[error("{scope:?} holds {held:?}, but open requests hold {open:?}")]
    HeldDiffers {
        /// Where.
        scope: Scope,
        /// The sums that are kept.
        held: Amounts,
        /// The same from the requests.
        open: Amounts,
    },
    /// INV-5.
    #[error("{scope:?} has used {used} USD and holds {reserved} USD of {limit} USD ({name})")]
    OverLimit {
        /// Where.
        scope: Scope,
        /// Which limit.
        name: LimitName,
        /// Settled in its window.
        used: Money,
        /// Held in it.
        reserved: Money,
        /// Its amount.
        limit: Money,
    },
    /// INV-6.
    #[error(
        "the bill of request {id} comes to {billed:?}, the record says {booked:?} (charged, base, provider)"
    )]
    BillDiffers {
        /// The request.
        id: RequestId,
        /// Charged, base and provider's cost by the bill.
        billed: [Money; 3],
        /// The same by the record.
        booked: [Money; 3],
    },
    /// INV-11.
    #[error("request {id} is {state} and costs {cost} USD")]
    CostWithoutPrice {
        /// The request.
        id: RequestId,
        /// How sure its price is.
        state: PriceState,
        /// What it costs all the same.
        cost: Money,
    },
    /// INV-11.
    #[error("request {0} used tokens and was never priced")]
    NotPriced(RequestId),
    /// INV-16.
    #[error("{scope:?} has spent {kept} USD by its counter and {rows} USD by its requests")]
    CounterDiffers {
        /// Where.
        scope: Scope,
        /// The counter.
        kept: Money,
        /// The sum over requests.
        rows: Money,
    },
}

impl Violation {
    /// The invariant that does not hold, `INV-1` to `INV-20`.
    pub fn invariant(&self) -> &'static str {
        match self {
            Self::NotEnded(_) | Self::EndedTwice(_) | Self::AdmittedTwice(_) => "INV-1",
            Self::NotAdmitted(_) | Self::SentAfterEnd(_) => "INV-2",
            Self::NotCovered { .. } => "INV-3",
            Self::HeldDiffers { .. } => "INV-4",
            Self::OverLimit { .. } => "INV-5",
            Self::BillDiffers { .. } => "INV-6",
            Self::CostWithoutPrice { .. } | Self::NotPriced(_) => "INV-11",
            Self::Gap { .. } | Self::NotAdditive { .. } => "INV-15",
            Self::TotalsDiffer { .. } | Self::CounterDiffers { .. } => "INV-16",
            Self::AttemptsMissing { .. } => "INV-19",
        }
    }

    /// What it is about: a request id, a scope, or the journal.
    pub fn subject(&self) -> String {
        match self {
            Self::NotEnded(id)
            | Self::EndedTwice(id)
            | Self::AdmittedTwice(id)
            | Self::NotAdmitted(id)
            | Self::SentAfterEnd(id)
            | Self::NotPriced(id)
            | Self::NotCovered { id, .. }
            | Self::BillDiffers { id, .. }
            | Self::CostWithoutPrice { id, .. }
            | Self::AttemptsMissing { id, .. } => id.to_string(),
            Self::HeldDiffers { scope, .. }
            | Self::OverLimit { scope, .. }
            | Self::CounterDiffers { scope, .. } => format!("{} {}", scope.kind, scope.id),
            Self::Gap { found, .. } => format!("record {found}"),
            Self::NotAdditive { .. } | Self::TotalsDiffer { .. } => "sums".to_owned(),
        }
    }
}

impl From<Violation> for types::books::Violation {
    fn from(violation: Violation) -> Self {
        Self {
            invariant: violation.invariant().to_owned(),
            subject: violation.subject(),
            message: violation.to_string(),
        }
    }
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
            let names_attempt = raw.kind == Kind::Sent && raw.sent().attempt.is_some();
            entries.push(Entry { at, seq: raw.seq, kind: raw.kind, request_id, record, names_attempt });
        }
    }
    Ok(entries)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Life {
    Open,
    Ended,
}

/// INV-1, the journal's side of INV-2, the numbering of INV-15 and the attempts of INV-19, over a journal at rest
/// (nothing open).
pub fn check(entries: &[Entry], extent: Extent) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut lives: HashMap<RequestId, Life> = HashMap::new();
    let mut sent: HashMap<RequestId, usize> = HashMap::new();
    let mut expected = entries.first().map_or(0, |entry| entry.seq);
    for entry in entries {
        if entry.seq != expected {
            violations.push(Violation::Gap { expected, found: entry.seq });
        }
        expected = entry.seq.saturating_add(1);
        let id = entry.request_id;
        if entry.names_attempt {
            let count = sent.entry(id).or_default();
            *count = count.saturating_add(1);
        }
        if let (Kind::Terminal, Some(record)) = (entry.kind, &entry.record) {
            let sent = sent.remove(&id).unwrap_or_default();
            let booked = record.attempts.len();
            if booked < sent {
                violations.push(Violation::AttemptsMissing { id, sent, booked });
            }
        }
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
