//! Requests of other dialects for a Responses vendor, and what this dialect alone says.

use serde_json::{Value, json};

use super::{read, sent};
use crate::Dialect;
use crate::neutral::{
    Effort, Format, Media, MediaKind, Part, Reasoning, Request, Role, Sealed, Source, Tool, ToolChoice,
    ToolKind, Turn, WebSearch, Weight,
};

fn turn(role: Role, at: &str, parts: Vec<Part>) -> Turn {
    Turn { role, name: None, parts, at: at.into(), places: Vec::new() }
}

fn from(dialect: Dialect, turns: Vec<Turn>) -> Request {
    Request { turns, ..Request::new(dialect, "asked", false) }
}

fn tool(name: &str, kind: ToolKind) -> Tool {
    Tool::Caller {
        name: name.into(),
        namespace: None,
        description: None,
        schema: None,
        kind,
        strict: None,
        cache: Some(json!({"type": "ephemeral"})),
    }
}

fn call(id: &str, name: &str, kind: ToolKind) -> Part {
    let arguments = if kind == ToolKind::Custom { "free" } else { "" }.into();
    Part::ToolCall {
        id: id.into(),
        name: name.into(),
        namespace: None,
        arguments,
        kind,
        seal: None,
        cache: None,
    }
}

fn result(id: &str, parts: Vec<Part>, is_error: bool) -> Part {
    Part::ToolResult { id: id.into(), name: None, parts, is_error, kind: ToolKind::Function, cache: None }
}

fn media(kind: MediaKind, source: Source) -> Part {
    Part::Media(Media { kind, source, name: None, detail: None, cache: None, seal: None })
}

#[test]
#[expect(clippy::too_many_lines, reason = "one conversation from end to end")]
fn tr_a_whole_conversation_of_another_dialect_is_said_in_items() {
    let long = "toolu_".repeat(20);
    let stranger = Sealed { dialect: Dialect::Anthropic, data: "sig".into() };
    let own = Sealed { dialect: Dialect::OpenAiResponses, data: "gAAA".into() };
    let request = Request {
        tools: vec![tool("get.weather", ToolKind::Function), tool("patch", ToolKind::Custom)],
        tool_choice: Some(ToolChoice::Tool("get.weather".into())),
        parallel_tools: Some(false),
        ..from(
            Dialect::Anthropic,
            vec![
                turn(Role::System, "system", vec![Part::text("Be kind.")]),
                turn(
                    Role::User,
                    "messages[0]",
                    vec![
                        Part::text("look"),
                        media(
                            MediaKind::Image,
                            Source::Base64 { mime: "image/png".into(), data: "AA".into() },
                        ),
                        media(
                            MediaKind::Document,
                            Source::Url { url: "https://a.example/a.pdf".into(), mime: None },
                        ),
                        media(
                            MediaKind::Document,
                            Source::Base64 { mime: "application/pdf".into(), data: "BB".into() },
                        ),
                        media(MediaKind::Document, Source::Text("plain".into())),
                        media(
                            MediaKind::Audio,
                            Source::Base64 { mime: "audio/mpeg".into(), data: "CC".into() },
                        ),
                        media(
                            MediaKind::Video,
                            Source::Url { url: "https://a.example/v".into(), mime: None },
                        ),
                    ],
                ),
                turn(
                    Role::Assistant,
                    "messages[1]",
                    vec![
                        Part::Thinking { text: "theirs".into(), seal: Some(stranger) },
                        Part::Thinking { text: "ours".into(), seal: Some(own) },
                        Part::text("calling"),
                        call(&long, "get.weather", ToolKind::Function),
                        call("c2", "patch", ToolKind::Custom),
                        Part::Native {
                            dialect: Dialect::Anthropic,
                            value: json!({"type": "server_tool_use"}),
                        },
                    ],
                ),
                turn(
                    Role::User,
                    "messages[2]",
                    vec![
                        result(&long, vec![Part::text("sunny")], true),
                        result(
                            "c2",
                            vec![
                                Part::text("done"),
                                media(
                                    MediaKind::Image,
                                    Source::Base64 { mime: "image/png".into(), data: "DD".into() },
                                ),
                            ],
                            false,
                        ),
                    ],
                ),
                turn(Role::System, "messages[3]", vec![Part::text("Hurry.")]),
            ],
        )
    };
    let (body, losses) = sent(&request, "gpt-5.2");
    let call_id = body["input"][3]["call_id"].as_str().unwrap().to_owned();
    assert!(call_id.len() <= 64 && call_id.starts_with("toolu_"));
    let name = body["input"][3]["name"].as_str().unwrap().to_owned();
    assert_eq!(body["instructions"], "Be kind.");
    assert_eq!(
        body["input"],
        json!([
            {"type": "message", "role": "user", "content": [
                {"type": "input_text", "text": "look"},
                {"type": "input_image", "image_url": "data:image/png;base64,AA", "detail": "auto"},
                {"type": "input_file", "file_url": "https://a.example/a.pdf"},
                {"type": "input_file", "filename": "document.pdf", "file_data": "data:application/pdf;base64,BB"},
                {"type": "input_text", "text": "plain"},
                {"type": "input_audio", "input_audio": {"data": "CC", "format": "mp3"}},
            ]},
            {"type": "reasoning", "summary": [{"type": "summary_text", "text": "ours"}], "encrypted_content": "gAAA"},
            {"type": "message", "role": "assistant", "content": [
                {"type": "output_text", "text": "calling", "annotations": []},
            ]},
            {"type": "function_call", "call_id": call_id, "name": name, "arguments": "{}"},
            {"type": "custom_tool_call", "call_id": "c2", "name": "patch", "input": "free"},
            {"type": "function_call_output", "call_id": call_id, "output": [
                {"type": "input_text", "text": "The tool failed:"}, {"type": "input_text", "text": "sunny"},
            ]},
            {"type": "custom_tool_call_output", "call_id": "c2", "output": [
                {"type": "input_text", "text": "done"},
                {"type": "input_image", "image_url": "data:image/png;base64,DD", "detail": "auto"},
            ]},
            {"type": "message", "role": "system", "content": [{"type": "input_text", "text": "Hurry."}]},
        ])
    );
    assert_eq!(
        body["tools"],
        json!([
            {"type": "function", "name": name, "parameters": {"type": "object", "properties": {}}, "strict": false},
            {"type": "custom", "name": "patch"},
        ])
    );
    assert_eq!(body["tool_choice"], json!({"type": "function", "name": name}));
    assert_eq!((&body["parallel_tool_calls"], &body["store"]), (&json!(false), &json!(false)));
    assert_eq!(body["include"], json!(["reasoning.encrypted_content"]));
    assert_eq!(
        losses,
        [
            "tools[0].cache_control",
            "tools[1].cache_control",
            "messages[0].content[4]",
            "messages[0].content[6]",
            "messages[1].content[0]",
            "messages[1].content[5]",
            "messages[2].content[0].is_error",
        ]
    );
}

