//! Usage: who spent what, on what. By day, model, user, key and so on, over any span; with export.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use leptos_router::location::Url;
use types::Timestamp;
use types::usage::{UsageBy, UsageFilter, UsageLine, UsageTotals};

use super::usage_table::{UsageTable, by_words};
use crate::api;
use crate::components::Refresh;
use crate::components::chart::{Chart, Series, Shape};
use crate::components::head::{Answer, Head};
use crate::components::load::{Empty, load};
use crate::format;
use crate::text::{Text, books as b, common as c, limit as l, money as m, request as r, translator};

/// Query parameters of this page besides `by`.
const FILTERS: &[&str] = &["span", "since", "until", "user_id", "key_id", "provider_id", "model"];

const SPANS: [(&str, Text, i64); 4] =
    [("24h", b::SPAN_24H, 1), ("7d", b::SPAN_7D, 7), ("30d", b::SPAN_30D, 30), ("90d", b::SPAN_90D, 90)];

/// What the address asks for.
#[derive(Clone, PartialEq)]
struct Asked {
    by: UsageBy,
    /// Days back from now, unless the filter names a beginning.
    days: i64,
    filter: UsageFilter,
}

/// The page.
#[component]
pub(crate) fn UsagePage() -> impl IntoView {
    let t = translator();
    let map = use_query_map();
    let asked = Memo::new(move |_| map.with(|map| asked_of(|name| map.get(name).filter(|v| !v.is_empty()))));
    let refresh = Refresh::get();
    let source = move || (asked.get(), refresh.0.get());
    let lines = Resource::new(source, |(asked, _)| api::usage::by(asked.filter, asked.days));
    let over_time = Resource::new(source, |(asked, _)| {
        let hourly = asked.by == UsageBy::Hour || (asked.filter.since.is_none() && asked.days == 1);
        let by = if hourly { UsageBy::Hour } else { UsageBy::Day };
        api::usage::by(UsageFilter { by: Some(by), limit: Some(1_000), ..asked.filter }, asked.days)
    });
    view! {
        <Head title=t(b::USAGE)>
            <a class="button small quiet" href="" rel="external">{t(c::REFRESH)}</a>
        </Head>
        <div class="page">
            <Controls asked/>
            {load(over_time, |(filter, lines)| view! { <OverTime lines by=filter.by.unwrap_or(UsageBy::Day)/> })}
            {load(lines, |(filter, lines)| view! { <Lines lines filter/> })}
        </div>
    }
}

fn asked_of(get: impl Fn(&str) -> Option<String>) -> Asked {
    fn parsed<T: std::str::FromStr>(text: Option<String>) -> Option<T> {
        text.and_then(|text| text.trim().parse().ok())
    }
    let by = parsed(get("by")).unwrap_or(UsageBy::Day);
    let span = get("span");
    let days =
        SPANS.iter().find(|(value, ..)| span.as_deref() == Some(*value)).map_or(30, |(.., days)| *days);
    let filter = UsageFilter {
        by: Some(by),
        since: parsed(get("since")),
        until: parsed(get("until")),
        user_id: parsed(get("user_id")),
        key_id: parsed(get("key_id")),
        provider_id: parsed(get("provider_id")),
        model: get("model"),
        limit: Some(1_000),
    };
    Asked { by, days, filter }
}

