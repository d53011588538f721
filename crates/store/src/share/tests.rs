//! Tests of shares: however many ask at once, grants and what was spent stay within every window.

use ledger::{Batch, Position};
use types::request::{Attempt, RequestRecord};
use types::{CredentialId, ProviderId, UserId};

use super::*;
use crate::fixture::{NOW, record};
use crate::testing::{self, each_backend};

const ADA: (ScopeKind, i64) = (ScopeKind::User, 1);

fn nano(amount: i64) -> Money {
    Money::from_nano(amount).unwrap()
}

fn window(limit: i64, since: Timestamp) -> ShareWindow {
    ShareWindow { limit: nano(limit), since }
}

fn costing(n: u64, cost: i64) -> RequestRecord {
    RequestRecord { cost_usd: nano(cost), user_id: Some(UserId(1)), ..record(n) }
}

async fn book(store: &Store, node: &str, rows: Vec<RequestRecord>) {
    store.ledger_apply(node, &Batch::new(rows, Position::default())).await.unwrap();
}

async fn grow(store: &Store, node: &str, want: i64, windows: &[ShareWindow]) -> Money {
    store.share_grow(node, ADA, nano(want), windows, NOW).await.unwrap().granted
}

#[tokio::test]
async fn grants_and_what_was_spent_stay_within_the_strictest_window() {
    each_backend(|store| async move {
        // 300 were spent before the day began, 200 in its first hour, 100 later.
        let day = NOW.plus_ms(3 * 60_000);
        book(&store, "old", vec![costing(1, 300), costing(3, 200), costing(90, 100)]).await;
        let windows = [window(1_000, day), window(1_500, Timestamp(0))];
        assert_eq!(grow(&store, "a", 500, &windows).await, nano(500));
        assert_eq!(grow(&store, "b", 500, &windows).await, nano(200));
        assert_eq!(grow(&store, "a", 500, &windows).await, nano(500));
        // What a node books moves from its share to what was spent: no new room.
        book(&store, "a", vec![costing(100, 400), costing(101, 50)]).await;
        let share = store.share_load("a").await.unwrap();
        assert_eq!((share.len(), share[0].consumed, share[0].headroom()), (1, nano(450), nano(50)));
        assert_eq!(grow(&store, "b", 500, &windows).await, nano(200));
        // Applied again, it is not consumed again.
        book(&store, "a", vec![costing(100, 400)]).await;
        assert_eq!(store.share_load("a").await.unwrap()[0].consumed, nano(450));
        // A higher limit makes room, and so does giving back.
        store.share_release("a", ADA, nano(50)).await.unwrap();
        assert_eq!(grow(&store, "b", 500, &windows).await, nano(250));
        let raised = [window(1_010, day), windows[1]];
        assert_eq!(grow(&store, "b", 500, &raised).await, nano(260));
    })
    .await;
}

#[tokio::test]
async fn what_a_silent_instance_held_comes_back_and_what_it_books_later_counts() {
    each_backend(|store| async move {
        let windows = [window(1_000, Timestamp(0))];
        assert_eq!(grow(&store, "a", 900, &windows).await, nano(900));
        store.share_touch("a", NOW.plus_ms(50)).await.unwrap();
        assert_eq!(store.share_expire(NOW.plus_ms(50)).await.unwrap(), 0);
        assert_eq!(store.share_expire(NOW.plus_ms(51)).await.unwrap(), 1);
        assert_eq!(grow(&store, "b", 5_000, &windows).await, nano(1_000));
        book(&store, "a", vec![costing(1, 10)]).await;
        assert_eq!(store.share_load("a").await.unwrap()[0].headroom(), Money::ZERO);
        assert_eq!(grow(&store, "a", 5, &windows).await, nano(900));
    })
    .await;
}

#[tokio::test]
async fn providers_and_credentials_consume_what_failed_attempts_cost() {
    each_backend(|store| async move {
        let windows = [window(10_000, Timestamp(0))];
        for scope in [(ScopeKind::Provider, 9), (ScopeKind::Credential, 4), (ScopeKind::Global, 0)] {
            store.share_grow("a", scope, nano(5_000), &windows, NOW).await.unwrap();
        }
        let mut row = costing(1, 77);
        let lost = Attempt {
            provider_id: ProviderId(9),
            credential_id: CredentialId(9),
            provider_cost_usd: nano(33),
            ..row.attempts[0].clone()
        };
        row.attempts.insert(0, lost);
        book(&store, "a", vec![row]).await;
        let consumed: Vec<_> =
            store.share_load("a").await.unwrap().iter().map(|row| (row.scope, row.consumed.nano())).collect();
        assert_eq!(
            consumed,
            [(ScopeKind::Credential, 800), (ScopeKind::Global, 77), (ScopeKind::Provider, 33)]
        );
        let since = [window(100, NOW)];
        let row = store.share_grow("b", (ScopeKind::Provider, 9), nano(500), &since, NOW).await.unwrap();
        assert_eq!(row.granted, Money::ZERO);
    })
    .await;
}

#[tokio::test]
async fn inv_5_many_who_ask_at_once_never_get_more_than_there_is() {
    each_backend(|store| async move {
        let windows = [window(1_000, Timestamp(0)), window(777, NOW.plus_ms(-1))];
        let mut asking = tokio::task::JoinSet::new();
        for n in 0..32_u64 {
            let store = store.clone();
            asking.spawn(async move {
                let node = format!("node-{}", n % 4);
                for step in 0..8 {
                    let before = store.share_grow(&node, ADA, nano(9), &windows, NOW).await;
                    // Somebody else may hold the lock for longer than we wait.
                    assert!(matches!(before, Ok(_) | Err(StoreError::Busy)), "{before:?}");
                    if step % 4 == 3 {
                        book(&store, &node, vec![costing(1_000 + n * 10 + step, 3)]).await;
                    }
                }
            });
        }
        while let Some(done) = asking.join_next().await {
            done.unwrap();
        }
        let mut held = Money::ZERO;
        for n in 0..4 {
            for row in store.share_load(&format!("node-{n}")).await.unwrap() {
                held = held.plus(row.headroom());
            }
        }
        let spent = store.usage_totals(Timestamp(0), Timestamp(i64::MAX), None).await.unwrap().cost_usd;
        assert_eq!(spent, nano(64 * 3));
        assert_eq!(held.plus(spent), nano(777));
    })
    .await;
}

// The same steps without the lock: what the test above would miss if it were not taken.
#[tokio::test]
async fn without_the_lock_two_who_ask_at_once_get_more_than_there_is() {
    let Some(store) = testing::postgres().await else { return };
    let windows = [window(10, Timestamp(0))];
    let mut first = store.pool.begin_write().await.unwrap();
    let mut second = store.pool.begin_write().await.unwrap();
    let one = room(&mut first, ADA.0, ADA.1, &windows).await.unwrap();
    let two = room(&mut second, ADA.0, ADA.1, &windows).await.unwrap();
    grant(&mut first, "a", ADA, one, NOW).await.unwrap();
    first.commit().await.unwrap();
    grant(&mut second, "b", ADA, two, NOW).await.unwrap();
    second.commit().await.unwrap();
    let granted = store.share_load("a").await.unwrap()[0].granted;
    assert_eq!(granted.plus(store.share_load("b").await.unwrap()[0].granted), nano(20));
}
