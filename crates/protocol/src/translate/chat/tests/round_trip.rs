//! What is written is read again as it was.

use proptest::prelude::*;
use serde_json::{Value, json};
use types::request::TokenUsage;

use super::super::{read_answer, write_answer};
use super::{back, read, stream};
use crate::Dialect;
use crate::neutral::{Answer, Choice, Part, Sealed, Stop, ToolKind};

fn words() -> impl Strategy<Value = String> {
    // Texts that trip readers of lines and of JSON, a lone surrogate's stand-in among them.
    prop_oneof![
        "[a-z ]{1,12}",
        Just("\u{2028}\u{85}\"\\\n{".to_owned()),
        Just("\u{10D83D}x\u{1F600}".to_owned())
    ]
}

fn seal() -> impl Strategy<Value = Option<Sealed>> {
    let dialect =
        prop_oneof![Just(Dialect::Anthropic), Just(Dialect::Gemini), Just(Dialect::OpenAiResponses)];
    prop::option::of((dialect, "[A-Za-z0-9+/=:]{1,40}").prop_map(|(dialect, data)| Sealed { dialect, data }))
}

fn parts() -> impl Strategy<Value = Vec<Part>> {
    let call = (words(), seal(), any::<bool>()).prop_map(|(text, seal, custom)| {
        let kind = if custom { ToolKind::Custom } else { ToolKind::Function };
        let arguments = if custom { text } else { json!({"a": text}).to_string() };
        (kind, arguments, seal)
    });
    let thinking = prop::option::of((words(), seal()));
    let text = prop::option::of((words(), seal()));
    (thinking, text, prop::option::of(words()), prop::collection::vec(call, 0..4)).prop_map(
        |(thinking, text, refusal, calls)| {
            let mut parts = Vec::new();
            parts.extend(thinking.map(|(text, seal)| Part::Thinking { text, seal }));
            parts.extend(text.map(|(text, seal)| Part::Text {
                text,
                seal,
                citations: vec![(Dialect::OpenAiChat, json!({"type": "url_citation", "n": 1}))],
                cache: None,
            }));
            parts.extend(refusal.map(|text| Part::Refusal { text }));
            parts.extend((0..).zip(calls).map(|(n, (kind, arguments, seal))| Part::ToolCall {
                id: format!("call_{n}"),
                name: format!("f{n}"),
                namespace: None,
                arguments,
                kind,
                seal,
                cache: None,
            }));
            parts
        },
    )
}

fn answers() -> impl Strategy<Value = Answer> {
    let usage =
        (0..9_u64, 0..9_u64, 0..9_u64, 0..9_u64, 0..2_u64).prop_map(|(input, out, read, write, think)| {
            TokenUsage {
                input,
                output: out + think,
                cache_read: read,
                cache_write: write,
                reasoning: think,
                ..TokenUsage::default()
            }
        });
    (prop::collection::vec(parts(), 1..3), usage, any::<bool>()).prop_map(|(choices, usage, tier)| Answer {
        id: "chatcmpl-t1".into(),
        model: "m".into(),
        choices: choices
            .into_iter()
            .map(|parts| {
                let calls = parts.iter().any(|part| matches!(part, Part::ToolCall { .. }));
                let stop = Some(if calls { Stop::ToolUse } else { Stop::MaxTokens });
                Choice { parts, stop, logprobs: Some(json!({"content": [{"token": "a"}]})) }
            })
            .collect(),
        usage: Some(usage),
        service_tier: tier.then(|| "flex".to_owned()),
    })
}

/// Thinking without a proof is marked with the field that it came in.
fn marked(mut answer: Answer) -> Answer {
    for part in answer.choices.iter_mut().flat_map(|choice| &mut choice.parts) {
        if let Part::Thinking { seal: seal @ None, .. } = part {
            *seal = Some(Sealed { dialect: Dialect::OpenAiChat, data: "reasoning_content".into() });
        }
    }
    answer
}

proptest! {
    #[test]
    fn an_answer_written_whole_or_as_a_stream_is_read_as_it_was(answer in answers(), size in 1..40_usize) {
        let back = back(true);
        let whole: Value = super::super::super::text::parse(&super::super::super::text::json(&write_answer(&answer, &back)))
            .unwrap();
        let expected = marked(answer.clone());
        prop_assert_eq!(&read_answer(whole, "t1").unwrap(), &expected);
        let bytes = stream(answer, &back);
        for line in String::from_utf8(bytes.clone()).unwrap().lines() {
            let broken = line.contains(['\u{2028}', '\u{2029}', '\u{85}']);
            prop_assert!(!broken, "{}", line);
        }
        prop_assert_eq!(Answer::from_events(read(&bytes, size)), expected);
    }
}
