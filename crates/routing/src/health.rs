//! What is known of one credential's health: breakers, rests and demotions of its models, and of it as a whole.
//!
//! It does not store account states (invalid, banned, …), which outlive the process, and it is no lock: the caller
//! guards it.

use std::collections::HashMap;

use types::Timestamp;
use types::breaker::{BreakerConfig, BreakerState};
use types::credential::CredentialState;
use types::routing::FailureClass;

use crate::breaker::Change;
use crate::cooldown::Rest;
use crate::window::Window;

mod cell;
mod doubt;
mod lines;

use cell::{Cell, Ranked, Streaks};
pub use doubt::{Doubt, WHOLE, again};
pub use lines::{BreakerLine, RestLine};

/// Models of a credential that are told from each other.
const MODELS: usize = 64;
/// What stands for the models beyond those.
const OTHERS: &str = "*";

/// Health of one credential; well by default.
///
/// A probe lasts from [`begin_probe`](Self::begin_probe) to the next [`succeeded`](Self::succeeded) or
/// [`failed`](Self::failed) for its model, or to [`end_probe`](Self::end_probe) where neither comes; both is fine.
#[derive(Clone, Debug, Default)]
pub struct Health {
    /// What rests as a whole; its breaker is not used.
    whole: Cell,
    /// The model whose request probes the whole.
    whole_prober: Option<Prober>,
    /// Requests without a model.
    no_model: Cell,
    models: HashMap<Box<str>, Cell>,
    others: Cell,
    /// Whether something may keep requests away; if not, nothing does.
    troubled: bool,
    slots: Window<288, 300_000>,
    answered: u64,
    failed: u64,
}

/// How a credential looks to a request for one model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// It may be chosen.
    Free,
    /// It may be chosen as the one probe; take it with [`Health::begin_probe`].
    Probe,
    /// It may be chosen after all others.
    Demoted {
        /// Until when.
        until: Timestamp,
        /// Set once it could not be reached several times in a row: where all candidates are so, the earliest time at
        /// which one request may look. While somebody does, a guess of one second.
        again: Option<Timestamp>,
    },
    /// It may not be chosen: it rests.
    Resting {
        /// The earliest time; while somebody else's probe is out, a guess of one second.
        until: Timestamp,
        /// What the rest is.
        state: CredentialState,
    },
    /// It may not be chosen: its breaker is open.
    Open {
        /// The earliest time; while somebody else's probe is out, a guess of one second.
        until: Timestamp,
    },
}

/// A failed attempt.
#[derive(Clone, Copy, Debug)]
pub struct Failed<'a> {
    /// The model as sent upstream.
    pub model: Option<&'a str>,
    /// Whose fault it is.
    pub class: FailureClass,
    /// The rest that follows from it.
    pub rest: Option<Rest>,
    /// Tells requests from each other.
    pub fingerprint: u64,
    /// Whether another credential could serve the same request.
    pub confirmed: bool,
    /// Whether breakers count faults of the way there.
    pub network_counts: bool,
    /// What it was, in one sentence without secrets.
    pub what: &'a str,
}

/// A change of one model's breaker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelChange {
    /// The model as sent upstream; `*` stands for all beyond the first 64; `None` for requests without one.
    pub model: Option<String>,
    /// The change.
    pub change: Change,
}

/// The model whose request is out as a probe.
#[derive(Clone, Debug)]
struct Prober(Option<Box<str>>);

/// Where a model's cell lies.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    NoModel,
    Model(Box<str>),
    Others,
}

impl Health {
    /// Whether every model is [`Look::Free`]: the quick way past all that follows.
    pub fn is_quiet(&self, now: Timestamp) -> bool {
        !self.troubled || self.cells().all(|cell| cell.is_quiet(now))
    }

    /// How it looks to a request for the model.
    pub fn look(&self, model: Option<&str>, now: Timestamp) -> Look {
        if !self.troubled {
            return Look::Free;
        }
        let whole = self.whole.look(now);
        let cell = self.cell(model);
        let look = cell.map_or(whole, |cell| whole.max(cell.look(now)));
        match (look, cell) {
            (Ranked::Demoted(until), Some(cell)) => {
                let taken = self.whole.is_probed(now) || cell.is_probed(now);
                let taken = taken.then(|| now.plus_ms(1_000));
                Look::Demoted { until, again: cell.again().map(|at| at.max(taken.unwrap_or(at))) }
            }
            (look, _) => look.into_look(),
        }
    }

