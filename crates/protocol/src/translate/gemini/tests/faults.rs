//! Bad requests, and good ones that look odd.

use serde_json::{Value, json};

use super::super::super::{Call, Fault};
use super::super::read_request;
use crate::neutral::{Effort, Format, Part, Request, Role, Source, Tool, ToolChoice, Weight};

fn read(body: Value) -> Result<Request, Fault> {
    read_request(body, Call { model: Some("gemini-2.5-flash"), stream: Some(false) })
}

fn with(name: &str, value: Value) -> Value {
    let mut body = json!({"contents": [{"parts": [{"text": "hi"}]}]});
    body[name] = value;
    body
}

#[test]
fn each_fault_names_its_field() {
    for (body, field) in [
        (json!([]), "body"),
        (json!({}), "contents"),
        (json!({"contents": []}), "contents"),
        (json!({"contents": "hi"}), "contents"),
        (json!({"contents": ["hi"]}), "contents[0]"),
        (json!({"contents": [{"role": "system", "parts": []}]}), "contents[0].role"),
        (json!({"contents": [{"role": 1, "parts": []}]}), "contents[0].role"),
        (json!({"contents": [{"parts": "hi"}]}), "contents[0].parts"),
        (json!({"contents": [{"parts": [{}]}]}), "contents[0].parts[0]"),
        (json!({"contents": [{"parts": [{"text": 1}]}]}), "contents[0].parts[0].text"),
        (json!({"contents": [{"parts": [{"functionCall": {}}]}]}), "contents[0].parts[0].functionCall.name"),
        (
            json!({"contents": [{"parts": [{"function_call": {"name": "f", "args": "x"}}]}]}),
            "contents[0].parts[0].functionCall.args",
        ),
        (
            json!({"contents": [{"parts": [{"functionResponse": {"response": {}}}]}]}),
            "contents[0].parts[0].functionResponse.name",
        ),
        (
            json!({"contents": [{"parts": [{"functionResponse": {"name": "f", "response": []}}]}]}),
            "contents[0].parts[0].functionResponse.response",
        ),
        (
            json!({"contents": [{"parts": [{"inlineData": {"data": ""}}]}]}),
            "contents[0].parts[0].inlineData.mimeType",
        ),
        (json!({"contents": [{"parts": [{"fileData": {}}]}]}), "contents[0].parts[0].fileData.fileUri"),
        (with("systemInstruction", json!(7)), "systemInstruction"),
        (with("systemInstruction", json!({"parts": [{}]})), "systemInstruction.parts[0]"),
        (with("tools", json!("x")), "tools"),
        (with("tools", json!([{"functionDeclarations": [{}]}])), "tools[0].functionDeclarations[0].name"),
        (
            with("tools", json!([{"functionDeclarations": [{"name": "f", "parameters": 1}]}])),
            "tools[0].functionDeclarations[0].parameters",
        ),
        (
            with("toolConfig", json!({"functionCallingConfig": {"mode": "SOME"}})),
            "toolConfig.functionCallingConfig.mode",
        ),
        (with("generationConfig", json!([])), "generationConfig"),
        (with("generation_config", json!({"max_output_tokens": -1})), "generationConfig.maxOutputTokens"),
        (with("generationConfig", json!({"temperature": {}})), "generationConfig.temperature"),
        (with("generationConfig", json!({"stopSequences": [1]})), "generationConfig.stopSequences"),
        (with("generationConfig", json!({"responseSchema": "x"})), "generationConfig.responseSchema"),
        (
            with("generationConfig", json!({"thinkingConfig": {"thinkingBudget": -2}})),
            "generationConfig.thinkingConfig.thinkingBudget",
        ),
        (
            with("generationConfig", json!({"thinkingConfig": {"thinkingLevel": "most"}})),
            "generationConfig.thinkingConfig.thinkingLevel",
        ),
    ] {
        let fault = read(body.clone()).expect_err(&body.to_string());
        assert_eq!(fault.at(), Some(field), "{body}");
    }
    let nameless = read_request(with("x", json!(1)), Call::default()).unwrap_err();
    assert_eq!(nameless.at(), Some("model"));
}

