//! A member's own page: usage, keys, latest requests, how to connect.

use leptos::prelude::*;
use types::Page;
use types::api_key::ApiKeyView;
use types::package::GrantView;
use types::request::{RequestFilter, RequestRow};
use types::usage::{OwnUsage, UsageLine, UsageTotals};

use super::quota_panel::OwnQuotas;
use crate::api;
use crate::components::chart::{Chart, Series, Shape};
use crate::components::grant_card::GrantCard;
use crate::components::head::{Answer, Head};
use crate::components::key_table::KeyTable;
use crate::components::load::{Empty, load};
use crate::components::request_table::RequestTable;
use crate::components::snippets::Snippets;
use crate::components::usage_lines::UsageLines;
use crate::format;
use crate::text::{common as c, login as l, money as m, package, request as r, translator};

/// The page.
#[component]
pub(crate) fn Me() -> impl IntoView {
    let t = translator();
    let usage = Resource::new(|| (), |()| api::me::usage());
    let keys = Resource::new(|| (), |()| api::me::keys());
    let latest = RequestFilter { limit: Some(10), ..RequestFilter::default() };
    let requests = Resource::new(move || latest.clone(), api::me::requests);
    view! {
        <Head title=t(l::ME_TITLE)/>
        <div class="page">
            {load(usage, |usage| view! { <Usage usage/> })}
            <section class="panel">
                <h2 class="panel-title">{t(l::MY_KEYS)}</h2>
                {load(keys, move |keys: Vec<ApiKeyView>| if keys.is_empty() {
                    view! { <Empty title=t(l::MY_KEYS_EMPTY)/> }.into_any()
                } else {
                    view! { <KeyTable keys linked=false owners=false/> }.into_any()
                })}
            </section>
            <section class="panel">
                <div class="panel-head">
                    <h2 class="panel-title">{t(l::MY_REQUESTS)}</h2>
                    <a class="button small quiet" href="/requests">{t(c::ALL)}</a>
                </div>
                {load(requests, move |page: Page<RequestRow>| if page.items.is_empty() {
                    view! { <Empty title=t(r::EMPTY)/> }.into_any()
                } else {
                    view! { <RequestTable rows=page.items/> }.into_any()
                })}
            </section>
            <Snippets key=None/>
        </div>
    }
}

#[component]
fn Usage(usage: OwnUsage) -> impl IntoView {
    let t = translator();
    let OwnUsage { today, last_30_days, by_day, by_model, quotas, packages, .. } = usage;
    let answer = if today.requests == 0 {
        t(l::HEAD_NONE).to_owned()
    } else {
        format!("{} {}", format::count(today.requests), t(l::HEAD_SOME))
    };
    let tile = move |title: &'static str, totals: UsageTotals| {
        view! {
            <div class="tile">
                <span class="tile-name">{title}</span>
                <span class="tile-number" title=format!("${}", totals.cost_usd.display())>{format::usd_short(totals.cost_usd)}</span>
                <span class="tile-note">
                    {format::count(totals.requests)} " " {t(c::REQUESTS)} " · " {format::compact(format::tokens(&totals))} " " {t(c::TOKENS)} " · " {format::count(totals.errors)} " " {t(c::ERRORS)}
                </span>
            </div>
        }
    };
    let any = by_day.iter().any(|line| line.totals.requests > 0);
    let details = if any {
        let labels = by_day.iter().map(|line| line.key.chars().take(10).collect()).collect::<Vec<String>>();
        let values =
            |pick: fn(&UsageLine) -> u64| by_day.iter().map(|line| Some(pick(line))).collect::<Vec<_>>();
        let series = vec![Series {
            name: t(m::COST),
            class: "s1",
            values: values(|line| format::nano(line.totals.cost_usd)),
        }];
        view! {
            <div class="grid two">
                <Chart title=t(l::BY_DAY) shape=Shape::Bars labels series unit=format::usd_nano/>
                <div class="panel"><UsageLines title=l::BY_MODEL lines=by_model/></div>
            </div>
        }
        .into_any()
    } else {
        view! { <div class="panel"><Empty title=t(l::NO_USAGE)/></div> }.into_any()
    };
    view! {
        <Answer mood="calm" text=answer/>
        <Packages grants=packages/>
        <OwnQuotas lines=quotas title=t(package::MY_QUOTAS)/>
        <div class="tiles">{tile(t(l::TODAY), today)} {tile(t(l::LAST_30_DAYS), last_30_days)}</div>
        {details}
    }
}

#[component]
fn Packages(grants: Vec<GrantView>) -> impl IntoView {
    let t = translator();
    (!grants.is_empty()).then(|| {
        view! {
            <section class="panel">
                <h2 class="panel-title">{t(package::MY_PACKAGES)}</h2>
                <ul class="cards">{grants.into_iter().map(|grant| view! { <GrantCard grant/> }).collect_view()}</ul>
            </section>
        }
    })
}