    /// Takes the one probe; false if another is out, or nothing may pass.
    ///
    /// Where nothing keeps requests away (any more), there is one at a time too: the caller may have reasons of his own
    /// to look carefully, such as a state that was stored before a restart.
    pub fn begin_probe(&mut self, model: Option<&str>, now: Timestamp) -> bool {
        let takes_whole = match self.look(model, now) {
            Look::Resting { .. } | Look::Open { .. } => return false,
            Look::Free | Look::Demoted { .. } if self.whole.is_probed(now) => return false,
            Look::Free | Look::Demoted { .. } => true,
            Look::Probe => self.whole.wants_probe(now),
        };
        if takes_whole {
            self.whole.begin_probe(now);
            self.whole_prober = Some(Prober(model.map(Into::into)));
        }
        if let Some(cell) = self.cell_mut(model) {
            cell.begin_probe(now);
        }
        true
    }

    /// A probe for the model is over without an outcome.
    pub fn end_probe(&mut self, model: Option<&str>) {
        if self.whole_prober.as_ref().is_some_and(|prober| prober.0.as_deref() == model) {
            self.whole_prober = None;
            self.whole.end_probe();
        }
        if let Some(cell) = self.cell_mut(model) {
            cell.end_probe();
        }
    }

    /// A request succeeded: rests that are over and demotions end, and its breaker hears of it. A rest that still
    /// runs stays, because a request that succeeds within it began before it.
    pub fn succeeded(
        &mut self,
        model: Option<&str>,
        now: Timestamp,
        config: &BreakerConfig,
    ) -> Vec<ModelChange> {
        self.answered = self.answered.saturating_add(1);
        self.slots.add_first(now);
        if self.troubled {
            self.whole.recover(now);
        }
        let (place, cell) = self.cell_or_new(model, now);
        cell.recover(now);
        let change = cell.breaker.succeeded(now, config);
        self.end_probe(model);
        self.troubled = self.troubled && !self.cells().all(|cell| cell.is_quiet(now));
        change.map(|change| ModelChange { model: place.name(), change }).into_iter().collect()
    }

    /// A request failed.
    pub fn failed(&mut self, failed: Failed<'_>, now: Timestamp, config: &BreakerConfig) -> Vec<ModelChange> {
        self.end_probe(failed.model);
        if blames_credential(failed.class) {
            self.failed = self.failed.saturating_add(1);
            self.slots.add_second(now);
        }
        let counts = match failed.class {
            FailureClass::Provider | FailureClass::Unknown => true,
            FailureClass::System => failed.network_counts,
            _ => false,
        };
        if !counts && failed.rest.is_none() {
            return Vec::new();
        }
        self.troubled = true;
        if let Some(rest) = failed.rest.filter(|rest| rest.whole) {
            self.whole.rest(rest, failed.class, now, failed.what);
        }
        let model_rest = failed.rest.filter(|rest| !rest.whole);
        if !counts && model_rest.is_none() {
            return Vec::new();
        }
        let (place, cell) = self.cell_or_new(failed.model, now);
        // Who lacks one of the many models beyond the bound may well have the others.
        let shared_gap = place == Place::Others && failed.class == FailureClass::NotFound;
        if let Some(rest) = model_rest.filter(|_| !shared_gap) {
            cell.rest(rest, failed.class, now, failed.what);
        }
        if !counts {
            return Vec::new();
        }
        cell.failed_at = now;
        let change = cell.breaker.failed(now, config, failed.fingerprint, failed.confirmed, failed.what);
        change.map(|change| ModelChange { model: place.name(), change }).into_iter().collect()
    }

    /// How many rests for failures of that class came in a row without a success, of the model or of the whole.
    pub fn streak(&self, model: Option<&str>, class: FailureClass) -> u32 {
        let of = |streaks: &Streaks| streaks.get(class);
        self.cell(model).map_or(0, |cell| of(&cell.streaks)).max(of(&self.whole.streaks))
    }

    /// Closes all breakers.
    pub fn reset_breakers(&mut self, now: Timestamp) -> Vec<ModelChange> {
        let mut changes = Vec::new();
        let mut reset = |model: Option<String>, cell: &mut Cell| {
            changes.extend(cell.breaker.reset(now).map(|change| ModelChange { model, change }));
        };
        reset(None, &mut self.no_model);
        reset(Some(OTHERS.to_owned()), &mut self.others);
        for (name, cell) in &mut self.models {
            reset(Some(name.to_string()), cell);
        }
        changes.sort_by(|a, b| a.model.cmp(&b.model));
        changes
    }

