//! The account table, switching accounts, what follows from a 429, and removing all of one provider (`AC` rows), over
//! the admin API and pages without scripts.

use fakeup::Behaviour;
use gateway::Clock;
use http::Method;
use serde_json::{Value, json};

use super::check_error;
use crate::auth::console::Console;
use crate::rig::browser::Browser;
use crate::rig::faces::{ANTHROPIC, CHAT, Face};
use crate::rig::{Rig, SOON};

const HOUR: i64 = 3_600_000;

async fn get(rig: &Rig, path: &str) -> Value {
    let value = rig.server.admin("GET", path, &Value::Null).await;
    assert!(value.get("error").is_none(), "{path}: {value}");
    value
}

async fn items(rig: &Rig, path: &str) -> Vec<Value> {
    get(rig, path).await["items"].as_array().unwrap().clone()
}

/// One request of a conversation; answers its status.
async fn ask(rig: &Rig, face: Face, session: &str) -> u16 {
    rig.ask(rig.keyed(face.ask("m-1", false).header("x-session-id", session))).await.status
}

async fn entry(rig: &Rig, name: &str) -> Value {
    let pool = get(rig, "/pool").await;
    let mut all = pool["entries"].as_array().unwrap().iter();
    all.find(|entry| entry["credential_name"] == name).unwrap_or_else(|| panic!("{pool}")).clone()
}

/// The place of words in a page, which must be there.
fn place(page: &str, words: &str) -> usize {
    page.find(words).unwrap_or_else(|| panic!("{words} is missing: {page}"))
}

#[tokio::test]
async fn ac_07_accounts_are_one_table_that_is_filtered_and_sorted_by_its_address() {
    let rig = Rig::bare().await;
    rig.server.admin("PUT", "/settings/affinity.enabled", &json!({ "value": "false" })).await;
    rig.pool("anthropic", json!({ "name": "alpha" }), &["up-a", "up-b"]).await;
    rig.provider("openai", json!({ "name": "beta", "api_key": "up-c" })).await;
    let price =
        json!({ "input_per_million_usd": "3", "output_per_million_usd": "15", "max_output_tokens": 4096 });
    rig.server.admin("PUT", "/prices/m-1", &price).await;
    let limit = Behaviour::status(429)
        .header("retry-after", "600")
        .header("anthropic-ratelimit-unified-status", "rejected");
    rig.on_credential("up-a", limit);
    for n in 0..3 {
        assert_eq!(ask(&rig, ANTHROPIC, &format!("s-{n}")).await, 200);
    }
    rig.rows(3).await;
    let (a, b) = (entry(&rig, "up-a").await, entry(&rig, "up-b").await);
    assert_eq!(
        (&b["kind"], &b["enabled"], &b["state"], &b["current_load"], &b["daily_requests"]),
        (&json!("anthropic"), &json!(true), &json!("valid"), &json!(0), &json!(3)),
        "{b}"
    );
    let cost: f64 = b["total_cost_usd"].as_str().unwrap().parse().unwrap();
    assert!(cost > 0.0 && b["rate_limit_reset_at"].is_null(), "{b}");
    assert_eq!((&a["state"], &a["consecutive_errors"]), (&json!("rate_limited"), &json!(1)), "{a}");
    let reset = a["rate_limit_reset_at"].as_str().unwrap_or_else(|| panic!("{a}"));
    assert!(a["last_error"].as_str().is_some_and(|error| error.contains("429")), "{a}");
    assert!(a["last_error_at"].is_string(), "{a}");

    let (english, chinese) =
        (Browser::sign_in(&rig.server, "en").await, Browser::sign_in(&rig.server, "zh").await);
    let page = english.page("/pool?view=table").await;
    for words in [
        "ID",
        "Type",
        "Enabled",
        "State",
        "Limit ends",
        "Cost in all",
        "Load",
        "Requests today (UTC)",
        "Errors in a row",
        "Last error",
        "alpha / up-a",
        "alpha / up-b",
        "beta / ",
    ] {
        place(&page, words);
    }
    assert!(page.contains(&format!("datetime=\"{reset}\"")), "the countdown's end: {page}");
    assert!(place(&page, "alpha / up-a") < place(&page, "alpha / up-b"), "by name at first");
    let page = chinese.page("/pool?view=table&sort=errors&dir=asc").await;
    assert!(page.contains("累计成本") && page.contains("限流重置"), "{page}");
    assert!(place(&page, "alpha / up-b") < place(&page, "alpha / up-a"), "the one with an error is last");
    let page = english.page("/pool?view=table&sort=today&dir=desc").await;
    assert!(place(&page, "alpha / up-b") < place(&page, "alpha / up-a"), "three requests before none");
    assert!(page.contains("aria-sort=\"descending\""), "{page}");
    let page = english.page("/pool?view=table&state=rate_limited").await;
    assert!(page.contains("alpha / up-a") && !page.contains("alpha / up-b"), "{page}");
    let page = english.page("/pool?view=table&kind=openai").await;
    assert!(page.contains("beta / ") && !page.contains("alpha / "), "{page}");
    rig.change(&format!("/credentials/{}", b["credential_id"]), json!({ "enabled": false })).await;
    let page = english.page("/pool?view=table&on=off&q=ALPHA").await;
    assert!(page.contains("alpha / up-b") && !page.contains("alpha / up-a"), "{page}");
    let page = english.page("/pool?view=table&q=nobody").await;
    place(&page, "No credential fits this filter.");
    assert!(english.page("/pool").await.contains("/pool?view=table"), "it is found from the pool");
}

