//! Requests and sessions at once: slots that live exactly as long as the answer's body.
//!
//! A session counts while it has a request running and for five minutes after its last one. What a restart forgets
//! are the idle sessions.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ledger::budget::Scope;
use types::Timestamp;
use types::limits::LimitName;
use types::quota::ScopeKind;

/// How long a session counts after its last request.
const SESSION_IDLE_MS: i64 = 5 * 60 * 1_000;
/// The same in seconds.
pub(crate) const SESSION_IDLE_S: u64 = 5 * 60;
/// Sessions remembered of one scope; more than any limit that makes sense.
const MAX_SESSIONS: usize = 10_000;

/// A scope whose requests are counted, and its limits on what runs at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SlotRule {
    pub(crate) scope: Scope,
    pub(crate) requests: Option<u32>,
    pub(crate) sessions: Option<u32>,
}

/// A limit on what runs at once that is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooMany {
    pub(crate) scope: Scope,
    pub(crate) name: LimitName,
    pub(crate) current: u64,
    pub(crate) limit: u64,
}

#[derive(Debug, Default)]
struct Running {
    /// Tells a count from the one before it was cleared.
    epoch: u64,
    requests: u32,
    sessions: HashMap<String, Session>,
}

#[derive(Debug, Default)]
struct Session {
    requests: u32,
    last: Timestamp,
}

impl Running {
    fn sessions_at(&mut self, now: Timestamp) -> usize {
        self.sessions.retain(|_, session| {
            session.requests > 0 || now.0.saturating_sub(session.last.0) < SESSION_IDLE_MS
        });
        self.sessions.len()
    }
}

/// What runs now, by scope; users are always counted, others only if they have such a limit.
#[derive(Clone, Debug, Default)]
pub(crate) struct Slots(Arc<Mutex<Counts>>);

#[derive(Debug, Default)]
struct Counts {
    scopes: HashMap<Scope, Running>,
    /// Grows with each clearing.
    epoch: u64,
}

impl Counts {
    fn running(&mut self, scope: Scope) -> &mut Running {
        let epoch = self.epoch;
        self.scopes.entry(scope).or_insert_with(|| Running { epoch, ..Running::default() })
    }
}

impl Slots {
    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a slot on all scopes, or on none.
    pub(crate) fn take(
        &self,
        now: Timestamp,
        rules: &[SlotRule],
        session: Option<&str>,
    ) -> Result<SlotGuard, TooMany> {
        let mut guard =
            SlotGuard { slots: self.clone(), taken: Vec::new(), session: session.map(str::to_owned) };
        if rules.is_empty() {
            return Ok(guard);
        }
        let mut counts = self.lock();
        for rule in rules {
            let running = counts.running(rule.scope);
            let refuse = |name, current: usize, limit: u32| {
                let current = u64::try_from(current).unwrap_or(u64::MAX);
                Err(TooMany { scope: rule.scope, name, current, limit: u64::from(limit) })
            };
            if let (Some(limit), Some(session)) = (rule.sessions, session) {
                let count = running.sessions_at(now);
                let limit_count = usize::try_from(limit).unwrap_or(usize::MAX).min(MAX_SESSIONS);
                if !running.sessions.contains_key(session) && count >= limit_count {
                    return refuse(LimitName::Sessions, count, limit);
                }
            }
            if let Some(limit) = rule.requests
                && running.requests >= limit
            {
                return refuse(
                    LimitName::Requests,
                    usize::try_from(running.requests).unwrap_or(usize::MAX),
                    limit,
                );
            }
        }
        for rule in rules {
            let running = counts.running(rule.scope);
            running.requests = running.requests.saturating_add(1);
            if let (Some(_), Some(session)) = (rule.sessions, session) {
                let session = running.sessions.entry(session.to_owned()).or_default();
                session.requests = session.requests.saturating_add(1);
                session.last = now;
            }
            guard.taken.push((rule.scope, running.epoch));
        }
        drop(counts);
        Ok(guard)
    }

    /// Counts one scope of a kind, or all of them, from zero; answers how many counted anything. What runs now is not
    /// subtracted later.
    pub(crate) fn clear(&self, kind: ScopeKind, id: Option<i64>) -> usize {
        let mut counts = self.lock();
        counts.epoch += 1;
        let before = counts.scopes.len();
        counts.scopes.retain(|scope, _| scope.kind != kind || id.is_some_and(|id| id != scope.id));
        before - counts.scopes.len()
    }

