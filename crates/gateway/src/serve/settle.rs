//! Exactly one ending for each admitted request, on every way out: answered, failed, left by its caller, panicked.

mod beside;

use std::sync::{Arc, LazyLock};

use ledger::budget::Blocked;
use ledger::{JournalError, Progress, Reservation};
use types::dialect::Endpoint;
use types::request::{Attempt, AttemptOutcome, LiveEvent, Outcome, RequestRecord, RequestRow, TokenUsage};
use types::{RequestId, Timestamp};

use super::Received;
use super::purse::{Charge, Purse};
pub(super) use beside::Loss;

use super::quote;
use super::signs::{Signs, running_usage};
use crate::accounts;
use crate::core::Core;
use crate::metrics::GaugeGuard;
use crate::used_keys::Claim;

/// How often a stream's progress is booked.
const PROGRESS_MS: u64 = 5_000;

/// Stands for the record of a request that has ended: nobody asks for it, and each running one would have to keep its own.
static ENDED: LazyLock<RequestRecord> =
    LazyLock::new(|| RequestRecord::blank(RequestId(uuid::Uuid::nil()), Endpoint::Messages, Timestamp(0)));

/// Owns the reservation of a request in flight. Dropping it unfinished means that the caller left.
#[derive(Debug)]
pub(super) struct Settlement {
    core: Arc<Core>,
    /// `None` only after the settlement was finished.
    reservation: Option<Reservation>,
    /// What is written to after it was finished; never shown.
    blank: Option<Box<RequestRecord>>,
    received: Received,
    user_name: String,
    /// The caller's `Idempotency-Key`: used if the request is answered, else free again.
    claim: Option<Claim>,
    /// `None` once it was closed.
    purse: Option<Purse>,
    /// What is seen of the running attempt.
    signs: Signs,
    /// An attempt that runs beside it; it is the last one on the record.
    beside: Option<Box<beside::Beside>>,
    /// Whether the upstream's counts, or an estimate of them, are on the record.
    metered: bool,
    /// What a failure is charged for; counts only if the request fails.
    failure: Charge,
    /// When progress was booked last, in milliseconds since arrival.
    progress_ms: u64,
    _in_flight: GaugeGuard,
}

impl Settlement {
    /// Books the request's admission.
    pub(super) fn admit(
        core: &Arc<Core>,
        record: RequestRecord,
        received: Received,
        user_name: String,
        claim: Option<Claim>,
        purse: Purse,
    ) -> Result<Self, Box<(RequestRecord, JournalError)>> {
        let reservation = accounts::append(core, || core.ledger.admit_or_return(record))?;
        Ok(Self {
            core: core.clone(),
            reservation: Some(reservation),
            blank: None,
            received,
            user_name,
            claim,
            purse: Some(purse),
            signs: Signs::new(),
            beside: None,
            metered: false,
            failure: Charge::Nothing,
            progress_ms: 0,
            _in_flight: core.metrics.in_flight(),
        })
    }

    pub(super) fn record(&self) -> &RequestRecord {
        self.reservation.as_ref().map_or(&ENDED, Reservation::record)
    }

    pub(super) fn record_mut(&mut self) -> &mut RequestRecord {
        match &mut self.reservation {
            Some(reservation) => reservation.record_mut(),
            None => self.blank.get_or_insert_with(|| Box::new(ENDED.clone())),
        }
    }

    pub(super) fn reservation(&mut self) -> Option<&mut Reservation> {
        self.reservation.as_mut()
    }

    pub(super) fn user_name(&self) -> &str {
        &self.user_name
    }

    /// Milliseconds since the request arrived.
    pub(super) fn elapsed_ms(&self) -> u64 {
        self.received.elapsed_ms()
    }

    /// Adds an attempt that has just begun; it counts as interrupted until it is closed.
    pub(super) fn open_attempt(&mut self, mut attempt: Attempt) {
        self.signs = Signs::new();
        attempt.started_ms = self.elapsed_ms();
        let group = self.purse.as_ref().and_then(Purse::group);
        let record = self.record_mut();
        record.group = group;
        record.provider_id = Some(attempt.provider_id);
        record.credential_id = Some(attempt.credential_id);
        if record.attempts.is_empty() {
            // Nearly always the only one, and kept as long as its stream runs.
            record.attempts.reserve_exact(1);
        }
        record.attempts.push(attempt);
    }

