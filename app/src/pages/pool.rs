//! The credential pool: which account is alive, in which order they are tried, how they did, and what brings one back.

use leptos::prelude::*;
use types::cached::{Availability, PoolStats};
use types::check::CheckerView;
use types::credential::{CredentialState, CredentialView, Tier};
use types::pool::PoolReport;
use types::provider::ProviderView;

use super::pool_checks::{CheckActions, CheckButtons, CheckCell, Checker, WithErrors};
use super::pool_history::History;
use super::pool_table::{Asked, PoolTable};
use super::pool_trend::{Faults, Trend};
use crate::api;
use crate::components::availability::AvailabilityGrid;
use crate::components::confirm::Confirm;
use crate::components::flash::{Done, Failed};
use crate::components::head::{Answer, Head};
use crate::components::load::{Empty, load, shown_of};
use crate::components::reason::Reason;
use crate::components::{Refresh, badge, failure, failure_and_state, query, routing_words};
use crate::error::AppError;
use crate::format;
use crate::text::{check as k, common as c, oauth as a, pool as o, provider as p, routing as w, translator};

/// Most credentials shown in one tier; a search narrows the rest.
const MOST: usize = 200;

/// The page.
#[component]
pub(crate) fn Pool() -> impl IntoView {
    let t = translator();
    let refresh = Refresh::get();
    let (search, state, errors) = (query("q"), query("state"), query("errors"));
    let (table, kind, on) = (query("view"), query("kind"), query("on"));
    let (sort, dir) = (query("sort"), query("dir"));
    let actions = CheckActions::new();
    let recover = ServerAction::<api::pool::Recover>::new();
    let recover_all = ServerAction::<api::pool::RecoverAll>::new();
    let again = ServerAction::<api::oauth::Again>::new();
    let (one_failed, all_failed) = (failure_and_state(recover), failure_and_state(recover_all));
    let again_failed = failure(again);
    let data = Resource::new(move || refresh.0.get(), |_| everything());
    let grid = Resource::new(move || refresh.0.get(), |_| api::pool::availability());
    view! {
        <Head title=t(o::TITLE)>
            <a class="button small quiet" href="" rel="external">{t(c::REFRESH)}</a>
            <Confirm what="recover" trigger=o::RECOVER_ALL title=o::RECOVER_TITLE text=o::RECOVER_TEXT subject=t(o::RECOVER_SUBJECT)>
                <ActionForm action=recover_all><button class="button primary">{t(o::RECOVER_ALL)}</button></ActionForm>
            </Confirm>
        </Head>
        <div class="page">
            <Done/>
            <Failed error=one_failed/>
            <Failed error=all_failed/>
            <Failed error=again_failed notes=true/>
            {actions.failures()}
            <History/>
            {load(data, move |(report, credentials, providers, checker)| {
                let PoolReport { stats, entries } = report;
                let entries = StoredValue::new(entries);
                let threshold = checker.error_threshold;
                let all = StoredValue::new((credentials, providers));
                let empty = stats.total == 0;
                view! {
                    <Faults faults=stats.faults.clone()/>
                    <Summary stats=stats.clone()/>
                    <Trend trend=stats.trend.clone()/>
                    {(!empty).then(|| view! { <Checker checker actions/> })}
                    {move || errors.get().is_some().then(|| {
                        let (credentials, providers) = all.get_value();
                        view! { <WithErrors credentials providers actions/> }
                    })}
                    <nav class="filters" aria-label=t(o::VIEWS)>
                        <a class="chip" href="/pool" aria-current=move || table.get().is_none().then_some("page")>{t(o::BY_TIER)}</a>
                        <a class="chip" href="/pool?view=table" id="as-table" aria-current=move || table.get().map(|_| "page")>{t(o::AS_TABLE)}</a>
                    </nav>
                    {move || {
                        let text = |value: Memo<Option<String>>| value.get().unwrap_or_default();
                        if table.get().as_deref() == Some("table") {
                            let (kind, on, sort) = (text(kind), text(on), text(sort));
                            let descending = text(dir) == "desc";
                            let asked = Asked { text: text(search), state: text(state), kind, on, sort, descending };
                            return view! { <PoolTable entries=entries.get_value() asked/> }.into_any();
                        }
                        let (credentials, providers) = all.get_value();
                        let wanted = Wanted { text: search.get().unwrap_or_default().to_lowercase(), state: state.get() };
                        let checks = Checks { actions, again, threshold };
                        view! { <Tiers tiers=stats.clone() credentials providers wanted recover checks/> }.into_any()
                    }}
                }
            })}
            <section class="panel" id="availability">
                <h2 class="panel-title">{t(o::GRID)}</h2>
                {load(grid, |availability: Availability| view! { <AvailabilityGrid availability named=true/> })}
            </section>
        </div>
    }
}

