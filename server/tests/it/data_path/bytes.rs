//! What is forwarded is forwarded byte for byte, both ways, but for the redirected model.

use bytes::Bytes;
use fakeup::{Behaviour, answer_body};
use serde_json::json;

use crate::rig::Rig;
use crate::rig::client::Ask;
use crate::rig::faces::{ANTHROPIC, FACES};

/// JSON that a parser and a writer would not give back as it was: blanks, escapes, numbers, unknown fields,
/// duplicate keys, lone surrogates, raw separators.
fn odd(model: &str) -> String {
    format!(
        "\r\n {{ \"max_tokens\" : 64 ,\t\"model\":\"{model}\",\"x\":1.10e+2,\"y\":[1.0,-0,123456789012345678901234567890],\
         \"a\":\"\\u0041\\/ \\ud83d\",\"b\":1,\"b\":2,\"messages\":[{{\"role\":\"user\",\"content\":\"h\u{2028}\u{e9}\\n\"}}],\
         \"contents\":[], \"input\":\"x\"}}\n\n"
    )
}

#[tokio::test]
async fn requests_reach_the_upstream_as_they_were_sent() {
    let rig = Rig::start().await;
    for face in FACES {
        let body = odd("m-1");
        let ask = Ask::post(&face.target("m-1", false), body.clone());
        let got = rig.ask(rig.keyed(ask)).await;
        assert_eq!(got.status, 200, "{face:?}: {}", got.text());
        assert_eq!(rig.upstream.invoice().last().unwrap().request.body, body, "{face:?}");
    }
}

#[tokio::test]
async fn a_redirected_model_is_the_only_change_to_a_request() {
    let rig = Rig::bare().await;
    for kind in ["anthropic", "openai", "gemini"] {
        rig.provider(kind, json!({"model_redirects": {"alias": "vendor/real-1"}})).await;
    }
    // The same words in another dialect would stick to who has answered them.
    rig.server.admin("PUT", "/settings/affinity.enabled", &json!({"value": "false"})).await;
    for face in FACES {
        let ask = Ask::post(&face.target("alias", false), odd("alias"));
        let id = ask.id.clone();
        assert_eq!(rig.ask(rig.keyed(ask)).await.status, 200, "{face:?}");
        let entries = rig.upstream.invoice();
        let request = &entries.last().unwrap().request;
        if face.name == "gemini" {
            assert_eq!(request.body, odd("alias"), "the model is in the path");
            assert_eq!(request.path(), "/v1beta/models/vendor%2Freal-1:generateContent");
        } else {
            assert_eq!(request.body, odd("vendor/real-1"), "{face:?}");
        }
        let row = rig.row(&id).await;
        assert_eq!((&row["model"], &row["upstream_model"]), (&json!("alias"), &json!("vendor/real-1")));
    }
}

#[tokio::test]
async fn a_redirected_model_in_a_form_is_the_only_change() {
    let rig = Rig::bare().await;
    rig.provider("openai", json!({"model_redirects": {"alias": "whisper-9"}})).await;
    let form = |model: &str| {
        format!(
            "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.mp3\"\r\n\r\n\u{0}\u{1}model\r\n--Cx\r\n\
             --B\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\n{model}\r\n--B--\r\n"
        )
    };
    for path in ["/v1/audio/transcriptions", "/v1/audio/translations"] {
        let ask = Ask::post(path, form("alias"))
            .without("content-type")
            .header("content-type", "multipart/form-data; boundary=B");
        let got = rig.ask(rig.keyed(ask)).await;
        assert_eq!(got.status, 200, "{}", got.text());
        let entries = rig.upstream.invoice();
        let request = &entries.last().unwrap().request;
        assert_eq!(request.body, form("whisper-9"));
        assert_eq!(request.header("content-type"), Some("multipart/form-data; boundary=B"));
    }
}

#[tokio::test]
async fn answers_reach_the_caller_as_they_were_sent_under_any_chunking() {
    let rig = Rig::start().await;
    let text = "Größe\u{2028}\u{1f600} \"quoted\" \\ ".repeat(40);
    for face in FACES {
        for (streaming, ask) in face.both("m-bytes") {
            let mut whole = Bytes::new();
            for piece_bytes in [None, Some(1), Some(7), Some(1_000)] {
                let behaviour = Behaviour { piece_bytes, deltas: Some(9), ..Behaviour::saying(text.clone()) };
                rig.on_model("m-bytes", behaviour.clone());
                let got = rig.ask(rig.keyed(ask.clone())).await;
                assert_eq!((got.status, got.whole), (200, true), "{face:?}: {}", got.text());
                let sent = answer_body(&rig.upstream.invoice().last().unwrap().request, &behaviour);
                assert_eq!(got.body, sent, "{face:?} streaming {streaming} in {piece_bytes:?}");
                assert!(whole.is_empty() || whole == got.body);
                whole = got.body;
            }
        }
    }
}

#[tokio::test]
async fn large_bodies_pass_both_ways() {
    let rig = Rig::start().await;
    let body = json!({"model": "m-big", "max_tokens": 5, "messages": [{"role": "user", "content": "x".repeat(900_000)}]});
    // Above the size that is read whole before the caller gets a byte.
    let behaviour = Behaviour::saying("y".repeat(9_500_000));
    rig.on_model("m-big", behaviour.clone());
    for streaming in [false, true] {
        let mut body = body.clone();
        body["stream"] = json!(streaming);
        let got = rig.ask(rig.keyed(Ask::post(&ANTHROPIC.target("", false), body.to_string()))).await;
        assert_eq!((got.status, got.whole), (200, true));
        let entries = rig.upstream.invoice();
        let request = &entries.last().unwrap().request;
        assert_eq!(request.body, body.to_string());
        assert_eq!(got.body, answer_body(request, &behaviour));
    }
}
