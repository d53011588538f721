//! Everything that is neither a conversation nor Gemini's: embeddings, images, sound, lists.

use serde_json::{Value, json};

use super::{Said, Words, error_value};
use crate::behaviour::Tokens;
use crate::request::{Call, Received};

/// Names in the model lists.
pub(crate) const MODELS: [&str; 4] =
    ["claude-sonnet-4-5", "gemini-2.5-flash", "gpt-5-mini", "text-embedding-3-small"];

pub(super) fn whole(words: &Words, request: &Received) -> Said {
    let free = Tokens { input: 0, output: 0, ..Tokens::default() };
    let input = words.tokens.input;
    let used = || json!({"prompt_tokens": words.count(input), "total_tokens": words.count(input)});
    match words.call {
        Call::Embeddings => {
            let asked = serde_json::from_slice::<Value>(&request.body).unwrap_or_default();
            let input = asked.get("input").and_then(Value::as_array);
            let texts = input.filter(|input| input.iter().any(Value::is_string));
            let item =
                |index| json!({"object": "embedding", "index": index, "embedding": [0.25, -0.5, 0.125]});
            let data: Vec<Value> = (0..texts.map_or(1, Vec::len)).map(item).collect();
            let value = json!({"object": "list", "model": words.model, "data": data});
            Said::json(&words.with_usage(value, "usage", used), words.tokens)
        }
        Call::Rerank => {
            let results = json!([{"index": 1, "relevance_score": 0.9}, {"index": 0, "relevance_score": 0.1}]);
            let value = json!({"model": words.model, "results": results});
            Said::json(&words.with_usage(value, "usage", used), words.tokens)
        }
        Call::Images => Said::json(
            &json!({"created": 1_790_000_000, "data": [{"b64_json": "iVBORw0KGgo=", "revised_prompt": null}]}),
            free,
        ),
        Call::Transcription => Said::json(&json!({"text": words.text()}), free),
        Call::Moderations => Said::json(
            &json!({"id": "modr-fake", "model": words.model, "results": [{"flagged": false, "categories": {}, "category_scores": {}}]}),
            free,
        ),
        Call::Speech => {
            // An MP3 frame header and noise: bytes that are neither text nor JSON.
            let mut sound = vec![0xff, 0xfb, 0x90, 0x00];
            sound.extend((0_u16..4096).map(|n| n.wrapping_mul(31).to_le_bytes()[0] | 1));
            Said { content_type: "audio/mpeg", pieces: vec![sound.into()], billed: free, error_type: None }
        }
        Call::Models => Said::json(&models(request), free),
        _ => Said::json(&error_value(words.call, 404, "no such path at the fake upstream"), free),
    }
}

fn models(request: &Received) -> Value {
    let path = request.path();
    if path.contains("/v1beta") || request.header("x-goog-api-key").is_some() {
        let items: Vec<Value> = MODELS
            .iter()
            .map(|name| json!({"name": format!("models/{name}"), "displayName": name, "supportedGenerationMethods": ["generateContent"]}))
            .collect();
        return json!({ "models": items });
    }
    let anthropic = request.header("anthropic-version").is_some();
    let items: Vec<Value> = MODELS
        .iter()
        .map(|name| {
            if anthropic {
                json!({"type": "model", "id": name, "display_name": name, "created_at": "2026-01-01T00:00:00Z"})
            } else {
                json!({"id": name, "object": "model", "created": 1_790_000_000, "owned_by": "fake"})
            }
        })
        .collect();
    if anthropic {
        json!({"data": items, "has_more": false, "first_id": MODELS.first(), "last_id": MODELS.last()})
    } else {
        json!({"object": "list", "data": items})
    }
}
