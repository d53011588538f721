//! A credential's health in lines, for views.

use types::Timestamp;
use types::breaker::BreakerState;
use types::credential::CredentialState;

use super::cell::Cell;
use super::{Health, OTHERS};

/// A breaker that has something to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BreakerLine {
    /// The model as sent upstream; `*` stands for all beyond the first 64; `None` for requests without one.
    pub model: Option<String>,
    /// Its state.
    pub state: BreakerState,
    /// Failures in a row.
    pub failures: u32,
    /// Successes in a row since it is half open.
    pub successes: u32,
    /// How often it opened without closing in between.
    pub openings: u32,
    /// When it last changed its state.
    pub changed_at: Option<Timestamp>,
    /// When the next probe may pass; `None` if it is closed.
    pub probe_at: Option<Timestamp>,
    /// What the last failure was.
    pub last_error: Option<String>,
}

/// A rest or demotion that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestLine {
    /// The model as sent upstream; `*` stands for all beyond the first 64; `None` for all of the credential, and for
    /// requests without a model.
    pub model: Option<String>,
    /// What it is.
    pub state: CredentialState,
    /// Until when.
    pub until: Timestamp,
    /// Why.
    pub reason: String,
}

impl Health {
    /// Breakers that are not closed, or that ever failed, by model.
    pub fn breakers(&self, now: Timestamp) -> Vec<BreakerLine> {
        let line = |(model, cell): (Option<String>, &Cell)| {
            let breaker = &cell.breaker;
            let tells = breaker.last_error().is_some() || breaker.changed_at(now).is_some();
            tells.then(|| BreakerLine {
                model,
                state: breaker.state(now),
                failures: breaker.failures(),
                successes: breaker.successes(),
                openings: breaker.openings(),
                changed_at: breaker.changed_at(now),
                probe_at: breaker.probe_at(),
                last_error: breaker.last_error().map(str::to_owned),
            })
        };
        let mut lines: Vec<_> = self.named_cells().filter_map(line).collect();
        lines.sort_by(|a, b| a.model.cmp(&b.model));
        lines
    }

    /// Rests and demotions that run, those of the whole credential first, then by model.
    pub fn rests(&self, now: Timestamp) -> Vec<RestLine> {
        let cells = [(None, &self.whole)].into_iter().chain(self.named_cells());
        let running = |(model, cell): (Option<String>, &Cell)| {
            let both = [cell.resting.clone(), cell.demoted.clone()].into_iter().flatten();
            let lines = both.filter(|resting| !resting.is_over(now)).map(move |resting| RestLine {
                model: model.clone(),
                state: resting.rest.state,
                until: resting.rest.until,
                reason: resting.reason,
            });
            lines.collect::<Vec<_>>()
        };
        let mut lines: Vec<_> = cells.flat_map(running).collect();
        lines.sort_by(|a, b| a.model.cmp(&b.model));
        lines
    }

    fn named_cells(&self) -> impl Iterator<Item = (Option<String>, &Cell)> {
        let models = self.models.iter().map(|(name, cell)| (Some(name.to_string()), cell));
        [(None, &self.no_model), (Some(OTHERS.to_owned()), &self.others)].into_iter().chain(models)
    }
}
