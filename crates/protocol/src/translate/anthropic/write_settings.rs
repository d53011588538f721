//! Sampling, format and labels of a request for Anthropic.

use serde_json::{Map, Value, json};

use super::output_schema;
use super::spelling::Field;
use super::write_request::Writing;
use crate::neutral::{Format, Request};
use crate::translate::text;

/// Longest `user_id` that the vendor takes, in characters.
const MAX_USER: usize = 256;

/// Writes the settings.
pub(super) fn write(writing: &mut Writing<'_>, body: &mut Map<String, Value>) {
    sampling(writing, body);
    format(writing, body);
    let request = writing.request;
    let stop = &request.sampling.stop;
    let heard: Vec<&String> = stop.iter().filter(|text| !text.trim().is_empty()).collect();
    if heard.len() < stop.len() {
        writing.loses(Field::Stop, "holds texts of nothing but space, which were left out");
    }
    if !heard.is_empty() {
        body.insert("stop_sequences".into(), json!(heard));
    }
    if let Some(user) = &request.user {
        if user.chars().count() <= MAX_USER {
            body.insert("metadata".into(), json!({ "user_id": user }));
        } else {
            writing.hints(Field::User, "is longer than 256 characters");
        }
    }
    match request.service_tier.as_deref() {
        Some("auto") => {
            body.insert("service_tier".into(), "auto".into());
        }
        Some("default" | "standard" | "standard_only") => {
            body.insert("service_tier".into(), "standard_only".into());
        }
        Some("priority") => {
            body.insert("service_tier".into(), "auto".into());
            writing.hints(Field::ServiceTier, "was sent as 'auto'");
        }
        Some(_) => writing.hints(Field::ServiceTier, "has no counterpart in the model's dialect"),
        None => {}
    }
    unsaid(writing, request);
}

/// What the dialect has no place for.
fn unsaid(writing: &mut Writing<'_>, request: &Request) {
    const UNKNOWN: &str = "has no counterpart in the model's dialect";
    let sampling = &request.sampling;
    let is_set = |penalty: Option<f64>| penalty.is_some_and(|penalty| differ(penalty, 0.0));
    let silent = |verbosity: &String| verbosity == "medium";
    let other = |kind: &String| !kind.eq_ignore_ascii_case("text");
    for (lost, field) in [
        (sampling.seed.is_some(), Field::Seed),
        (is_set(sampling.presence_penalty), Field::PresencePenalty),
        (is_set(sampling.frequency_penalty), Field::FrequencyPenalty),
        (sampling.n.is_some_and(|n| n > 1), Field::N),
        (sampling.logprobs == Some(true) || sampling.top_logprobs.is_some_and(|n| n > 0), Field::Logprobs),
        (request.verbosity.as_ref().is_some_and(|v| !silent(v)), Field::Verbosity),
        (request.modalities.iter().any(other), Field::Modalities),
    ] {
        if lost {
            writing.loses(field, UNKNOWN);
        }
    }
    if request.metadata.as_ref().is_some_and(|map| map.as_object().is_none_or(|map| !map.is_empty())) {
        writing.losses.hint("metadata", UNKNOWN);
    }
    if request.cache_key.is_some() {
        writing.losses.hint("prompt_cache_key", UNKNOWN);
    }
    if request.previous.is_some() {
        writing.losses.meaning("previous_response_id", UNKNOWN);
    }
}

fn sampling(writing: &mut Writing<'_>, body: &mut Map<String, Value>) {
    let sampling = &writing.request.sampling;
    let thinks = body.get("thinking").is_some_and(|wish| wish.get("type") != Some(&"disabled".into()));
    let (temperature, top_p, top_k) = (sampling.temperature, sampling.top_p, sampling.top_k);
    // What says nothing is left out: newer models refuse the fields whatever they hold.
    let temperature = temperature.filter(|t| differ(*t, 1.0) || (writing.model.samples() && !thinks));
    let top_p = top_p.filter(|p| differ(*p, 1.0));
    if !writing.model.samples() {
        for (lost, field) in [
            (temperature.is_some(), Field::Temperature),
            (top_p.is_some(), Field::TopP),
            (top_k.is_some(), Field::TopK),
        ] {
            if lost {
                writing.loses(field, "is not taken by this model");
            }
        }
        return;
    }
    if let Some(wanted) = temperature {
        let cut = wanted.clamp(0.0, 1.0);
        if thinks {
            writing.loses(Field::Temperature, "cannot go with thinking and was left out");
        } else {
            if differ(cut, wanted) {
                writing.loses(Field::Temperature, "was cut to the range 0 to 1");
            }
            body.insert("temperature".into(), json!(cut));
        }
    }
    if let Some(wanted) = top_p {
        let cut = wanted.clamp(0.0, 1.0);
        if body.contains_key("temperature") && !writing.model.samples_both() {
            writing.loses(Field::TopP, "cannot go with a temperature on this model and was left out");
        } else if thinks && cut < 0.95 {
            writing.loses(Field::TopP, "cannot be below 0.95 with thinking and was left out");
        } else {
            body.insert("top_p".into(), json!(cut));
        }
    }
    if let Some(top_k) = top_k {
        if thinks {
            writing.loses(Field::TopK, "cannot go with thinking and was left out");
        } else {
            body.insert("top_k".into(), top_k.into());
        }
    }
}

fn differ(a: f64, b: f64) -> bool {
    (a - b).abs() > f64::EPSILON
}

fn format(writing: &mut Writing<'_>, body: &mut Map<String, Value>) {
    match &writing.request.format {
        None => {}
        Some(Format::JsonObject) => {
            writing.loses(Field::Format, "has no counterpart in the model's dialect");
        }
        Some(Format::JsonSchema { schema, .. }) if !writing.model.structured() => {
            writing.loses(Field::Format, "is asked for in words, this model cannot be held to it");
            let schema = text::json_text(schema);
            writing.instructions.push(format!(
                "Answer with nothing but one JSON value that is valid against this JSON Schema:\n{schema}"
            ));
        }
        Some(Format::JsonSchema { schema, .. }) => {
            let (schema, changed) = output_schema::of_answer(schema);
            if changed {
                writing.loses(Field::Format, "holds rules that are told to the model but not enforced");
            }
            let config = body.entry("output_config").or_insert_with(|| json!({}));
            if let Some(map) = config.as_object_mut() {
                map.insert("format".into(), json!({ "type": "json_schema", "schema": schema }));
            }
        }
    }
}
