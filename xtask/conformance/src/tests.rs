//! The floors, and that the matrix can fail at all.

use protocol::Dialect;
use serde_json::json;

use super::{below_floor, measured};
use crate::data::{Call, Exchange, Recorded};
use crate::report;
use crate::tally::{Half, Pair};

#[test]
fn no_pair_falls_below_its_floor_on_what_lies_in_the_repository() {
    let recorded = Recorded::vendored().unwrap();
    for dialect in Dialect::ALL {
        for streams in [true, false] {
            let of = |exchange: &&Exchange| exchange.dialect == *dialect && exchange.streams == streams;
            assert!(recorded.exchanges.iter().any(|exchange| of(&exchange)), "{dialect} {streams}");
        }
    }
    let tally = measured(&recorded);
    assert_eq!(below_floor(&tally), Vec::<String>::new(), "{}", report::misses(&tally, 20));
    for pair in Pair::all() {
        assert!(tally.whole(Half::Answers, pair).checked > 60, "{}", pair.name());
        assert!(tally.whole(Half::Requests, pair).checked > 40, "{}", pair.name());
    }
}

#[test]
fn no_pair_falls_below_its_floor_on_the_large_collection() {
    let recorded = Recorded::load().unwrap();
    if !recorded.whole {
        println!("SKIP: the large collection is not at hand");
        return;
    }
    let tally = measured(&recorded);
    assert_eq!(below_floor(&tally), Vec::<String>::new(), "{}", report::misses(&tally, 20));
    // A table of hardly anything would always be good.
    assert!(Pair::all().all(|pair| tally.whole(Half::Answers, pair).checked > 600));
    assert!(Pair::all().all(|pair| tally.whole(Half::Requests, pair).checked > 500));
}

#[test]
fn a_text_that_does_not_arrive_is_a_miss() {
    let chunk = |text: &str, stop: &str| {
        let delta = json!({ "content": text });
        let choice = json!({ "index": 0, "delta": delta, "finish_reason": stop });
        format!("data: {}\n\n", json!({ "choices": [choice] }))
    };
    // The translation ends where the vendor says so; the naive reading goes on.
    let body = format!("{}data: [DONE]\n\n{}", chunk("a", "stop"), chunk("b", "stop"));
    let exchange = Exchange { id: "two".into(), dialect: Dialect::OpenAiChat, streams: true, body };
    let tally = measured(&Recorded { exchanges: vec![exchange], ..Recorded::default() });
    let fields: Vec<&str> = tally.misses.iter().map(|miss| miss.field.as_str()).collect();
    assert_eq!(fields, ["text"; 9], "{:?}", tally.misses);
    assert_eq!(below_floor(&tally).len(), 3);
}

#[test]
fn what_is_neither_carried_over_nor_named_is_a_miss() {
    let body =
        json!({ "model": "m", "messages": [{ "role": "user", "content": "hi" }], "temperature": "hot" });
    let call = Call { id: "bad".into(), dialect: Dialect::OpenAiChat, body, model: None, streams: None };
    let tally = measured(&Recorded { calls: vec![call], ..Recorded::default() });
    assert_eq!(tally.misses.len(), 3);
    assert!(tally.misses.iter().all(|miss| miss.half == Half::Requests));
}

