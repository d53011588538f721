//! Waiting for a slot: as many as the bound allows, as long as the deadline allows, and woken as soon as one is free.

use fakeup::{Behaviour, Then};
use serde_json::{Value, json};

use super::{eventually, fresh};
use crate::rig::Rig;
use crate::rig::faces::CHAT;

/// One account with one slot, which a stream holds until the vendor is released.
async fn busy(more: Value) -> (Rig, crate::rig::client::Open) {
    let rig = Rig::unbound().await;
    let mut spec = json!({"api_key": null});
    for (name, value) in more.as_object().unwrap() {
        spec[name] = value.clone();
    }
    let provider = rig.provider("openai", spec).await;
    rig.credential(provider, "up-a", json!({"max_concurrency": 1})).await;
    rig.on_model("m-hold", Behaviour::cut(CHAT.beyond_content(), Then::Hold));
    let holder = rig.open(rig.keyed(fresh(CHAT, "m-hold", true))).await;
    assert_eq!(holder.status, 200);
    (rig, holder)
}

async fn waiting(rig: &Rig) -> u64 {
    rig.items("/cache/accounts").await.iter().map(|line| line["waiting"].as_u64().unwrap()).sum()
}

#[tokio::test]
async fn a_request_waits_for_a_slot_and_is_woken_when_one_is_free() {
    let (rig, holder) = busy(json!({"queue_ms": 30_000})).await;
    let rig = &rig;
    let waiters = (0..5).map(|_| async move { rig.asked(fresh(CHAT, "m-1", false)).await });
    let release = async {
        eventually("five wait", async || (waiting(rig).await == 5).then_some(())).await;
        rig.upstream.release();
        holder.rest().await
    };
    let (rows, held) = tokio::join!(futures_util::future::join_all(waiters), release);
    assert!(held.whole);
    for (got, row) in rows {
        assert_eq!(got.status, 200, "{}", got.text());
        assert!(row["decision"]["queued_ms"].is_u64(), "{row}");
    }
    assert_eq!(waiting(rig).await, 0);
}

#[tokio::test]
async fn a_queue_has_a_bound_and_beyond_it_the_answer_is_immediate() {
    let (rig, holder) = busy(json!({"queue_ms": 30_000, "queue_size": 2})).await;
    let rig = &rig;
    let waiters = (0..2).map(|_| async move { rig.ask(rig.keyed(fresh(CHAT, "m-1", false))).await });
    let beyond = async {
        eventually("two wait", async || (waiting(rig).await == 2).then_some(())).await;
        let began = std::time::Instant::now();
        let got = rig.ask(rig.keyed(fresh(CHAT, "m-1", false))).await;
        let took = began.elapsed();
        rig.upstream.release();
        drop(holder.rest().await);
        (got, took)
    };
    let (waited, (got, took)) = tokio::join!(futures_util::future::join_all(waiters), beyond);
    assert_eq!(
        (got.status, got.code().as_str(), got.header("retry-after")),
        (503, "no_available_account", "1")
    );
    assert!(got.text().contains("concurrency 1"), "{}", got.text());
    assert!(took.as_secs() < 15, "it did not wait: {took:?}");
    assert!(waited.iter().all(|got| got.status == 200));
}

#[tokio::test]
async fn who_waits_in_vain_is_told_after_the_deadline_and_leaves_no_trace() {
    let (rig, holder) = busy(json!({"queue_ms": 300})).await;
    let began = std::time::Instant::now();
    let (got, row) = rig.asked(fresh(CHAT, "m-1", false)).await;
    assert!(began.elapsed().as_millis() >= 300);
    assert_eq!((got.status, got.code().as_str()), (503, "no_available_account"), "{}", got.text());
    assert_eq!((&row["outcome"], waiting(&rig).await), (&json!("refused"), 0));
    drop(holder);
    eventually("the slot is free", async || {
        (rig.ask(rig.keyed(fresh(CHAT, "m-1", false))).await.status == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn who_leaves_the_queue_frees_his_place() {
    let (rig, _holder) = busy(json!({"queue_ms": 30_000, "queue_size": 1})).await;
    let ask = rig.keyed(fresh(CHAT, "m-1", false));
    {
        let mut pending = Box::pin(rig.open(ask));
        tokio::select! {
            _ = &mut pending => panic!("it was answered"),
            () = async { eventually("one waits", async || (waiting(&rig).await == 1).then_some(())).await } => {}
        }
    }
    eventually("nobody waits", async || (waiting(&rig).await == 0).then_some(())).await;
}
