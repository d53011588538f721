//! A file as a tree of values, walked with the place in hand, so that whatever is odd can be named by where it stands.

use serde_json::Value;
use types::Secret;
use zeroize::Zeroize;

use crate::plan::{Fault, Plan};

/// Parsed values; their texts are wiped when it is dropped. It has no `Debug`: they may be secrets.
pub(crate) struct Tree(pub(crate) Value);

impl Drop for Tree {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(fields) => fields.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Reads JSON: one document, or several behind each other as an array.
pub(crate) fn json(text: &str) -> Result<Tree, Fault> {
    let mut documents = Vec::new();
    for document in serde_json::Deserializer::from_str(text).into_iter::<Value>() {
        // The text of such an error can repeat a value; line and column cannot.
        documents.push(document.map_err(|error| Fault::Syntax {
            format: "JSON",
            line: error.line(),
            column: error.column(),
        })?);
        if documents.len() > crate::MAX_FILES {
            return Err(Fault::TooLarge("at most 2,000 documents"));
        }
    }
    match documents.len() {
        0 => Err(Fault::Empty),
        1 => Ok(Tree(documents.pop().unwrap_or_default())),
        _ => Ok(Tree(Value::Array(documents))),
    }
}

/// A value and where it stands.
#[derive(Clone)]
pub(crate) struct Node<'a> {
    pub(crate) value: &'a Value,
    pub(crate) place: String,
}

impl<'a> Node<'a> {
    pub(crate) fn root(tree: &'a Tree) -> Self {
        Self { value: &tree.0, place: String::new() }
    }

    /// The field of that name, unless it is missing or null.
    pub(crate) fn get(&self, name: &str) -> Option<Node<'a>> {
        let value = self.value.get(name).filter(|value| !value.is_null())?;
        Some(Node { value, place: self.below(name) })
    }

    /// The first of several spellings of a field.
    pub(crate) fn first(&self, names: &[&str]) -> Option<Node<'a>> {
        names.iter().find_map(|name| self.get(name))
    }

    fn below(&self, name: &str) -> String {
        let name: String = name.chars().filter(|c| !c.is_control()).take(60).collect();
        if self.place.is_empty() { name } else { format!("{}.{name}", self.place) }
    }

    /// Its items; nothing if it is no list.
    pub(crate) fn items(&self) -> impl Iterator<Item = Node<'a>> + use<'a> {
        let place = self.place.clone();
        let items: &[Value] = self.value.as_array().map(Vec::as_slice).unwrap_or_default();
        items.iter().enumerate().map(move |(at, value)| Node { value, place: format!("{place}[{at}]") })
    }

    /// Its fields; nothing if it is no object.
    pub(crate) fn fields(&self) -> Vec<(&'a str, Node<'a>)> {
        self.value.as_object().map_or_else(Vec::new, |fields| {
            fields
                .iter()
                .map(|(name, value)| (name.as_str(), Node { value, place: self.below(name) }))
                .collect()
        })
    }

    pub(crate) fn is_object(&self) -> bool {
        self.value.is_object()
    }

    /// A list, or the fault that it is none.
    pub(crate) fn list(&self) -> Result<Vec<Node<'a>>, Fault> {
        if self.value.is_array() { Ok(self.items().collect()) } else { Err(self.expected("a list")) }
    }

    /// An object, or the fault that it is none.
    pub(crate) fn object(&self) -> Result<&Self, Fault> {
        if self.is_object() { Ok(self) } else { Err(self.expected("an object")) }
    }

    pub(crate) fn expected(&self, expected: &'static str) -> Fault {
        Fault::Field { place: self.place.clone(), expected }
    }

    /// Its text, trimmed, unless that is empty. Numbers count as text: exports write ids and times either way.
    pub(crate) fn text(&self) -> Option<String> {
        let text = match self.value {
            Value::String(text) => text.trim().to_owned(),
            Value::Number(number) => number.to_string(),
            _ => return None,
        };
        (!text.is_empty()).then_some(text)
    }

    /// A whole number, also as text.
    pub(crate) fn number(&self) -> Option<i64> {
        match self.value {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    /// Yes or no, also as text or as 1 and 0.
    pub(crate) fn flag(&self) -> Option<bool> {
        match self.value {
            Value::Bool(flag) => Some(*flag),
            Value::Number(number) => number.as_i64().map(|number| number != 0),
            Value::String(text) => match text.trim() {
                "true" | "1" | "yes" => Some(true),
                "false" | "0" | "no" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }

    pub(crate) fn text_of(&self, name: &str) -> Option<String> {
        self.get(name)?.text()
    }

    pub(crate) fn secret_of(&self, name: &str) -> Option<Secret<String>> {
        self.text_of(name).map(Secret::new)
    }

    pub(crate) fn number_of(&self, name: &str) -> Option<i64> {
        self.get(name)?.number()
    }

    pub(crate) fn flag_of(&self, name: &str) -> Option<bool> {
        self.get(name)?.flag()
    }

    /// Whether it says nothing: null, false, zero, or empty.
    pub(crate) fn is_empty(&self) -> bool {
        match self.value {
            Value::Null => true,
            Value::Bool(flag) => !flag,
            Value::Number(number) => number.as_f64() == Some(0.0),
            Value::String(text) => matches!(text.trim(), "" | "{}" | "[]" | "null" | "0" | "false"),
            Value::Array(items) => items.is_empty(),
            Value::Object(fields) => fields.is_empty(),
        }
    }

    /// Notes every field that says something and is neither understood nor without meaning here.
    pub(crate) fn leftover(&self, understood: &[&str], plan: &mut Plan) {
        for (name, node) in self.fields() {
            if !understood.contains(&name) && !node.is_empty() {
                plan.note(node.place, "is not taken over");
            }
        }
    }
}