#[test]
fn wire_4_one_body_may_mix_both_spellings() {
    let request = read(json!({
        "system_instruction": {"parts": [{"text": "Be brief."}], "role": "user"},
        "contents": {"role": "user", "parts": {"inline_data": {"mime_type": "image/png", "data": "_-8"}}},
        "tools": {"function_declarations": [{"name": "f", "parameters": {"type": "OBJECT"}}],
                  "google_search": {}, "codeExecution": {}},
        "tool_config": {"functionCallingConfig": {"mode": "any", "allowed_function_names": ["f"]}},
        "generationConfig": {"max_output_tokens": "100", "topK": 3.0, "top_p": "0.5",
            "thinking_config": {"include_thoughts": true, "thinkingBudget": 512}},
        "safety_settings": [{"category": "X", "threshold": "Y"}],
        "labels": {"a": "b"}
    }))
    .unwrap();
    assert_eq!(request.turns[0].role, Role::System);
    let Part::Media(medium) = &request.turns[1].parts[0] else { panic!() };
    assert_eq!(medium.source, Source::Base64 { mime: "image/png".into(), data: "/+8=".into() });
    let Tool::Caller { schema: Some(schema), .. } = &request.tools[0] else { panic!() };
    assert_eq!(schema["type"], "object");
    assert!(matches!(&request.tools[1], Tool::WebSearch(_)));
    assert!(matches!(&request.tools[2], Tool::Native { kind, .. } if kind == "codeExecution"));
    assert_eq!(request.tool_choice, Some(ToolChoice::Tool("f".into())));
    assert_eq!((request.max_tokens, request.sampling.top_k), (Some(100), Some(3)));
    assert_eq!(request.sampling.top_p, Some(0.5));
    let reasoning = request.reasoning.unwrap();
    assert_eq!((reasoning.shown, reasoning.budget), (Some(true), Some(512)));
    let mut rest: Vec<_> = request.rest.iter().map(|rest| (rest.field.as_str(), rest.weight)).collect();
    rest.sort_by_key(|(field, _)| *field);
    assert_eq!(rest, [("labels", Weight::Hint), ("safetySettings", Weight::Meaning)]);
}

#[test]
fn results_find_their_calls_by_name_and_order_where_ids_are_missing() {
    let call = |name: &str| json!({"functionCall": {"name": name, "args": {}}});
    let result =
        |name: &str, said: &str| json!({"functionResponse": {"name": name, "response": {"output": said}}});
    let request = read(json!({"contents": [
        {"role": "user", "parts": [{"text": "go"}]},
        {"role": "model", "parts": [call("f"), call("g"), call("f"), {"functionCall": {"id": "own", "name": "h"}}]},
        {"role": "function", "parts": [result("f", "1"), result("f", "2"), result("g", "3"),
            {"functionResponse": {"id": "own", "name": "h", "response": {"error": "no"}}}]},
        {"role": "model", "parts": [call("f")]},
        {"parts": [result("f", "4"), result("x", "5")]}
    ]}))
    .unwrap();
    let calls: Vec<_> = request
        .turns
        .iter()
        .flat_map(|turn| &turn.parts)
        .filter_map(|part| match part {
            Part::ToolCall { id, arguments, .. } => {
                assert_eq!(arguments, "{}");
                Some(id.clone())
            }
            _ => None,
        })
        .collect();
    let results: Vec<_> = request
        .turns
        .iter()
        .flat_map(|turn| &turn.parts)
        .filter_map(|part| match part {
            Part::ToolResult { id, parts, is_error, .. } => {
                Some((calls.iter().position(|call| call == id), parts[0].as_text().unwrap(), *is_error))
            }
            _ => None,
        })
        .collect();
    let wanted = [
        (Some(0), "1", false),
        (Some(2), "2", false),
        (Some(1), "3", false),
        (Some(3), "no", true),
        (Some(4), "4", false),
        (None, "5", false),
    ];
    assert_eq!(results, wanted);
}

