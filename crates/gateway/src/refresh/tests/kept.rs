//! Fresh tokens that wait in the data folder for the database.

use std::path::PathBuf;

use store::CredentialRow;

use super::*;

impl Rig {
    fn folder(&self) -> PathBuf {
        self.house.core().config.data_dir.join("tokens")
    }

    /// The file of the fresh token that takes the place of a stored one.
    fn file(&self, version: i64) -> PathBuf {
        self.folder().join(format!("{}-{version}.sealed", self.id.0))
    }

    async fn stored(&self) -> (i64, String) {
        let row = self.house.store().credential_fetch(self.id).await.unwrap();
        let opened = self.house.core().vault.open(Purpose::CredentialSecret, self.id.0, &row.sealed).unwrap();
        let set = oauth::TokenSet::parse(&opened).unwrap();
        (row.token.version, set.refresh_token.unwrap().expose().clone())
    }
}

#[tokio::test]
async fn rf_06_what_the_database_has_waits_no_more() {
    let rig = Rig::new(HOUR_MS).await;
    let version = rig.stored().await.0;
    assert_eq!(rig.refreshed(Trigger::Due).await, Flown::Fresh);
    assert_eq!(rig.stored().await, (version + 1, "r1-CANARY".to_owned()));
    assert_eq!(std::fs::read_dir(rig.folder()).unwrap().count(), 0);
}

#[tokio::test]
async fn rf_06_a_kept_token_that_cannot_be_read_is_put_aside_and_the_vendor_asked() {
    let rig = Rig::new(HOUR_MS).await;
    let (version, _) = rig.stored().await;
    std::fs::create_dir_all(rig.folder()).unwrap();
    std::fs::write(rig.file(version), "{\"sealed\": \"00\"").unwrap();
    assert_eq!(rig.refreshed(Trigger::Due).await, Flown::Fresh);
    assert_eq!((rig.endpoint.asked(), rig.file(version).exists()), (1, false));
}

#[tokio::test]
async fn rf_06_a_kept_token_never_takes_the_place_of_a_newer_one() {
    let rig = Rig::new(HOUR_MS).await;
    let (version, _) = rig.stored().await;
    assert_eq!(rig.refreshed(Trigger::Due).await, Flown::Fresh);
    // Left behind, as if it could not be removed.
    std::fs::write(rig.file(version), "old").unwrap();
    assert_eq!(rig.refreshed(Trigger::Manual).await, Flown::Fresh);
    assert_eq!(rig.stored().await, (version + 2, "r2-CANARY".to_owned()));
    assert!(rig.file(version).exists());
    remind(rig.house.core()).await;
    assert!(!rig.file(version).exists());
}

#[tokio::test]
async fn rf_06_a_folder_that_takes_no_file_keeps_no_token_from_the_database() {
    let rig = Rig::new(HOUR_MS).await;
    let version = rig.stored().await.0;
    std::fs::write(rig.folder(), "no folder").unwrap();
    assert_eq!(rig.refreshed(Trigger::Due).await, Flown::Fresh);
    assert_eq!(rig.stored().await, (version + 1, "r1-CANARY".to_owned()));
}

#[tokio::test]
async fn rf_06_a_kept_token_of_another_installation_is_never_taken() {
    let rig = Rig::new(HOUR_MS).await;
    let row = rig.house.store().credential_fetch(rig.id).await.unwrap();
    let set = json!({ "access_token": "a-CANARY", "refresh_token": "r-CANARY" }).to_string();
    let sealed = rig.house.core().vault.seal(Purpose::CredentialSecret, rig.id.0, &Secret::new(set)).unwrap();
    let fresh =
        store::FreshToken { sealed, expires_at: None, refreshed_at: NOW, scopes: None, account: None };
    unsaved::keep(rig.house.core(), &row, &fresh).unwrap();
    assert!(unsaved::find(rig.house.core(), &row).is_some());
    // The same credential and version by number, and the same secret of encryption, but not the same stored token.
    let stored = json!({ "access_token": "b-CANARY", "refresh_token": "s-CANARY" }).to_string();
    let stored =
        rig.house.core().vault.seal(Purpose::CredentialSecret, rig.id.0, &Secret::new(stored)).unwrap();
    let begun_anew = CredentialRow { sealed: stored, ..row };
    assert!(unsaved::find(rig.house.core(), &begun_anew).is_none());
    assert!(!rig.file(begun_anew.token.version).exists());
}

#[tokio::test]
async fn cr_04_a_kept_token_comes_into_the_database_under_the_current_key() {
    const NEW: &str = "the-new-encryption-secret-of-tests";
    let rig = Rig::new(HOUR_MS).await;
    let row = rig.house.store().credential_fetch(rig.id).await.unwrap();
    let set = json!({ "access_token": "a-CANARY", "refresh_token": "r0-CANARY" }).to_string();
    let sealed = rig.house.core().vault.seal(Purpose::CredentialSecret, rig.id.0, &Secret::new(set)).unwrap();
    let fresh = store::FreshToken {
        sealed: sealed.clone(),
        expires_at: Some(NOW.plus_ms(HOUR_MS)),
        refreshed_at: NOW,
        scopes: None,
        account: None,
    };
    // The process died here; the next one starts with another secret of encryption.
    let again = House::on(rig.house.store().clone(), NEW, &[ENCRYPTION]).await;
    unsaved::keep(again.core(), &row, &fresh).unwrap();
    let row = rig.house.store().credential_fetch(rig.id).await.unwrap();
    let (taken_up, set) = unsaved::find(again.core(), &row).unwrap();
    assert!(!again.core().vault.is_current(&sealed) && again.core().vault.is_current(&taken_up.sealed));
    let opened = again.core().vault.open(Purpose::CredentialSecret, rig.id.0, &taken_up.sealed).unwrap();
    assert_eq!(opened.expose(), set.to_text().expose());
}
