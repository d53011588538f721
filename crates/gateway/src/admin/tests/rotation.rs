//! A change of the encryption secret, end to end.

use std::ops::ControlFlow;

use serde_json::json;
use store::{SEALED_META, SealedPlace};
use types::rotation::{Rotation, RotationPhase};

use super::*;
use crate::authenticate::Auth;
use crate::snapshot::Proxy;
use crate::vault::{Purpose, StoredSecrets, Vault};

const NEW: &str = "the-new-encryption-secret-of-tests";

/// A house with something sealed in every place; more credentials than one piece takes.
async fn furnished() -> (House, String) {
    let house = House::new().await;
    let admin = house.admin();
    let create = json!({
        "name": "p", "kind": "anthropic", "base_url": "http://127.0.0.1:9", "api_key": "sk-upstream-0123456789",
        "proxy_url": "http://u:pw@h:1080",
    });
    let provider = admin.provider_create(input(create)).await.unwrap();
    let credential = admin.credential_list(Some(provider.id)).await.unwrap().remove(0);
    let proxied = json!({"proxy_url": "socks5://u:other-pw@h:1080"});
    admin.credential_update(credential.id, input(proxied)).await.unwrap();
    for n in 0..250 {
        let more = json!({"provider_id": provider.id, "api_key": format!("sk-more-{n}")});
        admin.credential_create(input(more)).await.unwrap();
    }
    let vendor = json!({
        "spec": {
            "label": "V", "grants": ["authorization_code"], "authorize_url": "https://v.example/a",
            "token_url": "https://v.example/t",
        },
        "client_id": "client-1", "client_secret": "client-secret-0123456789",
    });
    admin.vendor_put("test".to_owned(), input(vendor)).await.unwrap();
    let begin = json!({"vendor": "test", "provider_id": provider.id, "way": "paste", "origin": "https://gate.example"});
    admin.flow_begin(input(begin)).await.unwrap();
    let user = admin.user_create(input(json!({"name": "maria"}))).await.unwrap();
    let key = admin.key_create(user.id, input(json!({"name": "laptop"}))).await.unwrap().key;
    (house, key)
}

