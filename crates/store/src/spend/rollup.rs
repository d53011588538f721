//! What every budget was charged in each of the last minutes: kept beside the rows, in their transaction, so that a
//! start need not add up a day of requests.
//!
//! It is whole from an instant on that only goes forward, whatever clocks do; what is older is read from the
//! requests. It is pruned as books are written, and it takes no time from anybody but the rows themselves.

use std::collections::BTreeMap;

use types::books::Reconciliation;
use types::request::RequestRecord;
use types::usage::UsageTotals;
use types::{ApiKeyId, CredentialId, GrantId, Money, ProviderId, Timestamp, UserId};

use crate::StoreError;
use crate::ledger::sums::Thing;
use crate::pool::Txn;
use crate::reconcile::{Span, note};
use crate::sql::{Args, Row, args, insert_many, pieces};

const MINUTE_MS: i64 = 60_000;
/// Older minutes are dropped: the longest day has 25 hours, and what is dropped is dropped by whole hours.
const KEEP_MS: i64 = 26 * Timestamp::HOUR_MS;
/// Where `meta` keeps from when on the minutes are whole.
const SINCE: &str = "spend_minutes_since";

/// Amounts by minute and budget, ordered, because whoever locks rows in one order only cannot meet another half-way.
pub(crate) type Minutes<T> = BTreeMap<(Timestamp, Thing), T>;

/// Start of the minute that an instant is in.
pub(super) fn minute_start(at: Timestamp) -> Timestamp {
    Timestamp(at.0.saturating_sub(at.0.rem_euclid(MINUTE_MS)))
}

/// Those who are charged what a request's caller pays, and those who are charged what its last attempt cost.
fn payers(row: &RequestRecord) -> ([Option<Thing>; 5], [Option<Thing>; 2]) {
    let id = |kind, id: Option<i64>| id.map(|id| (kind, id, String::new()));
    (
        [
            Some(("all", 0, String::new())),
            id("user", row.user_id.map(|id| id.0)),
            id("key", row.key_id.map(|id| id.0)),
            id("package", row.grant_id.map(|id| id.0)),
            row.group.clone().map(|group| ("group", 0, group)),
        ],
        [id("provider", row.provider_id.map(|id| id.0)), id("credential", row.credential_id.map(|id| id.0))],
    )
}

/// What rows have in common that charge the same budgets in the same minute.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Alike<'a> {
    minute: Timestamp,
    user: Option<UserId>,
    key: Option<ApiKeyId>,
    grant: Option<GrantId>,
    group: Option<&'a str>,
    provider: Option<ProviderId>,
    credential: Option<CredentialId>,
}

/// Rows that are alike are added up before their budgets are looked at: most rows of a batch share a few.
fn fold(rows: &[&RequestRecord], since: Timestamp) -> Minutes<Money> {
    let mut sums: BTreeMap<Alike<'_>, (&RequestRecord, Money, Money)> = BTreeMap::new();
    let mut minutes: Minutes<Money> = BTreeMap::new();
    let mut add = |minute: Timestamp, thing: Thing, cost: Money| {
        if !cost.is_zero() {
            let sum = minutes.entry((minute, thing)).or_default();
            *sum = sum.plus(cost);
        }
    };
    for row in rows {
        let minute = minute_start(row.created_at);
        if minute < since {
            continue;
        }
        let alike = Alike {
            minute,
            user: row.user_id,
            key: row.key_id,
            grant: row.grant_id,
            group: row.group.as_deref(),
            provider: row.provider_id,
            credential: row.credential_id,
        };
        let (_, cost, provider_cost) = sums.entry(alike).or_insert((*row, Money::ZERO, Money::ZERO));
        *cost = cost.plus(row.cost_usd);
        *provider_cost = provider_cost.plus(row.provider_cost_usd);
        for (provider, credential, cost) in ledger::batch::losses(row) {
            add(minute, ("provider", provider.0, String::new()), cost);
            add(minute, ("credential", credential.0, String::new()), cost);
        }
    }
    for (Alike { minute, .. }, (row, cost, provider_cost)) in sums {
        let (callers, providers) = payers(row);
        callers.into_iter().flatten().for_each(|thing| add(minute, thing, cost));
        providers.into_iter().flatten().for_each(|thing| add(minute, thing, provider_cost));
    }
    minutes
}

/// From when on the minutes are whole.
pub(super) async fn since(txn: &mut Txn) -> Result<Timestamp, StoreError> {
    let row = txn.row_opt("SELECT value FROM meta WHERE name = $1", args![SINCE]).await?;
    row.map_or(Ok(Timestamp::default()), |row| row.named::<i64>("value").map(Timestamp))
}

