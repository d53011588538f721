//! Small steps through JSON, for readings that share nothing with the product's.

use serde_json::Value;

/// The text at a pointer, empty if there is none.
pub(crate) fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The list at a pointer, empty if there is none.
pub(crate) fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The whole number at a pointer, 0 if there is none.
pub(crate) fn count(value: &Value, pointer: &str) -> u64 {
    value.pointer(pointer).and_then(Value::as_u64).unwrap_or(0)
}

/// What stands at a pointer, null if there is nothing.
pub(crate) fn at<'a>(value: &'a Value, pointer: &str) -> &'a Value {
    value.pointer(pointer).unwrap_or(&Value::Null)
}

/// Sets a field of an object; of anything else it sets nothing.
pub(crate) fn put(value: &mut Value, name: &str, field: Value) {
    if let Some(map) = value.as_object_mut() {
        map.insert(name.to_owned(), field);
    }
}

/// The first of some pointers behind which something stands.
pub(crate) fn first<'a>(value: &'a Value, pointers: &[&str]) -> Option<&'a Value> {
    pointers.iter().find_map(|pointer| value.pointer(pointer).filter(|found| !found.is_null()))
}

/// Arguments of a call that are written as text: as JSON where they are, nothing as an empty object.
pub(crate) fn parsed(arguments: &str) -> Value {
    if arguments.trim().is_empty() {
        return Value::Object(serde_json::Map::new());
    }
    serde_json::from_str(arguments).unwrap_or_else(|_| Value::String(arguments.to_owned()))
}

/// The values of a stream of events, and what was no JSON.
pub(crate) fn events(body: &str) -> Result<Vec<Value>, String> {
    let mut values = Vec::new();
    for line in body.lines() {
        let Some(data) = line.strip_prefix("data:").map(str::trim) else { continue };
        if data == "[DONE]" || data.is_empty() {
            continue;
        }
        values.push(serde_json::from_str(data).map_err(|error| format!("{error} in {data}"))?);
    }
    Ok(values)
}
