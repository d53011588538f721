//! The price table: what each model costs, where that comes from, and which models have no price.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use leptos_router::location::Url;
use types::Page;
use types::price::{PriceFilter, PriceSource, PriceView, UnpricedModel};

use crate::api;
use crate::components::flash::{Done, Failed};
use crate::components::head::{Answer, Head};
use crate::components::load::{Empty, load};
use crate::components::pager::Pager;
use crate::components::time::{Time, maybe};
use crate::components::usd::{price, source_words};
use crate::components::{Refresh, failure};
use crate::form::price::rate_fields;
use crate::format;
use crate::text::{Text, common as c, money as m, translator};

/// The page.
#[component]
pub(crate) fn Prices() -> impl IntoView {
    let t = translator();
    let map = use_query_map();
    let filter = Memo::new(move |_| {
        let get = |name: &str| map.with(|map| map.get(name)).filter(|text| !text.is_empty());
        PriceFilter {
            q: get("q"),
            source: get("source").and_then(|text| text.parse().ok()),
            limit: None,
            cursor: get("cursor"),
        }
    });
    let refresh = Refresh::get();
    let sync = ServerAction::<api::price::Sync>::new();
    let sync_failed = failure(sync);
    let rows = Resource::new(move || (filter.get(), refresh.0.get()), |(filter, _)| api::price::list(filter));
    let unpriced = Resource::new(move || refresh.0.get(), |_| api::price::unpriced());
    view! {
        <Head title=t(m::PRICES)>
            <a class="button small quiet" href="/prices/reprice">{t(m::REPRICE)}</a>
            <a class="button small" href="/prices/import">{t(m::IMPORT)}</a>
            <a class="button small primary" href="/prices/edit">{t(m::SET_PRICE)}</a>
        </Head>
        <div class="page">
            <Done/>
            <Failed error=sync_failed/>
            {load(unpriced, |models| view! { <Unpriced models/> })}
            <div class="filters">
                <Sources/>
                <form method="get" action="/prices" class="search">
                    <input class="input" type="search" name="q" value=filter.get_untracked().q placeholder=t(m::FIND)
                        aria-label=t(m::FIND) spellcheck="false"/>
                </form>
                <ActionForm action=sync attr:title=t(m::SYNC_HELP)>
                    <button class="button small quiet" disabled=move || sync.pending().get()>{t(m::SYNC)}</button>
                </ActionForm>
            </div>
            {load(rows, move |page| view! { <List page/> })}
        </div>
    }
}

#[component]
fn Sources() -> impl IntoView {
    let t = translator();
    let map = use_query_map();
    let current = move || map.with(|map| map.get("source").unwrap_or_default());
    let all = [("", c::ALL)].into_iter();
    let named = PriceSource::ALL.iter().rev().map(|source| (source.as_str(), source_words(*source)));
    view! {
        <nav class="tabs" aria-label=t(m::SOURCE)>
            {all.chain(named)
                .map(|(value, words): (&'static str, Text)| view! {
                    <a
                        href=if value.is_empty() { "/prices".to_owned() } else { format!("/prices?source={value}") }
                        aria-current=move || (current() == value).then_some("true")
                    >{t(words)}</a>
                })
                .collect_view()}
        </nav>
    }
}

