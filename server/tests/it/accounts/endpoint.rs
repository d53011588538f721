//! A token endpoint that is down, slow or talks nonsense, and callers who leave while it is asked.

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use super::{Vendor, pool};
use crate::harness::Running;
use crate::rig::Rig;
use crate::rig::faces::ANTHROPIC;

/// A refresh by hand that fails for a while harms no request, is told with its reason, and is forgotten once one
/// succeeds. The endpoint is asked three times.
async fn passes(spoil: impl FnOnce(&Vendor), reason: &str) {
    let (rig, vendor, id) = pool(3_600).await;
    spoil(&vendor);
    let refused = rig.refresh(id).await;
    assert_eq!(refused["refreshed"], false, "{refused}");
    assert!(refused["reason"].as_str().unwrap().contains(reason), "{refused}");
    assert_eq!(vendor.asked(), 4, "one sign-in, three tries");
    let view = rig.account_view(id).await;
    assert_eq!(
        (&view["state"], &view["token"]["status"]),
        (&json!("valid"), &json!("refresh_failed")),
        "{view}"
    );
    assert!(view["token"]["error"].as_str().unwrap().contains(reason), "{view}");
    assert!(view["token"]["next_refresh_at"].is_string(), "{view}");
    assert_eq!((rig.usual().await, rig.last_token().as_str()), (200, "a1-CANARY-access-token"));
    assert_eq!(rig.refresh(id).await["refreshed"], true);
    let view = rig.account_view(id).await;
    assert_eq!(
        (&view["token"]["status"], &view["token"]["error"]),
        (&json!("active"), &Value::Null),
        "{view}"
    );
    assert_eq!((rig.usual().await, rig.last_token().as_str()), (200, "a5-CANARY-access-token"));
}

fn three(status: u16, body: &str) -> impl FnOnce(&Vendor) {
    let faults = vec![(status, body.to_owned()); 3];
    move |vendor| vendor.set(|script| script.faults = faults.into())
}

#[tokio::test]
async fn rf_03_an_endpoint_with_too_much_to_do_harms_nobody_while_the_token_lasts() {
    passes(three(503, r#"{"error":"temporarily_unavailable"}"#), "503").await;
}

#[tokio::test]
async fn rf_03_an_endpoint_that_answers_with_a_page_harms_nobody_while_the_token_lasts() {
    passes(three(200, "<html>welcome</html>"), "without a token").await;
}

#[tokio::test]
async fn rf_03_hc_12_a_gate_in_front_of_an_endpoint_takes_no_account_out_of_service() {
    passes(three(403, "<!DOCTYPE html><title>Just a moment...</title>"), "with a web page").await;
}

#[tokio::test]
async fn rf_03_an_endpoint_that_is_down_is_told_and_an_expired_account_is_passed_over() {
    let (rig, vendor, id) = pool(3_600).await;
    vendor.set(|script| script.expires_in = Some(0));
    assert_eq!(rig.refresh(id).await["refreshed"], true);
    let mut spec = vendor.spec();
    spec["token_url"] = json!(format!("{}/token", fakeup::refused_url().unwrap()));
    let put = rig.server.admin("PUT", "/oauth/vendors/test", &json!({ "spec": spec })).await;
    assert!(put.get("error").is_none(), "{put}");
    let alone = rig.ask(rig.keyed(ANTHROPIC.ask("m-1", false))).await;
    assert_eq!(alone.status, 503, "{}", alone.text());
    let view = rig.account_view(id).await;
    assert_eq!(view["token"]["status"], "refresh_failed", "{view}");
    assert!(view["token"]["error"].as_str().unwrap().contains("could not be reached"), "{view}");
    rig.credential(1, "up-b", json!({"priority": 9})).await;
    assert_eq!((rig.usual().await, rig.last_token().as_str()), (200, "up-b"));
    // Once it is back, the account serves again.
    rig.server.admin("PUT", "/oauth/vendors/test", &json!({ "spec": vendor.spec() })).await;
    assert_eq!(rig.refresh(id).await["refreshed"], true);
    assert_eq!((rig.usual().await, rig.last_token().as_str()), (200, "a3-CANARY-access-token"));
}

#[tokio::test]
async fn rf_02_while_an_endpoint_is_slow_others_serve_and_a_request_without_others_waits() {
    let (rig, vendor, id) = pool(3_600).await;
    vendor.set(|script| script.expires_in = Some(0));
    assert_eq!(rig.refresh(id).await["refreshed"], true);
    vendor.hold();
    let other = rig.credential(1, "up-b", json!({"priority": 9})).await;
    assert_eq!((rig.usual().await, rig.last_token().as_str()), (200, "up-b"));
    rig.change(&format!("/credentials/{other}"), json!({"enabled": false})).await;
    let waiting = rig.usual();
    let released = async {
        vendor.was_asked(3).await;
        vendor.release();
    };
    let (status, ()) = tokio::join!(waiting, released);
    assert_eq!((status, rig.last_token().as_str()), (200, "a3-CANARY-access-token"));
}

#[tokio::test]
async fn rf_06_a_refresh_goes_on_when_the_caller_who_waited_for_it_leaves() {
    let (rig, vendor, id) = pool(3_600).await;
    vendor.set(|script| script.expires_in = Some(0));
    assert_eq!(rig.refresh(id).await["refreshed"], true);
    vendor.hold();
    let body = ANTHROPIC.body("m-1", false).to_string();
    let mut caller = rig.server.connect().await;
    let request = format!(
        "POST /v1/messages HTTP/1.1\r\nhost: t\r\nx-api-key: {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        rig.key,
        body.len()
    );
    caller.write_all(request.as_bytes()).await.unwrap();
    vendor.was_asked(3).await;
    drop(caller);
    vendor.release();
    rig.account_until(id, |view| view["token"]["status"] == "active").await;
    assert_eq!((rig.usual().await, rig.last_token().as_str()), (200, "a3-CANARY-access-token"));
    assert_eq!(vendor.asked(), 3);
}

#[tokio::test]
async fn rf_06_a_stop_in_the_middle_of_a_refresh_waits_until_the_new_token_is_stored() {
    let dir = tempfile::tempdir().unwrap();
    let rig = Rig::of(Running::start_in(dir.path(), |_| {}).await.unwrap()).await;
    let provider = rig.provider("anthropic", json!({"api_key": null})).await;
    let vendor = Vendor::start(3_600).await;
    let id = rig.connected(&vendor, json!({ "provider_id": provider })).await;
    vendor.hold();
    let gateway = rig.server.gateway.clone();
    let path = format!("/credentials/{id}/refresh");
    let stopping = async {
        vendor.was_asked(2).await;
        rig.server.begin_stop();
        let until = tokio::time::Instant::now() + crate::rig::SOON;
        while !gateway.is_draining() {
            assert!(tokio::time::Instant::now() < until);
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        vendor.release();
    };
    let (_answer, ()) = tokio::join!(rig.server.admin("POST", &path, &Value::Null), stopping);
    drop(gateway);
    let (upstream, key) = (rig.upstream, rig.key);
    rig.server.stop().await;
    let again = Rig {
        server: Running::start_in(dir.path(), |_| {}).await.unwrap(),
        upstream,
        key,
        key_id: 0,
        user_id: 0,
    };
    let view = again.account_view(id).await;
    assert_eq!((&view["state"], &view["token"]["status"]), (&json!("valid"), &json!("active")), "{view}");
    assert_eq!((again.usual().await, again.last_token().as_str()), (200, "a2-CANARY-access-token"));
    assert_eq!(again.refresh(id).await["refreshed"], true, "the rotated refresh token is the stored one");
}
