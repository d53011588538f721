//! Whether the network works at all: which providers answered lately.
//!
//! A failed connection says something about an upstream only if another one could be reached meanwhile; otherwise
//! it is more likely our own network, and that must not take every credential out of service (HC-12).

use std::sync::{Mutex, PoisonError};

use types::{ProviderId, Timestamp};

/// How long an answer proves that the network works.
const FRESH_MS: i64 = 30_000;

/// The last answers of two different providers.
#[derive(Debug, Default)]
pub(crate) struct Reach(Mutex<Vec<(ProviderId, Timestamp)>>);

impl Reach {
    /// Notes that a provider answered.
    pub(crate) fn answered(&self, provider: ProviderId, now: Timestamp) {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, at)) = last.iter_mut().find(|(known, _)| *known == provider) {
            *at = now;
            return;
        }
        if last.len() >= 2 {
            last.remove(0);
        }
        last.push((provider, now));
    }

    /// Whether another provider than this one answered lately.
    pub(crate) fn others_answer(&self, provider: ProviderId, now: Timestamp) -> bool {
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.iter().any(|(known, at)| *known != provider && now.0.saturating_sub(at.0) < FRESH_MS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_another_providers_fresh_answer_proves_the_network() {
        let reach = Reach::default();
        let (one, two) = (ProviderId(1), ProviderId(2));
        reach.answered(one, Timestamp(0));
        assert!(!reach.others_answer(one, Timestamp(1)) && reach.others_answer(two, Timestamp(1)));
        assert!(!reach.others_answer(two, Timestamp(30_000)));
        reach.answered(two, Timestamp(30_000));
        assert!(reach.others_answer(one, Timestamp(30_001)));
    }
}
