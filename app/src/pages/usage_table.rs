//! The table of the usage page: tokens by class, and what they cost; most expensive first, or in time.

use leptos::prelude::*;
use leptos_router::location::Url;
use types::Timestamp;
use types::usage::{UsageBy, UsageLine, UsageTotals};

use crate::components::usd::usd;
use crate::format;
use crate::text::{Text, books as b, common as c, money as m, overview as o, translator};

/// Lines with sums below.
#[component]
pub(crate) fn UsageTable(lines: Vec<UsageLine>, by: UsageBy) -> impl IntoView {
    let t = translator();
    let in_time = matches!(by, UsageBy::Day | UsageBy::Hour);
    let mut lines = lines;
    if in_time {
        lines.sort_by(|a, b| b.key.cmp(&a.key));
    } else {
        lines.sort_by(|a, b| {
            (b.totals.cost_usd, b.totals.requests).cmp(&(a.totals.cost_usd, a.totals.requests))
        });
    }
    let sum = lines.iter().fold(UsageTotals::default(), |sum, line| plus(sum, line.totals));
    let unpriced = sum.unpriced > 0;
    let rows = lines
        .into_iter()
        .enumerate()
        .map(|(place, line)| {
            view! { <Row line by place=(!in_time).then_some(place + 1) whole=sum unpriced/> }
        })
        .collect_view();
    view! {
        <div class="table-scroll">
            <table class="table rows usage">
                <caption class="visually-hidden">{t(b::USAGE)}</caption>
                <thead>
                    <tr>
                        <th scope="col">{t(by_words(by))}</th>
                        <th scope="col" class="num">{t(m::COST)}</th>
                        <th scope="col" class="num">{t(b::SHARE)}</th>
                        <th scope="col" class="num">{t(m::PROVIDER_COST)}</th>
                        <th scope="col" class="num">{t(c::REQUESTS)}</th>
                        <th scope="col" class="num">{t(c::ERRORS)}</th>
                        <th scope="col" class="num">{t(c::TOKENS_IN)}</th>
                        <th scope="col" class="num">{t(c::TOKENS_OUT)}</th>
                        <th scope="col" class="num">{t(c::CACHE_READ)}</th>
                        <th scope="col" class="num">{t(c::CACHE_WRITE)}</th>
                        {unpriced.then(|| view! { <th scope="col" class="num">{t(m::P_UNPRICED)}</th> })}
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
                <tfoot>
                    <tr>
                        <th scope="row">{t(b::SUM)}</th>
                        <Figures totals=sum whole=sum unpriced/>
                    </tr>
                </tfoot>
            </table>
        </div>
    }
}

#[component]
fn Row(
    line: UsageLine,
    by: UsageBy,
    /// Its place among the most expensive.
    place: Option<usize>,
    whole: UsageTotals,
    unpriced: bool,
) -> impl IntoView {
    let t = translator();
    // What belongs to nobody is booked on none, which the books write as 0 or as nothing.
    let known = !line.key.is_empty() && line.key != "0";
    let name = match line.key.parse::<Timestamp>() {
        Ok(at) if matches!(by, UsageBy::Day | UsageBy::Hour) => {
            at.display_utc().chars().take(if by == UsageBy::Hour { 16 } else { 10 }).collect()
        }
        _ if known => line.label.clone().unwrap_or_else(|| line.key.clone()),
        _ => t(o::UNKNOWN).to_owned(),
    };
    let cell = match href(by, &line.key).filter(|_| known) {
        Some(href) => {
            view! { <a class="truncate" title=name.clone() href=href>{name.clone()}</a> }.into_any()
        }
        None => view! { <span class="truncate" title=name.clone()>{name.clone()}</span> }.into_any(),
    };
    view! {
        <tr>
            <th scope="row" data-label=t(by_words(by))>
                {place.map(|place| view! { <span class="place">{place.to_string()}</span> })}
                {cell}
            </th>
            <Figures totals=line.totals whole unpriced/>
        </tr>
    }
}

#[component]
fn Figures(totals: UsageTotals, whole: UsageTotals, unpriced: bool) -> impl IntoView {
    let t = translator();
    let share = format::percent(format::nano(totals.cost_usd), format::nano(whole.cost_usd));
    let count = |words, n: u64| view! { <td class="num" data-label=t(words) title=format::count(n)>{format::compact(n)}</td> };
    view! {
        <td class="num" data-label=t(m::COST)>{usd(totals.cost_usd)}</td>
        <td class="num" data-label=t(b::SHARE)>{share}</td>
        <td class="num" data-label=t(m::PROVIDER_COST)>{usd(totals.provider_cost_usd)}</td>
        {count(c::REQUESTS, totals.requests)}
        {count(c::ERRORS, totals.errors)}
        {count(c::TOKENS_IN, totals.input_tokens)}
        {count(c::TOKENS_OUT, totals.output_tokens)}
        {count(c::CACHE_READ, totals.cache_read_tokens)}
        {count(c::CACHE_WRITE, totals.cache_write_tokens)}
        {unpriced.then(|| count(m::P_UNPRICED, totals.unpriced))}
    }
}

/// The rows behind a line.
fn href(by: UsageBy, key: &str) -> Option<String> {
    let day = |length: i64| {
        let since: Timestamp = key.parse().ok()?;
        Some(format!("/requests?since={since}&until={}", since.plus_ms(length)))
    };
    match by {
        UsageBy::Day => day(Timestamp::DAY_MS),
        UsageBy::Hour => day(Timestamp::HOUR_MS),
        UsageBy::Model => Some(format!("/requests?model={}", Url::escape(key))),
        UsageBy::User => Some(format!("/usage?by=model&user_id={key}")),
        UsageBy::Key => Some(format!("/usage?by=model&key_id={key}")),
        UsageBy::Provider => Some(format!("/usage?by=model&provider_id={key}")),
        UsageBy::Credential => Some(format!("/requests?credential_id={key}")),
        UsageBy::Group | UsageBy::Package => None,
    }
}

fn plus(a: UsageTotals, b: UsageTotals) -> UsageTotals {
    UsageTotals {
        requests: a.requests + b.requests,
        errors: a.errors + b.errors,
        refused: a.refused + b.refused,
        input_tokens: a.input_tokens + b.input_tokens,
        output_tokens: a.output_tokens + b.output_tokens,
        cache_read_tokens: a.cache_read_tokens + b.cache_read_tokens,
        cache_write_tokens: a.cache_write_tokens + b.cache_write_tokens,
        unpriced: a.unpriced + b.unpriced,
        cost_usd: a.cost_usd.plus(b.cost_usd),
        base_cost_usd: a.base_cost_usd.plus(b.base_cost_usd),
        provider_cost_usd: a.provider_cost_usd.plus(b.provider_cost_usd),
    }
}

/// Words of what usage is summed by.
pub(super) fn by_words(by: UsageBy) -> Text {
    match by {
        UsageBy::Day => b::B_DAY,
        UsageBy::Hour => b::B_HOUR,
        UsageBy::Model => b::B_MODEL,
        UsageBy::User => b::B_USER,
        UsageBy::Key => b::B_KEY,
        UsageBy::Provider => b::B_PROVIDER,
        UsageBy::Credential => b::B_CREDENTIAL,
        UsageBy::Group => b::B_GROUP,
        UsageBy::Package => b::B_PACKAGE,
    }
}
