//! Append-only journal of all requests: one write per record, syncs in groups.
//!
//! The writing end (`tail`), the group commit (`group`) and the reading end (`reader`) meet here. It starts
//! no thread: whoever owns the ledger calls `sync` now and then.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use types::request::RequestRecord;
use types::{RequestId, Timestamp};

use crate::group::Group;
use crate::lock::Lock;
use crate::medium::segment_path;
use crate::record::{Frame, Kind, Progress};
use crate::tail::{Place, Tail};
use crate::{Batch, JournalError, Position, reader};

type Waker = Arc<dyn Fn() + Send + Sync>;

pub(crate) struct Journal {
    place: Place,
    now: fn() -> Timestamp,
    tail: Mutex<Tail>,
    group: Group,
    strict: AtomicBool,
    lost: AtomicU64,
    waker: Mutex<Option<Waker>>,
    _lock: Lock,
}

impl Journal {
    /// `synced` is the last record that is known to be on the disk.
    pub(crate) fn new(tail: Tail, synced: u64, strict: bool, now: fn() -> Timestamp, lock: Lock) -> Self {
        Self {
            place: tail.place.clone(),
            now,
            tail: Mutex::new(tail),
            group: Group::new(synced),
            strict: AtomicBool::new(strict),
            lost: AtomicU64::new(0),
            waker: Mutex::new(None),
            _lock: lock,
        }
    }

    // A panic while the lock is held leaves plain numbers behind that are still right or lag by one record
    // that was never reported as written, so carrying on is better than refusing all traffic.
    fn tail(&self) -> MutexGuard<'_, Tail> {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.now)()
    }

    pub(crate) fn admit(&self, record: &RequestRecord) -> Result<u64, JournalError> {
        self.refuse_if_broken()?;
        let frame = Frame::of(Kind::Admit, record);
        let at_once = self.strict.load(Ordering::Relaxed);
        self.noting_failed_sync(self.tail().admit(record.request_id, frame, at_once))
    }

    pub(crate) fn mark_sent(
        &self,
        record: &RequestRecord,
        known: usize,
        begins: bool,
    ) -> Result<u64, JournalError> {
        self.refuse_if_broken()?;
        let frame = Frame::sent(record, known, begins);
        self.noting_failed_sync(self.tail().append(frame))
    }

    pub(crate) fn progress(&self, id: RequestId, progress: &Progress) -> Result<(), JournalError> {
        self.refuse_if_broken()?;
        let frame = Frame::progress(id, progress);
        self.noting_failed_sync(self.tail().append(frame)).map(drop)
    }

    pub(crate) fn is_open(&self, id: RequestId) -> bool {
        self.tail().open.contains_key(&id)
    }

    pub(crate) fn terminate(&self, record: &RequestRecord) -> Result<u64, JournalError> {
        let frame = Frame::of(Kind::Terminal, record);
        let written = self.noting_failed_sync(self.tail().terminate(record.request_id, frame));
        if written.is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        } else {
            self.wake();
        }
        written
    }

    pub(crate) fn refuse(&self, record: &RequestRecord) -> Result<(), JournalError> {
        self.refuse_if_broken()?;
        let frame = Frame::of(Kind::Refused, record);
        self.noting_failed_sync(self.tail().append(frame))?;
        self.wake();
        Ok(())
    }

    /// In strict mode: returns once the record is on the disk.
    pub(crate) fn cover_if_strict(&self, seq: u64) -> Result<(), JournalError> {
        if self.strict.load(Ordering::Relaxed) { self.cover(seq) } else { Ok(()) }
    }

    pub(crate) fn sync(&self) -> Result<(), JournalError> {
        let paid = self.pay();
        // What is written gets its sync even if something else cannot be written.
        let last = self.tail().last_seq();
        self.cover(last)?;
        paid
    }

    pub(crate) fn is_synced(&self) -> bool {
        let (last, owes) = {
            let tail = self.tail();
            (tail.last_seq(), !tail.owed.is_empty() || !tail.kept.is_empty())
        };
        !owes && self.group.covers(last)
    }

    fn pay(&self) -> Result<(), JournalError> {
        let (owed, paid) = {
            let mut tail = self.tail();
            (!tail.owed.is_empty(), tail.flush())
        };
        self.noting_failed_sync(paid)?;
        if owed {
            self.wake();
        }
        Ok(())
    }

    fn cover(&self, seq: u64) -> Result<(), JournalError> {
        self.group.cover(seq, || {
            // Only the active segment can hold unsynced records; see `Tail::rotate`.
            let (file, last) = {
                let tail = self.tail();
                (Arc::clone(&tail.file), tail.last_seq())
            };
            file.sync()?;
            Ok(last)
        })
    }

    fn refuse_if_broken(&self) -> Result<(), JournalError> {
        if self.group.is_broken() { Err(JournalError::Stopped) } else { Ok(()) }
    }

    fn noting_failed_sync<T>(&self, result: Result<T, JournalError>) -> Result<T, JournalError> {
        if matches!(result, Err(JournalError::Stopped)) {
            self.group.break_off();
        }
        result
    }

    fn wake(&self) {
        let waker = self.waker.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(waker) = waker {
            waker();
        }
    }

    pub(crate) fn set_waker(&self, waker: Waker) {
        *self.waker.lock().unwrap_or_else(PoisonError::into_inner) = Some(waker);
    }

    pub(crate) fn set_strict(&self, strict: bool) {
        self.strict.store(strict, Ordering::Relaxed);
    }

    pub(crate) fn is_strict(&self) -> bool {
        self.strict.load(Ordering::Relaxed)
    }

    pub(crate) fn open_count(&self) -> u64 {
        u64::try_from(self.tail().open.len()).unwrap_or(u64::MAX)
    }

    pub(crate) fn backlog(&self) -> u64 {
        let tail = self.tail();
        tail.last_seq().saturating_sub(tail.applied)
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.tail().segments.values().map(|segment| segment.len).sum()
    }

    pub(crate) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    pub(crate) fn read_batch(
        &self,
        after: Position,
        max_records: usize,
    ) -> Result<Option<Batch>, JournalError> {
        // A full disk must not stop the reading: what is read and applied is what gets deleted.
        let _ = self.pay();
        let (last, map) = {
            let tail = self.tail();
            (tail.last_seq(), tail.map())
        };
        self.cover(last)?;
        reader::read_batch(&self.place.dir, &map, after, max_records)
    }

    pub(crate) fn mark_applied(&self, position: Position) -> Result<(), JournalError> {
        let map = self.tail().map();
        let applied = reader::last_before(&self.place.dir, &map, position)?;
        let mut gone = {
            let mut tail = self.tail();
            tail.applied = applied.unwrap_or(tail.last_seq());
            if reader::knows(&map, position) { tail.forget_before(position) } else { VecDeque::new() }
        };
        while let Some((segment, _)) = gone.front().copied() {
            if let Err(error) = self.remove(segment) {
                // What is still there is the oldest again: were a later one removed first, the gap would look like
                // damage to the next start.
                self.tail().segments.extend(gone);
                return Err(error);
            }
            gone.pop_front();
        }
        Ok(())
    }

    // One after the other is made durable, so that a power cut leaves no gap either.
    fn remove(&self, segment: u64) -> Result<(), JournalError> {
        match self.place.storage.remove(&segment_path(&self.place.dir, segment)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(self.place.storage.sync_dir(&self.place.dir)?),
        }
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal").field("place", &self.place).finish_non_exhaustive()
    }
}