/// What each row needs to show and to do about checks.
#[derive(Clone, Copy)]
struct Checks {
    actions: CheckActions,
    again: ServerAction<api::oauth::Again>,
    threshold: u32,
}

type Everything = (PoolReport, Vec<CredentialView>, Vec<ProviderView>, CheckerView);

async fn everything() -> Result<Everything, AppError> {
    let (report, credentials) = (api::pool::report().await?, api::pool::credentials().await?);
    Ok((report, credentials, api::provider::list(false).await?, api::check::checker().await?))
}

/// What the filters ask for.
#[derive(Clone)]
struct Wanted {
    text: String,
    state: Option<String>,
}

impl Wanted {
    fn fits(&self, credential: &CredentialView, provider: &str) -> bool {
        let named = |name: &str| name.to_lowercase().contains(&self.text);
        let state = self.state.as_deref().is_none_or(|state| credential.state.as_str() == state);
        state && (named(&credential.name) || named(provider))
    }
}

#[component]
fn Summary(stats: PoolStats) -> impl IntoView {
    let t = translator();
    let PoolStats { total, active, failed, states, rate_limited, switches, exhausted, .. } = stats;
    if total == 0 {
        return view! {
            <div class="panel">
                <Empty title=t(o::EMPTY) text=t(o::EMPTY_TEXT)>
                    <a class="button primary" href="/providers/new">{t(p::NEW)}</a>
                </Empty>
            </div>
        }
        .into_any();
    }
    let (mood, text) = match (active, failed) {
        (0, _) => ("bad", t(o::HEAD_NONE).to_owned()),
        (_, 0) => ("good", t(o::HEAD_ALL).to_owned()),
        _ => ("warn", format!("{active} / {total} {}", t(o::HEAD_SOME))),
    };
    let tile = move |name, number: u64, note: &'static str, href: Option<&'static str>| {
        let inner = view! {
            <span class="tile-name">{t(name)}</span>
            <span class="tile-number" title=format::count(number)>{format::compact(number)}</span>
            <span class="tile-note">{note}</span>
        };
        match href {
            Some(href) => view! { <a class="tile" href=href>{inner}</a> }.into_any(),
            None => view! { <div class="tile">{inner}</div> }.into_any(),
        }
    };
    let chips = states
        .into_iter()
        .map(|(state, count)| {
            let known = state.parse::<CredentialState>().ok();
            let words = known.map_or_else(|| state.clone(), |state| t(badge::state_words(state).1).to_owned());
            view! { <a class="chip" href=format!("/pool?state={state}")>{count.to_string()} " × " {words}</a> }
        })
        .collect_view();
    let since = t(o::SINCE_START);
    view! {
        <Answer mood text>
            <span class="chips">{chips} <a class="chip" href="/pool">{t(c::ALL)}</a></span>
        </Answer>
        <div class="tiles">
            {tile(o::ACTIVE, active.into(), "", Some("/pool?state=valid"))}
            {tile(o::FAILED, failed.into(), "", Some("/cache?view=unavailable"))}
            {tile(o::RATE_LIMITED, rate_limited, since, Some("/requests?status=429"))}
            {tile(o::SWITCHES, switches, since, None)}
            {tile(o::EXHAUSTED, exhausted, since, Some("/requests?error_code=no_available_provider"))}
        </div>
    }
    .into_any()
}

