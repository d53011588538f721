//! What a request will probably cost, learned from what the key's requests for the same model did cost.
//!
//! Only limits that the administrator marked as estimated use it; a wrong guess is corrected while the answer runs.

use moka::sync::Cache;
use types::{ApiKeyId, Money};

/// Pairs of key and model that are remembered.
const MAX_PAIRS: u64 = 20_000;

/// Mean and mean deviation in nano-USD, both exponentially weighted.
#[derive(Clone, Copy, Debug, Default)]
struct Learned {
    mean: i64,
    deviation: i64,
}

impl Learned {
    /// Weight of the newest cost: one eighth for the mean, one quarter for the deviation, as in RFC 6298 §2.
    fn with(self, cost: i64) -> Self {
        let off = cost.saturating_sub(self.mean);
        Self {
            mean: self.mean.saturating_add(off / 8),
            deviation: self.deviation.saturating_add(off.saturating_abs().saturating_sub(self.deviation) / 4),
        }
    }
}

/// What was learned of all keys.
#[derive(Debug)]
pub(crate) struct Estimates(Cache<(ApiKeyId, String), Learned>);

impl Default for Estimates {
    fn default() -> Self {
        Self(Cache::new(MAX_PAIRS))
    }
}

impl Estimates {
    /// A bound that about 95 of 100 requests stay below; `None` until one was seen.
    pub(crate) fn of(&self, key: ApiKeyId, model: &str) -> Option<Money> {
        let learned = self.0.get(&(key, model.to_owned()))?;
        // Four mean deviations above the mean, like the retransmission timer of TCP.
        Some(Money::clamp_nano(i128::from(learned.mean) + 4 * i128::from(learned.deviation)))
    }

    /// Learns what a request did cost.
    pub(crate) fn learn(&self, key: ApiKeyId, model: &str, cost: Money) {
        let pair = (key, model.to_owned());
        let cost = cost.nano();
        let learned = match self.0.get(&pair) {
            Some(learned) => learned.with(cost),
            None => Learned { mean: cost, deviation: cost / 2 },
        };
        self.0.insert(pair, learned);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_estimate_settles_near_steady_costs_and_follows_a_change() {
        let estimates = Estimates::default();
        let key = ApiKeyId(1);
        assert_eq!(estimates.of(key, "m"), None);
        let cost = |nano| Money::from_nano(nano).unwrap();
        for _ in 0..60 {
            estimates.learn(key, "m", cost(1_000_000));
        }
        let steady = estimates.of(key, "m").unwrap();
        assert!(steady >= cost(1_000_000) && steady < cost(1_100_000), "{steady}");
        for _ in 0..3 {
            estimates.learn(key, "m", cost(5_000_000));
        }
        assert!(estimates.of(key, "m").unwrap() > cost(5_000_000));
        assert_eq!(estimates.of(key, "other"), None);
    }
}
