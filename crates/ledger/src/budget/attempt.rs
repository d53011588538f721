//! What changes while a request runs: its attempts, and how much it holds.

use types::Money;

use super::check::check;
use super::state::{Role, State, graver};
use super::{Amounts, Blocked, Charge};

impl State {
    /// Lets go of the shares of the current attempt and books `loss` to its suppliers. Says whether there were any.
    fn leave_attempt(&mut self, key: usize, loss: Money) -> bool {
        let Some(open) = self.open.get_mut(key) else { return false };
        let payers = open.shares.iter().take_while(|share| share.role == Role::Payer).count();
        let rules = open.shares.iter().take(payers).map(|share| share.rules).sum();
        let left = open.shares.len() > payers;
        for share in open.shares.get(payers..).unwrap_or_default() {
            let Some(account) = self.accounts.get_mut(share.account) else { continue };
            account.release(open.moment, open.held(share.role), true);
            if share.role == Role::Supplier && !loss.is_zero() {
                account.book(open.moment, loss);
                open.losses.push((share.account, loss));
            }
        }
        open.shares.truncate(payers);
        open.rules.truncate(rules);
        open.provider = Amounts::default();
        left
    }

    pub(super) fn attempt(
        &mut self,
        key: usize,
        suppliers: &[Charge<'_>],
        groups: &[Charge<'_>],
        provider: Amounts,
    ) -> (bool, Result<(), Blocked>) {
        let released = self.leave_attempt(key, Money::ZERO);
        let Some((at, billed)) = self.open.get(key).map(|open| (open.moment.at, open.billed)) else {
            return (released, Ok(()));
        };
        let blocked = graver(self.check_all(at, suppliers, provider), self.check_all(at, groups, billed));
        if let Some(blocked) = blocked {
            return (released, Err(blocked));
        }
        if let Some(open) = self.open.get_mut(key) {
            open.provider = provider;
        }
        self.join(key, Role::Supplier, suppliers);
        self.join(key, Role::Group, groups);
        (released, Ok(()))
    }

    pub(super) fn fail_attempt(&mut self, key: usize, provider_cost: Money) {
        self.leave_attempt(key, provider_cost);
    }

    /// Grows what some of the shares hold, on all of them or on none.
    fn grow(&mut self, key: usize, more: Amounts, wanted: fn(Role) -> bool) -> Result<(), Blocked> {
        let Some(open) = self.open.get(key) else { return Ok(()) };
        let mut worst = None;
        let mut rest = open.rules.as_slice();
        for share in &open.shares {
            let (rules, others) = rest.split_at_checked(share.rules).unwrap_or((rest, &[]));
            rest = others;
            let (Some(account), Some(scope)) =
                (self.accounts.get_mut(share.account), self.scopes.get(share.account))
            else {
                continue;
            };
            if wanted(share.role) {
                let own = open.held(share.role);
                worst = graver(worst, check(account, *scope, rules, open.moment.at, more, own));
            }
        }
        if let Some(blocked) = worst {
            return Err(blocked);
        }
        for share in open.shares.iter().filter(|share| wanted(share.role)) {
            if let Some(account) = self.accounts.get_mut(share.account) {
                account.reserve(open.moment, more, false);
            }
        }
        Ok(())
    }

    pub(super) fn raise(&mut self, key: usize, estimate: Money) -> Result<(), Blocked> {
        let wanted = self.amounts(key).raised(estimate);
        self.grow(key, wanted.1, |role| role != Role::Supplier)?;
        if let Some(open) = self.open.get_mut(key) {
            open.billed = wanted.0;
        }
        Ok(())
    }

    pub(super) fn raise_provider(&mut self, key: usize, estimate: Money) -> Result<(), Blocked> {
        let held = self.open.get(key).map(|open| open.provider).unwrap_or_default();
        let wanted = held.raised(estimate);
        self.grow(key, wanted.1, |role| role == Role::Supplier)?;
        if let Some(open) = self.open.get_mut(key) {
            open.provider = wanted.0;
        }
        Ok(())
    }

    pub(super) fn resize(&mut self, key: usize, amounts: Amounts) -> (bool, Result<(), Blocked>) {
        let held = self.amounts(key);
        let minus = |one: Amounts, other: Amounts| Amounts {
            worst: one.worst.minus(other.worst),
            estimate: one.estimate.minus(other.estimate),
        };
        let (more, less) = (minus(amounts, held), minus(held, amounts));
        if more != Amounts::default()
            && let Err(blocked) = self.grow(key, more, |role| role != Role::Supplier)
        {
            return (false, Err(blocked));
        }
        let released = less != Amounts::default();
        let Some(open) = self.open.get_mut(key) else { return (false, Ok(())) };
        if released {
            for share in open.shares.iter().filter(|share| share.role != Role::Supplier) {
                if let Some(account) = self.accounts.get_mut(share.account) {
                    account.release(open.moment, less, false);
                }
            }
        }
        open.billed = amounts;
        (released, Ok(()))
    }
}

impl Amounts {
    /// With a running cost: the new amounts, and by how much they grow.
    fn raised(self, estimate: Money) -> (Self, Self) {
        let new = Self { worst: self.worst.max(estimate), estimate: self.estimate.max(estimate) };
        let more = Self { worst: new.worst.minus(self.worst), estimate: new.estimate.minus(self.estimate) };
        (new, more)
    }
}
