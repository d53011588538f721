//! The response object around an answer: what was asked is repeated in it, as the vendor does.

use serde_json::{Map, Value, json};

use super::super::{Back, Names};
use super::{choice, settings, tools};
use crate::neutral::{Losses, Part, Request};

/// The object of an answer that has just begun.
pub(super) fn begun(back: &Back) -> Map<String, Value> {
    let request = &*back.request;
    let rest = |name: &str| {
        request.rest.iter().find(|rest| rest.field == name).map_or(Value::Null, |rest| rest.value.clone())
    };
    let said = |value: Value, usual: Value| if value.is_null() { usual } else { value };
    // What is repeated is spelled as it was asked: nothing is lost or renamed.
    let (mut names, mut losses) = (Names::new(), Losses::new());
    let offered = tools::write(request, &mut names, &mut losses);
    let wanted = choice::write(request, &mut names, &mut losses);
    let object = json!({
        "id": format!("resp_{}", back.ids),
        "object": "response",
        "created_at": back.created,
        "status": "in_progress",
        "background": said(rest("background"), false.into()),
        "completed_at": null,
        "error": null,
        "incomplete_details": null,
        "instructions": instructions(request),
        "max_output_tokens": request.max_tokens,
        "max_tool_calls": rest("max_tool_calls"),
        "metadata": request.metadata.clone().unwrap_or_else(|| json!({})),
        "model": request.model,
        "output": [],
        "parallel_tool_calls": request.parallel_tools.unwrap_or(true),
        "previous_response_id": request.previous,
        "prompt_cache_key": request.cache_key,
        "reasoning": reasoning(request),
        "safety_identifier": request.user,
        "service_tier": request.service_tier.as_deref().unwrap_or("auto"),
        "store": said(rest("store"), false.into()),
        "temperature": request.sampling.temperature.unwrap_or(1.0),
        "text": form(request),
        "tool_choice": wanted.unwrap_or_else(|| said(rest("tool_choice"), "auto".into())),
        "tools": offered,
        "top_logprobs": request.sampling.top_logprobs.unwrap_or(0),
        "top_p": request.sampling.top_p.unwrap_or(1.0),
        "truncation": said(rest("truncation"), "disabled".into()),
        "usage": null,
        "user": rest("user"),
    });
    match object {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn instructions(request: &Request) -> Value {
    let turn = request.turns.first().filter(|turn| turn.at == "instructions");
    turn.and_then(|turn| turn.parts.first()).and_then(Part::as_text).map_or(Value::Null, Value::from)
}

fn reasoning(request: &Request) -> Value {
    let wish = request.reasoning.as_ref();
    json!({
        "effort": wish.and_then(|wish| wish.effort).map(settings::word),
        "summary": wish.and_then(|wish| wish.summary.as_deref()),
    })
}

fn form(request: &Request) -> Value {
    let mut text = settings::write_text(request).unwrap_or_else(|| json!({}));
    if let Some(map) = text.as_object_mut() {
        if !map.contains_key("format") {
            map.insert("format".into(), json!({"type": "text"}));
        }
        if !map.contains_key("verbosity") {
            map.insert("verbosity".into(), "medium".into());
        }
    }
    text
}
