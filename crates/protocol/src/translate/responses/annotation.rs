//! What a text refers to, as Responses annotates it.

use serde_json::{Value, json};

use crate::Dialect;

/// An annotation for what another dialect cites. `end` is the text's length so far in characters: what a dialect
/// cites without a place refers to all of it. `None` if it names neither a page nor a document.
pub(super) fn write(from: Dialect, cited: &Value, end: usize) -> Option<Value> {
    if from == Dialect::OpenAiResponses {
        return Some(cited.clone());
    }
    // Chat wraps it once more, Gemini in the kind of source.
    let wrapped = ["url_citation", "web"].iter().find_map(|name| cited.get(*name));
    let source = wrapped.unwrap_or(cited);
    let text = |names: &[&str]| {
        names.iter().find_map(|name| source.get(*name).and_then(Value::as_str)).unwrap_or_default()
    };
    let place = |names: &[&str], otherwise: usize| {
        let found = names.iter().find_map(|name| source.get(*name).and_then(Value::as_u64));
        found.map_or_else(|| json!(otherwise), Value::from)
    };
    let url = text(&["url", "uri"]);
    if !url.is_empty() {
        return Some(json!({
            "type": "url_citation",
            "url": url,
            "title": text(&["title"]),
            "start_index": place(&["start_index", "startIndex"], 0),
            "end_index": place(&["end_index", "endIndex"], end),
        }));
    }
    let title = text(&["document_title", "title", "source"]);
    if title.is_empty() && source.get("document_index").is_none() {
        return None;
    }
    let number = source.get("document_index").and_then(Value::as_u64).unwrap_or(0);
    let file = text(&["file_id"]);
    let file = if file.is_empty() { format!("document_{number}") } else { file.to_owned() };
    Some(json!({"type": "file_citation", "file_id": file, "filename": title, "index": end}))
}
