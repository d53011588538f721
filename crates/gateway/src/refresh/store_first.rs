//! A token that was just granted is stored before anybody uses it (RF-06): a process that dies then has lost nothing.

use std::sync::Arc;
use std::time::Duration;

use oauth::Granted;
use store::{CredentialRow, FreshToken};
use types::credential::CredentialAuth;
use types::oauth::CredentialToken;

use super::{Lost, account};
use crate::authenticate::{AccessToken, TokenSlot};
use crate::core::Core;
use crate::vault::Purpose;

/// How often a database that does not answer is asked again: the vendor has spent the old token by now.
const TRIES: u32 = 40;

/// Stores what was granted, then puts it into the slot; answers the account's name.
pub(super) async fn put(
    core: &Core,
    row: &CredentialRow,
    granted: Granted,
    slot: &Arc<TokenSlot>,
) -> Result<Option<String>, Lost> {
    let now = core.clock.now();
    let mut token =
        CredentialToken { expires_at: granted.expires_at, refreshed_at: Some(now), ..row.token.clone() };
    if row.auth == CredentialAuth::Oauth {
        let sealed = core
            .vault
            .seal(Purpose::CredentialSecret, row.id.0, &granted.set.to_text())
            .map_err(|error| Lost::transient(error.to_string()))?;
        let fresh = FreshToken {
            sealed,
            expires_at: granted.expires_at,
            refreshed_at: now,
            scopes: granted.scopes,
            account: granted.account.clone(),
        };
        if !stored(core, row, &fresh).await? {
            // Somebody signed in meanwhile: what he brought counts.
            let row = core.store.credential_fetch(row.id).await?;
            account::load(core, &row, slot)?;
            return Ok(row.token.account);
        }
        token.version = row.token.version + 1;
    }
    let snapshot = core.snapshot();
    let spec = row.token.vendor.as_deref().and_then(|name| snapshot.vendors.get(name));
    let minted = row.auth != CredentialAuth::Oauth;
    slot.is_news(token.version, minted || granted.set.refresh_token.is_some());
    slot.put(AccessToken::of(row.id, &granted.set, &token, spec));
    Ok(granted.account.or_else(|| row.token.account.clone()))
}

async fn stored(core: &Core, row: &CredentialRow, fresh: &FreshToken) -> Result<bool, Lost> {
    let mut tries = 0;
    loop {
        match core.store.credential_token_store(row.id, row.token.version, fresh).await {
            Ok(stored) => return Ok(stored),
            Err(error) if tries >= TRIES => return Err(error.into()),
            Err(error) => {
                tries += 1;
                tracing::warn!(credential.id = row.id.0, %error, "a fresh token could not be stored yet");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
}
