//! The reading end of the journal: tails the segment files with handles of its own.
//!
//! It reads no further than the writer says that whole records reach, so it never meets a half-written one.

use std::fs::File;
use std::io::{BufReader, Seek, SeekFrom};
use std::path::Path;

use types::request::RequestRecord;

use crate::medium::segment_path;
use crate::record::{Kind, Next, Raw, read};
use crate::{Batch, JournalError, Position};

const MAX_BATCH_BYTES: u64 = 8 << 20;

/// One segment from some offset on.
pub(crate) struct Reader {
    file: BufReader<File>,
    at: Position,
    end: u64,
}

impl Reader {
    /// `end` is the number of valid bytes.
    pub(crate) fn open(dir: &Path, at: Position, end: u64) -> Result<Self, JournalError> {
        let mut file = File::open(segment_path(dir, at.segment))?;
        file.seek(SeekFrom::Start(at.offset))?;
        Ok(Self { file: BufReader::with_capacity(64 << 10, file), at, end })
    }

    /// Where the next record begins.
    pub(crate) fn at(&self) -> Position {
        self.at
    }

    /// The next record, or `Invalid` where there should be one.
    pub(crate) fn try_next(&mut self) -> Result<Next, JournalError> {
        let next = read(&mut self.file, self.end.saturating_sub(self.at.offset))?;
        if let Next::Record(raw) = &next {
            self.at.offset = self.at.offset.saturating_add(raw.size);
        }
        Ok(next)
    }

    /// The next record; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Raw>, JournalError> {
        let at = self.at;
        match self.try_next()? {
            Next::Record(raw) => Ok(Some(raw)),
            Next::End => Ok(None),
            Next::Invalid => Err(corrupt(at)),
        }
    }
}

pub(crate) fn corrupt(at: Position) -> JournalError {
    JournalError::Corrupt { segment: at.segment, offset: at.offset }
}

/// Whether a place is one of this journal, or of segments of it that are already gone.
pub(crate) fn knows(map: &[(u64, u64)], place: Position) -> bool {
    match map.iter().rev().find(|(number, _)| *number <= place.segment) {
        Some((number, len)) => *number == place.segment && place.offset <= *len,
        None => true,
    }
}

/// Where to read in each segment, and its valid bytes, from `after` on.
///
/// A place that this journal does not know is one of another (it was removed, or restored from an older
/// copy): everything is read again.
fn from(map: &[(u64, u64)], after: Position) -> impl Iterator<Item = (Position, u64)> {
    let after = if knows(map, after) { after } else { Position::default() };
    map.iter().filter(move |(number, _)| *number >= after.segment).map(move |(number, len)| {
        let offset = if *number == after.segment { after.offset } else { 0 };
        (Position { segment: *number, offset }, *len)
    })
}

pub(crate) fn read_batch(
    dir: &Path,
    map: &[(u64, u64)],
    after: Position,
    max_records: usize,
) -> Result<Option<Batch>, JournalError> {
    let mut rows: Vec<RequestRecord> = Vec::new();
    let mut decisions = Vec::new();
    let mut end = None;
    let mut records = 0_usize;
    let mut bytes = 0_u64;
    let mut is_full = false;
    'segments: for (start, len) in from(map, after) {
        if start.offset >= len {
            continue;
        }
        let mut reader = Reader::open(dir, start, len)?;
        loop {
            if records >= max_records || bytes >= MAX_BATCH_BYTES {
                is_full = true;
                break 'segments;
            }
            let at = reader.at();
            let Some(raw) = reader.next()? else { break };
            if matches!(raw.kind, Kind::Terminal | Kind::Refused) {
                let (row, decision) = raw.row().ok_or_else(|| corrupt(at))?;
                rows.push(row);
                decisions.push(decision);
            }
            bytes = bytes.saturating_add(raw.size);
            records = records.saturating_add(1);
            end = Some(reader.at());
        }
    }
    Ok(end.map(|end| Batch { decisions, is_full, ..Batch::new(rows, end) }))
}

/// Number of the last record before a place; `None` if there is no record after it.
pub(crate) fn last_before(
    dir: &Path,
    map: &[(u64, u64)],
    position: Position,
) -> Result<Option<u64>, JournalError> {
    for (start, len) in from(map, position) {
        if start.offset < len {
            let next = Reader::open(dir, start, len)?.next()?;
            return Ok(next.map(|raw| raw.seq.saturating_sub(1)));
        }
    }
    Ok(None)
}