#[component]
fn Tiers(
    tiers: PoolStats,
    credentials: Vec<CredentialView>,
    providers: Vec<ProviderView>,
    wanted: Wanted,
    recover: ServerAction<api::pool::Recover>,
    checks: Checks,
) -> impl IntoView {
    let t = translator();
    if credentials.is_empty() {
        return ().into_any();
    }
    let order: Vec<(Tier, u32, u32)> =
        tiers.tiers.iter().map(|line| (line.tier, line.active, line.total)).collect();
    let sections = order
        .into_iter()
        .enumerate()
        .map(|(place, (tier, active, total))| {
            let mut rows: Vec<_> = credentials
                .iter()
                .filter(|credential| credential.tier == tier && credential.deleted_at.is_none())
                .filter_map(|credential| {
                    let provider = providers.iter().find(|provider| provider.id == credential.provider_id)?;
                    wanted.fits(credential, &provider.name).then(|| (provider.clone(), credential.clone()))
                })
                .collect();
            rows.sort_by_key(|(provider, credential)| {
                (provider.priority, credential.priority, provider.name.clone(), credential.name.clone())
            });
            view! { <TierSection place=place + 1 tier active total rows recover checks/> }
        })
        .collect_view();
    view! {
        <div class="filters">
            <h2>{t(o::TRIED_ORDER)}</h2>
            <form method="get" action="/pool" class="search">
                {wanted.state.clone().map(|state| view! { <input type="hidden" name="state" value=state/> })}
                <input class="input" type="search" name="q" value=wanted.text.clone() placeholder=t(c::NAME) aria-label=t(c::NAME) spellcheck="false"/>
            </form>
        </div>
        {sections}
    }
    .into_any()
}

#[component]
fn TierSection(
    place: usize,
    tier: Tier,
    active: u32,
    total: u32,
    rows: Vec<(ProviderView, CredentialView)>,
    recover: ServerAction<api::pool::Recover>,
    checks: Checks,
) -> impl IntoView {
    let t = translator();
    let count = rows.len();
    let cut = (count > MOST).then(|| shown_of(MOST, u64::try_from(count).unwrap_or(u64::MAX)));
    let lines = rows
        .into_iter()
        .take(MOST)
        .map(|(provider, credential)| view! { <Row provider credential recover checks/> })
        .collect_view();
    let body = if count == 0 {
        view! { <p class="help pad-x tier-empty">{t(o::TIER_EMPTY)}</p> }.into_any()
    } else {
        view! {
            <div class="table-scroll">
                <table class="table rows">
                    <caption class="visually-hidden">{t(routing_words::tier(tier))}</caption>
                    <thead>
                        <tr>
                            <th scope="col">{t(c::CREDENTIAL)}</th>
                            <th scope="col">{t(o::STATE)}</th>
                            <th scope="col">{t(k::CHECK)}</th>
                            <th scope="col">{t(o::BREAKER)}</th>
                            <th scope="col" class="num">{t(c::PRIORITY)}</th>
                            <th scope="col" class="num">{t(c::WEIGHT)}</th>
                            <th scope="col" class="num">{t(o::LOAD)}</th>
                            <th scope="col" class="num">{t(w::LATENCY)}</th>
                            <th scope="col" class="num">{format!("{} / {}", t(o::ANSWERED), t(o::FAILED_REQUESTS))}</th>
                            <th scope="col"><span class="visually-hidden">{t(c::ACTIONS)}</span></th>
                        </tr>
                    </thead>
                    <tbody>{lines}</tbody>
                </table>
            </div>
        }
        .into_any()
    };
    view! {
        <section class="panel">
            <div class="panel-head">
                <h2 class="panel-title">{format!("{place}. {}", t(routing_words::tier(tier)))}</h2>
                <span class="faint">{format!("{active} / {total}")}</span>
            </div>
            {body}
            {cut.map(|text| view! { <p class="help pad-x">{text}</p> })}
        </section>
    }
}

