//! Content blocks of a request as parts.
//!
//! Strict about what a block needs; a block of an unknown kind is kept as it is.

use serde_json::Value;

use super::thought::{self, Read};
use crate::Dialect;
use crate::neutral::{Media, MediaKind, Part, Rest, Source, ToolKind, Weight};
use crate::translate::fields::Fields;
use crate::translate::{Fault, text};

/// Reads `content`: a text or a list of blocks.
pub(super) fn content(at: &str, value: Value, rest: &mut Vec<Rest>) -> Result<Vec<Part>, Fault> {
    match value {
        Value::String(text) => Ok(if text.is_empty() { Vec::new() } else { vec![Part::text(text)] }),
        Value::Array(list) => {
            let parts = list.into_iter().enumerate();
            let parts = parts.map(|(n, value)| block(&format!("{at}[{n}]"), value, rest));
            Ok(thought::join(parts.collect::<Result<_, _>>()?))
        }
        _ => Err(Fault::field(at, "must be a string or an array of content blocks")),
    }
}

fn block(at: &str, value: Value, rest: &mut Vec<Rest>) -> Result<Read, Fault> {
    let kind = match value.get("type") {
        Some(Value::String(kind)) => kind.clone(),
        Some(_) => return Err(Fault::field(format!("{at}.type"), "must be a string")),
        None if value.is_object() => return Err(Fault::field(format!("{at}.type"), "is missing")),
        None => return Err(Fault::field(at, "must be a content block")),
    };
    if !is_known(&kind, &value) {
        return Ok(Part::Native { dialect: Dialect::Anthropic, value }.into());
    }
    let mut fields = Fields::of(at, value)?;
    fields.take("type");
    let read = match kind.as_str() {
        "text" => text_block(&mut fields)?.into(),
        "image" => image(&mut fields)?.into(),
        "document" => document(&mut fields)?.into(),
        "search_result" => search_result(&mut fields)?.into(),
        "thinking" => {
            let text = fields.required("thinking")?;
            let signature = fields.string("signature")?;
            thought::thinking(text, signature.as_deref()).into()
        }
        "redacted_thinking" => Read::redacted(&fields.required("data")?),
        "tool_use" => tool_use(&mut fields)?.into(),
        _ => tool_result(&mut fields, rest)?.into(),
    };
    // What is left changes what the model reads: `context` of a document, a search result's place.
    let left = fields.rest(|name| if name == "caller" { Weight::Hint } else { Weight::Meaning });
    rest.extend(left.into_iter().filter(says_something));
    Ok(read)
}

fn is_known(kind: &str, value: &Value) -> bool {
    match kind {
        "text" | "image" | "thinking" | "redacted_thinking" | "tool_use" | "tool_result" => true,
        // Documents made of blocks, and search results with anything but texts, have no counterpart.
        "document" => match value.pointer("/source/type").and_then(Value::as_str) {
            Some("content") => value.pointer("/source/content").is_some_and(only_texts),
            _ => true,
        },
        "search_result" => value.get("content").is_some_and(only_texts),
        _ => false,
    }
}

fn only_texts(content: &Value) -> bool {
    let is_text = |block: &Value| block.get("type").and_then(Value::as_str) == Some("text");
    content.is_string() || content.as_array().is_some_and(|list| list.iter().all(is_text))
}

/// Citations that are switched off and calls by the model itself are what every dialect does anyway.
fn says_something(rest: &Rest) -> bool {
    match rest.field.rsplit('.').next() {
        Some("citations") => rest.value.get("enabled").and_then(Value::as_bool) != Some(false),
        Some("caller") => rest.value.get("type").and_then(Value::as_str) != Some("direct"),
        _ => true,
    }
}

fn text_block(fields: &mut Fields) -> Result<Part, Fault> {
    let text = fields.required("text")?;
    let citations = fields.list("citations")?.unwrap_or_default();
    let citations = citations.into_iter().map(|value| (Dialect::Anthropic, value)).collect();
    Ok(Part::Text { text, citations, seal: None, cache: fields.take("cache_control") })
}

fn image(fields: &mut Fields) -> Result<Part, Fault> {
    let source = source(fields, false)?;
    Ok(Part::Media(Media {
        kind: MediaKind::Image,
        source,
        name: None,
        detail: None,
        cache: fields.take("cache_control"),
        seal: None,
    }))
}

fn document(fields: &mut Fields) -> Result<Part, Fault> {
    let source = source(fields, true)?;
    Ok(Part::Media(Media {
        kind: MediaKind::Document,
        source,
        name: fields.string("title")?,
        detail: None,
        cache: fields.take("cache_control"),
        seal: None,
    }))
}

/// A search result is a document of texts with a title and a place.
fn search_result(fields: &mut Fields) -> Result<Part, Fault> {
    let content = fields.take("content").unwrap_or_default();
    Ok(Part::Media(Media {
        kind: MediaKind::Document,
        source: Source::Text(texts(&content)),
        name: fields.string("title")?,
        detail: None,
        cache: fields.take("cache_control"),
        seal: None,
    }))
}

fn texts(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(list) => {
            let texts = list.iter().filter_map(|block| block.get("text").and_then(Value::as_str));
            texts.collect::<Vec<_>>().join("\n")
        }
        _ => String::new(),
    }
}

fn source(fields: &mut Fields, is_document: bool) -> Result<Source, Fault> {
    let Some(mut source) = fields.object("source")? else { return Err(fields.wrong("source", "is missing")) };
    let kind = source.required("type")?;
    match kind.as_str() {
        "base64" => {
            Ok(Source::Base64 { mime: source.required("media_type")?, data: source.required("data")? })
        }
        "url" => Ok(Source::Url { url: source.required("url")?, mime: None }),
        "file" => {
            Ok(Source::File { dialect: Dialect::Anthropic, id: source.required("file_id")?, mime: None })
        }
        "text" if is_document => Ok(Source::Text(source.required("data")?)),
        "content" if is_document => Ok(Source::Text(texts(&source.take("content").unwrap_or_default()))),
        _ if is_document => Err(source.wrong("type", "must be 'base64', 'text', 'content', 'url' or 'file'")),
        _ => Err(source.wrong("type", "must be 'base64', 'url' or 'file'")),
    }
}

fn tool_use(fields: &mut Fields) -> Result<Part, Fault> {
    let id = filled(fields, "id")?;
    let name = filled(fields, "name")?;
    let arguments = match fields.take("input") {
        None => "{}".to_owned(),
        Some(input @ Value::Object(_)) => text::json_text(&input),
        Some(_) => return Err(fields.wrong("input", "must be an object")),
    };
    Ok(Part::ToolCall {
        id,
        name,
        namespace: None,
        arguments,
        kind: ToolKind::Function,
        seal: None,
        cache: fields.take("cache_control"),
    })
}

fn tool_result(fields: &mut Fields, rest: &mut Vec<Rest>) -> Result<Part, Fault> {
    let id = filled(fields, "tool_use_id")?;
    let at = fields.path("content");
    let parts = fields.take("content").map(|value| content(&at, value, rest)).transpose()?;
    Ok(Part::ToolResult {
        id,
        name: None,
        parts: parts.unwrap_or_default(),
        is_error: fields.flag("is_error")?.unwrap_or(false),
        kind: ToolKind::Function,
        cache: fields.take("cache_control"),
    })
}

/// A text that must be there and not be empty.
pub(super) fn filled(fields: &mut Fields, name: &str) -> Result<String, Fault> {
    let text = fields.required(name)?;
    if text.is_empty() { Err(fields.wrong(name, "must not be empty")) } else { Ok(text) }
}
