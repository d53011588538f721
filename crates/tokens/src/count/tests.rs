//! What is counted of a request, and what is not.

use protocol::translate::{Call, read_request};
use serde_json::json;

use super::*;

fn counted(body: &Value, model: &str) -> Count {
    let request = read_request(Dialect::Anthropic, body.to_string().as_bytes(), Call::default()).unwrap();
    count(&request, model, Dialect::OpenAiResponses)
}

#[test]
fn a_plain_request_has_the_tokens_that_the_vendor_counted() {
    // Recorded: 14 for the newer models, 13 for those that reason.
    let body =
        json!({"model": "m", "messages": [{"role": "user", "content": "What is the capital of Mexico?"}]});
    let plain = counted(&body, "gpt-4o");
    assert_eq!((plain.tokens, plain.vocabulary, plain.within_percent), (14, Vocabulary::O200k, Some(10)));
    assert_eq!(counted(&body, "gpt-5").tokens, 13);
    assert_eq!(counted(&body, "gpt-4-turbo").vocabulary, Vocabulary::Cl100k);
    assert_eq!(counted(&body, "qwen3").within_percent, None);
}

#[test]
fn everything_that_the_model_reads_adds_to_it() {
    let mut body = json!({"model": "m", "max_tokens": 10, "messages": [{"role": "user", "content": "hi"}]});
    let mut last = counted(&body, "gpt-4o").tokens;
    let mut more = |body: &Value, what: &str, sure: bool| {
        let now = counted(body, "gpt-4o");
        assert!(now.tokens > last, "{what}: {} of {last}", now.tokens);
        assert_eq!(now.within_percent.is_some(), sure, "{what}");
        last = now.tokens;
    };
    body["system"] = json!("Be brief.");
    more(&body, "instructions", true);
    body["tools"] = json!([{"name": "f", "description": "Does.", "input_schema": {"type": "object",
        "properties": {"city": {"type": "string", "description": "Where"}}}}]);
    more(&body, "a tool", true);
    let turns = [
        json!({"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "f", "input": {"city": "Rome"}}]}),
        json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "sunny"}]}),
    ];
    for turn in turns {
        body["messages"].as_array_mut().unwrap().push(turn);
        more(&body, "a turn", true);
    }
    let picture = json!({"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}});
    body["messages"].as_array_mut().unwrap().push(json!({"role": "user", "content": [picture]}));
    more(&body, "a picture", false);
    body["tools"].as_array_mut().unwrap().push(json!({"type": "web_search_20250305", "name": "web_search"}));
    more(&body, "a tool of the vendor's", false);
}

#[test]
fn thinking_of_earlier_turns_is_not_read_again() {
    let thought = |earlier: bool| {
        let mut turns = vec![
            json!({"role": "user", "content": "hi"}),
            json!({"role": "assistant", "content": [
                {"type": "thinking", "thinking": "I wonder about it. ".repeat(20), "signature": "x"},
                {"type": "tool_use", "id": "t1", "name": "f", "input": {}}]}),
            json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "ok"}]}),
        ];
        if earlier {
            turns.push(json!({"role": "assistant", "content": "Done."}));
            turns.push(json!({"role": "user", "content": "Thanks."}));
        }
        counted(&json!({"model": "m", "messages": turns}), "gpt-5").tokens
    };
    assert!(thought(true) < thought(false), "{} {}", thought(true), thought(false));
}
