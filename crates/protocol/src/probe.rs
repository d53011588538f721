//! What routing must know of a request, in one pass over its body.
//!
//! The pass validates the JSON; it builds no tree and refuses nothing that only the upstream can judge.

use std::ops::Range;

use crate::json::{Fault, What};
use crate::{Dialect, Endpoint, multipart};

mod fields;
mod reach;

pub(crate) use fields::check_n;

/// Longest model name, in characters.
const MAX_MODEL_CHARS: usize = 200;

/// What the probe found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts about a request, not one state")]
pub struct Probe {
    /// The model, where the body names one. `None` for Gemini calls: theirs is in the path.
    pub model: Option<ModelSpan>,
    /// Whether the answer is to be streamed.
    pub stream: bool,
    /// `metadata.user_id` or `prompt_cache_key`, as sent; [`crate::session::hint`] makes a session of it.
    pub session_hint: Option<String>,
    /// The caller's bound on the tokens of one output, reasoning included: the largest of those given, Gemini's
    /// `generationConfig.maxOutputTokens` included. `None`: only the model bounds it.
    pub max_tokens: Option<u64>,
    /// How many outputs were asked for: `n` (or `best_of`, if larger), Gemini's `generationConfig.candidateCount`.
    pub n: Option<u64>,
    /// The vendor's service tier that was asked for, in lower case; Anthropic's `speed: fast` is `fast`.
    pub service_tier: Option<String>,
    /// The body's bytes do not bound the input tokens: it names addresses, files, stored prompts or conversations,
    /// holds documents or video, or lets the vendor run tools that read more. Only the model's own input bounds them.
    pub remote_input: bool,
    /// Images inside the body (or in parts of their own). Each may be up to [`most_image_tokens`] tokens, however
    /// few bytes it has.
    pub images: u64,
    /// It asks to keep something in the prompt cache for an hour.
    pub caches_1h: bool,
    /// The vendor may search the web, which costs extra.
    pub web_search: bool,
}

/// A model name and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelSpan {
    /// The name, escapes undone.
    pub name: String,
    /// Bytes of the JSON string including its quotes, or of the bare text in a multipart body.
    pub span: Range<usize>,
}

/// Why a body was refused: the caller's fault, status 400.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// No body at all.
    #[error("the request body is empty")]
    Empty,
    /// Not UTF-8.
    #[error("the request body is not valid UTF-8 at byte {offset}")]
    NotUtf8 {
        /// Where.
        offset: usize,
    },
    /// Not JSON.
    #[error("the request body is not valid JSON at byte {offset}: {what}")]
    Syntax {
        /// Where.
        offset: usize,
        /// What was expected or found there.
        what: &'static str,
    },
    /// Deeper than 128 levels.
    #[error("the request body nests deeper than 128 levels at byte {offset}")]
    TooDeep {
        /// Where.
        offset: usize,
    },
    /// A field that decides routing or cost is given twice, so that two readers could disagree.
    #[error("'{field}' is given twice (again at byte {offset})")]
    Duplicate {
        /// The field.
        field: &'static str,
        /// Where it stands for the second time.
        offset: usize,
    },
    /// A field's value is of the wrong type or out of range.
    #[error("'{field}' {what}")]
    Field {
        /// The field.
        field: &'static str,
        /// What it must be.
        what: &'static str,
    },
    /// A multipart body that cannot be read safely.
    #[error("the multipart body cannot be read at byte {offset}: {what}")]
    Multipart {
        /// Where.
        offset: usize,
        /// What is wrong.
        what: &'static str,
    },
}

impl DecodeError {
    /// The field at fault, if it is one field.
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::Duplicate { field, .. } | Self::Field { field, .. } => Some(field),
            _ => None,
        }
    }
}

impl From<Fault> for DecodeError {
    fn from(fault: Fault) -> Self {
        match fault.what {
            What::Syntax(what) => Self::Syntax { offset: fault.offset, what },
            What::TooDeep => Self::TooDeep { offset: fault.offset },
        }
    }
}

/// Reads what routing needs and validates the whole body.
pub fn probe(endpoint: Endpoint, content_type: Option<&str>, body: &[u8]) -> Result<Probe, DecodeError> {
    if body.is_empty() {
        return Err(DecodeError::Empty);
    }
    let mut found = if is_multipart(endpoint, content_type) {
        multipart::probe(content_type.unwrap_or_default(), body)?
    } else {
        let text = std::str::from_utf8(body).map_err(|e| DecodeError::NotUtf8 { offset: e.valid_up_to() })?;
        fields::read(endpoint.dialect(), text.as_bytes())?
    };
    if endpoint.dialect() == Dialect::Gemini || endpoint.is_count() {
        found.stream = endpoint == Endpoint::GeminiStream;
    }
    Ok(found)
}

/// Most tokens of one image, by the vendors' own rules in 2026. Anthropic: 4,784 for a picture of 2,576 pixels.
/// `OpenAI`: 2,833 and 5,667 for each of at most eight tiles (gpt-4o-mini; all others are far below). Gemini: 258 for
/// each tile, at most twenty for common shapes.
pub fn most_image_tokens(dialect: Dialect) -> u64 {
    match dialect {
        Dialect::Anthropic => 4_784,
        Dialect::OpenAiChat | Dialect::OpenAiResponses => 2_833 + 8 * 5_667,
        Dialect::Gemini => 20 * 258,
    }
}

/// Whether this body is read as `multipart/form-data`: only images and audio come so.
pub fn is_multipart(endpoint: Endpoint, content_type: Option<&str>) -> bool {
    let kind = content_type.and_then(|c| c.split(';').next()).unwrap_or_default();
    matches!(
        endpoint,
        Endpoint::ImageEdits
            | Endpoint::ImageVariations
            | Endpoint::AudioTranscriptions
            | Endpoint::AudioTranslations
    ) && kind.trim().eq_ignore_ascii_case("multipart/form-data")
}

/// Whether a text can be a model's name: 1 to 200 characters, none of them a control character.
pub(crate) fn valid_model(name: &str) -> bool {
    !name.trim().is_empty() && name.chars().count() <= MAX_MODEL_CHARS && !name.contains(char::is_control)
}

/// The checked name, or what is wrong with it.
pub(crate) fn checked_model(name: Option<String>, span: Range<usize>) -> Result<ModelSpan, DecodeError> {
    const WHAT: &str = "must be a non-empty string of at most 200 characters without control characters";
    match name {
        Some(name) if valid_model(&name) => Ok(ModelSpan { name, span }),
        _ => Err(DecodeError::Field { field: "model", what: WHAT }),
    }
}

#[cfg(test)]
mod tests;
