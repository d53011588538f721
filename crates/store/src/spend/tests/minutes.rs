//! Tests of the minutes that are kept: always what adding up the requests comes to, and never many.

use types::books::ReconcileFilter;
use types::price::PriceState;

use super::*;
use crate::Correction;

const EVERYTHING: ReconcileFilter = ReconcileFilter { user_id: None, since: None, until: None };

fn batch(rows: Vec<RequestRecord>) -> Batch {
    Batch::new(rows, Position::default())
}

// Whatever is asked for, loading with minutes and without comes to the same, and the books' own check agrees.
async fn agrees(store: &Store, when: &str) {
    for hours in [0, 1, 25, 60, 24 * 20] {
        let minutes_since = NOW.plus_ms(-hours * Timestamp::HOUR_MS - 1_234);
        let from = SpendFrom { minutes_since, ..windows() };
        let loaded = store.spend_load(from).await.unwrap();
        assert_eq!(loaded, load_from_rows(store, from).await, "{when}, {hours} hours");
        assert!(!loaded.is_empty());
    }
    assert_eq!(store.reconcile(&EVERYTHING).await.unwrap().differences, [], "{when}");
}

async fn whole_since(store: &Store) -> Timestamp {
    let text = store.meta_get("spend_minutes_since").await.unwrap();
    Timestamp(text.map_or(0, |text| text.parse().unwrap()))
}

async fn count(store: &Store, condition: &'static str) -> i64 {
    let sql = format!("SELECT COUNT(*) AS n FROM spend_minute WHERE {condition}");
    store.pool.row(crate::sql::Sql::built(sql), args![]).await.unwrap().int("n").unwrap()
}

#[tokio::test]
async fn inv_16_minutes_are_those_of_the_requests_in_whatever_order_they_came() {
    each_backend(|store| async move {
        configure(&store).await;
        let rows = rows();
        // Late ones, early ones, the same ones again.
        let pick =
            |step: usize, from: usize| rows.iter().skip(from).step_by(step).cloned().collect::<Vec<_>>();
        for (step, from) in [(7, 3), (2, 0), (1, 390), (5, 1), (1, 0), (3, 2)] {
            store.ledger_apply("node", &batch(pick(step, from))).await.unwrap();
            agrees(&store, &format!("every {step} from {from}")).await;
        }
        assert!(count(&store, "kind = 'all'").await > 30);
    })
    .await;
}

#[tokio::test]
async fn minutes_are_kept_for_a_day_and_a_little() {
    each_backend(|store| async move {
        configure(&store).await;
        let mut rows = rows();
        rows.reverse();
        for rows in rows.chunks(9) {
            store.ledger_apply("node", &batch(rows.to_vec())).await.unwrap();
            let newest = rows.last().unwrap().created_at;
            let since = whole_since(&store).await;
            assert!(since <= newest.plus_ms(-25 * Timestamp::HOUR_MS), "a day is missing");
            assert!(since >= newest.plus_ms(-28 * Timestamp::HOUR_MS) || since == Timestamp::default());
            let oldest = store.pool.row("SELECT MIN(minute) AS m FROM spend_minute", args![]).await.unwrap();
            assert!(oldest.time("m").unwrap() >= since);
        }
        agrees(&store, "in order").await;
    })
    .await;
}

#[tokio::test]
async fn corrections_reach_the_minutes_and_leave_those_alone_that_are_gone() {
    each_backend(|store| async move {
        configure(&store).await;
        let rows = rows();
        store.ledger_apply("node", &batch(rows.clone())).await.unwrap();
        let id = store.adjustment_begin("a test", change("price.reprice")).await.unwrap();
        let since = whole_since(&store).await;
        let mut older = 0;
        let corrections = rows.iter().step_by(3).map(|row| {
            older += i32::from(row.created_at < since);
            let up = row.input_tokens % 2 == 0;
            Correction {
                request_id: row.request_id,
                cost_usd: if up { row.cost_usd.plus(row.cost_usd) } else { Money::ZERO },
                base_cost_usd: row.base_cost_usd,
                provider_cost_usd: if up { Money::from_nano(1).unwrap() } else { row.cost_usd },
                price_state: PriceState::Priced,
                bill: None,
            }
        });
        let corrections: Vec<_> = corrections.collect();
        assert!(older > 10 && corrections.len() - usize::try_from(older).unwrap() > 10);
        store.adjustment_apply(id, corrections.clone()).await.unwrap();
        agrees(&store, "corrected").await;
        store.adjustment_apply(id, corrections).await.unwrap();
        agrees(&store, "corrected again").await;
    })
    .await;
}