#[test]
fn tr_what_this_dialect_cannot_say_is_listed() {
    let mut request =
        from(Dialect::OpenAiChat, vec![turn(Role::User, "messages[0]", vec![Part::text("hi")])]);
    let sampling = &mut request.sampling;
    sampling.stop = vec!["x".into()];
    (sampling.seed, sampling.n, sampling.top_k) = (Some(1), Some(2), Some(3));
    (sampling.presence_penalty, sampling.frequency_penalty) = (Some(0.5), Some(0.0));
    (sampling.logprobs, sampling.top_logprobs) = (Some(true), Some(4));
    request.max_tokens = Some(5);
    request.service_tier = Some("batch".into());
    request.user = Some("u".repeat(100));
    request.modalities = vec!["text".into(), "audio".into()];
    request.turns[0].name = Some("ada".into());
    request.tools = vec![
        Tool::Native { dialect: Dialect::Anthropic, kind: "bash".into(), value: json!({}) },
        Tool::WebSearch(WebSearch {
            max_uses: Some(1),
            blocked_domains: vec!["a".into()],
            ..WebSearch::default()
        }),
    ];
    request.tool_choice = Some(ToolChoice::Tool("gone".into()));
    let (body, losses) = sent(&request, "gpt-5.2");
    assert_eq!(
        losses,
        [
            "tools[0]",
            "tools[1].max_uses",
            "tools[1].blocked_domains",
            "messages[0].name",
            "tool_choice",
            "max_tokens",
            "presence_penalty",
            "top_k",
            "seed",
            "stop",
            "n",
            "modalities",
            "service_tier",
        ]
    );
    assert_eq!((&body["max_output_tokens"], &body["top_logprobs"]), (&json!(16), &json!(4)));
    assert_eq!(body["include"][1], "message.output_text.logprobs");
    assert_eq!(body["safety_identifier"].as_str().unwrap().len(), 64);
    assert_eq!(body["tools"], json!([{"type": "web_search"}]));
}

