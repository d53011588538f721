//! Images, sounds, films and documents in Gemini's spelling.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::super::Fault;
use super::super::fields::Fields;
use super::read_request::leave;
use super::spelling;
use crate::Dialect;
use crate::neutral::{Media, MediaKind, Rest, Source, Weight};

/// Takes the medium of a part, if it holds one.
pub(super) fn read(fields: &mut Fields, rest: &mut Vec<Rest>) -> Result<Option<Media>, Fault> {
    let (source, name) = if let Some(mut blob) = spelling::object(fields, "inlineData")? {
        let mime = blob.required("mimeType")?;
        let data = standard(blob.required("data")?);
        let name = blob.string("displayName")?;
        leave(blob, Weight::Meaning, rest);
        (Source::Base64 { mime, data }, name)
    } else if let Some(mut file) = spelling::object(fields, "fileData")? {
        let uri = file.required("fileUri")?;
        let mime = file.string("mimeType")?.filter(|mime| !mime.is_empty());
        let name = file.string("displayName")?;
        leave(file, Weight::Meaning, rest);
        let source = if is_upload(&uri) {
            Source::File { dialect: Dialect::Gemini, id: uri, mime }
        } else {
            Source::Url { url: uri, mime }
        };
        (source, name)
    } else {
        return Ok(None);
    };
    let detail = detail(fields)?;
    Ok(Some(Media { kind: kind(&source), source, name, detail, cache: None, seal: None }))
}

/// A part that holds a medium; `None` for another vendor's upload.
pub(super) fn write(media: &Media) -> Option<Map<String, Value>> {
    let mut part = Map::new();
    match &media.source {
        Source::Base64 { mime, data } => {
            part.insert("inlineData".into(), json!({"mimeType": mime, "data": data}));
        }
        Source::Text(text) => {
            let data = STANDARD.encode(text);
            part.insert("inlineData".into(), json!({"mimeType": "text/plain", "data": data}));
        }
        Source::Url { url, mime } => {
            let mime = mime.as_deref().unwrap_or_else(|| mime_of(media.kind, url));
            part.insert("fileData".into(), json!({"mimeType": mime, "fileUri": url}));
        }
        Source::File { dialect: Dialect::Gemini, id, mime } => {
            let mut file = Map::new();
            if let Some(mime) = mime {
                file.insert("mimeType".into(), mime.as_str().into());
            }
            file.insert("fileUri".into(), id.as_str().into());
            part.insert("fileData".into(), Value::Object(file));
        }
        Source::File { .. } => return None,
    }
    Some(part)
}

/// Files of the vendor's own stores; everything else is fetched from the open web.
fn is_upload(uri: &str) -> bool {
    uri.starts_with("gs://")
        || uri.starts_with("files/")
        || uri.starts_with("https://generativelanguage.googleapis.com/")
}

fn kind(source: &Source) -> MediaKind {
    match source {
        Source::Url { url, mime: None } => kind_of_url(url),
        source => source.mime().map_or(MediaKind::Document, MediaKind::of_mime),
    }
}

fn kind_of_url(url: &str) -> MediaKind {
    let host = url.split("://").nth(1).unwrap_or_default().split('/').next().unwrap_or_default();
    if matches!(host, "youtu.be" | "youtube.com" | "www.youtube.com" | "m.youtube.com") {
        return MediaKind::Video;
    }
    mime_of_ending(url).map_or(MediaKind::Document, MediaKind::of_mime)
}

/// A media type for an address that came without: the vendor demands one.
fn mime_of(kind: MediaKind, url: &str) -> &'static str {
    mime_of_ending(url).unwrap_or(match kind {
        MediaKind::Image => "image/jpeg",
        MediaKind::Audio => "audio/mpeg",
        MediaKind::Video => "video/mp4",
        MediaKind::Document => "application/pdf",
    })
}

fn mime_of_ending(url: &str) -> Option<&'static str> {
    let path = url.split(['?', '#']).next()?;
    let ending = path.rsplit('/').next()?.rsplit_once('.')?.1.to_ascii_lowercase();
    Some(match ending.as_str() {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "heic" => "image/heic",
        "mp3" => "audio/mpeg",
        "wav" => "audio/wav",
        "flac" => "audio/flac",
        "ogg" => "audio/ogg",
        "mp4" => "video/mp4",
        "mov" => "video/quicktime",
        "webm" => "video/webm",
        "pdf" => "application/pdf",
        "txt" => "text/plain",
        "html" => "text/html",
        "csv" => "text/csv",
        _ => return None,
    })
}

/// OpenAI's word for how closely a picture is looked at; words that have none stay as they are, to be reported.
fn detail(fields: &mut Fields) -> Result<Option<String>, Fault> {
    let Some(mut resolution) = spelling::object(fields, "mediaResolution")? else { return Ok(None) };
    let level = spelling::word(&mut resolution, "level", "MEDIA_RESOLUTION_")?;
    Ok(match level.as_deref() {
        Some("LOW") => Some("low".to_owned()),
        Some("HIGH" | "ULTRA_HIGH") => Some("high".to_owned()),
        _ => None,
    })
}

/// Base64 in the standard alphabet, padded: this API also takes the one for addresses.
fn standard(data: String) -> String {
    let mut data = if data.contains(['-', '_']) { data.replace('-', "+").replace('_', "/") } else { data };
    while data.len() % 4 != 0 && !data.ends_with("==") {
        data.push('=');
    }
    data
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_for_addresses_becomes_standard() {
        assert_eq!(standard("__t0-AA".into()), "//t0+AA=");
        assert_eq!(standard("QUJD".into()), "QUJD");
    }

    #[test]
    fn addresses_tell_what_they_lead_to() {
        assert_eq!(kind_of_url("https://youtu.be/lCdaVNyHtjU"), MediaKind::Video);
        assert_eq!(kind_of_url("https://x.test/a/b.PNG?c=d.mp3"), MediaKind::Image);
        assert_eq!(kind_of_url("https://x.test/a.b/c"), MediaKind::Document);
        assert!(is_upload("https://generativelanguage.googleapis.com/v1beta/files/x"));
        assert!(!is_upload("https://youtu.be/x"));
    }
}
