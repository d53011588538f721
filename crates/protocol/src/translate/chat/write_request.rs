//! A request towards a vendor.

use serde_json::{Map, Value, json};

use super::super::names::call_id;
use super::super::{Names, Target};
use super::model::{self, Model};
use super::{write_message, write_tools};
use crate::neutral::{Effort, Format, Losses, Reasoning, Request};

/// Most stop texts.
const MAX_STOPS: usize = 4;
/// Longest name of an end user, in bytes.
const MAX_USER: usize = 64;
/// Longest key of the prompt cache, in bytes.
const MAX_KEY: usize = 64;

/// Writes a request.
pub(in super::super) fn write_request(
    request: &Request,
    target: Target<'_>,
    names: &mut Names,
    losses: &mut Losses,
) -> Value {
    let model = Model::of(target.model);
    let mut body = Map::new();
    body.insert("model".to_owned(), json!(target.model));
    // Tools first: they tell the kinds of the calls in the history.
    let mut tools = Map::new();
    write_tools::write(request, model, names, losses, &mut tools);
    body.insert("messages".to_owned(), Value::Array(write_message::write(request, model, names, losses)));
    body.extend(tools);
    if let Some(most) = request.max_tokens {
        let most = target.max_output.map_or(most, |max| most.min(max));
        body.insert(model.max_tokens_field().to_owned(), json!(most));
    }
    sampling(request, model, losses, &mut body);
    if let Some(wishes) = &request.reasoning {
        reasoning(wishes, model, losses, &mut body);
    }
    if let Some(format) = &request.format {
        body.insert("response_format".to_owned(), form(format));
    }
    labels(request, model, losses, &mut body);
    if request.stream {
        body.insert("stream".to_owned(), json!(true));
        // The books need the counts, whatever the caller wants to see. Mistral refuses to be asked, and tells anyway.
        if !model.mistral {
            body.insert("stream_options".to_owned(), json!({"include_usage": true}));
        }
    }
    Value::Object(body)
}

fn sampling(request: &Request, model: Model, losses: &mut Losses, body: &mut Map<String, Value>) {
    const FIXED: &str = "cannot be chosen for this model";
    let sampling = &request.sampling;
    let mut put = |name: &str, value: Option<Value>, losses: &mut Losses| {
        let Some(value) = value else { return };
        if model.fixed_sampling() {
            // 1 is what it does anyway.
            if value.as_f64() != Some(1.0) {
                losses.meaning(name, FIXED);
            }
        } else {
            body.insert(name.to_owned(), value);
        }
    };
    put("temperature", sampling.temperature.map(number), losses);
    put("top_p", sampling.top_p.map(number), losses);
    put("presence_penalty", sampling.presence_penalty.map(number), losses);
    put("frequency_penalty", sampling.frequency_penalty.map(number), losses);
    put("logprobs", sampling.logprobs.map(Value::from), losses);
    put("top_logprobs", sampling.top_logprobs.map(Value::from), losses);
    let stops: Vec<&String> = sampling.stop.iter().filter(|text| !text.is_empty()).take(MAX_STOPS).collect();
    if !stops.is_empty() {
        put("stop", Some(json!(stops)), losses);
    }
    if sampling.stop.len() > MAX_STOPS {
        losses.meaning("stop", "was cut to the first 4");
    }
    if sampling.top_k.is_some() {
        losses.meaning("top_k", "is not known to this dialect");
    }
    if let Some(seed) = sampling.seed {
        let name = if model.mistral { "random_seed" } else { "seed" };
        body.insert(name.to_owned(), json!(seed));
    }
    if let Some(n) = sampling.n {
        body.insert("n".to_owned(), json!(n));
    }
}

/// A number without the `.0` that some servers refuse in whole ones.
fn number(value: f64) -> Value {
    super::super::fields::as_count(&json!(value)).map_or_else(|| json!(value), Value::from)
}

