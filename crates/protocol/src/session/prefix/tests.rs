//! What may change within a conversation, and what makes another one.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn of(endpoint: Endpoint, body: &Value) -> Option<[u8; 16]> {
    let found = prefix(endpoint, body.to_string().as_bytes());
    let pretty = serde_json::to_string_pretty(body).unwrap();
    assert_eq!(found, prefix(endpoint, pretty.as_bytes()), "white space must not matter");
    found
}

/// A conversation's body after so many turns; the last message carries the cache's mark, as clients set it.
fn talk(endpoint: Endpoint, first: &str, turns: usize) -> Value {
    let dialect = endpoint.dialect();
    let mut list = Vec::new();
    if dialect == Dialect::OpenAiChat {
        list.push(json!({ "role": "system", "content": "Be brief." }));
    }
    for turn in 0..turns {
        let text = if turn == 0 { first.to_owned() } else { format!("question {turn}") };
        let (asked, told) = match dialect {
            Dialect::Gemini => (
                json!({ "role": "user", "parts": [{ "text": text }] }),
                json!({ "role": "model", "parts": [{ "text": "a" }] }),
            ),
            Dialect::Anthropic if turn + 1 == turns => (
                json!({ "role": "user", "content": [{ "type": "text", "text": text, "cache_control": { "type": "ephemeral", "ttl": "1h" } }] }),
                Value::Null,
            ),
            _ => (json!({ "role": "user", "content": text }), json!({ "role": "assistant", "content": "a" })),
        };
        list.push(asked);
        if turn + 1 < turns {
            list.push(told);
        }
    }
    match dialect {
        Dialect::Anthropic => json!({
            "model": "m", "max_tokens": 1000 + turns, "messages": list, "metadata": { "user_id": turns.to_string() },
            "system": [
                { "type": "text", "text": format!("x-anthropic-billing-header: cc_version=2.1.{turns};") },
                { "type": "text", "text": "Be brief.", "cache_control": { "type": "ephemeral" } },
            ],
        }),
        Dialect::OpenAiChat => {
            json!({ "messages": list, "model": "m", "seed": turns, "unheard_of": [{ "text": turns }] })
        }
        Dialect::OpenAiResponses => {
            json!({ "input": list, "instructions": "Be brief.", "previous_response_id": null, "user": turns })
        }
        Dialect::Gemini => {
            json!({ "contents": list, "systemInstruction": { "parts": [{ "text": "Be brief." }] }, "labels": { "turn": turns } })
        }
    }
}

const TALKING: [Endpoint; 4] =
    [Endpoint::Messages, Endpoint::ChatCompletions, Endpoint::Responses, Endpoint::GeminiStream];

#[test]
fn a_conversation_keeps_its_prefix_over_its_turns() {
    for endpoint in TALKING {
        let first = of(endpoint, &talk(endpoint, "hello", 1));
        assert!(first.is_some(), "{endpoint}");
        for turns in 2..6 {
            assert_eq!(
                of(endpoint, &talk(endpoint, "hello", turns)),
                first,
                "{endpoint} after {turns} turns"
            );
        }
        assert_ne!(of(endpoint, &talk(endpoint, "hello!", 1)), first, "{endpoint}");
    }
    let (stream, count) = (Endpoint::GeminiStream, Endpoint::GeminiCountTokens);
    let wrapped = json!({ "generateContentRequest": talk(stream, "hello", 2) });
    assert_eq!(of(count, &wrapped), of(stream, &talk(stream, "hello", 1)));
}

#[test]
fn another_system_prompt_is_another_conversation() {
    for endpoint in TALKING {
        let text = talk(endpoint, "hello", 3).to_string();
        let other = text.replace("Be brief.", "Be verbose.");
        assert_ne!(prefix(endpoint, text.as_bytes()), prefix(endpoint, other.as_bytes()), "{endpoint}");
    }
}

#[test]
fn a_text_moved_from_the_system_prompt_to_the_user_is_another_conversation() {
    let chat = |first: &str, second: &str| {
        of(
            Endpoint::ChatCompletions,
            &json!({ "messages": [{ "role": first, "content": "a" }, { "role": second, "content": "b" }] }),
        )
    };
    assert_ne!(chat("system", "user"), chat("user", "user"));
    assert_eq!(chat("system", "user"), chat("developer", "user"));
}

