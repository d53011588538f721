//! Thinking and the form of the answer, in both directions.

use serde_json::{Map, Value};

use super::super::Fault;
use super::super::fields::Fields;
use super::super::names::call_id;
use super::content::kind_of;
use crate::Dialect;
use crate::neutral::{Effort, Format, Losses, Reasoning, Request, Rest, Weight};

/// Levels by name, least first.
const EFFORTS: [(&str, Effort); 7] = [
    ("none", Effort::None),
    ("minimal", Effort::Minimal),
    ("low", Effort::Low),
    ("medium", Effort::Medium),
    ("high", Effort::High),
    ("xhigh", Effort::XHigh),
    ("max", Effort::Max),
];

/// The word for a level.
pub(super) fn word(effort: Effort) -> &'static str {
    EFFORTS.iter().find(|(_, level)| *level == effort).map_or("medium", |(word, _)| word)
}

/// Reads `reasoning`.
pub(super) fn read_reasoning(mut fields: Fields, rest: &mut Vec<Rest>) -> Result<Option<Reasoning>, Fault> {
    let mut reasoning = Reasoning::default();
    if let Some(wanted) = fields.string("effort")? {
        let known = EFFORTS.iter().find(|(word, _)| *word == wanted);
        let Some((_, effort)) = known else {
            let words = "must be 'none', 'minimal', 'low', 'medium', 'high', 'xhigh' or 'max'";
            return Err(fields.wrong("effort", words));
        };
        reasoning.effort = Some(*effort);
        reasoning.off = *effort == Effort::None;
    }
    let summary = fields.string("summary")?;
    reasoning.summary = fields.string("generate_summary")?.or(summary);
    reasoning.shown = reasoning.summary.as_ref().map(|word| word != "none");
    rest.extend(fields.rest(|name| if name == "context" { Weight::Hint } else { Weight::Meaning }));
    Ok((reasoning != Reasoning::default()).then_some(reasoning))
}

/// Writes `reasoning` for a model.
pub(super) fn write_reasoning(request: &Request, model: &str, losses: &mut Losses) -> Option<Value> {
    let wish = request.reasoning.as_ref()?;
    let levels = levels(model);
    let wanted = match wish.effort {
        _ if wish.off => Some(Effort::None),
        Some(effort) => Some(effort),
        None => wish.budget.map(Effort::of_budget),
    };
    if levels.is_empty() {
        // These models refuse every word about thinking, and not to think is what they do.
        if wanted.is_some_and(|effort| effort != Effort::None) {
            losses.meaning("reasoning", "was left out: this model does not think");
        }
        return None;
    }
    let mut map = Map::new();
    if let Some(wanted) = wanted {
        let least = levels.first().copied().unwrap_or(wanted);
        let given = levels.iter().rev().find(|level| **level <= wanted).copied().unwrap_or(least);
        if given != wanted {
            losses.meaning("reasoning.effort", "was set to the nearest level that this model knows");
        } else if wish.effort.is_none() && wish.budget.is_some() {
            losses.hint("reasoning.budget", "was set as a level: this dialect has no budgets");
        }
        map.insert("effort".into(), word(given).into());
    }
    // Anthropic shows thoughts unless it is told not to; the others only if they are asked.
    let shown = wish.shown.unwrap_or(
        request.dialect == Dialect::Anthropic && !wish.off && (wish.budget.is_some() || wish.adaptive),
    );
    if shown {
        let summary = wish.summary.as_deref().filter(|word| matches!(*word, "auto" | "concise" | "detailed"));
        map.insert("summary".into(), summary.unwrap_or("auto").into());
    }
    (!map.is_empty()).then_some(Value::Object(map))
}

