//! Opening the journal: checks every record, cuts a torn end, finds what the last process left open.
//!
//! It repairs nothing but the very end. Damage anywhere else stops the start, because carrying on would
//! silently drop requests from the books.

use std::collections::BTreeMap;
use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use types::request::RequestRecord;
use types::{RequestId, Timestamp};

use crate::journal::Journal;
use crate::lock::Lock;
use crate::medium::{Storage, list_segments, make_dir, open_segment, segment_path};
use crate::reader::{Reader, corrupt};
use crate::record::{Kind, Next, Raw, any_after, interrupt};
use crate::tail::{Kept, Place, Segment, Tail};
use crate::{JournalError, Options, Position, Recovery};

/// A request that the process before left open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenRequest {
    /// What was known of it: as admitted, with what its SENT and PROGRESS records said.
    pub record: RequestRecord,
    /// Whether something of it may have gone upstream. If not, it cost nothing.
    pub sent: bool,
    /// Whether an answer had begun; then the record has its counts and bytes so far.
    pub progressed: bool,
    /// Output tokens of that answer by its bytes; the record's own count may still be zero.
    pub output_estimate: u64,
}

/// The record of a request that a stop interrupted, without any cost. Whoever knows prices adds what it cost.
pub fn interrupted(open: OpenRequest) -> RequestRecord {
    let mut record = open.record;
    let message = if open.sent {
        "The process stopped while the request was with the upstream."
    } else {
        "The process stopped before the request was sent upstream."
    };
    interrupt(&mut record, message);
    record
}

/// An ADMIT whose terminal was not seen yet.
struct OpenAdmit {
    raw: Raw,
    at: Position,
    sent: Vec<Raw>,
    progress: Option<Raw>,
}

#[derive(Default)]
struct Scan {
    segments: BTreeMap<u64, Segment>,
    open: HashMap<RequestId, OpenAdmit>,
    next_seq: u64,
    records: u64,
    truncated: u64,
}

pub(crate) fn open(options: Options, storage: Arc<dyn Storage>) -> Result<(Journal, Recovery), JournalError> {
    let Options { dir, strict, segment_bytes, now } = options;
    make_dir(&dir)?;
    let lock = Lock::take(&dir)?;
    let found = settle_segments(&dir, storage.as_ref(), now)?;
    let mut scan = Scan { next_seq: found.first().map_or(1, |(number, _)| *number), ..Scan::default() };
    let first = scan.next_seq;
    for (index, (number, len)) in found.iter().enumerate() {
        let last = index.saturating_add(1) == found.len();
        if *number != scan.next_seq {
            return Err(corrupt(Position { segment: *number, offset: 0 }));
        }
        scan.segment(&dir, *number, *len, last)?;
    }
    let active = found.last().map_or(first, |(number, _)| *number);
    let file = open_segment(storage.as_ref(), &segment_path(&dir, active))?;
    if let (true, Some(segment)) = (scan.truncated > 0, scan.segments.get(&active)) {
        file.truncate(segment.len)?;
    }
    // What the process before wrote without a sync is in the page cache only: make it durable once, so that
    // everything found here counts as synced.
    file.sync()?;
    storage.sync_dir(&dir)?;
    let synced = scan.next_seq.saturating_sub(1);
    let mut tail = Tail {
        place: Place { dir, storage, segment_bytes },
        segments: scan.segments,
        file,
        active,
        next_seq: scan.next_seq,
        open: HashMap::new(),
        kept: Kept::default(),
        ailing: false,
        applied: first.saturating_sub(1),
        unclean: false,
        owed: VecDeque::new(),
    };
    let open = adopt(&mut tail, scan.open)?;
    let journal = Journal::new(tail, synced, strict, now, lock);
    let recovery = Recovery { open, truncated_bytes: scan.truncated, records: scan.records };
    Ok((journal, recovery))
}

