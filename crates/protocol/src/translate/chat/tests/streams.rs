//! What servers do on streams beside the book, and streams that make no sense.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::super::text;
use super::super::{Reader, Writer};
use super::{back, in_order, read};
use crate::neutral::{Answer, Event, Part, Sequence, Stop};

/// A stream of deltas of one answer, with an end in good order if a reason is given.
fn stream(deltas: &[Value], reason: Option<&str>) -> Vec<u8> {
    let chunk =
        |choices: Value| format!("data: {}\n\n", json!({"id": "x", "model": "m", "choices": choices}));
    let mut body: String = deltas.iter().map(|delta| chunk(json!([{"index": 0, "delta": delta}]))).collect();
    if let Some(reason) = reason {
        body += &chunk(json!([{"index": 0, "delta": {}, "finish_reason": reason}]));
        body += "data: [DONE]\n\n";
    }
    body.into_bytes()
}

fn answer(deltas: &[Value], reason: &str) -> (Vec<Part>, Option<Stop>) {
    let events = read(&stream(deltas, Some(reason)), 5);
    in_order(&events).unwrap();
    let choice = Answer::from_events(events).choices.swap_remove(0);
    (choice.parts, choice.stop)
}

fn calls(deltas: &[Value]) -> Vec<(String, String, String)> {
    let (parts, stop) = answer(deltas, "stop");
    assert_eq!(stop, Some(Stop::ToolUse), "calls end with their own word");
    parts
        .into_iter()
        .map(|part| match part {
            Part::ToolCall { id, name, arguments, .. } => (id, name, arguments),
            other => panic!("{other:?}"),
        })
        .collect()
}

fn piece(index: impl Into<Value>, id: &str, name: &str, arguments: &str) -> Value {
    let mut call = json!({"function": {"arguments": arguments}});
    for (field, value) in [("index", index.into()), ("id", json!(id))] {
        if !value.is_null() && value != "" {
            call[field] = value;
        }
    }
    if !name.is_empty() {
        call["function"]["name"] = json!(name);
    }
    json!({"tool_calls": [call]})
}

fn three(id: &str, name: &str, arguments: &str) -> (String, String, String) {
    (id.into(), name.into(), arguments.into())
}

#[test]
fn calls_that_overlap_keep_their_own_arguments() {
    let found = calls(&[
        piece(0, "a", "f", "{\"x\":"),
        piece(1, "b", "g", "{\"y\""),
        piece(0, "", "", "1}"),
        piece(1, "", "", ":2}"),
    ]);
    assert_eq!(found, [three("a", "f", "{\"x\":1}"), three("b", "g", "{\"y\":2}")]);
}

#[test]
fn calls_that_all_have_the_same_number_or_none_are_told_apart() {
    let wanted = [three("a", "f", "{\"x\":1}"), three("b", "f", "{\"x\":2}")];
    for index in [json!(0), Value::Null] {
        let whole = calls(&[
            piece(index.clone(), "a", "f", "{\"x\":1}"),
            piece(index.clone(), "b", "f", "{\"x\":2}"),
        ]);
        assert_eq!(whole, wanted);
        let pieces = calls(&[
            piece(index.clone(), "a", "f", ""),
            piece(index.clone(), "", "", "{\"x\":1}"),
            piece(index.clone(), "b", "f", "{\"x\""),
            piece(index, "", "", ":2}"),
        ]);
        assert_eq!(pieces, wanted);
    }
}

#[test]
fn a_call_whose_id_is_repeated_or_missing_and_one_whose_name_is_late_are_read() {
    let repeated = calls(&[piece(0, "a", "f", "{\"x\""), piece(0, "a", "f", ":1}"), piece(0, "a", "", "")]);
    assert_eq!(repeated, [three("a", "f", "{\"x\":1}")]);
    let late = calls(&[piece(0, "a", "", "{\"x\""), piece(0, "", "f", ":1}")]);
    assert_eq!(late, [three("a", "f", "{\"x\":1}")]);
    let nameless = calls(&[piece(0, "", "f", "{}"), piece(1, "", "f", "{}")]);
    assert_eq!(nameless, [three("call_t1_1", "f", "{}"), three("call_t1_2", "f", "{}")]);
    let older = calls(&[
        json!({"function_call": {"name": "f", "arguments": "{\"x\""}}),
        json!({"function_call": {"arguments": ":1}"}}),
    ]);
    assert_eq!(older, [three("call_t1_1", "f", "{\"x\":1}")]);
    let object =
        calls(&[json!({"tool_calls": [{"id": "a", "function": {"name": "f", "arguments": {"x": 1}}}]})]);
    assert_eq!(object, [three("a", "f", "{\"x\":1}")]);
}

