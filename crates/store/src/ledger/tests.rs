//! Tests of the books: exactly once, sums equal to rows, and content that must not stop them.

mod crash_matrix;
mod power_cut;
mod real_power_cut;
mod rig;

use ledger::{Batch, Position};
use types::books::ReconcileFilter;
use types::price::PriceState;
use types::quota::ScopeKind;
use types::request::{Attempt, Decision, Outcome, RequestFilter, RequestRecord};
use types::usage::{UsageBy, UsageFilter, UsageTotals};
use types::{ApiKeyId, GrantId, Money, ProviderId, Timestamp, UserId};

use crate::fixture::{NOW, record, refused};
use crate::testing::each_backend;
use crate::{Applied, KeyStats, Store};

const COSTS: Money = Money::MAX;
const ALL: (Timestamp, Timestamp) = (Timestamp(0), Timestamp(i64::MAX));

fn batch(rows: Vec<RequestRecord>, offset: u64) -> Batch {
    Batch::new(rows, Position { segment: 1, offset })
}

fn by(by: UsageBy) -> UsageFilter {
    UsageFilter { by: Some(by), limit: Some(500), ..UsageFilter::default() }
}

async fn totals(store: &Store) -> UsageTotals {
    store.usage_totals(ALL.0, ALL.1, None).await.unwrap()
}

// Everything that applying a batch may change.
async fn books(store: &Store) -> impl PartialEq + std::fmt::Debug {
    let filter = RequestFilter { limit: Some(500), ..RequestFilter::default() };
    (
        store.request_list(&filter).await.unwrap(),
        store.usage_by(&by(UsageBy::Model)).await.unwrap(),
        store.usage_by(&by(UsageBy::Hour)).await.unwrap(),
        store.latency_bins(ALL.0, ALL.1).await.unwrap(),
        store.key_stats(&[ApiKeyId(2), ApiKeyId(9)]).await.unwrap(),
        store.ledger_position("node").await.unwrap(),
    )
}

#[tokio::test]
async fn a_batch_that_is_applied_again_changes_nothing() {
    each_backend(|store| async move {
        let rows: Vec<_> = (0..10).map(record).chain([refused(10, 401, "invalid_credentials")]).collect();
        let first = batch(rows, 500);
        let applied = store.ledger_apply("node", &first).await.unwrap();
        assert_eq!(applied, Applied { inserted: 11, known: 0 });
        let before = books(&store).await;
        let applied = store.ledger_apply("node", &first).await.unwrap();
        assert_eq!(applied, Applied { inserted: 0, known: 11 });
        assert_eq!(books(&store).await, before);
        assert_eq!(store.ledger_position("node").await.unwrap(), Position { segment: 1, offset: 500 });
        assert_eq!(store.ledger_position("other").await.unwrap(), Position::default());
    })
    .await;
}

#[tokio::test]
async fn of_an_overlapping_batch_only_new_rows_count() {
    each_backend(|store| async move {
        store.ledger_apply("node", &batch((0..6).map(record).collect(), 1)).await.unwrap();
        // Four that are known, three that are new, one of them twice.
        let rows: Vec<_> = (2..9).chain([8]).map(record).collect();
        let applied = store.ledger_apply("node", &batch(rows, 2)).await.unwrap();
        assert_eq!(applied, Applied { inserted: 3, known: 5 });
        let sums = totals(&store).await;
        assert_eq!((sums.requests, sums.input_tokens), (9, 9 * 10 + (0..9).sum::<u64>()));
        assert_eq!(sums.cost_usd.nano(), 9 * 1_000 + (0..9).sum::<i64>());
        assert_eq!(store.latency_bins(ALL.0, ALL.1).await.unwrap().iter().sum::<u64>(), 9);
        let stats = store.key_stats(&[ApiKeyId(2)]).await.unwrap();
        let expected = KeyStats {
            request_count: 9,
            last_used_at: Some(NOW.plus_ms(8 * 60_000)),
            cost_usd: sums.cost_usd,
        };
        assert_eq!(stats.get(&ApiKeyId(2)), Some(&expected));
    })
    .await;
}

