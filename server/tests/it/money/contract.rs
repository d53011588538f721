//! The billing contract: what is charged for which end of a request, held against the vendor's invoice.

use fakeup::{Behaviour, Cut, End, Then, Tokens};
use serde_json::{Value, json};

use super::{INPUT, list_price, nano};
use crate::rig::Rig;
use crate::rig::faces::{ANTHROPIC, FACES};

const BILL: Tokens =
    Tokens { input: 500, output: 300, cache_read: 0, cache_write: 0, cache_write_1h: 0, reasoning: 0 };

/// What is charged where nobody knows what the vendor did: a quarter of the request's bytes as input.
fn input_only(row: &Value) -> u128 {
    let tokens = u128::from(row["request_bytes"].as_u64().unwrap().div_ceil(4));
    (tokens * INPUT).div_ceil(1_000_000)
}

async fn rig_with(model: &str, behaviour: Behaviour) -> Rig {
    let rig = Rig::start().await;
    rig.priced(&[model]).await;
    rig.on_model(model, behaviour);
    rig
}

#[tokio::test]
async fn us_06_a_definite_refusal_of_the_vendors_costs_nothing() {
    for status in [400, 401, 404, 429, 500, 529] {
        let rig = rig_with("m-no", Behaviour::status(status)).await;
        for face in FACES {
            for (_, ask) in face.both("m-no") {
                let id = ask.id.clone();
                assert_ne!(rig.ask(rig.keyed(ask)).await.status, 200);
                let row = rig.row(&id).await;
                assert_eq!(
                    (&row["cost_usd"], &row["provider_cost_usd"]),
                    (&json!("0"), &json!("0")),
                    "{row}"
                );
                assert_eq!(row["bill"], Value::Null, "{row}");
            }
        }
        rig.audited().await;
    }
}

#[tokio::test]
async fn a_refusal_of_our_own_costs_nothing_and_holds_nothing() {
    let rig = Rig::start().await;
    rig.priced(&["m-mine"]).await;
    rig.change(&format!("/keys/{}", rig.key_id), json!({"models": ["other"]})).await;
    let ask = rig.keyed(ANTHROPIC.ask("m-mine", false));
    let id = ask.id.clone();
    assert_eq!(rig.ask(ask).await.status, 403);
    let row = rig.row(&id).await;
    assert_eq!((&row["cost_usd"], &row["price_state"]), (&json!("0"), &json!("none")), "{row}");
    rig.audited().await;
}

#[tokio::test]
async fn an_unknown_outcome_costs_the_estimated_input_or_all_that_was_held() {
    let rig = rig_with("m-gone", Behaviour::instead(Then::Reset)).await;
    let ask = rig.keyed(ANTHROPIC.ask("m-gone", false));
    let id = ask.id.clone();
    assert_eq!(rig.ask(ask).await.code(), "upstream_outcome_unknown");
    let row = rig.row(&id).await;
    assert_eq!(nano(&row["cost_usd"]), input_only(&row), "{row}");
    assert_eq!(row["estimated"], true);
    rig.set("billing.unknown_outcome", "reserve").await;
    let ask = rig.keyed(ANTHROPIC.ask("m-gone", false));
    let id = ask.id.clone();
    rig.ask(ask).await;
    let row = rig.row(&id).await;
    assert_eq!(row["cost_usd"], row["held_usd"], "{row}");
    assert!(nano(&row["held_usd"]) > input_only(&row));
    rig.rows(2).await;
    rig.audited().await;
}

#[tokio::test]
async fn a_cut_stream_costs_what_the_vendor_had_counted_or_what_was_delivered() {
    for face in FACES {
        let rig = Rig::start().await;
        rig.priced(&["m-cut"]).await;
        let behaviour = Behaviour {
            deltas: Some(40),
            cut: Some(Cut { at: Some(1_500), then: Then::Close }),
            ..Behaviour::saying("word ".repeat(400)).billing(BILL)
        };
        rig.on_model("m-cut", behaviour);
        let ask = rig.keyed(face.ask("m-cut", true));
        let id = ask.id.clone();
        rig.ask(ask).await;
        let row = rig.row(&id).await;
        assert_eq!((&row["outcome"], &row["estimated"]), (&json!("broken"), &json!(true)), "{face:?} {row}");
        let cost = nano(&row["cost_usd"]);
        assert!(cost > 0 && cost <= list_price(BILL), "{face:?}: {row}");
        rig.audited().await;
    }
}

