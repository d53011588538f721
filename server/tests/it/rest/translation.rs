//! What a provider speaks and what a key allows, over the admin REST API, in its document and at the router.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{check_error, provider};
use crate::auth::console::Console;
use crate::rig::Rig;
use crate::rig::faces::ANTHROPIC;

#[tokio::test]
async fn what_a_provider_speaks_is_set_shown_changed_and_checked() {
    let console = Console::start().await;
    let plain = console.rest(Method::POST, "/providers", Some(provider("plain"))).await.json();
    assert_eq!((&plain["dialects"], &plain["translate"]), (&json!([]), &json!(true)), "{plain}");

    let mut body = provider("two faces");
    body["dialects"] = json!(["openai-chat", "anthropic"]);
    body["translate"] = json!(false);
    let made = console.rest(Method::POST, "/providers", Some(body)).await;
    assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
    let made = made.json();
    assert_eq!(made["dialects"], json!(["openai-chat", "anthropic"]), "the order is kept");
    let path = format!("/providers/{}", made["id"]);
    let changed = console.rest(Method::PATCH, &path, Some(json!({ "translate": true }))).await.json();
    assert_eq!((&changed["translate"], &changed["dialects"]), (&json!(true), &made["dialects"]));
    let audit = console.rest(Method::GET, "/audit?object=provider&limit=1", None).await.json();
    assert_eq!(audit["items"][0]["after"]["translate"], json!(true), "{audit}");
    let back = console.rest(Method::PATCH, &path, Some(json!({ "dialects": [] }))).await.json();
    assert_eq!(back["dialects"], json!([]), "an empty list goes back to what the kind speaks");

    let twice = console.rest(Method::PATCH, &path, Some(json!({ "dialects": ["gemini", "gemini"] }))).await;
    check_error(&twice, 422, "invalid_input");
    assert!(twice.json()["error"]["fields"].get("dialects").is_some(), "{twice:?}");
    let unknown = console.rest(Method::PATCH, &path, Some(json!({ "dialects": ["latin"] }))).await;
    check_error(&unknown, 422, "invalid_input");
}

#[tokio::test]
async fn a_keys_mode_is_set_shown_and_changed() {
    let console = Console::start().await;
    let (user, _) = console.member("ann").await;
    let path = format!("/users/{user}/keys");
    let made = console.rest(Method::POST, &path, Some(json!({ "name": "a", "translation": "strict" }))).await;
    assert_eq!(made.json()["view"]["translation"], "strict", "{made:?}");
    let plain = console.rest(Method::POST, &path, Some(json!({ "name": "b" }))).await.json();
    assert_eq!(plain["view"]["translation"], "allow", "{plain}");
    let key = format!("/keys/{}", plain["id"]);
    let off = console.rest(Method::PATCH, &key, Some(json!({ "translation": "off" }))).await.json();
    assert_eq!(off["translation"], "off", "{off}");
    let odd = console.rest(Method::PATCH, &key, Some(json!({ "translation": "maybe" }))).await;
    check_error(&odd, 422, "invalid_input");
}

#[tokio::test]
async fn the_document_describes_modes_dialects_and_what_was_lost() {
    let console = Console::start().await;
    let document = console.rest(Method::GET, "/openapi.json", None).await.json();
    let schemas = &document["components"]["schemas"];
    for (schema, field) in [
        ("ApiKeyView", "translation"),
        ("ProviderView", "dialects"),
        ("Attempt", "translation"),
        ("Candidate", "translated"),
        ("TranslationNote", "losses"),
        ("LossNote", "meaning"),
    ] {
        let described = schemas[schema]["properties"].get(field);
        assert!(described.is_some_and(Value::is_object), "{schema}.{field}: {}", schemas[schema]);
    }
    for (path, method, field) in [
        ("/api/admin/users/{id}/keys", "post", "translation"),
        ("/api/admin/keys/{id}", "patch", "translation"),
        ("/api/admin/providers", "post", "translate"),
        ("/api/admin/providers/{id}", "patch", "dialects"),
    ] {
        let body = &document["paths"][path][method]["requestBody"];
        assert!(body.to_string().contains(&format!("\"{field}\"")), "{method} {path}: {body}");
    }
}

#[tokio::test]
async fn the_simulator_says_who_would_translate_and_whom_the_key_keeps_out() {
    let rig = Rig::bare().await;
    let named = rig.provider("anthropic", json!({ "name": "named", "models": ["m-*"] })).await;
    let unnamed = rig.provider("gemini", json!({ "name": "unnamed" })).await;
    let candidate = async |ask: Value, id: i64| {
        let simulation = rig.server.admin("POST", "/routing/simulate", &ask).await;
        let all = simulation["decision"]["candidates"].as_array().unwrap_or_else(|| panic!("{simulation}"));
        all.iter().find(|one| one["provider_id"] == id).unwrap_or_else(|| panic!("{simulation}")).clone()
    };
    let ask = json!({ "key_id": rig.key_id, "model": "m-1", "dialect": "openai-chat" });
    let first = candidate(ask.clone(), named).await;
    assert_eq!((&first["rank"], &first["translated"]), (&json!(1), &json!("anthropic")), "{first}");
    let other = candidate(ask.clone(), unnamed).await;
    assert_eq!(other["removed_by"], "dialect", "it names no model: {other}");
    let own = candidate(json!({ "key_id": rig.key_id, "model": "m-1", "dialect": "anthropic" }), named).await;
    assert_eq!((&own["rank"], own.get("translated")), (&json!(1), None), "{own}");

    rig.change(&format!("/keys/{}", rig.key_id), json!({ "translation": "off" })).await;
    assert_eq!(candidate(ask.clone(), named).await["removed_by"], "dialect");
    rig.change(&format!("/keys/{}", rig.key_id), json!({ "translation": "strict" })).await;
    assert_eq!(candidate(ask.clone(), named).await["rank"], 1);
    rig.change(&format!("/providers/{named}"), json!({ "translate": false })).await;
    assert_eq!(candidate(ask, named).await["removed_by"], "endpoint");
}

#[tokio::test]
async fn a_request_can_ask_for_less_than_its_key_allows_and_nonsense_is_refused() {
    let rig = Rig::bare().await;
    rig.provider("openai", json!({ "models": ["m-*"] })).await;
    let ask = |mode: &str| rig.keyed(ANTHROPIC.ask("m-1", false)).header("x-tollgate-translation", mode);
    let odd = rig.ask(ask("maybe")).await;
    assert_eq!((odd.status, odd.code().as_str()), (400, "invalid_request"), "{}", odd.text());
    assert!(odd.text().contains("allow, strict, off"), "{}", odd.text());
    let off = rig.ask(ask("off")).await;
    assert_eq!((off.status, off.code().as_str()), (503, "no_available_account"), "{}", off.text());
    assert!(off.text().contains("dialect"), "the filter is named: {}", off.text());
    assert!(rig.upstream.invoice().is_empty());
}
