//! Tests of the state of a credential (AC-13).

use types::Patch;
use types::audit::AuditFilter;
use types::credential::CredentialState::{Banned, Invalid, RateLimited, Suspended, Valid};

use crate::fixture::{NOW, change, credential, marked, provider};
use crate::testing::each_backend;
use crate::{CredentialRow, SealedSecret};

use super::*;

async fn made(store: &Store) -> CredentialRow {
    let owner = provider(store, "one").await;
    credential(store, owner.id, "key 1").await.unwrap()
}

async fn put(store: &Store, id: CredentialId, seen: &CredentialMark, to: CredentialState, at: i64) -> bool {
    let (mark, event) = marked(id, seen.state, to, NOW.plus_ms(at));
    store.credential_mark(id, seen.version, &mark, &event).await.unwrap()
}

async fn stored(store: &Store, id: CredentialId) -> CredentialMark {
    store.credential_fetch(id).await.unwrap().mark
}

async fn history(store: &Store, id: CredentialId) -> Vec<(CredentialState, CredentialState)> {
    let events = store.credential_event_list(Some(id), 500, None).await.unwrap().items;
    events.iter().rev().map(|event| (event.from, event.to)).collect()
}

#[tokio::test]
async fn a_state_comes_back_as_it_was_put_with_its_event_and_a_new_revision_but_no_audit_row() {
    each_backend(|store| async move {
        let id = made(&store).await.id;
        let audits = store.audit_list(&AuditFilter::default()).await.unwrap().items.len();
        let revision = store.config_revision().await.unwrap();
        let (mut to, event) = marked(id, Valid, RateLimited, NOW);
        to.until = Some(NOW.plus_ms(60_000));
        // The version that it gets does not depend on the one that is passed.
        to.version = 70;
        assert!(store.credential_mark(id, 0, &to, &event).await.unwrap());
        assert_eq!(stored(&store, id).await, CredentialMark { version: 1, ..to });
        assert_eq!(store.credential_event_list(Some(id), 10, None).await.unwrap().items, [event]);
        assert_eq!(store.config_revision().await.unwrap(), revision + 1);
        assert_eq!(store.audit_list(&AuditFilter::default()).await.unwrap().items.len(), audits);
        let loaded = store.config_load().await.unwrap().credentials;
        assert_eq!((loaded[0].mark.state, loaded[0].version), (RateLimited, 1));
    })
    .await;
}

#[tokio::test]
async fn ac_13_a_late_success_does_not_overwrite_a_newer_refusal() {
    each_backend(|store| async move {
        let id = made(&store).await.id;
        assert!(put(&store, id, &CredentialMark::default(), RateLimited, 1).await);
        // A request begins while it is rate limited, and succeeds after another was refused.
        let seen = stored(&store, id).await;
        assert!(put(&store, id, &seen, Invalid, 2).await);
        let revision = store.config_revision().await.unwrap();
        assert!(!put(&store, id, &seen, Valid, 3).await);
        let now = stored(&store, id).await;
        assert_eq!((now.state, now.version, now.since), (Invalid, 2, Some(NOW.plus_ms(2))));
        assert_eq!(history(&store, id).await, [(Valid, RateLimited), (RateLimited, Invalid)]);
        assert_eq!(store.config_revision().await.unwrap(), revision);
        // Whoever saw the refusal may lift it.
        assert!(put(&store, id, &now, Valid, 4).await);
    })
    .await;
}

#[tokio::test]
async fn ac_13_a_success_does_not_switch_on_what_was_switched_off_meanwhile() {
    each_backend(|store| async move {
        let row = made(&store).await;
        assert!(put(&store, row.id, &row.mark, RateLimited, 1).await);
        let seen = stored(&store, row.id).await;
        let mut spec = row.spec.clone();
        spec.enabled = false;
        let off = store
            .credential_update(row.id, 1, &spec, None, Patch::Keep, change("credential.update"))
            .await
            .unwrap();
        assert_eq!((off.mark.state, off.version), (RateLimited, 2));
        assert!(put(&store, row.id, &seen, Valid, 2).await);
        let now = store.credential_fetch(row.id).await.unwrap();
        assert_eq!((now.mark.state, now.spec.enabled, now.version), (Valid, false, 2));

        store.credential_delete(row.id, change("credential.delete")).await.unwrap();
        assert!(!put(&store, row.id, &now.mark, Invalid, 3).await);
        assert_eq!(store.credential_fetch(row.id).await.unwrap().mark, now.mark);
        assert!(!put(&store, CredentialId(99), &now.mark, Invalid, 3).await);
        assert_eq!(
            store.credential_event_list(None, 10, None).await.unwrap().items.len(),
            3,
            "the switch too"
        );
    })
    .await;
}

