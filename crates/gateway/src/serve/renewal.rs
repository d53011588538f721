//! What follows when an upstream refuses an access token: one refresh, and one more try with the new one (U29).
//!
//! A refused token shows that the upstream has done nothing, so the second try cannot double anything.

use std::sync::Arc;

use tokio::time::Instant;
use types::RequestId;
use types::routing::FailureClass;

use super::verdict::Verdict;
use crate::authenticate::{Auth, Flown};
use crate::core::Core;
use crate::refresh::{self, Trigger};
use crate::snapshot::Credential;

/// How a replay is told in the attempt.
pub(super) const NOTE: &str = "token_refreshed";

/// Which of its tokens a credential presents now.
pub(super) fn used(credential: &Credential) -> u64 {
    if let Auth::Token(slot) = &credential.auth { slot.round() } else { 0 }
}

/// Whether the attempt is to be made again with another token than the one that was used.
pub(super) async fn renews(
    core: &Arc<Core>,
    id: RequestId,
    credential: &Credential,
    verdict: &Verdict,
    (used, deadline): (u64, Instant),
) -> bool {
    let Auth::Token(slot) = &credential.auth else { return false };
    if verdict.class != FailureClass::Auth || !slot.can_refresh() {
        return false;
    }
    match refresh::refreshed(core, (credential.id, slot), used, Trigger::Refused, deadline).await {
        Flown::Fresh => {
            tracing::info!(
                request.id = %id,
                credential.name = credential.spec.name,
                "auth_refreshed: the token was refused and refreshed; the request is sent again"
            );
            true
        }
        Flown::Failed(..) => {
            // Nobody else need be refused with it.
            if slot.round() == used {
                slot.clear();
            }
            false
        }
    }
}
