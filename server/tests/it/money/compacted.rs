//! A conversation that is compacted by the model is an ordinary request: limited, held for and charged like any other.

use fakeup::{Behaviour, Tokens};
use serde_json::{Value, json};

use super::{list_price, nano};
use crate::rig::Rig;
use crate::rig::client::Ask;
use crate::rig::faces::{ANTHROPIC, CHAT, GEMINI};

const BILL: Tokens =
    Tokens { input: 900, output: 70, cache_read: 40, cache_write: 0, cache_write_1h: 0, reasoning: 0 };

/// Both ways of asking.
fn asks() -> [Ask; 2] {
    let talk = json!({"role": "user", "content": "Build a bridge."});
    let trigger = json!([talk, {"type": "compaction_trigger"}]);
    [("/v1/responses/compact", json!([talk]), false), ("/v1/responses", trigger, true)].map(
        |(path, input, stream)| {
            let body = json!({"model": "m-lim", "input": input, "stream": stream});
            Ask::post(path, body.to_string())
        },
    )
}

#[tokio::test]
async fn inv_20_a_compaction_costs_what_the_vendor_bills() {
    for to in [ANTHROPIC, CHAT, GEMINI] {
        let rig = Rig::speaking(to).await;
        rig.priced(&["m-lim"]).await;
        rig.on_model("m-lim", Behaviour::default().billing(BILL));
        let mut sum = 0;
        for ask in asks() {
            let id = ask.id.clone();
            let got = rig.ask(rig.keyed(ask)).await;
            assert_eq!(got.status, 200, "{}", got.text());
            let row = rig.row(&id).await;
            let billed = rig.upstream.invoice().last().unwrap().billed;
            assert_eq!(crate::rig::tokens(&row), billed, "{to:?}: {row}");
            assert_eq!(
                (nano(&row["cost_usd"]), &row["estimated"]),
                (list_price(billed), &json!(false)),
                "{row}"
            );
            sum += list_price(billed);
        }
        rig.rows(2).await;
        let usage = rig.server.admin("GET", "/usage?by=key", &Value::Null).await;
        assert_eq!(nano(&usage["items"][0]["cost_usd"]), sum, "{usage}");
        rig.audited().await;
    }
}

#[tokio::test]
async fn rl_01_a_compaction_that_a_limit_does_not_cover_is_not_asked_for() {
    let rig = Rig::speaking(GEMINI).await;
    rig.priced(&["m-lim"]).await;
    rig.on_model("m-lim", Behaviour::default().billing(BILL));
    let user = format!("/users/{}", rig.user_id);
    // Less than its longest answer would cost.
    rig.change(&user, json!({"limits": {"daily_limit_usd": "0.01"}})).await;
    for ask in asks() {
        let got = rig.ask(rig.keyed(ask)).await;
        assert_eq!((got.status, got.code().as_str()), (429, "rate_limit_exceeded"), "{}", got.text());
        assert_eq!(got.json()["error"]["details"]["limit_type"], "daily_limit_usd", "{}", got.text());
    }
    assert!(rig.upstream.invoice().is_empty(), "nothing was sent");
    rig.change(&user, json!({"limits": {"daily_limit_usd": null, "rpm_limit": 1}})).await;
    let [first, second] = asks();
    assert_eq!(rig.ask(rig.keyed(first)).await.status, 200);
    let got = rig.ask(rig.keyed(second)).await;
    assert_eq!((got.status, got.code().as_str()), (429, "rate_limit_exceeded"), "{}", got.text());
    rig.audited().await;
}
