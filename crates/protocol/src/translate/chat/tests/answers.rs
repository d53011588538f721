//! Answers of other vendors, as a Chat caller gets them.

use std::sync::Arc;

use serde_json::{Value, json};
use types::request::TokenUsage;

use super::super::super::{Back, Call, read_request};
use super::super::write_answer;
use super::{back, stream};
use crate::Dialect;
use crate::neutral::{Answer, Choice, Media, MediaKind, Part, Sealed, Source, Stop, ToolKind};

fn answer(parts: Vec<Part>, stop: Option<Stop>) -> Answer {
    Answer {
        id: "msg_1".into(),
        model: "claude".into(),
        choices: vec![Choice { parts, stop, logprobs: None }],
        usage: Some(TokenUsage {
            input: 2,
            cache_read: 3,
            cache_write: 5,
            output: 7,
            reasoning: 4,
            ..Default::default()
        }),
        service_tier: None,
    }
}

fn call(arguments: &str) -> Part {
    Part::ToolCall {
        id: "toolu_1".into(),
        name: "f".into(),
        namespace: None,
        arguments: arguments.into(),
        kind: ToolKind::Function,
        seal: Some(Sealed { dialect: Dialect::Gemini, data: "sig".into() }),
        cache: None,
    }
}

/// The deltas of a stream.
fn deltas(answer: Answer, back: &Back) -> Vec<Value> {
    let text = String::from_utf8(stream(answer, back)).unwrap();
    let chunks = text.lines().filter_map(|line| line.strip_prefix("data: ")).filter(|data| *data != "[DONE]");
    chunks
        .map(|data| serde_json::from_str::<Value>(data).unwrap())
        .filter_map(|chunk| chunk["choices"].get(0).map(|choice| choice["delta"].clone()))
        .collect()
}

#[test]
fn an_answer_names_what_the_caller_asked_for_and_counts_the_cache_into_the_prompt() {
    let body = write_answer(&answer(vec![Part::text("hi")], Some(Stop::End)), &back(true));
    assert_eq!(
        (&body["id"], &body["model"], &body["created"]),
        (&json!("chatcmpl-t1"), &json!("m"), &json!(1_700_000_000))
    );
    assert_eq!(body["object"], "chat.completion");
    let usage = &body["usage"];
    assert_eq!(
        (&usage["prompt_tokens"], &usage["completion_tokens"], &usage["total_tokens"]),
        (&json!(10), &json!(7), &json!(17))
    );
    assert_eq!(usage["prompt_tokens_details"]["cached_tokens"], 3);
    assert_eq!(usage["completion_tokens_details"]["reasoning_tokens"], 4);
}

#[test]
fn every_stop_becomes_a_word_that_clients_know() {
    for (stop, word) in [
        (Some(Stop::End), "stop"),
        (Some(Stop::Sequence(Some("x".into()))), "stop"),
        (Some(Stop::MaxTokens), "length"),
        (Some(Stop::ContextFull), "length"),
        (Some(Stop::Refusal), "content_filter"),
        (Some(Stop::ToolUse), "tool_calls"),
        (Some(Stop::Pause), "stop"),
        (Some(Stop::Other("odd".into())), "stop"),
        (None, "stop"),
    ] {
        let body = write_answer(&answer(vec![Part::text("a")], stop.clone()), &back(true));
        assert_eq!(body["choices"][0]["finish_reason"], word, "{stop:?}");
        let streamed = String::from_utf8(stream(answer(vec![Part::text("a")], stop), &back(true))).unwrap();
        assert_eq!(streamed.matches(&format!("\"finish_reason\":\"{word}\"")).count(), 1, "{streamed}");
    }
    let body = write_answer(&answer(vec![call("{}")], None), &back(true));
    assert_eq!(body["choices"][0]["finish_reason"], "tool_calls");
    let nothing = Answer { choices: Vec::new(), ..answer(Vec::new(), None) };
    assert_eq!(write_answer(&nothing, &back(true))["choices"][0]["message"]["content"], "");
}

#[test]
fn a_caller_of_functions_is_answered_with_function_call() {
    let mut older = back(false);
    let mut request = (*older.request).clone();
    request.legacy_functions = true;
    older.request = Arc::new(request);
    let body = write_answer(&answer(vec![call("{\"a\":1}"), call("{}")], Some(Stop::ToolUse)), &older);
    let choice = &body["choices"][0];
    assert_eq!(choice["message"]["function_call"], json!({"name": "f", "arguments": "{\"a\":1}"}));
    assert_eq!(
        (choice["message"].get("tool_calls"), &choice["finish_reason"]),
        (None, &json!("function_call"))
    );
    let found = deltas(answer(vec![call("{\"a\":1}"), call("{}")], Some(Stop::ToolUse)), &older);
    let pieces: Vec<&Value> = found.iter().filter_map(|delta| delta.get("function_call")).collect();
    assert_eq!(pieces, [&json!({"name": "f", "arguments": ""}), &json!({"arguments": "{\"a\":1}"})]);
}

