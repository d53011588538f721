//! What the state of one credential was: asked for by `?history=<id>`, from the pool and from its provider.

use leptos::prelude::*;
use types::check::CheckLine;
use types::credential::CredentialEvent;
use types::{CredentialId, Page};

use crate::api;
use crate::components::load::{Empty, load};
use crate::components::pager::Pager;
use crate::components::time::{Time, Until};
use crate::components::{Refresh, badge, query};
use crate::format;
use crate::text::sentence::sentence;
use crate::text::{Text, check as k, common as c, lang, pool as o, translator};

/// The panel, or nothing where no credential is asked for.
#[component]
pub(crate) fn History() -> impl IntoView {
    let t = translator();
    let (wanted, cursor) = (query("history"), query("cursor"));
    let refresh = Refresh::get();
    let data = Resource::new(
        move || (wanted.get(), cursor.get(), refresh.0.get()),
        |(wanted, cursor, _)| async move {
            let Some(id) = wanted.and_then(|id| id.parse::<i64>().ok()).map(CredentialId) else {
                return Ok(None);
            };
            let credential =
                api::pool::credentials().await?.into_iter().find(|credential| credential.id == id);
            let name = credential.map_or_else(|| format!("#{id}"), |credential| credential.name);
            let checks = api::check::history(id).await?;
            Ok(Some((name, api::credential::events(id, cursor).await?, checks)))
        },
    );
    load(data, move |found: Option<(String, Page<CredentialEvent>, Vec<CheckLine>)>| {
        found.map(|(name, page, checks)| {
            view! {
                <section class="panel" id="history">
                    <div class="panel-head">
                        <h2 class="panel-title">{t(o::HISTORY_OF)} " " {name}</h2>
                        <a class="button small quiet" href="/pool">{t(o::HISTORY_CLOSE)}</a>
                    </div>
                    <Events page/>
                    <h3 class="panel-title" id="checks-of">{t(k::HISTORY)}</h3>
                    <Checks checks/>
                </section>
            }
        })
    })
}

#[component]
fn Events(page: Page<CredentialEvent>) -> impl IntoView {
    let t = translator();
    if page.items.is_empty() {
        return view! { <Empty title=t(o::HISTORY_EMPTY)/> }.into_any();
    }
    let rows = page.items.into_iter().map(|event| view! { <Row event/> }).collect_view();
    view! {
        <div class="table-scroll">
            <table class="table rows">
                <caption class="visually-hidden">{t(o::HISTORY)}</caption>
                <thead>
                    <tr>
                        <th scope="col">{t(c::TIME)} " (UTC)"</th>
                        <th scope="col">{t(o::FROM_TO)}</th>
                        <th scope="col">{t(o::UNTIL)}</th>
                        <th scope="col">{t(o::WHY)}</th>
                        <th scope="col">{t(o::CAUSE)}</th>
                        <th scope="col">{t(o::REQUEST)}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
        <div class="pad-x"><Pager next=page.next/></div>
    }
    .into_any()
}

/// The last checks, the latest first.
#[component]
fn Checks(checks: Vec<CheckLine>) -> impl IntoView {
    let t = translator();
    if checks.is_empty() {
        return view! { <Empty title=t(k::HISTORY_EMPTY)/> }.into_any();
    }
    let rows = checks
        .into_iter()
        .map(|line| {
            let CheckLine { at, probe, result, status, latency_ms, message, remedy } = line;
            let status = status.map_or_else(|| "–".to_owned(), |status| status.to_string());
            view! {
                <tr>
                    <td data-label=t(c::TIME) class="nowrap"><Time at/></td>
                    <td data-label=t(k::PROBE)>{probe}</td>
                    <td data-label=t(k::RESULT)>{badge::check(Some(result))}</td>
                    <td data-label=t(k::STATUS) class="num">{status}</td>
                    <td data-label=t(k::DURATION) class="num">{format::duration(latency_ms)}</td>
                    <td data-label=t(k::MESSAGE) class="wrap-cell">{sentence(lang(), &message.unwrap_or_default())}</td>
                    <td data-label=t(k::REMEDY) class="wrap-cell">{sentence(lang(), &remedy.unwrap_or_default())}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <div class="table-scroll">
            <table class="table rows">
                <caption class="visually-hidden">{t(k::HISTORY)}</caption>
                <thead>
                    <tr>
                        <th scope="col">{t(c::TIME)} " (UTC)"</th>
                        <th scope="col">{t(k::PROBE)}</th>
                        <th scope="col">{t(k::RESULT)}</th>
                        <th scope="col" class="num">{t(k::STATUS)}</th>
                        <th scope="col" class="num">{t(k::DURATION)}</th>
                        <th scope="col">{t(k::MESSAGE)}</th>
                        <th scope="col">{t(k::REMEDY)}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}

#[component]
fn Row(event: CredentialEvent) -> impl IntoView {
    let t = translator();
    let CredentialEvent { at, from, to, until, reason, cause, request_id, .. } = event;
    let request = request_id.map(|id| {
        let id = id.to_string();
        let short = id.get(..8).unwrap_or(&id).to_owned();
        view! { <a href=format!("/requests/{id}")><code>{short}</code></a> }
    });
    let until = until.map_or_else(|| "–".into_any(), |at| view! { <Until at/> }.into_any());
    view! {
        <tr>
            <td data-label=t(c::TIME) class="nowrap"><Time at/></td>
            <td data-label=t(o::FROM_TO)><span class="change-of">{badge::state(from)} " → " {badge::state(to)}</span></td>
            <td data-label=t(o::UNTIL)>{until}</td>
            <td data-label=t(o::WHY) class="wrap-cell">{reason.unwrap_or_default()}</td>
            <td data-label=t(o::CAUSE)>{cause_words(&cause).map_or(cause.clone(), |text| t(text).to_owned())}</td>
            <td data-label=t(o::REQUEST)>{request}</td>
        </tr>
    }
}

fn cause_words(cause: &str) -> Option<Text> {
    Some(match cause {
        "upstream" => o::K_UPSTREAM,
        "recovery" => o::K_RECOVERY,
        "admin" => o::K_ADMIN,
        "health_check" => o::K_HEALTH,
        _ => return None,
    })
}
