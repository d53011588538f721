//! The command palette (Ctrl/⌘ K): any page, provider, user, key, or a request by its id.
//!
//! It exists with scripts only: everything in it is a link that stands elsewhere too. The names are handed in
//! by context, since components call no server functions.

use leptos::html::{Dialog, Input};
use leptos::prelude::*;
use leptos_router::hooks::use_navigate;

use crate::api::palette::Named;
use crate::host;
use crate::text::{Text, books as b, common as c, money as m, oauth, package, routing, transfer, translator};

const PAGES: &[(&str, Text)] = &[
    ("/", c::NAV_OVERVIEW),
    ("/requests", c::NAV_REQUESTS),
    ("/providers", c::NAV_PROVIDERS),
    ("/pool", c::NAV_POOL),
    ("/routing", c::NAV_ROUTING),
    ("/routing?view=aliases", routing::V_ALIASES),
    ("/routing?view=rules", routing::V_RULES),
    ("/routing?view=simulate", routing::V_SIMULATE),
    ("/routing?view=backtest", routing::V_BACKTEST),
    ("/breakers", c::NAV_BREAKERS),
    ("/cache", c::NAV_CACHE),
    ("/oauth", oauth::TITLE),
    ("/credentials/import", transfer::TITLE),
    ("/models", c::NAV_MODELS),
    ("/playground", c::NAV_PLAYGROUND),
    ("/users", c::NAV_USERS),
    ("/keys", c::NAV_KEYS),
    ("/usage", c::NAV_USAGE),
    ("/quotas", c::NAV_QUOTAS),
    ("/prices", c::NAV_PRICES),
    ("/prices/edit", m::SET_PRICE),
    ("/prices/import", m::IMPORT_TITLE),
    ("/prices/reprice", m::REPRICE_TITLE),
    ("/groups", c::NAV_GROUPS),
    ("/packages", c::NAV_PACKAGES),
    ("/packages/new", package::NEW),
    ("/ledger", c::NAV_LEDGER),
    ("/ledger?view=reconcile", b::V_RECONCILE),
    ("/ledger?view=invoice", b::V_INVOICE),
    ("/settings", c::NAV_SETTINGS),
    ("/audit", c::NAV_AUDIT),
    ("/system", c::NAV_SYSTEM),
    ("/api-docs", c::NAV_API_DOCS),
];

/// Asks for the names of everything that has a page; made by `App`.
#[derive(Clone, Copy)]
pub(crate) struct Names(pub(crate) Action<(), Vec<Named>>);

/// One hit: kind, name, path.
type Hit = (String, String, String);

/// The trigger and the dialog.
#[component]
pub(crate) fn Palette() -> impl IntoView {
    let t = translator();
    let dialog = NodeRef::<Dialog>::new();
    let search = NodeRef::<Input>::new();
    let typed = RwSignal::new(String::new());
    let chosen = RwSignal::new(0_usize);
    let Some(Names(known)) = use_context::<Names>() else { return ().into_any() };
    let open = move || {
        typed.set(String::new());
        chosen.set(0);
        known.dispatch(());
        host::open_dialog(dialog);
        host::focus(search);
    };
    Effect::new(move || host::on_palette_key(open));
    let hits = Memo::new(move |_| {
        let wanted = typed.with(|typed| typed.trim().to_lowercase());
        let pages = PAGES
            .iter()
            .map(|(path, words)| (t(c::PAGE).to_owned(), t(*words).to_owned(), (*path).to_owned()));
        let named = known.value().get().unwrap_or_default().into_iter().map(|named| {
            let what = match named.what.as_str() {
                "provider" => t(c::PROVIDER),
                "user" => t(c::USER),
                _ => t(c::KEY),
            };
            (what.to_owned(), named.name, named.path)
        });
        let request = is_request_id(&wanted)
            .then(|| (t(c::REQUESTS).to_owned(), wanted.clone(), format!("/requests/{wanted}")));
        request
            .into_iter()
            .chain(pages.chain(named).filter(|(_, name, _)| name.to_lowercase().contains(&wanted)))
            .take(12)
            .collect::<Vec<Hit>>()
    });
    let navigate = use_navigate();
    let go = move |path: &str| {
        host::close_dialog(dialog);
        navigate(path, leptos_router::NavigateOptions::default());
    };
    let on_key = move |event: leptos::ev::KeyboardEvent| match event.key().as_str() {
        "ArrowDown" => {
            event.prevent_default();
            let last = hits.with(Vec::len).saturating_sub(1);
            chosen.update(|n| *n = (*n + 1).min(last));
        }
        "ArrowUp" => {
            event.prevent_default();
            chosen.update(|n| *n = n.saturating_sub(1));
        }
        "Enter" => {
            event.prevent_default();
            if let Some((_, _, path)) = hits.with(|hits| hits.get(chosen.get_untracked()).cloned()) {
                go(&path);
            }
        }
        _ => {}
    };
    view! {
        <button type="button" class="tool palette-open scripted" on:click=move |_| open()>
            {t(c::PALETTE_SHORT)} <kbd>"Ctrl K"</kbd>
        </button>
        <dialog class="dialog palette" node_ref=dialog aria-label=t(c::PALETTE)>
            <input
                node_ref=search
                class="input"
                type="search"
                placeholder=t(c::PALETTE)
                aria-label=t(c::PALETTE)
                prop:value=typed
                on:input=move |event| {
                    typed.set(event_target_value(&event));
                    chosen.set(0);
                }
                on:keydown=on_key
            />
            <ul class="palette-hits">
                {move || {
                    let hits = hits.get();
                    if hits.is_empty() {
                        return view! { <li class="faint">{t(c::PALETTE_NONE)}</li> }.into_any();
                    }
                    hits.into_iter()
                        .enumerate()
                        .map(|(place, (what, name, path))| view! {
                            <li>
                                <a href=path class:chosen=move || chosen.get() == place
                                    on:click=move |_| host::close_dialog(dialog)>
                                    <span class="truncate">{name}</span>
                                    <span class="faint small">{what}</span>
                                </a>
                            </li>
                        })
                        .collect_view()
                        .into_any()
                }}
            </ul>
        </dialog>
    }
    .into_any()
}

fn is_request_id(text: &str) -> bool {
    text.len() == 36 && text.chars().all(|c| c == '-' || c.is_ascii_hexdigit())
}
