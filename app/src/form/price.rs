//! Forms of prices. A price has some sixty fields in five groups, so its form is a map: `priority.output_per_million_usd`
//! names a field of the group `priority`, `long_context.0.…` one of the first long-context step, and
//! `long_context.0.priority.…` one of that step at a service tier.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use types::price::{PriceView, Rates};

/// The fields of a price by name.
pub(crate) type PriceForm = BTreeMap<String, String>;

/// What a known price's form shows.
pub(crate) fn price_form(view: &PriceView) -> PriceForm {
    let mut form = PriceForm::new();
    let spec = &view.spec;
    put_rates(&mut form, "", &spec.rates);
    for (group, rates) in [("priority.", &spec.priority), ("flex.", &spec.flex), ("batch.", &spec.batch)] {
        if let Some(rates) = rates {
            put_rates(&mut form, group, rates);
        }
    }
    for (step, tier) in spec.long_context.iter().enumerate() {
        let group = format!("long_context.{step}.");
        form.insert(format!("{group}above_input_tokens"), tier.above_input_tokens.to_string());
        put_rates(&mut form, &group, &tier.rates);
        for (name, rates) in [("priority", &tier.priority), ("flex", &tier.flex), ("batch", &tier.batch)] {
            if let Some(rates) = rates {
                put_rates(&mut form, &format!("{group}{name}."), rates);
            }
        }
    }
    let amounts = [
        ("per_request_usd", spec.per_request_usd),
        ("per_image_usd", spec.per_image_usd),
        ("web_search_per_call_usd", spec.web_search_per_call_usd),
    ];
    for (name, amount) in amounts {
        form.extend(amount.map(|amount| (name.to_owned(), amount.to_string())));
    }
    for (name, bound) in
        [("max_input_tokens", spec.max_input_tokens), ("max_output_tokens", spec.max_output_tokens)]
    {
        form.extend(bound.map(|bound| (name.to_owned(), bound.to_string())));
    }
    if spec.free {
        form.insert("free".to_owned(), "on".to_owned());
    }
    form.insert("version".to_owned(), view.version.to_string());
    form
}

fn put_rates(form: &mut PriceForm, group: &str, rates: &Rates) {
    for (name, amount) in rate_fields(rates) {
        form.extend(amount.map(|amount| (format!("{group}{name}"), amount.to_string())));
    }
}

/// Token prices by the names of their fields, in the order of forms and tables.
pub(crate) fn rate_fields(rates: &Rates) -> [(&'static str, Option<types::Money>); 10] {
    [
        ("input_per_million_usd", rates.input_per_million_usd),
        ("output_per_million_usd", rates.output_per_million_usd),
        ("cache_read_per_million_usd", rates.cache_read_per_million_usd),
        ("cache_write_5m_per_million_usd", rates.cache_write_5m_per_million_usd),
        ("cache_write_1h_per_million_usd", rates.cache_write_1h_per_million_usd),
        ("reasoning_per_million_usd", rates.reasoning_per_million_usd),
        ("audio_input_per_million_usd", rates.audio_input_per_million_usd),
        ("audio_output_per_million_usd", rates.audio_output_per_million_usd),
        ("image_input_per_million_usd", rates.image_input_per_million_usd),
        ("image_output_per_million_usd", rates.image_output_per_million_usd),
    ]
}

/// A price list and what to do with it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct ImportForm {
    pub(crate) list: String,
    pub(crate) url: String,
    pub(crate) origin: String,
    pub(crate) replace_manual: String,
    /// Digest of the preview that was looked at.
    pub(crate) preview: String,
}

/// Which requests to price anew, and why.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct RepriceForm {
    pub(crate) model: String,
    pub(crate) unpriced_only: String,
    pub(crate) since: String,
    pub(crate) until: String,
    pub(crate) reason: String,
}
