//! What a request costs, and who is charged how much of it.

use fakeup::{Behaviour, Tokens};
use serde_json::{Value, json};

use super::{list_price, nano, usd};
use crate::rig::Rig;
use crate::rig::client::Ask;
use crate::rig::faces::{ANTHROPIC, FACES};

const BILL: Tokens = Tokens {
    input: 1_234,
    output: 567,
    cache_read: 8_910,
    cache_write: 321,
    cache_write_1h: 21,
    reasoning: 111,
};

#[tokio::test]
async fn inv_20_a_request_costs_the_same_streamed_or_not_in_any_chunking() {
    let rig = Rig::start().await;
    rig.priced(&["m-bill"]).await;
    let mut count = 0;
    let mut sum = 0;
    for face in FACES {
        let mut costs = Vec::new();
        for (_, ask) in face.both("m-bill") {
            for piece_bytes in [None, Some(1), Some(13)] {
                rig.on_model("m-bill", Behaviour { piece_bytes, ..Behaviour::default().billing(BILL) });
                let got = rig.ask(rig.keyed(ask.clone().without("x-request-id"))).await;
                let row = rig.row(got.header("x-request-id")).await;
                let billed = rig.upstream.invoice().last().unwrap().billed;
                assert_eq!(nano(&row["cost_usd"]), list_price(billed), "{face:?}: {row}");
                assert_eq!(row["base_cost_usd"], row["cost_usd"]);
                assert_eq!(row["price_state"], "priced");
                let lines = row["bill"]["lines"].as_array().unwrap();
                let taken_apart: u128 = lines.iter().map(|line| nano(&line["amount_usd"])).sum();
                assert_eq!(taken_apart, nano(&row["base_cost_usd"]), "{row}");
                sum += list_price(billed);
                count += 1;
                costs.push(row["cost_usd"].clone());
            }
        }
        assert!(costs.windows(2).all(|pair| pair[0] == pair[1]), "{face:?}: {costs:?}");
    }
    // Rows, sums and the audit agree (INV-16).
    rig.rows(count).await;
    for by in ["day", "model", "user", "key", "provider", "credential"] {
        let usage = rig.server.admin("GET", &format!("/usage?by={by}"), &Value::Null).await;
        let total: u128 = usage["items"].as_array().unwrap().iter().map(|line| nano(&line["cost_usd"])).sum();
        assert_eq!(total, sum, "{by}: {usage}");
    }
    rig.audited().await;
    // A span without an end reaches to this day, not to the end of time.
    let found = rig.server.admin("GET", "/ledger/reconcile", &Value::Null).await;
    assert_eq!(found["differences"], json!([]), "{found}");
    let until: types::Timestamp = found["until"].as_str().unwrap().parse().unwrap();
    let now = gateway::clock::system_now();
    assert!(until <= now && until > now.plus_ms(-60_000), "{found}");
}

#[tokio::test]
async fn pk_09_rates_change_the_money_and_never_the_tokens() {
    let rig = Rig::bare().await;
    rig.priced(&["m-rate"]).await;
    rig.on_model("m-rate", Behaviour::default().billing(BILL));
    let provider =
        rig.provider("anthropic", json!({"cost_multiplier": "0.5", "groups": ["gold", "tin"]})).await;
    rig.server.admin("PUT", "/groups/gold", &json!({"price_rate": "3"})).await;
    rig.server.admin("PUT", "/groups/tin", &json!({"price_rate": "0.1"})).await;
    rig.change(&format!("/users/{}", rig.user_id), json!({"price_rate": "1.1"})).await;
    let ask = || rig.keyed(ANTHROPIC.ask("m-rate", false));
    let one = async |expected: u128, group: &str| {
        let ask = ask();
        let id = ask.id.clone();
        let got = rig.ask(ask).await;
        assert_eq!(got.json()["usage"]["output_tokens"], 567, "the caller's tokens are the vendor's");
        let row = rig.row(&id).await;
        let base = list_price(BILL);
        assert_eq!(nano(&row["base_cost_usd"]), base);
        assert_eq!(nano(&row["provider_cost_usd"]), base.div_ceil(2), "{row}");
        assert_eq!(nano(&row["cost_usd"]), expected, "{row}");
        assert_eq!(row["group"], group);
        row
    };
    let base = list_price(BILL);
    // 0.5 × 3 × 1.1, rounded up once; of two groups the dearer one counts.
    one((base * 165).div_ceil(100), "gold").await;
    // A key confined to the cheaper group pays its rate.
    rig.change(&format!("/keys/{}", rig.key_id), json!({"groups": ["tin"]})).await;
    one((base * 55).div_ceil(1000), "tin").await;
    // The global rate replaces the user's.
    rig.set("billing.global_price_rate", "2").await;
    one(base.div_ceil(10), "tin").await;
    // Free on purpose: the base cost is kept.
    rig.set("billing.global_price_rate", "0").await;
    one(0, "tin").await;
    rig.rows(4).await;
    rig.audited().await;
    assert!(provider > 0);
}

