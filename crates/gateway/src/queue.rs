//! Requests that wait because every credential that could serve them is busy: bounded for each provider, woken when
//! a slot is free.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;
use tokio::sync::futures::Notified;
use types::ProviderId;

/// Tells those who wait that a slot is free. Costs one load where nobody waits.
#[derive(Debug, Default)]
pub(crate) struct Freed {
    waiting: AtomicU32,
    notify: Notify,
}

impl Freed {
    /// To be called after a slot was given back.
    pub(crate) fn tell(&self) {
        if self.waiting.load(Ordering::Acquire) > 0 {
            self.notify.notify_waiters();
        }
    }
}

/// Who waits for which provider.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    freed: Arc<Freed>,
    waiting: Mutex<HashMap<ProviderId, u32>>,
}

impl Queue {
    /// A queue that listens to these slots.
    pub(crate) fn new(freed: Arc<Freed>) -> Self {
        Self { freed, waiting: Mutex::default() }
    }

    /// Requests that wait for a slot of a provider.
    pub(crate) fn waiting(&self, provider: ProviderId) -> u32 {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.get(&provider).copied().unwrap_or(0)
    }

    /// A place in the queues of all that have room; `None` if none has. Each comes with its bound.
    pub(crate) fn enter(&self, providers: &[(ProviderId, u32)]) -> Option<Place<'_>> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let mut joined = Vec::new();
        for (provider, bound) in providers {
            let count = waiting.entry(*provider).or_default();
            if *count < *bound {
                *count += 1;
                joined.push(*provider);
            }
        }
        drop(waiting);
        if joined.is_empty() {
            return None;
        }
        self.freed.waiting.fetch_add(1, Ordering::AcqRel);
        Some(Place { queue: self, joined })
    }
}

/// A place in the queue; given up when dropped.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    queue: &'a Queue,
    joined: Vec<ProviderId>,
}

impl Place<'_> {
    /// Ends when a slot was given back after this call. To be made before the look that finds none.
    pub(crate) fn freed(&self) -> Notified<'_> {
        self.queue.freed.notify.notified()
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.queue.freed.waiting.fetch_sub(1, Ordering::AcqRel);
        let mut waiting = self.queue.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        for provider in &self.joined {
            if let Some(count) = waiting.get_mut(provider) {
                *count = count.saturating_sub(1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_has_a_bound_for_each_provider_and_a_place_is_given_up() {
        let queue = Queue::default();
        let (one, two) = (ProviderId(1), ProviderId(2));
        let first = queue.enter(&[(one, 1)]).unwrap();
        assert!(queue.enter(&[(one, 1)]).is_none());
        let second = queue.enter(&[(one, 1), (two, 1)]).unwrap();
        assert_eq!((queue.waiting(one), queue.waiting(two)), (1, 1));
        drop((first, second));
        assert_eq!((queue.waiting(one), queue.waiting(two)), (0, 0));
    }

    #[tokio::test]
    async fn who_waits_hears_of_a_free_slot() {
        let queue = Queue::default();
        let place = queue.enter(&[(ProviderId(1), 1)]).unwrap();
        let freed = place.freed();
        queue.freed.tell();
        freed.await;
    }
}
