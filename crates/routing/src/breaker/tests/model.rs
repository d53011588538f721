//! The breaker against a model that keeps every event and counts from the beginning.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

#[derive(Clone, Copy, Debug)]
enum Step {
    Wait(i64),
    Succeed,
    Fail { fingerprint: u64, confirmed: bool },
    Begin,
    End,
    Reset,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0_i64..2_500).prop_map(Step::Wait),
        1 => (5_000_i64..90_000).prop_map(Step::Wait),
        4 => Just(Step::Succeed),
        6 => (0_u64..4, any::<bool>())
            .prop_map(|(fingerprint, confirmed)| Step::Fail { fingerprint, confirmed }),
        4 => Just(Step::Begin),
        2 => Just(Step::End),
        1 => prop::bool::weighted(0.1).prop_map(|yes| if yes { Step::Reset } else { Step::Wait(0) }),
    ]
}

/// An outcome while it was closed.
#[derive(Clone, Copy, Debug)]
enum Outcome {
    Good,
    Bad { of: Option<u64>, in_share: bool },
}

#[derive(Debug, Default)]
struct Model {
    log: Vec<(i64, Outcome)>,
    open: Option<(i64, i64)>,
    probe: Option<i64>,
    good_probes: u32,
    times: i64,
    closed: Option<(i64, i64)>,
}

impl Model {
    fn state(&self, now: i64) -> BreakerState {
        match self.open {
            None => BreakerState::Closed,
            Some((since, long)) if now < since + long => BreakerState::Open,
            Some(_) => BreakerState::HalfOpen,
        }
    }

    fn begin(&mut self, now: i64) -> bool {
        let lost = self.probe.is_none_or(|since| now >= since + 600_000);
        let begins = self.state(now) == BreakerState::HalfOpen && lost;
        if begins {
            self.probe = Some(now);
        }
        begins
    }

    fn succeed(&mut self, now: i64) {
        match self.state(now) {
            BreakerState::Closed => self.log.push((now, Outcome::Good)),
            BreakerState::Open => {}
            BreakerState::HalfOpen => {
                self.good_probes += 1;
                self.probe = None;
                if self.good_probes == 2 {
                    let (_, long) = self.open.unwrap();
                    let times = self.times;
                    *self = Self { closed: Some((now, long)), times, ..Self::default() };
                }
            }
        }
    }

    fn fail(&mut self, now: i64, fingerprint: u64, confirmed: bool) {
        match self.state(now) {
            BreakerState::Open => {}
            BreakerState::HalfOpen => self.trip(now, (self.times * 2).min(8)),
            BreakerState::Closed => {
                let of = (!confirmed).then_some(fingerprint);
                let counted_lately = self.log.iter().any(|(when, outcome)| {
                    matches!(outcome, Outcome::Bad { of: Some(f), in_share: true }
                        if *f == fingerprint && now - when < 10_000)
                });
                let in_share = confirmed || !counted_lately;
                self.log.push((now, Outcome::Bad { of, in_share }));
                if self.run() >= 5 || self.is_half(now) {
                    let remembered = self.closed.is_some_and(|(when, long)| now < when + long);
                    self.trip(now, if remembered { (self.times * 2).min(8) } else { 1 });
                }
            }
        }
    }

    fn run(&self) -> usize {
        let run = self.log.iter().rev().take_while(|(_, outcome)| matches!(outcome, Outcome::Bad { .. }));
        let of: Vec<_> =
            run.map(|(_, outcome)| if let Outcome::Bad { of, .. } = outcome { *of } else { None }).collect();
        let distinct: BTreeSet<_> = of.iter().flatten().collect();
        distinct.len() + of.iter().filter(|of| of.is_none()).count()
    }

    fn is_half(&self, now: i64) -> bool {
        let lately = || self.log.iter().filter(|(when, _)| when / 1_000 > now / 1_000 - 10);
        let bad = lately().filter(|(_, o)| matches!(o, Outcome::Bad { in_share: true, .. })).count();
        let good = lately().filter(|(_, o)| matches!(o, Outcome::Good)).count();
        bad + good >= 20 && bad >= good
    }

    fn trip(&mut self, now: i64, times: i64) {
        *self = Self { open: Some((now, 10_000 * times)), times, ..Self::default() };
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn it_does_what_the_model_does(steps in prop::collection::vec(step(), 1..120)) {
        let (mut breaker, mut model, mut now) = (Breaker::default(), Model::default(), START);
        for step in steps {
            let before = breaker.state(Timestamp(now));
            let mut change = None;
            match step {
                Step::Wait(ms) => now += ms,
                Step::Succeed => {
                    change = breaker.succeeded(Timestamp(now), &CONFIG);
                    model.succeed(now);
                }
                Step::Fail { fingerprint, confirmed } => {
                    change = breaker.failed(Timestamp(now), &CONFIG, fingerprint, confirmed, "500");
                    model.fail(now, fingerprint, confirmed);
                }
                Step::Begin => prop_assert_eq!(breaker.begin_probe(Timestamp(now)), model.begin(now)),
                Step::End => {
                    breaker.end_probe();
                    model.probe = None;
                }
                Step::Reset => {
                    change = breaker.reset(Timestamp(now));
                    model = Model::default();
                }
            }
            prop_assert_eq!(breaker.state(Timestamp(now)), model.state(now), "after {:?}", step);
            if let Some((since, long)) = model.open {
                prop_assert_eq!(breaker.probe_at(), Some(Timestamp(since + long)));
            }
            if let Some(change) = change {
                prop_assert_eq!((change.from, change.to), (before, breaker.state(Timestamp(now))));
            }
        }
    }

    /// Whatever the clock does, there is one probe at a time, and nobody is told to wait longer than it opens.
    #[test]
    fn jumps_of_the_clock_break_nothing(
        steps in prop::collection::vec((step(), prop_oneof![4 => Just(0_i64), 1 => -10_000_000_i64..10_000_000]), 1..80),
    ) {
        let (mut breaker, mut now) = (Breaker::default(), START);
        let mut probe: Option<i64> = None;
        for (step, jump) in steps {
            now += jump;
            match step {
                Step::Wait(ms) => now += ms,
                Step::Succeed => {
                    if breaker.state(Timestamp(now)) == BreakerState::HalfOpen {
                        probe = None;
                    }
                    breaker.succeeded(Timestamp(now), &CONFIG);
                }
                Step::Fail { fingerprint, confirmed } => {
                    if breaker.failed(Timestamp(now), &CONFIG, fingerprint, confirmed, "500").is_some() {
                        probe = None;
                    }
                }
                Step::Begin => if breaker.begin_probe(Timestamp(now)) {
                    if let Some(since) = probe {
                        prop_assert!(now < since - SKEW_MS || now >= since + 600_000, "two probes at once");
                    }
                    probe = Some(now);
                },
                Step::End => {
                    breaker.end_probe();
                    probe = None;
                }
                Step::Reset => {
                    breaker.reset(Timestamp(now));
                    probe = None;
                }
            }
            if breaker.state(Timestamp(now)) == BreakerState::Closed {
                probe = None;
            }
            if let Pass::No { until } = breaker.pass(Timestamp(now)) {
                prop_assert!(until.0 - now <= 80_000 + SKEW_MS);
            }
        }
    }
}
