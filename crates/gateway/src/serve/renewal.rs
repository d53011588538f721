//! What follows when an upstream refuses an access token: one refresh, and one more try with the new one (U29). A
//! signature that was of another time than the upstream's is made again by the upstream's clock.
//!
//! A refusal of that kind shows that the upstream has done nothing, so the second try cannot double anything.

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
const TOKEN: &str = "token_refreshed";
const CLOCK: &str = "clock_corrected";

/// What a credential presents now: which of its tokens, or a signature by which clock.
pub(super) fn used(credential: &Credential) -> u64 {
    match &credential.auth {
        Auth::Token(slot) => slot.round(),
        Auth::Aws(_) => credential.gauge.vendor_ahead_ms().cast_unsigned(),
        Auth::Key(_) | Auth::Unreadable => 0,
    }
}

/// Whether the attempt is to be made again, with something else than what was used: says what has changed.
pub(super) async fn renewed(
    core: &Arc<Core>,
    id: RequestId,
    credential: &Credential,
    verdict: &Verdict,
    (before, deadline): (u64, Instant),
) -> Option<&'static str> {
    if verdict.class != FailureClass::Auth {
        return None;
    }
    let slot = match &credential.auth {
        Auth::Token(slot) if slot.can_refresh() => slot,
        Auth::Aws(_) => return (used(credential) != before).then_some(CLOCK),
        Auth::Token(_) | Auth::Key(_) | Auth::Unreadable => return None,
    };
    match refresh::refreshed(core, (credential.id, slot), before, Trigger::Refused, deadline).await {
        Flown::Fresh => {
            tracing::info!(
                request.id = %id,
                credential.name = credential.spec.name,
                "auth_refreshed: the token was refused and refreshed; the request is sent again"
            );
            Some(TOKEN)
        }
        Flown::Failed(..) => {
            // Nobody else need be refused with it.
            if slot.round() == before {
                slot.clear();
            }
            None
        }
    }
}
