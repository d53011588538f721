//! What was spent, minute by minute, with running sums over the stretches that are asked for.
//!
//! It knows minutes and amounts, neither limits nor what is held.

use std::collections::VecDeque;

use types::Timestamp;

const MINUTE_MS: i64 = 60_000;
/// How long a minute is kept, in minutes: the longest window (25 hours) and some air.
pub(super) const KEPT: i64 = 26 * 60;
/// A minute goes only once so many minutes exist that are `KEPT` later: a clock that jumps ahead for a moment and back
/// must not open windows anew.
const PROOF: usize = 30;

/// The minute that contains an instant, counted from the epoch.
pub(super) fn minute_of(at: Timestamp) -> i64 {
    at.0.div_euclid(MINUTE_MS)
}

/// The start of a minute.
pub(super) fn start_of(minute: i64) -> Timestamp {
    Timestamp(minute.saturating_mul(MINUTE_MS))
}

/// Whole minutes of a length.
pub(super) fn minutes_in(ms: i64) -> i64 {
    ms.div_euclid(MINUTE_MS)
}

/// Minutes from one to before another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) from: i64,
    pub(super) to: i64,
}

impl Stretch {
    pub(super) fn contains(self, minute: i64) -> bool {
        self.from <= minute && minute < self.to
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Cell {
    minute: i64,
    nano: i64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Running {
    stretch: Stretch,
    sum: i128,
}

/// Running sums that are kept: one for five hours, one for days.
const SUMS: usize = 2;

/// Minutes in which something was spent, ascending.
#[derive(Debug, Default)]
pub(super) struct Minutes {
    cells: VecDeque<Cell>,
    sums: [Running; SUMS],
}

impl Minutes {
    /// Adds to a minute.
    pub(super) fn add(&mut self, minute: i64, nano: i64) {
        let at = match self.cells.back() {
            Some(last) if last.minute == minute => self.cells.len().saturating_sub(1),
            Some(last) if last.minute > minute => {
                let at = self.cells.partition_point(|cell| cell.minute < minute);
                if self.cells.get(at).is_none_or(|cell| cell.minute != minute) {
                    self.cells.insert(at, Cell { minute, nano: 0 });
                }
                at
            }
            _ => {
                self.cells.push_back(Cell { minute, nano: 0 });
                self.cells.len().saturating_sub(1)
            }
        };
        let Some(cell) = self.cells.get_mut(at) else { return };
        let before = cell.nano;
        cell.nano = before.saturating_add(nano);
        let added = i128::from(cell.nano) - i128::from(before);
        for running in &mut self.sums {
            if running.stretch.contains(minute) {
                running.sum += added;
            }
        }
        self.forget();
    }

    fn forget(&mut self) {
        let Some(proof) = self.cells.len().checked_sub(PROOF).and_then(|at| self.cells.get(at)) else {
            return;
        };
        let horizon = proof.minute.saturating_sub(KEPT);
        while let Some(oldest) = self.cells.front().copied().filter(|cell| cell.minute < horizon) {
            self.cells.pop_front();
            for running in &mut self.sums {
                if running.stretch.contains(oldest.minute) {
                    running.sum -= i128::from(oldest.nano);
                }
            }
        }
    }

    /// The sum over a stretch. `slot` says which running sum to move there: the same for the same kind of window, for
    /// speed only.
    pub(super) fn sum(&mut self, slot: usize, stretch: Stretch) -> i128 {
        let Some(Running { stretch: old, sum }) = self.sums.get(slot).copied() else {
            return self.between(stretch.from, stretch.to);
        };
        if old == stretch {
            return sum;
        }
        let apart = stretch.from >= old.to || stretch.to <= old.from;
        let sum = if apart {
            self.between(stretch.from, stretch.to)
        } else {
            // Each is zero for a boundary that does not move that way.
            sum + self.between(stretch.from, old.from) - self.between(old.from, stretch.from)
                + self.between(old.to, stretch.to)
                - self.between(stretch.to, old.to)
        };
        if let Some(running) = self.sums.get_mut(slot) {
            *running = Running { stretch, sum };
        }
        sum
    }

    fn between(&self, from: i64, to: i64) -> i128 {
        if from >= to {
            return 0;
        }
        let start = self.cells.partition_point(|cell| cell.minute < from);
        let range = self.cells.range(start..);
        range.take_while(|cell| cell.minute < to).map(|cell| i128::from(cell.nano)).sum()
    }

    /// The first minute after which `excess` has left a window that begins at `from`.
    pub(super) fn leaves(&self, from: i64, excess: i128) -> Option<i64> {
        let start = self.cells.partition_point(|cell| cell.minute < from);
        let mut left = 0_i128;
        self.cells.range(start..).find_map(|cell| {
            left += i128::from(cell.nano);
            (left >= excess).then(|| cell.minute.saturating_add(1))
        })
    }

    /// Minutes in which something was spent, ascending, with the amounts.
    pub(super) fn used(&self) -> impl Iterator<Item = i64> {
        self.cells.iter().filter(|cell| cell.nano > 0).map(|cell| cell.minute)
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}
