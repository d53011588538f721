//! The price of one model or pattern: all rates, long context, service tiers, pieces; and back to the built-in one.

use leptos::prelude::*;
use leptos_router::location::Url;
use types::price::{PriceSource, PriceView};

use crate::api;
use crate::components::confirm::Confirm;
use crate::components::field::{Check, Field, FormState};
use crate::components::flash::{Done, Failed};
use crate::components::head::{Answer, Head};
use crate::components::load::load;
use crate::components::time::maybe;
use crate::components::usd::source_words;
use crate::components::{Refresh, failure, query};
use crate::form::price::{PriceForm, price_form};
use crate::text::{Text, common as c, lang, money as m, problem, provider, translator};

/// The page.
#[component]
pub(crate) fn PriceEdit() -> impl IntoView {
    let t = translator();
    let model = query("model");
    let refresh = Refresh::get();
    let put = ServerAction::<api::price::Put>::new();
    let reset = ServerAction::<api::price::Reset>::new();
    let (put_failed, reset_failed) = (failure(put), failure(reset));
    let form = FormState { scope: "price", error: put_failed };
    let known = Resource::new(
        move || (model.get(), refresh.0.get()),
        |(model, _)| async move {
            match model {
                Some(model) => api::price::find(model).await,
                None => Ok(None),
            }
        },
    );
    view! {
        <Head title=t(m::EDIT) parent=("/prices", t(m::PRICES))/>
        <div class="page narrow-page">
            <Done/>
            <Failed error=put_failed/>
            <Failed error=reset_failed/>
            {load(known, move |known| view! { <Body known asked=model.get_untracked().unwrap_or_default() form put reset/> })}
        </div>
    }
}

#[component]
fn Body(
    #[prop(optional_no_strip)] known: Option<PriceView>,
    asked: String,
    form: FormState,
    put: ServerAction<api::price::Put>,
    reset: ServerAction<api::price::Reset>,
) -> impl IntoView {
    let t = translator();
    let present = known.as_ref().map(price_form).unwrap_or_default();
    let head = known.clone().map(|known| {
        let text = match known.source {
            PriceSource::Default => m::IS_DEFAULT,
            PriceSource::Manual => m::IS_OWN,
            PriceSource::Synced | PriceSource::Imported => m::IS_STORED,
        };
        let model = Url::escape(&known.model);
        view! {
            <Answer mood="calm" text=t(source_words(known.source))>
                <span class="faint">{t(text)} " " {known.origin.clone()} " " {known.updated_at.map(|at| maybe(Some(at), ""))}</span>
                <a class="button small quiet" href=format!("/prices/reprice?model={model}")>{t(m::REPRICE)}</a>
                <a class="button small quiet" href=format!("/audit?object=price&object_id={model}")>{t(provider::ITS_AUDIT)}</a>
            </Answer>
        }
    });
    let missing =
        (known.is_none() && !asked.is_empty()).then(|| view! { <Answer mood="warn" text=t(m::IS_NEW)/> });
    let stored =
        known.as_ref().filter(|known| known.source != PriceSource::Default).map(|known| known.model.clone());
    let model = known.as_ref().map_or(asked, |known| known.model.clone());
    // A model's price is found under its name: another name is another price.
    let fixed = known.is_some();
    view! {
        {head}
        {missing}
        <ActionForm action=put attr:class="form panel pad">
            <Model form model fixed/>
            <Fields form present/>
            <div class="save-bar">
                <button class="button primary" disabled=move || put.pending().get()>{t(c::SAVE)}</button>
                <a class="button quiet" href="/prices">{t(c::CANCEL)}</a>
                <span class="faint small save-note">{t(m::THEN_REPRICE)}</span>
            </div>
        </ActionForm>
        {stored.map(|model| view! {
            <section class="panel pad away">
                <p class="help">{t(m::BACK_TEXT)}</p>
                <Confirm what="reset" trigger=m::BACK title=m::BACK_TITLE text=m::BACK_TEXT subject=model.clone()>
                    <ActionForm action=reset>
                        <input type="hidden" name="model" value=model.clone()/>
                        <button class="button danger">{t(m::BACK)}</button>
                    </ActionForm>
                </Confirm>
            </section>
        })}
    }
}