#[test]
fn tr_levels_of_thinking_fit_the_model() {
    let wish = |effort, budget, off| Reasoning { effort, budget, off, ..Reasoning::default() };
    for (model, wish, wanted, lost) in [
        ("gpt-5.2", wish(Some(Effort::Max), None, false), json!({"effort": "xhigh"}), true),
        ("gpt-5.2", wish(Some(Effort::High), None, false), json!({"effort": "high"}), false),
        ("gpt-5", wish(None, None, true), json!({"effort": "minimal"}), true),
        ("gpt-5.1", wish(None, None, true), json!({"effort": "none"}), false),
        ("o3-mini", wish(Some(Effort::Minimal), None, false), json!({"effort": "low"}), true),
        ("gpt-4o", wish(Some(Effort::High), None, false), Value::Null, true),
        ("gpt-4.1", wish(None, None, true), Value::Null, false),
        ("openai/gpt-5", wish(None, Some(8192), false), json!({"effort": "medium"}), true),
        ("gpt-6-sol", wish(Some(Effort::Max), None, false), json!({"effort": "max"}), false),
    ] {
        let turns = vec![turn(Role::User, "messages[0]", vec![Part::text("hi")])];
        let request = Request { reasoning: Some(wish.clone()), ..from(Dialect::Gemini, turns) };
        let (body, losses) = sent(&request, model);
        assert_eq!((&body["reasoning"], !losses.is_empty()), (&wanted, lost), "{model} {wish:?} {losses:?}");
    }
    // Anthropic shows thoughts unless told otherwise.
    let reasoning = Some(Reasoning { adaptive: true, ..Reasoning::default() });
    let request = Request { reasoning, ..from(Dialect::Anthropic, Vec::new()) };
    assert_eq!(sent(&request, "gpt-5.2").0["reasoning"], json!({"summary": "auto"}));
}

#[test]
fn tr_codex_tools_and_items_are_understood() {
    let request = read(&json!({
        "model": "gpt-5.2-codex", "stream": true, "store": false, "include": ["reasoning.encrypted_content"],
        "client_metadata": {"a": 1}, "prompt_cache_key": "k",
        "input": [
            {"type": "message", "id": "msg_1", "role": "developer", "content": [{"type": "input_text", "text": "Rules."}]},
            {"type": "message", "id": "msg_2", "role": "user", "content": [{"type": "input_text", "text": "go"}]},
            {"type": "reasoning", "id": "rs-1", "summary": [], "content": null, "encrypted_content": "gAAA"},
            {"type": "function_call", "status": "completed", "name": "spawn", "namespace": "agents",
             "arguments": "{}", "call_id": "c1"},
            {"type": "custom_tool_call", "name": "apply_patch", "input": "*** Begin", "call_id": "c2"},
            {"type": "function_call_output", "id": "fco_1", "call_id": "c1", "output": "ok"},
            {"type": "custom_tool_call_output", "id": "fco_2", "call_id": "c2", "output": [{"type": "input_text", "text": "ok"}]},
            {"type": "local_shell_call", "id": "lsh_1", "call_id": "c3", "status": "completed", "action": {"type": "exec"}},
            {"type": "local_shell_call_output", "call_id": "c3", "output": "x"},
        ],
        "tools": [
            {"type": "namespace", "name": "agents", "description": "Helpers", "tools": [
                {"type": "function", "name": "spawn", "description": "d", "strict": false, "parameters": {"type": "object"}},
            ]},
            {"type": "custom", "name": "apply_patch", "format": {"type": "grammar", "syntax": "lark", "definition": "s"}},
            {"type": "local_shell"},
            {"type": "web_search", "external_web_access": false},
        ],
    }));
    let roles: Vec<(Role, usize)> = request.turns.iter().map(|turn| (turn.role, turn.parts.len())).collect();
    let wanted = [
        (Role::Developer, 1),
        (Role::User, 1),
        (Role::Assistant, 3),
        (Role::User, 2),
        (Role::Assistant, 1),
        (Role::User, 1),
    ];
    assert_eq!(roles, wanted);
    assert!(matches!(&request.turns[2].parts[0], Part::Thinking { text, seal: Some(seal) }
        if text.is_empty() && seal.data == "gAAA" && seal.dialect == Dialect::OpenAiResponses));
    assert!(
        matches!(&request.turns[2].parts[1], Part::ToolCall { namespace: Some(space), .. } if space == "agents")
    );
    assert!(matches!(&request.turns[2].parts[2], Part::ToolCall { kind: ToolKind::Custom, .. }));
    assert!(
        matches!(&request.tools[0], Tool::Caller { namespace: Some((space, Some(_))), .. } if space == "agents")
    );
    assert!(matches!(&request.tools[2], Tool::Native { kind, .. } if kind == "local_shell"));
    assert!(request.include_sealed && request.stream);
    let rest: Vec<(&str, Weight)> =
        request.rest.iter().map(|rest| (rest.field.as_str(), rest.weight)).collect();
    assert_eq!(rest, [("tools[3].external_web_access", Weight::Meaning), ("client_metadata", Weight::Hint)]);
}

