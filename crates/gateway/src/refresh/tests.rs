//! Tests of refreshes against a token endpoint on a real socket, through the administrator's handle and the store.

mod cut_off;
mod kept;
mod meanwhile;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use store::testing::{self, TestStore};
use store::{Account, SealedSecret};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;
use types::Secret;
use types::credential::{CredentialSpec, CredentialState};
use types::oauth::{TokenStatus, VendorSpec};

use super::*;
use crate::admin::tests::{ENCRYPTION, House};
use crate::vault::Purpose;

const NOW: Timestamp = Timestamp(1_800_000_000_000);
const HOUR_MS: i64 = 3_600_000;

/// A token endpoint: rotates refresh tokens and refuses one that was spent.
struct Endpoint {
    url: String,
    asked: Arc<AtomicU32>,
    state: Arc<Mutex<Script>>,
    gate: watch::Sender<bool>,
    _tasks: TaskTracker,
}

struct Script {
    /// The refresh token that is good now.
    good: String,
    /// Statuses that are answered before anything else.
    failures: Vec<(u16, &'static str)>,
    delay: Duration,
    expires_in: i64,
}

impl Endpoint {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/token", listener.local_addr().unwrap());
        let asked = Arc::new(AtomicU32::new(0));
        let state = Arc::new(Mutex::new(Script {
            good: "r0-CANARY".to_owned(),
            failures: Vec::new(),
            delay: Duration::ZERO,
            expires_in: 3_600,
        }));
        let (tasks, gate) = (TaskTracker::new(), watch::Sender::new(false));
        let (count, script, connections) = (asked.clone(), state.clone(), tasks.clone());
        let hold = gate.clone();
        tasks.spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (count, script, mut gate) = (count.clone(), script.clone(), hold.subscribe());
                connections.spawn(async move {
                    let mut all = Vec::new();
                    let mut piece = [0; 4096];
                    loop {
                        let Ok(read) = stream.read(&mut piece).await else { return };
                        if read == 0 {
                            return;
                        }
                        all.extend_from_slice(&piece[..read]);
                        let text = String::from_utf8_lossy(&all).into_owned();
                        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
                        let length = head.to_ascii_lowercase();
                        let length = length.split("content-length: ").nth(1).unwrap_or("0");
                        if body.len() < length.lines().next().unwrap().parse::<usize>().unwrap() {
                            continue;
                        }
                        let n = count.fetch_add(1, Ordering::SeqCst) + 1;
                        let (status, answer, delay) = answer(&script, body, n);
                        gate.wait_for(|held| !held).await.unwrap();
                        tokio::time::sleep(delay).await;
                        let answer = format!(
                            "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{answer}",
                            answer.len()
                        );
                        let _ = stream.write_all(answer.as_bytes()).await;
                        return;
                    }
                });
            }
        });
        Self { url, asked, state, gate, _tasks: tasks }
    }

    /// From now on answers wait until they are let go.
    fn hold(&self) {
        self.gate.send_replace(true);
    }

    fn release(&self) {
        self.gate.send_replace(false);
    }

    async fn was_asked(&self, times: u32) {
        let until = Instant::now() + Duration::from_secs(30);
        while self.asked() < times {
            assert!(Instant::now() < until, "asked {} times, not {times}", self.asked());
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    fn asked(&self) -> u32 {
        self.asked.load(Ordering::SeqCst)
    }
}

fn answer(script: &Mutex<Script>, body: &str, n: u32) -> (u16, String, Duration) {
    let mut script = script.lock().unwrap();
    if !script.failures.is_empty() {
        let (status, body) = script.failures.remove(0);
        return (status, body.to_owned(), script.delay);
    }
    if !body.contains(&format!("refresh_token={}", script.good)) {
        return (
            400,
            json!({ "error": "invalid_grant", "error_description": "reused" }).to_string(),
            script.delay,
        );
    }
    script.good = format!("r{n}-CANARY");
    let answer = json!({
        "access_token": format!("a{n}-CANARY"), "refresh_token": script.good, "expires_in": script.expires_in,
    });
    (200, answer.to_string(), script.delay)
}

struct Rig {
    house: House,
    endpoint: Endpoint,
    id: CredentialId,
}

impl Rig {
    /// An account whose token was got an hour ago and lasts for `life_ms`.
    async fn new(life_ms: i64) -> Self {
        Self::on(testing::sqlite().await, life_ms).await
    }

    async fn on(home: TestStore, life_ms: i64) -> Self {
        let house = House::at(home).await;
        let endpoint = Endpoint::new().await;
        let admin = house.admin();
        let provider = admin
            .provider_create(
                serde_json::from_value(
                    json!({ "name": "up", "kind": "anthropic", "base_url": "http://127.0.0.1:9" }),
                )
                .unwrap(),
            )
            .await
            .unwrap();
        let spec = VendorSpec {
            label: "Test".to_owned(),
            authorize_url: "http://127.0.0.1:9/authorize".to_owned(),
            token_url: endpoint.url.clone(),
            ..VendorSpec::default()
        };
        house
            .store()
            .oauth_vendor_put(
                "test",
                0,
                &spec,
                "client",
                |_| Ok::<_, crate::vault::VaultError>(None),
                change(),
            )
            .await
            .unwrap();
        let set = json!({ "access_token": "a0-CANARY", "refresh_token": "r0-CANARY" }).to_string();
        let account = Account {
            vendor: Some("test".to_owned()),
            account: Some("ops@example.com".to_owned()),
            expires_at: Some(NOW.plus_ms(life_ms - HOUR_MS)),
            refreshed_at: Some(NOW.plus_ms(-HOUR_MS)),
            ..Account::of(CredentialAuth::Oauth)
        };
        let spec = CredentialSpec::named("one");
        let vault = house.core().vault.clone();
        let seal = |id: CredentialId| {
            let sealed = vault.seal(Purpose::CredentialSecret, id.0, &Secret::new(set))?;
            Ok::<_, crate::vault::VaultError>((SealedSecret { sealed, hint: "account".to_owned() }, None))
        };
        let row =
            house.store().credential_insert_as(provider.id, &spec, &account, seal, change()).await.unwrap();
        house.core().reload().await.unwrap();
        Self { house, endpoint, id: row.id }
    }

    fn slot(&self) -> Arc<TokenSlot> {
        let snapshot = self.house.core().snapshot();
        let (_, credential) = find(&snapshot, self.id).unwrap();
        let Auth::Token(slot) = &credential.auth else { panic!("no account") };
        slot.clone()
    }

    async fn refreshed(&self, trigger: Trigger) -> Flown {
        let slot = self.slot();
        let deadline = Instant::now() + Duration::from_secs(20);
        refreshed(self.house.core(), (self.id, &slot), slot.round(), trigger, deadline).await
    }

    /// A refresh that goes on while the test does something else.
    fn begin(&self) -> tokio::task::JoinHandle<Flown> {
        let (core, slot, id) = (self.house.core().clone(), self.slot(), self.id);
        let deadline = Instant::now() + Duration::from_secs(30);
        TaskTracker::new()
            .spawn(async move { refreshed(&core, (id, &slot), slot.round(), Trigger::Due, deadline).await })
    }

    async fn status(&self) -> TokenStatus {
        self.house.admin().credential_fetch(self.id).await.unwrap().token.unwrap().status
    }
}

fn change() -> store::Change {
    store::Change {
        at: NOW,
        actor: "test".to_owned(),
        client_ip: None,
        action: "test".to_owned(),
        object: "credential".to_owned(),
        object_id: String::new(),
        object_name: "one".to_owned(),
        before: None,
        after: None,
    }
}

#[tokio::test]
async fn rf_02_500_at_once_on_an_expired_token_make_exactly_one_refresh() {
    let rig = Rig::new(HOUR_MS).await;
    rig.endpoint.state.lock().unwrap().delay = Duration::from_millis(40);
    assert_eq!(rig.status().await, TokenStatus::Expired);
    let slot = rig.slot();
    let (round, deadline) = (slot.round(), Instant::now() + Duration::from_secs(20));
    let asked =
        (0..500).map(|_| refreshed(rig.house.core(), (rig.id, &slot), round, Trigger::Request, deadline));
    let flown = futures_util::future::join_all(asked).await;
    assert!(flown.iter().all(|flown| *flown == Flown::Fresh));
    assert_eq!(rig.endpoint.asked(), 1);
    let token = slot.get().unwrap();
    assert_eq!((token.secret.expose().as_str(), token.expires_at), ("a1-CANARY", Some(NOW.plus_ms(HOUR_MS))));
    // Who comes late with the old round finds the new token.
    let late = refreshed(rig.house.core(), (rig.id, &slot), round, Trigger::Refused, deadline).await;
    assert_eq!((late, rig.endpoint.asked()), (Flown::Fresh, 1));
    assert_eq!(rig.status().await, TokenStatus::Active);
}

#[tokio::test]
async fn rf_06_a_rotated_token_is_stored_before_use_and_survives_a_restart() {
    let rig = Rig::new(HOUR_MS).await;
    assert_eq!(rig.refreshed(Trigger::Due).await, Flown::Fresh);
    let row = rig.house.store().credential_fetch(rig.id).await.unwrap();
    assert!(!String::from_utf8_lossy(&row.sealed).contains("CANARY"));
    let opened = rig.house.core().vault.open(Purpose::CredentialSecret, rig.id.0, &row.sealed).unwrap();
    let set = oauth::TokenSet::parse(&opened).unwrap();
    assert_eq!(set.access_token.expose(), "a1-CANARY");
    assert_eq!(set.refresh_token.unwrap().expose(), "r1-CANARY");
    // The next refresh spends the new one; the endpoint refuses the old one.
    assert_eq!(rig.refreshed(Trigger::Manual).await, Flown::Fresh);
    assert_eq!(rig.endpoint.asked(), 2);
}

#[tokio::test]
async fn rf_03_a_refused_refresh_token_needs_somebody_and_is_not_tried_for_ever() {
    let rig = Rig::new(HOUR_MS).await;
    rig.endpoint.state.lock().unwrap().good = "another".to_owned();
    let flown = rig.refreshed(Trigger::Due).await;
    assert!(
        matches!(&flown, Flown::Failed(TokenFault::NeedsSignIn, why) if why.contains("invalid_grant")),
        "{flown:?}"
    );
    assert_eq!(rig.endpoint.asked(), 1);
    assert!(!rig.slot().is_ready(NOW), "out of rotation at once");
    // Whoever waited for the refresh finds its end everywhere: the next page, the next refresh of all that expire.
    let view = rig.house.admin().credential_fetch(rig.id).await.unwrap();
    assert_eq!(view.state, CredentialState::NeedsReauth);
    assert!(due(&rig.house.core().snapshot(), NOW.plus_ms(HOUR_MS)).is_empty());
    let again = rig.refreshed(Trigger::Request).await;
    assert!(matches!(again, Flown::Failed(TokenFault::Transient, _)));
    assert_eq!(rig.endpoint.asked(), 1);
    let token = view.token.unwrap();
    assert_eq!((token.status, token.next_refresh_at), (TokenStatus::NeedsReauth, None));
    assert!(token.error.unwrap().contains("invalid_grant"));
}

#[tokio::test]
async fn rf_03_a_busy_endpoint_is_asked_three_times_and_the_token_stays_usable_until_its_end() {
    let rig = Rig::new(HOUR_MS + 120_000).await;
    assert_eq!(rig.status().await, TokenStatus::Expiring);
    rig.endpoint.state.lock().unwrap().failures = vec![(503, ""), (500, "<html>"), (429, ""), (503, "")];
    let flown = rig.refreshed(Trigger::Due).await;
    assert!(matches!(flown, Flown::Failed(TokenFault::Transient, _)), "{flown:?}");
    assert_eq!(rig.endpoint.asked(), 3);
    assert_eq!(rig.status().await, TokenStatus::RefreshFailed);
    assert!(rig.slot().is_ready(NOW));
    // By hand it is tried at once, and what failed is forgotten.
    rig.endpoint.state.lock().unwrap().failures.clear();
    let result = rig.house.admin().credential_refresh(rig.id).await.unwrap();
    assert!(result.refreshed && result.reason.is_none(), "{result:?}");
    assert_eq!(rig.status().await, TokenStatus::Active);
}

#[tokio::test]
async fn fault_u31_two_instances_on_one_database_spend_a_refresh_token_once_whatever_their_clocks_say() {
    for ahead_ms in [0, HOUR_MS, -HOUR_MS / 2] {
        let rig = Rig::new(HOUR_MS).await;
        rig.endpoint.hold();
        let other = House::again(&rig.house, "other").await;
        other.clock().advance(ahead_ms);
        let ask = |house: &House| {
            let core = house.core().clone();
            let snapshot = core.snapshot();
            let (_, credential) = find(&snapshot, rig.id).unwrap();
            let Auth::Token(slot) = &credential.auth else { panic!("no account") };
            let slot = slot.clone();
            async move {
                let deadline = Instant::now() + Duration::from_secs(30);
                let flown = refreshed(&core, (rig.id, &slot), slot.round(), Trigger::Due, deadline).await;
                (flown, slot.get().unwrap().secret.expose().clone())
            }
        };
        let begun_by_both = async {
            rig.endpoint.was_asked(1).await;
            // Long enough for the second to have looked at the lease of the first.
            tokio::time::sleep(LOOK_AGAIN).await;
            rig.endpoint.release();
        };
        let (one, two, ()) = tokio::join!(ask(&rig.house), ask(&other), begun_by_both);
        assert_eq!((&one.0, &two.0), (&Flown::Fresh, &Flown::Fresh));
        assert_eq!((one.1.as_str(), two.1.as_str()), ("a1-CANARY", "a1-CANARY"));
        assert_eq!(rig.endpoint.asked(), 1, "{ahead_ms}");
    }
}

#[tokio::test]
async fn cr_02_what_cannot_be_opened_is_unreadable_and_never_sent() {
    let rig = Rig::new(HOUR_MS).await;
    let row = rig.house.store().credential_fetch(rig.id).await.unwrap();
    let mut broken = row.sealed.clone();
    *broken.last_mut().unwrap() ^= 1;
    let change = store::Resealed { row: rig.id.0, old: row.sealed, new: broken };
    let place = store::SealedPlace::CredentialSecret;
    assert_eq!(rig.house.store().sealed_replace(place, &[change]).await.unwrap(), 1);
    rig.house.core().reload().await.unwrap();
    assert_eq!(rig.status().await, TokenStatus::Unreadable);
    let snapshot = rig.house.core().snapshot();
    let (_, credential) = find(&snapshot, rig.id).unwrap();
    assert!(matches!(credential.auth, Auth::Unreadable));
    let refused = rig.house.admin().credential_refresh(rig.id).await.unwrap_err();
    assert_eq!((refused.code.as_str(), rig.endpoint.asked()), ("invalid_input", 0));
}

#[tokio::test]
async fn rf_05_all_that_expire_are_refreshed_with_one_call_and_others_are_left_alone() {
    let rig = Rig::new(HOUR_MS + 60_000).await;
    let summary = rig.house.admin().credential_refresh_expiring().await.unwrap();
    assert_eq!(summary.items.iter().filter(|item| item.refreshed).count(), 1);
    let summary = rig.house.admin().credential_refresh_expiring().await.unwrap();
    assert_eq!((summary.items.len(), rig.endpoint.asked()), (0, 1));
    let text = serde_json::to_string(&rig.house.admin().credential_fetch(rig.id).await.unwrap()).unwrap();
    assert!(!text.contains("CANARY"), "{text}");
}
