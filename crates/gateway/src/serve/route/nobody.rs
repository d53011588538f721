//! The answer when nobody can serve: how many each filter removed, without names, and when to come again (AC-01).

use super::{Demand, Selection};
use crate::error::Refusal;

impl Selection<'_> {
    /// The refusal, with the earliest recovery that is known as `Retry-After`.
    pub(in crate::serve) fn nobody(&self, demand: Demand<'_>) -> Refusal {
        let counts = self.counts();
        let reasons =
            counts.iter().map(|(filter, count)| format!("{filter} {count}")).collect::<Vec<_>>().join(", ");
        let model = demand.model.map_or_else(String::new, |model| format!(" for model '{model}'"));
        let why = if counts.is_empty() {
            "no provider is set up".to_owned()
        } else {
            format!("removed by: {reasons}")
        };
        let earliest = self.removed.iter().filter_map(|removal| removal.until).min();
        let back = earliest.map_or_else(String::new, |at| format!("; the first is back at {at}"));
        let refusal = Refusal::new(
            503,
            "no_available_account",
            format!(
                "No available provider found{model} on {} ({why}{back}); no available account, account not available",
                demand.endpoint
            ),
        )
        .with("reasons", serde_json::json!(counts));
        let wait_ms = earliest.map(|at| at.0.saturating_sub(demand.now.0).max(1));
        let seconds = wait_ms.and_then(|ms| u64::try_from(ms).ok()).map(|ms| ms.div_ceil(1_000));
        // A busy credential is free at any moment.
        let busy = counts.contains_key("concurrency").then_some(1);
        match busy.into_iter().chain(seconds).min() {
            Some(seconds) => refusal.retry_after(seconds.clamp(1, 3_600)),
            None => refusal,
        }
    }
}
