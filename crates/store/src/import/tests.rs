//! Many rows in one transaction: all or none, each with its audit row.

use types::audit::AuditFilter;
use types::credential::CredentialAuth;

use super::{ImportTarget, NewCredential, NewProvider};
use crate::error::BoxError;
use crate::fixture::{change, credential_spec, provider, provider_spec};
use crate::testing::each_backend;
use crate::{Account, SealedSecret, Store, StoreError};

fn new(name: &str) -> ImportTarget {
    ImportTarget::New(Box::new(NewProvider {
        spec: provider_spec(name),
        seal: Box::new(|_| Ok(None)),
        change: change("provider.create"),
    }))
}

fn key(name: &str) -> NewCredential {
    NewCredential {
        spec: credential_spec(name),
        account: Account::of(CredentialAuth::ApiKey),
        seal: Box::new(|id| {
            Ok((SealedSecret { sealed: format!("for {id}").into_bytes(), hint: "…".to_owned() }, None))
        }),
        change: change("credential.create"),
    }
}

async fn counts(store: &Store) -> (usize, usize, usize, i64) {
    let audits = store.audit_list(&AuditFilter::default()).await.unwrap().items.len();
    let providers = store.provider_list(true).await.unwrap().len();
    let credentials = store.credential_list(true).await.unwrap().len();
    (providers, credentials, audits, store.config_revision().await.unwrap())
}

#[tokio::test]
async fn an_import_adds_everything_with_an_audit_row_for_each_and_one_revision() {
    each_backend(|store| async move {
        let here = provider(&store, "here").await;
        let items =
            vec![(new("one"), vec![key("a"), key("b")]), (ImportTarget::Existing(here.id), vec![key("c")])];
        let ids = store.import(1, items, change("credential.import")).await.unwrap();
        assert_eq!(ids[1], here.id);
        assert_eq!(counts(&store).await, (2, 3, 6, 2));
        let rows = store.credential_list(false).await.unwrap();
        assert!(rows.iter().all(|row| row.sealed == format!("for {}", row.id).into_bytes()));
        assert_eq!(rows.iter().filter(|row| row.provider_id == ids[0]).count(), 2);
    })
    .await;
}

#[tokio::test]
async fn an_import_that_fails_anywhere_leaves_nothing() {
    each_backend(|store| async move {
        provider(&store, "here").await;
        let before = counts(&store).await;
        let taken = vec![(new("one"), vec![key("a")]), (new("here"), vec![])];
        let error = store.import(1, taken, change("credential.import")).await.unwrap_err();
        assert!(matches!(error, StoreError::Conflict { .. }), "{error:?}");
        let unsealed = NewCredential { seal: Box::new(|_| Err(BoxError::from("no key"))), ..key("b") };
        let error =
            store.import(1, vec![(new("one"), vec![key("a"), unsealed])], change("x.y")).await.unwrap_err();
        assert!(matches!(error, StoreError::Seal(_)), "{error:?}");
        assert_eq!(counts(&store).await, before);
    })
    .await;
}

#[tokio::test]
async fn an_import_on_another_configuration_than_the_one_looked_at_is_refused() {
    each_backend(|store| async move {
        provider(&store, "here").await;
        let before = counts(&store).await;
        let error = store.import(0, vec![(new("one"), vec![key("a")])], change("x.y")).await.unwrap_err();
        assert!(matches!(error, StoreError::StaleVersion), "{error:?}");
        assert_eq!(counts(&store).await, before);
    })
    .await;
}
