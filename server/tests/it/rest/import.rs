//! Taking over other gateways' files, and exports between installations, over the admin REST API.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::check_error;
use crate::auth::console::{Answer, Console};

const LITELLM: &str = include_str!("../../../../crates/import/fixtures/litellm.yaml");
const NEW_API: &str = include_str!("../../../../crates/import/fixtures/new-api.json");
const HUB: &str = include_str!("../../../../crates/import/fixtures/hub.json");
const FOLDER: &str = include_str!("../../../../crates/import/fixtures/cliproxy.json");
const PASSPHRASE: &str = "correct horse battery";

async fn import(console: &Console, body: Value) -> Answer {
    let answer = console.rest(Method::POST, "/credentials/import", Some(body)).await;
    assert!(!answer.body.contains("canary"), "an answer never holds a secret: {}", answer.body);
    answer
}

async fn done(console: &Console, body: Value) -> Value {
    let answer = import(console, body).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    answer.json()
}

async fn list(console: &Console, path: &str) -> Vec<Value> {
    console.rest(Method::GET, path, None).await.json()["items"].as_array().unwrap().clone()
}

fn counts(found: &Value) -> [u64; 4] {
    ["new_providers", "new_credentials", "existing", "skipped"].map(|field| found[field].as_u64().unwrap())
}

