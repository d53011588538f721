//! Protobuf's JSON: every field may be written in camelCase or `snake_case`, numbers as texts, one thing for a list.
//!
//! Only names of the API's own fields are changed, never those inside of arguments, schemas or results.

use serde_json::{Map, Value};

use super::super::Fault;
use super::super::fields::{Fields, as_count};

/// The fields of an object with their names in camelCase. Of two spellings the first counts.
pub(in crate::translate) fn fields(at: impl Into<String>, value: Value) -> Result<Fields, Fault> {
    Fields::of(at, camel_keys(value))
}

/// The same for an object that is a field of another one.
pub(in crate::translate) fn object(of: &mut Fields, name: &str) -> Result<Option<Fields>, Fault> {
    let at = of.path(name);
    of.take(name).map(|value| fields(at, value)).transpose()
}

/// Takes a list; a single object counts as a list of one.
pub(in crate::translate) fn list(of: &mut Fields, name: &str) -> Result<Option<Vec<Value>>, Fault> {
    match of.take(name) {
        None => Ok(None),
        Some(Value::Array(list)) => Ok(Some(list)),
        Some(one @ Value::Object(_)) => Ok(Some(vec![one])),
        Some(_) => Err(of.wrong(name, "must be an array")),
    }
}

/// Takes a whole number that is not negative.
pub(in crate::translate) fn count(of: &mut Fields, name: &str) -> Result<Option<u64>, Fault> {
    of.take(name)
        .map(|value| {
            as_count(&number_of(value)).ok_or_else(|| of.wrong(name, "must be a whole number of at least 0"))
        })
        .transpose()
}

/// Takes a whole number.
pub(in crate::translate) fn whole(of: &mut Fields, name: &str) -> Result<Option<i64>, Fault> {
    of.take(name)
        .map(|value| {
            let value = number_of(value);
            let number = value.as_i64().or_else(|| as_count(&value).and_then(|n| i64::try_from(n).ok()));
            number.ok_or_else(|| of.wrong(name, "must be a whole number"))
        })
        .transpose()
}

/// Takes a number.
pub(in crate::translate) fn number(of: &mut Fields, name: &str) -> Result<Option<f64>, Fault> {
    of.take(name)
        .map(|value| number_of(value).as_f64().ok_or_else(|| of.wrong(name, "must be a number")))
        .transpose()
}

/// Takes a word of a list of words, in upper case, without the prefix that some vocabularies repeat.
pub(in crate::translate) fn word(of: &mut Fields, name: &str, prefix: &str) -> Result<Option<String>, Fault> {
    let word = of.string(name)?.map(|word| word.to_ascii_uppercase());
    Ok(word.map(|word| word.strip_prefix(prefix).map(str::to_owned).unwrap_or(word)))
}

/// A number that was written as a text.
pub(in crate::translate) fn number_of(value: Value) -> Value {
    match value {
        Value::String(text) => {
            text.parse::<serde_json::Number>().map_or_else(|_| Value::String(text), Value::Number)
        }
        other => other,
    }
}

/// An object with the names of its own fields in camelCase.
pub(in crate::translate) fn camel_keys(value: Value) -> Value {
    let Value::Object(map) = value else { return value };
    if !map.keys().any(|name| name.contains('_')) {
        return Value::Object(map);
    }
    let mut renamed = Map::with_capacity(map.len());
    for (name, value) in map {
        let name = camel(&name);
        if renamed.get(&name).is_none_or(Value::is_null) {
            renamed.insert(name, value);
        }
    }
    Value::Object(renamed)
}

/// A name in camelCase. A leading `_` belongs to it.
pub(in crate::translate) fn camel(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut raise = false;
    for c in name.chars() {
        if c == '_' && !out.is_empty() {
            raise = true;
        } else if std::mem::take(&mut raise) {
            out.push(c.to_ascii_uppercase());
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn wire_4_both_spellings_are_one_and_the_same() {
        for (written, meant) in [
            ("max_output_tokens", "maxOutputTokens"),
            ("maxOutputTokens", "maxOutputTokens"),
            ("_response_json_schema", "_responseJsonSchema"),
            ("_responseJsonSchema", "_responseJsonSchema"),
            ("top_p", "topP"),
            ("_", "_"),
            ("", ""),
        ] {
            assert_eq!(camel(written), meant);
        }
        let mut both = fields("", json!({"top_k": null, "topK": "7", "max_output_tokens": "x"})).unwrap();
        assert_eq!(count(&mut both, "topK").unwrap(), Some(7));
        let fault = count(&mut both, "maxOutputTokens").unwrap_err();
        assert_eq!(fault.at(), Some("maxOutputTokens"));
    }
}
