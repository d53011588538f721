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

// Evenly over the last 30 days, by 40 users with 100 keys, over 4 providers with 8 credentials and 6 models of very
// different use.
fn row(n: u64, random: &mut u64) -> RequestRecord {
    let mut next = |below: u64| {
        *random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*random >> 33) % below
    };
    // The smaller of two draws: the first ones are used far more than the last.
    let mut skewed = |below: u64| i64::try_from(next(below).min(next(below)).min(next(below))).unwrap();
    let key = skewed(100);
    let back = DAYS * Timestamp::DAY_MS / i64::try_from(ROWS).unwrap() * i64::try_from(ROWS - n).unwrap();
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

async fn fill(store: &Store) {
    let (mut random, mut n) = (7, 0);
    while n < ROWS {
        let rows: Vec<_> = (n..ROWS.min(n + 2_000)).map(|n| row(n, &mut random)).collect();
        n += 2_000;
        store.ledger_apply("node", &Batch::new(rows, Position { segment: 1, offset: n })).await.unwrap();
    }
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
    let all = SpendFrom { minutes_since: Timestamp(0), ..from };
    timed("spend_load, every row in the last hours", || store.spend_load(all)).await;
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

#[tokio::test]
#[ignore = "takes minutes; prints figures"]
async fn scale_with_a_million_requests() {
    let mut homes = vec![testing::sqlite().await];
    homes.extend(testing::postgres().await);
    for store in homes {
        let started = Instant::now();
        fill(&store).await;
        say(&format!("applied {ROWS} rows in {:.1} s", started.elapsed().as_secs_f32()));
        store.pool.execute("ANALYZE", args![]).await.unwrap();
        figures(&store).await;
    }
}
