//! Secrets that are no keys: refused where they are typed, with the field named.

use serde_json::{Value, json};

use crate::rig::Rig;

#[tokio::test]
async fn ac_06_what_could_never_authenticate_is_refused_with_its_field() {
    let rig = Rig::bare().await;
    let provider = async |kind: &str, base_url: &str| {
        rig.provider(
            kind,
            json!({"name": format!("{kind} {base_url}"), "base_url": base_url, "api_key": null}),
        )
        .await
    };
    let project = "https://l-aiplatform.googleapis.com/v1/projects/p/locations/l";
    let vertex = provider("vertex", project).await;
    let express = provider("vertex", "https://aiplatform.googleapis.com/v1").await;
    let bedrock = provider("bedrock", "https://bedrock.example.com").await;
    let regional = provider("bedrock", "https://bedrock-runtime.eu-west-3.amazonaws.com").await;
    let azure = provider("azure-openai", "https://r.openai.azure.com").await;
    let openai = provider("openai", "https://api.openai.com").await;
    let file = |key: &str| {
        json!({"service_account": json!({
            "type": "service_account", "client_email": "robot@p.example.com", "private_key": key,
        }).to_string()})
    };
    let keys = json!({"aws": {"access_key_id": "AKIDEXAMPLE", "secret_access_key": "s3cret"}});
    let client =
        json!({"client_credentials": {"tenant": "t", "client_id": "c-1", "client_secret": "s3cret"}});
    for (at, input, field) in [
        (vertex, json!({}), "api_key"),
        (vertex, json!({"service_account": "{"}), "service_account"),
        (vertex, json!({"service_account": "{\"type\":\"authorized_user\"}"}), "service_account"),
        (vertex, file("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"), "service_account"),
        (express, file("k"), "base_url"),
        (openai, file("k"), "service_account"),
        (bedrock, keys.clone(), "aws.region"),
        (openai, keys.clone(), "aws"),
        (bedrock, json!({"aws": {"access_key_id": "a b", "secret_access_key": "s"}}), "aws.access_key_id"),
        (vertex, client.clone(), "client_credentials"),
        (
            azure,
            json!({"client_credentials": {"tenant": "", "client_id": "c", "client_secret": "s"}}),
            "client_credentials.tenant",
        ),
        (bedrock, json!({"api_key": "k-1", "aws": keys["aws"]}), "api_key"),
    ] {
        let mut spec = input.clone();
        spec["provider_id"] = json!(at);
        let answer = rig.server.admin("POST", "/credentials", &spec).await;
        let named = answer.pointer("/error/fields").and_then(Value::as_object);
        assert!(named.is_some_and(|fields| fields.contains_key(field)), "{field}: {input}: {answer}");
        assert!(!answer.to_string().contains("s3cret"), "{answer}");
    }
    for (at, input, hint) in [(regional, keys, "AKIDEXAMPLE"), (azure, client, "c-1")] {
        let mut spec = input.clone();
        spec["provider_id"] = json!(at);
        let made = rig.server.admin("POST", "/credentials", &spec).await;
        assert_eq!(made["secret_hint"], hint, "{made}");
        assert!(!made.to_string().contains("s3cret"), "{made}");
        let id = made["id"].as_i64().unwrap();
        let other =
            rig.server.admin("PATCH", &format!("/credentials/{id}"), &json!({"api_key": "k-1"})).await;
        assert!(other.pointer("/error/fields/api_key").is_some(), "{other}");
    }
    let audit = rig.server.admin("GET", "/audit?limit=200", &Value::Null).await;
    assert!(!audit.to_string().contains("s3cret"), "{audit}");
}
