//! The books: do they agree? Audit, reconciliation, corrections, a vendor's invoice.
//!
//! What is asked stands in the address, so that it works without scripts and can be shared.

use leptos::prelude::*;
use types::books::{Adjustment, AuditReport};

use super::invoice::Invoice;
use super::reconcile::Reconcile;
use crate::api;
use crate::components::adjustments::Adjustments;
use crate::components::flash::Done;
use crate::components::head::{Answer, Head};
use crate::components::load::{Empty, load};
use crate::components::query;
use crate::components::time::Time;
use crate::format;
use crate::text::{Text, books as b, common as c, translator};

const VIEWS: [(&str, Text); 4] = [
    ("", b::V_AUDIT),
    ("reconcile", b::V_RECONCILE),
    ("adjustments", b::V_ADJUSTMENTS),
    ("invoice", b::V_INVOICE),
];

/// The page.
#[component]
pub(crate) fn Ledger() -> impl IntoView {
    let t = translator();
    let view = query("view");
    let body = move || match view.get().as_deref() {
        Some("reconcile") => view! { <Reconcile/> }.into_any(),
        Some("adjustments") => view! { <AdjustmentList/> }.into_any(),
        Some("invoice") => view! { <Invoice/> }.into_any(),
        _ => view! { <Audit/> }.into_any(),
    };
    view! {
        <Head title=t(b::LEDGER)>
            <nav class="tabs" aria-label=t(b::LEDGER)>
                {VIEWS
                    .into_iter()
                    .map(|(value, words)| view! {
                        <a
                            href=if value.is_empty() { "/ledger".to_owned() } else { format!("/ledger?view={value}") }
                            aria-current=move || (view.get().unwrap_or_default() == value).then_some("true")
                        >{t(words)}</a>
                    })
                    .collect_view()}
            </nav>
        </Head>
        <div class="page">
            <Done/>
            {body}
        </div>
    }
}

#[component]
fn Audit() -> impl IntoView {
    let t = translator();
    let run = query("run");
    let report = Resource::new(
        move || run.get(),
        |run| async move { if run.is_some() { api::ledger::audit().await.map(Some) } else { Ok(None) } },
    );
    view! {
        <section class="panel pad ask">
            <p>{t(b::AUDIT_TEXT)}</p>
            // Another number in the address asks again.
            <a class="button primary" rel="external" href="/ledger?run=1">{t(b::AUDIT_NOW)}</a>
        </section>
        {load(report, move |report: Option<AuditReport>| match report {
            Some(report) => view! { <Report report/> }.into_any(),
            None => view! { <div class="panel"><Empty title=t(b::AUDIT_FIRST)/></div> }.into_any(),
        })}
    }
}

#[component]
fn Report(report: AuditReport) -> impl IntoView {
    let t = translator();
    let AuditReport { at, checked, invariants, violations, duration_ms } = report;
    let (mood, text) = match violations.len() {
        0 => ("good", t(b::AUDIT_OK).to_owned()),
        n => ("bad", format!("{n} {}", t(b::AUDIT_BAD))),
    };
    let rows = violations
        .into_iter()
        .map(|violation| {
            // Requests have pages; other subjects are named only.
            let request = violation.subject.len() == 36;
            let subject = violation.subject;
            let href = format!("/requests/{subject}");
            let cell = if request {
                view! { <a href=href><code class="truncate">{subject}</code></a> }.into_any()
            } else {
                view! { <span class="wrap">{subject}</span> }.into_any()
            };
            view! {
                <tr>
                    <th scope="row" data-label=t(b::INVARIANT)><code>{violation.invariant}</code></th>
                    <td data-label=t(b::SUBJECT)>{cell}</td>
                    <td data-label=t(b::WHAT_IS_WRONG)><span class="wrap">{violation.message}</span></td>
                </tr>
            }
        })
        .collect::<Vec<_>>();
    let table = (!rows.is_empty()).then(|| {
        view! {
            <section class="panel table-scroll">
                <table class="table rows">
                    <caption class="visually-hidden">{t(b::WHAT_IS_WRONG)}</caption>
                    <thead>
                        <tr>
                            <th scope="col">{t(b::INVARIANT)}</th>
                            <th scope="col">{t(b::SUBJECT)}</th>
                            <th scope="col">{t(b::WHAT_IS_WRONG)}</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </section>
        }
    });
    view! {
        <Answer mood text>
            <span class="faint">{format::count(checked)} " " {t(b::CHECKED)} " · " {format::duration(duration_ms)} " · " <Time at/> " UTC"</span>
        </Answer>
        {table}
        <section class="panel pad">
            <h2>{t(b::INVARIANTS)}</h2>
            <p class="chips">{invariants.into_iter().map(|name| view! { <span class="chip">{name}</span> }).collect_view()}</p>
        </section>
    }
}

#[component]
fn AdjustmentList() -> impl IntoView {
    let t = translator();
    let list = Resource::new(|| (), |()| api::price::adjustments());
    view! {
        <section class="panel">
            <h2 class="visually-hidden">{t(b::V_ADJUSTMENTS)}</h2>
            {load(list, |adjustments: Vec<Adjustment>| view! { <Adjustments adjustments/> })}
        </section>
        <p class="help">{t(c::DETAILS)} ": " <a href="/audit?object=adjustment">{t(c::NAV_AUDIT)}</a></p>
    }
}
