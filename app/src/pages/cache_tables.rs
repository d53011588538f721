//! The four tables of what the process remembers.

use leptos::prelude::*;
use types::cached::{AccountLoad, SessionView, UnavailableMark, UserLoad};

use crate::api;
use crate::components::decision::source_words;
use crate::components::time::{Until, maybe};
use crate::components::{badge, routing_words};
use crate::format;
use crate::text::{Text, cache as w, common as c, pool as o, provider as p, translator};

type Clear = ServerAction<api::cache::Clear>;

/// A table with its heads; numbers are marked by `true`.
fn table(title: Text, heads: &[(Text, bool)], rows: AnyView) -> AnyView {
    let t = translator();
    let heads = heads
        .iter()
        .map(|(words, num)| view! { <th scope="col" class:num=*num>{t(*words)}</th> })
        .collect_view();
    view! {
        <div class="table-scroll">
            <table class="table rows">
                <caption class="visually-hidden">{t(title)}</caption>
                <thead><tr>{heads} <th scope="col"><span class="visually-hidden">{t(c::ACTIONS)}</span></th></tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}

/// The button that removes one entry.
fn clear_one(clear: Clear, view: &'static str, id: String) -> AnyView {
    let t = translator();
    view! {
        <ActionForm action=clear>
            <input type="hidden" name="view" value=view/>
            <input type="hidden" name="id" value=id/>
            <button class="button small quiet">{t(w::CLEAR)}</button>
        </ActionForm>
    }
    .into_any()
}

/// A name that leads to its page; what is gone shows its number.
fn link(path: &str, id: i64, name: Option<String>) -> AnyView {
    let name = name.unwrap_or_else(|| format!("#{id}"));
    view! { <a class="truncate" href=format!("/{path}/{id}") title=name.clone()>{name.clone()}</a> }
        .into_any()
}

fn of_bound(now: u32, most: Option<u32>) -> String {
    let t = translator();
    format!("{now} / {}", most.map_or_else(|| t(w::NO_BOUND).to_owned(), |most| most.to_string()))
}

/// Conversations and the credentials that they stick to.
#[component]
pub(crate) fn Sessions(items: Vec<SessionView>, clear: Clear) -> impl IntoView {
    let t = translator();
    let rows = items
        .into_iter()
        .map(|one| {
            let requests = format!("/requests?session_id={}", leptos_router::location::Url::escape(&one.session));
            view! {
                <tr>
                    <th scope="row" data-label=t(w::SESSION)>
                        <a class="truncate" href=requests title=one.session.clone()><code>{one.session.clone()}</code></a>
                        <span class="faint small">{t(source_words(one.source))}</span>
                    </th>
                    <td data-label=t(c::USER)><span class="two-lines">{link("users", one.user_id.0, one.user_name)} {link("keys", one.key_id.0, one.key_name)}</span></td>
                    <td data-label=t(w::BOUND_TO)>
                        <span class="two-lines">{link("providers", one.provider_id.0, one.provider_name)} <span class="truncate">{one.credential_name.unwrap_or_else(|| format!("#{}", one.credential_id))}</span></span>
                    </td>
                    <td class="num" data-label=t(w::HITS)>{format::count(one.hits)}</td>
                    <td class="num" data-label=t(w::REBINDS)>{one.rebinds.to_string()}</td>
                    <td data-label=t(w::LAST)>{maybe(Some(one.last_used_at), "")}</td>
                    <td data-label=t(w::FORGOTTEN)><Until at=one.expires_at/></td>
                    <td class="actions">{clear_one(clear, "sessions", one.id)}</td>
                </tr>
            }
        })
        .collect_view()
        .into_any();
    let heads = [
        (w::SESSION, false),
        (c::USER, false),
        (w::BOUND_TO, false),
        (w::HITS, true),
        (w::REBINDS, true),
        (w::LAST, false),
        (w::FORGOTTEN, false),
    ];
    table(w::V_SESSIONS, &heads, rows)
}

/// Requests at once on each credential.
#[component]
pub(crate) fn Accounts(items: Vec<AccountLoad>, clear: Clear) -> impl IntoView {
    let t = translator();
    let rows = items
        .into_iter()
        .map(|one| view! {
            <tr>
                <th scope="row" data-label=t(c::CREDENTIAL)>
                    <span class="path">{link("providers", one.provider_id.0, Some(one.provider_name))} " / " <span class="truncate">{one.credential_name}</span></span>
                </th>
                <td data-label=t(p::TIER)>{t(routing_words::tier(one.tier))}</td>
                <td class="num" data-label=t(w::AT_ONCE)>{of_bound(one.in_flight, one.max_concurrency)}</td>
                <td class="num" data-label=t(w::WAITING)>{one.waiting.to_string()}</td>
                <td class="num" data-label=t(w::SESSIONS)>{one.sessions.to_string()}</td>
                <td data-label=t(w::LAST)>{maybe(one.last_used_at, t(c::NOT_YET))}</td>
                <td class="actions">{(one.in_flight > 0).then(|| clear_one(clear, "accounts", one.credential_id.to_string()))}</td>
            </tr>
        })
        .collect_view()
        .into_any();
    let heads = [
        (c::CREDENTIAL, false),
        (p::TIER, false),
        (w::AT_ONCE, true),
        (w::WAITING, true),
        (w::SESSIONS, true),
        (w::LAST, false),
    ];
    table(w::V_ACCOUNTS, &heads, rows)
}

/// Requests at once of each user.
#[component]
pub(crate) fn Users(items: Vec<UserLoad>, clear: Clear) -> impl IntoView {
    let t = translator();
    let rows = items
        .into_iter()
        .map(|one| view! {
            <tr>
                <th scope="row" data-label=t(c::USER)>{link("users", one.user_id.0, Some(one.user_name))}</th>
                <td class="num" data-label=t(w::AT_ONCE)>{of_bound(one.in_flight, one.max_concurrent_requests)}</td>
                <td class="num" data-label=t(w::SESSIONS)>{of_bound(one.sessions, one.limit_concurrent_sessions)}</td>
                <td class="actions">{(one.in_flight + one.sessions > 0).then(|| clear_one(clear, "users", one.user_id.to_string()))}</td>
            </tr>
        })
        .collect_view()
        .into_any();
    table(w::V_USERS, &[(c::USER, false), (w::AT_ONCE, true), (w::SESSIONS, true)], rows)
}

/// What keeps credentials, or models of them, from serving.
#[component]
pub(crate) fn Unavailable(items: Vec<UnavailableMark>, clear: Clear) -> impl IntoView {
    let t = translator();
    let rows = items
        .into_iter()
        .map(|one| {
            let ends = one.until.map_or_else(
                || view! { <strong>{t(o::NEVER_BY_ITSELF)}</strong> }.into_any(),
                |at| view! { <Until at/> }.into_any(),
            );
            let model = one.model.map_or_else(
                || view! { <span class="faint">{t(o::ALL_MODELS)}</span> }.into_any(),
                |model| view! { <code class="truncate" title=model.clone()>{model.clone()}</code> }.into_any(),
            );
            view! {
                <tr>
                    <th scope="row" data-label=t(c::CREDENTIAL)>
                        <span class="path">{link("providers", one.provider_id.0, Some(one.provider_name))} " / " <span class="truncate">{one.credential_name}</span></span>
                    </th>
                    <td data-label=t(c::MODEL)>{model}</td>
                    <td data-label=t(w::MARK)>{badge::mark(&one.mark)}</td>
                    <td data-label=t(w::ENDS)>{ends}</td>
                    <td class="wrap-cell" data-label=t(o::WHY)>{one.reason}</td>
                    <td class="actions">{clear_one(clear, "unavailable", one.credential_id.to_string())}</td>
                </tr>
            }
        })
        .collect_view()
        .into_any();
    let heads =
        [(c::CREDENTIAL, false), (c::MODEL, false), (w::MARK, false), (w::ENDS, false), (o::WHY, false)];
    table(w::V_UNAVAILABLE, &heads, rows)
}
