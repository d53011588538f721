//! The request log: filters in the address, cursor paging, and the live tail above it (LG-03, US-07).

use leptos::prelude::*;
use leptos_router::components::Redirect;
use leptos_router::hooks::use_query_map;
use types::Page;
use types::price::PriceState;
use types::request::{RequestFilter, RequestRow};

use crate::api;
use crate::components::head::Head;
use crate::components::live_tail::LiveTail;
use crate::components::load::{Empty, load};
use crate::components::pager::Pager;
use crate::components::request_table::RequestTable;
use crate::components::usd::state_words;
use crate::components::{Refresh, query};
use crate::host::Facts;
use crate::text::{Text, common as c, request as r, translator};

/// Query parameters that filter; the others page.
const FILTERS: &[&str] = &[
    "key_id",
    "user_id",
    "provider_id",
    "credential_id",
    "status",
    "model",
    "error_code",
    "price_state",
    "session_id",
    "since",
    "until",
];

/// The page: everybody's for administrators, his own for a member.
#[component]
pub(crate) fn Requests() -> impl IntoView {
    let t = translator();
    let is_admin =
        use_context::<Facts>().and_then(|facts| facts.viewer).is_some_and(|viewer| viewer.is_admin);
    let map = use_query_map();
    let filter =
        Memo::new(move |_| map.with(|map| filter_of(|name| map.get(name).filter(|v| !v.is_empty()))));
    let refresh = Refresh::get();
    let rows = Resource::new(
        move || (filter.get(), refresh.0.get()),
        move |(filter, _)| async move {
            if is_admin { api::request::list(filter).await } else { api::me::requests(filter).await }
        },
    );
    // A whole id typed into the filter opens that request.
    let wanted = query("request_id").get_untracked();
    if let Some(id) = wanted {
        let path = format!("/requests/{}", leptos_router::location::Url::escape(id.trim()));
        return view! { <Redirect path/> }.into_any();
    }
    view! {
        <Head title=if is_admin { t(r::TITLE) } else { t(c::NAV_MY_REQUESTS) }>
            <a class="button small quiet" href="" rel="external">{t(c::REFRESH)}</a>
        </Head>
        <div class="page">
            <Filters filter=filter.get_untracked() is_admin/>
            {is_admin.then(|| view! { <LiveTail/> })}
            {load(rows, move |page| view! { <List page/> })}
        </div>
    }
    .into_any()
}

/// Reads the filter out of query parameters. What does not parse filters nothing, but is shown in its field.
fn filter_of(get: impl Fn(&str) -> Option<String>) -> RequestFilter {
    fn parsed<T: std::str::FromStr>(text: Option<String>) -> Option<T> {
        text.and_then(|text| text.trim().parse().ok())
    }
    RequestFilter {
        key_id: parsed(get("key_id")),
        user_id: parsed(get("user_id")),
        provider_id: parsed(get("provider_id")),
        credential_id: parsed(get("credential_id")),
        status: get("status"),
        model: get("model"),
        error_code: get("error_code"),
        price_state: parsed(get("price_state")),
        session_id: get("session_id"),
        since: parsed(get("since")),
        until: parsed(get("until")),
        limit: parsed(get("limit")),
        cursor: get("cursor"),
    }
}

fn is_filtered() -> bool {
    let map = use_query_map();
    map.with_untracked(|map| FILTERS.iter().any(|name| map.get(name).is_some_and(|value| !value.is_empty())))
}

#[component]
fn List(page: Page<RequestRow>) -> impl IntoView {
    let t = translator();
    let paged = use_query_map().with_untracked(|map| map.get("cursor").is_some());
    if page.items.is_empty() {
        let empty = if paged {
            view! { <Empty title=t(r::PAST_END)><a class="button" href="/requests">{t(c::FIRST_PAGE)}</a></Empty> }.into_any()
        } else if is_filtered() {
            view! {
                <Empty title=t(r::FILTERED) text=t(r::FILTERED_TEXT)>
                    <a class="button" href="/requests">{t(c::CLEAR_FILTERS)}</a>
                </Empty>
            }
            .into_any()
        } else {
            view! { <Empty title=t(r::EMPTY) text=t(r::EMPTY_TEXT)/> }.into_any()
        };
        return view! { <div class="panel">{empty}</div> }.into_any();
    }
    view! {
        <div class="panel"><RequestTable rows=page.items/></div>
        <Pager next=page.next/>
    }
    .into_any()
}

