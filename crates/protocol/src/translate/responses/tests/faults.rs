//! Bad requests: every fault names its field.

use serde_json::{Value, json};

use super::super::super::{Call, read_request};
use crate::Dialect;

/// The field that is blamed.
fn blamed(body: &Value) -> Option<String> {
    let fault = read_request(Dialect::OpenAiResponses, body.to_string().as_bytes(), Call::default()).err()?;
    Some(fault.at().unwrap_or("no field").to_owned())
}

fn item(item: &Value) -> Value {
    json!({"model": "m", "input": [{"role": "user", "content": "hi"}, item]})
}

fn with(name: &str, value: Value) -> Value {
    let mut body = json!({"model": "m", "input": "hi"});
    body[name] = value;
    body
}

#[test]
fn tr_every_fault_names_its_field() {
    let content = |part: Value| item(&json!({"role": "user", "content": [part]}));
    for (body, field) in [
        (json!([]), "body"),
        (json!({"input": "hi"}), "model"),
        (json!({"model": 1, "input": "hi"}), "model"),
        (json!({"model": "m"}), "input"),
        (json!({"model": "m", "input": 7}), "input"),
        (json!({"model": "m", "input": []}), "input"),
        (with("stream", json!("yes")), "stream"),
        (with("instructions", json!([])), "instructions"),
        (with("max_output_tokens", json!(-1)), "max_output_tokens"),
        (with("temperature", json!("hot")), "temperature"),
        (with("store", json!("no")), "store"),
        (with("metadata", json!([])), "metadata"),
        (with("include", json!([1])), "include[0]"),
        (with("include", json!("x")), "include"),
        (with("reasoning", json!("high")), "reasoning"),
        (with("reasoning", json!({"effort": "huge"})), "reasoning.effort"),
        (with("text", json!({"format": {}})), "text.format.type"),
        (with("text", json!({"format": {"type": "yaml"}})), "text.format.type"),
        (with("text", json!({"format": {"type": "json_schema"}})), "text.format.schema"),
        (with("text", json!({"format": {"type": "json_schema", "schema": 1}})), "text.format.schema"),
        (with("tools", json!({})), "tools"),
        (with("tools", json!([1])), "tools[0]"),
        (with("tools", json!([{"name": "f"}])), "tools[0].type"),
        (with("tools", json!([{"type": "function"}])), "tools[0].name"),
        (with("tools", json!([{"type": "function", "name": ""}])), "tools[0].name"),
        (with("tools", json!([{"type": "function", "name": "f", "parameters": 1}])), "tools[0].parameters"),
        (
            with("tools", json!([{"type": "namespace", "name": "n", "tools": [{"type": "custom"}]}])),
            "tools[0].tools[0].name",
        ),
        (with("tool_choice", json!("any")), "tool_choice"),
        (with("tool_choice", json!({})), "tool_choice.type"),
        (with("tool_choice", json!({"type": "function"})), "tool_choice.name"),
        (with("tool_choice", json!({"type": "allowed_tools", "mode": "x"})), "tool_choice.mode"),
        (
            with("tool_choice", json!({"type": "allowed_tools", "tools": [{"type": "function"}]})),
            "tool_choice.tools[0].name",
        ),
        (item(&json!("hi")), "input[1]"),
        (item(&json!({"content": "hi"})), "input[1].type"),
        (item(&json!({"type": 5})), "input[1].type"),
        (item(&json!({"id": "msg_1"})), "input[1]"),
        (item(&json!({"type": "item_reference", "id": "msg_1"})), "input[1]"),
        (item(&json!({"type": "message", "content": "hi"})), "input[1].role"),
        (item(&json!({"role": "robot", "content": "hi"})), "input[1].role"),
        (item(&json!({"role": "user", "content": 5})), "input[1].content"),
        (content(json!("hi")), "input[1].content[0]"),
        (content(json!({"text": "hi"})), "input[1].content[0].type"),
        (content(json!({"type": "input_text"})), "input[1].content[0].text"),
        (content(json!({"type": "input_image"})), "input[1].content[0].image_url"),
        (content(json!({"type": "input_file"})), "input[1].content[0].file_data"),
        (content(json!({"type": "input_audio"})), "input[1].content[0].input_audio"),
        (
            content(json!({"type": "input_audio", "input_audio": {"data": "x"}})),
            "input[1].content[0].input_audio.format",
        ),
        (
            item(&json!({"type": "reasoning", "summary": [{"type": "summary_text"}]})),
            "input[1].summary[0].text",
        ),
        (item(&json!({"type": "reasoning", "summary": "x"})), "input[1].summary"),
        (item(&json!({"type": "function_call", "name": "f"})), "input[1].call_id"),
        (item(&json!({"type": "function_call", "call_id": "c"})), "input[1].name"),
        (item(&json!({"type": "function_call", "call_id": "", "name": "f"})), "input[1].call_id"),
        (
            item(&json!({"type": "function_call", "call_id": "c", "name": "f", "arguments": {}})),
            "input[1].arguments",
        ),
        (item(&json!({"type": "function_call_output", "output": "x"})), "input[1].call_id"),
        (item(&json!({"type": "function_call_output", "call_id": "c"})), "input[1].output"),
        (item(&json!({"type": "function_call_output", "call_id": "c", "output": {}})), "input[1].output"),
    ] {
        assert_eq!(blamed(&body).as_deref(), Some(field), "{body}");
    }
}

#[test]
fn tr_broken_json_is_a_fault_without_a_field() {
    for body in ["", "{", "{\"model\":\"m\",\"input\":\"\u{0}", "\u{feff}"] {
        let fault = read_request(Dialect::OpenAiResponses, body.as_bytes(), Call::default()).unwrap_err();
        assert_eq!(fault.at(), None, "{body}");
    }
}
