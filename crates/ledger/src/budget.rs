//! Money that may be spent: what is used, what is held, and whether a request still fits, over all scopes at once.
//!
//! One mutex, so that a request fits everywhere or holds nothing. It is authoritative while the process runs and is
//! [loaded](Budgets::load) from the database at the start; it does no IO, reads no clock, knows no calendar (windows
//! come in as instants) and does not wait: who is [told to](Blocked::waits) does so himself.
//!
//! Every scope that is ever charged is tracked in all windows, so that a new limit starts with the right figures.
//! What was spent is kept by the minute, so rolling windows are up to a minute longer than they say, never shorter.

mod account;
mod attempt;
mod beside;
mod check;
mod hold;
mod minutes;
mod state;
#[cfg(test)]
mod tests;
mod truth;

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use types::limits::LimitName;
use types::quota::ScopeKind;
use types::{Money, RequestId, Timestamp};

pub use hold::Hold;
use state::State;

/// What a limit stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Scope {
    /// What kind of thing.
    pub kind: ScopeKind,
    /// Its identity; 0 for the whole gateway.
    pub id: i64,
}

impl Hash for Scope {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // In one piece, for the hasher in `state`.
        let kind = match self.kind {
            ScopeKind::Global => 0,
            ScopeKind::User => 1,
            ScopeKind::Key => 2,
            ScopeKind::Group => 3,
            ScopeKind::Package => 4,
            ScopeKind::Provider => 5,
            ScopeKind::Credential => 6,
        };
        state.write_u64(self.id.cast_unsigned().rotate_left(3) ^ kind);
    }
}

/// Which stretch of time a limit is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// Always the last so many milliseconds, at most 25 hours.
    Rolling {
        /// Length.
        ms: i64,
    },
    /// From the first request after the window before was over, at most 25 hours.
    FirstUse {
        /// Length.
        ms: i64,
    },
    /// From one instant to another: a day, a calendar week or month.
    Fixed {
        /// Its start.
        since: Timestamp,
        /// Its end, which does not belong to it.
        until: Timestamp,
    },
    /// Since usage was last reset.
    Always,
}

/// One limit in USD.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its name; with a [fixed](Span::Fixed) span, `Week` and `Month` are the calendar's.
    pub name: LimitName,
    /// The amount in force.
    pub limit: Money,
    /// Held by the worst case, never exceeded. Otherwise an estimate is held.
    pub hard: bool,
    /// Over which time.
    pub span: Span,
}

/// An instant, and the calendar around it in the billing time zone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// Wall time.
    pub at: Timestamp,
    /// Start of the week that contains it.
    pub week: Timestamp,
    /// Start of the month that contains it.
    pub month: Timestamp,
}

/// A scope with its limits, possibly none.
#[derive(Clone, Copy, Debug)]
pub struct Charge<'a> {
    /// What is charged. The same scope must not be charged twice by one request.
    pub scope: Scope,
    /// What limits it now.
    pub rules: &'a [Rule],
}

/// What to hold for a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amounts {
    /// The most that it can cost: held on hard limits.
    pub worst: Money,
    /// What it will probably cost: held on estimated limits.
    pub estimate: Money,
}

/// Why something does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blocked {
    /// Where.
    pub scope: Scope,
    /// Which limit.
    pub name: LimitName,
    /// Settled in its window.
    pub used: Money,
    /// Held in its window, by this request too.
    pub reserved: Money,
    /// Its amount.
    pub limit: Money,
    /// What was asked for on top.
    pub needed: Money,
    /// When the window begins anew; of a rolling one, when enough has left it. `None` for totals, for amounts that
    /// never fit, and for a window that begins with the next use.
    pub resets_at: Option<Timestamp>,
    /// Whether the window is a rolling one.
    pub rolling: bool,
    /// Only what others hold (or a share of another instance) is in the way: it may fit once they are settled.
    pub waits: bool,
    /// It is this instance's share that is used up; `used` and `limit` are those of the share.
    pub allowance: bool,
}

/// One limit as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Which limit.
    pub name: LimitName,
    /// Settled in the current window.
    pub used: Money,
    /// Held in it.
    pub reserved: Money,
    /// When it began; `None` for rolling windows, totals, and one that begins with the next use.
    pub since: Option<Timestamp>,
    /// When it begins anew; likewise.
    pub resets_at: Option<Timestamp>,
}

/// What the database says that a scope has spent since its last reset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// Which scope.
    pub scope: Scope,
    /// By minute of admission, the last 25 hours, in any order.
    pub minutes: Vec<(Timestamp, Money)>,
    /// In the calendar week of the [moment](Moment) that it is loaded with.
    pub week: Money,
    /// In the calendar month.
    pub month: Money,
    /// Altogether.
    pub total: Money,
    /// Start of the last window of five hours that began with a use, if known.
    pub five_hours_since: Option<Timestamp>,
    /// When it was last reset: what was admitted before does not count, also if it is settled only now.
    pub reset_at: Option<Timestamp>,
}

