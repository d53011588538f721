//! Which rollup a question is answered from. Whole days of everything, or of one thing, come from the sums by day,
//! of which there are few; the rest of a span, and questions about two things at once, from the sums by hour.

use std::collections::BTreeMap;
use std::fmt;

use types::Timestamp;
use types::usage::{UsageBy, UsageFilter, UsageTotals};

use super::{sums, totals};
use crate::StoreError;
use crate::pool::Txn;
use crate::sql::{Conditions, Row};

/// What a sum is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Line {
    At(Timestamp),
    Id(i64),
    Name(String),
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(at) => at.fmt(f),
            Self::Id(id) => id.fmt(f),
            Self::Name(name) => name.fmt(f),
        }
    }
}

type Lines = BTreeMap<Line, UsageTotals>;

/// What the sums by day are asked for.
struct Days {
    head: &'static str,
    kind: &'static str,
    id: Option<i64>,
    name: Option<String>,
}

/// Sums by line. At most `limit` hours, the latest ones; all lines of everything else.
pub(super) async fn lines(
    txn: &mut Txn,
    by: UsageBy,
    filter: &UsageFilter,
    limit: u32,
) -> Result<Lines, StoreError> {
    let since = filter.since.unwrap_or_default().hour_start();
    let until = filter.until.unwrap_or(Timestamp(i64::MAX));
    let mut lines = Lines::new();
    // The whole days within the span.
    let first = next_day(since);
    let last = until.day_start();
    match days(by, filter) {
        Some(days) if first < last => {
            hours(txn, &mut lines, by, filter, (since, first), limit).await?;
            let Days { head, kind, id, name } = days;
            let mut conditions = Conditions::default();
            conditions.and_value("h.kind = ?", kind);
            conditions.and_some("h.id = ?", id);
            conditions.and_some("h.name = ?", name);
            conditions.and_value("h.day >= ?", first);
            conditions.and_value("h.day < ?", last);
            read(txn, &mut lines, by, conditions, head, i64::MAX).await?;
            hours(txn, &mut lines, by, filter, (last, until), limit).await?;
        }
        _ => hours(txn, &mut lines, by, filter, (since, until), limit).await?,
    }
    Ok(lines)
}

/// The first whole UTC day at or after an instant.
pub(crate) fn next_day(at: Timestamp) -> Timestamp {
    Timestamp(at.0.saturating_add(Timestamp::DAY_MS - 1)).day_start()
}

fn days(by: UsageBy, filter: &UsageFilter) -> Option<Days> {
    const AT: &str = sums!("SELECT h.day AS line,", "FROM usage_day h");
    const ID: &str = sums!("SELECT h.id AS line,", "FROM usage_day h");
    const NAME: &str = sums!("SELECT h.name AS line,", "FROM usage_day h");
    let UsageFilter { user_id, key_id, provider_id, model, .. } = filter;
    let of = |head, kind| Some(Days { head, kind, id: None, name: None });
    let one = |kind, id: i64| Some(Days { head: AT, kind, id: Some(id), name: None });
    match (by, user_id, key_id, provider_id, model) {
        (UsageBy::Day, None, None, None, None) => of(AT, "all"),
        (UsageBy::Day, Some(user), None, None, None) => one("user", user.0),
        (UsageBy::Day, None, Some(key), None, None) => one("key", key.0),
        (UsageBy::Day, None, None, Some(provider), None) => one("provider", provider.0),
        (UsageBy::Day, None, None, None, Some(model)) => {
            Some(Days { head: AT, kind: "model", id: None, name: Some(model.clone()) })
        }
        (UsageBy::User, None, None, None, None) => of(ID, "user"),
        (UsageBy::Key, None, None, None, None) => of(ID, "key"),
        (UsageBy::Provider, None, None, None, None) => of(ID, "provider"),
        (UsageBy::Credential, None, None, None, None) => of(ID, "credential"),
        (UsageBy::Package, None, None, None, None) => of(ID, "package"),
        (UsageBy::Model, None, None, None, None) => of(NAME, "model"),
        (UsageBy::Group, None, None, None, None) => of(NAME, "group"),
        // Hours, and two things at once.
        _ => None,
    }
}

async fn hours(
    txn: &mut Txn,
    lines: &mut Lines,
    by: UsageBy,
    filter: &UsageFilter,
    (since, until): (Timestamp, Timestamp),
    limit: u32,
) -> Result<(), StoreError> {
    if since >= until {
        return Ok(());
    }
    let head = match by {
        UsageBy::Day => sums!("SELECT h.bucket - h.bucket % 86400000 AS line,", "FROM usage_hour h"),
        UsageBy::Hour => sums!("SELECT h.bucket AS line,", "FROM usage_hour h"),
        UsageBy::Model => sums!("SELECT h.model AS line,", "FROM usage_hour h"),
        UsageBy::Group => sums!("SELECT h.group_name AS line,", "FROM usage_hour h"),
        UsageBy::User => sums!("SELECT h.user_id AS line,", "FROM usage_hour h"),
        UsageBy::Key => sums!("SELECT h.key_id AS line,", "FROM usage_hour h"),
        UsageBy::Provider => sums!("SELECT h.provider_id AS line,", "FROM usage_hour h"),
        UsageBy::Credential => sums!("SELECT h.credential_id AS line,", "FROM usage_hour h"),
        UsageBy::Package => sums!("SELECT h.grant_id AS line,", "FROM usage_hour h"),
    };
    let mut conditions = Conditions::default();
    conditions.and_value("h.bucket >= ?", since);
    conditions.and_value("h.bucket < ?", until);
    conditions.and_some("h.user_id = ?", filter.user_id);
    conditions.and_some("h.key_id = ?", filter.key_id);
    conditions.and_some("h.provider_id = ?", filter.provider_id);
    conditions.and_some("h.model = ?", filter.model.clone());
    let limit = if by == UsageBy::Hour { i64::from(limit) } else { i64::MAX };
    read(txn, lines, by, conditions, head, limit).await
}

async fn read(
    txn: &mut Txn,
    lines: &mut Lines,
    by: UsageBy,
    conditions: Conditions,
    head: &'static str,
    limit: i64,
) -> Result<(), StoreError> {
    let tail =
        if by == UsageBy::Hour { " GROUP BY 1 ORDER BY 1 DESC LIMIT ?" } else { " GROUP BY 1 LIMIT ?" };
    let (sql, args) = conditions.build(head, tail, limit);
    for row in txn.rows(sql, args).await? {
        let sum = lines.entry(line(by, &row)?).or_default();
        ledger::batch::add(sum, &totals(&row)?);
    }
    Ok(())
}

fn line(by: UsageBy, row: &Row) -> Result<Line, StoreError> {
    match by {
        UsageBy::Day | UsageBy::Hour => row.time("line").map(Line::At),
        UsageBy::Model | UsageBy::Group => row.text("line").map(Line::Name),
        UsageBy::User | UsageBy::Key | UsageBy::Provider | UsageBy::Credential | UsageBy::Package => {
            row.int("line").map(Line::Id)
        }
    }
}
