//! Routing: the policy, aliases, error rules, a simulator and a backtest. Which of them stands in the address.

use leptos::prelude::*;
use types::routing::Strategy;
use types::setting::SettingView;

use super::aliases::Aliases;
use super::backtest::BacktestPage;
use super::error_rules::ErrorRules;
use super::setting_row::{SettingsOf, value_of};
use super::simulator::Simulator;
use crate::api;
use crate::components::flash::{Done, Failed};
use crate::components::head::{Answer, Head};
use crate::components::load::load;
use crate::components::{Refresh, failure, query, routing_words};
use crate::text::{Text, routing as w, translator};

const VIEWS: [(&str, Text); 5] = [
    ("", w::V_POLICY),
    ("aliases", w::V_ALIASES),
    ("rules", w::V_RULES),
    ("simulate", w::V_SIMULATE),
    ("backtest", w::V_BACKTEST),
];

/// The page.
#[component]
pub(crate) fn Routing() -> impl IntoView {
    let t = translator();
    let view = query("view");
    // Memoised: within a view other parameters change without building it anew.
    let body = move || match view.get().as_deref() {
        Some("aliases") => view! { <Aliases/> }.into_any(),
        Some("rules") => view! { <ErrorRules/> }.into_any(),
        Some("simulate") => view! { <Simulator/> }.into_any(),
        Some("backtest") => view! { <BacktestPage/> }.into_any(),
        _ => view! { <Policy/> }.into_any(),
    };
    let tabs = VIEWS
        .into_iter()
        .map(|(value, words)| view! {
            <a
                href=if value.is_empty() { "/routing".to_owned() } else { format!("/routing?view={value}") }
                aria-current=move || (view.get().unwrap_or_default() == value).then_some("true")
            >{t(words)}</a>
        })
        .collect_view();
    view! {
        <Head title=t(w::TITLE)/>
        <div class="page">
            <div class="filters"><nav class="tabs" aria-label=t(w::TITLE)>{tabs}</nav></div>
            <Done/>
            {body}
        </div>
    }
}

#[component]
fn Policy() -> impl IntoView {
    let t = translator();
    let page_refresh = Refresh::get();
    let refresh = ServerAction::<api::routing::Refresh>::new();
    let failed = failure(refresh);
    let list = Resource::new(move || page_refresh.0.get(), |_| api::setting::list());
    view! {
        <Failed error=failed/>
        {load(list, move |settings: Vec<SettingView>| {
            let strategy = value_of(&settings, "routing.strategy").parse::<Strategy>().unwrap_or(Strategy::Weighted);
            let (name, does) = routing_words::strategy(strategy);
            let order = routing_words::tier_order(&value_of(&settings, "pool.tier_order"));
            view! {
                <Answer mood="calm" text=format!("{order} · {}", t(name))><span class="faint">{t(does)}</span></Answer>
            }
        })}
        <section class="panel pad">
            <h2>{t(w::STEPS)}</h2>
            <ol class="steps">
                {[w::STEP_FILTER, w::STEP_STICK, w::STEP_RANK, w::STEP_RETRY].map(|step| view! { <li>{t(step)}</li> }).collect_view()}
            </ol>
            <p class="help">{t(w::POLICY_TEXT)}</p>
        </section>
        <SettingsOf prefixes=&["pool.", "routing.", "affinity.", "rectify."] back="/routing"/>
        <section class="panel pad away">
            <p class="help">{t(w::REFRESH_HELP)}</p>
            <ActionForm action=refresh><button class="button small">{t(w::REFRESH)}</button></ActionForm>
        </section>
    }
}
