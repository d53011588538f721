//! The books: every request is journaled before anything goes upstream and ends in exactly one record.
//!
//! A request is either *admitted* ([`Ledger::admit`], which hands out the one [`Reservation`] that stands
//! for it, and ends when that is settled or dropped) or *refused* ([`Ledger::refuse`]). The journal is the
//! truth; the database follows it through [`Ledger::read_batch`] and [`Ledger::mark_applied`].
//!
//! This crate knows no database, no network and no async, reads no clock, and computes with integers only.
//! [`price`] says what a request costs and [`budget`] whether it may; neither touches the journal.
#![deny(clippy::float_arithmetic)]

pub mod batch;
pub mod budget;
mod closed;
mod error;
mod group;
pub mod invariant;
mod journal;
mod lock;
mod medium;
pub mod price;
mod reader;
mod record;
mod recovery;
mod reservation;
mod slim;
mod tail;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

#[cfg(test)]
mod tests;

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use types::Timestamp;
use types::request::RequestRecord;

pub use batch::{Batch, LatencyDelta, Position, UsageDelta, UsageKey};
pub use budget::Budgets;
pub use closed::{Closed, JournalFiles, keep_closed};
pub use error::JournalError;
pub use record::Progress;
pub use recovery::{OpenRequest, interrupted};
pub use reservation::Reservation;

use journal::Journal;
use medium::{Disk, Storage};

/// How to open the books.
#[derive(Clone, Debug)]
pub struct Options {
    /// Directory of the journal; made (mode 0700) if absent. Nothing else may live in it.
    pub dir: PathBuf,
    /// Whether a request is admitted, sent and settled only once its record is on the disk. Without it, a power
    /// cut may lose what came after the last [`Ledger::sync`]; a crash of the process loses nothing.
    pub strict: bool,
    /// Size in bytes after which a new segment file is begun; 64 MiB is a good value.
    pub segment_bytes: u64,
    /// Reads wall time.
    pub now: fn() -> Timestamp,
}

/// What opening the books found.
#[derive(Clone, Debug, Default)]
pub struct Recovery {
    /// Requests that were open when the process before this one ended, oldest first. They stay open until they are
    /// [concluded](Ledger::conclude).
    pub open: Vec<OpenRequest>,
    /// Bytes of a half-written record that were cut off the end of the journal.
    pub truncated_bytes: u64,
    /// Valid records found.
    pub records: u64,
}

/// Handle of the books; cheap to clone. The journal stays locked until the last clone and the last
/// [`Reservation`] are gone.
#[derive(Clone)]
pub struct Ledger {
    journal: Arc<Journal>,
}

impl Ledger {
    /// Opens the journal, repairs a torn end and finds what the process before left open.
    ///
    /// Refuses a journal that another process holds, and one that is damaged anywhere but at its end.
    pub fn open(options: Options) -> Result<(Self, Recovery), JournalError> {
        Self::open_on(options, Arc::new(Disk))
    }

    pub(crate) fn open_on(
        options: Options,
        storage: Arc<dyn Storage>,
    ) -> Result<(Self, Recovery), JournalError> {
        let (journal, recovery) = recovery::open(options, storage)?;
        Ok((Self { journal: Arc::new(journal) }, recovery))
    }

    /// Writes the ADMIT record and hands out what stands for the open request. Nothing may be sent upstream
    /// without it. Outside of strict mode the record may go out together with the next one, which is at the latest
    /// that of [`Reservation::mark_sent`].
    ///
    /// On error nothing stays open: if the record was written and could then not be synced (strict mode), a
    /// terminal that says so follows it.
    pub fn admit(&self, record: RequestRecord) -> Result<Reservation, JournalError> {
        self.admit_or_return(record).map_err(|not_booked| not_booked.1)
    }

