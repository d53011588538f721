//! A member sees what is his, and nothing else.

use std::sync::Arc;

use serde_json::json;
use store::testing;
use types::dialect::Endpoint;
use types::principal::Principal;
use types::request::{Attempt, AttemptOutcome, Outcome, RequestFilter};
use types::{CredentialId, ProviderId, RequestId, Secret, Timestamp, UserId};

use super::*;
use crate::clock::Clock;
use crate::config::{Config, OutboundProxy, Site};
use crate::facade::Gateway;

const NOW: Timestamp = Timestamp(1_800_000_000_000);

fn actor() -> Actor {
    Actor { via: "member", client_ip: None, request_id: "test".into(), session: None }
}

async fn gateway(store: store::Store, dir: &std::path::Path) -> Gateway {
    let options = ledger::Options {
        dir: dir.join("journal"),
        strict: false,
        segment_bytes: 1 << 20,
        now: crate::clock::system_now,
    };
    let (ledger, recovery) = ledger::Ledger::open(options).unwrap();
    let config = Config {
        data_dir: dir.to_owned(),
        site: Site::default(),
        admin_token: Secret::new("tg-admin".into()),
        encryption_secret: Secret::new("the-encryption-secret-of-the-tests".into()),
        encryption_previous: Vec::new(),
        outbound: OutboundProxy::default(),
        unsafe_disable_tls_check: false,
        api_test_timeout_ms: 5_000,
        dns: crate::config::Dns::default(),
        extra_ca_file: None,
        oauth_callback_host: Some(std::net::Ipv4Addr::LOCALHOST.into()),
        enforce_limits: true,
        breaker_on_network_errors: false,
        env_lists: Vec::new(),
        config_lines: Vec::new(),
        node: "test".into(),
        set_log_level: Arc::new(|_| ()),
    };
    Gateway::start(config, store, ledger, recovery, Clock::manual(NOW)).await.unwrap()
}

/// Books a request of a user and brings it into the database.
async fn book(gateway: &Gateway, user: UserId) -> RequestId {
    let id = RequestId(uuid::Uuid::now_v7());
    let mut record = types::request::RequestRecord::blank(id, Endpoint::Messages, NOW);
    record.user_id = Some(user);
    record.provider_id = Some(ProviderId(3));
    record.credential_id = Some(CredentialId(4));
    record.outcome = Outcome::Refused;
    record.status_code = 503;
    record.model = Some("claude".into());
    record.attempts.push(Attempt {
        provider_id: ProviderId(3),
        provider_name: "secret-vendor".into(),
        credential_id: CredentialId(4),
        credential_name: "secret-account".into(),
        status_code: Some(429),
        outcome: AttemptOutcome::UpstreamError,
        reason: Some("upstream secret-host said no".into()),
        started_ms: 1,
        duration_ms: 2,
        first_byte_ms: None,
        provider_cost_usd: types::Money::ZERO,
        class: None,
        commit: None,
        model: None,
        head_ms: None,
        pause_ms: 0,
        hedge: false,
        rectified: Vec::new(),
        translation: None,
    });
    gateway.core.ledger.refuse(&record).unwrap();
    crate::accounts::catch_up(&gateway.core).await.unwrap();
    id
}

#[tokio::test]
async fn a_member_sees_only_his_own_and_no_upstreams() {
    let (store, dir) = (testing::sqlite().await, tempfile::tempdir().unwrap());
    let gateway = gateway((*store).clone(), dir.path()).await;
    let admin = gateway.admin(&Principal::Admin, actor()).unwrap();
    let mut ids = Vec::new();
    for name in ["maria", "noor"] {
        let user = admin.user_create(serde_json::from_value(json!({"name": name})).unwrap()).await.unwrap();
        admin.key_create(user.id, serde_json::from_value(json!({"name": name})).unwrap()).await.unwrap();
        ids.push((user.id, book(&gateway, user.id).await));
    }
    let [(maria, of_maria), (noor, of_noor)] = ids[..] else { panic!("two users") };
    let member = gateway.member(&Principal::Member { user_id: maria }, actor()).unwrap();

    let keys = member.key_list().await.unwrap();
    assert_eq!(keys.iter().map(|key| key.user_id).collect::<Vec<_>>(), [maria]);

    // Naming somebody else in the filter changes nothing.
    let filter =
        RequestFilter { user_id: Some(noor), provider_id: Some(ProviderId(9)), ..RequestFilter::default() };
    let page = member.request_list(filter).await.unwrap();
    assert_eq!(page.items.iter().map(|row| row.record.request_id).collect::<Vec<_>>(), [of_maria]);
    let own = member.request_fetch(of_maria.to_string()).await.unwrap();
    assert!(!format!("{own:?}").contains("secret-") && own.record.provider_id.is_none());
    assert_eq!(own.record.attempts.len(), 1);

    let foreign = member.request_fetch(of_noor.to_string()).await.unwrap_err();
    let absent = member.request_fetch(RequestId(uuid::Uuid::now_v7()).to_string()).await.unwrap_err();
    assert_eq!(foreign, absent);

    let me = member.me().await.unwrap();
    assert_eq!((me.today.requests, me.last_30_days.requests), (1, 1));
    assert_eq!(me.user_name, "maria");
    assert_eq!(admin.request_list(RequestFilter::default()).await.unwrap().items.len(), 2);
}
