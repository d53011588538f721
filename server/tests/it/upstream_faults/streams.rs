//! Streams that end too early, too late or badly: the caller can always tell.

use fakeup::{Behaviour, Blob, Framing, Then, answer_body};
use serde_json::json;

use super::outcomes;
use crate::rig::Rig;
use crate::rig::client::Got;
use crate::rig::faces::{ANTHROPIC, CHAT, FACES, Face, RESPONSES};

/// The stream ends in the dialect's error event, on a line of its own, and does not look finished.
fn assert_broken(face: Face, got: &Got, sent: &[u8], code: &str) {
    let text = got.text();
    assert!(got.body.starts_with(sent), "{face:?}: what had come is passed on: {text}");
    let added = text.get(sent.len()..).unwrap_or_default();
    let event = added;
    assert!(event.starts_with(face.error_event), "{face:?}: {added}");
    assert!(event.contains(code) && event.ends_with("\n\n"), "{face:?}: {event}");
    assert!(!event.contains(face.end), "no fabricated end: {event}");
    assert!(got.whole, "the framing itself is ended properly");
}

/// What of a cut stream may reach the caller: no SDK can parse half an event.
fn whole_events(sent: &[u8]) -> &[u8] {
    let last = |end: &[u8]| sent.windows(end.len()).rposition(|part| part == end).map(|at| at + end.len());
    &sent[..last(b"\n\n").max(last(b"\r\n\r\n")).unwrap_or(0)]
}

#[tokio::test]
async fn fault_u13_a_stream_without_a_byte_is_a_clean_error() {
    let rig = Rig::bare().await;
    for kind in ["anthropic", "openai", "gemini"] {
        rig.pool(kind, json!({}), &["up-a"]).await;
    }
    for then in [Then::Close, Then::Reset, Then::Finish] {
        rig.on_model("m-none", Behaviour::cut(0, then));
        for face in FACES {
            let ask = face.ask("m-none", true);
            let id = ask.id.clone();
            let got = rig.ask(rig.keyed(ask)).await;
            assert_eq!(got.status, 502, "{then:?} {face:?}: {}", got.text());
            let code = got.code();
            face.assert_error(&got.json(), 502, &code, &id);
        }
    }
}

#[tokio::test]
async fn fault_u15_a_stream_cut_at_any_byte_ends_in_an_error_event() {
    let rig = Rig::start().await;
    for face in FACES {
        let whole = rig.ask(rig.keyed(face.ask("m-cut-whole", true))).await.body;
        // Where the dialect's own end is complete, nothing is missing any more.
        let text = String::from_utf8_lossy(&whole).into_owned();
        let end = if face == CHAT { "\"finish_reason\":\"stop\"" } else { face.end };
        let last = text.rfind(end).unwrap();
        // Before the first content has come whole nothing has reached the caller, and he gets a plain error.
        let content = text.find("Hello").unwrap();
        let gap = if text.contains("\r\n\r\n") { "\r\n\r\n" } else { "\n\n" };
        let content = content + text[content..].find(gap).unwrap() + gap.len();
        let mut offsets: Vec<usize> = (4..last).step_by(41).collect();
        offsets.extend([5, 6, content - gap.len() - 1, content, last - 1]);
        // An event that lacks but its blank line counts as whole at an orderly end, and as cut at another.
        offsets.retain(|at| !(content - gap.len()..content).contains(at));
        let rig = &rig;
        for then in [Then::Close, Then::Finish] {
            // As long as the other name, so that the offsets are the same.
            let model = format!("m-cut-{:.<5}", format!("{then:?}").get(..5).unwrap());
            for at in &offsets {
                rig.recover().await;
                rig.upstream.script(fakeup::Rule::model(&model, Behaviour::cut(*at, then)).times(1));
                let ask = face.ask(&model, true);
                let id = ask.id.clone();
                let got = rig.ask(rig.keyed(ask)).await;
                if *at < content {
                    assert_eq!(got.status, 502, "{face:?} at {at}: {}", got.text());
                    let code = got.code();
                    assert!(code == "upstream_unavailable" || code == "upstream_bad_answer", "{code}");
                    face.assert_error(&got.json(), 502, &code, &id);
                    continue;
                }
                assert_eq!(got.status, 200, "{face:?} at {at}: {}", got.text());
                let entries = rig.upstream.invoice();
                let sent = answer_body(&entries.last().unwrap().request, &Behaviour::default());
                assert_broken(face, &got, whole_events(&sent[..*at]), "upstream_cut_off");
                if at % 5 == 0 {
                    let row = rig.row(&id).await;
                    assert_eq!(
                        (&row["outcome"], &row["error_code"]),
                        (&json!("broken"), &json!("upstream_cut_off")),
                        "{row}"
                    );
                    assert_eq!(outcomes(&row), ["cut_off"]);
                }
            }
        }
    }
}

