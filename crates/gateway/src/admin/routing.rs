//! Questions to the router: what it would do now, what it would have done, and what would have changed its mind.

use ::routing::backtest::{Sample, backtest};
use ::routing::explain::counterfactuals;
use store::DecisionSample;
use types::problem::FieldErrors;
use types::request::AttemptOutcome;
use types::simulation::{Backtest, BacktestReport, Counterfactual, Simulate, Simulation};
use types::{Problem, Timestamp};

use super::Admin;
use crate::identity::problem::store_problem;

/// Requests of a backtest unless it says how many, and the most.
const SAMPLES: u32 = 5_000;
const MOST_SAMPLES: u32 = 20_000;

impl Admin {
    /// The decision that a request like that would meet now. Nothing is sent and nothing is held.
    #[expect(clippy::unused_async, reason = "all calls of the handle are awaited alike")]
    pub async fn routing_simulate(&self, input: Simulate) -> Result<Simulation, Problem> {
        crate::serve::simulate(&self.core, &input)
    }

    /// What another policy would have made of recorded requests.
    pub async fn routing_backtest(&self, input: Backtest) -> Result<BacktestReport, Problem> {
        let now = self.core.clock.now();
        let since = input.since.unwrap_or(Timestamp(now.0.saturating_sub(24 * Timestamp::HOUR_MS)));
        let until = input.until.unwrap_or(now);
        let limit = input.limit.unwrap_or(SAMPLES);
        check(&input, since, until, limit)?;
        let rows = self.core.store.decision_samples(since, until, limit).await;
        let rows = rows.map_err(|error| store_problem(error, "request"))?;
        let samples: Vec<_> = rows.into_iter().filter_map(sample).collect();
        let snapshot = self.core.snapshot();
        let settings = &snapshot.settings;
        Ok(backtest(&samples, &input, &settings.pool_tier_order, settings.routing_strategy))
    }

    /// The smallest changes that would have put another candidate first in a recorded request.
    pub async fn request_changes(&self, id: String) -> Result<Vec<Counterfactual>, Problem> {
        let row = self.request_fetch(id).await?;
        let order = &self.core.snapshot().settings.pool_tier_order;
        Ok(row.record.decision.map_or_else(Vec::new, |decision| counterfactuals(&decision, order)))
    }
}

fn check(input: &Backtest, since: Timestamp, until: Timestamp, limit: u32) -> Result<(), Problem> {
    let mut errors = FieldErrors::default();
    if since >= until {
        errors.add("since", "expected an instant before the end");
    }
    if !(1..=MOST_SAMPLES).contains(&limit) {
        errors.add("limit", format!("expected 1 to {MOST_SAMPLES}"));
    }
    if let Some(order) = &input.tier_order {
        let twice = (1..order.len()).any(|n| order.iter().take(n).any(|tier| Some(tier) == order.get(n)));
        if order.is_empty() || twice {
            errors.add("tier_order", "expected each tier at most once");
        }
    }
    for (id, edit) in &input.providers {
        if edit.weight.is_some_and(|weight| !(1..=100).contains(&weight)) {
            errors.add(&format!("providers.{id}.weight"), "expected 1 to 100");
        }
        if edit.priority.is_some_and(|priority| !(-1_000..=1_000).contains(&priority)) {
            errors.add(&format!("providers.{id}.priority"), "expected -1000 to 1000");
        }
    }
    errors.finish(())
}

fn sample(row: DecisionSample) -> Option<Sample> {
    let DecisionSample { at, decision, attempts, base_cost, provider_cost, first_byte_ms } = row;
    // A second attempt beside a slow one was nobody's first choice, and no failover.
    let in_turn = || attempts.iter().filter(|attempt| !attempt.hedge);
    let first = in_turn().next()?;
    Some(Sample {
        at,
        first: (first.provider_id, first.credential_id),
        // A caller who left says nothing about the credential.
        first_failed: !matches!(
            first.outcome,
            AttemptOutcome::Done | AttemptOutcome::ClientGone | AttemptOutcome::Superseded
        ),
        attempts: u32::try_from(in_turn().count()).unwrap_or(u32::MAX),
        decision,
        base_cost,
        provider_cost,
        first_byte_ms,
    })
}
