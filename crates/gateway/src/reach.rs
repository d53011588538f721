//! Whether the network works at all: which providers answered lately.
//!
//! A failed connection says something about an upstream only if another one could be reached meanwhile; otherwise
//! it is more likely our own network, and that must not take every credential out of service (HC-12).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use routing::health::{Doubt, WHOLE, again};
use types::{ProviderId, Timestamp};

/// How long an answer proves that the network works.
const FRESH_MS: i64 = 30_000;

/// Failed connections in a row to one provider that prove that it cannot be reached.
const UNREACHED: u32 = 3;
/// Providers whose failed connections are counted; those of deleted ones are forgotten with all others beyond that.
const COUNTED: usize = 1_000;

/// Answers and failed connections of providers.
#[derive(Debug, Default)]
pub(crate) struct Reach {
    /// The last answers of two different providers.
    last: Mutex<Vec<(ProviderId, Timestamp)>>,
    /// Failed connections in a row, and when the last one failed, of those who have any.
    failed: Mutex<HashMap<ProviderId, (u32, Timestamp)>>,
}

impl Reach {
    /// Notes that no connection to a provider was made, on the way that all its credentials share.
    pub(crate) fn failed(&self, provider: ProviderId, now: Timestamp) {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        if failed.len() >= COUNTED {
            failed.clear();
        }
        let (count, last) = failed.entry(provider).or_insert((0, now));
        // Those that were under way together tell the same once.
        let beyond = count.checked_sub(UNREACHED);
        if beyond.is_none_or(|beyond| now >= again(beyond.saturating_add(1), *last)) {
            *count = count.saturating_add(1);
        }
        *last = now;
    }

    /// Whether a provider cannot be reached by any credential that takes its usual way.
    pub(crate) fn doubt(&self, provider: ProviderId) -> Option<Doubt> {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        let (count, last) = *failed.get(&provider)?;
        let beyond = count.checked_sub(UNREACHED)?;
        Some(Doubt { share: WHOLE, last, again: again(beyond.saturating_add(1), last) })
    }

    /// Notes that a provider answered.
    pub(crate) fn answered(&self, provider: ProviderId, now: Timestamp) {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).remove(&provider);
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
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
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
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
    #[test]
    fn three_failed_connections_in_a_row_speak_against_all_of_a_provider_until_it_answers() {
        let reach = Reach::default();
        let (one, two) = (ProviderId(1), ProviderId(2));
        for at in 0..3 {
            assert_eq!(reach.doubt(one), None, "{at}");
            reach.failed(one, Timestamp(at));
        }
        let doubt =
            |last, again| Some(Doubt { share: WHOLE, last: Timestamp(last), again: Timestamp(again) });
        assert_eq!((reach.doubt(one), reach.doubt(two)), (doubt(2, 1_002), None));
        reach.failed(one, Timestamp(3));
        assert_eq!(reach.doubt(one), doubt(3, 1_003), "one that was under way counts no more");
        reach.failed(one, Timestamp(1_003));
        assert_eq!(reach.doubt(one), doubt(1_003, 3_003), "a look that failed does");
        reach.answered(one, Timestamp(1_004));
        assert_eq!(reach.doubt(one), None);
    }
}
