//! How the store behaves with a million requests. Not part of the usual run: it takes minutes and prints figures.
//!
//! `cargo test -p store --release -- --ignored --nocapture scale`

use std::io::Write as _;
use std::time::Instant;

use ledger::{Batch, Position};
use types::books::ReconcileFilter;
use types::request::{RequestFilter, RequestRecord};
use types::usage::{UsageBy, UsageFilter};
use types::{ApiKeyId, CredentialId, ProviderId, Timestamp, UserId};

use crate::fixture::{NOW, record};
use crate::sql::args;
use crate::testing;
use crate::{SpendFrom, Store};

const ROWS: u64 = 1_000_000;
const DAYS: i64 = 30;

fn say(text: &str) {
    drop(writeln!(std::io::stdout(), "{text}"));
}

// Evenly over a span before NOW, by 40 users with 100 keys, over 4 providers with 8 credentials and 6 models of very
// different use.
fn row(n: u64, span_ms: i64, random: &mut u64) -> RequestRecord {
    let mut next = |below: u64| {
        *random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*random >> 33) % below
    };
    // The smaller of two draws: the first ones are used far more than the last.
    let mut skewed = |below: u64| i64::try_from(next(below).min(next(below)).min(next(below))).unwrap();
    let key = skewed(100);
    let back = span_ms / i64::try_from(ROWS).unwrap() * i64::try_from(ROWS - n).unwrap();
    let credential = skewed(8);
    RequestRecord {
        created_at: NOW.plus_ms(-back),
        user_id: Some(UserId(1 + key % 40)),
        key_id: Some(ApiKeyId(1 + key)),
        provider_id: Some(ProviderId(1 + credential / 2)),
        credential_id: Some(CredentialId(1 + credential)),
        model: Some(format!("model-{}", skewed(6))),
        group: Some(format!("team-{}", credential / 4)),
        bill: None,
        decision: None,
        ..record(n)
    }
}

// Answers how long applying took, in milliseconds, without making the rows up.
async fn fill(store: &Store, span_ms: i64, rows: std::ops::Range<u64>, batch: u64) -> u128 {
    let (mut random, mut took) = (7 + rows.start, 0);
    let mut n = rows.start;
    while n < rows.end {
        let next = rows.end.min(n + batch);
        let rows: Vec<_> = (n..next).map(|n| row(n, span_ms, &mut random)).collect();
        n = next;
        let batch = Batch::new(rows, Position { segment: 1, offset: n });
        let started = Instant::now();
        store.ledger_apply("node", &batch).await.unwrap();
        took += started.elapsed().as_micros();
    }
    took / 1_000
}

async fn timed<T, F: Future<Output = Result<T, crate::StoreError>>>(what: &str, run: impl Fn() -> F) -> T {
    let mut best = u128::MAX;
    let mut worst = 0;
    let mut answer = None;
    for _ in 0..5 {
        let started = Instant::now();
        answer = Some(run().await.unwrap());
        let took = started.elapsed().as_micros();
        (best, worst) = (best.min(took), worst.max(took));
    }
    say(&format!("{what:<44} {:>9.1} ms best, {:>9.1} ms worst", ms(best), ms(worst)));
    answer.unwrap()
}

#[expect(clippy::cast_precision_loss, clippy::as_conversions, reason = "figures for people")]
fn ms(micros: u128) -> f64 {
    micros as f64 / 1_000.0
}

