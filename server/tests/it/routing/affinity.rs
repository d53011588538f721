//! Conversations stick to an account: by whichever name, on whichever path, until the account fails them.

use fakeup::{Behaviour, Rule};
use serde_json::{Value, json};

use super::{eventually, fresh};
use crate::harness::Running;
use crate::rig::Rig;
use crate::rig::client::Ask;
use crate::rig::faces::{ANTHROPIC, CHAT};

/// Three accounts of each kind that are equal in everything.
async fn three() -> Rig {
    let rig = Rig::bare().await;
    for kind in ["anthropic", "openai", "gemini"] {
        let provider = rig.provider(kind, json!({"api_key": null})).await;
        for secret in ["up-a", "up-b", "up-c"] {
            rig.credential(provider, secret, json!({})).await;
        }
    }
    rig
}

/// The accounts that so many requests met, each once.
async fn met(rig: &Rig, count: usize, ask: impl Fn(usize) -> Ask) -> Vec<String> {
    rig.upstream.clear_invoice();
    for number in 0..count {
        let got = rig.ask(rig.keyed(ask(number))).await;
        assert_eq!(got.status, 200, "{}", got.text());
    }
    let mut seen = rig.seen();
    assert_eq!(seen.len(), count);
    seen.sort_unstable();
    seen.dedup();
    seen
}

fn responses(path: &str, session: &str, words: usize) -> Ask {
    let body = json!({"model": "m-1", "stream": words.is_multiple_of(2), "input": format!("words {words}")});
    Ask::post(path, body.to_string()).header("session-id", session)
}

#[tokio::test]
async fn ca_07_twenty_calls_of_one_session_meet_one_account_on_every_spelling() {
    let rig = three().await;
    let paths =
        ["/v1/responses", "/responses", "/v1/responses/", "/v1/responses/compact", "/responses/compact"];
    let known: Vec<&str> = {
        let mut known = Vec::new();
        for path in paths {
            let got = rig.ask(rig.keyed(responses(path, "probe", 1))).await;
            if got.status != 404 {
                known.push(path);
            }
        }
        known
    };
    assert!(known.len() >= 4, "{known:?}");
    for session in ["s-1", "s-2", "s-3", "s-4"] {
        let seen = met(&rig, 20, |number| responses(known[number % known.len()], session, number)).await;
        assert_eq!(seen.len(), 1, "{session}: {seen:?}");
    }
    // Without a session and without stickiness they do spread, or the above proves nothing.
    rig.setting("affinity.enabled", "false").await;
    assert!(met(&rig, 30, |number| responses("/v1/responses", "s-1", number)).await.len() > 1);
}

#[tokio::test]
async fn ca_01_each_way_of_naming_a_session_sticks_and_so_does_none() {
    let rig = three().await;
    let chat = |number: usize, session: &str| {
        let first = json!({"role": "user", "content": format!("begin {session}")});
        let turns: Vec<Value> = (0..number)
            .flat_map(|n| {
                [
                    json!({"role": "assistant", "content": format!("a {n}")}),
                    json!({"role": "user", "content": format!("q {n}")}),
                ]
            })
            .collect();
        let messages: Vec<Value> = [first].into_iter().chain(turns).collect();
        json!({"model": "m-1", "max_tokens": 9, "messages": messages})
    };
    for session in ["one", "two", "three"] {
        let seen = met(&rig, 12, |n| Ask::post("/v1/chat/completions", chat(n, session).to_string())).await;
        assert_eq!(seen.len(), 1, "by its first words, {session}: {seen:?}");
        let seen = met(&rig, 12, |n| {
            Ask::post("/v1/chat/completions", chat(n, &format!("{n}")).to_string())
                .header("x-session-id", session)
        })
        .await;
        assert_eq!(seen.len(), 1, "by x-session-id, {session}: {seen:?}");
        let seen = met(&rig, 12, |n| {
            let mut body = chat(n, &format!("{session} {n}"));
            body["metadata"] = json!({"user_id": format!("user_abc_account__session_{session}-1234")});
            Ask::post("/v1/messages", body.to_string())
        })
        .await;
        assert_eq!(seen.len(), 1, "by metadata.user_id, {session}: {seen:?}");
        let seen = met(&rig, 12, |n| {
            let body = json!({"model": "m-1", "input": format!("{n}"), "prompt_cache_key": format!("cache-{session}")});
            Ask::post("/v1/responses", body.to_string())
        })
        .await;
        assert_eq!(seen.len(), 1, "by prompt_cache_key, {session}: {seen:?}");
    }
    let sessions = rig.get("/cache/sessions").await;
    assert_eq!(sessions["total"], 12, "{sessions}");
    let line = sessions["items"].as_array().unwrap().iter().find(|line| line["session"] == "one").unwrap();
    assert_eq!(
        (&line["hits"], &line["rebinds"], &line["source"]),
        (&json!(11), &json!(0), &json!("client")),
        "{line}"
    );
}