#[test]
fn a_call_that_is_whole_is_handed_on_before_the_next_one_ends() {
    let body = stream(&[piece(0, "a", "f", "{}"), piece(1, "b", "g", "{\"y\"")], None);
    let events = read(&body, 9);
    assert!(events.contains(&Event::Close { choice: 0, index: 0 }), "{events:?}");
    assert!(events.iter().any(|event| matches!(event, Event::Open { index: 1, .. })));
}

#[test]
fn thinking_that_is_said_twice_is_taken_once() {
    for delta in [
        json!({"reasoning_content": "hm", "reasoning": "hm"}),
        json!({"reasoning": "hm", "reasoning_details": [{"type": "reasoning.text", "text": "hm", "index": 0}]}),
        json!({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}]}),
    ] {
        let (parts, _) = answer(&[delta.clone(), json!({"content": "ok"})], "stop");
        let texts: Vec<&str> = parts
            .iter()
            .map(|part| match part {
                Part::Thinking { text, .. } | Part::Text { text, .. } => text.as_str(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(texts, ["hm", "ok"], "{delta}");
    }
}

#[test]
fn a_signature_that_comes_behind_its_text_belongs_to_it() {
    let detail = |fields: Value| json!({"reasoning_details": [fields]});
    let (parts, _) = answer(
        &[
            detail(
                json!({"type": "reasoning.text", "text": "a", "index": 0, "format": "anthropic-claude-v1"}),
            ),
            detail(json!({"type": "reasoning.text", "text": "b", "index": 0})),
            detail(json!({"type": "reasoning.text", "signature": "sig", "index": 0})),
            json!({"content": "ok"}),
        ],
        "stop",
    );
    let [Part::Thinking { text, seal: Some(seal) }, Part::Text { .. }] = parts.as_slice() else {
        panic!("{parts:?}")
    };
    let data: Value = serde_json::from_str(&seal.data).unwrap();
    assert_eq!(
        (text.as_str(), &data["signature"], &data["format"]),
        ("ab", &json!("sig"), &json!("anthropic-claude-v1"))
    );
}

#[test]
fn u_only_a_real_end_is_an_end() {
    let cut = stream(&[json!({"content": "a"})], None);
    assert!(!read(&cut, 3).contains(&Event::End));
    // Some servers forget the last mark.
    let mut forgot = stream(&[json!({"content": "a"})], Some("length"));
    forgot.truncate(forgot.len() - "data: [DONE]\n\n".len());
    let events = read(&forgot, 3);
    assert_eq!(events.last(), Some(&Event::End));
    assert!(events.contains(&Event::Stop { choice: 0, stop: Stop::MaxTokens }));
    let mut failed = stream(&[json!({"content": "a"})], None);
    failed.extend_from_slice(b"data: {\"error\":{\"message\":\"no\",\"code\":502}}\n\ndata: [DONE]\n\n");
    let events = read(&failed, 3);
    assert!(matches!(events.last(), Some(Event::Error(error)) if error.message == "no"), "{events:?}");
    let inside =
        json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "error", "error": {"message": "no"}}]});
    let events = read(format!("data: {inside}\n\ndata: [DONE]\n\n").as_bytes(), 99);
    assert!(matches!(events.last(), Some(Event::Error(error)) if error.message == "no"), "{events:?}");
}

#[test]
fn u19_an_event_that_is_no_json_is_a_fault() {
    let mut reader = Reader::new("t");
    assert!(reader.event(b"{\"choices\":[", &mut Vec::new()).is_err());
}

