//! What is written is read again as it was: answers and streams, as far as the dialect has words for it.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::json;
use types::request::TokenUsage;

use super::super::super::{Back, Stream, Target, read_answer, text, write_answer, write_request};
use super::{asked, back, heard, read, streamed};
use crate::Dialect;
use crate::neutral::{Answer, Choice, Part, Sealed, Stop, ToolKind};

fn words() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        "[a-z \u{2028}\n\"\\\\]{1,12}",
        Just("\u{10D83D}".to_owned()),
        Just("\u{1F600}\u{85}".to_owned()),
    ]
}

fn seal(home: Dialect) -> impl Strategy<Value = Option<Sealed>> {
    prop::option::of("[A-Za-z0-9+/]{4,20}".prop_map(move |data| Sealed { dialect: home, data }))
}

/// A part; proofs on calls and texts are Gemini's.
fn part() -> impl Strategy<Value = Part> {
    let any_home = prop::sample::select(Dialect::ALL.to_vec());
    let note = json!({"type": "url_citation", "url": "https://a.example", "title": "A", "start_index": 0, "end_index": 1});
    prop_oneof![
        (words(), any::<bool>()).prop_map(move |(text, cited)| Part::Text {
            text,
            citations: cited.then(|| (Dialect::OpenAiResponses, note.clone())).into_iter().collect(),
            seal: None,
            cache: None,
        }),
        words().prop_map(|text| Part::Refusal { text }),
        ("[a-z]{1,9}", any_home.prop_flat_map(seal)).prop_map(|(text, seal)| Part::Thinking { text, seal }),
        seal(Dialect::Anthropic).prop_filter_map("a thought without anything", |seal| {
            Some(Part::Thinking { text: String::new(), seal: Some(seal?) })
        }),
        ("[a-z]{1,9}", words(), prop::option::of("[a-z]{3}"), any::<bool>(), seal(Dialect::Gemini)).prop_map(
            |(name, arguments, namespace, custom, seal)| Part::ToolCall {
                id: format!("call_{name}"),
                name,
                namespace,
                arguments,
                kind: if custom { ToolKind::Custom } else { ToolKind::Function },
                seal,
                cache: None,
            }
        ),
        Just(Part::Native {
            dialect: Dialect::OpenAiResponses,
            value: json!({"type": "mcp_call", "id": "m"})
        }),
    ]
}

