//! Corrections of what requests cost: rows and all sums made of them change in one transaction, and what was there
//! before is kept for ever. What a request costs is computed elsewhere.

use std::collections::BTreeMap;

use ledger::UsageDelta;
use types::books::Adjustment;
use types::price::{Bill, PriceState, Reprice};
use types::request::RequestRecord;
use types::usage::UsageTotals;
use types::{Money, RequestId};

use crate::audit::audit_append_in_txn;
use crate::column::{bounded_cost, json};
use crate::ledger::sums::{self, Thing};
use crate::pool::Txn;
use crate::spend::rollup::{self, Minutes};
use crate::sql::{Args, Conditions, Row, args};
use crate::{Change, Store, StoreError, dialect, request};

/// Most adjustments that are listed.
const LISTED: i64 = 500;

/// What a request costs from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Correction {
    /// The request.
    pub request_id: RequestId,
    /// What its caller is charged.
    pub cost_usd: Money,
    /// The same at list price.
    pub base_cost_usd: Money,
    /// What its provider charges for the last attempt.
    pub provider_cost_usd: Money,
    /// How sure that is.
    pub price_state: PriceState,
    /// The cost taken apart.
    pub bill: Option<Box<Bill>>,
}

/// What corrections did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Corrected {
    /// Rows that were changed; rows that are gone, or that this adjustment has changed already, are left out.
    pub changed: u64,
    /// Sum of their billed costs before.
    pub before_usd: Money,
    /// Sum of their billed costs after.
    pub after_usd: Money,
}

impl Store {
    /// One page of the rows that a re-pricing is about, by id, with their bills and without their decisions.
    /// Rows that had nothing to price are left out.
    pub async fn reprice_page(
        &self,
        which: &Reprice,
        after: Option<RequestId>,
        limit: u32,
    ) -> Result<Vec<RequestRecord>, StoreError> {
        let Reprice { model, unpriced_only, since, until, reason: _ } = which;
        let mut conditions = Conditions::default();
        // Written as in the partial index.
        conditions.and(if *unpriced_only { "r.price_state = 'unpriced'" } else { "r.price_state <> 'none'" });
        conditions.and_some("r.id > ?", after.map(|id| id.to_string()));
        conditions.and_some("r.created_at >= ?", *since);
        conditions.and_some("r.created_at < ?", *until);
        if let Some(model) = model {
            conditions.and_value("(r.model = ?", model.clone());
            conditions.continue_value(" OR r.upstream_model = ?)", model.clone());
        }
        let (sql, args) = conditions.build(
            "SELECT r.*, b.body AS bill FROM requests r LEFT JOIN request_bill b ON b.id = r.id",
            " ORDER BY r.id LIMIT ?",
            limit,
        );
        let rows = self.pool.rows(sql, args).await?;
        rows.iter()
            .map(|row| Ok(RequestRecord { bill: row.json_opt("bill")?, ..request::record(row)? }))
            .collect()
    }

    /// Opens an adjustment, with its row in the audit log; answers its identity. It changes nothing yet.
    pub async fn adjustment_begin(&self, reason: &str, change: Change) -> Result<i64, StoreError> {
        let mut txn = self.pool.begin_write().await?;
        let id = txn
            .row(
                "INSERT INTO adjustments (at, actor, reason, changed, before_nano, after_nano)
                 VALUES ($1, $2, $3, 0, 0, 0) RETURNING id",
                args![change.at, change.actor.as_str(), reason],
            )
            .await?
            .int("id")?;
        audit_append_in_txn(&mut txn, change.of_new(id)).await?;
        txn.commit().await?;
        Ok(id)
    }