#[tokio::test]
async fn decisions_beside_the_rows_are_stored_with_their_own_row() {
    each_backend(|store| async move {
        let decided = |revision| Decision { config_revision: revision, ..Decision::default() };
        let text = |revision| Some(serde_json::to_string(&decided(revision)).unwrap().into_boxed_str());
        let bare = |n| RequestRecord { decision: None, ..record(n) };
        let rows = |range: std::ops::Range<u64>| range.map(bare).collect::<Vec<_>>();
        let stored = async |n| store.request_fetch(&bare(n).request_id.to_string()).await.unwrap();
        let first = Batch { decisions: vec![None, text(101)], ..batch(rows(0..3), 1) };
        store.ledger_apply("node", &first).await.unwrap();
        // Some are known by now: what follows them keeps its own.
        let again = Batch { decisions: vec![text(7), text(102), text(103)], ..batch(rows(1..4), 2) };
        let applied = store.ledger_apply("node", &again).await.unwrap();
        assert_eq!(applied, Applied { inserted: 1, known: 2 });
        for (n, expected) in [(0, None), (1, Some(101)), (2, None), (3, Some(103))] {
            let found = stored(n).await.unwrap().record.decision;
            assert_eq!(found, expected.map(decided), "{n}");
        }
    })
    .await;
}

fn lost() -> Attempt {
    record(0).attempts.remove(0)
}

#[tokio::test]
async fn inv_16_sums_of_usage_equal_sums_over_requests() {
    each_backend(|store| async move {
        let mut all = Vec::new();
        for n in 0..700_u64 {
            let mut row = match n % 7 {
                0 => refused(n, 429, "too_many"),
                1 => refused(n, 503, "overloaded"),
                2 => RequestRecord { outcome: Outcome::Broken, status_code: 200, ..record(n) },
                3 => RequestRecord { outcome: Outcome::ClientGone, first_byte_ms: None, ..record(n) },
                _ => record(n),
            };
            if n % 5 == 0 {
                (row.user_id, row.key_id, row.model) = (None, None, None);
            }
            if n % 13 == 0 {
                // Two attempts failed before the one that answered; one of them cost something.
                let loss =
                    Attempt { provider_id: ProviderId(8), ..row.attempts.first().unwrap_or(&lost()).clone() };
                let free = Attempt { provider_cost_usd: Money::ZERO, ..loss.clone() };
                row.attempts = vec![loss, free, lost()];
            }
            if n % 17 == 0 {
                (row.price_state, row.cost_usd) = (PriceState::Unpriced, Money::ZERO);
                (row.group, row.grant_id) = (None, Some(GrantId(5)));
            }
            if n % 11 == 0 {
                row.model = Some(format!("model-{}", n % 3));
            }
            all.push(row);
        }
        // More than one statement's worth of rows, with overlaps.
        for (offset, (from, to)) in [(0, 600), (500, 650), (300, 700)].into_iter().enumerate() {
            let rows = all[from..to].to_vec();
            store.ledger_apply("node", &batch(rows, u64::try_from(offset).unwrap())).await.unwrap();
        }
        let sql = "SELECT COUNT(*) AS requests, SUM(CASE WHEN is_error THEN 1 ELSE 0 END) AS errors,
                SUM(CASE WHEN outcome = 'refused' THEN 1 ELSE 0 END) AS refused,
                CAST(SUM(input_tokens) AS BIGINT) AS input_tokens,
                CAST(SUM(output_tokens) AS BIGINT) AS output_tokens,
                CAST(SUM(cache_read_tokens) AS BIGINT) AS cache_read_tokens,
                CAST(SUM(cache_write_tokens) AS BIGINT) AS cache_write_tokens,
                SUM(CASE WHEN price_state = 'unpriced' THEN 1 ELSE 0 END) AS unpriced,
                CAST(SUM(cost_nano) AS BIGINT) AS cost_nano,
                CAST(SUM(base_cost_nano) AS BIGINT) AS base_cost_nano,
                CAST(SUM(provider_cost_nano) AS BIGINT)
                    + (SELECT CAST(SUM(provider_cost_nano) AS BIGINT) FROM request_loss) AS provider_cost_nano
                FROM requests";
        let row = store.pool.row(sql, crate::sql::args![]).await.unwrap();
        let over_requests = crate::usage::totals(&row).unwrap();
        let mut expected = UsageTotals::default();
        for row in &all {
            ledger::batch::add(&mut expected, &ledger::batch::totals(row));
        }
        assert_eq!(over_requests, expected);
        assert_eq!(totals(&store).await, expected);
        for by in UsageBy::ALL {
            let mut sum = UsageTotals::default();
            for line in store.usage_by(&self::by(*by)).await.unwrap() {
                ledger::batch::add(&mut sum, &line.totals);
            }
            assert_eq!(sum, expected, "by {by}");
        }
    })
    .await;
}

