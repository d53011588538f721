//! Gemini's own schema language (`OpenAPI` in upper case) turned into JSON Schema.
//!
//! The way back is not needed: every model that is offered today reads JSON Schema itself.

use serde_json::{Map, Value};

use super::spelling::{camel, number_of};

/// JSON Schema of a schema in Gemini's subset. What is JSON Schema already stays as it is.
pub(super) fn to_json_schema(value: Value) -> Value {
    let Value::Object(map) = value else { return value };
    let mut out = Map::with_capacity(map.len());
    let mut nullable = false;
    let mut ordering = Vec::new();
    for (name, value) in map {
        // `$defs` and its like are nobody's snake_case.
        let name = if name.starts_with('$') { name } else { camel(&name) };
        match name.as_str() {
            "type" => {
                if let Some(kind) = lower(value) {
                    out.insert(name, kind);
                }
            }
            "nullable" => nullable = value == Value::Bool(true),
            "propertyOrdering" => {
                if let Value::Array(names) = value {
                    ordering = names;
                }
            }
            // The vendor's own words for the width of numbers; others refuse formats that they do not know.
            "format" if is_width(&value) => {}
            "example" => {
                out.insert("examples".to_owned(), Value::Array(vec![value]));
            }
            "minItems" | "maxItems" | "minLength" | "maxLength" | "minProperties" | "maxProperties" => {
                out.insert(name, number_of(value));
            }
            "properties" | "$defs" | "defs" | "definitions" | "patternProperties" => {
                out.insert(name, each(value));
            }
            "items" | "not" | "additionalProperties" | "anyOf" | "oneOf" | "allOf" | "prefixItems" => {
                let value = match value {
                    Value::Array(list) => list.into_iter().map(to_json_schema).collect(),
                    one => to_json_schema(one),
                };
                out.insert(name, value);
            }
            _ => {
                out.insert(name, value);
            }
        }
    }
    sort(&mut out, &ordering);
    if nullable {
        allow_null(&mut out);
    }
    Value::Object(out)
}

fn each(value: Value) -> Value {
    match value {
        Value::Object(map) => map.into_iter().map(|(name, schema)| (name, to_json_schema(schema))).collect(),
        other => other,
    }
}

fn lower(kind: Value) -> Option<Value> {
    match kind {
        Value::String(word) if word == "TYPE_UNSPECIFIED" => None,
        Value::String(word) => Some(Value::String(word.to_ascii_lowercase())),
        Value::Array(words) => Some(words.into_iter().filter_map(lower).collect()),
        other => Some(other),
    }
}

fn is_width(format: &Value) -> bool {
    matches!(format.as_str(), Some("int32" | "int64" | "float" | "double" | "enum"))
}

/// Puts the properties in the order that was asked for: models write them in that order.
fn sort(schema: &mut Map<String, Value>, ordering: &[Value]) {
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else { return };
    let mut sorted = Map::with_capacity(properties.len());
    for name in ordering.iter().filter_map(Value::as_str) {
        if let Some((name, value)) = properties.shift_remove_entry(name) {
            sorted.insert(name, value);
        }
    }
    if !sorted.is_empty() {
        sorted.append(properties);
        *properties = sorted;
    }
}

fn allow_null(schema: &mut Map<String, Value>) {
    let null = || Value::String("null".to_owned());
    if let Some(Value::Array(values)) = schema.get_mut("enum")
        && !values.contains(&Value::Null)
    {
        values.push(Value::Null);
    }
    match schema.get_mut("type") {
        Some(Value::Array(kinds)) => {
            if !kinds.contains(&null()) {
                kinds.push(null());
            }
        }
        Some(kind) => *kind = Value::Array(vec![kind.take(), null()]),
        None => {
            if let Some(Value::Array(options)) = schema.get_mut("anyOf") {
                options.push(serde_json::json!({"type": "null"}));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn wire_5_upper_case_schemas_become_json_schema() {
        let read = to_json_schema(json!({
            "type": "OBJECT",
            "property_ordering": ["b", "a"],
            "properties": {
                "a": {"type": "STRING", "nullable": true, "enum": ["x"], "format": "enum"},
                "b": {"type": "ARRAY", "max_items": "3", "items": {"type": "INTEGER", "format": "int64"}},
                "type": {"any_of": [{"type": "NUMBER"}, {"type": "BOOLEAN"}], "nullable": true},
                "max_items": {"type": "STRING", "format": "date-time", "example": "x"}
            },
            "required": ["a"]
        }));
        let wanted = json!({
            "type": "object",
            "properties": {
                "b": {"type": "array", "maxItems": 3, "items": {"type": "integer"}},
                "a": {"type": ["string", "null"], "enum": ["x", null]},
                "type": {"anyOf": [{"type": "number"}, {"type": "boolean"}, {"type": "null"}]},
                "max_items": {"type": "string", "format": "date-time", "examples": ["x"]}
            },
            "required": ["a"]
        });
        assert_eq!(read, wanted);
        let order: Vec<_> = read["properties"].as_object().unwrap().keys().collect();
        assert_eq!(order, ["b", "a", "type", "max_items"]);
    }

    #[test]
    fn json_schema_stays_as_it_is() {
        let schema = json!({
            "$defs": {"Cat_1": {"type": "object", "properties": {"meow_volume": {"type": "integer"}}}},
            "type": ["object", "null"],
            "properties": {"pet": {"oneOf": [{"$ref": "#/$defs/Cat_1"}]}},
            "additionalProperties": false
        });
        assert_eq!(to_json_schema(schema.clone()), schema);
    }
}