#[test]
fn settings_are_read_in_all_their_forms() {
    let config = |config: Value| read(with("generationConfig", config)).unwrap();
    for (level, effort) in [("HIGH", Effort::High), ("low", Effort::Low), ("Minimal", Effort::Minimal)] {
        let read = config(json!({"thinkingConfig": {"thinkingLevel": level}}));
        assert_eq!(read.reasoning.unwrap().effort, Some(effort));
    }
    assert!(config(json!({"thinkingConfig": {"thinkingBudget": 0}})).reasoning.unwrap().off);
    assert!(config(json!({"thinkingConfig": {"thinkingBudget": -1}})).reasoning.unwrap().adaptive);
    let json_only = config(json!({"responseMimeType": "application/json"}));
    assert_eq!(json_only.format, Some(Format::JsonObject));
    let schema = json!({"type": "object"});
    for name in ["responseSchema", "responseJsonSchema", "_responseJsonSchema", "response_json_schema"] {
        let read = config(json!({name: schema, "response_mime_type": "application/json"}));
        let wanted =
            Format::JsonSchema { name: None, description: None, schema: schema.clone(), strict: None };
        assert_eq!(read.format, Some(wanted), "{name}");
    }
    let word = config(json!({"responseMimeType": "text/x.enum", "responseSchema": {"type": "STRING"}}));
    assert!(word.format.is_none() && word.rest.iter().all(|rest| rest.weight == Weight::Meaning));
    assert_eq!(word.rest.len(), 2);
    let sound = config(json!({"responseModalities": ["AUDIO"], "speechConfig": {"x": 1}}));
    assert_eq!(sound.modalities, ["audio"]);
    assert_eq!(sound.rest[0].field, "generationConfig.speechConfig");
}

#[test]
fn choices_of_tools_are_read_in_all_their_forms() {
    let choice = |config: Value| {
        read(with("toolConfig", json!({"functionCallingConfig": config}))).unwrap().tool_choice
    };
    let names = |required| Some(ToolChoice::Allowed { names: vec!["f".into(), "g".into()], required });
    assert_eq!(choice(json!({"mode": "AUTO"})), Some(ToolChoice::Auto));
    assert_eq!(choice(json!({"mode": "NONE"})), Some(ToolChoice::None));
    assert_eq!(choice(json!({"mode": "ANY"})), Some(ToolChoice::Required));
    assert_eq!(choice(json!({"mode": "ANY", "allowedFunctionNames": ["f", "g"]})), names(true));
    assert_eq!(choice(json!({"mode": "VALIDATED", "allowedFunctionNames": ["f", "g"]})), names(false));
    assert_eq!(choice(json!({"mode": "MODE_UNSPECIFIED"})), None);
    assert_eq!(choice(json!({})), None);
}

#[test]
fn what_has_no_place_is_reported_with_its_path() {
    let request = read(json!({"contents": [{"parts": [
        {"fileData": {"fileUri": "https://youtu.be/x"}, "videoMetadata": {"fps": 1}, "partMetadata": {"a": 1}}
    ]}], "cachedContent": "cachedContents/x", "store": false}))
    .unwrap();
    let mut rest: Vec<_> = request.rest.iter().map(|rest| (rest.field.as_str(), rest.weight)).collect();
    rest.sort_by_key(|(field, _)| *field);
    let wanted = [
        ("cachedContent", Weight::Meaning),
        ("contents[0].parts[0].partMetadata", Weight::Hint),
        ("contents[0].parts[0].videoMetadata", Weight::Meaning),
    ];
    assert_eq!(rest, wanted);
}

#[test]
fn a_result_belongs_to_the_latest_call_of_its_name() {
    let call = json!({"functionCall": {"name": "f", "args": {}}});
    let request = read(json!({"contents": [
        {"role": "model", "parts": [call]},
        {"role": "user", "parts": [{"text": "never mind, once more"}]},
        {"role": "model", "parts": [call]},
        {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {"output": "x"}}}]}
    ]}))
    .unwrap();
    let Part::ToolCall { id: called, .. } = &request.turns[2].parts[0] else { panic!() };
    let Part::ToolResult { id, .. } = &request.turns[3].parts[0] else { panic!() };
    assert_eq!(id, called);
}
