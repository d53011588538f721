//! What budgets should do, written as plainly as possible: maps of exact sums, and every window from scratch.

use std::collections::{BTreeMap, BTreeSet};

use types::limits::LimitName;
use types::{Money, Timestamp};

use super::super::{Amounts, Loaded, Moment, Rule, Scope, Span};
use super::{DAY, HOUR};

const MINUTE: i64 = 60_000;
const FIVE: i64 = 5 * HOUR;

fn minute(at: Timestamp) -> i64 {
    at.0.div_euclid(MINUTE)
}

/// Spent on one scope, as far as the process knows.
#[derive(Clone, Debug, Default)]
struct Sums {
    minutes: BTreeMap<i64, i128>,
    weeks: BTreeMap<Timestamp, i128>,
    months: BTreeMap<Timestamp, i128>,
    total: i128,
    windows: BTreeSet<i64>,
}

/// A request that holds something.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) id: u64,
    pub(super) moment: Moment,
    pub(super) billed: Amounts,
    pub(super) provider: Amounts,
    /// Whom it charges what is billed, with the rules of then.
    pub(super) payers: Vec<(Scope, Vec<Rule>)>,
    pub(super) groups: Vec<(Scope, Vec<Rule>)>,
    pub(super) suppliers: Vec<(Scope, Vec<Rule>)>,
    /// Booked already.
    pub(super) losses: Vec<(Scope, i128)>,
}

/// A request that ended, as the journal has it.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) id: u64,
    pub(super) moment: Moment,
    pub(super) costs: Vec<(Scope, i128)>,
    /// Whether the database has it.
    pub(super) applied: bool,
}

/// The whole reference.
#[derive(Clone, Debug, Default)]
pub(super) struct Reference {
    sums: BTreeMap<Scope, Sums>,
    pub(super) open: Vec<Request>,
    pub(super) journal: Vec<Row>,
    /// When usage was last reset.
    resets: BTreeMap<Scope, Timestamp>,
    /// Starts of windows as they were stored.
    pub(super) stored: BTreeMap<Scope, Timestamp>,
}

fn nano(money: Money) -> i128 {
    money.nano().into()
}

fn period_start(map: &BTreeMap<Timestamp, i128>, start: Timestamp) -> i128 {
    map.get(&start).copied().unwrap_or(0)
}

impl Reference {
    fn window(&self, scope: Scope, at: Timestamp) -> Option<i64> {
        let windows = &self.sums.get(&scope)?.windows;
        windows.iter().copied().find(|from| (*from..from + FIVE / MINUTE).contains(&minute(at)))
    }

    /// From and before which minute a rule looks, for windows of hours and days.
    fn stretch(&self, scope: Scope, rule: &Rule, at: Timestamp) -> (i64, i64) {
        match rule.span {
            Span::Rolling { ms } => (minute(at.plus_ms(-ms)), i64::MAX),
            Span::FirstUse { .. } => {
                let from = self.window(scope, at).unwrap_or(minute(at));
                (from, from + FIVE / MINUTE)
            }
            Span::Fixed { since, until } => (minute(since), minute(until)),
            Span::Always => (i64::MIN, i64::MAX),
        }
    }

    pub(super) fn used(&self, scope: Scope, rule: &Rule, at: Timestamp) -> i128 {
        let Some(sums) = self.sums.get(&scope) else { return 0 };
        match (rule.name, rule.span) {
            (LimitName::Week, Span::Fixed { since, .. }) => period_start(&sums.weeks, since),
            (LimitName::Month, Span::Fixed { since, .. }) => period_start(&sums.months, since),
            (_, Span::Always) => sums.total,
            _ => {
                let (from, to) = self.stretch(scope, rule, at);
                sums.minutes.range(from..to).map(|(_, sum)| sum).sum()
            }
        }
    }

    pub(super) fn reserved(&self, scope: Scope, rule: &Rule, at: Timestamp) -> i128 {
        let mut sum = 0;
        for request in &self.open {
            let inside = match (rule.name, rule.span) {
                (LimitName::Week, Span::Fixed { since, .. }) => request.moment.week == since,
                (LimitName::Month, Span::Fixed { since, .. }) => request.moment.month == since,
                _ => {
                    let (from, to) = self.stretch(scope, rule, at);
                    (from..to).contains(&minute(request.moment.at))
                }
            };
            let pick = |amounts: Amounts| nano(if rule.hard { amounts.worst } else { amounts.estimate });
            let on = |charges: &[(Scope, Vec<Rule>)]| charges.iter().any(|(charged, _)| *charged == scope);
            if inside && (on(&request.payers) || on(&request.groups)) {
                sum += pick(request.billed);
            }
            if inside && on(&request.suppliers) {
                sum += pick(request.provider);
            }
        }
        sum
    }

    /// Whether so much more fits everywhere.
    pub(super) fn fits(&self, at: Timestamp, charges: &[(Scope, Vec<Rule>)], more: Amounts) -> bool {
        let costs = !more.worst.is_zero() || !more.estimate.is_zero();
        charges.iter().flat_map(|(scope, rules)| rules.iter().map(move |rule| (*scope, rule))).all(
            |(scope, rule)| {
                let need = if rule.hard { nano(more.worst) } else { nano(more.estimate).max(1) };
                let nothing = !costs || (rule.hard && more.worst.is_zero());
                nothing
                    || self.used(scope, rule, at) + self.reserved(scope, rule, at) + need <= nano(rule.limit)
            },
        )
    }

