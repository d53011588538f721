//! Pieces of a turn or an answer.

use serde_json::Value;

use super::{Sealed, ToolKind};
use crate::Dialect;

/// One piece of content, in the order in which it stood.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// Plain text.
    Text {
        /// The text.
        text: String,
        /// What it refers to, in the dialect that said it: Anthropic `citations`, OpenAI `annotations`.
        citations: Vec<(Dialect, Value)>,
        /// Gemini signs any part, texts too.
        seal: Option<Sealed>,
        /// A cache breakpoint follows it (Anthropic's `cache_control`, as it was).
        cache: Option<Value>,
    },
    /// An image, a sound, a film, a document.
    Media(Media),
    /// What the model thought. The text may be a summary or empty.
    Thinking {
        /// What may be shown.
        text: String,
        /// The vendor's own proof or encrypted form; a continuation with the same vendor needs it.
        seal: Option<Sealed>,
    },
    /// The model declined, in words.
    Refusal {
        /// The words.
        text: String,
    },
    /// The model calls one of the caller's tools.
    ToolCall {
        /// Ties the result to it. Never empty: decoders make one up where the vendor gives none.
        id: String,
        /// The tool as the caller knows it.
        name: String,
        /// Responses: the namespace that the tool is in.
        namespace: Option<String>,
        /// JSON text for a function (an object, as the vendor wrote it), free text for a custom tool.
        arguments: String,
        /// Whether the arguments are JSON or free text.
        kind: ToolKind,
        /// Gemini's `thoughtSignature` of this call.
        seal: Option<Sealed>,
        /// A cache breakpoint follows it.
        cache: Option<Value>,
    },
    /// What one of the caller's tools answered.
    ToolResult {
        /// Of the call.
        id: String,
        /// Of the tool, where the dialect says it (Gemini). Encoders that need it look the call up.
        name: Option<String>,
        /// Texts and media.
        parts: Vec<Part>,
        /// The tool failed.
        is_error: bool,
        /// Whether the call was of a function or a custom tool.
        kind: ToolKind,
        /// A cache breakpoint follows it.
        cache: Option<Value>,
    },
    /// Something that only one dialect knows: server tools and their results, compaction, code execution.
    Native {
        /// Whose.
        dialect: Dialect,
        /// As it was written.
        value: Value,
    },
}

impl Part {
    /// Plain text and nothing else.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text { text: text.into(), citations: Vec::new(), seal: None, cache: None }
    }

    /// Its text, if it is plain text.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text { text, .. } => Some(text),
            _ => None,
        }
    }
}

/// What a medium is, as far as dialects treat them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaKind {
    /// Still picture.
    Image,
    /// Sound.
    Audio,
    /// Moving picture.
    Video,
    /// PDF or text file.
    Document,
}

/// An image, sound, film or document.
#[derive(Clone, Debug, PartialEq)]
pub struct Media {
    /// What it is.
    pub kind: MediaKind,
    /// Where its bytes are.
    pub source: Source,
    /// File name or title.
    pub name: Option<String>,
    /// OpenAI's `detail` of an image: `low`, `high`, `auto`, `original`.
    pub detail: Option<String>,
    /// A cache breakpoint follows it.
    pub cache: Option<Value>,
    /// Gemini signs pictures that it made.
    pub seal: Option<Sealed>,
}

/// Where the bytes of a medium are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Inline.
    Base64 {
        /// Media type: `image/png`.
        mime: String,
        /// Standard base64.
        data: String,
    },
    /// Fetched by the vendor. Tollgate never fetches it.
    Url {
        /// The address, as the caller wrote it.
        url: String,
        /// Media type, where it was said.
        mime: Option<String>,
    },
    /// Uploaded to a vendor before; useless to any other.
    File {
        /// Whose upload.
        dialect: Dialect,
        /// Its id or URI there.
        id: String,
        /// Media type, where it was said.
        mime: Option<String>,
    },
    /// A document given as plain text.
    Text(String),
}

impl Source {
    /// Media type, where it is known.
    pub fn mime(&self) -> Option<&str> {
        match self {
            Self::Base64 { mime, .. } => Some(mime),
            Self::Url { mime, .. } | Self::File { mime, .. } => mime.as_deref(),
            Self::Text(_) => Some("text/plain"),
        }
    }

    /// Reads a `data:` URL or keeps the address as it is.
    pub fn of_url(url: &str) -> Self {
        let inline = url.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,"));
        match inline {
            Some((mime, data)) => {
                // Parameters (`;charset=…`) are of no use to any vendor.
                let mime = mime.split(';').next().filter(|m| !m.is_empty());
                Self::Base64 { mime: mime.unwrap_or("text/plain").to_owned(), data: data.to_owned() }
            }
            None => Self::Url { url: url.to_owned(), mime: None },
        }
    }

    /// As a URL (`data:` for inline bytes). `None` for uploads and texts.
    pub fn to_url(&self) -> Option<String> {
        match self {
            Self::Base64 { mime, data } => Some(format!("data:{mime};base64,{data}")),
            Self::Url { url, .. } => Some(url.clone()),
            Self::File { .. } | Self::Text(_) => None,
        }
    }
}

impl MediaKind {
    /// What a media type is of. Unknown ones are documents.
    pub fn of_mime(mime: &str) -> Self {
        match mime.split('/').next() {
            Some("image") => Self::Image,
            Some("audio") => Self::Audio,
            Some("video") => Self::Video,
            _ => Self::Document,
        }
    }
}