#[component]
fn Unpriced(models: Vec<UnpricedModel>) -> impl IntoView {
    let t = translator();
    let head = match models.len() {
        0 => return view! { <Answer mood="good" text=t(m::HEAD_ALL_PRICED)/> }.into_any(),
        1 => t(m::HEAD_UNPRICED_ONE).to_owned(),
        n => format!("{n} {}", t(m::HEAD_UNPRICED)),
    };
    let rows = models
        .into_iter()
        .map(|unpriced| {
            let model = Url::escape(&unpriced.model);
            view! {
                <tr>
                    <th scope="row" data-label=t(c::MODEL)><span class="truncate" title=unpriced.model.clone()>{unpriced.model.clone()}</span></th>
                    <td class="num" data-label=t(c::REQUESTS)>
                        <a href=format!("/requests?model={model}&price_state=unpriced")>{format::count(unpriced.requests)}</a>
                    </td>
                    <td class="num" data-label=t(c::TOKENS)>{format::count(unpriced.tokens)}</td>
                    <td data-label=t(m::LATEST)>{maybe(Some(unpriced.last_used_at), "")}</td>
                    <td class="actions">
                        <a class="button small" href=format!("/prices/edit?model={model}")>{t(m::SET_PRICE)}</a>
                        <a class="button small quiet" href=format!("/prices/reprice?model={model}&unpriced_only=on")>{t(m::REPRICE)}</a>
                    </td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <Answer mood="warn" text=head/>
        <section class="panel" id="unpriced">
            <h2 class="panel-title">{t(m::UNPRICED)}</h2>
            <p class="help pad-x">{t(m::UNPRICED_TEXT)}</p>
            <div class="table-scroll">
                <table class="table rows">
                    <caption class="visually-hidden">{t(m::UNPRICED)}</caption>
                    <thead>
                        <tr>
                            <th scope="col">{t(c::MODEL)}</th>
                            <th scope="col" class="num">{t(c::REQUESTS)}</th>
                            <th scope="col" class="num">{t(c::TOKENS)}</th>
                            <th scope="col">{t(m::LATEST)}</th>
                            <th scope="col"><span class="visually-hidden">{t(c::ACTIONS)}</span></th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        </section>
    }
    .into_any()
}

#[component]
fn List(page: Page<PriceView>) -> impl IntoView {
    let t = translator();
    if page.items.is_empty() {
        return view! {
            <div class="panel">
                <Empty title=t(m::NONE_FOUND) text=t(m::NONE_FOUND_TEXT)>
                    <a class="button" href="/prices">{t(c::CLEAR_FILTERS)}</a>
                    <a class="button primary" href="/prices/edit">{t(m::SET_PRICE)}</a>
                </Empty>
            </div>
        }
        .into_any();
    }
    let rows = page.items.into_iter().map(|row| view! { <Row row/> }).collect_view();
    view! {
        <section class="panel">
            <div class="table-scroll">
                <table class="table rows">
                    <caption>{t(m::PER_MILLION)}</caption>
                    <thead>
                        <tr>
                            <th scope="col">{t(c::MODEL)}</th>
                            <th scope="col" class="num">{t(m::INPUT)}</th>
                            <th scope="col" class="num">{t(m::OUTPUT)}</th>
                            <th scope="col" class="num">{t(m::CACHE_READ)}</th>
                            <th scope="col" class="num">{t(m::CACHE_WRITE_5M)}</th>
                            <th scope="col">{t(m::MORE)}</th>
                            <th scope="col">{t(m::SOURCE)}</th>
                            <th scope="col">{t(m::CHANGED)}</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        </section>
        <Pager next=page.next words=(m::FIRST, m::NEXT)/>
    }
    .into_any()
}

#[component]
fn Row(row: PriceView) -> impl IntoView {
    let t = translator();
    let rates = row.spec.rates.clone();
    let href = format!("/prices/edit?model={}", Url::escape(&row.model));
    let input = if row.spec.free { t(m::FREE).into_any() } else { price(rates.input_per_million_usd) };
    let more = more(&row);
    let all = more.join(", ");
    view! {
        <tr>
            <th scope="row" data-label=t(c::MODEL)><a class="truncate wide-truncate" title=row.model.clone() href=href>{row.model.clone()}</a></th>
            <td class="num" data-label=t(m::INPUT)>{input}</td>
            <td class="num" data-label=t(m::OUTPUT)>{price(rates.output_per_million_usd)}</td>
            <td class="num" data-label=t(m::CACHE_READ)>{price(rates.cache_read_per_million_usd)}</td>
            <td class="num" data-label=t(m::CACHE_WRITE_5M)>{price(rates.cache_write_5m_per_million_usd)}</td>
            <td data-label=t(m::MORE)><span class="truncate faint small" title=all.clone()>{all.clone()}</span></td>
            <td data-label=t(m::SOURCE)><span class="truncate" title=row.origin.clone()>{t(source_words(row.source))}</span></td>
            <td data-label=t(m::CHANGED)>{row.updated_at.map(|at| view! { <Time at relative=true/> })}</td>
        </tr>
    }
}

/// What else has a price of its own.
fn more(row: &PriceView) -> Vec<&'static str> {
    let t = translator();
    let spec = &row.spec;
    let known = rate_fields(&spec.rates).map(|(_, amount)| amount.is_some());
    let [_, _, _, _, write_1h, reasoning, audio_in, audio_out, image_in, image_out] = known;
    [
        (write_1h, m::CACHE_WRITE_1H),
        (reasoning, m::REASONING),
        (audio_in, m::AUDIO_INPUT),
        (audio_out, m::AUDIO_OUTPUT),
        (image_in, m::IMAGE_INPUT),
        (image_out, m::IMAGE_OUTPUT),
        (!spec.long_context.is_empty(), m::LONG),
        (spec.priority.is_some(), m::TIER_PRIORITY),
        (spec.flex.is_some(), m::TIER_FLEX),
        (spec.batch.is_some(), m::TIER_BATCH),
        (spec.per_request_usd.is_some(), m::REQUEST),
        (spec.per_image_usd.is_some(), m::IMAGE),
        (spec.web_search_per_call_usd.is_some(), m::WEB_SEARCH),
    ]
    .into_iter()
    .filter(|(known, _)| *known)
    .map(|(_, words)| t(words))
    .collect()
}
