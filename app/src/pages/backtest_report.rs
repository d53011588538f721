//! What a backtest found: before and after, and the button that puts the values into force.

use leptos::prelude::*;
use types::simulation::{Backtest, BacktestReport};

use crate::api;
use crate::components::confirm::Confirm;
use crate::components::head::Answer;
use crate::components::usd::usd;
use crate::format;
use crate::text::{common as c, routing as w, translator};

/// The report on the values that were tried.
#[component]
pub(crate) fn Report(
    ask: Backtest,
    report: BacktestReport,
    apply: ServerAction<api::routing::Apply>,
) -> impl IntoView {
    let t = translator();
    let changed = ask.strategy.is_some() || ask.tier_order.is_some() || !ask.providers.is_empty();
    let n = format::count;
    let ms = |ms: Option<u64>| ms.map_or_else(|| "–".to_owned(), format::duration);
    let mood = if report.unserved > 0 { "bad" } else { "calm" };
    let answer = format!("{} / {} {}", n(report.moved), n(report.requests), t(w::MOVED));
    let unserved = (report.unserved > 0)
        .then(|| view! { <strong class="state bad">{n(report.unserved)} " " {t(w::UNSERVED)}</strong> });
    let skipped = (report.skipped > 0)
        .then(|| view! { <span class="faint">{n(report.skipped)} " " {t(w::SKIPPED)} " (" {t(w::SKIPPED_NOTE)} ")"</span> });
    // The span belongs to the question, not to what is put into force.
    let policy = Backtest { since: None, until: None, limit: None, ..ask };
    let policy = serde_json::to_string(&policy).unwrap_or_default();
    let save = if changed {
        view! {
            <Confirm what="policy" trigger=w::SAVE_POLICY title=w::SAVE_TITLE text=w::SAVE_TEXT subject=answer.clone()>
                <ActionForm action=apply>
                    <input type="hidden" name="policy" value=policy/>
                    <button class="button primary">{t(w::SAVE_POLICY)}</button>
                </ActionForm>
            </Confirm>
        }
        .into_any()
    } else {
        view! { <span class="faint">{t(w::BACKTEST_SAME)}</span> }.into_any()
    };
    let line = move |words, before: AnyView, after: AnyView| {
        view! {
            <tr>
                <th scope="row" data-label="">{t(words)}</th>
                <td class="num" data-label=t(w::BEFORE)>{before}</td>
                <td class="num" data-label=t(w::AFTER)>{after}</td>
            </tr>
        }
    };
    let head = move |first: &'static str| {
        view! {
            <thead>
                <tr>
                    <th scope="col">{first}</th>
                    <th scope="col" class="num">{t(w::BEFORE)}</th>
                    <th scope="col" class="num">{t(w::AFTER)}</th>
                </tr>
            </thead>
        }
    };
    let providers = report
        .providers
        .iter()
        .map(|one| {
            let href = format!("/providers/{}", one.provider_id);
            view! {
                <tr>
                    <th scope="row" data-label=t(c::PROVIDER)><a class="truncate" href=href>{one.name.clone()}</a></th>
                    <td class="num" data-label=t(w::BEFORE)>{n(one.before)}</td>
                    <td class="num" data-label=t(w::AFTER)>{n(one.after)}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <Answer mood text=answer>{unserved} {skipped} {save}</Answer>
        <div class="grid two" id="report">
            <section class="panel table-scroll">
                <table class="table rows">
                    <caption class="visually-hidden">{t(w::V_BACKTEST)}</caption>
                    {head(t(w::LOOKED_AT))}
                    <tbody>
                        {line(w::COST, usd(report.cost_before), usd(report.cost_after))}
                        {line(w::FAILOVERS, n(report.failovers_before).into_any(), n(report.failovers_after).into_any())}
                        {line(c::FIRST_BYTE, ms(report.first_byte_ms_before).into_any(), ms(report.first_byte_ms_after).into_any())}
                    </tbody>
                </table>
            </section>
            <section class="panel table-scroll">
                <table class="table rows">
                    <caption class="visually-hidden">{t(w::FIRST_CHOICES)}</caption>
                    {head(t(w::FIRST_CHOICES))}
                    <tbody>{providers}</tbody>
                </table>
            </section>
        </div>
        <p class="help">{t(w::BACKTEST_NOTE)}</p>
    }
}
