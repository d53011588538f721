//! How long nearly all answers take to their first byte, learned by credential, model and kind of answer.
//!
//! It is a histogram with steps of a quarter, which forgets by halves: exact enough to tell slow from usual, and as
//! small as a few hundred bytes. It says nothing before it has seen enough.

use std::collections::HashMap;

/// Steps: four to each doubling, up to about 18 hours.
const STEPS: usize = 104;
/// Answers below which nothing is said.
const ENOUGH: u32 = 20;
/// Answers beyond which all counts are halved, so that what was long ago fades.
const MOST: u32 = 500;
/// The share that is quicker than what is said, in percent.
const SHARE: u32 = 95;
/// Models that are told from each other; those beyond share one histogram.
const MODELS: usize = 64;

/// Times to the first byte of one kind of answer.
#[derive(Clone, Debug)]
struct Times {
    counts: [u16; STEPS],
    seen: u32,
}

impl Default for Times {
    fn default() -> Self {
        Self { counts: [0; STEPS], seen: 0 }
    }
}

/// The step of a time: its power of two, and its next two bits.
fn step(ms: u64) -> usize {
    let ms = ms.saturating_add(4);
    let power = ms.ilog2();
    let quarter = (ms >> power.saturating_sub(2)) & 3;
    let at = u64::from(power.saturating_sub(2)).saturating_mul(4).saturating_add(quarter);
    usize::try_from(at).unwrap_or(STEPS).min(STEPS - 1)
}

/// The first time that is longer than all of a step.
fn end(step: usize) -> u64 {
    let step = u64::try_from(step).unwrap_or(0).saturating_add(1);
    (4 + step % 4).checked_shl(u32::try_from(step / 4).unwrap_or(0)).unwrap_or(u64::MAX).saturating_sub(4)
}

impl Times {
    fn observe(&mut self, ms: u64) {
        if self.seen >= MOST {
            self.counts.iter_mut().for_each(|count| *count /= 2);
            self.seen = self.counts.iter().map(|count| u32::from(*count)).sum();
        }
        if let Some(count) = self.counts.get_mut(step(ms)) {
            *count = count.saturating_add(1);
            self.seen = self.seen.saturating_add(1);
        }
    }

    fn most(&self) -> Option<u64> {
        if self.seen < ENOUGH {
            return None;
        }
        let wanted = (self.seen * SHARE).div_ceil(100);
        let mut sum = 0_u32;
        let at = self.counts.iter().position(|count| {
            sum = sum.saturating_add(u32::from(*count));
            sum >= wanted
        });
        at.map(end)
    }
}

/// What one credential takes, by model and by whether the answer is a stream.
#[derive(Clone, Debug, Default)]
pub struct Patience {
    models: HashMap<(Box<str>, bool), Times>,
    others: Times,
}

impl Patience {
    /// Notes that the first byte of an answer took so many milliseconds, or that it had not come by then.
    pub fn observe(&mut self, model: &str, streaming: bool, ms: u64) {
        let key = (Box::from(model), streaming);
        let full = self.models.len() >= MODELS;
        let times = match self.models.get_mut(&key) {
            Some(times) => times,
            None if full => &mut self.others,
            None => self.models.entry(key).or_default(),
        };
        times.observe(ms);
    }

    /// Milliseconds within which 95 of 100 first bytes came lately; `None` until enough is known.
    pub fn most(&self, model: &str, streaming: bool) -> Option<u64> {
        self.models.get(&(Box::from(model), streaming)).map_or_else(|| self.others.most(), Times::most)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_is_said_before_enough_was_seen_and_each_model_and_kind_is_its_own() {
        let mut patience = Patience::default();
        for seen in 0..20 {
            assert_eq!(patience.most("m", true), None, "{seen}");
            patience.observe("m", true, 100);
        }
        let most = patience.most("m", true).unwrap();
        assert!((101..=125).contains(&most), "{most}");
        assert_eq!((patience.most("m", false), patience.most("other", true)), (None, None));
    }

    #[test]
    fn a_few_slow_ones_do_not_count_and_many_do() {
        let mut patience = Patience::default();
        for number in 0..400_u64 {
            patience.observe("m", false, if number % 25 == 0 { 60_000 } else { 200 + number % 50 });
        }
        let most = patience.most("m", false).unwrap();
        assert!((249..=320).contains(&most), "{most}");
        for _ in 0..400 {
            patience.observe("m", false, 3_000);
        }
        let most = patience.most("m", false).unwrap();
        assert!((3_000..=3_800).contains(&most), "what was long ago fades: {most}");
    }

    #[test]
    fn more_models_than_are_told_apart_share_one() {
        let mut patience = Patience::default();
        for model in 0..200 {
            patience.observe(&format!("m-{model}"), true, 50);
        }
        assert_eq!(patience.models.len(), MODELS);
        assert!(patience.most("m-199", true).is_some() && patience.most("m-1", true).is_none());
    }

    proptest! {
        #[test]
        fn a_step_ends_behind_its_times_and_no_more_than_a_quarter_beyond(ms in 0_u64..30_000_000) {
            let end = end(step(ms));
            prop_assert!(end > ms && end <= ms + ms / 4 + 2, "{ms}: {end}");
            prop_assert!(step(ms) <= step(ms + 1));
        }
    }
}
