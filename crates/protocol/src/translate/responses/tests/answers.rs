//! The answer object and the stream's events in the form that the official SDKs' types demand.

use serde_json::{Value, json};
use types::request::TokenUsage;

use super::super::super::write_answer_value;
use super::{asked, back, read, streamed};
use crate::Dialect;
use crate::neutral::{Answer, Choice, Media, MediaKind, Part, Sealed, Source, Stop, ToolKind};

fn call(name: &str, seal: Option<Sealed>) -> Part {
    Part::ToolCall {
        id: format!("call_{name}"),
        name: name.into(),
        namespace: None,
        arguments: "{\"a\":1}".into(),
        kind: ToolKind::Function,
        seal,
        cache: None,
    }
}

fn answer(parts: Vec<Part>, stop: Stop) -> Answer {
    Answer {
        id: "x".into(),
        model: "upstream-model".into(),
        choices: vec![Choice { parts, stop: Some(stop), logprobs: None }],
        usage: Some(TokenUsage {
            input: 10,
            cache_read: 5,
            cache_write: 2,
            output: 9,
            reasoning: 4,
            ..TokenUsage::default()
        }),
        service_tier: Some("standard".into()),
    }
}

fn rich() -> Answer {
    let sealed = Sealed { dialect: Dialect::Anthropic, data: "sig".into() };
    let note = json!({"type": "web_search_result_location", "url": "https://a.example", "title": "A", "cited_text": "x"});
    answer(
        vec![
            Part::Thinking { text: "hm".into(), seal: Some(sealed) },
            Part::Text {
                text: "Hi ".into(),
                citations: vec![(Dialect::Anthropic, note)],
                seal: None,
                cache: None,
            },
            Part::text("you"),
            Part::Refusal { text: "no".into() },
            call("f", None),
        ],
        Stop::ToolUse,
    )
}

fn types(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["type"].as_str().unwrap()).collect()
}