#[test]
fn every_setting_is_carried_over_or_named() {
    let schema = json!({
        "type": "object", "additionalProperties": false, "required": ["a"],
        "properties": { "a": { "type": ["string", "null"] }, "b": { "type": "array", "items": { "type": "integer" } } },
    });
    let picture = "data:image/png;base64,aGk=";
    let chat = json!({
        "model": "m", "max_completion_tokens": 77, "temperature": 0.25, "top_p": 0.5, "stop": ["END", "FIN"],
        "tool_choice": { "type": "function", "function": { "name": "f" } },
        "tools": [{ "type": "function", "function": { "name": "f", "description": "does f", "parameters": schema } }],
        "response_format": { "type": "json_schema", "json_schema": { "name": "out", "schema": schema } },
        "messages": [
            { "role": "system", "content": "be kind" },
            { "role": "user", "content": [
                { "type": "text", "text": "look" }, { "type": "image_url", "image_url": { "url": picture } },
            ] },
            { "role": "assistant", "content": "I see", "tool_calls": [
                { "id": "c1", "type": "function", "function": { "name": "f", "arguments": "{\"a\":\"x\"}" } },
                { "id": "c2", "type": "function", "function": { "name": "f", "arguments": "{}" } },
            ] },
            { "role": "tool", "tool_call_id": "c2", "content": "second" },
            { "role": "tool", "tool_call_id": "c1", "content": "first" },
            { "role": "system", "content": "hurry" },
            { "role": "user", "content": "and now?" },
        ],
    });
    let anthropic = json!({
        "model": "m", "max_tokens": 77, "temperature": 0.25, "stop_sequences": ["END"],
        "system": [{ "type": "text", "text": "be kind" }], "tool_choice": { "type": "any" },
        "tools": [{ "name": "f", "description": "does f", "input_schema": schema }],
        "output_config": { "format": { "type": "json_schema", "schema": schema } },
        "messages": [
            { "role": "user", "content": "go" },
            { "role": "assistant", "content": [
                { "type": "text", "text": "I go" }, { "type": "tool_use", "id": "c1", "name": "f", "input": { "a": "x" } },
            ] },
            { "role": "user", "content": [
                { "type": "tool_result", "tool_use_id": "c1", "content": [{ "type": "text", "text": "first" }] },
                { "type": "text", "text": "and now?" },
            ] },
        ],
    });
    let responses = json!({
        "model": "m", "max_output_tokens": 77, "temperature": 0.25, "top_p": 0.5, "instructions": "be kind",
        "tool_choice": "required", "tools": [{ "type": "function", "name": "f", "parameters": schema }],
        "text": { "format": { "type": "json_schema", "name": "out", "schema": schema } },
        "input": [
            { "role": "user", "content": [
                { "type": "input_text", "text": "look" }, { "type": "input_image", "image_url": picture },
            ] },
            { "type": "function_call", "call_id": "c1", "name": "f", "arguments": "{\"a\":\"x\"}" },
            { "type": "function_call_output", "call_id": "c1", "output": "first" },
            { "role": "developer", "content": "hurry" },
            { "role": "user", "content": "and now?" },
        ],
    });
    let gemini = json!({
        "systemInstruction": { "parts": [{ "text": "be kind" }] },
        "generationConfig": {
            "maxOutputTokens": 77, "temperature": 0.25, "topP": 0.5, "stopSequences": ["END", "FIN"],
            "responseMimeType": "application/json", "responseJsonSchema": schema,
        },
        "toolConfig": { "functionCallingConfig": { "mode": "ANY", "allowedFunctionNames": ["f"] } },
        "tools": [{ "functionDeclarations": [{ "name": "f", "description": "does f", "parametersJsonSchema": schema }] }],
        "contents": [
            { "role": "user", "parts": [
                { "text": "look" }, { "inlineData": { "mimeType": "image/png", "data": "aGk=" } },
            ] },
            { "role": "model", "parts": [{ "functionCall": { "name": "f", "args": { "a": "x" } } }] },
            { "role": "user", "parts": [{ "functionResponse": { "name": "f", "response": { "output": "first" } } }] },
        ],
    });
    let made = |dialect, body| Call {
        id: format!("{dialect}"),
        dialect,
        body,
        model: Some("m".into()),
        streams: Some(false),
    };
    let calls = vec![
        made(Dialect::OpenAiChat, chat),
        made(Dialect::Anthropic, anthropic),
        made(Dialect::OpenAiResponses, responses),
        made(Dialect::Gemini, gemini),
    ];
    let tally = measured(&Recorded { calls, ..Recorded::default() });
    assert!(tally.misses.is_empty(), "{}", report::misses(&tally, 20));
    let settings = ["system", "turns", "tools", "tool schemas", "tool calls", "tool results", "tool choice"];
    for feature in settings.iter().chain(&["token limit", "sampling", "answer format"]) {
        for pair in Pair::all() {
            let cell = tally.cell(Half::Requests, pair, feature);
            assert!(cell.checked > 0, "{feature} {}", pair.name());
        }
    }
}

#[test]
fn no_broken_bytes_bring_a_reader_down_or_fill_the_memory() {
    // More of it: TOLLGATE_FUZZ_ROUNDS, or `cargo xtask conformance --fuzz <number>`, which is optimised.
    #[expect(clippy::disallowed_methods, reason = "the environment of a test is its configuration")]
    let rounds = std::env::var("TOLLGATE_FUZZ_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(800);
    let asked = crate::fuzz::Asked { rounds, ..Default::default() };
    crate::fuzz::run(&Recorded::load().unwrap(), &asked).unwrap();
}
