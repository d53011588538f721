//! Bad input: every fault names its field.

use serde_json::{Value, json};

use super::super::super::{Call, Fault, read_request};
use super::super::read_answer;
use crate::Dialect;
use crate::neutral::{Part, Request, Weight};

fn read(body: &Value) -> Result<Request, Fault> {
    read_request(Dialect::OpenAiChat, body.to_string().as_bytes(), Call::default())
}

/// A good request with one field replaced.
fn with(name: &str, value: Value) -> Value {
    let mut body = json!({"model": "m", "messages": [{"role": "user", "content": "hi"}]});
    body[name] = value;
    body
}

fn message(message: Value) -> Value {
    with("messages", Value::Array(vec![json!({"role": "user", "content": "hi"}), message]))
}

#[test]
fn every_fault_of_a_request_names_its_field() {
    let tool = |tool: Value| with("tools", Value::Array(vec![tool]));
    let call = |call: Value| message(json!({"role": "assistant", "tool_calls": Value::Array(vec![call])}));
    let part = |part: Value| message(json!({"role": "user", "content": Value::Array(vec![part])}));
    let good = json!({"type": "function", "function": {"name": "f"}});
    let mut elsewhere = tool(good);
    elsewhere["tool_choice"] = json!({"type": "function", "function": {"name": "g"}});
    let table = [
        (json!([]), "body"),
        (json!({"messages": []}), "model"),
        (with("model", json!(7)), "model"),
        (with("messages", Value::Null), "messages"),
        (with("messages", json!([])), "messages"),
        (with("messages", json!("hi")), "messages"),
        (with("messages", json!([7])), "messages[0]"),
        (message(json!({"content": "x"})), "messages[1].role"),
        (message(json!({"role": "robot", "content": "x"})), "messages[1].role"),
        (message(json!({"role": "user"})), "messages[1].content"),
        (message(json!({"role": "user", "content": 7})), "messages[1].content"),
        (part(json!("x")), "messages[1].content[0]"),
        (part(json!({"text": "x"})), "messages[1].content[0].type"),
        (part(json!({"type": "text"})), "messages[1].content[0].text"),
        (part(json!({"type": "image_url"})), "messages[1].content[0].image_url"),
        (part(json!({"type": "image_url", "image_url": {}})), "messages[1].content[0].image_url.url"),
        (part(json!({"type": "input_audio", "input_audio": {}})), "messages[1].content[0].input_audio.data"),
        (part(json!({"type": "file", "file": {}})), "messages[1].content[0].file"),
        (message(json!({"role": "tool", "content": "x"})), "messages[1].tool_call_id"),
        (message(json!({"role": "function", "content": "x"})), "messages[1].name"),
        (call(json!({"type": "function", "function": {"name": "f"}})), "messages[1].tool_calls[0].id"),
        (call(json!({"id": "", "function": {"name": "f"}})), "messages[1].tool_calls[0].id"),
        (call(json!({"id": "c", "type": "x"})), "messages[1].tool_calls[0].type"),
        (call(json!({"id": "c"})), "messages[1].tool_calls[0].function"),
        (call(json!({"id": "c", "function": {}})), "messages[1].tool_calls[0].function.name"),
        (
            call(json!({"id": "c", "function": {"name": "f", "arguments": 7}})),
            "messages[1].tool_calls[0].function.arguments",
        ),
        (tool(json!("f")), "tools[0]"),
        (tool(json!({"type": "function"})), "tools[0].function"),
        (tool(json!({"type": "function", "function": {}})), "tools[0].function.name"),
        (
            tool(json!({"type": "function", "function": {"name": "f", "parameters": "x"}})),
            "tools[0].function.parameters",
        ),
        (tool(json!({"type": "custom", "custom": {}})), "tools[0].custom.name"),
        (with("tool_choice", json!("sometimes")), "tool_choice"),
        (elsewhere, "tool_choice"),
        (with("tool_choice", json!({"type": "function"})), "tool_choice.function"),
        (with("tool_choice", json!({"type": "allowed_tools"})), "tool_choice.allowed_tools"),
        (with("functions", json!([{}])), "functions[0].name"),
        (with("max_tokens", json!(-1)), "max_tokens"),
        (with("max_completion_tokens", json!("many")), "max_completion_tokens"),
        (with("temperature", json!("hot")), "temperature"),
        (with("stop", json!([1])), "stop"),
        (with("seed", json!(1.5)), "seed"),
        (with("stream", json!("yes")), "stream"),
        (with("stream_options", json!(true)), "stream_options"),
        (with("reasoning_effort", json!("utmost")), "reasoning_effort"),
        (with("reasoning", json!({"effort": "utmost"})), "reasoning.effort"),
        (with("response_format", json!({})), "response_format.type"),
        (with("response_format", json!({"type": "xml"})), "response_format.type"),
        (with("response_format", json!({"type": "json_schema"})), "response_format.json_schema"),
        (with("metadata", json!("x")), "metadata"),
        (with("user", json!(7)), "user"),
    ];
    for (body, field) in table {
        let fault = read(&body).expect_err(&body.to_string());
        assert_eq!(fault.at(), Some(field), "{body}: {fault}");
    }
}

#[test]
fn unknown_fields_and_parts_are_kept_to_be_reported() {
    let mut body = message(json!({
        "role": "user",
        "content": [{"type": "hologram", "x": 1}, {"type": "text", "text": "a", "tint": "red"}],
        "mood": "calm",
    }));
    body["logit_bias"] = json!({"1": 5});
    body["prediction"] = json!({"type": "content", "content": "x"});
    // These say nothing.
    for (name, value) in [
        ("store", json!(false)),
        ("n", json!(1)),
        ("logprobs", json!(false)),
        ("response_format", json!({"type": "text"})),
        ("metadata", json!({})),
        ("function_call", Value::Null),
    ] {
        body[name] = value;
    }
    let request = read(&body).unwrap();
    assert!(
        matches!(&request.turns[1].parts[0], Part::Native { dialect: Dialect::OpenAiChat, value } if value["x"] == 1)
    );
    let mut rest: Vec<(&str, Weight)> =
        request.rest.iter().map(|rest| (rest.field.as_str(), rest.weight)).collect();
    rest.sort_by_key(|(field, _)| *field);
    let wanted = vec![
        ("logit_bias", Weight::Meaning),
        ("messages[1].content[1].tint", Weight::Meaning),
        ("messages[1].mood", Weight::Meaning),
        ("prediction", Weight::Hint),
    ];
    assert_eq!(rest, wanted);
}

#[test]
fn a_body_that_is_no_answer_is_a_fault() {
    for body in
        [json!({}), json!({"choices": "x"}), json!([]), json!("x"), json!({"object": "chat.completion"})]
    {
        assert!(read_answer(body.clone(), "t").is_err(), "{body}");
    }
}
