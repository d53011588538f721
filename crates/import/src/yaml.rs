//! YAML as a tree of the same values as JSON.
//!
//! Built from the parser's events with a stack of our own, so that neither nesting nor aliases can exhaust memory:
//! an alias copies what its anchor named, and all copies count towards the bound.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle};
use serde_json::{Map, Value};

use crate::MAX_DEPTH;
use crate::plan::Fault;
use crate::tree::Tree;

/// Values in one file, copies by aliases included.
const MAX_VALUES: usize = 200_000;

enum Open {
    List(Vec<Value>),
    Map(Map<String, Value>, Option<Value>),
}

#[derive(Default)]
struct Builder {
    stack: Vec<(usize, Open)>,
    anchors: HashMap<usize, (Value, usize)>,
    values: usize,
    done: Option<Value>,
}

impl Builder {
    fn count(&mut self, values: usize) -> Result<(), Fault> {
        self.values = self.values.saturating_add(values);
        if self.values > MAX_VALUES { Err(Fault::TooLarge("at most 200,000 values")) } else { Ok(()) }
    }

    fn open(&mut self, anchor: usize, open: Open) -> Result<(), Fault> {
        if self.stack.len() >= MAX_DEPTH {
            return Err(Fault::TooLarge("at most 64 values nested in each other"));
        }
        self.stack.push((anchor, open));
        self.count(1)
    }

    fn close(&mut self) -> Result<(), Fault> {
        let Some((anchor, open)) = self.stack.pop() else { return Ok(()) };
        let value = match open {
            Open::List(items) => Value::Array(items),
            Open::Map(fields, _) => Value::Object(fields),
        };
        self.put(anchor, value)
    }

    fn put(&mut self, anchor: usize, value: Value) -> Result<(), Fault> {
        if anchor > 0 {
            let size = size(&value);
            self.count(size)?;
            self.anchors.insert(anchor, (value.clone(), size));
        }
        match self.stack.last_mut() {
            None => self.done = Some(value),
            Some((_, Open::List(items))) => items.push(value),
            Some((_, Open::Map(fields, key))) => match key.take() {
                None => *key = Some(value),
                Some(key) => insert(fields, &key, value),
            },
        }
        Ok(())
    }
}

fn insert(fields: &mut Map<String, Value>, key: &Value, value: Value) {
    let name = match key {
        Value::String(name) => name.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        _ => return,
    };
    // `<<: *defaults`: what the map says itself stands.
    if name == "<<" {
        let merged = match value {
            Value::Object(fields) => vec![Value::Object(fields)],
            Value::Array(items) => items,
            _ => Vec::new(),
        };
        for (name, value) in merged
            .into_iter()
            .filter_map(|value| match value {
                Value::Object(fields) => Some(fields),
                _ => None,
            })
            .flatten()
        {
            fields.entry(name).or_insert(value);
        }
        return;
    }
    fields.insert(name, value);
}

fn size(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(size).sum(),
        Value::Object(fields) => fields.values().map(size).sum(),
        _ => 0,
    }
}

fn depth(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(depth).max().unwrap_or(0),
        Value::Object(fields) => fields.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

fn scalar(text: &str, style: ScalarStyle) -> Value {
    if !matches!(style, ScalarStyle::Plain) {
        return Value::String(text.to_owned());
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        _ => {}
    }
    // Only what reads back as it was written: `007` or 30 digits may be a key, and a fraction is never asked for.
    match text.parse::<i64>() {
        Ok(number) if number.to_string() == text => Value::Number(number.into()),
        _ => Value::String(text.to_owned()),
    }
}

/// Reads the first document.
pub(crate) fn yaml(text: &str) -> Result<Tree, Fault> {
    let mut parser = Parser::new_from_str(text);
    let mut builder = Builder::default();
    while let Some(event) = parser.next_event() {
        let (event, _) = event.map_err(|error| Fault::Syntax {
            format: "YAML",
            line: error.marker().line(),
            column: error.marker().col() + 1,
        })?;
        match event {
            Event::SequenceStart(anchor, _) => builder.open(anchor, Open::List(Vec::new()))?,
            Event::MappingStart(anchor, _) => builder.open(anchor, Open::Map(Map::new(), None))?,
            Event::SequenceEnd | Event::MappingEnd => builder.close()?,
            Event::Scalar(text, style, anchor, _) => {
                builder.count(1)?;
                builder.put(anchor, scalar(&text, style))?;
            }
            Event::Alias(anchor) => {
                let (value, size) = builder.anchors.get(&anchor).cloned().unwrap_or((Value::Null, 1));
                builder.count(size)?;
                if builder.stack.len() + depth(&value) > MAX_DEPTH {
                    return Err(Fault::TooLarge("at most 64 values nested in each other"));
                }
                builder.put(0, value)?;
            }
            Event::DocumentEnd => break,
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) => {}
        }
    }
    builder.done.take().map(Tree).ok_or(Fault::Empty)
}
