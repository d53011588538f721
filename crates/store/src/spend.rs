//! What has been spent, for every budget at once: read when the engine starts, and again after a correction.
//!
//! Whole days and hours come from the sums by day and hour, minutes from those that are kept, the pieces of hours at
//! the edges of a window from the request log. An entry belongs to the window in which its request arrived. Limits
//! and windows' starts are the caller's business.

mod fold;
mod minute;
pub(crate) mod rollup;
pub(crate) mod spent;

use types::quota::ScopeKind;
use types::{Money, Timestamp};

use crate::pool::Txn;
use crate::reconcile::next_hour;
use crate::sql::args;
use crate::usage::next_day;
use crate::{Store, StoreError};

use fold::{Part, Spend};
use minute::RESETS;

/// Where the windows begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpendFrom {
    /// Minutes are told from the one on that this is in.
    pub minutes_since: Timestamp,
    /// Start of the current week.
    pub week: Timestamp,
    /// Start of the current calendar month.
    pub month: Timestamp,
}

/// What one budget has spent. Users, keys, groups, grants and the whole gateway are charged what callers pay;
/// providers and credentials what they charge, failed attempts included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpendRow {
    /// What it stands on.
    pub scope: ScopeKind,
    /// Identity of that; 0 for the whole gateway, the row's id for a group.
    pub id: i64,
    /// By start of minute, ascending, without empty ones.
    pub minutes: Vec<(Timestamp, Money)>,
    /// Since the start of the week.
    pub week: Money,
    /// Since the start of the month.
    pub month: Money,
    /// Since the beginning, or the last reset of usage.
    pub total: Money,
    /// When the running window of five hours began, if it is one that begins with the first use.
    pub five_hours_since: Option<Timestamp>,
    /// When its usage was last reset; a budget that was is told even if it has spent nothing since.
    pub reset_at: Option<Timestamp>,
}

impl Store {
    /// What every budget has spent until now. Resets of usage are taken into account: what was spent before one
    /// counts in no window.
    pub async fn spend_load(&self, from: SpendFrom) -> Result<Vec<SpendRow>, StoreError> {
        let mut txn = self.pool.begin_read().await?;
        let mut spend = Spend::new(&mut txn).await?;
        add_days(&mut txn, &mut spend, from).await?;
        add_edges(&mut txn, &mut spend, from).await?;
        add_minutes(&mut txn, &mut spend, from).await?;
        add_since_resets(&mut txn, &mut spend, from).await?;
        for row in txn.rows("SELECT scope, scope_id, since FROM budget_anchor", args![]).await? {
            spend.anchor(row.named("scope")?, row.int("scope_id")?, row.time("since")?);
        }
        txn.commit().await?;
        Ok(spend.finish())
    }

    /// Notes when windows of five hours began that begin with the first use.
    pub async fn anchor_put(&self, anchors: Vec<(ScopeKind, i64, Timestamp)>) -> Result<(), StoreError> {
        let mut txn = self.pool.begin_write().await?;
        for (scope, id, since) in anchors {
            txn.execute(
                "INSERT INTO budget_anchor (scope, scope_id, since) VALUES ($1, $2, $3)
                 ON CONFLICT (scope, scope_id) DO UPDATE SET since = excluded.since",
                args![scope.as_str(), id, since],
            )
            .await?;
        }
        txn.commit().await
    }
}

macro_rules! payers {
    ($alias:literal) => {
        concat!(
            $alias,
            ".user_id, ",
            $alias,
            ".key_id, ",
            $alias,
            ".provider_id, ",
            $alias,
            ".credential_id, ",
            $alias,
            ".group_name, ",
            $alias,
            ".grant_id"
        )
    };
}

// Whole days, of everything that was never reset.
async fn add_days(txn: &mut Txn, spend: &mut Spend, from: SpendFrom) -> Result<(), StoreError> {
    let rows = txn
        .rows(
            "SELECT d.kind, d.id, d.name, CAST(SUM(d.cost_nano) AS BIGINT) AS billed,
                CAST(SUM(d.provider_cost_nano) AS BIGINT) AS provider,
                CAST(SUM(CASE WHEN d.day >= $1 THEN d.cost_nano ELSE 0 END) AS BIGINT) AS week_billed,
                CAST(SUM(CASE WHEN d.day >= $1 THEN d.provider_cost_nano ELSE 0 END) AS BIGINT) AS week_provider,
                CAST(SUM(CASE WHEN d.day >= $2 THEN d.cost_nano ELSE 0 END) AS BIGINT) AS month_billed,
                CAST(SUM(CASE WHEN d.day >= $2 THEN d.provider_cost_nano ELSE 0 END) AS BIGINT) AS month_provider
             FROM usage_day d WHERE d.kind <> 'model' GROUP BY d.kind, d.id, d.name",
            args![next_day(from.week), next_day(from.month)],
        )
        .await?;
    for row in &rows {
        let payer = fold::payer(row)?;
        for (part, billed, provider) in [
            (Part::Total, "billed", "provider"),
            (Part::Week, "week_billed", "week_provider"),
            (Part::Month, "month_billed", "month_provider"),
        ] {
            let amounts = fold::Amounts { billed: row.money(billed)?, provider: row.money(provider)? };
            spend.add_unless_reset(&payer, part, amounts);
        }
    }
    Ok(())
}

