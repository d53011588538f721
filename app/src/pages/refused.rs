//! RL-03: which client addresses does the limit per address refuse? The figures are the edge's own, in memory.

use leptos::prelude::*;
use types::quota::{RefusedAddress, RefusedAddresses};

use crate::api;
use crate::components::Refresh;
use crate::components::load::{Empty, load};
use crate::components::time::Time;
use crate::format;
use crate::text::{limit as l, translator};

/// The card.
#[component]
pub(crate) fn RefusedCard() -> impl IntoView {
    let t = translator();
    let refresh = Refresh::get();
    let refused = Resource::new(move || refresh.0.get(), |_| api::quota::refused());
    view! {
        <section class="panel" id="refused">
            <div class="panel-head">
                <h2 class="panel-title">{t(l::REFUSED)}</h2>
                <div class="chips">
                    <a class="button small quiet" href="/requests?error_code=ip_rate_limited">{t(l::REFUSED_LOG)}</a>
                    <a class="button small quiet" href="/requests?error_code=rate_limit_exceeded">{t(l::REFUSED_OTHERS)}</a>
                </div>
            </div>
            {load(refused, |refused| view! { <Addresses refused/> })}
        </section>
    }
}

#[component]
fn Addresses(refused: RefusedAddresses) -> impl IntoView {
    let t = translator();
    let RefusedAddresses { per_minute, refused, items } = refused;
    let limit = match per_minute {
        0 => t(l::REFUSED_OFF).to_owned(),
        n => format!("{} {}", format::count(n.into()), t(l::REFUSED_LIMIT)),
    };
    let sums = format!(" · {} {}. ", format::count(refused), t(l::REFUSED_SUM));
    let table = if items.is_empty() {
        view! { <Empty title=t(l::REFUSED_NONE)/> }.into_any()
    } else {
        let rows = items.into_iter().map(|one| view! { <Row one/> }).collect_view();
        view! {
            <div class="table-scroll">
                <table class="table rows">
                    <caption class="visually-hidden">{t(l::REFUSED)}</caption>
                    <thead>
                        <tr>
                            <th scope="col">{t(l::REFUSED_ADDRESS)}</th>
                            <th scope="col" class="num">{t(l::REFUSED_TIMES)}</th>
                            <th scope="col">{t(l::REFUSED_SINCE)} " (UTC)"</th>
                            <th scope="col">{t(l::REFUSED_LATEST)}</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        }
        .into_any()
    };
    view! {
        <p class="help pad-x"><a href="/settings">{limit}</a> {sums} {t(l::REFUSED_TEXT)}</p>
        {table}
    }
}

#[component]
fn Row(one: RefusedAddress) -> impl IntoView {
    let t = translator();
    let RefusedAddress { address, refused, since, latest } = one;
    view! {
        <tr>
            <th scope="row" data-label=t(l::REFUSED_ADDRESS)><code class="break">{address}</code></th>
            <td class="num" data-label=t(l::REFUSED_TIMES)>{format::count(refused)}</td>
            <td data-label=t(l::REFUSED_SINCE) class="nowrap"><Time at=since/></td>
            <td data-label=t(l::REFUSED_LATEST) class="nowrap"><Time at=latest relative=true/></td>
        </tr>
    }
}
