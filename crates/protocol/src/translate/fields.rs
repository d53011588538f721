//! Taking a JSON object apart field by field, with faults that name the field, and what is left over.

use serde_json::{Map, Value};

use super::Fault;
use crate::neutral::{Rest, Weight};

/// The fields of an object that were not taken yet. `null` counts as absent.
#[derive(Debug)]
pub(super) struct Fields {
    at: String,
    map: Map<String, Value>,
}

impl Fields {
    /// Of a value that must be an object. `at` is its path, empty for the whole body.
    pub(super) fn of(at: impl Into<String>, value: Value) -> Result<Self, Fault> {
        let at = at.into();
        match value {
            Value::Object(map) => Ok(Self { at, map }),
            _ => Err(Fault::field(if at.is_empty() { "body".into() } else { at }, "must be an object")),
        }
    }

    /// Where the object stands.
    pub(super) fn at(&self) -> &str {
        &self.at
    }

    /// The path of one of its fields.
    pub(super) fn path(&self, name: &str) -> String {
        if self.at.is_empty() { name.to_owned() } else { format!("{}.{name}", self.at) }
    }

    /// Takes a field of any type.
    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        // Order does not matter any more, and swapping keeps bodies with thousands of fields linear.
        self.map.swap_remove(name).filter(|value| !value.is_null())
    }

    /// Puts a field back that was taken to be looked at.
    pub(super) fn put(&mut self, name: &str, value: Value) {
        self.map.insert(name.to_owned(), value);
    }

    /// Takes the first of several spellings (Gemini's `snake_case` and `camelCase`).
    pub(super) fn take_any(&mut self, names: &[&str]) -> Option<Value> {
        names.iter().find_map(|name| self.take(name))
    }

    /// Takes a text.
    pub(super) fn string(&mut self, name: &str) -> Result<Option<String>, Fault> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.wrong(name, "must be a string")),
        }
    }

    /// Takes a text that must be there.
    pub(super) fn required(&mut self, name: &str) -> Result<String, Fault> {
        self.string(name)?.ok_or_else(|| self.wrong(name, "is missing"))
    }

    /// Takes a whole number that is not negative. `3.0` counts as one.
    pub(super) fn count(&mut self, name: &str) -> Result<Option<u64>, Fault> {
        self.take(name)
            .map(|value| {
                as_count(&value).ok_or_else(|| self.wrong(name, "must be a whole number of at least 0"))
            })
            .transpose()
    }

    /// Takes a number.
    pub(super) fn number(&mut self, name: &str) -> Result<Option<f64>, Fault> {
        self.take(name)
            .map(|value| value.as_f64().ok_or_else(|| self.wrong(name, "must be a number")))
            .transpose()
    }

    /// Takes a truth value.
    pub(super) fn flag(&mut self, name: &str) -> Result<Option<bool>, Fault> {
        self.take(name)
            .map(|value| value.as_bool().ok_or_else(|| self.wrong(name, "must be true or false")))
            .transpose()
    }

    /// Takes a list.
    pub(super) fn list(&mut self, name: &str) -> Result<Option<Vec<Value>>, Fault> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Array(list)) => Ok(Some(list)),
            Some(_) => Err(self.wrong(name, "must be an array")),
        }
    }

    /// Takes an object.
    pub(super) fn object(&mut self, name: &str) -> Result<Option<Self>, Fault> {
        let path = self.path(name);
        self.take(name).map(|value| Self::of(path, value)).transpose()
    }

    /// Takes a text or a list of texts.
    pub(super) fn texts(&mut self, name: &str) -> Result<Vec<String>, Fault> {
        match self.take(name) {
            None => Ok(Vec::new()),
            Some(Value::String(text)) => Ok(vec![text]),
            Some(Value::Array(list)) => list
                .into_iter()
                .map(|value| match value {
                    Value::String(text) => Ok(text),
                    _ => Err(self.wrong(name, "must hold strings only")),
                })
                .collect(),
            Some(_) => Err(self.wrong(name, "must be a string or an array of strings")),
        }
    }

    /// A fault of one of its fields.
    pub(super) fn wrong(&self, name: &str, what: &str) -> Fault {
        Fault::field(self.path(name), what)
    }

    /// What was not taken, for [`crate::neutral::Request::rest`]; `null` is nothing.
    pub(super) fn rest(self, weight: impl Fn(&str) -> Weight) -> Vec<Rest> {
        let Self { at, map } = self;
        map.into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| {
                let weight = weight(&name);
                let field = if at.is_empty() { name } else { format!("{at}.{name}") };
                Rest { field, value, weight }
            })
            .collect()
    }
}

/// A whole number that is not negative.
pub(super) fn as_count(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| {
        let number = value.as_f64()?;
        #[expect(
            clippy::as_conversions,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole, not negative and below 2^53"
        )]
        (number >= 0.0 && number.fract() == 0.0 && number < 9_007_199_254_740_992.0).then_some(number as u64)
    })
}
