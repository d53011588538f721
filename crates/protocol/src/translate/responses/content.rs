//! Content parts that a caller sends: texts, media, refusals.

use serde_json::{Value, json};

use super::super::Fault;
use super::super::fields::Fields;
use crate::Dialect;
use crate::neutral::{Media, MediaKind, Part, Rest, Source, Weight};

const OWN: Dialect = Dialect::OpenAiResponses;

/// How much a field inside of items, parts and tools matters that has no place in the neutral form.
pub(super) fn weigh(name: &str) -> Weight {
    match name {
        "phase"
        | "created_by"
        | "internal_chat_message_metadata_passthrough"
        | "defer_loading"
        | "prompt_cache_breakpoint"
        | "detail"
        | "output_schema" => Weight::Hint,
        _ => Weight::Meaning,
    }
}

/// The `type` of a value that must be an object; `None` if it has none.
pub(super) fn kind_of(at: &str, value: &Value) -> Result<Option<String>, Fault> {
    let Some(map) = value.as_object() else { return Err(Fault::field(at, "must be an object")) };
    match map.get("type") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(kind)) => Ok(Some(kind.clone())),
        Some(_) => Err(Fault::field(format!("{at}.type"), "must be a string")),
    }
}

/// A message's or a tool output's content: a text, a list of parts, or nothing.
pub(super) fn read_all(at: &str, value: Option<Value>, rest: &mut Vec<Rest>) -> Result<Vec<Part>, Fault> {
    match value {
        None => Ok(Vec::new()),
        Some(Value::String(text)) => Ok(vec![Part::text(text)]),
        Some(Value::Array(list)) => {
            list.into_iter().enumerate().map(|(n, part)| read(format!("{at}[{n}]"), part, rest)).collect()
        }
        Some(_) => Err(Fault::field(at, "must be a string or an array of content parts")),
    }
}

/// One content part.
fn read(at: String, value: Value, rest: &mut Vec<Rest>) -> Result<Part, Fault> {
    let Some(kind) = kind_of(&at, &value)? else {
        return Err(Fault::field(format!("{at}.type"), "is missing"));
    };
    if !matches!(
        kind.as_str(),
        "input_text"
            | "output_text"
            | "text"
            | "refusal"
            | "input_image"
            | "input_file"
            | "input_audio"
            | "computer_screenshot"
    ) {
        return Ok(Part::Native { dialect: OWN, value });
    }
    let mut fields = Fields::of(at, value)?;
    fields.take("type");
    let cache = breakpoint(&mut fields);
    let part = match kind.as_str() {
        "refusal" => Part::Refusal { text: fields.required("refusal")? },
        "input_image" | "computer_screenshot" => Part::Media(image(&mut fields, cache)?),
        "input_file" => Part::Media(file(&mut fields, cache)?),
        "input_audio" => Part::Media(audio(&mut fields, cache)?),
        _ => {
            // Log probabilities of an earlier answer tell a model nothing.
            fields.take("logprobs");
            Part::Text {
                text: fields.required("text")?,
                citations: fields
                    .list("annotations")?
                    .unwrap_or_default()
                    .into_iter()
                    .map(|note| (OWN, note))
                    .collect(),
                seal: None,
                cache,
            }
        }
    };
    rest.extend(fields.rest(weigh));
    Ok(part)
}

/// An explicit breakpoint of the prompt cache, as Anthropic spells it.
fn breakpoint(fields: &mut Fields) -> Option<Value> {
    let mark = fields.take("prompt_cache_breakpoint")?;
    let explicit = mark.get("mode").and_then(Value::as_str).is_none_or(|mode| mode == "explicit");
    explicit.then(|| json!({"type": "ephemeral"}))
}

fn uploaded(id: String) -> Source {
    Source::File { dialect: OWN, id, mime: None }
}

fn image(fields: &mut Fields, cache: Option<Value>) -> Result<Media, Fault> {
    let url = match fields.take("image_url") {
        None => None,
        Some(Value::String(url)) => Some(url),
        // Chat's spelling, which some clients send here too.
        Some(object @ Value::Object(_)) => {
            Some(Fields::of(fields.path("image_url"), object)?.required("url")?)
        }
        Some(_) => return Err(fields.wrong("image_url", "must be a string")),
    };
    let source = match (url, fields.string("file_id")?) {
        (Some(url), _) => Source::of_url(&url),
        (None, Some(id)) => uploaded(id),
        (None, None) => return Err(fields.wrong("image_url", "is missing, and so is 'file_id'")),
    };
    Ok(Media {
        kind: MediaKind::Image,
        source,
        name: None,
        detail: fields.string("detail")?,
        cache,
        seal: None,
    })
}

fn file(fields: &mut Fields, cache: Option<Value>) -> Result<Media, Fault> {
    let name = fields.string("filename")?;
    let data = fields.string("file_data")?;
    let url = fields.string("file_url")?;
    let source = match (data, url, fields.string("file_id")?) {
        (Some(data), ..) => match Source::of_url(&data) {
            Source::Url { url, .. } => {
                Source::Base64 { mime: mime_of(name.as_deref().unwrap_or_default()).to_owned(), data: url }
            }
            inline => inline,
        },
        (None, Some(url), _) => Source::of_url(&url),
        (None, None, Some(id)) => uploaded(id),
        (None, None, None) => {
            return Err(fields.wrong("file_data", "is missing, and so are 'file_url' and 'file_id'"));
        }
    };
    let kind = source.mime().map_or(MediaKind::Document, MediaKind::of_mime);
    Ok(Media { kind, source, name, detail: None, cache, seal: None })
}

fn audio(fields: &mut Fields, cache: Option<Value>) -> Result<Media, Fault> {
    let Some(mut audio) = fields.object("input_audio")? else {
        return Err(fields.wrong("input_audio", "is missing"));
    };
    let data = audio.required("data")?;
    let mime = match audio.required("format")?.as_str() {
        "mp3" => "audio/mpeg".to_owned(),
        format => format!("audio/{format}"),
    };
    let source = Source::Base64 { mime, data };
    Ok(Media { kind: MediaKind::Audio, source, name: None, detail: None, cache, seal: None })
}

/// The media type that a file name promises; PDF is what nearly all are.
fn mime_of(name: &str) -> &'static str {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    match ending.as_deref().unwrap_or_default() {
        "txt" | "log" => "text/plain",
        "md" => "text/markdown",
        "csv" => "text/csv",
        "html" | "htm" => "text/html",
        "json" => "application/json",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "docx" => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        _ => "application/pdf",
    }
}