/// Links over `by` and span, the free span and the filters, and the export.
#[component]
fn Controls(asked: Memo<Asked>) -> impl IntoView {
    let t = translator();
    let map = use_query_map();
    let get = move |name: &str| map.with(|map| map.get(name)).filter(|value| !value.is_empty());
    // The address with one parameter changed, or without it.
    let with = move |name: &'static str, value: &str| {
        let mut parts: Vec<String> = ["by"]
            .iter()
            .chain(FILTERS)
            .filter(|known| **known != name)
            // A chosen span replaces a typed one.
            .filter(|known| name != "span" || !matches!(**known, "since" | "until"))
            .filter_map(|known| Some(format!("{known}={}", Url::escape(&get(known)?))))
            .collect();
        if !value.is_empty() {
            parts.push(format!("{name}={}", Url::escape(value)));
        }
        format!("?{}", parts.join("&"))
    };
    let text = move |name: &'static str| map.with_untracked(|map| map.get(name).unwrap_or_default());
    let free = move || get("since").is_some() || get("until").is_some();
    let opened = !text("since").is_empty() || !text("until").is_empty();
    let chips = move || {
        ["user_id", "key_id", "provider_id", "model"]
            .into_iter()
            .zip([c::USER, c::KEY, c::PROVIDER, c::MODEL])
            .filter_map(|(name, words)| {
                let value = get(name)?;
                Some(view! { <a class="chip on" href=format!("/usage{}", with(name, ""))>{t(words)} " " {value} " ×"</a> })
            })
            .collect::<Vec<_>>()
    };
    let field = move |name: &'static str, words: Text| {
        view! {
            <label class="filter">
                <span>{t(words)}</span>
                <input class="input" type="datetime-local" name=name value=text(name)/>
            </label>
        }
    };
    let kept = move || {
        ["by", "user_id", "key_id", "provider_id", "model"]
            .into_iter()
            .filter_map(|name| Some(view! { <input type="hidden" name=name value=get(name)?/> }))
            .collect::<Vec<_>>()
    };
    view! {
        <div class="filters">
            <nav class="tabs" aria-label=t(b::BY)>
                {UsageBy::ALL
                    .iter()
                    .map(|by| view! {
                        <a href=move || format!("/usage{}", with("by", by.as_str()))
                            aria-current=move || (asked.get().by == *by).then_some("true")>{t(by_words(*by))}</a>
                    })
                    .collect_view()}
            </nav>
            <nav class="tabs" aria-label=t(l::SINCE)>
                {SPANS
                    .into_iter()
                    .map(|(value, words, days)| view! {
                        <a href=move || format!("/usage{}", with("span", value))
                            aria-current=move || (!free() && asked.get().days == days).then_some("true")>{t(words)}</a>
                    })
                    .collect_view()}
            </nav>
            <details class="filter-more" open=opened>
                <summary class="button small">{t(c::FILTERS)}</summary>
                <form method="get" action="/usage" class="filter-form">
                    {kept}
                    {field("since", r::F_SINCE)}
                    {field("until", r::F_UNTIL)}
                    <div class="filter-actions">
                        <button class="button primary small">{t(c::APPLY)}</button>
                        <a class="button quiet small" href="/usage">{t(c::CLEAR_FILTERS)}</a>
                    </div>
                </form>
            </details>
            {move || {
                let chips = chips();
                (!chips.is_empty()).then(|| view! { <p class="chips">{t(b::ONLY)} " " {chips}</p> })
            }}
        </div>
    }
}

/// Cost and tokens by day or hour.
#[component]
fn OverTime(lines: Vec<UsageLine>, by: UsageBy) -> impl IntoView {
    let t = translator();
    if lines.iter().all(|line| line.totals.requests == 0) {
        return view! {
            <div class="panel"><Empty title=t(b::USAGE_NONE) text=t(b::USAGE_NONE_TEXT)/></div>
        }
        .into_any();
    }
    let sum = lines.iter().fold(types::Money::ZERO, |sum, line| sum.plus(line.totals.cost_usd));
    let requests: u64 = lines.iter().map(|line| line.totals.requests).sum();
    let tokens: u64 = lines.iter().map(|line| format::tokens(&line.totals)).sum();
    let (step, length) = if by == UsageBy::Hour { (Timestamp::HOUR_MS, 16) } else { (Timestamp::DAY_MS, 10) };
    let points = without_holes(&lines, step);
    let labels: Vec<String> =
        points.iter().map(|(at, _)| at.display_utc().chars().take(length).collect()).collect();
    let series = |name: Text, class, pick: fn(&UsageTotals) -> u64| Series {
        name: t(name),
        class,
        values: points.iter().map(|(_, totals)| Some(pick(totals))).collect(),
    };
    let cost = vec![series(m::COST, "s1", |u| format::nano(u.cost_usd))];
    let classes = vec![
        series(c::TOKENS_IN, "s1", |u| u.input_tokens),
        series(c::TOKENS_OUT, "s2", |u| u.output_tokens),
        series(c::CACHE_READ, "s3", |u| u.cache_read_tokens),
        series(c::CACHE_WRITE, "s4", |u| u.cache_write_tokens),
    ];
    view! {
        <Answer mood="calm" text=format!("{} {}", format::usd_short(sum), t(b::TOTAL_COST))>
            <span class="faint">{format::count(requests)} " " {t(b::N_REQUESTS)} " · " {format::compact(tokens)} " " {t(b::N_TOKENS)}</span>
        </Answer>
        <div class="grid two">
            <Chart title=t(b::COST_OVER_TIME) shape=Shape::Bars labels=labels.clone() series=cost unit=format::usd_nano/>
            <Chart title=t(b::TOKENS_OVER_TIME) shape=Shape::Bars labels series=classes unit=format::compact/>
        </div>
    }
    .into_any()
}

