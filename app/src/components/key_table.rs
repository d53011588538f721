//! Rows of keys, for the list, a user's page and a member's page (KE-03).

use leptos::prelude::*;
use types::api_key::ApiKeyView;

use super::badge;
use super::time::maybe;
use super::usd::usd;
use crate::format;
use crate::text::{common as c, money as m, people as p, translator};

/// A table of keys; administrators get links to their pages.
#[component]
pub(crate) fn KeyTable(
    keys: Vec<ApiKeyView>,
    /// Whether names lead to the keys' pages.
    linked: bool,
    /// Whether to show whose they are.
    owners: bool,
) -> impl IntoView {
    let t = translator();
    let rows = keys
        .into_iter()
        .map(|key| {
            let name = key.name.clone();
            view! {
                <tr>
                    <th scope="row" data-label=t(c::NAME)>
                        {if linked {
                            view! { <a class="truncate" href=format!("/keys/{}", key.id) title=name.clone()>{name.clone()}</a> }.into_any()
                        } else {
                            view! { <span class="truncate">{name}</span> }.into_any()
                        }}
                    </th>
                    <td data-label=t(p::PREFIX)><code>{key.prefix} "…"</code></td>
                    {owners.then(|| view! {
                        <td data-label=t(p::OWNER)><a class="truncate" href=format!("/users/{}", key.user_id) title=key.user_name.clone()>{key.user_name.clone()}</a></td>
                    })}
                    <td data-label=t(c::STATUS)>{badge::on_off(key.enabled, key.deleted_at.is_some())}</td>
                    <td data-label=t(c::REQUESTS) class="num">
                        {if linked {
                            view! { <a href=format!("/requests?key_id={}", key.id)>{format::count(key.request_count)}</a> }.into_any()
                        } else {
                            format::count(key.request_count).into_any()
                        }}
                    </td>
                    <td data-label=t(m::COST) class="num">{usd(key.cost_usd)}</td>
                    <td data-label=t(c::LAST_USED)>{maybe(key.last_used_at, t(c::NOT_YET))}</td>
                    <td data-label=t(c::EXPIRES)>{maybe(key.expires_at, t(c::NEVER))}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <div class="table-scroll">
            <table class="table rows">
                <caption class="visually-hidden">{t(p::KEYS)}</caption>
                <thead>
                    <tr>
                        <th scope="col">{t(c::NAME)}</th>
                        <th scope="col">{t(p::PREFIX)}</th>
                        {owners.then(|| view! { <th scope="col">{t(p::OWNER)}</th> })}
                        <th scope="col">{t(c::STATUS)}</th>
                        <th scope="col" class="num">{t(c::REQUESTS)}</th>
                        <th scope="col" class="num">{t(m::COST)}</th>
                        <th scope="col">{t(c::LAST_USED)}</th>
                        <th scope="col">{t(c::EXPIRES)}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
}
