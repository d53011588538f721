//! Tests of groups.

use super::*;
use crate::fixture::{NOW, change, limits};
use crate::testing::each_backend;

#[tokio::test]
async fn a_group_is_made_once_and_changed_only_from_the_version_that_was_seen() {
    each_backend(|store| async move {
        let spec = GroupSpec {
            price_rate: "1.5".parse().unwrap(),
            limits: limits(),
            strategy: Some(Strategy::LeastLoaded),
        };
        let put = async |version| store.group_put("team-a", &spec, version, change("group.update")).await;
        assert!(matches!(put(Some(4)).await, Err(StoreError::StaleVersion)));
        assert_eq!(store.group_fetch("team-a").await.unwrap(), None);
        let row = put(Some(0)).await.unwrap();
        assert_eq!((row.version, &row.spec, row.updated_at, row.usage_reset_at), (1, &spec, NOW, None));
        assert!(matches!(put(Some(0)).await, Err(StoreError::StaleVersion)));
        let again = put(Some(1)).await.unwrap();
        assert_eq!((again.id, again.version), (row.id, 2));
        assert_eq!(put(None).await.unwrap().version, 3);
        assert_eq!(store.group_list().await.unwrap(), store.config_load().await.unwrap().groups);
        assert_eq!(store.group_list().await.unwrap().len(), 1);
    })
    .await;
}
