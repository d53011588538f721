//! Circuit breakers: which are open, until when and why; what they did; and closing them by hand.

use std::collections::BTreeMap;

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use serde::{Deserialize, Serialize};
use types::breaker::{BreakerEvent, BreakerState, BreakerView};
use types::{CredentialId, Page, ProviderId};

use crate::api;
use crate::components::confirm::Confirm;
use crate::components::flash::{Done, Failed};
use crate::components::head::{Answer, Head};
use crate::components::load::{Empty, load, shown_of};
use crate::components::pager::Pager;
use crate::components::time::{Time, Until};
use crate::components::{Refresh, badge, failure, query};
use crate::error::AppError;
use crate::text::{common as c, pool as o, translator};

/// Most breakers on the page; the open ones come first.
const MOST: usize = 300;

/// Names of providers and credentials, since breakers carry only identities.
#[derive(Clone, Serialize, Deserialize)]
struct Names {
    providers: BTreeMap<i64, String>,
    credentials: BTreeMap<i64, String>,
}

impl Names {
    async fn read() -> Result<Self, AppError> {
        let (providers, credentials) = (api::provider::list(true).await?, api::pool::credentials().await?);
        Ok(Self {
            providers: providers.into_iter().map(|provider| (provider.id.0, provider.name)).collect(),
            credentials: credentials
                .into_iter()
                .map(|credential| (credential.id.0, credential.name))
                .collect(),
        })
    }

    fn provider(&self, id: ProviderId) -> String {
        self.providers.get(&id.0).cloned().unwrap_or_else(|| format!("#{id}"))
    }

    fn credential(&self, id: CredentialId) -> String {
        self.credentials.get(&id.0).cloned().unwrap_or_else(|| format!("#{id}"))
    }
}

/// The page.
#[component]
pub(crate) fn Breakers() -> impl IntoView {
    let t = translator();
    let refresh = Refresh::get();
    let (state, provider, cursor) = (query("state"), query("provider_id"), query("cursor"));
    let chosen = move || provider.get().and_then(|id| id.parse::<i64>().ok()).map(ProviderId);
    let reset = ServerAction::<api::breaker::Reset>::new();
    let failed = failure(reset);
    let list = Resource::new(
        move || refresh.0.get(),
        |_| async { Ok((api::breaker::list().await?, Names::read().await?)) },
    );
    let events = Resource::new(
        move || (chosen(), cursor.get(), refresh.0.get()),
        |(provider, cursor, _)| async move {
            Ok((api::breaker::events(provider, cursor).await?, Names::read().await?))
        },
    );
    view! {
        <Head title=t(o::BREAKERS)>
            <a class="button small quiet" href="" rel="external">{t(c::REFRESH)}</a>
            <Confirm what="reset" trigger=o::RESET_ALL title=o::RESET_TITLE text=o::RESET_TEXT subject=t(o::RESET_SUBJECT)>
                <ActionForm action=reset><button class="button primary">{t(o::RESET_ALL)}</button></ActionForm>
            </Confirm>
        </Head>
        <div class="page">
            <Done/>
            <Failed error=failed/>
            {load(list, move |(breakers, names): (Vec<BreakerView>, Names)| {
                let (mood, text) = headline(&breakers);
                let all = StoredValue::new((breakers, names));
                view! {
                    <Answer mood text><span class="faint">{t(o::B_TEXT)}</span></Answer>
                    <Tabs/>
                    {move || {
                        let (breakers, names) = all.get_value();
                        let state = state.get().and_then(|state| state.parse::<BreakerState>().ok());
                        let provider = chosen();
                        let filtered = state.is_some() || provider.is_some();
                        let shown = breakers
                            .into_iter()
                            .filter(|b| state.is_none_or(|state| b.state == state))
                            .filter(|b| provider.is_none_or(|id| b.provider_id == id))
                            .collect::<Vec<_>>();
                        view! { <List breakers=shown names filtered reset/> }
                    }}
                }
            })}
            <section class="panel" id="timeline">
                <h2 class="panel-title">{t(o::TIMELINE)}</h2>
                {load(events, |(page, names)| view! { <Timeline page names/> })}
            </section>
        </div>
    }
}

