//! Generated answers that must survive, and nonsense that must do no harm.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::{Reader, read_answer, write_answer};
use super::{chunks, hear, heard, shown, tell};
use crate::Dialect;
use crate::neutral::{Answer, Choice, Event, Part, Sealed, Stop, ToolKind};
use types::request::TokenUsage;

fn seal() -> impl Strategy<Value = Option<Sealed>> {
    let dialects =
        prop_oneof![Just(Dialect::Gemini), Just(Dialect::Anthropic), Just(Dialect::OpenAiResponses)];
    prop::option::of((dialects, "[a-zA-Z0-9+/]{1,20}").prop_map(|(dialect, data)| Sealed { dialect, data }))
}

fn words() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zé\u{2028}\u{85}\u{1F600}\"\\\\ ]{1,30}",
        // A lone surrogate, as it is held inside.
        Just("\u{10D83D}x".to_owned())
    ]
}

fn part() -> impl Strategy<Value = Part> {
    prop_oneof![
        (words(), seal()).prop_map(|(text, seal)| Part::Text {
            text,
            citations: Vec::new(),
            seal: seal.filter(|seal| seal.dialect == Dialect::Gemini),
            cache: None
        }),
        (words(), seal()).prop_map(|(text, seal)| Part::Thinking { text, seal }),
        ("[a-z_]{1,10}", "[a-z0-9]{1,8}", words(), seal()).prop_map(|(name, id, said, seal)| {
            Part::ToolCall {
                id,
                name,
                namespace: None,
                arguments: String::from_utf8(super::super::super::text::json(
                    &json!({"a": said, "b": [1, null]}),
                ))
                .unwrap(),
                kind: ToolKind::Function,
                seal: seal.filter(|seal| seal.dialect == Dialect::Gemini),
                cache: None,
            }
        }),
        Just(Part::Native { dialect: Dialect::Gemini, value: json!({"executableCode": {"code": "x"}}) }),
    ]
}

fn answers() -> impl Strategy<Value = Answer> {
    let stop = prop_oneof![Just(Stop::End), Just(Stop::MaxTokens), Just(Stop::Refusal)];
    let choice = (prop::collection::vec(part(), 1..6), stop).prop_map(|(parts, stop)| {
        let called = parts.iter().any(|part| matches!(part, Part::ToolCall { .. }));
        let stop = if called && stop == Stop::End { Stop::ToolUse } else { stop };
        Choice { parts, stop: Some(stop), logprobs: None }
    });
    let usage = (0..1000_u64, 0..1000_u64, 0..1000_u64).prop_map(|(input, output, cache_read)| TokenUsage {
        input,
        output,
        cache_read,
        reasoning: output / 2,
        ..TokenUsage::default()
    });
    (prop::collection::vec(choice, 1..3), prop::option::of(usage)).prop_map(|(choices, usage)| Answer {
        id: "id".into(),
        model: "gemini-2.5-flash".into(),
        choices,
        usage,
        service_tier: None,
    })
}

/// What must be the same: neighbours of a kind may become one, and a thought's foreign proof also stands on the call
/// behind it.
fn plain(answer: &Answer) -> Vec<(Vec<String>, Option<Stop>)> {
    let line = |part: &Part| match part {
        Part::Text { text, seal, .. } => format!("text {text:?} {seal:?}"),
        Part::Thinking { text, seal } => format!("thought {text:?} {seal:?}"),
        Part::ToolCall { id, name, arguments, .. } => format!("call {id} {name} {arguments}"),
        other => format!("{other:?}"),
    };
    let mut all = Vec::new();
    for choice in &answer.choices {
        let mut lines: Vec<String> = Vec::new();
        let mut last: Option<Part> = None;
        for part in &choice.parts {
            let joined = match (&last, part) {
                (Some(Part::Text { text: a, seal: None, .. }), Part::Text { text: b, seal, .. }) => {
                    Some(Part::Text {
                        text: format!("{a}{b}"),
                        citations: Vec::new(),
                        seal: seal.clone(),
                        cache: None,
                    })
                }
                (Some(Part::Thinking { text: a, seal: None }), Part::Thinking { text: b, seal }) => {
                    Some(Part::Thinking { text: format!("{a}{b}"), seal: seal.clone() })
                }
                _ => None,
            };
            if joined.is_some() {
                lines.pop();
            }
            let part = joined.unwrap_or_else(|| part.clone());
            lines.push(line(&part));
            last = Some(part);
        }
        all.push((lines, choice.stop.clone()));
    }
    all
}

