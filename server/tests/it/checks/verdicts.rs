//! What each answer of a vendor is worth (HC-06 to HC-10), for one credential and for all (HC-14).

use fakeup::Behaviour;
use serde_json::json;

use super::{Checked, eventually};

fn says(status: u16, body: &str) -> Behaviour {
    Behaviour { status: Some(status), ..Behaviour::body("application/json", body.to_owned()) }
}

/// What stands between may answer with a page of its own.
fn page(status: u16) -> Behaviour {
    let page = "<html>sign in to this network</html>";
    Behaviour { status: Some(status), ..Behaviour::body("text/html; charset=utf-8", page) }
}

#[tokio::test]
async fn hc_06_hc_10_each_answer_has_its_verdict_its_remedy_and_its_consequence() {
    let checked = Checked::bare("openai", &["up-a"]).await;
    let gone = r#"{"error":{"message":"account suspended","type":"permission_error"}}"#;
    // What a vendor says to a place, it says to every account that is used from there (HC-12).
    let country = r#"{"error":{"message":"Country, region, or territory not supported","code":"unsupported_country_region_territory","type":"request_forbidden"}}"#;
    let address = r#"{"error":{"message":"Your IP is not on the list of this project","code":"ip_not_authorized","type":"invalid_request_error"}}"#;
    let scoped = r#"{"error":{"message":"Missing scopes: api.model.read","type":"invalid_request_error"}}"#;
    for (behaviour, status, result, failures, state) in [
        (Behaviour::default(), 200, "healthy", 0, "valid"),
        (Behaviour::status(401), 401, "failed", 1, "invalid"),
        (says(403, r#"{"error":{"message":"no"}}"#), 403, "failed", 1, "valid"),
        (says(403, gone), 403, "failed", 1, "suspended"),
        (says(403, scoped), 403, "not_probed", 0, "valid"),
        (Behaviour::status(429), 429, "alive", 0, "valid"),
        (Behaviour::status(404), 404, "not_probed", 0, "valid"),
        (Behaviour::status(500), 500, "inconclusive", 0, "valid"),
        (Behaviour::status(503), 503, "inconclusive", 0, "valid"),
        (Behaviour::status(529), 529, "inconclusive", 0, "valid"),
        (page(200), 200, "inconclusive", 0, "valid"),
        (page(403), 403, "inconclusive", 0, "valid"),
        (says(403, country), 403, "inconclusive", 0, "valid"),
        (says(401, address), 401, "inconclusive", 0, "valid"),
    ] {
        checked.rig.upstream.forget();
        checked.rig.recover().await;
        checked.on("up-a", behaviour);
        let report = checked.check("up-a").await;
        let found = (report["status"].as_u64(), report["result"].as_str(), report["failures"].as_u64());
        assert_eq!(found, (Some(status), Some(result), Some(failures)), "{report}");
        assert_eq!(report["ok"], json!(result == "healthy"));
        assert_eq!(report["remedy"].is_null(), result == "healthy", "what to do is always said: {report}");
        assert!(report["latency_ms"].is_u64() && !report.to_string().contains("up-a\"}"), "{report}");
        let account = checked.account("up-a").await;
        assert_eq!(
            (&account["state"], &account["check"]["result"]),
            (&json!(state), &json!(result)),
            "{account}"
        );
        assert_eq!(account["enabled"], true, "once is not enough");
    }
}

#[tokio::test]
async fn hc_09_gemini_says_of_a_bad_key_that_the_request_is_bad() {
    let checked = Checked::bare("gemini", &["up-g"]).await;
    let bad = r#"{"error":{"code":400,"message":"API key not valid. Please pass a valid API key.","status":"INVALID_ARGUMENT"}}"#;
    checked.on("up-g", says(400, bad));
    let report = checked.check("up-g").await;
    assert_eq!((&report["result"], &report["failures"]), (&json!("failed"), &json!(1)), "{report}");
    assert_eq!(checked.account("up-g").await["state"], "invalid");
}

#[tokio::test]
async fn hc_06_alive_is_no_proof_of_recovery_and_healthy_is() {
    let checked = Checked::bare("anthropic", &["up-a"]).await;
    checked.on("up-a", Behaviour::status(401));
    checked.check("up-a").await;
    checked.on("up-a", Behaviour::status(429));
    let report = checked.check("up-a").await;
    assert_eq!((&report["result"], &report["recovered"]), (&json!("alive"), &json!(false)));
    assert_eq!(
        (checked.account("up-a").await["state"].as_str(), checked.failures("up-a").await),
        (Some("invalid"), 1)
    );
    assert_eq!(checked.ask().await, 503, "nobody is sent to it meanwhile");
    checked.rig.upstream.forget();
    let report = checked.check("up-a").await;
    assert_eq!((&report["result"], &report["recovered"]), (&json!("healthy"), &json!(true)), "{report}");
    assert_eq!(
        (checked.account("up-a").await["state"].as_str(), checked.failures("up-a").await),
        (Some("valid"), 0)
    );
    assert_eq!(checked.ask().await, 200);
}

#[tokio::test]
async fn hc_06_a_list_of_models_does_not_end_a_limit() {
    let checked = Checked::bare("anthropic", &["up-a"]).await;
    let limited = Behaviour::status(429).header("retry-after", "600");
    checked.rig.upstream.script(fakeup::Rule::credential("up-a", limited).times(1));
    assert_eq!(checked.ask().await, 429);
    assert_eq!(checked.check("up-a").await["result"], "healthy");
    let account = checked.account("up-a").await;
    assert_eq!(account["cooldowns"][0]["state"], "rate_limited", "{account}");
    assert_eq!(checked.ask().await, 429);
}

#[tokio::test]
async fn hc_14_no_more_are_asked_beside_each_other_than_the_setting_says() {
    let names: Vec<String> = (0..7).map(|n| format!("up-{n}")).collect();
    let checked = Checked::bare("openai", &names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    checked.set("account_health_check_parallelism", "3").await;
    checked.rig.upstream.script(fakeup::Rule::always(Behaviour::instead(fakeup::Then::Hold)));
    let upstream = &checked.rig.upstream;
    let running = || upstream.invoice().iter().filter(|entry| entry.end == fakeup::End::Running).count();
    let asked = checked.post("/credentials/check");
    let watched = async {
        for (begun, beside) in [(3, 3), (6, 3), (7, 1)] {
            let there = || upstream.invoice().len() == begun && running() == beside;
            eventually("so many ask", async || there().then_some(())).await;
            // Whoever else would come has time for it.
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            assert!(there(), "{} have begun, {} run", upstream.invoice().len(), running());
            upstream.release();
        }
    };
    let (round, ()) = tokio::join!(asked, watched);
    assert_eq!(round["counts"]["checked"], 7, "{round}");
}

#[tokio::test]
async fn hc_14_all_are_checked_now_and_a_secret_never_shows() {
    let checked = Checked::bare("anthropic", &["up-good-0001", "up-bad-00001"]).await;
    let off = checked.rig.credential(checked.provider, "up-off", json!({ "enabled": false })).await;
    let echo =
        r#"{"type":"error","error":{"type":"authentication_error","message":"invalid key up-bad-00001"}}"#;
    checked.on("up-bad-00001", says(401, echo));
    let round = checked.post("/credentials/check").await;
    assert_eq!((&round["counts"]["checked"], &round["counts"]["failed"]), (&json!(2), &json!(1)), "{round}");
    let items = round["items"].as_array().unwrap();
    let bad = items.iter().find(|item| item["credential_name"] == "up-bad-00001").unwrap();
    assert_eq!((&bad["status"], &bad["provider_name"]), (&json!(401), &json!("fake anthropic")));
    let said = bad["error"].as_str().unwrap();
    assert!(said.contains("invalid key") && !said.contains("up-bad-00001"), "{said}");
    assert!(bad["remedy"].as_str().unwrap().contains("enter it here"), "{bad}");
    // One that a person switched off is looked at only if he asks for it, and stays off.
    assert_eq!(checked.get(&format!("/credentials/{off}/checks")).await["items"], json!([]));
    assert_eq!(checked.check("up-off").await["result"], "healthy");
    assert_eq!(checked.account("up-off").await["enabled"], false);
    let missing =
        checked.rig.server.admin("POST", "/credentials/999999/check", &serde_json::Value::Null).await;
    assert_eq!(missing["error"]["code"], "not_found");
}
