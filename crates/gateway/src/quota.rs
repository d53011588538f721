//! Which limits stand in a request's way: rates, what runs at once, and money.
//!
//! It knows limits and counts; what a request would cost is the caller's business, and the amounts that were spent
//! and held are `ledger::budget`'s.

pub(crate) mod calendar;
pub(crate) mod concurrency;
pub(crate) mod estimate;
pub(crate) mod rate;
pub(crate) mod share;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arc_swap::ArcSwap;
use ledger::budget::{Budgets, Charge, Moment, Rule, Scope, Span};
use tokio::sync::Notify;
use types::Timestamp;
use types::limits::{LimitName, Limits};
use types::quota::ScopeKind;

use calendar::Calendar;
use concurrency::{SlotRule, Slots};
use estimate::Estimates;
use rate::{RateRule, Rates};

/// Requests that may wait for money at the same time.
const MAX_WAITING: usize = 1_024;

/// Everything that limits requests.
#[derive(Debug)]
pub(crate) struct Quotas {
    pub(crate) budgets: Budgets,
    pub(crate) rates: Rates,
    pub(crate) slots: Slots,
    pub(crate) estimates: Estimates,
    calendar: ArcSwap<Calendar>,
    /// Told whenever held money was let go.
    released: Arc<Notify>,
    waiting: AtomicUsize,
    /// `ENABLE_RATE_LIMIT`: without it nothing is refused, and money is booked all the same.
    enforced: bool,
}

/// A scope and its rules in force now.
pub(crate) type Rules = (Scope, Vec<Rule>);

impl Quotas {
    /// Nothing spent yet.
    pub(crate) fn new(enforced: bool) -> Self {
        let (budgets, released) = (Budgets::new(), Arc::new(Notify::new()));
        let waker = released.clone();
        budgets.set_waker(move || waker.notify_waiters());
        Self {
            budgets,
            rates: Rates::default(),
            slots: Slots::default(),
            estimates: Estimates::default(),
            calendar: ArcSwap::from_pointee(Calendar::utc()),
            released,
            waiting: AtomicUsize::new(0),
            enforced,
        }
    }

    /// Uses another time zone from now on; false, and no change, if there is none of that name.
    pub(crate) fn set_zone(&self, zone: &str) -> bool {
        let Some(calendar) = Calendar::of(zone) else { return false };
        self.calendar.store(Arc::new(calendar));
        true
    }

    /// Minutes since midnight in the billing time zone.
    pub(crate) fn minute_of_day(&self, now: Timestamp) -> u16 {
        self.calendar.load().minute_of_day(now)
    }

    /// An instant with the beginnings of its week and month.
    pub(crate) fn moment(&self, now: Timestamp) -> Moment {
        self.calendar.load().moment(now)
    }

    /// The window of a limit in USD at an instant.
    pub(crate) fn span(&self, name: LimitName, limits: &Limits, now: Timestamp) -> Span {
        self.calendar.load().span(name, limits, now)
    }

    /// The rules on money of a scope, in the order in which they are named to a caller: the longest window first.
    pub(crate) fn money(&self, scope: Scope, limits: &Limits, now: Timestamp) -> Rules {
        const ORDER: [LimitName; 5] =
            [LimitName::Total, LimitName::FiveHours, LimitName::Day, LimitName::Week, LimitName::Month];
        if !self.enforced || !limits.has_money() {
            return (scope, Vec::new());
        }
        let calendar = self.calendar.load();
        let rules = ORDER
            .into_iter()
            .filter_map(|name| {
                let limit = limits.usd_at(name, now)?;
                let span = calendar.span(name, limits, now);
                Some(Rule { name, limit, hard: limits.is_hard(name), span })
            })
            .collect();
        (scope, rules)
    }

    /// The limits per minute of a scope; `None` if it has none.
    pub(crate) fn rate(&self, scope: Scope, limits: &Limits) -> Option<RateRule> {
        let any = self.enforced && (limits.rpm_limit.is_some() || limits.tpm_limit.is_some());
        any.then_some(RateRule { scope, rpm: limits.rpm_limit, tpm: limits.tpm_limit })
    }

    /// The limits of a scope on what runs at once; `None` if it has none and is not counted either. Users always are,
    /// because the cache page shows what they run.
    pub(crate) fn slot(&self, scope: Scope, limits: &Limits) -> Option<SlotRule> {
        let (mut requests, mut sessions) = (limits.max_concurrent_requests, limits.limit_concurrent_sessions);
        if !self.enforced {
            (requests, sessions) = (None, None);
        }
        let wanted = requests.is_some() || sessions.is_some() || scope.kind == ScopeKind::User;
        wanted.then_some(SlotRule { scope, requests, sessions })
    }

    /// A place among those who wait for money; `None` if too many wait already.
    pub(crate) fn wait(&self) -> Option<Waiting<'_>> {
        self.waiting
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |n| (n < MAX_WAITING).then(|| n + 1))
            .ok()
            .map(|_| Waiting(self))
    }

    /// Requests that wait for money now.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Acquire)
    }
}

/// One who waits for money.
#[derive(Debug)]
pub(crate) struct Waiting<'a>(&'a Quotas);

impl Waiting<'_> {
    /// Completes when held money was let go after this call; make it before the look that it follows.
    pub(crate) fn released(&self) -> tokio::sync::futures::Notified<'_> {
        self.0.released.notified()
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Rules as the budgets take them.
pub(crate) fn charges(rules: &[Rules]) -> Vec<Charge<'_>> {
    rules.iter().map(|(scope, rules)| Charge { scope: *scope, rules }).collect()
}

/// The scope of something by its number.
pub(crate) fn scope(kind: ScopeKind, id: i64) -> Scope {
    Scope { kind, id }
}
