//! Streams that make no sense: no panic, no growth, an order that writers can rely on.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::{Reader, Writer};
use super::{asked, back, heard};
use crate::Dialect;
use crate::neutral::{Answer, Delta, Event, Part, Sequence, Stop};

/// A value of a field that may be right, wrong or absurd.
fn odd(right: Value) -> impl Strategy<Value = Value> {
    prop_oneof![
        6 => Just(right),
        1 => Just(Value::Null),
        1 => Just(json!(-1)),
        1 => Just(json!(u64::MAX)),
        1 => Just(json!([{}])),
        1 => Just(json!({"type": "x"})),
    ]
}

fn item() -> impl Strategy<Value = Value> {
    let kinds = prop::sample::select(vec![
        json!({"type": "message", "content": []}),
        json!({"type": "message", "content": [{"type": "output_text", "text": "all"}, 5, {"type": "refusal"}]}),
        json!({"type": "reasoning", "summary": [{"text": "s"}], "encrypted_content": "gA"}),
        json!({"type": "reasoning"}),
        json!({"type": "function_call", "name": "f", "arguments": "{}"}),
        json!({"type": "custom_tool_call", "call_id": "c", "name": "f", "input": "x"}),
        json!({"type": "web_search_call"}),
        json!({"type": 7}),
    ]);
    kinds.prop_flat_map(odd)
}

fn event() -> impl Strategy<Value = Value> {
    let kinds = prop::sample::select(vec![
        "created",
        "in_progress",
        "output_item.added",
        "output_item.done",
        "content_part.added",
        "content_part.done",
        "output_text.delta",
        "output_text.done",
        "output_text.annotation.added",
        "refusal.delta",
        "refusal.done",
        "reasoning_summary_text.delta",
        "reasoning_text.delta",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "custom_tool_call_input.delta",
        "completed",
        "incomplete",
        "unheard_of",
    ]);
    let places = (0_u64..3).prop_flat_map(|n| odd(n.into()));
    let parts = prop::sample::select(vec![
        json!({"type": "output_text", "text": "whole", "annotations": [{"type": "url_citation"}]}),
        json!({"type": "refusal", "refusal": "no"}),
        json!({"type": "reasoning_text", "text": "r"}),
    ]);
    let words = odd("w".into());
    (kinds, places.clone(), places, item(), parts.prop_flat_map(odd), words).prop_map(
        |(kind, output, content, item, part, words)| {
            json!({
                "type": format!("response.{kind}"), "output_index": output, "content_index": content,
                "summary_index": content, "item": item, "part": part, "delta": words, "text": words,
                "refusal": words, "arguments": words, "input": words, "annotation": part, "logprobs": content,
                "response": {"id": words, "output": [item, item], "status": words, "usage": part},
            })
        },
    )
}

