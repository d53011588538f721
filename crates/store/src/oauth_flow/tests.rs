//! Tests of stored sign-ins.

use types::oauth::{FlowPhase, FlowWay};
use types::{OauthFlowId, Timestamp};

use crate::error::BoxError;
use crate::fixture::{NOW, credential, provider};
use crate::testing::each_backend;
use crate::{FlowEnd, FlowRow, NewFlow, Store};

async fn begun(store: &Store, way: FlowWay, state: u8) -> FlowRow {
    let owner = match store.provider_list(false).await.unwrap().pop() {
        Some(owner) => owner,
        None => provider(store, "one").await,
    };
    let flow = NewFlow {
        state_hash: vec![state; 32],
        session_hash: vec![7; 32],
        vendor: "claude".to_owned(),
        provider_id: owner.id,
        credential_id: None,
        way,
        body: "{}".to_owned(),
        at: NOW,
        expires_at: NOW.plus_ms(600_000),
    };
    let seal = |id: OauthFlowId| Ok::<_, BoxError>(format!("sealed for {id}").into_bytes());
    store.oauth_flow_insert(&flow, seal).await.unwrap()
}

fn end(phase: FlowPhase) -> FlowEnd {
    FlowEnd { phase, credential_id: None, error_code: None, error: None, request_id: None }
}

#[tokio::test]
async fn oa_05_a_sign_in_is_used_once_and_not_after_its_time() {
    each_backend(|store| async move {
        let flow = begun(&store, FlowWay::Callback, 1).await;
        assert_eq!(flow.phase, FlowPhase::WaitingCallback);
        assert_eq!(flow.sealed, format!("sealed for {}", flow.id).into_bytes());
        let late = store.oauth_flow_take(flow.id, NOW.plus_ms(600_000)).await.unwrap();
        let first = store.oauth_flow_take(flow.id, NOW.plus_ms(599_999)).await.unwrap();
        let again = store.oauth_flow_take(flow.id, NOW).await.unwrap();
        assert_eq!((late, first, again), (false, true, false));
        let found = store.oauth_flow_by_state(&[1; 32]).await.unwrap().unwrap();
        assert_eq!((found.id, found.phase), (flow.id, FlowPhase::Exchanging));
        assert_eq!(store.oauth_flow_by_state(&[2; 32]).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn oa_04_an_ended_sign_in_tells_how_and_forgets_its_secret() {
    each_backend(|store| async move {
        let flow = begun(&store, FlowWay::Device, 1).await;
        assert_eq!(flow.phase, FlowPhase::WaitingDevice);
        let change = (flow.body.as_str(), "{\"interval_s\":10}");
        assert!(store.oauth_flow_body(flow.id, change, NOW).await.unwrap());
        assert!(!store.oauth_flow_body(flow.id, change, NOW).await.unwrap(), "somebody else was quicker");
        let failed = FlowEnd {
            error_code: Some("oauth_denied".to_owned()),
            error: Some("the vendor said: access_denied".to_owned()),
            request_id: Some("r".to_owned()),
            ..end(FlowPhase::Error)
        };
        assert!(store.oauth_flow_end(flow.id, &failed, NOW).await.unwrap());
        assert!(!store.oauth_flow_end(flow.id, &end(FlowPhase::Completed), NOW).await.unwrap());
        assert!(!store.oauth_flow_take(flow.id, NOW).await.unwrap());
        assert!(!store.oauth_flow_body(flow.id, (change.1, "{}"), NOW).await.unwrap());
        let row = store.oauth_flow_fetch(flow.id).await.unwrap();
        assert_eq!((row.phase, row.error_code, row.sealed), (FlowPhase::Error, failed.error_code, vec![]));
        assert_eq!(row.body, "{\"interval_s\":10}");
    })
    .await;
}

#[tokio::test]
async fn sign_ins_are_listed_newest_first_and_pruned_when_they_are_over() {
    each_backend(|store| async move {
        let one = begun(&store, FlowWay::Paste, 1).await;
        let two = begun(&store, FlowWay::Loopback, 2).await;
        let made = credential(&store, one.provider_id, "key 1").await.unwrap();
        let done = FlowEnd { credential_id: Some(made.id), ..end(FlowPhase::Completed) };
        assert!(store.oauth_flow_end(two.id, &done, NOW).await.unwrap());
        let list = store.oauth_flow_list(10).await.unwrap();
        let ids: Vec<_> = list.iter().map(|row| (row.id, row.credential_id)).collect();
        assert_eq!(ids, [(two.id, Some(made.id)), (one.id, None)]);
        assert_eq!(store.oauth_flow_prune(NOW.plus_ms(600_000)).await.unwrap(), 0);
        assert_eq!(store.oauth_flow_prune(Timestamp(NOW.0 + 600_001)).await.unwrap(), 2);
    })
    .await;
}
