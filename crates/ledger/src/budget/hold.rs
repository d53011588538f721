//! What one request holds, from its admission to its end.
//!
//! It cannot be cloned, and whatever becomes of it releases what is held exactly once.

use std::fmt;

use types::Money;

use super::{Amounts, Blocked, Budgets, Charge, Moment};

/// Held amounts of one request. Dropping it books nothing and releases everything.
#[must_use = "dropping it releases what is held"]
pub struct Hold {
    budgets: Budgets,
    key: usize,
    moment: Moment,
    ended: bool,
}

impl Hold {
    pub(super) fn new(budgets: Budgets, key: usize, moment: Moment) -> Self {
        Self { budgets, key, moment, ended: false }
    }

    /// Also holds on the provider and the credential of the next attempt (`provider`) and on its groups (what the
    /// payers hold): on all of them or on none. What an attempt before held is let go in any case.
    pub fn attempt(
        &mut self,
        suppliers: &[Charge<'_>],
        groups: &[Charge<'_>],
        provider: Amounts,
    ) -> Result<(), Blocked> {
        let (released, result) = self.budgets.state().attempt(self.key, suppliers, groups, provider);
        if released {
            self.budgets.wake();
        }
        result
    }

    /// Books what a failed attempt cost to its provider and credential, and lets them and its groups go.
    pub fn fail_attempt(&mut self, provider_cost: Money) {
        self.budgets.state().fail_attempt(self.key, provider_cost);
        self.budgets.wake();
    }

    /// Also holds on the provider and the credential of a second attempt that runs beside the current one, through the
    /// same group: on all of them or on none.
    pub fn beside(&mut self, suppliers: &[Charge<'_>], provider: Amounts) -> Result<(), Blocked> {
        self.budgets.state().beside(self.key, suppliers, provider)
    }

    /// Books what the second attempt cost to its provider and credential, and lets them go.
    pub fn leave_beside(&mut self, provider_cost: Money) {
        self.budgets.state().leave_beside(self.key, provider_cost);
        self.budgets.wake();
    }

    /// The second attempt takes the place of the current one, which cost its provider and credential so much.
    pub fn take_beside(&mut self, provider_cost: Money) {
        self.budgets.state().take_beside(self.key, provider_cost);
        self.budgets.wake();
    }

    /// Holds more on the estimated limits of payers and groups, as the running cost says; never less. A running cost
    /// above the worst case is held on hard limits, too. On error nothing changes, and the request is to be cut.
    pub fn raise(&mut self, estimate: Money) -> Result<(), Blocked> {
        self.budgets.state().raise(self.key, estimate)
    }

    /// The same for the provider and the credential of the current attempt.
    pub fn raise_provider(&mut self, estimate: Money) -> Result<(), Blocked> {
        self.budgets.state().raise_provider(self.key, estimate)
    }

    /// Replaces what payers and groups hold: after the choice of a provider whose prices differ from what was
    /// assumed. On error nothing changes.
    pub fn resize(&mut self, amounts: Amounts) -> Result<(), Blocked> {
        let (released, result) = self.budgets.state().resize(self.key, amounts);
        if released {
            self.budgets.wake();
        }
        result
    }

    /// Books what the request cost and releases everything. To be called before its terminal record is written, so
    /// that the database cannot have it first.
    pub fn settle(mut self, billed: Money, provider: Money) {
        self.end(billed, provider);
    }

    /// What payers hold.
    pub fn amounts(&self) -> Amounts {
        self.budgets.state().amounts(self.key)
    }

    /// When it was admitted.
    pub fn moment(&self) -> Moment {
        self.moment
    }

    fn end(&mut self, billed: Money, provider: Money) {
        if !self.ended {
            self.ended = true;
            self.budgets.state().settle(self.key, billed, provider);
            self.budgets.wake();
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.end(Money::ZERO, Money::ZERO);
    }
}

impl fmt::Debug for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hold").field("moment", &self.moment).finish_non_exhaustive()
    }
}
