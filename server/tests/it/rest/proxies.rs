//! The proxy of a credential on the dashboard, as a browser without scripts uses it.

use http::{Method, StatusCode};
use serde_json::json;

use super::provider;
use crate::auth::console::Console;

#[tokio::test]
async fn a_credentials_proxy_is_entered_seen_masked_and_removed_without_scripts() {
    let console = Console::start().await;
    let cookie = console.admin_session().await;
    let made = console.rest(Method::POST, "/providers", Some(provider("one"))).await;
    let id = made.json()["id"].as_i64().unwrap();
    let body = format!(
        "provider_id={id}&form[name]=far&form[api_key]=sk-far-0123456789abcdef\
         &form[proxy_url]=socks5%3A%2F%2Fsomeone%3Acanary-pw%40proxy.test%3A1080"
    );
    let sent = console.form("/rpc/app/api/credential/create", &cookie, &body).await;
    assert_eq!(sent.status, StatusCode::FOUND, "{sent:?}");
    let list = console.rest(Method::GET, &format!("/credentials?provider_id={id}"), None).await.json();
    let far = list["items"].as_array().unwrap().iter().find(|item| item["name"] == "far").unwrap().clone();
    assert_eq!(far["proxy_url"], "socks5://someone:…@proxy.test:1080");

    for (language, label) in [("en", "Outbound proxy"), ("zh", "出站代理")] {
        let cookies = format!("{cookie}; tg_lang={language}");
        let page = console.page(&format!("/providers/{id}?edit={}", far["id"]), &cookies).await;
        assert!(page.body.contains(label) && page.body.contains("socks5://someone:…@proxy.test:1080"));
        assert!(page.body.contains("form[proxy_clear]") && !page.body.contains("canary-pw"), "{language}");
    }

    // A fault names its field and gives the secret to nobody.
    let bad = format!("provider_id={id}&form[api_key]=sk-x&form[proxy_url]=ftp%3A%2F%2Fu%3Acanary-pw%40h");
    let refused = console.form("/rpc/app/api/credential/create", &cookie, &bad).await;
    assert!(!format!("{refused:?}").contains("canary-pw"), "{refused:?}");

    let change = format!(
        "provider_id={id}&id={}&form[name]=far&form[proxy_clear]=on&form[version]={}",
        far["id"], far["version"]
    );
    let sent = console.form("/rpc/app/api/credential/update", &cookie, &change).await;
    assert_eq!(sent.status, StatusCode::FOUND, "{sent:?}");
    let after = console.rest(Method::GET, &format!("/credentials/{}", far["id"]), None).await.json();
    assert_eq!((&after["proxy_url"], &after["secret_hint"]), (&json!(null), &far["secret_hint"]));
    let trail = console.rest(Method::GET, "/audit?object=credential", None).await;
    let told = &trail.json()["items"][0];
    assert_eq!(told["before"]["proxy_url"], "socks5://someone:…@proxy.test:1080", "{told}");
    assert!(told["after"]["proxy_url"].is_null() && !trail.body.contains("canary-pw"));
}
