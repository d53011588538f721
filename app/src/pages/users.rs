//! All users: who may come in.

use leptos::prelude::*;
use types::user::UserView;

use crate::api;
use crate::components::flash::{Done, Failed};
use crate::components::head::{Answer, Head};
use crate::components::load::{Empty, load};
use crate::components::time::maybe;
use crate::components::{Refresh, badge, failure, query};
use crate::text::{common as c, people as p, translator};

/// The page.
#[component]
pub(crate) fn Users() -> impl IntoView {
    let t = translator();
    let (deleted, undo, search) = (query("deleted"), query("undo"), query("q"));
    let refresh = Refresh::get();
    let toggle = ServerAction::<api::user::Toggle>::new();
    let restore = ServerAction::<api::user::Restore>::new();
    let (toggle_failed, restore_failed) = (failure(toggle), failure(restore));
    let show_deleted = move || deleted.with(Option::is_some);
    let list =
        Resource::new(move || (show_deleted(), refresh.0.get()), |(deleted, _)| api::user::list(deleted));
    view! {
        <Head title=t(p::USERS)>
            <a class="button small quiet" href=move || if show_deleted() { "/users" } else { "/users?deleted=1" }>
                {move || if show_deleted() { t(c::HIDE_DELETED) } else { t(c::SHOW_DELETED) }}
            </a>
            <a class="button small primary" href="/users/new">{t(p::NEW_USER)}</a>
        </Head>
        <div class="page">
            <Done>
                {move || undo.get().map(|id| view! {
                    <ActionForm action=restore>
                        <input type="hidden" name="id" value=id/>
                        <button class="link">{t(c::UNDO)}</button>
                    </ActionForm>
                })}
            </Done>
            <Failed error=toggle_failed/>
            <Failed error=restore_failed/>
            {load(list, move |users| view! { <List users search=search.get() toggle restore/> })}
        </div>
    }
}

#[component]
fn List(
    users: Vec<UserView>,
    #[prop(optional_no_strip)] search: Option<String>,
    toggle: ServerAction<api::user::Toggle>,
    restore: ServerAction<api::user::Restore>,
) -> impl IntoView {
    let t = translator();
    if users.is_empty() {
        return view! {
            <div class="panel">
                <Empty title=t(p::USERS_NONE) text=t(p::USERS_EMPTY_TEXT)>
                    <a class="button primary" href="/users/new">{t(p::NEW_USER)}</a>
                </Empty>
            </div>
        }
        .into_any();
    }
    let all = users.len();
    let wanted = search.clone().unwrap_or_default().to_lowercase();
    let found: Vec<_> = users.into_iter().filter(|user| user.name.to_lowercase().contains(&wanted)).collect();
    let nothing = found.is_empty();
    let rows = found.into_iter().map(|user| view! { <Row user toggle restore/> }).collect_view();
    view! {
        <Answer mood="calm" text=format!("{all} {}", t(p::USERS_HEAD))>
            <form method="get" action="/users" class="search">
                <input class="input" type="search" name="q" value=search placeholder=t(p::FIND_USER) aria-label=t(p::FIND_USER)/>
            </form>
        </Answer>
        <div class="panel table-scroll">
            {if nothing {
                view! { <Empty title=t(p::USERS_FILTERED)><a class="button" href="/users">{t(c::CLEAR_FILTERS)}</a></Empty> }.into_any()
            } else {
                view! {
                    <table class="table rows">
                        <caption class="visually-hidden">{t(p::USERS)}</caption>
                        <thead>
                            <tr>
                                <th scope="col">{t(c::NAME)}</th>
                                <th scope="col">{t(c::STATUS)}</th>
                                <th scope="col">{t(c::GROUPS)}</th>
                                <th scope="col" class="num">{t(p::KEYS)}</th>
                                <th scope="col">{t(p::PASSWORD)}</th>
                                <th scope="col">{t(c::EXPIRES)}</th>
                                <th scope="col">{t(c::CREATED)}</th>
                                <th scope="col"><span class="visually-hidden">{t(c::ACTIONS)}</span></th>
                            </tr>
                        </thead>
                        <tbody>{rows}</tbody>
                    </table>
                }
                .into_any()
            }}
        </div>
    }
    .into_any()
}

#[component]
fn Row(
    user: UserView,
    toggle: ServerAction<api::user::Toggle>,
    restore: ServerAction<api::user::Restore>,
) -> impl IntoView {
    let t = translator();
    let id = user.id;
    let groups = if user.groups.is_empty() { t(c::ALL).to_owned() } else { user.groups.join(", ") };
    let action = if user.deleted_at.is_some() {
        view! {
            <ActionForm action=restore>
                <input type="hidden" name="id" value=id.to_string()/>
                <button class="button small">{t(c::RESTORE)}</button>
            </ActionForm>
        }
        .into_any()
    } else {
        view! {
            <ActionForm action=toggle>
                <input type="hidden" name="id" value=id.to_string()/>
                <input type="hidden" name="enabled" value=(!user.enabled).to_string()/>
                <button class="button small quiet">{if user.enabled { t(c::DISABLE) } else { t(c::ENABLE) }}</button>
            </ActionForm>
        }
        .into_any()
    };
    view! {
        <tr>
            <th scope="row" data-label=t(c::NAME)><a class="truncate" href=format!("/users/{id}")>{user.name}</a></th>
            <td data-label=t(c::STATUS)>{badge::on_off(user.enabled, user.deleted_at.is_some())}</td>
            <td data-label=t(c::GROUPS)><span class="truncate">{groups}</span></td>
            <td data-label=t(p::KEYS) class="num">{user.key_count.to_string()}</td>
            <td data-label=t(p::PASSWORD)>{if user.has_password { t(c::YES) } else { t(c::NO) }}</td>
            <td data-label=t(c::EXPIRES)>{maybe(user.expires_at, t(c::NEVER))}</td>
            <td data-label=t(c::CREATED)>{maybe(Some(user.created_at), "")}</td>
            <td class="actions">{action}</td>
        </tr>
    }
}
