//! Random histories of requests, clocks, resets and crashes: budgets must do what the [reference](super::reference)
//! does, and no hard limit is ever exceeded. Mutants of the driver show that the comparison can fail.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestError, TestRunner};
use types::quota::ScopeKind;
use types::{Money, Timestamp};

use super::super::{Amounts, Blocked, Budgets, Charge, Hold, Moment, Rule, Scope};
use super::calendar::{KINDS, Kind, moment, rule_at};
use super::reference::{Reference, Request, Row};
use super::steps::{Mutant, SCOPES, Step, step};
use super::{DAY, HOUR, id, nano, scope};

struct World {
    mutant: Mutant,
    budgets: Budgets,
    reference: Reference,
    holds: Vec<Hold>,
    limits: Vec<(Scope, Kind, i64, bool)>,
    now: Timestamp,
    next: u64,
}

fn scope_of(n: usize) -> Scope {
    let (kind, id) = SCOPES[n];
    scope(kind, id)
}

fn charges(list: &[(Scope, Vec<Rule>)]) -> Vec<Charge<'_>> {
    list.iter().map(|(scope, rules)| Charge { scope: *scope, rules }).collect()
}

impl World {
    fn new(mutant: Mutant) -> Self {
        let limits = vec![
            (scope_of(0), Kind::Month, 900, false),
            (scope_of(0), Kind::FiveRolling, 300, true),
            (scope_of(1), Kind::DayFixed, 250, true),
            (scope_of(1), Kind::Week, 400, true),
            (scope_of(2), Kind::FiveFirstUse, 120, true),
            (scope_of(2), Kind::Total, 700, true),
            (scope_of(3), Kind::DayRolling, 200, false),
            (scope_of(4), Kind::DayRolling, 150, true),
        ];
        Self {
            mutant,
            budgets: Budgets::new(),
            reference: Reference::default(),
            holds: Vec::new(),
            limits,
            now: Timestamp(20_000 * DAY + 7 * HOUR),
            next: 0,
        }
    }

    fn now(&self) -> Moment {
        moment(self.now)
    }

    fn with_rules(&self, scopes: &[Scope], at: Timestamp) -> Vec<(Scope, Vec<Rule>)> {
        let rules = |scope: Scope| {
            let own = self.limits.iter().filter(|(of, ..)| *of == scope);
            own.map(|(_, kind, limit, hard)| rule_at(*kind, *limit, *hard, at)).collect()
        };
        scopes.iter().map(|scope| (*scope, rules(*scope))).collect()
    }

    fn step(&mut self, step: &Step) -> Result<(), String> {
        match *step {
            Step::Admit { payers, worst, estimate } => {
                let amounts = Amounts { worst: nano(worst.max(estimate)), estimate: nano(estimate) };
                self.admit(payers, amounts)?;
            }
            Step::Tick { ms } | Step::ClockJump { ms } => self.now = self.now.plus_ms(ms),
            Step::WindowRoll { length } => {
                self.now = Timestamp(self.now.0 - self.now.0.rem_euclid(length) + length);
            }
            Step::Limit { scope, kind, limit, hard } => {
                let (scope, kind) = (scope_of(scope), KINDS[kind]);
                self.limits.retain(|(of, known, ..)| (*of, *known) != (scope, kind));
                self.limits.extend(limit.map(|limit| (scope, kind, limit, hard)));
            }
            Step::Reset { scope } => {
                if self.mutant != Mutant::ForgetReset {
                    self.budgets.reset(scope_of(scope), self.now);
                }
                self.reference.reset(scope_of(scope), self.now);
            }
            Step::PriceChange { percent } => {
                for row in self.reference.journal.iter_mut().filter(|row| row.applied) {
                    row.costs.iter_mut().for_each(|(_, cost)| *cost = *cost * i128::from(percent) / 100);
                }
                self.load();
            }
            Step::Apply { rows } => self.apply(rows),
            Step::Load => self.load(),
            Step::Restart { apply } => self.restart(apply),
            _ if self.holds.is_empty() => {}
            Step::Failover { which, supplier, worst, estimate } => {
                let amounts = Amounts { worst: nano(worst.max(estimate)), estimate: nano(estimate) };
                self.failover(which % self.holds.len(), supplier, amounts)?;
            }
            Step::Fail { which, cost } => self.fail(which % self.holds.len(), cost),
            Step::Raise { which, estimate } => self.raise(which % self.holds.len(), estimate, false)?,
            Step::RaiseProvider { which, estimate } => {
                self.raise(which % self.holds.len(), estimate, true)?;
            }
            Step::Resize { which, worst, estimate } => {
                let amounts = Amounts { worst: nano(worst.max(estimate)), estimate: nano(estimate) };
                self.resize(which % self.holds.len(), amounts)?;
            }
            Step::Settle { which, percent } => self.settle(which % self.holds.len(), percent),
            Step::Abort { which } => self.settle(which % self.holds.len(), -1),
        }
        let anchors = self.budgets.take_anchors();
        self.reference.stored.extend(anchors);
        self.compare()
    }