/// Adds requests that are new to the books, and drops minutes that nobody asks for any more.
pub(crate) async fn add(txn: &mut Txn, rows: &[&RequestRecord]) -> Result<(), StoreError> {
    let Some(newest) = rows.iter().map(|row| row.created_at).max() else { return Ok(()) };
    let mut since = since(txn).await?;
    let keep = keep_since(newest);
    let prune = keep > since;
    // Once an hour, or a little later.
    if prune {
        // Before the minutes, and only ever forward: two instances that do this at once wait here for each other.
        let moved = txn
            .execute(
                "INSERT INTO meta (name, value) VALUES ($1, $2)
                 ON CONFLICT (name) DO UPDATE SET value = excluded.value
                 WHERE CAST(meta.value AS BIGINT) < CAST(excluded.value AS BIGINT)",
                args![SINCE, keep.0.to_string()],
            )
            .await?;
        since = if moved > 0 { keep } else { self::since(txn).await? };
    }
    let minutes: Vec<_> = fold(rows, since).into_iter().map(|(at, sum)| (at, sum.nano())).collect();
    write(txn, &minutes).await?;
    if prune {
        txn.execute("DELETE FROM spend_minute WHERE minute < $1", args![since]).await?;
    }
    Ok(())
}

fn keep_since(newest: Timestamp) -> Timestamp {
    newest.plus_ms(-KEEP_MS).hour_start().max(Timestamp::default())
}

async fn write(txn: &mut Txn, minutes: &[((Timestamp, Thing), i64)]) -> Result<(), StoreError> {
    for piece in pieces(minutes) {
        let sql = insert_many(
            txn.placeholders(),
            "INSERT INTO spend_minute AS m (minute, kind, id, name, amount_nano) VALUES",
            5,
            piece.len(),
            " ON CONFLICT (minute, kind, id, name) DO UPDATE SET amount_nano = m.amount_nano + excluded.amount_nano",
        );
        let mut args = Args::new();
        for ((minute, (kind, id, name)), amount) in piece {
            args.extend(args![*minute, *kind, *id, name.as_str(), *amount]);
        }
        txn.execute(sql, args).await?;
    }
    Ok(())
}

/// Notes by how much the costs of a request change, in nano-USD.
pub(crate) fn note_change(changes: &mut Minutes<i64>, row: &RequestRecord, cost: i64, provider: i64) {
    let minute = minute_start(row.created_at);
    let (callers, providers) = payers(row);
    let things =
        callers.map(|thing| (thing, cost)).into_iter().chain(providers.map(|thing| (thing, provider)));
    for (thing, change) in things {
        if let (Some(thing), true) = (thing, change != 0) {
            let sum = changes.entry((minute, thing)).or_default();
            *sum = sum.saturating_add(change);
        }
    }
}

/// Applies such changes.
pub(crate) async fn correct(txn: &mut Txn, changes: Minutes<i64>) -> Result<(), StoreError> {
    let since = since(txn).await?;
    let changes: Vec<_> = changes.into_iter().filter(|((minute, _), _)| *minute >= since).collect();
    write(txn, &changes).await
}

/// One kind of budget; `$1` and `$2` are the span.
struct Kind {
    name: &'static str,
    /// Sums by `id` and `name`, over hours.
    hours: &'static str,
    /// Writes its minutes, from the requests.
    write: &'static str,
}

macro_rules! kind {
    ($kind:literal, $id:literal, $name:literal, $cost:literal, $from:expr) => {
        Kind {
            name: $kind,
            hours: concat!(
                "SELECT ",
                $id,
                " AS id, ",
                $name,
                " AS name, CAST(SUM(x.",
                $cost,
                ") AS BIGINT) AS amount FROM usage_hour x WHERE x.bucket >= $1 AND x.bucket < $2 GROUP BY 1, 2"
            ),
            write: concat!(
                "INSERT INTO spend_minute (minute, kind, id, name, amount_nano)
                 SELECT x.created_at - x.created_at % 60000, '",
                $kind,
                "', ",
                $id,
                ", ",
                $name,
                ", SUM(x.",
                $cost,
                ") FROM ",
                $from,
                " WHERE x.created_at >= $1 AND x.created_at < $2 AND x.",
                $cost,
                " > 0 AND ",
                $id,
                " IS NOT NULL AND ",
                $name,
                " IS NOT NULL GROUP BY 1, 3, 4"
            ),
        }
    };
    ($kind:literal, $id:literal) => {
        kind!($kind, $id, "CAST('' AS TEXT)", "cost_nano", "requests x")
    };
    ($kind:literal, $id:literal, losses) => {
        kind!(
            $kind,
            $id,
            "CAST('' AS TEXT)",
            "provider_cost_nano",
            "(SELECT created_at, provider_id, credential_id, provider_cost_nano FROM requests
              UNION ALL SELECT created_at, provider_id, credential_id, provider_cost_nano FROM request_loss) x"
        )
    };
}

