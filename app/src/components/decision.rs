//! A decision of the router: who was considered, what was known of each, what removed it; and what would have to be
//! different. Shown for past requests and by the simulator.

use leptos::prelude::*;
use types::request::{AffinityOutcome, Candidate, Decision, SessionSource};
use types::simulation::Counterfactual;

use super::load::Empty;
use super::time::Until;
use super::{badge, obstacles, routing_words};
use crate::format;
use crate::text::{
    common as c, pool as o, provider as p, request as r, routing as w, translation as x, translator,
};

/// Who was considered, and what removed each.
#[component]
pub(crate) fn DecisionTable(#[prop(optional_no_strip)] decision: Option<Decision>) -> impl IntoView {
    let t = translator();
    let Some(decision) = decision else {
        return view! {
            <section class="panel"><h2 class="panel-title">{t(r::DECISION)}</h2><Empty title=t(r::DECISION_NONE)/></section>
        }
        .into_any();
    };
    let removed = decision
        .removed
        .iter()
        .map(|removed| {
            let words = filter_words(&removed.filter);
            view! { <span class="chip">{removed.count.to_string()} " × " {words}</span> }
        })
        .collect_view();
    let circumstances = circumstances(&decision);
    let rows = decision.candidates.into_iter().map(|candidate| view! { <Row candidate/> }).collect_view();
    view! {
        <section class="panel" id="decision">
            <h2 class="panel-title">{t(r::DECISION)}</h2>
            <p class="reason pad-x">{circumstances}</p>
            <p class="chips pad-x decision-removed">{removed}</p>
            <div class="table-scroll">
                <table class="table rows">
                    <caption class="visually-hidden">{t(r::DECISION)}</caption>
                    <thead>
                        <tr>
                            <th scope="col" class="num">{t(r::RANK)}</th>
                            <th scope="col">{format!("{} / {}", t(c::PROVIDER), t(c::CREDENTIAL))}</th>
                            <th scope="col">{t(c::STATUS)}</th>
                            <th scope="col" class="num">{t(w::CHANCE)}</th>
                            <th scope="col">{t(p::TIER)}</th>
                            <th scope="col" class="num">{t(c::PRIORITY)}</th>
                            <th scope="col" class="num">{t(c::WEIGHT)}</th>
                            <th scope="col" class="num">{t(w::LOAD)}</th>
                            <th scope="col" class="num">{t(w::LATENCY)}</th>
                            <th scope="col" class="num">{t(w::MULTIPLIER)}</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        </section>
    }
    .into_any()
}

fn filter_words(filter: &str) -> String {
    let t = translator();
    routing_words::filter(filter).map_or_else(|| filter.to_owned(), |text| t(text).to_owned())
}

/// What held for all candidates, in one line.
fn circumstances(decision: &Decision) -> String {
    let t = translator();
    let (strategy, _) =
        routing_words::strategy(decision.strategy.unwrap_or(types::routing::Strategy::Weighted));
    let mut parts = vec![format!("{}: {}", t(w::STRATEGY), t(strategy))];
    if let Some(affinity) = &decision.affinity {
        let outcome = t(match affinity.outcome {
            AffinityOutcome::Off => w::A_OFF,
            AffinityOutcome::Miss => w::A_MISS,
            AffinityOutcome::Hit => w::A_HIT,
            AffinityOutcome::Broken => w::A_BROKEN,
            AffinityOutcome::Failback => w::A_FAILBACK,
        });
        let mut text = format!("{}: {outcome}", t(w::SESSION));
        if let Some(filter) = &affinity.removed_by {
            text = format!("{text} ({})", filter_words(filter));
        }
        if let Some(source) = affinity.source {
            text = format!("{text}, {}", t(source_words(source)));
        }
        parts.push(text);
    }
    if !decision.tier_order.is_empty() {
        let order: Vec<_> = decision.tier_order.iter().map(|tier| t(routing_words::tier(*tier))).collect();
        parts.push(format!("{}: {}", t(w::TIER_ORDER), order.join(" → ")));
    }
    if !decision.models.is_empty() {
        parts.push(format!("{}: {}", t(w::MODELS_OF_ALIAS), decision.models.join(" → ")));
    }
    if let Some(counted) = &decision.counted {
        let within = counted.within_percent.map_or_else(|| "?".to_owned(), |percent| format!("{percent} %"));
        let (tokens, vocabulary) = (format::count(counted.tokens), &counted.vocabulary);
        parts.push(format!("{}: {tokens} ({vocabulary}, ± {within})", t(x::COUNTED)));
    }
    parts.push(format!("{} {}", t(r::CONFIG_REVISION), decision.config_revision));
    if decision.seed != 0 {
        parts.push(format!("{} {}", t(w::DRAW), decision.seed));
    }
    parts.join(" · ")
}

