//! Slots are given back on every way out (CA-03), and a full credential is passed over.

use fakeup::{Behaviour, End, Then};
use serde_json::{Value, json};

use crate::rig::Rig;
use crate::rig::faces::{ANTHROPIC, CHAT, FACES};

/// Requests that the credential counts as running now.
async fn in_flight(rig: &Rig) -> u64 {
    let credentials = rig.server.admin("GET", "/credentials", &Value::Null).await;
    let items = credentials["items"].as_array().unwrap();
    items.iter().map(|item| item["in_flight"].as_u64().unwrap_or_else(|| panic!("{item}"))).sum()
}

#[tokio::test]
async fn a_full_credential_is_passed_over_and_a_full_pool_says_when_to_come_back() {
    let rig = Rig::bare().await;
    let provider = rig.provider("openai", json!({"api_key": null})).await;
    rig.credential(provider, "up-a", json!({"priority": 0, "max_concurrency": 1})).await;
    rig.credential(provider, "up-b", json!({"priority": 1, "max_concurrency": 1})).await;
    rig.server.admin("PUT", "/settings/routing.queue_ms", &json!({"value": "0"})).await;
    rig.on_model("m-hold", Behaviour::cut(CHAT.beyond_content(), Then::Hold));
    let first = rig.open(rig.keyed(CHAT.ask("m-hold", true))).await;
    let second = rig.open(rig.keyed(CHAT.ask("m-hold", true))).await;
    assert_eq!(rig.seen(), ["up-a", "up-b"]);
    let got = rig.ask(rig.keyed(CHAT.ask("m-1", false))).await;
    assert_eq!(
        (got.status, got.code().as_str(), got.header("retry-after")),
        (503, "no_available_account", "1")
    );
    assert!(got.text().contains("concurrency 2"), "{}", got.text());
    rig.upstream.release();
    assert!(first.rest().await.whole);
    assert!(second.rest().await.whole);
    assert_eq!(rig.ask(rig.keyed(CHAT.ask("m-1", false))).await.status, 200);
}

#[tokio::test]
async fn ca_03_two_hundred_aborted_streams_leave_no_slot_taken() {
    let rig = Rig::bare().await;
    let provider = rig.provider("anthropic", json!({"api_key": null})).await;
    rig.credential(provider, "up-a", json!({"max_concurrency": 100})).await;
    rig.server.admin("PUT", "/settings/routing.queue_ms", &json!({"value": "0"})).await;
    // Beyond the first content, so that there is something to pass on.
    rig.on_model("m-stall", Behaviour::cut(ANTHROPIC.beyond_content(), Then::Stall));
    for _ in 0..2 {
        let rig = &rig;
        let opening =
            (0..100).map(|_| async move { rig.open(rig.keyed(ANTHROPIC.ask("m-stall", true))).await });
        let mut open = futures_util::future::join_all(opening).await;
        for stream in &mut open {
            assert_eq!(stream.status, 200);
            assert!(stream.piece().await.unwrap().is_ok());
        }
        assert_eq!(in_flight(rig).await, 100);
        let got = rig.ask(rig.keyed(ANTHROPIC.ask("m-1", false))).await;
        assert_eq!((got.status, got.code().as_str()), (503, "no_available_account"), "{}", got.text());
        drop(open);
        let left = |entries: &[fakeup::Entry]| entries.iter().all(|entry| entry.end != End::Running);
        assert!(left(&rig.upstream.until(crate::rig::SOON, left).await));
        let until = tokio::time::Instant::now() + crate::rig::SOON;
        while in_flight(rig).await > 0 {
            assert!(tokio::time::Instant::now() < until, "{} slots are still taken", in_flight(rig).await);
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }
    assert_eq!(rig.ask(rig.keyed(ANTHROPIC.ask("m-1", false))).await.status, 200);
    let metrics = rig.server.raw("GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    for line in
        metrics.body().lines().filter(|line| line.contains("in_flight") || line.contains("open_streams"))
    {
        assert!(line.starts_with('#') || line.ends_with(" 0"), "{line}");
    }
    let until = tokio::time::Instant::now() + crate::rig::SOON;
    loop {
        let usage = rig.server.admin("GET", "/usage?by=key", &Value::Null).await;
        if usage["items"][0]["requests"].as_u64().is_some_and(|count| count >= 201) {
            break;
        }
        assert!(tokio::time::Instant::now() < until, "{usage}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn every_kind_of_end_gives_its_slot_back() {
    let rig = Rig::bare().await;
    for kind in ["anthropic", "openai", "gemini"] {
        let provider = rig.provider(kind, json!({"api_key": null})).await;
        rig.credential(provider, &format!("up-{kind}"), json!({"max_concurrency": 1})).await;
    }
    for face in FACES {
        for model in [
            "m-1",
            "fake-429",
            "fake-500",
            "fake-400",
            "fake-401",
            "fake-html",
            "fake-empty",
            "fake-no-answer",
            "fake-reset",
            "fake-cut",
            "fake-eof",
            "fake-gzip-cut",
            "fake-error-event",
            "fake-error-200",
            "fake-redirect",
        ] {
            for (_, ask) in face.both(model) {
                rig.recover().await;
                let got = rig.ask(rig.keyed(ask)).await;
                assert_ne!(got.status, 0);
                if got.status == 503 {
                    assert_ne!(got.code(), "no_available_account", "{face:?} after {model}");
                }
            }
        }
    }
    assert_eq!(in_flight(&rig).await, 0);
}
