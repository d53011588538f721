//! Second attempts where one of the two fails, both do, or the caller leaves.

use fakeup::{Behaviour, End, Rule};
use serde_json::json;

use super::super::{chain, eventually, fresh};
use super::{audited, end_of, hedge, learn, nano, pair, slow, stalled};
use crate::rig::SOON;
use crate::rig::client::Ask;
use crate::rig::faces::{ANTHROPIC, CHAT};

#[tokio::test]
async fn whichever_of_the_two_fails_the_other_one_serves() {
    let rig = pair().await;
    learn(&rig, CHAT, true).await;
    rig.on_credential("up-a", Behaviour { delay_ms: 1_500, ..Behaviour::status(500) });
    rig.on_credential("up-b", slow(3_000));
    let (got, row) = rig.asked(fresh(CHAT, "m-1", true)).await;
    assert_eq!((got.status, hedge(&row)), (200, "took_over"), "{row}");
    assert_eq!(chain(&row, "outcome"), ["upstream_error", "done"], "{row}");
    assert_eq!(chain(&row, "class")[0], "provider", "its own failure is judged as always: {row}");
    assert_eq!(chain(&row, "credential_name"), ["up-a", "up-b"], "{row}");

    rig.upstream.forget();
    rig.recover().await;
    learn(&rig, CHAT, false).await;
    rig.on_credential("up-a", slow(2_500));
    rig.on_credential("up-b", Behaviour::status(500));
    let (got, row) = rig.asked(fresh(CHAT, "m-1", false)).await;
    assert_eq!((got.status, hedge(&row)), (200, "failed"), "{row}");
    assert_eq!(chain(&row, "outcome"), ["upstream_error", "done"], "{row}");
    assert_eq!(chain(&row, "credential_name"), ["up-b", "up-a"], "{row}");
    audited(&rig).await;
}

#[tokio::test]
async fn where_both_fail_the_caller_hears_the_last_failure_and_nothing_stays_held() {
    let rig = pair().await;
    learn(&rig, CHAT, true).await;
    rig.on_credential("up-a", Behaviour { delay_ms: 800, ..Behaviour::status(500) });
    rig.on_credential("up-b", Behaviour { delay_ms: 1_600, ..Behaviour::status(503) });
    let (got, row) = rig.asked(fresh(CHAT, "m-1", true)).await;
    assert!(got.status >= 500, "{}", got.text());
    assert_eq!((chain(&row, "outcome").len(), row["outcome"].as_str()), (2, Some("failed")), "{row}");
    assert_eq!(chain(&row, "credential_name"), ["up-a", "up-b"], "{row}");
    assert_eq!(chain(&row, "outcome"), ["upstream_error", "upstream_error"], "{row}");
    assert_eq!((hedge(&row), nano(&row["cost_usd"])), ("took_over", 0), "{row}");
    assert_eq!(rig.seen().len(), 2, "each account once");
    eventually("all slots are free", async || {
        let accounts = rig.items("/credentials").await;
        accounts.iter().all(|account| account["in_flight"] == 0).then_some(())
    })
    .await;
    audited(&rig).await;
}

#[tokio::test]
async fn a_body_that_is_mended_for_the_one_that_took_over_goes_to_that_one() {
    let rig = pair().await;
    learn(&rig, ANTHROPIC, false).await;
    let body = json!({"model": "m-1", "max_tokens": 64, "messages": [
        {"role": "user", "content": format!("Say {:016x}.", rand::random::<u64>())},
        {"role": "assistant", "content": [{"type": "text", "text": ""}, {"type": "text", "text": "Well."}]},
        {"role": "user", "content": "Go on."},
    ]});
    rig.on_credential("up-a", Behaviour { delay_ms: 800, ..Behaviour::status(500) });
    let complaint = json!({"type": "error", "error": {"type": "invalid_request_error",
        "message": "messages: text content blocks must be non-empty"}});
    let refuses = Behaviour {
        delay_ms: 1_600,
        status: Some(400),
        ..Behaviour::body("application/json", complaint.to_string())
    };
    rig.upstream.script(Rule::credential("up-b", refuses).times(1));
    let (got, row) = rig.asked(Ask::post("/v1/messages", body.to_string())).await;
    assert_eq!((got.status, hedge(&row)), (200, "took_over"), "{} {row}", got.text());
    assert_eq!(rig.seen(), ["up-a", "up-b", "up-b"], "{row}");
    assert_eq!(row["attempts"][1]["rectified"], json!(["empty_text"]), "{row}");
}

#[tokio::test]
async fn a_caller_who_leaves_while_both_run_leaves_nothing_behind() {
    let rig = pair().await;
    learn(&rig, CHAT, true).await;
    rig.upstream.script(Rule::always(stalled()));
    let ask = rig.keyed(fresh(CHAT, "m-1", true));
    let id = ask.id.clone();
    let mut asking = Box::pin(rig.open(ask));
    tokio::select! {
        _ = &mut asking => panic!("it was answered"),
        entries = rig.upstream.until(SOON, |entries| entries.len() >= 2) => assert_eq!(entries.len(), 2),
    }
    drop(asking);
    assert_eq!((end_of(&rig, "up-a").await, end_of(&rig, "up-b").await), (End::ClientGone, End::ClientGone));
    let row = rig.row(&id).await;
    assert_eq!((&row["outcome"], hedge(&row)), (&json!("client_gone"), "open"), "{row}");
    assert_eq!(chain(&row, "outcome"), ["client_gone", "client_gone"], "{row}");
    assert!(
        row["attempts"].as_array().unwrap().iter().all(|one| nano(&one["provider_cost_usd"]) > 0),
        "{row}"
    );
    eventually("all slots are free", async || {
        let accounts = rig.items("/credentials").await;
        accounts.iter().all(|account| account["in_flight"] == 0).then_some(())
    })
    .await;
    audited(&rig).await;
}
