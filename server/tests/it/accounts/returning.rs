//! Browsers that come back from a vendor: where they land, what they are told, and that an address tells nobody
//! anything of its own (OA-04, OA-05).

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::Vendor;
use crate::auth::console::{Console, FORM};

const CALLBACK: &str = "/auth/enrol/callback";

/// A dashboard with a vendor, and one sign-in of this session that waits: its id and its state.
async fn waiting(console: &Console, vendor: &Vendor, session: &str) -> (i64, String) {
    let put = json!({"spec": vendor.spec(), "client_id": "client-1"});
    console.rest(Method::PUT, "/oauth/vendors/test", Some(put)).await;
    let providers = console.rest(Method::GET, "/providers", None).await.json();
    let provider = if let Some(id) = providers["items"][0]["id"].as_i64() {
        id
    } else {
        let spec =
            json!({"name": "v", "kind": "anthropic", "base_url": "http://127.0.0.1:9", "api_key": null});
        console.rest(Method::POST, "/providers", Some(spec)).await.json()["id"].as_i64().unwrap()
    };
    let form = format!("vendor=test&provider_id={provider}&way=callback");
    // A browser says where its form stands.
    let mut headers = FORM.to_vec();
    headers.extend([("cookie", session), ("origin", console.base.as_str())]);
    let begun = console.call(Method::POST, "/rpc/app/api/oauth/begin", &headers, &form).await;
    let page = begun.header("location").to_owned();
    let id = page.rsplit('/').next().unwrap().parse().unwrap_or_else(|_| panic!("{begun:?}"));
    let shown = console.page(&page, session).await.body;
    let state = shown.split("&amp;state=").nth(1).unwrap_or_else(|| panic!("{shown}"));
    let end = state.find(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_').unwrap();
    (id, state[..end].to_owned())
}

async fn back(console: &Console, session: &str, query: &str) -> String {
    let answer = console.page(&format!("{CALLBACK}?{query}&again=1"), session).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{answer:?}");
    answer.header("location").to_owned()
}

#[tokio::test]
async fn oa_04_a_vendors_refusal_is_read_on_the_page_of_its_sign_in_and_never_out_of_an_address() {
    let (console, vendor) = (Console::start().await, Vendor::start(3_600).await);
    let session = console.admin_session().await;
    let (id, state) = waiting(&console, &vendor, &session).await;
    let evil = "%3Cscript%3Ealert(1)%3C%2Fscript%3E";
    let query = format!("error=access_denied&error_description={evil}&state={state}");
    let landed = back(&console, &session, &query).await;
    assert_eq!(landed, format!("/oauth/flows/{id}?problem=oauth_refused"));
    let page = console.page(&landed, &session).await.body;
    assert!(page.contains("access_denied") && !page.contains("<script>alert"), "{page}");
    let flow = console.rest(Method::GET, &format!("/oauth/flows/{id}"), None).await.json();
    assert!(
        page.contains(flow["request_id"].as_str().unwrap()) && page.contains("/oauth/vendors/test?provider=")
    );
    assert_eq!(flow["phase"], "error", "{flow}");
    // Whatever somebody writes into an address is not said by us.
    let page = console.page("/oauth?problem=oauth_refused&why=call+0900-CANARY", &session).await.body;
    let main = page.split("id=\"main\"").nth(1).unwrap().split("</main>").next().unwrap();
    assert!(main.contains("The vendor refused.") && !main.contains("0900-CANARY"), "{main}");

    let (id, state) = waiting(&console, &vendor, &session).await;
    let landed = back(&console, &session, &format!("state={state}")).await;
    assert_eq!(landed, format!("/oauth/flows/{id}?problem=oauth_refused"));
    let page = console.page(&landed, &session).await.body;
    assert!(page.contains("neither a code nor an error"), "{page}");
    assert_eq!(vendor.asked(), 0, "there was nothing to exchange");
}

#[tokio::test]
async fn oa_05_an_answer_counts_once_in_its_own_session_only_and_a_member_gets_nowhere() {
    let (console, vendor) = (Console::start().await, Vendor::start(3_600).await);
    let session = console.admin_session().await;
    let (id, state) = waiting(&console, &vendor, &session).await;
    let query = format!("code=c-1&state={state}");
    let stranger = console.admin_session().await;
    assert_ne!(stranger, session);
    let landed = back(&console, &stranger, &query).await;
    assert_eq!(landed, format!("/oauth/flows/{id}?problem=oauth_other_session"));
    for (lang, words) in [("en", "another session"), ("zh", "其他会话")] {
        let page = console.page(&landed, &format!("{stranger}; tg_lang={lang}")).await.body;
        assert!(page.contains(words) && !page.contains(&state), "{page}");
    }
    let (_, key) = console.member("somebody").await;
    let member = console.sign_in(&key).await;
    assert_eq!(back(&console, &member, &query).await, "/oauth?problem=forbidden");
    assert_eq!(
        back(&console, &session, "code=c-1&state=unknown").await,
        "/oauth?problem=oauth_state_unknown"
    );
    assert_eq!(back(&console, &session, "code=c-1").await, "/oauth?problem=oauth_state_unknown");
    assert_eq!(vendor.asked(), 0, "no code was exchanged for any of them");

    assert_eq!(back(&console, &session, &query).await, format!("/oauth/flows/{id}?done=connected"));
    assert_eq!(vendor.asked(), 1);
    assert_eq!(back(&console, &session, &query).await, format!("/oauth/flows/{id}?problem=oauth_flow_over"));
    assert_eq!(vendor.asked(), 1, "a code is exchanged once");
    let list = console.rest(Method::GET, "/credentials", None).await.json();
    assert_eq!(list["items"].as_array().map(Vec::len), Some(1), "{list}");
    let flows: Value = console.rest(Method::GET, "/oauth/flows", None).await.json();
    assert!(!flows.to_string().contains(&state), "{flows}");
}
