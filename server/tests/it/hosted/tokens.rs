//! Key files of Google and clients of Entra ID: access tokens are made of them, once for everybody, and again when the
//! upstream takes one no more.

use fakeup::{Client, ServiceAccount};
use ring::signature::{KeyPair as _, RsaKeyPair};
use serde_json::{Value, json};
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;

use crate::rig::Rig;
use crate::rig::faces::{ANTHROPIC, CHAT, FACES, GEMINI};

pub(super) const EMAIL: &str = "robot@p-1.iam.gserviceaccount.com";
/// Made for tests; it opens nothing.
pub(super) const KEY: &str = include_str!("../../../../crates/oauth/src/assertion/test_key.pem");

pub(super) fn public_key() -> Vec<u8> {
    let der = PrivatePkcs8KeyDer::from_pem_slice(KEY.as_bytes()).unwrap();
    RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).unwrap().public_key().as_ref().to_vec()
}

/// A key file and the provider that it is for: the body that adds it.
async fn key_file(rig: &Rig) -> Value {
    let origin = rig.upstream.base_url();
    let base_url = format!("{origin}/v1/projects/p-1/locations/us-central1");
    let spec = json!({"base_url": base_url, "api_key": null, "models": ["gemini-*", "claude-*"]});
    let provider = rig.provider("vertex", spec).await;
    let file = json!({
        "type": "service_account", "project_id": "p-1", "private_key_id": "k-1", "private_key": KEY,
        "client_email": EMAIL, "token_uri": format!("{origin}/token"),
    });
    json!({"provider_id": provider, "service_account": file.to_string()})
}

/// A provider of Vertex AI with a service account's key file. Answers provider and credential.
async fn vertex(rig: &Rig) -> (i64, i64) {
    let spec = key_file(rig).await;
    let provider = spec["provider_id"].as_i64().unwrap();
    let made = rig.server.admin("POST", "/credentials", &spec).await;
    assert_eq!((&made["auth"], &made["secret_hint"]), (&json!("service_account"), &json!(EMAIL)), "{made}");
    assert!(!made.to_string().contains("PRIVATE"), "{made}");
    (provider, made["id"].as_i64().unwrap())
}

fn admitted() -> ServiceAccount {
    ServiceAccount { email: EMAIL.into(), public_key: public_key() }
}

#[tokio::test]
async fn rf_02_a_machine_whose_clock_is_wrong_dates_its_statements_by_the_vendors() {
    for off_ms in [1_200_000, -7_200_000] {
        let clock = gateway::Clock::manual(gateway::Clock::system().now().plus_ms(off_ms));
        let rig = Rig::bare_with(move |config| config.clock = clock).await;
        rig.upstream.admit_service_account(admitted());
        let (_, id) = vertex(&rig).await;
        for _ in 0..2 {
            let got = rig.ask(rig.keyed(GEMINI.ask("gemini-test", false))).await;
            assert_eq!(got.status, 200, "{off_ms}: {}", got.text());
        }
        assert_eq!(rig.upstream.minted(), 1);
        let shown = rig.server.admin("GET", &format!("/credentials/{id}"), &Value::Null).await;
        assert_eq!(shown["state"], "valid", "{shown}");
    }
}

#[tokio::test]
async fn rf_02_a_service_accounts_token_is_made_once_for_everybody_and_serves_both_dialects() {
    let rig = Rig::bare().await;
    rig.upstream.admit_service_account(admitted());
    let (provider, _) = vertex(&rig).await;
    let asks = (0..40).map(|at| {
        let face = if at % 2 == 0 { GEMINI } else { ANTHROPIC };
        let model = if at % 2 == 0 { "gemini-test" } else { "claude-test" };
        rig.ask(rig.keyed(face.ask(model, at % 4 < 2)))
    });
    for got in futures_util::future::join_all(asks).await {
        assert_eq!(got.status, 200, "{}", got.text());
    }
    assert_eq!(rig.upstream.minted(), 1, "one token for forty requests at once");
    let tested = rig.server.admin("POST", &format!("/providers/{provider}/test"), &json!({})).await;
    assert_eq!(tested["ok"], true, "{tested}");
}

