//! Requests and tokens per minute: sliding counts in memory, by the second.
//!
//! Only scopes with such a limit are counted. What a restart forgets is one minute.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use ledger::budget::Scope;
use types::Timestamp;
use types::limits::LimitName;

/// One more than a minute's seconds, so that no 60 seconds, wherever they begin, see more than the limit.
const SECONDS: usize = 61;
/// Scopes kept; beyond it those that were idle for a minute go.
const MAX_SCOPES: usize = 50_000;

/// The limits per minute of one scope.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RateRule {
    pub(crate) scope: Scope,
    pub(crate) rpm: Option<u64>,
    pub(crate) tpm: Option<u64>,
}

/// A limit per minute that is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooFast {
    pub(crate) scope: Scope,
    pub(crate) name: LimitName,
    pub(crate) current: u64,
    pub(crate) limit: u64,
    /// Seconds until it is below the limit again, 1 to 61.
    pub(crate) wait_s: u64,
}

#[derive(Debug)]
struct Minute {
    /// The second that was counted last.
    second: i64,
    requests: [u32; SECONDS],
    tokens: [u64; SECONDS],
}

impl Minute {
    fn new(second: i64) -> Self {
        Self { second, requests: [0; SECONDS], tokens: [0; SECONDS] }
    }

    /// Forgets what is over a minute old. A clock that goes back counts on in the latest second.
    fn turn_to(&mut self, second: i64) {
        let passed = second.saturating_sub(self.second);
        for step in 1..=passed.min(61) {
            let slot = slot(self.second.saturating_add(step));
            if let Some(requests) = self.requests.get_mut(slot) {
                *requests = 0;
            }
            if let Some(tokens) = self.tokens.get_mut(slot) {
                *tokens = 0;
            }
        }
        self.second = self.second.max(second);
    }

    fn count(&self, name: LimitName) -> u64 {
        match name {
            LimitName::Rpm => self.requests.iter().map(|n| u64::from(*n)).sum(),
            _ => self.tokens.iter().fold(0, |sum, n| sum.saturating_add(*n)),
        }
    }

    /// Seconds until the count is below `limit`.
    fn wait_s(&self, name: LimitName, limit: u64) -> u64 {
        let mut left = self.count(name);
        for age in (0..61_i64).rev() {
            let slot = slot(self.second.saturating_sub(age));
            let leaves = match name {
                LimitName::Rpm => self.requests.get(slot).map_or(0, |n| u64::from(*n)),
                _ => self.tokens.get(slot).copied().unwrap_or(0),
            };
            left = left.saturating_sub(leaves);
            if left < limit {
                return u64::try_from(61 - age).unwrap_or(1).max(1);
            }
        }
        61
    }
}

fn slot(second: i64) -> usize {
    usize::try_from(second.rem_euclid(61)).unwrap_or(0)
}

/// The counts of all scopes.
#[derive(Debug, Default)]
pub(crate) struct Rates(Mutex<HashMap<Scope, Minute>>);

impl Rates {
    /// Counts a request on all scopes, or on none: then it names the limit that is used up.
    pub(crate) fn admit(&self, now: Timestamp, rules: &[RateRule]) -> Result<(), TooFast> {
        if rules.is_empty() {
            return Ok(());
        }
        let second = now.0.div_euclid(1_000);
        let mut scopes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if scopes.len() > MAX_SCOPES {
            scopes.retain(|_, minute| second.saturating_sub(minute.second) <= 60);
        }
        for rule in rules {
            let minute = scopes.entry(rule.scope).or_insert_with(|| Minute::new(second));
            minute.turn_to(second);
            for (name, limit) in [(LimitName::Rpm, rule.rpm), (LimitName::Tpm, rule.tpm)] {
                let Some(limit) = limit else { continue };
                let current = minute.count(name);
                if current >= limit {
                    let wait_s = minute.wait_s(name, limit);
                    return Err(TooFast { scope: rule.scope, name, current, limit, wait_s });
                }
            }
        }
        for rule in rules {
            if let Some(minute) = scopes.get_mut(&rule.scope)
                && let Some(requests) = minute.requests.get_mut(slot(minute.second))
            {
                *requests = requests.saturating_add(1);
            }
        }
        Ok(())
    }

