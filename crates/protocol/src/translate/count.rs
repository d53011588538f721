//! Counting tokens beforehand: Anthropic's `count_tokens` and Gemini's `countTokens`.
//!
//! `OpenAI`'s dialects have no counter that every vendor serves; whoever counts for them uses [`read`] and [`answer`].

use serde_json::{Map, Value, json};

use super::{Call, Fault, Target, Written, text};
use crate::Dialect;
use crate::neutral::Request;

/// What Anthropic's counter takes of a request.
const COUNTED: [&str; 7] =
    ["model", "messages", "system", "tools", "tool_choice", "thinking", "output_config"];

/// Turns a request to count, in `from`'s dialect, into one to the target's counter. `None` if the target has none.
///
/// # Errors
/// [`Fault`] names the field that is wrong.
pub fn request(
    from: Dialect,
    body: &[u8],
    call: Call<'_>,
    target: Target<'_>,
) -> Result<Option<Written>, Fault> {
    let read = read(from, body, call)?;
    let mut written = super::write_request(&read, target);
    let whole = text::parse(&written.body)?;
    let body = match (target.dialect, whole) {
        (Dialect::Anthropic, Value::Object(mut map)) => {
            map.retain(|name, _| COUNTED.contains(&name.as_str()));
            Value::Object(map)
        }
        (Dialect::Gemini, Value::Object(mut map)) => {
            map.shift_remove("generationConfig");
            let model = target.model.strip_prefix("models/").unwrap_or(target.model);
            let mut inner = Map::with_capacity(map.len() + 1);
            inner.insert("model".into(), format!("models/{model}").into());
            inner.extend(map);
            json!({"generateContentRequest": inner})
        }
        _ => return Ok(None),
    };
    written.body = text::json(&body);
    Ok(Some(written))
}

/// Reads a request to count as one to answer.
///
/// # Errors
/// [`Fault`] names the field that is wrong.
pub fn read(from: Dialect, body: &[u8], call: Call<'_>) -> Result<Request, Fault> {
    let body = match from {
        Dialect::Gemini => unwrapped(text::parse(body)?)?,
        Dialect::Anthropic | Dialect::OpenAiChat | Dialect::OpenAiResponses => text::parse(body)?,
    };
    super::read_request(from, &text::json(&body), call)
}

/// The request that stands in a `countTokens` body, or the body itself: the API takes both.
fn unwrapped(body: Value) -> Result<Value, Fault> {
    let Value::Object(mut map) = body else { return Err(Fault::field("body", "must be an object")) };
    let inner = ["generateContentRequest", "generate_content_request"];
    let inner = inner.iter().find_map(|name| map.shift_remove(*name)).filter(|value| !value.is_null());
    Ok(inner.unwrap_or(Value::Object(map)))
}

/// The number in a counter's answer.
///
/// # Errors
/// [`Fault`] if there is none.
pub fn counted(from: Dialect, body: &[u8]) -> Result<u64, Fault> {
    let body = text::parse(body)?;
    let names: &[&str] = match from {
        Dialect::Gemini => &["totalTokens", "total_tokens"],
        Dialect::Anthropic | Dialect::OpenAiChat | Dialect::OpenAiResponses => &["input_tokens"],
    };
    let number = names.iter().find_map(|name| super::fields::as_count(body.get(name)?));
    number.ok_or_else(|| Fault::field(names.first().copied().unwrap_or_default(), "is missing"))
}

/// A counter's answer for a caller.
pub fn answer(to: Dialect, tokens: u64) -> Vec<u8> {
    text::json(&match to {
        Dialect::Gemini => json!({
            "totalTokens": tokens,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": tokens}],
        }),
        Dialect::Anthropic => json!({"input_tokens": tokens}),
        Dialect::OpenAiChat | Dialect::OpenAiResponses => {
            json!({"object": "response.input_tokens", "input_tokens": tokens})
        }
    })
}

#[cfg(test)]
mod tests;