    /// What is seen of the running attempt.
    pub(super) fn signs(&self) -> Signs {
        self.signs.clone()
    }

    /// Closes the running attempt.
    pub(super) fn close_attempt(&mut self, outcome: AttemptOutcome, reason: Option<String>) {
        let (now, signs) = (self.elapsed_ms(), self.signs.clone());
        let record = self.record_mut();
        if let Some(attempt) = record.attempts.last_mut() {
            signs.write(attempt);
            end(attempt, outcome, reason, now);
            let first = attempt.first_byte_ms.map(|ms| attempt.started_ms.saturating_add(ms));
            record.first_byte_ms = first.or(record.first_byte_ms);
        }
    }

    /// The money that the request holds; `None` once it has ended.
    pub(super) fn purse(&mut self) -> Option<&mut Purse> {
        self.purse.as_mut()
    }

    /// Closes the running attempt as failed and books what it may have cost. If the request ends with it, its caller
    /// is charged accordingly.
    pub(super) fn fail_attempt(
        &mut self,
        outcome: AttemptOutcome,
        reason: String,
        charge: Charge,
        last: bool,
    ) {
        self.close_attempt(outcome, Some(reason));
        if last {
            self.failure = charge;
            return;
        }
        let bytes = self.record().request_bytes;
        let loss = self.purse.as_mut().map(|purse| purse.fail_attempt(bytes, charge)).unwrap_or_default();
        if let Some(attempt) = self.record_mut().attempts.last_mut() {
            attempt.provider_cost_usd = loss;
        }
    }

    /// What the running attempt took to its first byte, in milliseconds.
    pub(super) fn attempt_first_byte_ms(&self) -> Option<u64> {
        self.signs.first_byte_ms()
    }

    /// Notes whose fault the running attempt's end is.
    pub(super) fn judge_attempt(&mut self, verdict: &super::verdict::Verdict) {
        if let Some(attempt) = self.record_mut().attempts.last_mut() {
            (attempt.class, attempt.commit) = (Some(verdict.class), Some(verdict.commit));
        }
    }

    /// Notes what went wrong, for the record.
    pub(super) fn note_error(&mut self, code: &str, message: &str) {
        let record = self.record_mut();
        record.error_code = Some(code.to_owned());
        record.error_message = Some(message.chars().take(1_000).collect());
    }

    /// Takes over the upstream's token counts, or an estimate where it gave none.
    pub(super) fn meter(&mut self, metered: &protocol::meter::Metered, whole: bool) {
        let record = self.record_mut();
        if record.endpoint.is_count() {
            return;
        }
        record.set_usage(metered.usage);
        if metered.service_tier.is_some() {
            record.service_tier.clone_from(&metered.service_tier);
        }
        if !metered.usage_seen {
            record.set_usage(TokenUsage {
                output: metered.output_bytes.div_ceil(4),
                images: metered.usage.images,
                ..quote::input_only(record.request_bytes)
            });
        }
        if !whole {
            // What the vendor had counted by then may be no more than its greeting.
            record.output_tokens = record.output_tokens.max(metered.output_bytes.div_ceil(4));
        }
        record.estimated = !metered.usage_seen || !whole;
        self.metered = true;
    }

    /// Notes what a stream has used so far: watches its cost where a limit is estimated, and writes its progress down
    /// now and then, so that a crash loses none of it.
    pub(super) fn heard(&mut self, meter: &protocol::meter::Meter) -> Result<(), Blocked> {
        let watched = self.purse.as_ref().is_some_and(Purse::is_watched);
        let elapsed = self.elapsed_ms();
        let due = elapsed.saturating_sub(self.progress_ms) >= PROGRESS_MS;
        if !watched && !due {
            return Ok(());
        }
        let usage = running_usage(meter, self.record().request_bytes);
        if due {
            self.progress_ms = elapsed;
            let progress = Progress {
                usage: meter.running(),
                service_tier: self.record().service_tier.clone(),
                response_bytes: meter.output_bytes(),
                output_estimate: usage.output,
            };
            if let Some(reservation) = self.reservation.as_ref()
                && let Err(error) = reservation.progress(&progress)
            {
                tracing::warn!(%error, "the progress of a stream could not be booked");
            }
        }
        match &mut self.purse {
            Some(purse) if watched => {
                let tier = self.reservation.as_ref().and_then(|r| r.record().service_tier.as_deref());
                purse.cover(purse.billed(&usage, tier))
            }
            _ => Ok(()),
        }
    }

