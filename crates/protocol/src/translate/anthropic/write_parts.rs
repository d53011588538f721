//! Parts of a turn as content blocks for the vendor.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::thought::Form;
use super::write_answer::input;
use super::write_request::Writing;
use crate::Dialect;
use crate::neutral::{Media, MediaKind, Part, Role, Source, ToolKind, Turn};
use crate::translate::names::call_id;
use crate::translate::text;

/// Longest id of a call that the vendor takes.
const MAX_ID: usize = 64;
/// Pictures that the vendor reads.
const IMAGES: [&str; 4] = ["image/jpeg", "image/png", "image/gif", "image/webp"];

/// A text block.
pub(super) fn text_block(text: &str) -> Value {
    json!({ "type": "text", "text": text })
}

/// A turn of instructions: texts only.
pub(super) fn instructions(writing: &mut Writing<'_>, turn: &Turn) -> Vec<Value> {
    let mut blocks = Vec::new();
    for (index, part) in turn.parts.iter().enumerate() {
        match part {
            Part::Text { text, cache, .. } => blocks.extend(said(writing, text, cache.as_ref())),
            Part::Native { dialect: Dialect::Anthropic, value } => blocks.push(value.clone()),
            _ => {
                let at = turn.place(index);
                writing.losses.meaning(at, "cannot stand among instructions");
            }
        }
    }
    blocks
}

/// The blocks of a turn.
pub(super) fn blocks(writing: &mut Writing<'_>, turn: &Turn) -> Vec<Value> {
    let mut blocks = Vec::new();
    for (index, part) in turn.parts.iter().enumerate() {
        let at = turn.place(index);
        blocks.extend(block(writing, turn.role, &at, part));
    }
    blocks
}

/// Where the results of a turn stood, by the ids of their calls as they are sent.
pub(super) fn results(turn: &Turn) -> impl Iterator<Item = (String, String)> {
    turn.parts.iter().enumerate().filter_map(|(index, part)| match part {
        Part::ToolResult { id, .. } => Some((call_id(id, MAX_ID), turn.place(index))),
        _ => None,
    })
}

/// A text with its breakpoint. The vendor refuses texts of nothing but space.
fn said(writing: &mut Writing<'_>, text: &str, cache: Option<&Value>) -> Option<Value> {
    if text.trim().is_empty() {
        return None;
    }
    let mut block = text_block(text);
    writing.cache(&mut block, cache);
    Some(block)
}

fn block(writing: &mut Writing<'_>, role: Role, at: &str, part: &Part) -> Option<Value> {
    match part {
        Part::Text { text, citations, cache, .. } => {
            let mut block = said(writing, text, cache.as_ref())?;
            let own = citations.iter().filter(|(dialect, _)| *dialect == Dialect::Anthropic);
            let own: Vec<Value> = own.map(|(_, value)| value.clone()).collect();
            if own.len() < citations.len() {
                writing.losses.hint(format!("{at}.annotations"), "were made by another vendor");
            }
            if let Some(map) = block.as_object_mut().filter(|_| !own.is_empty()) {
                map.insert("citations".to_owned(), own.into());
            }
            Some(block)
        }
        Part::Media(_) if role == Role::Assistant => {
            writing.losses.meaning(at, "cannot stand in an answer of the model's");
            None
        }
        Part::Media(media) => self::media(writing, at, media),
        Part::Thinking { text, seal } => {
            let own = seal.as_ref().filter(|seal| seal.for_vendor(Dialect::Anthropic).is_some());
            if own.is_none() {
                writing.losses.hint(at, "was made by another vendor");
            }
            own.filter(|_| role == Role::Assistant).map(|seal| Form::of(seal, !text.is_empty()).block(text))
        }
        Part::Refusal { text } => said(writing, text, None),
        Part::ToolCall { .. } => call(writing, role, at, part),
        Part::ToolResult { .. } if role == Role::Assistant => {
            writing.losses.meaning(at, "is a result that the model did not get");
            None
        }
        Part::ToolResult { id, parts, is_error, cache, .. } => {
            let mut value = json!({ "type": "tool_result", "tool_use_id": call_id(id, MAX_ID) });
            let content = content(writing, at, parts);
            if let Some(map) = value.as_object_mut() {
                if let Some(content) = content {
                    map.insert("content".to_owned(), content);
                }
                if *is_error {
                    map.insert("is_error".to_owned(), true.into());
                }
            }
            writing.cache(&mut value, cache.as_ref());
            Some(value)
        }
        Part::Native { dialect: Dialect::Anthropic, value } => Some(value.clone()),
        Part::Native { .. } => {
            writing.losses.meaning(at, "is known to another vendor only");
            None
        }
    }
}

