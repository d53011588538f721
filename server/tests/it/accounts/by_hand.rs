//! Fresh tokens by hand, over the admin API and on the pages without scripts (RF-05), and a stored secret that nobody
//! can open any more (CR-02).

use serde_json::{Value, json};
use types::Secret;

use super::{Vendor, pool};
use crate::auth::console::{Answer, Console};
use crate::harness::Running;
use crate::rig::Rig;

#[tokio::test]
async fn rf_05_one_account_or_all_that_expire_are_refreshed_by_hand_with_a_reason_for_each() {
    let (rig, vendor, id) = pool(3_600).await;
    let refreshed = rig.refresh(id).await;
    assert_eq!((&refreshed["refreshed"], &refreshed["reason"]), (&json!(true), &Value::Null), "{refreshed}");
    let all = async || rig.server.admin("POST", "/credentials/refresh", &Value::Null).await;
    assert_eq!(all().await["items"], json!([]), "nothing expires soon");
    // From here on its token is over as soon as it comes.
    vendor.set(|script| script.expires_in = Some(0));
    assert_eq!(rig.refresh(id).await["refreshed"], true);
    let done = all().await;
    let items = done["items"].as_array().unwrap();
    assert_eq!(items.len(), 1, "{done}");
    assert_eq!((&items[0]["credential_id"], &items[0]["refreshed"]), (&json!(id), &json!(true)));
    assert_eq!(rig.account_view(id).await["token"]["status"], "active");
    vendor.set(|script| script.expires_in = Some(0));
    assert_eq!(rig.refresh(id).await["refreshed"], true);
    vendor.set(|script| script.revoked = true);
    let done = all().await;
    let lost = &done["items"][0];
    assert_eq!(lost["refreshed"], false, "{done}");
    assert!(lost["reason"].as_str().unwrap().contains("invalid_grant"), "{done}");
    let told = rig.server.admin("GET", "/audit", &Value::Null).await;
    assert!(
        told["items"].as_array().unwrap().iter().any(|row| row["action"] == "credential.refresh"),
        "{told}"
    );
}

#[tokio::test]
async fn rf_05_the_page_says_what_became_of_a_refresh_without_scripts_in_both_languages() {
    let console = Console::start().await;
    let session = console.admin_session().await;
    let spec = json!({"name": "v", "kind": "anthropic", "base_url": "http://127.0.0.1:9", "api_key": null});
    let provider = console.rest(http::Method::POST, "/providers", Some(spec)).await.json()["id"].clone();
    let vendor = Vendor::start(3_600).await;
    let admin = async |method: &'static str, path: String, body: Value| {
        console.rest(method.parse().unwrap(), &path, Some(body)).await.json()
    };
    let done = super::connect(admin, &vendor, json!({ "provider_id": provider })).await;
    let id = done["credential_id"].as_i64().unwrap_or_else(|| panic!("{done}"));
    let form = format!("provider_id={provider}&id={id}");
    let pressed = console.form("/rpc/app/api/oauth/refresh", &session, &form).await;
    assert_eq!(pressed.header("location"), format!("/providers/{provider}?done=token_refreshed"));
    for (lang, fresh) in [("en", "fresh token"), ("zh", "令牌")] {
        let cookies = format!("{session}; tg_lang={lang}");
        let page = console.page(pressed.header("location"), &cookies).await;
        let flash = page.body.split("class=\"flash good\"").nth(1).unwrap_or_else(|| panic!("{page:?}"));
        let flash = flash.split("</div>").next().unwrap();
        assert!(flash.to_lowercase().contains(fresh), "{flash}");
    }
    vendor.set(|script| script.revoked = true);
    let refused: Answer = console.form("/rpc/app/api/oauth/refresh", &session, &form).await;
    let said = format!("{refused:?}");
    assert!(said.contains("oauth_refused") || refused.header("location").contains("__err"), "{said}");
    let none = console.form("/rpc/app/api/oauth/refresh_expiring", &session, "").await;
    assert_eq!(none.header("location"), "/oauth?done=token_none");
}

