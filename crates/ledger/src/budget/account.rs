//! One scope: what was spent on it in every window, and what is held on it.
//!
//! It answers with figures; whether something fits is `check`'s business.

use types::limits::LimitName;
use types::{Money, Timestamp};

use super::minutes::{KEPT, Minutes, Stretch, minute_of, minutes_in};
use super::{Amounts, Moment, Rule, Span};

const FIVE_HOURS_MS: i64 = 5 * Timestamp::HOUR_MS;
/// Calendar weeks (and months) that are kept beside each other: a clock that jumps back finds the old ones.
const PERIODS: usize = 4;
/// Starts of the same week or month in two time zones are less than this apart, those of two weeks more.
const SAME_PERIOD_MS: i64 = 2 * Timestamp::DAY_MS;

/// The part of an account that a rule looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Window {
    Minutes(Stretch),
    Week(Timestamp),
    Month(Timestamp),
    All,
}

/// What was admitted in one minute and is open.
#[derive(Clone, Copy, Debug)]
struct Held {
    minute: i64,
    moment: Moment,
    count: u64,
    worst: i128,
    estimate: i128,
}

#[derive(Debug, Default)]
pub(super) struct Account {
    minutes: Minutes,
    weeks: Vec<(Timestamp, i128)>,
    months: Vec<(Timestamp, i128)>,
    pub(super) total: i128,
    /// First minutes of the last windows that began with a use, ascending.
    anchors: Vec<i64>,
    held: Vec<Held>,
    pub(super) worst: i128,
    pub(super) estimate: i128,
    pub(super) consumed: i128,
    pub(super) granted: Option<i128>,
    /// What was admitted before it does not count; the latest, also if the clock was put back since.
    reset_at: Option<Timestamp>,
}

fn same_period(one: Timestamp, other: Timestamp) -> bool {
    one.0.abs_diff(other.0) < SAME_PERIOD_MS.unsigned_abs()
}

fn add_to(periods: &mut Vec<(Timestamp, i128)>, start: Timestamp, nano: i128) {
    if let Some((_, sum)) = periods.iter_mut().rev().find(|(known, _)| same_period(*known, start)) {
        *sum += nano;
        return;
    }
    // The oldest goes, but never the newcomer: a clock that jumped back far is where requests are now.
    if periods.len() >= PERIODS {
        periods.remove(0);
    }
    periods.push((start, nano));
    periods.sort_unstable();
}

fn in_period(periods: &[(Timestamp, i128)], start: Timestamp) -> i128 {
    periods.iter().rev().find(|(known, _)| same_period(*known, start)).map_or(0, |(_, sum)| *sum)
}

impl Account {
    /// Where a rule looks at an instant. What cannot be told apart any more counts as a whole.
    pub(super) fn window(&self, rule: &Rule, at: Timestamp) -> Window {
        match rule.span {
            Span::Rolling { ms } if minutes_in(ms) < KEPT => {
                Window::Minutes(Stretch { from: minute_of(at.plus_ms(ms.saturating_neg())), to: i64::MAX })
            }
            Span::FirstUse { ms } if minutes_in(ms) < KEPT => {
                Window::Minutes(self.first_use(ms, at).unwrap_or_else(|| first_use_from(minute_of(at), ms)))
            }
            Span::Fixed { since, .. } if rule.name == LimitName::Week => Window::Week(since),
            Span::Fixed { since, .. } if rule.name == LimitName::Month => Window::Month(since),
            Span::Fixed { since, until } if minute_of(at).saturating_sub(minute_of(since)) < KEPT => {
                Window::Minutes(Stretch { from: minute_of(since), to: minute_of(until) })
            }
            Span::Rolling { .. } | Span::FirstUse { .. } | Span::Fixed { .. } | Span::Always => Window::All,
        }
    }

    /// The window that began with a use and contains an instant.
    pub(super) fn first_use(&self, ms: i64, at: Timestamp) -> Option<Stretch> {
        let windows = self.anchors.iter().rev().map(|anchor| first_use_from(*anchor, ms));
        windows.into_iter().find(|window| window.contains(minute_of(at)))
    }

    pub(super) fn used(&mut self, window: Window, name: LimitName) -> i128 {
        match window {
            Window::Minutes(stretch) => self.minutes.sum(usize::from(name != LimitName::FiveHours), stretch),
            Window::Week(start) => in_period(&self.weeks, start),
            Window::Month(start) => in_period(&self.months, start),
            Window::All => self.total,
        }
    }

    /// What is held in a window: worst case and estimate.
    pub(super) fn held(&self, window: Window) -> (i128, i128) {
        let within = |held: &&Held| match window {
            Window::Minutes(stretch) => stretch.contains(held.minute),
            Window::Week(start) => same_period(held.moment.week, start),
            Window::Month(start) => same_period(held.moment.month, start),
            Window::All => true,
        };
        self.held.iter().filter(within).fold((0, 0), |sum, held| (sum.0 + held.worst, sum.1 + held.estimate))
    }

    pub(super) fn reserved(&self) -> Amounts {
        Amounts { worst: Money::clamp_nano(self.worst), estimate: Money::clamp_nano(self.estimate) }
    }

