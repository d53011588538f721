//! An outage of one's own switches nobody off (HC-12).

use fakeup::{Behaviour, Then};
use serde_json::json;

use super::Checked;

#[tokio::test]
async fn hc_12_ten_rounds_without_a_network_move_no_counter() {
    let checked = Checked::start("anthropic", &[]).await;
    let nowhere = fakeup::refused_url().unwrap();
    checked.set("account_error_threshold", "2").await;
    for name in ["one", "two", "three"] {
        let spec = json!({ "name": name, "base_url": nowhere, "api_key": format!("up-{name}") });
        checked.rig.provider("openai", spec).await;
    }
    for _ in 0..10 {
        checked.round().await;
    }
    let all = checked.get("/credentials").await;
    let all = all["items"].as_array().unwrap();
    assert_eq!(all.len(), 3);
    for account in all {
        assert_eq!(
            (&account["check"]["failures"], &account["enabled"]),
            (&json!(0), &json!(true)),
            "{account}"
        );
        assert_eq!(
            (&account["state"], &account["check"]["result"]),
            (&json!("valid"), &json!("inconclusive"))
        );
        let id = &account["id"];
        let history = checked.get(&format!("/credentials/{id}/checks")).await;
        assert!(history["items"].as_array().unwrap().len() >= 9, "each was asked in each round: {history}");
    }
    let card = checked.get("/checks").await;
    assert_eq!((&card["connectivity_alert"], &card["disabled"]), (&json!(true), &json!(0)), "{card}");
    let metrics = checked.metrics().await;
    assert!(metrics.contains("tollgate_checks_cut_off 1"), "{metrics}");
    let overview = checked.get("/overview").await;
    assert!(overview["attention"].to_string().contains("checks_cut_off"), "{overview}");
    checked.set("account_health_check_enabled", "false").await;
    checked.tick().await;
    let overview = checked.get("/overview").await;
    assert!(
        !overview["attention"].to_string().contains("checks_cut_off"),
        "who does not ask knows nothing: {overview}"
    );
}

#[tokio::test]
async fn hc_12_a_refusal_in_the_middle_of_an_outage_counts_only_once_that_is_over() {
    let checked = Checked::bare("anthropic", &["up-a", "up-b", "up-c"]).await;
    for name in ["up-a", "up-b"] {
        checked.on(name, Behaviour::instead(Then::Close));
    }
    // What stands between may well answer 401 itself.
    checked.on("up-c", Behaviour::status(401));
    let round = checked.post("/credentials/check").await;
    assert_eq!(round["connectivity_alert"], true, "{round}");
    assert_eq!(
        (checked.failures("up-c").await, checked.account("up-c").await["state"].as_str()),
        (0, Some("valid"))
    );
    checked.rig.upstream.forget();
    checked.on("up-c", Behaviour::status(401));
    let round = checked.post("/credentials/check").await;
    assert_eq!(round["connectivity_alert"], false, "{round}");
    assert_eq!(
        (checked.failures("up-c").await, checked.account("up-c").await["state"].as_str()),
        (1, Some("invalid"))
    );
}
