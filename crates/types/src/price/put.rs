//! Reading a price that an administrator enters.
//!
//! By hand, because a price is one flat object over three structures, and a misspelt or misread amount must be named
//! rather than cost nothing. Whether the price as a whole makes sense is [`PriceSpec::check`]'s business.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, DeserializeOwned, Deserializer, MapAccess};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::PriceSpec;
use crate::Problem;
use crate::money::Money;
use crate::problem::FieldErrors;

/// Body of `PUT /api/admin/prices/{model}`: the whole price.
#[derive(Clone, Debug, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PutPrice {
    /// The price.
    #[serde(flatten)]
    pub spec: PriceSpec,
    /// If given, must equal the stored version (0: none stored yet).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<i64>,
    /// What could not be read, by field (`priority.x`, `long_context[0].x`), and why; anything here refuses the
    /// input. Filled by reading only.
    #[serde(skip_serializing)]
    #[cfg_attr(feature = "schema", schemars(skip))]
    pub faults: BTreeMap<String, String>,
}

impl PutPrice {
    /// Checks the input; unknown fields are refused by name, because a misspelt price would cost nothing.
    pub fn parse(&self, model: &str) -> Result<PriceSpec, Problem> {
        let mut errors = FieldErrors::default();
        for (name, why) in &self.faults {
            errors.add(name, why);
        }
        errors.finish(())?;
        self.spec.check(model)?;
        Ok(self.spec.clone())
    }
}

/// Token prices: the fields of [`super::Rates`].
const RATES: [&str; 10] = [
    "input_per_million_usd",
    "output_per_million_usd",
    "cache_read_per_million_usd",
    "cache_write_5m_per_million_usd",
    "cache_write_1h_per_million_usd",
    "reasoning_per_million_usd",
    "audio_input_per_million_usd",
    "audio_output_per_million_usd",
    "image_input_per_million_usd",
    "image_output_per_million_usd",
];
/// Amounts of [`PriceSpec`] that are not per token.
const PIECES: [&str; 3] = ["per_request_usd", "per_image_usd", "web_search_per_call_usd"];
/// Objects of token prices.
const TIERS: [&str; 3] = ["priority", "flex", "batch"];
/// Numbers of [`PriceSpec`].
const BOUNDS: [&str; 2] = ["max_input_tokens", "max_output_tokens"];

impl<'de> Deserialize<'de> for PutPrice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Members { mut members, mut faults } = Members::deserialize(deserializer)?;
        // Null means absent, everywhere.
        members.retain(|_, value| !value.is_null());
        let version = members.remove("version");
        let version = version.and_then(|value| read::<i64>("version", value, &mut faults));
        for (name, value) in &mut members {
            check(name, value, &mut faults);
        }
        let spec = if faults.is_empty() {
            PriceSpec::deserialize(Value::Object(members)).map_err(de::Error::custom)?
        } else {
            PriceSpec::default()
        };
        Ok(Self { spec, version, faults })
    }
}

fn check(name: &str, value: &mut Value, faults: &mut BTreeMap<String, String>) {
    if RATES.contains(&name) || PIECES.contains(&name) {
        read::<Money>(name, value.clone(), faults);
    } else if BOUNDS.contains(&name) {
        read::<u64>(name, value.clone(), faults);
    } else if name == "free" {
        read::<bool>(name, value.clone(), faults);
    } else if TIERS.contains(&name) {
        rates(name, value, false, faults);
    } else if name == "long_context" {
        match value {
            Value::Array(tiers) => {
                for (at, tier) in tiers.iter_mut().enumerate() {
                    rates(&format!("{name}[{at}]"), tier, true, faults);
                }
            }
            _ => fault(name, "expected an array of objects", faults),
        }
    } else {
        fault(name, "unknown field", faults);
    }
}

fn rates(path: &str, value: &mut Value, long: bool, faults: &mut BTreeMap<String, String>) {
    let Value::Object(members) = value else {
        return fault(path, "expected an object", faults);
    };
    members.retain(|_, value| !value.is_null());
    if long && !members.contains_key("above_input_tokens") {
        fault(&format!("{path}.above_input_tokens"), "required", faults);
    }
    for (name, value) in members {
        let field = format!("{path}.{name}");
        if RATES.contains(&name.as_str()) {
            read::<Money>(&field, value.clone(), faults);
        } else if long && name == "above_input_tokens" {
            read::<u64>(&field, value.clone(), faults);
        } else if long && TIERS.contains(&name.as_str()) {
            rates(&field, value, false, faults);
        } else {
            fault(&field, "unknown field", faults);
        }
    }
}

fn read<T: DeserializeOwned>(field: &str, value: Value, faults: &mut BTreeMap<String, String>) -> Option<T> {
    match T::deserialize(value) {
        Ok(value) => Some(value),
        Err(error) => {
            fault(field, &error.to_string(), faults);
            None
        }
    }
}

fn fault(field: &str, why: &str, faults: &mut BTreeMap<String, String>) {
    faults.entry(field.to_owned()).or_insert_with(|| why.to_owned());
}

/// The members of an object; a name given twice is a fault.
struct Members {
    members: Map<String, Value>,
    faults: BTreeMap<String, String>,
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Members;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a price as an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Members, A::Error> {
                let mut found = Members { members: Map::new(), faults: BTreeMap::new() };
                while let Some((name, value)) = access.next_entry::<String, Value>()? {
                    if found.members.contains_key(&name) {
                        fault(&name, "given twice", &mut found.faults);
                    }
                    found.members.insert(name, value);
                }
                Ok(found)
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

#[cfg(test)]
mod tests;
