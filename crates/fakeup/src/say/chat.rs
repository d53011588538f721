//! Chat completions and the older text completions.

use serde_json::{Value, json};

use super::{Said, Words, error_value};
use crate::request::Call;

pub(super) fn whole(words: &Words) -> Said {
    let text = words.text();
    let (object, choice) = if words.call == Call::Completions {
        ("text_completion", json!({"index": 0, "text": text, "logprobs": null, "finish_reason": "stop"}))
    } else {
        let message = json!({"role": "assistant", "content": text, "refusal": null, "annotations": []});
        (
            "chat.completion",
            json!({"index": 0, "message": message, "logprobs": null, "finish_reason": "stop"}),
        )
    };
    let value = base(words, object, &json!([choice]));
    Said::json(&words.with_usage(value, "usage", || usage(words)), words.tokens)
}

pub(super) fn stream(words: &Words) -> Said {
    let old = words.call == Call::Completions;
    let object = if old { "text_completion" } else { "chat.completion.chunk" };
    let mut events = Vec::with_capacity(words.deltas.len() + 4);
    let mut say = |value: Value| events.push(format!("data: {value}\n\n"));
    let broken = || error_value(words.call, 503, "The server is overloaded");
    if words.error_after == Some(0) {
        say(broken());
        return Said::events(events, words.tokens);
    }
    if !old {
        let delta = json!({"role": "assistant", "content": "", "refusal": null});
        say(base(words, object, &json!([{"index": 0, "delta": delta, "finish_reason": null}])));
    }
    for text in words.spoken() {
        let choice = if old {
            json!({"index": 0, "text": text, "finish_reason": null})
        } else {
            json!({"index": 0, "delta": {"content": text}, "finish_reason": null})
        };
        say(base(words, object, &json!([choice])));
    }
    if words.error_after.is_some() {
        say(broken());
        return Said::events(events, words.tokens);
    }
    let last = if old {
        json!({"index": 0, "text": "", "finish_reason": "stop"})
    } else {
        json!({"index": 0, "delta": {}, "finish_reason": "stop"})
    };
    say(base(words, object, &json!([last])));
    if words.usage_asked {
        let value = base(words, object, &json!([]));
        say(words.with_usage(value, "usage", || usage(words)));
    }
    events.push("data: [DONE]\n\n".to_owned());
    Said::events(events, words.tokens)
}

fn base(words: &Words, object: &str, choices: &Value) -> Value {
    json!({
        "id": "chatcmpl-FakeUpstream", "object": object, "created": 1_790_000_000, "model": words.model,
        "choices": choices, "system_fingerprint": "fp_fake",
    })
}

pub(super) fn usage(words: &Words) -> Value {
    let tokens = words.tokens;
    let prompt = tokens.input + tokens.cache_read + tokens.cache_write;
    let mut details = json!({"cached_tokens": words.count(tokens.cache_read), "audio_tokens": 0});
    if let (true, Value::Object(fields)) = (tokens.cache_write > 0, &mut details) {
        fields.insert("cache_write_tokens".to_owned(), words.count(tokens.cache_write));
    }
    json!({
        "prompt_tokens": words.count(prompt),
        "completion_tokens": words.count(tokens.output),
        "total_tokens": words.count(prompt + tokens.output),
        "prompt_tokens_details": details,
        "completion_tokens_details": {"reasoning_tokens": words.count(tokens.reasoning), "audio_tokens": 0},
    })
}
