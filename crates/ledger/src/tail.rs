//! The writing end of the journal: the active segment, and which requests are open.
//!
//! It lives under one short mutex and never waits for a sync, but for one when it begins a new segment.
//! It does not read records back.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;

use types::RequestId;

use crate::medium::{Medium, Storage, segment_path};
use crate::record::Frame;
use crate::{JournalError, Position};

/// A segment as far as the writer cares.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Segment {
    /// Valid bytes.
    pub(crate) len: u64,
    /// ADMIT records in it whose request is open.
    pub(crate) open: u64,
}

/// Where a new segment is made, and when.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) dir: PathBuf,
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) segment_bytes: u64,
}

/// State of the writing end.
#[derive(Debug)]
pub(crate) struct Tail {
    pub(crate) place: Place,
    pub(crate) segments: BTreeMap<u64, Segment>,
    pub(crate) file: Arc<dyn Medium>,
    pub(crate) active: u64,
    pub(crate) next_seq: u64,
    /// Segment of each open request's ADMIT.
    pub(crate) open: HashMap<RequestId, u64>,
    /// Last record that is known to be in the database.
    pub(crate) applied: u64,
    /// A failed write left bytes behind that could not be cut off yet.
    pub(crate) unclean: bool,
    /// Terminal records that the disk did not take. It is bounded by the requests that were open when that
    /// began, because nothing else is written before these are.
    pub(crate) owed: VecDeque<Owed>,
}

/// A terminal record that is still to be written.
#[derive(Debug)]
pub(crate) struct Owed {
    frame: Frame,
    /// Segment of the request's ADMIT.
    home: Option<u64>,
}

impl Tail {
    /// Number of the last record; one less than the first if there is none.
    pub(crate) fn last_seq(&self) -> u64 {
        self.next_seq.saturating_sub(1)
    }

    pub(crate) fn end(&self) -> Position {
        let offset = self.segments.get(&self.active).map_or(0, |segment| segment.len);
        Position { segment: self.active, offset }
    }

    /// Numbers and valid bytes of the segments, in order.
    pub(crate) fn map(&self) -> Vec<(u64, u64)> {
        self.segments.iter().map(|(number, segment)| (*number, segment.len)).collect()
    }

    pub(crate) fn admit(&mut self, id: RequestId, frame: Frame) -> Result<u64, JournalError> {
        if self.open.contains_key(&id) {
            return Err(JournalError::AlreadyOpen(id));
        }
        let seq = self.append(frame)?;
        self.open.insert(id, self.active);
        self.segments.entry(self.active).or_default().open += 1;
        Ok(seq)
    }

    /// Ends a request. If the disk does not take its record now, it is kept and written before anything else;
    /// until then the segment of its ADMIT stays.
    pub(crate) fn terminate(&mut self, id: RequestId, mut frame: Frame) -> Result<u64, JournalError> {
        let home = self.open.remove(&id);
        match self.pay().and_then(|()| self.write(&mut frame)) {
            Ok(seq) => {
                self.release(home);
                Ok(seq)
            }
            Err(error) => {
                self.owed.push_back(Owed { frame, home });
                Err(error)
            }
        }
    }

    /// Writes what is owed, then this.
    pub(crate) fn append(&mut self, mut frame: Frame) -> Result<u64, JournalError> {
        self.pay()?;
        self.write(&mut frame)
    }

    /// Writes the terminal records that could not be written when they should have been.
    pub(crate) fn pay(&mut self) -> Result<(), JournalError> {
        while let Some(mut owed) = self.owed.pop_front() {
            if let Err(error) = self.write(&mut owed.frame) {
                self.owed.push_front(owed);
                return Err(error);
            }
            self.release(owed.home);
        }
        Ok(())
    }

    fn release(&mut self, home: Option<u64>) {
        if let Some(segment) = home.and_then(|home| self.segments.get_mut(&home)) {
            segment.open = segment.open.saturating_sub(1);
        }
    }

    fn write(&mut self, frame: &mut Frame) -> Result<u64, JournalError> {
        let mut len = self.end().offset;
        if self.unclean {
            self.file.truncate(len)?;
            self.unclean = false;
        }
        if len > 0 && len.saturating_add(frame.size()) > self.place.segment_bytes {
            self.rotate()?;
            len = 0;
        }
        let seq = self.next_seq;
        frame.seal(seq);
        if let Err(error) = self.file.append(frame.bytes()) {
            self.unclean = self.file.truncate(len).is_err();
            return Err(error.into());
        }
        self.segments.entry(self.active).or_default().len = len.saturating_add(frame.size());
        self.next_seq = seq.saturating_add(1);
        Ok(seq)
    }

    // The old segment is synced before the new one can exist: only the last segment may have a torn end.
    fn rotate(&mut self) -> Result<(), JournalError> {
        if self.file.sync().is_err() {
            return Err(JournalError::Stopped);
        }
        let file = self.place.storage.open(&segment_path(&self.place.dir, self.next_seq))?;
        self.place.storage.sync_dir(&self.place.dir)?;
        self.file = file;
        self.active = self.next_seq;
        self.segments.insert(self.active, Segment::default());
        Ok(())
    }

    /// Forgets the oldest segments that lie wholly before `position` and hold no open ADMIT, and says which.
    /// Only from the old end, so that what remains has no gaps.
    pub(crate) fn forget_before(&mut self, position: Position) -> Vec<u64> {
        let mut gone = Vec::new();
        while let Some((&number, segment)) = self.segments.first_key_value() {
            let end = Position { segment: number, offset: segment.len };
            if number == self.active || segment.open > 0 || position < end {
                break;
            }
            self.segments.pop_first();
            gone.push(number);
        }
        gone
    }
}