fn event() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-zA-Z ]{0,12}".prop_map(Value::from),
        Just(json!("STOP")),
    ];
    let name = prop_oneof![
        "candidates|content|parts|text|thought|thoughtSignature|functionCall|function_call|name|args|id",
        "finishReason|index|usageMetadata|promptTokenCount|groundingMetadata|groundingChunks|web|uri|title",
        "groundingSupports|segment|startIndex|endIndex|groundingChunkIndices|logprobsResult|chosenCandidates",
        "inlineData|mimeType|data|promptFeedback|blockReason|citationMetadata|citationSources|modelVersion",
    ];
    leaf.prop_recursive(7, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name.clone(), inner), 0..5)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// Nonsense in the places where sense is looked for.
fn response() -> impl Strategy<Value = Value> {
    let part = (event(), event(), event()).prop_map(|(text, call, seal)| {
        json!({"text": text, "functionCall": {"name": call, "args": text}, "thoughtSignature": seal})
    });
    prop_oneof![
        event(),
        (prop::collection::vec(prop_oneof![part, event()], 0..3), event(), event()).prop_map(
            |(parts, index, grounding)| {
                json!({"candidates": [{"content": {"parts": parts}, "index": index,
                    "groundingMetadata": grounding, "finishReason": "STOP"}]})
            }
        ),
    ]
}

