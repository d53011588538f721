//! Exact counts of two kinds of outcome over a sliding stretch of time, kept in slots of equal width.
//!
//! It does not say what the two kinds mean, and it never ages by itself: every call brings its time.

use types::Timestamp;

/// The current slot and the `N - 1` before it, each `WIDTH_MS` wide. Allocates with the first outcome.
#[derive(Clone, Debug)]
pub(crate) struct Window<const N: usize, const WIDTH_MS: i64> {
    /// Number of the latest slot that was written.
    head: i64,
    /// Slot `n` lies at `n % N`; empty until the first outcome.
    slots: Vec<(u32, u32)>,
}

// Not derived: a derived one would look the same, but say nothing about the empty vector being meant.
impl<const N: usize, const WIDTH_MS: i64> Default for Window<N, WIDTH_MS> {
    fn default() -> Self {
        Self { head: 0, slots: Vec::new() }
    }
}

impl<const N: usize, const WIDTH_MS: i64> Window<N, WIDTH_MS> {
    /// Counts one outcome of the first kind.
    pub(crate) fn add_first(&mut self, now: Timestamp) {
        if let Some(slot) = self.slot(now) {
            slot.0 = slot.0.saturating_add(1);
        }
    }

    /// Counts one outcome of the second kind.
    pub(crate) fn add_second(&mut self, now: Timestamp) {
        if let Some(slot) = self.slot(now) {
            slot.1 = slot.1.saturating_add(1);
        }
    }

    /// How many of each kind lie in the stretch that ends now.
    pub(crate) fn sums(&self, now: Timestamp) -> (u64, u64) {
        self.series(now).fold((0, 0), |sum, slot| (sum.0 + u64::from(slot.0), sum.1 + u64::from(slot.1)))
    }

    /// All slots of the stretch that ends now, the oldest first.
    pub(crate) fn series(&self, now: Timestamp) -> impl Iterator<Item = (u32, u32)> {
        let last = number(now, WIDTH_MS);
        (last - (Self::len() - 1)..=last).map(|n| self.read(n))
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.slots.clear();
    }

    fn read(&self, n: i64) -> (u32, u32) {
        // Slots after the head exist only once the clock went back; what lies there is older than it looks.
        if n > self.head || n <= self.head - Self::len() {
            return (0, 0);
        }
        place(n, Self::len()).and_then(|i| self.slots.get(i)).copied().unwrap_or_default()
    }

    fn slot(&mut self, now: Timestamp) -> Option<&mut (u32, u32)> {
        let n = number(now, WIDTH_MS);
        // Further ahead or back than the whole stretch: nothing that is held can be told from what comes.
        if self.slots.is_empty() || n >= self.head + Self::len() || n <= self.head - Self::len() {
            self.slots.clear();
            self.slots.resize(N, (0, 0));
            self.head = n;
        }
        while self.head < n {
            self.head += 1;
            if let Some(slot) = place(self.head, Self::len()).and_then(|i| self.slots.get_mut(i)) {
                *slot = (0, 0);
            }
        }
        place(n, Self::len()).and_then(|i| self.slots.get_mut(i))
    }

    fn len() -> i64 {
        i64::try_from(N).unwrap_or(i64::MAX)
    }
}

fn number(now: Timestamp, width_ms: i64) -> i64 {
    // Far from the ends of the range, so that the sums above cannot overflow.
    now.0.clamp(-(1 << 60), 1 << 60).div_euclid(width_ms)
}

fn place(n: i64, len: i64) -> Option<usize> {
    usize::try_from(n.rem_euclid(len)).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Small = Window<4, 1_000>;

    #[test]
    fn outcomes_leave_with_their_slot() {
        let mut window = Small::default();
        window.add_first(Timestamp(500));
        window.add_second(Timestamp(1_500));
        assert_eq!(window.sums(Timestamp(3_999)), (1, 1));
        assert_eq!(window.sums(Timestamp(4_000)), (0, 1));
        assert_eq!(window.sums(Timestamp(5_000)), (0, 0));
        assert_eq!(window.series(Timestamp(3_000)).collect::<Vec<_>>(), [(1, 0), (0, 1), (0, 0), (0, 0)]);
    }

    #[test]
    fn a_jump_of_the_clock_beyond_the_stretch_starts_anew() {
        let mut window = Small::default();
        window.add_first(Timestamp(100_000));
        window.add_first(Timestamp(0));
        assert_eq!(window.sums(Timestamp(0)), (1, 0));
        window.add_first(Timestamp(i64::MAX));
        assert_eq!(window.sums(Timestamp(i64::MAX)), (1, 0));
    }

    proptest! {
        #[test]
        fn counts_equal_those_of_a_plain_list(steps in prop::collection::vec((0_i64..2_500, any::<bool>()), 1..60)) {
            let mut window = Small::default();
            let mut list = Vec::new();
            let mut now = 1_000_000;
            for (step, first) in steps {
                now += step;
                if first { window.add_first(Timestamp(now)) } else { window.add_second(Timestamp(now)) }
                list.push((now / 1_000, first));
                let held = |kind| {
                    let in_time = list.iter().filter(|(n, k)| *n > now / 1_000 - 4 && *k == kind);
                    u64::try_from(in_time.count()).unwrap()
                };
                prop_assert_eq!(window.sums(Timestamp(now)), (held(true), held(false)));
            }
        }
    }
}
