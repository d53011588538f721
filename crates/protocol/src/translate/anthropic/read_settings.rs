//! Everything of a request besides the conversation and the tools.

use super::super::fields::Fields;
use crate::neutral::{Effort, Format, Reasoning, Request, Sampling, Weight};
use crate::translate::Fault;

/// Takes the settings.
pub(super) fn settings(fields: &mut Fields, request: &mut Request) -> Result<(), Fault> {
    request.max_tokens = fields.count("max_tokens")?;
    request.sampling = Sampling {
        temperature: fields.number("temperature")?,
        top_p: fields.number("top_p")?,
        top_k: fields.count("top_k")?,
        stop: fields.texts("stop_sequences")?,
        ..Sampling::default()
    };
    request.service_tier = fields.string("service_tier")?;
    if let Some(mut metadata) = fields.object("metadata")? {
        request.user = metadata.string("user_id")?;
        request.rest.extend(metadata.rest(|_| Weight::Hint));
    }
    if let Some(wish) = fields.object("thinking")? {
        request.reasoning = Some(thinking(wish, request)?);
    }
    if let Some(mut config) = fields.object("output_config")? {
        if let Some(effort) = effort(&mut config)? {
            request.reasoning.get_or_insert_default().effort = Some(effort);
        }
        request.format = format(&mut config, "format")?;
        request.rest.extend(config.rest(|_| Weight::Meaning));
    }
    // The older place of the same.
    if let Some(format) = format(fields, "output_format")? {
        request.format = Some(format);
    }
    Ok(())
}

/// Takes `effort`.
pub(super) fn effort(config: &mut Fields) -> Result<Option<Effort>, Fault> {
    let Some(word) = config.string("effort")? else { return Ok(None) };
    Ok(Some(match word.as_str() {
        "low" => Effort::Low,
        "medium" => Effort::Medium,
        "high" => Effort::High,
        "xhigh" => Effort::XHigh,
        "max" => Effort::Max,
        _ => return Err(config.wrong("effort", "must be 'low', 'medium', 'high', 'xhigh' or 'max'")),
    }))
}

fn thinking(mut wish: Fields, request: &mut Request) -> Result<Reasoning, Fault> {
    let mut reasoning = Reasoning::default();
    match wish.required("type")?.as_str() {
        "enabled" => {
            reasoning.budget = wish.count("budget_tokens")?;
            if reasoning.budget.is_none() {
                return Err(wish.wrong("budget_tokens", "is missing"));
            }
        }
        "adaptive" => {
            reasoning.adaptive = true;
            // Allowed for a model that does not know budgets any more; it says nothing.
            wish.take("budget_tokens");
        }
        "disabled" => {
            reasoning.off = true;
            wish.take("budget_tokens");
        }
        _ => return Err(wish.wrong("type", "must be 'enabled', 'adaptive' or 'disabled'")),
    }
    if let Some(display) = wish.string("display")? {
        reasoning.shown = Some(display != "omitted");
        if display != "omitted" {
            reasoning.summary = Some(display);
        }
    }
    request.rest.extend(wish.rest(|_| Weight::Meaning));
    Ok(reasoning)
}

fn format(fields: &mut Fields, name: &str) -> Result<Option<Format>, Fault> {
    let Some(mut format) = fields.object(name)? else { return Ok(None) };
    if format.required("type")? != "json_schema" {
        return Err(format.wrong("type", "must be 'json_schema'"));
    }
    let Some(schema) = format.take("schema").filter(serde_json::Value::is_object) else {
        return Err(format.wrong("schema", "must be a JSON Schema object"));
    };
    Ok(Some(Format::JsonSchema { name: None, description: None, schema, strict: None }))
}
