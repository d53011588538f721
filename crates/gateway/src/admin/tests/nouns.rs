//! Providers, credentials, users, keys and settings through the handle.

use serde_json::json;
use types::breaker::{BreakerEvent, BreakerState};
use types::credential::{CredentialEvent, CredentialMark, CredentialState};
use types::usage::{AttentionKind, OverviewSpan};
use types::{Patch, ProviderId};

use super::*;
use crate::authenticate::Auth;
use crate::events::{self, NewState};
use crate::vault::Purpose;

const UPSTREAM_KEY: &str = "sk-upstream-CANARY-0123456789";

async fn provider(admin: &Admin, name: &str) -> types::provider::ProviderView {
    let create = json!({
        "name": name, "kind": "anthropic", "base_url": "http://127.0.0.1:9", "api_key": UPSTREAM_KEY,
    });
    admin.provider_create(input(create)).await.unwrap()
}

#[tokio::test]
async fn ac_02_a_new_provider_is_in_the_snapshot_when_the_call_returns() {
    let house = House::new().await;
    let admin = house.admin();
    let made = provider(&admin, "main").await;
    assert_eq!((made.credential_count, made.version), (1, 1));
    let snapshot = house.gateway.core.snapshot();
    assert_eq!(snapshot.providers[0].id, made.id);
    let credential = &snapshot.providers[0].credentials[0];
    assert!(matches!(&credential.auth, Auth::Key(key) if key.expose() == UPSTREAM_KEY));

    admin.provider_delete(made.id).await.unwrap();
    assert!(house.gateway.core.snapshot().providers.is_empty());
    assert_eq!(admin.provider_fetch(made.id).await.unwrap().deleted_at, Some(house.clock.now()));
    assert_eq!(
        admin.provider_update(made.id, input(json!({"name": "x"}))).await.unwrap_err().code,
        "not_found"
    );
    admin.provider_restore(made.id).await.unwrap();
    assert_eq!(house.gateway.core.snapshot().providers[0].credentials.len(), 1);
}

#[tokio::test]
async fn op_06_each_change_leaves_who_when_what_and_no_secret() {
    let house = House::new().await;
    let admin = house.admin();
    let made = provider(&admin, "main").await;
    let change = json!({"priority": 5, "proxy_url": "http://u:proxy-CANARY@proxy:3128"});
    admin.provider_update(made.id, input(change)).await.unwrap();
    let credential = admin.credential_list(Some(made.id)).await.unwrap().remove(0);
    admin
        .credential_update(credential.id, input(json!({"api_key": "sk-other-CANARY-0123456789"})))
        .await
        .unwrap();

    let rows = house.audit("").await;
    let actions: Vec<_> = rows.iter().map(|row| row.action.as_str()).collect();
    assert_eq!(actions, ["credential.update", "provider.update", "credential.create", "provider.create"]);
    let update = &rows[1];
    assert_eq!((update.actor.as_str(), update.client_ip.as_deref()), ("admin", Some("192.0.2.10")));
    assert_eq!((update.at, update.object_name.as_str()), (house.clock.now(), "main"));
    assert_eq!(update.before.as_ref().unwrap()["priority"], json!(0));
    assert_eq!(update.after.as_ref().unwrap()["priority"], json!(5));
    assert_eq!(update.after.as_ref().unwrap()["proxy_url"], json!("http://u:…@proxy:3128"));
    assert!(update.after.as_ref().unwrap().get("name").is_none(), "unchanged fields are not written");
    assert_eq!(rows[0].after.as_ref().unwrap()["api_key"], json!("changed"));
    assert!(!format!("{rows:?}").contains("CANARY"));
}

#[tokio::test]
async fn a_patch_that_changes_nothing_writes_nothing() {
    let house = House::new().await;
    let admin = house.admin();
    let made = provider(&admin, "main").await;
    let before = house.audit("").await.len();
    let same = admin.provider_update(made.id, input(json!({"name": "main", "weight": 1}))).await.unwrap();
    assert_eq!(same.version, made.version);
    assert_eq!(house.audit("").await.len(), before);
}

