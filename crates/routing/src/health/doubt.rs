//! How much speaks for a credential being dead, before its breaker opens: failures in a row, without a success since.
//!
//! One credential alone is tried on as before. But where all that could serve are in doubt, what was seen of each adds
//! up, and a pool of many need not be met many times each before callers are told at once.

use types::Timestamp;

use super::Health;
use super::cell::Cell;
use crate::breaker::{Pass, SKEW_MS};

/// Shares are in thousandths.
pub const WHOLE: u32 = 1_000;
/// How long failures that prove nothing alone are remembered here, in milliseconds.
const REMEMBERED_MS: i64 = 120_000;
/// How long it is left alone, and the longest, in milliseconds; doubled with each failure.
const AGAIN_MS: (i64, i64) = (1_000, 8_000);

/// What speaks against a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// How much of what would prove it dead has been seen, in thousandths.
    pub share: u32,
    /// When it failed last, or when the request that looks at it began.
    pub last: Timestamp,
    /// The earliest time at which one request may look.
    pub again: Timestamp,
}

impl Doubt {
    /// Both together: the graver one, and the later times.
    pub fn with(self, other: Self) -> Self {
        Self {
            share: self.share.max(other.share),
            last: self.last.max(other.last),
            again: self.again.max(other.again),
        }
    }
}

/// When one request may look after so many failures in a row, of which the last came at `last`.
pub fn again(failures: u32, last: Timestamp) -> Timestamp {
    let doublings = failures.saturating_sub(1).min(16);
    last.plus_ms(AGAIN_MS.0.saturating_mul(1_i64 << doublings).min(AGAIN_MS.1))
}

impl Health {
    /// What speaks against it for a model; `threshold` is that of its breaker.
    pub fn doubt(&self, model: Option<&str>, now: Timestamp, threshold: u32) -> Option<Doubt> {
        let cell = self.cell(model)?;
        let mut doubt = cell.doubt(now, threshold)?;
        if let Some(began) = self.whole.probed_since(now).max(cell.probed_since(now)) {
            (doubt.last, doubt.again) = (doubt.last.max(began), doubt.again.max(now.plus_ms(1_000)));
        }
        Some(doubt)
    }

    /// Whether anything speaks against it for any model.
    pub fn is_doubted(&self, now: Timestamp) -> bool {
        self.cells().any(|cell| cell.doubt(now, 1).is_some())
    }
}

impl Cell {
    fn doubt(&self, now: Timestamp, threshold: u32) -> Option<Doubt> {
        let fresh = |at: Timestamp| now < at.plus_ms(REMEMBERED_MS) && now >= at.plus_ms(-SKEW_MS);
        let (unreached, unreached_at) = self.unreached();
        let lasting = self.again();
        let way = (unreached > 0 && (lasting.is_some() || fresh(unreached_at))).then(|| Doubt {
            share: share(unreached, Self::UNREACHED),
            last: unreached_at,
            again: lasting.unwrap_or_else(|| again(unreached, unreached_at)),
        });
        // One that has opened says by itself when somebody may look.
        let failures = if self.breaker.pass(now) == Pass::Yes { self.breaker.failures() } else { 0 };
        let breaker = (failures > 0 && fresh(self.failed_at)).then(|| Doubt {
            share: share(failures, threshold),
            last: self.failed_at,
            again: again(failures, self.failed_at),
        });
        way.into_iter().chain(breaker).max_by_key(|doubt| doubt.share)
    }
}

/// So many of so many, in thousandths.
fn share(seen: u32, of: u32) -> u32 {
    seen.saturating_mul(WHOLE).checked_div(of).unwrap_or(WHOLE).min(WHOLE)
}