#[component]
fn Model(form: FormState, model: String, fixed: bool) -> impl IntoView {
    let t = translator();
    let lang = lang();
    let note = move || {
        form.error.with(|error| {
            let note = error.as_ref()?.problem.fields.get("model")?;
            Some(problem::field_note(note, lang).into_owned())
        })
    };
    view! {
        <div class="field">
            <label for="price-model">{t(m::MODEL)}</label>
            <input id="price-model" class="input mono" name="model" value=model readonly=fixed required=true
                spellcheck="false" autocomplete="off" maxlength="200"/>
            {move || note().map(|note| view! { <p class="note" role="alert">{note}</p> })}
            <p class="help">{t(m::MODEL_HELP)}</p>
        </div>
    }
}

/// Field name, words, help of each token price.
const RATES: [(&str, Text, Text); 10] = [
    ("input_per_million_usd", m::INPUT, m::H_INPUT),
    ("output_per_million_usd", m::OUTPUT, m::H_OUTPUT),
    ("cache_read_per_million_usd", m::CACHE_READ, m::H_AS_INPUT),
    ("cache_write_5m_per_million_usd", m::CACHE_WRITE_5M, m::H_AS_INPUT),
    ("cache_write_1h_per_million_usd", m::CACHE_WRITE_1H, m::H_WRITE_1H),
    ("reasoning_per_million_usd", m::REASONING, m::H_AS_OUTPUT),
    ("audio_input_per_million_usd", m::AUDIO_INPUT, m::H_AS_INPUT),
    ("audio_output_per_million_usd", m::AUDIO_OUTPUT, m::H_AS_OUTPUT),
    ("image_input_per_million_usd", m::IMAGE_INPUT, m::H_AS_INPUT),
    ("image_output_per_million_usd", m::IMAGE_OUTPUT, m::H_AS_OUTPUT),
];

#[component]
fn Fields(form: FormState, present: PriceForm) -> impl IntoView {
    let t = translator();
    let value = |name: &str| present.get(name).cloned().unwrap_or_default();
    let free = !value("free").is_empty();
    // Every step that there is, and at least two, so that a saved form never loses one.
    let steps = (0..100).take_while(|step| present.contains_key(&above(*step))).count().max(2);
    let pieces = [
        "per_request_usd",
        "per_image_usd",
        "web_search_per_call_usd",
        "max_input_tokens",
        "max_output_tokens",
    ]
    .iter()
    .any(|name| present.contains_key(*name));
    view! {
        <fieldset class="section">
            <legend>{t(m::RATES)}</legend>
            <p class="help">{t(m::RATES_HELP)}</p>
            <Check form label=m::IS_FREE name="free" on=free help=m::H_FREE/>
            <RateFields form group=String::new() present=present.clone() helped=true/>
        </fieldset>
        <details class="section" open=pieces>
            <summary><span>{t(m::PIECES)}</span><span class="faint">{t(m::PIECES_SUMMARY)}</span></summary>
            <div class="triple">
                <Field form label=m::REQUEST name="per_request_usd" kind="decimal" value=value("per_request_usd") help=m::H_REQUEST/>
                <Field form label=m::IMAGE name="per_image_usd" kind="decimal" value=value("per_image_usd") help=m::H_IMAGE/>
                <Field form label=m::WEB_SEARCH name="web_search_per_call_usd" kind="decimal"
                    value=value("web_search_per_call_usd") help=m::H_SEARCH/>
            </div>
            <div class="pair">
                <Field form label=m::MAX_INPUT name="max_input_tokens" kind="number" value=value("max_input_tokens") help=m::H_BOUND/>
                <Field form label=m::MAX_OUTPUT name="max_output_tokens" kind="number" value=value("max_output_tokens") help=m::H_BOUND/>
            </div>
        </details>
        {(0..steps)
            .map(|step| view! { <Step form step present=present.clone()/> })
            .collect_view()}
        {TIERS
            .map(|(tier, title)| view! { <Tier form group=format!("{tier}.") title present=present.clone()/> })
            .into_iter()
            .collect_view()}
        <input type="hidden" name="form[version]" value=value("version")/>
    }
}

