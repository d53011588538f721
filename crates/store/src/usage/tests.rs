//! Tests of the sums' read side.

use ledger::{Batch, Position};
use types::request::RequestRecord;
use types::{ApiKeyId, CredentialId, GrantId, ProviderId, UserId};

use super::*;
use crate::fixture::{self, NOW, record, refused};
use crate::testing::each_backend;

// Requests 0 to 5, one each hour from NOW on; the last is refused and nobody's.
async fn book(store: &Store) {
    let at = |n: u64| NOW.plus_ms(i64::try_from(n).unwrap() * Timestamp::HOUR_MS);
    let mut rows: Vec<RequestRecord> =
        (0..5).map(|n| RequestRecord { created_at: at(n), ..record(n) }).collect();
    rows[1].model = Some("gpt-5".to_owned());
    rows[2].first_byte_ms = Some(9_000);
    let nobody = RequestRecord { user_id: None, key_id: None, model: None, ..refused(5, 401, "no_key") };
    rows.push(RequestRecord { created_at: at(5), ..nobody });
    store.ledger_apply("node", &Batch::new(rows, Position::default())).await.unwrap();
}

fn line(key: &str, label: Option<&str>, requests: u64) -> (String, Option<String>, u64) {
    (key.to_owned(), label.map(str::to_owned), requests)
}

#[tokio::test]
async fn usage_is_summed_by_each_of_its_keys() {
    each_backend(|store| async move {
        let owner = fixture::user(&store, "ada").await;
        assert_eq!(owner.id, UserId(1));
        book(&store).await;
        let by = async |by, limit| {
            let until = Some(NOW.plus_ms(Timestamp::DAY_MS));
            let filter = UsageFilter {
                by: Some(by),
                since: Some(NOW),
                until,
                limit: Some(limit),
                ..UsageFilter::default()
            };
            let lines = store.usage_by(&filter).await.unwrap();
            lines.into_iter().map(|line| (line.key, line.label, line.totals.requests)).collect::<Vec<_>>()
        };
        assert_eq!(by(UsageBy::User, 9).await, [line("1", Some("ada"), 5), line("0", None, 1)]);
        assert_eq!(by(UsageBy::Key, 9).await, [line("2", None, 5), line("0", None, 1)]);
        assert_eq!(by(UsageBy::Provider, 1).await, [line("3", None, 5)]);
        let models = [line("claude-sonnet-4-5", None, 4), line("", None, 1), line("gpt-5", None, 1)];
        assert_eq!(by(UsageBy::Model, 9).await, models);
        let day = NOW.day_start().to_string();
        assert_eq!(by(UsageBy::Day, 9).await, [line(&day, None, 6)]);
        let hours = by(UsageBy::Hour, 2).await;
        let last = |n: i64| NOW.hour_start().plus_ms(n * Timestamp::HOUR_MS).to_string();
        assert_eq!(hours, [line(&last(4), None, 1), line(&last(5), None, 1)]);
    })
    .await;
}

#[tokio::test]
async fn ranges_users_and_keys_narrow_the_sums() {
    each_backend(|store| async move {
        book(&store).await;
        let hour = |n: i64| NOW.hour_start().plus_ms(n * Timestamp::HOUR_MS);
        let count = async |since, until, user| store.usage_totals(since, until, user).await.unwrap().requests;
        assert_eq!(count(hour(0), hour(24), None).await, 6);
        assert_eq!(count(NOW, hour(2), None).await, 2);
        assert_eq!(count(hour(0), hour(24), Some(UserId(1))).await, 5);
        assert_eq!(count(hour(0), hour(24), Some(UserId(7))).await, 0);
        let filter = UsageFilter {
            by: Some(UsageBy::Model),
            since: Some(hour(0)),
            until: Some(hour(2)),
            user_id: Some(UserId(1)),
            key_id: Some(ApiKeyId(2)),
            ..UsageFilter::default()
        };
        let lines = store.usage_by(&filter).await.unwrap();
        assert_eq!(lines.iter().map(|line| line.totals.requests).sum::<u64>(), 2);
    })
    .await;
}

#[tokio::test]
async fn points_have_no_holes_and_carry_their_own_percentiles() {
    each_backend(|store| async move {
        book(&store).await;
        let points = store
            .usage_points(
                NOW.plus_ms(-Timestamp::HOUR_MS),
                NOW.plus_ms(8 * Timestamp::HOUR_MS),
                Timestamp::HOUR_MS,
            )
            .await
            .unwrap();
        let requests: Vec<_> = points.iter().map(|point| point.totals.requests).collect();
        assert_eq!(requests, [0, 1, 1, 1, 1, 1, 1, 0, 0, 0]);
        assert_eq!(points[0].at, NOW.hour_start().plus_ms(-Timestamp::HOUR_MS));
        assert_eq!((points[1].first_byte_p50_ms, points[3].first_byte_p50_ms), (Some(300), Some(10_000)));
        assert_eq!((points[0].first_byte_p50_ms, points[6].first_byte_p50_ms), (None, None));
        let days = store.usage_points(NOW, NOW.plus_ms(Timestamp::DAY_MS), Timestamp::DAY_MS).await.unwrap();
        assert_eq!(days.len(), 2);
        assert_eq!((days[0].totals.requests, days[0].first_byte_p95_ms), (6, Some(10_000)));
        let bins = store.latency_bins(NOW, NOW.plus_ms(Timestamp::DAY_MS)).await.unwrap();
        assert_eq!(bins.iter().sum::<u64>(), 5);
        let end = NOW.plus_ms(Timestamp::DAY_MS);
        let mut of_each = [0; 16];
        for provider in 0..10 {
            let own = store.provider_latency_bins(ProviderId(provider), NOW, end).await.unwrap();
            of_each.iter_mut().zip(own).for_each(|(sum, own)| *sum += own);
        }
        assert_eq!(of_each, bins, "the sum of all providers is the whole");
        assert!(store.usage_points(NOW, NOW.plus_ms(-1), 0).await.unwrap().len() <= 1);
    })
    .await;
}

