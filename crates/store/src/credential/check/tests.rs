//! Tests of what is stored of checks (HC).

use types::Patch;
use types::check::CheckResult::{Alive, Failed, Healthy, Inconclusive, NotProbed};
use types::credential::{CredentialMark, CredentialSpec, CredentialState};

use crate::fixture::{NOW, change, credential, credential_spec, marked, note, provider};
use crate::testing::each_backend;
use crate::{CredentialRow, SealedSecret};

use super::*;

async fn made(store: &Store) -> CredentialRow {
    let owner = provider(store, "one").await;
    credential(store, owner.id, "key 1").await.unwrap()
}

async fn stored(store: &Store, id: CredentialId) -> CredentialRow {
    store.credential_fetch(id).await.unwrap()
}

fn switch(id: CredentialId, off: bool) -> CredentialEvent {
    let (from, to) = if off {
        (CredentialState::Valid, CredentialState::Disabled)
    } else {
        (CredentialState::Disabled, CredentialState::Valid)
    };
    CredentialEvent { cause: "health_check".to_owned(), ..marked(id, from, to, NOW).1 }
}

#[tokio::test]
async fn hc_13_failures_add_up_and_a_success_ends_them() {
    each_backend(|store| async move {
        let id = made(&store).await.id;
        let revision = store.config_revision().await.unwrap();
        let mut seen = Vec::new();
        for result in [Failed, Failed, Inconclusive, Alive, NotProbed, Failed, Healthy, Healthy] {
            seen.push(store.credential_check_append(&[note(id, 0, result)]).await.unwrap()[0].unwrap());
        }
        assert_eq!(seen, [1, 2, 2, 2, 2, 3, 0, 0]);
        // Only what others have to know of is a new revision.
        assert_eq!(store.config_revision().await.unwrap(), revision + 4);
        let row = stored(&store, id).await;
        assert_eq!((row.check.at, row.check.result, row.version), (Some(NOW), Some(Healthy), 1));
        let history = store.credential_check_list(id, 3).await.unwrap();
        assert_eq!(history.iter().map(|line| line.result).collect::<Vec<_>>(), [Healthy, Healthy, Failed]);
        assert_eq!(history[2], note(id, 0, Failed).line);
        let (counts, last) = store.credential_check_counts(NOW).await.unwrap();
        assert_eq!((counts.checked, counts.failed, counts.inconclusive, last), (8, 3, 1, Some(NOW)));
        let (counts, last) = store.credential_check_counts(NOW.plus_ms(1)).await.unwrap();
        assert_eq!((counts.checked, last), (0, Some(NOW)));
        assert_eq!(store.credential_check_times().await.unwrap(), [(id, NOW, 0)]);
    })
    .await;
}

#[tokio::test]
async fn ac_13_a_check_of_what_is_over_counts_for_nothing() {
    each_backend(|store| async move {
        let id = made(&store).await.id;
        assert_eq!(store.credential_check_append(&[note(id, 0, Failed)]).await.unwrap(), [Some(1)]);
        assert_eq!(
            store.credential_check_reset(Some(id), Some(change("credential.reset"))).await.unwrap(),
            1
        );
        assert_eq!(store.credential_check_append(&[note(id, 0, Failed)]).await.unwrap(), [None]);
        assert_eq!(stored(&store, id).await.check.failures, 0);
        assert_eq!(
            store.credential_check_list(id, 9).await.unwrap().len(),
            2,
            "the history has it all the same"
        );
        assert_eq!(store.credential_check_reset(None, None).await.unwrap(), 0, "there is none");
        assert!(!store.credential_switch(0, Some("late"), &switch(id, true), change("x.y")).await.unwrap());
        store.credential_delete(id, change("credential.delete")).await.unwrap();
        assert_eq!(store.credential_check_append(&[note(id, 1, Failed)]).await.unwrap(), [None]);
    })
    .await;
}

