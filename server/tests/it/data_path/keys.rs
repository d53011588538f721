//! Who is let in: forms of keys, states of keys, and the words for each refusal.

use serde_json::{Value, json};

use crate::rig::Rig;
use crate::rig::client::Ask;
use crate::rig::faces::{ANTHROPIC, CHAT, FACES, GEMINI};

#[tokio::test]
async fn ke_01_every_form_of_key_is_accepted_in_every_dialect() {
    let rig = Rig::start().await;
    for face in FACES {
        let key = rig.key.clone();
        for (name, value) in [
            ("authorization", format!("Bearer {key}")),
            ("authorization", format!("bearer {key}")),
            ("x-api-key", key.clone()),
            ("x-goog-api-key", key.clone()),
            ("api-key", key.clone()),
        ] {
            let got = rig.ask(face.ask("m-1", false).header(name, &value)).await;
            assert_eq!(got.status, 200, "{face:?} {name}: {}", got.text());
        }
        // The same key twice is one key.
        let ask = face.ask("m-1", false).header("x-api-key", &key);
        assert_eq!(rig.ask(rig.keyed(ask)).await.status, 200);
        let ask = face.ask("m-1", false).header("x-api-key", "sk-tg-another");
        let got = rig.ask(rig.keyed(ask)).await;
        assert_eq!((got.status, got.code().as_str()), (400, "conflicting_keys"), "{face:?}");
    }
}

#[tokio::test]
async fn ke_01_a_key_in_the_address_counts_on_gemini_paths_only() {
    let rig = Rig::start().await;
    for face in FACES {
        for streaming in [false, true] {
            let mut ask = face.ask("m-1", streaming);
            ask.target =
                format!("{}{}key={}", ask.target, if ask.target.contains('?') { '&' } else { '?' }, rig.key);
            let got = rig.ask(ask).await;
            if face == GEMINI {
                assert_eq!(got.status, 200, "{}", got.text());
                assert!(!rig.upstream.invoice().last().unwrap().request.target.contains("key="));
            } else {
                assert_eq!((got.status, got.code().as_str()), (400, "key_in_query"), "{face:?}");
                assert!(!got.text().contains(&rig.key));
            }
        }
    }
}

#[tokio::test]
async fn ke_01_every_bad_key_gets_its_own_code_in_the_callers_dialect() {
    let rig = Rig::start().await;
    let (disabled, disabled_key) = rig.new_key(json!({"name": "off"})).await;
    rig.server.admin("PATCH", &format!("/keys/{disabled}"), &json!({"enabled": false})).await;
    let (_, expired_key) = rig.new_key(json!({"name": "old", "expires_at": "2020-01-01T00:00:00Z"})).await;
    let (deleted, deleted_key) = rig.new_key(json!({"name": "gone"})).await;
    rig.delete(&format!("/keys/{deleted}")).await;
    let other = rig.server.admin("POST", "/users", &json!({"name": "other"})).await["id"].clone();
    let others = rig.server.admin("POST", &format!("/users/{other}/keys"), &json!({"name": "k"})).await;
    let others_key = others["key"].as_str().unwrap().to_owned();
    rig.server.admin("PATCH", &format!("/users/{other}"), &json!({"enabled": false})).await;
    let cases = [
        (Some("sk-tg-0000000000000000000000000000000000000000"), "key_invalid", "invalid API key"),
        (Some("not-a-key-at-all"), "key_invalid", "invalid API key"),
        (Some(disabled_key.as_str()), "key_disabled", "disabled"),
        (Some(expired_key.as_str()), "key_expired", "expired"),
        (Some(deleted_key.as_str()), "key_invalid", "invalid API key"),
        (Some(others_key.as_str()), "key_disabled", "user"),
        (None, "missing_authorization", "Unauthorized"),
    ];
    let mut rows = 0;
    for face in FACES {
        for (key, code, phrase) in cases {
            for (_, ask) in face.both("m-1") {
                let id = ask.id.clone();
                let ask = if let Some(key) = key {
                    ask.header("authorization", &format!("Bearer {key}"))
                } else {
                    ask
                };
                let got = rig.ask(ask).await;
                assert_eq!(got.status, 401, "{face:?} {code}: {}", got.text());
                face.assert_error(&got.json(), 401, code, &id);
                assert!(got.text().contains(phrase), "{code}: {}", got.text());
                assert!(got.headers.contains_key("www-authenticate"), "{:?}", got.headers);
                assert!(key.is_none_or(|key| !got.text().contains(key)), "the key is not echoed");
                let row = rig.row(&id).await;
                assert_eq!((&row["outcome"], &row["error_code"]), (&json!("refused"), &json!(code)), "{row}");
                rows += 1;
            }
        }
    }
    assert_eq!(rig.rows(rows).await.len(), rows);
    assert!(rig.upstream.invoice().is_empty(), "nothing was sent");
    // A key that is switched on again works at once.
    rig.server.admin("PATCH", &format!("/keys/{disabled}"), &json!({"enabled": true})).await;
    let got = rig.ask(CHAT.ask("m-1", false).header("x-api-key", &disabled_key)).await;
    assert_eq!(got.status, 200);
    rig.server.admin("POST", &format!("/keys/{deleted}/restore"), &Value::Null).await;
    let got = rig.ask(CHAT.ask("m-1", false).header("x-api-key", &deleted_key)).await;
    assert_eq!(got.status, 200);
}

