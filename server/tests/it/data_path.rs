//! The way of a request from a newcomer's key to an upstream and back, for every dialect and every path.

mod bytes;
mod headers;
mod keys;
mod surface;

use fakeup::{Behaviour, End};
use serde_json::json;

use crate::rig::Rig;
use crate::rig::faces::FACES;

#[tokio::test]
async fn a_newcomer_is_served_in_every_dialect_whole_and_streaming() {
    let rig = Rig::start().await;
    for face in FACES {
        for (streaming, ask) in face.both("m-1") {
            let id = ask.id.clone();
            let got = rig.ask(rig.keyed(ask)).await;
            assert_eq!((got.status, got.whole), (200, true), "{face:?}: {}", got.text());
            assert!(got.text().contains("fake upstream") || streaming, "{}", got.text());
            assert!(got.text().contains(face.end) || !streaming, "{face:?}: {}", got.text());
            let kind = if streaming { "text/event-stream" } else { "application/json" };
            assert!(got.header("content-type").starts_with(kind), "{face:?}: {:?}", got.headers);
            let row = rig.row(&id).await;
            assert_eq!(row["outcome"], "ok", "{row}");
            assert_eq!(row["dialect"], face.name);
            assert_eq!(row["upstream_dialect"], face.name);
            assert_eq!(row["model"], "m-1");
            assert_eq!(row["streaming"], streaming, "{row}");
            assert_eq!(row["status_code"], 200);
            assert_eq!(row["key_id"], rig.key_id);
            assert_eq!(row["user_id"], rig.user_id);
            assert_eq!(row["response_bytes"].as_u64().unwrap(), u64::try_from(got.body.len()).unwrap());
            assert_eq!(row["attempts"].as_array().unwrap().len(), 1, "{row}");
            assert_eq!(row["attempts"][0]["outcome"], "done", "{row}");
        }
    }
    assert_eq!(rig.rows(8).await.len(), 8);
    assert!(rig.ended(8).await.iter().all(|entry| entry.end == End::Finished));
}

#[tokio::test]
async fn a_stream_arrives_as_it_is_sent() {
    let rig = Rig::start().await;
    // The vendor holds its answer after the first content: what is before it must come through.
    for face in FACES {
        rig.on_model("m-hold", Behaviour::cut(face.beyond_content(), fakeup::Then::Hold));
        let mut open = rig.open(rig.keyed(face.ask("m-hold", true))).await;
        let first = open.until("data: ").await;
        assert!(!first.contains(face.end), "{face:?}: {first}");
        rig.upstream.release();
        let got = open.rest().await;
        assert!(got.whole && got.text().contains(face.end), "{face:?}: {}", got.text());
    }
}

#[tokio::test]
async fn lg_04_the_callers_request_id_comes_back_and_stands_in_row_and_error() {
    let rig = Rig::start().await;
    for face in FACES {
        for (model, status) in [("m-1", 200), ("fake-500", 502)] {
            let ask = rig.keyed(face.ask(model, false));
            let id = ask.id.clone();
            let got = rig.ask(ask).await;
            assert_eq!((got.status, got.header("x-request-id")), (status, id.as_str()), "{}", got.text());
            if status != 200 {
                face.assert_error(&got.json(), status, "upstream_unavailable", &id);
            }
            assert_eq!(rig.row(&id).await["client_request_id"], id);
        }
        // Without one of his own, the caller gets ours.
        let got = rig.ask(rig.keyed(face.ask("m-1", false).without("x-request-id"))).await;
        let row = rig.row(got.header("x-request-id")).await;
        assert_eq!(row["request_id"], got.header("x-request-id"));
        assert!(row["client_request_id"].is_null(), "{row}");
        // A bad one is not echoed.
        let got = rig
            .ask(rig.keyed(face.ask("m-1", false).without("x-request-id").header("x-request-id", "a b")))
            .await;
        assert_ne!(got.header("x-request-id"), "a b");
    }
}

#[tokio::test]
async fn ac_02_changes_apply_to_the_next_request() {
    let rig = Rig::bare().await;
    let face = crate::rig::faces::CHAT;
    let ask = || rig.ask(rig.keyed(face.ask("m-1", false)));
    let got = ask().await;
    assert_eq!((got.status, got.code().as_str()), (503, "no_available_account"));
    assert!(got.text().contains("No available provider found"), "{}", got.text());
    let provider = rig.provider("openai", json!({})).await;
    assert_eq!(ask().await.status, 200);
    let at = format!("/providers/{provider}");
    rig.change(&at, json!({"enabled": false})).await;
    assert_eq!(ask().await.status, 503);
    rig.change(&at, json!({"enabled": true, "models": ["other-*"]})).await;
    assert_eq!(ask().await.status, 503);
    rig.change(&at, json!({"models": [], "model_redirects": {"m-1": "m-2"}})).await;
    assert_eq!(ask().await.status, 200);
    assert_eq!(rig.upstream.invoice().last().unwrap().request.model(), Some("m-2"));
    rig.change(&at, json!({"model_redirects": {}, "groups": ["team-b"]})).await;
    rig.change(&format!("/users/{}", rig.user_id), json!({"groups": ["team-a"]})).await;
    assert_eq!(ask().await.status, 503);
    rig.change(&format!("/users/{}", rig.user_id), json!({"groups": ["team-b"]})).await;
    assert_eq!(ask().await.status, 200);
    let other = fakeup::Fakeup::start().await;
    rig.change(&at, json!({"base_url": other.base_url()})).await;
    assert_eq!(ask().await.status, 200);
    assert_eq!(other.invoice().len(), 1);
    let credentials =
        rig.server.admin("GET", &format!("/credentials?provider_id={provider}"), &json!(null)).await;
    let credential = format!("/credentials/{}", credentials["items"][0]["id"]);
    rig.change(&credential, json!({"api_key": "up-new"})).await;
    assert_eq!(ask().await.status, 200);
    assert_eq!(other.invoice().last().unwrap().credential(), Some("up-new"));
    rig.change(&credential, json!({"enabled": false})).await;
    assert_eq!(ask().await.status, 503);
}
