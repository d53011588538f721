//! `OpenAI` Responses.

use serde_json::{Value, json};

use super::{Said, Words};
use crate::request::Call;

pub(super) fn whole(words: &Words) -> Said {
    let mut value = response(words, "completed", &words.text());
    if words.call == Call::Compact {
        value = json!({"id": "resp_FakeUpstream", "object": "response.compaction", "created_at": 1_790_000_000,
            "output": [{"type": "compaction", "id": "cmp_1", "encrypted_content": "gAAA"}]});
    }
    Said::json(&words.with_usage(value, "usage", || usage(words)), words.tokens)
}

pub(super) fn stream(words: &Words) -> Said {
    let mut events: Vec<String> = Vec::with_capacity(words.deltas.len() + 8);
    let mut say = |kind: &str, mut value: Value| {
        if let Value::Object(fields) = &mut value {
            fields.insert("type".to_owned(), json!(kind));
            fields.insert("sequence_number".to_owned(), json!(events.len()));
        }
        events.push(format!("event: {kind}\ndata: {value}\n\n"));
    };
    let failed = |text: &str| {
        let mut value = response(words, "failed", text);
        if let Value::Object(fields) = &mut value {
            fields.insert(
                "error".to_owned(),
                json!({"code": "server_error", "message": "The server is overloaded"}),
            );
        }
        json!({ "response": value })
    };
    if words.error_after == Some(0) {
        say("response.failed", failed(""));
        return Said::events(events, words.tokens);
    }
    say("response.created", json!({"response": response(words, "in_progress", "")}));
    say("response.in_progress", json!({"response": response(words, "in_progress", "")}));
    let item = json!({"id": "msg_1", "type": "message", "status": "in_progress", "role": "assistant", "content": []});
    say("response.output_item.added", json!({"output_index": 0, "item": item}));
    let place = json!({"item_id": "msg_1", "output_index": 0, "content_index": 0});
    let part = |text: &str| json!({"type": "output_text", "text": text, "annotations": [], "logprobs": []});
    let at = |name: &str, value: Value| {
        let mut here = place.clone();
        if let Value::Object(fields) = &mut here {
            fields.insert(name.to_owned(), value);
        }
        here
    };
    say("response.content_part.added", at("part", part("")));
    let mut said = String::new();
    for text in words.spoken() {
        said.push_str(text);
        say("response.output_text.delta", at("delta", json!(text)));
    }
    if words.error_after.is_some() {
        say("response.failed", failed(&said));
        return Said::events(events, words.tokens);
    }
    say("response.output_text.done", at("text", json!(said)));
    say("response.content_part.done", at("part", part(&said)));
    let whole = response(words, "completed", &said);
    say("response.output_item.done", json!({"output_index": 0, "item": whole.pointer("/output/0")}));
    let whole = words.with_usage(whole, "usage", || usage(words));
    say("response.completed", json!({ "response": whole }));
    Said::events(events, words.tokens)
}

fn response(words: &Words, status: &str, text: &str) -> Value {
    let content = json!([{"type": "output_text", "text": text, "annotations": [], "logprobs": []}]);
    let output = if text.is_empty() {
        json!([])
    } else {
        json!([{"id": "msg_1", "type": "message", "status": status, "role": "assistant", "content": content}])
    };
    json!({
        "id": "resp_FakeUpstream", "object": "response", "created_at": 1_790_000_000, "status": status,
        "model": words.model, "output": output, "error": null, "incomplete_details": null, "instructions": null,
        "metadata": {}, "parallel_tool_calls": true, "tool_choice": "auto", "tools": [], "temperature": 1.0,
        "top_p": 1.0, "usage": null,
    })
}

pub(super) fn usage(words: &Words) -> Value {
    let tokens = words.tokens;
    let input = tokens.input + tokens.cache_read + tokens.cache_write;
    let mut details = json!({"cached_tokens": words.count(tokens.cache_read)});
    if let (true, Value::Object(fields)) = (tokens.cache_write > 0, &mut details) {
        fields.insert("cache_write_tokens".to_owned(), words.count(tokens.cache_write));
    }
    json!({
        "input_tokens": words.count(input),
        "input_tokens_details": details,
        "output_tokens": words.count(tokens.output),
        "output_tokens_details": {"reasoning_tokens": words.count(tokens.reasoning)},
        "total_tokens": words.count(input + tokens.output),
    })
}
