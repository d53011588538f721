//! Reads `generationConfig`.

use serde_json::Value;

use super::super::Fault;
use super::super::fields::Fields;
use super::read_request::{is_empty, leave};
use super::{schema, spelling};
use crate::neutral::{Effort, Format, Reasoning, Request, Rest, Sampling, Weight};

/// Reads the settings of a request.
pub(super) fn config(mut fields: Fields, request: &mut Request) -> Result<(), Fault> {
    request.max_tokens = spelling::count(&mut fields, "maxOutputTokens")?;
    request.sampling = sampling(&mut fields)?;
    request.reasoning = reasoning(&mut fields, &mut request.rest)?;
    request.format = format(&mut fields, &mut request.rest)?;
    request.modalities = fields
        .texts("responseModalities")?
        .into_iter()
        .map(|word| word.to_ascii_lowercase())
        .filter(|word| word != "modality_unspecified")
        .collect();
    let rest = fields.rest(|name| match name {
        "enableEnhancedCivicAnswers" => Weight::Hint,
        _ => Weight::Meaning,
    });
    request.rest.extend(rest.into_iter().filter(|rest| !is_empty(&rest.value)));
    Ok(())
}

fn sampling(fields: &mut Fields) -> Result<Sampling, Fault> {
    Ok(Sampling {
        temperature: spelling::number(fields, "temperature")?,
        top_p: spelling::number(fields, "topP")?,
        // A fraction is allowed here and means nothing.
        top_k: spelling::number(fields, "topK")?
            .and_then(|k| super::super::fields::as_count(&k.floor().into())),
        seed: spelling::whole(fields, "seed")?,
        presence_penalty: spelling::number(fields, "presencePenalty")?,
        frequency_penalty: spelling::number(fields, "frequencyPenalty")?,
        stop: fields.texts("stopSequences")?,
        n: spelling::count(fields, "candidateCount")?.filter(|n| *n > 0),
        logprobs: fields.flag("responseLogprobs")?.filter(|wanted| *wanted),
        top_logprobs: spelling::count(fields, "logprobs")?.filter(|n| *n > 0),
    })
}

fn reasoning(fields: &mut Fields, rest: &mut Vec<Rest>) -> Result<Option<Reasoning>, Fault> {
    let Some(mut thinking) = spelling::object(fields, "thinkingConfig")? else { return Ok(None) };
    let mut reasoning = Reasoning { shown: thinking.flag("includeThoughts")?, ..Reasoning::default() };
    match spelling::whole(&mut thinking, "thinkingBudget")? {
        None => {}
        Some(0) => reasoning.off = true,
        Some(budget) => match u64::try_from(budget) {
            Ok(budget) => reasoning.budget = Some(budget),
            Err(_) if budget == -1 => reasoning.adaptive = true,
            Err(_) => return Err(thinking.wrong("thinkingBudget", "must be at least -1")),
        },
    }
    reasoning.effort = match spelling::word(&mut thinking, "thinkingLevel", "THINKING_LEVEL_")?.as_deref() {
        None | Some("UNSPECIFIED" | "") => None,
        Some("MINIMAL") => Some(Effort::Minimal),
        Some("LOW") => Some(Effort::Low),
        Some("MEDIUM") => Some(Effort::Medium),
        Some("HIGH") => Some(Effort::High),
        Some(_) => {
            let what = "must be 'minimal', 'low', 'medium' or 'high'";
            return Err(thinking.wrong("thinkingLevel", what));
        }
    };
    leave(thinking, Weight::Meaning, rest);
    Ok(Some(reasoning))
}

fn format(fields: &mut Fields, rest: &mut Vec<Rest>) -> Result<Option<Format>, Fault> {
    let own = object(fields, "responseSchema")?.map(schema::to_json_schema);
    let full = object(fields, "responseJsonSchema")?;
    let older = object(fields, "_responseJsonSchema")?;
    let schema = full.or(older).or(own);
    let mime = fields.string("responseMimeType")?.unwrap_or_default().to_ascii_lowercase();
    match (mime.as_str(), schema) {
        ("application/json", None) => Ok(Some(Format::JsonObject)),
        ("application/json" | "", Some(schema)) => {
            Ok(Some(Format::JsonSchema { name: None, description: None, schema, strict: None }))
        }
        ("" | "text/plain", _) => Ok(None),
        // Bare words of an enumeration, or a form that the vendor adds one day.
        (other, schema) => {
            let mut say = |name: &str, value| {
                rest.push(Rest { field: fields.path(name), value, weight: Weight::Meaning });
            };
            say("responseMimeType", Value::String(other.to_owned()));
            if let Some(schema) = schema {
                say("responseSchema", schema);
            }
            Ok(None)
        }
    }
}

fn object(fields: &mut Fields, name: &str) -> Result<Option<Value>, Fault> {
    match fields.take(name) {
        None => Ok(None),
        Some(Value::Object(map)) => Ok(Some(Value::Object(map))),
        Some(_) => Err(fields.wrong(name, "must be an object")),
    }
}