/// The rules of a stream's order.
fn check(events: &[Event]) {
    let (mut open, mut used, mut ended) = (Vec::new(), Vec::new(), false);
    for (place, event) in events.iter().enumerate() {
        assert!(!ended, "nothing follows the end");
        match event {
            Event::Start { .. } => assert_eq!(place, 0),
            Event::Open { choice, index, .. } => {
                assert!(!used.contains(&(*choice, *index)));
                used.push((*choice, *index));
                open.push((*choice, *index));
            }
            Event::Delta { choice, index, delta } => {
                let citation = matches!(delta, crate::neutral::Delta::Citation(..));
                assert!(open.contains(&(*choice, *index)) || citation);
            }
            Event::Close { choice, index } => {
                let at = open.iter().position(|place| *place == (*choice, *index)).unwrap();
                open.remove(at);
            }
            Event::Stop { choice, .. } => assert!(!open.iter().any(|(of, _)| of == choice)),
            Event::End => ended = true,
            _ => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn u51_answers_survive_writing_and_reading_whole_and_streamed(answer in answers()) {
        let bytes = super::super::super::text::json(&write_answer(&answer, &shown()));
        let read = read_answer(super::super::super::text::parse(&bytes).unwrap(), "t1").unwrap();
        prop_assert_eq!(plain(&read), plain(&answer));
        prop_assert_eq!(read.usage, answer.usage);
        let told = tell(answer.clone().into_events(), shown());
        let streamed = heard(&told, 5);
        prop_assert_eq!(plain(&streamed), plain(&answer));
        prop_assert_eq!(streamed.usage, answer.usage);
        check(&hear(&told, 1));
    }

    #[test]
    fn u19_nonsense_neither_panics_nor_breaks_the_order(responses in prop::collection::vec(response(), 0..8)) {
        let (mut reader, mut events) = (Reader::new("t1"), Vec::new());
        for response in &responses {
            reader.event(response.to_string().as_bytes(), &mut events).unwrap();
        }
        reader.finish(&mut events);
        let failed = events.iter().position(|event| matches!(event, Event::Error(_)));
        check(&events[..failed.unwrap_or(events.len())]);
        for response in responses {
            let _ = read_answer(response, "t1");
        }
        chunks(&tell(events.into_iter().filter(|event| !matches!(event, Event::Error(_))).collect(), shown()));
    }

    #[test]
    fn u19_requests_of_nonsense_are_read_or_refused(body in event()) {
        let call = super::super::super::Call { model: Some("m"), stream: None };
        let _ = super::super::read_request(body.clone(), call);
        let _ = super::super::read_request(json!({"contents": body.clone(), "tools": body.clone(),
            "generationConfig": body, "systemInstruction": "x"}), call);
    }
}

#[test]
fn an_end_is_told_only_if_the_vendor_gave_a_reason() {
    let ends = |body: &str| hear(body.as_bytes(), 7).contains(&Event::End);
    let text = r#"data: {"candidates":[{"content":{"parts":[{"text":"a"}]}}]}"#;
    assert!(!ends(&format!("{text}\n\n")));
    assert!(!ends(""));
    assert!(ends(&format!("{text}\n\ndata: {{\"candidates\":[{{\"finishReason\":\"STOP\"}}]}}\n\n")));
    assert!(ends("data: {\"promptFeedback\":{\"blockReason\":\"SAFETY\"}}\n\n"));
    let failed = hear(
        format!(
            "{text}\n\ndata: {{\"error\":{{\"code\":503,\"message\":\"no\",\"status\":\"UNAVAILABLE\"}}}}\n\n"
        )
        .as_bytes(),
        7,
    );
    assert!(matches!(failed.last(), Some(Event::Error(error)) if error.kind == "UNAVAILABLE"));
    let mut reader = Reader::new("t1");
    assert!(reader.event(b"{\"candidates\":[", &mut Vec::new()).is_err());
}

#[test]
fn a_refused_prompt_is_an_answer_that_says_so() {
    let body = json!({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"},
        "usageMetadata": {"promptTokenCount": 7, "totalTokenCount": 7}});
    let answer = read_answer(body, "t1").unwrap();
    assert_eq!(answer.choices[0].stop, Some(Stop::Refusal));
    assert_eq!(answer.usage.unwrap().input, 7);
    let written = write_answer(&answer, &shown());
    assert_eq!(written["candidates"][0]["finishReason"], "SAFETY");
    assert_eq!(read_answer(json!({"hello": 1}), "t1").unwrap_err().at(), Some("candidates"));
}

#[test]
fn the_last_counts_are_told_in_either_spelling() {
    for name in ["usageMetadata", "usage_metadata"] {
        let event = |count: u32, more: &str| {
            format!(
                "data: {{\"candidates\":[{{\"content\":{{\"parts\":[{{\"text\":\"a\"}}]}}{more}}}],\
                 \"{name}\":{{\"promptTokenCount\":7,\"candidatesTokenCount\":{count},\
                 \"serviceTier\":\"FLEX\"}},\"responseId\":\"r\"}}\n\n"
            )
        };
        let body = event(1, "") + &event(5, ",\"finishReason\":\"STOP\"");
        let events = hear(body.as_bytes(), 3);
        let Event::Start { id, usage: Some(first), .. } = &events[0] else { panic!("{events:?}") };
        assert_eq!((id.as_str(), first.input, first.output), ("r", 7, 1));
        let answer = heard(body.as_bytes(), 3);
        assert_eq!(answer.usage.map(|usage| (usage.input, usage.output)), Some((7, 5)), "{name}");
        assert_eq!(answer.service_tier.as_deref(), Some("flex"));
        assert_eq!(answer.choices[0].parts, [Part::text("aa")]);
    }
}
