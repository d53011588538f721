//! Who is tried next, who is not, and what the caller hears when all have failed.

use fakeup::{Behaviour, Rule};
use serde_json::{Value, json};

use super::outcomes;
use crate::rig::Rig;
use crate::rig::faces::{CHAT, FACES};

/// A rig with two credentials per kind; the first one meets this.
async fn with_first(behaviour: Behaviour) -> Rig {
    let rig = Rig::bare().await;
    for kind in ["anthropic", "openai", "gemini"] {
        rig.pool(kind, json!({}), &["up-a", "up-b"]).await;
    }
    rig.on_credential("up-a", behaviour);
    rig
}

#[tokio::test]
async fn tp_02_up_10_what_concerns_the_credential_or_the_upstream_moves_on() {
    let html = Behaviour { status: Some(429), ..Behaviour::body("text/html", "<h1>Too many</h1>") };
    for (fault, behaviour) in [
        ("429", Behaviour::status(429)),
        ("429 in HTML", html),
        ("500", Behaviour::status(500)),
        ("502", Behaviour::status(502)),
        ("503", Behaviour::status(503)),
        ("529", Behaviour::status(529)),
        ("401", Behaviour::status(401)),
        ("403", Behaviour::status(403)),
        ("402", Behaviour::status(402)),
        ("a web page", Behaviour::body("text/html", "<html>log in</html>")),
        ("an error in a success", Behaviour { error_in_success: true, ..Behaviour::default() }),
        ("nothing", Behaviour::body("text/event-stream", "")),
        ("a redirect", Behaviour::status(307).header("location", "http://127.0.0.1:9/")),
    ] {
        let rig = with_first(behaviour).await;
        for face in FACES {
            for (streaming, ask) in face.both("m-1") {
                rig.upstream.clear_invoice();
                let id = ask.id.clone();
                let got = rig.ask(rig.keyed(ask)).await;
                assert_eq!((got.status, got.whole), (200, true), "{fault} {face:?}: {}", got.text());
                assert!(!streaming || got.text().contains(face.end), "{fault}");
                let row = rig.row(&id).await;
                // A credential that was rejected is asked last from then on.
                let seen = rig.seen();
                assert!(seen == ["up-a", "up-b"] || seen == ["up-b"], "{fault} {face:?}: {seen:?}");
                let chain = outcomes(&row);
                assert_eq!((chain.len(), *chain.last().unwrap()), (seen.len(), "done"), "{fault}: {row}");
                assert_eq!(row["outcome"], "ok");
                assert!(row["error_code"].is_null(), "{fault}: {row}");
            }
        }
    }
}

#[tokio::test]
async fn up_11_fault_u35_what_concerns_the_request_goes_back_to_its_caller_at_once() {
    for status in [400, 409, 413, 422] {
        let rig = with_first(Behaviour::status(status)).await;
        for face in FACES {
            for (_, ask) in face.both("m-1") {
                rig.upstream.clear_invoice();
                let id = ask.id.clone();
                let got = rig.ask(rig.keyed(ask)).await;
                assert_eq!(got.status, status, "{}", got.text());
                let sent =
                    fakeup::answer_body(&rig.upstream.invoice()[0].request, &Behaviour::status(status));
                assert_eq!(got.body, sent, "in the vendor's own words");
                assert_eq!(rig.seen(), ["up-a"], "nobody else is asked");
                let row = rig.row(&id).await;
                assert_eq!(
                    (&row["outcome"], &row["error_code"]),
                    (&json!("failed"), &json!("upstream_rejected")),
                    "{row}"
                );
            }
        }
        let credentials = rig.server.admin("GET", "/credentials", &Value::Null).await;
        let items = credentials["items"].as_array().unwrap();
        assert!(items.iter().all(|item| item["consecutive_errors"] == 0), "no penalty: {credentials}");
    }
}

#[tokio::test]
async fn when_all_fail_the_last_answer_is_worded_as_the_handbook_says() {
    // What costs the upstream nothing is asked of everybody, the rest no more often than the setting allows.
    for (behaviour, status, code, phrase, calls) in [
        (Behaviour::status(429), 429, "pool_exhausted", "upstream: Rate limit exceeded", 3),
        (Behaviour::status(401), 502, "upstream_auth_failed", "upstream: Invalid API key", 3),
        (Behaviour::status(403), 502, "upstream_auth_failed", "upstream: Invalid API key", 3),
        (Behaviour::status(402), 502, "upstream_quota_exhausted", "out of credit", 3),
        (Behaviour::status(500), 502, "upstream_unavailable", "AI service unavailable", 2),
        (Behaviour::status(503), 503, "upstream_unavailable", "AI service unavailable", 2),
        (Behaviour::status(529), 503, "upstream_unavailable", "AI service unavailable", 2),
        (Behaviour::status(504), 504, "upstream_timeout", "upstream timed out", 2),
        (Behaviour::body("text/html", "<html>"), 502, "upstream_bad_content_type", "web page", 2),
    ] {
        let rig = Rig::bare().await;
        rig.server.admin("PUT", "/settings/pool.max_attempts", &json!({"value": "2"})).await;
        for kind in ["anthropic", "openai", "gemini"] {
            rig.pool(kind, json!({}), &["up-a", "up-b", "up-c"]).await;
        }
        rig.upstream.script(Rule::always(behaviour));
        for face in FACES {
            for (_, ask) in face.both("m-1") {
                rig.recover().await;
                rig.upstream.clear_invoice();
                let id = ask.id.clone();
                let got = rig.ask(rig.keyed(ask)).await;
                assert_eq!(got.status, status, "{code}: {}", got.text());
                face.assert_error(&got.json(), status, code, &id);
                assert!(got.text().contains(phrase), "{code}: {}", got.text());
                assert_ne!(got.status, 401, "the caller's own key is never blamed");
                let mut seen = rig.seen();
                assert_eq!(seen.len(), calls, "{code}: {seen:?}");
                seen.sort_unstable();
                seen.dedup();
                assert_eq!(seen.len(), calls, "each at most once");
                assert_eq!(rig.row(&id).await["outcome"], "failed");
            }
        }
    }
}