// 300 requests over six days, of changing users, keys, providers, credentials, groups and models.
fn spread() -> Vec<RequestRecord> {
    let row = |n: u64| {
        let pick = i64::try_from(n).unwrap();
        RequestRecord {
            created_at: NOW.plus_ms(pick * 29 * 60_000),
            user_id: Some(UserId(1 + pick % 2)),
            key_id: (pick % 7 != 0).then_some(ApiKeyId(1 + pick % 5)),
            provider_id: Some(ProviderId(1 + pick % 3)),
            credential_id: Some(CredentialId(1 + pick % 4)),
            group: (pick % 3 == 0).then(|| "team-a".to_owned()),
            grant_id: (pick % 6 == 0).then_some(GrantId(1)),
            model: Some(format!("model-{}", pick % 3)),
            ..record(n)
        }
    };
    (0..300).map(row).collect()
}

// The key of the line that a row belongs to.
fn line_of(by: UsageBy, row: &RequestRecord) -> String {
    let id = |id: Option<i64>| id.unwrap_or(0).to_string();
    match by {
        UsageBy::Day => row.created_at.day_start().to_string(),
        UsageBy::Hour => row.created_at.hour_start().to_string(),
        UsageBy::Model => row.model.clone().unwrap_or_default(),
        UsageBy::User => id(row.user_id.map(|id| id.0)),
        UsageBy::Key => id(row.key_id.map(|id| id.0)),
        UsageBy::Provider => id(row.provider_id.map(|id| id.0)),
        UsageBy::Credential => id(row.credential_id.map(|id| id.0)),
        UsageBy::Group => row.group.clone().unwrap_or_default(),
        UsageBy::Package => id(row.grant_id.map(|id| id.0)),
    }
}

#[tokio::test]
async fn whatever_rollup_answers_it_is_the_sum_over_the_rows() {
    each_backend(|store| async move {
        let rows = spread();
        store.ledger_apply("node", &Batch::new(rows.clone(), Position::default())).await.unwrap();
        let midnight = NOW.day_start();
        let at = |hours: i64| midnight.plus_ms(hours * Timestamp::HOUR_MS);
        let one = UsageFilter { user_id: Some(UserId(1)), ..UsageFilter::default() };
        let filters = [
            UsageFilter::default(),
            one.clone(),
            UsageFilter { key_id: Some(ApiKeyId(3)), ..UsageFilter::default() },
            UsageFilter { provider_id: Some(ProviderId(2)), ..UsageFilter::default() },
            UsageFilter { model: Some("model-1".to_owned()), ..UsageFilter::default() },
            UsageFilter { provider_id: Some(ProviderId(2)), ..one },
        ];
        let spans = [(0, 24), (0, 240), (9, 60), (9, 20), (23, 25), (24, 120), (30, 97), (50, 40)];
        for (since, until) in spans {
            for filter in &filters {
                for by in UsageBy::ALL {
                    let filter = UsageFilter {
                        by: Some(*by),
                        since: Some(at(since)),
                        until: Some(at(until)),
                        limit: Some(1_000),
                        ..filter.clone()
                    };
                    let mut expected: BTreeMap<String, UsageTotals> = BTreeMap::new();
                    let wanted = |row: &&RequestRecord| {
                        row.created_at >= at(since)
                            && row.created_at < at(until)
                            && (filter.user_id.is_none() || row.user_id == filter.user_id)
                            && (filter.key_id.is_none() || row.key_id == filter.key_id)
                            && (filter.provider_id.is_none() || row.provider_id == filter.provider_id)
                            && (filter.model.is_none() || row.model == filter.model)
                    };
                    for row in rows.iter().filter(wanted) {
                        let sum = expected.entry(line_of(*by, row)).or_default();
                        ledger::batch::add(sum, &ledger::batch::totals(row));
                    }
                    let found = store.usage_by(&filter).await.unwrap();
                    let found: BTreeMap<_, _> =
                        found.into_iter().map(|line| (line.key, line.totals)).collect();
                    assert_eq!(found, expected, "{filter:?}");
                }
            }
            let points = store.usage_points(at(since), at(until), Timestamp::DAY_MS).await.unwrap();
            let sum: u64 = points.iter().map(|point| point.totals.requests).sum();
            let first = at(since).day_start();
            let inside = |row: &&RequestRecord| row.created_at >= first && row.created_at < at(until);
            assert_eq!(sum, u64::try_from(rows.iter().filter(inside).count()).unwrap());
        }
    })
    .await;
}