#[tokio::test]
async fn ac_09_a_switch_holds_at_once_spares_what_runs_and_unbinds_conversations() {
    let rig = Rig::bare().await;
    let provider = rig.pool("anthropic", json!({}), &["up-a", "up-b"]).await;
    rig.server.admin("PUT", "/settings/routing.gate_ms", &json!({ "value": "0" })).await;
    assert_eq!(ask(&rig, ANTHROPIC, "talk").await, 200);
    let bound = items(&rig, "/cache/sessions").await;
    assert_eq!(bound[0]["credential_name"], "up-a", "{bound:?}");
    let id = bound[0]["credential_id"].as_i64().unwrap();
    let path = format!("/credentials/{id}");

    // A stream that is open while it is switched off ends as it would have.
    let open = rig.open(rig.keyed(ANTHROPIC.ask("fake-slow", true).header("x-session-id", "talk"))).await;
    rig.change(&path, json!({ "enabled": false })).await;
    assert_eq!(items(&rig, "/cache/sessions").await.len(), 0, "nothing sticks to it any more");
    rig.upstream.clear_invoice();
    assert_eq!(ask(&rig, ANTHROPIC, "talk").await, 200);
    assert_eq!(rig.seen(), ["up-b"], "from the next request on");
    let rest = tokio::time::timeout(SOON, open.rest()).await.expect("it ends");
    assert!(rest.whole && rest.text().contains("message_stop"), "{}", rest.text());

    let view = get(&rig, &path).await;
    assert_eq!((&view["state"], &view["check"]["disabled_by"]), (&json!("disabled"), &json!("admin")));
    let events = items(&rig, &format!("{path}/events")).await;
    assert_eq!(
        (&events[0]["from"], &events[0]["to"], &events[0]["cause"]),
        (&json!("valid"), &json!("disabled"), &json!("admin")),
        "its history says so: {events:?}"
    );
    rig.change(&path, json!({ "priority": 0 })).await;
    assert_eq!(items(&rig, &format!("{path}/events")).await.len(), 1, "another change is none of the switch");

    // On again with its counters begun anew, without scripts, from its provider's page.
    rig.change(&path, json!({ "enabled": true })).await;
    rig.on_credential("up-a", Behaviour::status(500));
    assert_eq!(ask(&rig, ANTHROPIC, "other").await, 200);
    assert_eq!(entry(&rig, "up-a").await["consecutive_errors"], 1);
    rig.change(&path, json!({ "enabled": false })).await;
    let browser = Browser::sign_in(&rig.server, "en").await;
    let page = browser.page(&format!("/providers/{provider}")).await;
    assert!(page.contains("name=\"anew\"") && page.contains("its errors begin anew"), "{page}");
    browser.press("credential/toggle", &format!("id={id}&enabled=true")).await;
    assert_eq!(entry(&rig, "up-a").await["consecutive_errors"], 1, "only if it is wished");
    browser.press("credential/toggle", &format!("id={id}&enabled=false")).await;
    browser.press("credential/toggle", &format!("id={id}&enabled=true&anew=true")).await;
    let again = entry(&rig, "up-a").await;
    assert_eq!(
        (&again["state"], &again["consecutive_errors"], &again["last_error"]),
        (&json!("valid"), &json!(0), &Value::Null),
        "{again}"
    );
    let audit = items(&rig, &format!("/audit?object=credential&object_id={id}&limit=5")).await;
    assert!(audit.iter().any(|row| row["action"] == "credential.reset_errors"), "{audit:?}");
}

