//! The overview's charts, made of its points.

use leptos::prelude::*;
use types::usage::{OverviewSpan, UsagePoint, UsageTotals};

use crate::components::chart::{Chart, Series, Shape};
use crate::components::load::Empty;
use crate::format;
use crate::text::{common as c, money as m, overview as o, translator};

/// Requests, errors, tokens and first byte over time.
#[component]
pub(crate) fn Charts(points: Vec<UsagePoint>, span: OverviewSpan) -> impl IntoView {
    let t = translator();
    if points.iter().all(|point| point.totals.requests == 0) {
        return view! { <div class="panel"><Empty title=t(o::NO_TRAFFIC)/></div> }.into_any();
    }
    let labels: Vec<String> = points
        .iter()
        .map(|point| {
            let length = if span == OverviewSpan::Month { 10 } else { 16 };
            point.at.display_utc().chars().take(length).collect()
        })
        .collect();
    let sums =
        |pick: fn(&UsageTotals) -> u64| points.iter().map(|p| Some(pick(&p.totals))).collect::<Vec<_>>();
    let traffic = vec![Series { name: t(o::TRAFFIC), class: "s1", values: sums(|u| u.requests) }];
    let errors = vec![
        Series { name: t(c::ERRORS), class: "bad", values: sums(|u| u.errors) },
        Series { name: t(c::REFUSED), class: "warn", values: sums(|u| u.refused) },
    ];
    let tokens = vec![
        Series { name: t(c::TOKENS_IN), class: "s1", values: sums(|u| u.input_tokens) },
        Series { name: t(c::TOKENS_OUT), class: "s2", values: sums(|u| u.output_tokens) },
        Series { name: t(c::CACHE_READ), class: "s3", values: sums(|u| u.cache_read_tokens) },
        Series { name: t(c::CACHE_WRITE), class: "s4", values: sums(|u| u.cache_write_tokens) },
    ];
    let cost = vec![Series { name: t(m::COST), class: "s1", values: sums(|u| format::nano(u.cost_usd)) }];
    // The open bin has no upper bound; it is drawn where it begins.
    let bounded = |ms: Option<u64>| ms.map(|ms| ms.min(100_000));
    let latency = vec![
        Series {
            name: t(o::P50),
            class: "s1",
            values: points.iter().map(|p| bounded(p.first_byte_p50_ms)).collect(),
        },
        Series {
            name: t(o::P95),
            class: "s2",
            values: points.iter().map(|p| bounded(p.first_byte_p95_ms)).collect(),
        },
    ];
    view! {
        <div class="grid two">
            <Chart title=t(o::TRAFFIC) shape=Shape::Area labels=labels.clone() series=traffic unit=format::compact/>
            <Chart title=t(o::CHART_COST) shape=Shape::Bars labels=labels.clone() series=cost unit=format::usd_nano/>
            <Chart title=t(o::CHART_ERRORS) shape=Shape::Bars labels=labels.clone() series=errors unit=format::compact/>
            <Chart title=t(o::CHART_TOKENS) shape=Shape::Bars labels=labels.clone() series=tokens unit=format::compact/>
            <Chart title=t(o::CHART_LATENCY) shape=Shape::Lines labels series=latency unit=format::duration/>
        </div>
    }
    .into_any()
}
