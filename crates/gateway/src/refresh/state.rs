//! What a refresh makes of an account's state: lost, or found again. Whoever waits for the refresh finds that state in
//! force: the next page and the next request go by it.

use std::sync::Arc;
use std::time::Duration;

use types::CredentialId;
use types::credential::CredentialState;

use super::find;
use crate::core::Core;
use crate::events::{self, NewState};
use crate::snapshot::{Credential, Provider};

/// Longest wait until it is in force: a database that is away holds nobody up.
const WAIT: Duration = Duration::from_secs(1);
/// Changes of others that may come between.
const TRIES: u32 = 3;

pub(super) async fn sign_in_again(core: &Arc<Core>, id: CredentialId, why: &str) {
    let (state, reason) = (CredentialState::NeedsReauth, Some(why.to_owned()));
    bring(core, id, NewState { state, until: None, reason, cause: "refresh", request: None }).await;
}

/// A refresh that succeeded undoes what a refresh had set.
pub(super) async fn well_again(core: &Arc<Core>, id: CredentialId) {
    let state = CredentialState::Valid;
    bring(core, id, NewState { state, until: None, reason: None, cause: "refresh", request: None }).await;
}

async fn bring(core: &Arc<Core>, id: CredentialId, new: NewState) {
    let core_of_task = core.clone();
    let brought = core.tracker.spawn(async move {
        let core = core_of_task;
        for _ in 0..TRIES {
            let snapshot = core.snapshot();
            let Some((_, credential)) = find(&snapshot, id) else { return };
            let (is, seen) = (credential.mark.state, credential.mark.version);
            let undoes = new.state == CredentialState::Valid;
            if is == new.state || undoes && is != CredentialState::NeedsReauth {
                return;
            }
            events::mark(&core, credential, new.clone()).await.ok();
            let unchanged = |(_, now): (&Provider, &Arc<Credential>)| now.mark.version == seen;
            if find(&core.snapshot(), id).is_some_and(unchanged) {
                // Another change came between and is not in force here yet, or the database is away.
                if let Err(error) = core.reload().await {
                    tracing::warn!(%error, "the configuration could not be reloaded");
                    return;
                }
            }
        }
    });
    // It goes on if this waits no longer; its own log line tells of a failure.
    tokio::time::timeout(WAIT, brought).await.ok();
}