#[tokio::test]
async fn ca_02_the_record_says_hit_miss_and_why_not() {
    let rig = three().await;
    let ask = || fresh(CHAT, "m-1", true).header("x-session-id", "talk");
    let note = |row: &Value| row["decision"]["affinity"].clone();
    let (_, first) = rig.asked(ask()).await;
    assert_eq!(
        (&note(&first)["outcome"], &note(&first)["source"]),
        (&json!("miss"), &json!("client")),
        "{first}"
    );
    let (_, second) = rig.asked(ask()).await;
    assert_eq!(note(&second)["outcome"], "hit", "{second}");
    let bound = second["attempts"][0]["credential_id"].clone();
    assert_eq!(note(&second)["credential_id"], bound);
    // Full: the conversation goes elsewhere, and the record says why.
    rig.change(&format!("/credentials/{bound}"), json!({"max_concurrency": 1})).await;
    rig.on_model("m-hold", Behaviour::cut(CHAT.beyond_content(), fakeup::Then::Hold));
    let _held = rig.open(rig.keyed(fresh(CHAT, "m-hold", true).header("x-session-id", "talk"))).await;
    let (got, third) = rig.asked(ask()).await;
    assert_eq!(got.status, 200);
    assert_eq!(
        (&note(&third)["outcome"], &note(&third)["removed_by"]),
        (&json!("broken"), &json!("concurrency")),
        "{third}"
    );
    assert_ne!(third["attempts"][0]["credential_id"], bound);
    let (_, fourth) = rig.asked(ask()).await;
    assert_eq!(
        (&note(&fourth)["outcome"], &fourth["attempts"][0]["credential_id"]),
        (&json!("hit"), &third["attempts"][0]["credential_id"])
    );
    let sessions = rig.items("/cache/sessions").await;
    assert_eq!(sessions[0]["rebinds"], 1, "{sessions:?}");
}

#[tokio::test]
async fn a_conversation_moves_once_when_its_account_fails_it() {
    let rig = three().await;
    let ask = || fresh(ANTHROPIC, "m-1", true).header("x-session-id", "talk");
    let first = rig.sent_with(ask(), 200).await;
    rig.upstream.script(Rule::credential(&first[0], Behaviour::status(429).header("retry-after", "60")));
    let moved = rig.sent_with(ask(), 200).await;
    assert_eq!((moved.len(), &moved[0]), (2, &first[0]), "{moved:?}");
    rig.upstream.forget();
    for _ in 0..10 {
        assert_eq!(rig.sent_with(ask(), 200).await, [moved[1].clone()], "it stays where it went");
    }
}

#[tokio::test]
async fn ca_11_the_conversations_of_a_key_are_forgotten_on_demand() {
    let rig = three().await;
    for session in ["talk-1", "talk-2", "talk-3"] {
        rig.ask(rig.keyed(fresh(CHAT, "m-1", true).header("x-session-id", session))).await;
    }
    assert_eq!(rig.items("/cache/sessions?search=talk-2").await.len(), 1);
    let path = format!("/cache/sessions?key_id={}", rig.key_id);
    let cleared = rig.server.admin("DELETE", &path, &Value::Null).await;
    assert_eq!(cleared["cleared"], 3, "{cleared}");
    assert!(rig.items("/cache/sessions").await.is_empty());
    let (_, row) = rig.asked(fresh(CHAT, "m-1", true).header("x-session-id", "talk-1")).await;
    assert_eq!(row["decision"]["affinity"]["outcome"], "miss");
}

