//! Parts of a message's content: texts, images, sound, files.

use serde_json::{Value, json};

use super::super::Fault;
use super::super::fields::Fields;
use super::proof;
use crate::Dialect;
use crate::neutral::{Media, MediaKind, Part, Rest, Source, Weight};

/// Types of parts that mean something elsewhere too.
const KNOWN: [&str; 10] = [
    "text",
    "input_text",
    "output_text",
    "refusal",
    "thinking",
    "image_url",
    "video_url",
    "document_url",
    "input_audio",
    "file",
];

/// Reads a content: nothing, a text or a list of parts.
pub(super) fn read(content: Option<Value>, at: &str, rest: &mut Vec<Rest>) -> Result<Vec<Part>, Fault> {
    match content {
        None => Ok(Vec::new()),
        Some(Value::String(text)) if text.is_empty() => Ok(Vec::new()),
        Some(Value::String(text)) => Ok(vec![Part::text(text)]),
        Some(Value::Array(list)) => (0_usize..)
            .zip(list)
            .map(|(number, value)| part(value, format!("{at}[{number}]"), rest))
            .collect(),
        Some(_) => Err(Fault::field(at, "must be a string or an array of parts")),
    }
}

fn part(value: Value, at: String, rest: &mut Vec<Rest>) -> Result<Part, Fault> {
    // Checked first: to keep a copy in case would double every picture.
    let known = value.get("type").and_then(Value::as_str).is_none_or(|kind| KNOWN.contains(&kind));
    if !known {
        return Ok(Part::Native { dialect: Dialect::OpenAiChat, value });
    }
    let mut fields = Fields::of(at, value)?;
    let kind = fields.required("type")?;
    let cache = fields.take("cache_control");
    let part = match kind.as_str() {
        // The Responses spellings are a common slip, and mean the same.
        "text" | "input_text" | "output_text" => {
            Part::Text { text: fields.required("text")?, citations: Vec::new(), seal: None, cache }
        }
        "refusal" => Part::Refusal { text: fields.required("refusal")? },
        "thinking" => Part::Thinking {
            text: thinking_text(fields.take("thinking").as_ref()),
            seal: Some(proof::mark("thinking")),
        },
        "image_url" => {
            let (source, detail) = address(&mut fields, "image_url")?;
            Part::Media(Media { kind: MediaKind::Image, source, name: None, detail, cache, seal: None })
        }
        "video_url" => {
            let (source, detail) = address(&mut fields, "video_url")?;
            Part::Media(Media { kind: MediaKind::Video, source, name: None, detail, cache, seal: None })
        }
        "document_url" => {
            let (source, detail) = address(&mut fields, "document_url")?;
            let name = fields.string("document_name")?;
            Part::Media(Media { kind: MediaKind::Document, source, name, detail, cache, seal: None })
        }
        "input_audio" => Part::Media(Media { cache, ..audio(&mut fields)? }),
        // The last of the known.
        _ => Part::Media(Media { cache, ..file(&mut fields)? }),
    };
    rest.extend(fields.rest(|name| match name {
        "annotations" | "index" | "id" => Weight::Hint,
        _ => Weight::Meaning,
    }));
    Ok(part)
}

/// Mistral's thinking: a text, or a list of texts.
pub(super) fn thinking_text(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(list)) => {
            list.iter().filter_map(|piece| piece.get("text").and_then(Value::as_str)).collect()
        }
        _ => String::new(),
    }
}

/// `{url, detail}`, or the bare address that some servers take.
fn address(fields: &mut Fields, name: &str) -> Result<(Source, Option<String>), Fault> {
    match fields.take(name) {
        None => Err(fields.wrong(name, "is missing")),
        Some(Value::String(url)) => Ok((Source::of_url(&url), None)),
        Some(value @ Value::Object(_)) => {
            let mut inner = Fields::of(fields.path(name), value)?;
            let url = inner.required("url")?;
            Ok((Source::of_url(&url), inner.string("detail")?))
        }
        Some(_) => Err(fields.wrong(name, "must be an object with a 'url'")),
    }
}

