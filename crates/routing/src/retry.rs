//! How often and how soon a request may be tried again, so that retries never make an outage worse.
//!
//! It does not know what failed: whether another attempt makes sense at all is decided by [`crate::failure`].

use std::sync::{Mutex, PoisonError};

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use types::Timestamp;

use crate::window::Window;

/// Attempts beyond the first that are always allowed within 10 s, so that a quiet gateway can fail over too.
const FLOOR: u64 = 10;
/// Longest pause before another attempt, in milliseconds.
const PAUSE_MAX_MS: u64 = 1_000;
/// Longest pause before the first further attempt, in milliseconds.
const PAUSE_BASE_MS: u64 = 25;

/// Bounds attempts beyond the first by a share of the requests of the last 10 s. Shared by all requests.
#[derive(Debug, Default)]
pub struct RetryBudget {
    window: Mutex<Window<10, 1_000>>,
}

impl RetryBudget {
    /// Counts a request (not an attempt).
    pub fn request(&self, now: Timestamp) {
        self.window.lock().unwrap_or_else(PoisonError::into_inner).add_first(now);
    }

    /// Takes one further attempt out of the budget; `percent` is the share of the requests. False if none is left.
    pub fn take(&self, now: Timestamp, percent: u32) -> bool {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        let (requests, retries) = window.sums(now);
        let allowed = retries < (requests * u64::from(percent) / 100).max(FLOOR);
        if allowed {
            window.add_second(now);
        }
        allowed
    }
}

/// Bounds second attempts beside slow ones by a share of the requests of the last minute. Shared by all requests.
#[derive(Debug, Default)]
pub struct HedgeBudget {
    window: Mutex<Window<60, 1_000>>,
}

impl HedgeBudget {
    /// Counts a request.
    pub fn request(&self, now: Timestamp) {
        self.window.lock().unwrap_or_else(PoisonError::into_inner).add_first(now);
    }

    /// Takes one out of the budget; `percent` is the share of the requests, but one in a minute is always allowed
    /// unless it is zero, so that a quiet gateway can hedge too. False if none is left.
    pub fn take(&self, now: Timestamp, percent: u32) -> bool {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        let (requests, taken) = window.sums(now);
        let allowed = percent > 0 && taken < (requests * u64::from(percent) / 100).max(1);
        if allowed {
            window.add_second(now);
        }
        allowed
    }
}

/// How long to wait before a further attempt, in milliseconds: evenly between 0 and the smaller of 1 s and
/// 25 ms · 2^`attempt` (full jitter, so that requests that failed together do not come back together).
pub fn pause_ms(attempt: u32, seed: u64) -> u64 {
    let most = 1_u64.checked_shl(attempt).map_or(PAUSE_MAX_MS, |times| PAUSE_BASE_MS.saturating_mul(times));
    SmallRng::seed_from_u64(seed).random_range(0..=most.min(PAUSE_MAX_MS))
}

#[cfg(test)]
mod tests;
