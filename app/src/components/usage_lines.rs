//! Usage by something, as a table with a bar for each line's share.

use leptos::prelude::*;
use types::usage::UsageLine;

use super::usd::usd;
use crate::format;
use crate::text::{Text, common as c, money as m, overview as o, translator};

/// Lines with bars; each leads to the requests behind it where `href` says so.
#[component]
pub(crate) fn UsageLines(
    /// Caption.
    title: Text,
    /// The lines, largest first.
    lines: Vec<UsageLine>,
    /// Address of the rows behind a line.
    #[prop(optional)]
    href: Option<fn(&UsageLine) -> String>,
) -> impl IntoView {
    let t = translator();
    let most = lines.iter().map(|line| line.totals.requests).max().unwrap_or(0).max(1);
    let rows = lines
        .into_iter()
        .map(|line| {
            // Requests that reached no key or provider are booked on none, which the books write as 0.
            let known = !line.key.is_empty() && line.key != "0";
            let link = href.filter(|_| known).map(|href| href(&line));
            let name = line.label.clone().unwrap_or_else(|| line.key.clone());
            let name = if known { name } else { t(o::UNKNOWN).to_owned() };
            let width = (line.totals.requests * 100).div_ceil(most);
            let tokens = format::tokens(&line.totals);
            view! {
                <tr>
                    <th scope="row" data-label=t(c::NAME)>
                        {match link {
                            Some(link) => view! { <a href=link class="truncate">{name}</a> }.into_any(),
                            None => view! { <span class="truncate">{name}</span> }.into_any(),
                        }}
                        <svg class="share" viewBox="0 0 100 3" preserveAspectRatio="none" aria-hidden="true">
                            <rect class="share-bar" x="0" y="0" width=width.to_string() height="3"/>
                        </svg>
                    </th>
                    <td class="num" data-label=t(c::REQUESTS)>{format::count(line.totals.requests)}</td>
                    <td class="num" data-label=t(m::COST)>{usd(line.totals.cost_usd)}</td>
                    <td class="num" data-label=t(c::TOKENS) title=format::count(tokens)>{format::compact(tokens)}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <div class="table-scroll">
        <table class="table">
            <caption>{t(title)}</caption>
            <thead>
                <tr>
                    <th scope="col">{t(c::NAME)}</th>
                    <th scope="col" class="num">{t(c::REQUESTS)}</th>
                    <th scope="col" class="num">{t(m::COST)}</th>
                    <th scope="col" class="num">{t(c::TOKENS)}</th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </table>
        </div>
    }
}
