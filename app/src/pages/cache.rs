//! What the process remembers: sessions and their bindings, requests at once by credential and by user, marks.
//!
//! The four views are one page; which one, and the search, stand in the address.

use leptos::prelude::*;
use types::cached::CacheList;

use super::cache_tables::{Accounts, Sessions, Unavailable, Users};
use super::setting_row::SettingsOf;
use crate::api;
use crate::components::confirm::Confirm;
use crate::components::flash::{Done, Failed};
use crate::components::head::{Answer, Head};
use crate::components::load::{Empty, load, shown_of};
use crate::components::time::Time;
use crate::components::{Refresh, failure, query};
use crate::format;
use crate::text::{Text, cache as w, common as c, translator};

/// One of the four views.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct View {
    /// Name in the address and in calls.
    pub(crate) name: &'static str,
    title: Text,
    head: Text,
    text: Text,
    empty: Text,
    empty_text: Text,
}

const VIEWS: [View; 4] = [
    View {
        name: "sessions",
        title: w::V_SESSIONS,
        head: w::HEAD_SESSIONS,
        text: w::T_SESSIONS,
        empty: w::E_SESSIONS,
        empty_text: w::E_SESSIONS_TEXT,
    },
    View {
        name: "accounts",
        title: w::V_ACCOUNTS,
        head: w::HEAD_ACCOUNTS,
        text: w::T_ACCOUNTS,
        empty: w::E_ACCOUNTS,
        empty_text: w::E_ACCOUNTS_TEXT,
    },
    View {
        name: "users",
        title: w::V_USERS,
        head: w::HEAD_USERS,
        text: w::T_USERS,
        empty: w::E_USERS,
        empty_text: w::E_USERS_TEXT,
    },
    View {
        name: "unavailable",
        title: w::V_UNAVAILABLE,
        head: w::HEAD_UNAVAILABLE,
        text: w::T_UNAVAILABLE,
        empty: w::E_UNAVAILABLE,
        empty_text: w::E_UNAVAILABLE_TEXT,
    },
];

/// The page.
#[component]
pub(crate) fn Cache() -> impl IntoView {
    let t = translator();
    let (view_name, search) = (query("view"), query("q"));
    let clear = ServerAction::<api::cache::Clear>::new();
    let failed = failure(clear);
    let refresh = Refresh::get();
    let view = Memo::new(move |_| {
        let [first, ..] = VIEWS;
        let wanted = view_name.get();
        VIEWS.into_iter().find(|view| wanted.as_deref() == Some(view.name)).unwrap_or(first)
    });
    // Each view has a list of its own kind, so each change of view makes a new panel.
    let body = move || {
        let (view, asked) = (view.get(), search.get());
        let key = move || refresh.0.get();
        match view.name {
            "accounts" => {
                let list = Resource::new(key, move |_| api::cache::accounts(asked.clone()));
                load(list, move |list| {
                    frame(view, list, clear, |items| view! { <Accounts items clear/> }.into_any())
                })
            }
            "users" => {
                let list = Resource::new(key, move |_| api::cache::users(asked.clone()));
                load(list, move |list| {
                    frame(view, list, clear, |items| view! { <Users items clear/> }.into_any())
                })
            }
            "unavailable" => {
                let list = Resource::new(key, move |_| api::cache::unavailable(asked.clone()));
                load(list, move |list| {
                    frame(view, list, clear, |items| view! { <Unavailable items clear/> }.into_any())
                })
            }
            _ => {
                let list = Resource::new(key, move |_| api::cache::sessions(asked.clone()));
                load(list, move |list| {
                    frame(view, list, clear, |items| view! { <Sessions items clear/> }.into_any())
                })
            }
        }
    };
    let tabs = VIEWS
        .into_iter()
        .map(|one| view! {
            <a href=format!("/cache?view={}", one.name) aria-current=move || (view.get() == one).then_some("true")>{t(one.title)}</a>
        })
        .collect_view();
    view! {
        <Head title=t(w::TITLE)>
            <a class="button small quiet" href="" rel="external">{t(c::REFRESH)}</a>
        </Head>
        <div class="page">
            <Done/>
            <Failed error=failed/>
            <div class="filters">
                <nav class="tabs" aria-label=t(w::TITLE)>{tabs}</nav>
                {move || view! {
                    <form method="get" action="/cache" class="search">
                        <input type="hidden" name="view" value=view.get().name/>
                        <input class="input" type="search" name="q" value=search.get().unwrap_or_default()
                            placeholder=t(w::SEARCH) aria-label=t(w::SEARCH) spellcheck="false"/>
                    </form>
                }}
            </div>
            {body}
            {move || (view.get().name == "sessions").then(|| view! {
                <h2 class="group-title">{t(w::KEPT)}</h2>
                <SettingsOf prefixes=&["affinity."] back="/cache"/>
            })}
            {move || (view.get().name == "unavailable").then(|| view! {
                <h2 class="group-title">{t(w::KEPT)}</h2>
                <SettingsOf prefixes=&["routing.cooldown_max_s", "routing.unavailable_s"] back="/cache?view=unavailable"/>
            })}
        </div>
    }
}

/// Answer, explanation, table or what an empty one means, and clearing all.
fn frame<T>(
    view: View,
    list: CacheList<T>,
    clear: ServerAction<api::cache::Clear>,
    table: impl FnOnce(Vec<T>) -> AnyView,
) -> AnyView {
    let t = translator();
    let searched = query("q").with_untracked(Option::is_some);
    let CacheList { items, total, since, ttl_s, .. } = list;
    let shown = items.len();
    let cut = u64::try_from(shown).is_ok_and(|shown| shown < total).then(|| shown_of(shown, total));
    let lives = (ttl_s > 0).then(|| format!(" · {} {}", t(w::KEPT), format::period(ttl_s)));
    let body = if items.is_empty() && searched {
        view! {
            <Empty title=t(w::E_SEARCH)>
                <a class="button" href=format!("/cache?view={}", view.name)>{t(c::CLEAR_FILTERS)}</a>
            </Empty>
        }
        .into_any()
    } else if items.is_empty() {
        view! { <Empty title=t(view.empty) text=t(view.empty_text)/> }.into_any()
    } else {
        table(items)
    };
    let all = (total > 0 && !searched).then(|| view! {
        <Confirm what=format!("clear-{}", view.name) trigger=w::CLEAR_ALL title=w::CLEAR_TITLE text=view.text
            subject=format!("{} ({total})", t(view.title))>
            <ActionForm action=clear>
                <input type="hidden" name="view" value=view.name/>
                <button class="button danger">{t(w::CLEAR_ALL)}</button>
            </ActionForm>
        </Confirm>
    });
    let mood = if view.name == "unavailable" && total > 0 { "warn" } else { "calm" };
    view! {
        <Answer mood text=format!("{} {}", format::count(total), t(view.head))>
            <span class="faint">{t(w::SINCE)} " " <Time at=since/> " UTC, " {t(w::FORGETS)} {lives}</span>
            {all}
        </Answer>
        <p class="help">{t(view.text)}</p>
        <div class="panel">
            {body}
            {cut.map(|text| view! { <p class="help pad-x">{text}</p> })}
        </div>
    }
    .into_any()
}
