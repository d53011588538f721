//! The pages of vendors, sign-ins and connected accounts, without scripts: what to register, what went wrong, and what
//! became of an account.

use serde_json::{Value, json};

use super::pool;
use crate::rig::Rig;
use crate::rig::browser::Browser;

/// The part of a page that begins with this id, up to the end of its section.
fn part<'a>(page: &'a str, id: &str) -> &'a str {
    let rest = page.split(&format!("id=\"{id}\"")).nth(1).unwrap_or_else(|| panic!("{id}: {page}"));
    rest.split("</section>").next().unwrap()
}

fn encoded(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::new(), |mut encoded, byte| {
        write!(encoded, "%{byte:02X}").unwrap();
        encoded
    })
}

#[tokio::test]
async fn oa_01_what_to_register_with_a_vendor_stands_on_its_page_before_anybody_signs_in() {
    let with_base = Rig::bare_with(|config| {
        config.base_url = Some(types::base_url::BaseUrl::parse("https://gate.example/").unwrap());
    });
    for (rig, own) in [(with_base.await, "https://gate.example"), (Rig::bare().await, "http://test")] {
        let vendor = rig.server.admin("GET", "/oauth/vendors/claude", &Value::Null).await;
        let uris = vendor["redirect_uris"].as_array().unwrap();
        let fixed = json!("http://localhost:54545/callback");
        assert!(uris.contains(&fixed), "{vendor}");
        assert_eq!(
            uris.contains(&json!("https://gate.example/auth/enrol/callback")),
            own.starts_with("https")
        );
        for (lang, title) in [("en", "Register a client"), ("zh", "注册客户端")] {
            let browser = Browser::sign_in(&rig.server, lang).await;
            let page = browser.page("/oauth/vendors/claude").await;
            let told = part(&page, "register");
            for words in [title, &format!("{own}/auth/enrol/callback"), fixed.as_str().unwrap()] {
                assert!(told.contains(words), "{words} is missing: {told}");
            }
            let console = format!("href=\"{}\"", vendor["spec"]["register_url"].as_str().unwrap());
            assert!(told.contains(&console), "{told}");
            assert_eq!(told.contains("BASE_URL"), own == "http://test", "an address that is guessed says so");
        }
        let browser = Browser::sign_in(&rig.server, "en").await;
        let page = browser.page("/oauth/vendors/vertex").await;
        assert!(!page.contains("form[client_id]") && !page.contains("id=\"register\""), "{page}");
    }
}

#[tokio::test]
async fn oa_01_only_providers_and_ways_that_suit_a_vendor_are_offered() {
    let rig = Rig::bare().await;
    let put = json!({"client_id": "client-1"});
    rig.server.admin("PUT", "/oauth/vendors/codex", &put).await;
    let browser = Browser::sign_in(&rig.server, "en").await;
    let page = browser.page("/oauth/vendors/codex").await;
    let offered = part(&page, "connect");
    assert!(offered.contains("openai, openai-compatible") && offered.contains("/providers/new"), "{offered}");
    let made = async |name: &str, kind: &str| {
        let base = "https://bedrock-runtime.us-east-1.amazonaws.com";
        let spec = json!({"name": name, "kind": kind, "base_url": base, "api_key": null});
        rig.server.admin("POST", "/providers", &spec).await["id"].as_i64().unwrap()
    };
    let (fits, other) = (made("Fits", "openai").await, made("Another kind", "anthropic").await);
    let bedrock = made("Signs", "bedrock").await;
    let page = browser.page("/oauth/vendors/codex").await;
    let offered = part(&page, "connect");
    assert!(offered.contains("Fits") && !offered.contains("Another kind"), "{offered}");
    assert!(offered.contains("value=\"loopback\"") && !offered.contains("value=\"device\""), "{offered}");

    let begin = async |provider: i64| {
        let body = json!({"vendor": "codex", "provider_id": provider, "way": "paste"});
        rig.server.admin("POST", "/oauth/flows", &body).await
    };
    assert_eq!(begin(fits).await["warnings"], json!([]));
    let warned = begin(other).await["warnings"].to_string();
    assert!(warned.contains("openai, openai-compatible, not anthropic"), "{warned}");
    let refused = begin(bedrock).await;
    let note = refused["error"]["fields"]["provider_id"].as_str().unwrap_or_else(|| panic!("{refused}"));
    assert!(note.contains("bedrock"), "{note}");
}