#[tokio::test]
async fn fault_u29_a_token_that_the_upstream_takes_no_more_is_made_again_once_and_the_request_replayed() {
    let rig = Rig::bare().await;
    rig.upstream.admit_service_account(admitted());
    let (_, credential) = vertex(&rig).await;
    for face in FACES {
        for (_, ask) in face.both("claude-test") {
            let id = ask.id.clone();
            let before = rig.upstream.minted();
            rig.upstream.revoke_tokens();
            let got = rig.ask(rig.keyed(ask)).await;
            assert_eq!(got.status, 200, "{face:?}: {}", got.text());
            assert_eq!(rig.upstream.minted(), before + 1, "{face:?}");
            assert_eq!(super::outcomes(&rig.row(&id).await).last(), Some(&"done"));
        }
    }
    let shown = rig.server.admin("GET", &format!("/credentials/{credential}"), &Value::Null).await;
    assert_eq!(shown["state"], "valid", "{shown}");
}

#[tokio::test]
async fn oa_07_a_key_file_is_tried_by_a_token_of_it_before_it_is_stored() {
    let rig = Rig::bare().await;
    let mut spec = key_file(&rig).await;
    spec["probe"] = json!(true);
    let another = ServiceAccount { email: "another@p".into(), public_key: public_key() };
    rig.upstream.admit_service_account(another);
    let refused = rig.server.admin("POST", "/credentials", &spec).await;
    let message = refused["error"]["message"].as_str().unwrap_or_else(|| panic!("{refused}"));
    assert_eq!(refused["error"]["code"], "probe_failed", "{refused}");
    assert!(message.contains("account not found") && !message.contains("PRIVATE"), "{message}");
    let list = rig.server.admin("GET", "/credentials", &Value::Null).await;
    assert_eq!(list["items"], json!([]), "{list}");
    rig.upstream.admit_service_account(admitted());
    let made = rig.server.admin("POST", "/credentials", &spec).await;
    assert_eq!((&made["auth"], &made["state"]), (&json!("service_account"), &json!("valid")), "{made}");
    assert_eq!(rig.upstream.minted(), 1, "one for the trial");
    let got = rig.ask(rig.keyed(GEMINI.ask("gemini-test", false))).await;
    assert_eq!(got.status, 200, "{}", got.text());
}

