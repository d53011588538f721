//! The answer when nobody can serve: how many each filter removed, without names, and when to come again (AC-01).
//!
//! Where nothing but used-up quotas is in the way it is a 429, so that clients wait instead of giving up.

use super::{Demand, Selection};
use crate::error::Refusal;

/// Filters that say that somebody would not serve such a request at any time.
const NEVER: [&str; 9] = [
    "disabled",
    "endpoint",
    "group",
    "model",
    "dialect",
    "client",
    "no_credential",
    "unreadable",
    "unpriced",
];

impl Selection<'_> {
    /// The refusal, with the earliest recovery that is known as `Retry-After`.
    pub(in crate::serve) fn nobody(&self, demand: Demand<'_>) -> Refusal {
        if let Some(continued) = demand.continued {
            return continued.refusal(self, demand.now);
        }
        let counts = self.counts();
        let reasons =
            counts.iter().map(|(filter, count)| format!("{filter} {count}")).collect::<Vec<_>>().join(", ");
        let model = demand.model.map_or_else(String::new, |model| format!(" for model '{model}'"));
        let why = if !self.ranked.is_empty() {
            "others were quicker to take what was left".to_owned()
        } else if counts.is_empty() {
            "no provider is set up".to_owned()
        } else {
            format!("removed by: {reasons}")
        };
        let earliest = self.removed.iter().filter_map(|removal| removal.until).min();
        let back = earliest.map_or_else(String::new, |at| format!("; the first is back at {at}"));
        let found = format!("No available provider found{model} on {} ({why}{back})", demand.endpoint);
        let refusal = if self.only_quotas() {
            let refusal = Refusal::pool_exhausted(format!("{found}; account not available"));
            match earliest {
                Some(at) => refusal.with("resets_at", at.to_string()),
                None => refusal,
            }
        } else {
            let message = format!("{found}; no available account, account not available");
            Refusal::new(503, "no_available_account", message)
        };
        let refusal = refusal.with("reasons", serde_json::json!(counts));
        let wait_ms = earliest.map(|at| at.0.saturating_sub(demand.now.0).max(1));
        let seconds = wait_ms.and_then(|ms| u64::try_from(ms).ok()).map(|ms| ms.div_ceil(1_000));
        // A busy credential is free at any moment.
        let busy = (counts.contains_key("concurrency") || !self.ranked.is_empty()).then_some(1);
        match busy.into_iter().chain(seconds).min() {
            Some(seconds) => refusal.retry_after(seconds.clamp(1, 3_600)),
            None => refusal,
        }
    }

    /// Whether somebody could serve, and only quotas keep all of them from it.
    fn only_quotas(&self) -> bool {
        let possible = || self.removed.iter().filter(|removal| !NEVER.contains(&removal.filter));
        possible().next().is_some() && possible().all(|removal| removal.quota)
    }
}
