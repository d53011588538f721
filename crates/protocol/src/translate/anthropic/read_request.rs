//! A caller's request, strict about its structure and patient with fields that are not known.

use serde_json::Value;

use super::{read_parts, read_settings, read_tools};
use crate::Dialect;
use crate::neutral::{Effort, Part, Request, Rest, Role, Turn, Weight};
use crate::translate::Fault;
use crate::translate::fields::Fields;

/// Reads a request.
pub(in crate::translate) fn read_request(body: Value) -> Result<Request, Fault> {
    let mut fields = Fields::of("", body)?;
    let model = fields.required("model")?;
    let stream = fields.flag("stream")?.unwrap_or(false);
    let mut request = Request::new(Dialect::Anthropic, model, stream);
    // Anthropic's answers always carry their counts and proofs.
    request.include_usage = true;
    request.include_sealed = true;
    if let Some(system) = fields.take("system") {
        let mut parts = read_parts::content("system", system, &mut request.rest)?;
        take_billing(&mut parts, &mut request.rest);
        request.turns.extend(turn(Role::System, parts, "system".to_owned()));
    }
    let Some(messages) = fields.list("messages")? else { return Err(fields.wrong("messages", "is missing")) };
    let mut effort = None;
    for (index, message) in messages.into_iter().enumerate() {
        let at = format!("messages[{index}]");
        let read = message_of(at, message, &mut effort, &mut request.rest)?;
        request.turns.extend(read);
    }
    read_tools::tools(&mut fields, &mut request)?;
    read_settings::settings(&mut fields, &mut request)?;
    if effort.is_some() {
        // A later message's wish outweighs the one for the whole conversation.
        request.reasoning.get_or_insert_default().effort = effort;
    }
    request.rest.extend(fields.rest(|_| Weight::Meaning).into_iter().map(weighed));
    Ok(request)
}

/// Claude Code begins its instructions with a line of telemetry that differs in every request. For another
/// vendor's model it is noise, and it would keep the vendor's prompt cache from ever being met.
fn take_billing(parts: &mut Vec<Part>, rest: &mut Vec<Rest>) {
    let first = parts.first().and_then(Part::as_text);
    if let Some(text) = first.filter(|text| text.starts_with("x-anthropic-billing-header:")) {
        let field = "system[0]".to_owned();
        rest.push(Rest { field, value: text.into(), weight: Weight::Hint });
        parts.remove(0);
    }
}

/// How much a field that is left over matters.
fn weighed(mut rest: Rest) -> Rest {
    let hint = match rest.field.as_str() {
        // Caching, telemetry, speed: none changes what is answered.
        "cache_control" | "betas" | "diagnostics" | "speed" | "user_profile_id" => true,
        // Clearing earlier thoughts concerns Anthropic's own only; other vendors never see them.
        "context_management" => only_clears_thinking(&rest.value),
        _ => false,
    };
    rest.weight = if hint { Weight::Hint } else { Weight::Meaning };
    rest
}

fn only_clears_thinking(value: &Value) -> bool {
    let clears = |edit: &Value| {
        edit.get("type").and_then(Value::as_str).is_some_and(|kind| kind.starts_with("clear_thinking_"))
    };
    value.get("edits").and_then(Value::as_array).is_some_and(|edits| edits.iter().all(clears))
}

fn message_of(
    at: String,
    message: Value,
    effort: &mut Option<Effort>,
    rest: &mut Vec<Rest>,
) -> Result<Option<Turn>, Fault> {
    let mut fields = Fields::of(at, message)?;
    let role = match fields.required("role")?.as_str() {
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "system" => Role::System,
        _ => return Err(fields.wrong("role", "must be 'user', 'assistant' or 'system'")),
    };
    let Some(content) = fields.take("content") else { return Err(fields.wrong("content", "is missing")) };
    let parts = read_parts::content(&fields.path("content"), content, rest)?;
    if let Some(mut config) = fields.object("output_config")? {
        *effort = read_settings::effort(&mut config)?.or(*effort);
        rest.extend(config.rest(|_| Weight::Meaning));
    }
    let at = fields.at().to_owned();
    rest.extend(fields.rest(|name| if name == "id" { Weight::Hint } else { Weight::Meaning }));
    Ok(turn(role, parts, at))
}

/// A message without content says nothing (`content: []` only carries an effort).
fn turn(role: Role, parts: Vec<Part>, at: String) -> Option<Turn> {
    (!parts.is_empty()).then_some(Turn { role, name: None, parts, at, places: Vec::new() })
}