    /// Whether a scope is at a limit now; counts nothing.
    pub(crate) fn is_full(&self, now: Timestamp, rule: &RateRule) -> bool {
        self.read(now, rule).iter().any(|(_, current, limit)| current >= limit)
    }

    /// How far the limits of a scope are used: name, count, limit.
    pub(crate) fn read(&self, now: Timestamp, rule: &RateRule) -> Vec<(LimitName, u64, u64)> {
        let mut scopes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut minute = scopes.get_mut(&rule.scope);
        if let Some(minute) = &mut minute {
            minute.turn_to(now.0.div_euclid(1_000));
        }
        [(LimitName::Rpm, rule.rpm), (LimitName::Tpm, rule.tpm)]
            .into_iter()
            .filter_map(|(name, limit)| {
                limit.map(|limit| (name, minute.as_ref().map_or(0, |minute| minute.count(name)), limit))
            })
            .collect()
    }

    /// Counts the tokens of a request that ended.
    pub(crate) fn spend(&self, now: Timestamp, scopes_with_tpm: &[Scope], tokens: u64) {
        if scopes_with_tpm.is_empty() || tokens == 0 {
            return;
        }
        let second = now.0.div_euclid(1_000);
        let mut scopes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for scope in scopes_with_tpm {
            let minute = scopes.entry(*scope).or_insert_with(|| Minute::new(second));
            minute.turn_to(second);
            if let Some(slot) = minute.tokens.get_mut(slot(minute.second)) {
                *slot = slot.saturating_add(tokens);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::quota::ScopeKind;

    const KEY: Scope = Scope { kind: ScopeKind::Key, id: 1 };
    const USER: Scope = Scope { kind: ScopeKind::User, id: 1 };

    fn rpm(scope: Scope, rpm: u64) -> RateRule {
        RateRule { scope, rpm: Some(rpm), tpm: None }
    }

    #[test]
    fn ke_06_a_minute_takes_so_many_requests_and_no_more() {
        let rates = Rates::default();
        let start = Timestamp(1_000_000_500);
        for n in 0..60 {
            assert_eq!(rates.admit(start.plus_ms(n * 900), &[rpm(KEY, 60)]), Ok(()));
        }
        let late = start.plus_ms(59_900);
        let refused = rates.admit(late, &[rpm(KEY, 60)]).unwrap_err();
        assert_eq!((refused.name, refused.current, refused.limit), (LimitName::Rpm, 60, 60));
        // The time it names is right: one millisecond of that second earlier it is refused, then it is not.
        let wait = i64::try_from(refused.wait_s).unwrap() * 1_000;
        assert!(rates.admit(late.plus_ms(wait - 1_000), &[rpm(KEY, 60)]).is_err());
        assert_eq!(rates.admit(late.plus_ms(wait), &[rpm(KEY, 60)]), Ok(()));
    }

    #[test]
    fn a_refusal_counts_nowhere() {
        let rates = Rates::default();
        let rules = [rpm(KEY, 100), rpm(USER, 1)];
        assert_eq!(rates.admit(Timestamp(0), &rules), Ok(()));
        assert_eq!(rates.admit(Timestamp(1), &rules).unwrap_err().scope, USER);
        assert_eq!(rates.read(Timestamp(2), &rpm(KEY, 100)), [(LimitName::Rpm, 1, 100)]);
    }

    #[test]
    fn tokens_count_when_they_are_known() {
        let rates = Rates::default();
        let rule = RateRule { scope: KEY, rpm: None, tpm: Some(1_000) };
        assert_eq!(rates.admit(Timestamp(0), &[rule]), Ok(()));
        rates.spend(Timestamp(10), &[KEY], 1_500);
        assert!(rates.is_full(Timestamp(20), &rule));
        assert_eq!(rates.admit(Timestamp(20), &[rule]).unwrap_err().name, LimitName::Tpm);
        assert_eq!(rates.admit(Timestamp(61_020), &[rule]), Ok(()));
    }

    #[test]
    fn a_clock_that_goes_back_opens_nothing() {
        let rates = Rates::default();
        assert_eq!(rates.admit(Timestamp(100_000), &[rpm(KEY, 1)]), Ok(()));
        assert!(rates.admit(Timestamp(1_000), &[rpm(KEY, 1)]).is_err());
    }
}
