//! A second attempt beside a slow one, on the record and in the purse.
//!
//! While both run, the second is the last one on the record. The one that stays is the last one again: what follows
//! is about it, and those before it are the gateway's own cost.

use types::dialect::Dialect;
use types::request::{Attempt, AttemptOutcome};
use types::{CredentialId, Money, ProviderId};

use super::{Settlement, end};
use crate::serve::purse::{Charge, Side, Waste};
use crate::serve::signs::Signs;
use crate::serve::verdict::Verdict;

/// What the record says of where a request went.
type Way = (Option<ProviderId>, Option<CredentialId>, Option<String>, Option<Dialect>);

/// The second attempt.
#[derive(Debug)]
pub(in crate::serve) struct Beside {
    signs: Signs,
    side: Side,
    /// What the record said of the first one.
    way: Way,
}

/// How the attempt that does not stay ended.
#[derive(Debug)]
pub(in crate::serve) struct Loss<'a> {
    pub(in crate::serve) outcome: AttemptOutcome,
    pub(in crate::serve) reason: Option<String>,
    pub(in crate::serve) charge: Charge,
    /// If it failed.
    pub(in crate::serve) verdict: Option<&'a Verdict>,
}

impl<'a> Loss<'a> {
    /// It was cancelled because the other one answered.
    pub(in crate::serve) fn superseded() -> Self {
        let reason = Some("another attempt of the same request answered first".to_owned());
        Self { outcome: AttemptOutcome::Superseded, reason, charge: Charge::Loss, verdict: None }
    }

    /// It failed.
    pub(in crate::serve) fn failed(verdict: &'a Verdict) -> Self {
        let reason = Some(verdict.refusal.message.clone());
        Self { outcome: verdict.outcome, reason, charge: verdict.charge(), verdict: Some(verdict) }
    }

    fn waste(&self, signs: &Signs, request_bytes: u64) -> Waste {
        Waste { charge: self.charge, request_bytes, told: signs.told(request_bytes) }
    }

    fn write(self, attempt: &mut Attempt, signs: &Signs, now: u64) {
        signs.write(attempt);
        if let Some(verdict) = self.verdict {
            (attempt.class, attempt.commit) = (Some(verdict.class), Some(verdict.commit));
        }
        end(attempt, self.outcome, self.reason, now);
    }
}

impl Settlement {
    /// Adds a second attempt that runs beside the current one.
    pub(in crate::serve) fn open_beside(&mut self, mut attempt: Attempt, side: Side) -> Signs {
        attempt.started_ms = self.elapsed_ms();
        attempt.hedge = true;
        let signs = Signs::new();
        let record = self.record_mut();
        let way = (
            record.provider_id.replace(attempt.provider_id),
            record.credential_id.replace(attempt.credential_id),
            record.upstream_model.clone(),
            record.upstream_dialect,
        );
        record.attempts.push(attempt);
        self.beside = Some(Box::new(Beside { signs: signs.clone(), side, way }));
        signs
    }

    /// The first attempt stays. The second is booked and goes behind it in the order of the record.
    pub(in crate::serve) fn leave_beside(&mut self, loss: Loss<'_>) {
        let Some(beside) = self.beside.take() else { return };
        let (now, bytes) = (self.elapsed_ms(), self.record().request_bytes);
        let Beside { signs, side, way } = *beside;
        let waste = loss.waste(&signs, bytes);
        let cost = self.purse.as_mut().map(|purse| purse.leave_beside(&side, waste)).unwrap_or_default();
        let record = self.record_mut();
        (record.provider_id, record.credential_id, record.upstream_model, record.upstream_dialect) = way;
        let Some(mut attempt) = record.attempts.pop() else { return };
        loss.write(&mut attempt, &signs, now);
        attempt.provider_cost_usd = cost;
        record.attempts.insert(record.attempts.len().saturating_sub(1), attempt);
        self.note_waste(cost);
    }

    /// The second attempt stays and is the running one from now on; the first is booked.
    pub(in crate::serve) fn take_beside(&mut self, loss: Loss<'_>) {
        let Some(beside) = self.beside.take() else { return };
        let (now, bytes) = (self.elapsed_ms(), self.record().request_bytes);
        let Beside { signs, side, .. } = *beside;
        let waste = loss.waste(&self.signs, bytes);
        let cost = self.purse.as_mut().map(|purse| purse.take_beside(side, waste)).unwrap_or_default();
        let first = std::mem::replace(&mut self.signs, signs);
        let record = self.record_mut();
        let at = record.attempts.len().saturating_sub(2);
        if let Some(attempt) = record.attempts.get_mut(at) {
            loss.write(attempt, &first, now);
            attempt.provider_cost_usd = cost;
        }
        self.note_waste(cost);
    }

    /// Writes down what the attempt that does not stay costs, and in the journal which one stays.
    fn note_waste(&mut self, cost: Money) {
        if let Some(note) = self.record_mut().decision.as_mut().and_then(|decision| decision.hedge.as_mut()) {
            note.cost_usd = cost;
        }
        if let Some(reservation) = self.reservation()
            && let Err(error) = reservation.mark_staying()
        {
            tracing::warn!(%error, "which of two attempts goes on could not be booked");
        }
    }
}