#[tokio::test]
async fn hc_01_what_the_checker_switched_off_it_may_switch_on_again_but_not_what_a_person_did() {
    each_backend(|store| async move {
        let id = made(&store).await.id;
        store.credential_check_append(&[note(id, 0, Failed)]).await.unwrap();
        let event = switch(id, true);
        let off = store.credential_switch(0, Some("401"), &event, change("credential.disable")).await;
        assert!(off.unwrap());
        let row = stored(&store, id).await;
        assert_eq!((row.spec.enabled, row.check.disabled_by), (false, Some(DisabledBy::HealthCheck)));
        assert_eq!((row.check.disabled_at, row.check.disabled_reason.as_deref()), (Some(NOW), Some("401")));
        assert_eq!((row.version, row.mark.version, row.check.failures), (2, 1, 1));
        // Saving it as it is leaves it so.
        let spec = row.spec.clone();
        let row = store
            .credential_update(id, 2, &spec, None, Patch::Keep, change("credential.update"))
            .await
            .unwrap();
        assert_eq!(row.check.disabled_by, Some(DisabledBy::HealthCheck));
        assert!(
            store.credential_switch(1, None, &switch(id, false), change("credential.enable")).await.unwrap()
        );
        let row = stored(&store, id).await;
        assert_eq!((row.spec.enabled, row.check.disabled_by, row.check.failures), (true, None, 0));
        let events = store.credential_event_list(Some(id), 9, None).await.unwrap().items;
        assert_eq!(
            (events.len(), events[0].to, events[1].to),
            (2, CredentialState::Valid, CredentialState::Disabled)
        );

        // A person switches it off: nobody else switches it on.
        store.credential_check_append(&[note(id, row.mark.version, Failed)]).await.unwrap();
        let spec = CredentialSpec { enabled: false, ..credential_spec("key 1") };
        let row = store
            .credential_update(id, row.version, &spec, None, Patch::Keep, change("credential.update"))
            .await
            .unwrap();
        assert_eq!((row.check.disabled_by, row.check.failures), (Some(DisabledBy::Admin), 1));
        let event = switch(id, false);
        let on = store.credential_switch(row.mark.version, None, &event, change("credential.enable")).await;
        assert!(!on.unwrap());
        // Switching it on by hand lets the count begin anew.
        let spec = credential_spec("key 1");
        let row = store
            .credential_update(id, row.version, &spec, None, Patch::Keep, change("credential.update"))
            .await
            .unwrap();
        assert_eq!((row.check.disabled_by, row.check.failures, row.spec.enabled), (None, 0, true));
    })
    .await;
}

#[tokio::test]
async fn a_new_secret_ends_what_the_checker_had_against_the_old_one() {
    each_backend(|store| async move {
        let id = made(&store).await.id;
        store.credential_check_append(&[note(id, 0, Failed)]).await.unwrap();
        store
            .credential_switch(0, Some("401"), &switch(id, true), change("credential.disable"))
            .await
            .unwrap();
        let row = stored(&store, id).await;
        let secret = SealedSecret { sealed: vec![9], hint: "sk-…".to_owned() };
        let row = store
            .credential_update(
                id,
                row.version,
                &row.spec,
                Some(secret),
                Patch::Keep,
                change("credential.update"),
            )
            .await
            .unwrap();
        assert_eq!((row.spec.enabled, row.check.failures, row.check.disabled_by), (true, 0, None));
        assert_eq!(row.mark, CredentialMark { version: 2, since: Some(NOW), ..CredentialMark::default() });
        assert_eq!(store.credential_check_append(&[note(id, 1, Failed)]).await.unwrap(), [None]);
    })
    .await;
}

#[tokio::test]
async fn the_history_keeps_a_hundred_of_each_and_nothing_from_before() {
    each_backend(|store| async move {
        let one = made(&store).await.id;
        let two = credential(&store, stored(&store, one).await.provider_id, "key 2").await.unwrap().id;
        let notes: Vec<_> = (0..130).map(|_| note(one, 0, Healthy)).collect();
        store.credential_check_append(&notes).await.unwrap();
        let mut old = note(two, 0, Healthy);
        old.line.at = NOW.plus_ms(-5);
        store.credential_check_append(&[old, note(two, 0, Healthy)]).await.unwrap();
        assert_eq!(store.credential_check_prune(NOW).await.unwrap(), 31);
        assert_eq!(store.credential_check_list(one, 500).await.unwrap().len(), 100);
        assert_eq!(store.credential_check_list(two, 500).await.unwrap().len(), 1);
    })
    .await;
}
