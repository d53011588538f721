//! Corrections of the books, as kept for ever.

use leptos::prelude::*;
use types::books::Adjustment;
use types::money::signed_usd;

use super::load::Empty;
use super::time::Time;
use super::usd::usd;
use crate::format;
use crate::text::{common as c, money as m, translator};

/// A table of adjustments, newest first.
#[component]
pub(crate) fn Adjustments(adjustments: Vec<Adjustment>) -> impl IntoView {
    let t = translator();
    if adjustments.is_empty() {
        return view! { <Empty title=t(m::ADJUSTMENTS_NONE) text=t(m::REPRICE_TEXT)><a class="button" href="/prices/reprice">{t(m::REPRICE)}</a></Empty> }.into_any();
    }
    let rows = adjustments
        .into_iter()
        .map(|row| {
            let difference = signed_usd(row.after_usd.nano() - row.before_usd.nano());
            view! {
                <tr>
                    <td data-label=t(c::TIME) class="nowrap"><Time at=row.at/></td>
                    <td data-label=t(m::WHO)>{row.actor}</td>
                    <td data-label=t(m::REASON)><span class="wrap">{row.reason}</span></td>
                    <td data-label=t(m::ROWS) class="num">{format::count(row.rows)}</td>
                    <td data-label=t(m::SUM_BEFORE) class="num">{usd(row.before_usd)}</td>
                    <td data-label=t(m::SUM_AFTER) class="num">{usd(row.after_usd)}</td>
                    <td data-label=t(m::DIFFERENCE) class="num">{difference}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <div class="table-scroll">
            <table class="table rows">
                <caption class="visually-hidden">{t(m::ADJUSTMENTS)}</caption>
                <thead>
                    <tr>
                        <th scope="col">{t(c::TIME)} " (UTC)"</th>
                        <th scope="col">{t(m::WHO)}</th>
                        <th scope="col">{t(m::REASON)}</th>
                        <th scope="col" class="num">{t(m::ROWS)}</th>
                        <th scope="col" class="num">{t(m::SUM_BEFORE)}</th>
                        <th scope="col" class="num">{t(m::SUM_AFTER)}</th>
                        <th scope="col" class="num">{t(m::DIFFERENCE)}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}