fn audio(fields: &mut Fields) -> Result<Media, Fault> {
    let mut inner = fields.object("input_audio")?.ok_or_else(|| fields.wrong("input_audio", "is missing"))?;
    let data = inner.required("data")?;
    let format = inner.string("format")?;
    let source = match Source::of_url(&data) {
        inline @ Source::Base64 { .. } => inline,
        Source::Url { url, .. } if url.starts_with("http") => Source::Url { url, mime: None },
        _ => Source::Base64 { mime: audio_mime(format.as_deref().unwrap_or("wav")), data },
    };
    Ok(Media { kind: MediaKind::Audio, source, name: None, detail: None, cache: None, seal: None })
}

/// The media type of a sound `format`.
pub(super) fn audio_mime(format: &str) -> String {
    if format == "mp3" { "audio/mpeg".to_owned() } else { format!("audio/{format}") }
}

/// The `format` of a sound's media type.
pub(super) fn audio_format(mime: &str) -> &str {
    match mime.split(';').next().unwrap_or(mime) {
        "audio/mpeg" | "audio/mp3" => "mp3",
        "audio/wav" | "audio/x-wav" | "audio/wave" | "audio/vnd.wave" => "wav",
        other => other.split_once('/').map_or(other, |(_, format)| format),
    }
}

fn file(fields: &mut Fields) -> Result<Media, Fault> {
    let mut inner = fields.object("file")?.ok_or_else(|| fields.wrong("file", "is missing"))?;
    let name = inner.string("filename")?;
    let source = if let Some(data) = inner.string("file_data")? {
        match Source::of_url(&data) {
            inline @ Source::Base64 { .. } => inline,
            Source::Url { url, .. } if url.starts_with("http") => Source::Url { url, mime: None },
            // Bare base64: some clients leave the prefix out.
            _ => Source::Base64 { mime: file_mime(name.as_deref()), data },
        }
    } else if let Some(id) = inner.string("file_id")? {
        Source::File { dialect: Dialect::OpenAiChat, id, mime: None }
    } else {
        return Err(fields.wrong("file", "must hold 'file_data' or 'file_id'"));
    };
    let kind = source.mime().map_or(MediaKind::Document, MediaKind::of_mime);
    Ok(Media { kind, source, name, detail: None, cache: None, seal: None })
}

fn file_mime(name: Option<&str>) -> String {
    let ending = name.and_then(|name| name.rsplit_once('.')).map(|(_, ending)| ending.to_ascii_lowercase());
    match ending.as_deref() {
        Some("txt" | "md" | "csv" | "json") => "text/plain",
        _ => "application/pdf",
    }
    .to_owned()
}

/// Writes a medium as a part of a user message; the reason why not, if that cannot be.
pub(super) fn write_media(media: &Media) -> Result<Value, &'static str> {
    let name = || media.name.clone().unwrap_or_else(|| "file".to_owned());
    if let Source::File { dialect, id, .. } = &media.source {
        // Both of OpenAI's dialects share one store of uploads.
        return match dialect {
            Dialect::OpenAiChat | Dialect::OpenAiResponses if media.kind != MediaKind::Image => {
                Ok(json!({"type": "file", "file": {"file_id": id}}))
            }
            _ => Err("was uploaded to another vendor"),
        };
    }
    match (media.kind, &media.source) {
        (_, Source::File { .. }) => Err("was uploaded to another vendor"),
        (_, Source::Text(text)) => Ok(json!({"type": "text", "text": text})),
        (MediaKind::Image, source) => {
            let mut image = json!({"url": source.to_url()});
            if let (Some(detail), Some(fields)) = (&media.detail, image.as_object_mut()) {
                fields.insert("detail".to_owned(), json!(detail));
            }
            Ok(json!({"type": "image_url", "image_url": image}))
        }
        (MediaKind::Video, source) => Ok(json!({"type": "video_url", "video_url": {"url": source.to_url()}})),
        (MediaKind::Audio, Source::Base64 { mime, data }) => Ok(json!({
            "type": "input_audio",
            "input_audio": {"data": data, "format": audio_format(mime)},
        })),
        (MediaKind::Audio, Source::Url { .. }) => {
            Err("is a sound at an address, which this dialect cannot name")
        }
        (MediaKind::Document, source @ Source::Base64 { .. }) => Ok(json!({
            "type": "file",
            "file": {"filename": name(), "file_data": source.to_url()},
        })),
        // Compatible servers take addresses there; OpenAI says so itself if it does not.
        (MediaKind::Document, Source::Url { url, .. }) => Ok(json!({
            "type": "file",
            "file": {"filename": name(), "file_data": url},
        })),
    }
}
