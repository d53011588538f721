//! Compression that nobody asked for (UP-02): with and without its header, on answers, errors and streams.

use fakeup::{Behaviour, Coding, Cut, Then, answer_body};
use serde_json::json;

use crate::rig::Rig;
use crate::rig::faces::{CHAT, FACES};

const WITH_HEADER: [(Coding, Option<&str>); 6] = [
    (Coding::Gzip, None),
    (Coding::Gzip, Some("x-gzip")),
    (Coding::Zlib, None),
    (Coding::Deflate, None),
    (Coding::Br, None),
    (Coding::Zstd, None),
];
/// Known by their first bytes.
const WITHOUT_HEADER: [(Coding, Option<&str>); 2] = [(Coding::Gzip, Some("")), (Coding::Zstd, Some(""))];

#[tokio::test]
async fn up_02_compressed_answers_and_streams_arrive_plain() {
    let rig = Rig::start().await;
    let plain = Behaviour::saying("Größe ".repeat(300));
    for (coding, header) in WITH_HEADER.into_iter().chain(WITHOUT_HEADER) {
        for piece_bytes in [None, Some(1), Some(17)] {
            let behaviour = Behaviour { piece_bytes, ..plain.clone().coded(coding, header) };
            rig.on_model("m-coded", behaviour);
            for face in FACES {
                for (streaming, ask) in face.both("m-coded") {
                    let got = rig.ask(rig.keyed(ask)).await;
                    let what = format!("{coding:?} {header:?} {face:?} {streaming} {piece_bytes:?}");
                    assert_eq!((got.status, got.whole), (200, true), "{what}: {}", got.text());
                    let entries = rig.upstream.invoice();
                    assert_eq!(got.body, answer_body(&entries.last().unwrap().request, &plain), "{what}");
                    assert!(!got.headers.contains_key("content-encoding"), "{what}: {:?}", got.headers);
                    if let Some(length) = got.headers.get("content-length") {
                        assert_eq!(length, &got.body.len().to_string(), "{what}");
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn up_02_compressed_errors_arrive_plain() {
    let rig = Rig::start().await;
    for (coding, header) in WITH_HEADER.into_iter().chain(WITHOUT_HEADER) {
        rig.on_model("m-400", Behaviour::status(400).coded(coding, header));
        rig.on_model("m-429", Behaviour::status(429).coded(coding, header));
        for face in FACES {
            for (_, ask) in face.both("m-400") {
                let got = rig.ask(rig.keyed(ask)).await;
                assert_eq!(got.status, 400);
                let sent =
                    answer_body(&rig.upstream.invoice().last().unwrap().request, &Behaviour::status(400));
                assert_eq!(got.body, sent, "{coding:?} {header:?} {face:?}");
            }
            rig.recover().await;
            let got = rig.ask(rig.keyed(face.ask("m-429", true))).await;
            assert_eq!(got.status, 429);
            assert!(got.text().contains("the fake upstream was told"), "{}", got.text());
        }
    }
}

#[tokio::test]
async fn fault_u22_plain_bytes_under_a_coding_are_named_with_their_first_bytes() {
    let rig = Rig::start().await;
    for header in ["gzip", "zstd", "gzip, br", "compress"] {
        rig.on_model("m-lie", Behaviour::default().header("content-encoding", header));
        for face in FACES {
            for (_, ask) in face.both("m-lie") {
                let id = ask.id.clone();
                let got = rig.ask(rig.keyed(ask)).await;
                assert_eq!(got.status, 502, "{header} {face:?}: {}", got.text());
                face.assert_error(&got.json(), 502, "upstream_bad_body", &id);
                assert!(got.text().contains("could not be decoded"), "{}", got.text());
                if header == "gzip" {
                    // `{"`, `da` or `ev`: what a person needs to recognise the cause.
                    let shown = ["7b22", "6461", "6576"].iter().any(|hex| got.text().contains(hex));
                    assert!(shown && got.text().contains("content-type"), "{}", got.text());
                }
            }
        }
    }
}

#[tokio::test]
async fn up_02_a_truncated_coding_is_an_error_and_never_half_an_answer() {
    let rig = Rig::start().await;
    for (coding, header) in WITH_HEADER.into_iter().chain(WITHOUT_HEADER) {
        let cut = Some(Cut { at: None, then: Then::Finish });
        rig.on_model(
            "m-half",
            Behaviour { cut, ..Behaviour::saying("x y z ".repeat(500)).coded(coding, header) },
        );
        for face in FACES {
            for (streaming, ask) in face.both("m-half") {
                rig.recover().await;
                let id = ask.id.clone();
                let got = rig.ask(rig.keyed(ask)).await;
                let what = format!("{coding:?} {header:?} {face:?} {streaming}");
                if streaming && got.status == 200 {
                    assert!(got.text().contains(face.error_event), "{what}: {}", got.text());
                    assert!(!got.text().contains(face.end), "{what}: {}", got.text());
                } else {
                    assert_eq!(got.status, 502, "{what}: {}", got.text());
                    let code = got.code();
                    face.assert_error(&got.json(), 502, &code, &id);
                }
                assert_ne!(rig.row(&id).await["outcome"], "ok", "{what}");
            }
        }
    }
}

#[tokio::test]
async fn fault_u23_a_bomb_is_cut() {
    let rig = Rig::start().await;
    let bomb = Behaviour::body("application/json", format!("{{\"x\":\"{}\"}}", "0".repeat(12 << 20)));
    for header in [None, Some("")] {
        rig.on_model("m-bomb", bomb.clone().coded(Coding::Gzip, header));
        let ask = CHAT.ask("m-bomb", false);
        let id = ask.id.clone();
        let got = rig.ask(rig.keyed(ask)).await;
        assert_eq!(got.status, 502, "{}", got.text().chars().take(300).collect::<String>());
        assert!(got.text().contains("hundredfold"), "{}", got.text());
        let row = rig.row(&id).await;
        assert_eq!(row["outcome"], "failed", "{row}");
    }
    let stream = Behaviour { content_type: Some("text/event-stream".into()), ..bomb };
    rig.on_model("m-bomb", stream.coded(Coding::Gzip, None));
    let ask = CHAT.ask("m-bomb", true);
    let id = ask.id.clone();
    let got = rig.ask(rig.keyed(ask)).await;
    assert!(got.body.len() < 2 << 20, "{} bytes came through", got.body.len());
    assert!(!got.text().contains("[DONE]"));
    assert_eq!(rig.row(&id).await["outcome"], json!("broken"));
}
