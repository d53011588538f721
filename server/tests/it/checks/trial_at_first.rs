//! Secrets that are tried before anything of them is stored (OA-07): with a new provider, and with a file of another
//! gateway's.

use fakeup::{Behaviour, Rule};
use serde_json::{Value, json};

use super::Checked;
use crate::rig::Rig;
use crate::rig::browser::Browser;

const NOBODY: &[&str] = &["/providers", "/credentials"];

fn channel(name: &str, base_url: &str, key: &str) -> Value {
    json!({ "type": 8, "name": name, "base_url": base_url, "key": key, "models": "m-1", "status": 1 })
}

/// Percent-encoded, for forms.
fn coded(text: &str) -> String {
    use std::fmt::Write as _;
    let mut all = String::new();
    for byte in text.bytes() {
        write!(all, "%{byte:02X}").unwrap();
    }
    all
}

async fn import(rig: &Rig, body: Value) -> Value {
    let answer = rig.server.admin("POST", "/credentials/import", &body).await;
    assert!(!answer.to_string().contains("CANARY"), "{answer}");
    answer
}

/// What becomes of each credential, and what came of trying it.
fn lines(found: &Value) -> Vec<(&str, &str)> {
    let providers = found["providers"].as_array().unwrap_or_else(|| panic!("{found}")).iter();
    let all = providers.flat_map(|provider| provider["credentials"].as_array().unwrap());
    all.map(|one| (one["action"].as_str().unwrap(), one["trial"]["result"].as_str().unwrap_or("none")))
        .collect()
}

fn counts(found: &Value) -> [u64; 4] {
    ["new_providers", "new_credentials", "existing", "skipped"].map(|field| found[field].as_u64().unwrap())
}

