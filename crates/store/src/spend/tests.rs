//! Tests of what has been spent, against a plain sum over the rows.

mod minutes;

use std::collections::BTreeMap;

use ledger::{Batch, Position};
use types::request::{Attempt, RequestRecord};
use types::{ApiKeyId, CredentialId, GrantId, ProviderId, UserId};

use super::*;
use crate::fixture::{self, NOW, change, record};
use crate::testing::each_backend;

const MINUTE: i64 = 60_000;

fn at(row: RequestRecord, at: Timestamp) -> RequestRecord {
    RequestRecord { created_at: at, ..row }
}

// 400 requests over ten days before NOW, at odd milliseconds, of changing users, keys, groups and credentials; some
// with a failed attempt that cost something.
fn rows() -> Vec<RequestRecord> {
    let mut rows = Vec::new();
    for n in 0..400_u64 {
        let back = i64::try_from(n).unwrap() * 37 * MINUTE + 12_345;
        let mut row = at(record(n), NOW.plus_ms(-back));
        let pick = i64::try_from(n).unwrap();
        row.user_id = Some(UserId(1 + pick % 2));
        row.key_id = Some(ApiKeyId(1 + pick % 3));
        row.provider_id = Some(ProviderId(1 + pick % 2));
        row.credential_id = Some(CredentialId(1 + pick % 3));
        row.group = match n % 3 {
            0 => None,
            1 => Some("team-a".to_owned()),
            _ => Some("unknown".to_owned()),
        };
        row.grant_id = (n % 4 == 0).then_some(GrantId(1));
        if n % 5 == 0 {
            let lost = Attempt {
                provider_id: ProviderId(2),
                credential_id: CredentialId(3),
                provider_cost_usd: Money::from_nano(70_000).unwrap(),
                ..row.attempts[0].clone()
            };
            row.attempts.insert(0, lost);
        }
        if n % 9 == 0 {
            (row.user_id, row.key_id) = (None, None);
        }
        rows.push(row);
    }
    rows
}

// What each budget is charged for a row.
fn charges(row: &RequestRecord) -> Vec<(ScopeKind, i64, Money)> {
    let (billed, provider) = (row.cost_usd, row.provider_cost_usd);
    let mut charges = vec![(ScopeKind::Global, 0, billed)];
    charges.extend(row.user_id.map(|id| (ScopeKind::User, id.0, billed)));
    charges.extend(row.key_id.map(|id| (ScopeKind::Key, id.0, billed)));
    charges.extend(row.grant_id.map(|id| (ScopeKind::Package, id.0, billed)));
    charges.extend((row.group.as_deref() == Some("team-a")).then_some((ScopeKind::Group, 1, billed)));
    charges.extend(row.provider_id.map(|id| (ScopeKind::Provider, id.0, provider)));
    charges.extend(row.credential_id.map(|id| (ScopeKind::Credential, id.0, provider)));
    for (provider, credential, cost) in ledger::batch::losses(row) {
        charges.push((ScopeKind::Provider, provider.0, cost));
        charges.push((ScopeKind::Credential, credential.0, cost));
    }
    charges
}

type Minutes = BTreeMap<Timestamp, Money>;
type Resets = BTreeMap<(ScopeKind, i64), Timestamp>;

// The same by adding up row after row.
fn expected(rows: &[RequestRecord], from: SpendFrom, resets: &Resets) -> Vec<SpendRow> {
    let mut sums: BTreeMap<(ScopeKind, i64), (Minutes, [Money; 3])> = BTreeMap::new();
    for row in rows {
        for (kind, id, cost) in charges(row) {
            let reset = resets.get(&(kind, id)).copied().unwrap_or_default();
            if row.created_at < reset || cost.is_zero() {
                continue;
            }
            let (minutes, parts) = sums.entry((kind, id)).or_default();
            if row.created_at >= from.minutes_since {
                let minute = Timestamp(row.created_at.0 - row.created_at.0 % MINUTE);
                let sum = minutes.entry(minute).or_default();
                *sum = sum.plus(cost);
            }
            for (part, start) in parts.iter_mut().zip([from.week, from.month, Timestamp::default()]) {
                if row.created_at >= start {
                    *part = part.plus(cost);
                }
            }
        }
    }
    for scope in resets.keys() {
        sums.entry(*scope).or_default();
    }
    sums.into_iter()
        .map(|((scope, id), (minutes, [week, month, total]))| SpendRow {
            scope,
            id,
            minutes: minutes.into_iter().collect(),
            week,
            month,
            total,
            five_hours_since: None,
            reset_at: resets.get(&(scope, id)).copied(),
        })
        .collect()
}

async fn configure(store: &Store) {
    for name in ["ada", "ben"] {
        let user = fixture::user(store, name).await;
        let provider = fixture::provider(store, name).await;
        for n in 0..2 {
            fixture::key(store, user.id, &format!("{name}-{n}")).await;
            fixture::credential(store, provider.id, &format!("{n}")).await.unwrap();
        }
    }
    fixture::group(store, "team-a").await;
    let package = fixture::package_spec("pro");
    store.grant_insert(UserId(1), None, &package, NOW, None, change("grant.create")).await.unwrap();
}

