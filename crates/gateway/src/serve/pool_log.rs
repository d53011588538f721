//! What the log says of each decision of the pool (TP-07): names as people gave them, never a secret. It counts nothing.

use types::RequestId;

use super::trial::Trial;
use crate::snapshot::Provider;

/// The first credential of a request: in detail only, because every request has one.
pub(super) fn selected(id: RequestId, provider: &Provider, trial: &Trial) {
    let credential = trial.credential();
    tracing::debug!(
        request.id = %id,
        provider.name = provider.spec.name,
        credential.name = credential.spec.name,
        tier = credential.spec.tier.as_str(),
        attempt = 1,
        "pool.select: trying the first credential"
    );
}

/// Another credential after a failed one.
pub(super) fn switched(id: RequestId, provider: &Provider, trial: &Trial, attempt: usize, after: &str) {
    let credential = trial.credential();
    tracing::info!(
        request.id = %id,
        provider.name = provider.spec.name,
        credential.name = credential.spec.name,
        tier = credential.spec.tier.as_str(),
        attempt,
        after,
        "pool.switch: trying another credential"
    );
}

/// Nobody is left, after so many attempts.
pub(super) fn exhausted(id: RequestId, attempts: usize, reason: &str) {
    tracing::warn!(request.id = %id, attempts, reason, "pool.exhausted: no credential is left for a request");
}
