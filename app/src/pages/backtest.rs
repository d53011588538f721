//! The backtest: other values run over recorded decisions, before and after side by side, then put into force.
//!
//! What is tried stands in the address, so that it works without scripts and can be shared.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use leptos_router::params::ParamsMap;
use types::Timestamp;
use types::credential::Tier;
use types::provider::ProviderView;
use types::setting::SettingView;
use types::simulation::{Backtest, BacktestReport, ProviderEdit};

use super::backtest_report::Report;
use super::setting_row::value_of;
use crate::api;
use crate::components::flash::Failed;
use crate::components::head::Answer;
use crate::components::load::{Empty, load};
use crate::components::{Refresh, badge, failure, routing_words};
use crate::error::AppError;
use crate::text::{common as c, request as r, routing as w, translator};
use types::routing::Strategy;

/// Every order of the tiers.
const ORDERS: [&str; 6] = [
    "personal,shared,fallback",
    "personal,fallback,shared",
    "shared,personal,fallback",
    "shared,fallback,personal",
    "fallback,personal,shared",
    "fallback,shared,personal",
];

type Data = (Vec<ProviderView>, Vec<SettingView>);

async fn present() -> Result<Data, AppError> {
    Ok((api::provider::list(false).await?, api::setting::list().await?))
}

/// The view.
#[component]
pub(crate) fn BacktestPage() -> impl IntoView {
    let t = translator();
    let refresh = Refresh::get();
    let map = use_query_map();
    let apply = ServerAction::<api::routing::Apply>::new();
    let failed = failure(apply);
    let data = Resource::new(move || refresh.0.get(), |_| present());
    let result = Resource::new(
        move || (map.get(), refresh.0.get()),
        |(map, _)| async move {
            if map.get("run").is_none() {
                return Ok(None);
            }
            let (providers, settings) = present().await?;
            let ask = policy_of(&map, &providers, &settings);
            Ok(Some((ask.clone(), api::routing::backtest(ask).await?)))
        },
    );
    view! {
        <Answer mood="calm" text=t(w::V_BACKTEST)><span class="faint">{t(w::BACKTEST_TEXT)}</span></Answer>
        <Failed error=failed/>
        {load(result, move |result: Option<(Backtest, BacktestReport)>| {
            result.map(|(ask, report)| if report.requests == 0 {
                view! { <div class="panel"><Empty title=t(w::BACKTEST_EMPTY) text=t(w::BACKTEST_EMPTY_TEXT)/></div> }.into_any()
            } else {
                view! { <Report ask report apply/> }.into_any()
            })
        })}
        {load(data, move |(providers, settings): Data| view! { <Policy providers settings/> })}
    }
}

