//! Faults of one account: its caller gets another one's answer, and the next request does not meet it again.

use fakeup::{Behaviour, Then, refused_url};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{chain, eventually, fresh};
use crate::rig::Rig;
use crate::rig::faces::{ANTHROPIC, CHAT, FACES};

/// An OpenAI-like pool in order of priority whose first credential meets this.
async fn pool_with(behaviour: Behaviour, secrets: &[&str]) -> Rig {
    let rig = Rig::unbound().await;
    for kind in ["anthropic", "openai", "gemini"] {
        rig.pool(kind, json!({}), secrets).await;
    }
    rig.on_credential("up-a", behaviour);
    rig
}

fn forbidden(message: &str) -> Behaviour {
    let error = json!({"type": "error", "error": {"type": "permission_error", "message": message}});
    Behaviour { status: Some(403), ..Behaviour::body("application/json", error.to_string()) }
}

#[tokio::test]
async fn fault_u01_a_dead_account_is_asked_last_from_the_first_failure_on() {
    let rig = Rig::unbound().await;
    let dead = json!({"name": "dead", "base_url": refused_url().unwrap(), "priority": 0});
    rig.provider("openai", dead).await;
    rig.provider("openai", json!({"priority": 5})).await;
    let (got, row) = rig.asked(fresh(CHAT, "m-1", true)).await;
    assert_eq!(got.status, 200, "{}", got.text());
    assert_eq!(chain(&row, "outcome"), ["connect_failed", "done"]);
    assert_eq!((chain(&row, "class")[0].as_str(), chain(&row, "commit")[0].as_str()), ("system", "not_sent"));
    let (_, row) = rig.asked(fresh(CHAT, "m-1", true)).await;
    assert_eq!(chain(&row, "outcome"), ["done"], "it is tried last now");
    let candidates = row["decision"]["candidates"].as_array().unwrap();
    let dead = candidates.iter().find(|candidate| candidate["provider_name"] == "dead").unwrap();
    assert_eq!((&dead["demoted"], &dead["rank"]), (&json!("unavailable"), &json!(2)), "{dead}");
    assert!(dead["until"].is_string(), "{dead}");
}

#[tokio::test]
async fn fault_u07_a_tls_handshake_that_stalls_is_left_after_the_connect_time() {
    let rig = Rig::unbound().await;
    let mute = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("https://{}", mute.local_addr().unwrap());
    let timeouts = json!({"connect_ms": 300});
    rig.provider("openai", json!({"name": "mute", "base_url": url, "priority": 0, "timeouts": timeouts}))
        .await;
    rig.provider("openai", json!({"priority": 5})).await;
    let (got, row) = rig.asked(fresh(CHAT, "m-1", false)).await;
    assert_eq!(got.status, 200, "{}", got.text());
    assert_eq!(
        (chain(&row, "outcome"), chain(&row, "commit")[0].as_str()),
        (vec!["timed_out".to_owned(), "done".to_owned()], "not_sent")
    );
}

#[tokio::test]
async fn fault_u09_who_allows_it_gets_a_second_try_after_an_unknown_outcome() {
    let rig = pool_with(Behaviour::instead(Then::Close), &["up-a", "up-b"]).await;
    let (got, row) = rig.asked(fresh(CHAT, "m-1", true)).await;
    assert_eq!((got.status, got.code().as_str()), (502, "upstream_outcome_unknown"));
    assert_eq!(
        (chain(&row, "class"), chain(&row, "commit")),
        (vec!["unknown".to_owned()], vec!["possibly_accepted".to_owned()])
    );
    rig.setting("routing.retry_unknown", "true").await;
    let (got, row) = rig.asked(fresh(CHAT, "m-1", true)).await;
    assert_eq!(got.status, 200, "{}", got.text());
    assert_eq!(chain(&row, "outcome"), ["no_answer", "done"]);
}

