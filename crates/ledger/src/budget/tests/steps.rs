//! Commands of random histories.

use proptest::prelude::*;
use types::quota::ScopeKind;

use super::calendar::KINDS;
use super::{DAY, HOUR};

/// Whom requests charge.
pub(super) const SCOPES: [(ScopeKind, i64); 6] = [
    (ScopeKind::Global, 0),
    (ScopeKind::User, 1),
    (ScopeKind::Key, 1),
    (ScopeKind::Group, 1),
    (ScopeKind::Provider, 1),
    (ScopeKind::Provider, 2),
];

/// One command. Numbers choose among what there is.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Admit { payers: u8, worst: i64, estimate: i64 },
    Failover { which: usize, supplier: i64, worst: i64, estimate: i64 },
    Fail { which: usize, cost: i64 },
    Raise { which: usize, estimate: i64 },
    RaiseProvider { which: usize, estimate: i64 },
    Resize { which: usize, worst: i64, estimate: i64 },
    Settle { which: usize, percent: i64 },
    Abort { which: usize },
    Tick { ms: i64 },
    ClockJump { ms: i64 },
    WindowRoll { length: i64 },
    Limit { scope: usize, kind: usize, limit: Option<i64>, hard: bool },
    Reset { scope: usize },
    PriceChange { percent: i64 },
    Apply { rows: usize },
    Load,
    Restart { apply: bool },
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    let which = || 0..8_usize;
    prop_oneof![
        10 => (1..8_u8, 0..60_i64, 0..40_i64).prop_map(|(payers, worst, estimate)| Step::Admit { payers, worst, estimate }),
        6 => (which(), 1..3_i64, 0..60_i64, 0..40_i64)
            .prop_map(|(which, supplier, worst, estimate)| Step::Failover { which, supplier, worst, estimate }),
        3 => (which(), 0..30_i64).prop_map(|(which, cost)| Step::Fail { which, cost }),
        3 => (which(), 0..80_i64).prop_map(|(which, estimate)| Step::Raise { which, estimate }),
        2 => (which(), 0..80_i64).prop_map(|(which, estimate)| Step::RaiseProvider { which, estimate }),
        2 => (which(), 0..60_i64, 0..40_i64).prop_map(|(which, worst, estimate)| Step::Resize { which, worst, estimate }),
        8 => (which(), 0..=100_i64).prop_map(|(which, percent)| Step::Settle { which, percent }),
        2 => which().prop_map(|which| Step::Abort { which }),
        5 => prop_oneof![0..5_000_i64, 0..2 * HOUR].prop_map(|ms| Step::Tick { ms }),
        1 => prop_oneof![Just(HOUR), Just(-HOUR), Just(10 * DAY), Just(-10 * DAY), -30_000..30_000_i64]
            .prop_map(|ms| Step::ClockJump { ms }),
        2 => prop_oneof![Just(5 * HOUR), Just(DAY), Just(7 * DAY)].prop_map(|length| Step::WindowRoll { length }),
        2 => (0..SCOPES.len(), 0..KINDS.len(), prop::option::weighted(0.9, 20..300_i64), prop::bool::weighted(0.7))
            .prop_map(|(scope, kind, limit, hard)| Step::Limit { scope, kind, limit, hard }),
        1 => (0..SCOPES.len()).prop_map(|scope| Step::Reset { scope }),
        1 => (50..150_i64).prop_map(|percent| Step::PriceChange { percent }),
        3 => (0..10_usize).prop_map(|rows| Step::Apply { rows }),
        1 => Just(Step::Load),
        1 => any::<bool>().prop_map(|apply| Step::Restart { apply }),
    ]
}

/// Mistakes of a driver, each as an error in the crate would look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mutant {
    None,
    /// Only the first payer's limits count.
    FirstScopeOnly,
    /// A failed attempt goes on holding.
    KeepFailed,
    /// The loss of a failed attempt is not booked.
    ForgetLoss,
    /// Everything counts as applied when figures are loaded.
    LoseUnapplied,
    /// Costs go to the windows of an hour later.
    LateBooking,
    /// The running cost is not held.
    ForgetRaise,
    /// A reset does nothing.
    ForgetReset,
    /// A settled request is also dropped without a cost being booked.
    ForgetSettle,
}
