//! Importing a price list: give it, look at what it would change, import exactly that.
//!
//! What was given waits on the server, and the address names it: looking and importing are two plain steps, with
//! scripts and without. The preview's digest makes the import do what was looked at, or nothing.

use leptos::prelude::*;
use types::price::{PriceChange, PriceDiff, PriceImport, PriceSpec};

use crate::api;
use crate::components::field::{Check, Field, FormState};
use crate::components::flash::Failed;
use crate::components::head::{Answer, Head};
use crate::components::load::{load, shown_of};
use crate::components::{Refresh, badge, failure, query};
use crate::form::price::rate_fields;
use crate::format;
use crate::host;
use crate::text::{Text, common as c, lang, money as m, problem, translator};

/// Where a list comes from, as far as it was typed.
#[derive(Clone, Copy)]
struct Typed {
    list: RwSignal<String>,
    origin: RwSignal<String>,
}

/// The page.
#[component]
pub(crate) fn PriceImportPage() -> impl IntoView {
    let t = translator();
    let lang = lang();
    let preview = ServerAction::<api::price::Preview>::new();
    let import = ServerAction::<api::price::Import>::new();
    let (preview_failed, import_failed) = (failure(preview), failure(import));
    let form = FormState { scope: "import", error: preview_failed };
    let typed = form.initial("list", "");
    let typed = Typed { list: RwSignal::new(typed), origin: RwSignal::new(form.initial("origin", "")) };
    let note = move || {
        preview_failed.with(|error| {
            let note = error.as_ref()?.problem.fields.get("list")?;
            Some(problem::field_note(note, lang).into_owned())
        })
    };
    let kept = query("kept");
    let refresh = Refresh::get();
    let found = Resource::new(
        move || (kept.get(), refresh.0.get()),
        |(kept, _)| async move {
            match kept {
                Some(kept) => api::price::previewed(kept.clone()).await.map(|found| Some((kept, found))),
                None => Ok(None),
            }
        },
    );
    view! {
        <Head title=t(m::IMPORT_TITLE) parent=("/prices", t(m::PRICES))/>
        <div class="page">
            <Failed error=preview_failed/>
            <Failed error=import_failed/>
            {load(found, move |found| match found {
                Some((kept, Some(found))) => view! { <Previewed found kept import/> }.into_any(),
                Some((_, None)) => view! { <Answer mood="warn" text=t(m::PREVIEW_GONE)/> }.into_any(),
                None => ().into_any(),
            })}
            <ActionForm action=preview attr:class="form panel pad import-form">
                <p class="help">{t(m::IMPORT_TEXT)}</p>
                <div class="field" class:wrong=move || note().is_some()>
                    <label for="import-list">{t(m::LIST)}</label>
                    <textarea id="import-list" class="input mono" name="form[list]" rows="8" spellcheck="false"
                        placeholder=r#"{"model-name": {"input_cost_per_token": 3e-06, "output_cost_per_token": 1.5e-05}}"#
                        prop:value=typed.list
                        on:input=move |event| typed.list.set(event_target_value(&event))
                    >{typed.list.get_untracked()}</textarea>
                    {move || note().map(|note| view! { <p class="note" role="alert">{note}</p> })}
                    <p class="help">{t(m::LIST_HELP)}</p>
                </div>
                <div class="pair">
                    <div class="field scripted">
                        <label for="import-file">{t(m::FILE)}</label>
                        <input id="import-file" class="file" type="file" accept=".json,application/json"
                            on:change=move |event| host::read_file(&event, move |name, text| {
                                typed.list.set(text);
                                typed.origin.set(name);
                            })
                        />
                    </div>
                    <Field form label=m::URL name="url" kind="url" help=m::URL_HELP
                        placeholder="https://example.com/prices.json"/>
                </div>
                <input type="hidden" name="form[origin]" value=typed.origin.get_untracked() prop:value=typed.origin/>
                <Check form label=m::REPLACE name="replace_manual" help=m::REPLACE_HELP/>
                <div class="save-bar">
                    <button class="button primary" disabled=move || preview.pending().get()>{t(m::PREVIEW)}</button>
                    <a class="button quiet" href="/prices">{t(c::CANCEL)}</a>
                </div>
            </ActionForm>
        </div>
    }
}

const COUNTS: [Text; 6] = [m::N_ENTRIES, m::N_UNCHANGED, m::N_NEW, m::N_CHANGED, m::N_KEPT, m::N_INVALID];

#[component]
fn Counts(counts: Vec<u64>) -> impl IntoView {
    let t = translator();
    view! {
        <div class="tiles">
            {COUNTS
                .into_iter()
                .zip(counts)
                .map(|(words, n)| view! {
                    <div class="tile">
                        <span class="tile-name">{t(words)}</span>
                        <span class="tile-number">{format::count(n)}</span>
                    </div>
                })
                .collect_view()}
        </div>
    }
}

