//! What a credential took to its first byte lately.
//!
//! One number that many threads write without a lock. It knows no percentiles; those are the books' business.

use std::sync::atomic::{AtomicU64, Ordering};

use types::Timestamp;

/// A moving average that jumps up at once and sinks with a half-life of ten seconds.
///
/// It sinks towards what is observed, and towards nothing while nothing is observed, so that a credential that was
/// slow once is tried again.
#[derive(Debug, Default)]
pub struct PeakEwma {
    /// High half: 256ths of a millisecond; low half: tenths of a second of the clock, wrapping. Zero is unknown.
    cell: AtomicU64,
}

const HALF_LIFE_DS: u64 = 100;
const FINE: u64 = 256;

impl PeakEwma {
    /// Notes that it took so many milliseconds.
    pub fn observe(&self, ms: u32, now: Timestamp) {
        // Nothing is quicker than the finest step: zero would mean unknown.
        let seen = (u64::from(ms) * FINE).clamp(1, u64::from(u32::MAX));
        let tick = tick(now);
        let next = |cell: u64| {
            let (value, at) = unpack(cell);
            let next = if seen >= value {
                seen
            } else {
                // What is left of the old value, and what was observed for the rest of it.
                let kept = sunk(value, elapsed(at, tick));
                kept + seen - (seen * kept).div_ceil(value)
            };
            // A clock that was set back must not make the value older than it is.
            Some((next.min(u64::from(u32::MAX)) << 32) | u64::from(tick))
        };
        // The closure always returns a value, so this cannot fail.
        let _ = self.cell.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
    }

    /// Milliseconds, at least one; `None` if nothing was observed lately.
    pub fn get(&self, now: Timestamp) -> Option<u32> {
        let (value, at) = unpack(self.cell.load(Ordering::Relaxed));
        let left = sunk(value, elapsed(at, tick(now)));
        (left > 0).then(|| u32::try_from(left.div_ceil(FINE)).unwrap_or(u32::MAX))
    }
}

fn unpack(cell: u64) -> (u64, u32) {
    (cell >> 32, u32::try_from(cell & 0xffff_ffff).unwrap_or(0))
}

fn tick(now: Timestamp) -> u32 {
    u32::try_from(now.0.div_euclid(100).rem_euclid(1 << 32)).unwrap_or(0)
}

/// Tenths of a second between two instants; zero if the clock was set back.
fn elapsed(from: u32, to: u32) -> u64 {
    let between = to.wrapping_sub(from);
    if between > u32::MAX / 2 { 0 } else { u64::from(between) }
}

/// What is left of a value: half for each half-life, in a straight line between.
fn sunk(value: u64, elapsed: u64) -> u64 {
    let halved = u32::try_from(elapsed / HALF_LIFE_DS).ok().and_then(|times| value.checked_shr(times));
    let halved = halved.unwrap_or(0);
    halved - halved * (elapsed % HALF_LIFE_DS) / (2 * HALF_LIFE_DS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp(1_795_000_000_000 + seconds * 1000)
    }

    #[test]
    fn a_peak_counts_at_once_and_is_forgotten_by_halves() {
        let latency = PeakEwma::default();
        assert_eq!(latency.get(at(0)), None);
        latency.observe(100, at(0));
        latency.observe(1000, at(0));
        assert_eq!(latency.get(at(0)), Some(1000));
        assert_eq!(latency.get(at(10)), Some(500));
        assert_eq!(latency.get(at(15)), Some(375));
        assert_eq!(latency.get(at(20)), Some(250));
        assert_eq!(latency.get(at(600)), None, "nothing was seen for ten minutes");
    }

    #[test]
    fn quick_answers_pull_it_down_no_faster_than_time_does() {
        let latency = PeakEwma::default();
        latency.observe(1000, at(0));
        for _ in 0..100 {
            latency.observe(100, at(0));
        }
        assert_eq!(latency.get(at(0)), Some(1000));
        latency.observe(100, at(10));
        assert_eq!(latency.get(at(10)), Some(550), "half of the peak, half of what was seen");
        for second in 11..100 {
            latency.observe(100, at(second));
        }
        assert!(
            latency.get(at(100)).is_some_and(|ms| (90..=105).contains(&ms)),
            "{:?}",
            latency.get(at(100))
        );
    }

    #[test]
    fn a_clock_set_back_neither_freezes_nor_forgets_it() {
        let latency = PeakEwma::default();
        latency.observe(1000, at(3600));
        assert_eq!(latency.get(at(0)), Some(1000));
        latency.observe(10, at(0));
        assert_eq!(latency.get(at(10)), Some(500), "it sinks from the new time on");
    }

    #[test]
    fn an_answer_in_no_time_is_known_and_the_longest_does_not_overflow() {
        let latency = PeakEwma::default();
        latency.observe(0, at(0));
        assert_eq!(latency.get(at(0)), Some(1));
        latency.observe(u32::MAX, at(0));
        assert!(latency.get(at(0)).is_some_and(|ms| ms > 16_000_000));
        latency.observe(1, at(1));
        assert!(latency.get(at(1)).is_some_and(|ms| ms > 15_000_000));
    }

    proptest::proptest! {
        #[test]
        fn it_stays_between_the_slowest_seen_and_nothing(
            seen in proptest::collection::vec((0_u32..1_000_000, 0_i64..30), 1..50),
        ) {
            let latency = PeakEwma::default();
            let (mut now, mut slowest) = (0, 0);
            for (ms, pause) in seen {
                now += pause;
                slowest = slowest.max(ms.max(1));
                latency.observe(ms, at(now));
                let value = latency.get(at(now));
                proptest::prop_assert!(value.is_some_and(|value| value <= slowest), "{value:?} {slowest}");
                proptest::prop_assert!(latency.get(at(now + 5)) <= value);
            }
        }
    }
}