fn call(writing: &mut Writing<'_>, role: Role, at: &str, part: &Part) -> Option<Value> {
    let Part::ToolCall { id, name, namespace, arguments, kind, cache, .. } = part else { return None };
    if role != Role::Assistant {
        writing.losses.meaning(at, "is a call that the model did not make");
        return None;
    }
    let input = input(arguments, *kind);
    let is_object = || matches!(text::parse(arguments.as_bytes()), Ok(Value::Object(_) | Value::Null));
    if *kind == ToolKind::Function && !arguments.trim().is_empty() && !is_object() {
        writing.losses.meaning(format!("{at}.arguments"), "is no JSON object and was wrapped in one");
    }
    let mut value = json!({
        "type": "tool_use",
        "id": call_id(id, MAX_ID),
        "name": writing.names.send(namespace.as_deref(), name, *kind),
        "input": input,
    });
    writing.cache(&mut value, cache.as_ref());
    Some(value)
}

/// What a tool answered: a bare text where that says it all.
fn content(writing: &mut Writing<'_>, at: &str, parts: &[Part]) -> Option<Value> {
    if let [Part::Text { text, cache: None, .. }] = parts {
        return (!text.is_empty()).then(|| text.as_str().into());
    }
    let mut blocks = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        let at = format!("{at}.content[{index}]");
        match part {
            Part::ToolCall { .. } | Part::ToolResult { .. } | Part::Thinking { .. } => {
                writing.losses.meaning(at, "cannot stand in a result");
            }
            part => blocks.extend(block(writing, Role::User, &at, part)),
        }
    }
    (!blocks.is_empty()).then(|| blocks.into())
}

fn media(writing: &mut Writing<'_>, at: &str, media: &Media) -> Option<Value> {
    let source = source(media).or_else(|| {
        writing.losses.meaning(at, "is of a kind that the model's vendor does not take");
        None
    })?;
    if media.detail.as_deref() == Some("low") {
        writing.losses.hint(format!("{at}.detail"), "has no counterpart in the model's dialect");
    }
    let mut map = Map::new();
    let kind = if media.kind == MediaKind::Image { "image" } else { "document" };
    map.insert("type".to_owned(), kind.into());
    map.insert("source".to_owned(), source);
    if let Some(name) = media.name.as_ref().filter(|name| kind == "document" && !name.is_empty()) {
        map.insert("title".to_owned(), name.as_str().into());
    }
    let mut value = Value::Object(map);
    writing.cache(&mut value, media.cache.as_ref());
    Some(value)
}

fn source(media: &Media) -> Option<Value> {
    let is_image = media.kind == MediaKind::Image;
    if !is_image && media.kind != MediaKind::Document {
        return None;
    }
    match &media.source {
        Source::Base64 { mime, data } if is_image => {
            let mime = if mime == "image/jpg" { "image/jpeg" } else { mime };
            IMAGES.contains(&mime).then(|| json!({ "type": "base64", "media_type": mime, "data": data }))
        }
        Source::Base64 { mime, data } if mime == "application/pdf" => {
            Some(json!({ "type": "base64", "media_type": mime, "data": data }))
        }
        Source::Base64 { mime, data } if is_textual(mime) => {
            let text = String::from_utf8(STANDARD.decode(data).ok()?).ok()?;
            Some(plain(&text))
        }
        Source::Url { url, .. } => Some(json!({ "type": "url", "url": url })),
        Source::File { dialect: Dialect::Anthropic, id, .. } => {
            Some(json!({ "type": "file", "file_id": id }))
        }
        Source::Text(text) if !is_image => Some(plain(text)),
        Source::Base64 { .. } | Source::File { .. } | Source::Text(_) => None,
    }
}

fn plain(text: &str) -> Value {
    json!({ "type": "text", "media_type": "text/plain", "data": text })
}

/// Media types whose bytes are text.
fn is_textual(mime: &str) -> bool {
    mime.starts_with("text/") || matches!(mime, "application/json" | "application/xml" | "application/yaml")
}
