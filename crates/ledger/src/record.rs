//! Journal records: length, checksum, kind, sequence number, payload.
//!
//! Layout, little-endian: `len u32` (bytes after the checksum), `crc32 u32` (of those bytes), `kind u8`,
//! `seq u64`, payload. It knows bytes and readers, but neither files nor segments.
//!
//! A payload is one value of JSON; the decision of a request follows its record as a second one, so that it can be
//! passed on without a look at it.
//!
//! Version 0.1.0 wrote whole records with their decisions inside instead of [slim](crate::slim) ones, a bare id as
//! SENT, and no PROGRESS; all of that is still read.

mod sent;
mod shorten;

use std::io::{self, Read};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use types::dialect::Endpoint;
use types::request::{Outcome, RequestRecord, TokenUsage};
use types::{RequestId, Timestamp};

use crate::slim::{Slim, SlimRef};
pub(crate) use sent::Sent;
use shorten::{cut, cut_attempt, shorten};

/// Bytes before the payload.
pub(crate) const HEADER: usize = 17;
const CHECKED_HEADER: usize = 9;
/// Longest payload that is written; a record beyond it loses its details, see [`Frame::of`].
const MAX_PAYLOAD: usize = 1 << 20;
/// Longest body that is read; more than is written, so that a later version can raise its limit.
const MAX_BODY: u64 = 16 << 20;

/// What a record says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A request was admitted; payload: its record.
    Admit,
    /// The first byte of an attempt is about to leave; payload: where it goes.
    Sent,
    /// It ended; payload: its record.
    Terminal,
    /// A request was refused without having been admitted; payload: its record.
    Refused,
    /// An answer has come that far; payload: what was used.
    Progress,
}

impl Kind {
    fn code(self) -> u8 {
        match self {
            Self::Admit => 1,
            Self::Sent => 2,
            Self::Terminal => 3,
            Self::Refused => 4,
            Self::Progress => 5,
        }
    }

    fn from_code(code: u8) -> Option<Self> {
        [Self::Admit, Self::Sent, Self::Terminal, Self::Refused, Self::Progress]
            .into_iter()
            .find(|kind| kind.code() == code)
    }
}

/// How far an answer has come, noted now and then so that a crash loses no more than the rest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Progress {
    /// What the upstream has counted so far.
    pub usage: TokenUsage,
    /// Its service tier, if it said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_tier: Option<String>,
    /// Bytes of the answer so far.
    pub response_bytes: u64,
    /// Output tokens by the bytes that were seen, for when the upstream counts at the end only.
    pub output_estimate: u64,
}

/// Payload of PROGRESS.
#[derive(Serialize)]
struct Note<'a> {
    request_id: RequestId,
    #[serde(flatten)]
    progress: &'a Progress,
}

/// What most records come to, so that they need not grow: those that end a request, and the others.
const USUAL_END: usize = 2048;
const USUAL_NOTE: usize = 512;

/// Room for a record, with its header.
fn begun(usual: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(usual);
    bytes.resize(HEADER, 0);
    bytes
}

fn push(bytes: &mut Vec<u8>, value: &impl Serialize) {
    // Writing plain structs to memory cannot fail: no maps with odd keys, no IO.
    let _ = serde_json::to_writer(bytes, value);
}

/// A record on its way to the journal, in one piece so that it is one `write`.
#[derive(Debug)]
pub(crate) struct Frame(Vec<u8>);

impl Frame {
    /// A frame of a request's record. One that is too long (a caller may name a model of any length) loses
    /// its decision and the tails of its texts rather than its place in the books.
    ///
    /// An ADMIT has no decision either: its terminal has, and an interrupted request shows its attempts.
    pub(crate) fn of(kind: Kind, record: &RequestRecord) -> Self {
        let frame = Self::encode(kind, record);
        if frame.0.len() <= HEADER + MAX_PAYLOAD {
            return frame;
        }
        let mut short = record.clone();
        shorten(&mut short);
        Self::encode(kind, &short)
    }