#[tokio::test]
async fn content_that_a_database_cannot_take_does_not_stop_the_books() {
    each_backend(|store| async move {
        let noise: String = (0..5_000_u32).filter_map(|n| char::from_u32(0x4e00 + n * 7 % 20_000)).collect();
        let rows = vec![
            RequestRecord { model: Some("nul\0inside".to_owned()), ..record(1) },
            RequestRecord { model: Some("nul\u{fffd}inside".to_owned()), ..record(2) },
            RequestRecord { model: Some(noise.clone()), client_request_id: Some(noise), ..record(3) },
            RequestRecord { input_tokens: u64::MAX, output_tokens: u64::MAX, ..record(4) },
            RequestRecord { input_tokens: u64::MAX, duration_ms: u64::MAX, ..record(5) },
            RequestRecord {
                user_agent: Some("a\0b".to_owned()),
                error_message: Some("\0".to_owned()),
                ..record(6)
            },
        ];
        let applied = store.ledger_apply("node", &batch(rows.clone(), 1)).await.unwrap();
        assert_eq!(applied.inserted, 6);
        store.ledger_apply("node", &batch(rows, 1)).await.unwrap();
        let sums = totals(&store).await;
        assert_eq!(sums.requests, 6);
        assert!(sums.input_tokens > 2_000_000_000_000 && sums.input_tokens < 2_000_000_001_000);
        let models = store.usage_by(&by(UsageBy::Model)).await.unwrap();
        let doubled = models.iter().find(|line| line.key == "nul\u{fffd}inside").unwrap();
        assert_eq!(doubled.totals.requests, 2);
    })
    .await;
}

#[tokio::test]
async fn an_empty_batch_moves_the_position_and_a_journal_that_starts_over_moves_it_back() {
    each_backend(|store| async move {
        for offset in [900, 3] {
            store.ledger_apply("node", &batch(vec![], offset)).await.unwrap();
            assert_eq!(store.ledger_position("node").await.unwrap().offset, offset);
        }
    })
    .await;
}

#[tokio::test]
async fn applying_touches_neither_configuration_nor_audit() {
    each_backend(|store| async move {
        let owner = crate::fixture::user(&store, "ada").await;
        let key = crate::fixture::key(&store, owner.id, "laptop").await;
        let row = RequestRecord { key_id: Some(key.id), user_id: Some(UserId(owner.id.0)), ..record(1) };
        store.ledger_apply("node", &batch(vec![row], 1)).await.unwrap();
        assert_eq!(store.key_fetch(key.id).await.unwrap(), key);
        assert_eq!(store.config_revision().await.unwrap(), 2);
        assert_eq!(store.key_stats(&[key.id]).await.unwrap().len(), 1);
        assert!(store.key_stats(&[]).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_batch_that_is_cut_off_before_its_end_changes_nothing() {
    each_backend(|store| async move {
        store.share_grow("node", (ScopeKind::User, 1), COSTS, &[], NOW).await.unwrap();
        store.ledger_apply("node", &batch((0..3).map(record).collect(), 1)).await.unwrap();
        let before = (books(&store).await, store.share_load("node").await.unwrap());
        // The last step fails, after all rows and sums were written.
        let rows: Vec<_> = (3..90).map(record).collect();
        let broken = Batch::new(rows.clone(), Position { segment: 1, offset: u64::MAX });
        store.ledger_apply("node", &broken).await.unwrap_err();
        assert_eq!((books(&store).await, store.share_load("node").await.unwrap()), before);
        // The task that applies is dropped in the middle.
        'steps: for steps in 1..40 {
            let whole = batch(rows.clone(), 2);
            let mut applying = Box::pin(store.ledger_apply("node", &whole));
            let mut done = false;
            for _ in 0..steps {
                let step = tokio::time::timeout(std::time::Duration::from_micros(300), &mut applying);
                if step.await.is_ok() {
                    done = true;
                    break;
                }
            }
            drop(applying);
            if done {
                break;
            }
            // It may have been dropped while the commit was on its way: then all of it is there, or soon will be.
            let mut tries = 0;
            while (books(&store).await, store.share_load("node").await.unwrap()) != before {
                if totals(&store).await.requests == 90 {
                    break 'steps;
                }
                tries += 1;
                assert!(tries < 3_000, "{:?}", books(&store).await);
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
        }
        store.ledger_apply("node", &batch(rows, 2)).await.unwrap();
        assert_eq!(totals(&store).await.requests, 90);
        assert_eq!(store.reconcile(&ReconcileFilter::default()).await.unwrap().differences, []);
    })
    .await;
}
