//! Every limit with what is used of it, worst first (US-03): will it last?

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use types::quota::{QuotaFilter, QuotaLine, ScopeKind};

use super::quota_panel::{FILTER_NAMES, SHARES};
use super::refused::RefusedCard;
use crate::api;
use crate::components::Refresh;
use crate::components::head::{Answer, Head};
use crate::components::load::{Empty, load};
use crate::components::quota::{QuotaBars, scope_words};
use crate::text::{common as c, limit as l, translator};

/// The page.
#[component]
pub(crate) fn Quotas() -> impl IntoView {
    let t = translator();
    let map = use_query_map();
    let filter = Memo::new(move |_| map.with(|map| filter_of(|name| map.get(name))));
    let refresh = Refresh::get();
    let lines =
        Resource::new(move || (filter.get(), refresh.0.get()), |(filter, _)| api::quota::list(filter));
    let read = move |name: &str| map.with(|map| map.get(name).unwrap_or_default());
    let (share, scope) = (move || read("min_percent"), move || read("scope"));
    view! {
        <Head title=t(l::QUOTAS)>
            <nav class="tabs" aria-label=t(c::FILTERS)>
                {SHARES
                    .into_iter()
                    .map(|(value, words)| view! {
                        <a
                            href=move || address(value, &scope())
                            aria-current=move || (share() == value).then_some("true")
                        >{t(words)}</a>
                    })
                    .collect_view()}
            </nav>
            <a class="button small quiet" href="" rel="external">{t(c::REFRESH)}</a>
        </Head>
        <div class="page">
            <nav class="chips" aria-label=t(l::WHOSE)>
                <span class="faint">{t(l::WHOSE)}</span>
                {SCOPES
                    .into_iter()
                    .map(|of| {
                        let value = of.map(ScopeKind::as_str).unwrap_or_default();
                        view! {
                            <a
                                class="chip"
                                class:on=move || scope() == value
                                href=move || address(&share(), value)
                                aria-current=move || (scope() == value).then_some("true")
                            >{t(of.map_or(l::O_ALL, scope_words))}</a>
                        }
                    })
                    .collect_view()}
            </nav>
            {move || {
                let chips = FILTER_NAMES
                    .into_iter()
                    .filter_map(|(name, words)| {
                        let value = map.with(|map| map.get(name)).filter(|value| !value.is_empty())?;
                        Some(view! { <span class="chip on">{t(words)} " #" {value}</span> })
                    })
                    .collect::<Vec<_>>();
                (!chips.is_empty()).then(|| view! { <p class="chips">{chips} <a href="/quotas">{t(c::CLEAR_FILTERS)}</a></p> })
            }}
            {load(lines, move |lines: Vec<QuotaLine>| view! { <List lines filtered=!(share().is_empty() && scope().is_empty())/> })}
            <RefusedCard/>
        </div>
    }
}

/// What the lines can be narrowed to; `None` is everything.
const SCOPES: [Option<ScopeKind>; 8] = [
    None,
    Some(ScopeKind::Global),
    Some(ScopeKind::User),
    Some(ScopeKind::Key),
    Some(ScopeKind::Group),
    Some(ScopeKind::Package),
    Some(ScopeKind::Provider),
    Some(ScopeKind::Credential),
];

/// This page with both filters.
fn address(share: &str, scope: &str) -> String {
    let filters = [("min_percent", share), ("scope", scope)];
    let set: Vec<String> = filters
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    if set.is_empty() { "/quotas".to_owned() } else { format!("/quotas?{}", set.join("&")) }
}

fn filter_of(get: impl Fn(&str) -> Option<String>) -> QuotaFilter {
    fn parsed<T: std::str::FromStr>(text: Option<String>) -> Option<T> {
        text.and_then(|text| text.trim().parse().ok())
    }
    QuotaFilter {
        user_id: parsed(get("user_id")),
        key_id: parsed(get("key_id")),
        provider_id: parsed(get("provider_id")),
        credential_id: parsed(get("credential_id")),
        min_percent: parsed(get("min_percent")),
        scope: parsed(get("scope")),
    }
}

#[component]
fn List(lines: Vec<QuotaLine>, filtered: bool) -> impl IntoView {
    let t = translator();
    if lines.is_empty() {
        let empty = if filtered {
            view! {
                <Empty title=t(l::QUOTAS_FILTERED)><a class="button" href="/quotas">{t(c::CLEAR_FILTERS)}</a></Empty>
            }
            .into_any()
        } else {
            view! {
                <Empty title=t(l::QUOTAS_HEAD_NONE) text=t(l::QUOTAS_EMPTY_TEXT)>
                    <a class="button primary" href="/users">{t(c::NAV_USERS)}</a>
                    <a class="button" href="/settings">{t(c::NAV_SETTINGS)}</a>
                </Empty>
            }
            .into_any()
        };
        return view! { <div class="panel">{empty}</div> }.into_any();
    }
    let near = lines.iter().filter(|line| line.percent.is_some_and(|percent| percent >= 90)).count();
    let (mood, head) = match near {
        0 => ("good", t(l::QUOTAS_HEAD_FINE).to_owned()),
        n => ("warn", format!("{n} {}", t(l::QUOTAS_HEAD_NEAR))),
    };
    view! {
        <Answer mood text=head/>
        <section class="panel"><QuotaBars lines named=true linked=true/></section>
    }
    .into_any()
}
