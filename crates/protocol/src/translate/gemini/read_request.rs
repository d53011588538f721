//! Reads a `generateContent` request.

use serde_json::Value;

use super::super::fields::Fields;
use super::super::{Call, Fault};
use super::{read_config, read_parts, read_tools, spelling};
use crate::Dialect;
use crate::neutral::{Part, Request, Rest, Role, Turn, Weight};

/// Reads a request. Model and streaming are said by the path.
pub(in super::super) fn read_request(body: Value, call: Call<'_>) -> Result<Request, Fault> {
    let mut fields = spelling::fields("", body)?;
    let named = fields.string("model")?;
    let model = call.model.map(str::to_owned).or(named).ok_or_else(|| fields.wrong("model", "is missing"))?;
    let model = model.strip_prefix("models/").unwrap_or(&model);
    let mut request = Request::new(Dialect::Gemini, model, call.stream.unwrap_or(false));
    let mut content = read_parts::Content::default();
    if let Some(system) = fields.take("systemInstruction") {
        let parts = instruction(&mut content, system)?;
        request.turns.push(Turn {
            role: Role::System,
            name: None,
            parts,
            at: "systemInstruction".into(),
            places: Vec::new(),
        });
    }
    request.turns.extend(turns(&mut content, &mut fields)?);
    request.rest.append(&mut content.rest);
    read_tools::tools(&mut fields, &mut request)?;
    read_tools::choice(&mut fields, &mut request)?;
    if let Some(config) = spelling::object(&mut fields, "generationConfig")? {
        read_config::config(config, &mut request)?;
    }
    if let Some(tier) = spelling::word(&mut fields, "serviceTier", "SERVICE_TIER_")? {
        request.service_tier = Some(tier.to_ascii_lowercase()).filter(|tier| tier != "unspecified");
    }
    // Nothing is said by an empty list.
    let rest = fields.rest(|name| match name {
        "labels" | "store" => Weight::Hint,
        _ => Weight::Meaning,
    });
    request.rest.extend(rest.into_iter().filter(|rest| !is_empty(&rest.value)));
    Ok(request)
}

/// Whether a value says nothing.
pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::Bool(set) => !set,
        _ => false,
    }
}

/// Adds what is left of an object to what is reported as not held.
pub(super) fn leave(fields: Fields, weight: Weight, rest: &mut Vec<Rest>) {
    rest.extend(fields.rest(|_| weight).into_iter().filter(|rest| !is_empty(&rest.value)));
}

/// The instructions: a text, a content, or a list of parts.
fn instruction(content: &mut read_parts::Content, system: Value) -> Result<Vec<Part>, Fault> {
    const AT: &str = "systemInstruction";
    match system {
        Value::String(text) => Ok(vec![Part::text(text)]),
        Value::Array(parts) => content.parts(AT, parts, Role::System),
        object => {
            let mut fields = spelling::fields(AT, object)?;
            // Clients write any role here; it means nothing.
            fields.take("role");
            let parts = match fields.take("text") {
                // A single part in the place of a content.
                Some(Value::String(text)) => vec![Part::text(text)],
                Some(_) => return Err(fields.wrong("text", "must be a string")),
                None => {
                    let list = spelling::list(&mut fields, "parts")?.unwrap_or_default();
                    content.parts("systemInstruction.parts", list, Role::System)?
                }
            };
            leave(fields, Weight::Meaning, &mut content.rest);
            Ok(parts)
        }
    }
}

fn turns(content: &mut read_parts::Content, fields: &mut Fields) -> Result<Vec<Turn>, Fault> {
    let list = match fields.take("contents") {
        None => return Err(fields.wrong("contents", "is missing")),
        Some(Value::Array(list)) => list,
        Some(one @ Value::Object(_)) => vec![one],
        Some(_) => return Err(fields.wrong("contents", "must be an array")),
    };
    if list.is_empty() {
        return Err(fields.wrong("contents", "must not be empty"));
    }
    let mut turns = Vec::with_capacity(list.len());
    for (number, value) in list.into_iter().enumerate() {
        let at = format!("contents[{number}]");
        let mut fields = spelling::fields(at.as_str(), value)?;
        let role = match fields.string("role")?.as_deref() {
            None | Some("" | "user" | "function" | "tool") => Role::User,
            Some("model") => Role::Assistant,
            Some(_) => return Err(fields.wrong("role", "must be 'user', 'model' or 'function'")),
        };
        let list = spelling::list(&mut fields, "parts")?.unwrap_or_default();
        let parts = content.parts(&fields.path("parts"), list, role)?;
        leave(fields, Weight::Meaning, &mut content.rest);
        turns.push(Turn { role, name: None, parts, at, places: Vec::new() });
    }
    Ok(turns)
}