#[tokio::test]
async fn tp_02_with_more_attempts_all_credentials_are_tried_in_order() {
    let rig = Rig::bare().await;
    rig.server.admin("PUT", "/settings/pool.max_attempts", &json!({"value": "5"})).await;
    rig.pool("openai", json!({}), &["up-a", "up-b", "up-c", "up-d"]).await;
    for credential in ["up-a", "up-b", "up-c"] {
        rig.on_credential(credential, Behaviour::status(429));
    }
    let ask = rig.keyed(CHAT.ask("m-1", true));
    let id = ask.id.clone();
    let got = rig.ask(ask).await;
    assert_eq!(got.status, 200, "{}", got.text());
    assert_eq!(rig.seen(), ["up-a", "up-b", "up-c", "up-d"]);
    let row = rig.row(&id).await;
    assert_eq!(outcomes(&row), ["upstream_error", "upstream_error", "upstream_error", "done"]);
    assert_eq!(row["attempts"][0]["status_code"], 429);
}

#[tokio::test]
async fn fault_u26_u27_retry_after_is_passed_on_within_bounds() {
    let rig = Rig::start().await;
    for (told, passed) in [
        (Some("7"), 7..=7),
        (Some("0"), 1..=1),
        (Some("86400"), 3_600..=3_600),
        (Some("1e12"), 1..=3_600),
        (Some("-3"), 1..=8),
        (Some("soon"), 1..=8),
        (Some("Wed, 21 Oct 2015 07:28:00 GMT"), 1..=8),
        (None, 1..=8),
    ] {
        let mut behaviour = Behaviour::status(429);
        if let Some(told) = told {
            behaviour = behaviour.header("retry-after", told);
        }
        rig.on_model("m-limited", behaviour);
        for face in FACES {
            for (_, ask) in face.both("m-limited") {
                rig.recover().await;
                let got = rig.ask(rig.keyed(ask)).await;
                let seconds: u64 = got.header("retry-after").parse().unwrap();
                assert!(got.status == 429 && passed.contains(&seconds), "{face:?} {told:?}: {seconds}");
            }
        }
    }
}

#[tokio::test]
async fn up_10_a_rejected_credential_is_marked_used_last_and_can_be_recovered() {
    let rig = with_first(Behaviour::status(401)).await;
    rig.server.admin("PUT", "/settings/affinity.enabled", &json!({"value": "false"})).await;
    assert_eq!(rig.ask(rig.keyed(CHAT.ask("m-1", false))).await.status, 200);
    let until = tokio::time::Instant::now() + crate::rig::SOON;
    let marked = loop {
        let credentials = rig.server.admin("GET", "/credentials", &Value::Null).await;
        let items = credentials["items"].as_array().unwrap().clone();
        if let Some(marked) = items.iter().find(|item| item["state"] == "invalid") {
            break marked.clone();
        }
        assert!(tokio::time::Instant::now() < until, "{credentials}");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    };
    assert!(marked["last_error"].as_str().unwrap().contains("Invalid API key"), "{marked}");
    // The row is marked a moment before the running configuration knows it.
    loop {
        rig.upstream.clear_invoice();
        assert_eq!(rig.ask(rig.keyed(CHAT.ask("m-1", false))).await.status, 200);
        if rig.seen() == ["up-b"] {
            break;
        }
        assert!(tokio::time::Instant::now() < until, "it is still asked first (TP-16)");
    }
    rig.upstream.forget();
    rig.upstream.clear_invoice();
    // What the last requests have taught may be stored only now.
    let path = format!("/credentials/{}/recover", marked["id"]);
    loop {
        let recovered = rig.server.admin("POST", &path, &Value::Null).await;
        if recovered["state"] == "valid" {
            break;
        }
        assert!(tokio::time::Instant::now() < until, "{recovered}");
    }
    assert_eq!(rig.ask(rig.keyed(CHAT.ask("m-1", false))).await.status, 200);
    assert_eq!(rig.seen(), ["up-a"]);
}
