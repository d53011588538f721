//! Tests of aliases.

use super::*;
use crate::fixture::{NOW, change};
use crate::testing::each_backend;

fn spec(name: &str, targets: &[&str]) -> AliasSpec {
    let targets = targets.iter().map(|&target| target.to_owned()).collect();
    AliasSpec { name: name.to_owned(), targets, enabled: true }
}

#[tokio::test]
async fn an_alias_is_changed_only_from_the_version_that_was_seen() {
    each_backend(|store| async move {
        let first = spec("fast", &["gpt-5-mini", "fast"]);
        let put =
            async |spec: &AliasSpec, version| store.alias_put(spec, version, change("alias.update")).await;
        assert!(matches!(put(&first, Some(3)).await, Err(StoreError::StaleVersion)));
        assert_eq!(store.alias_list().await.unwrap(), []);
        let row = put(&first, Some(0)).await.unwrap();
        assert_eq!(row, AliasRow { spec: first.clone(), updated_at: NOW, version: 1 });
        assert!(matches!(put(&first, Some(0)).await, Err(StoreError::StaleVersion)));
        let off = AliasSpec { enabled: false, ..spec("fast", &["other"]) };
        let row = put(&off, Some(1)).await.unwrap();
        assert_eq!((row.version, row.spec), (2, off.clone()));
        assert!(matches!(put(&first, Some(1)).await, Err(StoreError::StaleVersion)));
        assert_eq!(put(&off, None).await.unwrap().version, 3);
    })
    .await;
}

#[tokio::test]
async fn aliases_are_part_of_the_configuration_until_they_are_deleted() {
    each_backend(|store| async move {
        for name in ["b-*", "Z", "a"] {
            store.alias_put(&spec(name, &["m"]), None, change("alias.create")).await.unwrap();
        }
        assert_eq!(store.config_revision().await.unwrap(), 3);
        let loaded = store.config_load().await.unwrap().aliases;
        let names: Vec<_> = loaded.iter().map(|row| row.spec.name.as_str()).collect();
        // Both databases order by bytes.
        assert_eq!(names, ["Z", "a", "b-*"]);
        assert_eq!(store.alias_list().await.unwrap(), loaded);
        store.alias_delete("a", change("alias.delete")).await.unwrap();
        assert_eq!(store.config_revision().await.unwrap(), 4);
        assert_eq!(store.config_load().await.unwrap().aliases.len(), 2);
        let again = store.alias_delete("a", change("alias.delete")).await;
        assert!(matches!(again, Err(StoreError::NotFound)));
        assert_eq!(store.config_revision().await.unwrap(), 4);
    })
    .await;
}
