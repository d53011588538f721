//! A credential at run time: what is known of it now, and the slot that a request holds on it.
//!
//! It does not choose among credentials (`serve::route` does) and does not talk to upstreams.

mod clock;
mod lately;
mod told;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use routing::health::{Doubt, Failed, Health, Look, ModelChange};
use routing::latency::PeakEwma;
use routing::patience::Patience;
use types::breaker::BreakerConfig;
use types::routing::FailureClass;
use types::{CredentialId, Timestamp};

use crate::queue::Freed;
use lately::Lately;
use told::Told;

/// What is known of one credential in this process.
#[derive(Debug, Default)]
pub(crate) struct Gauge {
    /// How often the count was set to zero by hand, in the upper half; requests in flight in the lower. A lease of an
    /// earlier round gives nothing back.
    slots: AtomicU64,
    freed: Arc<Freed>,
    /// Its turn when it was last chosen; 0 for never.
    last_turn: AtomicU64,
    /// Whether anything but a clean bill of health is known, so that the lock must be taken to know it.
    troubled: AtomicBool,
    health: Mutex<Health>,
    latency: PeakEwma,
    patience: Mutex<Patience>,
    consecutive_errors: AtomicU32,
    last_used_ms: AtomicI64,
    last_error: Mutex<Option<(Timestamp, String)>>,
    lately: Lately,
    /// Failed checks in a row, as last read or written.
    check_failures: AtomicU32,
    /// When it was last checked; 0 for never.
    checked_ms: AtomicI64,
    told: Told,
    /// How far its vendor's clock is ahead of ours; see `clock`.
    vendor_ahead_ms: AtomicI64,
}

/// A reading of a [`Gauge`].
#[derive(Clone, Debug, Default)]
pub(crate) struct GaugeReading {
    pub(crate) in_flight: u32,
    pub(crate) consecutive_errors: u32,
    pub(crate) last_error: Option<String>,
    pub(crate) last_error_at: Option<Timestamp>,
    pub(crate) last_used_at: Option<Timestamp>,
}

const ROUND: u64 = 1 << 32;

fn count(slots: u64) -> u32 {
    u32::try_from(slots % ROUND).unwrap_or(u32::MAX)
}

