//! Captured requests of real clients are read, and written again they say the same.

use serde_json::{Map, Value, json};

use super::super::{read_request, write_request};
use crate::Dialect;
use crate::neutral::{Losses, Request};
use crate::recorded::{cassettes, data, files};
use crate::translate::{Names, Target};

/// Every request to the Messages API that was captured or recorded, with its name.
fn requests() -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for record in cassettes() {
        if record["api"].as_str().is_some_and(|api| api.starts_with("messages")) && record["req"].is_object()
        {
            found.push((record["id"].to_string(), record["req"].clone()));
        }
    }
    for file in data("captures").iter().flat_map(|folder| files(folder, ".json")) {
        let capture: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        let url = capture["url"].as_str().unwrap_or_default();
        if url.starts_with("/v1/messages") && capture["bodyJson"].is_object() {
            found.push((file.display().to_string(), capture["bodyJson"].clone()));
        }
    }
    found
}

/// The same request with every spelling of the same thing made one.
fn plain(body: &Value) -> Value {
    let mut body = body.clone();
    let map = body.as_object_mut().unwrap();
    if let Some(system) = map.remove("system") {
        // Telemetry, which is kept apart.
        let is_told =
            |block: &Value| !block["text"].as_str().unwrap().starts_with("x-anthropic-billing-header:");
        map.insert("system".into(), blocks(&system).into_iter().filter(is_told).collect());
    }
    let mut messages: Vec<Value> = Vec::new();
    for message in map.remove("messages").unwrap().as_array().unwrap() {
        let content = blocks(&message["content"]);
        match messages.last_mut() {
            _ if content.is_empty() => {}
            // Two turns of the same speaker are one.
            Some(last) if last["role"] == message["role"] => {
                last["content"].as_array_mut().unwrap().extend(content);
            }
            _ => messages.push(json!({ "role": message["role"], "content": content })),
        }
    }
    map.insert("messages".into(), messages.into());
    let tools: Vec<Value> = map.remove("tools").map_or(Vec::new(), |tools| tools.as_array().unwrap().clone());
    if !tools.is_empty() {
        map.insert("tools".into(), tools.iter().map(tool).collect());
    }
    if let Some(Value::Object(schema)) =
        map.get_mut("output_config").and_then(|c| c.pointer_mut("/format/schema"))
    {
        schema.remove("$schema");
    }
    map.retain(|_, value| !value.is_null() && *value != json!(false));
    body
}

fn blocks(content: &Value) -> Vec<Value> {
    match content {
        Value::String(text) => vec![json!({ "type": "text", "text": text })],
        // The vendor refuses texts of nothing but space.
        Value::Array(list) => list.iter().filter(|block| block["text"] != " ").map(block).collect(),
        _ => Vec::new(),
    }
}

fn block(block: &Value) -> Value {
    let mut block = block.clone();
    if block["type"] == "tool_result" {
        let map = block.as_object_mut().unwrap();
        let content = map.remove("content").map_or(Vec::new(), |content| blocks(&content));
        map.insert("content".into(), content.into());
        map.retain(|_, value| *value != json!(false));
    }
    block
}

fn tool(tool: &Value) -> Value {
    let mut tool = tool.clone();
    let map = tool.as_object_mut().unwrap();
    map.retain(|name, value| {
        !value.is_null()
            && name != "…"
            && *value != json!("custom")
            && name != "defer_loading"
            && name != "eager_input_streaming"
    });
    if map.get("type").is_none() {
        map.entry("input_schema").or_insert_with(|| json!({ "type": "object" }));
    }
    map.remove("description").filter(|words| *words != "").into_iter().for_each(|words| {
        map.insert("description".into(), words);
    });
    tool
}

pub(super) fn write(request: &Request, model: &str) -> (Value, Losses) {
    let mut losses = Losses::new();
    let target = Target { dialect: Dialect::Anthropic, model, max_output: None };
    let body = write_request(request, target, &mut Names::new(), &mut losses);
    (body, losses)
}

#[test]
fn captured_requests_say_the_same_when_they_are_written_again() {
    let (mut read, mut fields, mut on_purpose) = (0, 0, 0);
    for (name, body) in requests() {
        let request = read_request(body.clone()).unwrap_or_else(|fault| panic!("{name}: {fault}"));
        let (written, losses) = write(&request, body["model"].as_str().unwrap());
        let (before, after) = (plain(&body), plain(&written));
        let rest = |field: &str| request.rest.iter().any(|rest| rest.field.split('.').next() == Some(field));
        for (field, value) in before.as_object().unwrap() {
            if rest(field) {
                continue;
            }
            // What a newer model refuses is left out on purpose, and said so; other tests tell when.
            let noted = losses.kept().iter().any(|loss| loss.field.starts_with(field.as_str()));
            if after.get(field) != Some(value) && (noted || (field == "temperature" && *value == json!(1.0)))
            {
                on_purpose += 1;
                continue;
            }
            fields += 1;
            assert_eq!(after.get(field), Some(value), "{name}: {field}");
        }
        read += 1;
    }
    println!("{read} requests read, {fields} fields right, {on_purpose} changed on purpose");
    assert!(on_purpose * 50 < fields + 50, "{on_purpose} of {fields} fields changed");
}

#[test]
fn nothing_of_a_captured_request_is_left_out_silently() {
    for (name, body) in requests() {
        let request = read_request(body.clone()).unwrap();
        let (written, losses) = write(&request, body["model"].as_str().unwrap());
        let written: Map<String, Value> = written.as_object().unwrap().clone();
        for (field, value) in body.as_object().unwrap() {
            let kept = written.contains_key(field)
                || request.rest.iter().any(|rest| rest.field == *field)
                || losses.kept().iter().any(|loss| loss.field.starts_with(field.as_str()))
                || (field == "temperature" && *value == json!(1.0))
                || [Value::Null, json!(false), json!([])].contains(value);
            assert!(kept, "{name}: {field}");
        }
    }
}