#[tokio::test]
async fn a_dry_run_says_what_an_import_does_and_changes_nothing() {
    let console = Console::start().await;
    let seen = done(&console, json!({ "content": LITELLM, "dry_run": true })).await;
    assert_eq!((seen["format"].as_str(), seen["applied"].as_bool()), (Some("litellm"), Some(false)));
    assert_eq!(counts(&seen), [5, 4, 0, 0]);
    let notes = seen["notes"].to_string();
    assert!(notes.contains("ANTHROPIC_API_KEY") && notes.contains("model_list[6]"), "{notes}");
    let hint = seen["providers"][3]["credentials"][0]["secret_hint"].as_str().unwrap();
    assert_eq!(hint, "012…4567");
    assert!(list(&console, "/providers").await.is_empty());
    assert!(list(&console, "/audit").await.is_empty());

    let body = json!({ "content": LITELLM, "origin": "config.yaml", "preview": seen["preview"] });
    let did = done(&console, body).await;
    assert_eq!((did["applied"].as_bool(), &did["providers"]), (Some(true), &seen["providers"]));
    let providers = list(&console, "/providers").await;
    let names: Vec<_> = providers.iter().map(|provider| provider["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["openai", "openai (2)", "anthropic", "hosted_vllm", "azure"]);
    assert_eq!(providers[4]["model_redirects"], json!({ "azure-gpt": "my-deployment" }));
    assert_eq!(providers[2]["credential_count"], 0);
    let credentials = list(&console, "/credentials").await;
    assert_eq!(credentials.len(), 4);
    assert_eq!((&credentials[1]["weight"], &credentials[1]["limits"]["rpm_limit"]), (&json!(3), &json!(30)));
    assert!(credentials.iter().all(|credential| credential["state"] == "valid"));
}

#[tokio::test]
async fn an_import_is_written_down_row_by_row_and_as_a_whole() {
    let console = Console::start().await;
    done(&console, json!({ "content": NEW_API, "origin": "channels.json" })).await;
    let rows = list(&console, "/audit?limit=100").await;
    let of = |action: &str| rows.iter().filter(|row| row["action"] == action).count();
    let (providers, credentials) = (list(&console, "/providers").await, list(&console, "/credentials").await);
    assert_eq!(of("provider.create"), providers.len());
    assert_eq!(of("credential.create"), credentials.len());
    let whole = rows.iter().find(|row| row["action"] == "credential.import").unwrap();
    assert_eq!(
        (&whole["object_name"], &whole["after"]["format"]),
        (&json!("channels.json"), &json!("new-api"))
    );
    assert!(!json!(rows).to_string().contains("canary"));
    let first = providers.iter().find(|provider| provider["name"] == "OpenAI main").unwrap();
    assert_eq!(first["proxy_url"], "http://user:…@10.0.0.9:3128");
    assert_eq!((&first["priority"], &first["groups"]), (&json!(-10), &json!(["default", "vip"])));
    let off = credentials
        .iter()
        .find(|credential| credential["provider_id"] == first["id"] && credential["name"] == "key 2");
    assert_eq!(off.unwrap()["enabled"], false);
}

#[tokio::test]
async fn repeating_an_import_adds_nothing() {
    let console = Console::start().await;
    for file in [LITELLM, NEW_API, HUB, FOLDER] {
        done(&console, json!({ "content": file })).await;
        let (providers, credentials) =
            (list(&console, "/providers").await, list(&console, "/credentials").await);
        let audits = list(&console, "/audit?limit=200").await.len();
        let again = done(&console, json!({ "content": file })).await;
        assert_eq!(counts(&again)[..2], [0, 0], "{again}");
        assert_eq!(list(&console, "/providers").await, providers);
        assert_eq!(list(&console, "/credentials").await, credentials);
        assert_eq!(
            list(&console, "/audit?limit=200").await.len(),
            audits,
            "nothing happened, nothing is written"
        );
    }
}

fn channel(name: &str, base_url: &str, key: &str) -> Value {
    json!({ "type": 8, "name": name, "base_url": base_url, "key": key, "models": "m", "status": 1 })
}

fn file(channels: &[Value]) -> String {
    json!(channels).to_string()
}

#[tokio::test]
async fn what_is_here_stays_and_only_new_keys_come_to_it() {
    let console = Console::start().await;
    let made = json!({ "name": "mine", "kind": "openai-compatible", "base_url": "https://a.example.com/v1",
        "api_key": "sk-here-0123456789", "priority": 7 });
    console.rest(Method::POST, "/providers", Some(made)).await;
    let content = file(&[channel(
        "other",
        "https://a.example.com",
        "sk-here-0123456789\nsk-new-0123456789\nsk-new-0123456789",
    )]);
    let did = done(&console, json!({ "content": content })).await;
    assert_eq!(counts(&did), [0, 1, 1, 1], "{did}");
    let provider = &did["providers"][0];
    assert_eq!((&provider["action"], &provider["name"]), (&json!("exists"), &json!("mine")));
    assert_eq!(provider["credentials"][2]["reason"], "the file holds it twice");
    let providers = list(&console, "/providers").await;
    assert_eq!((providers.len(), &providers[0]["priority"]), (1, &json!(7)));
    let names: Vec<_> = list(&console, "/credentials").await.iter().map(|one| one["name"].clone()).collect();
    assert_eq!(names, ["key 1", "key 2"]);
}

#[tokio::test]
async fn a_taken_name_gets_a_number_or_is_left_out() {
    let console = Console::start().await;
    let made = json!({ "name": "same", "kind": "anthropic", "base_url": "https://api.anthropic.com" });
    console.rest(Method::POST, "/providers", Some(made)).await;
    let content = file(&[
        channel("same", "https://b.example.com", "sk-b-0123456789"),
        channel("same", "https://c.example.com", "sk-c-0123456789"),
    ]);
    let skip = json!({ "content": content, "on_conflict": "skip", "dry_run": true });
    let seen = done(&console, skip).await;
    assert_eq!(counts(&seen), [0, 0, 0, 4], "{seen}");
    let did = done(&console, json!({ "content": content })).await;
    assert_eq!(did["providers"][0]["reason"], "another provider is called 'same'");
    let names: Vec<_> = list(&console, "/providers").await.iter().map(|one| one["name"].clone()).collect();
    assert_eq!(names, ["same", "same (2)", "same (3)"]);
}

#[tokio::test]
async fn what_changed_since_the_dry_run_is_refused() {
    let console = Console::start().await;
    let content = file(&[channel("one", "https://a.example.com", "sk-one-0123456789")]);
    let seen = done(&console, json!({ "content": content, "dry_run": true })).await;
    let other = file(&[channel("one", "https://a.example.com", "sk-two-0123456789")]);
    let answer = import(&console, json!({ "content": other, "preview": seen["preview"] })).await;
    check_error(&answer, 409, "stale_version");
    let made = json!({ "name": "one", "kind": "anthropic", "base_url": "https://api.anthropic.com" });
    console.rest(Method::POST, "/providers", Some(made)).await;
    let answer = import(&console, json!({ "content": content, "preview": seen["preview"] })).await;
    check_error(&answer, 409, "stale_version");
    assert_eq!(list(&console, "/providers").await.len(), 1);
}

#[tokio::test]
async fn what_cannot_be_used_is_left_out_with_its_reason() {
    let console = Console::start().await;
    let content = file(&[
        channel("user", "https://u:canary-in-address@a.example.com", "sk-a-0123456789"),
        channel("blank", "https://b.example.com", "sk canary blank"),
        channel("", "https://c.example.com", "sk-c-0123456789"),
    ]);
    let did = done(&console, json!({ "content": content })).await;
    let reason = |at: usize| did["providers"][at]["reason"].as_str().unwrap().to_owned();
    assert!(reason(0).contains("base_url: credentials do not belong into the address"), "{did}");
    assert_eq!(did["providers"][0]["base_url"], "");
    assert!(reason(1).contains("none of its credentials"), "{did}");
    assert_eq!(counts(&did), [1, 1, 0, 4], "{did}");
}

#[tokio::test]
async fn a_file_that_cannot_be_read_says_where_and_never_what() {
    let console = Console::start().await;
    for (content, part) in [
        ("", "empty"),
        ("{\"canary\": ", "JSON that cannot be read, line 1"),
        ("model_list:\n  - [canary", "YAML that cannot be read, line"),
        ("canary", "none of the known formats"),
        ("model_list: canary", "model_list: expected a list"),
        ("tollgate-export v9 canary\nx", "passphrase"),
    ] {
        let answer = import(&console, json!({ "content": content, "dry_run": true })).await;
        check_error(&answer, 422, "invalid_input");
        assert!(answer.body.contains(part), "{part}: {}", answer.body);
    }
    let answer = import(&console, json!({ "content": "x".repeat(17 << 20) })).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn an_export_opens_on_another_installation_with_its_passphrase_only() {
    let console = Console::start().await;
    done(&console, json!({ "content": HUB })).await;
    done(&console, json!({ "content": NEW_API })).await;
    let export = |body: Value| console.rest(Method::POST, "/credentials/export", Some(body));
    check_error(&export(json!({ "passphrase": "too short" })).await, 422, "invalid_input");
    let nobody = json!({ "passphrase": PASSPHRASE, "provider_ids": [4711] });
    check_error(&export(nobody).await, 422, "invalid_input");
    let answer = export(json!({ "passphrase": PASSPHRASE })).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert!(!answer.body.contains("canary"));
    let sealed = answer.json();
    let providers = list(&console, "/providers").await;
    let credentials = list(&console, "/credentials").await;
    assert_eq!(
        (sealed["providers"].as_u64(), sealed["credentials"].as_u64()),
        (u64::try_from(providers.len()).ok(), u64::try_from(credentials.len()).ok())
    );
    let row = &list(&console, "/audit").await[0];
    assert_eq!(
        (&row["action"], &row["after"]["credentials"]),
        (&json!("credential.export"), &sealed["credentials"])
    );

    let other = Console::start().await;
    let content = &sealed["content"];
    for body in
        [json!({ "content": content }), json!({ "content": content, "passphrase": "correct horse batterz" })]
    {
        let answer = import(&other, body).await;
        check_error(&answer, 422, "invalid_input");
        assert!(answer.json()["error"]["fields"]["passphrase"].is_string(), "{}", answer.body);
    }
    let body = json!({ "content": content, "passphrase": PASSPHRASE });
    let did = done(&other, body.clone()).await;
    assert_eq!((did["format"].as_str(), counts(&did)[3]), (Some("tollgate"), 0), "{did}");
    let strip = |mut rows: Vec<Value>| {
        for row in &mut rows {
            for field in ["created_at", "updated_at"] {
                row[field] = Value::Null;
            }
        }
        rows
    };
    assert_eq!(strip(list(&other, "/providers").await), strip(providers));
    assert_eq!(strip(list(&other, "/credentials").await), strip(credentials.clone()));
    assert_eq!(counts(&done(&other, body).await), [0, 0, u64::try_from(credentials.len()).unwrap(), 0]);

    let one = json!({ "passphrase": PASSPHRASE, "credential_ids": [credentials[0]["id"]] });
    let sealed = export(one).await.json();
    assert_eq!((&sealed["providers"], &sealed["credentials"]), (&json!(1), &json!(1)));
}
