//! Requests to count and their answers.

use serde_json::{Value, json};

use super::*;
use crate::recorded;

fn to(dialect: Dialect, model: &str) -> Target<'_> {
    Target { dialect, model, max_output: None }
}

fn parsed(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

#[test]
fn anthropics_request_to_count_becomes_geminis_with_instructions_and_tools() {
    let body = json!({
        "model": "claude", "system": "Be brief.",
        "messages": [{"role": "user", "content": "hi"}],
        "tools": [{"name": "f", "input_schema": {"type": "object", "properties": {}}}],
        "thinking": {"type": "enabled", "budget_tokens": 2048}
    });
    let call = Call::default();
    let target = to(Dialect::Gemini, "gemini-2.5-flash");
    let written = request(Dialect::Anthropic, body.to_string().as_bytes(), call, target).unwrap().unwrap();
    let inner = &parsed(&written.body)["generateContentRequest"];
    assert_eq!(inner["model"], "models/gemini-2.5-flash");
    assert_eq!(inner["systemInstruction"]["parts"][0]["text"], "Be brief.");
    assert_eq!(inner["contents"], json!([{"role": "user", "parts": [{"text": "hi"}]}]));
    assert_eq!(inner["tools"][0]["functionDeclarations"][0]["name"], "f");
    assert!(inner.get("generationConfig").is_none());
}

#[test]
fn both_of_geminis_requests_to_count_become_anthropics() {
    let plain = json!({"contents": [{"parts": [{"text": "hi"}]}], "system_instruction": "Be brief.",
        "generationConfig": {"temperature": 1}});
    let mut inner = plain.clone();
    inner["model"] = json!("models/x");
    for body in
        [plain, json!({"generateContentRequest": inner.clone()}), json!({"generate_content_request": inner})]
    {
        let call = Call { model: Some("gemini-2.5-flash"), stream: None };
        let target = to(Dialect::Anthropic, "claude-opus-4-6");
        let written = request(Dialect::Gemini, body.to_string().as_bytes(), call, target).unwrap().unwrap();
        let written = parsed(&written.body);
        assert_eq!(written["model"], "claude-opus-4-6");
        assert!(written["system"].to_string().contains("Be brief."), "{written}");
        assert!(written["messages"].to_string().contains("hi"), "{written}");
        let names: Vec<_> = written.as_object().unwrap().keys().collect();
        assert!(names.iter().all(|name| COUNTED.contains(&name.as_str())), "{names:?}");
    }
}

#[test]
fn recorded_counters_and_requests_are_understood() {
    let mut checked = 0;
    for record in recorded::cassettes() {
        let (dialect, name, other) = match record["api"].as_str() {
            Some("messages_count") => (Dialect::Anthropic, "input_tokens", Dialect::Gemini),
            Some("gemini_count") => (Dialect::Gemini, "totalTokens", Dialect::Anthropic),
            _ => continue,
        };
        if record["status"] != 200 {
            continue;
        }
        let body = record["body"].as_str().unwrap();
        let tokens = counted(dialect, body.as_bytes()).unwrap();
        assert_eq!(json!(tokens), parsed(body.as_bytes())[name], "{}", record["id"]);
        assert_eq!(counted(other, &answer(other, tokens)).unwrap(), tokens);
        let asked = record["req"].to_string();
        let call = Call { model: Some("gemini-2.5-flash"), stream: None };
        let written = request(dialect, asked.as_bytes(), call, to(other, "m"));
        assert!(written.unwrap_or_else(|fault| panic!("{}: {fault}", record["id"])).is_some());
        checked += 1;
    }
    println!("{checked} recorded counts read");
}

#[test]
fn a_counter_that_says_nothing_is_a_fault_and_openai_has_none() {
    assert_eq!(counted(Dialect::Gemini, b"{}").unwrap_err().at(), Some("totalTokens"));
    assert_eq!(
        counted(Dialect::Anthropic, br#"{"input_tokens":-1}"#).unwrap_err().at(),
        Some("input_tokens")
    );
    let body = br#"{"contents":[{"parts":[{"text":"hi"}]}]}"#;
    let call = Call { model: Some("m"), stream: None };
    assert!(request(Dialect::Gemini, body, call, to(Dialect::OpenAiChat, "m")).unwrap().is_none());
    assert!(request(Dialect::Gemini, b"[]", call, to(Dialect::Anthropic, "m")).is_err());
}
