//! JSON Schema in the part of it that Anthropic takes.
//!
//! For answers the vendor wants closed objects and refuses most bounds; those are told to the model in the
//! description instead. For tools it only wants an object at the top.

use serde_json::{Map, Value, json};

use crate::translate::text;

/// Formats of texts that are enforced.
const FORMATS: [&str; 10] =
    ["date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"];
/// Lists of schemas at a schema's top.
const CHOICES: [&str; 3] = ["anyOf", "oneOf", "allOf"];

/// A tool's schema, and whether its meaning changed.
pub(super) fn of_tool(schema: Option<&Value>) -> (Value, bool) {
    let mut map = schema.and_then(Value::as_object).cloned().unwrap_or_default();
    map.insert("type".into(), "object".into());
    let mut changed = false;
    for choice in CHOICES {
        let Some(Value::Array(list)) = map.shift_remove(choice) else { continue };
        changed = true;
        for alternative in list {
            merge(&mut map, alternative, choice == "allOf");
        }
    }
    (Value::Object(map), changed)
}

/// Takes over an alternative's properties; what it requires only if every alternative holds.
fn merge(map: &mut Map<String, Value>, alternative: Value, all: bool) {
    let Value::Object(mut alternative) = alternative else { return };
    if let Some(Value::Object(more)) = alternative.swap_remove("properties") {
        let own = map.entry("properties").or_insert_with(|| json!({}));
        if let Some(own) = own.as_object_mut() {
            for (name, schema) in more {
                own.entry(name).or_insert(schema);
            }
        }
    }
    if all && let Some(Value::Array(more)) = alternative.swap_remove("required") {
        let own = map.entry("required").or_insert_with(|| json!([]));
        if let Some(own) = own.as_array_mut() {
            own.extend(more);
        }
    }
}

/// An answer's schema, and whether rules in it are not enforced any more.
pub(super) fn of_answer(schema: &Value) -> (Value, bool) {
    let mut schema = schema.clone();
    let changed = close(&mut schema);
    (schema, changed)
}

fn close(schema: &mut Value) -> bool {
    let Value::Object(map) = schema else { return false };
    let mut changed = false;
    if let Some(list) = map.shift_remove("oneOf") {
        // One of them, whichever: the vendor does not check that it is only one.
        map.insert("anyOf".into(), list);
    }
    let mut told = Map::new();
    let names: Vec<String> = map.keys().cloned().collect();
    for name in names {
        let keeps = map.get(&name).is_some_and(|value| is_taken(&name, value));
        if !keeps && let Some(value) = map.shift_remove(&name) {
            told.insert(name, value);
        }
    }
    let is_object = match map.get("type") {
        Some(Value::String(kind)) => kind == "object",
        Some(Value::Array(kinds)) => kinds.contains(&"object".into()),
        _ => map.contains_key("properties"),
    };
    if is_object {
        // A map with free keys cannot be promised; saying so loudly beats a refusal.
        if map.get("additionalProperties").is_some_and(|value| *value != Value::Bool(false)) {
            changed = true;
        }
        map.insert("additionalProperties".into(), false.into());
    }
    // Notes for people, not rules.
    for name in ["$schema", "$id", "$comment", "examples", "deprecated", "readOnly", "writeOnly"] {
        told.shift_remove(name);
    }
    if !told.is_empty() {
        changed = true;
        let words = text::json_text(&Value::Object(told));
        let described = match map.get("description").and_then(Value::as_str) {
            Some(own) => format!("{own}\n\n{words}"),
            None => words,
        };
        map.insert("description".into(), described.into());
    }
    for name in ["properties", "$defs", "definitions"] {
        if let Some(Value::Object(inner)) = map.get_mut(name) {
            for schema in inner.values_mut() {
                changed |= close(schema);
            }
        }
    }
    for name in ["items", "anyOf", "allOf"] {
        match map.get_mut(name) {
            Some(Value::Array(list)) => list.iter_mut().for_each(|schema| changed |= close(schema)),
            Some(schema) => changed |= close(schema),
            None => {}
        }
    }
    changed
}

fn is_taken(name: &str, value: &Value) -> bool {
    match name {
        "type"
        | "properties"
        | "required"
        | "additionalProperties"
        | "items"
        | "enum"
        | "const"
        | "anyOf"
        | "allOf"
        | "$ref"
        | "$defs"
        | "definitions"
        | "description"
        | "title"
        | "default" => true,
        "format" => value.as_str().is_some_and(|format| FORMATS.contains(&format)),
        "minItems" => value.as_u64().is_some_and(|least| least <= 1),
        _ => false,
    }
}
