//! Tests of settings and of the small tables beside the configuration: audit log, meta, sessions, leases.

use types::UserId;
use types::audit::AuditFilter;

use crate::StoreError;
use crate::fixture::{NOW, change};
use crate::testing::each_backend;

#[tokio::test]
async fn settings_are_put_replaced_and_reset() {
    each_backend(|store| async move {
        store.setting_put("log.level", "info", change("setting.update")).await.unwrap();
        let row = store.setting_put("log.level", "debug", change("setting.update")).await.unwrap();
        assert_eq!((row.value.as_str(), row.updated_by.as_str(), row.updated_at), ("debug", "admin", NOW));
        assert_eq!(store.setting_list().await.unwrap(), std::slice::from_ref(&row));
        let rows = store.config_load().await.unwrap();
        assert_eq!((rows.settings, rows.revision), (vec![row], 2));
        store.setting_reset("log.level", change("setting.reset")).await.unwrap();
        assert!(store.setting_list().await.unwrap().is_empty());
        let again = store.setting_reset("log.level", change("setting.reset")).await;
        assert!(matches!(again, Err(StoreError::NotFound)));
        assert_eq!(store.config_revision().await.unwrap(), 3);
    })
    .await;
}

#[tokio::test]
async fn the_audit_log_is_paged_filtered_and_pruned() {
    each_backend(|store| async move {
        for n in 0..5 {
            let mut change = change(if n % 2 == 0 { "key.create" } else { "sign_in.failed" });
            change.at = NOW.plus_ms(n);
            change.object_id = n.to_string();
            store.audit_append(change).await.unwrap();
        }
        assert_eq!(store.config_revision().await.unwrap(), 0);
        let mut filter = AuditFilter { limit: Some(2), ..AuditFilter::default() };
        let mut seen = Vec::new();
        loop {
            let page = store.audit_list(&filter).await.unwrap();
            seen.extend(page.items.iter().map(|row| row.at.0 - NOW.0));
            filter.cursor = page.next;
            if filter.cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, [4, 3, 2, 1, 0]);

        let count = async |filter: AuditFilter| store.audit_list(&filter).await.unwrap().items.len();
        let action = |text: &str| AuditFilter { action: Some(text.to_owned()), ..AuditFilter::default() };
        assert_eq!(count(action("key.")).await, 3);
        // Neither wildcards nor case make an action match.
        assert_eq!(
            count(action("sign%")).await + count(action("sign.in")).await + count(action("KEY")).await,
            0
        );
        assert_eq!(count(action("sign_in")).await, 2);
        let object = Some("key".to_owned());
        let object_id = Some("2".to_owned());
        assert_eq!(count(AuditFilter { object, object_id, ..AuditFilter::default() }).await, 1);
        let bad = AuditFilter { cursor: Some("x' OR 1=1".to_owned()), ..AuditFilter::default() };
        assert!(matches!(store.audit_list(&bad).await, Err(StoreError::Filter { field: "cursor" })));
        assert_eq!(store.audit_prune(NOW.plus_ms(3)).await.unwrap(), 3);
        assert_eq!(count(AuditFilter::default()).await, 2);
    })
    .await;
}

#[tokio::test]
async fn the_first_value_of_a_meta_entry_stays_until_it_is_replaced_knowingly() {
    each_backend(|store| async move {
        assert_eq!(store.meta_get("canary").await.unwrap(), None);
        assert_eq!(store.meta_put_if_absent("canary", "a").await.unwrap(), "a");
        assert_eq!(store.meta_put_if_absent("canary", "b").await.unwrap(), "a");
        assert!(!store.meta_replace("canary", "b", "c").await.unwrap());
        assert!(store.meta_replace("canary", "a", "c").await.unwrap());
        assert_eq!(store.meta_get("canary").await.unwrap().as_deref(), Some("c"));
    })
    .await;
}

#[tokio::test]
async fn sessions_end_by_time_by_hand_and_with_their_user() {
    each_backend(|store| async move {
        let soon = NOW.plus_ms(10);
        store.session_save(b"one", Some(UserId(1)), "{}", soon).await.unwrap();
        store.session_save(b"one", Some(UserId(1)), "{\"a\":1}", soon).await.unwrap();
        store.session_save(b"two", None, "{}", soon).await.unwrap();
        store.session_save(b"three", None, "{}", NOW).await.unwrap();
        assert_eq!(store.session_load(b"one", NOW).await.unwrap().as_deref(), Some("{\"a\":1}"));
        assert_eq!(store.session_load(b"one", soon).await.unwrap(), None);
        assert_eq!(store.session_load(b"three", NOW).await.unwrap(), None);
        assert_eq!(store.session_prune(NOW).await.unwrap(), 1);
        assert_eq!(store.session_delete_for_user(UserId(1)).await.unwrap(), 1);
        assert_eq!(store.session_load(b"one", NOW).await.unwrap(), None);
        store.session_delete(b"two").await.unwrap();
        store.session_delete(b"two").await.unwrap();
        assert_eq!(store.session_load(b"two", NOW).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn a_lease_has_one_holder_until_it_ends() {
    each_backend(|store| async move {
        let until = NOW.plus_ms(100);
        assert!(store.lease_take("prune", "a", until, NOW).await.unwrap());
        assert!(!store.lease_take("prune", "b", until, NOW).await.unwrap());
        assert!(store.lease_take("prune", "a", until.plus_ms(100), NOW).await.unwrap());
        assert!(!store.lease_take("prune", "b", until, until).await.unwrap());
        assert!(store.lease_take("other", "b", until, NOW).await.unwrap());
        let later = until.plus_ms(100);
        assert!(store.lease_take("prune", "b", later.plus_ms(1), later).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn the_store_says_what_it_is_and_that_it_lives() {
    each_backend(|store| async move {
        let backend = store.backend();
        assert!(backend == "sqlite 3.51.3" || backend.starts_with("postgres "), "{backend}");
        store.ping().await.unwrap();
        let (used, max) = store.pool_state();
        assert!(used <= max && max >= 4);
        store.close().await;
        assert!(matches!(store.ping().await, Err(StoreError::Unavailable(_))));
    })
    .await;
}