async fn figures(store: &Store) {
    let hours = store.pool.row("SELECT COUNT(*) AS n FROM usage_hour", args![]).await.unwrap();
    say(&format!("{} with {ROWS} requests and {} hours", store.backend(), hours.int("n").unwrap()));
    let from = SpendFrom {
        minutes_since: NOW.plus_ms(-25 * Timestamp::HOUR_MS),
        week: NOW.hour_start().plus_ms(-5 * Timestamp::DAY_MS - 1_800_000),
        month: NOW.hour_start().plus_ms(-20 * Timestamp::DAY_MS - 1_800_000),
    };
    timed("spend_load", || store.spend_load(from)).await;
    let month = UsageFilter { since: Some(NOW.plus_ms(-DAYS * Timestamp::DAY_MS)), ..UsageFilter::default() };
    for by in UsageBy::ALL {
        let filter = UsageFilter { by: Some(*by), ..month.clone() };
        timed(&format!("usage_by {by}, 30 days"), || store.usage_by(&filter)).await;
    }
    for (name, days) in [("7 days", 7), ("24 hours", 1)] {
        let since = Some(NOW.plus_ms(-days * Timestamp::DAY_MS));
        let filter = UsageFilter { by: Some(UsageBy::Model), since, ..UsageFilter::default() };
        timed(&format!("usage_by model, {name}"), || store.usage_by(&filter)).await;
    }
    for (name, filter) in [
        ("of a user", UsageFilter { user_id: Some(UserId(1)), ..month.clone() }),
        ("of a key", UsageFilter { key_id: Some(ApiKeyId(9)), ..month.clone() }),
        ("of a provider", UsageFilter { provider_id: Some(ProviderId(4)), ..month.clone() }),
        ("of a model", UsageFilter { model: Some("model-5".to_owned()), ..month.clone() }),
    ] {
        let filter = UsageFilter { by: Some(UsageBy::Day), ..filter };
        timed(&format!("usage_by day {name}, 30 days"), || store.usage_by(&filter)).await;
    }
    let since = NOW.plus_ms(-DAYS * Timestamp::DAY_MS);
    timed("usage_points, 30 days by day", || store.usage_points(since, NOW, Timestamp::DAY_MS)).await;
    timed("usage_totals, 30 days", || store.usage_totals(since, NOW, None)).await;
    for (name, filter) in [
        ("", RequestFilter::default()),
        (" of a user", RequestFilter { user_id: Some(UserId(3)), ..RequestFilter::default() }),
        (" of a rare key", RequestFilter { key_id: Some(ApiKeyId(99)), ..RequestFilter::default() }),
        (
            " of a credential",
            RequestFilter { credential_id: Some(CredentialId(8)), ..RequestFilter::default() },
        ),
        (" of a model", RequestFilter { model: Some("model-5".to_owned()), ..RequestFilter::default() }),
        (" of a session", RequestFilter { session_id: Some("none".to_owned()), ..RequestFilter::default() }),
        (" with errors", RequestFilter { status: Some("error".to_owned()), ..RequestFilter::default() }),
        (" with a code", RequestFilter { error_code: Some("x".to_owned()), ..RequestFilter::default() }),
        (" with 4xx", RequestFilter { status: Some("4xx".to_owned()), ..RequestFilter::default() }),
        (
            " unpriced",
            RequestFilter {
                price_state: Some(types::price::PriceState::Unpriced),
                ..RequestFilter::default()
            },
        ),
        (
            " of ten days ago",
            RequestFilter { until: Some(NOW.plus_ms(-10 * Timestamp::DAY_MS)), ..RequestFilter::default() },
        ),
    ] {
        timed(&format!("request_list{name}"), || store.request_list(&filter)).await;
    }
    timed("unpriced_models", || store.unpriced_models(Timestamp(0), 50)).await;
    let week =
        ReconcileFilter { since: Some(NOW.plus_ms(-7 * Timestamp::DAY_MS)), ..ReconcileFilter::default() };
    timed("reconcile, 7 days", || store.reconcile(&week)).await;
    timed("audit_books, 24 hours", || store.audit_books(NOW.plus_ms(-Timestamp::DAY_MS))).await;
}

async fn homes() -> Vec<testing::TestStore> {
    let mut homes = vec![testing::sqlite().await];
    homes.extend(testing::postgres().await);
    homes
}

#[tokio::test]
#[ignore = "takes minutes; prints figures"]
async fn scale_with_a_million_requests() {
    for store in homes().await {
        let took = fill(&store, DAYS * Timestamp::DAY_MS, 0..ROWS, 2_000).await;
        say(&format!("applied {ROWS} rows of {DAYS} days in {took} ms"));
        store.pool.execute("ANALYZE", args![]).await.unwrap();
        figures(&store).await;
    }
}

// What a start reads when the whole million came within the longest day, and what batches of all sizes cost.
#[tokio::test]
#[ignore = "takes minutes; prints figures"]
async fn scale_with_a_million_requests_of_one_day() {
    const SPAN: i64 = 25 * Timestamp::HOUR_MS;
    for store in homes().await {
        let mut done = 0;
        for (rows, batch) in [(1_000, 1), (9_000, 16), (90_000, 200), (ROWS - 100_000, 2_000)] {
            let took = fill(&store, SPAN, done..done + rows, batch).await;
            done += rows;
            let each = took * 1_000 / u128::from(rows);
            say(&format!(
                "{}: {rows} rows in batches of {batch}: {took} ms, {each} us a row",
                store.backend()
            ));
        }
        store.pool.execute("ANALYZE", args![]).await.unwrap();
        let from = SpendFrom {
            minutes_since: NOW.plus_ms(-SPAN),
            week: NOW.hour_start().plus_ms(-5 * Timestamp::DAY_MS - 1_800_000),
            month: NOW.hour_start().plus_ms(-20 * Timestamp::DAY_MS - 1_800_000),
        };
        let spend = timed("spend_load, all within 25 hours", || store.spend_load(from)).await;
        let minutes: usize = spend.iter().map(|row| row.minutes.len()).sum();
        say(&format!("{} budgets with {minutes} minutes", spend.len()));
        let all = ReconcileFilter::default();
        timed("reconcile", || store.reconcile(&all)).await;
    }
}
