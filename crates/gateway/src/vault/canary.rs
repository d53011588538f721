//! Proves at start that the configured secret is the one that sealed what is stored (CR-01).
//!
//! A known text, sealed, stands in the store. Without this check a wrong secret would be noticed only when the
//! first request fails, and new secrets would by then be sealed with another key than the old ones.

use store::Store;
use types::Secret;

use super::{Envelope, Purpose, Vault, VaultError};

pub(crate) const CANARY_META: &str = "vault_canary";
const CANARY_TEXT: &str = "tollgate";

async fn check(vault: &Vault, store: &Store) -> Result<(), VaultError> {
    let stored = if let Some(stored) = store.meta_get(CANARY_META).await? {
        stored
    } else {
        vault.check_rows(store).await?;
        // Another instance may have been quicker; what it stored is what counts.
        store.meta_put_if_absent(CANARY_META, &vault.sealed_canary()?).await?
    };
    hold_against(vault, &stored)
}

fn hold_against(vault: &Vault, stored: &str) -> Result<(), VaultError> {
    let sealed = hex::decode(stored).map_err(|_| VaultError::Malformed)?;
    match vault.open(Purpose::Canary, 0, &sealed) {
        Ok(text) if text.expose() == CANARY_TEXT => Ok(()),
        Ok(_) | Err(VaultError::UnknownKey(_) | VaultError::Altered) => {
            Err(VaultError::WrongSecret(key_id_of(&sealed)))
        }
        Err(other) => Err(other),
    }
}

/// The same for who only looks: makes no canary.
pub(super) async fn check_present(vault: &Vault, store: &Store) -> Result<(), VaultError> {
    match store.meta_get(CANARY_META).await? {
        Some(stored) => hold_against(vault, &stored),
        None => vault.check_rows(store).await,
    }
}

impl Vault {
    /// Derives the keys and holds them against the canary; makes the canary at the first start.
    pub(crate) async fn open_with_canary(
        secret: &Secret<String>,
        previous: &[Secret<String>],
        store: &Store,
    ) -> Result<Self, VaultError> {
        let vault = Self::new(secret, previous)?;
        check(&vault, store).await?;
        Ok(vault)
    }

    /// The canary under the current key, as it is stored.
    fn sealed_canary(&self) -> Result<String, VaultError> {
        self.seal(Purpose::Canary, 0, &Secret::new(CANARY_TEXT.to_owned())).map(hex::encode)
    }

    // A lost canary must not be replaced silently by one of another key: if there are credentials and none of
    // them opens, the secret is the wrong one.
    async fn check_rows(&self, store: &Store) -> Result<(), VaultError> {
        let rows = store.credential_list(true).await?;
        let opens =
            |row: &store::CredentialRow| self.open(Purpose::CredentialSecret, row.id.0, &row.sealed).is_ok();
        match rows.first() {
            Some(first) if !rows.iter().any(opens) => Err(VaultError::WrongSecret(key_id_of(&first.sealed))),
            _ => Ok(()),
        }
    }
}

fn key_id_of(sealed: &[u8]) -> String {
    Envelope::parse(sealed).map_or_else(|_| "unknown".to_owned(), |envelope| envelope.key_id.to_owned())
}

#[cfg(test)]
mod tests {
    use store::testing;

    use super::*;

    fn secret(text: &str) -> Secret<String> {
        Secret::new(text.to_owned())
    }

    async fn start(current: &str, previous: &[&str], store: &Store) -> Result<Vault, VaultError> {
        let previous: Vec<_> = previous.iter().map(|text| secret(text)).collect();
        Vault::open_with_canary(&secret(current), &previous, store).await
    }

    const FIRST: &str = "the-first-secret-of-this-install-";
    const OTHER: &str = "a-secret-that-was-never-used-here";

    #[tokio::test]
    async fn cr_01_a_wrong_secret_is_refused_and_names_the_key_that_was_used() {
        let store = testing::sqlite().await;
        let vault = start(FIRST, &[], &store).await.unwrap();
        let again = start(FIRST, &[], &store).await.unwrap();
        assert_eq!(vault.key_id(), again.key_id());

        let error = start(OTHER, &[], &store).await.unwrap_err().to_string();
        let way_out = format!("use the secret that was used at first encryption (key id {})", vault.key_id());
        assert!(error.contains("Decryption failed") && error.contains(&way_out), "{error}");
        start(OTHER, &[FIRST], &store).await.unwrap();
    }

    #[tokio::test]
    async fn a_damaged_canary_is_an_error_and_no_panic() {
        for damaged in ["", "zz", "7631", "7632ffff"] {
            let store = testing::sqlite().await;
            store.meta_put_if_absent(CANARY_META, damaged).await.unwrap();
            assert!(start(FIRST, &[], &store).await.is_err(), "{damaged}");
        }
    }
}