#[tokio::test]
async fn a_reset_mid_stream_ends_in_an_error_event_too() {
    let rig = Rig::start().await;
    for face in FACES {
        // Held first, so that the part before the reset is surely on its way.
        let behaviour = Behaviour::cut(face.beyond_content(), Then::Reset);
        rig.on_model("m-rst", Behaviour { pace_ms: 30, ..behaviour });
        let ask = face.ask("m-rst", true);
        let id = ask.id.clone();
        let got = rig.ask(rig.keyed(ask)).await;
        assert!(got.text().contains(face.error_event), "{face:?}: {}", got.text());
        assert!(!got.text().contains(face.end), "{}", got.text());
        assert_eq!(rig.row(&id).await["outcome"], "broken");
    }
}

#[tokio::test]
async fn fault_u16_an_end_without_done_is_complete_if_its_reason_was_seen() {
    let rig = Rig::start().await;
    let whole = rig.ask(rig.keyed(CHAT.ask("m-1", true))).await.text();
    let without = whole.replace("data: [DONE]\n\n", "");
    rig.on_model(
        "m-no-done",
        Behaviour { framing: Framing::Chunked, ..Behaviour::body("text/event-stream", without.clone()) },
    );
    let ask = CHAT.ask("m-no-done", true);
    let id = ask.id.clone();
    let got = rig.ask(rig.keyed(ask)).await;
    assert_eq!(got.text(), without, "nothing is added and nothing is an error");
    assert_eq!(rig.row(&id).await["outcome"], "ok");
}

#[tokio::test]
async fn fault_u17_a_stall_mid_stream_ends_after_the_idle_time() {
    let rig = Rig::bare().await;
    for kind in ["anthropic", "openai", "gemini"] {
        rig.provider(kind, json!({"timeouts": {"idle_ms": 1_000}})).await;
    }
    let rig = &rig;
    let waiting = FACES.map(|face| async move {
        let model = format!("m-{}", &face.name[face.name.len() - 5..]);
        rig.on_model(&model, Behaviour::cut(face.beyond_content(), Then::Stall));
        let ask = face.ask(&model, true);
        let id = ask.id.clone();
        let began = std::time::Instant::now();
        let got = rig.ask(rig.keyed(ask)).await;
        assert!(began.elapsed().as_millis() >= 1_000, "not before its time");
        assert!(
            got.text().contains(face.error_event) && got.text().contains("upstream_timeout"),
            "{}",
            got.text()
        );
        assert!(got.text().contains("stream idle") && !got.text().contains(face.end), "{}", got.text());
        let row = rig.row(&id).await;
        assert_eq!((&row["outcome"], outcomes(&row)), (&json!("broken"), vec!["timed_out"]), "{row}");
    });
    futures_util::future::join_all(waiting).await;
    assert!(
        rig.ended(4).await.iter().all(|entry| entry.end == fakeup::End::ClientGone),
        "the vendor was let go"
    );
}

#[tokio::test]
async fn up_01_a_long_stream_that_lives_is_not_cut() {
    let rig = Rig::bare().await;
    let timeouts = json!({"first_byte_ms": 3_000, "idle_ms": 3_000, "total_ms": 3_000});
    rig.provider("anthropic", json!({"timeouts": timeouts})).await;
    rig.on_model("m-long", Behaviour { deltas: Some(36), pace_ms: 100, ..Behaviour::default() });
    let began = std::time::Instant::now();
    let got = rig.ask(rig.keyed(ANTHROPIC.ask("m-long", true))).await;
    assert!(began.elapsed().as_millis() > 3_200, "longer than every limit");
    assert!(got.whole && got.text().contains("message_stop"), "{}", got.text());
}

