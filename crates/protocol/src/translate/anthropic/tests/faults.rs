//! Bad requests are refused with the name of the field, unknown ones are patiently read.

use serde_json::{Value, json};

use super::super::read_request;
use crate::neutral::{Part, Weight};

#[expect(clippy::needless_pass_by_value, reason = "reads better where it is called")]
fn with(content: Value) -> Value {
    json!({ "model": "m", "max_tokens": 1, "messages": [{ "role": "user", "content": content }] })
}

fn and(name: &str, value: Value) -> Value {
    let mut body = with(json!("hi"));
    body[name] = value;
    body
}

#[test]
fn every_fault_names_its_field() {
    let first = "messages[0].content[0]";
    for (body, field) in [
        (json!([]), "body".to_owned()),
        (json!({ "messages": [] }), "model".into()),
        (json!({ "model": 3, "messages": [] }), "model".into()),
        (json!({ "model": "m" }), "messages".into()),
        (json!({ "model": "m", "messages": {} }), "messages".into()),
        (json!({ "model": "m", "messages": ["hi"] }), "messages[0]".into()),
        (json!({ "model": "m", "messages": [{ "content": "hi" }] }), "messages[0].role".into()),
        (json!({ "model": "m", "messages": [{ "role": "tool", "content": "" }] }), "messages[0].role".into()),
        (json!({ "model": "m", "messages": [{ "role": "user" }] }), "messages[0].content".into()),
        (with(json!(7)), "messages[0].content".into()),
        (with(json!(["hi"])), first.into()),
        (with(json!([{ "text": "hi" }])), format!("{first}.type")),
        (with(json!([{ "type": 3 }])), format!("{first}.type")),
        (with(json!([{ "type": "text" }])), format!("{first}.text")),
        (with(json!([{ "type": "text", "text": ["a"] }])), format!("{first}.text")),
        (with(json!([{ "type": "image" }])), format!("{first}.source")),
        (with(json!([{ "type": "image", "source": { "type": "text" } }])), format!("{first}.source.type")),
        (
            with(json!([{ "type": "image", "source": { "type": "base64", "data": "" } }])),
            format!("{first}.source.media_type"),
        ),
        (
            with(json!([{ "type": "document", "source": { "type": "file" } }])),
            format!("{first}.source.file_id"),
        ),
        (with(json!([{ "type": "thinking" }])), format!("{first}.thinking")),
        (with(json!([{ "type": "redacted_thinking", "data": 1 }])), format!("{first}.data")),
        (with(json!([{ "type": "tool_use", "name": "f" }])), format!("{first}.id")),
        (with(json!([{ "type": "tool_use", "id": "t" }])), format!("{first}.name")),
        (with(json!([{ "type": "tool_use", "id": "t", "name": "" }])), format!("{first}.name")),
        (
            with(json!([{ "type": "tool_use", "id": "t", "name": "f", "input": "{}" }])),
            format!("{first}.input"),
        ),
        (with(json!([{ "type": "tool_result", "content": "" }])), format!("{first}.tool_use_id")),
        (
            with(json!([{ "type": "tool_result", "tool_use_id": "t", "content": [{ "type": "text" }] }])),
            format!("{first}.content[0].text"),
        ),
        (
            with(json!([{ "type": "tool_result", "tool_use_id": "t", "is_error": "no" }])),
            format!("{first}.is_error"),
        ),
        (and("system", json!(3)), "system".into()),
        (and("system", json!([{ "type": "text" }])), "system[0].text".into()),
        (and("stream", json!("yes")), "stream".into()),
        (and("max_tokens", json!(-1)), "max_tokens".into()),
        (and("temperature", json!("hot")), "temperature".into()),
        (and("stop_sequences", json!([1])), "stop_sequences".into()),
        (and("metadata", json!("me")), "metadata".into()),
        (and("tools", json!([{ "description": "x" }])), "tools[0].name".into()),
        (and("tools", json!([{ "name": "f", "input_schema": 1 }])), "tools[0].input_schema".into()),
        (and("tools", json!([{ "type": 1 }])), "tools[0].type".into()),
        (and("tools", json!(["f"])), "tools[0]".into()),
        (and("tool_choice", json!("auto")), "tool_choice".into()),
        (and("tool_choice", json!({ "type": "required" })), "tool_choice.type".into()),
        (and("tool_choice", json!({ "type": "tool" })), "tool_choice.name".into()),
        (and("thinking", json!({ "type": "on" })), "thinking.type".into()),
        (and("thinking", json!({ "type": "enabled" })), "thinking.budget_tokens".into()),
        (and("output_config", json!({ "effort": "most" })), "output_config.effort".into()),
        (and("output_config", json!({ "format": { "type": "json" } })), "output_config.format.type".into()),
        (
            and("output_config", json!({ "format": { "type": "json_schema" } })),
            "output_config.format.schema".into(),
        ),
    ] {
        let fault = read_request(body.clone()).unwrap_err();
        assert_eq!(fault.at(), Some(field.as_str()), "{body}: {fault}");
    }
}

#[test]
fn what_is_not_known_is_kept_with_its_path_and_weight() {
    let mut body = with(json!([
        { "type": "text", "text": "a", "novelty": 1 },
        { "type": "hologram", "data": 1 },
        { "type": "document", "source": { "type": "text", "data": "d" }, "citations": { "enabled": false } },
    ]));
    body["messages"][0]["mood"] = "good".into();
    body["container"] = "c".into();
    body["cache_control"] = json!({ "type": "ephemeral" });
    body["context_management"] = json!({ "edits": [{ "type": "clear_thinking_20251015", "keep": "all" }] });
    body["tools"] =
        json!([{ "name": "f", "input_schema": {}, "defer_loading": true, "allowed_callers": ["direct"] }]);
    let request = read_request(body).unwrap();
    let mut rest: Vec<_> = request.rest.iter().map(|rest| (rest.field.as_str(), rest.weight)).collect();
    rest.sort_by_key(|(field, _)| *field);
    let wanted = [
        ("cache_control", Weight::Hint),
        ("container", Weight::Meaning),
        ("context_management", Weight::Hint),
        ("messages[0].content[0].novelty", Weight::Meaning),
        ("messages[0].mood", Weight::Meaning),
        ("tools[0].defer_loading", Weight::Hint),
    ];
    assert_eq!(rest, wanted);
    assert!(matches!(request.turns[0].parts[1], Part::Native { .. }));
}

#[test]
fn a_later_messages_effort_and_the_telemetry_of_a_client_are_understood() {
    let mut body = and("output_config", json!({ "effort": "high" }));
    body["system"] = json!([
        { "type": "text", "text": "x-anthropic-billing-header: cc_version=2.1; " },
        { "type": "text", "text": "Be brief." },
    ]);
    let directive = json!({ "role": "system", "content": [], "output_config": { "effort": "low" } });
    body["messages"].as_array_mut().unwrap().push(directive);
    let request = read_request(body).unwrap();
    assert_eq!(request.reasoning.unwrap().effort, Some(crate::neutral::Effort::Low));
    assert_eq!(request.turns.len(), 2);
    assert_eq!(request.turns[0].parts, [Part::text("Be brief.")]);
    assert_eq!((request.rest[0].field.as_str(), request.rest[0].weight), ("system[0]", Weight::Hint));
}