#[tokio::test]
async fn f_3_up_10_a_refused_credential_is_invalid_and_out_of_rotation_for_the_next_request() {
    let rig = pool_with(Behaviour::status(401), &["up-a", "up-b"]).await;
    for face in FACES {
        let seen = rig.sent_with(fresh(face, "m-1", true), 200).await;
        assert!(seen == ["up-a", "up-b"] || seen == ["up-b"], "{seen:?}");
        assert_eq!(rig.sent_with(fresh(face, "m-1", false), 200).await, ["up-b"], "{face:?}");
    }
    let marked = eventually("the state is stored", async || {
        let all = rig.items("/credentials").await;
        let marked: Vec<Value> = all.into_iter().filter(|item| item["state"] == "invalid").collect();
        (marked.len() == 3).then_some(marked)
    })
    .await;
    let events = eventually("the change is stored", async || {
        let events = rig.items(&format!("/credentials/{}/events", marked[0]["id"])).await;
        (!events.is_empty()).then_some(events)
    })
    .await;
    assert_eq!(
        (&events[0]["from"], &events[0]["to"], &events[0]["cause"]),
        (&json!("valid"), &json!("invalid"), &json!("upstream"))
    );
    assert!(events[0]["request_id"].is_string(), "{events:?}");
    // With nobody else left, the caller hears of the pool, and never that his own key is wrong.
    rig.on_credential("up-b", Behaviour::status(401));
    for face in FACES {
        let got = rig.ask(rig.keyed(fresh(face, "m-1", true))).await;
        assert!(got.status == 502 || got.status == 503, "{face:?}: {}", got.text());
    }
}

#[tokio::test]
async fn f_3_fault_u34_an_account_without_credit_rests_as_a_whole() {
    for behaviour in [
        Behaviour::status(402),
        forbidden("Your account has been suspended"),
        forbidden("Your credit balance is too low to access the API"),
    ] {
        let rig = pool_with(behaviour.clone(), &["up-a", "up-b"]).await;
        let (got, row) = rig.asked(fresh(ANTHROPIC, "m-1", true)).await;
        assert_eq!(got.status, 200, "{}", got.text());
        assert_eq!(chain(&row, "class"), ["quota", ""]);
        assert_eq!(rig.sent_with(fresh(ANTHROPIC, "m-1", true), 200).await, ["up-b"]);
        assert_eq!(rig.sent_with(fresh(ANTHROPIC, "m-2", true), 200).await, ["up-b"], "whatever the model");
        eventually("the state is stored", async || {
            let all = rig.items("/credentials").await;
            all.into_iter().find(|item| item["state"] == "suspended" && item["cooldown_until"].is_string())
        })
        .await;
        rig.on_credential("up-b", behaviour);
        let got = rig.ask(rig.keyed(fresh(ANTHROPIC, "m-1", true))).await;
        assert_eq!((got.status, got.code().as_str()), (502, "upstream_quota_exhausted"), "{}", got.text());
    }
}

#[tokio::test]
async fn f_3_a_403_without_words_of_an_end_is_a_short_rest_and_no_mark() {
    let rig = pool_with(forbidden("not available in your region"), &["up-a", "up-b"]).await;
    assert_eq!(rig.sent_with(fresh(ANTHROPIC, "m-1", true), 200).await, ["up-a", "up-b"]);
    assert_eq!(rig.sent_with(fresh(ANTHROPIC, "m-1", true), 200).await, ["up-b"]);
    assert_eq!(
        rig.sent_with(fresh(ANTHROPIC, "m-other", true), 200).await,
        ["up-a", "up-b"],
        "another model may work"
    );
    let account = rig.account("up-a").await;
    assert!(account["state"] != "invalid" && account["state"] != "banned", "{account}");
}

#[tokio::test]
async fn fault_u36_a_model_that_one_account_lacks_is_served_by_the_next() {
    let rig = Rig::unbound().await;
    rig.pool("openai", json!({}), &["up-a", "up-b"]).await;
    rig.upstream.script(fakeup::Rule {
        credential: Some("up-a".into()),
        ..fakeup::Rule::model("m-new", Behaviour::status(404))
    });
    assert_eq!(rig.sent_with(fresh(CHAT, "m-new", true), 200).await, ["up-a", "up-b"]);
    assert_eq!(rig.sent_with(fresh(CHAT, "m-new", true), 200).await, ["up-b"], "the pair rests");
    assert_eq!(rig.sent_with(fresh(CHAT, "m-old", true), 200).await, ["up-a"], "the account does not");
    let account = rig.account("up-a").await;
    assert_eq!(account["cooldowns"][0]["model"], "m-new", "{account}");
    // If nobody has it, the caller reads the vendor's own words, however often he asks.
    rig.on_model("m-none", Behaviour::status(404));
    for _ in 0..3 {
        let got = rig.ask(rig.keyed(fresh(CHAT, "m-none", true))).await;
        assert_eq!(got.status, 404, "{}", got.text());
    }
}

