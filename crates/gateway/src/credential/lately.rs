//! When a credential last served well, and what failed last. It judges nothing, and no reset forgets it.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};

use types::Timestamp;
use types::routing::FailureClass;

/// A failed attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LastFailure {
    pub(crate) at: Timestamp,
    pub(crate) class: FailureClass,
    /// One sentence without secrets.
    pub(crate) what: String,
}

/// The last of both.
#[derive(Debug, Default)]
pub(crate) struct Lately {
    /// 0 for never.
    success_ms: AtomicI64,
    failure: Mutex<Option<LastFailure>>,
}

impl Lately {
    pub(super) fn succeeded(&self, now: Timestamp) {
        self.success_ms.fetch_max(now.0, Ordering::Relaxed);
    }

    pub(super) fn failed(&self, at: Timestamp, class: FailureClass, what: &str) {
        let failure = LastFailure { at, class, what: what.to_owned() };
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure);
    }

    /// When it last served well.
    pub(crate) fn success_at(&self) -> Option<Timestamp> {
        let ms = self.success_ms.load(Ordering::Relaxed);
        (ms != 0).then_some(Timestamp(ms))
    }

    /// What failed last.
    pub(crate) fn failure(&self) -> Option<LastFailure> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rf_07_the_last_of_each_is_kept_beside_the_other() {
        let lately = Lately::default();
        assert_eq!((lately.success_at(), lately.failure()), (None, None));
        lately.failed(Timestamp(5), FailureClass::Provider, "503");
        lately.succeeded(Timestamp(7));
        lately.succeeded(Timestamp(6));
        assert_eq!(lately.success_at(), Some(Timestamp(7)));
        let failure = lately.failure().unwrap();
        assert_eq!(
            (failure.at, failure.class, failure.what.as_str()),
            (Timestamp(5), FailureClass::Provider, "503")
        );
    }
}
