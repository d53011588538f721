//! What happened to the pool: counts since the start, the trend of the last day, and what is wrong with its set-up.
//! All of it is memory of this process. It chooses nobody.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use types::Timestamp;
use types::pool::{PoolFault, PoolSlot, PoolTrend};
use types::request::{Attempt, AttemptOutcome};

/// Length of a slot of the trend.
const SLOT_S: u64 = 900;
/// A day of slots.
const SLOTS: usize = 96;

/// Counts since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Answers 429 of upstreams.
    pub(crate) rate_limited: u64,
    /// Attempts at another credential after a failed one.
    pub(crate) switches: u64,
    /// Requests that ran out of credentials.
    pub(crate) exhausted: u64,
}

/// Counts, and how they came about.
#[derive(Debug, Default)]
pub(crate) struct PoolCounters(Mutex<Inside>);

#[derive(Debug, Default)]
struct Inside {
    counts: Counts,
    /// Number of the newest slot since the epoch.
    newest: i64,
    /// The newest last.
    slots: VecDeque<PoolSlot>,
}

impl Inside {
    fn slot(&mut self, now: Timestamp) -> Option<&mut PoolSlot> {
        self.advance(now);
        self.slots.back_mut()
    }

    fn advance(&mut self, now: Timestamp) {
        let current = slot_of(now);
        if self.slots.is_empty() {
            self.newest = current;
            self.slots.push_back(PoolSlot::default());
        }
        // A clock that was set back counts into the slot that is open.
        let missing = current.saturating_sub(self.newest).max(0);
        let missing = usize::try_from(missing).unwrap_or(SLOTS).min(SLOTS);
        self.slots.extend(std::iter::repeat_n(PoolSlot::default(), missing));
        self.newest = self.newest.max(current);
        while self.slots.len() > SLOTS {
            self.slots.pop_front();
        }
    }
}

fn slot_ms() -> i64 {
    i64::try_from(SLOT_S).unwrap_or(i64::MAX).saturating_mul(1_000)
}

fn slot_of(now: Timestamp) -> i64 {
    now.0.div_euclid(slot_ms())
}

impl PoolCounters {
    fn change(&self, now: Timestamp, change: impl FnOnce(&mut Counts, &mut PoolSlot)) {
        let mut inside = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut counts = inside.counts;
        if let Some(slot) = inside.slot(now) {
            change(&mut counts, slot);
        }
        inside.counts = counts;
    }

    /// Counts an answer 429 of an upstream.
    pub(crate) fn rate_limited(&self, now: Timestamp) {
        self.change(now, |counts, slot| {
            counts.rate_limited += 1;
            slot.rate_limited = slot.rate_limited.saturating_add(1);
        });
    }

    /// Counts an attempt at another credential after a failed one.
    pub(crate) fn switched(&self, now: Timestamp) {
        self.change(now, |counts, slot| {
            counts.switches += 1;
            slot.switches = slot.switches.saturating_add(1);
        });
    }

    /// Counts a request that ran out of credentials.
    pub(crate) fn exhausted(&self, now: Timestamp) {
        self.change(now, |counts, slot| {
            counts.exhausted += 1;
            slot.exhausted = slot.exhausted.saturating_add(1);
        });
    }

    /// Counts the attempts of a finished request.
    pub(crate) fn attempted(&self, attempts: &[Attempt], now: Timestamp) {
        let judged = |attempt: &&Attempt| attempt.outcome != AttemptOutcome::ClientGone;
        let good =
            |attempt: &&Attempt| matches!(attempt.outcome, AttemptOutcome::Done | AttemptOutcome::BudgetCut);
        let narrow = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let (judged, good) = (attempts.iter().filter(judged).count(), attempts.iter().filter(good).count());
        if judged > 0 {
            self.change(now, |_, slot| {
                slot.judged = slot.judged.saturating_add(narrow(judged));
                slot.good = slot.good.saturating_add(narrow(good));
            });
        }
    }

    /// Since the start.
    pub(crate) fn counts(&self) -> Counts {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).counts
    }

    /// The last day, as far as the process remembers.
    pub(crate) fn trend(&self, now: Timestamp) -> PoolTrend {
        let mut inside = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inside.advance(now);
        let back = i64::try_from(inside.slots.len().saturating_sub(1)).unwrap_or(0);
        let since = Timestamp(inside.newest.saturating_sub(back).saturating_mul(slot_ms()));
        PoolTrend { slot_s: SLOT_S, since: Some(since), slots: inside.slots.iter().copied().collect() }
    }
}

/// What the environment's lists could not set up.
#[derive(Debug, Default)]
pub(crate) struct PoolFaults(Mutex<Vec<PoolFault>>);

impl PoolFaults {
    pub(crate) fn set(&self, faults: Vec<PoolFault>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = faults;
    }

    pub(crate) fn list(&self) -> Vec<PoolFault> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use types::{CredentialId, ProviderId};

    use super::*;

    const MINUTE: i64 = 60_000;

    #[test]
    fn tp_13_what_happened_falls_into_slots_of_a_quarter_of_an_hour_and_a_day_is_kept() {
        let counters = PoolCounters::default();
        let at = |minutes: i64| Timestamp(1_800_000_000_000 + minutes * MINUTE);
        counters.rate_limited(at(0));
        counters.switched(at(1));
        counters.switched(at(16));
        counters.exhausted(at(46));
        let trend = counters.trend(at(46));
        assert_eq!((trend.slot_s, trend.since), (900, Some(at(0))));
        let told: Vec<_> = trend.slots.iter().map(|s| (s.rate_limited, s.switches, s.exhausted)).collect();
        assert_eq!(told, [(1, 1, 0), (0, 1, 0), (0, 0, 0), (0, 0, 1)]);
        assert_eq!(counters.counts(), Counts { rate_limited: 1, switches: 2, exhausted: 1 });

        let later = counters.trend(at(24 * 60 + 46));
        assert_eq!(later.slots.len(), SLOTS);
        assert!(later.slots.iter().all(|slot| *slot == PoolSlot::default()), "a day later all is forgotten");
        assert_eq!(counters.counts().switches, 2, "but not the counts");
    }

    #[test]
    fn tp_13_attempts_are_judged_unless_their_caller_left() {
        let counters = PoolCounters::default();
        let of =
            |outcome| Attempt { outcome, ..Attempt::begun((ProviderId(1), "p"), (CredentialId(7), "c")) };
        let attempts =
            [of(AttemptOutcome::UpstreamError), of(AttemptOutcome::Done), of(AttemptOutcome::ClientGone)];
        counters.attempted(&attempts, Timestamp(5));
        let slot = counters.trend(Timestamp(5)).slots[0];
        assert_eq!((slot.judged, slot.good), (2, 1));
    }

    #[test]
    fn a_clock_that_is_set_back_loses_nothing() {
        let counters = PoolCounters::default();
        counters.switched(Timestamp(10_000_000));
        counters.switched(Timestamp(1_000_000));
        assert_eq!(counters.trend(Timestamp(10_000_000)).slots[0].switches, 2);
    }
}
