//! Faults of upstreams (`U` rows): what the caller sees, who is tried next, what is booked.

mod answers;
mod certificates;
mod coding;
mod failover;
mod flood;
mod http2;
mod names;
mod streams;

use fakeup::{Behaviour, Fakeup, Then, refused_url};
use serde_json::{Value, json};

use crate::rig::Rig;
use crate::rig::faces::{CHAT, FACES};

/// The outcome of each attempt of a row.
fn outcomes(row: &Value) -> Vec<&str> {
    row["attempts"].as_array().unwrap().iter().map(|attempt| attempt["outcome"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn fault_u01_a_refused_connection_is_said_and_the_next_one_tried() {
    let rig = Rig::bare().await;
    rig.server.admin("PUT", "/settings/affinity.enabled", &json!({"value": "false"})).await;
    for kind in ["anthropic", "openai", "gemini"] {
        rig.provider(
            kind,
            json!({"name": format!("dead {kind}"), "base_url": refused_url().unwrap(), "priority": 0}),
        )
        .await;
    }
    for face in FACES {
        let ask = rig.keyed(face.ask("m-1", true));
        let id = ask.id.clone();
        let got = rig.ask(ask).await;
        assert_eq!(got.status, 502);
        face.assert_error(&got.json(), 502, "upstream_connect_error", &id);
        assert_eq!(outcomes(&rig.row(&id).await), ["connect_failed"]);
    }
    for kind in ["anthropic", "openai", "gemini"] {
        rig.provider(kind, json!({"priority": 5})).await;
    }
    for face in FACES {
        // It would be asked last by now.
        rig.recover().await;
        let ask = rig.keyed(face.ask("m-1", true));
        let id = ask.id.clone();
        assert_eq!(rig.ask(ask).await.status, 200, "{face:?}");
        assert_eq!(outcomes(&rig.row(&id).await), ["connect_failed", "done"]);
    }
}

#[tokio::test]
async fn fault_u08_a_reset_before_the_request_was_read_sends_nothing_twice() {
    let rig = Rig::bare().await;
    rig.pool("openai", json!({}), &["up-a", "up-b"]).await;
    for round in 0..20 {
        rig.upstream.clear_invoice();
        rig.upstream.reset_next(1);
        let ask = rig.keyed(CHAT.ask("m-1", round % 2 == 0).header("connection", "close"));
        let id = ask.id.clone();
        let got = rig.ask(ask).await;
        // A reset that comes before the first byte left is overcome on a new connection; after it, nobody can
        // know what the upstream has read, and nothing is sent twice.
        if got.status == 200 {
            assert_eq!(rig.upstream.invoice().len(), 1);
        } else {
            assert_eq!(
                (got.status, got.code().as_str()),
                (502, "upstream_outcome_unknown"),
                "{}",
                got.text()
            );
            assert_eq!(outcomes(&rig.row(&id).await), ["no_answer"]);
            assert!(rig.upstream.invoice().is_empty());
        }
    }
    rig.upstream.reset_next(0);
    assert_eq!(rig.ask(rig.keyed(CHAT.ask("m-1", false))).await.status, 200, "the next request is served");
}

#[tokio::test]
async fn fault_u09_after_the_request_was_sent_nobody_else_is_tried() {
    for then in [Then::Close, Then::Reset] {
        let rig = Rig::bare().await;
        for kind in ["anthropic", "openai", "gemini"] {
            rig.pool(kind, json!({}), &["up-a", "up-b"]).await;
        }
        rig.on_credential("up-a", Behaviour::instead(then));
        for (number, face) in FACES.into_iter().enumerate() {
            let ask = rig.keyed(face.ask("m-1", true));
            let id = ask.id.clone();
            let got = rig.ask(ask).await;
            assert_eq!(got.status, 502, "{then:?}");
            face.assert_error(&got.json(), 502, "upstream_outcome_unknown", &id);
            assert_eq!(
                rig.seen(),
                vec!["up-a"; number + 1],
                "one call each, and never the second credential"
            );
            assert_eq!(outcomes(&rig.row(&id).await), ["no_answer"]);
        }
    }
}

#[tokio::test]
async fn fault_u10_a_late_first_byte_is_cut_with_its_phase_and_limit() {
    let rig = Rig::bare().await;
    for kind in ["anthropic", "openai", "gemini"] {
        let timeouts = json!({"first_byte_ms": 1_000, "total_ms": 1_000, "idle_ms": 1_000});
        rig.pool(kind, json!({"timeouts": timeouts}), &["up-a", "up-b"]).await;
    }
    rig.on_model("m-head", Behaviour::instead(Then::Stall));
    rig.on_model("m-body", Behaviour::cut(0, Then::Stall));
    let rig = &rig;
    let mut waiting = Vec::new();
    for face in FACES {
        for model in ["m-head", "m-body"] {
            for (streaming, ask) in face.both(model) {
                waiting.push(async move {
                    let (id, ask) = (ask.id.clone(), rig.keyed(ask));
                    let got = rig.ask(ask).await;
                    assert_eq!(got.status, 504, "{face:?} {model}: {}", got.text());
                    face.assert_error(&got.json(), 504, "upstream_timeout", &id);
                    let phase = if streaming { "first byte" } else { "total" };
                    assert!(got.text().contains(phase) && got.text().contains("1000 ms"), "{}", got.text());
                    // Once the head has come, it is known that nothing was made of the request.
                    let tries = if model == "m-head" { vec!["timed_out"] } else { vec!["timed_out"; 2] };
                    assert_eq!(outcomes(&rig.row(&id).await), tries);
                });
            }
        }
    }
    futures_util::future::join_all(waiting).await;
    let entries = rig.ended(24).await;
    let second = entries.iter().filter(|entry| entry.credential() == Some("up-b"));
    assert!(
        second.clone().count() == 8 && second.clone().all(|entry| entry.request.model() == Some("m-body"))
    );
    // The vendor was let go in every case.
    assert!(entries.iter().all(|entry| entry.end == fakeup::End::ClientGone));
}

#[tokio::test]
async fn fault_u37_redirects_are_refused_and_no_header_reaches_their_target() {
    let rig = Rig::start().await;
    let sentinel = Fakeup::start().await;
    for status in [301, 302, 303, 307, 308] {
        let target = format!("{}/v1/messages", sentinel.base_url());
        rig.on_model("m-moved", Behaviour::status(status).header("location", &target));
        for face in FACES {
            for (_, ask) in face.both("m-moved") {
                rig.recover().await;
                let id = ask.id.clone();
                let got = rig.ask(rig.keyed(ask)).await;
                assert_eq!(got.status, 502, "{}", got.text());
                face.assert_error(&got.json(), 502, "redirect_refused", &id);
                assert!(!got.headers.contains_key("location"));
            }
        }
    }
    // Model lists and tests of a provider follow none either.
    rig.upstream.script(fakeup::Rule {
        path: Some("/models".into()),
        ..fakeup::Rule::always(Behaviour::status(302).header("location", &sentinel.base_url()))
    });
    let got = rig.ask(rig.keyed(crate::rig::client::Ask::get("/v1/models"))).await;
    assert_eq!(got.status, 200);
    assert_eq!((sentinel.connections(), sentinel.invoice().len()), (0, 0));
}

#[tokio::test]
async fn fault_u47_a_pooled_connection_that_was_closed_meanwhile_is_replaced_silently() {
    let rig = Rig::start().await;
    rig.on_model("m-hang-up", Behaviour { hang_up: true, ..Behaviour::default() });
    for round in 0..200 {
        let face = FACES[round % 4];
        let got = rig.ask(rig.keyed(face.ask("m-hang-up", round % 8 < 4))).await;
        assert_eq!((got.status, got.whole), (200, true), "round {round}: {}", got.text());
    }
    assert_eq!(rig.upstream.invoice().len(), 200, "nothing was sent twice");
}
