//! Ended requests, folded into what the database takes in one transaction.
//!
//! Pure functions over records; where the records come from is `reader`'s business.

use std::collections::BTreeMap;

use types::price::PriceState;
use types::request::{Outcome, RequestRecord};
use types::usage::{UsageTotals, latency_bin};
use types::{ApiKeyId, CredentialId, GrantId, Money, ProviderId, Timestamp, UserId};

/// A place between two records of the journal. The default is its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Number of the segment, which is the sequence number of its first record.
    pub segment: u64,
    /// Bytes from the start of the segment.
    pub offset: u64,
}

/// What to add to the sums of one hour and of everybody and everything that a request has to do with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageDelta {
    /// Start of the UTC hour in which the requests arrived.
    pub bucket: Timestamp,
    /// Who asked; `None` if unknown.
    pub user_id: Option<UserId>,
    /// With which key; `None` if unknown.
    pub key_id: Option<ApiKeyId>,
    /// Who answered or was tried last; `None` if nobody. Attempts before the last add their costs (and nothing
    /// else) to a delta of their own provider and credential.
    pub provider_id: Option<ProviderId>,
    /// With which credential; `None` if none.
    pub credential_id: Option<CredentialId>,
    /// The grant that paid; `None` if none did.
    pub grant_id: Option<GrantId>,
    /// The group of providers through which it went; empty if none.
    pub group: String,
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
    /// Their decisions, for each row that has none of its own, as the JSON that the journal holds: the database takes
    /// it as it is, and reading it only to write it again costs as much as all else that a row has. Shorter than `rows`
    /// where nothing more follows.
    pub decisions: Vec<Option<Box<str>>>,
    /// The sums over `rows`, ordered by their key, each key once.
    pub usage: Vec<UsageDelta>,
    /// The latencies of `rows`, likewise.
    pub latency: Vec<LatencyDelta>,
    /// Where the next batch begins.
    pub end: Position,
    /// It took as much as a batch may: there may be more.
    pub is_full: bool,
}

impl Batch {
    /// Folds rows that end at `end`.
    pub fn new(rows: Vec<RequestRecord>, end: Position) -> Self {
        let (usage, latency) = fold(&rows);
        Self { rows, decisions: Vec::new(), usage, latency, end, is_full: false }
    }

    /// The decision of the row at a place, if it is kept beside it.
    pub fn decision(&self, place: usize) -> Option<&str> {
        self.decisions.get(place).and_then(Option::as_deref)
    }
}

/// What keeps two sums apart. Borrowed, because most rows of a batch share few keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UsageKey<'a> {
    bucket: Timestamp,
    user_id: Option<UserId>,
    key_id: Option<ApiKeyId>,
    provider_id: Option<ProviderId>,
    credential_id: Option<CredentialId>,
    grant_id: Option<GrantId>,
    group: &'a str,
    model: &'a str,
}

impl UsageDelta {
    /// What it is kept under.
    pub fn key(&self) -> UsageKey<'_> {
        UsageKey {
            bucket: self.bucket,
            user_id: self.user_id,
            key_id: self.key_id,
            provider_id: self.provider_id,
            credential_id: self.credential_id,
            grant_id: self.grant_id,
            group: &self.group,
            model: &self.model,
        }
    }
}

/// Sums over rows by hour, user, key, provider, credential, grant, group and model, and the latency histogram by
/// hour and provider.
///
/// The order of the rows does not matter, and the sums of two lists add up to the sums of both together.
/// Whoever finds some rows of a batch already stored folds only the others.
pub fn fold<'a>(rows: impl IntoIterator<Item = &'a RequestRecord>) -> (Vec<UsageDelta>, Vec<LatencyDelta>) {
    let mut usage: BTreeMap<UsageKey<'_>, UsageTotals> = BTreeMap::new();
    let mut latency: BTreeMap<_, u64> = BTreeMap::new();
    for row in rows {
        let bucket = row.created_at.hour_start();
        let key = UsageKey {
            bucket,
            user_id: row.user_id,
            key_id: row.key_id,
            provider_id: row.provider_id,
            credential_id: row.credential_id,
            grant_id: row.grant_id,
            group: row.group.as_deref().unwrap_or_default(),
            model: row.model.as_deref().unwrap_or_default(),
        };
        add(usage.entry(key).or_default(), &own_totals(row));
        for (provider_id, credential_id, cost) in losses(row) {
            let key = UsageKey { provider_id: Some(provider_id), credential_id: Some(credential_id), ..key };
            let loss = UsageTotals { provider_cost_usd: cost, ..UsageTotals::default() };
            add(usage.entry(key).or_default(), &loss);
        }
        if let Some(ms) = latency_ms(row) {
            let count = latency.entry((bucket, row.provider_id, latency_bin(ms))).or_default();
            *count = count.saturating_add(1);
        }
    }
    let usage = usage.into_iter().map(|(key, totals)| UsageDelta {
        bucket: key.bucket,
        user_id: key.user_id,
        key_id: key.key_id,
        provider_id: key.provider_id,
        credential_id: key.credential_id,
        grant_id: key.grant_id,
        group: key.group.to_owned(),
        model: key.model.to_owned(),
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

/// What attempts before the last cost their providers: the gateway's loss. `provider_cost_usd` of the record itself
/// stands for the last attempt, so that nothing counts twice.
pub fn losses(row: &RequestRecord) -> impl Iterator<Item = (ProviderId, CredentialId, Money)> {
    let before_last = row.attempts.split_last().map_or(&[][..], |(_last, before)| before);
    before_last
        .iter()
        .filter(|attempt| !attempt.provider_cost_usd.is_zero())
        .map(|attempt| (attempt.provider_id, attempt.credential_id, attempt.provider_cost_usd))
}

/// What one row adds to the sums, over all its attempts.
pub fn totals(row: &RequestRecord) -> UsageTotals {
    let mut totals = own_totals(row);
    for (_, _, cost) in losses(row) {
        totals.provider_cost_usd = totals.provider_cost_usd.plus(cost);
    }
    totals
}

/// Without what attempts before the last cost.
fn own_totals(row: &RequestRecord) -> UsageTotals {
    UsageTotals {
        requests: 1,
        errors: u64::from(row.is_error()),
        refused: u64::from(row.outcome == Outcome::Refused),
        input_tokens: row.input_tokens,
        output_tokens: row.output_tokens,
        cache_read_tokens: row.cache_read_tokens,
        cache_write_tokens: row.cache_write_tokens,
        unpriced: u64::from(row.price_state == PriceState::Unpriced),
        cost_usd: row.cost_usd,
        base_cost_usd: row.base_cost_usd,
        provider_cost_usd: row.provider_cost_usd,
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
        unpriced,
        cost_usd,
        base_cost_usd,
        provider_cost_usd,
    } = sum;
    for (sum, more) in [
        (requests, more.requests),
        (errors, more.errors),
        (refused, more.refused),
        (input_tokens, more.input_tokens),
        (output_tokens, more.output_tokens),
        (cache_read_tokens, more.cache_read_tokens),
        (cache_write_tokens, more.cache_write_tokens),
        (unpriced, more.unpriced),
    ] {
        *sum = sum.saturating_add(more);
    }
    for (sum, more) in [
        (cost_usd, more.cost_usd),
        (base_cost_usd, more.base_cost_usd),
        (provider_cost_usd, more.provider_cost_usd),
    ] {
        *sum = sum.plus(more);
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