    fn agree<T>(&self, what: &str, got: &Result<T, Blocked>, fits: bool) -> Result<(), String> {
        if got.is_ok() == fits {
            return Ok(());
        }
        let got = got.as_ref().err();
        Err(format!("{what} at {}: fits {fits}, but {got:?}", self.now))
    }

    fn admit(&mut self, mask: u8, billed: Amounts) -> Result<(), String> {
        let scopes: Vec<_> = (0..3).filter(|n| mask & (1 << n) != 0).map(scope_of).collect();
        let payers = self.with_rules(&scopes, self.now);
        let fits = self.reference.fits(self.now, &payers, billed);
        let mut given = charges(&payers);
        if self.mutant == Mutant::FirstScopeOnly {
            given.iter_mut().skip(1).for_each(|charge| charge.rules = &[]);
        }
        let late = if self.mutant == Mutant::LateBooking { HOUR } else { 0 };
        self.next += 1;
        let got = self.budgets.hold(id(self.next), moment(self.now.plus_ms(late)), &given, billed);
        self.agree("admit", &got, fits)?;
        let Ok(hold) = got else { return Ok(()) };
        self.reference.touch(self.now, &payers);
        let request = Request {
            id: self.next,
            moment: self.now(),
            billed,
            provider: Amounts::default(),
            payers,
            groups: Vec::new(),
            suppliers: Vec::new(),
            losses: Vec::new(),
        };
        self.reference.open.push(request);
        self.holds.push(hold);
        let request = self.reference.open.last().unwrap();
        self.never_over(request, &request.payers)
    }

    /// INV-5 of what was just held, from the reference's figures alone.
    fn never_over(&self, request: &Request, charges: &[(Scope, Vec<Rule>)]) -> Result<(), String> {
        for (scope, rules) in charges {
            let supplier = request.suppliers.iter().any(|(of, _)| of == scope);
            let new = if supplier { request.provider } else { request.billed };
            for rule in rules.iter().filter(|rule| rule.hard && !new.worst.is_zero()) {
                let at = request.moment.at;
                let sum = self.reference.used(*scope, rule, at) + self.reference.reserved(*scope, rule, at);
                if sum > i128::from(rule.limit.nano()) {
                    return Err(format!("overshoot of {rule:?} on {scope:?}: {sum}"));
                }
            }
        }
        Ok(())
    }

    fn failover(&mut self, which: usize, supplier: i64, provider: Amounts) -> Result<(), String> {
        let at = self.reference.open[which].moment.at;
        let suppliers = self.with_rules(&[scope(ScopeKind::Provider, supplier)], at);
        let groups = self.with_rules(&[scope_of(3)], at);
        let request = &mut self.reference.open[which];
        (request.suppliers, request.groups, request.provider) = (Vec::new(), Vec::new(), Amounts::default());
        let billed = request.billed;
        let fits = self.reference.fits(at, &suppliers, provider) && self.reference.fits(at, &groups, billed);
        let got = self.holds[which].attempt(&charges(&suppliers), &charges(&groups), provider);
        self.agree("attempt", &got, fits)?;
        if fits {
            self.reference.touch(at, &suppliers);
            self.reference.touch(at, &groups);
            let request = &mut self.reference.open[which];
            (request.suppliers, request.groups, request.provider) = (suppliers, groups, provider);
            let request = &self.reference.open[which];
            self.never_over(request, &request.suppliers)?;
            self.never_over(request, &request.groups)?;
        }
        Ok(())
    }

