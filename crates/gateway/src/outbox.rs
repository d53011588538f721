//! Changes of breakers on their way to the database. What is in here when the process dies is lost.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use types::breaker::BreakerEvent;

/// Changes that wait to be written; older ones are dropped beyond that.
const MOST: usize = 4_096;
/// Rows written at once.
const BATCH: usize = 256;

/// The changes, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Outbox(Mutex<VecDeque<BreakerEvent>>);

impl Outbox {
    pub(crate) fn push(&self, event: BreakerEvent) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() >= MOST {
            waiting.pop_front();
        }
        waiting.push_back(event);
    }

    /// Takes back what could not be written, before what came meanwhile.
    pub(crate) fn take_back(&self, events: Vec<BreakerEvent>) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for event in events.into_iter().rev() {
            if waiting.len() < MOST {
                waiting.push_front(event);
            }
        }
    }

    /// As many as are written at once.
    pub(crate) fn take(&self) -> Vec<BreakerEvent> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = waiting.len().min(BATCH);
        waiting.drain(..count).collect()
    }
}
