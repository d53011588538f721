//! Bodies that make no sense, in each dialect, for a model of another one: a 4xx in the caller's dialect that names the
//! field, and nothing goes anywhere.

use serde_json::{Value, json};

use super::pairs;
use crate::rig::Rig;
use crate::rig::client::{Ask, Got};
use crate::rig::faces::{ANTHROPIC, CHAT, FACES, Face, GEMINI, RESPONSES};

/// What an answer blames.
fn field(face: Face, got: &Got) -> String {
    let error = &got.json()["error"];
    let field = match face.name {
        "anthropic" => &error["details"]["field"],
        "gemini" => &error["details"][1]["value"]["field"],
        _ => &error["param"],
    };
    field.as_str().unwrap_or_else(|| panic!("{}", got.text())).to_owned()
}

/// A usual request with something wrong in it.
fn with(face: Face, pointer: &str, value: Value) -> Vec<u8> {
    let mut body = face.body("m-1", false);
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match body.pointer_mut(parent).unwrap() {
        Value::Array(list) => list[name.parse::<usize>().unwrap()] = value,
        parent => parent[name] = value,
    }
    body.to_string().into_bytes()
}

fn tools(face: Face, count: usize) -> Value {
    let named = |n: usize| format!("tool_{n}");
    let tool = |n: usize| match face.name {
        "anthropic" => json!({"name": named(n), "input_schema": {"type": "object"}}),
        "openai-chat" => json!({"type": "function", "function": {"name": named(n)}}),
        "openai-responses" => json!({"type": "function", "name": named(n), "strict": false}),
        _ => json!({"name": named(n)}),
    };
    let all: Vec<Value> = (0..count).map(tool).collect();
    if face == GEMINI { json!([{"functionDeclarations": all}]) } else { json!(all) }
}

