//! Tests of templates.

use super::*;
use crate::Store;
use crate::fixture::{change, package_spec};
use crate::testing::each_backend;

async fn insert(store: &Store, name: &str) -> Result<PackageRow, StoreError> {
    store.package_insert(&package_spec(name), change("package.create")).await
}

#[tokio::test]
async fn templates_are_kept_deleted_and_restored() {
    each_backend(|store| async move {
        let row = insert(&store, "pro").await.unwrap();
        assert_eq!(row.spec, package_spec("pro"));
        assert!(
            matches!(insert(&store, "pro").await, Err(StoreError::Conflict { field }) if field == "name")
        );
        let update = async |version, name: &str| {
            store.package_update(row.id, version, &package_spec(name), change("package.update")).await
        };
        assert_eq!(update(1, "plus").await.unwrap().spec.name, "plus");
        assert!(matches!(update(1, "late").await, Err(StoreError::StaleVersion)));
        store.package_delete(row.id, change("package.delete")).await.unwrap();
        assert!(matches!(update(3, "gone").await, Err(StoreError::NotFound)));
        assert!(store.package_list(false).await.unwrap().is_empty());
        assert_eq!(store.package_list(true).await.unwrap().len(), 1);
        insert(&store, "plus").await.unwrap();
        let taken = store.package_restore(row.id, change("package.restore")).await;
        assert!(matches!(taken, Err(StoreError::Conflict { field }) if field == "name"));
    })
    .await;
}
