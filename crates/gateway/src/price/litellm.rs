//! Reading a price list in LiteLLM's JSON format, the common exchange format of such lists.
//!
//! Numbers are taken as they are written, never through floating point. An entry that makes no sense is set aside
//! with its field and the reason; it never spoils the others. Units that Tollgate does not meter (seconds, pixels,
//! pages) are left out, and so is a price of zero: free is only what an administrator says is free.

mod amount;
mod derive;
mod entry;
mod fields;

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use types::Money;
use types::price::PriceSpec;

use super::classes::{CACHE_READ, CLASSES, INPUT, OUTPUT};
use super::gaps;
use entry::{Entry, Fields, member};

/// Largest list, in bytes.
pub(crate) const MAX_BYTES: usize = 16 * 1024 * 1024;
/// Most entries of a list; the largest known has about 4,000.
const MAX_ENTRIES: usize = 50_000;

/// What a list says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct List {
    /// Models with a usable price, in the order of their names.
    pub(crate) prices: Vec<(String, PriceSpec)>,
    /// Entries that make no sense, in the order of their names.
    pub(crate) invalid: Vec<Invalid>,
    /// Entries without any price that could be used.
    pub(crate) without_price: u64,
}

/// An entry that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Invalid {
    /// The model.
    pub(crate) model: String,
    /// The field and what is wrong with it.
    pub(crate) reason: String,
}

/// The list cannot be read at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ListError {
    /// Too many bytes.
    #[error("the price list is larger than 16 MiB")]
    TooLarge,
    /// Too many entries.
    #[error("the price list has more than {MAX_ENTRIES} entries")]
    TooMany,
    /// Not JSON, or no object.
    #[error("the price list cannot be read at line {line}, column {column}{near}: {what}")]
    Syntax {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// The entry and field that were being read, as words.
        near: String,
        /// What is wrong there.
        what: String,
    },
}

/// Reads a list.
pub(crate) fn read(text: &str) -> Result<List, ListError> {
    if text.len() > MAX_BYTES {
        return Err(ListError::TooLarge);
    }
    let mut reading = Reading::default();
    let mut json = serde_json::Deserializer::from_str(text);
    let result = (&mut reading).deserialize(&mut json).and_then(|()| json.end());
    if reading.too_many {
        return Err(ListError::TooMany);
    }
    result.map_err(|error| {
        let what = error.to_string();
        let what = what.split(" at line ").next().unwrap_or(&what).to_owned();
        ListError::Syntax { line: error.line(), column: error.column(), near: reading.near(), what }
    })?;
    let mut list = reading.list;
    for model in reading.twice {
        list.prices.retain(|(name, _)| *name != model);
        list.invalid.retain(|invalid| invalid.model != model);
        list.invalid.push(Invalid { model, reason: "the model is given twice".to_owned() });
    }
    list.prices.sort_by(|(a, _), (b, _)| a.cmp(b));
    list.invalid.sort();
    Ok(list)
}

/// State of one reading.
#[derive(Default)]
struct Reading {
    list: List,
    seen: BTreeSet<String>,
    twice: BTreeSet<String>,
    too_many: bool,
    /// What is being read, for errors.
    model: String,
    field: String,
}

impl Reading {
    fn near(&self) -> String {
        let short = |text: &str| text.chars().take(80).collect::<String>();
        match (self.model.is_empty(), self.field.is_empty()) {
            (true, _) => String::new(),
            (false, true) => format!(" (entry '{}')", short(&self.model)),
            (false, false) => format!(" (entry '{}', field '{}')", short(&self.model), short(&self.field)),
        }
    }

    fn entry(&mut self, model: String, fields: &Fields<'_>) {
        match fields.price(&model) {
            Ok(Some(spec)) => self.list.prices.push((model, spec)),
            Ok(None) => self.list.without_price += 1,
            Err(reason) => self.list.invalid.push(Invalid { model, reason }),
        }
    }
}

impl<'de> DeserializeSeed<'de> for &mut Reading {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for &mut Reading {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of models")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        while let Some(model) = access.next_key::<String>()? {
            self.model.clone_from(&model);
            self.field.clear();
            let fields = access.next_value_seed(Entry { field: &mut self.field })?;
            if self.seen.len() >= MAX_ENTRIES {
                self.too_many = true;
                return Err(serde::de::Error::custom("too many entries"));
            }
            // The format's own description of itself.
            if model == "sample_spec" {
                continue;
            }
            if !self.seen.insert(model.clone()) {
                self.twice.insert(model.clone());
            }
            self.entry(model, &fields);
        }
        self.model.clear();
        Ok(())
    }
}

