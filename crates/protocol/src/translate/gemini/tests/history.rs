//! Requests of other dialects' callers, written for Gemini.

use serde_json::{Value, json};

use super::super::super::{Names, Target};
use super::super::write_request;
use crate::Dialect;
use crate::neutral::{
    Effort, Format, Losses, Media, MediaKind, Part, Reasoning, Request, Role, Sealed, Source, Tool,
    ToolChoice, ToolKind, Turn, WebSearch, Weight,
};

fn asked() -> Request {
    Request::new(Dialect::OpenAiChat, "m", false)
}

fn turn(role: Role, parts: Vec<Part>) -> Turn {
    Turn { role, name: None, parts, at: "messages[0]".into(), places: Vec::new() }
}

fn call(id: &str, name: &str, arguments: &str) -> Part {
    Part::ToolCall {
        id: id.into(),
        name: name.into(),
        namespace: None,
        arguments: arguments.into(),
        kind: ToolKind::Function,
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

fn function(name: &str) -> Tool {
    Tool::Caller {
        name: name.into(),
        namespace: None,
        description: None,
        schema: Some(json!({"type": "object"})),
        kind: ToolKind::Function,
        strict: None,
        cache: None,
    }
}

fn write(request: &Request, model: &str) -> (Value, Losses) {
    let mut losses = Losses::new();
    let target = Target { dialect: Dialect::Gemini, model, max_output: None };
    let written = write_request(request, target, &mut Names::new(), &mut losses);
    (written, losses)
}

fn picture() -> Part {
    Part::Media(Media {
        kind: MediaKind::Image,
        source: Source::Base64 { mime: "image/png".into(), data: "QUJD".into() },
        name: None,
        detail: None,
        cache: None,
        seal: None,
    })
}

#[test]
fn instructions_lead_and_later_ones_stay_in_their_place() {
    let mut request = asked();
    request.turns = vec![
        turn(Role::System, vec![Part::text("a")]),
        turn(Role::Developer, vec![Part::text("b")]),
        turn(Role::User, vec![Part::text("c")]),
        turn(Role::System, vec![Part::text("d")]),
        turn(Role::Assistant, vec![Part::text("e")]),
    ];
    let (written, losses) = write(&request, "gemini-2.5-flash");
    assert_eq!(written["systemInstruction"], json!({"parts": [{"text": "a"}, {"text": "b"}]}));
    let wanted = json!([
        {"role": "user", "parts": [{"text": "c"}, {"text": "<system>\nd\n</system>"}]},
        {"role": "model", "parts": [{"text": "e"}]}
    ]);
    assert_eq!(written["contents"], wanted);
    assert_eq!(losses.first_meaning().unwrap().what, "is sent as a user turn");
    request.turns.truncate(1);
    let (written, losses) = write(&request, "gemini-2.5-flash");
    assert_eq!(written["contents"], json!([{"role": "user", "parts": [{"text": "a"}]}]));
    assert!(written.get("systemInstruction").is_none() && losses.first_meaning().is_some());
}

#[test]
fn results_follow_their_calls_in_one_turn_and_in_the_order_of_the_calls() {
    let mut request = asked();
    request.turns = vec![
        turn(Role::User, vec![Part::text("go")]),
        turn(Role::Assistant, vec![Part::text("well"), call("1", "f", "{\"a\":1}"), call("2", "g", "")]),
        turn(Role::User, vec![result("2", vec![Part::text("two")])]),
        turn(Role::User, vec![Part::text("and now?"), result("1", vec![Part::text("one"), picture()])]),
    ];
    let (written, losses) = write(&request, "gemini-2.5-flash");
    let wanted = json!([
        {"role": "user", "parts": [{"text": "go"}]},
        {"role": "model", "parts": [
            {"text": "well"},
            {"functionCall": {"id": "1", "name": "f", "args": {"a": 1}}},
            {"functionCall": {"id": "2", "name": "g", "args": {}}}
        ]},
        {"role": "user", "parts": [
            {"functionResponse": {"id": "1", "name": "f", "response": {"output": "one"}}},
            {"functionResponse": {"id": "2", "name": "g", "response": {"output": "two"}}},
            {"inlineData": {"mimeType": "image/png", "data": "QUJD"}},
            {"text": "and now?"}
        ]}
    ]);
    assert_eq!(written["contents"], wanted);
    assert!(losses.is_empty());
    // The third line takes pictures within results and wants the first call signed.
    let (written, _) = write(&request, "gemini-3-flash");
    let contents = &written["contents"];
    assert_eq!(contents[1]["parts"][1]["thoughtSignature"], "skip_thought_signature_validator");
    assert!(contents[1]["parts"][2].get("thoughtSignature").is_none());
    assert_eq!(contents[2]["parts"][0]["functionResponse"]["parts"][0]["inlineData"]["data"], "QUJD");
}

#[test]
fn torn_pairs_are_mended_loudly() {
    let mut request = asked();
    request.turns = vec![
        turn(Role::User, vec![Part::text("go")]),
        turn(Role::Assistant, vec![call("1", "f", "not json"), call("2", "g", "[1]")]),
        turn(Role::User, vec![result("2", vec![Part::text("two")]), result("9", vec![Part::text("nine")])]),
        turn(Role::Assistant, vec![call("3", "f", "{}")]),
    ];
    let (written, losses) = write(&request, "gemini-2.5-flash");
    let contents = &written["contents"];
    assert_eq!(contents[1]["parts"][0]["functionCall"]["args"], json!({"_raw": "not json"}));
    assert_eq!(contents[1]["parts"][1]["functionCall"]["args"], json!({"_raw": "[1]"}));
    let answers: Vec<_> = contents[2]["parts"].as_array().unwrap().iter().collect();
    assert_eq!(answers.len(), 3);
    assert!(answers[0]["functionResponse"]["response"]["error"].is_string());
    assert_eq!(answers[1]["functionResponse"]["response"]["output"], "two");
    assert!(answers[2]["text"].as_str().unwrap().contains("nine"));
    assert_eq!(losses.kept().iter().filter(|loss| loss.weight == Weight::Meaning).count(), 2);
    assert_eq!(contents[3]["parts"].as_array().unwrap().len(), 1);
}

#[test]
fn proofs_go_to_their_maker_only() {
    let seal = |dialect| Some(Sealed { dialect, data: "proof".into() });
    let thinking = |dialect| Part::Thinking { text: "hm".into(), seal: seal(dialect) };
    let mut signed = call("1", "f", "{}");
    if let Part::ToolCall { seal: own, .. } = &mut signed {
        *own = seal(Dialect::Gemini);
    }
    let mut request = asked();
    request.turns = vec![
        turn(Role::User, vec![Part::text("go")]),
        turn(Role::Assistant, vec![thinking(Dialect::Anthropic), thinking(Dialect::Gemini), signed]),
    ];
    let (written, losses) = write(&request, "gemini-3-flash");
    let wanted = json!([
        {"text": "hm", "thought": true, "thoughtSignature": "proof"},
        {"functionCall": {"id": "1", "name": "f", "args": {}}, "thoughtSignature": "proof"}
    ]);
    assert_eq!(written["contents"][1]["parts"], wanted);
    let lost = &losses.kept()[0];
    assert_eq!((lost.field.as_str(), lost.weight), ("messages[0].content[0]", Weight::Hint));
}

#[test]
fn thinking_is_asked_for_as_each_line_of_models_wants_it() {
    let cases = [
        (
            Reasoning { effort: Some(Effort::Low), ..Default::default() },
            json!(1024),
            json!("low"),
            json!("low"),
        ),
        (
            Reasoning { effort: Some(Effort::Max), ..Default::default() },
            json!(24576),
            json!("high"),
            json!("high"),
        ),
        (
            Reasoning { effort: Some(Effort::Minimal), ..Default::default() },
            json!(512),
            json!("minimal"),
            json!("low"),
        ),
        (
            Reasoning { budget: Some(9000), ..Default::default() },
            json!(9000),
            json!("medium"),
            json!("medium"),
        ),
        (Reasoning { off: true, ..Default::default() }, json!(0), json!("minimal"), json!("low")),
        (Reasoning { adaptive: true, ..Default::default() }, json!(-1), Value::Null, Value::Null),
    ];
    for (reasoning, budget, flash, pro) in cases {
        let mut request = asked();
        request.turns = vec![turn(Role::User, vec![Part::text("go")])];
        request.reasoning = Some(reasoning.clone());
        let config = |model| write(&request, model).0["generationConfig"]["thinkingConfig"].clone();
        assert_eq!(config("gemini-2.5-flash")["thinkingBudget"], budget, "{reasoning:?}");
        assert_eq!(config("gemini-3-flash")["thinkingLevel"], flash, "{reasoning:?}");
        assert_eq!(config("gemini-3-pro-preview")["thinkingLevel"], pro, "{reasoning:?}");
        for model in ["gemini-2.5-flash", "gemini-3-flash"] {
            let both = config(model);
            assert!(both.get("thinkingBudget").is_none() || both.get("thinkingLevel").is_none());
            assert_eq!(both.get("includeThoughts").is_some(), !reasoning.off);
        }
    }
}

#[test]
fn limits_are_clamped_and_what_cannot_be_said_is_listed() {
    let mut request = asked();
    request.turns = vec![turn(Role::User, vec![Part::text("go")])];
    request.sampling.stop = (0..7).map(|n| n.to_string()).collect();
    request.sampling.seed = Some(1 << 40);
    request.sampling.n = Some(9);
    request.sampling.top_logprobs = Some(30);
    request.max_tokens = Some(5);
    request.verbosity = Some("low".into());
    request.user = Some("u".into());
    request.parallel_tools = Some(false);
    request.tools = vec![
        function("f"),
        Tool::Native { dialect: Dialect::Anthropic, kind: "bash_20250124".into(), value: json!({}) },
    ];
    let (written, losses) = write(&request, "gemini-2.5-flash");
    let config = &written["generationConfig"];
    assert_eq!(config["stopSequences"].as_array().unwrap().len(), 5);
    assert!(config["seed"].as_i64().unwrap() < 1 << 31);
    assert_eq!((&config["candidateCount"], &config["logprobs"]), (&json!(8), &json!(20)));
    assert_eq!(config["maxOutputTokens"], 5);
    let mut fields: Vec<_> = losses.kept().iter().map(|loss| loss.field.as_str()).collect();
    fields.sort_unstable();
    assert_eq!(fields, ["n", "parallel_tool_calls", "seed", "stop", "tools[1]", "user", "verbosity"]);
}

#[test]
fn forms_and_searches_beside_functions_depend_on_the_line() {
    let mut request = asked();
    request.turns = vec![turn(Role::User, vec![Part::text("go")])];
    request.tools = vec![function("f"), Tool::WebSearch(WebSearch::default())];
    request.format = Some(Format::JsonSchema {
        name: Some("x".into()),
        description: None,
        schema: json!({"type": "object"}),
        strict: Some(true),
    });
    let (old, losses) = write(&request, "gemini-2.5-flash");
    assert_eq!(old["tools"].as_array().unwrap().len(), 1);
    assert!(
        old["generationConfig"].is_null() && old["systemInstruction"].to_string().contains("JSON Schema")
    );
    assert_eq!(losses.kept().len(), 2);
    let (new, losses) = write(&request, "gemini-3-flash");
    assert_eq!(new["tools"].as_array().unwrap().len(), 2);
    assert_eq!(new["toolConfig"]["includeServerSideToolInvocations"], true);
    assert_eq!(new["generationConfig"]["responseJsonSchema"], json!({"type": "object"}));
    assert!(losses.is_empty());
    request.tools.clear();
    let (old, losses) = write(&request, "gemini-2.5-flash");
    assert_eq!(old["generationConfig"]["responseMimeType"], "application/json");
    assert!(losses.is_empty());
}

#[test]
fn a_strict_tool_makes_all_strict_which_is_named() {
    let mut request = asked();
    request.turns = vec![turn(Role::User, vec![Part::text("go")])];
    let mut strictly = function("f");
    if let Tool::Caller { strict, .. } = &mut strictly {
        *strict = Some(true);
    }
    request.tools = vec![function("g"), strictly];
    let (written, losses) = write(&request, "gemini-2.5-flash");
    assert_eq!(written["toolConfig"]["functionCallingConfig"]["mode"], "VALIDATED");
    let kept: Vec<_> = losses.kept().iter().map(|loss| (loss.field.as_str(), loss.weight)).collect();
    assert_eq!(kept, [("tools[1].strict", Weight::Hint)]);
    // A tool that failed has a word of its own here.
    let mut failed = result("c1", vec![Part::text("no such file")]);
    if let Part::ToolResult { is_error, .. } = &mut failed {
        *is_error = true;
    }
    request.turns = vec![turn(Role::Assistant, vec![call("c1", "g", "{}")]), turn(Role::User, vec![failed])];
    let (written, _) = write(&request, "gemini-2.5-flash");
    assert!(written["contents"].to_string().contains(r#""response":{"error":"no such file"}"#), "{written}");
}

#[test]
fn names_kinds_and_choices_of_tools_fit_the_vendor() {
    let mut request = asked();
    let custom = Tool::Caller {
        name: "patch it".into(),
        namespace: Some(("ns".into(), None)),
        description: Some("d".into()),
        schema: None,
        kind: ToolKind::Custom,
        strict: None,
        cache: None,
    };
    request.tools = vec![custom, function("g.h")];
    let mut patched = call("c1", "patch it", "*** text");
    if let Part::ToolCall { kind, namespace, .. } = &mut patched {
        *kind = ToolKind::Custom;
        *namespace = Some("ns".into());
    }
    request.turns = vec![
        turn(Role::User, vec![Part::text("go")]),
        turn(Role::Assistant, vec![patched]),
        turn(Role::User, vec![result("c1", vec![Part::text("ok")])]),
    ];
    request.tool_choice = Some(ToolChoice::Tool("g.h".into()));
    let (written, _) = write(&request, "gemini-2.5-flash");
    let declared = &written["tools"][0]["functionDeclarations"];
    assert_eq!(declared[0]["name"], "ns__patch_it");
    assert_eq!(declared[0]["parametersJsonSchema"]["required"], json!(["input"]));
    let called = &written["contents"][1]["parts"][0]["functionCall"];
    assert_eq!((&called["name"], &called["args"]), (&declared[0]["name"], &json!({"input": "*** text"})));
    assert_eq!(written["contents"][2]["parts"][0]["functionResponse"]["name"], declared[0]["name"]);
    let calling = &written["toolConfig"]["functionCallingConfig"];
    assert_eq!(calling, &json!({"mode": "ANY", "allowedFunctionNames": [declared[1]["name"]]}));
    for (choice, wanted) in [
        (Some(ToolChoice::None), json!({"mode": "NONE"})),
        (Some(ToolChoice::Required), json!({"mode": "ANY"})),
        (Some(ToolChoice::Auto), json!({"mode": "AUTO"})),
        (None, Value::Null),
    ] {
        request.tool_choice = choice;
        let (written, _) = write(&request, "gemini-2.5-flash");
        assert_eq!(written["toolConfig"]["functionCallingConfig"], wanted);
    }
}
