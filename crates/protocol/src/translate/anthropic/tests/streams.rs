//! Streams that are not as they should be, and the order in which a caller's stream is told.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::{Reader, Writer};
use super::{back, read_stream};
use crate::Dialect;
use crate::neutral::{Answer, Delta, Event, Opening, Part, Sequence, Stop};
use crate::sse;
use crate::translate::text;

/// Reads events one by one.
fn read(events: &[Value]) -> Vec<Event> {
    let (mut reader, mut out) = (Reader::new(), Vec::new());
    for event in events {
        reader.event(&text::json(event), &mut out).unwrap();
    }
    out
}

fn parts(events: Vec<Event>) -> Vec<Part> {
    Answer::from_events(events).choices.into_iter().flat_map(|choice| choice.parts).collect()
}

#[expect(clippy::needless_pass_by_value, reason = "reads better where it is called")]
fn begin(index: u64, block: Value) -> Value {
    json!({ "type": "content_block_start", "index": index, "content_block": block })
}

#[expect(clippy::needless_pass_by_value, reason = "reads better where it is called")]
fn more(index: u64, delta: Value) -> Value {
    json!({ "type": "content_block_delta", "index": index, "delta": delta })
}

/// What holds for the events of any stream.
fn check_events(events: &[Event]) {
    let (mut opened, mut open, mut stopped) = (Vec::new(), Vec::new(), false);
    for (place, event) in events.iter().enumerate() {
        match event {
            Event::Start { .. } => {
                let before = events.iter().take(place);
                assert!(before.clone().all(|event| matches!(event, Event::Ping)), "{events:?}");
            }
            Event::Open { choice: 0, index, .. } => {
                assert!(!opened.contains(index) && !stopped, "{events:?}");
                opened.push(*index);
                open.push(*index);
            }
            Event::Delta { choice: 0, index, .. } => assert!(open.contains(index), "{events:?}"),
            Event::Close { choice: 0, index } => {
                assert!(open.contains(index), "{events:?}");
                open.retain(|other| other != index);
            }
            Event::Stop { choice: 0, .. } => {
                assert!(!stopped && open.is_empty(), "{events:?}");
                stopped = true;
            }
            Event::End => assert!(stopped && place + 1 == events.len(), "{events:?}"),
            Event::Error(_) => assert_eq!(place + 1, events.len(), "{events:?}"),
            Event::Usage(_) | Event::ServiceTier(_) | Event::Ping => {}
            other => panic!("{other:?}"),
        }
    }
}

/// What holds for the bytes of any stream that a caller gets.
fn check_bytes(bytes: &[u8]) {
    let mut decoder = sse::Decoder::new();
    let (mut next, mut open, mut kinds) = (0, false, Vec::new());
    decoder.feed(bytes, |event| {
        let (name, data) = event.unwrap();
        let value = text::parse(data).unwrap();
        let kind = value["type"].as_str().unwrap().to_owned();
        assert_eq!(name, kind.as_bytes());
        match kind.as_str() {
            "content_block_start" => {
                assert!(!open);
                open = true;
                assert_eq!(value["index"], next);
            }
            "content_block_delta" => assert!(open && value["index"] == next),
            "content_block_stop" => {
                assert!(open && value["index"] == next);
                open = false;
                next += 1;
            }
            _ => {}
        }
        kinds.push(kind);
    });
    assert!(!decoder.mid_event());
    let count = |kind: &str| kinds.iter().filter(|other| *other == kind).count();
    if let Some(first) = kinds.first() {
        assert_eq!((first.as_str(), count("message_start")), ("message_start", 1));
    }
    assert_eq!(count("message_delta"), count("message_stop"));
    if count("message_stop") > 0 {
        let (_, last) = kinds.split_at(kinds.len() - 2);
        assert_eq!((last, open), (["message_delta".to_owned(), "message_stop".to_owned()].as_slice(), false));
    }
}