    /// When so much has left a rolling window.
    pub(super) fn leaves(&self, stretch: Stretch, excess: i128) -> Option<i64> {
        self.minutes.leaves(stretch.from, excess)
    }

    /// Begins a window with this use unless one runs; says which minute it began in if a rule asks for it.
    pub(super) fn touch(&mut self, at: Timestamp, rules: &[Rule]) -> Option<i64> {
        let own = rules.iter().find_map(|rule| match rule.span {
            Span::FirstUse { ms } => Some(ms),
            _ => None,
        });
        let ms = own.unwrap_or(FIVE_HOURS_MS);
        if self.first_use(ms, at).is_some() {
            return None;
        }
        let minute = minute_of(at);
        self.begin(first_use_from(minute, ms));
        own.map(|_| minute)
    }

    fn begin(&mut self, window: Stretch) {
        // A use that waited may come after a later one: then the window began earlier than it seemed.
        if let Some(later) = self.anchors.iter_mut().find(|anchor| window.contains(**anchor)) {
            *later = window.from;
            return;
        }
        if self.anchors.len() >= PERIODS {
            self.anchors.remove(0);
        }
        self.anchors.push(window.from);
        self.anchors.sort_unstable();
    }

    /// Holds `more` on top of what a request that was admitted then holds; `new` says that it holds nothing yet.
    pub(super) fn reserve(&mut self, moment: Moment, more: Amounts, new: bool) {
        let (worst, estimate) = (i128::from(more.worst.nano()), i128::from(more.estimate.nano()));
        self.worst += worst;
        self.estimate += estimate;
        let minute = minute_of(moment.at);
        let same = |held: &&mut Held| {
            held.minute == minute && held.moment.week == moment.week && held.moment.month == moment.month
        };
        if let Some(held) = self.held.iter_mut().rev().find(same) {
            held.count = held.count.saturating_add(u64::from(new));
            held.worst += worst;
            held.estimate += estimate;
        } else {
            self.held.push(Held { minute, moment, count: 1, worst, estimate });
        }
    }

    /// Lets go of a part (`last` says: of all) of what a request that was admitted then holds.
    pub(super) fn release(&mut self, moment: Moment, less: Amounts, last: bool) {
        let (worst, estimate) = (i128::from(less.worst.nano()), i128::from(less.estimate.nano()));
        self.worst -= worst;
        self.estimate -= estimate;
        let minute = minute_of(moment.at);
        let at = self.held.iter().rposition(|held| {
            held.minute == minute && held.moment.week == moment.week && held.moment.month == moment.month
        });
        let Some(at) = at else { return };
        let Some(held) = self.held.get_mut(at) else { return };
        held.count = held.count.saturating_sub(u64::from(last));
        held.worst -= worst;
        held.estimate -= estimate;
        if held.count == 0 {
            self.held.swap_remove(at);
        }
    }

    /// Books something that was admitted then.
    pub(super) fn book(&mut self, moment: Moment, amount: Money) {
        self.consumed += i128::from(amount.nano());
        self.count(moment, amount);
    }

    /// Adds to the windows only, unless it was admitted before the last reset: the database leaves that out too.
    pub(super) fn count(&mut self, moment: Moment, amount: Money) {
        if amount.is_zero() || self.reset_at.is_some_and(|reset| moment.at < reset) {
            return;
        }
        let nano = i128::from(amount.nano());
        self.minutes.add(minute_of(moment.at), amount.nano());
        add_to(&mut self.weeks, moment.week, nano);
        add_to(&mut self.months, moment.month, nano);
        self.total += nano;
    }

    /// Forgets what was spent, but neither what is held nor when windows began.
    pub(super) fn clear(&mut self) {
        self.minutes.clear();
        self.weeks.clear();
        self.months.clear();
        self.total = 0;
    }

    /// Begins anew, but for what is held and the window that it settles into.
    pub(super) fn reset(&mut self, at: Timestamp) {
        self.clear();
        self.reset_at = self.reset_at.max(Some(at));
        if self.held.is_empty() {
            self.anchors.clear();
        }
    }

    /// Takes over figures of the database into a cleared account.
    pub(super) fn load(&mut self, loaded: super::Loaded, moment: Moment) {
        self.reset_at = self.reset_at.max(loaded.reset_at);
        let mut minutes = loaded.minutes;
        minutes.sort_unstable();
        for (at, amount) in minutes {
            self.minutes.add(minute_of(at), amount.nano());
        }
        add_to(&mut self.weeks, moment.week, loaded.week.nano().into());
        add_to(&mut self.months, moment.month, loaded.month.nano().into());
        self.total += i128::from(loaded.total.nano());
        if !self.anchors.is_empty() {
            return;
        }
        // The last start may have been lost in a crash; what was spent since shows where it was.
        let known = loaded.five_hours_since.map(minute_of);
        for minute in known.into_iter().chain(self.minutes.used()) {
            let open = self.anchors.last().map(|anchor| first_use_from(*anchor, FIVE_HOURS_MS));
            if open.is_none_or(|open| minute >= open.to) {
                self.anchors.push(minute);
            }
        }
        self.anchors.drain(..self.anchors.len().saturating_sub(PERIODS));
    }
}

fn first_use_from(anchor: i64, ms: i64) -> Stretch {
    Stretch { from: anchor, to: anchor.saturating_add(minutes_in(ms)) }
}