    /// The frame of a SENT record.
    pub(crate) fn sent(record: &RequestRecord, known: usize, begins: bool) -> Self {
        let mut sent = Sent::of(record, known, begins);
        sent.upstream_model.iter_mut().chain(&mut sent.group).for_each(cut);
        sent.attempt.iter_mut().chain(&mut sent.earlier).for_each(cut_attempt);
        let mut bytes = begun(USUAL_NOTE);
        push(&mut bytes, &sent);
        Self::with_kind(bytes, Kind::Sent)
    }

    /// The frame of a PROGRESS record.
    pub(crate) fn progress(request_id: RequestId, progress: &Progress) -> Self {
        let mut note = progress.clone();
        note.service_tier.iter_mut().for_each(cut);
        let mut bytes = begun(USUAL_NOTE);
        push(&mut bytes, &Note { request_id, progress: &note });
        Self::with_kind(bytes, Kind::Progress)
    }

    fn encode(kind: Kind, record: &RequestRecord) -> Self {
        let ends = kind != Kind::Admit;
        let mut bytes = begun(if ends { USUAL_END } else { USUAL_NOTE });
        push(&mut bytes, &SlimRef(record));
        if let (true, Some(decision)) = (ends, &record.decision) {
            push(&mut bytes, decision);
        }
        Self::with_kind(bytes, kind)
    }

    /// A frame of any payload.
    #[cfg(test)]
    pub(crate) fn raw(kind: Kind, payload: &[u8]) -> Self {
        let mut bytes = vec![0; HEADER];
        bytes.extend_from_slice(payload);
        Self::with_kind(bytes, kind)
    }

    fn with_kind(mut bytes: Vec<u8>, kind: Kind) -> Self {
        if let Some(code) = bytes.get_mut(8) {
            *code = kind.code();
        }
        Self(bytes)
    }

    /// Fills in sequence number, checksum and length. Can be repeated with another number.
    pub(crate) fn seal(&mut self, seq: u64) {
        let Some((len, rest)) = self.0.split_first_chunk_mut::<4>() else { return };
        let Some((crc, body)) = rest.split_first_chunk_mut::<4>() else { return };
        let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
        if let Some((_kind, rest)) = body.split_first_mut()
            && let Some((number, _payload)) = rest.split_first_chunk_mut::<8>()
        {
            *number = seq.to_le_bytes();
        }
        *len = length.to_le_bytes();
        *crc = crc32fast::hash(body).to_le_bytes();
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn size(&self) -> u64 {
        u64::try_from(self.0.len()).unwrap_or(u64::MAX)
    }
}

/// A record whose checksum was right.
#[derive(Clone, Debug)]
pub(crate) struct Raw {
    pub(crate) kind: Kind,
    pub(crate) seq: u64,
    pub(crate) payload: Vec<u8>,
    /// Bytes that it takes in its segment.
    pub(crate) size: u64,
}

#[derive(Deserialize)]
struct IdOnly {
    request_id: RequestId,
}

impl Raw {
    /// Whose record it is; `None` if the payload makes no sense.
    pub(crate) fn request_id(&self) -> Option<RequestId> {
        match self.kind {
            Kind::Sent if !self.payload.starts_with(b"{") => {
                std::str::from_utf8(&self.payload).ok()?.parse().ok()
            }
            _ => self.first().map(|(IdOnly { request_id }, _)| request_id),
        }
    }

    /// The request's record; `None` for SENT and PROGRESS, and if the payload makes no sense.
    ///
    /// Fields that another version knows and this one does not are ignored; those that are left out say nothing.
    pub(crate) fn record(&self) -> Option<RequestRecord> {
        let (mut record, decision) = self.parts()?;
        if !decision.is_empty() {
            record.decision = Some(serde_json::from_str(decision).ok()?);
        }
        Some(record)
    }

    /// The request's record without its decision, and that as it is written. An earlier version's record has it.
    pub(crate) fn row(&self) -> Option<(RequestRecord, Option<Box<str>>)> {
        let (record, decision) = self.parts()?;
        Some((record, (!decision.is_empty()).then(|| decision.into())))
    }

