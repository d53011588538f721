//! Answers that are not what they seem: pages, errors under 200, wrong lengths, other protocols.

use fakeup::{Behaviour, Blob, Framing};
use serde_json::json;

use super::outcomes;
use crate::rig::Rig;
use crate::rig::faces::{ANTHROPIC, CHAT, FACES};

#[tokio::test]
async fn fault_u11_an_error_under_200_gets_the_status_it_means() {
    let rig = Rig::start().await;
    rig.on_model("m-lie", Behaviour { error_in_success: true, ..Behaviour::default() });
    for face in FACES {
        rig.recover().await;
        let ask = face.ask("m-lie", false);
        let id = ask.id.clone();
        let got = rig.ask(rig.keyed(ask)).await;
        assert!(got.status >= 500, "{face:?}: {} {}", got.status, got.text());
        face.assert_error(&got.json(), got.status, "upstream_unavailable", &id);
    }
    // The same in answer to a stream: JSON where events were asked for.
    for face in FACES {
        rig.recover().await;
        let ask = face.ask("m-lie", true);
        let id = ask.id.clone();
        let got = rig.ask(rig.keyed(ask)).await;
        assert!(got.status >= 500, "{face:?}: {} {}", got.status, got.text());
        face.assert_error(&got.json(), got.status, "upstream_unavailable", &id);
    }
}

#[tokio::test]
async fn fault_u12_a_web_page_is_never_relayed() {
    let rig = Rig::start().await;
    for status in [200, 400, 404, 500, 503] {
        let page = Behaviour::body("text/html; charset=utf-8", "<!doctype html><script>alert(1)</script>");
        rig.on_model("m-page", Behaviour { status: Some(status), ..page });
        for face in FACES {
            for (_, ask) in face.both("m-page") {
                rig.recover().await;
                let id = ask.id.clone();
                let got = rig.ask(rig.keyed(ask)).await;
                assert!(got.status >= 400, "{status}: {}", got.text());
                assert!(got.header("content-type").starts_with("application/json"), "{:?}", got.headers);
                assert!(!got.text().contains("<script>"), "{}", got.text());
                let code = got.code();
                face.assert_error(&got.json(), got.status, &code, &id);
                if status == 200 {
                    assert_eq!((got.status, code.as_str()), (502, "upstream_bad_content_type"));
                }
            }
        }
    }
}

#[tokio::test]
async fn fault_u24_u25_broken_framing_is_an_error_and_its_connection_is_not_used_again() {
    let rig = Rig::start().await;
    let raw = |head: &str, body: &str| {
        Behaviour::raw(format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n{head}\r\n\r\n{body}"))
    };
    for (fault, behaviour) in [
        ("longer than said", Behaviour { framing: Framing::LengthOff(20), ..Behaviour::default() }),
        (
            "a bad chunk",
            Behaviour { framing: Framing::BadChunk, piece_bytes: Some(40), ..Behaviour::default() },
        ),
        ("two lengths", raw("content-length: 5\r\ncontent-length: 6", "{}    ")),
        ("a bad length", raw("content-length: +2", "{}")),
        ("not HTTP", Behaviour::raw("SSH-2.0-OpenSSH_9.9\r\n")),
        ("a line end in a value", raw("x-a: b\rc\r\ncontent-length: 2", "{}")),
        ("a head without end", Behaviour::raw("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n")),
        ("a head of 1 MiB", raw(&format!("x-large: {}\r\ncontent-length: 2", "h".repeat(1 << 20)), "{}")),
        ("200 header lines", raw(&format!("{}content-length: 2", "x-a: b\r\n".repeat(200)), "{}")),
        (
            "101",
            Behaviour::raw("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n"),
        ),
    ] {
        rig.on_model("m-frame", behaviour);
        for face in FACES {
            rig.recover().await;
            let ask = face.ask("m-frame", false);
            let id = ask.id.clone();
            let got = rig.ask(rig.keyed(ask)).await;
            assert_eq!(got.status, 502, "{fault} {face:?}: {}", got.text());
            let code = got.code();
            face.assert_error(&got.json(), 502, &code, &id);
            let row = rig.row(&id).await;
            assert_eq!(row["outcome"], "failed", "{fault}: {row}");
        }
        let got = rig.ask(rig.keyed(CHAT.ask("m-1", false))).await;
        assert_eq!(got.status, 200, "after {fault}: {}", got.text());
    }
    // Too short a length hides the rest, which must not become the next answer.
    rig.on_model("m-short", Behaviour { framing: Framing::LengthOff(-3), ..Behaviour::default() });
    rig.ask(rig.keyed(CHAT.ask("m-short", false))).await;
    for _ in 0..3 {
        assert_eq!(rig.ask(rig.keyed(CHAT.ask("m-1", false))).await.json()["model"], "m-1");
    }
}

#[tokio::test]
async fn fault_u38_interim_answers_are_skipped() {
    let rig = Rig::start().await;
    let body = r#"{"id":"x","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"a"}}],"usage":{"prompt_tokens":3,"completion_tokens":4}}"#;
    let interim = "HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n".repeat(4);
    let raw = format!(
        "{interim}HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    rig.on_model("m-hints", Behaviour::raw(raw));
    let ask = CHAT.ask("m-hints", false);
    let id = ask.id.clone();
    let got = rig.ask(rig.keyed(ask)).await;
    assert_eq!((got.status, got.text().as_str()), (200, body));
    assert_eq!(rig.row(&id).await["input_tokens"], 3);
}

#[tokio::test]
async fn an_empty_answer_is_no_answer() {
    let rig = Rig::start().await;
    rig.on_model(
        "m-empty",
        Behaviour { framing: Framing::Chunked, body: Some(Blob::default()), ..Behaviour::default() },
    );
    for face in FACES {
        for (_, ask) in face.both("m-empty") {
            rig.recover().await;
            let id = ask.id.clone();
            let got = rig.ask(rig.keyed(ask)).await;
            assert_eq!(got.status, 502, "{face:?}: {}", got.text());
            face.assert_error(&got.json(), 502, "upstream_unavailable", &id);
            assert_eq!(outcomes(&rig.row(&id).await), ["cut_off"]);
        }
    }
}

#[tokio::test]
async fn fault_u19_u51_odd_events_pass_through_untouched() {
    let rig = Rig::start().await;
    for events in [
        "data: {not json\n\n",
        ": a comment\n\nevent: unheard_of\ndata: {\"type\":\"unheard_of\",\"x\":[1]}\n\n",
        "\u{feff}data: {\"lone\":\"\\ud83d\"}\r\n\r\n",
        "id: 7\nretry: 10\ndata: a\ndata: b\n\n",
    ] {
        let good = "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{},\"usage\":{\"output_tokens\":2}}\n\n\
                    event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
        // Behind the first content: in front of it, what cannot be read is another account's chance.
        let first = "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"a\"}}\n\n";
        let body = format!("{first}{events}{good}");
        for piece_bytes in [1, 3, 4_096] {
            let behaviour = Behaviour::body("text/event-stream", body.clone());
            rig.on_model(
                "m-odd",
                Behaviour { piece_bytes: Some(piece_bytes), framing: Framing::Chunked, ..behaviour },
            );
            let ask = ANTHROPIC.ask("m-odd", true);
            let id = ask.id.clone();
            let got = rig.ask(rig.keyed(ask)).await;
            assert_eq!((got.status, got.text()), (200, body.clone()), "in {piece_bytes}");
            let row = rig.row(&id).await;
            assert_eq!((&row["outcome"], &row["output_tokens"]), (&json!("ok"), &json!(2)), "{row}");
        }
    }
}