    /// Whether a scope has no slot left for another request.
    pub(crate) fn is_full(&self, rule: &SlotRule) -> bool {
        rule.requests
            .is_some_and(|limit| self.lock().scopes.get(&rule.scope).is_some_and(|r| r.requests >= limit))
    }

    /// Requests and sessions that count on a scope now.
    pub(crate) fn read(&self, now: Timestamp, scope: Scope) -> (u64, u64) {
        self.lock().scopes.get_mut(&scope).map_or((0, 0), |running| {
            let sessions = u64::try_from(running.sessions_at(now)).unwrap_or(u64::MAX);
            (u64::from(running.requests), sessions)
        })
    }
}

/// The slots of one request; dropping it frees them.
#[derive(Debug)]
pub(crate) struct SlotGuard {
    slots: Slots,
    /// Scopes with the epoch in which each was counted.
    taken: Vec<(Scope, u64)>,
    session: Option<String>,
}

impl Drop for SlotGuard {
    fn drop(&mut self) {
        if self.taken.is_empty() {
            return;
        }
        let mut counts = self.slots.lock();
        for (scope, epoch) in &self.taken {
            let Some(running) = counts.scopes.get_mut(scope).filter(|r| r.epoch == *epoch) else { continue };
            running.requests = running.requests.saturating_sub(1);
            if let Some(session) = self.session.as_deref().and_then(|id| running.sessions.get_mut(id)) {
                session.requests = session.requests.saturating_sub(1);
            }
            if running.requests == 0 && running.sessions.is_empty() {
                counts.scopes.remove(scope);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::quota::ScopeKind;

    const USER: Scope = Scope { kind: ScopeKind::User, id: 7 };

    fn rule(requests: Option<u32>, sessions: Option<u32>) -> [SlotRule; 1] {
        [SlotRule { scope: USER, requests, sessions }]
    }

    #[test]
    fn rl_05_a_slot_is_free_again_when_its_guard_goes() {
        let slots = Slots::default();
        let two = rule(Some(2), None);
        let first = slots.take(Timestamp(0), &two, None).unwrap();
        let _second = slots.take(Timestamp(0), &two, None).unwrap();
        let refused = slots.take(Timestamp(0), &two, None).unwrap_err();
        assert_eq!((refused.name, refused.current, refused.limit), (LimitName::Requests, 2, 2));
        drop(first);
        assert!(slots.take(Timestamp(0), &two, None).is_ok());
    }

    #[test]
    fn ca_04_a_cleared_count_is_zero_and_never_goes_below_it() {
        let slots = Slots::default();
        let two = rule(Some(2), None);
        let before = slots.take(Timestamp(0), &two, None).unwrap();
        assert_eq!(slots.clear(ScopeKind::Key, None), 0);
        assert_eq!(slots.clear(ScopeKind::User, Some(8)), 0);
        assert_eq!(slots.clear(ScopeKind::User, Some(7)), 1);
        assert_eq!(slots.read(Timestamp(0), USER), (0, 0));
        let after = slots.take(Timestamp(0), &two, None).unwrap();
        drop(before);
        assert_eq!(
            slots.read(Timestamp(0), USER),
            (1, 0),
            "what was cleared is not subtracted from what is new"
        );
        drop(after);
        assert_eq!(slots.read(Timestamp(0), USER), (0, 0));
    }

    #[test]
    fn a_session_counts_while_it_runs_and_for_a_while_after() {
        let slots = Slots::default();
        let one = rule(None, Some(1));
        drop(slots.take(Timestamp(0), &one, Some("a")).unwrap());
        assert!(slots.take(Timestamp(1), &one, Some("b")).is_err());
        assert!(slots.take(Timestamp(2), &one, Some("a")).is_ok(), "the same session is never refused");
        assert!(slots.take(Timestamp(SESSION_IDLE_MS + 2), &one, Some("b")).is_ok());
        assert!(slots.take(Timestamp(3), &one, None).is_ok(), "a request without a session is none");
    }
}