#[tokio::test]
async fn fault_u39_an_error_event_of_the_upstreams_passes_and_nothing_is_added() {
    let rig = Rig::start().await;
    let behaviour = Behaviour { error_after: Some(2), ..Behaviour::default() };
    rig.on_model("m-late-error", behaviour.clone());
    for face in FACES {
        let ask = face.ask("m-late-error", true);
        let id = ask.id.clone();
        let got = rig.ask(rig.keyed(ask)).await;
        assert_eq!(
            got.body,
            answer_body(&rig.upstream.invoice().last().unwrap().request, &behaviour),
            "{face:?}"
        );
        let row = rig.row(&id).await;
        assert_eq!(
            (&row["outcome"], &row["error_code"]),
            (&json!("broken"), &json!("upstream_stream_error")),
            "{row}"
        );
        assert!(row["error_message"].as_str().unwrap().to_lowercase().contains("overloaded"), "{row}");
    }
}

#[tokio::test]
async fn fault_u53_data_after_the_end_is_no_error() {
    let rig = Rig::start().await;
    let behaviour =
        Behaviour { afterwards: Some(Blob::from(": bye\n\ndata: {\"x\":1}\n\n")), ..Behaviour::default() };
    rig.on_model("m-after", behaviour);
    for face in [CHAT, RESPONSES, ANTHROPIC] {
        let ask = face.ask("m-after", true);
        let id = ask.id.clone();
        let got = rig.ask(rig.keyed(ask)).await;
        assert!(
            got.whole && got.text().contains(face.end) && !got.text().contains(face.error_event),
            "{}",
            got.text()
        );
        let row = rig.row(&id).await;
        assert_eq!((&row["outcome"], &row["estimated"]), (&json!("ok"), &json!(false)), "{row}");
    }
}

#[tokio::test]
async fn fault_u18_a_stream_that_only_pings_is_ended_after_ten_silences() {
    const PING: &str = "event: ping\ndata: {\"type\": \"ping\"}\n\n";
    let rig = Rig::bare().await;
    rig.provider("anthropic", json!({"timeouts": {"idle_ms": 1_000}})).await;
    let begun = concat!(
        "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":25}}}\n\n",
        "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,",
        "\"delta\":{\"type\":\"text_delta\",\"text\":\"Hello\"}}\n\n",
    );
    let body = format!("{begun}{}", PING.repeat(60));
    let pings = Behaviour {
        piece_bytes: Some(PING.len()),
        pace_ms: 300,
        ..Behaviour::body("text/event-stream", body)
    };
    rig.on_model("m-pings", pings);
    let ask = ANTHROPIC.ask("m-pings", true);
    let id = ask.id.clone();
    let got = rig.ask(rig.keyed(ask)).await;
    assert!(got.text().contains("Hello") && got.text().contains(PING), "{}", got.text());
    assert!(got.text().contains("stream without progress, limit 10000 ms"), "{}", got.text());
    let row = rig.row(&id).await;
    assert_eq!(
        (&row["outcome"], &row["error_code"]),
        (&json!("broken"), &json!("upstream_timeout")),
        "{row}"
    );
}

#[tokio::test]
async fn fault_u20_a_line_without_end_costs_no_memory_and_is_told() {
    let rig = Rig::start().await;
    let line = format!("data: {{{}", "x".repeat(64 << 10));
    let line = Behaviour { repeat: 400, ..Behaviour::body("text/event-stream", line) };
    rig.on_model("m-line", line);
    let before = resident();
    let ask = ANTHROPIC.ask("m-line", true);
    let id = ask.id.clone();
    let mut open = rig.open(rig.keyed(ask)).await;
    let mut tail = Vec::new();
    while let Some(Ok(piece)) = open.piece().await {
        tail.extend_from_slice(&piece);
        let keep = tail.len().saturating_sub(2_000);
        tail.drain(..keep);
    }
    assert!(String::from_utf8_lossy(&tail).contains("event: error"), "{}", String::from_utf8_lossy(&tail));
    assert_eq!(rig.row(&id).await["outcome"], "broken");
    let grown = resident().saturating_sub(before);
    assert!(grown < 24 << 20, "grew by {grown} bytes");
}

/// Resident memory of this process in bytes; 0 where the kernel does not say.
pub(super) fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    text.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).unwrap_or(0) * 4096
}
