//! Credentials that variables name, with providers that come, go and change their names while the gateway runs (TP-11).

use gateway::{EnvEntry, EnvList};
use serde_json::{Value, json};
use types::Secret;
use types::credential::Tier;

use crate::rig::Rig;
use crate::rig::faces::ANTHROPIC;

fn list(provider: &str, secrets: &[&str]) -> EnvList {
    let entry =
        |(number, secret): (u32, &&str)| EnvEntry { number, secret: Secret::new((*secret).to_owned()) };
    EnvList {
        variable: format!("POOL_KEYS_{provider}"),
        provider: provider.to_owned(),
        tier: Tier::Shared,
        entries: (1..).zip(secrets).map(entry).collect(),
        refused: Vec::new(),
    }
}

async fn get(rig: &Rig, path: &str) -> Value {
    rig.server.admin("GET", path, &Value::Null).await
}

/// Names of a provider's credentials, and who manages them.
async fn named(rig: &Rig, provider: i64) -> Vec<(String, Option<String>)> {
    let page = get(rig, &format!("/credentials?provider_id={provider}")).await;
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let items = page["items"].as_array().unwrap().iter();
    items.map(|item| (text(&item["name"]).unwrap(), text(&item["managed_by"]))).collect()
}

async fn faults(rig: &Rig) -> Vec<(String, String)> {
    let pool = get(rig, "/pool").await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let all = pool["faults"].as_array().unwrap().iter();
    all.map(|fault| (text(&fault["kind"]), text(&fault["subject"]))).collect()
}

fn owned(list: &[(&str, Option<&str>)]) -> Vec<(String, Option<String>)> {
    list.iter().map(|(name, by)| ((*name).to_owned(), by.map(str::to_owned))).collect()
}

#[tokio::test]
async fn tp_11_a_key_that_somebody_added_by_hand_stays_his() {
    let rig = Rig::bare_with(|config| config.pool_lists = vec![list("MAIN", &["up-own", "up-env"])]).await;
    // By its first credential it is there before the variables are looked at.
    let provider = rig.provider("anthropic", json!({ "name": "main", "api_key": "up-own" })).await;
    rig.change(&format!("/providers/{provider}"), json!({ "priority": 1 })).await;
    let own = named(&rig, provider).await;
    assert!(own.contains(&("env 1".to_owned(), Some("POOL_KEYS_MAIN".to_owned()))), "{own:?}");
    let by_hand: Vec<_> = own.iter().filter(|(_, managed)| managed.is_none()).collect();
    assert_eq!((own.len(), by_hand.len()), (2, 1), "the same key is there once: {own:?}");
    // It can still be changed, because it is nobody else's.
    let page = get(&rig, &format!("/credentials?provider_id={provider}")).await;
    let id = page["items"].as_array().unwrap().iter().find(|item| item["managed_by"].is_null()).unwrap();
    rig.change(&format!("/credentials/{}", id["id"]), json!({ "priority": 7 })).await;
}

#[tokio::test]
async fn tp_11_a_provider_is_meant_by_its_id_too_and_two_of_one_name_are_told() {
    let lists = vec![list("1", &["up-by-id"]), list("EU_WEST", &["up-by-name"])];
    let rig = Rig::bare_with(|config| config.pool_lists = lists).await;
    let first = rig.provider("anthropic", json!({ "name": "eu west", "api_key": null })).await;
    assert_eq!(first, 1);
    let both = owned(&[("env 1", Some("POOL_KEYS_1")), ("env 2", Some("POOL_KEYS_EU_WEST"))]);
    assert_eq!(named(&rig, first).await, both);
    assert_eq!(faults(&rig).await, []);
    let second = rig.provider("openai", json!({ "name": "EU-West", "api_key": null })).await;
    assert_eq!(named(&rig, second).await, owned(&[("env 1", Some("POOL_KEYS_EU_WEST"))]));
    assert_eq!(faults(&rig).await, [("ambiguous".to_owned(), "POOL_KEYS_EU_WEST".to_owned())]);
    let health = get(&rig, "/pool").await;
    assert_eq!((&health["total"], &health["active"]), (&json!(3), &json!(3)), "each got them: {health}");
}

#[tokio::test]
async fn tp_11_another_name_for_a_provider_moves_what_the_variable_names() {
    let rig = Rig::bare_with(|config| config.pool_lists = vec![list("MAIN", &["up-env"])]).await;
    let first = rig.provider("anthropic", json!({ "name": "main", "api_key": null })).await;
    let second = rig.provider("anthropic", json!({ "name": "spare", "api_key": null })).await;
    let ask =
        async || rig.ask(rig.keyed(ANTHROPIC.ask("m-1", false).header("x-session-id", "talk"))).await.status;
    assert_eq!(ask().await, 200);
    let id = get(&rig, &format!("/credentials?provider_id={first}")).await["items"][0]["id"].clone();
    rig.change(&format!("/providers/{first}"), json!({ "name": "old" })).await;
    assert_eq!(named(&rig, first).await, [], "nothing names it any more");
    assert_eq!(faults(&rig).await, [("no_provider".to_owned(), "POOL_KEYS_MAIN".to_owned())]);
    assert_eq!(ask().await, 503);
    rig.change(&format!("/providers/{second}"), json!({ "name": "Main" })).await;
    assert_eq!(named(&rig, second).await, owned(&[("env 1", Some("POOL_KEYS_MAIN"))]));
    assert_eq!(ask().await, 200);
    rig.change(&format!("/providers/{second}"), json!({ "name": "spare" })).await;
    rig.change(&format!("/providers/{first}"), json!({ "name": "main" })).await;
    let back = get(&rig, &format!("/credentials?provider_id={first}")).await["items"][0]["id"].clone();
    assert_eq!(back, id, "the same one as before, with its history");
    assert_eq!(faults(&rig).await, []);
}