#[tokio::test]
async fn a_descriptor_that_is_refused_keeps_what_was_typed_and_says_what_is_wrong_under_it() {
    let rig = Rig::bare().await;
    let send = async |browser: &Browser<'_>, spec: &str| {
        let form = format!(
            "name=generic&form[version]=0&form[client_id]=my-client&form[client_secret]=typed-CANARY&form[spec]={}",
            encoded(spec)
        );
        let page = "/oauth/vendors/generic";
        let landing = browser.send("/rpc/app/api/oauth/put_vendor", page, &form).await;
        assert!(!landing.contains("CANARY"), "{landing}");
        browser.page(&landing).await
    };
    let english = Browser::sign_in(&rig.server, "en").await;
    let page = send(&english, "{ \"label\": \"Mine\",").await;
    let form = part(&page, "client");
    for words in ["is no JSON: line 1, column", "Mine", "value=\"my-client\""] {
        assert!(form.contains(words), "{words} is missing: {form}");
    }
    assert!(!page.contains("CANARY"), "a secret is never sent back");
    let chinese = Browser::sign_in(&rig.server, "zh").await;
    let page = send(&chinese, "{ \"grantz\": 1 }").await;
    assert!(part(&page, "client").contains("grantz: 未知字段"), "{page}");
    let page = send(&chinese, r#"{"label": "Mine", "token_url": "http://example.com/t"}"#).await;
    assert!(part(&page, "client").contains("token_url: 应为 https://"), "{page}");
}

#[tokio::test]
async fn a_vendor_is_added_and_deleted_on_its_pages_and_no_preset_by_accident() {
    let rig = Rig::bare().await;
    let browser = Browser::sign_in(&rig.server, "en").await;
    assert!(browser.page("/oauth").await.contains("href=\"/oauth/new\""));
    let empty = browser.page("/oauth/new").await;
    assert!(empty.contains("login.example.com"), "it begins with an example");
    assert!(!empty.contains("keep the stored one"), "nothing is stored yet: {empty}");
    let spec =
        r#"{"label": "Ours", "authorize_url": "https://id.example/a", "token_url": "https://id.example/t"}"#;
    let add = async |name: &str| {
        let form = format!("form[name]={name}&form[client_id]=c&form[spec]={}", encoded(spec));
        browser.send("/rpc/app/api/oauth/add_vendor", "/oauth/new", &form).await
    };
    let refused = browser.page(&add("claude").await).await;
    assert!(refused.contains("another vendor has this name already"), "{refused}");
    assert!(refused.contains("https://id.example/a"), "what was typed stays");
    assert_eq!(add("ours").await, "/oauth/vendors/ours?done=created");
    let page = browser.page("/oauth/vendors/ours?confirm=forget").await;
    assert!(page.contains("Delete this vendor?"), "{page}");
    assert!(browser.page("/oauth").await.contains(">ours<"));
    assert_eq!(browser.press("oauth/reset_vendor", "name=ours").await, "/oauth?done=reset");
    assert!(!browser.page("/oauth").await.contains(">ours<"));
}

#[tokio::test]
async fn oa_06_signing_in_again_as_somebody_else_changes_nothing_and_says_so_in_both_languages() {
    let (rig, vendor, id) = pool(3_600).await;
    let before = rig.account_view(id).await;
    vendor.set(|script| script.account = Some("other@example.com"));
    let flow = json!({"vendor": "test", "credential_id": id, "way": "callback", "origin": "http://test"});
    let flow = rig.server.admin("POST", "/oauth/flows", &flow).await;
    let state = flow["authorize_url"].as_str().unwrap().split("state=").nth(1).unwrap();
    let pasted = json!({"pasted": format!("c-1#{}", state.split('&').next().unwrap())});
    let path = format!("/oauth/flows/{}", flow["id"]);
    let refused = rig.server.admin("POST", &format!("{path}/finish"), &pasted).await;
    let said = refused["error"]["message"].as_str().unwrap_or_else(|| panic!("{refused}"));
    assert!(said.contains("other@example.com") && said.contains("ops@example.com"), "{said}");
    let after = rig.account_view(id).await;
    assert_eq!((&after["token"], &after["version"]), (&before["token"], &before["version"]), "{after}");
    assert_eq!(rig.usual().await, 200);
    assert_eq!(rig.last_token(), "a1-CANARY-access-token");
    for (lang, words) in [("en", "sign out at the vendor"), ("zh", "请在供应商处退出登录")] {
        let page = Browser::sign_in(&rig.server, lang).await.page(&path).await;
        assert!(page.contains(words), "{page}");
    }
    // As the same one, however it is written, it is signed in again.
    vendor.set(|script| script.account = Some("Ops@Example.com"));
    assert_eq!(rig.connected(&vendor, json!({ "credential_id": id })).await, id);
}