/// What the list would change, and the button that does it.
#[component]
fn Previewed(
    found: PriceImport,
    /// The name under which the list waits.
    kept: String,
    import: ServerAction<api::price::Import>,
) -> impl IntoView {
    let t = translator();
    let PriceImport { preview, entries, unchanged, new, changed, kept_manual, invalid, items } = found;
    let nothing = new + changed == 0;
    let (shown, total) = (items.len(), new + changed + kept_manual + invalid);
    let rows = items.into_iter().map(|diff| view! { <Diff diff/> }).collect_view();
    let confirm = if nothing {
        view! { <Answer mood="calm" text=t(m::NOTHING)/> }.into_any()
    } else {
        view! {
            <ActionForm action=import attr:class="inline-form">
                <input type="hidden" name="kept" value=kept/>
                <input type="hidden" name="preview" value=preview/>
                <button class="button primary" disabled=move || import.pending().get()>{t(m::DO_IMPORT)}</button>
            </ActionForm>
        }
        .into_any()
    };
    view! {
        <Counts counts=vec![entries, unchanged, new, changed, kept_manual, invalid]/>
        {confirm}
        {(shown > 0).then(|| view! {
            <section class="panel">
                <div class="panel-head">
                    <h2 class="panel-title">{t(m::PREVIEWED)}</h2>
                    <span class="faint small">{shown_of(shown, total)}</span>
                </div>
                <div class="table-scroll">
                    <table class="table rows">
                        <thead>
                            <tr>
                                <th scope="col">{t(c::MODEL)}</th>
                                <th scope="col">{t(m::CHANGE)}</th>
                                <th scope="col">{t(m::BEFORE)}</th>
                                <th scope="col">{t(m::AFTER)}</th>
                            </tr>
                        </thead>
                        <tbody>{rows}</tbody>
                    </table>
                </div>
            </section>
        })}
    }
}

#[component]
fn Diff(diff: PriceDiff) -> impl IntoView {
    let t = translator();
    let (mood, words) = match diff.change {
        PriceChange::New => ("good", m::N_NEW),
        PriceChange::Changed => ("info", m::N_CHANGED),
        PriceChange::KeptManual => ("off", m::N_KEPT),
        PriceChange::Invalid => ("bad", m::N_INVALID),
    };
    let after = diff.after.as_ref().map(|after| differences(diff.before.as_ref(), after)).unwrap_or_default();
    let before = diff.before.as_ref().map(|before| match &diff.after {
        Some(after) => differences(Some(after), before),
        None => differences(None, before),
    });
    view! {
        <tr>
            <th scope="row" data-label=t(c::MODEL)><span class="truncate" title=diff.model.clone()>{diff.model.clone()}</span></th>
            <td data-label=t(m::CHANGE)><badge::State mood word=t(words)/></td>
            <td data-label=t(m::BEFORE)><span class="wrap">{before.unwrap_or_else(|| "–".to_owned())}</span></td>
            <td data-label=t(m::AFTER)><span class="wrap">{after} {diff.reason}</span></td>
        </tr>
    }
}

/// The rates of `shown` that differ from `other`, in words.
fn differences(other: Option<&PriceSpec>, shown: &PriceSpec) -> String {
    let t = translator();
    let words = [
        m::INPUT,
        m::OUTPUT,
        m::CACHE_READ,
        m::CACHE_WRITE_5M,
        m::CACHE_WRITE_1H,
        m::REASONING,
        m::AUDIO_INPUT,
        m::AUDIO_OUTPUT,
        m::IMAGE_INPUT,
        m::IMAGE_OUTPUT,
    ];
    let others = other.map(|other| rate_fields(&other.rates).map(|(_, amount)| amount));
    let others = others.unwrap_or_default();
    let mut parts: Vec<String> = rate_fields(&shown.rates)
        .into_iter()
        .zip(others)
        .zip(words)
        .filter(|(((_, amount), before), _)| amount != before)
        .filter_map(|(((_, amount), _), words)| Some(format!("{} ${}", t(words), amount?.display())))
        .collect();
    let pieces =
        other.is_none_or(|other| PriceSpec { rates: shown.rates.clone(), ..other.clone() } != *shown);
    let more = [
        (!shown.long_context.is_empty(), m::LONG),
        (shown.priority.is_some(), m::TIER_PRIORITY),
        (shown.flex.is_some(), m::TIER_FLEX),
        (shown.batch.is_some(), m::TIER_BATCH),
        (shown.per_request_usd.is_some(), m::REQUEST),
        (shown.per_image_usd.is_some(), m::IMAGE),
        (shown.web_search_per_call_usd.is_some(), m::WEB_SEARCH),
        (shown.free, m::FREE),
    ];
    parts
        .extend(more.into_iter().filter(|(known, _)| *known && pieces).map(|(_, words)| t(words).to_owned()));
    parts.join(", ")
}
