//! Gemini.

use serde_json::{Value, json};

use super::{Said, Words, error_value};
use crate::behaviour::Tokens;
use crate::request::Call;

pub(super) fn whole(words: &Words) -> Said {
    let free = Tokens { input: 0, output: 0, ..Tokens::default() };
    match words.call {
        Call::GeminiCount => Said::json(&json!({"totalTokens": 42}), free),
        Call::GeminiEmbed => Said::json(&json!({"embedding": {"values": [0.25, -0.5, 0.125]}}), free),
        Call::GeminiBatchEmbed => {
            Said::json(&json!({"embeddings": [{"values": [0.25, -0.5]}, {"values": [0.5, 0.125]}]}), free)
        }
        _ => {
            let value = piece(words, &words.text(), true);
            Said::json(&words.with_usage(value, "usageMetadata", || usage(words, true)), words.tokens)
        }
    }
}

/// With `alt=sse` a stream of events, without it one JSON array that grows.
pub(super) fn stream(words: &Words, events: bool) -> Said {
    let spoken: Vec<&String> = words.spoken().collect();
    let last = spoken.len().saturating_sub(1);
    let mut values: Vec<Value> = spoken
        .iter()
        .enumerate()
        .map(|(at, text)| {
            let ends = at == last && words.error_after.is_none();
            words.with_usage(piece(words, text, ends), "usageMetadata", || usage(words, ends))
        })
        .collect();
    if words.error_after.is_some() {
        values.push(error_value(words.call, 503, "The model is overloaded"));
    }
    if events {
        return Said::events(
            values.iter().map(|value| format!("data: {value}\r\n\r\n")).collect(),
            words.tokens,
        );
    }
    let mut pieces: Vec<bytes::Bytes> = Vec::with_capacity(values.len() + 1);
    for (at, value) in values.iter().enumerate() {
        pieces.push(format!("{}{value}", if at == 0 { "[" } else { ",\r\n" }).into());
    }
    pieces.push("]".into());
    Said { content_type: "application/json; charset=UTF-8", pieces, billed: words.tokens, error_type: None }
}

fn piece(words: &Words, text: &str, ends: bool) -> Value {
    let mut candidate = json!({"content": {"parts": [{"text": text}], "role": "model"}, "index": 0});
    if let (true, Value::Object(fields)) = (ends, &mut candidate) {
        fields.insert("finishReason".to_owned(), json!("STOP"));
    }
    json!({"candidates": [candidate], "modelVersion": words.model, "responseId": "fakeUpstream"})
}

/// Counts grow during a stream; only the last piece knows them all.
pub(super) fn usage(words: &Words, ends: bool) -> Value {
    let tokens = words.tokens;
    let prompt = tokens.input + tokens.cache_read;
    let mut value = json!({"promptTokenCount": words.count(prompt), "totalTokenCount": words.count(prompt)});
    if let (true, Value::Object(fields)) = (ends, &mut value) {
        let visible = tokens.output - tokens.reasoning;
        fields.insert("candidatesTokenCount".to_owned(), words.count(visible));
        fields.insert("thoughtsTokenCount".to_owned(), words.count(tokens.reasoning));
        fields.insert("cachedContentTokenCount".to_owned(), words.count(tokens.cache_read));
        fields.insert("totalTokenCount".to_owned(), words.count(prompt + tokens.output));
    }
    value
}