#[tokio::test]
async fn the_page_of_a_finished_sign_in_names_the_account_and_where_it_is() {
    let (rig, _vendor, _) = pool(3_600).await;
    let flow = rig.server.admin("GET", "/oauth/flows/1", &Value::Null).await;
    assert_eq!(
        (&flow["provider_name"], &flow["credential_name"]),
        (&json!("fake anthropic"), &json!("ops@example.com")),
        "{flow}"
    );
    let browser = Browser::sign_in(&rig.server, "en").await;
    for page in [browser.page("/oauth/flows/1").await, browser.page("/oauth").await] {
        assert!(
            page.contains("href=\"/providers/1?credential=ops%40example")
                && page.contains("anthropic / ops@example.com"),
            "{page}"
        );
    }
}

#[tokio::test]
async fn rf_01_recovering_a_lost_account_asks_its_vendor_and_never_calls_it_usable_before() {
    let (rig, vendor, id) = pool(3_600).await;
    vendor.set(|script| script.revoked = true);
    assert_eq!(rig.refresh(id).await["refreshed"], false);
    rig.account_until(id, |view| view["state"] == "needs_reauth").await;
    let recover = async |path: String| rig.server.admin("POST", &path, &Value::Null).await;
    let asked = vendor.asked();
    let view = recover(format!("/credentials/{id}/recover")).await;
    assert_eq!((&view["state"], &view["token"]["status"]), (&json!("needs_reauth"), &json!("needs_reauth")));
    assert_eq!(vendor.asked(), asked + 1, "the vendor was asked");
    recover("/credentials/recover".to_owned()).await;
    assert_eq!(rig.account_view(id).await["state"], "needs_reauth");
    let browser = Browser::sign_in(&rig.server, "en").await;
    let landing = browser
        .send("/rpc/app/api/credential/recover", "/providers/1", &format!("provider_id=1&id={id}"))
        .await;
    let page = browser.page(&landing).await;
    assert!(page.contains("ops@example.com: ") && page.contains("invalid_grant"), "{page}");
    let pool = browser.page("/pool").await;
    assert!(
        pool.contains("/rpc/app/api/oauth/again"),
        "signing in again is offered on the pool's page: {pool}"
    );
    // The vendor takes it again: one try brings it back.
    vendor.set(|script| script.revoked = false);
    recover(format!("/credentials/{id}/recover")).await;
    let view = rig.account_until(id, |view| view["state"] == "valid").await;
    assert_eq!(view["token"]["status"], "active", "{view}");
    assert_eq!(rig.usual().await, 200);
}

#[tokio::test]
async fn cr_04_sign_ins_that_have_ended_are_no_secrets_under_an_unknown_key() {
    let (rig, _vendor, _) = pool(3_600).await;
    let view = rig.server.admin("GET", "/secrets", &Value::Null).await;
    let line = view["lines"].as_array().unwrap().iter().find(|line| line["kind"] == "sign_in").unwrap();
    assert_eq!((&line["total"], &line["unknown"]), (&json!(0), &json!(0)), "{view}");
    assert_eq!(view["all_current"], true, "{view}");
    for (lang, words) in [("en", "Everything is sealed with the current key."), ("zh", "已加密存储的机密")]
    {
        let page = Browser::sign_in(&rig.server, lang).await.page("/system").await;
        assert!(page.contains(words), "{page}");
    }
}

#[tokio::test]
async fn hc_14_what_a_check_found_stands_with_the_credential_on_its_providers_page() {
    let rig = Rig::bare().await;
    let provider = rig.provider("anthropic", json!({})).await;
    let id = rig.server.admin("GET", "/credentials", &Value::Null).await["items"][0]["id"].clone();
    rig.on_credential("up-anthropic", super::refuses());
    let (form, page) = (format!("provider_id={provider}&id={id}"), format!("/providers/{provider}"));
    for (lang, verdict, todo) in [
        ("en", "Failed", "make a new one in the vendor's console"),
        ("zh", "失败", "请在供应商控制台新建密钥"),
    ] {
        let browser = Browser::sign_in(&rig.server, lang).await;
        let landing = browser.send("/rpc/app/api/credential/check", &page, &form).await;
        assert_eq!(landing, format!("{page}?done=checked"));
        let page = browser.page(&landing).await;
        let cards = part(&page, "credentials");
        assert!(cards.contains(verdict) && cards.contains(todo), "{verdict} {todo}: {cards}");
    }
}