#[tokio::test]
async fn a_clock_that_was_ahead_makes_a_start_slow_but_never_wrong_until_it_is_mended() {
    each_backend(|store| async move {
        configure(&store).await;
        let rows = rows();
        let (early, late) = rows.split_at(200);
        store.ledger_apply("node", &batch(late.to_vec())).await.unwrap();
        let mut ahead = at(record(9_000), NOW.plus_ms(90 * Timestamp::DAY_MS));
        ahead.user_id = Some(UserId(1));
        store.ledger_apply("node", &batch(vec![ahead.clone()])).await.unwrap();
        agrees(&store, "ahead").await;
        store.ledger_apply("node", &batch(early.to_vec())).await.unwrap();
        agrees(&store, "set right").await;
        assert_eq!(count(&store, "TRUE").await, count(&store, "minute > 1800000000000").await);
        // As long as that request is there, a rebuild keeps what is newest …
        store.rebuild(&EVERYTHING, change("books.rebuild")).await.unwrap();
        agrees(&store, "rebuilt with it").await;
        // … and once it is gone, what it should have kept all the time.
        let gone = "DELETE FROM requests WHERE created_at > $1";
        store.pool.execute(gone, args![NOW]).await.unwrap();
        store.rebuild(&EVERYTHING, change("books.rebuild")).await.unwrap();
        agrees(&store, "rebuilt without it").await;
        assert!(count(&store, "kind = 'all' AND minute < 1800000000000").await > 30);
    })
    .await;
}

#[tokio::test]
async fn a_rebuild_of_some_days_mends_their_minutes_and_no_others() {
    each_backend(|store| async move {
        configure(&store).await;
        store.ledger_apply("node", &batch(rows())).await.unwrap();
        let hours = |n: i64| Some(NOW.plus_ms(n * Timestamp::HOUR_MS).hour_start());
        store.pool.execute("UPDATE spend_minute SET amount_nano = amount_nano + 1", args![]).await.unwrap();
        let part = ReconcileFilter { since: hours(-9), until: hours(-4), ..EVERYTHING };
        assert!(!store.rebuild(&part, change("books.rebuild")).await.unwrap().differences.is_empty());
        assert_eq!(store.reconcile(&part).await.unwrap().differences, []);
        for (since, until) in [(hours(-12), hours(-9)), (hours(-4), None)] {
            let other = ReconcileFilter { since, until, ..EVERYTHING };
            let found = store.reconcile(&other).await.unwrap().differences;
            assert!(found.iter().any(|difference| difference.subject == "minute"), "{found:?}");
        }
        store.rebuild(&EVERYTHING, change("books.rebuild")).await.unwrap();
        agrees(&store, "rebuilt").await;
    })
    .await;
}

#[tokio::test]
async fn minutes_outlive_the_requests_that_are_pruned_early() {
    each_backend(|store| async move {
        configure(&store).await;
        store.ledger_apply("node", &batch(rows())).await.unwrap();
        let from = SpendFrom { week: NOW, month: NOW, ..windows() };
        let before = store.spend_load(from).await.unwrap();
        store.request_prune(NOW.plus_ms(-3 * Timestamp::HOUR_MS), 10_000).await.unwrap();
        assert_eq!(store.spend_load(from).await.unwrap(), before);
        store.rebuild(&EVERYTHING, change("books.rebuild")).await.unwrap();
        assert_eq!(store.spend_load(from).await.unwrap(), before);
        assert_eq!(store.reconcile(&EVERYTHING).await.unwrap().differences, []);
    })
    .await;
}
