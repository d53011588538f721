//! What is stored of an account, opened: its vendor, its material, and the token as requests carry it.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use oauth::{Class, Failure, Granted, Registered, ServiceAccount, TokenSet};
use store::CredentialRow;
use types::credential::CredentialAuth;
use types::oauth::{CredentialToken, VendorSpec};
use types::{CredentialId, Secret};

use super::Lost;
use super::transport::Way;
use crate::authenticate::{AccessToken, TokenSlot};
use crate::core::Core;
use crate::vault::Purpose;

/// A vendor with the client that the operator registered.
pub(crate) async fn registered(core: &Core, name: &str) -> Result<Registered, Failure> {
    let gone = |why: String| Failure::new(Class::Transient, why);
    let row = core.store.oauth_vendor_fetch(name).await;
    let row = row.map_err(|error| gone(format!("the database did not answer: {error}")))?;
    let Some(row) = row else {
        let spec = oauth::preset(name).cloned();
        let spec = spec.ok_or_else(|| Failure::new(Class::Client, format!("there is no vendor '{name}'")))?;
        return Ok(Registered { spec, client_id: String::new(), client_secret: None });
    };
    let open = |sealed: &Vec<u8>| core.vault.open(Purpose::VendorSecret, row.id, sealed);
    let client_secret = row.client_secret.as_ref().map(open).transpose().map_err(|_| {
        Failure::new(Class::Client, "the client secret of this vendor cannot be decrypted; enter it again")
    })?;
    Ok(Registered { spec: row.spec, client_id: row.client_id, client_secret })
}

/// Asks the vendor for a fresh token of what is stored.
pub(super) fn ask<'a>(core: &'a Core, row: &'a CredentialRow) -> BoxFuture<'a, Result<Granted, Failure>> {
    Box::pin(asked(core, row))
}

async fn asked(core: &Core, row: &CredentialRow) -> Result<Granted, Failure> {
    let secret = core
        .vault
        .open(Purpose::CredentialSecret, row.id.0, &row.sealed)
        .map_err(|_| Failure::new(Class::NeedsSignIn, "what is stored cannot be decrypted; sign in again"))?;
    let snapshot = core.snapshot();
    let way = Way::of(core, &snapshot, row.provider_id, Some(row.id))
        .ok_or_else(|| Failure::new(Class::Transient, "its provider is gone"))?;
    granted(core, (row.auth, &secret), row.token.vendor.as_deref(), &way).await
}

/// Asks the vendor for a fresh token of what a credential is made of, stored or not.
async fn granted(
    core: &Core,
    (auth, secret): (CredentialAuth, &Secret<String>),
    vendor: Option<&str>,
    way: &Way<'_>,
) -> Result<Granted, Failure> {
    let name = vendor.unwrap_or(match auth {
        CredentialAuth::ServiceAccount => "vertex",
        CredentialAuth::ClientCredentials => "azure",
        _ => "generic",
    });
    let vendor = registered(core, name).await?;
    let now = core.clock.now();
    match auth {
        CredentialAuth::Oauth => {
            let set = TokenSet::parse(secret).ok_or_else(unreadable)?;
            let token = set.refresh_token.ok_or_else(|| {
                Failure::new(Class::NeedsSignIn, "the vendor gave no refresh token; sign in again")
            })?;
            oauth::refresh(&vendor, &token, way, now).await
        }
        CredentialAuth::ServiceAccount => {
            let account =
                ServiceAccount::parse(secret).map_err(|why| Failure::new(Class::NeedsSignIn, why))?;
            oauth::mint(&vendor.spec, &account, way, now).await
        }
        CredentialAuth::ClientCredentials => {
            let client = Client::parse(secret).ok_or_else(unreadable)?;
            oauth::client_credentials(&client.of(vendor.spec), way, now).await
        }
        CredentialAuth::ApiKey | CredentialAuth::Aws => {
            Err(Failure::new(Class::NeedsSignIn, "this kind of secret has no token"))
        }
    }
}

/// A token of what is not stored yet, in a slot that nothing else knows.
pub(crate) async fn token_of(
    core: &Core,
    material: (CredentialAuth, &Secret<String>),
    way: &Way<'_>,
) -> Result<Arc<TokenSlot>, Failure> {
    let granted = granted(core, material, None, way).await?;
    let token = CredentialToken { expires_at: granted.expires_at, ..CredentialToken::default() };
    let slot = Arc::new(TokenSlot::default());
    slot.put(AccessToken::of(CredentialId(0), &granted.set, &token, None));
    Ok(slot)
}

fn unreadable() -> Failure {
    Failure::new(Class::NeedsSignIn, "what is stored is not what this kind of account needs")
}

/// Id and secret of a client, as stored.
#[derive(serde::Deserialize)]
struct Client {
    #[serde(rename = "client_id")]
    id: String,
    #[serde(rename = "client_secret")]
    secret: Secret<String>,
    /// Takes the place of `common` or `{tenant}` in the token address.
    #[serde(default)]
    tenant: Option<String>,
}

impl Client {
    fn parse(secret: &Secret<String>) -> Option<Self> {
        serde_json::from_str(secret.expose()).ok()
    }

    fn of(self, mut spec: VendorSpec) -> Registered {
        if let Some(tenant) = self.tenant.filter(|tenant| !tenant.is_empty()) {
            spec.token_url =
                spec.token_url.replace("/common/", &format!("/{tenant}/")).replace("{tenant}", &tenant);
        }
        Registered { spec, client_id: self.id, client_secret: Some(self.secret) }
    }
}

/// Puts what is stored into the slot.
pub(super) fn load(core: &Core, row: &CredentialRow, slot: &TokenSlot) -> Result<(), Lost> {
    let secret = core
        .vault
        .open(Purpose::CredentialSecret, row.id.0, &row.sealed)
        .map_err(|_| Lost::sign_in("what is stored cannot be decrypted; sign in again"))?;
    let set = TokenSet::parse(&secret).ok_or_else(|| Lost::sign_in("what is stored is no token"))?;
    let snapshot = core.snapshot();
    let spec = row.token.vendor.as_deref().and_then(|name| snapshot.vendors.get(name));
    slot.is_news(row.token.version, set.refresh_token.is_some());
    slot.put(AccessToken::of(row.id, &set, &row.token, spec));
    Ok(())
}

#[cfg(test)]
mod tests;
