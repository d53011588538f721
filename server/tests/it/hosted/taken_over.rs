//! Service accounts, AWS keys and clients taken over from other gateways' files: they serve at once, and what could
//! never authenticate is left out with the words of the form.

use fakeup::{AwsAccount, Client, ServiceAccount};
use serde_json::{Value, json};

use super::tokens::{EMAIL, KEY, public_key};
use crate::rig::Rig;
use crate::rig::faces::{ANTHROPIC, CHAT, GEMINI};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const PASSPHRASE: &str = "correct horse battery";

fn aws() -> AwsAccount {
    AwsAccount {
        access_key_id: "AKIDEXAMPLE".into(),
        secret_access_key: SECRET.into(),
        session_token: None,
        region: "eu-central-1".into(),
    }
}

/// A key file whose tokens come from the fake vendor.
fn key_file(origin: &str) -> Value {
    json!({
        "type": "service_account", "project_id": "p-1", "private_key_id": "k-1", "private_key": KEY,
        "client_email": EMAIL, "token_uri": format!("{origin}/token"),
    })
}

async fn admitted() -> Rig {
    let rig = Rig::bare().await;
    rig.upstream.admit_aws(aws());
    rig.upstream.admit_service_account(ServiceAccount { email: EMAIL.into(), public_key: public_key() });
    let client = Client { tenant: "t-1".into(), id: "c-1".into(), secret: "client-secret".into() };
    rig.upstream.admit_client(client);
    rig
}

async fn import(rig: &Rig, body: Value) -> Value {
    let done = rig.server.admin("POST", "/credentials/import", &body).await;
    assert!(done.get("error").is_none(), "{done}");
    let text = done.to_string();
    assert!(!text.contains("PRIVATE") && !text.contains(SECRET) && !text.contains("client-secret"), "{text}");
    done
}

/// What becomes of each credential: its kind, its action, who it is.
fn credentials(done: &Value) -> Vec<(&str, &str, &str)> {
    let providers = done["providers"].as_array().unwrap().iter();
    let all = providers.flat_map(|provider| provider["credentials"].as_array().unwrap());
    all.map(|one| {
        let of = |name| one[name].as_str().unwrap();
        (of("auth"), of("action"), of("secret_hint"))
    })
    .collect()
}

async fn serves(rig: &Rig, model: &str, face: crate::rig::faces::Face) {
    let got = rig.ask(rig.keyed(face.ask(model, false))).await;
    assert_eq!(got.status, 200, "{model}: {}", got.text());
    assert!(got.text().contains("Hello"), "{model}: {}", got.text());
}