impl Fields<'_> {
    /// The price that the entry states. `None` if it states none that could be used.
    fn price(&self, model: &str) -> Result<Option<PriceSpec>, String> {
        if let Some(fault) = self.fault {
            return Err(fault.to_owned());
        }
        let mut names = BTreeSet::new();
        if let Some((twice, _)) = self.members.iter().find(|(name, _)| !names.insert(name)) {
            return Err(format!("{twice} is given twice"));
        }
        let mut spec = PriceSpec::default();
        self.token_prices(&mut spec, 0)?;
        if let Some(tiers) = self.get("tiered_pricing") {
            tiered(tiers, &mut spec)?;
        }
        self.pieces(&mut spec)?;
        self.bounds(&mut spec)?;
        derive::complete(&mut spec);
        if let Some(fast) = self.get("provider_specific_entry").and_then(|json| member(json, "fast")) {
            let micro =
                amount::multiplier(fast).map_err(|what| format!("provider_specific_entry.fast {what}"))?;
            derive::fast(&mut spec, micro);
        }
        gaps::fill(model, &self.text("litellm_provider"), &self.text("mode"), &mut spec);
        if !says_something(&spec) {
            return Ok(None);
        }
        if is_zero(&spec) {
            // Lists say zero of what they do not know.
            spec = PriceSpec {
                free: true,
                max_input_tokens: spec.max_input_tokens,
                max_output_tokens: spec.max_output_tokens,
                ..PriceSpec::default()
            };
            if self.text("mode") != "moderation" {
                return Ok(None);
            }
        }
        let problem = |problem: types::Problem| {
            let fields = problem.fields.into_iter().map(|(field, what)| format!("{field}: {what}"));
            fields.collect::<Vec<_>>().join("; ")
        };
        spec.check(model).map_err(problem)?;
        Ok(Some(spec))
    }

    /// Prices of tokens, all of them above `floor` tokens of input.
    fn token_prices(&self, spec: &mut PriceSpec, floor: u64) -> Result<(), String> {
        for (name, value) in &self.members {
            if let Some(place) = fields::place(name).filter(|_| value.get() != "null") {
                let price = amount::per_million(value.get()).map_err(|what| format!("{name} {what}"))?;
                let rates = fields::rates(spec, place.above.max(floor), place.tier);
                *(place.class.slot)(rates) = Some(price);
            }
        }
        if let Some(price) = self.amount("input_cost_per_token_cache_hit", amount::per_million)? {
            (CACHE_READ.slot)(fields::rates(spec, floor, None)).get_or_insert(price);
        }
        Ok(())
    }

    fn pieces(&self, spec: &mut PriceSpec) -> Result<(), String> {
        let mode = self.text("mode");
        if mode.starts_with("image") {
            let output = self.amount("output_cost_per_image", amount::per_piece)?;
            let input = self.amount("input_cost_per_image", amount::per_piece)?;
            spec.per_image_usd = output.filter(|price| !price.is_zero()).or(input);
        }
        let request = self.amount("input_cost_per_request", amount::per_piece)?;
        let query = self.amount("input_cost_per_query", amount::per_piece)?;
        spec.per_request_usd =
            request.or(query.filter(|_| mode == "rerank")).filter(|price| !price.is_zero());
        if let Some(sizes) = self.get("search_context_cost_per_query") {
            // The dearest size: which one was used is not told afterwards.
            for size in ["low", "medium", "high"].map(|size| format!("search_context_size_{size}")) {
                if let Some(json) = member(sizes, &size) {
                    let price = amount::per_piece(json)
                        .map_err(|what| format!("search_context_cost_per_query.{size} {what}"))?;
                    spec.web_search_per_call_usd = spec.web_search_per_call_usd.max(Some(price));
                }
            }
        }
        Ok(())
    }

    fn bounds(&self, spec: &mut PriceSpec) -> Result<(), String> {
        spec.max_input_tokens = self.amount("max_input_tokens", amount::tokens)?.filter(|n| *n > 0);
        let either = self.amount("max_tokens", amount::tokens)?;
        let output = self.amount("max_output_tokens", amount::tokens)?;
        // Their older field means the input for models that write nothing.
        let writes = !matches!(self.text("mode").as_str(), "embedding" | "rerank" | "moderation");
        spec.max_output_tokens = output.or(either.filter(|_| writes)).filter(|n| *n > 0);
        Ok(())
    }
}

/// `[{"range":[0,32000],"input_cost_per_token":…},{"range":[32000,128000],…}]`
fn tiered(json: &str, spec: &mut PriceSpec) -> Result<(), String> {
    let wrong = || "tiered_pricing must be an array of objects with a range".to_owned();
    let tiers: Vec<&RawValue> = serde_json::from_str(json).map_err(|_| wrong())?;
    for tier in tiers.into_iter().take(100) {
        let mut field = String::new();
        let fields = Entry { field: &mut field }
            .deserialize(&mut serde_json::Deserializer::from_str(tier.get()))
            .map_err(|_| wrong())?;
        // Ranges of other things than tokens.
        if fields.get("input_cost_per_token").is_none() {
            continue;
        }
        let range: Vec<&RawValue> =
            fields.get("range").and_then(|json| serde_json::from_str(json).ok()).ok_or_else(wrong)?;
        let from = range.first().ok_or_else(wrong)?;
        let from = amount::tokens(from.get()).map_err(|what| format!("tiered_pricing.range {what}"))?;
        fields.token_prices(spec, from).map_err(|what| format!("tiered_pricing.{what}"))?;
    }
    Ok(())
}

fn says_something(spec: &PriceSpec) -> bool {
    (INPUT.get)(&spec.rates).is_some()
        || (OUTPUT.get)(&spec.rates).is_some()
        || spec.per_request_usd.is_some()
        || spec.per_image_usd.is_some()
}

/// Whether nothing in it ever costs anything; searches aside, which come only with a model's answer.
fn is_zero(spec: &PriceSpec) -> bool {
    let zero = |price: Option<Money>| price.is_none_or(|price| price.is_zero());
    CLASSES.iter().all(|class| zero((class.get)(&spec.rates)))
        && spec.long_context.iter().all(|long| CLASSES.iter().all(|class| zero((class.get)(&long.rates))))
        && zero(spec.per_request_usd)
        && zero(spec.per_image_usd)
}

#[cfg(test)]
mod tests;
