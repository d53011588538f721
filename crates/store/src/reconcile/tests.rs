//! Tests of reconciliation: agreement after real work, every kind of damage found, and mended.

use ledger::{Batch, Position};
use types::request::{Attempt, RequestRecord};
use types::{ApiKeyId, CredentialId, GrantId, Money, ProviderId};

use super::*;
use crate::fixture::{self, NOW, change, record, refused};
use crate::testing::each_backend;

const EVERYTHING: ReconcileFilter = ReconcileFilter { user_id: None, since: None, until: None };

// Requests over some hours, with refusals, losses, unknown callers and a grant.
async fn book(store: &Store) {
    for name in ["ada", "ben"] {
        let user = fixture::user(store, name).await;
        fixture::key(store, user.id, name).await;
    }
    let mut rows: Vec<RequestRecord> = (0..150).map(record).collect();
    for (n, row) in rows.iter_mut().enumerate() {
        let pick = i64::try_from(n % 2).unwrap() + 1;
        (row.user_id, row.key_id) = (Some(UserId(pick)), Some(ApiKeyId(pick)));
        if n % 7 == 0 {
            let lost = Attempt {
                provider_id: ProviderId(9),
                credential_id: CredentialId(8),
                provider_cost_usd: Money::from_nano(50).unwrap(),
                ..row.attempts[0].clone()
            };
            row.attempts.insert(0, lost);
        }
        if n % 10 == 0 {
            (row.user_id, row.key_id, row.model) = (None, None, None);
        }
        if n % 3 == 0 {
            row.grant_id = Some(GrantId(1));
        }
    }
    rows.push(refused(150, 401, "invalid_credentials"));
    store.ledger_apply("node", &Batch::new(rows, Position::default())).await.unwrap();
}

fn subjects(found: &Reconciliation) -> Vec<&str> {
    found.differences.iter().map(|difference| difference.subject.as_str()).collect()
}

#[tokio::test]
async fn inv_16_rows_and_sums_agree_until_somebody_meddles_and_a_rebuild_mends_them() {
    each_backend(|store| async move {
        book(&store).await;
        let found = store.reconcile(&EVERYTHING).await.unwrap();
        assert_eq!((found.rows, found.differences.as_slice()), (151, [].as_slice()));
        assert!(found.compared > 12);
        for (meddling, expected) in [
            ("UPDATE usage_hour SET cost_nano = cost_nano + 1 WHERE user_id = 1", "user"),
            ("DELETE FROM usage_hour WHERE provider_id = 9", "provider"),
            ("UPDATE usage_hour SET credential_id = 77 WHERE credential_id = 4", "credential"),
            ("UPDATE usage_hour SET grant_id = 2 WHERE grant_id = 1", "package"),
            ("UPDATE usage_hour SET bucket = bucket + 3600000000", "hour"),
            ("UPDATE usage_hour SET key_id = 5 WHERE key_id = 1", "key"),
            ("UPDATE key_usage SET cost_nano = cost_nano + 1 WHERE key_id = 2", "counter"),
            ("DELETE FROM key_usage WHERE key_id = 1", "counter"),
            ("UPDATE usage_day SET cost_nano = cost_nano + 1 WHERE kind = 'all'", "day"),
            ("UPDATE usage_day SET name = 'other' WHERE kind = 'model' AND name = ''", "day"),
            ("DELETE FROM usage_day WHERE kind = 'credential' AND id = 8", "day"),
            ("UPDATE spend_minute SET amount_nano = amount_nano + 1 WHERE kind = 'all'", "minute"),
            ("UPDATE spend_minute SET minute = minute + 6000000000", "minute"),
            ("DELETE FROM spend_minute WHERE kind = 'credential' AND id = 8", "minute"),
            ("UPDATE spend_minute SET name = 'other' WHERE kind = 'group'", "minute"),
            ("DELETE FROM requests WHERE outcome = 'refused'", "hour"),
            ("UPDATE requests SET cost_nano = cost_nano + 5 WHERE cost_nano = 1001", "hour"),
        ] {
            assert!(store.pool.execute(meddling, args![]).await.unwrap() > 0, "{meddling}");
            let found = store.reconcile(&EVERYTHING).await.unwrap();
            assert!(subjects(&found).contains(&expected), "{meddling}: {found:?}");
            let mended = store.rebuild(&EVERYTHING, change("books.rebuild")).await.unwrap();
            assert!(mended.rebuilt);
            assert_eq!(mended.differences, found.differences);
            assert_eq!(store.reconcile(&EVERYTHING).await.unwrap().differences, [], "{meddling}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_rebuild_changes_nothing_where_all_agrees_and_leaves_other_users_alone() {
    each_backend(|store| async move {
        book(&store).await;
        let dump = async || {
            let sql = "SELECT * FROM usage_hour ORDER BY bucket, user_id, key_id, provider_id, credential_id, grant_id, model";
            let rows = store.pool.rows(sql, args![]).await.unwrap();
            rows.iter().map(|row| (row.time("bucket").unwrap(), totals(row).unwrap())).collect::<Vec<_>>()
        };
        let before = (dump().await, store.key_stats(&[ApiKeyId(1), ApiKeyId(2)]).await.unwrap());
        store.rebuild(&EVERYTHING, change("books.rebuild")).await.unwrap();
        let after = (dump().await, store.key_stats(&[ApiKeyId(1), ApiKeyId(2)]).await.unwrap());
        assert_eq!(before, after);

        store.pool.execute("UPDATE usage_hour SET refused = 3", args![]).await.unwrap();
        let one = ReconcileFilter { user_id: Some(UserId(1)), ..EVERYTHING };
        store.rebuild(&one, change("books.rebuild")).await.unwrap();
        assert_eq!(store.reconcile(&one).await.unwrap().differences, []);
        let other = ReconcileFilter { user_id: Some(UserId(2)), ..EVERYTHING };
        assert!(!store.reconcile(&other).await.unwrap().differences.is_empty());
    })
    .await;
}

#[tokio::test]
async fn spans_from_which_rows_were_pruned_are_left_out() {
    each_backend(|store| async move {
        book(&store).await;
        let before = NOW.plus_ms(45 * 60_000);
        assert!(store.request_prune(before, 10).await.unwrap() == 10);
        assert!(store.request_prune(before, 1_000).await.unwrap() > 10);
        // Pruning less than before does not bring anything back.
        store.request_prune(NOW.plus_ms(-Timestamp::DAY_MS), 10).await.unwrap();
        let found = store.reconcile(&EVERYTHING).await.unwrap();
        assert_eq!((found.differences.as_slice(), found.since), ([].as_slice(), next_hour(before)));
        assert!(found.rows > 50);
        let sums = store.usage_totals(Timestamp(0), Timestamp(i64::MAX), None).await.unwrap();
        store.rebuild(&EVERYTHING, change("books.rebuild")).await.unwrap();
        assert_eq!(store.usage_totals(Timestamp(0), Timestamp(i64::MAX), None).await.unwrap(), sums);
    })
    .await;
}
