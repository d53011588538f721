//! Second attempts beside slow ones: who serves, what it costs, what is closed, how many there are, and when never.

mod bounds;
mod failing;

use fakeup::{Behaviour, Cut, End, Then, Tokens};
use serde_json::{Value, json};

use super::{chain, fresh};
use crate::harness::ADMIN_TOKEN;
use crate::rig::browser::Browser;
use crate::rig::faces::{ANTHROPIC, CHAT, FACES, Face};
use crate::rig::{Rig, SOON};

/// Enough to know what is usual.
const KNOWN: usize = 25;

/// Two accounts of each kind, in order.
async fn pair() -> Rig {
    let rig = Rig::unbound().await;
    for kind in ["anthropic", "openai", "gemini"] {
        rig.pool(kind, json!({}), &["up-a", "up-b"]).await;
    }
    let price =
        json!({"input_per_million_usd": "3", "output_per_million_usd": "15", "max_output_tokens": 4096});
    rig.server.admin("PUT", "/prices/m-1", &price).await;
    rig
}

/// Lets the first account show how quick it is, to which no second attempt is added however busy the machine; then
/// they are allowed for half of the requests, those counted in.
async fn learn(rig: &Rig, face: Face, streaming: bool) {
    rig.setting("routing.hedge_min_ms", "600000").await;
    rig.setting("routing.hedge_percent", "50").await;
    for _ in 0..KNOWN {
        assert_eq!(rig.sent_with(fresh(face, "m-1", streaming), 200).await, ["up-a"]);
    }
    rig.setting("routing.hedge_min_ms", "50").await;
    rig.upstream.clear_invoice();
}

/// What became of a second attempt, by the decision.
fn hedge(row: &Value) -> &str {
    row["decision"]["hedge"]["outcome"].as_str().unwrap_or("none")
}

fn slow(ms: u64) -> Behaviour {
    Behaviour { delay_ms: ms, ..Behaviour::default() }
}

fn stalled() -> Behaviour {
    Behaviour::instead(Then::Stall)
}

fn nano(value: &Value) -> u128 {
    let Some(text) = value.as_str() else { return 0 };
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    format!("{whole}{fraction:0<9}").parse().unwrap()
}

async fn end_of(rig: &Rig, credential: &str) -> End {
    let over = |entries: &[fakeup::Entry]| entries.iter().all(|entry| entry.end != End::Running);
    let entries = rig.upstream.until(SOON, over).await;
    entries.iter().find(|entry| entry.credential() == Some(credential)).unwrap().end
}

async fn audited(rig: &Rig) {
    let report = rig.get("/ledger/audit").await;
    assert_eq!(report["violations"], json!([]), "{report}");
}

#[tokio::test]
async fn when_the_first_account_is_slow_the_second_one_serves_and_both_are_booked() {
    let rig = pair().await;
    for face in FACES {
        for streaming in [false, true] {
            rig.upstream.forget();
            learn(&rig, face, streaming).await;
            rig.on_credential("up-a", stalled());
            let (got, row) = rig.asked(fresh(face, "m-1", streaming)).await;
            assert_eq!((got.status, got.whole), (200, true), "{face:?} {streaming}: {}", got.text());
            assert!(!streaming || got.text().contains(face.end), "{}", got.text());
            assert_eq!(rig.seen(), ["up-a", "up-b"], "{face:?} {streaming}");
            assert_eq!(end_of(&rig, "up-a").await, End::ClientGone, "the loser's connection is closed");
            assert_eq!(end_of(&rig, "up-b").await, End::Finished);
            assert_eq!(chain(&row, "credential_name"), ["up-a", "up-b"], "{row}");
            assert_eq!(chain(&row, "outcome"), ["superseded", "done"], "{row}");
            assert_eq!(
                (&row["attempts"][0]["hedge"], &row["attempts"][1]["hedge"]),
                (&Value::Null, &json!(true))
            );
            assert_eq!((hedge(&row), row["outcome"].as_str()), ("won", Some("ok")), "{row}");
            assert!(row["decision"]["hedge"]["after_ms"].as_u64().unwrap() >= 50, "{row}");
            // The loser with the estimated input, its caller with what he got.
            let input = row["request_bytes"].as_u64().unwrap().div_ceil(4);
            assert_eq!(nano(&row["attempts"][0]["provider_cost_usd"]), u128::from(input) * 3_000, "{row}");
            assert_eq!(
                row["decision"]["hedge"]["cost_usd"], row["attempts"][0]["provider_cost_usd"],
                "{row}"
            );
            assert!(nano(&row["cost_usd"]) > 0 && row["cost_usd"] == row["attempts"][1]["provider_cost_usd"]);
        }
    }
    for account in rig.items("/credentials").await {
        assert_eq!(
            (&account["state"], &account["breaker"], &account["consecutive_errors"], &account["in_flight"]),
            (&json!("valid"), &json!("closed"), &json!(0), &json!(0)),
            "who was only slow is not blamed, and nothing is held: {account}"
        );
    }
    let head = format!("GET /metrics HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {ADMIN_TOKEN}\r\n");
    let metrics = rig.server.raw(format!("{head}Connection: close\r\n\r\n")).await.body();
    assert!(metrics.contains("tollgate_hedges_total{kind=\"won\"} 8"), "{metrics}");
    audited(&rig).await;
}