#[tokio::test]
async fn a_stale_version_is_refused_and_says_what_was_changed() {
    let house = House::new().await;
    let admin = house.admin();
    let made = provider(&admin, "main").await;
    admin.provider_update(made.id, input(json!({"weight": 7, "version": 1}))).await.unwrap();
    let problem =
        admin.provider_update(made.id, input(json!({"weight": 9, "version": 1}))).await.unwrap_err();
    assert_eq!((problem.code.as_str(), problem.status()), ("stale_version", 409));
    assert!(problem.message.contains("weight") && problem.message.contains("admin"), "{problem}");
}

#[tokio::test]
async fn names_are_unique_and_the_conflict_names_the_field() {
    let house = House::new().await;
    let admin = house.admin();
    provider(&admin, "main").await;
    let again = json!({"name": "main", "kind": "gemini", "base_url": "http://127.0.0.1:9"});
    let problem = admin.provider_create(input(again)).await.unwrap_err();
    assert_eq!(problem.code, "conflict");
    assert!(problem.fields.contains_key("name"));
}

#[tokio::test]
async fn every_fault_of_a_provider_and_its_first_credential_is_told_at_once() {
    let house = House::new().await;
    let bad = json!({
        "name": "", "kind": "anthropic", "base_url": "x", "api_key": "two words", "tier": "gold", "proxy_url": "ftp://p",
    });
    let problem = house.admin().provider_create(input(bad)).await.unwrap_err();
    let fields: Vec<_> = problem.fields.keys().map(String::as_str).collect();
    assert_eq!(fields, ["api_key", "base_url", "name", "proxy_url", "tier"]);
    assert!(house.admin().provider_list(true).await.unwrap().is_empty());
}

#[tokio::test]
async fn x23_swapped_ciphertexts_make_credentials_unreadable_and_ask_for_a_person() {
    let house = House::new().await;
    let admin = house.admin();
    let made = provider(&admin, "main").await;
    let other = json!({"provider_id": made.id, "api_key": "sk-second-0123456789abc"});
    let second = admin.credential_create(input(other)).await.unwrap();
    assert_eq!(second.name, "key 2");
    let rows = house.store.credential_list(false).await.unwrap();
    let swapped =
        store::Resealed { row: rows[0].id.0, old: rows[0].sealed.clone(), new: rows[1].sealed.clone() };
    let place = store::SealedPlace::CredentialSecret;
    assert_eq!(house.store.sealed_replace(place, &[swapped]).await.unwrap(), 1);
    house.gateway.reload().await.unwrap();

    let views = admin.credential_list(None).await.unwrap();
    assert_eq!(
        views.iter().map(|v| v.state).collect::<Vec<_>>(),
        [CredentialState::Unreadable, CredentialState::Valid]
    );
    let overview = admin.overview(OverviewSpan::Day).await.unwrap();
    let kinds: Vec<_> = overview.attention.iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds, [AttentionKind::NoKey, AttentionKind::CredentialUnreadable]);
    assert_eq!(overview.points.len(), 24);
}

#[tokio::test]
async fn a_rejected_credential_shows_and_recovers() {
    let house = House::new().await;
    let admin = house.admin();
    let made = provider(&admin, "main").await;
    let id = admin.credential_list(Some(made.id)).await.unwrap()[0].id;
    let reason = Some("401 invalid x-api-key".to_owned());
    let now = house.clock.now();
    let mark = CredentialMark {
        state: CredentialState::Invalid,
        reason: reason.clone(),
        since: Some(now),
        ..CredentialMark::default()
    };
    let event = CredentialEvent {
        credential_id: id,
        at: now,
        from: CredentialState::Valid,
        to: CredentialState::Invalid,
        until: None,
        reason,
        cause: "upstream".to_owned(),
        request_id: None,
    };
    assert!(house.store.credential_mark(id, 0, &mark, &event).await.unwrap());
    let view = admin.credential_fetch(id).await.unwrap();
    assert_eq!(view.state, CredentialState::Invalid);
    assert_eq!(view.last_error.as_deref(), Some("401 invalid x-api-key"));
    assert_eq!(admin.credential_recover(id).await.unwrap().state, CredentialState::Valid);
    assert_eq!(house.audit("credential.recover").await.len(), 1);
}