#[tokio::test]
async fn tp_14_each_class_of_failure_has_its_own_consequence() {
    for (status, tried, class, rests) in [
        (400, vec!["up-a"], "client", false),
        (413, vec!["up-a"], "client", false),
        (422, vec!["up-a"], "client", false),
        (429, vec!["up-a", "up-b"], "rate_limit", true),
        (500, vec!["up-a", "up-b"], "provider", false),
        (502, vec!["up-a", "up-b"], "provider", false),
        (503, vec!["up-a", "up-b"], "overload", true),
        (529, vec!["up-a", "up-b"], "overload", true),
    ] {
        let rig = pool_with(Behaviour::status(status), &["up-a", "up-b"]).await;
        rig.upstream.clear_invoice();
        let (got, row) = rig.asked(fresh(ANTHROPIC, "m-1", true)).await;
        assert_eq!(got.status, if tried.len() == 2 { 200 } else { status }, "{}", got.text());
        assert_eq!(rig.seen(), tried, "{status}");
        assert_eq!(chain(&row, "class")[0], class, "{status}");
        let again = rig.sent_with(fresh(ANTHROPIC, "m-1", true), got.status).await;
        assert_eq!(again == ["up-b"], rests, "{status}: {again:?}");
    }
}

#[tokio::test]
async fn tp_02_tp_16_three_at_their_quota_and_the_fourth_answers_and_the_next_request_makes_one_call() {
    let rig = pool_with(Behaviour::status(429), &["up-a", "up-b", "up-c", "up-d"]).await;
    for credential in ["up-b", "up-c"] {
        rig.on_credential(credential, Behaviour::status(429));
    }
    // More than `pool.max_attempts`: a quota costs the upstream nothing.
    for face in [ANTHROPIC, CHAT] {
        assert_eq!(rig.sent_with(fresh(face, "m-1", true), 200).await, ["up-a", "up-b", "up-c", "up-d"]);
        assert_eq!(rig.sent_with(fresh(face, "m-1", true), 200).await, ["up-d"]);
    }
    let stats = rig.get("/pool").await;
    assert_eq!(stats["rate_limited"].as_u64().unwrap_or_default(), 6, "{stats}");
}

#[tokio::test]
async fn tp_01_every_route_fails_over_on_its_first_attempt_too() {
    let rig = pool_with(Behaviour::status(500), &["up-a", "up-b"]).await;
    for (target, body) in [
        (
            "/v1/messages",
            json!({"model": "m-1", "max_tokens": 8, "messages": [{"role": "user", "content": "a"}]}),
        ),
        (
            "/v1/messages/count_tokens",
            json!({"model": "m-1", "messages": [{"role": "user", "content": "a"}]}),
        ),
        ("/v1/chat/completions", json!({"model": "m-1", "messages": [{"role": "user", "content": "a"}]})),
        ("/v1/completions", json!({"model": "m-1", "prompt": "a"})),
        ("/v1/embeddings", json!({"model": "m-1", "input": "a"})),
        ("/v1/responses", json!({"model": "m-1", "input": "a"})),
        ("/responses", json!({"model": "m-1", "input": "a"})),
        ("/v1/moderations", json!({"model": "m-1", "input": "a"})),
        ("/v1beta/models/m-1:generateContent", json!({"contents": [{"parts": [{"text": "a"}]}]})),
        ("/v1beta/models/m-1:countTokens", json!({"contents": [{"parts": [{"text": "a"}]}]})),
    ] {
        let seen = rig.sent_with(crate::rig::client::Ask::post(target, body.to_string()), 200).await;
        assert!(seen == ["up-a", "up-b"] || seen == ["up-b"], "{target}: {seen:?}");
    }
}

#[tokio::test]
async fn fault_u06_who_does_not_speak_tls_is_passed_over_and_told_nothing() {
    let rig = Rig::unbound().await;
    let plain = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("https://{}", plain.local_addr().unwrap());
    let answers = async {
        loop {
            let (mut stream, _) = plain.accept().await.unwrap();
            let mut hello = [0_u8; 512];
            let read = stream.read(&mut hello).await.unwrap_or(0);
            assert!(!String::from_utf8_lossy(&hello[..read]).contains("POST"), "in the clear");
            stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        }
    };
    rig.provider("openai", json!({"name": "plain", "base_url": url, "priority": 0})).await;
    rig.provider("openai", json!({"priority": 5})).await;
    let (got, row) = tokio::select! {
        asked = rig.asked(fresh(CHAT, "m-1", false)) => asked,
        () = answers => unreachable!("it listens for ever"),
    };
    assert_eq!(got.status, 200, "{}", got.text());
    assert_eq!(chain(&row, "class"), ["system", ""]);
    assert!(chain(&row, "reason")[0].contains("TLS"), "{row}");
}