    fn parts(&self) -> Option<(RequestRecord, &str)> {
        match self.kind {
            Kind::Sent | Kind::Progress => None,
            _ => self.first().map(|(Slim(record), rest)| (record, rest)),
        }
    }

    /// The value that the payload begins with, and the text behind it.
    fn first<T: DeserializeOwned>(&self) -> Option<(T, &str)> {
        // Looked at as a whole, which is faster than at each text in it.
        let text = std::str::from_utf8(&self.payload).ok()?;
        let mut values = serde_json::Deserializer::from_str(text).into_iter();
        let value = values.next()?.ok()?;
        Some((value, text.get(values.byte_offset()..)?))
    }

    /// What a SENT record says.
    pub(crate) fn sent(&self) -> Sent {
        serde_json::from_slice(&self.payload).unwrap_or_default()
    }

    /// What a PROGRESS record says.
    pub(crate) fn progress(&self) -> Progress {
        serde_json::from_slice(&self.payload).unwrap_or_default()
    }
}

/// What the next bytes are.
#[derive(Debug)]
pub(crate) enum Next {
    /// A valid record.
    Record(Raw),
    /// Nothing: exactly at the end.
    End,
    /// No valid record: cut off, or damaged.
    Invalid,
}

/// Reads one record out of at most `available` bytes.
pub(crate) fn read(reader: &mut impl Read, available: u64) -> io::Result<Next> {
    if available == 0 {
        return Ok(Next::End);
    }
    let mut prefix = [0; 8];
    if available < 8 || !fill(reader, &mut prefix)? {
        return Ok(Next::Invalid);
    }
    let Some((&len, rest)) = prefix.split_first_chunk::<4>() else { return Ok(Next::Invalid) };
    let Some((&crc, _)) = rest.split_first_chunk::<4>() else { return Ok(Next::Invalid) };
    let len = u64::from(u32::from_le_bytes(len));
    let Ok(wanted) = usize::try_from(len) else { return Ok(Next::Invalid) };
    if wanted < CHECKED_HEADER || len > MAX_BODY || len > available.saturating_sub(8) {
        return Ok(Next::Invalid);
    }
    let mut head = [0; CHECKED_HEADER];
    let mut payload = vec![0; wanted.saturating_sub(CHECKED_HEADER)];
    if !fill(reader, &mut head)? || !fill(reader, &mut payload)? {
        return Ok(Next::Invalid);
    }
    let mut sum = crc32fast::Hasher::new();
    sum.update(&head);
    sum.update(&payload);
    if sum.finalize() != u32::from_le_bytes(crc) {
        return Ok(Next::Invalid);
    }
    let [code, number @ ..] = head;
    let Some(kind) = Kind::from_code(code) else { return Ok(Next::Invalid) };
    Ok(Next::Record(Raw { kind, seq: u64::from_le_bytes(number), payload, size: len.saturating_add(8) }))
}

/// Whether a valid record with a number above `seq` begins anywhere in `bytes`: then what came before it was
/// damaged, not just cut off. Payloads cannot fool it, because a length has a zero byte and JSON has none.
pub(crate) fn any_after(bytes: &[u8], seq: u64) -> bool {
    (0..bytes.len()).any(|start| {
        let Some(mut rest) = bytes.get(start..) else { return false };
        let Ok(available) = u64::try_from(rest.len()) else { return false };
        // Kind first: it spares the checksum at nearly every byte.
        rest.get(8).is_some_and(|code| Kind::from_code(*code).is_some())
            && matches!(read(&mut rest, available), Ok(Next::Record(raw)) if raw.seq >= seq)
    })
}

fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match reader.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// Marks a record as ended by accident rather than by an answer or a refusal.
pub(crate) fn interrupt(record: &mut RequestRecord, message: &str) {
    record.outcome = Outcome::Interrupted;
    record.status_code = 500;
    record.error_code = Some("interrupted".to_owned());
    record.error_message = Some(message.to_owned());
    record.estimated = true;
}

/// A record that says nothing but who and when.
pub(crate) fn blank(request_id: RequestId, created_at: Timestamp) -> RequestRecord {
    RequestRecord::blank(request_id, Endpoint::Messages, created_at)
}
