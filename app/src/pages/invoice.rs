//! A vendor's invoice beside the books, by day and model.
//!
//! The file waits on the server and the address names it, so that looking works without scripts too.

use leptos::prelude::*;
use types::Money;
use types::books::{InvoiceComparison, InvoiceLine};
use types::money::signed_usd;
use types::provider::ProviderView;

use crate::api;
use crate::components::field::FormState;
use crate::components::flash::Failed;
use crate::components::head::Answer;
use crate::components::load::{load, shown_of};
use crate::components::usd::usd;
use crate::components::{failure, query};
use crate::host;
use crate::text::{books as b, common as c, lang, money as m, problem, translator};

/// Lines on the page; the admin API has up to 2,000.
const SHOWN: usize = 500;

/// The form, and the comparison.
#[component]
pub(crate) fn Invoice() -> impl IntoView {
    let t = translator();
    let lang = lang();
    let compare = ServerAction::<api::ledger::Compare>::new();
    let error = failure(compare);
    let form = FormState { scope: "invoice", error };
    let csv = RwSignal::new(form.initial("csv", ""));
    let chosen = form.initial("provider_id", "");
    let kept = query("kept");
    let found = Resource::new(
        move || kept.get(),
        |kept| async move {
            match kept {
                Some(kept) => api::ledger::compared(kept).await.map(Some),
                None => Ok(None),
            }
        },
    );
    let providers = Resource::new(|| (), |()| api::provider::list(true));
    let note = move || {
        error.with(|error| {
            let note = error.as_ref()?.problem.fields.get("csv")?;
            Some(problem::field_note(note, lang).into_owned())
        })
    };
    view! {
        <Failed error/>
        {load(found, move |found| match found {
            Some(Some(found)) => view! { <Comparison found/> }.into_any(),
            Some(None) => view! { <Answer mood="warn" text=t(m::PREVIEW_GONE)/> }.into_any(),
            None => ().into_any(),
        })}
        <ActionForm action=compare attr:class="form panel pad">
            <p class="help">{t(b::INVOICE_TEXT)}</p>
            <div class="field" class:wrong=move || note().is_some()>
                <label for="invoice-csv">{t(b::CSV)}</label>
                <textarea id="invoice-csv" class="input mono" name="form[csv]" rows="8" required spellcheck="false"
                    placeholder="date,model,cost\n2026-11-01,gpt-5,12.34"
                    prop:value=csv
                    on:input=move |event| csv.set(event_target_value(&event))
                >{csv.get_untracked()}</textarea>
                {move || note().map(|note| view! { <p class="note" role="alert">{note}</p> })}
                <p class="help">{t(b::CSV_HELP)}</p>
            </div>
            <div class="pair">
                <div class="field scripted">
                    <label for="invoice-file">{t(m::FILE)}</label>
                    <input id="invoice-file" class="file" type="file" accept=".csv,text/csv"
                        on:change=move |event| host::read_file(&event, move |_, text| csv.set(text))/>
                </div>
                <div class="field">
                    <label for="invoice-provider">{t(c::PROVIDER)}</label>
                    {load(providers, move |providers: Vec<ProviderView>| {
                        let chosen = chosen.clone();
                        view! {
                            <select id="invoice-provider" class="input" name="form[provider_id]">
                                <option value="">{t(b::ANY_PROVIDER)}</option>
                                {providers
                                    .into_iter()
                                    .map(|known| {
                                        let id = known.id.to_string();
                                        let selected = id == chosen;
                                        view! { <option value=id selected=selected>{known.name}</option> }
                                    })
                                    .collect_view()}
                            </select>
                        }
                    })}
                </div>
            </div>
            <div><button class="button primary" disabled=move || compare.pending().get()>{t(b::COMPARE)}</button></div>
        </ActionForm>
    }
}

#[component]
fn Sums(invoiced: Money, booked: Money) -> impl IntoView {
    let t = translator();
    let difference = invoiced.nano() - booked.nano();
    let (mood, text) = if difference == 0 {
        ("good", t(b::INVOICE_EQUAL).to_owned())
    } else {
        ("warn", format!("{} ${}", t(b::INVOICE_DIFFERS), signed_usd(difference)))
    };
    view! {
        <Answer mood text>
            <span class="faint">{t(b::INVOICED)} " " {usd(invoiced)} " · " {t(b::BOOKED)} " " {usd(booked)}</span>
        </Answer>
    }
}

#[component]
fn Comparison(found: InvoiceComparison) -> impl IntoView {
    let t = translator();
    let InvoiceComparison { invoiced_usd, booked_usd, lines, unread } = found;
    let total = lines.len();
    let shown = total.min(SHOWN);
    let rows = lines
        .into_iter()
        .take(SHOWN)
        .map(|line| {
            let InvoiceLine { day, model, invoiced_usd, booked_usd, difference_usd } = line;
            let differs = invoiced_usd != booked_usd;
            view! {
                <tr>
                    <td data-label=t(b::DAY) class="nowrap">{day}</td>
                    <th scope="row" data-label=t(c::MODEL)><span class="truncate">{model}</span></th>
                    <td class="num" data-label=t(b::INVOICED)>{usd(invoiced_usd)}</td>
                    <td class="num" data-label=t(b::BOOKED)>{usd(booked_usd)}</td>
                    <td class="num" class:differs=differs data-label=t(m::DIFFERENCE)>{difference_usd}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <Sums invoiced=invoiced_usd booked=booked_usd/>
        {(!unread.is_empty()).then(|| view! {
            <section class="panel pad">
                <h2>{t(b::UNREAD)}</h2>
                <ul>{unread.into_iter().take(100).map(|line| view! { <li><code class="break">{line}</code></li> }).collect_view()}</ul>
            </section>
        })}
        <section class="panel">
            <div class="panel-head">
                <h2 class="panel-title">{t(b::BY_DAY_AND_MODEL)}</h2>
                <span class="faint small">{shown_of(shown, u64::try_from(total).unwrap_or(u64::MAX))}</span>
            </div>
            <div class="table-scroll">
                <table class="table rows">
                    <caption class="visually-hidden">{t(b::V_INVOICE)}</caption>
                    <thead>
                        <tr>
                            <th scope="col">{t(b::DAY)}</th>
                            <th scope="col">{t(c::MODEL)}</th>
                            <th scope="col" class="num">{t(b::INVOICED)}</th>
                            <th scope="col" class="num">{t(b::BOOKED)}</th>
                            <th scope="col" class="num">{t(m::DIFFERENCE)}</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        </section>
    }
}