async fn stored(rig: &Rig, path: &str) -> Vec<String> {
    let page = rig.server.admin("GET", path, &Value::Null).await;
    let items = page["items"].as_array().unwrap_or_else(|| panic!("{page}")).iter();
    items.map(|item| item["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn oa_07_the_key_of_a_new_provider_is_tried_first_where_that_is_asked_for() {
    let rig = Rig::bare().await;
    let refusal = r#"{"error":{"message":"no such key","type":"invalid_request_error"}}"#;
    let unknown_key = Behaviour { status: Some(401), ..Behaviour::body("application/json", refusal) };
    rig.upstream.script(Rule::credential("sk-ant-CANARY-bad", unknown_key));
    let new = |key: &str, probe: Option<bool>| {
        let mut spec = json!({
            "name": "New", "kind": "openai", "base_url": rig.upstream.base_url(), "api_key": key,
        });
        if let Some(probe) = probe {
            spec["probe"] = json!(probe);
        }
        spec
    };
    let create = async |spec: Value| rig.server.admin("POST", "/providers", &spec).await;
    let refused = create(new("sk-ant-CANARY-bad", Some(true))).await;
    let message = refused["error"]["message"].as_str().unwrap_or_else(|| panic!("{refused}"));
    assert_eq!(refused["error"]["code"], "probe_failed", "{refused}");
    for part in ["nothing was saved", "HTTP 401: no such key", "Hint: ", "probe=false"] {
        assert!(message.contains(part), "{part}: {message}");
    }
    assert!(!message.contains("CANARY"), "{message}");
    for path in NOBODY {
        assert!(stored(&rig, path).await.is_empty(), "{path}");
    }
    // The way out is tried with it: behind a proxy that is not there nobody can be asked.
    let mut proxied = new("sk-good", Some(true));
    proxied["proxy_url"] = json!("http://127.0.0.1:1");
    let asked = rig.upstream.invoice().len();
    let refused = create(proxied).await;
    assert_eq!(refused["error"]["code"], "probe_failed", "{refused}");
    assert_eq!(rig.upstream.invoice().len(), asked, "nobody was asked beside the proxy");

    let made = create(new("sk-good", Some(true))).await;
    assert_eq!(made["credential_count"], 1, "{made}");
    let asked = rig.upstream.invoice();
    let last = asked.last().unwrap();
    assert_eq!((last.request.path(), last.credential()), ("/v1/models", Some("sk-good")));
    // Somebody insists, or says nothing.
    for (name, probe) in [("Insisted", Some(false)), ("Silent", None)] {
        let mut spec = new("sk-ant-CANARY-bad", probe);
        spec["name"] = json!(name);
        let made = create(spec).await;
        assert_eq!(made["credential_count"], 1, "{made}");
    }
    assert_eq!(rig.upstream.invoice().len(), asked.len(), "not asked for, not done");
    // Without a key there is nothing to try.
    let mut bare = new("x", Some(true));
    (bare["name"], bare["api_key"]) = (json!("Bare"), Value::Null);
    assert_eq!(create(bare).await["credential_count"], 0);
}

#[tokio::test]
async fn oa_07_the_page_of_a_new_provider_tries_its_key_without_scripts_in_both_languages() {
    let rig = Rig::bare().await;
    rig.upstream.script(Rule::credential("up-bad", Behaviour::status(401)));
    for (lang, tick, refusal) in
        [("en", "Ask the vendor first", "Nothing was saved."), ("zh", "先向供应商验证", "未保存任何内容")]
    {
        let browser = Browser::sign_in(&rig.server, lang).await;
        let page = browser.page("/providers/new?preset=openai").await;
        assert!(page.contains(tick) && page.contains(r#"id="provider-probe""#), "{page}");
        let base = coded(&rig.upstream.base_url());
        let form = async |key: &str, probe: &str| {
            let body = format!(
                "form[name]=Of-{lang}&form[kind]=openai&form[base_url]={base}&form[api_key]={key}&form[enabled]=on{probe}"
            );
            browser.send("/rpc/app/api/provider/create", "/providers/new", &body).await
        };
        let landed = form("up-bad", "&form[probe]=on").await;
        let page = browser.page(&landed).await;
        assert!(page.contains(refusal) && page.contains("HTTP 401"), "{landed}: {page}");
        assert!(!page.contains("up-bad") && page.contains(&format!("Of-{lang}")), "{page}");
        let ticked = page.split(r#"id="provider-probe""#).nth(1).unwrap().split('>').next().unwrap();
        assert!(ticked.contains("checked"), "what was ticked stays: {ticked}");
        assert!(!stored(&rig, "/providers").await.contains(&format!("Of-{lang}")));
        let landed = form("up-good", "&form[probe]=on").await;
        assert!(landed.contains("done=created"), "{landed}");
    }
    let browser = Browser::sign_in(&rig.server, "en").await;
    let base = coded(&rig.upstream.base_url());
    let body = format!(
        "form[name]=Insisted&form[kind]=openai&form[base_url]={base}&form[api_key]=up-bad&form[enabled]=on"
    );
    let landed = browser.send("/rpc/app/api/provider/create", "/providers/new", &body).await;
    assert!(landed.contains("done=created"), "{landed}");
}

#[tokio::test]
async fn oa_07_a_dry_run_tries_each_new_secret_and_an_import_leaves_out_what_no_vendor_takes() {
    let checked = Checked::bare("openai-compatible", &["up-here"]).await;
    let (rig, origin) = (&checked.rig, checked.rig.upstream.base_url());
    let refusal = r#"{"error":{"message":"up-CANARY-bad is no key"}}"#;
    let unknown_key = Behaviour { status: Some(401), ..Behaviour::body("application/json", refusal) };
    rig.upstream.script(Rule::credential("up-CANARY-bad", unknown_key));
    rig.upstream.script(Rule::credential("up-gone", Behaviour::status(404)));
    let content = json!([
        channel("here", &origin, "up-here\nup-more\nup-CANARY-bad"),
        channel("fresh", &format!("{origin}/fresh"), "up-fresh"),
        channel("lost", &format!("{origin}/lost"), "up-CANARY-bad"),
        channel("unclear", &format!("{origin}/unclear"), "up-gone"),
        channel("nowhere", "http://127.0.0.1:1", "up-nowhere"),
    ])
    .to_string();
    let dry = json!({ "content": content, "dry_run": true });
    let untried = import(rig, dry.clone()).await;
    assert_eq!(counts(&untried), [4, 6, 1, 0], "{untried}");
    assert!(rig.upstream.invoice().is_empty(), "nobody is asked unless that was wished");

    let mut probing = dry.clone();
    probing["probe"] = json!(true);
    let seen = import(rig, probing).await;
    assert_eq!(
        lines(&seen),
        [
            ("exists", "none"),
            ("add", "healthy"),
            ("skip", "failed"),
            ("add", "healthy"),
            ("skip", "failed"),
            ("skip", "not_probed"),
            ("skip", "inconclusive"),
        ],
        "{seen}"
    );
    assert_eq!(counts(&seen), [1, 2, 1, 7], "four keys and three providers are left out: {seen}");
    assert_eq!(seen["preview"], untried["preview"], "what the file would change is the same");
    let refused = &seen["providers"][0]["credentials"][2];
    let why = refused["reason"].as_str().unwrap();
    assert!(why.starts_with("was tried and not taken: HTTP 401") && why.contains("is no key"), "{why}");
    assert_eq!((&refused["trial"]["status"], &refused["trial"]["probe"]), (&json!(401), &json!("models")));
    assert_eq!(seen["providers"][2]["reason"], "none of its credentials can be taken over");
    let asked = rig.upstream.invoice().len();
    assert_eq!(asked, 5, "each new secret once; what is here is left alone, and one vendor is not there");
    assert_eq!(stored(rig, "/providers").await.len(), 1, "a dry run stores nothing");
    assert_eq!(stored(rig, "/credentials").await, ["up-here"]);
    let standing = checked.account("up-here").await;
    assert_eq!((&standing["check"]["at"], &standing["state"]), (&Value::Null, &json!("valid")), "{standing}");

    // What was looked at, without asking anybody again.
    let credentials = seen["providers"].as_array().unwrap().iter();
    let credentials = credentials.flat_map(|provider| provider["credentials"].as_array().unwrap());
    let places: Vec<_> = credentials
        .filter(|one| one["trial"]["result"].as_str().is_some_and(|result| result != "healthy"))
        .map(|one| one["place"].clone())
        .collect();
    let misnamed = json!({ "content": content, "leave_out": ["channel 99"] });
    let refused = import(rig, misnamed).await;
    assert!(refused["error"]["fields"]["leave_out"].is_string(), "{refused}");
    let body = json!({ "content": content, "preview": seen["preview"], "leave_out": places });
    let done = import(rig, body).await;
    assert_eq!((counts(&done), &done["applied"]), ([1, 2, 1, 7], &json!(true)), "{done}");
    assert_eq!(rig.upstream.invoice().len(), asked, "nobody was asked again");
    assert_eq!(stored(rig, "/credentials").await, ["up-here", "key 1", "key 1"]);

    // In one step: tried, and only what passes is stored.
    rig.upstream.forget();
    let done = import(rig, json!({ "content": content, "probe": true })).await;
    assert_eq!((counts(&done), &done["applied"]), ([2, 3, 3, 2], &json!(true)), "{done}");
    let row = &checked.get("/audit?object=credential&limit=50").await["items"][0];
    assert_eq!(
        (&row["action"], &row["after"]["probe"]),
        (&json!("credential.import"), &json!(true)),
        "{row}"
    );
    // Somebody insists.
    let done = import(rig, json!({ "content": content })).await;
    assert_eq!(counts(&done), [1, 1, 6, 0], "{done}");
}

#[tokio::test]
async fn oa_07_accounts_of_a_file_are_tried_with_the_token_that_they_have_and_never_renewed() {
    let checked = Checked::bare("openai", &[]).await;
    let rig = &checked.rig;
    let account = |name: &str, expires_at: i64| {
        let set =
            json!({ "access_token": format!("{name}-CANARY"), "refresh_token": format!("{name}-again") });
        json!({
            "auth": "oauth", "secret": set.to_string(), "name": name, "vendor": "claude",
            "expires_at": types::Timestamp(expires_at),
        })
    };
    let now = checked.clock.now().0;
    let credentials =
        [account("good", now + 3_600_000), account("bad", now + 3_600_000), account("over", now - 1_000)];
    let provider = json!({ "name": "Claude", "kind": "anthropic", "base_url": rig.upstream.base_url() });
    let content =
        json!({ "tollgate_export": 1, "providers": [{ "provider": provider, "credentials": credentials }] });
    let usage = |token: &str, behaviour: Behaviour| {
        let path = Some("/api/oauth/usage".to_owned());
        rig.upstream.script(Rule { path, ..Rule::credential(token, behaviour) });
    };
    let told = r#"{"five_hour":{"utilization":3.0,"resets_at":null}}"#;
    usage("good-CANARY", Behaviour { status: Some(200), ..Behaviour::body("application/json", told) });
    usage("bad-CANARY", Behaviour::status(401));
    let seen = import(rig, json!({ "content": content.to_string(), "dry_run": true, "probe": true })).await;
    assert_eq!(lines(&seen), [("add", "healthy"), ("skip", "failed"), ("skip", "not_probed")], "{seen}");
    let why = seen["providers"][0]["credentials"][2]["reason"].as_str().unwrap();
    assert!(why.contains("its access token is over"), "{why}");
    let asked = rig.upstream.invoice();
    let paths: Vec<_> = asked.iter().map(|entry| entry.request.path()).collect();
    assert_eq!(paths, ["/api/oauth/usage"; 2], "nothing was renewed");
    assert!(asked.iter().all(|entry| entry.request.header("anthropic-beta").is_some()), "as a check asks");
}

#[tokio::test]
async fn oa_07_the_import_page_tries_and_imports_what_passed_or_all_of_it_without_scripts() {
    let rig = Rig::bare().await;
    rig.upstream.script(Rule::credential("up-bad", Behaviour::status(401)));
    let origin = rig.upstream.base_url();
    let words = [
        (
            "en",
            "Try each secret first",
            "tried: its vendor takes it",
            "was tried and not taken",
            "Import all",
        ),
        ("zh", "先逐个验证密钥", "已验证：供应商接受", "验证未通过", "全部导入"),
    ];
    for (lang, tick, taken, not_taken, all) in words {
        let browser = Browser::sign_in(&rig.server, lang).await;
        let page = browser.page("/credentials/import").await;
        assert!(page.contains(tick), "{page}");
        let content = json!([
            channel(&format!("good-{lang}"), &format!("{origin}/good-{lang}"), "up-good"),
            channel(&format!("bad-{lang}"), &format!("{origin}/bad-{lang}"), "up-bad"),
        ]);
        let look = format!("form[content]={}&form[probe]=on", coded(&content.to_string()));
        let landed = browser.send("/rpc/app/api/transfer/preview", "/credentials/import", &look).await;
        let asked = rig.upstream.invoice().len();
        let page = browser.page(&landed).await;
        assert!(page.contains(taken) && page.contains(not_taken) && page.contains("HTTP 401"), "{page}");
        assert!(page.contains(all) && !page.contains("up-bad"), "{page}");
        browser.page(&landed).await;
        let kept = landed.split("kept=").nth(1).unwrap();
        let preview =
            page.split(r#"name="preview" value=""#).nth(1).unwrap().split('"').next().unwrap().to_owned();
        let press = async |more: &str| {
            let body = format!("kept={kept}&preview={preview}{more}");
            browser.send("/rpc/app/api/transfer/import", &landed, &body).await
        };
        assert_eq!(press("").await, "/providers?done=taken_over");
        assert_eq!(
            rig.upstream.invoice().len(),
            asked,
            "the vendors were asked once, however often it is looked at"
        );
        let names = stored(&rig, "/providers").await;
        assert!(
            names.contains(&format!("good-{lang}")) && !names.contains(&format!("bad-{lang}")),
            "{names:?}"
        );

        let landed = browser.send("/rpc/app/api/transfer/preview", "/credentials/import", &look).await;
        let page = browser.page(&landed).await;
        let preview = page.split(r#"name="preview" value=""#).nth(1).unwrap().split('"').next().unwrap();
        let kept = landed.split("kept=").nth(1).unwrap();
        let body = format!("kept={kept}&preview={preview}&insist=true");
        let landed = browser.send("/rpc/app/api/transfer/import", &landed, &body).await;
        assert_eq!(landed, "/providers?done=taken_over");
        assert!(stored(&rig, "/providers").await.contains(&format!("bad-{lang}")));
    }
}

#[tokio::test]
async fn the_page_exports_chosen_providers_alone_or_all_without_scripts() {
    let rig = Rig::bare().await;
    let one = rig.provider("anthropic", json!({"name": "Chosen-A"})).await;
    let two = rig.provider("openai", json!({"name": "Chosen-B"})).await;
    rig.provider("gemini", json!({"name": "Other"})).await;
    let browser = Browser::sign_in(&rig.server, "en").await;
    let page = browser.page("/credentials/import").await;
    for name in ["Chosen-A", "Chosen-B", "Other"] {
        assert!(page.contains(name), "{name}: {page}");
    }
    let export = async |body: &str| {
        let landed = browser.send("/rpc/app/api/transfer/export", "/credentials/import", body).await;
        (browser.page(&landed).await, landed)
    };
    let boxes = format!("form%5Bprovider_ids%5D%5B%5D={one}&form%5Bprovider_ids%5D%5B%5D={two}");
    // A refusal keeps what was ticked.
    let (page, _) = export(&format!("{boxes}&form%5Bpassphrase%5D=short")).await;
    let ticked = page
        .split("form[provider_ids][]")
        .filter(|part| part.split('>').next().is_some_and(|rest| rest.contains("checked")));
    assert_eq!(ticked.count(), 2, "{page}");
    for (boxes, count) in [(boxes.as_str(), 2), (format!("form[provider_ids][]={one}").as_str(), 1), ("", 3)]
    {
        let (page, landed) = export(&format!("{boxes}&form%5Bpassphrase%5D=correct+horse+battery")).await;
        assert!(landed.contains("exported="), "{landed}");
        let row = &rig.server.admin("GET", "/audit?object=credential", &Value::Null).await["items"][0];
        assert_eq!(row["after"]["providers"], count, "{row}");
        assert!(page.contains("tollgate-export v"), "{page}");
    }
    let (page, landed) = export("form[provider_ids][]=4711&form[passphrase]=correct+horse+battery").await;
    assert!(!landed.contains("exported=") && page.contains("there is no provider 4711"), "{landed}: {page}");
}
