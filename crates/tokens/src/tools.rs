//! Tools as the vendor tells them to the model: declarations of TypeScript.
//!
//! How the vendor writes them is not published in full; what stands here is what models have been told according to
//! its own published formats, and agrees with recorded counts.

use std::fmt::Write as _;

use serde_json::Value;

/// Deepest nesting that is written; what lies deeper is `any`.
const DEEPEST: usize = 24;

/// A tool's declaration.
pub(crate) fn declaration(name: &str, description: Option<&str>, schema: Option<&Value>) -> String {
    let mut out = String::new();
    comment(description, 0, &mut out);
    let takes_nothing = schema
        .and_then(|schema| schema.get("properties"))
        .and_then(Value::as_object)
        .is_none_or(serde_json::Map::is_empty);
    if takes_nothing {
        _ = write!(out, "type {name} = () => any;\n\n");
        return out;
    }
    _ = write!(out, "type {name} = (_: ");
    if let Some(schema) = schema {
        kind(schema, 0, &mut out);
    }
    out.push_str(") => any;\n\n");
    out
}

fn comment(text: Option<&str>, depth: usize, out: &mut String) {
    // Further lines stand there as they are.
    if let Some(text) = text.map(str::trim_end).filter(|text| !text.is_empty()) {
        _ = writeln!(out, "{}// {text}", indent(depth));
    }
}

fn indent(depth: usize) -> &'static str {
    "        ".get(..depth.saturating_sub(1).min(8)).unwrap_or_default()
}

/// A schema as a type.
fn kind(schema: &Value, depth: usize, out: &mut String) {
    if depth > DEEPEST {
        out.push_str("any");
        return;
    }
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        joined(values, out, |value, out| _ = write!(out, "{value}"));
        return;
    }
    if let Some(value) = schema.get("const") {
        _ = write!(out, "{value}");
        return;
    }
    if let Some(kinds) = ["anyOf", "oneOf", "allOf"].iter().find_map(|name| schema.get(*name)?.as_array()) {
        joined(kinds, out, |inner, out| kind(inner, depth + 1, out));
        return;
    }
    match schema.get("type") {
        Some(Value::Array(kinds)) => joined(kinds, out, |inner, out| {
            out.push_str(match inner.as_str() {
                Some("integer") => "number",
                Some(word) => word,
                None => "any",
            });
        }),
        Some(Value::String(word)) => match word.as_str() {
            "array" => {
                kind(schema.get("items").unwrap_or(&Value::Null), depth + 1, out);
                out.push_str("[]");
            }
            "object" => object(schema, depth, out),
            "integer" => out.push_str("number"),
            word => out.push_str(word),
        },
        _ if schema.get("properties").is_some() => object(schema, depth, out),
        _ => match schema.get("$ref").and_then(Value::as_str) {
            Some(name) => out.push_str(name.rsplit('/').next().unwrap_or(name)),
            None => out.push_str("any"),
        },
    }
}

fn joined(of: &[Value], out: &mut String, each: impl Fn(&Value, &mut String)) {
    for (number, value) in of.iter().enumerate() {
        if number > 0 {
            out.push_str(" | ");
        }
        each(value, out);
    }
}

fn object(schema: &Value, depth: usize, out: &mut String) {
    let Some(members) = schema.get("properties").and_then(Value::as_object) else {
        out.push_str("object");
        return;
    };
    let required = schema.get("required").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    out.push_str("{\n");
    for (name, member) in members {
        comment(member.get("description").and_then(Value::as_str), depth + 1, out);
        let wanted = required.iter().any(|own| own == name);
        _ = write!(out, "{}{name}{}: ", indent(depth + 1), if wanted { "" } else { "?" });
        kind(member, depth + 1, out);
        out.push(',');
        if let Some(usual) = member.get("default") {
            _ = write!(out, " // default: {usual}");
        }
        out.push('\n');
    }
    // Types that are only named elsewhere are told as well.
    if let Some(named) = schema.get("$defs").and_then(Value::as_object) {
        for (name, inner) in named {
            _ = write!(out, "{name}: ");
            kind(inner, depth + 1, out);
            out.push('\n');
        }
    }
    _ = write!(out, "{}}}", indent(depth));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_tool_is_declared_with_all_that_its_schema_says() {
        let schema = json!({
            "type": "object", "required": ["city"],
            "properties": {
                "city": {"type": "string", "description": "Where"},
                "days": {"type": "integer", "default": 3},
                "unit": {"enum": ["c", "f"]},
                "more": {"type": "array", "items": {"type": "object", "properties": {"a": {"type": ["string", "null"]}}}},
            },
        });
        let told = declaration("weather", Some("The weather"), Some(&schema));
        assert_eq!(
            told,
            "// The weather\ntype weather = (_: {\n// Where\ncity: string,\ndays?: number, // default: 3\n\
             unit?: \"c\" | \"f\",\nmore?: {\n a?: string | null,\n}[],\n}) => any;\n\n"
                .replace("\n a?", "\n  a?")
                .replace("  a?", &format!("{}a?", indent(3)))
                .replace("\n}[]", &format!("\n{}}}[]", indent(2)))
        );
        assert_eq!(declaration("now", None, Some(&json!({"type": "object"}))), "type now = () => any;\n\n");
    }

    #[test]
    fn a_bottomless_schema_has_an_end() {
        let mut schema = json!({"type": "string"});
        for _ in 0..100 {
            schema = json!({"type": "object", "properties": {"a": schema}});
        }
        assert!(declaration("deep", None, Some(&schema)).contains(": any"));
    }
}
