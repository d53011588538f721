//! Reads an `OpenAPI` document into the short form that the admin API's page shows.
//!
//! It knows what `schemars` writes (`$ref`, `anyOf` with null, `type` as text or list) and no more.

use serde_json::{Map, Value};

use crate::api::docs::{Call, Member};

const METHODS: &[&str] = &["get", "post", "put", "patch", "delete"];

/// Every call of the document, in its order.
pub(super) fn calls(document: &Value) -> Vec<Call> {
    let paths = document.get("paths").and_then(Value::as_object);
    let mut found = Vec::new();
    for (path, item) in paths.into_iter().flatten() {
        for method in METHODS {
            if let Some(operation) = item.get(method) {
                found.push(call(document, path, method, operation));
            }
        }
    }
    found
}

fn call(document: &Value, path: &str, method: &str, operation: &Value) -> Call {
    let group = operation
        .pointer("/tags/0")
        .and_then(Value::as_str)
        .or_else(|| path.trim_start_matches("/api/admin/").split('/').next())
        .unwrap_or_default();
    let parameters = operation.get("parameters").and_then(Value::as_array);
    let schema = operation.pointer("/requestBody/content/application~1json/schema");
    let answers = operation.get("responses").and_then(Value::as_object);
    Call {
        method: method.to_uppercase(),
        path: path.to_owned(),
        group: group.to_owned(),
        summary: text(operation, "summary").or_else(|| text(operation, "description")).unwrap_or_default(),
        parameters: parameters
            .into_iter()
            .flatten()
            .map(|p| parameter(document, resolve(document, p)))
            .collect(),
        body: schema.map(|schema| members(document, resolve(document, schema))).unwrap_or_default(),
        answers: answers
            .into_iter()
            .flatten()
            .map(|(status, answer)| {
                (status.clone(), text(resolve(document, answer), "description").unwrap_or_default())
            })
            .collect(),
    }
}

fn parameter(document: &Value, parameter: &Value) -> Member {
    Member {
        name: text(parameter, "name").unwrap_or_default(),
        kind: parameter.get("schema").map(|schema| kind(document, schema)).unwrap_or_default(),
        required: parameter.get("required").and_then(Value::as_bool).unwrap_or(false),
        about: text(parameter, "description").unwrap_or_default(),
    }
}

fn members(document: &Value, schema: &Value) -> Vec<Member> {
    let required: Vec<&str> = schema
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let empty = Map::new();
    let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&empty);
    properties
        .iter()
        .map(|(name, property)| Member {
            name: name.clone(),
            kind: kind(document, property),
            required: required.contains(&name.as_str()),
            about: text(property, "description").unwrap_or_default(),
        })
        .collect()
}

fn kind(document: &Value, schema: &Value) -> String {
    let schema = resolve(document, schema);
    if let Some(words) = schema.get("enum").and_then(Value::as_array) {
        return words.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" | ");
    }
    for choice in ["anyOf", "oneOf"] {
        if let Some(options) = schema.get(choice).and_then(Value::as_array) {
            let named: Vec<String> = options
                .iter()
                .map(|option| {
                    option
                        .get("const")
                        .and_then(Value::as_str)
                        .map_or_else(|| kind(document, option), str::to_owned)
                })
                .filter(|kind| kind != "null")
                .collect();
            return named.join(" | ");
        }
    }
    let name = match schema.get("type") {
        Some(Value::String(name)) => name.clone(),
        Some(Value::Array(names)) => names
            .iter()
            .filter_map(Value::as_str)
            .filter(|name| *name != "null")
            .collect::<Vec<_>>()
            .join(" | "),
        _ => "object".to_owned(),
    };
    match (name.as_str(), schema.get("items")) {
        ("array", Some(items)) => format!("[{}]", kind(document, items)),
        _ => name,
    }
}

fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    value
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|reference| document.pointer(reference.trim_start_matches('#')))
        .unwrap_or(value)
}

fn text(value: &Value, member: &str) -> Option<String> {
    value.get(member).and_then(Value::as_str).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_and_nullable_members_are_resolved() {
        let document = serde_json::json!({
            "paths": {"/api/admin/users": {"post": {
                "summary": "Makes a user",
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/CreateUser"}}}},
                "responses": {"201": {"description": "made"}}
            }}},
            "components": {"schemas": {"CreateUser": {
                "required": ["name"],
                "properties": {
                    "name": {"type": "string", "description": "unique"},
                    "groups": {"type": "array", "items": {"type": "string"}},
                    "enabled": {"type": ["boolean", "null"]}
                }
            }}}
        });
        let calls = calls(&document);
        assert_eq!(calls.len(), 1);
        let body = &calls[0].body;
        assert_eq!(calls[0].group, "users");
        assert!(body.iter().any(|m| m.name == "name" && m.required && m.about == "unique"));
        assert!(body.iter().any(|m| m.name == "groups" && m.kind == "[string]"));
        assert!(body.iter().any(|m| m.name == "enabled" && m.kind == "boolean" && !m.required));
    }
}
