//! This instance's shares of budgets that several instances spend from: which there are, and how much was granted.
//!
//! It keeps figures; asking for more and giving back is `accounts::share`'s business.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ledger::budget::{Budgets, Rule, Scope};
use types::Money;
use types::quota::ScopeKind;

/// One share.
#[derive(Clone, Copy, Debug, Default)]
struct Share {
    /// Whether the budgets know that they may not spend without a grant.
    guarded: bool,
    /// The database's figure of all grants to this instance, in this life and before.
    total: Money,
    /// What the process may spend, counted from its start.
    granted: Money,
    /// What it had consumed at the last look, to see whether it is idle.
    seen: Money,
}

/// All shares of this instance.
#[derive(Debug, Default)]
pub(crate) struct Shares(Mutex<HashMap<Scope, Share>>);

/// Whether a budget of these rules is shared: a limit that must hold exactly, and of a payer. Limits of providers and
/// estimated limits are kept by each instance for what it knows.
pub(crate) fn is_shared(scope: Scope, rules: &[Rule]) -> bool {
    matches!(scope.kind, ScopeKind::Global | ScopeKind::User | ScopeKind::Key | ScopeKind::Package)
        && rules.iter().any(|rule| rule.hard)
}

impl Shares {
    fn lock(&self) -> MutexGuard<'_, HashMap<Scope, Share>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sees to it that a shared budget is not spent from without a grant.
    pub(crate) fn guard(&self, budgets: &Budgets, scope: Scope) {
        let mut shares = self.lock();
        let share = shares.entry(scope).or_default();
        if !share.guarded {
            // What was spent before the limit was set needs no grant.
            share.guarded = true;
            share.granted = budgets.consumed(scope).plus(budgets.reserved(scope));
            budgets.set_allowance(scope, Some(share.granted));
        }
    }

    /// Notes what the database had granted in earlier lives of this instance.
    pub(crate) fn begin(&self, scope: Scope, total: Money) {
        self.lock().entry(scope).or_default().total = total;
    }

    /// Takes over the database's figure after a grant; answers how much was added.
    pub(crate) fn grown(&self, budgets: &Budgets, scope: Scope, total: Money) -> Money {
        let mut shares = self.lock();
        let share = shares.entry(scope).or_default();
        let added = total.minus(share.total);
        share.total = total;
        share.granted = share.granted.plus(added);
        budgets.set_allowance(scope, Some(share.granted));
        added
    }

    /// The shares that nothing was spent of since the last call and nothing is held on; what they leave over is taken
    /// from them.
    pub(crate) fn take_idle(&self, budgets: &Budgets) -> Vec<(Scope, Money)> {
        let mut shares = self.lock();
        let mut idle = Vec::new();
        for (scope, share) in shares.iter_mut() {
            let consumed = budgets.consumed(*scope);
            if share.seen == consumed && budgets.reserved(*scope).is_zero() {
                let unused = budgets.shrink_allowance(*scope);
                share.granted = share.granted.minus(unused);
                if !unused.is_zero() {
                    idle.push((*scope, unused));
                }
            }
            share.seen = consumed;
        }
        idle
    }
}