/// Where a conversation's name came from.
pub(crate) fn source_words(source: SessionSource) -> crate::text::Text {
    match source {
        SessionSource::Client => w::FROM_CLIENT,
        SessionSource::Prefix => w::FROM_PREFIX,
    }
}

#[component]
fn Row(candidate: Candidate) -> impl IntoView {
    let t = translator();
    let dash = || "–".to_owned();
    let until =
        candidate.until.map(|at| view! { <span class="faint small">{t(o::UNTIL)} " " <Until at/></span> });
    let (mood, words) = match (&candidate.removed_by, candidate.demoted.as_deref()) {
        (Some(filter), _) => ("off", filter_words(filter)),
        (None, None) => ("good", t(w::RANKED).to_owned()),
        (None, Some("unavailable")) => ("warn", t(w::DEMOTED_UNAVAILABLE).to_owned()),
        (None, Some(other)) => ("warn", other.to_owned()),
    };
    let translated = candidate.translated.map(|dialect| {
        view! { <span class="chip" title=t(x::TRANSLATED_HELP)>{t(x::TRANSLATED)} " → " {dialect.to_string()}</span> }
    });
    let breaker = candidate.breaker.map(badge::breaker);
    let chance = candidate.chance_permille.map_or_else(dash, |n| format!("{}.{} %", n / 10, n % 10));
    let (of_provider, of_credential) = candidate.priority;
    let (provider, credential) = (candidate.provider_name, candidate.credential_name.unwrap_or_else(dash));
    view! {
        <tr>
            <td data-label=t(r::RANK) class="num">{candidate.rank.map_or_else(dash, |rank| rank.to_string())}</td>
            <th scope="row" data-label=format!("{} / {}", t(c::PROVIDER), t(c::CREDENTIAL))>
                <span class="two-lines">
                    <a class="truncate" href=format!("/providers/{}", candidate.provider_id) title=provider.clone()>{provider.clone()}</a>
                    <span class="truncate faint small" title=credential.clone()>{credential.clone()}</span>
                </span>
            </th>
            <td data-label=t(c::STATUS)><span class="stack"><badge::State mood word=words/> {translated} {breaker} {until}</span></td>
            <td data-label=t(w::CHANCE) class="num">{chance}</td>
            <td data-label=t(p::TIER)>{candidate.tier.map_or("–", |tier| t(routing_words::tier(tier)))}</td>
            <td data-label=t(c::PRIORITY) class="num">{format!("{of_provider} / {of_credential}")}</td>
            <td data-label=t(c::WEIGHT) class="num">{candidate.weight.to_string()}</td>
            <td data-label=t(w::LOAD) class="num">{candidate.in_flight.to_string()}</td>
            <td data-label=t(w::LATENCY) class="num">{candidate.latency_ms.map_or_else(dash, format::duration)}</td>
            <td data-label=t(w::MULTIPLIER) class="num">{candidate.cost_multiplier.to_string()}</td>
        </tr>
    }
}

/// What would have put another candidate first.
#[component]
pub(crate) fn Changes(changes: Vec<Counterfactual>) -> impl IntoView {
    let t = translator();
    let list = if changes.is_empty() {
        view! { <Empty title=t(w::CHANGES_NONE)/> }.into_any()
    } else {
        let items = changes
            .into_iter()
            .map(|change| {
                view! {
                    <li class="change">
                        <span class="chip">{change.change.clone()}</span>
                        <span><strong>{change.candidate.clone()}</strong> " " {obstacles::told(&change)}</span>
                    </li>
                }
            })
            .collect_view();
        view! { <p class="help pad-x">{t(w::CHANGES_TEXT)}</p><ol class="changes-list">{items}</ol> }
            .into_any()
    };
    view! {
        <section class="panel" id="changes">
            <h2 class="panel-title">{t(w::CHANGES)}</h2>
            {list}
        </section>
    }
}
