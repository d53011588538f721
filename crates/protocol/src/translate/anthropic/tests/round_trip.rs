//! What is written for an Anthropic caller is read back as the same.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};
use types::request::TokenUsage;

use super::super::{Writer, read_answer, write_answer};
use super::{back, read_stream};
use crate::Dialect;
use crate::neutral::{Answer, Choice, Part, Sealed, Sequence, Stop, ToolKind};
use crate::translate::text;

fn seal() -> impl Strategy<Value = Sealed> {
    (prop::sample::select(Dialect::ALL), "[A-Za-z0-9+/=]{1,40}")
        .prop_map(|(dialect, data)| Sealed { dialect, data })
}

fn call(seal: impl Strategy<Value = Option<Sealed>>) -> impl Strategy<Value = Part> {
    let arguments = prop::collection::vec(("[a-z]{1,5}", any::<String>()), 0..4);
    ("[a-zA-Z0-9_-]{1,30}", "[a-zA-Z_][a-zA-Z0-9_-]{0,20}", arguments, seal).prop_map(
        |(id, name, arguments, seal)| {
            let map = arguments.into_iter().map(|(name, value)| (name, Value::String(value)));
            Part::ToolCall {
                id,
                name,
                namespace: None,
                arguments: text::json_text(&Value::Object(map.collect())),
                kind: ToolKind::Function,
                seal,
                cache: None,
            }
        },
    )
}

fn part(signed_calls: bool) -> impl Strategy<Value = Part> {
    let gemini = seal().prop_map(|seal| Sealed { dialect: Dialect::Gemini, ..seal });
    let seals = prop::option::of(gemini).prop_map(move |seal| seal.filter(|_| signed_calls));
    let citation = prop::collection::vec(".{0,9}", 0..3).prop_map(|texts| {
        texts.into_iter().map(|text| (Dialect::Anthropic, json!({ "cited_text": text }))).collect::<Vec<_>>()
    });
    prop_oneof![
        (".{1,40}", citation).prop_map(|(text, citations)| Part::Text {
            text,
            citations,
            seal: None,
            cache: None
        }),
        (".{0,40}", seal()).prop_map(|(text, seal)| Part::Thinking { text, seal: Some(seal) }),
        ".{1,40}".prop_map(|text| Part::Thinking { text, seal: None }),
        "[A-Za-z0-9]{1,20}".prop_map(|data| Part::Thinking {
            text: String::new(),
            seal: Some(Sealed { dialect: Dialect::Anthropic, data: format!("redacted:{data}") }),
        }),
        call(seals),
        ".{0,9}".prop_map(|text| Part::Native {
            dialect: Dialect::Anthropic,
            value: json!({ "type": "server_tool_use", "id": "s", "input": { "q": text } }),
        }),
    ]
}

fn answer(signed_calls: bool) -> impl Strategy<Value = Answer> {
    let stop = prop_oneof![
        Just(Stop::End),
        Just(Stop::MaxTokens),
        Just(Stop::ToolUse),
        Just(Stop::Refusal),
        Just(Stop::Pause),
        Just(Stop::ContextFull),
        prop::option::of(".{1,5}").prop_map(Stop::Sequence),
    ];
    let counts = prop::array::uniform5(0_u64..100_000);
    let tier = prop::option::of(prop::sample::select(vec!["standard", "priority", "batch"]));
    (prop::collection::vec(part(signed_calls), 0..6), stop, counts, tier).prop_map(
        |(parts, stop, [input, output, cache_read, cache_write, other], tier)| {
            let calls = parts.iter().any(|part| matches!(part, Part::ToolCall { .. }));
            Answer {
                id: "msg_1".into(),
                model: "asked-for".into(),
                choices: vec![Choice {
                    parts,
                    stop: Some(if calls && stop == Stop::End { Stop::ToolUse } else { stop }),
                    logprobs: None,
                }],
                usage: Some(TokenUsage {
                    input,
                    output,
                    cache_read,
                    cache_write,
                    cache_write_1h: other.min(cache_write),
                    reasoning: other.min(output),
                    web_searches: other % 3,
                    ..TokenUsage::default()
                }),
                service_tier: tier.map(str::to_owned),
            }
        },
    )
}

/// The stream that tells an answer to an Anthropic caller.
fn tell(answer: Answer, upstream: Dialect) -> Vec<u8> {
    let mut writer = Writer::new(Arc::new(back(Dialect::Anthropic, upstream)));
    let (mut sequence, mut out) = (Sequence::new(), Vec::new());
    for event in answer.into_events() {
        sequence.push(event, |event| writer.event(event, &mut out)).unwrap();
    }
    out
}

proptest! {
    #[test]
    fn whole_answers_come_back_as_they_were(answer in answer(true)) {
        let written = write_answer(&answer, &back(Dialect::Anthropic, Dialect::Gemini));
        let read = read_answer(text::parse(&text::json(&written)).unwrap()).unwrap();
        prop_assert_eq!(read, answer);
    }

    #[test]
    fn streams_come_back_as_they_were_at_any_cut(answer in answer(true), size in 1_usize..50) {
        let told = tell(answer.clone(), Dialect::Gemini);
        prop_assert_eq!(Answer::from_events(read_stream(&told, size)), answer);
    }

    #[test]
    fn streams_of_arguments_come_back_as_they_were(answer in answer(false)) {
        let told = tell(answer.clone(), Dialect::OpenAiChat);
        prop_assert_eq!(Answer::from_events(read_stream(&told, 13)), answer);
    }
}

#[test]
fn a_proof_behind_a_text_that_was_said_stands_for_itself() {
    let seal = Sealed { dialect: Dialect::Gemini, data: "sig".into() };
    let signed =
        Part::Text { text: "hello".into(), citations: Vec::new(), seal: Some(seal.clone()), cache: None };
    let answer = Answer {
        id: "msg_1".into(),
        model: "asked-for".into(),
        choices: vec![Choice { parts: vec![signed], stop: Some(Stop::End), logprobs: None }],
        usage: None,
        service_tier: None,
    };
    let written = write_answer(&answer, &back(Dialect::Anthropic, Dialect::Gemini));
    assert_eq!(written["content"][0]["type"], "redacted_thinking");
    assert_eq!(read_answer(written).unwrap().choices, answer.choices);
    let read = Answer::from_events(read_stream(&tell(answer, Dialect::Gemini), 9));
    let wanted = vec![Part::text("hello"), Part::Thinking { text: String::new(), seal: Some(seal) }];
    assert_eq!(read.choices[0].parts, wanted);
}