/// The policy that the address asks for: only what differs from the present one.
fn policy_of(map: &ParamsMap, providers: &[ProviderView], settings: &[SettingView]) -> Backtest {
    let text = |name: &str| map.get(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let differs = |name: &str, param: &str| text(param).filter(|value| *value != value_of(settings, name));
    let tier_order = differs("pool.tier_order", "tier_order")
        .and_then(|order| order.split(',').map(|tier| tier.parse().ok()).collect::<Option<Vec<Tier>>>());
    let edits = providers.iter().filter_map(|provider| {
        let id = provider.id;
        // The form names each of its providers; what it does not name is not touched.
        text(&format!("n{id}"))?;
        let enabled = map.get(&format!("e{id}")).is_some();
        let number = |letter: &str| text(&format!("{letter}{id}"));
        let edit = ProviderEdit {
            enabled: (enabled != provider.enabled).then_some(enabled),
            priority: number("p").and_then(|n| n.parse().ok()).filter(|n| *n != provider.priority),
            weight: number("w").and_then(|n| n.parse().ok()).filter(|n| *n != provider.weight),
        };
        (edit != ProviderEdit::default()).then_some((id.0, edit))
    });
    Backtest {
        since: text("since").and_then(|at| at.parse::<Timestamp>().ok()),
        until: text("until").and_then(|at| at.parse::<Timestamp>().ok()),
        limit: text("limit").and_then(|n| n.parse().ok()),
        strategy: differs("routing.strategy", "strategy").and_then(|strategy| strategy.parse().ok()),
        tier_order,
        providers: edits.collect(),
    }
}

#[component]
fn Policy(providers: Vec<ProviderView>, settings: Vec<SettingView>) -> impl IntoView {
    let t = translator();
    let map = use_query_map();
    let ran = map.with_untracked(|map| map.get("run").is_some());
    let text = move |name: &str| map.with_untracked(|map| map.get(name).unwrap_or_default());
    let (strategy, order) = (text("strategy"), text("tier_order"));
    let strategies = Strategy::ALL
        .iter()
        .map(|one| {
            let selected = one.as_str() == strategy;
            view! { <option value=one.as_str() selected=selected>{t(routing_words::strategy(*one).0)}</option> }
        })
        .collect_view();
    let orders = ORDERS
        .map(
            |one| view! { <option value=one selected=one == order>{routing_words::tier_order(one)}</option> },
        )
        .collect_view();
    let (now_strategy, now_order) =
        (value_of(&settings, "routing.strategy"), value_of(&settings, "pool.tier_order"));
    let strategy_words =
        now_strategy.parse().map_or(now_strategy.clone(), |one| t(routing_words::strategy(one).0).to_owned());
    let rows = providers.into_iter().map(|provider| view! { <Row provider ran/> }).collect_view();
    view! {
        <form method="get" action="/routing" class="backtest-form">
            <input type="hidden" name="view" value="backtest"/>
            <div class="filter-form">
                <label class="filter">
                    <span>{t(w::STRATEGY)}</span>
                    <select class="input" name="strategy"><option value="">{format!("{} ({strategy_words})", t(w::KEEP))}</option>{strategies}</select>
                </label>
                <label class="filter">
                    <span>{t(w::TIER_ORDER)}</span>
                    <select class="input" name="tier_order"><option value="">{format!("{} ({})", t(w::KEEP), routing_words::tier_order(&now_order))}</option>{orders}</select>
                </label>
                <label class="filter">
                    <span>{t(r::F_SINCE)}</span>
                    <input class="input" type="datetime-local" name="since" value=text("since") title=t(w::BACKTEST_SINCE_HELP)/>
                </label>
                <label class="filter">
                    <span>{t(r::F_UNTIL)}</span>
                    <input class="input" type="datetime-local" name="until" value=text("until")/>
                </label>
                <label class="filter">
                    <span>{t(w::BACKTEST_MOST)}</span>
                    <input class="input" type="number" name="limit" value=text("limit") min="1" max="20000" placeholder="5000"/>
                </label>
            </div>
            <section class="panel">
                <h2 class="panel-title">{t(w::BACKTEST_PROVIDERS)}</h2>
                <div class="table-scroll">
                    <table class="table rows">
                        <caption class="visually-hidden">{t(w::BACKTEST_PROVIDERS)}</caption>
                        <thead>
                            <tr>
                                <th scope="col">{t(c::PROVIDER)}</th>
                                <th scope="col">{t(c::STATUS)}</th>
                                <th scope="col">{t(c::ON)}</th>
                                <th scope="col">{t(c::PRIORITY)}</th>
                                <th scope="col">{t(c::WEIGHT)}</th>
                            </tr>
                        </thead>
                        <tbody>{rows}</tbody>
                    </table>
                </div>
                <div class="pad-x backtest-go">
                    <button class="button primary" name="run" value="1">{t(w::BACKTEST_GO)}</button>
                    <a class="button quiet" href="/routing?view=backtest">{t(c::CANCEL)}</a>
                </div>
            </section>
        </form>
    }
}

#[component]
fn Row(
    provider: ProviderView,
    /// Values in the address stand for what was typed.
    ran: bool,
) -> impl IntoView {
    let t = translator();
    let id = provider.id;
    let map = use_query_map();
    let typed = move |letter: &str| map.with_untracked(|map| map.get(&format!("{letter}{id}")));
    let named = ran && typed("n").is_some();
    let on = if named { typed("e").is_some() } else { provider.enabled };
    let value =
        |letter: &str, present: String| typed(letter).filter(|text| !text.is_empty()).unwrap_or(present);
    let (priority, weight) =
        (value("p", provider.priority.to_string()), value("w", provider.weight.to_string()));
    let label = move |words| format!("{} {}", t(words), id);
    view! {
        <tr>
            <th scope="row" data-label=t(c::PROVIDER)><a class="truncate" href=format!("/providers/{id}")>{provider.name}</a>
                <input type="hidden" name=format!("n{id}") value="1"/></th>
            <td data-label=t(c::STATUS)>{badge::on_off(provider.enabled, false)}</td>
            <td data-label=t(c::ON)><input type="checkbox" name=format!("e{id}") value="1" checked=on aria-label=label(c::ON)/></td>
            <td data-label=t(c::PRIORITY)><input class="input short" type="number" name=format!("p{id}") value=priority min="-1000" max="1000" aria-label=label(c::PRIORITY)/></td>
            <td data-label=t(c::WEIGHT)><input class="input short" type="number" name=format!("w{id}") value=weight min="1" max="100" aria-label=label(c::WEIGHT)/></td>
        </tr>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provider(id: i64) -> ProviderView {
        serde_json::from_value(serde_json::json!({
            "id": id, "name": "a", "kind": "anthropic", "base_url": "http://a", "enabled": true, "groups": [],
            "priority": 0, "weight": 1, "models": [], "model_redirects": {}, "timeouts": {}, "cost_multiplier": "1",
            "limits": {}, "proxy_url": null, "credential_count": 1, "created_at": "2026-11-21T08:00:00Z",
            "updated_at": "2026-11-21T08:00:00Z", "deleted_at": null, "version": 1,
        }))
        .unwrap()
    }

    #[test]
    fn only_what_differs_is_tried() {
        let map = ParamsMap::from_iter([
            ("n1", "1"),
            ("e1", "1"),
            ("p1", "0"),
            ("w1", "3"),
            ("n2", "1"),
            ("p2", "0"),
            ("w2", "1"),
            ("strategy", "latency"),
            ("tier_order", ""),
        ]);
        let ask = policy_of(&map, &[provider(1), provider(2), provider(3)], &[]);
        assert_eq!(ask.providers.len(), 2, "the third stands in no form and stays");
        assert_eq!(ask.providers[&1], ProviderEdit { weight: Some(3), ..ProviderEdit::default() });
        assert_eq!(ask.providers[&2], ProviderEdit { enabled: Some(false), ..ProviderEdit::default() });
        assert_eq!((ask.strategy, ask.tier_order), (Some(Strategy::Latency), None));
    }
}