/// Opened once, deltas only while open, closed once, one start and at most one end.
fn check_order(events: &[Event]) -> Result<(), TestCaseError> {
    let (mut open, mut used) = (Vec::new(), Vec::new());
    for (n, event) in events.iter().enumerate() {
        prop_assert_eq!(n == 0, matches!(event, Event::Start { .. }), "{:?}", events);
        match event {
            Event::Open { index, .. } => {
                prop_assert!(!used.contains(index));
                used.push(*index);
                open.push(*index);
            }
            Event::Delta { index, .. } => prop_assert!(open.contains(index), "{:?}", events),
            Event::Close { index, .. } => {
                prop_assert!(open.contains(index), "{:?}", events);
                open.retain(|other| other != index);
            }
            Event::Stop { .. } => prop_assert!(open.is_empty(), "{:?}", events),
            Event::End => prop_assert_eq!(n, events.len() - 1),
            _ => {}
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn tr_nonsense_keeps_the_order_that_writers_rely_on(told in prop::collection::vec(event(), 0..40)) {
        let mut reader = Reader::new();
        let mut events = Vec::new();
        for event in &told {
            reader.event(event.to_string().as_bytes(), &mut events).unwrap();
        }
        check_order(&events)?;
        // And the writer makes something of it that the reader takes again.
        let mut writer = Writer::new(Arc::new(back(asked(), Dialect::OpenAiResponses)));
        let (mut sequence, mut out) = (Sequence::new(), Vec::new());
        for event in events {
            sequence.push(event, |event| writer.event(event, &mut out)).unwrap();
        }
        check_order(&heard(&out, 7))?;
    }

    #[test]
    fn tr_any_bytes_are_read_or_a_fault(data in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut reader = Reader::new();
        let _ = reader.event(&data, &mut Vec::new());
    }
}

fn read(events: &[Value]) -> Vec<Event> {
    let mut reader = Reader::new();
    let mut out = Vec::new();
    for event in events {
        reader.event(event.to_string().as_bytes(), &mut out).unwrap();
    }
    out
}

#[test]
fn tr_an_endless_stream_of_openings_takes_bounded_memory_and_time() {
    for of in ["output_index", "content_index"] {
        let mut reader = Reader::new();
        let (mut opened, mut out) = (0, Vec::new());
        for n in 0..20_000_u64 {
            let mut event = json!({"type": "response.output_text.delta", "delta": ""});
            event[of] = n.into();
            reader.event(event.to_string().as_bytes(), &mut out).unwrap();
            opened += out.drain(..).filter(|event| matches!(event, Event::Open { .. })).count();
        }
        assert_eq!(opened, 1_000, "{of}");
    }
}

#[test]
fn tr_what_deltas_left_out_is_taken_from_the_whole() {
    let whole =
        json!({"type": "message", "content": [{"type": "output_text", "text": "Hi", "annotations": []}]});
    let call = json!({"type": "function_call", "call_id": "c", "name": "f", "arguments": "{\"a\":1}"});
    let completed = |output: Value| json!({"type": "response.completed", "response": {"id": "r", "model": "m", "status": "completed", "output": output}});
    let place = |kind: &str, n: u64, more: Value| {
        let mut event = json!({"type": format!("response.{kind}"), "output_index": n});
        event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        event
    };
    let begun = json!({"item": {"type": "function_call", "call_id": "c", "name": "f", "arguments": ""}});
    let numbered =
        json!({"type": "message", "id": "msg_1", "content": [{"type": "output_text", "text": "Hi"}]});
    for told in [
        vec![completed(json!([whole, call]))],
        // The thought is not told in the stream, and so the numbers differ.
        vec![
            place("output_item.added", 0, json!({"item": {"type": "message", "id": "msg_1"}})),
            place("output_text.delta", 0, json!({"delta": "Hi"})),
            place("output_item.done", 0, json!({"item": numbered})),
            completed(json!([{"type": "reasoning"}, numbered, call])),
        ],
        vec![
            place("output_text.delta", 0, json!({"delta": "Hi"})),
            place("output_item.done", 1, json!({"item": call})),
            completed(json!([])),
        ],
        vec![
            place("output_text.done", 0, json!({"text": "Hi"})),
            place("output_item.added", 1, begun.clone()),
            place("function_call_arguments.done", 1, json!({"arguments": "{\"a\":1}"})),
            completed(json!([whole, call])),
        ],
        vec![
            place("output_text.delta", 0, json!({"delta": "Hi"})),
            place("output_item.added", 1, begun),
            completed(json!([whole, call])),
        ],
    ] {
        let answer = Answer::from_events(read(&told));
        let choice = &answer.choices[0];
        assert_eq!((choice.parts.len(), choice.stop.as_ref()), (2, Some(&Stop::ToolUse)), "{told:?}");
        assert_eq!(choice.parts[0], Part::text("Hi"), "{told:?}");
        assert!(
            matches!(&choice.parts[1], Part::ToolCall { arguments, .. } if arguments == "{\"a\":1}"),
            "{told:?}"
        );
    }
}

#[test]
fn tr_summaries_have_paragraphs_and_the_thought_itself_counts_without_one() {
    let delta = |kind: &str, name: &str, n: u64, text: &str| {
        let mut event = json!({"type": format!("response.{kind}.delta"), "output_index": 0, "delta": text});
        event[name] = n.into();
        event
    };
    let said = |events: &[Value]| -> String {
        let texts = read(events).into_iter().filter_map(|event| match event {
            Event::Delta { delta: Delta::Text(text), .. } => Some(text),
            _ => None,
        });
        texts.collect()
    };
    let summary = |n, text| delta("reasoning_summary_text", "summary_index", n, text);
    let raw = |n, text| delta("reasoning_text", "content_index", n, text);
    assert_eq!(said(&[summary(0, "a"), summary(0, "b"), summary(1, "c")]), "ab\n\nc");
    assert_eq!(said(&[raw(0, "a"), raw(0, "b")]), "ab");
    assert_eq!(said(&[summary(0, "a"), raw(0, "b")]), "a");
}

#[test]
fn tr_errors_in_a_stream_are_errors_and_nothing_follows() {
    for event in [
        json!({"type": "error", "code": "server_error", "message": "Oh no", "param": null, "sequence_number": 1}),
        json!({"type": "error", "error": {"code": "server_error", "message": "Oh no"}}),
        json!({"error": {"code": "server_error", "message": "Oh no"}}),
        json!({"type": "response.failed", "response": {"status": "failed", "error": {"code": "server_error", "message": "Oh no"}}}),
    ] {
        let events =
            read(&[event.clone(), json!({"type": "response.completed", "response": {"output": []}})]);
        let [Event::Error(error)] = events.as_slice() else { panic!("{event}: {events:?}") };
        assert_eq!((error.message.as_str(), error.kind.as_str()), ("Oh no", "server_error"), "{event}");
    }
    // A failure without a word is one all the same.
    let events = read(&[json!({"type": "response.failed", "response": {"error": null}})]);
    assert!(matches!(events.as_slice(), [Event::Error(_)]));
}