#[tokio::test]
async fn two_keys_with_the_same_session_are_two_conversations() {
    let rig = three().await;
    let (_, other) = rig.new_key(json!({"name": "other"})).await;
    let ask = || fresh(CHAT, "m-1", true).header("x-session-id", "same");
    rig.ask(rig.keyed(ask())).await;
    let got = rig.ask(ask().header("authorization", &format!("Bearer {other}"))).await;
    assert_eq!(got.status, 200);
    assert_eq!(rig.items("/cache/sessions").await.len(), 2);
}

#[tokio::test]
async fn a_provider_that_does_not_stick_leaves_each_request_free() {
    let rig = Rig::bare().await;
    let provider = rig.provider("openai", json!({"api_key": null, "sticky": false})).await;
    for secret in ["up-a", "up-b", "up-c"] {
        rig.credential(provider, secret, json!({})).await;
    }
    let seen = met(&rig, 40, |_| fresh(CHAT, "m-1", false).header("x-session-id", "talk")).await;
    assert!(seen.len() > 1, "{seen:?}");
    assert!(rig.items("/cache/sessions").await.is_empty());
}

#[tokio::test]
async fn counting_tokens_takes_no_session_and_no_slot() {
    let rig = Rig::bare().await;
    let provider = rig.provider("anthropic", json!({"api_key": null})).await;
    for secret in ["up-a", "up-b"] {
        rig.credential(provider, secret, json!({"max_concurrency": 1})).await;
    }
    rig.setting("routing.queue_ms", "0").await;
    let count = || {
        let body = json!({"model": "m-1", "messages": [{"role": "user", "content": "How many?"}]});
        Ask::post("/v1/messages/count_tokens", body.to_string()).header("x-session-id", "talk")
    };
    // A burst as editors send it, while the counts of before still hang.
    rig.upstream.script(Rule {
        path: Some("/count_tokens".into()),
        ..Rule::always(Behaviour::instead(fakeup::Then::Hold))
    });
    let rig = &rig;
    let burst = (0..10).map(|_| async move { rig.ask(rig.keyed(count())).await.status });
    let talk = async {
        rig.upstream.until(crate::rig::SOON, |entries| entries.len() >= 10).await;
        let held = rig.upstream.invoice().len();
        let got = rig.ask(rig.keyed(fresh(ANTHROPIC, "m-1", true))).await;
        rig.upstream.release();
        (held, got.status)
    };
    let (statuses, (held, status)) = tokio::join!(futures_util::future::join_all(burst), talk);
    assert_eq!((held, status), (10, 200), "ten counts at once and a message beside them");
    assert_eq!(statuses, [200; 10]);
    let sessions = rig.items("/cache/sessions").await;
    assert!(sessions.iter().all(|line| line["session"] != "talk"), "{sessions:?}");
}

#[tokio::test]
async fn ca_08_a_restart_forgets_bindings_and_says_since_when_it_remembers() {
    let dir = tempfile::tempdir().unwrap();
    let upstream = fakeup::Fakeup::start().await;
    let server = Running::start_in(dir.path(), |_| {}).await.unwrap();
    let key = server.provision("openai", &upstream.base_url()).await;
    let providers = server.admin("GET", "/providers", &Value::Null).await;
    let provider = &providers["items"][0]["id"];
    let second = json!({"provider_id": provider, "name": "second", "api_key": "upstream-secret-0002"});
    server.admin("POST", "/credentials", &second).await;
    let headers =
        format!("Content-Type: application/json\r\nAuthorization: Bearer {key}\r\nX-Session-Id: talk\r\n");
    let body = json!({"model": "m-1", "messages": [{"role": "user", "content": "a"}]}).to_string();
    let ask = crate::harness::post("/v1/chat/completions", &headers, &body);
    assert_eq!(server.raw(&ask).await.status(), 200);
    let before = server.admin("GET", "/cache/sessions", &Value::Null).await;
    assert_eq!(before["total"], 1, "{before}");
    server.stop().await;
    let server =
        eventually("the folder is free again", async || Running::start_in(dir.path(), |_| {}).await.ok())
            .await;
    let after = server.admin("GET", "/cache/sessions", &Value::Null).await;
    assert_eq!(after["total"], 0, "{after}");
    assert!(after["since"].as_str().unwrap() > before["since"].as_str().unwrap(), "{before} {after}");
    assert_eq!(server.raw(&ask).await.status(), 200);
    server.stop().await;
}