    /// The same for who still needs the record if it could not be booked.
    pub fn admit_or_return(
        &self,
        mut record: RequestRecord,
    ) -> Result<Reservation, Box<(RequestRecord, JournalError)>> {
        // The terminal has it.
        let decision = record.decision.take();
        let admitted = self.journal.admit(&record);
        record.decision = decision;
        let seq = match admitted {
            Ok(seq) => seq,
            Err(error) => return Err(Box::new((record, error))),
        };
        let reservation = Reservation::new(Arc::clone(&self.journal), record);
        match self.journal.cover_if_strict(seq) {
            Ok(()) => Ok(reservation),
            Err(error) => Err(Box::new((reservation.record().clone(), error))),
        }
    }

    /// Ends requests of [`Recovery::open`], and returns once that is on the disk. To be done before anything new is
    /// admitted. A record of a request that is not open is refused, and those after it with it.
    pub fn conclude(&self, records: &[RequestRecord]) -> Result<(), JournalError> {
        for record in records {
            if !self.journal.is_open(record.request_id) {
                return Err(JournalError::NotOpen(record.request_id));
            }
            self.journal.terminate(record)?;
        }
        self.journal.sync()
    }

    /// Writes the REFUSED record: the only one of a request that was never admitted.
    pub fn refuse(&self, record: &RequestRecord) -> Result<(), JournalError> {
        self.journal.refuse(record)
    }

    /// Switches strict mode on or off for the calls that follow; see [`Options::strict`].
    pub fn set_strict(&self, strict: bool) {
        self.journal.set_strict(strict);
    }

    /// Whether admissions and ends wait for the disk.
    pub fn is_strict(&self) -> bool {
        self.journal.is_strict()
    }

    /// Puts everything written so far on the disk; does nothing if it already is. Also writes terminal
    /// records that could not be written when their request ended. Appends do not wait for it.
    ///
    /// Once the disk failed to sync, this and every admission fails until the books are opened anew: a
    /// second sync would report success for data that the kernel has already dropped.
    pub fn sync(&self) -> io::Result<()> {
        self.journal.sync().map_err(JournalError::into_io)
    }

    /// Whether [`sync`](Self::sync) has nothing to do. It does not touch the disk.
    pub fn is_synced(&self) -> bool {
        self.journal.is_synced()
    }

    /// Requests that are admitted and not yet ended.
    pub fn open_count(&self) -> u64 {
        self.journal.open_count()
    }

    /// Records written and not yet [marked as applied](Self::mark_applied).
    pub fn backlog(&self) -> u64 {
        self.journal.backlog()
    }

    /// Size of all segment files in bytes.
    pub fn bytes(&self) -> u64 {
        self.journal.bytes()
    }

    /// Terminal records that could not be written when their request ended, since the journal was opened.
    /// They are kept in memory and written as soon as the disk takes them.
    pub fn lost(&self) -> u64 {
        self.journal.lost()
    }

    /// The next records after `after`, at most `max_records` of all kinds and 8 MiB, folded. `None` means
    /// that there is nothing new. A batch can be empty but for its `end`.
    ///
    /// What it hands out is on the disk already, so the database never runs ahead of the journal. An `after`
    /// that lies in no known segment (a journal that was removed or restored) starts over at the first record
    /// there is; applying a row twice must therefore change nothing, and `end` can lie before `after`.
    pub fn read_batch(&self, after: Position, max_records: usize) -> Result<Option<Batch>, JournalError> {
        self.journal.read_batch(after, max_records)
    }

    /// Notes that everything up to `position` is in the database, and deletes the oldest segments as long as
    /// they are wholly applied and hold no ADMIT of an open request.
    pub fn mark_applied(&self, position: Position) -> Result<(), JournalError> {
        self.journal.mark_applied(position)
    }

    /// Sets what is called after each record that [`read_batch`](Self::read_batch) will turn into a row. It
    /// must return at once and must not panic.
    pub fn set_waker(&self, waker: impl Fn() + Send + Sync + 'static) {
        self.journal.set_waker(Arc::new(waker));
    }
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ledger").field("open", &self.open_count()).finish_non_exhaustive()
    }
}
