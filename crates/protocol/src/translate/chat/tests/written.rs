//! Requests of other dialects' callers, as a Chat vendor gets them.

use serde_json::{Value, json};

use super::super::super::{Target, write_request};
use crate::Dialect;
use crate::neutral::{
    Effort, Format, Loss, Media, MediaKind, Part, Reasoning, Request, Role, Sealed, Source, Tool, ToolChoice,
    ToolKind, Turn, WebSearch, Weight,
};

fn request() -> Request {
    Request::new(Dialect::Anthropic, "asked", false)
}

fn turn(request: &mut Request, role: Role, parts: Vec<Part>) {
    let at = format!("messages[{}]", request.turns.len());
    request.turns.push(Turn { role, name: None, parts, at, places: Vec::new() });
}

fn write(request: &Request, model: &str) -> (Value, Vec<Loss>) {
    let target = Target { dialect: Dialect::OpenAiChat, model, max_output: None };
    let written = write_request(request, target);
    (serde_json::from_slice(&written.body).unwrap(), written.losses.kept().to_vec())
}

fn call(id: &str, kind: ToolKind) -> Part {
    Part::ToolCall {
        id: id.into(),
        name: "f".into(),
        namespace: None,
        arguments: if kind == ToolKind::Custom { "ls".into() } else { "{}".into() },
        kind,
        seal: None,
        cache: None,
    }
}

fn result(id: &str, parts: Vec<Part>) -> Part {
    Part::ToolResult {
        id: id.into(),
        name: None,
        parts,
        is_error: false,
        kind: ToolKind::Function,
        cache: None,
    }
}

fn image() -> Part {
    Part::Media(Media {
        kind: MediaKind::Image,
        source: Source::Base64 { mime: "image/png".into(), data: "QUJD".into() },
        name: None,
        detail: None,
        cache: None,
        seal: None,
    })
}

fn roles(body: &Value) -> Vec<String> {
    let list = body["messages"].as_array().unwrap();
    list.iter().map(|message| message["role"].as_str().unwrap().to_owned()).collect()
}

fn lost(losses: &[Loss], field: &str) -> Option<Weight> {
    losses.iter().find(|loss| loss.field == field).map(|loss| loss.weight)
}

#[test]
fn images_of_results_follow_all_results_of_the_turn() {
    let mut asked = request();
    turn(&mut asked, Role::User, vec![Part::text("go")]);
    turn(&mut asked, Role::Assistant, vec![call("a", ToolKind::Function), call("b", ToolKind::Function)]);
    let results =
        vec![result("a", vec![Part::text("see"), image()]), result("b", vec![image()]), Part::text("now?")];
    turn(&mut asked, Role::User, results);
    let (body, losses) = write(&asked, "gpt-4o");
    assert_eq!(roles(&body), ["user", "assistant", "tool", "tool", "user", "user"]);
    assert_eq!(body["messages"][2]["content"], "see");
    assert_eq!(body["messages"][4]["content"].as_array().unwrap().len(), 2);
    assert_eq!(body["messages"][4]["content"][0]["image_url"]["url"], "data:image/png;base64,QUJD");
    assert_eq!(body["messages"][5]["content"], "now?");
    assert_eq!(lost(&losses, "messages[2].content[0].content[1]"), Some(Weight::Meaning));
}

#[test]
fn results_in_later_turns_still_stand_right_behind_their_calls() {
    let mut asked = request();
    // As Responses has it: a turn for each call and each result.
    turn(&mut asked, Role::Assistant, vec![Part::text("I look.")]);
    turn(&mut asked, Role::Assistant, vec![call("a", ToolKind::Function)]);
    turn(&mut asked, Role::Assistant, vec![call("b", ToolKind::Function)]);
    turn(&mut asked, Role::User, vec![result("b", vec![Part::text("2")]), Part::text("and")]);
    turn(&mut asked, Role::User, vec![result("a", vec![Part::text("1")])]);
    let (body, losses) = write(&asked, "gpt-4o");
    assert_eq!(roles(&body), ["assistant", "tool", "tool", "user"]);
    assert_eq!(body["messages"][0]["tool_calls"].as_array().unwrap().len(), 2);
    assert_eq!(body["messages"][0]["content"], "I look.");
    assert!(losses.is_empty(), "{losses:?}");
}

#[test]
fn a_failed_tool_is_told_in_words_and_named_as_a_loss() {
    let mut asked = request();
    turn(&mut asked, Role::Assistant, vec![call("a", ToolKind::Function)]);
    let mut failed = result("a", vec![Part::text("no such file")]);
    if let Part::ToolResult { is_error, .. } = &mut failed {
        *is_error = true;
    }
    turn(&mut asked, Role::User, vec![failed]);
    let (body, losses) = write(&asked, "gpt-4o");
    assert_eq!(body["messages"][1]["content"], "The tool failed:\nno such file");
    assert_eq!(lost(&losses, "messages[1].content[0].is_error"), Some(Weight::Hint));
}

