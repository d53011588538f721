//! Embeddings: OpenAI's `/v1/embeddings` and Gemini's `embedContent` and `batchEmbedContents`, in both directions.
//!
//! Towards Gemini always `batchEmbedContents` is meant, whatever the number of texts. Vectors are passed on as they
//! are written: only the two forms of OpenAI's (numbers, base64 of little-endian 32-bit floats) are turned into
//! each other.

mod answer;

use serde_json::{Map, Value, json};

pub use answer::answer;

use super::fields::Fields;
use super::gemini::spelling;
use super::{Fault, text};
use crate::neutral::{Losses, Weight};

/// How the caller wants the vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// OpenAI's, as numbers.
    Floats,
    /// OpenAI's, as base64.
    Base64,
    /// Gemini's `embedContent`.
    One,
    /// Gemini's `batchEmbedContents`.
    Many,
}

/// A request for the vendor.
#[derive(Debug)]
pub struct Asked {
    /// The body.
    pub body: Vec<u8>,
    /// What it could not say.
    pub losses: Losses,
    /// How the answer is to be written.
    pub form: Form,
}

/// What a text that is no text is told.
const TEXTS: &str = "must be a text or a list of texts: numbers of tokens mean nothing to another vendor";

/// Turns a request to `/v1/embeddings` into one to `batchEmbedContents`. `model` is the vendor's name of the model.
///
/// # Errors
/// [`Fault`] names the field that is wrong. Lists of tokens are refused: they are numbers of another vendor's.
pub fn to_gemini(body: &[u8], model: &str) -> Result<Asked, Fault> {
    let mut fields = Fields::of("", text::parse(body)?)?;
    let mut losses = Losses::new();
    let texts = match fields.take("input") {
        None => return Err(fields.wrong("input", "is missing")),
        Some(Value::String(text)) => vec![text],
        Some(Value::Array(list)) if list.is_empty() => {
            return Err(fields.wrong("input", "must not be empty"));
        }
        Some(Value::Array(list)) => list
            .into_iter()
            .enumerate()
            .map(|(number, value)| match value {
                Value::String(text) => Ok(text),
                Value::Number(_) => Err(fields.wrong("input", TEXTS)),
                _ => Err(Fault::field(format!("input[{number}]"), TEXTS)),
            })
            .collect::<Result<_, _>>()?,
        Some(_) => return Err(fields.wrong("input", TEXTS)),
    };
    let form = match fields.string("encoding_format")?.as_deref() {
        None | Some("float") => Form::Floats,
        Some("base64") => Form::Base64,
        Some(_) => return Err(fields.wrong("encoding_format", "must be 'float' or 'base64'")),
    };
    let dimensions = fields.count("dimensions")?;
    // A word of compatible vendors' that this one knows too.
    let task = match fields.string("input_type")?.as_deref() {
        Some("query" | "search_query") => Some("RETRIEVAL_QUERY"),
        Some("document" | "search_document") => Some("RETRIEVAL_DOCUMENT"),
        Some(_) => {
            losses.meaning("input_type", "is not known to this dialect");
            None
        }
        None => None,
    };
    fields.take("model");
    for rest in fields.rest(|name| if name == "user" { Weight::Hint } else { Weight::Meaning }) {
        losses.note(rest.field, "has no counterpart in the model's dialect", rest.weight);
    }
    let model = if model.starts_with("models/") { model.to_owned() } else { format!("models/{model}") };
    let requests: Vec<Value> = texts
        .into_iter()
        .map(|text| {
            let mut request = Map::new();
            request.insert("model".into(), model.as_str().into());
            request.insert("content".into(), json!({"parts": [{"text": text}]}));
            if let Some(task) = task {
                request.insert("taskType".into(), task.into());
            }
            if let Some(dimensions) = dimensions {
                request.insert("outputDimensionality".into(), dimensions.into());
            }
            Value::Object(request)
        })
        .collect();
    Ok(Asked { body: text::json(&json!({"requests": requests})), losses, form })
}

/// Turns a request to `embedContent`, or `batchEmbedContents` if `batch`, into one to `/v1/embeddings`. `model` is
/// the vendor's name of the model.
///
/// # Errors
/// [`Fault`] names the field that is wrong. Contents without text and batches of different sizes are refused.
pub fn to_openai(body: &[u8], batch: bool, model: &str) -> Result<Asked, Fault> {
    let mut fields = spelling::fields("", text::parse(body)?)?;
    let mut losses = Losses::new();
    let requests = if batch {
        let list = spelling::list(&mut fields, "requests")?.unwrap_or_default();
        if list.is_empty() {
            return Err(fields.wrong("requests", "is missing"));
        }
        let mut requests = Vec::with_capacity(list.len());
        for (number, value) in list.into_iter().enumerate() {
            requests.push(spelling::fields(format!("requests[{number}]"), value)?);
        }
        note_rest(fields, &mut losses);
        requests
    } else {
        vec![fields]
    };
    let mut texts = Vec::with_capacity(requests.len());
    let mut dimensions = None;
    for (number, mut request) in requests.into_iter().enumerate() {
        texts.push(said(&mut request)?);
        let wanted = spelling::count(&mut request, "outputDimensionality")?;
        if number > 0 && wanted != dimensions {
            return Err(request.wrong("outputDimensionality", "must be the same in all requests of a batch"));
        }
        dimensions = wanted;
        request.take("model");
        note_rest(request, &mut losses);
    }
    let input = match <[String; 1]>::try_from(texts) {
        Ok([one]) => Value::String(one),
        Err(texts) => texts.into(),
    };
    let mut asked = json!({"model": model, "input": input, "encoding_format": "float"});
    if let (Some(map), Some(dimensions)) = (asked.as_object_mut(), dimensions) {
        map.insert("dimensions".into(), dimensions.into());
    }
    let form = if batch { Form::Many } else { Form::One };
    Ok(Asked { body: text::json(&asked), losses, form })
}

/// The text of a request's content.
fn said(request: &mut Fields) -> Result<String, Fault> {
    let Some(mut content) = spelling::object(request, "content")? else {
        return Err(request.wrong("content", "is missing"));
    };
    let at = content.path("parts");
    let parts = spelling::list(&mut content, "parts")?.unwrap_or_default();
    if parts.is_empty() {
        return Err(content.wrong("parts", "is missing"));
    }
    let mut texts = Vec::with_capacity(parts.len());
    for (number, part) in parts.into_iter().enumerate() {
        let mut part = spelling::fields(format!("{at}[{number}]"), part)?;
        match part.string("text")? {
            Some(text) => texts.push(text),
            None => return Err(part.wrong("text", "is missing: this model embeds texts only")),
        }
    }
    Ok(texts.join("\n"))
}

fn note_rest(fields: Fields, losses: &mut Losses) {
    for rest in fields.rest(|name| if name == "autoTruncate" { Weight::Hint } else { Weight::Meaning }) {
        losses.note(rest.field, "has no counterpart in the model's dialect", rest.weight);
    }
}

#[cfg(test)]
mod tests;