    /// Ends all rests and demotions, forgets how many came in a row, and says how many there were (those too that are
    /// over but that no success has confirmed yet).
    pub fn clear_rests(&mut self) -> u32 {
        self.whole_prober = None;
        self.cells_mut().map(Cell::forget_rests).sum()
    }

    /// Ends the rests that put it into one state; says how many there were.
    pub fn end_rests(&mut self, state: CredentialState) -> u32 {
        let rests =
            |cell: &&mut Cell| cell.resting.as_ref().is_some_and(|resting| resting.rest.state == state);
        self.cells_mut().filter(rests).map(Cell::forget_rests).sum()
    }

    /// The worst state of its breakers.
    pub fn worst(&self, now: Timestamp) -> BreakerState {
        let badness = |state: &BreakerState| match state {
            BreakerState::Closed => 0,
            BreakerState::HalfOpen => 1,
            BreakerState::Open => 2,
        };
        if !self.troubled {
            return BreakerState::Closed;
        }
        let states = self.cells().map(|cell| cell.breaker.state(now));
        states.max_by_key(badness).unwrap_or(BreakerState::Closed)
    }

    /// Successes and failures of the last day: 288 slots of five minutes, the oldest first, the current one last.
    pub fn slots(&self, now: Timestamp) -> Vec<(u32, u32)> {
        self.slots.series(now).collect()
    }

    /// Requests answered.
    pub fn answered(&self) -> u64 {
        self.answered
    }

    /// Requests failed, but for those whose caller is at fault.
    pub fn failed_total(&self) -> u64 {
        self.failed
    }

    fn cells(&self) -> impl Iterator<Item = &Cell> {
        [&self.whole, &self.no_model, &self.others].into_iter().chain(self.models.values())
    }

    fn cells_mut(&mut self) -> impl Iterator<Item = &mut Cell> {
        [&mut self.whole, &mut self.no_model, &mut self.others].into_iter().chain(self.models.values_mut())
    }

    fn cell(&self, model: Option<&str>) -> Option<&Cell> {
        let Some(name) = model else { return Some(&self.no_model) };
        self.models.get(name).or_else(|| (self.models.len() >= MODELS).then_some(&self.others))
    }

    fn cell_mut(&mut self, model: Option<&str>) -> Option<&mut Cell> {
        let Some(name) = model else { return Some(&mut self.no_model) };
        let is_full = self.models.len() >= MODELS;
        self.models.get_mut(name).or_else(|| is_full.then_some(&mut self.others))
    }

    fn cell_or_new(&mut self, model: Option<&str>, now: Timestamp) -> (Place, &mut Cell) {
        let Some(name) = model else { return (Place::NoModel, &mut self.no_model) };
        if !self.models.contains_key(name) {
            if self.models.len() >= MODELS {
                self.make_room(now);
            }
            if self.models.len() >= MODELS {
                return (Place::Others, &mut self.others);
            }
        }
        let cell = self.models.entry(name.into()).or_default();
        cell.touched = now;
        (Place::Model(name.into()), cell)
    }

    /// Forgets the model that matters least: one that is well, else one that the account does not have (callers can
    /// make up names, and asking once more costs one attempt).
    fn make_room(&mut self, now: Timestamp) {
        let least = self
            .models
            .iter()
            .filter_map(|(name, cell)| Some((cell.rank(now)?, cell.touched, name)))
            .min()
            .map(|(_, _, name)| name.clone());
        if let Some(name) = least {
            self.models.remove(&name);
        }
    }
}

impl Place {
    fn name(&self) -> Option<String> {
        match self {
            Self::NoModel => None,
            Self::Model(name) => Some(name.to_string()),
            Self::Others => Some(OTHERS.to_owned()),
        }
    }
}

fn blames_credential(class: FailureClass) -> bool {
    match class {
        FailureClass::Provider
        | FailureClass::System
        | FailureClass::Overload
        | FailureClass::RateLimit
        | FailureClass::Auth
        | FailureClass::Quota
        | FailureClass::Unknown => true,
        FailureClass::NotFound | FailureClass::Client | FailureClass::ClientGone | FailureClass::Local => {
            false
        }
    }
}

#[cfg(test)]
mod tests;