impl Gauge {
    /// Takes a slot unless `limit` are taken. The slot is free again when the lease is dropped.
    pub(crate) fn lease(self: &Arc<Self>, limit: Option<u32>, now: Timestamp) -> Option<Lease> {
        let limit = limit.unwrap_or(u32::MAX);
        let before = self
            .slots
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |slots| {
                (count(slots) < limit).then(|| slots.wrapping_add(1))
            })
            .ok()?;
        self.last_used_ms.store(now.0, Ordering::Relaxed);
        Some(Lease { gauge: self.clone(), round: before / ROUND })
    }

    /// A lease without a slot, for what does not count.
    pub(crate) fn lease_of_nothing(self: &Arc<Self>, now: Timestamp) -> Lease {
        self.last_used_ms.store(now.0, Ordering::Relaxed);
        Lease { gauge: self.clone(), round: u64::MAX }
    }

    /// Requests on it right now.
    pub(crate) fn in_flight(&self) -> u32 {
        count(self.slots.load(Ordering::Acquire))
    }

    /// Forgets the requests on it, for a count that has gone wrong (CA-04). Those that run give nothing back later.
    /// Says how many there were.
    pub(crate) fn reset_in_flight(&self) -> u32 {
        let before = self.slots.fetch_update(Ordering::AcqRel, Ordering::Acquire, |slots| {
            Some((slots / ROUND).wrapping_add(1).wrapping_mul(ROUND))
        });
        self.freed.tell();
        count(before.unwrap_or_else(|slots| slots))
    }

    /// When it was last chosen, as a turn.
    pub(crate) fn last_turn(&self) -> u64 {
        self.last_turn.load(Ordering::Relaxed)
    }

    /// What it took to the first byte lately, in milliseconds.
    pub(crate) fn latency_ms(&self, now: Timestamp) -> Option<u32> {
        self.latency.get(now)
    }

    /// Notes what it took to the first byte.
    pub(crate) fn observe(&self, first_byte_ms: u64, now: Timestamp) {
        self.latency.observe(u32::try_from(first_byte_ms).unwrap_or(u32::MAX), now);
    }

    /// Notes what it took to the first byte of one kind of answer, or that it had not come by then.
    pub(crate) fn waited(&self, model: &str, streaming: bool, ms: u64) {
        self.patience.lock().unwrap_or_else(PoisonError::into_inner).observe(model, streaming, ms);
    }

    /// Within how many milliseconds nearly all first bytes of such answers came lately.
    pub(crate) fn patience(&self, model: &str, streaming: bool) -> Option<u64> {
        self.patience.lock().unwrap_or_else(PoisonError::into_inner).most(model, streaming)
    }

    /// Breakers, rests and availability.
    pub(crate) fn health(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it may serve a model now.
    pub(crate) fn look(&self, model: Option<&str>, now: Timestamp) -> Look {
        if self.troubled.load(Ordering::Acquire) { self.health().look(model, now) } else { Look::Free }
    }

    /// What speaks against it for a model, where its breaker opens after so many failures.
    pub(crate) fn doubt(&self, model: Option<&str>, now: Timestamp, threshold: u32) -> Option<Doubt> {
        let troubled = self.troubled.load(Ordering::Acquire);
        troubled.then(|| self.health().doubt(model, now, threshold)).flatten()
    }

    /// Takes the one place for a request that looks whether it is well again.
    pub(crate) fn begin_probe(&self, model: Option<&str>, now: Timestamp) -> bool {
        self.health().begin_probe(model, now)
    }

    /// Gives that place back without a verdict.
    pub(crate) fn end_probe(&self, model: Option<&str>) {
        self.health().end_probe(model);
    }

    /// Changes the health by hand, such as a reset.
    pub(crate) fn mend<T>(&self, now: Timestamp, change: impl FnOnce(&mut Health) -> T) -> T {
        let mut health = self.health();
        let result = change(&mut health);
        self.troubled.store(!health.is_quiet(now) || health.is_doubted(now), Ordering::Release);
        result
    }

    /// Notes a success.
    pub(crate) fn succeeded(
        &self,
        model: Option<&str>,
        now: Timestamp,
        config: &BreakerConfig,
    ) -> Vec<ModelChange> {
        self.consecutive_errors.store(0, Ordering::Release);
        self.lately.succeeded(now);
        self.mend(now, |health| health.succeeded(model, now, config))
    }

    /// Notes a failure that the upstream or the way to it caused.
    pub(crate) fn failed(
        &self,
        failed: Failed<'_>,
        now: Timestamp,
        config: &BreakerConfig,
    ) -> Vec<ModelChange> {
        self.mend(now, |health| health.failed(failed, now, config))
    }

    /// Notes what went wrong, for people.
    pub(crate) fn note_error(&self, now: Timestamp, class: FailureClass, what: &str) {
        self.lately.failed(now, class, what);
        self.consecutive_errors.fetch_add(1, Ordering::AcqRel);
        *self.last_error.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, what.to_owned()));
    }

    /// When it last served well, and what failed last.
    pub(crate) fn lately(&self) -> &Lately {
        &self.lately
    }

    /// Notes how many checks in a row failed, and when the last one was.
    pub(crate) fn note_checks(&self, failures: u32, at: Option<Timestamp>) {
        self.check_failures.store(failures, Ordering::Release);
        if let Some(at) = at {
            self.checked_ms.fetch_max(at.0, Ordering::AcqRel);
        }
    }

    /// Failed checks in a row, and when it was last checked.
    pub(crate) fn checks(&self) -> (u32, Option<Timestamp>) {
        let at = self.checked_ms.load(Ordering::Acquire);
        (self.check_failures.load(Ordering::Acquire), (at != 0).then_some(Timestamp(at)))
    }

    /// A request went well: whether that ends failed checks, which is to be written down then.
    pub(crate) fn ends_check_failures(&self) -> bool {
        self.check_failures.load(Ordering::Acquire) > 0 && self.check_failures.swap(0, Ordering::AcqRel) > 0
    }

    /// Forgets the errors in a row, and nothing else; says how many there were.
    pub(crate) fn forget_errors(&self) -> u32 {
        *self.last_error.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.consecutive_errors.swap(0, Ordering::AcqRel)
    }

    /// Forgets the failures: errors, breakers and rests; and uses it however far it is used up.
    pub(crate) fn reset(&self, now: Timestamp) -> Vec<ModelChange> {
        self.overrule_allowance();
        self.consecutive_errors.store(0, Ordering::Release);
        *self.last_error.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.mend(now, |health| {
            health.clear_rests();
            health.reset_breakers(now)
        })
    }

    /// What is known now.
    pub(crate) fn read(&self) -> GaugeReading {
        let error = self.last_error.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let used = self.last_used_ms.load(Ordering::Relaxed);
        GaugeReading {
            in_flight: self.in_flight(),
            consecutive_errors: self.consecutive_errors.load(Ordering::Acquire),
            last_error_at: error.as_ref().map(|(at, _)| *at),
            last_error: error.map(|(_, what)| what),
            last_used_at: (used != 0).then_some(Timestamp(used)),
        }
    }
}