#[tokio::test]
async fn ac_10_a_429_is_kept_until_the_reset_that_the_vendor_named_within_bounds() {
    let unified = |more: &[(&'static str, &'static str)]| {
        [&[("anthropic-ratelimit-unified-status", "rejected")], more].concat()
    };
    // Vendor, headers, seconds of the rest, and whether it is about the whole account and so outlives a restart.
    for (kind, face, headers, seconds, whole) in [
        ("anthropic", ANTHROPIC, unified(&[("anthropic-ratelimit-unified-reset", "1800")]), 1_800, true),
        ("anthropic", ANTHROPIC, unified(&[("retry-after", "900")]), 900, true),
        ("anthropic", ANTHROPIC, unified(&[("retry-after", "999999")]), 3_600, true),
        ("anthropic", ANTHROPIC, vec![("retry-after", "900")], 900, false),
        (
            "openai",
            CHAT,
            vec![("x-ratelimit-remaining-tokens", "0"), ("x-ratelimit-reset-tokens", "6m0s")],
            360,
            false,
        ),
        ("openai", CHAT, vec![("x-ratelimit-remaining-tokens", "9"), ("retry-after-ms", "90000")], 90, false),
    ] {
        let (dir, clock) = (tempfile::tempdir().unwrap(), Clock::manual(Clock::system().now()));
        let own = clock.clone();
        let start = async || {
            let own = own.clone();
            crate::harness::Running::start_in(dir.path(), move |config| config.clock = own).await.unwrap()
        };
        let mut rig = Rig::of(start().await).await;
        rig.pool(kind, json!({}), &["up-a"]).await;
        let limited = headers.iter().fold(Behaviour::status(429), |b, (name, value)| b.header(name, value));
        rig.on_credential("up-a", limited);
        assert_eq!(ask(&rig, face, "s").await, 429, "{kind} {headers:?}");
        let wanted = clock.now().plus_ms(seconds * 1_000).to_string();
        let shown = entry(&rig, "up-a").await;
        assert_eq!(shown["rate_limit_reset_at"], json!(wanted), "{kind} {headers:?}: {shown}");
        assert_eq!(shown["state"] == "rate_limited", whole, "{kind} {headers:?}: {shown}");
        assert_eq!(get(&rig, "/credentials").await["items"][0]["cooldowns"][0]["until"], json!(wanted));
        if whole {
            let until = tokio::time::Instant::now() + SOON;
            while items(&rig, "/credentials/1/events").await.is_empty() {
                assert!(tokio::time::Instant::now() < until, "it is not stored");
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
        }
        rig.server.stop().await;
        rig.server = start().await;
        rig.upstream.forget();
        let kept = entry(&rig, "up-a").await;
        assert_eq!(kept["rate_limit_reset_at"].is_string(), whole, "{kind} {headers:?}: {kept}");
        if whole {
            assert_eq!(kept["rate_limit_reset_at"], json!(wanted), "{kept}");
            let refused = rig.ask(rig.keyed(face.ask("m-1", false))).await;
            assert_eq!(refused.status, 429, "{}", refused.text());
            clock.advance(2 * HOUR);
        }
        assert_eq!(ask(&rig, face, "t").await, 200, "it is over by itself");
    }
}

#[tokio::test]
async fn ac_11_one_providers_credentials_are_deleted_after_its_name_was_typed_and_come_back_for_a_week() {
    let clock = Clock::manual(Clock::system().now());
    let own = clock.clone();
    let rig = Rig::bare_with(move |config| config.clock = own).await;
    let provider = rig.pool("anthropic", json!({ "name": "main one" }), &["up-a", "up-b"]).await;
    let other = rig.provider("openai", json!({ "name": "spare", "api_key": "up-c" })).await;
    assert_eq!(ask(&rig, ANTHROPIC, "talk").await, 200);
    let path = format!("/providers/{provider}");
    for wrong in ["", "main", "spare"] {
        let refused = rig.server.admin("POST", &format!("{path}/reset"), &json!({ "confirm": wrong })).await;
        assert_eq!(refused["error"]["fields"]["confirm"], "must be the provider's name", "{refused}");
    }
    assert_eq!(items(&rig, "/credentials").await.len(), 3, "nothing happened");

    // Without scripts: the question, a wrong name, the right one.
    let (english, chinese) =
        (Browser::sign_in(&rig.server, "en").await, Browser::sign_in(&rig.server, "zh").await);
    let asked = english.page(&format!("{path}?confirm=reset")).await;
    assert!(
        asked.contains("Delete every credential of this provider?") && asked.contains("name=\"confirm\"")
    );
    assert!(chinese.page(&path).await.contains("删除全部凭证"));
    let landing = english.press("provider/reset", &format!("id={provider}&confirm=main")).await;
    assert!(!landing.contains("done=deleted"), "{landing}");
    let landing = english.press("provider/reset", &format!("id={provider}&confirm=main+one")).await;
    assert_eq!(landing, format!("/providers/{provider}?done=deleted"));
    let left = items(&rig, "/credentials").await;
    assert_eq!(
        (left.len(), &left[0]["provider_id"]),
        (1, &json!(other)),
        "the others are untouched: {left:?}"
    );
    assert_eq!(items(&rig, "/cache/sessions").await.len(), 0);
    assert_eq!(ask(&rig, ANTHROPIC, "talk").await, 503);
    assert_eq!(ask(&rig, CHAT, "talk").await, 200);
    let audit = items(&rig, "/audit?object=provider&limit=1").await;
    assert_eq!(
        (&audit[0]["action"], &audit[0]["before"]["credentials"]),
        (&json!("provider.reset"), &json!(["up-a", "up-b"])),
        "{audit:?}"
    );
    let page = english.page(&path).await;
    assert!(page.contains("Deleted in the last seven days") && page.contains("up-a, up-b"), "{page}");

    let deleted = items(&rig, &format!("{path}/deleted")).await;
    assert_eq!((deleted.len(), &deleted[0]["names"]), (1, &json!(["up-a", "up-b"])), "{deleted:?}");
    let at = deleted[0]["deleted_at"].clone();
    clock.advance(7 * 24 * HOUR - 1);
    let foreign = format!("/providers/{other}/deleted/restore");
    let missing = rig.server.admin("POST", &foreign, &json!({ "deleted_at": at })).await;
    assert_eq!(missing["error"]["code"], "not_found", "{missing}");
    let english = Browser::sign_in(&rig.server, "en").await;
    let body = format!("id={provider}&at={}", at.as_str().unwrap().replace(':', "%3A"));
    assert_eq!(english.press("provider/restore_deleted", &body).await, format!("{path}?done=restored"));
    assert_eq!(ask(&rig, ANTHROPIC, "talk").await, 200, "they serve at once");
    assert_eq!(items(&rig, &format!("{path}/deleted")).await, Vec::<Value>::new());

    // After a week it is no longer offered.
    let again = rig.server.admin("POST", &format!("{path}/reset"), &json!({ "confirm": " main one " })).await;
    assert_eq!((&again["names"], &again["kept"]), (&json!(["up-a", "up-b"]), &json!([])), "{again}");
    clock.advance(7 * 24 * HOUR);
    let at = &again["deleted_at"];
    let late =
        rig.server.admin("POST", &format!("{path}/deleted/restore"), &json!({ "deleted_at": at })).await;
    assert_eq!(late["error"]["code"], "not_found", "{late}");
    let nothing = rig.server.admin("POST", &format!("{path}/reset"), &json!({ "confirm": "main one" })).await;
    assert_eq!(nothing["names"], json!([]), "{nothing}");
}

#[tokio::test]
async fn ac_11_what_the_environment_names_stays_and_an_unknown_provider_is_told() {
    let list = gateway::EnvList {
        variable: "POOL_KEYS_FAKE_ANTHROPIC".to_owned(),
        provider: "FAKE_ANTHROPIC".to_owned(),
        tier: types::credential::Tier::Shared,
        entries: vec![gateway::EnvEntry { number: 1, secret: types::Secret::new("up-env".to_owned()) }],
        refused: Vec::new(),
    };
    let rig = Rig::bare_with(|config| config.pool_lists = vec![list]).await;
    let provider = rig.pool("anthropic", json!({}), &["up-a"]).await;
    let path = format!("/providers/{provider}/reset");
    let done = rig.server.admin("POST", &path, &json!({ "confirm": "fake anthropic" })).await;
    assert_eq!((&done["names"], &done["kept"]), (&json!(["up-a"]), &json!(["env 1"])), "{done}");
    assert_eq!(items(&rig, "/credentials").await.len(), 1);

    let console = Console::start().await;
    for (method, path, body) in [
        (Method::POST, "/providers/4711/reset", Some(json!({ "confirm": "x" }))),
        (Method::GET, "/providers/4711/deleted", None),
    ] {
        check_error(&console.rest(method, path, body).await, 404, "not_found");
    }
}