/// Waits for the rotation that a start begins.
async fn settled(house: &House) -> Rotation {
    let admin = house.admin();
    for _ in 0..6_000 {
        let rotation = admin.secrets_view().await.unwrap().rotation;
        if !matches!(rotation.phase, RotationPhase::Running | RotationPhase::Idle) {
            return rotation;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("the rotation does not end");
}

async fn check_all_is_new(house: &House, key: &str) {
    let store = house.reopened().await;
    assert!(Vault::open_with_canary(&secret(ENCRYPTION), &[], &store).await.is_err(), "the old one is out");
    let after = House::on(store, NEW, &[]).await;
    let core = &after.gateway.core;
    let snapshot = core.snapshot();
    let credentials = &snapshot.providers[0].credentials;
    assert_eq!(credentials.len(), 251);
    assert!(credentials.iter().all(|credential| credential.auth.is_readable()));
    let auth = &credentials[0].auth;
    assert!(matches!(auth, Auth::Key(key) if key.expose() == "sk-upstream-0123456789"));
    let proxy = &credentials[0].proxy;
    assert!(
        matches!(proxy, Proxy::Own(address) if address.expose() == "socks5://u:other-pw@h:1080"),
        "{proxy:?}"
    );
    assert!(snapshot.keys.contains_key(&core.keys.hash(key)), "issued keys outlive the encryption secret");
    let view = after.admin().secrets_view().await.unwrap();
    assert!(view.all_current && view.former_key_ids.is_empty(), "{view:?}");
    assert!(view.lines.iter().all(|line| line.current == line.total && line.total > 0), "{view:?}");
}

#[tokio::test]
async fn cr_04_after_a_rotation_the_new_secret_alone_opens_everything_and_keys_still_work() {
    let (house, key) = furnished().await;
    house.gateway.stop().await;
    let rotating = House::on(house.reopened().await, NEW, &[ENCRYPTION]).await;
    let done = settled(&rotating).await;
    // Credentials, both proxies, a client's secret, a sign-in, pepper and canary.
    assert_eq!((done.phase, done.total, done.seen), (RotationPhase::Done, 257, 257), "{done:?}");
    assert_eq!((done.resealed, done.unreadable, done.error.clone()), (257, 0, None), "{done:?}");
    assert!(done.started_at.is_some() && done.ended_at.is_some());

    // Once more by hand: nothing is left to do, and nothing more is written down.
    rotating.admin().secrets_rotate().await.unwrap();
    let again = settled(&rotating).await;
    assert_eq!((again.phase, again.seen, again.resealed), (RotationPhase::Done, 257, 0));
    let audit = rotating.audit("secrets.rotate").await;
    assert_eq!(audit.len(), 1);
    assert_eq!(audit[0].after.as_ref().unwrap()["resealed"], 257);
    rotating.gateway.stop().await;
    check_all_is_new(&house, &key).await;
}

#[tokio::test]
async fn cr_04_a_rotation_that_ends_after_any_piece_is_resumed() {
    let (house, key) = furnished().await;
    house.gateway.stop().await;
    let store = house.reopened().await;
    let vault = Vault::open_with_canary(&secret(NEW), &[secret(ENCRYPTION)], &store).await.unwrap();
    let (mut pieces, mut resealed) = (0, 0);
    loop {
        // Each run ends after the first piece that changed something, as a kill would end it.
        let mut before = 0;
        let stopped = vault
            .rotate(&store, |now| {
                let changed = now.resealed > before;
                before = now.resealed;
                if changed { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })
            .await
            .unwrap();
        resealed += stopped.resealed;
        if stopped.phase == RotationPhase::Done {
            break;
        }
        pieces += 1;
        assert!(pieces < 20, "it does not come to an end");
        let refused = Vault::open_with_canary(&secret(NEW), &[], &store).await.unwrap_err().to_string();
        assert!(refused.contains("Decryption failed"), "the new secret alone is not enough yet: {refused}");
        let both = vault.view(&store, Rotation::default()).await.unwrap();
        assert!(!both.all_current && both.lines.iter().all(|line| line.unknown == 0), "{both:?}");
    }
    // 251 secrets in pieces of 100, two proxies, a client's secret and a sign-in.
    assert_eq!((pieces, resealed), (7, 257));
    store.close().await;
    check_all_is_new(&house, &key).await;
}

#[tokio::test]
async fn cr_04_a_wrong_former_secret_is_refused_with_the_way_out() {
    let (house, _) = furnished().await;
    house.gateway.stop().await;
    let wrong = [secret("some-other-secret-never-used-here-1")];
    let store = house.reopened().await;
    let refused = StoredSecrets::open(&secret(NEW), &wrong, store).await.unwrap_err().to_string();
    let way_out = format!(
        "use the secret that was used at first encryption (key id {})",
        crate::vault::key_id_of_secret(&secret(ENCRYPTION)).unwrap()
    );
    assert!(refused.contains("Decryption failed") && refused.contains(&way_out), "{refused}");
    let again = StoredSecrets::open(&secret(ENCRYPTION), &[], house.reopened().await).await.unwrap();
    assert_eq!(again.view().await.unwrap().lines[0].current, 251, "nothing was touched");
}

#[tokio::test]
async fn cr_04_what_no_secret_opens_is_counted_and_stays() {
    let (house, _) = furnished().await;
    house.gateway.stop().await;
    let store = house.reopened().await;
    let value = store.sealed_batch(SealedPlace::CredentialSecret, 0, 1).await.unwrap().remove(0);
    let mut broken = value.sealed.clone();
    *broken.last_mut().unwrap() ^= 1;
    let change = store::Resealed { row: value.row, old: value.sealed, new: broken.clone() };
    assert_eq!(store.sealed_replace(SealedPlace::CredentialSecret, &[change]).await.unwrap(), 1);
    let stored = StoredSecrets::open(&secret(NEW), &[secret(ENCRYPTION)], store).await.unwrap();
    let mut told = Vec::new();
    let done = stored.rotate(Timestamp(1), |now| told.push((now.seen, now.total))).await.unwrap();
    assert_eq!((done.phase, done.resealed, done.unreadable), (RotationPhase::Done, 256, 1));
    let seen = [100, 200, 251, 252, 253, 254, 255];
    assert_eq!(told, seen.map(|seen| (seen, 257)), "progress by piece");
    let left = house.reopened().await.sealed_batch(SealedPlace::CredentialSecret, 0, 1).await.unwrap();
    assert_eq!(left[0].sealed, broken);
}

#[tokio::test]
async fn cr_04_a_value_that_somebody_changes_meanwhile_stays_as_he_left_it() {
    let (house, _) = furnished().await;
    house.gateway.stop().await;
    let store = house.reopened().await;
    let vault = Vault::open_with_canary(&secret(NEW), &[secret(ENCRYPTION)], &store).await.unwrap();
    let last = store.sealed_batch(SealedPlace::CredentialSecret, 250, 1).await.unwrap().remove(0);
    let newer = secret("sk-entered-meanwhile");
    let changed = vault.seal(Purpose::CredentialSecret, last.row, &newer).unwrap();
    // Between its first piece and the rest.
    let stopped = vault.rotate(&store, |_| ControlFlow::Break(())).await.unwrap();
    assert_eq!((stopped.phase, stopped.resealed), (RotationPhase::Stopped, 100));
    let change = store::Resealed { row: last.row, old: last.sealed, new: changed };
    assert_eq!(store.sealed_replace(SealedPlace::CredentialSecret, &[change]).await.unwrap(), 1);
    let done = vault.rotate(&store, |_| ControlFlow::Continue(())).await.unwrap();
    assert_eq!((done.phase, done.seen, done.resealed), (RotationPhase::Done, 257, 156));
    let left = store.sealed_batch(SealedPlace::CredentialSecret, 250, 1).await.unwrap().remove(0);
    let opened = vault.open(Purpose::CredentialSecret, left.row, &left.sealed).unwrap();
    assert_eq!(opened.expose(), "sk-entered-meanwhile");
}

#[test]
fn cr_04_one_rotation_runs_at_a_time_and_its_beginning_stays() {
    let board = crate::vault::rotation::Board::default();
    assert!(board.begin(Timestamp(1)) && !board.begin(Timestamp(2)), "one is under way");
    board.note(&Rotation { phase: RotationPhase::Running, seen: 3, ..Rotation::default() });
    assert_eq!((board.view().started_at, board.view().seen), (Some(Timestamp(1)), 3));
    board.note(&Rotation { phase: RotationPhase::Done, ..Rotation::default() });
    assert!(board.begin(Timestamp(5)));
    assert_eq!((board.view().started_at, board.view().seen), (Some(Timestamp(5)), 0), "and begins anew");
}

#[test]
fn cr_04_nothing_is_sealed_in_a_place_that_a_rotation_does_not_know() {
    // Exhaustive, so that a new purpose does not compile before it has a place here.
    let home = |purpose: Purpose| match purpose {
        Purpose::CredentialSecret => Ok(SealedPlace::CredentialSecret),
        Purpose::CredentialProxy => Ok(SealedPlace::CredentialProxy),
        Purpose::ProviderProxy => Ok(SealedPlace::ProviderProxy),
        Purpose::VendorSecret => Ok(SealedPlace::VendorSecret),
        Purpose::FlowSecret => Ok(SealedPlace::FlowSecret),
        Purpose::KeyPepper => Err("key_pepper"),
        Purpose::Canary => Err("vault_canary"),
        Purpose::Summary => Err("held by clients, stored nowhere"),
    };
    assert_eq!(home(Purpose::FlowSecret), Ok(SealedPlace::FlowSecret));
    for purpose in [Purpose::KeyPepper, Purpose::Canary] {
        assert!(SEALED_META.contains(&home(purpose).unwrap_err()), "{purpose:?}");
    }
}
