//! Tests of stored descriptors.

use types::oauth::VendorSpec;

use crate::error::BoxError;
use crate::fixture::change;
use crate::testing::each_backend;
use crate::{SealedSecret, StoreError};

type Secret = Result<Option<Option<SealedSecret>>, BoxError>;

#[expect(clippy::unnecessary_wraps, reason = "sealing may fail")]
fn secret(id: i64) -> Secret {
    Ok(Some(Some(SealedSecret { sealed: format!("for {id}").into_bytes(), hint: "se…et".to_owned() })))
}

#[expect(clippy::unnecessary_wraps, reason = "sealing may fail")]
fn kept(_: i64) -> Secret {
    Ok(None)
}

#[tokio::test]
async fn a_descriptor_is_stored_by_name_and_its_secret_sealed_for_its_row() {
    each_backend(|store| async move {
        let spec = VendorSpec { label: "One".to_owned(), ..VendorSpec::default() };
        let put = |version, client: &'static str, seal: fn(i64) -> Secret| {
            let (store, spec) = (&store, &spec);
            async move { store.oauth_vendor_put("one", version, spec, client, seal, change("vendor.put")).await }
        };
        let row = put(0, "client", secret).await.unwrap();
        assert_eq!((&row.spec, row.client_id.as_str(), row.version), (&spec, "client", 1));
        assert_eq!(row.client_secret, Some(format!("for {}", row.id).into_bytes()));
        let twice = put(0, "client", kept).await;
        assert!(matches!(twice, Err(StoreError::Conflict { field }) if field == "name"));
        let stale = put(7, "client", kept).await;
        assert!(matches!(stale, Err(StoreError::StaleVersion)));
        let row = put(1, "other", kept).await.unwrap();
        assert_eq!((row.client_id.as_str(), row.version, row.client_secret.is_some()), ("other", 2, true));
        let row = put(2, "other", |_| Ok(Some(None))).await.unwrap();
        assert_eq!((row.client_secret, row.secret_hint), (None, None));
        assert_eq!(store.config_load().await.unwrap().vendors.len(), 1);
        store.oauth_vendor_delete("one", change("vendor.delete")).await.unwrap();
        let gone = store.oauth_vendor_delete("one", change("vendor.delete")).await;
        assert!(matches!(gone, Err(StoreError::NotFound)));
        assert_eq!(store.oauth_vendor_list().await.unwrap(), []);
    })
    .await;
}
