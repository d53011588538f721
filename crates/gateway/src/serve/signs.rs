//! What is seen of an attempt while it runs. It is written without the settlement, so that two can run at once, and
//! goes onto the record when the attempt is over, whatever ends it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use protocol::meter::Meter;
use tokio::time::Instant;
use types::dialect::Endpoint;
use types::request::{Attempt, TokenUsage};

use super::quote;

/// Signs of life of one attempt.
#[derive(Clone, Debug)]
pub(super) struct Signs(Arc<Seen>);

#[derive(Debug)]
struct Seen {
    began: Instant,
    /// Status and milliseconds from the start.
    head: Mutex<Option<(u16, u64)>>,
    /// Milliseconds from the start, and one; zero for not yet.
    first_byte: AtomicU64,
    /// What was refused and renewed, by its stable name.
    renewed: OnceLock<&'static str>,
    /// Whether another attempt runs beside it, so that it may be cancelled in the middle of its answer.
    doubled: AtomicBool,
    /// What its answer says of what it costs, where it may be cancelled.
    told: Mutex<Option<Meter>>,
}

/// The best that is known of an answer's usage while it comes.
pub(super) fn running_usage(meter: &Meter, request_bytes: u64) -> TokenUsage {
    let (mut usage, text) = (meter.running(), meter.output_bytes());
    if usage.total() == usage.output {
        usage.input = quote::input_only(request_bytes).input;
    }
    usage.output = usage.output.max(text.div_ceil(4));
    usage
}

impl Signs {
    /// Of an attempt that begins now.
    pub(super) fn new() -> Self {
        Self(Arc::new(Seen {
            began: Instant::now(),
            head: Mutex::default(),
            first_byte: AtomicU64::new(0),
            renewed: OnceLock::new(),
            doubled: AtomicBool::new(false),
            told: Mutex::default(),
        }))
    }

    /// Milliseconds since it began.
    pub(super) fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.0.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// The head of an answer came.
    pub(super) fn head(&self, status: u16) {
        // Where a mended request was sent again, the last answer counts.
        *self.0.head.lock().unwrap_or_else(PoisonError::into_inner) = Some((status, self.elapsed_ms()));
    }

    /// The first piece of its body came.
    pub(super) fn first_byte(&self) {
        self.0.first_byte.store(self.elapsed_ms().saturating_add(1), Ordering::Relaxed);
    }

    /// Whether the head of an answer has come.
    pub(super) fn has_head(&self) -> bool {
        self.0.head.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// What it took to the first piece of the body, in milliseconds.
    pub(super) fn first_byte_ms(&self) -> Option<u64> {
        self.0.first_byte.load(Ordering::Relaxed).checked_sub(1)
    }

    /// What it presented was refused and renewed; the first time counts.
    pub(super) fn renewed(&self, what: &'static str) {
        self.0.renewed.get_or_init(|| what);
    }

    /// Whether anything was renewed already.
    pub(super) fn is_renewed(&self) -> bool {
        self.0.renewed.get().is_some()
    }

    /// Another attempt runs beside it. It must be said before the first piece of an answer comes.
    pub(super) fn double(&self) {
        self.0.doubled.store(true, Ordering::Relaxed);
    }

    /// A piece of a good answer came, before the caller gets any of it.
    pub(super) fn hear(&self, endpoint: Endpoint, streaming: bool, piece: &[u8]) {
        if self.0.doubled.load(Ordering::Relaxed) {
            let mut told = self.0.told.lock().unwrap_or_else(PoisonError::into_inner);
            told.get_or_insert_with(|| Meter::new(endpoint, streaming)).feed(piece);
        }
    }

    /// The usage that its answer has told so far, or what its text comes to; `None` if it has said nothing.
    pub(super) fn told(&self, request_bytes: u64) -> Option<TokenUsage> {
        let told = self.0.told.lock().unwrap_or_else(PoisonError::into_inner);
        let meter = told.as_ref()?;
        let said = meter.running().total() > 0 || meter.output_bytes() > 0;
        said.then(|| running_usage(meter, request_bytes))
    }

    /// Writes down what was seen.
    pub(super) fn write(&self, attempt: &mut Attempt) {
        if let Some(what) =
            self.0.renewed.get().filter(|what| !attempt.rectified.iter().any(|word| word == *what))
        {
            attempt.rectified.push((*what).to_owned());
        }
        if let Some((status, ms)) = *self.0.head.lock().unwrap_or_else(PoisonError::into_inner) {
            (attempt.status_code, attempt.head_ms) = (Some(status), Some(ms));
        }
        attempt.first_byte_ms = self.first_byte_ms().or(attempt.first_byte_ms);
    }
}