    fn fail(&mut self, which: usize, cost: i64) {
        if self.mutant != Mutant::KeepFailed {
            let cost = if self.mutant == Mutant::ForgetLoss { 0 } else { cost };
            self.holds[which].fail_attempt(nano(cost));
        }
        let request = &mut self.reference.open[which];
        let suppliers = std::mem::take(&mut request.suppliers);
        request.groups.clear();
        request.provider = Amounts::default();
        let moment = request.moment;
        for (scope, _) in suppliers {
            self.reference.open[which].losses.push((scope, cost.into()));
            self.reference.book(scope, moment, cost.into());
        }
    }

    fn raise(&mut self, which: usize, estimate: i64, provider: bool) -> Result<(), String> {
        let request = &self.reference.open[which];
        let (held, list) = if provider {
            (request.provider, request.suppliers.clone())
        } else {
            (request.billed, [request.payers.clone(), request.groups.clone()].concat())
        };
        let wanted =
            Amounts { worst: held.worst.max(nano(estimate)), estimate: held.estimate.max(nano(estimate)) };
        let more =
            Amounts { worst: wanted.worst.minus(held.worst), estimate: wanted.estimate.minus(held.estimate) };
        let fits = self.reference.fits(request.moment.at, &list, more);
        let got = match (self.mutant, provider) {
            (Mutant::ForgetRaise, _) => Ok(()),
            (_, true) => self.holds[which].raise_provider(nano(estimate)),
            (_, false) => self.holds[which].raise(nano(estimate)),
        };
        self.agree("raise", &got, fits)?;
        if fits {
            let request = &mut self.reference.open[which];
            *(if provider { &mut request.provider } else { &mut request.billed }) = wanted;
        }
        Ok(())
    }

    fn resize(&mut self, which: usize, amounts: Amounts) -> Result<(), String> {
        let request = &self.reference.open[which];
        let list = [request.payers.clone(), request.groups.clone()].concat();
        let more = Amounts {
            worst: amounts.worst.minus(request.billed.worst),
            estimate: amounts.estimate.minus(request.billed.estimate),
        };
        let grows = more != Amounts::default();
        let fits = !grows || self.reference.fits(request.moment.at, &list, more);
        let got = self.holds[which].resize(amounts);
        self.agree("resize", &got, fits)?;
        if fits {
            self.reference.open[which].billed = amounts;
        }
        Ok(())
    }

    /// Below zero: dropped.
    fn settle(&mut self, which: usize, percent: i64) {
        let hold = self.holds.swap_remove(which);
        let request = self.reference.open.swap_remove(which);
        let part = |amount: Money| nano(amount.nano() * percent.max(0) / 100);
        let (billed, provider) = (part(request.billed.worst), part(request.provider.worst));
        if percent < 0 || self.mutant == Mutant::ForgetSettle {
            drop(hold);
        } else {
            hold.settle(billed, provider);
        }
        let mut costs = request.losses.clone();
        for (charges, cost) in
            [(&request.payers, billed), (&request.groups, billed), (&request.suppliers, provider)]
        {
            for (scope, _) in charges {
                costs.push((*scope, cost.nano().into()));
                self.reference.book(*scope, request.moment, cost.nano().into());
            }
        }
        self.reference.journal.push(Row { id: request.id, moment: request.moment, costs, applied: false });
    }

    fn apply(&mut self, rows: usize) {
        let waiting = self.reference.journal.iter_mut().filter(|row| !row.applied).take(rows);
        let mark = |row: &mut Row| {
            row.applied = true;
            id(row.id)
        };
        let ids: Vec<_> = waiting.map(mark).collect();
        self.budgets.applied(&ids);
    }

