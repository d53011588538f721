//! Tests of grants.

use super::*;
use crate::fixture::{self, NOW, change, package_spec, usd};
use crate::testing::each_backend;

#[tokio::test]
async fn a_grant_keeps_what_was_granted_and_can_be_extended_and_revoked() {
    each_backend(|store| async move {
        let user = fixture::user(&store, "ada").await;
        let other = fixture::user(&store, "ben").await;
        let package = store.package_insert(&package_spec("pro"), change("package.create")).await.unwrap();
        let insert = async |user: UserId, package| {
            let ends = Some(NOW.plus_ms(9));
            store.grant_insert(user, package, &package_spec("pro"), NOW, ends, change("grant.create")).await
        };
        let row = insert(user.id, Some(package.id)).await.unwrap();
        assert_eq!((row.user_id, row.package_id, row.version), (user.id, Some(package.id), 1));
        assert_eq!((row.starts_at, row.ends_at, row.disabled_at), (NOW, Some(NOW.plus_ms(9)), None));
        insert(other.id, None).await.unwrap();
        assert!(matches!(insert(UserId(77), None).await, Err(StoreError::NotFound)));
        assert!(matches!(insert(user.id, Some(PackageId(77))).await, Err(StoreError::NotFound)));
        assert_eq!(store.package_grants().await.unwrap().get(&package.id), Some(&1));

        let mut spec = package_spec("pro");
        spec.monthly_usd = Some(usd("50"));
        let update = async |version, disabled, at: i64| {
            let change = Change { at: NOW.plus_ms(at), ..change("grant.update") };
            store.grant_update(row.id, version, &spec, None, disabled, change).await
        };
        let revoked = update(1, true, 1).await.unwrap();
        assert_eq!((revoked.ends_at, revoked.disabled_at), (None, Some(NOW.plus_ms(1))));
        assert_eq!(update(2, true, 2).await.unwrap().disabled_at, Some(NOW.plus_ms(1)));
        assert!(store.package_grants().await.unwrap().is_empty());
        assert!(matches!(update(2, false, 3).await, Err(StoreError::StaleVersion)));
        let back = update(3, false, 3).await.unwrap();
        assert_eq!((back.disabled_at, &back.spec), (None, &spec));
        assert_eq!(store.grant_list(Some(user.id)).await.unwrap(), std::slice::from_ref(&back));
        assert_eq!(store.grant_fetch(row.id).await.unwrap(), back);
        assert_eq!(store.grant_list(None).await.unwrap().len(), 2);
        // A deleted user's grants pay for nobody.
        store.user_delete(other.id, change("user.delete")).await.unwrap();
        assert_eq!(store.config_load().await.unwrap().grants, [back]);
    })
    .await;
}