#[tokio::test]
async fn us_02_a_model_without_a_price_is_flagged_listed_and_priced_later() {
    let rig = Rig::bare().await;
    rig.provider("anthropic", json!({})).await;
    rig.on_model("m-new", Behaviour::default().billing(BILL));
    let ask = rig.keyed(ANTHROPIC.ask("m-new", false));
    let id = ask.id.clone();
    assert_eq!(rig.ask(ask).await.status, 200);
    let row = rig.row(&id).await;
    assert_eq!((&row["price_state"], &row["cost_usd"]), (&json!("unpriced"), &json!("0")), "{row}");
    let listed = rig.server.admin("GET", "/unpriced-models", &Value::Null).await;
    assert_eq!(listed["items"][0]["model"], "m-new", "{listed}");

    // A price makes up for it, with a trail.
    rig.priced(&["m-new"]).await;
    let reprice = json!({"model": "m-new", "unpriced_only": true, "reason": "the price came late"});
    let preview = rig.server.admin("POST", "/reprice/preview", &reprice).await;
    assert_eq!(
        (&preview["changed"], nano(&preview["after_usd"])),
        (&json!(1), list_price(BILL)),
        "{preview}"
    );
    let done = rig.server.admin("POST", "/reprice", &reprice).await;
    assert!(done["adjustment_id"].is_i64(), "{done}");
    let row = rig.row(&id).await;
    assert_eq!((&row["price_state"], nano(&row["cost_usd"])), (&json!("priced"), list_price(BILL)), "{row}");
    let trail = rig.server.admin("GET", "/adjustments", &Value::Null).await;
    assert_eq!(trail["items"][0]["reason"], "the price came late", "{trail}");
    // Limits count what was made up for.
    rig.change(
        &format!("/users/{}", rig.user_id),
        json!({"limits": {"limit_total_usd": usd(list_price(BILL))}}),
    )
    .await;
    let quota = rig.quota("user", "limit_total_usd").await;
    assert_eq!(nano(&quota["used"]), list_price(BILL), "{quota}");
    rig.audited().await;

    // Policy: refuse, or charge a set price.
    rig.change(&format!("/users/{}", rig.user_id), json!({"limits": {"limit_total_usd": null}})).await;
    rig.set("billing.unpriced_policy", "refuse").await;
    let got = rig.ask(rig.keyed(ANTHROPIC.ask("m-other", false))).await;
    assert_eq!((got.status, got.code().as_str()), (503, "no_available_account"), "{}", got.text());
    assert!(got.text().contains("unpriced"), "{}", got.text());
    assert_eq!(rig.upstream.invoice().len(), 1, "nothing was sent");
    rig.set("billing.unpriced_policy", "default_price").await;
    rig.set("billing.default_input_per_million_usd", "10").await;
    rig.set("billing.default_output_per_million_usd", "20").await;
    let ask = rig.keyed(ANTHROPIC.ask("m-other", false));
    let id = ask.id.clone();
    rig.ask(ask).await;
    let row = rig.row(&id).await;
    assert_eq!(row["price_state"], "default_price");
    assert_eq!(nano(&row["cost_usd"]), 25 * 10_000 + 12 * 20_000, "{row}");
}

#[tokio::test]
async fn inv_18_a_caller_sees_his_cost_within_a_second() {
    let rig = Rig::bare().await;
    rig.provider("anthropic", json!({})).await;
    rig.priced(&["m-seen"]).await;
    rig.on_model("m-seen", Behaviour::default().billing(BILL));
    rig.ask(rig.keyed(ANTHROPIC.ask("m-seen", true))).await;
    let until = tokio::time::Instant::now() + crate::rig::SOON;
    loop {
        let usage = rig.ask(rig.keyed(Ask::get("/v1/usage"))).await.json();
        if nano(&usage["today"]["cost_usd"]) == list_price(BILL) {
            break;
        }
        assert!(tokio::time::Instant::now() < until, "{usage}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn prices_that_make_no_sense_are_refused_by_field() {
    let rig = Rig::bare().await;
    for (body, field) in [
        (json!({"input_per_million_usd": "-1", "output_per_million_usd": "1"}), "input_per_million_usd"),
        (json!({"input_per_million_usd": "NaN"}), "input_per_million_usd"),
        (json!({"input_per_million_usd": "0.0000000001"}), "input_per_million_usd"),
        (json!({"input_per_million_usd": "1e30"}), "input_per_million_usd"),
        (json!({"inptu_per_million_usd": "1"}), "inptu_per_million_usd"),
        (json!({}), "input_per_million_usd"),
        (json!({"free": true, "input_per_million_usd": "1"}), "free"),
    ] {
        let answer = rig.server.admin("PUT", "/prices/m-bad", &body).await;
        let fields = answer["error"]["fields"].as_object().map(|f| f.keys().cloned().collect::<Vec<_>>());
        let named = fields.is_some_and(|fields| fields.iter().any(|name| name.contains(field)));
        assert!(
            named || answer["error"]["message"].as_str().is_some_and(|m| m.contains(field)),
            "{body}: {answer}"
        );
    }
    let prices = rig.server.admin("GET", "/prices?q=m-bad", &Value::Null).await;
    assert_eq!(prices["items"], json!([]), "nothing was half applied");
}
