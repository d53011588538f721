//! What would have put another candidate first.
use types::credential::Tier;
use types::request::Decision;
use types::simulation::Counterfactual;

/// The changes that would have put another candidate first, the smallest first, at most ten.
pub fn counterfactuals(_decision: &Decision, _tier_order: &[Tier]) -> Vec<Counterfactual> {
    Vec::new()
}