#[tokio::test]
async fn ac_13_a_state_that_is_still_on_its_way_when_somebody_recovers_the_credential_comes_too_late() {
    let house = House::new().await;
    let admin = house.admin();
    let made = provider(&admin, "main").await;
    let id = admin.credential_list(Some(made.id)).await.unwrap()[0].id;
    for all in [false, true] {
        // As a request saw it that was refused.
        let seen = house.core().snapshot().providers[0].credentials[0].clone();
        if all {
            admin.credential_recover_all().await.unwrap();
        } else {
            admin.credential_recover(id).await.unwrap();
        }
        let (state, reason) = (CredentialState::Invalid, Some("401".to_owned()));
        let refused = NewState { state, until: None, reason, cause: "upstream", request: None };
        events::mark(house.core(), &seen, refused).await.unwrap();
        assert_eq!(admin.credential_fetch(id).await.unwrap().state, CredentialState::Valid, "all: {all}");
    }
}

#[tokio::test]
async fn what_breakers_did_while_the_database_took_nothing_is_written_later() {
    let house = House::at(testing::sqlite().await).await;
    let made = provider(&house.admin(), "main").await;
    let id = house.admin().credential_list(Some(made.id)).await.unwrap()[0].id;
    let event = |model: &str| BreakerEvent {
        at: house.clock.now(),
        provider_id: made.id,
        credential_id: id,
        model: Some(model.to_owned()),
        from: BreakerState::Closed,
        to: BreakerState::Open,
        reason: "500".to_owned(),
    };
    house.core().outbox.push(event("m-1"));
    let file = house.home.as_ref().unwrap().url().strip_prefix("sqlite://").unwrap();
    let held = testing::hold_writes(std::path::Path::new(file)).await;
    assert!(house.admin().breaker_events(None, None).await.is_err());
    drop(held);
    house.core().outbox.push(event("m-2"));
    let events = house.admin().breaker_events(None, None).await.unwrap().items;
    let models: Vec<_> = events.iter().map(|event| event.model.as_deref().unwrap()).collect();
    assert_eq!(models, ["m-2", "m-1"]);
}

#[tokio::test]
async fn a_provider_can_be_added_without_a_key_and_its_proxy_is_sealed() {
    let house = House::new().await;
    let admin = house.admin();
    let create = json!({
        "name": "p", "kind": "openai-compatible", "base_url": "http://127.0.0.1:9", "proxy_url": "socks5://u:pw@h:1080",
    });
    let made = admin.provider_create(input(create)).await.unwrap();
    assert_eq!(made.proxy_url.as_deref(), Some("socks5://u:…@h:1080"));
    let row = house.store.provider_fetch(made.id).await.unwrap();
    let sealed = row.proxy_sealed.unwrap();
    let opened = house.gateway.core.vault.open(Purpose::ProviderProxy, made.id.0, &sealed).unwrap();
    assert_eq!(opened.expose(), "socks5://u:pw@h:1080");
    let cleared = types::provider::UpdateProvider { proxy_url: Patch::Clear, ..Default::default() };
    assert_eq!(admin.provider_update(made.id, cleared).await.unwrap().proxy_url, None);
    let test = admin.provider_test(made.id, input(json!({}))).await.unwrap_err();
    assert!(test.fields.contains_key("credential_id"));
    assert_eq!(admin.provider_models(ProviderId(99)).await.unwrap_err().code, "not_found");
}

