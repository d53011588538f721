//! What the fake vendor would bill, and everything else that can be known of a request from its side.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use serde::Serialize;
use sha2::Digest;

use crate::behaviour::Tokens;
use crate::request::Received;

/// Entries that are kept; older ones are forgotten.
const KEPT: usize = 20_000;
/// Credentials that are counted apart; all others share a count.
const COUNTED: usize = 1_000;

/// How a request ended, seen from the vendor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// It is being answered.
    Running,
    /// Everything was sent.
    Finished,
    /// The peer left before that.
    ClientGone,
    /// The script broke it off.
    BrokenOff,
}

const ENDS: [End; 4] = [End::Running, End::Finished, End::ClientGone, End::BrokenOff];

/// One request.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Counts from 1 in the order of arrival.
    pub number: u64,
    /// The connection it came on, counted from 1.
    pub connection: u64,
    /// The request.
    pub request: Arc<Received>,
    /// What it costs; zero for refusals and for calls that cost nothing.
    pub billed: Tokens,
    /// The status that was sent; 0 if none was.
    pub status: u16,
    /// Bytes of the answer handed to the socket, head and framing included.
    pub bytes_sent: u64,
    /// How it ended.
    pub end: End,
    /// Milliseconds from the request's arrival to its end.
    pub took_ms: u64,
}

impl Entry {
    /// The credential used.
    pub fn credential(&self) -> Option<&str> {
        self.request.credential()
    }

    /// For reading over HTTP.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        let request = &self.request;
        serde_json::json!({
            "number": self.number,
            "connection": self.connection,
            "method": request.method,
            "target": request.target,
            "credential": request.credential(),
            "model": request.model(),
            "headers": request.headers,
            "body_bytes": request.body.len(),
            "body_sha256": hex::encode(sha2::Sha256::digest(&request.body)),
            "billed": self.billed,
            "status": self.status,
            "bytes_sent": self.bytes_sent,
            "end": self.end,
            "took_ms": self.took_ms,
        })
    }
}

/// A request that is being answered.
#[derive(Debug)]
pub(crate) struct Line {
    number: u64,
    connection: u64,
    request: Arc<Received>,
    billed: Tokens,
    status: u16,
    arrived: Instant,
    sent: AtomicU64,
    end: AtomicU8,
    took_ms: AtomicU64,
}

impl Line {
    pub(crate) fn sent(&self, bytes: usize) {
        self.sent.fetch_add(u64::try_from(bytes).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn entry(&self) -> Entry {
        let end = usize::from(self.end.load(Ordering::Acquire));
        Entry {
            number: self.number,
            connection: self.connection,
            request: self.request.clone(),
            billed: self.billed,
            status: self.status,
            bytes_sent: self.sent.load(Ordering::Relaxed),
            end: ENDS.get(end).copied().unwrap_or(End::Running),
            took_ms: self.took_ms.load(Ordering::Relaxed),
        }
    }
}

/// All requests.
#[derive(Debug, Default)]
pub(crate) struct Invoice {
    lines: Mutex<(u64, VecDeque<Arc<Line>>)>,
    /// Requests by credential, also those whose lines are forgotten.
    counts: Mutex<HashMap<String, u64>>,
    changed: tokio::sync::Notify,
}

impl Invoice {
    /// Opens a line.
    pub(crate) fn open(
        &self,
        connection: u64,
        request: Arc<Received>,
        billed: Tokens,
        status: u16,
    ) -> Arc<Line> {
        self.count(request.credential().unwrap_or_default());
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.0 += 1;
        let line = Arc::new(Line {
            number: lines.0,
            connection,
            request,
            billed,
            status,
            arrived: Instant::now(),
            sent: AtomicU64::new(0),
            end: AtomicU8::new(0),
            took_ms: AtomicU64::new(0),
        });
        lines.1.push_back(line.clone());
        if lines.1.len() > KEPT {
            lines.1.pop_front();
        }
        drop(lines);
        self.changed.notify_waiters();
        line
    }

    fn count(&self, credential: &str) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(credential) {
            *count += 1;
        } else {
            let name = if counts.len() < COUNTED { credential } else { "" };
            *counts.entry(name.to_owned()).or_default() += 1;
        }
    }

    /// Requests that came with a credential, or all of them.
    pub(crate) fn requests(&self, credential: Option<&str>) -> u64 {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        match credential {
            Some(credential) => counts.get(credential).copied().unwrap_or(0),
            None => counts.values().sum(),
        }
    }

    /// Closes a line.
    pub(crate) fn close(&self, line: &Line, end: End) {
        let took = u64::try_from(line.arrived.elapsed().as_millis()).unwrap_or(u64::MAX);
        line.took_ms.store(took, Ordering::Relaxed);
        let index = ENDS.iter().position(|known| *known == end).and_then(|at| u8::try_from(at).ok());
        line.end.store(index.unwrap_or(0), Ordering::Release);
        self.changed.notify_waiters();
    }

    pub(crate) fn entries(&self) -> Vec<Entry> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.1.iter().map(|line| line.entry()).collect()
    }

    pub(crate) fn clear(&self) {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).1.clear();
    }

    /// Ends after the next change from the moment of the call.
    pub(crate) fn changed(&self) -> tokio::sync::futures::Notified<'_> {
        self.changed.notified()
    }
}
