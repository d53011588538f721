//! Ended requests, folded into what the database takes in one transaction.
//!
//! Pure functions over records; where the records come from is `reader`'s business.

use std::collections::BTreeMap;

use types::request::{Outcome, RequestRecord};
use types::usage::{UsageTotals, latency_bin};
use types::{ApiKeyId, ProviderId, Timestamp, UserId};

/// A place between two records of the journal. The default is its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Number of the segment, which is the sequence number of its first record.
    pub segment: u64,
    /// Bytes from the start of the segment.
    pub offset: u64,
}

/// What to add to the sums of one hour, user, key, provider and model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageDelta {
    /// Start of the UTC hour in which the requests arrived.
    pub bucket: Timestamp,
    /// Who asked; `None` if unknown.
    pub user_id: Option<UserId>,
    /// With which key; `None` if unknown.
    pub key_id: Option<ApiKeyId>,
    /// Who answered or was tried last; `None` if nobody.
    pub provider_id: Option<ProviderId>,
    /// The model asked for; empty if unknown.
    pub model: String,
    /// The sums.
    pub totals: UsageTotals,
}

/// What to add to one bin of the latency histogram of one hour and provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LatencyDelta {
    /// Start of the UTC hour in which the requests arrived.
    pub bucket: Timestamp,
    /// Who answered; `None` if nobody.
    pub provider_id: Option<ProviderId>,
    /// 0 to 15, see [`latency_bin`].
    pub bin: usize,
    /// How many requests.
    pub count: u64,
}

/// A stretch of the journal, folded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The requests that ended, in the order in which they did.
    pub rows: Vec<RequestRecord>,
    /// The sums over `rows`, ordered by their key, each key once.
    pub usage: Vec<UsageDelta>,
    /// The latencies of `rows`, likewise.
    pub latency: Vec<LatencyDelta>,
    /// Where the next batch begins.
    pub end: Position,
}

impl Batch {
    /// Folds rows that end at `end`.
    pub fn new(rows: Vec<RequestRecord>, end: Position) -> Self {
        let (usage, latency) = fold(&rows);
        Self { rows, usage, latency, end }
    }
}

/// Sums over rows by hour, user, key, provider and model, and the latency histogram by hour and provider.
///
/// The order of the rows does not matter, and the sums of two lists add up to the sums of both together.
/// Whoever finds some rows of a batch already stored folds only the others.
pub fn fold<'a>(rows: impl IntoIterator<Item = &'a RequestRecord>) -> (Vec<UsageDelta>, Vec<LatencyDelta>) {
    let mut usage: BTreeMap<_, UsageTotals> = BTreeMap::new();
    let mut latency: BTreeMap<_, u64> = BTreeMap::new();
    for row in rows {
        let bucket = row.created_at.hour_start();
        let model = row.model.as_deref().unwrap_or_default();
        add(
            usage.entry((bucket, row.user_id, row.key_id, row.provider_id, model)).or_default(),
            &totals(row),
        );
        if let Some(ms) = latency_ms(row) {
            let count = latency.entry((bucket, row.provider_id, latency_bin(ms))).or_default();
            *count = count.saturating_add(1);
        }
    }
    let usage = usage.into_iter().map(|((bucket, user_id, key_id, provider_id, model), totals)| UsageDelta {
        bucket,
        user_id,
        key_id,
        provider_id,
        model: model.to_owned(),
        totals,
    });
    let latency = latency.into_iter().map(|((bucket, provider_id, bin), count)| LatencyDelta {
        bucket,
        provider_id,
        bin,
        count,
    });
    (usage.collect(), latency.collect())
}

/// What one row adds to the sums.
pub fn totals(row: &RequestRecord) -> UsageTotals {
    UsageTotals {
        requests: 1,
        errors: u64::from(row.is_error()),
        refused: u64::from(row.outcome == Outcome::Refused),
        input_tokens: row.input_tokens,
        output_tokens: row.output_tokens,
        cache_read_tokens: row.cache_read_tokens,
        cache_write_tokens: row.cache_write_tokens,
    }
}

/// Adds `more` to `sum`; stops at the end of the range instead of wrapping.
pub fn add(sum: &mut UsageTotals, more: &UsageTotals) {
    let UsageTotals {
        requests,
        errors,
        refused,
        input_tokens,
        output_tokens,
        cache_read_tokens,
        cache_write_tokens,
    } = sum;
    for (sum, more) in [
        (requests, more.requests),
        (errors, more.errors),
        (refused, more.refused),
        (input_tokens, more.input_tokens),
        (output_tokens, more.output_tokens),
        (cache_read_tokens, more.cache_read_tokens),
        (cache_write_tokens, more.cache_write_tokens),
    ] {
        *sum = sum.saturating_add(more);
    }
}

// A refusal takes no time and a broken request tells nothing about speed unless it began to answer: counting
// them would make a gateway that refuses a lot look fast.
fn latency_ms(row: &RequestRecord) -> Option<u64> {
    match row.outcome {
        Outcome::Refused => None,
        Outcome::Ok => Some(row.first_byte_ms.unwrap_or(row.duration_ms)),
        _ => row.first_byte_ms,
    }
}