#[component]
fn RateFields(form: FormState, group: String, present: PriceForm, helped: bool) -> impl IntoView {
    let prefix = noted(&group);
    let fields = RATES.map(|(field, label, help)| {
        let name = format!("{group}{field}");
        let value = present.get(&name).cloned().unwrap_or_default();
        let noted = format!("{prefix}{field}");
        if helped {
            view! { <Field form label name noted_as=noted kind="decimal" value help/> }.into_any()
        } else {
            view! { <Field form label name noted_as=noted kind="decimal" value/> }.into_any()
        }
    });
    view! { <div class="rates">{fields.into_iter().collect_view()}</div> }
}

fn is_set(present: &PriceForm, group: &str) -> bool {
    present.iter().any(|(name, value)| name.starts_with(group) && !value.is_empty())
}

const TIERS: [(&str, Text); 3] =
    [("priority", m::TIER_PRIORITY), ("flex", m::TIER_FLEX), ("batch", m::TIER_BATCH)];

/// The field of a long-context step's threshold.
fn above(step: usize) -> String {
    format!("long_context.{step}.above_input_tokens")
}

/// The engine names what is wrong in JSON's way: `long_context[0].…`.
fn noted(name: &str) -> String {
    let step = name.strip_prefix("long_context.").and_then(|rest| rest.split_once('.'));
    step.map_or_else(|| name.to_owned(), |(step, rest)| format!("long_context[{step}].{rest}"))
}

#[component]
fn Step(form: FormState, step: usize, present: PriceForm) -> impl IntoView {
    let t = translator();
    let group = format!("long_context.{step}.");
    let set = is_set(&present, &group);
    let name = above(step);
    let value = present.get(&name).cloned().unwrap_or_default();
    let noted = noted(&name);
    let title = if step == 0 { t(m::LONG_1).to_owned() } else { format!("{} {}", t(m::LONG_N), step + 1) };
    // A step that is not there yet has no service tiers; once it is saved it can have them.
    let tiers = set.then(|| {
        TIERS.map(|(tier, title)| {
            view! { <Tier form group=format!("{group}{tier}.") title present=present.clone()/> }
        })
    });
    view! {
        <details class="section" open=set>
            <summary><span>{title}</span><span class="faint">{if set { t(m::SET) } else { t(m::NOT_SET) }}</span></summary>
            <Field form label=m::LONG_ABOVE name noted_as=noted kind="number" value help=m::H_LONG_ABOVE placeholder="200000"/>
            <RateFields form group=group.clone() present=present.clone() helped=false/>
            {tiers.map(|tiers| tiers.into_iter().collect_view())}
        </details>
    }
}

#[component]
fn Tier(form: FormState, group: String, title: Text, present: PriceForm) -> impl IntoView {
    let t = translator();
    let set = is_set(&present, &group);
    view! {
        <details class="section" open=set>
            <summary><span>{t(title)}</span><span class="faint">{if set { t(m::SET) } else { t(m::NOT_SET) }}</span></summary>
            <p class="help">{t(m::TIER_HELP)}</p>
            <RateFields form group present helped=false/>
        </details>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_on_long_context_find_their_fields() {
        assert_eq!(
            noted("long_context.2.flex.input_per_million_usd"),
            "long_context[2].flex.input_per_million_usd"
        );
        assert_eq!(noted("priority.input_per_million_usd"), "priority.input_per_million_usd");
    }
}
