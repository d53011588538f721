//! Tests of the request log's read side.

use ledger::{Batch, Position};
use types::request::{Outcome, RequestFilter, RequestRecord};
use types::{CredentialId, UserId};

use crate::fixture::{self, NOW, record, refused};
use crate::request::conditions;
use crate::testing::each_backend;
use crate::{Store, StoreError};

async fn book(store: &Store, rows: Vec<RequestRecord>) {
    store.ledger_apply("node", &Batch::new(rows, Position::default())).await.unwrap();
}

fn status(text: &str) -> RequestFilter {
    RequestFilter { status: Some(text.to_owned()), ..RequestFilter::default() }
}

#[tokio::test]
async fn a_request_comes_back_whole_with_names_and_only_alone_with_decision_and_bill() {
    each_backend(|store| async move {
        let owner = fixture::user(&store, "ada").await;
        let key = fixture::key(&store, owner.id, "laptop").await;
        let upstream = fixture::provider(&store, "upstream").await;
        let stored = RequestRecord {
            user_id: Some(owner.id),
            key_id: Some(key.id),
            provider_id: Some(upstream.id),
            client_request_id: Some("mine".to_owned()),
            idempotency_key: Some("a0:b1".to_owned()),
            ..record(1)
        };
        book(&store, vec![stored.clone(), refused(2, 401, "missing_authorization")]).await;
        let row = store.request_fetch(&stored.request_id.to_string()).await.unwrap().unwrap();
        assert_eq!(row.record, stored);
        assert_eq!(row.user_name.as_deref(), Some("ada"));
        assert_eq!(row.key_name.as_deref(), Some("laptop"));
        assert_eq!(row.provider_name.as_deref(), Some("upstream"));
        let page = store.request_list(&RequestFilter::default()).await.unwrap();
        assert_eq!(page.items.len(), 2);
        let listed = RequestRecord { decision: None, bill: None, ..stored };
        assert_eq!(page.items[1].record, listed);
        assert_eq!(page.items[0].provider_name, None);
        // A deleted user keeps its name in the log.
        store.user_delete(owner.id, fixture::change("user.delete")).await.unwrap();
        let row = store.request_fetch("mine").await.unwrap().unwrap();
        assert_eq!(row.user_name.as_deref(), Some("ada"));
        assert_eq!(store.request_fetch("nobody's").await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn the_callers_own_id_finds_the_newest_and_never_another_users() {
    each_backend(|store| async move {
        let named = |n, user| RequestRecord {
            client_request_id: Some("same".to_owned()),
            user_id: Some(UserId(user)),
            ..record(n)
        };
        book(&store, vec![named(1, 1), named(2, 1), named(3, 2)]).await;
        let newest = store.request_fetch("same").await.unwrap().unwrap();
        assert_eq!(newest.record.request_id, record(3).request_id);
        let own = store.request_fetch_of(UserId(1), "same").await.unwrap().unwrap();
        assert_eq!(own.record.request_id, record(2).request_id);
        let id = record(3).request_id.to_string();
        assert_eq!(store.request_fetch_of(UserId(1), &id).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn pages_follow_each_other_without_gap_or_double_while_rows_arrive() {
    each_backend(|store| async move {
        book(&store, (0..7).map(record).collect()).await;
        let mut filter = RequestFilter { limit: Some(3), ..RequestFilter::default() };
        let mut seen = Vec::new();
        for turn in 0..3 {
            let page = store.request_list(&filter).await.unwrap();
            seen.extend(page.items.iter().map(|row| row.record.input_tokens - 10));
            assert_eq!(page.next.is_none(), turn == 2);
            filter.cursor = page.next;
            book(&store, vec![record(100 + turn)]).await;
        }
        assert_eq!(seen, [6, 5, 4, 3, 2, 1, 0]);
        filter.cursor = Some("' OR 1=1 --".to_owned());
        let bad = store.request_list(&filter).await;
        assert!(matches!(bad, Err(StoreError::Filter { field: "cursor" })));
    })
    .await;
}

#[tokio::test]
async fn every_form_of_status_selects_what_it_says() {
    each_backend(|store| async move {
        let failed = RequestRecord { outcome: Outcome::Failed, status_code: 502, ..record(3) };
        let gone = RequestRecord { outcome: Outcome::ClientGone, status_code: 499, ..record(4) };
        let rows = vec![record(0), refused(1, 429, "slow_down"), refused(2, 503, "overloaded"), failed, gone];
        book(&store, rows).await;
        for (text, expected) in [
            ("ok", vec![0]),
            ("error", vec![3, 2]),
            ("refused", vec![2, 1]),
            ("client_gone", vec![4]),
            ("429", vec![1]),
            ("4xx", vec![4, 1]),
            ("5xx", vec![3, 2]),
            ("2xx", vec![0]),
            ("418", vec![]),
        ] {
            let page = store.request_list(&status(text)).await.unwrap();
            let found: Vec<_> = page.items.iter().map(|row| row.record.input_tokens - 10).collect();
            assert_eq!(found, expected, "{text}");
        }
        for text in ["0xx", "xx", "-1", "teapot", "1 OR 1=1", ""] {
            let bad = store.request_list(&status(text)).await;
            assert!(matches!(bad, Err(StoreError::Filter { field: "status" })), "{text}");
        }
    })
    .await;
}

#[tokio::test]
async fn filters_narrow_the_list_together() {
    each_backend(|store| async move {
        let mut rows: Vec<_> = (0..6).map(record).collect();
        rows[1].credential_id = Some(CredentialId(77));
        rows[2].model = Some("it's \"quoted\"; --".to_owned());
        rows[3].session_id = Some("other".to_owned());
        rows[4].error_code = Some("upstream_error".to_owned());
        rows[5].user_id = None;
        book(&store, rows).await;
        let all = RequestFilter::default;
        for (filter, expected) in [
            (RequestFilter { credential_id: Some(CredentialId(77)), ..all() }, vec![1]),
            (RequestFilter { model: Some("it's \"quoted\"; --".to_owned()), ..all() }, vec![2]),
            (RequestFilter { session_id: Some("other".to_owned()), ..all() }, vec![3]),
            (RequestFilter { error_code: Some("upstream_error".to_owned()), ..all() }, vec![4]),
            (RequestFilter { user_id: Some(UserId(1)), ..all() }, vec![4, 3, 2, 1, 0]),
            (
                RequestFilter {
                    since: Some(NOW.plus_ms(60_000)),
                    until: Some(NOW.plus_ms(180_000)),
                    key_id: Some(types::ApiKeyId(2)),
                    provider_id: Some(types::ProviderId(3)),
                    ..all()
                },
                vec![2, 1],
            ),
            (RequestFilter { model: Some("%".to_owned()), ..all() }, vec![]),
        ] {
            let page = store.request_list(&filter).await.unwrap();
            let found: Vec<_> = page.items.iter().map(|row| row.record.input_tokens - 10).collect();
            assert_eq!(found, expected, "{filter:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn pruning_takes_the_oldest_with_their_decisions_and_leaves_the_sums() {
    each_backend(|store| async move {
        book(&store, (0..5).map(record).collect()).await;
        let before = NOW.plus_ms(3 * 60_000);
        assert_eq!(store.request_prune(before, 2).await.unwrap(), 2);
        assert_eq!(store.request_prune(before, 2).await.unwrap(), 1);
        assert_eq!(store.request_prune(before, 2).await.unwrap(), 0);
        let page = store.request_list(&RequestFilter::default()).await.unwrap();
        assert_eq!(page.items.len(), 2);
        let left = store.pool.rows("SELECT id FROM request_decision", crate::sql::args![]).await.unwrap();
        assert_eq!(left.len(), 2);
        let sums = store.usage_totals(NOW, NOW.plus_ms(3_600_000), None).await.unwrap();
        assert_eq!(sums.requests, 5);
    })
    .await;
}

#[tokio::test]
async fn the_lists_that_people_open_follow_an_index_and_sort_nothing() {
    let home = crate::testing::sqlite().await;
    let all = RequestFilter::default;
    for (filter, index) in [
        (RequestFilter { user_id: Some(UserId(1)), ..all() }, "requests_user"),
        (RequestFilter { key_id: Some(types::ApiKeyId(1)), ..all() }, "requests_key"),
        (RequestFilter { provider_id: Some(types::ProviderId(1)), ..all() }, "requests_provider"),
        (status("error"), "requests_errors"),
        (all(), "sqlite_autoindex_requests_1"),
    ] {
        let (sql, args) = conditions(&filter).unwrap().build(
            concat!("EXPLAIN QUERY PLAN ", select_rows!("", "")),
            " ORDER BY r.id DESC LIMIT ?",
            51_i64,
        );
        let rows = home.store().pool.rows(sql, args).await.unwrap();
        let plan: Vec<_> = rows.iter().map(|row| row.text("detail").unwrap()).collect();
        assert!(plan[0].contains(index), "{filter:?}: {plan:?}");
        assert!(!plan.iter().any(|step| step.contains("TEMP B-TREE")), "{filter:?}: {plan:?}");
    }
}
