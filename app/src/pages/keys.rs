//! All keys (KE-03): which exist, whose they are, when they were last used.

use leptos::prelude::*;
use types::api_key::ApiKeyView;

use crate::api;
use crate::components::flash::{Done, Failed};
use crate::components::head::{Answer, Head};
use crate::components::key_table::KeyTable;
use crate::components::load::{Empty, load};
use crate::components::{Refresh, failure, query};
use crate::text::{common as c, people as p, translator};

/// The page.
#[component]
pub(crate) fn Keys() -> impl IntoView {
    let t = translator();
    let (undo, search) = (query("undo"), query("q"));
    let refresh = Refresh::get();
    let restore = ServerAction::<api::key::Restore>::new();
    let restore_failed = failure(restore);
    let list = Resource::new(move || refresh.0.get(), |_| api::key::list(None));
    view! {
        <Head title=t(p::KEYS)>
            <a class="button small primary" href="/keys/new">{t(p::NEW_KEY)}</a>
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
            <Failed error=restore_failed/>
            {load(list, move |keys| view! { <List keys search=search.get()/> })}
        </div>
    }
}

#[component]
fn List(keys: Vec<ApiKeyView>, #[prop(optional_no_strip)] search: Option<String>) -> impl IntoView {
    let t = translator();
    if keys.is_empty() {
        return view! {
            <div class="panel">
                <Empty title=t(p::KEYS_NONE) text=t(p::KEYS_EMPTY_TEXT)>
                    <a class="button primary" href="/keys/new">{t(p::NEW_KEY)}</a>
                </Empty>
            </div>
        }
        .into_any();
    }
    let all = keys.len();
    let wanted = search.clone().unwrap_or_default().to_lowercase();
    let matches = |key: &ApiKeyView| {
        [&key.name, &key.user_name, &key.prefix].iter().any(|text| text.to_lowercase().contains(&wanted))
    };
    let found: Vec<_> = keys.into_iter().filter(matches).collect();
    view! {
        <Answer mood="calm" text=format!("{all} {}", t(p::KEYS_HEAD))>
            <form method="get" action="/keys" class="search">
                <input class="input" type="search" name="q" value=search placeholder=t(p::FIND_KEY)
                    title=t(p::FIND_KEY_HELP) aria-label=t(p::FIND_KEY)/>
            </form>
        </Answer>
        <div class="panel">
            {if found.is_empty() {
                view! { <Empty title=t(p::KEYS_FILTERED)><a class="button" href="/keys">{t(c::CLEAR_FILTERS)}</a></Empty> }.into_any()
            } else {
                view! { <KeyTable keys=found linked=true owners=true/> }.into_any()
            }}
        </div>
    }
    .into_any()
}