struct Shared {
    state: Mutex<State>,
    waker: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

/// The budgets of all scopes; cheap to clone.
#[derive(Clone)]
pub struct Budgets(Arc<Shared>);

impl Budgets {
    /// Nothing spent, nothing held.
    pub fn new() -> Self {
        Self(Arc::new(Shared { state: Mutex::new(State::default()), waker: OnceLock::new() }))
    }

    // Every change of the state is made of steps that cannot panic, so a poisoned lock has whole figures.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self) {
        if let Some(waker) = self.0.waker.get() {
            waker();
        }
    }

    /// Sets what is called, without the lock, whenever something was released or a limit moved, so that what waits
    /// may try again. It must return at once and must not panic. Only the first call counts.
    pub fn set_waker(&self, waker: impl Fn() + Send + Sync + 'static) {
        let _ = self.0.waker.set(Box::new(waker));
    }

    /// Holds a request's amounts on those who pay for it, on all of them or on none.
    ///
    /// What it will cost belongs to the windows of `moment`. If several limits are in the way, one that waiting does
    /// not help with is named before others, then the first in the order given.
    pub fn hold(
        &self,
        id: RequestId,
        moment: Moment,
        payers: &[Charge<'_>],
        amounts: Amounts,
    ) -> Result<Hold, Blocked> {
        let key = self.state().hold(id, moment, payers, amounts)?;
        Ok(Hold::new(self.clone(), key, moment))
    }

    /// What would be in the way; takes nothing.
    pub fn would_block(&self, moment: Moment, charges: &[Charge<'_>], amounts: Amounts) -> Option<Blocked> {
        self.state().check_all(moment.at, charges, amounts)
    }

    /// How far each limit is used.
    pub fn read(&self, scope: Scope, rules: &[Rule], now: Timestamp) -> Vec<Reading> {
        self.state().read(scope, rules, now)
    }

    /// Requests that hold something.
    pub fn open_holds(&self) -> u64 {
        self.state().open_holds()
    }

    /// What requests hold on a scope, in the worst case.
    pub fn reserved(&self, scope: Scope) -> Money {
        self.state().reserved(scope).worst
    }

    /// What the scope has spent since its last reset, as far as it is known here.
    pub fn total(&self, scope: Scope) -> Money {
        self.state().total(scope)
    }

    /// Replaces all figures by those of the database: at the start, and after a change of the billing zone or a
    /// re-price. What is held stays, and what was settled but is not yet [applied](Self::applied) is added.
    ///
    /// Nothing may be applied to the database between the reading of `spent` and this call, or it counts twice until
    /// the next load.
    pub fn load(&self, spent: Vec<Loaded>, moment: Moment) {
        self.state().load(spent, moment);
        self.wake();
    }

    /// Notes that the database has these requests now.
    pub fn applied(&self, ids: &[RequestId]) {
        self.state().applied(ids);
    }

    /// Requests that were settled here, wholly or (failed attempts) in part, and are not yet in the database.
    pub fn unapplied(&self) -> u64 {
        self.state().unapplied()
    }

    /// Usage of a scope counts from zero again: of what was admitted at `at` or later. What runs keeps what it holds
    /// and settles into the time before.
    ///
    /// `at` must be later than every admission so far, or the database, which goes by the same rule, counts some of
    /// what is forgotten here.
    pub fn reset(&self, scope: Scope, at: Timestamp) {
        self.state().reset(scope, at);
        self.wake();
    }

    /// Windows that began with a use since the last call, to be kept across restarts.
    pub fn take_anchors(&self) -> Vec<(Scope, Timestamp)> {
        self.state().take_anchors()
    }

    /// The part of a scope's budget that this instance may spend, counted from the start of the process: its holds
    /// fit only while [`consumed`](Self::consumed) and everything held stay within it. `None` lifts that.
    pub fn set_allowance(&self, scope: Scope, granted: Option<Money>) {
        self.state().set_allowance(scope, granted);
        self.wake();
    }

    /// Lowers a scope's allowance to what is consumed and held now, and answers how much that leaves over: it may be
    /// given back, because from here on nothing can be held on it.
    pub fn shrink_allowance(&self, scope: Scope) -> Money {
        self.state().shrink_allowance(scope)
    }

    /// What was settled on a scope since the process started. It only grows; neither a load nor a reset changes it.
    pub fn consumed(&self, scope: Scope) -> Money {
        self.state().consumed(scope)
    }

    /// Every scope with what it has spent altogether and what is held on it, for audits.
    pub fn figures(&self) -> Vec<Figures> {
        self.state().figures()
    }
}

/// A scope's sums, for audits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figures {
    /// Which scope.
    pub scope: Scope,
    /// Spent since its last reset.
    pub total: Money,
    /// Held on hard limits.
    pub worst: Money,
    /// Held on estimated limits.
    pub estimate: Money,
    /// The same two again, added up from the requests that are open.
    pub open: Amounts,
}

impl Default for Budgets {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Budgets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Budgets").field("open_holds", &self.open_holds()).finish_non_exhaustive()
    }
}