fn headline(breakers: &[BreakerView]) -> (&'static str, String) {
    let t = translator();
    let count = |state| breakers.iter().filter(|b| b.state == state).count();
    let (open, half) = (count(BreakerState::Open), count(BreakerState::HalfOpen));
    let half_words = format!("{half} {}", t(o::B_HEAD_HALF));
    match (open, half) {
        (0, 0) => ("good", t(o::B_HEAD_CLOSED).to_owned()),
        (0, _) => ("warn", half_words),
        (_, 0) => ("bad", format!("{open} {}", t(o::B_HEAD_OPEN))),
        _ => ("bad", format!("{open} {} · {half_words}", t(o::B_HEAD_OPEN))),
    }
}

#[component]
fn Tabs() -> impl IntoView {
    let t = translator();
    let state = query("state");
    let provider = query("provider_id");
    let map = use_query_map();
    let href = move |value: &str| {
        let provider = map.with(|map| map.get("provider_id")).filter(|id| !id.is_empty());
        match (value.is_empty(), provider) {
            (true, None) => "/breakers".to_owned(),
            (false, None) => format!("/breakers?state={value}"),
            (true, Some(id)) => format!("/breakers?provider_id={id}"),
            (false, Some(id)) => format!("/breakers?state={value}&provider_id={id}"),
        }
    };
    let tabs = [("", c::ALL), ("open", o::B_OPEN), ("half_open", o::B_HALF), ("closed", o::B_CLOSED)];
    view! {
        <div class="filters">
            <nav class="tabs" aria-label=t(c::STATUS)>
                {tabs
                    .into_iter()
                    .map(|(value, words)| view! {
                        <a href=move || href(value)
                            aria-current=move || (state.get().unwrap_or_default() == value).then_some("true")>{t(words)}</a>
                    })
                    .collect_view()}
            </nav>
            {move || provider.get().map(|id| view! {
                <span class="chip on">{t(c::PROVIDER)} " #" {id}</span>
                <a href="/breakers">{t(c::CLEAR_FILTERS)}</a>
            })}
        </div>
    }
}

#[component]
fn List(
    mut breakers: Vec<BreakerView>,
    names: Names,
    filtered: bool,
    reset: ServerAction<api::breaker::Reset>,
) -> impl IntoView {
    let t = translator();
    if breakers.is_empty() {
        let empty = if filtered {
            view! { <Empty title=t(o::B_FILTERED)><a class="button" href="/breakers">{t(c::CLEAR_FILTERS)}</a></Empty> }
                .into_any()
        } else {
            view! { <Empty title=t(o::B_EMPTY) text=t(o::B_EMPTY_TEXT)/> }.into_any()
        };
        return view! { <div class="panel">{empty}</div> }.into_any();
    }
    // What needs somebody comes first.
    breakers.sort_by_key(|b| {
        let place = match b.state {
            BreakerState::Open => 0,
            BreakerState::HalfOpen => 1,
            BreakerState::Closed => 2,
        };
        (place, b.provider_id, b.credential_id, b.model.clone())
    });
    let total = breakers.len();
    let cut = (total > MOST).then(|| shown_of(MOST, u64::try_from(total).unwrap_or(u64::MAX)));
    let rows = breakers
        .into_iter()
        .take(MOST)
        .map(|breaker| {
            let (provider, credential) =
                (names.provider(breaker.provider_id), names.credential(breaker.credential_id));
            view! { <Row breaker provider credential reset/> }
        })
        .collect_view();
    view! {
        <section class="panel">
            <div class="table-scroll">
                <table class="table rows">
                    <caption class="visually-hidden">{t(o::BREAKERS)}</caption>
                    <thead>
                        <tr>
                            <th scope="col">{t(c::CREDENTIAL)}</th>
                            <th scope="col">{t(c::MODEL)}</th>
                            <th scope="col">{t(o::STATE)}</th>
                            <th scope="col">{t(o::PROBE)}</th>
                            <th scope="col" class="num">{t(o::FAILURES)}</th>
                            <th scope="col" class="num">{t(o::OPENINGS)}</th>
                            <th scope="col">{t(o::LAST_ERROR)}</th>
                            <th scope="col"><span class="visually-hidden">{t(c::ACTIONS)}</span></th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
            {cut.map(|text| view! { <p class="help pad-x">{text}</p> })}
        </section>
    }
    .into_any()
}