#[component]
fn Filters(filter: RequestFilter, is_admin: bool) -> impl IntoView {
    let t = translator();
    let map = use_query_map();
    let quick: [(&str, Text); 5] = [
        ("", r::S_ALL),
        ("ok", r::S_OK),
        ("error", r::S_ERROR),
        ("refused", r::S_REFUSED),
        ("client_gone", r::S_CLIENT_GONE),
    ];
    let current = move || map.with(|map| map.get("status").unwrap_or_default());
    let text = move |name: &'static str| map.with_untracked(|map| map.get(name).unwrap_or_default());
    let field = move |name: &'static str, words: Text, kind: &'static str| {
        view! {
            <label class="filter">
                <span>{t(words)}</span>
                <input class="input" type=kind name=name value=text(name) spellcheck="false" autocomplete="off"/>
            </label>
        }
    };
    let id = |name: &'static str, value: Option<String>| {
        value.map(|value| view! { <input type="hidden" name=name value=value/> })
    };
    // The status has its tabs; the other filters unfold the form.
    let any = map.with_untracked(|map| {
        FILTERS.iter().any(|name| *name != "status" && map.get(name).is_some_and(|value| !value.is_empty()))
    });
    view! {
        <div class="filters">
            <nav class="tabs" aria-label=t(c::STATUS)>
                {quick
                    .into_iter()
                    .map(|(value, words)| view! {
                        <a
                            href=if value.is_empty() { "/requests".to_owned() } else { format!("/requests?status={value}") }
                            aria-current=move || (current() == value).then_some("true")
                        >{t(words)}</a>
                    })
                    .collect_view()}
            </nav>
            <form method="get" action="/requests" class="search">
                <input class="input" type="search" name="request_id" placeholder=t(r::F_REQUEST_ID)
                    aria-label=t(r::F_REQUEST_ID) spellcheck="false"/>
            </form>
            <details class="filter-more" open=any>
                <summary class="button small">{t(c::FILTERS)}</summary>
                <form method="get" action="/requests" class="filter-form">
                    {field("status", r::F_STATUS, "text")}
                    {field("model", r::F_MODEL, "text")}
                    {field("error_code", r::F_ERROR_CODE, "text")}
                    <label class="filter">
                        <span>{t(r::F_PRICE)}</span>
                        <select class="input" name="price_state">
                            <option value="">{t(c::ALL)}</option>
                            {PriceState::ALL
                                .iter()
                                .map(|state| view! {
                                    <option value=state.as_str() selected=text("price_state") == state.as_str()>{t(state_words(*state))}</option>
                                })
                                .collect_view()}
                        </select>
                    </label>
                    {field("session_id", r::F_SESSION, "text")}
                    {field("since", r::F_SINCE, "datetime-local")}
                    {field("until", r::F_UNTIL, "datetime-local")}
                    {is_admin.then(|| view! {
                        {id("key_id", filter.key_id.map(|id| id.to_string()))}
                        {id("user_id", filter.user_id.map(|id| id.to_string()))}
                        {id("provider_id", filter.provider_id.map(|id| id.to_string()))}
                        {id("credential_id", filter.credential_id.map(|id| id.to_string()))}
                    })}
                    <label class="filter">
                        <span>{t(r::PER_PAGE)}</span>
                        <select class="input" name="limit">
                            {["50", "100", "200", "500"]
                                .map(|n| view! { <option value=n selected=text("limit") == n>{n}</option> })
                                .collect_view()}
                        </select>
                    </label>
                    <div class="filter-actions">
                        <button class="button primary small">{t(c::APPLY)}</button>
                        <a class="button quiet small" href="/requests">{t(c::CLEAR_FILTERS)}</a>
                    </div>
                </form>
            </details>
            <ActiveFilters/>
        </div>
    }
}

/// Which filters by identity are on; the text filters show in their fields.
#[component]
fn ActiveFilters() -> impl IntoView {
    let t = translator();
    let map = use_query_map();
    move || {
        let chips = [
            ("key_id", c::KEY),
            ("user_id", c::USER),
            ("provider_id", c::PROVIDER),
            ("credential_id", c::CREDENTIAL),
        ]
        .into_iter()
        .filter_map(|(name, words)| {
            let value = map.with(|map| map.get(name)).filter(|value| !value.is_empty())?;
            Some(view! { <span class="chip on">{t(words)} " #" {value}</span> })
        })
        .collect::<Vec<_>>();
        (!chips.is_empty()).then(|| {
            view! {
                <p class="chips">{chips} <a href="/requests">{t(c::CLEAR_FILTERS)}</a></p>
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_read_from_the_address() {
        let filter = filter_of(|name| match name {
            "key_id" => Some("7".into()),
            "status" => Some("5xx".into()),
            "since" => Some("2026-11-21T08:30".into()),
            "user_id" => Some("nobody".into()),
            _ => None,
        });
        assert_eq!(filter.key_id.map(|id| id.0), Some(7));
        assert_eq!(filter.status.as_deref(), Some("5xx"));
        assert!(filter.since.is_some() && filter.user_id.is_none());
    }
}
