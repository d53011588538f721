//! What the last check of each credential says about the network: if more than half gave no answer, it is more likely
//! our own network than the accounts, and nothing may be counted against them meanwhile (HC-12).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use types::check::{CheckCounts, CheckResult};
use types::{CredentialId, Timestamp};

/// The last check of each credential, and since when checks are switched on.
#[derive(Debug, Default)]
pub(crate) struct Rounds(Mutex<Memory>);

#[derive(Debug, Default)]
struct Memory {
    last: HashMap<CredentialId, (Timestamp, CheckResult)>,
    enabled_since: Option<Timestamp>,
    cut_off: bool,
}

/// What a batch of checks changes about the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Network {
    /// Whether more than half of the last checks gave no answer.
    pub(crate) cut_off: bool,
    /// Whether that was otherwise before.
    pub(crate) changed: bool,
}

impl Rounds {
    /// Notes what was found; what is older than `interval_ms` counts no more.
    pub(crate) fn note(
        &self,
        found: impl Iterator<Item = (CredentialId, CheckResult)>,
        now: Timestamp,
        interval_ms: i64,
    ) -> Network {
        let mut memory = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        memory.last.extend(found.map(|(id, result)| (id, (now, result))));
        memory.last.retain(|_, (at, _)| now.0.saturating_sub(at.0) <= interval_ms);
        let mut counts = CheckCounts::default();
        for (_, result) in memory.last.values() {
            counts.add(*result, 1);
        }
        let cut_off = counts.is_cut_off();
        let changed = std::mem::replace(&mut memory.cut_off, cut_off) != cut_off;
        Network { cut_off, changed }
    }

    /// Whether more than half of the last checks gave no answer, while checks are switched on.
    pub(crate) fn is_cut_off(&self) -> bool {
        let memory = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        memory.enabled_since.is_some() && memory.cut_off
    }

    /// Since when checks are switched on, as far as this process saw; `None` ends it.
    pub(crate) fn enabled(&self, enabled: bool, now: Timestamp) -> Option<Timestamp> {
        let mut memory = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        memory.enabled_since = enabled.then(|| memory.enabled_since.unwrap_or(now));
        memory.enabled_since
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::check::CheckResult::{Failed, Healthy, Inconclusive};

    #[test]
    fn hc_12_only_the_last_check_of_each_within_the_interval_counts() {
        let rounds = Rounds::default();
        let note = |found: &[(i64, CheckResult)], at| {
            let found = found.iter().map(|(id, result)| (CredentialId(*id), *result));
            rounds.note(found, Timestamp(at), 100)
        };
        assert_eq!(note(&[(1, Healthy), (2, Inconclusive)], 0), Network { cut_off: false, changed: false });
        assert_eq!(note(&[(3, Inconclusive)], 1), Network { cut_off: true, changed: true });
        assert_eq!(note(&[(2, Inconclusive), (4, Failed)], 2), Network { cut_off: false, changed: true });
        assert_eq!(note(&[(5, Inconclusive)], 102), Network { cut_off: true, changed: true }, "two are left");
    }

    #[test]
    fn hc_12_an_outage_of_an_interval_ago_is_over_with_the_first_answer() {
        let rounds = Rounds::default();
        let note = |ids: std::ops::Range<i64>, result, at| {
            rounds.note(ids.map(|id| (CredentialId(id), result)), Timestamp(at), 100)
        };
        assert!(note(1..4, Inconclusive, 0).cut_off);
        assert!(note(4..5, Healthy, 100).cut_off, "it counts for a whole interval");
        assert_eq!(note(5..6, Healthy, 101), Network { cut_off: false, changed: true });
    }

    #[test]
    fn checks_that_are_switched_off_begin_anew() {
        let rounds = Rounds::default();
        assert_eq!(rounds.enabled(true, Timestamp(5)), Some(Timestamp(5)));
        assert_eq!(rounds.enabled(true, Timestamp(9)), Some(Timestamp(5)));
        assert_eq!(rounds.enabled(false, Timestamp(10)), None);
        assert_eq!(rounds.enabled(true, Timestamp(11)), Some(Timestamp(11)));
    }
}
