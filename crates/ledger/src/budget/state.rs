//! All accounts and all open requests, under one lock.
//!
//! Each operation checks first and changes then, so that it happens as a whole or not at all.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, Hasher};

use types::{Money, RequestId, Timestamp};

use super::account::Account;
use super::check::{check, read};
use super::minutes::start_of;
use super::{Amounts, Blocked, Charge, Figures, Moment, Reading, Rule, Scope};

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
pub(super) enum Role {
    /// Pays what is billed, for the whole request.
    Payer,
    /// Pays what is billed, for the current attempt.
    Group,
    /// Is owed what the provider charges, for the current attempt.
    Supplier,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Share {
    pub(super) account: usize,
    pub(super) role: Role,
    /// How many of the open request's rules are its own.
    pub(super) rules: usize,
}

/// A request that holds something.
#[derive(Debug, Default)]
pub(super) struct Open {
    /// `None` marks a free place.
    pub(super) id: Option<RequestId>,
    pub(super) moment: Moment,
    pub(super) billed: Amounts,
    pub(super) provider: Amounts,
    pub(super) shares: Vec<Share>,
    /// Rules of the shares, one after the other, as they were at admission.
    pub(super) rules: Vec<Rule>,
    /// An attempt that runs beside the current one.
    pub(super) beside: Beside,
    /// What failed attempts cost, booked already.
    pub(super) losses: Vec<(usize, Money)>,
    /// The database has it although it is still open here.
    pub(super) applied: bool,
}

impl Open {
    pub(super) fn held(&self, role: Role) -> Amounts {
        if role == Role::Supplier { self.provider } else { self.billed }
    }
}

/// What the suppliers of a second attempt hold, which runs at the same time.
#[derive(Debug, Default)]
pub(super) struct Beside {
    pub(super) shares: Vec<Share>,
    pub(super) rules: Vec<Rule>,
    pub(super) provider: Amounts,
}

/// A request that is settled and not in the database yet.
#[derive(Debug)]
pub(super) struct Settled {
    pub(super) moment: Moment,
    pub(super) booked: Vec<(usize, Money)>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) numbers: HashMap<Scope, usize, BuildHasherDefault<ScopeHasher>>,
    pub(super) scopes: Vec<Scope>,
    pub(super) accounts: Vec<Account>,
    pub(super) open: Vec<Open>,
    pub(super) free: Vec<usize>,
    pub(super) settled: HashMap<RequestId, Settled>,
    pub(super) anchors: BTreeMap<Scope, Timestamp>,
}

/// The first that waiting does not help with, else the first.
pub(super) fn graver(one: Option<Blocked>, other: Option<Blocked>) -> Option<Blocked> {
    match (one, other) {
        (Some(one), Some(other)) if one.waits && !other.waits => Some(other),
        (None, other) => other,
        (one, _) => one,
    }
}

impl State {
    pub(super) fn number(&mut self, scope: Scope) -> usize {
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
    pub(super) fn join(&mut self, key: usize, role: Role, charges: &[Charge<'_>]) {
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

    pub(super) fn settle(&mut self, key: usize, billed: Money, provider: Money) {
        self.leave_beside(key, Money::ZERO);
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

    pub(super) fn take_anchors(&mut self) -> Vec<(Scope, Timestamp)> {
        std::mem::take(&mut self.anchors).into_iter().collect()
    }

    pub(super) fn set_allowance(&mut self, scope: Scope, granted: Option<Money>) {
        let number = self.number(scope);
        if let Some(account) = self.accounts.get_mut(number) {
            account.granted = granted.map(|granted| granted.nano().into());
        }
    }

    pub(super) fn shrink_allowance(&mut self, scope: Scope) -> Money {
        let number = self.number(scope);
        let Some(account) = self.accounts.get_mut(number) else { return Money::ZERO };
        let Some(granted) = account.granted else { return Money::ZERO };
        let needed = account.consumed + account.worst;
        account.granted = Some(granted.min(needed));
        Money::clamp_nano(granted - needed)
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
        let losing = self.open.iter().filter(|open| open.id.is_some() && !open.losses.is_empty()).count();
        u64::try_from(self.settled.len().saturating_add(losing)).unwrap_or(u64::MAX)
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
            for share in &request.beside.shares {
                if let Some(sum) = open.get_mut(share.account) {
                    sum.worst = sum.worst.plus(request.beside.provider.worst);
                    sum.estimate = sum.estimate.plus(request.beside.provider.estimate);
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
