//! Group commit: many writers wait for the disk, one of them makes it happen for all.
//!
//! It knows sequence numbers only; what a sync is comes in as a closure.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::JournalError;

#[derive(Debug)]
struct State {
    /// Everything up to this number is on the disk.
    synced: u64,
    /// Somebody is syncing right now.
    running: bool,
    /// A sync failed. The kernel forgets the pages that it could not write, so that the next sync would
    /// succeed without them: never try again.
    broken: bool,
}

/// How far the disk has come.
#[derive(Debug)]
pub(crate) struct Group {
    state: Mutex<State>,
    changed: Condvar,
}

impl Group {
    pub(crate) fn new(synced: u64) -> Self {
        Self { state: Mutex::new(State { synced, running: false, broken: false }), changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn is_broken(&self) -> bool {
        self.lock().broken
    }

    /// Whether everything up to `seq` is on the disk.
    pub(crate) fn covers(&self, seq: u64) -> bool {
        self.lock().synced >= seq
    }

    /// Notes a failed sync that happened elsewhere.
    pub(crate) fn break_off(&self) {
        self.lock().broken = true;
        self.changed.notify_all();
    }

    /// Returns once everything up to `seq` is on the disk. `sync` says up to where it brought it.
    pub(crate) fn cover(
        &self,
        seq: u64,
        sync: impl FnOnce() -> Result<u64, JournalError>,
    ) -> Result<(), JournalError> {
        let mut state = self.lock();
        loop {
            if state.synced >= seq {
                return Ok(());
            }
            if state.broken {
                return Err(JournalError::Stopped);
            }
            if !state.running {
                break;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.running = true;
        drop(state);
        let result = sync();
        let mut state = self.lock();
        state.running = false;
        let result = match result {
            Ok(upto) => {
                state.synced = state.synced.max(upto);
                Ok(())
            }
            Err(error) => {
                state.broken = true;
                Err(error)
            }
        };
        drop(state);
        self.changed.notify_all();
        result
    }
}