#[test]
fn a_text_alone_and_as_a_block_are_the_same() {
    let responses = |input: Value| of(Endpoint::Responses, &json!({ "input": input }));
    let plain = responses(json!("hi"));
    assert!(plain.is_some());
    assert_eq!(plain, responses(json!([{ "role": "user", "content": "hi" }])));
    assert_eq!(
        plain,
        responses(
            json!([{ "type": "message", "id": "msg_1", "role": "user", "content": [{ "type": "input_text", "text": "hi" }] }])
        )
    );
    let gemini = |contents: Value| of(Endpoint::GeminiGenerate, &json!({ "contents": contents }));
    assert_eq!(
        gemini(json!({ "parts": { "text": "hi" } })),
        gemini(json!([{ "role": "user", "parts": [{ "text": "hi" }] }]))
    );
}

#[test]
fn what_a_client_puts_before_the_first_question_counts_with_it() {
    let codex = |question: &str, more: &[Value]| {
        let mut input = vec![
            json!({ "role": "developer", "content": [{ "type": "input_text", "text": "You are" }] }),
            json!({ "role": "user", "content": [{ "type": "input_text", "text": "<environment_context>" }] }),
            json!({ "role": "user", "content": [{ "type": "input_text", "text": question }] }),
        ];
        input.extend_from_slice(more);
        of(Endpoint::Responses, &json!({ "input": input }))
    };
    assert_ne!(codex("a", &[]), codex("b", &[]));
    let reasoning = json!({ "type": "reasoning", "content": null, "encrypted_content": "x" });
    assert_eq!(codex("a", &[]), codex("a", std::slice::from_ref(&reasoning)));
    // A question that looks like markup itself.
    assert_eq!(codex("<b>", &[]), codex("<b>", &[reasoning, json!({ "role": "user", "content": "more" })]));
    // The model's greeting before any question.
    let greeted = |greeting: &str| {
        of(
            Endpoint::ChatCompletions,
            &json!({ "messages": [{ "role": "assistant", "content": greeting }, { "role": "user", "content": "q" }] }),
        )
    };
    assert!(greeted("hi").is_some() && greeted("hi") == greeted("hello"));
}

#[test]
fn pictures_tell_conversations_apart_however_large() {
    let picture = |middle: &str| {
        let data = format!("{}{middle}{}", "A".repeat(100_000), "B".repeat(100_000));
        of(
            Endpoint::Messages,
            &json!({ "messages": [{ "role": "user", "content": [{ "type": "image", "source": { "type": "base64", "data": data } }, { "type": "text", "text": "what is it" }] }] }),
        )
    };
    assert_ne!(picture("x"), picture("xy"));
    assert!(picture("x").is_some());
}

#[test]
fn without_a_first_message_there_is_no_prefix() {
    for (endpoint, body) in [
        (Endpoint::Messages, r#"{"messages":[]}"#),
        (Endpoint::Messages, r#"{"system":"x"}"#),
        (Endpoint::Messages, r#"{"messages":[{"role":"assistant","content":"x"}]}"#),
        (Endpoint::Messages, r#"{"messages":[{"role":"user","content":"x"}]"#),
        (Endpoint::Messages, "not json"),
        (Endpoint::Messages, ""),
        (Endpoint::Responses, r#"{"input":""}"#),
        (Endpoint::Responses, r#"{"input":"more","previous_response_id":"resp_1"}"#),
        (Endpoint::Responses, r#"{"input":"more","conversation":{"id":"conv_1"}}"#),
        (Endpoint::Responses, r#"{"input":[{"type":"function_call_output","output":"x"}]}"#),
        (Endpoint::Embeddings, r#"{"input":"x"}"#),
        (Endpoint::GeminiEmbed, r#"{"content":{"parts":[{"text":"x"}]}}"#),
    ] {
        assert_eq!(prefix(endpoint, body.as_bytes()), None, "{body}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn u19_nothing_makes_it_panic(which in 0..Endpoint::ALL.len(), spot in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let endpoint = Endpoint::ALL[which];
        let mut bytes = talk(endpoint, "hello", 3).to_string().into_bytes();
        let spot = spot.index(bytes.len());
        bytes[spot] = byte;
        let _ = prefix(endpoint, &bytes);
    }
}
