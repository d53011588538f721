//! A credential at run time: what is known of it now, and the slot that a request holds on it.
//!
//! It does not choose among credentials (`serve::route` does) and does not talk to upstreams.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use types::{CredentialId, Timestamp};

/// What is known of one credential in this process.
#[derive(Debug, Default)]
pub(crate) struct Gauge {
    in_flight: AtomicU32,
    consecutive_errors: AtomicU32,
    last_used_ms: AtomicI64,
    last_error: Mutex<Option<(Timestamp, String)>>,
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

impl Gauge {
    /// Takes a slot unless `limit` are taken. The slot is free again when the lease is dropped.
    pub(crate) fn lease(self: &Arc<Self>, limit: Option<u32>, now: Timestamp) -> Option<Lease> {
        let limit = limit.unwrap_or(u32::MAX);
        self.in_flight
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |taken| (taken < limit).then(|| taken + 1))
            .ok()?;
        self.last_used_ms.store(now.0, Ordering::Relaxed);
        Some(Lease(self.clone()))
    }

    /// Requests on it right now.
    pub(crate) fn in_flight(&self) -> u32 {
        self.in_flight.load(Ordering::Acquire)
    }

    /// Notes a success; true if there were failures before it.
    pub(crate) fn succeeded(&self) -> bool {
        self.consecutive_errors.swap(0, Ordering::AcqRel) > 0
    }

    /// Notes a failure that the upstream or the way to it caused.
    pub(crate) fn failed(&self, now: Timestamp, what: &str) {
        self.consecutive_errors.fetch_add(1, Ordering::AcqRel);
        *self.last_error.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, what.to_owned()));
    }

    /// Forgets the failures.
    pub(crate) fn reset(&self) {
        self.consecutive_errors.store(0, Ordering::Release);
        *self.last_error.lock().unwrap_or_else(PoisonError::into_inner) = None;
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
pub(crate) struct Lease(Arc<Gauge>);

impl Drop for Lease {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::AcqRel);
    }
}

/// The gauges of all credentials; they outlive snapshots.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gauges(Arc<Mutex<HashMap<CredentialId, Arc<Gauge>>>>);

impl Gauges {
    /// The gauge of a credential, made at the first call.
    pub(crate) fn gauge(&self, id: CredentialId) -> Arc<Gauge> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(id).or_default().clone()
    }

    /// What is known of a credential.
    pub(crate) fn credential(&self, id: CredentialId) -> GaugeReading {
        self.gauge(id).read()
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
}
