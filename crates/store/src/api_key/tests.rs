//! Tests of API keys.

use types::UserId;

use crate::StoreError;
use crate::fixture::{NOW, change, key, key_spec, user};
use crate::testing::each_backend;

#[tokio::test]
async fn ke_02_a_key_is_a_hash_and_a_prefix() {
    each_backend(|store| async move {
        let owner = user(&store, "ada").await;
        let made = key(&store, owner.id, "laptop").await;
        assert_eq!((made.spec.clone(), made.user_id), (key_spec("laptop"), owner.id));
        assert_eq!((made.hash.len(), made.prefix.as_str(), made.pepper_id.as_str()), (32, "sk-tg-ab", "p1"));
        assert_eq!(store.key_fetch(made.id).await.unwrap(), made);
        let twin = store
            .key_insert(owner.id, &key_spec("other"), "sk-tg-ab", &made.hash, "p1", change("key.create"))
            .await;
        assert!(matches!(twin, Err(StoreError::Conflict { field }) if field == "hash"));
        let orphan =
            store.key_insert(UserId(99), &key_spec("x"), "sk-tg-ab", b"h", "p1", change("key.create")).await;
        assert!(matches!(orphan, Err(StoreError::NotFound)));
    })
    .await;
}

#[tokio::test]
async fn keys_are_changed_deleted_and_restored() {
    each_backend(|store| async move {
        let owner = user(&store, "ada").await;
        let made = key(&store, owner.id, "laptop").await;
        let mut spec = key_spec("desktop");
        spec.expires_at = None;
        spec.enabled = false;
        let row = store.key_update(made.id, 1, &spec, change("key.update")).await.unwrap();
        assert_eq!((row.spec, row.version, row.hash), (spec.clone(), 2, made.hash));
        let stale = store.key_update(made.id, 1, &spec, change("key.update")).await;
        assert!(matches!(stale, Err(StoreError::StaleVersion)));
        let row = store.key_delete(made.id, change("key.delete")).await.unwrap();
        assert_eq!(row.deleted_at, Some(NOW));
        let deleted = store.key_update(made.id, 3, &spec, change("key.update")).await;
        assert!(matches!(deleted, Err(StoreError::NotFound)));
        assert!(store.key_list(false).await.unwrap().is_empty());
        store.key_restore(made.id, change("key.restore")).await.unwrap();
        store.key_delete(made.id, change("key.delete")).await.unwrap();
        store.user_delete(owner.id, change("user.delete")).await.unwrap();
        let restored = store.key_restore(made.id, change("key.restore")).await;
        assert!(matches!(restored, Err(StoreError::Conflict { field }) if field == "user_id"));
        assert_eq!(store.key_list(true).await.unwrap().len(), 1);
    })
    .await;
}