#[component]
fn Row(
    breaker: BreakerView,
    provider: String,
    credential: String,
    reset: ServerAction<api::breaker::Reset>,
) -> impl IntoView {
    let t = translator();
    let id = breaker.provider_id;
    let closed = breaker.state == BreakerState::Closed;
    let probe = breaker.probe_at.map_or_else(|| "–".into_any(), |at| view! { <Until at/> }.into_any());
    let changed = breaker.changed_at.map(|at| view! { <span class="faint"><Time at relative=true/></span> });
    let error = breaker.last_error.unwrap_or_else(|| "–".to_owned());
    let action = (!closed).then(|| {
        view! {
            <ActionForm action=reset>
                <input type="hidden" name="provider_id" value=id.to_string()/>
                <button class="button small" title=t(o::RESET_PROVIDER)>{t(o::RESET)}</button>
            </ActionForm>
        }
    });
    view! {
        <tr>
            <th scope="row" data-label=t(c::CREDENTIAL)>
                <span class="path"><a class="truncate" href=format!("/providers/{id}")>{provider}</a> " / " <span class="truncate">{credential}</span></span>
            </th>
            <td data-label=t(c::MODEL)>
                {breaker.model.map_or_else(|| view! { <span class="faint">{t(o::NO_MODEL)}</span> }.into_any(), |model| view! { <code class="truncate" title=model.clone()>{model.clone()}</code> }.into_any())}
            </td>
            <td data-label=t(o::STATE)>{badge::breaker(breaker.state)}</td>
            <td data-label=t(o::PROBE)>{probe}</td>
            <td data-label=t(o::FAILURES) class="num">{breaker.failures.to_string()}</td>
            <td data-label=t(o::OPENINGS) class="num">{breaker.openings.to_string()}</td>
            <td data-label=t(o::LAST_ERROR) class="wrap-cell">{error} " " {changed}</td>
            <td class="actions">{action}</td>
        </tr>
    }
}

#[component]
fn Timeline(page: Page<BreakerEvent>, names: Names) -> impl IntoView {
    let t = translator();
    if page.items.is_empty() {
        return view! { <Empty title=t(o::TIMELINE_EMPTY)/> }.into_any();
    }
    let rows = page
        .items
        .into_iter()
        .map(|event| {
            let BreakerEvent { at, provider_id, credential_id, model, from, to, reason } = event;
            let provider = names.provider(provider_id);
            view! {
                <tr>
                    <td data-label=t(c::TIME) class="nowrap"><Time at/></td>
                    <th scope="row" data-label=t(c::CREDENTIAL)>
                        <span class="path"><a class="truncate" href=format!("/breakers?provider_id={provider_id}") title=t(o::TIMELINE_OF)>{provider}</a> " / " <span class="truncate">{names.credential(credential_id)}</span></span>
                    </th>
                    <td data-label=t(c::MODEL)><code class="truncate">{model.unwrap_or_else(|| "–".to_owned())}</code></td>
                    <td data-label=t(o::FROM_TO)><span class="change-of">{badge::breaker(from)} " → " {badge::breaker(to)}</span></td>
                    <td data-label=t(o::WHY) class="wrap-cell">{reason}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <div class="table-scroll">
            <table class="table rows">
                <caption class="visually-hidden">{t(o::TIMELINE)}</caption>
                <thead>
                    <tr>
                        <th scope="col">{t(c::TIME)} " (UTC)"</th>
                        <th scope="col">{t(c::CREDENTIAL)}</th>
                        <th scope="col">{t(c::MODEL)}</th>
                        <th scope="col">{t(o::FROM_TO)}</th>
                        <th scope="col">{t(o::WHY)}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
        <div class="pad-x"><Pager next=page.next/></div>
    }
    .into_any()
}