// A billing zone half an hour off: neither window begins with a UTC hour.
fn windows() -> SpendFrom {
    SpendFrom {
        minutes_since: NOW.plus_ms(-25 * 60 * MINUTE),
        week: NOW.hour_start().plus_ms(-5 * Timestamp::DAY_MS - 30 * MINUTE),
        month: NOW.hour_start().plus_ms(-8 * Timestamp::DAY_MS - 15 * MINUTE),
    }
}

/// What is loaded when no minutes are kept.
pub(crate) async fn load_from_rows(store: &Store, from: SpendFrom) -> Vec<SpendRow> {
    const NEVER: &str = "9000000000000000";
    let before = store.meta_get("spend_minutes_since").await.unwrap();
    let put = async |value: &str| {
        let sql = "INSERT INTO meta (name, value) VALUES ('spend_minutes_since', $1)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        store.pool.execute(sql, args![value]).await.unwrap();
    };
    put(NEVER).await;
    let rows = store.spend_load(from).await.unwrap();
    put(before.as_deref().unwrap_or("0")).await;
    rows
}

#[tokio::test]
async fn what_was_spent_is_the_sum_over_the_rows_in_every_window() {
    each_backend(|store| async move {
        configure(&store).await;
        let rows = rows();
        store.ledger_apply("node", &Batch::new(rows.clone(), Position::default())).await.unwrap();
        let found = store.spend_load(windows()).await.unwrap();
        assert_eq!(found, expected(&rows, windows(), &Resets::new()));
        assert!(found.len() >= 13, "{found:?}");
        // Windows that begin with a whole hour, and those that lie before everything.
        for shift in [0, -90 * Timestamp::DAY_MS] {
            let whole = SpendFrom {
                minutes_since: NOW,
                week: NOW.hour_start().plus_ms(shift - Timestamp::DAY_MS),
                month: NOW.hour_start().plus_ms(shift - 2 * Timestamp::DAY_MS),
            };
            assert_eq!(store.spend_load(whole).await.unwrap(), expected(&rows, whole, &Resets::new()));
        }
    })
    .await;
}

#[tokio::test]
async fn what_was_spent_before_a_reset_counts_in_no_window() {
    each_backend(|store| async move {
        configure(&store).await;
        let rows = rows();
        store.ledger_apply("node", &Batch::new(rows.clone(), Position::default())).await.unwrap();
        let minutes = |n: i64| NOW.plus_ms(-n * MINUTE - 12_000);
        // In the last minutes, in the last day, in the week's first hour, between week and month, before both.
        let resets = Resets::from([
            ((ScopeKind::Global, 0), minutes(37)),
            ((ScopeKind::User, 1), minutes(185)),
            ((ScopeKind::User, 2), windows().week.plus_ms(5 * MINUTE)),
            ((ScopeKind::Key, 1), minutes(6 * 24 * 60)),
            ((ScopeKind::Key, 3), minutes(9 * 24 * 60 + 11)),
            ((ScopeKind::Group, 1), NOW.hour_start().plus_ms(-Timestamp::DAY_MS)),
            ((ScopeKind::Package, 1), minutes(90)),
            ((ScopeKind::Provider, 2), minutes(370)),
            ((ScopeKind::Credential, 3), minutes(3 * 24 * 60)),
        ]);
        store.anchor_put(vec![(ScopeKind::User, 1, NOW)]).await.unwrap();
        for ((kind, id), at) in &resets {
            store.usage_reset(*kind, *id, *at, change("usage.reset")).await.unwrap();
        }
        assert_eq!(store.spend_load(windows()).await.unwrap(), expected(&rows, windows(), &resets));
        assert_eq!(store.user_fetch(UserId(1)).await.unwrap().usage_reset_at, Some(minutes(185)));
        let gone = store.usage_reset(ScopeKind::User, 99, NOW, change("usage.reset")).await;
        assert!(matches!(gone, Err(StoreError::NotFound)));
    })
    .await;
}

#[tokio::test]
async fn the_begin_of_a_window_of_five_hours_is_kept() {
    each_backend(|store| async move {
        store.anchor_put(vec![(ScopeKind::Key, 7, NOW), (ScopeKind::Global, 0, NOW)]).await.unwrap();
        store.anchor_put(vec![(ScopeKind::Key, 7, NOW.plus_ms(5))]).await.unwrap();
        let rows = store.spend_load(windows()).await.unwrap();
        let since: Vec<_> = rows.iter().map(|row| (row.scope, row.id, row.five_hours_since)).collect();
        assert_eq!(since, [(ScopeKind::Global, 0, Some(NOW)), (ScopeKind::Key, 7, Some(NOW.plus_ms(5)))]);
    })
    .await;
}
