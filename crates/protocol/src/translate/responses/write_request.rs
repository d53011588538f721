//! A request for a vendor.

use serde_json::{Map, Value, json};

use super::super::names::call_id;
use super::super::{Names, Target};
use super::{choice, settings, tools, write_items};
use crate::Dialect;
use crate::neutral::{Losses, Part, Request, Role, Turn};

const OWN: Dialect = Dialect::OpenAiResponses;
/// Fewest tokens of an answer that the vendor takes.
const LEAST_TOKENS: u64 = 16;
/// Longest label of a user or a cache that the vendor takes.
const MAX_LABEL: usize = 64;

/// Writes a request. The vendor is to keep nothing, so its thoughts must come back in sealed form.
pub(in crate::translate) fn write_request(
    request: &Request,
    target: Target<'_>,
    names: &mut Names,
    losses: &mut Losses,
) -> Value {
    let mut body = Map::new();
    body.insert("model".into(), target.model.into());
    // Offered tools take their names before a history that may call unknown ones.
    let offered = tools::write(request, names, losses);
    let instructions = leading(request);
    if let Some(text) = instructions {
        body.insert("instructions".into(), text.into());
    }
    let items = write_items::write(request, usize::from(instructions.is_some()), names, losses);
    body.insert("input".into(), Value::Array(items));
    if !offered.is_empty() {
        body.insert("tools".into(), Value::Array(offered));
        if let Some(wanted) = choice::write(request, names, losses) {
            body.insert("tool_choice".into(), wanted);
        }
        if let Some(parallel) = request.parallel_tools {
            body.insert("parallel_tool_calls".into(), parallel.into());
        }
    }
    if let Some(wish) = settings::write_reasoning(request, target.model, losses) {
        body.insert("reasoning".into(), wish);
    }
    if let Some(text) = settings::write_text(request) {
        body.insert("text".into(), text);
    }
    limits(request, &mut body, losses);
    sampling(request, &mut body, losses);
    labels(request, &mut body, losses);
    if let Some(previous) = &request.previous {
        body.insert("previous_response_id".into(), previous.clone().into());
    }
    if request.dialect == OWN {
        for rest in request.rest.iter().filter(|rest| !rest.field.contains(['.', '['])) {
            body.insert(rest.field.clone(), rest.value.clone());
        }
    }
    body.insert("stream".into(), request.stream.into());
    body.insert("store".into(), false.into());
    Value::Object(body)
}

/// The instructions, if they are one plain text. Others stay where they are.
fn leading(request: &Request) -> Option<&str> {
    let own = |turn: &Turn| request.dialect != OWN || turn.at == "instructions";
    let first = request.turns.first().filter(|turn| turn.role == Role::System && own(turn))?;
    // Somebody has to say something behind them.
    request.turns.get(1)?;
    match first.parts.as_slice() {
        [Part::Text { text, cache: None, .. }] => Some(text),
        _ => None,
    }
}

fn limits(request: &Request, body: &mut Map<String, Value>, losses: &mut Losses) {
    let Some(wanted) = request.max_tokens else { return };
    if wanted < LEAST_TOKENS {
        losses.meaning("max_tokens", "was raised to 16, the least that this vendor takes");
    }
    body.insert("max_output_tokens".into(), wanted.max(LEAST_TOKENS).into());
}

fn sampling(request: &Request, body: &mut Map<String, Value>, losses: &mut Losses) {
    const UNKNOWN: &str = "is not known to this dialect";
    let wish = &request.sampling;
    for (name, value) in [("temperature", wish.temperature), ("top_p", wish.top_p)] {
        if let Some(value) = value {
            body.insert(name.into(), value.into());
        }
    }
    for (name, value) in
        [("presence_penalty", wish.presence_penalty), ("frequency_penalty", wish.frequency_penalty)]
    {
        match value {
            Some(value) if request.dialect == OWN => {
                body.insert(name.into(), value.into());
            }
            Some(value) if value != 0.0 => losses.meaning(name, UNKNOWN),
            _ => {}
        }
    }
    for (name, wanted) in [
        ("top_k", wish.top_k.is_some()),
        ("seed", wish.seed.is_some()),
        ("stop", !wish.stop.is_empty()),
        ("n", wish.n.is_some_and(|n| n > 1)),
        ("modalities", request.modalities.iter().any(|kind| kind != "text")),
    ] {
        if wanted {
            losses.meaning(name, UNKNOWN);
        }
    }
    let mut include = vec!["reasoning.encrypted_content"];
    if wish.logprobs == Some(true) {
        include.push("message.output_text.logprobs");
    }
    if let Some(count) = wish.top_logprobs {
        body.insert("top_logprobs".into(), count.into());
    }
    let mut include: Vec<Value> = include.into_iter().map(Value::from).collect();
    if request.dialect == OWN {
        let more = request.rest.iter().filter(|rest| rest.field.starts_with("include["));
        include.extend(more.map(|rest| rest.value.clone()));
    }
    body.insert("include".into(), Value::Array(include));
}

fn labels(request: &Request, body: &mut Map<String, Value>, losses: &mut Losses) {
    // Shortened by a digest where it is too long: the same label stays the same.
    let fit =
        |label: &String| if label.len() > MAX_LABEL { call_id(label, MAX_LABEL) } else { label.clone() };
    for (name, label) in [("safety_identifier", &request.user), ("prompt_cache_key", &request.cache_key)] {
        if let Some(label) = label {
            body.insert(name.into(), fit(label).into());
        }
    }
    if let Some(metadata) = &request.metadata {
        body.insert("metadata".into(), metadata.clone());
    }
    match request.service_tier.as_deref() {
        None => {}
        Some("standard_only" | "standard") => {
            body.insert("service_tier".into(), json!("default"));
        }
        Some(tier @ ("auto" | "default" | "flex" | "scale" | "priority" | "fast" | "ultrafast")) => {
            body.insert("service_tier".into(), json!(tier));
        }
        Some(_) => losses.hint("service_tier", "is not known to this dialect"),
    }
}
