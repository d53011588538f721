//! One JSON object of a list, its members as they are written.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// Most fields of an entry.
pub(super) const MAX_FIELDS: usize = 500;

/// The members of one entry; names in order, texts of values as written.
#[derive(Default)]
pub(super) struct Fields<'de> {
    pub(super) members: Vec<(String, &'de RawValue)>,
    /// Why it is no entry.
    pub(super) fault: Option<&'static str>,
}

/// Reads an object; notes which field it is at.
pub(super) struct Entry<'f> {
    pub(super) field: &'f mut String,
}

impl<'de> DeserializeSeed<'de> for Entry<'_> {
    type Value = Fields<'de>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Fields<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Entry<'_> {
    type Value = Fields<'de>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Fields<'de>, A::Error> {
        let mut fields = Fields::default();
        while let Some(name) = access.next_key::<String>()? {
            self.field.clone_from(&name);
            let value = access.next_value::<&RawValue>()?;
            if fields.members.len() < MAX_FIELDS {
                fields.members.push((name, value));
            } else {
                fields.fault = Some("the entry has more than 500 fields");
            }
        }
        self.field.clear();
        Ok(fields)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Fields<'de>, A::Error> {
        while access.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Fields::no_object())
    }
    fn visit_str<E>(self, _: &str) -> Result<Fields<'de>, E> {
        Ok(Fields::no_object())
    }
    fn visit_bool<E>(self, _: bool) -> Result<Fields<'de>, E> {
        Ok(Fields::no_object())
    }
    fn visit_i64<E>(self, _: i64) -> Result<Fields<'de>, E> {
        Ok(Fields::no_object())
    }
    fn visit_u64<E>(self, _: u64) -> Result<Fields<'de>, E> {
        Ok(Fields::no_object())
    }
    fn visit_f64<E>(self, _: f64) -> Result<Fields<'de>, E> {
        Ok(Fields::no_object())
    }
    fn visit_unit<E>(self) -> Result<Fields<'de>, E> {
        Ok(Fields::no_object())
    }
}

impl<'de> Fields<'de> {
    fn no_object() -> Self {
        Self { members: Vec::new(), fault: Some("the entry must be an object") }
    }

    /// A member as written. Null counts as absent.
    pub(super) fn get(&self, name: &str) -> Option<&'de str> {
        let found = self.members.iter().find(|(member, _)| member == name);
        found.map(|(_, value)| value.get()).filter(|value| *value != "null")
    }

    /// A member's text, empty for everything else.
    pub(super) fn text(&self, name: &str) -> String {
        self.get(name).and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
    }

    /// One amount, or its field and what is wrong with it.
    pub(super) fn amount<T>(
        &self,
        name: &str,
        read: impl Fn(&str) -> Result<T, &'static str>,
    ) -> Result<Option<T>, String> {
        self.get(name).map(read).transpose().map_err(|what| format!("{name} {what}"))
    }
}

/// A member of a small object, as written. Null counts as absent.
pub(super) fn member<'a>(json: &'a str, name: &str) -> Option<&'a str> {
    let mut field = String::new();
    let fields =
        Entry { field: &mut field }.deserialize(&mut serde_json::Deserializer::from_str(json)).ok()?;
    fields.get(name)
}