#[test]
fn a_call_without_arguments_is_an_empty_object_and_carries_its_proof() {
    let body = write_answer(&answer(vec![call("")], Some(Stop::ToolUse)), &back(false));
    let sent = &body["choices"][0]["message"]["tool_calls"][0];
    assert_eq!((&sent["id"], &sent["function"]["arguments"]), (&json!("toolu_1"), &json!("{}")));
    assert_eq!(body["choices"][0]["message"]["content"], Value::Null);
    let data = sent["extra_content"]["google"]["thought_signature"].as_str().unwrap();
    let seal = Sealed::read(Dialect::OpenAiChat, data);
    assert_eq!((seal.dialect, seal.data.as_str()), (Dialect::Gemini, "sig"));
    let found = deltas(answer(vec![call("")], Some(Stop::ToolUse)), &back(false));
    let arguments: String =
        found.iter().filter_map(|delta| delta["tool_calls"][0]["function"]["arguments"].as_str()).collect();
    assert_eq!(arguments, "{}");
}

#[test]
fn sources_of_other_vendors_become_url_citations() {
    let cite = |dialect, value| (dialect, value);
    let text = Part::Text {
        text: "é!".into(),
        citations: vec![
            cite(
                Dialect::Anthropic,
                json!({"type": "web_search_result_location", "url": "https://a", "title": "A", "cited_text": "q"}),
            ),
            cite(
                Dialect::OpenAiResponses,
                json!({"type": "url_citation", "url": "https://b", "title": "B", "start_index": 0, "end_index": 1}),
            ),
            cite(Dialect::Anthropic, json!({"type": "char_location", "document_index": 0})),
        ],
        seal: None,
        cache: None,
    };
    let wanted = [
        json!({"url": "https://a", "title": "A", "start_index": 2, "end_index": 4, "content": "q"}),
        json!({"url": "https://b", "title": "B", "start_index": 0, "end_index": 1}),
    ];
    let whole = write_answer(&answer(vec![Part::text("ab"), text.clone()], None), &back(false));
    let list = whole["choices"][0]["message"]["annotations"].as_array().unwrap();
    let found: Vec<&Value> = list.iter().map(|entry| &entry["url_citation"]).collect();
    assert_eq!(found, wanted.iter().collect::<Vec<_>>());
    let found = deltas(answer(vec![Part::text("ab"), text], None), &back(false));
    let streamed: Vec<&Value> = found
        .iter()
        .filter_map(|delta| delta.get("annotations"))
        .map(|list| &list[0]["url_citation"])
        .collect();
    assert_eq!(streamed, wanted.iter().collect::<Vec<_>>());
}

#[test]
fn pictures_and_sounds_of_the_model_reach_the_caller() {
    let media = |kind, mime: &str| {
        Part::Media(Media {
            kind,
            source: Source::Base64 { mime: mime.into(), data: "QUJD".into() },
            name: None,
            detail: None,
            cache: None,
            seal: None,
        })
    };
    let parts = vec![media(MediaKind::Image, "image/png"), media(MediaKind::Audio, "audio/wav")];
    let body = write_answer(&answer(parts.clone(), None), &back(false));
    let message = &body["choices"][0]["message"];
    assert_eq!(message["images"][0]["image_url"]["url"], "data:image/png;base64,QUJD");
    assert_eq!(message["audio"]["data"], "QUJD");
    let found = deltas(answer(parts, None), &back(false));
    assert!(found.iter().any(|delta| delta["images"][0]["image_url"]["url"] == "data:image/png;base64,QUJD"));
    assert!(found.iter().any(|delta| delta["audio"]["data"] == "QUJD"));
}

#[test]
fn proofs_of_several_thoughts_come_back_to_their_own_stretch() {
    let thought = |text: &str, data: &str| Part::Thinking {
        text: text.into(),
        seal: Some(Sealed { dialect: Dialect::Anthropic, data: data.into() }),
    };
    let parts =
        vec![thought("one", "s1"), thought("", "redacted:x"), thought("two\u{e9}", "s2"), Part::text("ok")];
    let body = write_answer(&answer(parts.clone(), None), &back(false));
    let mut message = body["choices"][0]["message"].clone();
    assert_eq!(message["reasoning_content"], "onetwo\u{e9}");
    let asked = |message: &Value| {
        let body = json!({"model": "m", "messages": [message]}).to_string();
        read_request(Dialect::OpenAiChat, body.as_bytes(), Call::default()).unwrap()
    };
    assert_eq!(asked(&message).turns[0].parts, parts);
    // A client that changes the text loses the proofs, not the request.
    message["reasoning_content"] = json!("o");
    assert!(asked(&message).turns[0].parts.contains(&Part::text("ok")));
}
