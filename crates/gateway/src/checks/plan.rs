//! When a credential is due for its next check. Pure: times are passed in, and what looks random follows from ids.
//!
//! Those that were never checked are spread over the first interval; after that each keeps its own rhythm, give or
//! take a tenth. One that the checker switched off is asked less and less often, at most hourly.

use types::{CredentialId, Timestamp};

/// Longest pause between two looks at a credential that is switched off, unless the interval is longer.
const LONGEST_MS: i64 = Timestamp::HOUR_MS;

/// What of a credential decides when it is due.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rhythm {
    pub(super) id: CredentialId,
    pub(super) checked_at: Option<Timestamp>,
    pub(super) failures: u32,
    /// Whether the checker switched it off.
    pub(super) is_off: bool,
}

/// The settings that decide it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tempo {
    pub(super) interval_ms: i64,
    pub(super) threshold: u32,
    /// Since when checks are switched on.
    pub(super) since: Timestamp,
}

/// When it is due.
pub(super) fn due_at(rhythm: Rhythm, tempo: Tempo) -> Timestamp {
    let Tempo { interval_ms, threshold, since } = tempo;
    let Some(checked_at) = rhythm.checked_at else {
        return since.plus_ms(scattered(rhythm.id.0, 0).rem_euclid(interval_ms.max(1)));
    };
    let pause = if rhythm.is_off {
        let doublings = rhythm.failures.saturating_sub(threshold).min(10);
        interval_ms.saturating_mul(1 << doublings).min(LONGEST_MS.max(interval_ms))
    } else {
        interval_ms
    };
    let tenth = (pause / 10).max(1);
    let jitter = scattered(rhythm.id.0, checked_at.0).rem_euclid(tenth);
    checked_at.plus_ms(pause - tenth / 2 + jitter)
}

/// A number that looks random and follows from two others (the finaliser of splitmix64).
fn scattered(one: i64, other: i64) -> i64 {
    let mut mixed = one.wrapping_mul(-7_046_029_254_386_353_131).wrapping_add(other);
    for (shift, factor) in [(30, -4_658_895_280_553_007_687), (27, -7_723_592_293_110_705_685), (31, 1)] {
        mixed = (mixed ^ mixed.rotate_right(shift)).wrapping_mul(factor);
    }
    mixed
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000;
    const TEMPO: Tempo = Tempo { interval_ms: 5 * MINUTE, threshold: 5, since: Timestamp(1_000_000) };

    fn rhythm(id: i64, checked_at: Option<i64>) -> Rhythm {
        Rhythm { id: CredentialId(id), checked_at: checked_at.map(Timestamp), failures: 0, is_off: false }
    }

    #[test]
    fn the_first_checks_are_spread_over_the_interval() {
        let mut thirds = [0; 3];
        for id in 1..=300 {
            let wait = due_at(rhythm(id, None), TEMPO).0 - TEMPO.since.0;
            thirds[usize::try_from(wait / (100 * 1_000)).unwrap()] += 1;
        }
        assert!(thirds.iter().all(|count| (70..=130).contains(count)), "{thirds:?}");
    }

    #[test]
    fn hc_03_each_keeps_its_rhythm_give_or_take_a_tenth() {
        let mut seen = std::collections::BTreeSet::new();
        for id in 1..=200 {
            let wait = due_at(rhythm(id, Some(7_000_000)), TEMPO).0 - 7_000_000;
            assert!((285_000..=315_000).contains(&wait), "{wait}");
            seen.insert(wait / 1_000);
        }
        assert!(seen.len() > 20, "{seen:?}");
    }

    #[test]
    fn tp_17_who_was_switched_off_is_looked_at_with_growing_pauses() {
        let wait = |failures| {
            let off = Rhythm { failures, is_off: true, ..rhythm(3, Some(0)) };
            due_at(off, TEMPO).0
        };
        let minutes: Vec<i64> = (5..=12).map(|failures| (wait(failures) + MINUTE / 2) / MINUTE).collect();
        for (found, least, most) in
            [(minutes[0], 4, 6), (minutes[1], 9, 11), (minutes[2], 18, 22), (minutes[7], 56, 64)]
        {
            assert!((least..=most).contains(&found), "{minutes:?}");
        }
    }
}
