//! The playground without scripts: a form, the answers on the next page, once; the key is kept nowhere.

use fakeup::Fakeup;
use http::{Method, StatusCode};
use serde_json::json;

use crate::auth::console::Console;

const RUN: &str = "/rpc/app/api/playground/run";

async fn furnished() -> (Console, Fakeup, String) {
    furnish(Console::start().await).await
}

async fn furnish(console: Console) -> (Console, Fakeup, String) {
    let upstream = Fakeup::start().await;
    for (kind, models) in [("anthropic", "claude-*"), ("openai", "gpt-*")] {
        let spec = json!({ "name": format!("fake {kind}"), "kind": kind, "base_url": upstream.base_url(),
            "api_key": "sk-0123456789abcdef", "models": [models] });
        assert_eq!(console.rest(Method::POST, "/providers", Some(spec)).await.status, StatusCode::CREATED);
    }
    let (_, key) = console.member("ann").await;
    (console, upstream, key)
}

fn form(key: &str, dialect: &str, second: &str) -> String {
    format!(
        "form[key]={key}&form[dialect]={dialect}&form[model]=claude-sonnet-4-5&form[second]={second}&form[prompt]=Say+hello."
    )
}

#[tokio::test]
async fn one_prompt_goes_to_two_models_as_the_pasted_key_and_is_booked() {
    let (console, _upstream, key) = furnished().await;
    for cookie in [console.admin_session().await, console.sign_in(&key).await] {
        let sent = console.form(RUN, &cookie, &form(&key, "anthropic", "gpt-5-mini")).await;
        assert_eq!(sent.status, StatusCode::FOUND, "{sent:?}");
        let next = sent.header("location").to_owned();
        assert!(next.starts_with("/playground?kept=") && !next.contains(&key), "{next}");
        let page = console.page(&next, &cookie).await;
        assert_eq!(page.status, StatusCode::OK);
        assert_eq!(page.body.matches("class=\"panel pad lane\"").count(), 2, "{}", page.body);
        assert_eq!(page.body.matches("href=\"/requests/").count(), 2, "both are in the books: {}", page.body);
        assert!(!page.body.contains(&key), "the key does not come back");
        assert!(page.body.contains("Say hello."), "the prompt does");
        let again = console.page(&next, &cookie).await;
        assert_eq!(again.body.matches("class=\"panel pad lane\"").count(), 0, "once only");
        assert!(again.body.contains("id=\"gone\""));
    }
    let rows = console.rest(Method::GET, "/requests", None).await.json();
    let rows = rows["items"].as_array().unwrap();
    assert_eq!(rows.len(), 4, "{rows:?}");
    for row in rows {
        assert_eq!((&row["outcome"], &row["dialect"]), (&json!("ok"), &json!("anthropic")), "{row}");
        assert_eq!(row["user_agent"], "tollgate-playground");
    }
}

#[tokio::test]
async fn what_is_missing_is_said_before_anything_is_sent_and_a_refusal_is_shown() {
    let (console, upstream, key) = furnished().await;
    let cookie = console.admin_session().await;
    let empty = console.form(RUN, &cookie, &form("", "anthropic", "")).await;
    let location = empty.header("location").to_owned();
    assert!(
        !location.contains("kept=") && !location.contains("hello"),
        "no prompt in an address: {location}"
    );
    for body in [form(&key, "latin", ""), form("%00", "anthropic", "")] {
        assert!(!console.form(RUN, &cookie, &body).await.header("location").contains("kept="), "{body}");
    }
    let sent = console.form(RUN, &cookie, &form("sk-tg-nobody", "gemini", "")).await;
    let page = console.page(sent.header("location"), &cookie).await;
    assert!(page.body.contains("invalid API key") && page.body.contains("401"), "{}", page.body);
    assert!(upstream.invoice().is_empty());
}

#[tokio::test]
async fn a_keys_networks_hold_for_the_address_of_the_browser() {
    let trusting = |config: &mut server::ServerConfig| {
        config.trust_proxy = server::config::TrustProxy::parse("127.0.0.1").unwrap();
    };
    let (console, upstream, _) = furnish(Console::start_with(trusting).await).await;
    let user = console.rest(Method::POST, "/users", Some(json!({ "name": "office" }))).await.json();
    let keys = format!("/users/{}/keys", user["id"]);
    let spec = json!({ "name": "office", "ip_allow": ["127.0.0.0/8", "192.0.2.0/24"] });
    let key = console.rest(Method::POST, &keys, Some(spec)).await.json()["key"].as_str().unwrap().to_owned();
    let cookie = console.admin_session().await;
    for (browser, allowed) in [("192.0.2.7", true), ("198.51.100.7", false)] {
        let headers =
            [crate::auth::console::FORM, &[("cookie", &cookie), ("x-forwarded-for", browser)]].concat();
        let sent = console.call(Method::POST, RUN, &headers, &form(&key, "anthropic", "")).await;
        let page = console.page(sent.header("location"), &cookie).await;
        assert_eq!(page.body.contains("may not be used from"), !allowed, "{browser}: {}", page.body);
        let path = format!("/requests?user_id={}", user["id"]);
        let row = console.rest(Method::GET, &path, None).await.json()["items"][0].clone();
        assert_eq!(row["client_ip"], browser, "{row}");
    }
    assert_eq!(upstream.invoice().len(), 1);
}