#[tokio::test]
async fn ac_13_of_many_who_saw_the_same_state_one_changes_it() {
    each_backend(|store| async move {
        let id = made(&store).await.id;
        let mut expected = Vec::new();
        for round in 0..5 {
            let seen = stored(&store, id).await;
            let won = rush(&store, id, &seen, round).await;
            let now = stored(&store, id).await;
            assert_eq!((won, now.version), (vec![now.state], round + 1));
            expected.push((seen.state, now.state));
        }
        assert_eq!(history(&store, id).await, expected);
    })
    .await;
}

// Several at once who saw the same; answers whose state was taken.
async fn rush(store: &Store, id: CredentialId, seen: &CredentialMark, at: i64) -> Vec<CredentialState> {
    let turn = async |to| put(store, id, seen, to, at).await.then_some(to);
    let turns = Box::pin(async { tokio::join!(turn(Valid), turn(Invalid), turn(Suspended), turn(Banned)) });
    let (a, b, c, d) = turns.await;
    [a, b, c, d].into_iter().flatten().collect()
}

#[tokio::test]
async fn ac_13_an_answer_to_the_old_secret_says_nothing_about_the_new_one() {
    each_backend(|store| async move {
        let row = made(&store).await;
        let secret = SealedSecret { sealed: b"new".to_vec(), hint: "sk-…new1".to_owned() };
        let change = change("credential.update");
        store.credential_update(row.id, 1, &row.spec, Some(secret), Patch::Keep, change).await.unwrap();
        assert!(!put(&store, row.id, &row.mark, Invalid, 1).await);
        let now = stored(&store, row.id).await;
        assert_eq!((now.state, now.version), (Valid, 1));
        // It was valid before: that is no event.
        assert_eq!(history(&store, row.id).await, []);
    })
    .await;
}

#[tokio::test]
async fn ac_13_in_whatever_order_three_look_and_write_only_the_newest_view_counts() {
    each_backend(|store| async move {
        let id = made(&store).await.id;
        let states = [Valid, RateLimited, Invalid, Suspended, Banned];
        let mut views = [(); 3].map(|()| CredentialMark::default());
        let mut expected = CredentialMark::default();
        // A linear congruential generator (Numerical Recipes): the same steps each time.
        let mut draw = 7_u32;
        for at in 0..120 {
            draw = draw.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let of = |shift: u32, count: usize| usize::try_from(draw >> shift).unwrap() % count;
            let (who, to) = (of(16, 3), states[of(20, 5)]);
            let view = &mut views[who];
            if draw >> 30 == 0 {
                *view = stored(&store, id).await;
                continue;
            }
            let wins = view.version == expected.version;
            assert_eq!(put(&store, id, view, to, at).await, wins, "step {at}");
            if wins {
                let (mark, _) = marked(id, view.state, to, NOW.plus_ms(at));
                expected = CredentialMark { version: view.version + 1, ..mark };
            }
            assert_eq!(stored(&store, id).await, expected, "step {at}");
        }
        // Each event goes on from where the one before it ended.
        let told = history(&store, id).await;
        assert!(told.len() > 10 && told.windows(2).all(|pair| pair[0].1 == pair[1].0), "{told:?}");
        assert_eq!(told.len(), usize::try_from(expected.version).unwrap());
    })
    .await;
}

#[tokio::test]
async fn ac_13_what_was_on_its_way_when_a_credential_was_taken_for_good_again_counts_no_more() {
    each_backend(|store| async move {
        let id = made(&store).await.id;
        let seen = stored(&store, id).await;
        store.credential_mark_clear(id, NOW).await.unwrap();
        assert!(!put(&store, id, &seen, Invalid, 1).await, "it looked well, and is on its way");
        assert_eq!(history(&store, id).await, []);
        let seen = stored(&store, id).await;
        assert_eq!((seen.state, seen.since), (Valid, None));
        store.credential_marks_settle().await.unwrap();
        assert!(!put(&store, id, &seen, Invalid, 1).await, "one of all that look well");
        let seen = stored(&store, id).await;
        assert!(put(&store, id, &seen, Suspended, 2).await);
        let marked = stored(&store, id).await;
        store.credential_marks_settle().await.unwrap();
        store.credential_mark_clear(CredentialId(99), NOW).await.unwrap();
        assert_eq!(stored(&store, id).await, marked, "nobody took this one for good");
        let revision = store.config_revision().await.unwrap();
        store.credential_mark_clear(id, NOW.plus_ms(3)).await.unwrap();
        let mark = stored(&store, id).await;
        assert_eq!((mark.state, mark.reason, mark.since), (Valid, None, Some(NOW.plus_ms(3))));
        assert_eq!(history(&store, id).await, [(Valid, Suspended), (Suspended, Valid)]);
        assert_eq!(store.config_revision().await.unwrap(), revision + 1);
    })
    .await;
}