#[tokio::test]
async fn cr_02_one_flipped_byte_makes_a_credential_unreadable_and_nothing_of_it_is_ever_sent() {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", dir.path().join("tollgate.db").display());
    let own = url.clone();
    let server =
        Running::start_in(dir.path(), |config| config.database_url = Secret::new(own)).await.unwrap();
    let upstream = fakeup::Fakeup::start().await;
    let key = server.provision("anthropic", &upstream.base_url()).await;
    let credential = server.admin("GET", "/credentials", &Value::Null).await["items"][0].clone();
    let id = credential["id"].as_i64().unwrap();
    let store = store::Store::connect(&url, store::ConnectOptions::default()).await.unwrap();
    let row = store.credential_fetch(types::CredentialId(id)).await.unwrap();
    let mut broken = row.sealed.clone();
    *broken.last_mut().unwrap() ^= 1;
    let change = store::Resealed { row: id, old: row.sealed, new: broken };
    store.sealed_replace(store::SealedPlace::CredentialSecret, &[change]).await.unwrap();
    let refreshed = server.admin("POST", "/scheduler/refresh", &Value::Null).await;
    assert!(refreshed.get("error").is_none(), "{refreshed}");

    let view = server.admin("GET", &format!("/credentials/{id}"), &Value::Null).await;
    assert_eq!(view["state"], "unreadable", "{view}");
    let body = r#"{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"Hi"}]}"#;
    let headers = format!("x-api-key: {key}\r\nContent-Type: application/json\r\n");
    let answer = server.raw(crate::harness::post("/v1/messages", &headers, body)).await;
    assert_eq!(answer.status(), 503, "{answer:?}");
    assert!(answer.body().contains("no_available_account"), "{answer:?}");
    for path in [format!("/credentials/{id}/check"), format!("/credentials/{id}/refresh")] {
        server.admin("POST", &path, &Value::Null).await;
    }
    assert!(upstream.invoice().is_empty(), "nothing was sent: {:?}", upstream.invoice().len());
    let pool = server.admin("GET", "/pool", &Value::Null).await;
    assert_eq!(
        (&pool["states"]["unreadable"], &pool["faults"][0]["kind"]),
        (&json!(1), &json!("unreadable")),
        "{pool}"
    );
    let overview = server.admin("GET", "/overview", &Value::Null).await;
    assert!(overview["attention"].to_string().contains("credential_unreadable"), "{overview}");
    let health = server.raw("GET /health HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n".to_owned()).await;
    assert_eq!(health.status(), 200, "it serves whatever else it has: {health:?}");

    // Entering it again mends it.
    let mended = server.admin("PATCH", &format!("/credentials/{id}"), &json!({ "api_key": "up-new" })).await;
    assert_eq!(mended["state"], "valid", "{mended}");
    let answer = server.raw(crate::harness::post("/v1/messages", &headers, body)).await;
    assert_eq!(answer.status(), 200, "{answer:?}");
    store.close().await;
    server.stop().await;
}

#[tokio::test]
async fn cr_03_a_descriptor_that_would_hold_or_show_a_secret_is_refused() {
    let rig = Rig::bare().await;
    let spec = |more: Value| {
        let mut spec =
            json!({"label": "T", "authorize_url": "https://v.example/a", "token_url": "https://v.example/t"});
        for (name, value) in more.as_object().unwrap() {
            spec[name] = value.clone();
        }
        json!({ "spec": spec, "client_id": "c" })
    };
    for (field, more) in [
        ("token_url", json!({"token_url": "http://v.example/t"})),
        ("token_params", json!({"token_params": {"client_secret": "CANARY"}})),
        ("extra_headers", json!({"extra_headers": {"authorization": "Bearer CANARY"}})),
        ("authorize_params", json!({"authorize_params": {"state": "fixed"}})),
    ] {
        let refused = rig.server.admin("PUT", "/oauth/vendors/own", &spec(more)).await;
        let fields = refused["error"]["fields"].as_object().unwrap_or_else(|| panic!("{refused}"));
        assert!(fields.contains_key(field) && !refused.to_string().contains("CANARY"), "{refused}");
    }
    let made = rig.server.admin("PUT", "/oauth/vendors/own", &spec(json!({}))).await;
    assert_eq!(made["name"], "own", "{made}");
}