#[test]
fn tr_fields_without_a_place_are_weighed_and_usual_values_are_none() {
    let mut body = json!({"model": "m", "input": "hi", "store": false, "background": false, "truncation": "disabled",
        "top_logprobs": 0, "presence_penalty": 0.0, "metadata": {}, "text": {"format": {"type": "text"}}, "tools": [],
        "reasoning": {"effort": null}, "include": ["message.input_image.image_url"], "conversation": null});
    assert_eq!(read(&body).rest, []);
    for (name, value, weight) in [
        ("store", json!(true), Weight::Hint),
        ("background", json!(true), Weight::Meaning),
        ("conversation", json!("conv_1"), Weight::Meaning),
        ("truncation", json!("auto"), Weight::Meaning),
        ("max_tool_calls", json!(1), Weight::Meaning),
        ("client_metadata", json!({}), Weight::Hint),
        ("stream_options", json!({"include_obfuscation": false}), Weight::Hint),
        ("prompt", json!({"id": "p"}), Weight::Meaning),
        ("future", json!(1), Weight::Meaning),
    ] {
        body[name] = value.clone();
        let rest = read(&body).rest;
        let found = rest.iter().find(|rest| rest.field == name);
        assert_eq!(found.map(|rest| (&rest.value, rest.weight)), Some((&value, weight)), "{name}");
    }
}

#[test]
fn tr_choices_and_forms_are_read_and_written() {
    let base = json!({"model": "m", "input": "hi", "tools": [
        {"type": "function", "name": "f"}, {"type": "custom", "name": "c"}]});
    for choice in [
        json!("auto"),
        json!("none"),
        json!("required"),
        json!({"type": "function", "name": "f"}),
        json!({"type": "custom", "name": "c"}),
        json!({"type": "allowed_tools", "mode": "required", "tools": [
            {"type": "function", "name": "f"}, {"type": "custom", "name": "c"}]}),
        json!({"type": "file_search"}),
        json!({"type": "mcp", "server_label": "s"}),
    ] {
        let mut body = base.clone();
        body["tool_choice"] = choice.clone();
        let request = read(&body);
        assert_eq!(sent(&request, "m").0["tool_choice"], choice);
        assert_eq!(request.rest.is_empty(), request.tool_choice.is_some());
    }
    let mut body = base;
    body["text"] =
        json!({"format": {"type": "json_schema", "name": "p", "schema": {"type": "object"}, "strict": true}});
    let request = read(&body);
    assert!(matches!(&request.format, Some(Format::JsonSchema { strict: Some(true), .. })));
    let mut other = request;
    other.dialect = Dialect::Gemini;
    other.format =
        Some(Format::JsonSchema { name: None, description: None, schema: json!({}), strict: None });
    assert_eq!(
        sent(&other, "m").0["text"],
        json!({"format": {"type": "json_schema", "name": "answer", "schema": {}}})
    );
}

#[test]
fn tr_geminis_proofs_are_joined_with_their_calls_and_texts() {
    let seal = |data: &str| Sealed { dialect: Dialect::Gemini, data: data.into() };
    let item = |data: &str| {
        let sealed = seal(data).write(Dialect::OpenAiResponses);
        json!({"type": "reasoning", "summary": [], "encrypted_content": sealed})
    };
    let request = read(&json!({"model": "m", "input": [
        {"role": "user", "content": "go"},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "hi"}]},
        item("text:b25l"),
        item("dHdv"),
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        item("dGhyZWU="),
    ]}));
    let sealed =
        Part::Text { text: "hi".into(), citations: Vec::new(), seal: Some(seal("b25l")), cache: None };
    let Part::ToolCall { seal: of_call, .. } = &request.turns[1].parts[1] else { panic!("no call") };
    assert_eq!((&request.turns[1].parts[0], of_call), (&sealed, &Some(seal("dHdv"))));
    let alone = Part::Thinking { text: String::new(), seal: Some(seal("dGhyZWU=")) };
    assert_eq!(request.turns[1].parts[2..], [alone]);
}