fn nonsense() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(vec![
        "text",
        "thinking",
        "redacted_thinking",
        "tool_use",
        "server_tool_use",
        "compaction",
        "",
        "x",
    ]);
    let block = (word, prop::option::of(".{0,9}"), any::<bool>()).prop_map(|(kind, text, id)| {
        let id = if id { json!("id") } else { Value::Null };
        json!({
            "type": kind, "text": text, "thinking": text, "data": text, "signature": text, "id": id, "name": "f",
            "input": { "a": text }, "citations": [text],
        })
    });
    let delta = prop::sample::select(vec![
        "text_delta",
        "thinking_delta",
        "signature_delta",
        "input_json_delta",
        "citations_delta",
        "compaction_delta",
        "y",
    ]);
    let delta = (delta, prop::option::of(".{0,9}")).prop_map(|(kind, text)| {
        json!({
            "type": kind, "text": text, "thinking": text, "signature": text, "partial_json": text,
            "citation": { "url": text }, "content": text,
        })
    });
    let odd = prop_oneof![Just(Value::Null), Just(json!([])), Just(json!("text")), Just(json!(-1))];
    let usage = json!({ "input_tokens": -4, "output_tokens": "many", "cache_read_input_tokens": 1e300 });
    prop_oneof![
        2 => Just(json!({ "type": "message_start", "message": { "id": 7, "usage": usage } })),
        6 => (0_u64..4, block).prop_map(|(index, block)| begin(index, block)),
        8 => (0_u64..4, delta).prop_map(|(index, delta)| more(index, delta)),
        4 => (0_u64..4).prop_map(|index| json!({ "type": "content_block_stop", "index": index })),
        1 => Just(json!({ "type": "message_delta", "delta": { "stop_reason": "odd" }, "usage": 3 })),
        1 => Just(json!({ "type": "message_stop" })),
        1 => Just(json!({ "type": "ping" })),
        1 => (prop::sample::select(vec!["type", "index", "delta", "content_block", "message"]), odd)
            .prop_map(|(name, value)| {
                let mut event = begin(0, json!({ "type": "text", "text": "a" }));
                event[name] = value;
                event
            }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn nonsense_of_a_vendor_never_breaks_the_order(events in prop::collection::vec(nonsense(), 0..40)) {
        let read = read(&events);
        check_events(&read);
        for upstream in [Dialect::Gemini, Dialect::OpenAiChat] {
            let mut writer = Writer::new(Arc::new(back(Dialect::Anthropic, upstream)));
            let (mut sequence, mut out) = (Sequence::new(), Vec::new());
            for event in read.clone() {
                sequence.push(event, |event| writer.event(event, &mut out)).unwrap();
            }
            check_bytes(&out);
        }
    }

    #[test]
    fn any_bytes_are_refused_or_read(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        let (mut reader, mut out) = (Reader::new(), Vec::new());
        let _ = reader.event(&bytes, &mut out);
    }
}

#[test]
fn a_thought_inside_a_texts_block_is_a_part_of_its_own() {
    let events = read(&[
        begin(0, json!({ "type": "text", "text": "" })),
        more(0, json!({ "type": "thinking_delta", "thinking": "hm" })),
        more(0, json!({ "type": "text_delta", "text": "hello" })),
        json!({ "type": "message_stop" }),
    ]);
    check_events(&events);
    let wanted = [Part::text(""), Part::Thinking { text: "hm".into(), seal: None }, Part::text("hello")];
    assert_eq!(parts(events), wanted);
}

#[test]
fn a_second_message_start_does_not_begin_again() {
    let start = json!({ "type": "message_start", "message": { "id": "msg_1", "model": "m" } });
    let events = read(&[start.clone(), start, json!({ "type": "message_stop" })]);
    let starts = events.iter().filter(|event| matches!(event, Event::Start { .. })).count();
    assert_eq!(starts, 1);
}

#[test]
fn a_block_that_begins_twice_ends_the_first() {
    let text = || json!({ "type": "text", "text": "" });
    let say = |text: &str| more(0, json!({ "type": "text_delta", "text": text }));
    let events = read(&[
        begin(0, text()),
        say("a"),
        begin(0, text()),
        say("b"),
        json!({ "type": "content_block_stop", "index": 0 }),
        json!({ "type": "message_stop" }),
    ]);
    check_events(&events);
    // The first is complete before the second begins, so that nothing has to wait.
    let opened = events.iter().rposition(|event| matches!(event, Event::Open { .. }));
    let closed = events.iter().position(|event| matches!(event, Event::Close { index: 0, .. }));
    assert!(closed < opened);
    assert_eq!(parts(events), [Part::text("a"), Part::text("b")]);
}

#[test]
fn input_that_came_with_the_calls_beginning_is_kept() {
    let call = json!({ "type": "tool_use", "id": "t", "name": "f", "input": { "a": 1 } });
    let events = read(&[
        begin(0, call.clone()),
        json!({ "type": "content_block_stop", "index": 0 }),
        // Streamed input replaces it.
        begin(1, call),
        more(1, json!({ "type": "input_json_delta", "partial_json": "{\"b\":" })),
        more(1, json!({ "type": "input_json_delta", "partial_json": "2}" })),
        json!({ "type": "message_stop" }),
    ]);
    assert!(events.contains(&Event::Stop { choice: 0, stop: Stop::ToolUse }));
    let arguments: Vec<String> = parts(events)
        .into_iter()
        .map(|part| match part {
            Part::ToolCall { arguments, .. } => arguments,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(arguments, ["{\"a\":1}", "{\"b\":2}"]);
}

#[test]
fn u19_broken_json_is_a_fault_and_an_error_event_is_the_vendors() {
    let (mut reader, mut out) = (Reader::new(), Vec::new());
    assert!(reader.event(b"{\"type\":\"content_blo", &mut out).is_err());
    let error = json!({ "type": "error", "error": { "type": "overloaded_error", "message": "Overloaded" } });
    for error in [error.clone(), json!({ "error": error["error"] })] {
        let events = read(&[begin(0, json!({ "type": "text" })), error, json!({ "type": "message_stop" })]);
        let Some(Event::Error(error)) = events.last() else { panic!("{events:?}") };
        assert_eq!((error.kind.as_str(), error.message.as_str()), ("overloaded_error", "Overloaded"));
    }
}

#[test]
fn a_cut_stream_has_no_end() {
    let body = b"event: message_start\ndata: {\"type\":\"message_start\",\"message\":{}}\n\n";
    assert!(!read_stream(body, 5).contains(&Event::End));
}

#[test]
fn u51_what_a_vendor_never_ends_is_kept_within_bounds() {
    let mut reader = Reader::new();
    let mut opened = 0_u32;
    let mut kept = 0;
    let piece = "x".repeat(1024 * 1024);
    let mut out = Vec::new();
    reader.event(&text::json(&begin(0, json!({ "type": "thinking", "thinking": "" }))), &mut out).unwrap();
    for _ in 0..16 {
        let delta = more(0, json!({ "type": "signature_delta", "signature": piece }));
        reader.event(&text::json(&delta), &mut out).unwrap();
    }
    for index in 1..100_100 {
        let block = begin(index, json!({ "type": "text", "text": "" }));
        reader.event(&text::json(&block), &mut out).unwrap();
        for event in out.drain(..) {
            match event {
                Event::Open { .. } => opened += 1,
                Event::Delta { delta: Delta::Seal(seal), .. } => kept = seal.data.len(),
                _ => {}
            }
        }
    }
    assert_eq!(opened, 100_000);
    assert_eq!(kept, 8 * 1024 * 1024);
}

#[test]
fn lone_surrogates_and_line_ends_of_some_clients_survive() {
    let mut reader = Reader::new();
    let mut events = Vec::new();
    reader
        .event(
            br#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a\ud83d\u2028b"}}"#,
            &mut events,
        )
        .unwrap();
    let mut writer = Writer::new(Arc::new(back(Dialect::Anthropic, Dialect::Anthropic)));
    let mut out = Vec::new();
    for event in events {
        writer.event(event, &mut out);
    }
    let out = String::from_utf8(out).unwrap();
    assert!(out.contains(r#""text":"a\ud83d\u2028b""#), "{out}");
}

#[test]
fn parallel_calls_of_the_same_tool_stay_apart() {
    let mut writer = Writer::new(Arc::new(back(Dialect::Anthropic, Dialect::Gemini)));
    let mut out = Vec::new();
    for index in 0..2 {
        let opening = Opening::ToolCall {
            id: format!("call_t1_{index}"),
            name: "f".into(),
            namespace: None,
            kind: crate::neutral::ToolKind::Function,
        };
        writer.event(Event::Open { choice: 0, index, opening }, &mut out);
        let delta = Delta::Text(format!("{{\"n\":{index}}}"));
        writer.event(Event::Delta { choice: 0, index, delta }, &mut out);
        writer.event(Event::Close { choice: 0, index }, &mut out);
    }
    writer.event(Event::Stop { choice: 0, stop: Stop::End }, &mut out);
    writer.event(Event::End, &mut out);
    check_bytes(&out);
    let answer = Answer::from_events(read_stream(&out, 8));
    // Agents go on by this word alone.
    assert_eq!(answer.choices[0].stop, Some(Stop::ToolUse));
    let ids: Vec<(String, String)> = answer.choices[0]
        .parts
        .iter()
        .map(|part| match part {
            Part::ToolCall { id, arguments, .. } => (id.clone(), arguments.clone()),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(ids, [("call_t1_0".into(), "{\"n\":0}".into()), ("call_t1_1".into(), "{\"n\":1}".into())]);
}