/// The lines in time, with nothing where there was nothing: an axis must not swallow quiet days.
fn without_holes(lines: &[UsageLine], step: i64) -> Vec<(Timestamp, UsageTotals)> {
    let known: std::collections::BTreeMap<Timestamp, UsageTotals> =
        lines.iter().filter_map(|line| Some((line.key.parse().ok()?, line.totals))).collect();
    let (Some(first), Some(last)) = (known.keys().next(), known.keys().next_back()) else {
        return Vec::new();
    };
    std::iter::successors(Some(*first), |at| Some(at.plus_ms(step)))
        .take_while(|at| at <= last)
        .take(2_400)
        .map(|at| (at, known.get(&at).copied().unwrap_or_default()))
        .collect()
}

#[component]
fn Lines(lines: Vec<UsageLine>, filter: UsageFilter) -> impl IntoView {
    let t = translator();
    let by = filter.by.unwrap_or(UsageBy::Day);
    let in_time = matches!(by, UsageBy::Day | UsageBy::Hour);
    let export = export_query(&filter);
    // Without usage the charts' place says so.
    (!lines.is_empty()).then(|| {
        view! {
            <section class="panel">
                <div class="panel-head">
                    <h2 class="panel-title">{t(if in_time { b::USAGE } else { b::LEADERBOARD })}</h2>
                    <span>
                        <a class="button small quiet" rel="external" download="" href=format!("/usage/export?format=csv&{export}")>{t(b::EXPORT_CSV)}</a>
                        <a class="button small quiet" rel="external" download="" href=format!("/usage/export?format=json&{export}")>{t(b::EXPORT_JSON)}</a>
                    </span>
                </div>
                <UsageTable lines by/>
            </section>
        }
    })
}

/// The same filter for the export.
fn export_query(filter: &UsageFilter) -> String {
    fn text<T: ToString>(value: Option<&T>) -> Option<String> {
        value.map(T::to_string)
    }
    [
        ("by", text(filter.by.as_ref())),
        ("since", text(filter.since.as_ref())),
        ("until", text(filter.until.as_ref())),
        ("user_id", text(filter.user_id.as_ref())),
        ("key_id", text(filter.key_id.as_ref())),
        ("provider_id", text(filter.provider_id.as_ref())),
        ("model", filter.model.clone()),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some(format!("{name}={}", Url::escape(&value?))))
    .collect::<Vec<_>>()
    .join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_says_by_what_and_since_when() {
        let asked = asked_of(|name| match name {
            "by" => Some("user".into()),
            "span" => Some("7d".into()),
            "key_id" => Some("3".into()),
            _ => None,
        });
        assert_eq!((asked.by, asked.days), (UsageBy::User, 7));
        assert_eq!(asked.filter.key_id.map(|id| id.0), Some(3));
        assert_eq!(export_query(&asked.filter), "by=user&key_id=3");
        assert_eq!(asked_of(|_| None).days, 30);
    }

    #[test]
    fn quiet_days_stay_on_the_axis() {
        let line = |key: &str| UsageLine {
            key: key.into(),
            label: None,
            totals: UsageTotals { requests: 1, ..UsageTotals::default() },
        };
        let points = without_holes(&[line("2026-11-21"), line("2026-11-18")], Timestamp::DAY_MS);
        assert_eq!(points.iter().map(|(_, totals)| totals.requests).collect::<Vec<_>>(), [1, 0, 0, 1]);
    }
}