/// A slot on a credential; lives exactly as long as the answer's body.
#[derive(Debug)]
pub(crate) struct Lease {
    gauge: Arc<Gauge>,
    round: u64,
}

impl Drop for Lease {
    fn drop(&mut self) {
        let round = self.round;
        let _ = self.gauge.slots.fetch_update(Ordering::AcqRel, Ordering::Acquire, |slots| {
            (slots / ROUND == round && count(slots) > 0).then(|| slots.wrapping_sub(1))
        });
        self.gauge.freed.tell();
    }
}

/// The gauges of all credentials; they outlive snapshots.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gauges {
    known: Arc<Mutex<HashMap<CredentialId, Arc<Gauge>>>>,
    freed: Arc<Freed>,
    turns: Arc<AtomicU64>,
}

impl Gauges {
    /// The gauge of a credential, made at the first call.
    pub(crate) fn gauge(&self, id: CredentialId) -> Arc<Gauge> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let made = || Arc::new(Gauge { freed: self.freed.clone(), ..Gauge::default() });
        known.entry(id).or_insert_with(made).clone()
    }

    /// What is known of a credential.
    pub(crate) fn credential(&self, id: CredentialId) -> GaugeReading {
        self.gauge(id).read()
    }

    /// Notes that a credential was chosen.
    pub(crate) fn chosen(&self, gauge: &Gauge) {
        let turn = self.turns.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        gauge.last_turn.store(turn, Ordering::Relaxed);
    }

    /// Where freed slots are told of.
    pub(crate) fn freed(&self) -> Arc<Freed> {
        self.freed.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_frees_its_slot_when_dropped() {
        let gauge = Arc::new(Gauge::default());
        let first = gauge.lease(Some(1), Timestamp(1)).unwrap();
        assert!(gauge.lease(Some(1), Timestamp(2)).is_none());
        drop(first);
        assert!(gauge.lease(Some(1), Timestamp(3)).is_some());
        assert_eq!(gauge.in_flight(), 0);
        assert_eq!(gauge.read().last_used_at, Some(Timestamp(3)));
    }

    #[test]
    fn a_lease_of_nothing_takes_and_gives_back_nothing() {
        let gauge = Arc::new(Gauge::default());
        let held = gauge.lease(Some(1), Timestamp(1)).unwrap();
        drop(gauge.lease_of_nothing(Timestamp(2)));
        assert_eq!(gauge.in_flight(), 1);
        drop(held);
        assert_eq!(gauge.in_flight(), 0);
    }

    #[test]
    fn ca_04_a_reset_count_stays_right_when_old_requests_end() {
        let gauge = Arc::new(Gauge::default());
        let old = gauge.lease(Some(1), Timestamp(1)).unwrap();
        assert_eq!(gauge.reset_in_flight(), 1);
        let new = gauge.lease(Some(1), Timestamp(2)).unwrap();
        drop(old);
        assert_eq!(gauge.in_flight(), 1);
        drop(new);
        assert_eq!(gauge.in_flight(), 0);
    }
}