    fn stored(&self) -> Vec<super::super::Loaded> {
        let now = self.now();
        (0..SCOPES.len()).map(|n| self.reference.stored(scope_of(n), now)).collect()
    }

    fn load(&mut self) {
        if self.mutant == Mutant::LoseUnapplied {
            let all: Vec<_> = self.reference.journal.iter().map(|row| id(row.id)).collect();
            self.budgets.applied(&all);
        }
        let scopes: Vec<_> = (0..SCOPES.len()).map(scope_of).collect();
        self.budgets.load(self.stored(), self.now());
        self.reference.load(self.now(), &scopes, false);
    }

    /// A crash: what was open is concluded with its worst case, the journal is replayed, and figures are loaded.
    fn restart(&mut self, apply: bool) {
        let percent = if apply { 100 } else { 0 };
        while !self.holds.is_empty() {
            self.settle(0, percent);
        }
        self.apply(usize::MAX);
        self.budgets = Budgets::new();
        let scopes: Vec<_> = (0..SCOPES.len()).map(scope_of).collect();
        self.budgets.load(self.stored(), self.now());
        self.reference.load(self.now(), &scopes, true);
    }

    /// All windows of all scopes, now and (for open requests) then.
    fn compare(&self) -> Result<(), String> {
        for n in 0..SCOPES.len() {
            let scope = scope_of(n);
            for kind in KINDS {
                for hard in [true, false] {
                    let rule = rule_at(kind, 1, hard, self.now);
                    let got = self.budgets.read(scope, &[rule], self.now)[0];
                    let used = self.reference.used(scope, &rule, self.now);
                    let reserved = self.reference.reserved(scope, &rule, self.now);
                    let got = (i128::from(got.used.nano()), i128::from(got.reserved.nano()));
                    if got != (used, reserved) {
                        return Err(format!(
                            "{scope:?} {kind:?} hard {hard}: {got:?}, not {:?}",
                            (used, reserved)
                        ));
                    }
                }
            }
            if i128::from(self.budgets.total(scope).nano()) != self.reference.total(scope) {
                return Err(format!("{scope:?}: total differs"));
            }
        }
        // INV-4: what is held is what open requests hold.
        match self
            .budgets
            .figures()
            .iter()
            .find(|figures| (figures.worst, figures.estimate) != (figures.open.worst, figures.open.estimate))
        {
            Some(figures) => Err(format!("{figures:?}")),
            None => Ok(()),
        }
    }
}

fn run(mutant: Mutant, cases: u32) -> Result<(), TestError<Vec<Step>>> {
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 200, ..Config::default() };
    TestRunner::new(config).run(&prop::collection::vec(step(), 1..60), |steps| {
        let mut world = World::new(mutant);
        for (n, step) in steps.iter().enumerate() {
            world.step(step).map_err(|why| TestCaseError::fail(format!("step {n}, {step:?}: {why}")))?;
        }
        Ok(())
    })
}

/// `LEDGER_MODEL_CASES` sets how many histories; the long run takes 20,000.
#[test]
fn inv_04_05_08_10_13_budgets_do_what_the_reference_does() {
    let cases =
        std::env::var_os("LEDGER_MODEL_CASES").and_then(|text| text.to_str()?.parse().ok()).unwrap_or(256);
    if let Err(error) = run(Mutant::None, cases) {
        panic!("{error}");
    }
}

#[test]
fn every_mutant_of_the_driver_is_found() {
    for mutant in [
        Mutant::FirstScopeOnly,
        Mutant::KeepFailed,
        Mutant::ForgetLoss,
        Mutant::LoseUnapplied,
        Mutant::LateBooking,
        Mutant::ForgetRaise,
        Mutant::ForgetReset,
        Mutant::ForgetSettle,
    ] {
        let found = run(mutant, 300);
        assert!(matches!(found, Err(TestError::Fail(..))), "{mutant:?} was not found");
    }
}
