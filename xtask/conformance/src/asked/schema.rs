//! Whether two JSON Schemas say the same, in whatever spelling.

use serde_json::{Map, Value};

/// Whether two schemas say the same.
pub(crate) fn same(one: &Value, other: &Value) -> bool {
    plain(one) == plain(other)
}

/// One spelling for all: types in lower case, `null` as a type, nothing that says nothing.
fn plain(schema: &Value) -> Value {
    let Some(map) = schema.as_object() else { return schema.clone() };
    let mut out = Map::new();
    let nullable = map.get("nullable") == Some(&Value::Bool(true));
    for (name, value) in map {
        let name = match name.as_str() {
            "anyOf" | "any_of" | "oneOf" => "anyOf",
            "minItems" | "min_items" => "minItems",
            "maxItems" | "max_items" => "maxItems",
            "$schema" | "nullable" | "propertyOrdering" | "property_ordering" | "…" => continue,
            "additionalProperties" | "additional_properties" => "additionalProperties",
            other => other,
        };
        let value = match (name, value) {
            ("type", Value::String(word)) => types([word.as_str()], nullable),
            ("type", Value::Array(words)) => types(words.iter().filter_map(Value::as_str), nullable),
            ("properties" | "$defs" | "definitions", Value::Object(fields)) if fields.is_empty() => continue,
            ("required", Value::Array(names)) if names.is_empty() => continue,
            ("required", Value::Array(names)) => {
                let mut names: Vec<String> = names.iter().map(ToString::to_string).collect();
                names.sort();
                names.into_iter().collect()
            }
            ("properties" | "$defs" | "definitions", Value::Object(fields)) => {
                Value::Object(fields.iter().map(|(name, value)| (name.clone(), plain(value))).collect())
            }
            ("items" | "additionalProperties" | "not", value) => plain(value),
            ("anyOf" | "allOf" | "prefixItems", Value::Array(list)) => {
                let mut list: Vec<Value> = list.iter().map(plain).collect();
                if nullable && !map.contains_key("type") {
                    list.push(plain(&serde_json::json!({ "type": "null" })));
                }
                Value::Array(list)
            }
            // Google writes limits as text.
            (
                "minItems" | "maxItems" | "minLength" | "maxLength" | "minProperties" | "maxProperties",
                value,
            ) => value
                .as_str()
                .and_then(|text| text.parse::<u64>().ok())
                .map_or_else(|| value.clone(), Value::from),
            (_, value) => value.clone(),
        };
        out.insert(name.to_owned(), value);
    }
    Value::Object(out)
}

fn types<'a>(words: impl IntoIterator<Item = &'a str>, nullable: bool) -> Value {
    let mut words: Vec<String> = words.into_iter().map(str::to_ascii_lowercase).collect();
    if nullable {
        words.push("null".into());
    }
    words.sort();
    words.dedup();
    words.into_iter().collect()
}