// The first hours of the week and of the month, and the first piece of an hour: billing time zones need not begin
// with a UTC day, nor with a UTC hour.
async fn add_edges(txn: &mut Txn, spend: &mut Spend, from: SpendFrom) -> Result<(), StoreError> {
    for (part, start) in [(Part::Week, from.week), (Part::Month, from.month)] {
        let end = next_hour(start);
        let hours = concat!(
            "SELECT ",
            payers!("h"),
            ", CAST(SUM(h.cost_nano) AS BIGINT) AS billed,
                CAST(SUM(h.provider_cost_nano) AS BIGINT) AS provider
             FROM usage_hour h WHERE h.bucket >= $1 AND h.bucket < $2 GROUP BY ",
            payers!("h")
        );
        for row in txn.rows(hours, args![end, next_day(start)]).await? {
            spend.add_unless_reset(&fold::payers(&row)?, part, fold::amounts(&row)?);
        }
        let requests = concat!(
            "SELECT ",
            payers!("r"),
            ", CAST(SUM(r.cost_nano) AS BIGINT) AS billed,
                CAST(SUM(r.provider_cost_nano) AS BIGINT) AS provider
             FROM requests r WHERE r.created_at >= $1 AND r.created_at < $2 GROUP BY ",
            payers!("r")
        );
        for row in txn.rows(requests, args![start, end]).await? {
            spend.add_unless_reset(&fold::payers(&row)?, part, fold::amounts(&row)?);
        }
        let losses =
            "SELECT l.provider_id, l.credential_id, CAST(SUM(l.provider_cost_nano) AS BIGINT) AS provider
             FROM request_loss l WHERE l.created_at >= $1 AND l.created_at < $2
             GROUP BY l.provider_id, l.credential_id";
        for row in txn.rows(losses, args![start, end]).await? {
            spend.add_unless_reset(&fold::losers(&row)?, part, fold::loss(&row)?);
        }
    }
    Ok(())
}

// What is kept, and what is older than that from the requests.
async fn add_minutes(txn: &mut Txn, spend: &mut Spend, from: SpendFrom) -> Result<(), StoreError> {
    let since = rollup::minute_start(from.minutes_since);
    let kept = rollup::since(txn).await?.max(since);
    add_old_minutes(txn, spend, since, kept).await?;
    let sql = "SELECT m.minute, m.kind, m.id, m.name, m.amount_nano FROM spend_minute m WHERE m.minute >= $1";
    for row in txn.rows(sql, args![kept]).await? {
        let amount = row.money("amount_nano")?;
        let amounts = fold::Amounts { billed: amount, provider: amount };
        spend.add_minute(&fold::payer(&row)?, row.time("minute")?, amounts);
    }
    Ok(())
}

// Hour by hour: a busy day has more minutes than should be in memory at once, and small sorts are quick ones.
async fn add_old_minutes(
    txn: &mut Txn,
    spend: &mut Spend,
    since: Timestamp,
    until: Timestamp,
) -> Result<(), StoreError> {
    let span = "SELECT MIN(created_at) AS first, MAX(created_at) AS last FROM requests
         WHERE created_at >= $1 AND created_at < $2";
    let row = txn.row(span, args![since, until]).await?;
    if let (Some(first), Some(last)) = (row.time_opt("first")?, row.time_opt("last")?) {
        let requests = concat!(
            "SELECT ",
            payers!("r"),
            ", r.created_at - r.created_at % 60000 AS minute,
            CAST(SUM(r.cost_nano) AS BIGINT) AS billed, CAST(SUM(r.provider_cost_nano) AS BIGINT) AS provider
         FROM requests r
         WHERE r.created_at >= $1 AND r.created_at < $2 AND (r.cost_nano > 0 OR r.provider_cost_nano > 0)
         GROUP BY minute, ",
            payers!("r")
        );
        let mut start = first;
        while start <= last {
            let end = start.plus_ms(Timestamp::HOUR_MS).hour_start().min(until);
            for row in txn.rows(requests, args![start, end]).await? {
                spend.add_minute(&fold::payers(&row)?, row.time("minute")?, fold::amounts(&row)?);
            }
            start = end;
        }
    }
    let losses = "SELECT l.provider_id, l.credential_id, l.created_at - l.created_at % 60000 AS minute,
            CAST(SUM(l.provider_cost_nano) AS BIGINT) AS provider
         FROM request_loss l WHERE l.created_at >= $1 AND l.created_at < $2
         GROUP BY minute, l.provider_id, l.credential_id";
    for row in txn.rows(losses, args![since, until]).await? {
        spend.add_minute(&fold::losers(&row)?, row.time("minute")?, fold::loss(&row)?);
    }
    Ok(())
}

// The sums of everything that was reset; the minutes after that of the reset are there already.
async fn add_since_resets(txn: &mut Txn, spend: &mut Spend, from: SpendFrom) -> Result<(), StoreError> {
    for (kind, id, reset) in spend.resets() {
        let mut known = None;
        for (part, start) in [(Part::Total, reset), (Part::Week, from.week), (Part::Month, from.month)] {
            let since = start.max(reset);
            let amount = match known {
                Some((at, amount)) if at == since => amount,
                _ => spent::since(txn, kind, id, since).await?,
            };
            known = Some((since, amount));
            spend.add(kind, id, part, amount);
        }
    }
    for reset in &RESETS {
        if spend.was_reset(reset.scope) {
            for sql in std::iter::once(reset.rows).chain(reset.losses) {
                for row in txn.rows(sql, args![from.minutes_since]).await? {
                    spend.add_to_minute_of(
                        reset.scope,
                        row.int("id")?,
                        row.time("created_at")?,
                        row.money("cost")?,
                    );
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests;