    /// Applies corrections: all of them or none. Rows, sums by hour, what is kept of keys, and the adjustment itself
    /// change together; applying the same again changes nothing.
    pub async fn adjustment_apply(
        &self,
        id: i64,
        corrections: Vec<Correction>,
    ) -> Result<Corrected, StoreError> {
        let mut txn = self.pool.begin_write().await?;
        dialect::books_lock(&mut txn).await?;
        txn.row("SELECT id FROM adjustments WHERE id = $1", args![id]).await?;
        let mut corrected = Corrected::default();
        let mut sums = Sums::default();
        for correction in corrections {
            let correction = bounded(correction);
            if let Some(before) = correct_row(&mut txn, id, &correction).await? {
                corrected.changed += 1;
                corrected.before_usd = corrected.before_usd.plus(before.cost_usd);
                corrected.after_usd = corrected.after_usd.plus(correction.cost_usd);
                sums.note(&before, &correction);
            }
        }
        sums.write(&mut txn).await?;
        txn.execute(
            "UPDATE adjustments SET changed = changed + $2, before_nano = before_nano + $3,
                after_nano = after_nano + $4 WHERE id = $1",
            args![
                id,
                i64::try_from(corrected.changed).unwrap_or(i64::MAX),
                corrected.before_usd,
                corrected.after_usd
            ],
        )
        .await?;
        txn.commit().await?;
        Ok(corrected)
    }

    /// The latest adjustments, newest first.
    pub async fn adjustment_list(&self) -> Result<Vec<Adjustment>, StoreError> {
        let sql = "SELECT * FROM adjustments ORDER BY id DESC LIMIT $1";
        self.pool.rows(sql, args![LISTED]).await?.iter().map(adjustment_row).collect()
    }
}

fn bounded(correction: Correction) -> Correction {
    Correction {
        cost_usd: bounded_cost(correction.cost_usd),
        base_cost_usd: bounded_cost(correction.base_cost_usd),
        provider_cost_usd: bounded_cost(correction.provider_cost_usd),
        ..correction
    }
}

// Changes one row and notes what it was; answers that, or nothing if there is nothing to change.
async fn correct_row(
    txn: &mut Txn,
    adjustment: i64,
    correction: &Correction,
) -> Result<Option<RequestRecord>, StoreError> {
    let id = correction.request_id.to_string();
    let found = txn.row_opt("SELECT r.* FROM requests r WHERE r.id = $1", args![id.as_str()]).await?;
    let Some(before) = found.as_ref().map(request::record).transpose()? else { return Ok(None) };
    let Correction { cost_usd, base_cost_usd, provider_cost_usd, price_state, bill, .. } = correction;
    let noted = txn
        .execute(
            "INSERT INTO adjustment_rows (adjustment_id, request_id, state_before, cost_before,
                base_cost_before, provider_cost_before, state_after, cost_after, base_cost_after,
                provider_cost_after) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
             ON CONFLICT (adjustment_id, request_id) DO NOTHING",
            args![
                adjustment,
                id.as_str(),
                before.price_state.as_str(),
                before.cost_usd,
                before.base_cost_usd,
                before.provider_cost_usd,
                price_state.as_str(),
                *cost_usd,
                *base_cost_usd,
                *provider_cost_usd,
            ],
        )
        .await?;
    if noted == 0 {
        return Ok(None);
    }
    txn.execute(
        "UPDATE requests SET cost_nano = $2, base_cost_nano = $3, provider_cost_nano = $4, price_state = $5
         WHERE id = $1",
        args![id.as_str(), *cost_usd, *base_cost_usd, *provider_cost_usd, price_state.as_str()],
    )
    .await?;
    match bill {
        None => txn.execute("DELETE FROM request_bill WHERE id = $1", args![id]).await?,
        Some(bill) => {
            let sql = "INSERT INTO request_bill (id, body) VALUES ($1, $2)
                 ON CONFLICT (id) DO UPDATE SET body = excluded.body";
            txn.execute(sql, args![id, json(bill)?]).await?
        }
    };
    Ok(Some(before))
}

/// Differences in nano-USD and in unpriced requests, with their signs.
#[derive(Clone, Copy, Debug, Default)]
struct Delta {
    unpriced: i64,
    cost: i64,
    base: i64,
    provider: i64,
}

/// What changes in the sums; ordered, because whoever locks rows in one order only cannot meet another half-way.
#[derive(Default)]
struct Sums {
    hours: BTreeMap<Hour, Delta>,
    days: BTreeMap<(Thing, i64), Delta>,
    minutes: Minutes<i64>,
    keys: BTreeMap<i64, i64>,
}

impl Delta {
    fn add(&mut self, more: Self) {
        self.unpriced += more.unpriced;
        self.cost += more.cost;
        self.base += more.base;
        self.provider += more.provider;
    }

