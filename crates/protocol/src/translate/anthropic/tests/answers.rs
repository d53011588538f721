//! Answers of other vendors' models as an Anthropic caller gets them.

use serde_json::{Value, json};

use super::super::{read_answer, write_answer};
use super::back;
use crate::Dialect;
use crate::neutral::{Answer, Choice, Media, MediaKind, Part, Source, Stop, ToolKind};

fn written(parts: Vec<Part>, stop: Option<Stop>) -> Value {
    let answer = Answer {
        id: "chatcmpl-1".into(),
        model: "gpt".into(),
        choices: vec![Choice { parts, stop, logprobs: None }],
        usage: None,
        service_tier: Some("default".into()),
    };
    write_answer(&answer, &back(Dialect::Anthropic, Dialect::OpenAiChat))
}

fn call(arguments: &str, kind: ToolKind) -> Part {
    Part::ToolCall {
        id: "call_1".into(),
        name: "f".into(),
        namespace: None,
        arguments: arguments.into(),
        kind,
        seal: None,
        cache: None,
    }
}

#[test]
fn an_answer_is_a_message_with_every_field_that_clients_read() {
    let usage = json!({
        "input_tokens": 0,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "cache_creation": { "ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0 },
        "output_tokens": 0,
        "service_tier": "standard",
    });
    assert_eq!(
        written(vec![Part::text("hi"), Part::text("")], Some(Stop::End)),
        json!({
            "id": "msg_t1", "type": "message", "role": "assistant", "model": "asked-for",
            "content": [{ "type": "text", "text": "hi" }],
            "stop_reason": "end_turn", "stop_sequence": null, "usage": usage,
        })
    );
}

#[test]
fn every_end_has_its_word() {
    for (stop, parts, reason) in [
        (Some(Stop::End), vec![], "end_turn"),
        (None, vec![], "end_turn"),
        (Some(Stop::Other("insane".into())), vec![], "end_turn"),
        (Some(Stop::MaxTokens), vec![], "max_tokens"),
        (Some(Stop::Sequence(None)), vec![], "stop_sequence"),
        (Some(Stop::Refusal), vec![], "refusal"),
        (Some(Stop::Pause), vec![], "pause_turn"),
        (Some(Stop::ContextFull), vec![], "model_context_window_exceeded"),
        // Some servers end calls with a bare stop.
        (Some(Stop::End), vec![call("{}", ToolKind::Function)], "tool_use"),
        (Some(Stop::MaxTokens), vec![call("{}", ToolKind::Function)], "max_tokens"),
        (Some(Stop::End), vec![Part::Refusal { text: "no".into() }], "refusal"),
    ] {
        assert_eq!(written(parts, stop.clone())["stop_reason"], reason, "{stop:?}");
    }
    let met = written(vec![], Some(Stop::Sequence(Some("END".into()))));
    assert_eq!(met["stop_sequence"], "END");
}

#[test]
fn a_calls_input_is_always_an_object() {
    for (arguments, kind, input) in [
        ("", ToolKind::Function, json!({})),
        ("{\"a\":1}", ToolKind::Function, json!({ "a": 1 })),
        ("{\"a\":", ToolKind::Function, json!({ "_raw": "{\"a\":" })),
        ("*** Begin", ToolKind::Custom, json!({ "input": "*** Begin" })),
    ] {
        assert_eq!(written(vec![call(arguments, kind)], None)["content"][0]["input"], input);
    }
}

#[test]
fn web_citations_of_openai_are_kept_and_others_are_not() {
    let flat = json!({
        "type": "url_citation", "url": "https://a.example", "title": "A", "start_index": 4, "end_index": 9,
    });
    let nested = json!({ "type": "url_citation", "url_citation": { "url": "https://b.example" } });
    let file = json!({ "type": "file_citation", "file_id": "f" });
    let part = Part::Text {
        text: "As «we» know".into(),
        citations: vec![
            (Dialect::OpenAiResponses, flat),
            (Dialect::OpenAiChat, nested),
            (Dialect::OpenAiResponses, file),
        ],
        seal: None,
        cache: None,
    };
    let location = |url: &str, title: Value, cited: &str| {
        json!({
            "type": "web_search_result_location", "url": url, "title": title, "cited_text": cited,
            "encrypted_index": "",
        })
    };
    assert_eq!(
        written(vec![part], None)["content"][0]["citations"],
        json!([
            location("https://a.example", "A".into(), "we» k"),
            location("https://b.example", Value::Null, ""),
        ])
    );
}

#[test]
fn pictures_are_shown_as_links_and_foreign_oddities_are_left_out() {
    let picture = Part::Media(Media {
        kind: MediaKind::Image,
        source: Source::Base64 { mime: "image/png".into(), data: "QQ==".into() },
        name: None,
        detail: None,
        cache: None,
        seal: None,
    });
    let odd = Part::Native { dialect: Dialect::Gemini, value: json!({ "executableCode": {} }) };
    let text = "![media](data:image/png;base64,QQ==)";
    assert_eq!(written(vec![odd, picture], None)["content"], json!([{ "type": "text", "text": text }]));
}

#[test]
fn what_is_no_message_is_a_fault() {
    for (body, field) in [
        (json!([]), "body"),
        (json!({ "type": "error", "error": {} }), "type"),
        (json!({ "type": "message" }), "content"),
        (json!({ "content": "text" }), "content"),
    ] {
        assert_eq!(read_answer(body).unwrap_err().at(), Some(field));
    }
    // Blocks that break the vendor's own types are kept as they are.
    let odd = json!({ "content": [3, { "type": "text" }, { "type": "tool_use", "id": "", "name": "f" }] });
    let answer = read_answer(odd).unwrap();
    assert!(answer.choices[0].parts.iter().all(|part| matches!(part, Part::Native { .. })));
}
