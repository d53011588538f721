//! Keeps the tokens of accounts fresh: one refresh at a time for each, the new token stored before it is used.
//!
//! It does not choose credentials, and it never shows or logs a token.

mod account;
mod lease;
mod state;
mod store_first;
mod transport;
mod unsaved;

use std::sync::Arc;
use std::time::Duration;

use oauth::Failure;
use store::FailedRefresh;
use tokio::sync::watch;
use tokio::time::Instant;
use types::credential::{CredentialAuth, CredentialState};
use types::oauth::TokenFault;
use types::{CredentialId, Timestamp};

pub(crate) use account::{registered, token_of};
pub(crate) use transport::Way;

use crate::authenticate::{Auth, Flown, TokenSlot};
use crate::core::Core;
use crate::snapshot::{Credential, Provider, Snapshot};

/// The endpoint is asked so often in one refresh.
const TRIES: u32 = 3;
/// Longest wait for one answer of it.
const ANSWER: Duration = Duration::from_secs(30);
/// Pause before another look while another instance refreshes.
const LOOK_AGAIN: Duration = Duration::from_millis(250);
/// The endpoint is asked no more after that.
const LONGEST: Duration = Duration::from_mins(1);

/// Why a token is refreshed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trigger {
    /// Its time has come.
    Due,
    /// A request needed it.
    Request,
    /// The upstream refused it (401).
    Refused,
    /// Somebody asked.
    Manual,
}

impl Trigger {
    fn as_str(self) -> &'static str {
        match self {
            Self::Due => "due",
            Self::Request => "request",
            Self::Refused => "refused",
            Self::Manual => "manual",
        }
    }
}

/// Waits for a token other than the one of `round`, by the one refresh that everybody shares. It goes on if the
/// waiting ends.
pub(crate) async fn refreshed(
    core: &Arc<Core>,
    (id, slot): (CredentialId, &Arc<TokenSlot>),
    round: u64,
    trigger: Trigger,
    deadline: Instant,
) -> Flown {
    let now = core.clock.now();
    if trigger != Trigger::Manual && slot.round() == round && slot.is_quiet(now) {
        let why = format!("the last refresh failed; the next is tried after {}", slot.quiet_until());
        return Flown::Failed(TokenFault::Transient, why.into());
    }
    let begin = |sender| {
        let (core_of_task, slot) = (core.clone(), slot.clone());
        core.tracker.spawn(async move { fly(&core_of_task, id, &slot, trigger, sender).await });
    };
    let Some(mut flight) = slot.join(round, begin) else { return Flown::Fresh };
    let landed = tokio::time::timeout_at(deadline, flight.wait_for(Option::is_some)).await;
    let lost = |why: &str| Flown::Failed(TokenFault::Transient, why.into());
    match landed {
        Ok(Ok(flown)) => flown.clone().unwrap_or_else(|| lost("the refresh was lost")),
        Ok(Err(_)) => lost("the refresh was lost"),
        Err(_) => lost("the refresh did not end in time"),
    }
}

/// Ends the flight however it ends, panics included.
struct Landing<'a>(&'a TokenSlot);

impl Drop for Landing<'_> {
    fn drop(&mut self) {
        self.0.land();
    }
}

async fn fly(
    core: &Arc<Core>,
    id: CredentialId,
    slot: &Arc<TokenSlot>,
    trigger: Trigger,
    sender: watch::Sender<Option<Flown>>,
) {
    let landing = Landing(slot);
    let started = std::time::Instant::now();
    let snapshot = core.snapshot();
    let (provider, name) = find(&snapshot, id)
        .map(|(provider, credential)| (provider.spec.name.clone(), credential.spec.name.clone()))
        .unwrap_or_default();
    tracing::info!(
        provider.name = provider,
        credential.id = id.0,
        credential.name = name,
        trigger = trigger.as_str(),
        event = "pool.refresh",
        "[TokenManager] Refreshing a token"
    );
    let result = refresh(core, id, slot).await;
    let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let flown = match result {
        Ok(account) => {
            core.metrics.token_refreshed("ok");
            let expires_at = slot.get().and_then(|token| token.expires_at).map(|at| at.to_string());
            tracing::info!(
                credential.id = id.0,
                credential.name = name,
                account,
                ms,
                expires_at,
                "[TokenManager] Refreshed a token"
            );
            state::well_again(core, id).await;
            Flown::Fresh
        }
        Err(Lost { fault, why }) => {
            slot.failed(core.clock.now());
            core.metrics.token_refreshed(fault.as_str());
            tracing::warn!(
                credential.id = id.0,
                credential.name = name,
                fault = fault.as_str(),
                reason = why,
                ms,
                "[TokenManager] A token could not be refreshed"
            );
            if fault != TokenFault::Transient {
                slot.clear();
                state::sign_in_again(core, id, &why).await;
            }
            Flown::Failed(fault, why.into())
        }
    };
    // Whoever comes now must find the new token, not the flight that brought it.
    drop(landing);
    sender.send_replace(Some(flown));
}

