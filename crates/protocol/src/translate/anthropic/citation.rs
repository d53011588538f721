//! What a text refers to: Anthropic's own citations, and OpenAI's where they mean the same.

use serde_json::{Value, json};

use crate::Dialect;

/// A citation for an Anthropic caller. `None` if it has no counterpart.
pub(super) fn write(dialect: Dialect, value: &Value, text: &str) -> Option<Value> {
    match dialect {
        Dialect::Anthropic => Some(value.clone()),
        Dialect::OpenAiChat | Dialect::OpenAiResponses | Dialect::Gemini => url_citation(value, text),
    }
}

/// `{type: url_citation, url, title, start_index, end_index}`; Chat nests the fields once more.
fn url_citation(value: &Value, text: &str) -> Option<Value> {
    if value.get("type").and_then(Value::as_str) != Some("url_citation") {
        return None;
    }
    let inner = value.get("url_citation").filter(|inner| inner.is_object()).unwrap_or(value);
    let url = inner.get("url")?.as_str()?;
    let index = |name: &str| inner.get(name).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
    let cited: String = match (index("start_index"), index("end_index")) {
        (Some(start), Some(end)) if end > start => text.chars().skip(start).take(end - start).collect(),
        _ => String::new(),
    };
    Some(json!({
        "type": "web_search_result_location",
        "url": url,
        "title": inner.get("title").and_then(Value::as_str),
        "cited_text": cited,
        // Only Anthropic can read its own; a caller that sends it on to another vendor loses nothing.
        "encrypted_index": "",
    }))
}