/// What is wrong, and the field that is to be named.
fn cases(face: Face) -> Vec<(Vec<u8>, &'static str)> {
    let wrong = |pointer: &str, value: Value, field: &'static str| (with(face, pointer, value), field);
    let mut cases = match face.name {
        "anthropic" => vec![
            wrong("/messages", json!("hello"), "messages"),
            wrong("/messages/0", json!("hello"), "messages[0]"),
            wrong("/messages/0/role", json!("robot"), "messages[0].role"),
            wrong("/messages/0/content", json!(17), "messages[0].content"),
            wrong("/messages/0/content", json!([{"text": "x"}]), "messages[0].content[0].type"),
            wrong(
                "/messages/0/content",
                json!([{"type": "tool_result", "content": "x"}]),
                "messages[0].content[0].tool_use_id",
            ),
            wrong(
                "/messages/0",
                json!({"role": "assistant", "content": [{"type": "tool_use", "name": "f", "input": {}}]}),
                "messages[0].content[0].id",
            ),
            wrong("/system", json!(7), "system"),
            wrong("/tools", json!([{"input_schema": {}}]), "tools[0].name"),
            wrong("/temperature", json!("hot"), "temperature"),
        ],
        "openai-chat" => vec![
            wrong("/messages", json!({}), "messages"),
            wrong("/messages/0/role", json!("robot"), "messages[0].role"),
            wrong("/messages/0/content", json!(17), "messages[0].content"),
            wrong("/messages/0", json!({"role": "tool", "content": "x"}), "messages[0].tool_call_id"),
            wrong(
                "/messages/0",
                json!({"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]}),
                "messages[0].tool_calls[0].id",
            ),
            wrong("/tools", json!([{"type": "function", "function": {}}]), "tools[0].function.name"),
            wrong("/stop", json!([1]), "stop"),
            wrong("/temperature", json!("hot"), "temperature"),
        ],
        "openai-responses" => vec![
            wrong("/input", json!(7), "input"),
            wrong("/input/0", json!("x"), "input[0]"),
            wrong("/input/0/role", json!("robot"), "input[0].role"),
            wrong("/input/0/content", json!(17), "input[0].content"),
            wrong("/input/0", json!({"type": "function_call_output", "output": "x"}), "input[0].call_id"),
            wrong(
                "/input/0",
                json!({"type": "function_call", "name": "f", "arguments": "{}"}),
                "input[0].call_id",
            ),
            wrong("/tools", json!([{"type": "function"}]), "tools[0].name"),
            wrong("/reasoning", json!({"effort": "utmost"}), "reasoning.effort"),
        ],
        _ => vec![
            wrong("/contents", json!("hello"), "contents"),
            wrong("/contents/0/role", json!("robot"), "contents[0].role"),
            wrong("/contents/0/parts", json!("x"), "contents[0].parts"),
            wrong("/contents/0/parts", json!([{"text": 7}]), "contents[0].parts[0].text"),
            wrong(
                "/contents/0/parts",
                json!([{"functionResponse": {"response": {}}}]),
                "contents[0].parts[0].functionResponse.name",
            ),
            wrong(
                "/contents/0/parts",
                json!([{"functionCall": {"args": {}}}]),
                "contents[0].parts[0].functionCall.name",
            ),
            wrong("/tools", json!([{"functionDeclarations": [{}]}]), "tools[0].functionDeclarations[0].name"),
            wrong("/generationConfig", json!({"temperature": {}}), "generationConfig.temperature"),
        ],
    };
    cases.push(wrong("/tools", json!("x"), "tools"));
    cases.push((with(face, "/tools", tools(face, 10_000)), "tools"));
    cases
}

#[tokio::test]
async fn fault_c10_what_makes_no_sense_is_refused_by_its_field_whoever_would_answer() {
    for (from, to) in pairs() {
        let rig = Rig::speaking(to).await;
        for (body, expected) in cases(from) {
            let ask = Ask::post(&from.target("m-1", false), body);
            let id = ask.id.clone();
            let (got, row) = rig.translated(ask).await;
            let what = format!("{} from {}, {expected}: {}", from.name, to.name, got.text());
            assert_eq!(got.status, 400, "{what}");
            from.assert_error(&got.json(), 400, "invalid_request", &id);
            assert_eq!(field(from, &got), expected, "{what}");
            assert_eq!(
                (&row["error_code"], &row["cost_usd"]),
                (&json!("invalid_request"), &json!("0")),
                "{what}: {row}"
            );
        }
        assert!(rig.upstream.invoice().is_empty(), "{} {}: nothing was sent", from.name, to.name);
    }
}

#[tokio::test]
async fn fault_c10_broken_bytes_are_refused_by_their_place_whoever_would_answer() {
    for (from, to) in pairs() {
        let rig = Rig::speaking(to).await;
        let good = from.body("m-1", false).to_string();
        let at = good.find("hello").unwrap();
        let mut torn = good.clone().into_bytes();
        torn[at] = 0xFF;
        let half = good.as_bytes()[..good.len() - 1].to_vec();
        let mut twice = good.clone().into_bytes();
        twice.extend_from_slice(good.as_bytes());
        for bad in [torn, half, twice, good.replacen(':', "=", 1).into_bytes(), b"\xEF\xBB".to_vec()] {
            let ask = Ask::post(&from.target("m-1", false), bad);
            let id = ask.id.clone();
            let (got, row) = rig.translated(ask).await;
            let what = format!("{} from {}: {}", from.name, to.name, got.text());
            assert_eq!((got.status, &row["outcome"]), (400, &json!("refused")), "{what}");
            from.assert_error(&got.json(), 400, "invalid_request", &id);
            assert!(got.text().contains(" at byte "), "{what}");
        }
        assert!(rig.upstream.invoice().is_empty(), "nothing was sent");
    }
}

#[tokio::test]
async fn fault_c06_a_body_too_large_for_translation_is_refused_in_the_callers_dialect() {
    let rig = Rig::bare_with(|config| {
        (config.edge.body_bytes, config.edge.bodies_bytes) = (64 << 20, 128 << 20);
    })
    .await;
    for (from, to) in [(ANTHROPIC, CHAT), (CHAT, RESPONSES), (RESPONSES, GEMINI), (GEMINI, ANTHROPIC)] {
        let spec = json!({"name": to.name, "models": [format!("for-{}", from.name)], "dialects": [to.name]});
        rig.provider(to.kind, spec).await;
    }
    let words = "x".repeat(50_000_000);
    for from in FACES {
        let model = format!("for-{}", from.name);
        let body = from.body(&model, false).to_string().replacen("Say hello.", &words, 1);
        let ask = Ask::post(&from.target(&model, false), body);
        let id = ask.id.clone();
        let (got, row) = rig.translated(ask).await;
        assert_eq!(got.status, 413, "{}: {}", from.name, got.text());
        from.assert_error(&got.json(), 413, "payload_too_large", &id);
        assert_eq!(field(from, &got), "body", "{}", from.name);
        assert_eq!(row["error_code"], "payload_too_large", "{row}");
    }
    assert!(rig.upstream.invoice().is_empty(), "nothing was sent");
}