#[tokio::test]
async fn a_litellm_config_brings_service_accounts_aws_keys_and_clients_that_serve() {
    let rig = admitted().await;
    let origin = rig.upstream.base_url();
    let config = json!({"model_list": [
        {"model_name": "gemini-file", "litellm_params": {
            "model": "vertex_ai/gemini-file", "api_base": origin, "vertex_location": "europe-west1",
            "vertex_credentials": key_file(&origin).to_string()}},
        {"model_name": "claude-aws", "litellm_params": {
            "model": "bedrock/invoke/anthropic.claude-aws", "api_base": origin, "aws_access_key_id": "AKIDEXAMPLE",
            "aws_secret_access_key": SECRET, "aws_region_name": "eu-central-1"}},
        {"model_name": "elsewhere", "litellm_params": {
            "model": "vertex_ai/gemini-else", "vertex_credentials": "/etc/keys/file.json", "vertex_project": "p-2"}},
        {"model_name": "broken", "litellm_params": {
            "model": "vertex_ai/gemini-broken", "api_base": origin, "vertex_project": "p-1",
            "vertex_credentials": {"type": "service_account", "client_email": "x@p", "private_key": "not PEM"}}},
        {"model_name": "surroundings", "litellm_params": {"model": "bedrock/anthropic.claude-s", "aws_region_name": "us-east-1"}},
        {"model_name": "entra", "litellm_params": {
            "model": "azure/gpt-entra", "api_base": origin, "tenant_id": "t-1", "client_id": "c-1",
            "client_secret": "client-secret"}},
    ]});
    let body = json!({ "content": config.to_string(), "dry_run": true });
    let seen = import(&rig, body).await;
    assert_eq!(seen["applied"], false);
    assert_eq!(
        credentials(&seen),
        [
            ("service_account", "add", EMAIL),
            ("aws", "add", "AKIDEXAMPLE"),
            ("service_account", "skip", "…"),
            ("client_credentials", "add", "c-1"),
        ],
        "{seen}"
    );
    let broken =
        seen["providers"].as_array().unwrap().iter().find(|one| one["models"] == json!(["broken"])).unwrap();
    let why = broken["credentials"][0]["reason"].as_str().unwrap();
    assert!(why.contains("service_account: ") && why.contains("PEM") && !why.contains("not PEM"), "{why}");
    let notes = seen["notes"].to_string();
    assert!(
        notes.contains("lies beside the configuration") && notes.contains("takes them from its surroundings"),
        "{notes}"
    );
    let base = seen["providers"][0]["base_url"].as_str().unwrap();
    assert_eq!(base, format!("{origin}/v1/projects/p-1/locations/europe-west1"));
    assert!(
        rig.server.admin("GET", "/providers", &Value::Null).await["items"].as_array().unwrap().is_empty()
    );
    let body = json!({ "content": config.to_string(), "preview": seen["preview"] });
    let done = import(&rig, body.clone()).await;
    assert_eq!((done["applied"].as_bool(), &done["providers"]), (Some(true), &seen["providers"]));
    serves(&rig, "gemini-file", GEMINI).await;
    assert_eq!(rig.upstream.minted(), 1, "its token was made of the key file");
    serves(&rig, "claude-aws", ANTHROPIC).await;
    let asked = rig.upstream.invoice().last().unwrap().clone();
    assert!(asked.request.header("authorization").unwrap().starts_with("AWS4-HMAC-SHA256 "), "{asked:?}");
    assert_eq!(asked.request.model(), Some("anthropic.claude-aws"), "LiteLLM's own word is gone");
    let again = import(&rig, json!({ "content": config.to_string() })).await;
    assert_eq!(
        (&again["new_providers"], &again["new_credentials"], &again["existing"]),
        (&json!(0), &json!(0), &json!(3))
    );
    let list = rig.server.admin("GET", "/credentials", &Value::Null).await;
    let file = list["items"].as_array().unwrap().iter().find(|one| one["auth"] == "service_account").unwrap();
    assert_eq!((&file["secret_hint"], &file["state"]), (&json!(EMAIL), &json!("valid")), "{file}");
}

#[tokio::test]
async fn channels_of_one_api_and_new_api_for_vertex_and_aws_serve() {
    for (format, vertex, config) in [
        ("new-api", 41, json!({})),
        ("one-api", 42, json!({"region": "europe-west1", "vertex_ai_project_id": "p-1"})),
    ] {
        let rig = admitted().await;
        let origin = rig.upstream.base_url();
        let file = key_file(&origin).to_string();
        let of_one_api = format == "one-api";
        let key = if of_one_api { format!("europe-west1|p-1|{file}") } else { file };
        let channels = json!([
            {"id": 1, "type": vertex, "key": key, "status": 1, "name": "Vertex", "models": "gemini-file", "group": "default",
             "base_url": origin, "other": if of_one_api { "" } else { "europe-west1" }, "config": config.to_string()},
            {"id": 2, "type": 33, "key": format!("AKIDEXAMPLE|{SECRET}|eu-central-1"), "status": 1, "name": "AWS",
             "models": "anthropic.claude-aws", "group": "default", "base_url": origin},
        ]);
        let body = json!({ "content": channels.to_string(), "from": format });
        let done = import(&rig, body).await;
        assert_eq!(done["format"], format, "{done}");
        assert_eq!(
            credentials(&done),
            [("service_account", "add", EMAIL), ("aws", "add", "AKIDEXAMPLE")],
            "{format}: {done}"
        );
        let base = done["providers"][0]["base_url"].as_str().unwrap();
        assert_eq!(base, format!("{origin}/v1/projects/p-1/locations/europe-west1"), "{format}");
        serves(&rig, "gemini-file", GEMINI).await;
        serves(&rig, "anthropic.claude-aws", CHAT).await;
        let body = json!({ "content": channels.to_string(), "from": "litellm" });
        let refused = rig.server.admin("POST", "/credentials/import", &body).await;
        let said = refused["error"]["fields"]["from"].as_str().unwrap();
        assert!(said.contains("not of litellm"), "{refused}");
    }
}

