//! Tests of users.

use types::Patch;

use crate::StoreError;
use crate::fixture::{NOW, change, key, user, user_spec};
use crate::testing::each_backend;

#[tokio::test]
async fn users_are_stored_found_by_name_and_changed() {
    each_backend(|store| async move {
        let hash = Some("$argon2id$v=19$x".to_owned());
        let made = store.user_insert(&user_spec("ada"), hash.clone(), change("user.create")).await.unwrap();
        assert_eq!((made.spec.clone(), made.password_hash.clone()), (user_spec("ada"), hash.clone()));
        assert_eq!(store.user_fetch(made.id).await.unwrap(), made);
        assert_eq!(store.user_fetch_by_name("ada").await.unwrap(), Some(made.clone()));
        assert_eq!(store.user_fetch_by_name("ADA").await.unwrap(), None);

        let mut spec = user_spec("ada");
        spec.expires_at = Some(NOW);
        let row = store.user_update(made.id, 1, &spec, Patch::Keep, change("user.update")).await.unwrap();
        assert_eq!((row.password_hash, row.spec.expires_at), (hash, Some(NOW)));
        let row = store.user_update(made.id, 2, &spec, Patch::Clear, change("user.update")).await.unwrap();
        assert_eq!(row.password_hash, None);
        let set = Patch::Set("$argon2id$v=19$y".to_owned());
        let row = store.user_update(made.id, 3, &spec, set, change("user.update")).await.unwrap();
        assert_eq!(row.password_hash.as_deref(), Some("$argon2id$v=19$y"));
        let stale = store.user_update(made.id, 3, &spec, Patch::Keep, change("user.update")).await;
        assert!(matches!(stale, Err(StoreError::StaleVersion)));
    })
    .await;
}

#[tokio::test]
async fn deleting_a_user_hides_his_keys_and_frees_his_name() {
    each_backend(|store| async move {
        let old = user(&store, "ada").await;
        let key = key(&store, old.id, "laptop").await;
        store.user_delete(old.id, change("user.delete")).await.unwrap();
        assert!(store.key_list(false).await.unwrap().is_empty());
        assert_eq!(store.user_fetch_by_name("ada").await.unwrap(), None);
        assert!(store.config_load().await.unwrap().keys.is_empty());
        let new = user(&store, "ada").await;
        let restored = store.user_restore(old.id, change("user.restore")).await;
        assert!(matches!(restored, Err(StoreError::Conflict { field }) if field == "name"));
        store.user_delete(new.id, change("user.delete")).await.unwrap();
        store.user_restore(old.id, change("user.restore")).await.unwrap();
        assert_eq!(store.key_list(false).await.unwrap(), [key]);
        assert_eq!(store.user_list(false).await.unwrap().len(), 1);
        assert_eq!(store.user_list(true).await.unwrap().len(), 2);
    })
    .await;
}