#[tokio::test]
async fn a_malformed_authorization_says_so() {
    let rig = Rig::start().await;
    for face in FACES {
        for bad in ["Basic dXNlcjpwYXNz", "Bearer", rig.key.as_str()] {
            let ask = face.ask("m-1", false).header("authorization", bad);
            let id = ask.id.clone();
            let got = rig.ask(ask).await;
            face.assert_error(&got.json(), 401, "malformed_authorization", &id);
            assert!(got.text().contains("Bearer <your-secret>"), "{}", got.text());
        }
    }
}

#[tokio::test]
async fn ke_05_a_model_outside_the_keys_list_is_refused_on_every_route() {
    let rig = Rig::start().await;
    let (_, key) = rig.new_key(json!({"name": "narrow", "models": ["claude-*", "Gpt-5-Mini"]})).await;
    for face in FACES {
        for (model, status) in [
            ("claude-opus-5", 200),
            ("CLAUDE-x", 200),
            ("gpt-5-mini", 200),
            ("gpt-5", 403),
            ("xclaude-1", 403),
        ] {
            for (_, ask) in face.both(model) {
                let id = ask.id.clone();
                let got = rig.ask(ask.header("x-api-key", &key)).await;
                assert_eq!(got.status, status, "{face:?} {model}: {}", got.text());
                if status == 403 {
                    face.assert_error(&got.json(), 403, "model_not_allowed", &id);
                    assert!(got.text().contains("model not allowed"), "{}", got.text());
                }
            }
        }
    }
    for path in
        ["/v1/embeddings", "/v1/moderations", "/v1/images/generations", "/v1/audio/speech", "/v1/rerank"]
    {
        let got =
            rig.ask(Ask::post(path, r#"{"model":"gpt-5","input":"x"}"#).header("x-api-key", &key)).await;
        assert_eq!((got.status, got.code().as_str()), (403, "model_not_allowed"), "{path}");
    }
    // Without a model there is nothing that the list could allow.
    let got = rig.ask(Ask::post("/v1/moderations", r#"{"input":"x"}"#).header("x-api-key", &key)).await;
    assert_eq!((got.status, got.code().as_str()), (400, "invalid_request"));
}

#[tokio::test]
async fn clients_and_networks_of_a_key_are_enforced() {
    let rig = Rig::start().await;
    let (_, picky) = rig.new_key(json!({"name": "picky", "clients": ["claude-code"]})).await;
    let claude = ANTHROPIC.ask("m-1", false).header("x-api-key", &picky);
    let got = rig.ask(claude.clone().header("user-agent", "curl/8")).await;
    assert_eq!((got.status, got.code().as_str()), (403, "client_not_allowed"), "{}", got.text());
    assert!(got.text().contains("client not allowed"), "{}", got.text());
    assert_eq!(rig.ask(claude.header("user-agent", "claude-cli/2.1.329 (external, cli)")).await.status, 200);
    let (_, far) = rig.new_key(json!({"name": "far", "ip_allow": ["203.0.113.0/24"]})).await;
    let got = rig
        .ask(ANTHROPIC.ask("m-1", false).header("x-api-key", &far).header("x-forwarded-for", "203.0.113.7"))
        .await;
    assert_eq!(
        (got.status, got.code().as_str()),
        (403, "ip_blocked"),
        "a header proves nothing: {}",
        got.text()
    );
    let (_, near) = rig.new_key(json!({"name": "near", "ip_allow": ["127.0.0.1"]})).await;
    assert_eq!(rig.ask(ANTHROPIC.ask("m-1", false).header("x-api-key", &near)).await.status, 200);
}