    /// A use begins a window unless one runs.
    pub(super) fn touch(&mut self, at: Timestamp, charges: &[(Scope, Vec<Rule>)]) {
        for (scope, _) in charges {
            if self.window(*scope, at).is_some() {
                continue;
            }
            let windows = &mut self.sums.entry(*scope).or_default().windows;
            let from = minute(at);
            if let Some(later) = windows.range(from..from + FIVE / MINUTE).next().copied() {
                windows.remove(&later);
            }
            if windows.len() >= 4 {
                windows.pop_first();
            }
            windows.insert(from);
        }
    }

    pub(super) fn book(&mut self, scope: Scope, moment: Moment, amount: i128) {
        if !self.counts(moment, scope) {
            return;
        }
        let sums = self.sums.entry(scope).or_default();
        *sums.minutes.entry(minute(moment.at)).or_default() += amount;
        *sums.weeks.entry(moment.week).or_default() += amount;
        *sums.months.entry(moment.month).or_default() += amount;
        sums.total += amount;
    }

    pub(super) fn total(&self, scope: Scope) -> i128 {
        self.sums.get(&scope).map_or(0, |sums| sums.total)
    }

    /// What was admitted before a reset does not count.
    fn counts(&self, moment: Moment, scope: Scope) -> bool {
        self.resets.get(&scope).is_none_or(|reset| moment.at >= *reset)
    }

    /// What the database answers about a scope.
    pub(super) fn stored(&self, scope: Scope, now: Moment) -> Loaded {
        let rows = self.journal.iter().filter(|row| row.applied && self.counts(row.moment, scope));
        let costs =
            rows.flat_map(|row| row.costs.iter().filter(|(of, _)| *of == scope).map(move |(_, c)| (row, *c)));
        let costs: Vec<_> = costs.collect();
        let money = |keep: &dyn Fn(&Row) -> bool| {
            Money::clamp_nano(costs.iter().filter(|(row, _)| keep(row)).map(|(_, cost)| cost).sum())
        };
        let from = now.at.plus_ms(-DAY - HOUR);
        Loaded {
            scope,
            minutes: costs
                .iter()
                .filter(|(row, _)| row.moment.at >= from)
                .map(|(row, cost)| (row.moment.at, Money::clamp_nano(*cost)))
                .collect(),
            week: money(&|row| row.moment.week == now.week),
            month: money(&|row| row.moment.month == now.month),
            total: money(&|_| true),
            five_hours_since: self.stored.get(&scope).copied(),
            reset_at: self.resets.get(&scope).copied(),
        }
    }

    /// Forgets what the process knew and takes over the database's figures, and what the database does not have.
    pub(super) fn load(&mut self, now: Moment, scopes: &[Scope], restart: bool) {
        let loaded: Vec<_> = scopes.iter().map(|scope| self.stored(*scope, now)).collect();
        let old = std::mem::take(&mut self.sums);
        for loaded in loaded {
            let sums = self.sums.entry(loaded.scope).or_default();
            for (at, amount) in &loaded.minutes {
                *sums.minutes.entry(minute(*at)).or_default() += nano(*amount);
            }
            sums.weeks.insert(now.week, nano(loaded.week));
            sums.months.insert(now.month, nano(loaded.month));
            sums.total = nano(loaded.total);
            let known = old.get(&loaded.scope).map(|sums| sums.windows.clone()).unwrap_or_default();
            if !restart && !known.is_empty() {
                sums.windows = known;
                continue;
            }
            let uses = sums.minutes.iter().filter(|(_, sum)| **sum > 0).map(|(minute, _)| *minute);
            let uses: Vec<_> = loaded.five_hours_since.map(minute).into_iter().chain(uses).collect();
            for used in uses {
                if sums.windows.last().is_none_or(|last| used >= last + FIVE / MINUTE) {
                    sums.windows.insert(used);
                }
            }
            while sums.windows.len() > 4 {
                sums.windows.pop_first();
            }
        }
        let missing: Vec<_> = self.journal.iter().filter(|row| !row.applied).cloned().collect();
        for row in missing {
            for (scope, cost) in &row.costs {
                self.book(*scope, row.moment, *cost);
            }
        }
        for request in self.open.clone() {
            for (scope, loss) in request.losses {
                self.book(scope, request.moment, loss);
            }
        }
    }

    pub(super) fn reset(&mut self, scope: Scope, at: Timestamp) {
        let held = self.open.iter().any(|request| {
            let charges = request.payers.iter().chain(&request.groups).chain(&request.suppliers);
            charges.into_iter().any(|(charged, _)| *charged == scope)
        });
        let sums = self.sums.entry(scope).or_default();
        let windows = std::mem::take(&mut sums.windows);
        *sums = Sums { windows: if held { windows } else { BTreeSet::new() }, ..Sums::default() };
        if !held {
            self.stored.remove(&scope);
        }
        let last = self.resets.entry(scope).or_insert(at);
        *last = at.max(*last);
    }
}
