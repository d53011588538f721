//! Tests of corrections: rows, sums and the trail change together, once.

use ledger::{Batch, Position};
use types::Timestamp;
use types::books::ReconcileFilter;
use types::usage::{UsageBy, UsageFilter};

use super::*;
use crate::fixture::{bill, change, record};
use crate::testing::each_backend;

fn nano(amount: i64) -> Money {
    Money::from_nano(amount).unwrap()
}

fn correction(n: u64, cost: i64) -> Correction {
    Correction {
        request_id: record(n).request_id,
        cost_usd: nano(cost),
        base_cost_usd: nano(2),
        provider_cost_usd: nano(1),
        price_state: PriceState::Priced,
        bill: Some(Box::new(bill())),
    }
}

async fn book(store: &Store, rows: Vec<RequestRecord>) {
    store.ledger_apply("node", &Batch::new(rows, Position::default())).await.unwrap();
}

fn unpriced(n: u64) -> RequestRecord {
    RequestRecord {
        cost_usd: Money::ZERO,
        base_cost_usd: Money::ZERO,
        provider_cost_usd: Money::ZERO,
        price_state: PriceState::Unpriced,
        bill: None,
        ..record(n)
    }
}

#[tokio::test]
async fn pk_a_correction_changes_rows_and_sums_together_and_only_once() {
    each_backend(|store| async move {
        book(&store, vec![record(1), record(2), unpriced(3), record(200)]).await;
        let id = store.adjustment_begin("wrong price", change("price.reprice")).await.unwrap();
        let list = vec![correction(1, 5), correction(3, 7), correction(200, 9_000), correction(99, 1)];
        let done = store.adjustment_apply(id, list.clone()).await.unwrap();
        let (before, after) = (nano(1_001 + 1_200), nano(5 + 7 + 9_000));
        assert_eq!(done, Corrected { changed: 3, before_usd: before, after_usd: after });
        let again = store.adjustment_apply(id, list).await.unwrap();
        assert_eq!(again, Corrected::default());

        let totals = store.usage_totals(Timestamp(0), Timestamp(i64::MAX), None).await.unwrap();
        assert_eq!((totals.requests, totals.unpriced), (4, 0));
        assert_eq!(totals.cost_usd, nano(5 + 1_002 + 7 + 9_000));
        assert_eq!((totals.base_cost_usd, totals.provider_cost_usd), (nano(900 + 6), nano(800 + 3)));
        let stats = store.key_stats(&[types::ApiKeyId(2)]).await.unwrap();
        assert_eq!(stats.values().next().unwrap().cost_usd, totals.cost_usd);
        let row = store.request_fetch(&record(3).request_id.to_string()).await.unwrap().unwrap().record;
        assert_eq!((row.price_state, row.cost_usd), (PriceState::Priced, nano(7)));
        assert_eq!(row.bill, Some(Box::new(bill())));
        let hours = UsageFilter { by: Some(UsageBy::Hour), ..UsageFilter::default() };
        let latest = store.usage_by(&hours).await.unwrap().pop().unwrap();
        assert_eq!(latest.totals.cost_usd, nano(9_000));

        let agreed = store.reconcile(&ReconcileFilter::default()).await.unwrap();
        assert_eq!(agreed.differences, []);

        let listed = store.adjustment_list().await.unwrap();
        assert_eq!((listed.len(), listed[0].rows, listed[0].reason.as_str()), (1, 3, "wrong price"));
        assert_eq!((listed[0].before_usd, listed[0].after_usd), (before, after));
        let sql = "SELECT * FROM adjustment_rows WHERE request_id = $1";
        let kept = store.pool.row(sql, args![record(3).request_id.to_string()]).await.unwrap();
        assert_eq!(kept.text("state_before").unwrap(), "unpriced");
        assert_eq!((kept.int("cost_before").unwrap(), kept.int("cost_after").unwrap()), (0, 7));
        let unknown = store.adjustment_apply(id + 1, vec![]).await;
        assert!(matches!(unknown, Err(StoreError::NotFound)));
    })
    .await;
}

#[tokio::test]
async fn a_correction_that_fails_in_the_middle_changes_nothing() {
    each_backend(|store| async move {
        book(&store, vec![record(1), record(2)]).await;
        // The sum of the second row's hour is gone wrong: taking its cost out would make it negative.
        let sql = "UPDATE usage_hour SET cost_nano = 1";
        store.pool.execute(sql, args![]).await.unwrap();
        let id = store.adjustment_begin("wrong price", change("price.reprice")).await.unwrap();
        store.adjustment_apply(id, vec![correction(1, 0), correction(2, 0)]).await.unwrap_err();
        for n in [1, 2] {
            let row = store.request_fetch(&record(n).request_id.to_string()).await.unwrap().unwrap();
            assert_eq!(row.record, record(n));
        }
        assert_eq!(store.adjustment_list().await.unwrap()[0].rows, 0);
    })
    .await;
}

#[tokio::test]
async fn pages_to_reprice_hold_what_was_asked_for_in_order_and_with_bills() {
    each_backend(|store| async move {
        let renamed = RequestRecord { model: Some("alias".to_owned()), ..record(4) };
        let free = RequestRecord { price_state: PriceState::None, ..record(5) };
        book(&store, vec![unpriced(3), record(1), record(2), renamed, free]).await;
        let ids = async |which: &Reprice, after, limit| {
            let rows = store.reprice_page(which, after, limit).await.unwrap();
            rows.iter().map(|row| row.request_id).collect::<Vec<_>>()
        };
        let id = |n| record(n).request_id;
        let all = Reprice::default();
        assert_eq!(ids(&all, None, 3).await, [id(1), id(2), id(3)]);
        assert_eq!(ids(&all, Some(id(3)), 3).await, [id(4)]);
        let some = Reprice { unpriced_only: true, ..Reprice::default() };
        assert_eq!(ids(&some, None, 9).await, [id(3)]);
        let model = |model: &str| Reprice { model: Some(model.to_owned()), ..Reprice::default() };
        assert_eq!(ids(&model("alias"), None, 9).await, [id(4)]);
        assert_eq!(ids(&model("claude-sonnet-4-5"), None, 9).await.len(), 4);
        let since = Some(record(2).created_at);
        let span = Reprice { since, until: Some(record(4).created_at), ..Reprice::default() };
        assert_eq!(ids(&span, None, 9).await, [id(2), id(3)]);
        let rows = store.reprice_page(&all, None, 1).await.unwrap();
        assert_eq!(rows[0], RequestRecord { decision: None, ..record(1) });
    })
    .await;
}