/// The levels that a model takes, least first; none for models that do not think. The vendor refuses others with 400.
fn levels(model: &str) -> &'static [Effort] {
    use Effort::{High, Low, Max, Medium, Minimal, None, XHigh};
    let model = model.rsplit('/').next().unwrap_or(model);
    let begins = |starts: &[&str]| starts.iter().any(|start| model.starts_with(start));
    if begins(&["gpt-3", "gpt-4", "chatgpt-4"]) || model.starts_with("gpt-5") && model.contains("-chat") {
        &[]
    } else if begins(&["o1", "o3", "o4", "codex-mini", "gpt-oss"]) {
        &[Low, Medium, High]
    } else if model.starts_with("gpt-5-pro") {
        &[High]
    } else if model.starts_with("gpt-5-codex") {
        &[Low, Medium, High]
    } else if model == "gpt-5" || begins(&["gpt-5-"]) {
        &[Minimal, Low, Medium, High]
    } else if begins(&["gpt-5.1-codex-max"]) {
        &[Low, Medium, High, XHigh]
    } else if begins(&["gpt-5.1-codex"]) {
        &[Low, Medium, High]
    } else if begins(&["gpt-5.1"]) {
        &[None, Low, Medium, High]
    } else if begins(&["gpt-5.2-pro", "gpt-5.4-pro", "gpt-5.5-pro"]) {
        &[Medium, High, XHigh]
    } else if begins(&["gpt-5.2", "gpt-5.3", "gpt-5.4", "gpt-5.5"]) {
        if model.contains("-codex") { &[Low, Medium, High, XHigh] } else { &[None, Low, Medium, High, XHigh] }
    } else {
        // Newer ones and those of other makers: what they refuse is theirs to say.
        &[None, Minimal, Low, Medium, High, XHigh, Max]
    }
}

/// Reads `text`: form and verbosity.
pub(super) fn read_text(mut fields: Fields, request: &mut Request) -> Result<(), Fault> {
    request.verbosity = fields.string("verbosity")?;
    if let Some(format) = fields.take("format") {
        let at = fields.path("format");
        let kind = kind_of(&at, &format)?;
        let mut fields = Fields::of(at, format)?;
        fields.take("type");
        request.format = match kind.as_deref() {
            None => return Err(fields.wrong("type", "is missing")),
            Some("text") => None,
            Some("json_object") => Some(Format::JsonObject),
            Some("json_schema") => Some(Format::JsonSchema {
                name: fields.string("name")?,
                description: fields.string("description")?,
                schema: match fields.take("schema") {
                    Some(schema @ Value::Object(_)) => schema,
                    Some(_) => return Err(fields.wrong("schema", "must be an object")),
                    None => return Err(fields.wrong("schema", "is missing")),
                },
                strict: fields.flag("strict")?,
            }),
            Some(_) => {
                return Err(fields.wrong("type", "must be 'text', 'json_object' or 'json_schema'"));
            }
        };
        request.rest.extend(fields.rest(|_| Weight::Meaning));
    }
    request.rest.extend(fields.rest(|_| Weight::Meaning));
    Ok(())
}

/// Writes `text`.
pub(super) fn write_text(request: &Request) -> Option<Value> {
    let mut map = Map::new();
    if let Some(format) = &request.format {
        let mut form = Map::new();
        match format {
            Format::JsonObject => {
                form.insert("type".into(), "json_object".into());
            }
            Format::JsonSchema { name, description, schema, strict } => {
                form.insert("type".into(), "json_schema".into());
                let name = name.as_deref().filter(|name| !name.is_empty()).unwrap_or("answer");
                form.insert("name".into(), call_id(name, 64).into());
                if let Some(description) = description {
                    form.insert("description".into(), description.clone().into());
                }
                form.insert("schema".into(), schema.clone());
                if let Some(strict) = strict {
                    form.insert("strict".into(), (*strict).into());
                }
            }
        }
        map.insert("format".into(), Value::Object(form));
    }
    if let Some(verbosity) = &request.verbosity {
        map.insert("verbosity".into(), verbosity.clone().into());
    }
    (!map.is_empty()).then_some(Value::Object(map))
}
