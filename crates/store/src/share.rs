//! Budgets that several instances share: each may spend what it was granted, and all grants together never pass a
//! limit.
//!
//! What an instance has spent is added in the transaction that books it, so that what is granted and unspent plus
//! what is booked is the whole truth at any moment. How much to ask for is the caller's business.

use std::collections::{BTreeMap, HashMap};

use ledger::batch::losses;
use types::quota::ScopeKind;
use types::request::RequestRecord;
use types::{Money, Timestamp};

use crate::pool::Txn;
use crate::spend::spent;
use crate::sql::{Row, args};
use crate::{Store, StoreError, dialect};

/// A limit that all instances together must keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShareWindow {
    /// The limit in force.
    pub limit: Money,
    /// Since when spending counts towards it: the window's start or the last reset, whichever is later.
    pub since: Timestamp,
}

/// What one instance may spend of one budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShareRow {
    /// What the budget stands on.
    pub scope: ScopeKind,
    /// Identity of that; 0 for the whole gateway.
    pub id: i64,
    /// Granted so far; only grows.
    pub granted: Money,
    /// Booked (or given back) so far; only grows.
    pub consumed: Money,
    /// When the instance last gave a sign of life.
    pub updated_at: Timestamp,
}

impl ShareRow {
    /// What is granted and not booked yet.
    pub fn headroom(&self) -> Money {
        self.granted.minus(self.consumed)
    }
}

impl Store {
    /// Grants an instance up to `want` more of a budget, as far as every window allows: what all instances hold
    /// unspent, what was spent in the window, and the new grant stay within the limit. Answers the new state; the
    /// grant may be nothing.
    pub async fn share_grow(
        &self,
        node: &str,
        (scope, id): (ScopeKind, i64),
        want: Money,
        windows: &[ShareWindow],
        now: Timestamp,
    ) -> Result<ShareRow, StoreError> {
        let mut txn = self.pool.begin_write().await?;
        dialect::share_lock(&mut txn).await?;
        let room = room(&mut txn, scope, id, windows).await?;
        let row = grant(&mut txn, node, (scope, id), want.min(room), now).await?;
        txn.commit().await?;
        Ok(row)
    }

    /// What an instance has been granted.
    pub async fn share_load(&self, node: &str) -> Result<Vec<ShareRow>, StoreError> {
        let sql = "SELECT * FROM budget_share WHERE node = $1 ORDER BY scope, scope_id";
        self.pool.rows(sql, args![node]).await?.iter().map(share_row).collect()
    }

    /// Notes that an instance is alive and needs its shares.
    pub async fn share_touch(&self, node: &str, now: Timestamp) -> Result<(), StoreError> {
        let sql = "UPDATE budget_share SET updated_at = $2 WHERE node = $1";
        self.pool.execute(sql, args![node, now]).await.map(drop)
    }

    /// Gives back what an instance does not need. It must not spend it any more.
    pub async fn share_release(
        &self,
        node: &str,
        (scope, id): (ScopeKind, i64),
        unused: Money,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE budget_share SET consumed_nano = consumed_nano + $4
             WHERE scope = $1 AND scope_id = $2 AND node = $3";
        self.pool.execute(sql, args![scope.as_str(), id, node, unused]).await.map(drop)
    }

    /// Takes back what instances hold that gave no sign of life since `before`; answers from how many budgets. One
    /// that lives after all finds nothing left to spend, and what it books later counts as ever.
    pub async fn share_expire(&self, before: Timestamp) -> Result<u64, StoreError> {
        let sql = "UPDATE budget_share SET consumed_nano = granted_nano
             WHERE updated_at < $1 AND consumed_nano < granted_nano";
        self.pool.execute(sql, args![before]).await
    }
}

