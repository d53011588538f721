//! Changes of breakers and of credentials' states: a log line at once, a row soon after.
//!
//! What becomes of a request never waits for these rows; a process that dies loses those of the last seconds.

use std::sync::Arc;

use routing::health::ModelChange;
use tokio::task::JoinHandle;
use types::breaker::{BreakerEvent, BreakerState};
use types::credential::{CredentialEvent, CredentialMark, CredentialState};
use types::{CredentialId, ProviderId, RequestId, Timestamp};

use crate::core::Core;
use crate::snapshot::Credential;

/// Suspensions in a row after which an account counts as banned.
const BANNED_AFTER: u32 = 3;

/// Tells of changed breakers.
pub(crate) fn breakers(
    core: &Core,
    provider: ProviderId,
    credential: &Credential,
    changes: Vec<ModelChange>,
    now: Timestamp,
) {
    for ModelChange { model, change } in changes {
        let (state, snapshot) = (change.to.as_str(), core.snapshot());
        let provider_name = snapshot.names.providers.get(&provider);
        let credential_name = &credential.spec.name;
        if change.to == BreakerState::Open {
            tracing::warn!(
                provider.name = provider_name,
                credential.name = credential_name,
                model,
                state,
                reason = change.reason,
                "breaker: a circuit breaker changed its state"
            );
        } else {
            tracing::info!(
                provider.name = provider_name,
                credential.name = credential_name,
                model,
                state,
                reason = change.reason,
                "breaker: a circuit breaker changed its state"
            );
        }
        core.outbox.push(BreakerEvent {
            at: now,
            provider_id: provider,
            credential_id: credential.id,
            model,
            from: change.from,
            to: change.to,
            reason: change.reason,
        });
    }
}

/// Writes what waits; says how much that was.
pub(crate) async fn flush(core: &Core) -> Result<usize, store::StoreError> {
    let mut written = 0;
    loop {
        let events = core.outbox.take();
        if events.is_empty() {
            return Ok(written);
        }
        let stored = core.store.breaker_event_append(&events).await;
        let count = events.len();
        if let Err(error) = stored {
            core.outbox.take_back(events);
            return Err(error);
        }
        written += count;
    }
}

/// A new state of a credential, and what showed it.
#[derive(Clone, Debug)]
pub(crate) struct NewState {
    pub(crate) state: CredentialState,
    pub(crate) until: Option<Timestamp>,
    pub(crate) reason: Option<String>,
    pub(crate) cause: &'static str,
    pub(crate) request: Option<RequestId>,
}

/// Writes down a credential's new state unless it has changed since the snapshot was made (AC-13); not on the
/// request's own time. Whoever needs it to be in force waits for the handle.
pub(crate) fn mark(core: &Arc<Core>, credential: &Credential, new: NewState) -> JoinHandle<()> {
    let (id, seen) = (credential.id, credential.mark.clone());
    let name = credential.spec.name.clone();
    let at = core.clock.now();
    let core_of_task = core.clone();
    core.tracker.spawn(async move {
        let core = core_of_task;
        let new = banned_if_often(&core, id, new).await;
        let event = CredentialEvent {
            credential_id: id,
            at,
            from: seen.state,
            to: new.state,
            until: new.until,
            reason: new.reason.clone(),
            cause: new.cause.to_owned(),
            request_id: new.request,
        };
        let mark = CredentialMark {
            state: new.state,
            until: new.until,
            reason: new.reason.clone(),
            since: Some(at),
            version: seen.version,
        };
        let marked = core.store.credential_mark(id, seen.version, &mark, &event).await;
        if !matches!(marked, Ok(false)) {
            tell(id, &name, seen.state, &new);
        }
        match marked {
            Ok(true) => {
                if let Err(error) = core.reload().await {
                    tracing::warn!(%error, "the configuration could not be reloaded");
                }
            }
            Ok(false) => tracing::debug!(credential.id = id.0, "its state had changed already"),
            Err(error) => {
                tracing::warn!(credential.id = id.0, %error, "the state of a credential could not be stored");
            }
        }
    })
}

/// Three suspensions in a row are a ban. The history counts them, so that a restart forgets none.
async fn banned_if_often(core: &Core, id: CredentialId, new: NewState) -> NewState {
    if new.state != CredentialState::Suspended {
        return new;
    }
    match core.store.credential_suspensions(id).await {
        Ok(before) if before.saturating_add(1) >= BANNED_AFTER => {
            NewState { state: CredentialState::Banned, until: None, ..new }
        }
        Ok(_) => new,
        Err(error) => {
            tracing::warn!(credential.id = id.0, %error, "earlier suspensions could not be counted");
            new
        }
    }
}

fn tell(id: CredentialId, name: &str, from: CredentialState, new: &NewState) {
    tracing::info!(
        credential.name = name,
        from = from.as_str(),
        to = new.state.as_str(),
        until = new.until.map(|until| until.to_string()),
        reason = new.reason,
        cause = new.cause,
        "pool.state: a credential changed its state"
    );
    // RF-03: nothing mends these but a person, so they are said louder than other changes.
    let remedy = match new.state {
        CredentialState::NeedsReauth => "signs in again",
        CredentialState::Banned => "settles it with the vendor and recovers it",
        _ => return,
    };
    tracing::error!(
        credential.id = id.0,
        credential.name = name,
        reason = new.reason,
        "pool.account_lost: an account is out of use until somebody {remedy}"
    );
}

/// Lets a credential's failed checks begin anew, because a request went well with it (HC-13); not on the request's own
/// time.
pub(crate) fn checks_ended(core: &Arc<Core>, credential: &Credential) {
    let (core_of_task, id) = (core.clone(), credential.id);
    core.tracker.spawn(async move {
        let core = core_of_task;
        let done = async {
            core.store.credential_check_reset(Some(id), None).await?;
            core.reload().await
        };
        if let Err(error) = done.await {
            tracing::warn!(credential.id = id.0, %error, "the end of failed checks could not be stored");
        }
    });
}
