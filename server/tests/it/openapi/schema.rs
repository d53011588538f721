//! A small JSON Schema checker: the words that our document uses, and nothing is skipped silently.
//!
//! Stricter than the standard in one point: a field that the schema does not name is a fault.

use serde_json::Value;

/// Follows `$ref` until there is none.
pub(super) fn resolve<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema.get("$ref").and_then(Value::as_str) {
        Some(reference) => resolve(document, document.pointer(&reference[1..]).unwrap()),
        None => schema,
    }
}

/// What is wrong with a value, by place.
pub(super) fn check(document: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    let schema = resolve(document, schema);
    let Some(words) = schema.as_object() else { return Vec::new() };
    let mut faults = Vec::new();
    for (word, rule) in words {
        match word.as_str() {
            "type" => {
                let allowed = rule.as_array().cloned().unwrap_or_else(|| vec![rule.clone()]);
                if !allowed.iter().any(|name| is(value, name.as_str().unwrap())) {
                    faults.push(format!("{at}: expected {rule}, found {value}"));
                }
            }
            "const" if rule != value => faults.push(format!("{at}: expected {rule}, found {value}")),
            "enum" if !rule.as_array().unwrap().contains(value) => {
                faults.push(format!("{at}: {value} is none of {rule}"));
            }
            "anyOf" | "oneOf" => {
                let fits = |option: &Value| check(document, option, value, at).is_empty();
                if !rule.as_array().unwrap().iter().any(fits) {
                    faults.push(format!("{at}: no variant fits {value}"));
                }
            }
            "items" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    faults.extend(check(document, rule, item, &format!("{at}[{index}]")));
                }
            }
            "prefixItems" => {
                for (index, rule) in rule.as_array().unwrap().iter().enumerate() {
                    let item = value.get(index).unwrap_or(&Value::Null);
                    faults.extend(check(document, rule, item, &format!("{at}[{index}]")));
                }
            }
            "required" if value.is_object() => {
                for name in rule.as_array().unwrap() {
                    if value.get(name.as_str().unwrap()).is_none() {
                        faults.push(format!("{at}: {name} is missing"));
                    }
                }
            }
            "properties"
            | "additionalProperties"
            | "const"
            | "enum"
            | "required"
            | "title"
            | "description"
            | "format"
            | "minimum"
            | "maximum"
            | "default"
            | "$schema"
            | "examples"
            | "writeOnly"
            | "minItems"
            | "maxItems" => {}
            other => panic!("{at}: the checker does not know '{other}'"),
        }
    }
    faults.extend(fields(document, schema, value, at));
    faults
}

fn fields(document: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    let named = schema.get("properties").and_then(Value::as_object);
    let others = schema.get("additionalProperties").filter(|rule| rule.is_object());
    let mut faults = Vec::new();
    for (name, field) in value.as_object().into_iter().flatten() {
        let at = format!("{at}.{name}");
        match (named.and_then(|named| named.get(name)), others) {
            (Some(rule), _) | (None, Some(rule)) => faults.extend(check(document, rule, field, &at)),
            (None, None) if named.is_some() => faults.push(format!("{at} is not described")),
            (None, None) => {}
        }
    }
    faults
}

fn is(value: &Value, name: &str) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("unknown type {other}"),
    }
}
