//! What one request has tried so far, and what that says about its next attempt.

use types::routing::FailureClass;
use types::{CredentialId, ProviderId};

use crate::serve::verdict::Verdict;

/// What was tried so far.
#[derive(Debug, Default)]
pub(in crate::serve) struct Tried {
    /// With the model at hand.
    pub(in crate::serve) credentials: Vec<CredentialId>,
    /// For good: no other model makes a difference.
    pub(in crate::serve) spent: Vec<CredentialId>,
    /// Those whose token was refreshed for this request.
    pub(in crate::serve) refreshed: Vec<CredentialId>,
    /// Attempts that cost an upstream work, or a caller the wait for a connection.
    pub(in crate::serve) costly: u32,
    /// Providers to which no connection was made.
    pub(in crate::serve) unreached: Vec<ProviderId>,
    /// Attempts that failed because of a quota, and the shortest wait that was asked for, in seconds.
    pub(in crate::serve) limited: (usize, Option<u64>),
    /// All attempts.
    pub(in crate::serve) count: usize,
    pub(in crate::serve) last: Option<Verdict>,
}

impl Tried {
    pub(in crate::serve) fn all(&self) -> Vec<CredentialId> {
        self.credentials.iter().chain(&self.spent).copied().collect()
    }

    pub(in crate::serve) fn note(&mut self, verdict: Verdict, provider: ProviderId) {
        match verdict.class {
            // Its other credentials go the same way, unless it was a proxy of their own.
            FailureClass::System if verdict.refusal.code != "proxy_error" => self.unreached.push(provider),
            FailureClass::RateLimit | FailureClass::Quota => {
                let (count, soonest) = self.limited;
                let asked = verdict.refusal.retry_after_s;
                self.limited = (count + 1, soonest.into_iter().chain(asked).min());
            }
            _ => {}
        }
        self.last = Some(verdict);
    }
}
