//! Anthropic Messages.

use serde_json::{Value, json};

use super::{Said, Words, error_value};
use crate::request::Call;

pub(super) fn whole(words: &Words) -> Said {
    if words.call == Call::CountTokens {
        return Said::json(&json!({"input_tokens": 42}), words.tokens);
    }
    let text = words.text();
    let mut message = message(words, &json!([{"type": "text", "text": text}]), &json!("end_turn"));
    message = words.with_usage(message, "usage", || usage(words, words.tokens.output));
    Said::json(&message, words.tokens)
}

pub(super) fn stream(words: &Words) -> Said {
    let mut events = Vec::with_capacity(words.deltas.len() + 6);
    let mut say = |name: &str, value: Value| events.push(format!("event: {name}\ndata: {value}\n\n"));
    let start = message(words, &json!([]), &Value::Null);
    // The first event knows the input and a token of output; the last one knows the output.
    let start = words.with_usage(start, "usage", || usage(words, words.tokens.output.min(1)));
    if words.error_after == Some(0) {
        say("error", error_value(words.call, 529, "Overloaded"));
        return Said::events(events, words.tokens);
    }
    say("message_start", json!({"type": "message_start", "message": start}));
    let block = json!({"type": "text", "text": ""});
    say("content_block_start", json!({"type": "content_block_start", "index": 0, "content_block": block}));
    say("ping", json!({"type": "ping"}));
    for text in words.spoken() {
        let delta = json!({"type": "text_delta", "text": text});
        say("content_block_delta", json!({"type": "content_block_delta", "index": 0, "delta": delta}));
    }
    if words.error_after.is_some() {
        say("error", error_value(words.call, 529, "Overloaded"));
        return Said::events(events, words.tokens);
    }
    say("content_block_stop", json!({"type": "content_block_stop", "index": 0}));
    let end = json!({"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": null}});
    let end = words.with_usage(end, "usage", || {
        let details = json!({"thinking_tokens": words.count(words.tokens.reasoning)});
        json!({"output_tokens": words.count(words.tokens.output), "output_tokens_details": details})
    });
    say("message_delta", end);
    say("message_stop", json!({"type": "message_stop"}));
    Said::events(events, words.tokens)
}

fn message(words: &Words, content: &Value, stop_reason: &Value) -> Value {
    json!({
        "id": "msg_01FakeUpstream", "type": "message", "role": "assistant", "model": words.model,
        "content": content, "stop_reason": stop_reason, "stop_sequence": null,
    })
}

pub(super) fn usage(words: &Words, output: u64) -> Value {
    let tokens = words.tokens;
    let five_minutes = tokens.cache_write - tokens.cache_write_1h;
    json!({
        "input_tokens": words.count(tokens.input),
        "cache_creation_input_tokens": words.count(tokens.cache_write),
        "cache_read_input_tokens": words.count(tokens.cache_read),
        "cache_creation": {
            "ephemeral_5m_input_tokens": words.count(five_minutes),
            "ephemeral_1h_input_tokens": words.count(tokens.cache_write_1h),
        },
        "output_tokens": words.count(output),
        "output_tokens_details": {"thinking_tokens": words.count(tokens.reasoning.min(output))},
        "service_tier": "standard",
    })
}
