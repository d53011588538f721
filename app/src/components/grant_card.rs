//! A granted package: its state, its span, its bars.

use leptos::prelude::*;
use types::package::{GrantState, GrantView, PackageKind, PackageSpec};

use super::badge::State;
use super::quota::QuotaBars;
use super::time::Time;
use crate::format;
use crate::text::{package as p, translator};

/// What was granted, with the actions that the page offers as children.
#[component]
pub(crate) fn GrantCard(grant: GrantView, #[prop(optional)] children: Option<Children>) -> impl IntoView {
    let t = translator();
    let (mood, word) = match grant.state {
        GrantState::Active => ("good", p::ST_ACTIVE),
        GrantState::Pending => ("info", p::ST_PENDING),
        GrantState::Expired => ("off", p::ST_EXPIRED),
        GrantState::Exhausted => ("bad", p::ST_EXHAUSTED),
        GrantState::Disabled => ("off", p::ST_DISABLED),
    };
    let ends = match grant.ends_at {
        Some(at) => view! { {t(p::TO)} " " <Time at/> " UTC" }.into_any(),
        None => t(p::FOR_EVER).into_any(),
    };
    // Its other windows are counted, but nothing bounds them.
    let lines = grant.used.into_iter().filter(|line| line.limit.is_some()).collect::<Vec<_>>();
    let models = (!grant.spec.models.is_empty()).then(|| grant.spec.models.join(", "));
    view! {
        <li class="card">
            <div class="card-head">
                <strong class="truncate">{grant.spec.name.clone()}</strong>
                <span class="faint">{amounts(&grant.spec)}</span>
                <State mood word=t(word)/>
            </div>
            <p class="reason span">
                {t(p::FROM)} " " <Time at=grant.starts_at/> " UTC " {ends}
                {models.map(|models| view! { " · " <code class="break">{models}</code> })}
            </p>
            <QuotaBars lines/>
            {children.map(|children| view! { <div class="card-actions">{children()}</div> })}
        </li>
    }
}

/// What a package grants, in words: `$5.00 a day · $50.00 a month`.
pub(crate) fn amounts(spec: &PackageSpec) -> String {
    let t = translator();
    let parts = match spec.kind {
        PackageKind::Subscription => {
            vec![(spec.daily_usd, p::A_DAY), (spec.weekly_usd, p::A_WEEK), (spec.monthly_usd, p::A_MONTH)]
        }
        PackageKind::Quota => vec![(spec.total_usd, p::ALTOGETHER)],
    };
    parts
        .into_iter()
        .filter_map(|(amount, words)| Some(format!("{} {}", format::usd_short(amount?), t(words))))
        .collect::<Vec<_>>()
        .join(" · ")
}
