//! Media towards the vendor.

use serde_json::{Map, Value, json};

use crate::Dialect;
use crate::neutral::{Losses, Media, MediaKind, Source};

/// A content part of a user's message or a tool's output; `None` if the vendor takes nothing of the kind.
pub(super) fn write(media: &Media, at: &str, losses: &mut Losses) -> Option<Value> {
    if let Source::File { dialect: Dialect::Anthropic | Dialect::Gemini, .. } = media.source {
        losses.meaning(at, "is a file at another vendor's and was left out");
        return None;
    }
    match media.kind {
        MediaKind::Image => Some(image(media)),
        MediaKind::Document => Some(document(media, at, losses)),
        MediaKind::Audio => sound(media, at, losses),
        MediaKind::Video => {
            losses.meaning(at, "is a film, which this vendor does not take, and was left out");
            None
        }
    }
}

fn image(media: &Media) -> Value {
    let mut part = Map::new();
    part.insert("type".into(), "input_image".into());
    match &media.source {
        Source::File { id, .. } => part.insert("file_id".into(), id.clone().into()),
        source => part.insert("image_url".into(), source.to_url().unwrap_or_default().into()),
    };
    part.insert("detail".into(), media.detail.as_deref().unwrap_or("auto").into());
    Value::Object(part)
}

fn document(media: &Media, at: &str, losses: &mut Losses) -> Value {
    let mut part = Map::new();
    part.insert("type".into(), "input_file".into());
    match &media.source {
        Source::Text(text) => {
            losses.hint(at, "is sent as plain text instead of a document");
            let text = media.name.as_ref().map_or_else(|| text.clone(), |name| format!("{name}\n\n{text}"));
            return json!({"type": "input_text", "text": text});
        }
        Source::File { id, .. } => {
            part.insert("file_id".into(), id.clone().into());
        }
        Source::Url { url, .. } => {
            part.insert("file_url".into(), url.clone().into());
        }
        Source::Base64 { mime, .. } => {
            // The vendor tells the kind of a file by its name and refuses files without one.
            let name = media.name.clone().unwrap_or_else(|| format!("document.{}", ending(mime)));
            part.insert("filename".into(), name.into());
            part.insert("file_data".into(), media.source.to_url().unwrap_or_default().into());
        }
    }
    Value::Object(part)
}

fn ending(mime: &str) -> &'static str {
    match mime {
        "text/plain" => "txt",
        "text/markdown" => "md",
        "text/csv" => "csv",
        "text/html" => "html",
        "application/json" => "json",
        _ => "pdf",
    }
}

fn sound(media: &Media, at: &str, losses: &mut Losses) -> Option<Value> {
    let Source::Base64 { mime, data } = &media.source else {
        losses.meaning(at, "is a sound behind a link, which this vendor does not take, and was left out");
        return None;
    };
    let format = match mime.strip_prefix("audio/").unwrap_or(mime) {
        "mpeg" | "mp3" | "mpga" => "mp3",
        "wav" | "x-wav" | "wave" | "vnd.wave" => "wav",
        other => other,
    };
    Some(json!({"type": "input_audio", "input_audio": {"data": data, "format": format}}))
}