#[tokio::test]
async fn rf_03_a_key_that_google_does_not_know_says_so_and_is_asked_for_no_more() {
    let rig = Rig::bare().await;
    rig.upstream
        .admit_service_account(ServiceAccount { email: "another@p".into(), public_key: public_key() });
    let (_, credential) = vertex(&rig).await;
    let got = rig.ask(rig.keyed(GEMINI.ask("gemini-test", false))).await;
    assert!(got.status >= 500, "{}", got.text());
    let until = tokio::time::Instant::now() + crate::rig::SOON;
    loop {
        let shown = rig.server.admin("GET", &format!("/credentials/{credential}"), &Value::Null).await;
        if shown["state"] == "needs_reauth" {
            let reason = shown["state_reason"].as_str().unwrap();
            assert!(reason.contains("account not found"), "{shown}");
            break;
        }
        assert!(tokio::time::Instant::now() < until, "{shown}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(rig.upstream.minted(), 0);
}

#[tokio::test]
async fn azure_takes_a_token_that_entra_id_gave_for_a_client() {
    let rig = Rig::bare().await;
    let client =
        Client { tenant: "tenant-1".into(), id: "client-1".into(), secret: "client-secret-1".into() };
    rig.upstream.admit_client(client);
    let vendors = rig.server.admin("GET", "/oauth/vendors", &Value::Null).await;
    let azure = vendors["items"].as_array().unwrap().iter().find(|vendor| vendor["name"] == "azure");
    let mut spec = azure.unwrap_or_else(|| panic!("{vendors}"))["spec"].clone();
    spec["token_url"] = json!(format!("{}/{{tenant}}/oauth2/v2.0/token", rig.upstream.base_url()));
    let put = rig.server.admin("PUT", "/oauth/vendors/azure", &json!({ "spec": spec })).await;
    assert!(put.get("error").is_none(), "{put}");
    let provider = rig.provider("azure-openai", json!({"api_key": null})).await;
    let material = json!({"tenant": "tenant-1", "client_id": "client-1", "client_secret": "client-secret-1"});
    let spec = json!({"provider_id": provider, "client_credentials": material});
    let made = rig.server.admin("POST", "/credentials", &spec).await;
    assert_eq!(made["auth"], "client_credentials", "{made}");
    for (_, ask) in CHAT.both("gpt-test") {
        let got = rig.ask(rig.keyed(ask)).await;
        assert_eq!(got.status, 200, "{}", got.text());
    }
    assert_eq!(rig.upstream.minted(), 1);
    let sent = rig.upstream.invoice().last().unwrap().request.clone();
    assert_eq!(sent.header("authorization"), Some("Bearer fake-access-token-1"));
    assert_eq!(sent.header("api-key"), None);
    assert_eq!(sent.path(), "/openai/v1/chat/completions");
    // One that the upstream takes no more is made again, once, and the request replayed.
    rig.upstream.revoke_tokens();
    let got = rig.ask(rig.keyed(CHAT.ask("gpt-test", true))).await;
    assert_eq!((got.status, rig.upstream.minted()), (200, 2), "{}", got.text());
    // A secret that Entra ID refuses is told with what it said, and not asked for again.
    let wrong = json!({"tenant": "tenant-1", "client_id": "client-1", "client_secret": "another-secret-1"});
    let id = made["id"].as_i64().unwrap();
    rig.change(&format!("/credentials/{id}"), json!({ "client_credentials": wrong })).await;
    rig.upstream.revoke_tokens();
    let got = rig.ask(rig.keyed(CHAT.ask("gpt-test", false))).await;
    assert!(got.status >= 500, "{}", got.text());
    let until = tokio::time::Instant::now() + crate::rig::SOON;
    loop {
        let shown = rig.server.admin("GET", &format!("/credentials/{id}"), &Value::Null).await;
        if shown["state"] == "needs_reauth" {
            assert!(shown["state_reason"].as_str().unwrap().contains("AADSTS7000215"), "{shown}");
            break;
        }
        assert!(tokio::time::Instant::now() < until, "{shown}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn tp_03_a_token_that_is_good_is_used_again_and_nobody_is_asked_for_another() {
    let rig = Rig::bare().await;
    rig.upstream.admit_service_account(admitted());
    vertex(&rig).await;
    for at in 0..6 {
        let got = rig.ask(rig.keyed(ANTHROPIC.ask("claude-test", at % 2 == 0))).await;
        assert_eq!(got.status, 200, "{}", got.text());
        assert_eq!(rig.upstream.minted(), 1, "request {at}");
    }
}

#[tokio::test]
async fn tp_04_tp_06_an_account_whose_token_cannot_be_had_costs_no_request_and_the_last_error_names_all_reasons()
 {
    let rig = Rig::bare().await;
    let (provider, account) = vertex(&rig).await;
    rig.change(&format!("/credentials/{account}"), json!({"tier": "personal"})).await;
    let spare = rig.credential(provider, "up-b", json!({"tier": "fallback"})).await;
    for streamed in [false, true, false] {
        let got = rig.ask(rig.keyed(ANTHROPIC.ask("claude-test", streamed))).await;
        assert_eq!(got.status, 200, "the pool's trouble is no caller's: {}", got.text());
    }
    let invoice = rig.upstream.invoice();
    let served = invoice.iter().filter(|entry| entry.credential() == Some("up-b")).count();
    assert_eq!((served, rig.upstream.minted()), (3, 0), "{:?}", rig.seen());
    rig.change(&format!("/credentials/{spare}"), json!({"enabled": false})).await;
    let got = rig.ask(rig.keyed(ANTHROPIC.ask("claude-test", false))).await;
    assert_eq!(got.status, 503, "{}", got.text());
    let body: Value = serde_json::from_str(&got.text()).unwrap();
    let reasons = body["error"]["details"]["reasons"].as_object().unwrap_or_else(|| panic!("{body}"));
    let total: u64 = reasons.values().filter_map(Value::as_u64).sum();
    assert_eq!((reasons.len(), total), (2, 2), "both are explained: {body}");
}
