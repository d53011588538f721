//! Tools of other dialects.

use serde_json::{Value, json};

use super::{NEW, OLD, asks, write};
use crate::Dialect;
use crate::neutral::{Tool, ToolChoice, ToolKind, WebSearch};

fn tool(name: &str) -> Tool {
    Tool::Caller {
        name: name.into(),
        namespace: None,
        description: Some(format!("does {name}")),
        schema: Some(json!({ "type": "object", "properties": {} })),
        kind: ToolKind::Function,
        strict: Some(true),
        cache: None,
    }
}

fn names(body: &Value) -> Vec<&str> {
    body["tools"].as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap()).collect()
}

#[test]
fn functions_namespaces_and_custom_tools_become_tools() {
    let mut request = asks();
    let mut spaced = [tool("spawn"), tool("send")];
    for tool in &mut spaced {
        if let Tool::Caller { namespace, strict, .. } = tool {
            *namespace = Some(("collab".into(), Some("Helpers.".into())));
            *strict = None;
        }
    }
    let [spawn, send] = spaced;
    let custom = Tool::Caller {
        name: "patch".into(),
        namespace: None,
        description: None,
        schema: Some(json!({ "type": "grammar", "syntax": "lark", "definition": "start: A" })),
        kind: ToolKind::Custom,
        strict: None,
        cache: None,
    };
    request.tools = vec![tool("a.b"), spawn, send, custom];
    let (body, lost) = write(&request, NEW);
    assert_eq!(names(&body), ["a_b", "collab__spawn", "collab__send", "patch"]);
    assert_eq!(body["tools"][0]["strict"], true);
    assert_eq!(body["tools"][1]["description"], "(collab: Helpers.)\n\ndoes spawn");
    assert_eq!(body["tools"][2]["description"], "does send");
    assert_eq!(body["tools"][3]["input_schema"]["required"], json!(["input"]));
    assert!(body["tools"][3]["description"].as_str().unwrap().contains("start: A"));
    assert_eq!(lost, ["tools[3].format"]);
}

#[test]
fn a_choice_among_tools_is_kept() {
    let mut request = asks();
    request.tools = vec![tool("a"), tool("b.c")];
    for (choice, wanted) in [
        (ToolChoice::Auto, json!({ "type": "auto" })),
        (ToolChoice::None, json!({ "type": "none" })),
        (ToolChoice::Required, json!({ "type": "any" })),
        (ToolChoice::Tool("b.c".into()), json!({ "type": "tool", "name": "b_c" })),
    ] {
        request.tool_choice = Some(choice);
        let (body, lost) = write(&request, NEW);
        assert_eq!((&body["tool_choice"], lost.len()), (&wanted, 0));
    }
    request.tool_choice = Some(ToolChoice::Allowed { names: vec!["a".into()], required: true });
    let (body, _) = write(&request, NEW);
    assert_eq!((names(&body), &body["tool_choice"]["type"]), (vec!["a"], &json!("any")));
    request.tools.clear();
    let (body, lost) = write(&request, NEW);
    assert!(body.get("tools").is_none() && body.get("tool_choice").is_none());
    assert_eq!(lost, ["tool_choice"]);
}

#[test]
fn strictness_is_left_out_where_the_vendor_would_refuse_it() {
    let mut request = asks();
    request.tools = (0..21).map(|n| tool(&format!("t{n}"))).collect();
    let (body, lost) = write(&request, NEW);
    assert_eq!((&body["tools"][0]["strict"], lost.len()), (&Value::Null, 21));
    request.tools.truncate(20);
    assert_eq!(write(&request, OLD).0["tools"][0]["strict"], true);
    assert_eq!(write(&request, "claude-3-7-sonnet").1.len(), 20);
}

#[test]
fn web_search_is_every_dialects_and_other_vendors_tools_are_lost() {
    let mut request = asks();
    request.tools = vec![
        Tool::WebSearch(WebSearch {
            allowed_domains: vec!["a.example".into()],
            context_size: Some("high".into()),
            location: Some(json!({ "type": "approximate", "city": "Bern", "region": null })),
            spelled: "web_search_preview".into(),
            ..WebSearch::default()
        }),
        Tool::Native { dialect: Dialect::OpenAiResponses, kind: "file_search".into(), value: json!({}) },
    ];
    let (body, lost) = write(&request, NEW);
    assert_eq!(
        body["tools"],
        json!([{
            "type": "web_search_20250305", "name": "web_search", "allowed_domains": ["a.example"],
            "user_location": { "type": "approximate", "city": "Bern" },
        }])
    );
    assert_eq!(lost, ["tools[0].search_context_size", "tools[1]"]);
}

#[test]
fn a_schema_is_always_an_object() {
    let mut request = asks();
    for (given, wanted, lost) in [
        (None, json!({ "type": "object" }), 0),
        (Some(json!({ "type": ["object", "null"] })), json!({ "type": "object" }), 0),
        (
            Some(json!({ "anyOf": [
                { "properties": { "a": {} }, "required": ["a"] },
                { "properties": { "b": {} } },
            ] })),
            json!({ "type": "object", "properties": { "a": {}, "b": {} } }),
            1,
        ),
        (
            Some(json!({ "type": "object", "allOf": [{ "properties": { "a": {} }, "required": ["a"] }] })),
            json!({ "type": "object", "properties": { "a": {} }, "required": ["a"] }),
            1,
        ),
    ] {
        let mut tool = tool("f");
        if let Tool::Caller { schema, .. } = &mut tool {
            *schema = given;
        }
        request.tools = vec![tool];
        let (body, losses) = write(&request, NEW);
        assert_eq!((&body["tools"][0]["input_schema"], losses.len()), (&wanted, lost));
    }
}