fn reasoning(wishes: &Reasoning, model: Model, losses: &mut Losses, body: &mut Map<String, Value>) {
    const FIELD: &str = "reasoning_effort";
    if wishes.summary.is_some() {
        losses.hint("reasoning.summary", "is not known to this dialect");
    }
    if wishes.off {
        if model.thinking_switch {
            body.insert("thinking".to_owned(), json!({"type": "disabled"}));
        } else if model.reasons() {
            if let Some(least) = model.effort(Effort::None) {
                if least != Effort::None {
                    losses.meaning(FIELD, "cannot be switched off in this model; the least was asked for");
                }
                body.insert(FIELD.to_owned(), json!(model::effort_word(least)));
            }
        } else {
            losses.hint(FIELD, "has no one way to be switched off in compatible servers");
        }
        return;
    }
    let wanted = wishes.effort.or_else(|| wishes.budget.map(Effort::of_budget));
    let Some(wanted) = wanted else {
        if wishes.adaptive && model.thinking_switch {
            body.insert("thinking".to_owned(), json!({"type": "enabled"}));
        }
        return;
    };
    if wishes.budget.is_some() {
        losses.hint("reasoning.max_tokens", "was turned into an effort");
    }
    match model.effort(wanted) {
        Some(effort) => {
            if effort != wanted {
                losses.meaning(FIELD, "was moved to the nearest that this model takes");
            }
            body.insert(FIELD.to_owned(), json!(model::effort_word(effort)));
        }
        None => losses.hint(FIELD, "is not taken by this model"),
    }
}

fn form(format: &Format) -> Value {
    match format {
        Format::JsonObject => json!({"type": "json_object"}),
        Format::JsonSchema { name, description, schema, strict } => {
            let mut inner = Map::new();
            let name = call_id(name.as_deref().unwrap_or("response"), 64);
            inner.insert("name".to_owned(), json!(if name.is_empty() { "response" } else { &name }));
            if let Some(text) = description {
                inner.insert("description".to_owned(), json!(text));
            }
            inner.insert("schema".to_owned(), schema.clone());
            if let Some(strict) = strict {
                inner.insert("strict".to_owned(), json!(strict));
            }
            json!({"type": "json_schema", "json_schema": inner})
        }
    }
}

fn labels(request: &Request, model: Model, losses: &mut Losses, body: &mut Map<String, Value>) {
    const UNKNOWN: &str = "is not known to every server of this dialect";
    if let Some(user) = &request.user {
        if model.mistral {
            losses.hint("user", UNKNOWN);
        } else {
            let field = if model.openai { "safety_identifier" } else { "user" };
            body.insert(field.to_owned(), json!(short(user, MAX_USER)));
        }
    }
    if request.metadata.is_some() {
        losses.hint("metadata", "is only taken with answers that are stored");
    }
    match request.service_tier.as_deref() {
        None | Some("auto") => {}
        Some("standard" | "standard_only" | "default") => {
            if model.openai {
                body.insert("service_tier".to_owned(), json!("default"));
            }
        }
        Some(tier) => {
            body.insert("service_tier".to_owned(), json!(tier));
        }
    }
    if let Some(key) = &request.cache_key {
        if model.openai {
            body.insert("prompt_cache_key".to_owned(), json!(short(key, MAX_KEY)));
        } else {
            losses.hint("prompt_cache_key", UNKNOWN);
        }
    }
    if let Some(verbosity) = &request.verbosity {
        if model.is_new() {
            body.insert("verbosity".to_owned(), json!(verbosity));
        } else if verbosity != "medium" {
            losses.meaning("verbosity", "is not known to this model");
        }
    }
    if request.modalities.iter().any(|modality| modality == "audio") {
        losses.meaning("modalities", "asks for sound, for which this dialect needs a voice");
    } else if request.modalities.iter().any(|modality| modality != "text") {
        body.insert("modalities".to_owned(), json!(request.modalities));
    }
}

/// A label as it is, or the beginning and a digest of one that is too long.
fn short(label: &str, max: usize) -> String {
    if label.len() <= max {
        return label.to_owned();
    }
    call_id(label, max)
}
