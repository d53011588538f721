//! The choke point: who wants to send something upstream needs the request's one reservation.
//!
//! It cannot be cloned, and it ends in exactly one terminal record whether it is settled, dropped by a
//! cancelled task, or unwound by a panic. It does not decide how a request ended; its owner does.

use std::fmt;
use std::mem;
use std::sync::Arc;

use types::request::RequestRecord;
use types::{CredentialId, ProviderId};

use crate::journal::Journal;
use crate::record::{blank, interrupt};
use crate::{JournalError, Progress};

/// An attempt's number, and where it goes if it has none.
type Place = (usize, Option<(Option<ProviderId>, Option<CredentialId>)>);

/// An admitted request that has not ended yet.
#[must_use = "dropping it books the request as interrupted"]
pub struct Reservation {
    journal: Arc<Journal>,
    /// Boxed, because it is large and its owner moves a lot.
    record: Box<RequestRecord>,
    /// The attempt that was last said to be sent.
    sent: Option<Place>,
    /// Attempts at the front of the record that the journal has as they ended.
    told: usize,
    ended: bool,
}

impl Reservation {
    pub(crate) fn new(journal: Arc<Journal>, record: RequestRecord) -> Self {
        Self { journal, record: Box::new(record), sent: None, told: 0, ended: false }
    }

    /// The record as it stands.
    pub fn record(&self) -> &RequestRecord {
        &self.record
    }

    /// The record, to be filled in until it is settled. Its `request_id` must stay.
    pub fn record_mut(&mut self) -> &mut RequestRecord {
        &mut self.record
    }

    /// Writes the SENT record, which must happen before the first byte of an attempt leaves: its absence proves that
    /// nothing did. That is why strict mode waits for the disk here too. It takes provider, credential, upstream model, group, grant and the last attempt from the record;
    /// until there is another attempt, a further call writes nothing.
    pub fn mark_sent(&mut self) -> Result<(), JournalError> {
        let number = self.record.attempts.len();
        let attempt = (number, (number == 0).then_some((self.record.provider_id, self.record.credential_id)));
        if self.sent != Some(attempt) {
            // What became of the one that was told last, and of any that never left, is told along.
            let seq = self.journal.mark_sent(&self.record, self.told, true)?;
            self.told = number.saturating_sub(1);
            self.journal.cover_if_strict(seq)?;
            self.sent = Some(attempt);
        }
        Ok(())
    }

    /// Writes a further SENT record after two attempts ran side by side: which of them goes on, so that what a crash
    /// leaves is priced by the right one. The one that goes on is the last of the record by then, the other one stands
    /// before it. Without this record nothing is lost: a crash then books both as running.
    pub fn mark_staying(&mut self) -> Result<(), JournalError> {
        let number = self.record.attempts.len();
        // The two may have changed places, so they are told again until that has worked.
        self.told = self.told.min(number.saturating_sub(2));
        self.journal.mark_sent(&self.record, self.told, false)?;
        self.told = number.saturating_sub(1);
        Ok(())
    }

    /// Whether [`mark_sent`](Self::mark_sent) was called with success.
    pub fn is_sent(&self) -> bool {
        self.sent.is_some()
    }

    /// Writes a PROGRESS record: what a crash would otherwise lose. Every few seconds, or after a cent, is often
    /// enough. An error is none of the request's business; the next try may work.
    pub fn progress(&self, progress: &Progress) -> Result<(), JournalError> {
        self.journal.progress(self.record.request_id, progress)
    }

    /// Writes the TERMINAL record with the record as it stands, and hands it back.
    ///
    /// If the disk does not take it, it stays in memory and is written with the next record that works or
    /// the next [`sync`](crate::Ledger::sync); the error tells that this is so, there is nothing to repeat.
    pub fn settle(mut self) -> Result<RequestRecord, JournalError> {
        self.ended = true;
        let empty = blank(self.record.request_id, self.record.created_at);
        let record = mem::replace(&mut *self.record, empty);
        let seq = self.journal.terminate(&record)?;
        self.journal.cover_if_strict(seq)?;
        Ok(record)
    }
}

impl Drop for Reservation {
    // No wait for the disk even in strict mode: this may run inside an async task that is being cancelled.
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        let now = self.journal.now();
        let elapsed = now.0.saturating_sub(self.record.created_at.0);
        self.record.duration_ms = self.record.duration_ms.max(u64::try_from(elapsed).unwrap_or(0));
        interrupt(&mut self.record, "The request was abandoned inside Tollgate before it ended.");
        // Counted in `lost` and kept for later by the journal itself.
        let _ = self.journal.terminate(&self.record);
    }
}

impl fmt::Debug for Reservation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reservation").field("request_id", &self.record.request_id).finish_non_exhaustive()
    }
}
