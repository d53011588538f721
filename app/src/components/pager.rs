//! Cursor paging with links: newest, older.

use leptos::prelude::*;
use leptos_router::hooks::{use_location, use_query_map};
use leptos_router::location::Url;

use crate::text::{Text, common as c, translator};

/// Links to the newest and to the next older page; the filters in the address stay.
#[component]
pub(crate) fn Pager(
    /// Cursor of the next page.
    next: Option<String>,
    /// Words of the links to the first and the next page, where the list is not by time.
    #[prop(optional)]
    words: Option<(Text, Text)>,
) -> impl IntoView {
    let t = translator();
    let (first, then) = words.unwrap_or((c::FIRST_PAGE, c::NEXT_PAGE));
    let path = use_location().pathname.get_untracked();
    let map = use_query_map();
    let paged = map.with_untracked(|map| map.get("cursor").is_some());
    let rest = map.with_untracked(|map| {
        map.latest_values()
            .filter(|(key, _)| *key != "cursor" && !key.starts_with("__") && *key != "done")
            .map(|(key, value)| format!("{key}={}", Url::escape(value)))
            .collect::<Vec<_>>()
            .join("&")
    });
    let newest = if rest.is_empty() { path.clone() } else { format!("{path}?{rest}") };
    let older = next.map(|cursor| {
        let cursor = Url::escape(&cursor);
        if rest.is_empty() {
            format!("{path}?cursor={cursor}")
        } else {
            format!("{path}?{rest}&cursor={cursor}")
        }
    });
    (paged || older.is_some()).then(|| {
        view! {
            <nav class="pager">
                {paged.then(|| view! { <a class="button" href=newest rel="first">{t(first)}</a> })}
                {older.map(|older| view! { <a class="button" href=older rel="next">{t(then)}</a> })}
            </nav>
        }
    })
}
