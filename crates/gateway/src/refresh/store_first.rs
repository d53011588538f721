//! A token that was just granted is stored before anybody uses it (RF-06): in a file of the data folder, then in the
//! database. A process that dies anywhere on the way, and a database that is away, lose nothing.

use std::sync::Arc;
use std::time::Duration;

use oauth::{Granted, TokenSet};
use store::{CredentialRow, FreshToken, StoreError};
use types::credential::CredentialAuth;
use types::oauth::CredentialToken;

use super::{Lost, account, unsaved};
use crate::authenticate::{AccessToken, TokenSlot};
use crate::core::Core;
use crate::vault::Purpose;

/// How often a database that does not answer is asked again if the token could not be written to a file either.
const TRIES: u32 = 40;

/// Stores what was granted, then puts it into the slot; answers the account's name.
pub(super) async fn put(
    core: &Core,
    row: &CredentialRow,
    granted: Granted,
    slot: &Arc<TokenSlot>,
) -> Result<Option<String>, Lost> {
    let Granted { set, expires_at, scopes, account } = granted;
    let refreshed_at = core.clock.now();
    if row.auth != CredentialAuth::Oauth {
        let token = CredentialToken { expires_at, refreshed_at: Some(refreshed_at), ..row.token.clone() };
        into_slot(core, row, &set, &token, slot);
        return Ok(account.or_else(|| row.token.account.clone()));
    }
    let sealed = core
        .vault
        .seal(Purpose::CredentialSecret, row.id.0, &set.to_text())
        .map_err(|error| Lost::transient(error.to_string()))?;
    let fresh = FreshToken { sealed, expires_at, refreshed_at, scopes, account };
    let kept = unsaved::keep(core, row, &fresh);
    if let Err(error) = &kept {
        tracing::error!(credential.id = row.id.0, %error, "a fresh token could not be written to the data folder");
    }
    save(core, row, fresh, &set, slot, kept.is_ok()).await
}

/// Brings a fresh token into the database. Where that does not answer and the token is `kept` in a file, it is used
/// all the same, and the next refresh goes on here.
pub(super) async fn save(
    core: &Core,
    row: &CredentialRow,
    fresh: FreshToken,
    set: &TokenSet,
    slot: &Arc<TokenSlot>,
    kept: bool,
) -> Result<Option<String>, Lost> {
    let mut token = CredentialToken {
        expires_at: fresh.expires_at,
        refreshed_at: Some(fresh.refreshed_at),
        ..row.token.clone()
    };
    match stored(core, row, &fresh, if kept { 0 } else { TRIES }).await {
        Ok(true) => {
            unsaved::forget(core, row);
            token.version = row.token.version + 1;
        }
        Ok(false) => {
            // Somebody signed in meanwhile: what he brought counts.
            unsaved::forget(core, row);
            let row = core.store.credential_fetch(row.id).await?;
            account::load(core, &row, slot)?;
            return Ok(row.token.account);
        }
        Err(error) if kept => {
            tracing::warn!(credential.id = row.id.0, %error, "a fresh token waits in the data folder for the database");
        }
        Err(error) => return Err(error.into()),
    }
    into_slot(core, row, set, &token, slot);
    Ok(fresh.account.or_else(|| row.token.account.clone()))
}

fn into_slot(
    core: &Core,
    row: &CredentialRow,
    set: &TokenSet,
    token: &CredentialToken,
    slot: &Arc<TokenSlot>,
) {
    let snapshot = core.snapshot();
    let spec = row.token.vendor.as_deref().and_then(|name| snapshot.vendors.get(name));
    let minted = row.auth != CredentialAuth::Oauth;
    slot.is_news(token.version, minted || set.refresh_token.is_some());
    slot.put(AccessToken::of(row.id, set, token, spec));
}

async fn stored(core: &Core, row: &CredentialRow, fresh: &FreshToken, more: u32) -> Result<bool, StoreError> {
    let mut tries = 0;
    loop {
        match core.store.credential_token_store(row.id, row.token.version, fresh).await {
            Ok(stored) => return Ok(stored),
            Err(error) if tries >= more => return Err(error),
            Err(error) => {
                tries += 1;
                tracing::warn!(credential.id = row.id.0, %error, "a fresh token could not be stored yet");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
}