fn answer() -> impl Strategy<Value = Answer> {
    let stops = prop::sample::select(vec![Stop::End, Stop::MaxTokens, Stop::Refusal]);
    (prop::collection::vec(part(), 0..7), stops, prop::option::of(0_u64..1000)).prop_map(
        |(parts, stop, input)| {
            let called = parts.iter().any(|part| matches!(part, Part::ToolCall { .. }));
            let stop = if called && stop == Stop::End { Stop::ToolUse } else { stop };
            let usage = input.map(|input| TokenUsage {
                input,
                output: 7,
                cache_read: 3,
                reasoning: 2,
                ..TokenUsage::default()
            });
            Answer {
                id: "resp_t1".into(),
                model: "m".into(),
                choices: vec![Choice { parts, stop: Some(stop), logprobs: None }],
                usage,
                service_tier: Some("default".into()),
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn tr_answers_and_streams_come_back_as_they_were(answer in answer(), from in prop::sample::select(Dialect::ALL.to_vec())) {
        // Only Gemini puts proofs on calls.
        let sealed = answer.choices[0].parts.iter().any(|p| matches!(p, Part::ToolCall { seal: Some(_), .. }));
        let back = back(asked(), if sealed { Dialect::Gemini } else { from });
        let written = write_answer(&answer, &back);
        let vendor = super::back(asked(), Dialect::OpenAiResponses);
        prop_assert_eq!(&read_answer(&vendor, &written).unwrap(), &answer);
        let (bytes, events) = streamed(answer.clone(), &back);
        for size in [1, 7, bytes.len()] {
            prop_assert_eq!(&Answer::from_events(heard(&bytes, size)), &answer);
        }
        let whole = text::parse(&written).unwrap();
        if let Some(last) = events.last() {
            prop_assert_eq!(&last["response"], &whole);
        }
    }
}

#[test]
fn tr_a_proof_of_a_text_stands_behind_it_and_comes_back() {
    let proof = Sealed { dialect: Dialect::Gemini, data: "c2VhbA==".into() };
    let said = |seal| Part::Text { text: "hi".into(), citations: Vec::new(), seal, cache: None };
    let parts = vec![said(Some(proof)), said(None)];
    let choice = Choice { parts, stop: Some(Stop::End), logprobs: None };
    let answer = Answer {
        id: "resp_t1".into(),
        model: "m".into(),
        choices: vec![choice],
        usage: None,
        service_tier: None,
    };
    let written = write_answer(&answer, &back(asked(), Dialect::Gemini));
    let read = read_answer(&back(asked(), Dialect::OpenAiResponses), &written).unwrap();
    assert_eq!(read.choices, answer.choices);
}

#[test]
fn tr_namespaces_and_custom_tools_survive_a_vendor_that_knows_neither() {
    let request = read(&json!({"model": "m", "input": "go", "stream": true, "tools": [
        {"type": "namespace", "name": "agents", "description": "d", "tools": [{"type": "function", "name": "spawn"}]},
        {"type": "custom", "name": "apply.patch"},
    ]}));
    let target = Target { dialect: Dialect::Anthropic, model: "claude-sonnet-4-5", max_output: None };
    let written = write_request(&request, target);
    let sent = text::parse(&written.body).unwrap();
    let names: Vec<&str> =
        sent["tools"].as_array().unwrap().iter().map(|t| t["name"].as_str().unwrap()).collect();
    assert_eq!(names[0], "agents__spawn");
    let back = Back { names: written.names, ..back(request, Dialect::Anthropic) };
    let block = |n: u64, name: &str, input: &str| {
        let id = format!("toolu_{n}");
        let start = json!({"type": "content_block_start", "index": n,
            "content_block": {"type": "tool_use", "id": id, "name": name, "input": {}}});
        let delta = json!({"type": "content_block_delta", "index": n,
            "delta": {"type": "input_json_delta", "partial_json": input}});
        let stop = json!({"type": "content_block_stop", "index": n});
        [start, delta, stop]
    };
    let start = json!({"type": "message_start", "message": {"id": "msg_1", "model": "claude", "role": "assistant",
        "type": "message", "content": [], "usage": {"input_tokens": 1, "output_tokens": 1}}});
    let mut events = vec![start];
    events.extend(block(0, names[0], "{\"who\":1}"));
    events.extend(block(1, names[1], "{\"input\":\"*** Begin\\n\"}"));
    events.push(
        json!({"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 5}}),
    );
    events.push(json!({"type": "message_stop"}));
    let said = events.iter().fold(String::new(), |said, event| format!("{said}data: {event}\n\n"));
    for size in [1, 7, said.len()] {
        let mut stream = Stream::new(Arc::new(back.clone()));
        let mut out = Vec::new();
        for piece in said.as_bytes().chunks(size) {
            stream.feed(piece, &mut out).unwrap();
        }
        stream.finish(&mut out);
        assert!(stream.ended());
        let output = &stream.response().unwrap()["output"];
        assert_eq!(
            *output,
            json!([
                {"id": "fc_t1_0", "type": "function_call", "status": "completed", "call_id": "toolu_0",
                 "name": "spawn", "arguments": "{\"who\":1}", "namespace": "agents"},
                {"id": "ctc_t1_1", "type": "custom_tool_call", "status": "completed", "call_id": "toolu_1",
                 "name": "apply.patch", "input": "*** Begin\n"},
            ])
        );
        assert_eq!(Answer::from_events(heard(&out, 7)).choices[0].stop, Some(Stop::ToolUse));
    }
}
