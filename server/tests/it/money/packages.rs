//! Packages: what a user was granted pays for his requests, and only that.

use fakeup::{Behaviour, Tokens};
use serde_json::{Value, json};

use super::{list_price, nano, usd};
use crate::rig::Rig;
use crate::rig::faces::{ANTHROPIC, FACES};

const BILL: Tokens =
    Tokens { input: 10, output: 60, cache_read: 0, cache_write: 0, cache_write_1h: 0, reasoning: 0 };
/// The most that the tests' requests could cost, plus a little.
const WORST: u128 = 20_000_000;

async fn rig() -> Rig {
    let rig = Rig::start().await;
    furnish(&rig).await;
    rig
}

async fn furnish(rig: &Rig) {
    rig.priced(&["m-pack"]).await;
    rig.on_model("m-pack", Behaviour::default().billing(BILL));
    rig.set("limits.wait_ms", "0").await;
}

async fn package(rig: &Rig, spec: Value) -> i64 {
    let made = rig.server.admin("POST", "/packages", &spec).await;
    made["id"].as_i64().unwrap_or_else(|| panic!("{made}"))
}

async fn grant(rig: &Rig, package: i64, more: Value) -> i64 {
    let mut spec = json!({ "package_id": package });
    for (name, value) in more.as_object().unwrap() {
        spec[name] = value.clone();
    }
    let made = rig.server.admin("POST", &format!("/users/{}/packages", rig.user_id), &spec).await;
    made["id"].as_i64().unwrap_or_else(|| panic!("{made}"))
}

async fn ask(rig: &Rig) -> crate::rig::client::Got {
    rig.ask(rig.keyed(ANTHROPIC.ask("m-pack", false))).await
}

#[tokio::test]
async fn pk_01_each_period_and_the_total_are_enforced_with_their_code() {
    for (spec, code, phrase) in [
        (
            json!({"name": "p", "kind": "subscription", "daily_usd": usd(WORST)}),
            "daily_limit_exceeded",
            "daily limit exceeded",
        ),
        (
            json!({"name": "p", "kind": "subscription", "weekly_usd": usd(WORST)}),
            "weekly_limit_exceeded",
            "weekly limit exceeded",
        ),
        (
            json!({"name": "p", "kind": "subscription", "monthly_usd": usd(WORST)}),
            "monthly_limit_exceeded",
            "monthly limit exceeded",
        ),
        (json!({"name": "p", "kind": "quota", "total_usd": usd(WORST)}), "quota_exceeded", "quota exceeded"),
    ] {
        let rig = rig().await;
        let id = package(&rig, spec).await;
        let granted = grant(&rig, id, json!({})).await;
        let mut answered = 0;
        let refused = loop {
            let got = ask(&rig).await;
            if got.status != 200 {
                break got;
            }
            answered += 1;
            assert!(answered < 100);
        };
        assert!(answered > 0);
        assert_eq!((refused.status, refused.code().as_str()), (403, code), "{}", refused.text());
        let text = refused.text();
        assert!(text.contains(phrase) && text.contains("package 'p'"), "{text}");
        let grants = rig.server.admin("GET", &format!("/users/{}/packages", rig.user_id), &Value::Null).await;
        let used = &grants["items"][0]["used"];
        assert!(
            used.to_string().contains(&format!("\"{}\"", trimmed(list_price(BILL) * answered))),
            "{grants}"
        );
        // More makes it pay again, and history stays (PK-05).
        let more = match code {
            "quota_exceeded" => json!({"total_usd": "1"}),
            "daily_limit_exceeded" => json!({"daily_usd": "1"}),
            "weekly_limit_exceeded" => json!({"weekly_usd": "1"}),
            _ => json!({"monthly_usd": "1"}),
        };
        rig.change(&format!("/grants/{granted}"), more).await;
        let got = ask(&rig).await;
        assert_eq!(got.status, 200, "{}", got.text());
        rig.audited().await;
    }
}

