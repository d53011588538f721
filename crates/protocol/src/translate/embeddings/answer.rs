//! Vectors on the way back.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::super::{Fault, text};
use super::Form;

/// What is read of either vendor's answer. Vectors stay as they are written.
#[derive(Deserialize)]
struct Read<'a> {
    #[serde(borrow)]
    data: Option<Vec<Datum<'a>>>,
    #[serde(borrow)]
    embeddings: Option<Vec<Values<'a>>>,
    #[serde(borrow)]
    embedding: Option<Values<'a>>,
    usage: Option<Usage>,
    #[serde(alias = "usageMetadata")]
    usage_metadata: Option<Usage>,
}

#[derive(Deserialize)]
struct Datum<'a> {
    #[serde(borrow)]
    embedding: &'a RawValue,
    index: Option<usize>,
}

#[derive(Deserialize)]
struct Values<'a> {
    #[serde(borrow)]
    values: &'a RawValue,
}

#[derive(Clone, Copy, Default, Deserialize)]
struct Usage {
    #[serde(alias = "promptTokenCount")]
    prompt_tokens: Option<u64>,
    #[serde(alias = "totalTokenCount")]
    total_tokens: Option<u64>,
}

/// A vector in the form that was asked for.
#[derive(Serialize)]
#[serde(untagged)]
enum Vector<'a> {
    Written(&'a RawValue),
    Numbers(Vec<f32>),
    Base64(String),
}

#[derive(Serialize)]
struct OpenAi<'a> {
    object: &'static str,
    data: Vec<Entry<'a>>,
    model: &'a str,
    usage: Counted,
}

#[derive(Serialize)]
struct Entry<'a> {
    object: &'static str,
    index: usize,
    embedding: Vector<'a>,
}

#[derive(Serialize)]
struct Counted {
    prompt_tokens: u64,
    total_tokens: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Gemini<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    embedding: Option<Embedded<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    embeddings: Option<Vec<Embedded<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage_metadata: Option<GeminiCounted>,
}

#[derive(Serialize)]
struct Embedded<'a> {
    values: Vector<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GeminiCounted {
    prompt_token_count: u64,
    total_token_count: u64,
}

/// Turns an answer of either vendor into the form that the caller wants. `model` is the caller's name of the model.
///
/// # Errors
/// [`Fault`] if there are no vectors in it, or one is none.
pub fn answer(body: &[u8], form: Form, model: &str) -> Result<Vec<u8>, Fault> {
    let read: Read<'_> = serde_json::from_slice(body).map_err(|error| Fault::Json(error.to_string()))?;
    let vectors: Vec<&RawValue> = match (read.data, read.embeddings, read.embedding) {
        (Some(mut data), ..) => {
            data.sort_by_key(|datum| datum.index.unwrap_or(usize::MAX));
            data.into_iter().map(|datum| datum.embedding).collect()
        }
        (None, Some(many), _) => many.into_iter().map(|one| one.values).collect(),
        (None, None, Some(one)) => vec![one.values],
        (None, None, None) => return Err(Fault::field("embeddings", "is missing")),
    };
    let vectors =
        vectors.into_iter().map(|raw| vector(raw, form == Form::Base64)).collect::<Result<Vec<_>, _>>()?;
    let usage = read.usage.or(read.usage_metadata);
    let total = usage.and_then(|usage| usage.total_tokens.or(usage.prompt_tokens));
    let prompt = usage.and_then(|usage| usage.prompt_tokens).or(total);
    let embedded = |values| Embedded { values };
    let usage_metadata = prompt
        .zip(total)
        .map(|(prompt, total)| GeminiCounted { prompt_token_count: prompt, total_token_count: total });
    Ok(match form {
        Form::Floats | Form::Base64 => {
            let entry = |(index, embedding)| Entry { object: "embedding", index, embedding };
            let data = vectors.into_iter().enumerate().map(entry).collect();
            let usage = Counted { prompt_tokens: prompt.unwrap_or(0), total_tokens: total.unwrap_or(0) };
            text::json(&OpenAi { object: "list", data, model, usage })
        }
        Form::One => {
            let first = vectors.into_iter().next().map(embedded);
            if first.is_none() {
                return Err(Fault::field("data", "is empty"));
            }
            text::json(&Gemini { embedding: first, embeddings: None, usage_metadata })
        }
        Form::Many => {
            let all = vectors.into_iter().map(embedded).collect();
            text::json(&Gemini { embedding: None, embeddings: Some(all), usage_metadata })
        }
    })
}

/// A vector as numbers or as base64, whichever way the vendor wrote it.
fn vector(raw: &RawValue, base64: bool) -> Result<Vector<'_>, Fault> {
    let wrong = || Fault::field("embedding", "is no vector");
    match (raw.get().as_bytes().first(), base64) {
        (Some(b'['), false) | (Some(b'"'), true) => Ok(Vector::Written(raw)),
        (Some(b'['), true) => {
            let numbers: Vec<f32> = serde_json::from_str(raw.get()).map_err(|_| wrong())?;
            let bytes: Vec<u8> = numbers.into_iter().flat_map(f32::to_le_bytes).collect();
            Ok(Vector::Base64(STANDARD.encode(bytes)))
        }
        (Some(b'"'), false) => {
            let text: String = serde_json::from_str(raw.get()).map_err(|_| wrong())?;
            let bytes = STANDARD.decode(text).map_err(|_| wrong())?;
            let (numbers, rest) = bytes.as_chunks::<4>();
            if !rest.is_empty() {
                return Err(wrong());
            }
            Ok(Vector::Numbers(numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()))
        }
        _ => Err(wrong()),
    }
}
