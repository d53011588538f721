//! Tests of providers, and of the rules that every change of configuration follows.

use types::audit::AuditFilter;
use types::{Patch, ProviderId};

use crate::error::BoxError;
use crate::fixture::{NOW, change, credential, provider, provider_spec};
use crate::testing::each_backend;
use crate::{SealedProxy, Store, StoreError};

fn sealed(text: &str) -> SealedProxy {
    SealedProxy { sealed: text.as_bytes().to_vec(), hint: "http://proxy.example.com".to_owned() }
}

async fn audit_count(store: &Store) -> usize {
    store.audit_list(&AuditFilter::default()).await.unwrap().items.len()
}

#[tokio::test]
async fn what_is_stored_comes_back_unchanged() {
    each_backend(|store| async move {
        let spec = provider_spec("one");
        let seal = |id: ProviderId| Ok::<_, BoxError>(Some(sealed(&format!("for {id}"))));
        let made = store.provider_insert(&spec, seal, change("provider.create")).await.unwrap();
        assert_eq!(made.spec, spec);
        assert_eq!(made.proxy_sealed, Some(format!("for {}", made.id).into_bytes()));
        assert_eq!((made.created_at, made.updated_at, made.version), (NOW, NOW, 1));
        assert_eq!(store.provider_fetch(made.id).await.unwrap(), made);
        assert_eq!(store.provider_list(false).await.unwrap(), [made]);
    })
    .await;
}

#[tokio::test]
async fn a_change_writes_row_audit_and_revision_together() {
    each_backend(|store| async move {
        let made = provider(&store, "one").await;
        assert_eq!(store.config_revision().await.unwrap(), 1);
        let page = store.audit_list(&AuditFilter::default()).await.unwrap();
        assert_eq!(page.items[0].object_id, made.id.to_string());
        assert_eq!(page.items[0].action, "provider.create");
        assert_eq!(page.items[0].after, Some(serde_json::json!({"name": "sample"})));
        let mut spec = made.spec.clone();
        spec.name = "two".to_owned();
        let at = NOW.plus_ms(5);
        let update = crate::Change { at, ..change("provider.update") };
        let after = store.provider_update(made.id, 1, &spec, Patch::Keep, update).await.unwrap();
        assert_eq!((after.version, after.updated_at, after.created_at), (2, at, NOW));
        assert_eq!(after.spec, spec);
        assert_eq!((store.config_revision().await.unwrap(), audit_count(&store).await), (2, 2));
    })
    .await;
}

#[tokio::test]
async fn a_change_that_fails_leaves_neither_audit_nor_revision() {
    each_backend(|store| async move {
        let one = provider(&store, "one").await;
        provider(&store, "two").await;
        let (revision, audits) = (store.config_revision().await.unwrap(), audit_count(&store).await);
        let taken = store
            .provider_update(one.id, 1, &provider_spec("two"), Patch::Keep, change("provider.update"))
            .await;
        assert!(matches!(taken, Err(StoreError::Conflict { field }) if field == "name"));
        let stale = store
            .provider_update(one.id, 7, &provider_spec("one"), Patch::Keep, change("provider.update"))
            .await;
        assert!(matches!(stale, Err(StoreError::StaleVersion)));
        let unknown = store
            .provider_update(ProviderId(99), 1, &provider_spec("x"), Patch::Keep, change("provider.update"))
            .await;
        assert!(matches!(unknown, Err(StoreError::NotFound)));
        let broken = |_| Err::<Option<SealedProxy>, _>(BoxError::from("no key"));
        let unsealed =
            store.provider_insert(&provider_spec("three"), broken, change("provider.create")).await;
        assert!(matches!(unsealed, Err(StoreError::Seal(_))));
        assert_eq!(store.provider_list(true).await.unwrap().len(), 2);
        assert_eq!((store.config_revision().await.unwrap(), audit_count(&store).await), (revision, audits));
    })
    .await;
}

#[tokio::test]
async fn of_concurrent_changes_to_the_same_version_one_wins() {
    each_backend(|store| async move {
        let made = provider(&store, "one").await;
        let attempt = |name: &'static str| {
            let (store, id) = (store.clone(), made.id);
            Box::pin(async move {
                let spec = provider_spec(name);
                store.provider_update(id, 1, &spec, Patch::Keep, change("provider.update")).await
            })
        };
        let (a, b, c) = tokio::join!(attempt("a"), attempt("b"), attempt("c"));
        let results = [a, b, c];
        assert_eq!(results.iter().filter(|r| r.is_ok()).count(), 1);
        let stale = results.iter().filter(|r| matches!(r, Err(StoreError::StaleVersion))).count();
        assert_eq!(stale, 2);
        let stored = store.provider_fetch(made.id).await.unwrap();
        assert_eq!(stored.version, 2);
        assert_eq!((store.config_revision().await.unwrap(), audit_count(&store).await), (2, 2));
    })
    .await;
}

#[tokio::test]
async fn a_deleted_provider_comes_back_with_its_credentials() {
    each_backend(|store| async move {
        let made = provider(&store, "one").await;
        credential(&store, made.id, "key 1").await.unwrap();
        let deleted = store.provider_delete(made.id, change("provider.delete")).await.unwrap();
        assert_eq!((deleted.deleted_at, deleted.version), (Some(NOW), 2));
        let rows = store.config_load().await.unwrap();
        assert!(rows.providers.is_empty() && rows.credentials.is_empty());
        assert!(store.provider_list(false).await.unwrap().is_empty());
        assert_eq!(store.provider_list(true).await.unwrap().len(), 1);
        let again = store.provider_delete(made.id, change("provider.delete")).await;
        assert!(matches!(again, Err(StoreError::NotFound)));
        let change_of_deleted = store
            .provider_update(made.id, 2, &provider_spec("x"), Patch::Keep, change("provider.update"))
            .await;
        assert!(matches!(change_of_deleted, Err(StoreError::NotFound)));
        let into_deleted = credential(&store, made.id, "key 2").await;
        assert!(matches!(into_deleted, Err(StoreError::NotFound)));

        store.provider_restore(made.id, change("provider.restore")).await.unwrap();
        let rows = store.config_load().await.unwrap();
        assert_eq!((rows.providers.len(), rows.credentials.len(), rows.revision), (1, 1, 4));
    })
    .await;
}

#[tokio::test]
async fn a_name_that_was_taken_meanwhile_stops_a_restore() {
    each_backend(|store| async move {
        let old = provider(&store, "one").await;
        store.provider_delete(old.id, change("provider.delete")).await.unwrap();
        let new = provider(&store, "one").await;
        assert_ne!(old.id, new.id);
        let restored = store.provider_restore(old.id, change("provider.restore")).await;
        assert!(matches!(restored, Err(StoreError::Conflict { field }) if field == "name"));
        let live = store.provider_restore(new.id, change("provider.restore")).await;
        assert!(matches!(live, Err(StoreError::NotFound)));
    })
    .await;
}

#[tokio::test]
async fn a_proxy_is_kept_replaced_and_removed() {
    each_backend(|store| async move {
        let made = provider(&store, "one").await;
        let mut version = made.version;
        for (patch, expected) in [
            (Patch::Set(sealed("a")), Some(b"a".to_vec())),
            (Patch::Keep, Some(b"a".to_vec())),
            (Patch::Clear, None),
        ] {
            let row = store
                .provider_update(made.id, version, &made.spec, patch, change("provider.update"))
                .await
                .unwrap();
            assert_eq!((row.proxy_sealed, row.proxy_hint.is_some()), (expected.clone(), expected.is_some()));
            version = row.version;
        }
    })
    .await;
}
