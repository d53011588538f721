//! All accounts and all open requests, under one lock.
//!
//! Each operation checks first and changes then, so that it happens as a whole or not at all.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

use types::{Money, RequestId, Timestamp};

use super::account::Account;
use super::check::{check, read};
use super::minutes::start_of;
use super::{Amounts, Blocked, Charge, Figures, Loaded, Moment, Reading, Rule, Scope};

/// For scopes only, which are not chosen by strangers.
#[derive(Default)]
pub(super) struct ScopeHasher(u64);

impl Hasher for ScopeHasher {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0.rotate_left(5) ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

/// Whose amounts a charge holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// Pays what is billed, for the whole request.
    Payer,
    /// Pays what is billed, for the current attempt.
    Group,
    /// Is owed what the provider charges, for the current attempt.
    Supplier,
}

#[derive(Clone, Copy, Debug)]
struct Share {
    account: usize,
    role: Role,
    /// How many of the open request's rules are its own.
    rules: usize,
}

/// A request that holds something.
#[derive(Debug, Default)]
struct Open {
    /// `None` marks a free place.
    id: Option<RequestId>,
    moment: Moment,
    billed: Amounts,
    provider: Amounts,
    shares: Vec<Share>,
    /// Rules of the shares, one after the other, as they were at admission.
    rules: Vec<Rule>,
    /// What failed attempts cost, booked already.
    losses: Vec<(usize, Money)>,
    /// The database has it although it is still open here.
    applied: bool,
}

impl Open {
    fn held(&self, role: Role) -> Amounts {
        if role == Role::Supplier { self.provider } else { self.billed }
    }
}

/// A request that is settled and not in the database yet.
#[derive(Debug)]
struct Settled {
    moment: Moment,
    booked: Vec<(usize, Money)>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    numbers: HashMap<Scope, usize, BuildHasherDefault<ScopeHasher>>,
    scopes: Vec<Scope>,
    accounts: Vec<Account>,
    open: Vec<Open>,
    free: Vec<usize>,
    settled: HashMap<RequestId, Settled>,
    anchors: BTreeMap<Scope, Timestamp>,
}

/// The first that waiting does not help with, else the first.
fn graver(one: Option<Blocked>, other: Option<Blocked>) -> Option<Blocked> {
    match (one, other) {
        (Some(one), Some(other)) if one.waits && !other.waits => Some(other),
        (None, other) => other,
        (one, _) => one,
    }
}

impl State {
    fn number(&mut self, scope: Scope) -> usize {
        if let Some(number) = self.numbers.get(&scope) {
            return *number;
        }
        let number = self.accounts.len();
        self.accounts.push(Account::default());
        self.scopes.push(scope);
        self.numbers.insert(scope, number);
        number
    }

    fn account(&self, scope: Scope) -> Option<&Account> {
        self.accounts.get(*self.numbers.get(&scope)?)
    }

