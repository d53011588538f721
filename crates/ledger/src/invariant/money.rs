//! Invariants of money: over single rows, over budgets, and between both and the sums of somebody else.

use types::Money;
use types::price::PriceState;
use types::request::{Outcome, RequestRecord};

use super::Violation;
use crate::batch::totals;
use crate::budget::{Amounts, Figures, Reading, Rule, Scope};
use crate::price::Factors;

/// INV-6 and INV-11 of one row: its bill comes to its costs, and what has no price costs nothing and says so.
///
/// A caller may be charged nothing for what has a cost (the gateway's loss), but never anything else than the bill.
pub fn check_row(row: &RequestRecord) -> Vec<Violation> {
    let id = row.request_id;
    let mut violations = Vec::new();
    if let Some(bill) = &row.bill {
        let base = bill.lines.iter().fold(Money::ZERO, |sum, line| sum.plus(line.amount_usd));
        let factors =
            Factors { multiplier: bill.cost_multiplier, group: bill.group_rate, user: bill.user_rate };
        let (charged, provider) = factors.of(base);
        let waived = row.cost_usd.is_zero();
        let same = (waived || row.cost_usd == charged)
            && row.base_cost_usd == base
            && row.provider_cost_usd == provider;
        if !same {
            let booked = [row.cost_usd, row.base_cost_usd, row.provider_cost_usd];
            violations.push(Violation::BillDiffers { id, billed: [charged, base, provider], booked });
        }
    }
    let most = row.cost_usd.max(row.base_cost_usd).max(row.provider_cost_usd);
    let must_be_nothing =
        matches!(row.price_state, PriceState::None | PriceState::Unpriced | PriceState::Free);
    if must_be_nothing && !most.is_zero() {
        violations.push(Violation::CostWithoutPrice { id, state: row.price_state, cost: most });
    }
    let used = row.usage().total() > 0 || row.images > 0;
    if row.price_state == PriceState::None
        && used
        && row.outcome != Outcome::Refused
        && row.provider_id.is_some()
    {
        violations.push(Violation::NotPriced(id));
    }
    violations
}

/// INV-3: the books have at least what a provider invoiced for a request, failed attempts included.
pub fn check_covered(row: &RequestRecord, invoiced: Money) -> Option<Violation> {
    let booked = totals(row).provider_cost_usd;
    (booked < invoiced).then_some(Violation::NotCovered { id: row.request_id, booked, invoiced })
}

/// INV-4: what a scope holds is what its open requests hold; without any, nothing.
pub fn check_figures(figures: &[Figures]) -> Vec<Violation> {
    let held = |figures: &Figures| Amounts { worst: figures.worst, estimate: figures.estimate };
    figures
        .iter()
        .filter(|figures| held(figures) != figures.open)
        .map(|figures| Violation::HeldDiffers {
            scope: figures.scope,
            held: held(figures),
            open: figures.open,
        })
        .collect()
}

/// INV-5 of one hard limit. A limit that was lowered below what is spent looks the same, so that this is for limits
/// that did not change.
pub fn check_limit(scope: Scope, rule: &Rule, reading: &Reading) -> Option<Violation> {
    let Reading { name, used, reserved, .. } = *reading;
    let over = used.plus(reserved) > rule.limit;
    (rule.hard && over).then_some(Violation::OverLimit { scope, name, used, reserved, limit: rule.limit })
}

/// INV-16: a counter equals the sum over the requests that it counts.
pub fn check_counter(scope: Scope, kept: Money, rows: Money) -> Option<Violation> {
    (kept != rows).then_some(Violation::CounterDiffers { scope, kept, rows })
}
