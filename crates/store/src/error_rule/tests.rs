//! Tests of error rules.

use types::audit::AuditFilter;
use types::routing::FailureClass;

use super::*;
use crate::fixture::{NOW, change};
use crate::testing::each_backend;

fn spec(name: &str, priority: i32) -> ErrorRuleSpec {
    ErrorRuleSpec {
        name: name.to_owned(),
        enabled: true,
        priority,
        status: Some(403),
        kind: Some("permission_error".to_owned()),
        contains: Some("Region'; --".to_owned()),
        class: FailureClass::NotFound,
        cooldown_s: Some(86_400),
        answer_status: Some(503),
        answer_message: Some("Not from here.".to_owned()),
    }
}

async fn add(store: &Store, spec: &ErrorRuleSpec) -> Result<ErrorRuleRow, StoreError> {
    store.error_rule_insert(spec, change("error_rule.create")).await
}

#[tokio::test]
async fn a_rule_comes_back_unchanged_whether_full_or_bare() {
    each_backend(|store| async move {
        let bare = ErrorRuleSpec {
            enabled: false,
            status: None,
            kind: None,
            contains: None,
            cooldown_s: None,
            answer_status: None,
            answer_message: None,
            ..spec("bare", i32::MIN)
        };
        for spec in [spec("full", 5), bare] {
            let row = add(&store, &spec).await.unwrap();
            assert_eq!((&row.spec, row.updated_at, row.version), (&spec, NOW, 1));
            assert_eq!(store.error_rule_fetch(row.id).await.unwrap(), row);
            let audit = store.audit_list(&AuditFilter::default()).await.unwrap();
            assert_eq!(audit.items[0].object_id, row.id.to_string());
        }
        let missing = store.error_rule_fetch(ErrorRuleId(99)).await;
        assert!(matches!(missing, Err(StoreError::NotFound)));
    })
    .await;
}

#[tokio::test]
async fn rules_are_listed_in_the_order_in_which_they_are_looked_at() {
    each_backend(|store| async move {
        for (name, priority) in [("third", 7), ("fourth", 7), ("first", -2), ("second", 0)] {
            add(&store, &spec(name, priority)).await.unwrap();
        }
        let listed = store.error_rule_list().await.unwrap();
        let names: Vec<_> = listed.iter().map(|row| row.spec.name.as_str()).collect();
        assert_eq!(names, ["first", "second", "third", "fourth"]);
        assert_eq!(store.config_load().await.unwrap().error_rules, listed);
    })
    .await;
}

#[tokio::test]
async fn a_rule_is_changed_only_from_the_version_that_was_seen() {
    each_backend(|store| async move {
        let one = add(&store, &spec("one", 0)).await.unwrap();
        add(&store, &spec("two", 0)).await.unwrap();
        let revision = store.config_revision().await.unwrap();
        let update = async |id, version, name: &str| {
            store.error_rule_update(id, version, &spec(name, 9), change("error_rule.update")).await
        };
        let row = update(one.id, 1, "uno").await.unwrap();
        assert_eq!((row.version, &row.spec), (2, &spec("uno", 9)));
        assert!(matches!(update(one.id, 1, "late").await, Err(StoreError::StaleVersion)));
        assert!(matches!(update(ErrorRuleId(99), 1, "x").await, Err(StoreError::NotFound)));
        let taken = update(one.id, 2, "two").await;
        assert!(matches!(taken, Err(StoreError::Conflict { field }) if field == "name"));
        assert_eq!(store.error_rule_fetch(one.id).await.unwrap(), row);
        assert_eq!(store.config_revision().await.unwrap(), revision + 1);

        store.error_rule_delete(one.id, change("error_rule.delete")).await.unwrap();
        assert_eq!(store.error_rule_list().await.unwrap().len(), 1);
        let again = store.error_rule_delete(one.id, change("error_rule.delete")).await;
        assert!(matches!(again, Err(StoreError::NotFound)));
    })
    .await;
}