#[test]
fn torn_pairs_are_mended_so_that_the_vendor_does_not_refuse() {
    let mut asked = request();
    turn(&mut asked, Role::User, vec![result("gone", vec![Part::text("7")])]);
    turn(&mut asked, Role::Assistant, vec![call("a", ToolKind::Function)]);
    turn(&mut asked, Role::User, vec![Part::text("never mind")]);
    let (body, losses) = write(&asked, "gpt-4o");
    assert_eq!(roles(&body), ["user", "assistant", "tool", "user"]);
    assert_eq!(body["messages"][0]["content"], "Result of a tool: 7");
    assert_eq!(body["messages"][2]["tool_call_id"], "a");
    assert_eq!(lost(&losses, "messages[0].content[0]"), Some(Weight::Meaning));
    assert_eq!(lost(&losses, "messages[1].content[0]"), Some(Weight::Meaning));
}

#[test]
fn a_conversation_of_very_many_calls_and_results_keeps_them_all() {
    let mut asked = request();
    let ids: Vec<String> = (0..3_000).map(|n| format!("c{n}")).collect();
    turn(&mut asked, Role::Assistant, ids.iter().map(|id| call(id, ToolKind::Function)).collect());
    for id in ids.iter().rev() {
        turn(
            &mut asked,
            Role::User,
            vec![result(id, vec![Part::text("1")]), result("gone", vec![]), Part::text("x")],
        );
    }
    let (body, _) = write(&asked, "gpt-4o");
    assert_eq!(body["messages"].as_array().unwrap().len(), 6_001);
}

#[test]
fn instructions_stay_where_they_stood() {
    let mut asked = request();
    turn(&mut asked, Role::System, vec![Part::text("a"), Part::text("b")]);
    turn(&mut asked, Role::User, vec![Part::text("hi")]);
    turn(&mut asked, Role::Developer, vec![Part::text("c")]);
    let (body, _) = write(&asked, "llama-3");
    assert_eq!(body["messages"][0], json!({"role": "system", "content": "a\n\nb"}));
    assert_eq!(body["messages"][2], json!({"role": "system", "content": "c"}));
    assert_eq!(roles(&write(&asked, "gpt-5").0)[2], "developer");
}

#[test]
fn thinking_goes_back_to_its_own_vendor_only_and_in_its_own_field() {
    let own = |data: &str| Some(Sealed { dialect: Dialect::OpenAiChat, data: data.into() });
    let think = |seal| vec![Part::Thinking { text: "hm".into(), seal }, Part::text("ok")];
    let say = |seal: Option<Sealed>, model: &str| {
        let mut asked = request();
        turn(&mut asked, Role::Assistant, think(seal));
        let (body, losses) = write(&asked, model);
        (body["messages"][0].clone(), losses)
    };
    let (message, losses) = say(own("reasoning_content"), "deepseek-chat");
    assert_eq!((&message["reasoning_content"], losses.len()), (&json!("hm"), 0));
    assert_eq!(say(own("reasoning"), "gpt-oss").0["reasoning"], "hm");
    assert_eq!(say(own("thinking"), "magistral").0["content"][0]["thinking"][0]["text"], "hm");
    let detail = r#"{"type":"reasoning.text","signature":"s","index":0}"#;
    let (message, _) = say(own(detail), "anthropic/claude");
    let wanted = json!([{"type": "reasoning.text", "signature": "s", "index": 0, "text": "hm"}]);
    assert_eq!(message["reasoning_details"], wanted);
    let foreign = Some(Sealed { dialect: Dialect::Anthropic, data: "sig".into() });
    let (message, losses) = say(foreign, "deepseek-chat");
    assert_eq!(message, json!({"role": "assistant", "content": "ok"}));
    assert_eq!(lost(&losses, "messages[0].content[0]"), Some(Weight::Hint));
    assert_eq!(say(own("reasoning_content"), "gpt-5").0, json!({"role": "assistant", "content": "ok"}));
}

fn tool(name: &str, kind: ToolKind) -> Tool {
    let schema = (kind == ToolKind::Custom)
        .then(|| json!({"type": "grammar", "syntax": "lark", "definition": "start: A"}));
    Tool::Caller {
        name: name.into(),
        namespace: None,
        description: None,
        schema,
        kind,
        strict: Some(true),
        cache: None,
    }
}

#[test]
fn custom_tools_are_functions_for_models_that_do_not_know_them() {
    let mut asked = request();
    asked.tools = vec![tool("f", ToolKind::Custom)];
    asked.tool_choice = Some(ToolChoice::Tool("f".into()));
    turn(&mut asked, Role::Assistant, vec![call("a", ToolKind::Custom)]);
    turn(&mut asked, Role::User, vec![result("a", vec![])]);
    let (body, losses) = write(&asked, "gpt-5.1");
    assert!(losses.is_empty(), "{losses:?}");
    assert_eq!(body["tools"][0]["custom"]["format"]["grammar"]["syntax"], "lark");
    assert_eq!(body["tool_choice"], json!({"type": "custom", "custom": {"name": "f"}}));
    assert_eq!(body["messages"][0]["tool_calls"][0]["custom"], json!({"name": "f", "input": "ls"}));
    let (body, losses) = write(&asked, "llama-3");
    assert_eq!(body["tools"][0]["function"]["parameters"]["required"], json!(["input"]));
    assert_eq!(body["tool_choice"]["function"]["name"], "f");
    assert_eq!(body["messages"][0]["tool_calls"][0]["function"]["arguments"], "{\"input\":\"ls\"}");
    assert_eq!(lost(&losses, "tools[0].format"), Some(Weight::Meaning));
}