    fn args(self) -> Args {
        args![self.unpriced, self.cost, self.base, self.provider]
    }
}

// The key of a sum by hour, in the order of its columns.
type Hour = (i64, i64, i64, i64, i64, String, i64, String);

fn hour(belongs: &UsageDelta) -> Hour {
    let UsageDelta { bucket, user_id, key_id, provider_id, credential_id, grant_id, group, model, totals: _ } =
        belongs;
    (
        bucket.0,
        user_id.map_or(0, |id| id.0),
        key_id.map_or(0, |id| id.0),
        provider_id.map_or(0, |id| id.0),
        credential_id.map_or(0, |id| id.0),
        group.clone(),
        grant_id.map_or(0, |id| id.0),
        model.clone(),
    )
}

// Which sums a row belongs to.
fn belongs(row: &RequestRecord) -> UsageDelta {
    UsageDelta {
        bucket: row.created_at.hour_start(),
        user_id: row.user_id,
        key_id: row.key_id,
        provider_id: row.provider_id,
        credential_id: row.credential_id,
        grant_id: row.grant_id,
        group: row.group.clone().unwrap_or_default(),
        model: row.model.clone().unwrap_or_default(),
        totals: UsageTotals::default(),
    }
}

impl Sums {
    fn note(&mut self, before: &RequestRecord, after: &Correction) {
        // Amounts of one request are bounded, and so is their number in one call.
        let difference = |after: Money, before: Money| after.nano().saturating_sub(before.nano());
        let unpriced = |state| i64::from(state == PriceState::Unpriced);
        let cost = difference(after.cost_usd, before.cost_usd);
        let delta = Delta {
            unpriced: unpriced(after.price_state) - unpriced(before.price_state),
            cost,
            base: difference(after.base_cost_usd, before.base_cost_usd),
            provider: difference(after.provider_cost_usd, before.provider_cost_usd),
        };
        let belongs = belongs(before);
        let day = belongs.bucket.day_start().0;
        for thing in sums::things(&belongs) {
            self.days.entry((thing, day)).or_default().add(delta);
        }
        self.hours.entry(hour(&belongs)).or_default().add(delta);
        rollup::note_change(&mut self.minutes, before, delta.cost, delta.provider);
        if let Some(key) = before.key_id {
            *self.keys.entry(key.0).or_default() += cost;
        }
    }

    async fn write(self, txn: &mut Txn) -> Result<(), StoreError> {
        for ((bucket, user, key, provider, credential, group, grant, model), delta) in self.hours {
            let mut values = args![bucket, user, key, provider, credential, group, grant, model];
            values.extend(delta.args());
            txn.execute(
                "UPDATE usage_hour SET unpriced = unpriced + $9, cost_nano = cost_nano + $10,
                    base_cost_nano = base_cost_nano + $11, provider_cost_nano = provider_cost_nano + $12
                 WHERE bucket = $1 AND user_id = $2 AND key_id = $3 AND provider_id = $4 AND credential_id = $5
                    AND group_name = $6 AND grant_id = $7 AND model = $8",
                values,
            )
            .await?;
        }
        for (((kind, id, name), day), delta) in self.days {
            let mut values = args![kind, id, name, day];
            values.extend(delta.args());
            txn.execute(
                "UPDATE usage_day SET unpriced = unpriced + $5, cost_nano = cost_nano + $6,
                    base_cost_nano = base_cost_nano + $7, provider_cost_nano = provider_cost_nano + $8
                 WHERE kind = $1 AND id = $2 AND name = $3 AND day = $4",
                values,
            )
            .await?;
        }
        for (key, cost) in self.keys {
            let sql = "UPDATE key_usage SET cost_nano = cost_nano + $2 WHERE key_id = $1";
            txn.execute(sql, args![key, cost]).await?;
        }
        rollup::correct(txn, self.minutes).await
    }
}

fn adjustment_row(row: &Row) -> Result<Adjustment, StoreError> {
    Ok(Adjustment {
        id: row.int("id")?,
        at: row.time("at")?,
        actor: row.text("actor")?,
        reason: row.text("reason")?,
        rows: row.number("changed")?,
        before_usd: row.money("before_nano")?,
        after_usd: row.money("after_nano")?,
    })
}

#[cfg(test)]
mod tests;