#[tokio::test]
async fn a_sealed_export_hands_service_accounts_aws_keys_and_clients_on() {
    let rig = admitted().await;
    let origin = rig.upstream.base_url();
    let vertex = format!("{origin}/v1/projects/p-1/locations/us-central1");
    let provider =
        rig.provider("vertex", json!({"base_url": vertex, "api_key": null, "models": ["gemini-*"]})).await;
    let spec = json!({"provider_id": provider, "service_account": key_file(&origin).to_string()});
    rig.server.admin("POST", "/credentials", &spec).await;
    let provider = rig.provider("bedrock", json!({"api_key": null, "models": ["anthropic.*"]})).await;
    let keys = json!({"access_key_id": "AKIDEXAMPLE", "secret_access_key": SECRET, "region": "eu-central-1"});
    rig.server.admin("POST", "/credentials", &json!({"provider_id": provider, "aws": keys})).await;
    let provider = rig.provider("azure-openai", json!({"api_key": null, "models": ["gpt-*"]})).await;
    let client = json!({"tenant": "t-1", "client_id": "c-1", "client_secret": "client-secret"});
    rig.server
        .admin("POST", "/credentials", &json!({"provider_id": provider, "client_credentials": client}))
        .await;
    let sealed = rig.server.admin("POST", "/credentials/export", &json!({ "passphrase": PASSPHRASE })).await;
    assert_eq!(sealed["credentials"], 3, "{sealed}");
    let other = Rig::bare().await;
    let body = json!({ "content": sealed["content"], "passphrase": PASSPHRASE });
    let done = import(&other, body.clone()).await;
    let all = credentials(&done);
    assert_eq!(
        all,
        [
            ("service_account", "add", EMAIL),
            ("aws", "add", "AKIDEXAMPLE"),
            ("client_credentials", "add", "c-1"),
        ],
        "{done}"
    );
    serves(&other, "gemini-file", GEMINI).await;
    serves(&other, "anthropic.claude-aws", ANTHROPIC).await;
    let again = import(&other, body).await;
    assert_eq!((&again["new_credentials"], &again["existing"]), (&json!(0), &json!(3)), "{again}");
}

#[tokio::test]
async fn bedrock_accounts_of_the_relay_service_serve_and_encrypted_ones_are_named() {
    let rig = admitted().await;
    let backup = json!({"data": {"bedrockAccounts": [
        {"id": "b-1", "name": "Claude at AWS", "region": "eu-central-1", "isActive": true, "priority": 20,
         "credentialType": "access_key",
         "awsCredentials": {"accessKeyId": "AKIDEXAMPLE", "secretAccessKey": SECRET, "sessionToken": null}},
        {"id": "b-2", "name": "Encrypted", "region": "us-east-1",
         "awsCredentials": {"encrypted": "abcdef", "iv": "00112233445566778899aabbccddeeff"}},
    ]}});
    let done = import(&rig, json!({ "content": backup.to_string() })).await;
    assert_eq!(done["format"], "claude-relay-service");
    assert_eq!(credentials(&done), [("aws", "add", "AKIDEXAMPLE")], "{done}");
    let provider = &done["providers"][0];
    assert_eq!(provider["base_url"], "https://bedrock-runtime.eu-central-1.amazonaws.com");
    assert!(done["notes"].to_string().contains("still encrypted"), "{done}");
    let list = rig.server.admin("GET", "/providers", &Value::Null).await;
    let made = list["items"].as_array().unwrap().iter().find(|one| one["name"] == "Claude at AWS").unwrap();
    assert_eq!(made["priority"], 20);
    let change = json!({ "base_url": rig.upstream.base_url() });
    rig.change(&format!("/providers/{}", made["id"]), change).await;
    serves(&rig, "anthropic.claude-aws", ANTHROPIC).await;
}
