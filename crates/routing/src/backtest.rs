//! Another policy, tried on recorded decisions.
use types::credential::Tier;
use types::request::Decision;
use types::routing::Strategy;
use types::simulation::{Backtest, BacktestReport};
use types::{CredentialId, Money, ProviderId, Timestamp};

/// One recorded request.
#[derive(Clone, Debug)]
pub struct Sample {
    /// When it was decided.
    pub at: Timestamp,
    /// The decision.
    pub decision: Decision,
    /// Where its first attempt went.
    pub first: (ProviderId, CredentialId),
    /// Whether that attempt failed.
    pub first_failed: bool,
    /// Attempts altogether.
    pub attempts: u32,
    /// Its price by the list.
    pub base_cost: Money,
    /// What providers charged for it.
    pub provider_cost: Money,
    /// Milliseconds to the first byte; `None` if none came.
    pub first_byte_ms: Option<u64>,
}

/// Tries an edited policy on recorded requests.
pub fn backtest(
    _samples: &[Sample],
    _edit: &Backtest,
    _tier_order: &[Tier],
    _strategy: Strategy,
) -> BacktestReport {
    BacktestReport::default()
}