const KINDS: [Kind; 7] = [
    kind!("all", "CAST(0 AS BIGINT)"),
    kind!("user", "x.user_id"),
    kind!("key", "x.key_id"),
    kind!("package", "x.grant_id"),
    kind!("group", "CAST(0 AS BIGINT)", "x.group_name", "cost_nano", "requests x"),
    kind!("provider", "x.provider_id", losses),
    kind!("credential", "x.credential_id", losses),
];

const KEPT: &str = "SELECT m.id, m.name, CAST(SUM(m.amount_nano) AS BIGINT) AS amount FROM spend_minute m
    WHERE m.minute >= $1 AND m.minute < $2 AND m.kind = $3 AND m.amount_nano <> 0 GROUP BY m.id, m.name";
const ROWS_BY_MINUTE: &str = "SELECT r.created_at - r.created_at % 60000 AS id, CAST('' AS TEXT) AS name,
        CAST(SUM(r.cost_nano) AS BIGINT) AS amount
    FROM requests r WHERE r.created_at >= $1 AND r.created_at < $2 AND r.cost_nano > 0 GROUP BY 1";
const KEPT_BY_MINUTE: &str = "SELECT m.minute AS id, m.name, m.amount_nano AS amount FROM spend_minute m
    WHERE m.minute >= $1 AND m.minute < $2 AND m.kind = 'all' AND m.amount_nano <> 0";

/// Compares what is kept: each budget over the whole span with the sums by hour, and each minute over everybody with
/// the requests. A question about one user compares nothing but him.
pub(crate) async fn compare(txn: &mut Txn, found: &mut Reconciliation, span: Span) -> Result<(), StoreError> {
    let (start, end) = (span.since.max(since(txn).await?), span.until);
    for kind in &KINDS {
        let mut rows = lines(&txn.rows(kind.hours, args![start, end]).await?, kind.name)?;
        let mut kept = lines(&txn.rows(KEPT, args![start, end, kind.name]).await?, kind.name)?;
        if let Some(user) = span.user_id {
            let line = format!("user {user}");
            rows.retain(|name, _| *name == line);
            kept.retain(|name, _| *name == line);
        }
        note(found, "minute", &rows, &kept);
    }
    if span.user_id.is_none() {
        let by_minute = |rows: &[Row]| -> Result<BTreeMap<String, UsageTotals>, StoreError> {
            rows.iter().map(|row| Ok((row.time("id")?.to_string(), amount(row)?))).collect()
        };
        let rows = by_minute(&txn.rows(ROWS_BY_MINUTE, args![start, end]).await?)?;
        let kept = by_minute(&txn.rows(KEPT_BY_MINUTE, args![start, end]).await?)?;
        note(found, "minute", &rows, &kept);
    }
    Ok(())
}

// Without those that nobody is charged for, and those that were charged nothing.
fn lines(rows: &[Row], kind: &str) -> Result<BTreeMap<String, UsageTotals>, StoreError> {
    let mut lines = BTreeMap::new();
    for row in rows {
        let (id, name, amount) = (row.int("id")?, row.text("name")?, amount(row)?);
        if amount.cost_usd.is_zero() || (id == 0 && name.is_empty() && kind != "all") {
            continue;
        }
        let name = if id == 0 && !name.is_empty() { name } else { id.to_string() };
        lines.insert(format!("{kind} {name}"), amount);
    }
    Ok(lines)
}

// The books' differences are told as totals.
fn amount(row: &Row) -> Result<UsageTotals, StoreError> {
    Ok(UsageTotals { cost_usd: row.money("amount")?, ..UsageTotals::default() })
}

/// Makes the minutes anew that the span touches, of everybody. Where it reaches the newest request, they are whole
/// for as long as they would be had no clock ever been wrong.
pub(crate) async fn rebuild(txn: &mut Txn, span: Span) -> Result<(), StoreError> {
    let newest = txn.row("SELECT MAX(created_at) AS newest FROM requests", args![]).await?;
    let newest = newest.time_opt("newest")?.unwrap_or_default();
    let whole = since(txn).await?;
    let mut start = span.since.max(whole);
    if span.until > newest {
        start = span.since.max(keep_since(newest));
        if start < whole {
            let sql = "UPDATE meta SET value = $2 WHERE name = $1";
            txn.execute(sql, args![SINCE, start.0.to_string()]).await?;
        }
    }
    let forget = "DELETE FROM spend_minute WHERE minute >= $1 AND minute < $2";
    txn.execute(forget, args![start, span.until]).await?;
    for kind in &KINDS {
        txn.execute(kind.write, args![start, span.until]).await?;
    }
    Ok(())
}
