//! Tests of credentials.

use types::credential::{CredentialMark, CredentialState};
use types::{CredentialId, Patch, ProviderId};

use crate::error::BoxError;
use crate::fixture::{NOW, change, credential, credential_spec, marked, provider};
use crate::testing::each_backend;
use crate::{SealedProxy, SealedSecret, StoreError};

#[tokio::test]
async fn the_secret_is_sealed_for_the_id_of_its_row() {
    each_backend(|store| async move {
        let owner = provider(&store, "one").await;
        let made = credential(&store, owner.id, "key 1").await.unwrap();
        assert_eq!(made.sealed, format!("sealed for {}", made.id).into_bytes());
        assert_eq!((made.spec.clone(), made.provider_id), (credential_spec("key 1"), owner.id));
        assert_eq!(store.credential_fetch(made.id).await.unwrap(), made);
        assert_eq!(store.credential_list(false).await.unwrap(), [made]);
        let orphan = credential(&store, ProviderId(99), "key 1").await;
        assert!(matches!(orphan, Err(StoreError::NotFound)));
    })
    .await;
}

#[tokio::test]
async fn names_are_unique_within_a_provider_only() {
    each_backend(|store| async move {
        let (one, two) = (provider(&store, "one").await, provider(&store, "two").await);
        credential(&store, one.id, "key 1").await.unwrap();
        credential(&store, two.id, "key 1").await.unwrap();
        let taken = credential(&store, one.id, "key 1").await;
        assert!(matches!(taken, Err(StoreError::Conflict { field }) if field == "name"));
    })
    .await;
}

#[tokio::test]
async fn a_new_secret_makes_it_valid_and_another_change_does_not() {
    each_backend(|store| async move {
        let owner = provider(&store, "one").await;
        let made = credential(&store, owner.id, "key 1").await.unwrap();
        assert_eq!(made.mark, CredentialMark::default());
        let (to, event) = marked(made.id, CredentialState::Valid, CredentialState::Invalid, NOW);
        assert!(store.credential_mark(made.id, 0, &to, &event).await.unwrap());

        let mut spec = made.spec.clone();
        spec.max_concurrency = None;
        let row = store
            .credential_update(made.id, 1, &spec, None, Patch::Keep, change("credential.update"))
            .await
            .unwrap();
        assert_eq!((row.mark.state, row.mark.version), (CredentialState::Invalid, 1));
        assert_eq!(row.spec, spec);
        let secret = SealedSecret { sealed: b"new".to_vec(), hint: "sk-…new1".to_owned() };
        let row = store
            .credential_update(made.id, 2, &spec, Some(secret), Patch::Keep, change("credential.update"))
            .await
            .unwrap();
        let valid = CredentialMark { since: Some(NOW), version: 2, ..CredentialMark::default() };
        assert_eq!(row.mark, valid);
        let events = store.credential_event_list(Some(made.id), 10, None).await.unwrap().items;
        let told: Vec<_> = events.iter().map(|event| (event.from, event.to, event.cause.as_str())).collect();
        let (good, bad) = (CredentialState::Valid, CredentialState::Invalid);
        assert_eq!(told, [(bad, good, "admin"), (good, bad, "upstream")]);
        assert_eq!((row.sealed, row.hint, row.version), (b"new".to_vec(), "sk-…new1".to_owned(), 3));
        let stale =
            store.credential_update(made.id, 2, &spec, None, Patch::Keep, change("credential.update")).await;
        assert!(matches!(stale, Err(StoreError::StaleVersion)));
    })
    .await;
}

#[tokio::test]
async fn its_proxy_is_kept_replaced_and_removed() {
    let sealed = |text: &str| SealedProxy { sealed: text.as_bytes().to_vec(), hint: "http://p".to_owned() };
    each_backend(|store| async move {
        let owner = provider(&store, "one").await;
        let seal = |id: CredentialId| {
            let secret = SealedSecret { sealed: b"secret".to_vec(), hint: "sk-…mnop".to_owned() };
            Ok::<_, BoxError>((secret, Some(sealed(&format!("for {id}")))))
        };
        let spec = credential_spec("key 1");
        let made = store.credential_insert(owner.id, &spec, seal, change("credential.create")).await.unwrap();
        assert_eq!(made.proxy_sealed, Some(format!("for {}", made.id).into_bytes()));
        assert_eq!((made.hint.as_str(), made.proxy_hint.as_deref()), ("sk-…mnop", Some("http://p")));
        let mut version = made.version;
        for (patch, expected) in [
            (Patch::Clear, None),
            (Patch::Set(sealed("a")), Some(b"a".to_vec())),
            (Patch::Keep, Some(b"a".to_vec())),
        ] {
            let row = store
                .credential_update(made.id, version, &spec, None, patch, change("credential.update"))
                .await
                .unwrap();
            assert_eq!((row.proxy_sealed, row.proxy_hint.is_some()), (expected.clone(), expected.is_some()));
            assert_eq!((row.sealed, row.hint), (made.sealed.clone(), made.hint.clone()), "the secret stays");
            version = row.version;
        }
    })
    .await;
}

#[tokio::test]
async fn a_deleted_credential_comes_back_unless_its_provider_is_gone() {
    each_backend(|store| async move {
        let owner = provider(&store, "one").await;
        let made = credential(&store, owner.id, "key 1").await.unwrap();
        store.credential_delete(made.id, change("credential.delete")).await.unwrap();
        assert!(store.credential_list(false).await.unwrap().is_empty());
        assert_eq!(store.credential_list(true).await.unwrap().len(), 1);
        store.credential_restore(made.id, change("credential.restore")).await.unwrap();
        assert_eq!(store.credential_list(false).await.unwrap().len(), 1);

        store.credential_delete(made.id, change("credential.delete")).await.unwrap();
        store.provider_delete(owner.id, change("provider.delete")).await.unwrap();
        let revision = store.config_revision().await.unwrap();
        let restored = store.credential_restore(made.id, change("credential.restore")).await;
        assert!(matches!(restored, Err(StoreError::Conflict { field }) if field == "provider_id"));
        assert_eq!(store.config_revision().await.unwrap(), revision);
        assert!(store.credential_fetch(made.id).await.unwrap().deleted_at.is_some());
    })
    .await;
}