#[tokio::test]
async fn us_06_a_caller_who_leaves_pays_what_was_delivered_and_no_more() {
    for face in FACES {
        let rig = Rig::start().await;
        rig.priced(&["m-leave"]).await;
        let behaviour = Behaviour {
            deltas: Some(400),
            pace_ms: 5,
            ..Behaviour::saying("word ".repeat(4_000)).billing(BILL)
        };
        rig.on_model("m-leave", behaviour);
        let ask = rig.keyed(face.ask("m-leave", true));
        let id = ask.id.clone();
        let mut open = rig.open(ask).await;
        open.until("word").await;
        drop(open);
        let row = rig.row(&id).await;
        assert_eq!(row["outcome"], "client_gone", "{face:?} {row}");
        let cost = nano(&row["cost_usd"]);
        assert!(cost > 0 && cost <= list_price(BILL), "{face:?}: {row}");
        // The vendor was told: it does not go on.
        assert_eq!(rig.ended(1).await[0].end, End::ClientGone);
        rig.audited().await;
    }
}

#[tokio::test]
async fn a_caller_who_leaves_before_the_answer_pays_the_input() {
    let rig = rig_with("m-slow", Behaviour::instead(Then::Stall)).await;
    rig.change(&format!("/users/{}", rig.user_id), json!({"limits": {"daily_limit_usd": "5"}})).await;
    let ask = rig.keyed(ANTHROPIC.ask("m-slow", false));
    let id = ask.id.clone();
    rig.ask_and_leave(ask).await;
    let row = rig.row(&id).await;
    assert_eq!((&row["outcome"], nano(&row["cost_usd"])), (&json!("client_gone"), input_only(&row)), "{row}");
    // Nothing stays held.
    assert_eq!(nano(&rig.quota("user", "daily_limit_usd").await["reserved"]), 0);
    rig.audited().await;
}

#[tokio::test]
async fn inv_19_what_a_failed_attempt_cost_is_the_gateways_loss() {
    let rig = Rig::bare().await;
    rig.priced(&["m-over"]).await;
    let provider = rig.pool("anthropic", json!({}), &["up-first", "up-second"]).await;
    // The first one begins an answer and breaks off before its first content.
    rig.on_credential("up-first", Behaviour::cut(0, Then::Close));
    rig.on_credential("up-second", Behaviour::default().billing(BILL));
    let ask = rig.keyed(ANTHROPIC.ask("m-over", true));
    let id = ask.id.clone();
    assert_eq!(rig.ask(ask).await.status, 200);
    let row = rig.row(&id).await;
    assert_eq!(row["attempts"].as_array().unwrap().len(), 2, "{row}");
    assert_eq!(nano(&row["cost_usd"]), list_price(BILL), "the caller pays for the answer he got: {row}");
    let loss = nano(&row["attempts"][0]["provider_cost_usd"]);
    assert_eq!(loss, input_only(&row), "{row}");
    let usage = rig.server.admin("GET", "/usage?by=provider", &Value::Null).await;
    assert_eq!(nano(&usage["items"][0]["provider_cost_usd"]), list_price(BILL) + loss, "{usage}");
    assert!(provider > 0);
    rig.audited().await;
}

#[tokio::test]
async fn counting_tokens_is_free() {
    let rig = Rig::start().await;
    rig.priced(&["m-count"]).await;
    rig.change(&format!("/keys/{}", rig.key_id), json!({"limits": {"daily_limit_usd": "1"}})).await;
    let body = r#"{"model":"m-count","messages":[{"role":"user","content":"x"}]}"#;
    let ask = rig.keyed(crate::rig::client::Ask::post("/v1/messages/count_tokens", body));
    let id = ask.id.clone();
    assert_eq!(rig.ask(ask).await.status, 200);
    assert_eq!(rig.row(&id).await["cost_usd"], "0");
    rig.audited().await;
}

#[tokio::test]
async fn fault_u42_usage_beyond_what_was_held_is_charged_in_full_and_then_it_is_over() {
    // The request asks for 64 tokens, so that less than a cent is held; the vendor counts 20,000.
    let billed = Tokens { output: 20_000, ..BILL };
    let rig = rig_with("m-more", Behaviour::default().billing(billed)).await;
    rig.change(&format!("/keys/{}", rig.key_id), json!({"limits": {"daily_limit_usd": "0.05"}})).await;
    for streaming in [false, true] {
        rig.set("limits.wait_ms", "0").await;
        let ask = rig.keyed(ANTHROPIC.ask("m-more", streaming));
        let id = ask.id.clone();
        let got = rig.ask(ask).await;
        if streaming {
            // The limit is passed already.
            assert_eq!(got.status, 429, "{}", got.text());
            assert!(got.text().contains("daily limit exceeded"), "{}", got.text());
            assert_eq!(rig.upstream.invoice().len(), 1, "nothing is sent any more");
            continue;
        }
        assert_eq!((got.status, got.whole), (200, true), "{}", got.text());
        let row = rig.row(&id).await;
        assert_eq!(nano(&row["cost_usd"]), list_price(billed), "the true cost, not what was held: {row}");
        assert!(nano(&row["held_usd"]) < list_price(billed), "{row}");
    }
    rig.audited().await;
}
