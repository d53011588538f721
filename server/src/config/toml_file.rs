//! Reads `tollgate.toml`: the same names as in the environment, in upper or lower case, all at the top level.

use std::collections::BTreeMap;

use toml::{Spanned, Value};

use super::problem::ConfigProblem;
use super::source::{Assignment, File};

/// Every assignment with its line; what cannot be read is noted.
pub(super) fn parse(file: &File, problems: &mut Vec<ConfigProblem>) -> Vec<Assignment> {
    let line_of =
        |offset: usize| 1 + file.text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count();
    let table: BTreeMap<Spanned<String>, Spanned<Value>> = match toml::from_str(&file.text) {
        Ok(table) => table,
        Err(error) => {
            let line = line_of(error.span().map_or(0, |span| span.start));
            problems.push(ConfigProblem {
                key: String::new(),
                place: format!("{}:{line}", file.name),
                message: format!("no valid TOML: {}", error.message()),
            });
            return Vec::new();
        }
    };
    let mut found = Vec::new();
    for (key, value) in table {
        let line = line_of(key.span().start);
        let name = key.into_inner();
        match text_of(value.get_ref()) {
            Some(text) => found.push(Assignment { name, text, line }),
            None => problems.push(ConfigProblem {
                key: name,
                place: format!("{}:{line}", file.name),
                message:
                    "expected a text, a number, true or false, or a list of texts; there are no sections"
                        .into(),
            }),
        }
    }
    found.sort_by_key(|assignment| assignment.line);
    found
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Boolean(switch) => Some(switch.to_string()),
        Value::Array(items) => {
            let texts: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
            texts.map(|texts| texts.join(","))
        }
        Value::Float(_) | Value::Datetime(_) | Value::Table(_) => None,
    }
}