    /// What the outcome is charged for, by the billing contract.
    fn charge(&mut self, outcome: Outcome) -> Charge {
        let sent = self.reservation.as_ref().is_some_and(Reservation::is_sent);
        match outcome {
            _ if !sent || self.record().endpoint.is_count() => Charge::Nothing,
            Outcome::Refused => Charge::Nothing,
            Outcome::Failed => self.failure,
            Outcome::Ok | Outcome::Broken | Outcome::ClientGone | Outcome::Interrupted => {
                if !self.metered {
                    let record = self.record_mut();
                    record.set_usage(quote::input_only(record.request_bytes));
                    record.estimated = true;
                }
                Charge::Usage
            }
        }
    }

    /// Ends the request. `sent_bytes` is the size of what went to the caller.
    pub(super) fn finish(mut self, outcome: Outcome, status: u16, sent_bytes: usize) {
        self.settle(outcome, status, u64::try_from(sent_bytes).unwrap_or(u64::MAX));
    }

    fn settle(&mut self, outcome: Outcome, status: u16, sent_bytes: u64) {
        let duration = self.elapsed_ms();
        let charge = self.charge(outcome);
        let Some(mut reservation) = self.reservation.take() else { return };
        let record = reservation.record_mut();
        if let Some(purse) = self.purse.take() {
            purse.close(&self.core, record, charge);
        }
        record.outcome = outcome;
        record.status_code = status;
        record.duration_ms = duration;
        record.response_bytes = sent_bytes;
        let request_id = record.request_id;
        match accounts::append(&self.core, || reservation.settle()) {
            Ok(record) => publish(&self.core, record, Some(std::mem::take(&mut self.user_name))),
            // The reservation's own drop has tried once more; the journal closes the request at the next start.
            Err(error) => {
                tracing::error!(request.id = %request_id, %error, "the end of a request could not be booked");
            }
        }
        if let Some(claim) = self.claim.take()
            && outcome == Outcome::Ok
        {
            claim.keep(self.core.clock.now());
        }
    }
}

impl Drop for Settlement {
    fn drop(&mut self) {
        if self.reservation.is_none() {
            return;
        }
        let (outcome, attempt, code, message) = if std::thread::panicking() {
            (
                Outcome::Interrupted,
                AttemptOutcome::Interrupted,
                "internal_error",
                "the request ended in an internal error",
            )
        } else {
            (Outcome::ClientGone, AttemptOutcome::ClientGone, "client_gone", "the caller left before the end")
        };
        self.leave_beside(Loss { outcome: attempt, reason: None, charge: Charge::Loss, verdict: None });
        if self.record().attempts.last().is_some_and(|last| last.outcome == AttemptOutcome::Interrupted) {
            self.close_attempt(attempt, None);
        }
        self.note_error(code, message);
        let record = self.record();
        let (status, sent) =
            (if record.status_code == 0 { 499 } else { record.status_code }, record.response_bytes);
        self.settle(outcome, status, sent);
    }
}

/// Closes an attempt.
fn end(attempt: &mut Attempt, outcome: AttemptOutcome, reason: Option<String>, now: u64) {
    attempt.outcome = outcome;
    attempt.reason = reason;
    attempt.duration_ms = now.saturating_sub(attempt.started_ms);
}

/// Counts a finished request and shows it to whoever watches.
pub(super) fn publish(core: &Core, mut record: RequestRecord, user_name: Option<String>) {
    core.metrics.finished(&record);
    core.pool_counters.attempted(&record.attempts, core.clock.now());
    tracing::debug!(
        request.id = %record.request_id,
        outcome = record.outcome.as_str(),
        status = record.status_code,
        code = record.error_code.as_deref(),
        attempts = record.attempts.len(),
        duration_ms = record.duration_ms,
        "request ended"
    );
    if !core.live.is_watched() {
        return;
    }
    record.decision = None;
    record.bill = None;
    let names = &core.snapshot().names;
    let row = RequestRow {
        user_name,
        key_name: record.key_id.and_then(|id| names.keys.get(&id).cloned()),
        provider_name: record.provider_id.and_then(|id| names.providers.get(&id).cloned()),
        record,
    };
    core.live.publish(LiveEvent::Finished { row: Box::new(row) });
}