#[test]
fn a_caller_gets_the_counts_only_if_it_asked_for_them() {
    let answer = |back: &super::Back| {
        let body = stream(&[json!({"content": "a"})], Some("stop"));
        let mut writer = Writer::new(std::sync::Arc::new(back.clone()));
        let mut out = Vec::new();
        for event in read(&body, 50) {
            if event == Event::End {
                let usage = types::request::TokenUsage { input: 3, ..Default::default() };
                writer.event(Event::Usage(usage), &mut out);
            }
            writer.event(event, &mut out);
        }
        String::from_utf8(out).unwrap()
    };
    let (with, without) = (answer(&back(true)), answer(&back(false)));
    assert!(with.contains("\"prompt_tokens\":3") && !without.contains("usage"));
    for written in [with, without] {
        assert!(written.starts_with(
            "data: {\"id\":\"chatcmpl-t1\",\"object\":\"chat.completion.chunk\",\"created\":1700000000"
        ));
        assert!(written.ends_with("data: [DONE]\n\n") && written.matches("[DONE]").count() == 1);
        assert_eq!(written.matches("\"role\":\"assistant\"").count(), 1);
        assert_eq!(written.matches("\"finish_reason\":\"stop\"").count(), 1);
    }
}

/// Deltas that are nearly right.
fn nonsense() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        Just(json!("")),
        Just(json!("a")),
        Just(json!("{\"x\":")),
        Just(json!("1}")),
        Just(json!(0)),
        Just(json!(1)),
        Just(json!(u64::MAX)),
        Just(json!(-1)),
        Just(json!(true)),
        Just(json!([])),
    ];
    let names = prop::sample::select(vec![
        "index",
        "id",
        "type",
        "function",
        "custom",
        "name",
        "arguments",
        "content",
        "text",
        "thinking",
        "delta",
        "message",
        "finish_reason",
        "tool_calls",
        "function_call",
        "reasoning",
        "reasoning_content",
        "reasoning_details",
        "data",
        "signature",
        "annotations",
        "images",
        "image_url",
        "url",
        "audio",
        "choices",
        "usage",
        "refusal",
        "logprobs",
        "service_tier",
        "x_groq",
        "extra_content",
    ]);
    leaf.prop_recursive(5, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::Array),
            prop::collection::vec((names.clone(), inner), 0..6).prop_map(|fields| Value::Object(
                fields.into_iter().map(|(n, v)| (n.to_owned(), v)).collect()
            )),
        ]
    })
}

proptest! {
    #[test]
    fn streams_that_make_no_sense_are_read_in_order_and_never_panic(
        deltas in prop::collection::vec((nonsense(), 0..3_u8, any::<bool>()), 0..12),
        ends in any::<bool>(),
    ) {
        let mut reader = Reader::new("t1");
        let (mut events, mut sequence, mut out) = (Vec::new(), Sequence::new(), Vec::new());
        for (value, choice, whole) in deltas {
            let chunk = if whole {
                value
            } else {
                json!({"choices": [{"index": choice, "delta": value, "finish_reason": Value::Null}]})
            };
            let _ = reader.event(&text::json(&chunk), &mut events);
        }
        if ends {
            let _ = reader.event(b"[DONE]", &mut events);
        }
        reader.finish(&mut events);
        let mut writer = Writer::new(std::sync::Arc::new(back(true)));
        let mut written = Vec::new();
        for event in events {
            prop_assert!(sequence.push(event, |event| out.push(event)).is_ok());
        }
        let order = in_order(&out);
        prop_assert!(order.is_ok(), "{:?}", order);
        for event in out {
            if !matches!(event, Event::Error(_)) {
                writer.event(event, &mut written);
            }
        }
        prop_assert!(written.len() < 1_000_000);
    }
}

#[test]
fn a_stream_without_end_of_new_calls_and_choices_is_bounded() {
    let mut reader = Reader::new("t1");
    let mut events = Vec::new();
    for index in 0..20_000_u64 {
        // Calls that never get a name, never end, and answers nobody asked for.
        let call = json!({"index": index, "id": index.to_string(), "function": {"arguments": "xxxxxxxxxx"}});
        let chunk = json!({"choices": [{"index": index, "delta": {"tool_calls": [call]}}, {"index": 0, "delta": {"tool_calls": [call]}}]});
        reader.event(&text::json(&chunk), &mut events).unwrap();
    }
    let size = format!("{reader:?}").len();
    assert!(size < 2_000_000, "{size}");
    assert!(events.len() < 10, "{}", events.len());
}