#[test]
fn tr_an_answer_repeats_what_was_asked_and_has_every_field_of_the_official_type() {
    let body = json!({
        "model": "m", "input": "hi", "instructions": "Be kind.", "temperature": 0.5, "top_p": 0.9,
        "max_output_tokens": 99, "max_tool_calls": 3, "parallel_tool_calls": false, "metadata": {"a": "b"},
        "tools": [
            {"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}, "strict": true},
            {"type": "namespace", "name": "n", "description": "d", "tools": [
                {"type": "function", "name": "g", "parameters": {"type": "object", "properties": {}}},
                {"type": "custom", "name": "h", "format": {"type": "grammar", "syntax": "lark", "definition": "s"}},
            ]},
            {"type": "web_search_preview", "search_context_size": "low"},
            {"type": "file_search", "vector_store_ids": ["v"]},
        ],
        "tool_choice": {"type": "function", "name": "f"}, "truncation": "auto", "top_logprobs": 2, "store": true,
        "reasoning": {"effort": "low", "summary": "detailed"}, "prompt_cache_key": "k", "safety_identifier": "u",
        "text": {"format": {"type": "json_schema", "name": "p", "schema": {"type": "object"}}, "verbosity": "low"},
    });
    let written = write_answer_value(&rich(), &back(read(&body), Dialect::Anthropic));
    for (name, value) in body.as_object().unwrap().iter().filter(|(name, _)| *name != "input") {
        assert_eq!(written[name], *value, "{name}");
    }
    let own = json!({
        "id": "resp_t1", "object": "response", "created_at": 1_700_000_000, "status": "completed",
        "background": false, "completed_at": null, "error": null, "incomplete_details": null,
        "previous_response_id": null, "service_tier": "default", "user": null,
        "usage": {
            "input_tokens": 17, "input_tokens_details": {"cached_tokens": 5, "cache_write_tokens": 2},
            "output_tokens": 9, "output_tokens_details": {"reasoning_tokens": 4}, "total_tokens": 26,
        },
    });
    for (name, value) in own.as_object().unwrap() {
        assert_eq!(written.get(name), Some(value), "{name}");
    }
    let envelope = Sealed { dialect: Dialect::Anthropic, data: "sig".into() }.write(Dialect::OpenAiResponses);
    assert_eq!(
        written["output"],
        json!([
            {"id": "rs_t1_0", "type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}],
             "encrypted_content": envelope},
            {"id": "msg_t1_1", "type": "message", "status": "completed", "role": "assistant", "content": [
                {"type": "output_text", "text": "Hi ", "logprobs": [], "annotations": [
                    {"type": "url_citation", "url": "https://a.example", "title": "A", "start_index": 0, "end_index": 3},
                ]},
                {"type": "output_text", "text": "you", "annotations": [], "logprobs": []},
                {"type": "refusal", "refusal": "no"},
            ]},
            {"id": "fc_t1_2", "type": "function_call", "status": "completed", "call_id": "call_f", "name": "f",
             "arguments": "{\"a\":1}"},
        ])
    );
}

#[test]
fn tr_a_bare_request_gets_the_vendors_defaults_repeated() {
    let written =
        write_answer_value(&answer(vec![Part::text("hi")], Stop::End), &back(asked(), Dialect::OpenAiChat));
    for (name, value) in [
        ("tool_choice", json!("auto")),
        ("tools", json!([])),
        ("parallel_tool_calls", json!(true)),
        ("temperature", json!(1.0)),
        ("top_p", json!(1.0)),
        ("text", json!({"format": {"type": "text"}, "verbosity": "medium"})),
        ("reasoning", json!({"effort": null, "summary": null})),
        ("metadata", json!({})),
        ("instructions", json!(null)),
        ("error", json!(null)),
    ] {
        assert_eq!(written[name], value, "{name}");
    }
}

#[test]
fn tr_a_stream_says_everything_in_the_vendors_order() {
    let (bytes, events) = streamed(rich(), &back(asked(), Dialect::Anthropic));
    assert_eq!(
        types(&events),
        [
            "response.created",
            "response.in_progress",
            "response.output_item.added",
            "response.reasoning_summary_part.added",
            "response.reasoning_summary_text.delta",
            "response.reasoning_summary_text.done",
            "response.reasoning_summary_part.done",
            "response.output_item.done",
            "response.output_item.added",
            "response.content_part.added",
            "response.output_text.delta",
            "response.output_text.annotation.added",
            "response.output_text.done",
            "response.content_part.done",
            "response.content_part.added",
            "response.output_text.delta",
            "response.output_text.done",
            "response.content_part.done",
            "response.content_part.added",
            "response.refusal.delta",
            "response.refusal.done",
            "response.content_part.done",
            "response.output_item.done",
            "response.output_item.added",
            "response.function_call_arguments.delta",
            "response.function_call_arguments.done",
            "response.output_item.done",
            "response.completed",
        ]
    );
    let text = String::from_utf8(bytes).unwrap();
    for (n, event) in events.iter().enumerate() {
        assert_eq!(event["sequence_number"], n);
        assert!(text.contains(&format!("event: {}\ndata: {{", event["type"].as_str().unwrap())));
    }
    let last = &events[events.len() - 1]["response"];
    let done: Vec<&Value> = events
        .iter()
        .filter(|event| event["type"] == "response.output_item.done")
        .map(|event| &event["item"])
        .collect();
    assert_eq!(json!(done), last["output"]);
    // Every event of an item names the item and its place.
    let mut now = (Value::Null, Value::Null);
    for event in &events {
        if event["type"] == "response.output_item.added" {
            now = (event["item"]["id"].clone(), event["output_index"].clone());
        } else if event.get("item_id").is_some() {
            assert_eq!((event["item_id"].clone(), event["output_index"].clone()), now);
        }
    }
}

#[test]
fn tr_stops_become_states() {
    for (stop, status, reason) in [
        (Stop::End, "completed", None),
        (Stop::Sequence(Some("x".into())), "completed", None),
        (Stop::Pause, "completed", None),
        (Stop::Other("odd".into()), "completed", None),
        (Stop::MaxTokens, "incomplete", Some("max_output_tokens")),
        (Stop::ContextFull, "incomplete", Some("max_output_tokens")),
        (Stop::Refusal, "incomplete", Some("content_filter")),
    ] {
        let (_, events) = streamed(answer(vec![Part::text("hi")], stop), &back(asked(), Dialect::Gemini));
        let last = events.last().unwrap();
        assert_eq!(last["type"], format!("response.{status}"));
        assert_eq!(last["response"]["status"], status);
        assert_eq!(last["response"]["incomplete_details"]["reason"], reason.map_or(Value::Null, Value::from));
    }
}

#[test]
fn tr_a_proof_of_a_call_stands_before_the_call_in_streams_too() {
    let seal = Sealed { dialect: Dialect::Gemini, data: "c2VhbA==".into() };
    let (_, events) =
        streamed(answer(vec![call("f", Some(seal))], Stop::ToolUse), &back(asked(), Dialect::Gemini));
    let output = &events.last().unwrap()["response"]["output"];
    assert_eq!((&output[0]["type"], &output[0]["id"]), (&json!("reasoning"), &json!("rs_t1_0")));
    assert_eq!((&output[1]["type"], &output[1]["id"]), (&json!("function_call"), &json!("fc_t1_1")));
}

#[test]
fn tr_pictures_and_searches_of_other_vendors_have_items_of_their_own() {
    let picture = |source| {
        let kind = MediaKind::Image;
        Part::Media(Media { kind, source, name: None, detail: None, cache: None, seal: None })
    };
    let search =
        json!({"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "tides"}});
    let parts = vec![
        picture(Source::Base64 { mime: "image/png".into(), data: "AAAA".into() }),
        Part::Native { dialect: Dialect::Anthropic, value: search },
        Part::Native { dialect: Dialect::Anthropic, value: json!({"type": "web_search_tool_result"}) },
        picture(Source::Url { url: "https://a.example/p.png".into(), mime: None }),
    ];
    let written = write_answer_value(&answer(parts, Stop::End), &back(asked(), Dialect::Anthropic));
    assert_eq!(
        written["output"],
        json!([
            {"id": "ig_t1_0", "type": "image_generation_call", "status": "completed", "result": "AAAA"},
            {"id": "ws_t1_1", "type": "web_search_call", "status": "completed",
             "action": {"type": "search", "query": "tides"}},
            {"id": "msg_t1_2", "type": "message", "status": "completed", "role": "assistant", "content": [
                {"type": "output_text", "text": "![image](https://a.example/p.png)", "annotations": [], "logprobs": []},
            ]},
        ])
    );
}

#[test]
fn tr_log_probabilities_stand_with_the_text() {
    let mut answer = answer(vec![Part::text("hi")], Stop::End);
    let token = json!({"token": "hi", "logprob": -0.5, "bytes": null, "top_logprobs": [{"token": "ho", "logprob": -2.0}]});
    answer.choices[0].logprobs = Some(json!({"content": [token], "refusal": null}));
    let (_, events) = streamed(answer, &back(asked(), Dialect::OpenAiChat));
    assert_eq!(
        events.last().unwrap()["response"]["output"][0]["content"][0]["logprobs"],
        json!([{"token": "hi", "logprob": -0.5, "bytes": [],
                "top_logprobs": [{"token": "ho", "logprob": -2.0, "bytes": []}]}])
    );
}
