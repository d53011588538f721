//! Budgets of several instances on one PostgreSQL: each spends only what the database granted it.
//!
//! A grant is one transaction that keeps, for every hard limit of the budget, what all instances hold unspent plus what
//! is booked within the limit. So no limit is passed however many instances run; what a dead one held comes back after
//! ten minutes. A single instance on SQLite needs none of this.

use std::sync::Arc;
use std::time::Duration;

use ledger::budget::{Rule, Scope, Span};
use store::{ShareWindow, StoreError};
use types::{Money, Timestamp};

use crate::core::Core;
use crate::quota::Rules;
use crate::quota::share::is_shared;

/// How often idle shares are given back and a sign of life is given.
const TEND: Duration = Duration::from_secs(2);
/// After this long without a sign of life an instance's shares go back to the others.
const DEAD_MS: i64 = 10 * 60 * 1_000;
/// A grant is this part of the smallest limit, if that is more than what is needed at once.
const SLICE: i64 = 64;

/// Puts the shared budgets among these under their grants, before they are held from.
pub(crate) fn guard(core: &Core, payers: &[Rules]) {
    let Some(shares) = &core.shares else { return };
    for (scope, _) in payers.iter().filter(|(scope, rules)| is_shared(*scope, rules)) {
        shares.guard(&core.quotas.budgets, *scope);
    }
}

/// Asks for a larger share of a budget; whether it grew.
pub(crate) async fn grow(
    core: &Core,
    scope: Scope,
    rules: &[Rule],
    needed: Money,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let Some(shares) = &core.shares else { return Ok(false) };
    let reset = core.snapshot().resets.get(&scope).copied();
    let windows: Vec<ShareWindow> =
        rules.iter().filter(|rule| rule.hard).map(|rule| window(rule, reset, now)).collect();
    let slice = rules.iter().map(|rule| rule.limit.nano() / SLICE).min().unwrap_or(0);
    let want = needed.max(Money::clamp_nano(slice.into()));
    // One at a time, or two would take the same figure for the one before their own grant.
    let _one = core.sharing.lock().await;
    let row = core.store.share_grow(&core.config.node, (scope.kind, scope.id), want, &windows, now).await?;
    Ok(!shares.grown(&core.quotas.budgets, scope, row.granted).is_zero())
}

fn window(rule: &Rule, reset: Option<Timestamp>, now: Timestamp) -> ShareWindow {
    let since = match rule.span {
        // A window that begins with its first use lies within the last one of its length.
        Span::Rolling { ms } | Span::FirstUse { ms } => now.plus_ms(-ms),
        Span::Fixed { since, .. } => since,
        Span::Always => Timestamp(0),
    };
    ShareWindow { limit: rule.limit, since: reset.map_or(since, |reset| reset.max(since)) }
}

/// Gives back what an earlier life of this instance held; its journal is applied, so nothing of it is in use.
pub(crate) async fn begin(core: &Core) -> Result<(), StoreError> {
    let Some(shares) = &core.shares else { return Ok(()) };
    for row in core.store.share_load(&core.config.node).await? {
        let unused = row.headroom();
        if !unused.is_zero() {
            core.store.share_release(&core.config.node, (row.scope, row.id), unused).await?;
        }
        shares.begin(Scope { kind: row.scope, id: row.id }, row.granted);
    }
    Ok(())
}

/// Starts what tends the shares.
pub(crate) fn start(core: &Arc<Core>) {
    if core.shares.is_some() {
        core.tracker.spawn(tend(core.clone()));
    }
}

async fn tend(core: Arc<Core>) {
    loop {
        tokio::select! {
            () = core.draining.cancelled() => break,
            () = tokio::time::sleep(TEND) => {}
        }
        if let Err(error) = once(&core).await {
            tracing::warn!(%error, "the shares of budgets could not be tended");
        }
    }
    // What is left goes back at once instead of after ten minutes.
    if let Err(error) = once(&core).await {
        tracing::warn!(%error, "the shares of budgets could not be given back");
    }
}

async fn once(core: &Core) -> Result<(), StoreError> {
    let Some(shares) = &core.shares else { return Ok(()) };
    let node = &core.config.node;
    for (scope, unused) in shares.take_idle(&core.quotas.budgets) {
        core.store.share_release(node, (scope.kind, scope.id), unused).await?;
    }
    let now = core.clock.now();
    core.store.share_touch(node, now).await?;
    core.store.share_expire(now.plus_ms(-DEAD_MS)).await?;
    Ok(())
}