/// Why there is no new token.
#[derive(Debug)]
struct Lost {
    fault: TokenFault,
    why: String,
}

impl Lost {
    fn transient(why: impl Into<String>) -> Self {
        Self { fault: TokenFault::Transient, why: why.into() }
    }

    fn sign_in(why: impl Into<String>) -> Self {
        Self { fault: TokenFault::NeedsSignIn, why: why.into() }
    }
}

impl From<store::StoreError> for Lost {
    fn from(error: store::StoreError) -> Self {
        Self::transient(format!("the database did not answer: {error}"))
    }
}

/// One refresh; answers the account's name.
async fn refresh(core: &Arc<Core>, id: CredentialId, slot: &Arc<TokenSlot>) -> Result<Option<String>, Lost> {
    let (give_up, seen) = (Instant::now() + LONGEST, slot.version());
    let mut tries = 0;
    let mut cut_off = None;
    loop {
        let row = core.store.credential_fetch(id).await?;
        if row.deleted_at.is_some() {
            return Err(Lost::transient("it was deleted"));
        }
        let stored = row.auth == CredentialAuth::Oauth;
        if stored && row.token.version > seen {
            // Another instance was quicker, or somebody signed in.
            account::load(core, &row, slot)?;
            return Ok(row.token.account);
        }
        if stored && !lease::take(core, id, row.token.version).await? {
            if Instant::now() >= give_up {
                return Err(Lost::transient("another instance refreshes it and does not end"));
            }
            tokio::time::sleep(LOOK_AGAIN).await;
            continue;
        }
        if tries == 0 {
            // Those that end take their lease away; what is left is of a process that died in the middle.
            cut_off = row.token.leased_until.filter(|_| stored);
            if let Some((fresh, set)) = stored.then(|| unsaved::find(core, &row)).flatten() {
                return store_first::save(core, &row, fresh, &set, slot, true).await;
            }
        }
        tries += 1;
        let asked = tokio::time::timeout(ANSWER, account::ask(core, &row)).await;
        let asked = asked.unwrap_or_else(|_| {
            Err(Failure::new(oauth::Class::Transient, "the token endpoint gave no answer within 30 s"))
        });
        let failure = match asked {
            Ok(granted) => return store_first::put(core, &row, granted, slot).await,
            Err(failure) => failure,
        };
        if failure.class == oauth::Class::Transient && tries < TRIES && Instant::now() < give_up {
            tracing::debug!(
                credential.id = id.0,
                reason = failure.message,
                "the token endpoint is asked again"
            );
            tokio::time::sleep(pause(tries)).await;
            continue;
        }
        let fault = if stored { failure.class.of_account() } else { failure.class.of_client() };
        let why = lease::told(failure.message, fault, cut_off);
        if stored {
            let failed = FailedRefresh { at: core.clock.now(), fault, error: &why, cut_off };
            if !core.store.credential_token_fail(id, row.token.version, failed).await? {
                // Somebody signed in meanwhile: the refusal is of what was there before.
                continue;
            }
        }
        return Err(Lost { fault, why });
    }
}

/// Doubles from half a second, with jitter.
fn pause(tries: u32) -> Duration {
    let base = 500_u64 << tries.saturating_sub(1).min(4);
    Duration::from_millis(base + u64::from(rand::random::<u8>()))
}

/// A credential of the configuration in force, with its provider.
pub(crate) fn find(snapshot: &Snapshot, id: CredentialId) -> Option<(&Provider, &Arc<Credential>)> {
    snapshot.providers.iter().find_map(|provider| {
        provider
            .credentials
            .iter()
            .find(|credential| credential.id == id)
            .map(|credential| (provider, credential))
    })
}

/// Has those refreshed of whom an earlier process, or a database that was away, left something undone.
pub(crate) async fn remind(core: &Core) {
    unsaved::remind(core, &core.snapshot());
    if let Err(error) = lease::remind(core).await {
        tracing::warn!(%error, "refreshes that were cut off could not be looked for");
    }
}

/// Credentials whose token should be replaced by now.
pub(crate) fn due(snapshot: &Snapshot, now: Timestamp) -> Vec<(CredentialId, Arc<TokenSlot>)> {
    let credentials = snapshot.providers.iter().flat_map(|provider| &provider.credentials);
    let usable = credentials.filter(|c| c.spec.enabled && c.mark.state != CredentialState::NeedsReauth);
    usable
        .filter_map(|credential| match &credential.auth {
            Auth::Token(slot) if slot.is_due(now) => Some((credential.id, slot.clone())),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests;
