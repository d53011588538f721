//! Requests of other dialects as they are sent to Anthropic: the conversation.

mod settings;
mod tools;

use serde_json::{Value, json};

use super::super::write_request;
use crate::Dialect;
use crate::neutral::{Losses, Media, MediaKind, Part, Request, Role, Sealed, Source, ToolKind, Turn};
use crate::translate::{Names, Target};

/// A model that takes everything new.
const NEW: &str = "claude-opus-5-5";
/// One that takes budgets and sampling.
const OLD: &str = "claude-sonnet-4-5";

fn turn(role: Role, parts: Vec<Part>) -> Turn {
    Turn { role, name: None, parts, at: String::new(), places: Vec::new() }
}

/// A Chat caller's request.
fn request(turns: Vec<Turn>) -> Request {
    let mut request = Request::new(Dialect::OpenAiChat, "asked-for", false);
    request.turns = turns;
    for (index, turn) in request.turns.iter_mut().enumerate() {
        turn.at = format!("messages[{index}]");
    }
    request
}

fn says(role: Role, text: &str) -> Turn {
    turn(role, vec![Part::text(text)])
}

fn asks() -> Request {
    request(vec![says(Role::User, "hi")])
}

fn call(id: &str, arguments: &str) -> Part {
    Part::ToolCall {
        id: id.into(),
        name: "f".into(),
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

/// The body and the fields that were lost.
fn write(request: &Request, model: &str) -> (Value, Vec<String>) {
    let (body, losses) = write_noting(request, model, None);
    (body, losses.kept().iter().map(|loss| loss.field.clone()).collect())
}

fn write_noting(request: &Request, model: &str, max_output: Option<u64>) -> (Value, Losses) {
    let mut losses = Losses::new();
    let target = Target { dialect: Dialect::Anthropic, model, max_output };
    let body = write_request(request, target, &mut Names::new(), &mut losses);
    (body, losses)
}

fn text(text: &str) -> Value {
    json!({ "type": "text", "text": text })
}

#[test]
fn wire_04_instructions_go_to_the_top_and_later_ones_behind_the_users_turn() {
    let request = request(vec![
        says(Role::System, "a"),
        says(Role::Developer, "b"),
        says(Role::User, "hi"),
        says(Role::Assistant, "ho"),
        says(Role::System, "c"),
        says(Role::User, "and"),
    ]);
    let (body, lost) = write(&request, NEW);
    assert_eq!(body["system"], json!([text("a"), text("b")]));
    assert_eq!(
        body["messages"],
        json!([
            { "role": "user", "content": [text("hi")] },
            { "role": "assistant", "content": [text("ho")] },
            { "role": "user", "content": [text("and")] },
            { "role": "system", "content": [text("c")] },
        ])
    );
    assert!(lost.is_empty());
    // Models that do not know them get them as words of the user, in their place.
    for model in [OLD, "deepseek-chat"] {
        let (body, lost) = write(&request, model);
        let wanted = json!({ "role": "user", "content": [text("<system>\nc\n</system>"), text("and")] });
        assert_eq!(body["messages"][2], wanted);
        assert_eq!(lost, ["messages[4]"]);
    }
}

#[test]
fn instructions_that_follow_no_user_are_words_of_the_user() {
    let request = request(vec![
        says(Role::User, "hi"),
        says(Role::Assistant, "ho"),
        says(Role::System, "c"),
        says(Role::Assistant, "hum"),
        says(Role::User, "and"),
    ]);
    let (body, lost) = write(&request, NEW);
    assert_eq!(body["messages"][2], json!({ "role": "user", "content": [text("<system>\nc\n</system>")] }));
    assert_eq!(lost, ["messages[2]"]);
}

#[test]
fn a_conversation_begins_and_ends_with_the_user() {
    let (body, lost) = write(&request(vec![says(Role::System, "a"), says(Role::System, "b")]), NEW);
    assert_eq!(
        (&body["system"], &body["messages"][0]["content"]),
        (&json!([text("a")]), &json!([text("b")]))
    );
    assert_eq!(lost, ["messages[1]"]);
    let begun = request(vec![says(Role::Assistant, "Once "), says(Role::Assistant, "upon ")]);
    let (body, lost) = write(&begun, OLD);
    assert_eq!(body["messages"][0], json!({ "role": "user", "content": [text(".")] }));
    assert_eq!(body["messages"][1]["content"], json!([text("Once "), text("upon")]));
    assert_eq!(lost, ["messages[0]"]);
    let (body, _) = write(&begun, NEW);
    assert_eq!(body["messages"][2], json!({ "role": "user", "content": [text("Continue.")] }));
    let (body, _) = write(&request(Vec::new()), NEW);
    assert_eq!(body["messages"].as_array().unwrap().len(), 1);
}

#[test]
fn results_of_parallel_calls_are_in_one_message_and_first() {
    let request = request(vec![
        says(Role::User, "go"),
        turn(Role::Assistant, vec![call("a", "{\"x\":1}"), call("b", "")]),
        turn(Role::User, vec![result("b", vec![Part::text("2")])]),
        says(Role::User, "and now"),
        turn(Role::User, vec![result("a", vec![])]),
    ]);
    let (body, lost) = write(&request, NEW);
    assert_eq!(
        body["messages"][1]["content"],
        json!([
            { "type": "tool_use", "id": "a", "name": "f", "input": { "x": 1 } },
            { "type": "tool_use", "id": "b", "name": "f", "input": {} },
        ])
    );
    assert_eq!(
        body["messages"][2]["content"],
        json!([
            { "type": "tool_result", "tool_use_id": "b", "content": "2" },
            { "type": "tool_result", "tool_use_id": "a" },
            text("and now"),
        ])
    );
    assert_eq!(body["messages"].as_array().unwrap().len(), 3);
    assert!(lost.is_empty());
    // The vendor refuses calls of tools that were never declared.
    assert_eq!(body["tools"], json!([{ "name": "f", "input_schema": { "type": "object" } }]));
    assert_eq!(body["tool_choice"], json!({ "type": "none" }));
}

#[test]
fn torn_pairs_are_mended_and_said() {
    let request = request(vec![
        says(Role::User, "go"),
        turn(Role::Assistant, vec![call("a", "{}")]),
        says(Role::Assistant, "well"),
        turn(Role::User, vec![result("z", vec![Part::text("nobody asked")])]),
        turn(Role::Assistant, vec![call("c", "no json"), call("d", "[1]")]),
    ]);
    let (body, lost) = write(&request, NEW);
    let messages = body["messages"].as_array().unwrap();
    let missing = |id: &str| json!({ "type": "tool_result", "tool_use_id": id, "is_error": true, "content": "No result was given." });
    assert_eq!(messages[2]["content"], json!([missing("a"), text("nobody asked")]));
    assert_eq!(messages[3]["content"][0]["input"], json!({ "_raw": "no json" }));
    assert_eq!(messages[3]["content"][1]["input"], json!({ "_raw": "[1]" }));
    assert_eq!(messages[4], json!({ "role": "user", "content": [missing("c"), missing("d")] }));
    assert_eq!(
        lost,
        [
            "messages[4].content[0].arguments",
            "messages[4].content[1].arguments",
            "messages[3].content[0]",
            "messages[3]",
            "messages[4]"
        ]
    );
}

#[test]
fn only_anthropics_own_proofs_go_back_to_it() {
    let thought = |dialect, data: &str| Part::Thinking {
        text: "hm".into(),
        seal: Some(Sealed { dialect, data: data.into() }),
    };
    let hidden = Part::Thinking {
        text: String::new(),
        seal: Some(Sealed { dialect: Dialect::Anthropic, data: "redacted:xyz".into() }),
    };
    let request = request(vec![
        says(Role::User, "go"),
        turn(
            Role::Assistant,
            vec![
                thought(Dialect::Anthropic, "sig"),
                hidden,
                thought(Dialect::Gemini, "sig"),
                Part::text("ok"),
            ],
        ),
        says(Role::User, "on"),
    ]);
    let (body, losses) = write_noting(&request, NEW, None);
    assert_eq!(
        body["messages"][1]["content"],
        json!([
            { "type": "thinking", "thinking": "hm", "signature": "sig" },
            { "type": "redacted_thinking", "data": "xyz" },
            text("ok"),
        ])
    );
    assert_eq!(losses.kept().len(), 1);
    assert!(losses.first_meaning().is_none());
}

#[test]
fn media_are_sent_as_the_vendor_takes_them() {
    let media = |kind, source| {
        Part::Media(Media { kind, source, name: Some("n".into()), detail: None, cache: None, seal: None })
    };
    let base64 = |mime: &str, data: &str| Source::Base64 { mime: mime.into(), data: data.into() };
    let url = || Source::Url { url: "https://a.example/b".into(), mime: None };
    let file = |dialect| Source::File { dialect, id: "id".into(), mime: None };
    let (image, document) = (MediaKind::Image, MediaKind::Document);
    let plain = json!({ "type": "text", "media_type": "text/plain", "data": "hello" });
    for (kind, source, wanted) in [
        (
            image,
            base64("image/jpg", "x"),
            json!({ "type": "base64", "media_type": "image/jpeg", "data": "x" }),
        ),
        (image, url(), json!({ "type": "url", "url": "https://a.example/b" })),
        (image, file(Dialect::Anthropic), json!({ "type": "file", "file_id": "id" })),
        (image, base64("image/tiff", "x"), Value::Null),
        (image, file(Dialect::OpenAiChat), Value::Null),
        (
            document,
            base64("application/pdf", "x"),
            json!({ "type": "base64", "media_type": "application/pdf", "data": "x" }),
        ),
        (document, base64("text/csv", "aGVsbG8="), plain.clone()),
        (document, Source::Text("hello".into()), plain),
        (document, base64("application/zip", "x"), Value::Null),
        (MediaKind::Audio, base64("audio/wav", "x"), Value::Null),
        (MediaKind::Video, url(), Value::Null),
    ] {
        let request = request(vec![turn(Role::User, vec![Part::text("see"), media(kind, source)])]);
        let (body, lost) = write(&request, NEW);
        let block = &body["messages"][0]["content"][1];
        assert_eq!(block["source"], wanted, "{body}");
        assert_eq!(block["title"] == "n", kind == document && !wanted.is_null());
        let wanted: &[&str] = if wanted.is_null() { &["messages[0].content[1]"] } else { &[] };
        assert_eq!(lost, wanted);
    }
}

#[test]
fn tool_results_carry_images_and_errors() {
    let image = Part::Media(Media {
        kind: MediaKind::Image,
        source: Source::of_url("data:image/png;base64,QQ=="),
        name: None,
        detail: None,
        cache: None,
        seal: None,
    });
    let mut failed = result("a", vec![Part::text("see"), image]);
    if let Part::ToolResult { is_error, .. } = &mut failed {
        *is_error = true;
    }
    let request = request(vec![
        says(Role::User, "go"),
        turn(Role::Assistant, vec![call("a", "{}")]),
        turn(Role::User, vec![failed]),
    ]);
    let (body, _) = write(&request, NEW);
    let source = json!({ "type": "base64", "media_type": "image/png", "data": "QQ==" });
    assert_eq!(
        body["messages"][2]["content"],
        json!([{
            "type": "tool_result", "tool_use_id": "a", "is_error": true,
            "content": [text("see"), { "type": "image", "source": source }],
        }])
    );
}

#[test]
fn empty_messages_are_never_left_behind() {
    let native = Part::Native { dialect: Dialect::OpenAiResponses, value: json!({ "type": "x" }) };
    let request = request(vec![
        says(Role::User, "go"),
        turn(Role::Assistant, vec![native]),
        says(Role::User, " \n"),
        says(Role::User, "on"),
    ]);
    let (body, lost) = write(&request, NEW);
    assert_eq!(body["messages"], json!([{ "role": "user", "content": [text("go"), text("on")] }]));
    assert_eq!(lost, ["messages[1].content[0]"]);
}
