//! The writing end of the journal: the active segment, and which requests are open.
//!
//! It lives under one short mutex and never waits for a sync, but for one when it begins a new segment. An ADMIT is
//! kept back until something else is written: nothing has left before that, and it saves a write.
//! It does not read records back.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;

use types::RequestId;

use crate::medium::{Medium, Storage, open_segment, segment_path};
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
    /// Segment of each open request's ADMIT; `None` while that is kept back.
    pub(crate) open: HashMap<RequestId, Option<u64>>,
    /// ADMITs that go out with the next record.
    pub(crate) kept: Kept,
    /// The last write failed.
    pub(crate) ailing: bool,
    /// Last record that is known to be in the database.
    pub(crate) applied: u64,
    /// A failed write left bytes behind that could not be cut off yet.
    pub(crate) unclean: bool,
    /// Terminal records that the disk did not take. It is bounded by the requests that were open when that
    /// began, because nothing else is written before these are.
    pub(crate) owed: VecDeque<Owed>,
}

/// ADMITs that are kept back.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    frames: Vec<(RequestId, Frame)>,
    bytes: u64,
}

/// So much is kept back at most.
const KEPT_BYTES: u64 = 64 << 10;

impl Kept {
    pub(crate) fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }
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

    /// Admits a request; `now` says that its record is to be written at once.
    pub(crate) fn admit(&mut self, id: RequestId, mut frame: Frame, now: bool) -> Result<u64, JournalError> {
        if self.open.contains_key(&id) {
            return Err(JournalError::AlreadyOpen(id));
        }
        let bytes = self.kept.bytes.saturating_add(frame.size());
        // A disk that is in trouble must say so here, before anything is promised.
        if now || self.ailing || bytes > KEPT_BYTES {
            self.pay()?;
            let seq = self.write(Some(&mut frame))?;
            self.open.insert(id, Some(self.active));
            self.segments.entry(self.active).or_default().open += 1;
            return Ok(seq);
        }
        self.open.insert(id, None);
        self.kept.frames.push((id, frame));
        self.kept.bytes = bytes;
        Ok(self.last_seq())
    }

    /// Ends a request. If the disk does not take its record now, it is kept and written before anything else;
    /// until then the segment of its ADMIT stays.
    pub(crate) fn terminate(&mut self, id: RequestId, mut frame: Frame) -> Result<u64, JournalError> {
        let written = self.pay().and_then(|()| self.write(Some(&mut frame)));
        // Writing may have given its ADMIT a home.
        let home = self.open.remove(&id).flatten();
        match written {
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
        self.write(Some(&mut frame))
    }

    /// Writes the terminal records that could not be written when they should have been.
    fn pay(&mut self) -> Result<(), JournalError> {
        while let Some(mut owed) = self.owed.pop_front() {
            if let Err(error) = self.write(Some(&mut owed.frame)) {
                self.owed.push_front(owed);
                return Err(error);
            }
            self.release(owed.home);
        }
        Ok(())
    }

    /// Writes everything that is owed or kept back.
    pub(crate) fn flush(&mut self) -> Result<(), JournalError> {
        self.pay()?;
        if !self.kept.is_empty() {
            self.write(None)?;
        }
        Ok(())
    }

    fn release(&mut self, home: Option<u64>) {
        if let Some(segment) = home.and_then(|home| self.segments.get_mut(&home)) {
            segment.open = segment.open.saturating_sub(1);
        }
    }

    /// Writes what is kept back and then `frame`, in one piece. On error nothing of it is there.
    fn write(&mut self, frame: Option<&mut Frame>) -> Result<u64, JournalError> {
        let result = self.try_write(frame);
        self.ailing = result.is_err();
        result
    }

    fn try_write(&mut self, mut frame: Option<&mut Frame>) -> Result<u64, JournalError> {
        let mut len = self.end().offset;
        if self.unclean {
            self.file.truncate(len)?;
            self.unclean = false;
        }
        let size = self.kept.bytes.saturating_add(frame.as_deref().map_or(0, Frame::size));
        if len > 0 && len.saturating_add(size) > self.place.segment_bytes {
            self.rotate()?;
            len = 0;
        }
        let mut seq = self.next_seq;
        let mut bytes = Vec::new();
        for (_, kept) in &mut self.kept.frames {
            kept.seal(seq);
            bytes.extend_from_slice(kept.bytes());
            seq = seq.saturating_add(1);
        }
        if let Some(frame) = frame.as_deref_mut() {
            frame.seal(seq);
            seq = seq.saturating_add(1);
        }
        let appended = match (frame, bytes.is_empty()) {
            (Some(frame), true) => self.file.append(frame.bytes()),
            (frame, _) => {
                bytes.extend_from_slice(frame.map_or(&[], |frame| frame.bytes()));
                self.file.append(&bytes)
            }
        };
        if let Err(error) = appended {
            self.unclean = self.file.truncate(len).is_err();
            return Err(error.into());
        }
        let segment = self.segments.entry(self.active).or_default();
        segment.len = len.saturating_add(size);
        for (id, _) in self.kept.frames.drain(..) {
            if let Some(home) = self.open.get_mut(&id) {
                *home = Some(self.active);
                segment.open = segment.open.saturating_add(1);
            }
        }
        self.kept.bytes = 0;
        self.next_seq = seq;
        Ok(self.last_seq())
    }

    // The old segment is synced before the new one can exist: only the last segment may have a torn end.
    fn rotate(&mut self) -> Result<(), JournalError> {
        if self.file.sync().is_err() {
            return Err(JournalError::Stopped);
        }
        let path = segment_path(&self.place.dir, self.next_seq);
        let file = open_segment(self.place.storage.as_ref(), &path)?;
        self.place.storage.sync_dir(&self.place.dir)?;
        self.file = file;
        self.active = self.next_seq;
        self.segments.insert(self.active, Segment::default());
        Ok(())
    }

    /// Takes out the oldest segments that lie wholly before `position` and hold no open ADMIT.
    /// Only from the old end, so that what remains has no gaps.
    pub(crate) fn forget_before(&mut self, position: Position) -> VecDeque<(u64, Segment)> {
        let mut gone = VecDeque::new();
        while let Some((&number, segment)) = self.segments.first_key_value() {
            let end = Position { segment: number, offset: segment.len };
            if number == self.active || segment.open > 0 || position < end {
                break;
            }
            gone.extend(self.segments.pop_first());
        }
        gone
    }
}