/// Two accounts in an order, and a clock that a test moves ahead.
async fn ordered(rest_s: &str) -> (Rig, gateway::Clock) {
    let clock = gateway::Clock::ahead();
    let of_server = clock.clone();
    let rig = Rig::bare_with(move |config| config.clock = of_server).await;
    rig.pool("openai", json!({}), &["up-best", "up-next"]).await;
    let busy = Behaviour::status(429).header("retry-after", rest_s);
    rig.upstream.script(Rule::credential("up-best", busy).times(1));
    (rig, clock)
}

#[tokio::test]
async fn ca_01_a_conversation_goes_back_to_the_better_account_once_its_cache_is_cold() {
    let (rig, clock) = ordered("20").await;
    let talk = || fresh(CHAT, "m-1", true).header("x-session-id", "talk");
    let note = |row: &Value| row["decision"]["affinity"].clone();
    // It begins with the better one, which is used up for twenty seconds: from then on it is bound to the next.
    let (_, row) = rig.asked(talk()).await;
    let next = row["attempts"][1]["credential_id"].clone();
    assert_eq!(super::chain(&row, "credential_name"), ["up-best", "up-next"], "{row}");
    // The better one is well again, but the cache of the conversation is warm where it is.
    for _ in 0..3 {
        clock.advance(4 * 60_000);
        let (_, row) = rig.asked(talk()).await;
        assert_eq!(super::chain(&row, "credential_name"), ["up-next"], "{row}");
        assert_eq!((&note(&row)["outcome"], &note(&row)["credential_id"]), (&json!("hit"), &next), "{row}");
    }
    // Others do go to the better one meanwhile: it is nothing but the binding that keeps this one.
    assert_eq!(
        rig.sent_with(fresh(CHAT, "m-1", true).header("x-session-id", "other"), 200).await,
        ["up-best"]
    );
    // Six minutes later nothing is left to lose.
    clock.advance(6 * 60_000);
    let (_, row) = rig.asked(talk()).await;
    assert_eq!(super::chain(&row, "credential_name"), ["up-best"], "{row}");
    assert_eq!((&note(&row)["outcome"], &note(&row)["credential_id"]), (&json!("failback"), &next), "{row}");
    let (_, row) = rig.asked(talk()).await;
    assert_eq!(
        (&note(&row)["outcome"], &row["attempts"][0]["credential_name"]),
        (&json!("hit"), &json!("up-best"))
    );
    let sessions = rig.items("/cache/sessions?search=talk").await;
    assert_eq!((sessions.len(), &sessions[0]["rebinds"]), (1, &json!(1)), "{sessions:?}");
}

#[tokio::test]
async fn a_cold_conversation_stays_where_nobody_better_can_take_it() {
    let (rig, clock) = ordered("3600").await;
    let talk = || fresh(CHAT, "m-1", true).header("x-session-id", "talk");
    assert_eq!(rig.sent_with(talk(), 200).await, ["up-best", "up-next"]);
    // Cold, but the better one still rests.
    clock.advance(6 * 60_000);
    let (_, row) = rig.asked(talk()).await;
    assert_eq!(
        (&row["decision"]["affinity"]["outcome"], super::chain(&row, "credential_name")),
        (&json!("hit"), vec!["up-next".to_owned()]),
        "{row}"
    );
    // Longer than conversations are remembered: it is a new one.
    clock.advance(2 * 3_600_000);
    let (_, row) = rig.asked(talk()).await;
    assert_eq!(
        (&row["decision"]["affinity"]["outcome"], super::chain(&row, "credential_name")),
        (&json!("miss"), vec!["up-best".to_owned()]),
        "{row}"
    );
}