    pub(super) fn check_all(
        &mut self,
        at: Timestamp,
        charges: &[Charge<'_>],
        needed: Amounts,
    ) -> Option<Blocked> {
        let mut worst = None;
        for charge in charges {
            let known = self.numbers.get(&charge.scope).and_then(|number| self.accounts.get_mut(*number));
            let mut empty = Account::default();
            let account = known.unwrap_or(&mut empty);
            let found = check(account, charge.scope, charge.rules, at, needed, Amounts::default());
            worst = graver(worst, found);
            if worst.is_some_and(|blocked| !blocked.waits) {
                break;
            }
        }
        worst
    }

    pub(super) fn hold(
        &mut self,
        id: RequestId,
        moment: Moment,
        payers: &[Charge<'_>],
        amounts: Amounts,
    ) -> Result<usize, Blocked> {
        if let Some(blocked) = self.check_all(moment.at, payers, amounts) {
            return Err(blocked);
        }
        let key = self.free.pop().unwrap_or_else(|| {
            self.open.push(Open::default());
            self.open.len().saturating_sub(1)
        });
        if let Some(open) = self.open.get_mut(key) {
            open.id = Some(id);
            open.moment = moment;
            open.billed = amounts;
            open.applied = false;
        }
        self.join(key, Role::Payer, payers);
        Ok(key)
    }

    /// Adds shares that were checked.
    fn join(&mut self, key: usize, role: Role, charges: &[Charge<'_>]) {
        for charge in charges {
            let number = self.number(charge.scope);
            let (Some(open), Some(account)) = (self.open.get_mut(key), self.accounts.get_mut(number)) else {
                continue;
            };
            account.reserve(open.moment, open.held(role), true);
            if let Some(minute) = account.touch(open.moment.at, charge.rules) {
                self.anchors.insert(charge.scope, start_of(minute));
            }
            open.shares.push(Share { account: number, role, rules: charge.rules.len() });
            open.rules.extend_from_slice(charge.rules);
        }
    }

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

    pub(super) fn settle(&mut self, key: usize, billed: Money, provider: Money) {
        let Some(open) = self.open.get_mut(key) else { return };
        let mut booked = Vec::new();
        for (account, loss) in open.losses.drain(..) {
            booked.push((account, loss));
        }
        for share in &open.shares {
            let Some(account) = self.accounts.get_mut(share.account) else { continue };
            account.release(open.moment, open.held(share.role), true);
            let cost = if share.role == Role::Supplier { provider } else { billed };
            if !cost.is_zero() {
                account.book(open.moment, cost);
                booked.push((share.account, cost));
            }
        }
        open.shares.clear();
        open.rules.clear();
        open.provider = Amounts::default();
        let id = open.id.take().filter(|_| !open.applied && !booked.is_empty());
        if let Some(id) = id {
            self.settled.insert(id, Settled { moment: open.moment, booked });
        }
        self.free.push(key);
    }

    pub(super) fn amounts(&self, key: usize) -> Amounts {
        self.open.get(key).map(|open| open.billed).unwrap_or_default()
    }

    pub(super) fn applied(&mut self, ids: &[RequestId]) {
        let unknown: HashSet<_> = ids.iter().filter(|id| self.settled.remove(id).is_none()).collect();
        if unknown.is_empty() {
            return;
        }
        // Most of them cost nothing; one whose record was written before it was settled must not stay for ever.
        for open in self.open.iter_mut().filter(|open| open.id.is_some_and(|id| unknown.contains(&id))) {
            open.applied = true;
        }
    }

    pub(super) fn load(&mut self, spent: Vec<Loaded>, moment: Moment) {
        self.accounts.iter_mut().for_each(Account::clear);
        for loaded in spent {
            let number = self.number(loaded.scope);
            if let Some(account) = self.accounts.get_mut(number) {
                account.load(loaded, moment);
            }
        }
        let settled = self.settled.values().map(|settled| (settled.moment, settled.booked.as_slice()));
        let open = self.open.iter().filter(|open| !open.applied);
        let losses = open.map(|open| (open.moment, open.losses.as_slice()));
        for (moment, booked) in settled.chain(losses) {
            for (number, amount) in booked {
                if let Some(account) = self.accounts.get_mut(*number) {
                    account.count(moment, *amount);
                }
            }
        }
    }

    pub(super) fn reset(&mut self, scope: Scope, at: Timestamp) {
        let number = self.number(scope);
        if let Some(account) = self.accounts.get_mut(number) {
            account.reset();
        }
        // A later load must not bring back what the database leaves out from now on.
        for settled in self.settled.values_mut().filter(|settled| settled.moment.at <= at) {
            settled.booked.retain(|(account, _)| *account != number);
        }
        for open in &mut self.open {
            open.losses.retain(|(account, _)| *account != number);
        }
    }

    pub(super) fn take_anchors(&mut self) -> Vec<(Scope, Timestamp)> {
        std::mem::take(&mut self.anchors).into_iter().collect()
    }

    pub(super) fn set_allowance(&mut self, scope: Scope, granted: Option<Money>) {
        let number = self.number(scope);
        if let Some(account) = self.accounts.get_mut(number) {
            account.granted = granted.map(|granted| granted.nano().into());
        }
    }

    pub(super) fn read(&mut self, scope: Scope, rules: &[Rule], now: Timestamp) -> Vec<Reading> {
        let known = self.numbers.get(&scope).and_then(|number| self.accounts.get_mut(*number));
        let mut empty = Account::default();
        let account = known.unwrap_or(&mut empty);
        rules.iter().map(|rule| read(account, rule, now)).collect()
    }

    pub(super) fn open_holds(&self) -> u64 {
        u64::try_from(self.open.len().saturating_sub(self.free.len())).unwrap_or(u64::MAX)
    }

    pub(super) fn unapplied(&self) -> u64 {
        u64::try_from(self.settled.len()).unwrap_or(u64::MAX)
    }

    pub(super) fn reserved(&self, scope: Scope) -> Amounts {
        self.account(scope).map(Account::reserved).unwrap_or_default()
    }

    pub(super) fn total(&self, scope: Scope) -> Money {
        self.account(scope).map_or(Money::ZERO, |account| Money::clamp_nano(account.total))
    }

    pub(super) fn consumed(&self, scope: Scope) -> Money {
        self.account(scope).map_or(Money::ZERO, |account| Money::clamp_nano(account.consumed))
    }

    pub(super) fn figures(&self) -> Vec<Figures> {
        let mut open: Vec<Amounts> = vec![Amounts::default(); self.accounts.len()];
        for request in &self.open {
            for share in &request.shares {
                if let Some(sum) = open.get_mut(share.account) {
                    let held = request.held(share.role);
                    sum.worst = sum.worst.plus(held.worst);
                    sum.estimate = sum.estimate.plus(held.estimate);
                }
            }
        }
        let accounts = self.scopes.iter().zip(&self.accounts).zip(open);
        accounts
            .map(|((scope, account), open)| Figures {
                scope: *scope,
                total: Money::clamp_nano(account.total),
                worst: account.reserved().worst,
                estimate: account.reserved().estimate,
                open,
            })
            .collect()
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
