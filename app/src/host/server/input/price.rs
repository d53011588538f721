//! Prices typed into forms.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use types::Problem;
use types::price::{ImportPrices, PutPrice, Reprice};
use types::problem::FieldErrors;

use super::instant;
use crate::form::checked;
use crate::form::price::{ImportForm, PriceForm, RepriceForm};

/// Fields of a price that are whole numbers in JSON; all others are text or a switch.
const NUMBERS: &[&str] = &["max_input_tokens", "max_output_tokens", "above_input_tokens", "version"];

/// A price out of its fields, in the form that outside programs send: whatever is wrong is named by the one reader.
pub(crate) fn read_price(form: &PriceForm) -> Result<PutPrice, Problem> {
    let mut price = Map::new();
    let mut steps = BTreeMap::<(usize, String), Map<String, Value>>::new();
    for (name, text) in form.iter().filter(|(_, text)| !text.trim().is_empty()) {
        match name.split('.').collect::<Vec<_>>()[..] {
            [field] => {
                price.insert(field.to_owned(), value(field, text));
            }
            ["long_context", step, field] => {
                steps.entry(place(step)).or_default().insert(field.to_owned(), value(field, text));
            }
            ["long_context", step, tier, field] => {
                put_in(steps.entry(place(step)).or_default(), tier, field, text);
            }
            [group, field] => put_in(&mut price, group, field, text),
            _ => return Err(Problem::field(name, "unknown field")),
        }
    }
    if !steps.is_empty() {
        let steps = steps.into_values().map(Value::Object).collect();
        price.insert("long_context".to_owned(), Value::Array(steps));
    }
    serde_json::from_value(Value::Object(price)).map_err(|error| Problem::field("model", error.to_string()))
}

// By number: the tenth step comes after the second.
fn place(step: &str) -> (usize, String) {
    (step.parse().unwrap_or(usize::MAX), step.to_owned())
}

fn put_in(outer: &mut Map<String, Value>, group: &str, field: &str, text: &str) {
    let group = outer.entry(group).or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(group) = group {
        group.insert(field.to_owned(), value(field, text));
    }
}

fn value(field: &str, text: &str) -> Value {
    let text = text.trim();
    if field == "free" {
        return Value::Bool(checked(text));
    }
    // What is no number stays text, so that its field is named.
    let number = || text.replace([',', '_', ' '], "").parse::<u64>().ok().map(Value::from);
    NUMBERS.contains(&field).then(number).flatten().unwrap_or_else(|| Value::String(text.to_owned()))
}

impl ImportForm {
    /// As the input of an import or its preview.
    pub(crate) fn read(&self) -> Result<ImportPrices, Problem> {
        let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let (list, url) = (given(&self.list), given(&self.url));
        if list.is_none() && url.is_none() {
            return Err(Problem::field("list", "must not be empty"));
        }
        Ok(ImportPrices {
            origin: given(&self.origin).or_else(|| url.clone()),
            // A pasted list wins: the address may be left over from before.
            url: url.filter(|_| list.is_none()),
            list,
            replace_manual: checked(&self.replace_manual),
            preview: given(&self.preview),
        })
    }
}

impl RepriceForm {
    /// As the input of a re-pricing or its preview.
    pub(crate) fn read(&self) -> Result<Reprice, Problem> {
        let mut errors = FieldErrors::default();
        let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let input = Reprice {
            model: given(&self.model),
            unpriced_only: checked(&self.unpriced_only),
            since: instant(&self.since, "since", &mut errors),
            until: instant(&self.until, "until", &mut errors),
            reason: given(&self.reason),
        };
        errors.finish(input)
    }
}

#[cfg(test)]
mod tests {
    use types::price::{LongContext, PriceSource, PriceSpec, PriceView, Rates};

    use super::*;
    use crate::form::price::price_form;

    #[test]
    fn a_price_reads_back_what_its_form_shows() {
        let rates = |input: &str| Rates {
            input_per_million_usd: Some(input.parse().unwrap()),
            output_per_million_usd: Some("15".parse().unwrap()),
            ..Rates::default()
        };
        let spec = PriceSpec {
            rates: rates("3"),
            long_context: vec![LongContext {
                above_input_tokens: 200_000,
                rates: rates("6"),
                priority: Some(rates("9")),
                flex: None,
                batch: None,
            }],
            priority: Some(rates("4.5")),
            per_image_usd: Some("0.04".parse().unwrap()),
            max_output_tokens: Some(64_000),
            ..PriceSpec::default()
        };
        let view = PriceView {
            model: "m".into(),
            spec: spec.clone(),
            source: PriceSource::Manual,
            origin: String::new(),
            updated_at: None,
            version: 4,
        };
        let put = read_price(&price_form(&view)).unwrap();
        assert_eq!(put.version, Some(4));
        assert_eq!(put.parse("m").unwrap(), spec);
    }

    #[test]
    fn an_amount_that_makes_no_sense_is_named_by_its_field() {
        let form = PriceForm::from([
            ("input_per_million_usd".to_owned(), "NaN".to_owned()),
            ("flex.output_per_million_usd".to_owned(), "-1".to_owned()),
            ("long_context.0.above_input_tokens".to_owned(), "many".to_owned()),
        ]);
        let problem = read_price(&form).unwrap().parse("m").unwrap_err();
        for field in
            ["input_per_million_usd", "flex.output_per_million_usd", "long_context[0].above_input_tokens"]
        {
            assert!(problem.fields.contains_key(field), "{field} in {:?}", problem.fields);
        }
    }
}
