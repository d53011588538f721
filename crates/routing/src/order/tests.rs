use proptest::prelude::*;

use super::*;

const STRATEGIES: &[Strategy] = Strategy::ALL;

fn plain() -> Facts {
    Facts {
        demoted: false,
        tier: 0,
        priority: (0, 0),
        weight: 1,
        in_flight: 0,
        latency_ms: None,
        multiplier_micro: 1_000_000,
        last_turn: 0,
    }
}