#[tokio::test]
async fn the_first_account_may_still_win_and_the_second_one_is_cancelled_and_booked() {
    let rig = pair().await;
    for streaming in [false, true] {
        rig.upstream.forget();
        learn(&rig, CHAT, streaming).await;
        rig.on_credential("up-a", slow(2_500));
        rig.on_credential("up-b", stalled());
        let (got, row) = rig.asked(fresh(CHAT, "m-1", streaming)).await;
        assert_eq!((got.status, got.whole), (200, true), "{}", got.text());
        assert_eq!(end_of(&rig, "up-b").await, End::ClientGone);
        assert_eq!(
            chain(&row, "credential_name"),
            ["up-b", "up-a"],
            "the one that served is the last: {row}"
        );
        assert_eq!(chain(&row, "outcome"), ["superseded", "done"], "{row}");
        assert_eq!((hedge(&row), &row["attempts"][0]["hedge"]), ("lost", &json!(true)), "{row}");
        assert_eq!(
            (&row["provider_id"], &row["credential_id"]),
            (&row["attempts"][1]["provider_id"], &row["attempts"][1]["credential_id"])
        );
        assert!(row["attempts"][0]["started_ms"].as_u64() > row["attempts"][1]["started_ms"].as_u64());
        assert!(nano(&row["attempts"][0]["provider_cost_usd"]) > 0);
        assert!(row["first_byte_ms"].as_u64().unwrap() >= 2_400, "{row}");
    }
    audited(&rig).await;
}

#[tokio::test]
async fn what_the_loser_had_told_by_then_is_what_it_is_booked_with() {
    let rig = pair().await;
    learn(&rig, ANTHROPIC, true).await;
    let billed = Tokens { input: 4_000, output: 1, ..Tokens::default() };
    let (got, _) = rig.asked(fresh(ANTHROPIC, "m-1", true)).await;
    let at = got.text().find("event: content_block_delta");
    // It tells its input, and then nothing: no content that anybody could get.
    let greets = Behaviour {
        delay_ms: 600,
        cut: Some(Cut { at, then: Then::Stall }),
        ..Behaviour::default().billing(billed)
    };
    rig.on_credential("up-a", greets);
    rig.on_credential("up-b", slow(1_500));
    rig.upstream.clear_invoice();
    let (got, row) = rig.asked(fresh(ANTHROPIC, "m-1", true)).await;
    assert_eq!((got.status, got.whole, hedge(&row)), (200, true, "won"), "{row}");
    let invoiced: u128 = rig
        .upstream
        .invoice()
        .iter()
        .map(|e| u128::from(e.billed.input) * 3_000 + u128::from(e.billed.output) * 15_000)
        .sum();
    let booked: u128 =
        row["attempts"].as_array().unwrap().iter().map(|one| nano(&one["provider_cost_usd"])).sum();
    assert!(nano(&row["attempts"][0]["provider_cost_usd"]) >= 12_000_000, "its 4,000 tokens: {row}");
    assert!(booked.abs_diff(invoiced) <= 15_000 * 12, "{booked} booked, {invoiced} invoiced: {row}");
    audited(&rig).await;
}

#[tokio::test]
async fn they_are_switched_on_in_the_settings_and_told_on_the_page_of_their_request() {
    let rig = pair().await;
    let (english, chinese) =
        (Browser::sign_in(&rig.server, "en").await, Browser::sign_in(&rig.server, "zh").await);
    let page = english.page("/settings").await;
    for name in ["hedge_percent", "hedge_min_ms", "hedge_max_usd"] {
        assert!(page.contains(&format!("id=\"setting-routing-{name}\"")), "{name} is missing: {page}");
    }
    assert!(page.contains("Second attempts beside slow ones (%)"), "{page}");
    for (name, value) in [("hedge_min_ms", "600000"), ("hedge_percent", "50")] {
        english.press("setting/put", &format!("name=routing.{name}&value={value}")).await;
    }
    for _ in 0..KNOWN {
        assert_eq!(rig.sent_with(fresh(CHAT, "m-1", false), 200).await, ["up-a"]);
    }
    english.press("setting/put", "name=routing.hedge_min_ms&value=50").await;
    rig.on_credential("up-a", stalled());
    let (got, row) = rig.asked(fresh(CHAT, "m-1", false)).await;
    assert_eq!((got.status, hedge(&row)), (200, "won"), "{row}");
    let path = format!("/requests/{}", row["request_id"].as_str().unwrap());
    let page = english.page(&path).await;
    for words in ["second attempt due after", "the second one answered first", "beside the slow one"] {
        assert!(page.contains(words), "{words} is missing: {page}");
    }
    let page = chinese.page(&path).await;
    assert!(page.contains("第二次先响应") && page.contains("与较慢的一次并行"), "{page}");
}