fn trimmed(nano: u128) -> String {
    let text = usd(nano);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[tokio::test]
async fn pk_06_expired_revoked_and_coming_packages_do_not_pay() {
    let clock = gateway::Clock::ahead();
    let own = clock.clone();
    let rig = Rig::bare_with(move |config| config.clock = own).await;
    for kind in ["anthropic", "openai", "gemini"] {
        rig.provider(kind, json!({})).await;
    }
    furnish(&rig).await;
    let id =
        package(&rig, json!({"name": "p", "kind": "quota", "total_usd": "5", "duration_days": 30})).await;
    let ends = clock.now().plus_ms(60_000);
    let granted = grant(&rig, id, json!({ "ends_at": ends })).await;
    clock.advance(60_000);
    for face in FACES {
        let got = rig.ask(rig.keyed(face.ask("m-pack", false))).await;
        assert_eq!((got.status, got.code().as_str()), (403, "package_expired"), "{}", got.text());
        assert!(got.text().contains(&format!("package expired at {ends}")), "{}", got.text());
    }
    let extend = json!({"ends_at": "2999-01-01T00:00:00Z"});
    rig.change(&format!("/grants/{granted}"), extend).await;
    assert_eq!(ask(&rig).await.status, 200, "extended");
    rig.change(&format!("/grants/{granted}"), json!({"disabled": true})).await;
    let got = ask(&rig).await;
    assert_eq!((got.status, got.code().as_str()), (403, "no_active_package"), "{}", got.text());
    rig.change(&format!("/grants/{granted}"), json!({"disabled": false, "ends_at": null})).await;
    assert_eq!(ask(&rig).await.status, 200);
    rig.set("limits.package_status", "429").await;
    rig.change(&format!("/grants/{granted}"), json!({"total_usd": "0.000000001"})).await;
    assert_eq!(ask(&rig).await.status, 429, "the status is the operator's choice");
    rig.audited().await;
}

#[tokio::test]
async fn the_package_that_ends_first_pays_first_and_the_next_one_takes_over() {
    let rig = rig().await;
    let small = package(&rig, json!({"name": "small", "kind": "quota", "total_usd": usd(WORST)})).await;
    let large = package(&rig, json!({"name": "large", "kind": "quota", "total_usd": "5"})).await;
    let large = grant(&rig, large, json!({})).await;
    let small = grant(&rig, small, json!({"ends_at": "2999-01-01T00:00:00Z"})).await;
    let mut payers = Vec::new();
    for _ in 0..40 {
        let one = rig.keyed(ANTHROPIC.ask("m-pack", false));
        let id = one.id.clone();
        assert_eq!(rig.ask(one).await.status, 200, "never refused while one of them can pay");
        payers.push(rig.row(&id).await["grant_id"].as_i64().unwrap());
    }
    assert_eq!((payers[0], payers[39]), (small, large));
    assert!(payers.windows(2).all(|pair| pair[0] == pair[1] || pair == [small, large]), "{payers:?}");

    // A key bound to one is paid by that one alone.
    rig.change(&format!("/keys/{}", rig.key_id), json!({"grant_id": small})).await;
    assert_eq!(ask(&rig).await.code(), "quota_exceeded");
    let other = rig.server.admin("POST", "/users", &json!({"name": "other"})).await;
    let path = format!("/users/{}/keys", other["id"]);
    let answer = rig.server.admin("POST", &path, &json!({"name": "k", "grant_id": small})).await;
    assert!(answer["error"]["fields"]["grant_id"].is_string(), "{answer}");
    rig.audited().await;
}

#[tokio::test]
async fn pk_04_a_reset_gives_everything_back_and_keeps_the_history() {
    let rig = rig().await;
    let id = package(&rig, json!({"name": "p", "kind": "quota", "total_usd": usd(WORST)})).await;
    let granted = grant(&rig, id, json!({})).await;
    let mut asked = 1;
    while ask(&rig).await.status == 200 {
        asked += 1;
    }
    rig.reset(&format!("/grants/{granted}")).await;
    let again = ask(&rig).await;
    assert_eq!(again.status, 200, "{}", again.text());
    rig.rows(asked + 1).await;
    let usage = rig.server.admin("GET", "/usage?by=package", &Value::Null).await;
    assert!(nano(&usage["items"][0]["cost_usd"]) > WORST / 2, "{usage}");
    rig.audited().await;
}

#[tokio::test]
async fn ke_05_a_packages_models_are_a_second_list() {
    let rig = rig().await;
    let id =
        package(&rig, json!({"name": "p", "kind": "quota", "total_usd": "5", "models": ["other-*"]})).await;
    grant(&rig, id, json!({})).await;
    let got = ask(&rig).await;
    assert_eq!((got.status, got.code().as_str()), (403, "model_not_allowed"), "{}", got.text());
    assert_eq!(got.json()["error"]["details"]["list"], "package");
}
