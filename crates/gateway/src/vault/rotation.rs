//! Seals everything anew with the current key (CR-04). It does not decide when.
//!
//! Row by row with compare-and-set: a row that somebody changes meanwhile was sealed with the current key by
//! that change. It can be stopped at any point and run again; rows that are current already are passed over.
//! The canary comes last, so that it tells the truth about the rows.

use serde_json::json;
use store::{Change, Store};
use types::Secret;

use super::canary::CANARY_META;
use super::{Purpose, Vault, VaultError};

/// What a rotation did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rotated {
    /// Values that were sealed anew.
    pub resealed: u32,
    /// Values that could not be opened with any configured secret; they stay as they are.
    pub unreadable: u32,
}

impl Vault {
    /// Seals every stored secret with the current key. `change` says who asked; its `after` is filled in here.
    pub(crate) async fn rotate(&self, store: &Store, change: Change) -> Result<Rotated, VaultError> {
        let mut done = Rotated::default();
        for row in store.credential_list(true).await? {
            if let Some(new) = self.resealed(Purpose::CredentialSecret, row.id.0, &row.sealed, &mut done)? {
                done.count(store.credential_reseal(row.id, &row.sealed, &new).await?);
            }
            let Some(sealed) = &row.proxy_sealed else { continue };
            if let Some(new) = self.resealed(Purpose::CredentialProxy, row.id.0, sealed, &mut done)? {
                done.count(store.credential_proxy_reseal(row.id, sealed, &new).await?);
            }
        }
        for row in store.provider_list(true).await? {
            let Some(sealed) = &row.proxy_sealed else { continue };
            if let Some(new) = self.resealed(Purpose::ProviderProxy, row.id.0, sealed, &mut done)? {
                done.count(store.provider_reseal(row.id, sealed, &new).await?);
            }
        }
        // Sign-ins under way are left out: they are over within ten minutes, and the old secret opens them till then.
        for row in store.oauth_vendor_list().await? {
            let Some(sealed) = &row.client_secret else { continue };
            if let Some(new) = self.resealed(Purpose::VendorSecret, row.id, sealed, &mut done)? {
                done.count(store.oauth_vendor_reseal(row.id, sealed, &new).await?);
            }
        }
        for (name, purpose) in [("key_pepper", Purpose::KeyPepper), (CANARY_META, Purpose::Canary)] {
            let Some(stored) = store.meta_get(name).await? else { continue };
            let sealed = hex::decode(&stored).map_err(|_| VaultError::Malformed)?;
            if let Some(new) = self.resealed(purpose, 0, &sealed, &mut done)? {
                done.count(store.meta_replace(name, &stored, &hex::encode(new)).await?);
            }
        }
        if done != Rotated::default() {
            let after = json!({
                "key_id": self.key_id(), "resealed": done.resealed, "unreadable": done.unreadable,
            });
            store.audit_append(Change { after: Some(after), ..change }).await?;
        }
        Ok(done)
    }

    fn resealed(
        &self,
        purpose: Purpose,
        row: i64,
        sealed: &[u8],
        done: &mut Rotated,
    ) -> Result<Option<Vec<u8>>, VaultError> {
        if self.is_current(sealed) {
            return Ok(None);
        }
        let opened: Result<Secret<String>, VaultError> = self.open(purpose, row, sealed);
        match opened {
            Ok(secret) => self.seal(purpose, row, &secret).map(Some),
            Err(error) => {
                tracing::error!(?purpose, row, %error, "a stored secret cannot be opened and was not sealed anew");
                done.unreadable += 1;
                Ok(None)
            }
        }
    }
}

impl Rotated {
    fn count(&mut self, replaced: bool) {
        self.resealed += u32::from(replaced);
    }
}
