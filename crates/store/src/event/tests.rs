//! Tests of the histories.

use types::breaker::BreakerState;
use types::credential::CredentialState;

use super::*;
use crate::fixture::{NOW, credential, marked, provider};
use crate::testing::each_backend;

fn opened(n: i64) -> BreakerEvent {
    BreakerEvent {
        at: NOW.plus_ms(n),
        provider_id: ProviderId(n % 2),
        credential_id: CredentialId(n),
        model: (n % 3 > 0).then(|| format!("model-{n}")),
        from: BreakerState::HalfOpen,
        to: BreakerState::Open,
        reason: format!("probe {n} failed"),
    }
}

#[tokio::test]
async fn changes_of_breakers_are_listed_newest_first_and_page_by_page() {
    each_backend(|store| async move {
        store.breaker_event_append(&[]).await.unwrap();
        let events: Vec<_> = (0..90).map(opened).collect();
        let revision = store.config_revision().await.unwrap();
        store.breaker_event_append(&events).await.unwrap();
        assert_eq!(store.config_revision().await.unwrap(), revision);

        let newest: Vec<_> = events.iter().rev().cloned().collect();
        let first = store.breaker_event_list(None, 40, None).await.unwrap();
        assert_eq!(first.items, newest[..40]);
        // What is added meanwhile does not shift the next page.
        store.breaker_event_append(&[opened(200)]).await.unwrap();
        let second = store.breaker_event_list(None, 500, first.next).await.unwrap();
        assert_eq!((second.items.as_slice(), second.next), (&newest[40..], None));

        let odd = store.breaker_event_list(Some(ProviderId(1)), 500, None).await.unwrap().items;
        assert_eq!(odd, newest.iter().filter(|event| event.provider_id.0 == 1).cloned().collect::<Vec<_>>());
        let unread = store.breaker_event_list(None, 5, Some("x".to_owned())).await;
        assert!(matches!(unread, Err(StoreError::Filter { field: "cursor" })));
    })
    .await;
}

#[tokio::test]
async fn f_3_suspensions_are_counted_since_the_credential_was_valid_last() {
    each_backend(|store| async move {
        let owner = provider(&store, "one").await;
        let (valid, suspended) = (CredentialState::Valid, CredentialState::Suspended);
        let made = credential(&store, owner.id, "key 1").await.unwrap();
        let other = credential(&store, owner.id, "key 2").await.unwrap();
        let count = async |id| store.credential_suspensions(id).await.unwrap();
        assert_eq!(count(made.id).await, 0);
        let steps = [
            (valid, suspended, "upstream", 1),
            (suspended, suspended, "upstream", 2),
            // What a check found is no request's suspension.
            (suspended, suspended, "health_check", 2),
            (suspended, CredentialState::RateLimited, "upstream", 2),
            (CredentialState::RateLimited, suspended, "upstream", 3),
            (suspended, valid, "admin", 0),
            (valid, suspended, "upstream", 1),
        ];
        for (version, (from, to, cause, expected)) in (0..).zip(steps) {
            let (mark, mut event) = marked(made.id, from, to, NOW.plus_ms(version));
            event.cause = cause.to_owned();
            assert!(store.credential_mark(made.id, version, &mark, &event).await.unwrap());
            assert_eq!((count(made.id).await, count(other.id).await), (expected, 0), "{version}");
        }
    })
    .await;
}

#[tokio::test]
async fn changes_of_credentials_are_listed_for_one_and_for_all() {
    each_backend(|store| async move {
        let owner = provider(&store, "one").await;
        let (valid, limited) = (CredentialState::Valid, CredentialState::RateLimited);
        let mut told = Vec::new();
        for (n, name) in (0..).zip(["key 1", "key 2"]) {
            let made = credential(&store, owner.id, name).await.unwrap();
            let (to, mut event) = marked(made.id, valid, limited, NOW.plus_ms(n));
            event.until = Some(NOW.plus_ms(5_000));
            assert!(store.credential_mark(made.id, 0, &to, &event).await.unwrap());
            told.push(event);
        }
        let of = async |id| store.credential_event_list(Some(id), 10, None).await.unwrap().items;
        assert_eq!(of(told[0].credential_id).await, [told[0].clone()]);
        assert_eq!(of(CredentialId(99)).await, []);
        let first = store.credential_event_list(None, 1, None).await.unwrap();
        assert_eq!(first.items, [told[1].clone()]);
        let second = store.credential_event_list(None, 1, first.next).await.unwrap();
        assert_eq!((second.items.as_slice(), second.next), (&told[..1], None));
    })
    .await;
}

#[tokio::test]
async fn pruning_takes_the_old_of_both_histories_and_leaves_the_state() {
    each_backend(|store| async move {
        let owner = provider(&store, "one").await;
        let made = credential(&store, owner.id, "key 1").await.unwrap();
        let (to, event) = marked(made.id, CredentialState::Valid, CredentialState::Invalid, NOW.plus_ms(3));
        assert!(store.credential_mark(made.id, 0, &to, &event).await.unwrap());
        store.breaker_event_append(&[opened(1), opened(4)]).await.unwrap();

        assert_eq!(store.event_prune(NOW.plus_ms(1)).await.unwrap(), 0);
        assert_eq!(store.event_prune(NOW.plus_ms(4)).await.unwrap(), 2);
        assert_eq!(store.breaker_event_list(None, 10, None).await.unwrap().items, [opened(4)]);
        assert_eq!(store.credential_event_list(None, 10, None).await.unwrap().items, []);
        let mark = store.credential_fetch(made.id).await.unwrap().mark;
        assert_eq!((mark.state, mark.since), (CredentialState::Invalid, Some(NOW.plus_ms(3))));
    })
    .await;
}