// Leaves out and removes empty segments: one is left behind when a new segment was made and could not be
// used. If there is nothing else, the last of them stays, because its number is the next record's.
fn settle_segments(
    dir: &Path,
    storage: &dyn Storage,
    now: fn() -> Timestamp,
) -> Result<Vec<(u64, u64)>, JournalError> {
    let listed = list_segments(dir)?;
    // A new journal's numbers begin at the time in milliseconds, so that one that replaces a lost journal
    // never reuses its numbers, and a position from back then can only lie before it.
    let start = listed.last().map_or(u64::try_from(now().0).unwrap_or(0).max(1), |(number, _)| *number);
    let (mut kept, empty): (Vec<_>, Vec<_>) = listed.into_iter().partition(|(_, len)| *len > 0);
    if kept.is_empty() {
        kept.push((start, 0));
    }
    for (number, _) in empty.into_iter().filter(|segment| !kept.contains(segment)) {
        storage.remove(&segment_path(dir, number))?;
    }
    Ok(kept)
}

impl Scan {
    fn segment(&mut self, dir: &Path, number: u64, len: u64, last: bool) -> Result<(), JournalError> {
        self.segments.insert(number, Segment::default());
        if len == 0 {
            return Ok(());
        }
        let mut reader = Reader::open(dir, Position { segment: number, offset: 0 }, len)?;
        loop {
            let at = reader.at();
            match reader.try_next()? {
                Next::Record(raw) => self.record(raw, at)?,
                Next::End => break,
                Next::Invalid if last && !self.goes_on_after(dir, at)? => {
                    self.truncated = len.saturating_sub(at.offset);
                    break;
                }
                Next::Invalid => return Err(corrupt(at)),
            }
        }
        self.segments.insert(number, Segment { len: reader.at().offset, open: 0 });
        Ok(())
    }

    fn record(&mut self, raw: Raw, at: Position) -> Result<(), JournalError> {
        if raw.seq != self.next_seq {
            return Err(corrupt(at));
        }
        self.next_seq = self.next_seq.saturating_add(1);
        self.records = self.records.saturating_add(1);
        let id = raw.request_id().ok_or_else(|| corrupt(at))?;
        match raw.kind {
            Kind::Admit => {
                self.open.insert(id, OpenAdmit { raw, at, sent: Vec::new(), progress: None });
            }
            Kind::Sent => {
                if let Some(open) = self.open.get_mut(&id) {
                    open.sent.push(raw);
                    // What came before belongs to an attempt that failed.
                    open.progress = None;
                }
            }
            Kind::Progress => {
                if let Some(open) = self.open.get_mut(&id) {
                    open.progress = Some(raw);
                }
            }
            Kind::Terminal => {
                self.open.remove(&id);
            }
            Kind::Refused => {}
        }
        Ok(())
    }

    // A torn end is what one interrupted write leaves; a valid record behind the bad place proves damage.
    fn goes_on_after(&self, dir: &Path, at: Position) -> Result<bool, JournalError> {
        let mut file = File::open(segment_path(dir, at.segment))?;
        file.seek(SeekFrom::Start(at.offset.saturating_add(1)))?;
        let mut rest = Vec::new();
        file.read_to_end(&mut rest)?;
        Ok(any_after(&rest, self.next_seq))
    }
}

/// Takes over the open requests, oldest first.
fn adopt(tail: &mut Tail, open: HashMap<RequestId, OpenAdmit>) -> Result<Vec<OpenRequest>, JournalError> {
    let mut admits: Vec<(RequestId, OpenAdmit)> = open.into_iter().collect();
    admits.sort_unstable_by_key(|(_, admit)| admit.raw.seq);
    let mut requests = Vec::new();
    for (id, admit) in admits {
        tail.open.insert(id, Some(admit.at.segment));
        tail.segments.entry(admit.at.segment).or_default().open += 1;
        requests.push(admit.merge()?);
    }
    Ok(requests)
}

impl OpenAdmit {
    fn merge(self) -> Result<OpenRequest, JournalError> {
        let mut record = self.raw.record().ok_or_else(|| corrupt(self.at))?;
        let sent = !self.sent.is_empty();
        for raw in self.sent {
            raw.sent().merge_into(&mut record);
        }
        let progressed = self.progress.is_some();
        let progress = self.progress.map(|raw| raw.progress()).unwrap_or_default();
        if progressed {
            record.set_usage(progress.usage);
            record.response_bytes = progress.response_bytes;
            record.service_tier = progress.service_tier.or(record.service_tier);
        }
        Ok(OpenRequest { record, sent, progressed, output_estimate: progress.output_estimate })
    }
}
