//! The only reader of wall time. Everything else takes a [`Clock`] or a [`Timestamp`].

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use types::Timestamp;

/// Tells the time; cheap to clone.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    Manual(Arc<AtomicI64>),
    /// Goes on, so many milliseconds ahead.
    Ahead(Arc<AtomicI64>),
}

impl Clock {
    /// The machine's wall clock.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands still until [`Clock::advance`] moves it; for tests.
    pub fn manual(start: Timestamp) -> Self {
        Self(Source::Manual(Arc::new(AtomicI64::new(start.0))))
    }

    /// The machine's clock, which [`Clock::advance`] moves ahead; for tests.
    pub fn ahead() -> Self {
        Self(Source::Ahead(Arc::default()))
    }

    /// The current instant.
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::System => system_now(),
            Source::Manual(ms) => Timestamp(ms.load(Ordering::SeqCst)),
            Source::Ahead(ms) => system_now().plus_ms(ms.load(Ordering::SeqCst)),
        }
    }

    /// Moves a clock of a test; a system clock is not impressed.
    pub fn advance(&self, ms: i64) {
        if let Source::Manual(by) | Source::Ahead(by) = &self.0 {
            by.fetch_add(ms, Ordering::SeqCst);
        }
    }
}

/// Wall time for code that takes a plain function, such as the journal's options.
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads wall time")]
pub fn system_now() -> Timestamp {
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}

/// A new request id; ids made one after another in a process sort in that order.
pub fn new_request_id() -> types::RequestId {
    types::RequestId(uuid::Uuid::now_v7())
}
