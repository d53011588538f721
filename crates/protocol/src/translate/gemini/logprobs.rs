//! Log probabilities: Gemini's two lists and OpenAI Chat's one.

use serde_json::{Map, Value, json};

/// Chat's shape of a `logprobsResult`.
pub(super) fn read(result: &Value) -> Option<Value> {
    let chosen = result.get("chosenCandidates")?.as_array()?;
    let top = result.get("topCandidates").and_then(Value::as_array);
    let content: Vec<Value> = chosen
        .iter()
        .enumerate()
        .map(|(place, token)| {
            let others = top.and_then(|top| top.get(place)?.get("candidates")?.as_array());
            let mut read = token_of(token);
            let others =
                others.map(|list| list.iter().map(|t| Value::Object(token_of(t))).collect::<Vec<_>>());
            read.insert("top_logprobs".into(), Value::Array(others.unwrap_or_default()));
            Value::Object(read)
        })
        .collect();
    Some(json!({"content": content, "refusal": null}))
}

fn token_of(token: &Value) -> Map<String, Value> {
    let text = token.get("token").and_then(Value::as_str).unwrap_or_default();
    let mut read = Map::new();
    read.insert("token".into(), text.into());
    read.insert("logprob".into(), token.get("logProbability").cloned().unwrap_or_else(|| json!(0.0)));
    read.insert("bytes".into(), text.bytes().collect());
    read
}

/// Gemini's shape of Chat's log probabilities.
pub(super) fn write(logprobs: &Value) -> Option<Value> {
    let content = logprobs.get("content")?.as_array()?;
    let plain = |token: &Value| {
        let logprob = token.get("logprob").cloned().unwrap_or_else(|| json!(0.0));
        json!({"token": token.get("token").cloned().unwrap_or_default(), "logProbability": logprob})
    };
    let chosen: Vec<Value> = content.iter().map(plain).collect();
    let top: Vec<Value> = content
        .iter()
        .map(|token| {
            let others = token.get("top_logprobs").and_then(Value::as_array);
            let others: Vec<Value> = others.into_iter().flatten().map(plain).collect();
            json!({"candidates": others})
        })
        .collect();
    Some(json!({"topCandidates": top, "chosenCandidates": chosen}))
}
