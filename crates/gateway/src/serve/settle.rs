//! Exactly one ending for each admitted request, on every way out: answered, failed, left by its caller, panicked.

use std::sync::Arc;

use ledger::{JournalError, Reservation};
use types::request::{Attempt, AttemptOutcome, LiveEvent, Outcome, RequestRecord, RequestRow, TokenUsage};

use super::Received;
use super::idempotency::Claim;
use crate::accounts;
use crate::core::Core;
use crate::metrics::GaugeGuard;

/// Owns the reservation of a request in flight. Dropping it unfinished means that the caller left.
#[derive(Debug)]
pub(super) struct Settlement {
    core: Arc<Core>,
    /// `None` only after the settlement was finished.
    reservation: Option<Reservation>,
    /// What is left of the record after it was finished; never shown.
    blank: RequestRecord,
    received: Received,
    user_name: String,
    /// The caller's `Idempotency-Key`: used if the request is answered, else free again.
    claim: Option<Claim>,
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
    ) -> Result<Self, Box<(RequestRecord, JournalError)>> {
        let blank = super::blank_record(record.request_id, record.endpoint, record.created_at);
        let reservation = match accounts::append(core, || core.ledger.admit(record.clone())) {
            Ok(reservation) => reservation,
            Err(error) => return Err(Box::new((record, error))),
        };
        Ok(Self {
            core: core.clone(),
            reservation: Some(reservation),
            blank,
            received,
            user_name,
            claim,
            _in_flight: core.metrics.in_flight(),
        })
    }

    pub(super) fn record(&self) -> &RequestRecord {
        self.reservation.as_ref().map_or(&self.blank, Reservation::record)
    }

    pub(super) fn record_mut(&mut self) -> &mut RequestRecord {
        self.reservation.as_mut().map_or(&mut self.blank, Reservation::record_mut)
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
        attempt.started_ms = self.elapsed_ms();
        let record = self.record_mut();
        record.provider_id = Some(attempt.provider_id);
        record.credential_id = Some(attempt.credential_id);
        record.attempts.push(attempt);
    }

    /// Closes the running attempt.
    pub(super) fn close_attempt(&mut self, outcome: AttemptOutcome, reason: Option<String>) {
        let now = self.elapsed_ms();
        if let Some(attempt) = self.record_mut().attempts.last_mut() {
            attempt.outcome = outcome;
            attempt.reason = reason;
            attempt.duration_ms = now.saturating_sub(attempt.started_ms);
        }
    }

    /// Notes the status of the running attempt.
    pub(super) fn attempt_status(&mut self, status: u16) {
        if let Some(attempt) = self.record_mut().attempts.last_mut() {
            attempt.status_code = Some(status);
        }
    }

    /// Notes the arrival of the first piece of the upstream's body.
    pub(super) fn first_byte(&mut self) {
        let now = self.elapsed_ms();
        let record = self.record_mut();
        record.first_byte_ms = Some(now);
        if let Some(attempt) = record.attempts.last_mut() {
            attempt.first_byte_ms = Some(now.saturating_sub(attempt.started_ms));
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
        if !metered.usage_seen {
            // Four bytes a token is the usual rule of thumb for text; the row says that it is an estimate.
            record.set_usage(TokenUsage {
                input: record.request_bytes.div_ceil(4),
                output: metered.output_bytes.div_ceil(4),
                ..TokenUsage::default()
            });
        }
        record.estimated = !metered.usage_seen || !whole;
    }

    /// Ends the request. `sent_bytes` is the size of what went to the caller.
    pub(super) fn finish(mut self, outcome: Outcome, status: u16, sent_bytes: usize) {
        self.settle(outcome, status, u64::try_from(sent_bytes).unwrap_or(u64::MAX));
    }

    fn settle(&mut self, outcome: Outcome, status: u16, sent_bytes: u64) {
        let duration = self.elapsed_ms();
        let Some(mut reservation) = self.reservation.take() else { return };
        let record = reservation.record_mut();
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

/// Counts a finished request and shows it to whoever watches.
pub(super) fn publish(core: &Core, mut record: RequestRecord, user_name: Option<String>) {
    core.metrics.finished(&record);
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
    let names = &core.snapshot().names;
    let row = RequestRow {
        user_name,
        key_name: record.key_id.and_then(|id| names.keys.get(&id).cloned()),
        provider_name: record.provider_id.and_then(|id| names.providers.get(&id).cloned()),
        cost_usd: None,
        base_cost_usd: None,
        record,
    };
    core.live.publish(LiveEvent::Finished { row: Box::new(row) });
}