#[component]
fn Row(
    provider: ProviderView,
    credential: CredentialView,
    recover: ServerAction<api::pool::Recover>,
    checks: Checks,
) -> impl IntoView {
    let t = translator();
    let id = credential.id;
    let most = credential.max_concurrency.map(|most| format!(" / {most}")).unwrap_or_default();
    let well = credential.state == CredentialState::Valid
        && credential.cooldowns.is_empty()
        && credential.breaker == types::breaker::BreakerState::Closed;
    // A lost account comes back by a new sign-in, and by nothing that could be forgotten here.
    let lost = credential.token.clone().filter(|_| credential.state == CredentialState::NeedsReauth);
    let recover = match lost {
        Some(token) => view! {
            <ActionForm action=checks.again>
                <input type="hidden" name="vendor" value=token.vendor.unwrap_or_default()/>
                <input type="hidden" name="id" value=id.to_string()/>
                <button class="button small">{t(a::SIGN_IN_AGAIN)}</button>
            </ActionForm>
        }
        .into_any(),
        None if well || credential.state == CredentialState::Disabled => ().into_any(),
        None => view! {
            <ActionForm action=recover>
                <input type="hidden" name="id" value=id.to_string()/>
                <button class="button small">{t(o::RECOVER)}</button>
            </ActionForm>
        }
        .into_any(),
    };
    let n = format::count;
    view! {
        <tr>
            <th scope="row" data-label=t(c::CREDENTIAL)>
                <span class="two-lines">
                    <a class="truncate" href=format!("/providers/{}?edit={id}", provider.id) title=credential.name.clone()>{credential.name.clone()}</a>
                    <a class="truncate faint small" href=format!("/providers/{}", provider.id) title=provider.name.clone()>{provider.name.clone()}</a>
                </span>
                {credential.managed_by.clone().map(|variable| view! {
                    <span class="faint managed">{t(o::MANAGED)} " " <code>{variable}</code></span>
                })}
            </th>
            <td data-label=t(o::STATE) class="wrap-cell">
                <span class="stack">{badge::credential(&credential)} <Reason credential=credential.clone()/></span>
            </td>
            <td data-label=t(k::CHECK) class="wrap-cell"><CheckCell credential=credential.clone() threshold=checks.threshold/></td>
            <td data-label=t(o::BREAKER)><a href=format!("/breakers?provider_id={}", provider.id)>{badge::breaker(credential.breaker)}</a></td>
            <td data-label=t(c::PRIORITY) class="num">{format!("{} / {}", provider.priority, credential.priority)}</td>
            <td data-label=t(c::WEIGHT) class="num">{credential.weight.to_string()}</td>
            <td data-label=t(o::LOAD) class="num">{format!("{}{most}", credential.in_flight)}</td>
            <td data-label=t(w::LATENCY) class="num">{credential.latency_ms.map_or_else(|| "–".to_owned(), format::duration)}</td>
            <td data-label=format!("{} / {}", t(o::ANSWERED), t(o::FAILED_REQUESTS)) class="num">
                <a href=format!("/requests?credential_id={id}&status=ok")>{n(credential.answered)}</a> " / "
                <a href=format!("/requests?credential_id={id}&status=error")>{n(credential.failed)}</a>
            </td>
            <td class="actions">
                <span class="row-actions">{recover} <CheckButtons credential=credential.clone() actions=checks.actions/> <a class="button small quiet" href=format!("/pool?history={id}")>{t(o::HISTORY)}</a></span>
            </td>
        </tr>
    }
}
