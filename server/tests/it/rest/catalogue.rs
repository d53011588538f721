//! The catalogue of models: by whom, in which dialects, to whom; and that `GET /v1/models` says the same.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::check_error;
use crate::auth::console::Console;
use crate::rig::Rig;
use crate::rig::client::Ask;

fn names(catalogue: &Value) -> Vec<&str> {
    let items = catalogue["items"].as_array().unwrap_or_else(|| panic!("{catalogue}"));
    items.iter().map(|item| item["name"].as_str().unwrap()).collect()
}

async fn catalogue(rig: &Rig, query: &str) -> Value {
    rig.server.admin("GET", &format!("/models{query}"), &Value::Null).await
}

/// Two providers that name their models, one that does not, an alias, a redirect.
async fn furnished() -> Rig {
    let rig = Rig::bare().await;
    rig.provider("openai", json!({ "models": ["gpt-a"], "model_redirects": { "claude-like": "gpt-a" } }))
        .await;
    rig.provider("anthropic", json!({ "models": ["claude-b"], "groups": ["lab"], "translate": false })).await;
    rig.provider("gemini", json!({ "models": ["off-c"], "enabled": false })).await;
    rig.server.admin("PUT", "/aliases/best", &json!({ "targets": ["claude-b", "gpt-a"] })).await;
    rig.server.admin("PUT", "/aliases/any*", &json!({ "targets": ["gpt-a"] })).await;
    rig
}

#[tokio::test]
async fn every_model_is_listed_with_who_serves_it_and_in_which_dialects() {
    let rig = furnished().await;
    let all = catalogue(&rig, "").await;
    assert_eq!(names(&all), ["best", "claude-b", "claude-like", "gpt-a"], "{all}");
    assert_eq!((&all["total"], &all["all"], &all["next"]), (&json!(4), &json!(4), &Value::Null));
    let [best, claude, like, gpt] = all["items"].as_array().unwrap().as_slice() else { panic!("{all}") };
    assert_eq!(gpt["native"], json!(["openai-chat", "openai-responses"]), "{gpt}");
    assert_eq!(gpt["translated"], json!(["anthropic", "gemini"]), "{gpt}");
    assert_eq!(gpt["aliases"], json!(["any*", "best"]), "{gpt}");
    assert_eq!((&claude["native"], &claude["translated"]), (&json!(["anthropic"]), &json!([])), "{claude}");
    assert_eq!(claude["providers"][0]["translates"], false, "{claude}");
    assert_eq!(
        (&like["providers"][0]["model"], &like["providers"][0]["ready"]),
        (&json!("gpt-a"), &json!(true))
    );
    assert_eq!(best["targets"], json!(["claude-b", "gpt-a"]), "{best}");
    assert_eq!(best["native"], json!(["anthropic", "openai-chat", "openai-responses"]), "{best}");
    assert_eq!(best["translated"], json!(["gemini"]), "{best}");
}

#[tokio::test]
async fn filters_and_pages_take_the_catalogue_apart() {
    let rig = furnished().await;
    rig.server
        .admin("PUT", "/prices/gpt-a", &json!({ "input_per_million_usd": "2", "max_input_tokens": 1000 }))
        .await;
    for (query, expected) in [
        ("?q=GPT", vec!["best", "gpt-a"]),
        ("?dialect=gemini", vec!["best", "claude-like", "gpt-a"]),
        ("?dialect=gemini&native=true", vec![]),
        ("?native=true&dialect=anthropic", vec!["best", "claude-b"]),
        ("?provider_id=2", vec!["best", "claude-b"]),
        ("?priced=known", vec!["claude-like", "gpt-a"]),
        ("?ability=audio_input", vec![]),
        ("?limit=2&cursor=claude-b", vec!["claude-like", "gpt-a"]),
    ] {
        let found = catalogue(&rig, query).await;
        // An alias has the price of the first that serves it.
        let got: Vec<_> =
            names(&found).into_iter().filter(|name| !query.contains("priced") || *name != "best").collect();
        assert_eq!(got, expected, "{query}: {found}");
    }
    let first = catalogue(&rig, "?limit=3").await;
    assert_eq!((first["next"].as_str(), &first["total"]), (Some("claude-like"), &json!(4)), "{first}");
    let priced = catalogue(&rig, "?q=gpt-a&priced=known").await;
    let gpt = &priced["items"].as_array().unwrap().iter().find(|item| item["name"] == "gpt-a").unwrap();
    assert_eq!(
        (&gpt["price"]["input_per_million_usd"], &gpt["max_input_tokens"]),
        (&json!("2"), &json!(1000))
    );

    let console = Console::start().await;
    for query in ["?dialect=latin", "?ability=flying", "?colour=red", "?native=perhaps"] {
        let odd = console.rest(Method::GET, &format!("/models{query}"), None).await;
        check_error(&odd, 422, "invalid_input");
    }
    check_error(&console.rest(Method::GET, "/models?key_id=4711", None).await, 422, "invalid_input");
}

#[tokio::test]
async fn a_key_reaches_what_its_groups_models_and_mode_allow_and_its_list_says_so() {
    let rig = furnished().await;
    let (narrow, narrow_key) =
        rig.new_key(json!({ "name": "narrow", "models": ["claude-*", "gpt-*"] })).await;
    let (own, own_key) = rig.new_key(json!({ "name": "own", "translation": "off" })).await;
    let (lab, lab_key) = rig.new_key(json!({ "name": "lab", "groups": ["lab"] })).await;
    for (id, key, anthropic) in [
        (rig.key_id, &rig.key, vec!["best", "claude-b", "claude-like", "gpt-a"]),
        (narrow, &narrow_key, vec!["claude-b", "claude-like", "gpt-a"]),
        (own, &own_key, vec!["best", "claude-b"]),
        (lab, &lab_key, vec!["best", "claude-b"]),
    ] {
        let found = catalogue(&rig, &format!("?key_id={id}&dialect=anthropic")).await;
        assert_eq!(names(&found), anthropic, "{found}");
        let list = Ask::get("/v1/models").header("x-api-key", key).header("anthropic-version", "2023-06-01");
        let list = rig.ask(list).await.json();
        let ids: Vec<_> =
            list["data"].as_array().unwrap().iter().map(|m| m["id"].as_str().unwrap()).collect();
        assert_eq!(ids, anthropic, "{list}");
    }
    assert!(rig.upstream.invoice().is_empty(), "configured names need no upstream");
}

#[tokio::test]
async fn a_provider_whose_list_does_not_come_is_named() {
    let console = Console::start().await;
    let provider = json!({ "name": "away", "kind": "anthropic", "base_url": "http://127.0.0.1:9", "api_key": "sk-0123456789abcdef",
        "model_redirects": { "house": "claude-b" } });
    assert_eq!(console.rest(Method::POST, "/providers", Some(provider)).await.status, StatusCode::CREATED);
    let found = console.rest(Method::GET, "/models", None).await.json();
    assert_eq!((&found["missing"], names(&found)), (&json!(["away"]), vec!["house"]), "{found}");

    // A member learns what he can ask for, and nothing of who serves it.
    let (_, key) = console.member("ann").await;
    let cookie = console.sign_in(&key).await;
    let page = console.page("/models", &cookie).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("house") && !page.body.contains("away") && !page.body.contains("claude-b"));
    let page = console.page("/models", &console.admin_session().await).await;
    assert!(page.body.contains("away") && page.body.contains("claude-b"), "{page:?}");
}