#[tokio::test]
async fn ke_02_a_key_is_shown_once_and_found_again_by_its_full_text_only() {
    let house = House::new().await;
    let admin = house.admin();
    let user = admin.user_create(input(json!({"name": "maria"}))).await.unwrap();
    let made = admin.key_create(user.id, input(json!({"name": "laptop"}))).await.unwrap();
    assert!(made.key.starts_with(&made.view.prefix) && made.view.prefix.starts_with("sk-tg-"));
    assert_eq!(made.view.user_name, "maria");
    let row = house.store.key_fetch(made.id).await.unwrap();
    assert_eq!(row.hash, house.gateway.core.keys.hash(&made.key));
    assert!(!format!("{row:?}").contains(&made.key));
    assert!(house.gateway.core.snapshot().keys.contains_key(&house.gateway.core.keys.hash(&made.key)));

    let found = admin.key_find(secret(&made.key)).await.unwrap().unwrap();
    assert_eq!(found.id, made.id);
    assert!(admin.key_find(secret(&made.view.prefix)).await.unwrap().is_none());
    assert!(admin.key_find(secret("nonsense")).await.unwrap().is_none());

    admin.key_update(made.id, input(json!({"enabled": false}))).await.unwrap();
    let hash = house.gateway.core.keys.hash(&made.key);
    assert!(!house.gateway.core.snapshot().keys[&hash].spec.enabled);
    admin.key_delete(made.id).await.unwrap();
    assert!(!house.gateway.core.snapshot().keys.contains_key(&hash));
    admin.key_restore(made.id).await.unwrap();
    assert!(house.gateway.core.snapshot().keys.contains_key(&hash));
}

#[tokio::test]
async fn x13_a_key_cannot_name_groups_that_its_user_lacks() {
    let house = House::new().await;
    let admin = house.admin();
    let user = admin.user_create(input(json!({"name": "maria", "groups": ["eu", "us"]}))).await.unwrap();
    let beyond =
        admin.key_create(user.id, input(json!({"name": "k", "groups": ["eu", "vip"]}))).await.unwrap_err();
    assert!(beyond.fields["groups"].contains("vip"), "{beyond}");
    let made = admin.key_create(user.id, input(json!({"name": "k", "groups": ["eu"]}))).await.unwrap();
    let wider = admin.key_update(made.id, input(json!({"groups": ["vip"]}))).await.unwrap_err();
    assert!(wider.fields.contains_key("groups"));
    admin.user_update(user.id, input(json!({"groups": ["us"]}))).await.unwrap();
    admin.key_update(made.id, input(json!({"name": "renamed"}))).await.unwrap();
}

#[tokio::test]
async fn a_setting_is_checked_put_in_force_and_reset() {
    let house = House::new().await;
    let admin = house.admin();
    let view = admin.setting_put("pool.max_attempts".into(), " 5 ".into()).await.unwrap();
    assert_eq!((view.value.as_str(), view.default.as_str()), ("5", "3"));
    assert_eq!(view.updated_by.as_deref(), Some("admin"));
    assert_eq!(house.gateway.core.snapshot().settings.pool_max_attempts, 5);
    let bad = admin.setting_put("pool.max_attempts".into(), "0".into()).await.unwrap_err();
    assert!(bad.fields.contains_key("pool.max_attempts"));
    assert_eq!(admin.setting_put("no.such".into(), "1".into()).await.unwrap_err().code, "not_found");
    let view = admin.setting_reset("pool.max_attempts".into()).await.unwrap();
    assert_eq!((view.value.as_str(), view.updated_by), ("3", None));
    admin.setting_reset("pool.max_attempts".into()).await.unwrap();
    assert_eq!(admin.setting_list().await.unwrap().len(), types::setting::SETTINGS.len());
}

#[tokio::test]
async fn the_system_view_names_the_key_and_runs_tasks_by_name_only() {
    let house = House::new().await;
    let admin = house.admin();
    let system = admin.system().await.unwrap();
    assert_eq!(system.encryption_key_id, house.gateway.core.vault.key_id());
    assert_eq!((system.profile.as_str(), system.health.status.as_str()), ("development", "healthy"));
    admin.task_run("prune".into()).await.unwrap();
    assert_eq!(admin.task_run("no-such".into()).await.unwrap_err().code, "not_found");
    assert!(house.dir.path().exists());
}