// What can still be granted.
async fn room(
    txn: &mut Txn,
    scope: ScopeKind,
    id: i64,
    windows: &[ShareWindow],
) -> Result<Money, StoreError> {
    let held = txn
        .row(
            "SELECT COALESCE(CAST(SUM(CASE WHEN granted_nano > consumed_nano THEN granted_nano - consumed_nano
                ELSE 0 END) AS BIGINT), 0) AS held FROM budget_share WHERE scope = $1 AND scope_id = $2",
            args![scope.as_str(), id],
        )
        .await?
        .money("held")?;
    let mut room = Money::MAX;
    for window in windows {
        let spent = spent::since(txn, scope, id, window.since).await?;
        room = room.min(window.limit.minus(spent).minus(held));
    }
    Ok(room)
}

async fn grant(
    txn: &mut Txn,
    node: &str,
    (scope, id): (ScopeKind, i64),
    amount: Money,
    now: Timestamp,
) -> Result<ShareRow, StoreError> {
    let row = txn
        .row(
            "INSERT INTO budget_share AS s (scope, scope_id, node, granted_nano, consumed_nano, updated_at)
             VALUES ($1, $2, $3, $4, 0, $5)
             ON CONFLICT (scope, scope_id, node) DO UPDATE
                SET granted_nano = s.granted_nano + excluded.granted_nano, updated_at = excluded.updated_at
             RETURNING *",
            args![scope.as_str(), id, node, amount, now],
        )
        .await?;
    share_row(&row)
}

/// Adds what new rows cost to what their node has consumed of its shares.
pub(crate) async fn consume(txn: &mut Txn, node: &str, rows: &[&RequestRecord]) -> Result<(), StoreError> {
    let sql = "SELECT scope, scope_id FROM budget_share WHERE node = $1";
    let mut consumed: BTreeMap<(ScopeKind, i64), Money> = BTreeMap::new();
    for row in txn.rows(sql, args![node]).await? {
        consumed.insert((row.named("scope")?, row.int("scope_id")?), Money::ZERO);
    }
    if consumed.is_empty() {
        return Ok(());
    }
    let mut groups = HashMap::new();
    for row in txn.rows("SELECT id, name FROM provider_groups", args![]).await? {
        groups.insert(row.text("name")?, row.int("id")?);
    }
    for row in rows {
        let (billed, provider) = (row.cost_usd, row.provider_cost_usd);
        let group = row.group.as_ref().and_then(|name| groups.get(name).copied());
        let mut add = |scope, id: Option<i64>, amount: Money| {
            if let Some(sum) = id.and_then(|id| consumed.get_mut(&(scope, id))) {
                *sum = sum.plus(amount);
            }
        };
        add(ScopeKind::Global, Some(0), billed);
        add(ScopeKind::User, row.user_id.map(|id| id.0), billed);
        add(ScopeKind::Key, row.key_id.map(|id| id.0), billed);
        add(ScopeKind::Group, group, billed);
        add(ScopeKind::Package, row.grant_id.map(|id| id.0), billed);
        add(ScopeKind::Provider, row.provider_id.map(|id| id.0), provider);
        add(ScopeKind::Credential, row.credential_id.map(|id| id.0), provider);
        for (provider, credential, cost) in losses(row) {
            add(ScopeKind::Provider, Some(provider.0), cost);
            add(ScopeKind::Credential, Some(credential.0), cost);
        }
    }
    for ((scope, id), amount) in consumed {
        if !amount.is_zero() {
            txn.execute(
                "UPDATE budget_share SET consumed_nano = consumed_nano + $4
                 WHERE scope = $1 AND scope_id = $2 AND node = $3",
                args![scope.as_str(), id, node, amount],
            )
            .await?;
        }
    }
    Ok(())
}

fn share_row(row: &Row) -> Result<ShareRow, StoreError> {
    Ok(ShareRow {
        scope: row.named("scope")?,
        id: row.int("scope_id")?,
        granted: row.money("granted_nano")?,
        consumed: row.money("consumed_nano")?,
        updated_at: row.time("updated_at")?,
    })
}

#[cfg(test)]
mod tests;