#[test]
fn tools_that_may_be_used_and_tools_of_other_vendors_are_told_apart() {
    let mut asked = request();
    let native = Tool::Native { dialect: Dialect::Anthropic, kind: "bash_20250124".into(), value: json!({}) };
    let search = Tool::WebSearch(WebSearch { context_size: Some("low".into()), ..WebSearch::default() });
    asked.tools = vec![tool("f", ToolKind::Function), tool("g", ToolKind::Function), native, search];
    asked.tool_choice = Some(ToolChoice::Allowed { names: vec!["g".into()], required: true });
    asked.parallel_tools = Some(false);
    turn(&mut asked, Role::User, vec![Part::text("hi")]);
    let (body, losses) = write(&asked, "gpt-4o");
    assert_eq!(body["tool_choice"]["allowed_tools"]["tools"][0]["function"]["name"], "g");
    assert_eq!((&body["parallel_tool_calls"], body["tools"].as_array().unwrap().len()), (&json!(false), 2));
    assert_eq!(lost(&losses, "tools[2]"), Some(Weight::Meaning));
    assert_eq!(lost(&losses, "tools[3]"), Some(Weight::Meaning));
    assert_eq!(body.get("web_search_options"), None);
    let (body, _) = write(&asked, "llama-3");
    assert_eq!((&body["tool_choice"], body["tools"].as_array().unwrap().len()), (&json!("required"), 1));
    let (body, losses) = write(&asked, "gpt-4o-search-preview");
    assert_eq!(body["web_search_options"]["search_context_size"], "low");
    assert_eq!(lost(&losses, "tools[3]"), None);
}

#[test]
fn wishes_that_a_model_does_not_take_are_moved_or_listed() {
    let mut asked = request();
    asked.stream = true;
    asked.max_tokens = Some(10);
    asked.sampling.temperature = Some(0.5);
    asked.sampling.top_k = Some(3);
    asked.sampling.stop = ["a", "b", "c", "d", "e"].map(String::from).to_vec();
    asked.reasoning = Some(Reasoning { budget: Some(32_000), ..Reasoning::default() });
    asked.user = Some("u".repeat(100));
    asked.format = Some(Format::JsonSchema {
        name: None,
        description: None,
        schema: json!({"type": "object"}),
        strict: Some(true),
    });
    turn(&mut asked, Role::User, vec![Part::text("hi")]);
    let (body, losses) = write(&asked, "llama-3");
    assert_eq!(body["stream_options"]["include_usage"], true);
    // Mistral's own server refuses the field.
    assert_eq!(write(&asked, "mistral-large-latest").0.get("stream_options"), None);
    assert!(write(&asked, "mistralai/mistral-large").0.get("stream_options").is_some());
    assert_eq!((&body["max_tokens"], &body["temperature"]), (&json!(10), &json!(0.5)));
    assert_eq!(body["stop"].as_array().unwrap().len(), 4);
    assert_eq!(body["reasoning_effort"], "high");
    assert_eq!(body["response_format"]["json_schema"]["name"], "response");
    assert!(body["user"].as_str().unwrap().len() <= 64);
    for field in ["stop", "top_k"] {
        assert_eq!(lost(&losses, field), Some(Weight::Meaning), "{field}");
    }
    let (body, losses) = write(&asked, "o3");
    assert_eq!((&body["max_completion_tokens"], body.get("temperature")), (&json!(10), None));
    assert_eq!(lost(&losses, "temperature"), Some(Weight::Meaning));
    asked.reasoning = Some(Reasoning { off: true, ..Reasoning::default() });
    assert_eq!(write(&asked, "gpt-5.2").0["reasoning_effort"], "none");
    assert_eq!(write(&asked, "deepseek-chat").0["thinking"], json!({"type": "disabled"}));
    asked.reasoning = Some(Reasoning { effort: Some(Effort::Max), ..Reasoning::default() });
    assert_eq!(write(&asked, "gpt-4o").0.get("reasoning_effort"), None);
}

#[test]
fn ids_fit_each_vendor_and_still_meet() {
    let mut asked = request();
    let id = "toolu_".repeat(10);
    turn(&mut asked, Role::Assistant, vec![call(&id, ToolKind::Function)]);
    turn(&mut asked, Role::User, vec![result(&id, vec![Part::text("1")])]);
    for (model, most) in [("gpt-4o", 40), ("mistral-large-latest", 9)] {
        let (body, _) = write(&asked, model);
        let sent = body["messages"][0]["tool_calls"][0]["id"].as_str().unwrap();
        assert!(sent.len() <= most && sent.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'), "{sent}");
        assert!(most > 9 || sent.bytes().all(|b| b.is_ascii_alphanumeric()), "{sent}");
        assert_eq!(body["messages"][1]["tool_call_id"], sent);
    }
}
