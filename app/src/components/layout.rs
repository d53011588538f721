//! The frame around every page: navigation by role, language, theme, sign-out.
//!
//! A signed-out visitor gets the bare page: no navigation names what is behind the door.

use leptos::prelude::*;
use leptos_router::hooks::use_location;
use types::principal::Viewer;

use super::Busy;
use super::palette::Palette;
use crate::host::{Facts, Theme};
use crate::text::{Text, common as c, translator};

/// One entry of the navigation: path, words, icon path data (16 px grid).
type Entry = (&'static str, Text, &'static str);

const MODELS_ICON: &str =
    "M2.500 3h4.500v4.500H2.500zM9 3h4.500v4.500H9zM2.500 9.500h4.500V14H2.500zM9 9.500h4.500V14H9z";
const PLAYGROUND_ICON: &str = "M2.500 3h5v10h-5zM8.500 3h5v10h-5zM4 5.500h2M10 5.500h2M4 8h2M10 8h1";

const WATCH: &[Entry] = &[
    ("/", c::NAV_OVERVIEW, "M2 9l4-4 3 3 5-6M2 13.5h12"),
    ("/requests", c::NAV_REQUESTS, "M2.5 4h11M2.5 8h11M2.5 12h7"),
];
const SERVE: &[Entry] = &[
    ("/providers", c::NAV_PROVIDERS, "M2.5 3h11v4h-11zM2.5 9h11v4h-11zM5 5h.01M5 11h.01"),
    (
        "/pool",
        c::NAV_POOL,
        "M2.500 4.500c0-1.100 2.500-2 5.500-2s5.500.900 5.500 2-2.500 2-5.500 2-5.500-.900-5.500-2zM2.500 4.500v7c0 1.100 2.500 2 5.500 2s5.500-.900 5.500-2v-7M2.500 8c0 1.100 2.500 2 5.500 2s5.500-.900 5.500-2",
    ),
    (
        "/routing",
        c::NAV_ROUTING,
        "M2.500 12.500h3c4 0 2-9 6-9h2M11.500 1.500l2 2-2 2M2.500 3.500h3M9 12.500h4.500M11.500 10.500l2 2-2 2",
    ),
    ("/models", c::NAV_MODELS, MODELS_ICON),
    ("/playground", c::NAV_PLAYGROUND, PLAYGROUND_ICON),
    ("/breakers", c::NAV_BREAKERS, "M1.500 11h3.500l5.500-5M11 11h3.500M5 9.500v3M11 9.500v3"),
    ("/cache", c::NAV_CACHE, "M2.500 3h11v7h-6l-3 3v-3h-2zM5 5.500h6M5 7.500h4"),
    (
        "/users",
        c::NAV_USERS,
        "M8 8a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM3 13.5c.6-2.4 2.6-3.5 5-3.5s4.400 1.100 5 3.500",
    ),
    (
        "/keys",
        c::NAV_KEYS,
        "M5.500 13a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5zM7.300 8.700l5.700-5.700M11 5l2 2",
    ),
];
/// Pages of no entry of their own, which belong to that of the providers.
const OF_PROVIDERS: &[&str] = &["/oauth", "/credentials"];

const MONEY: &[Entry] = &[
    ("/usage", c::NAV_USAGE, "M2.500 13.500V8M6.200 13.500V4.500M9.800 13.500V9.500M13.500 13.500V2.500"),
    ("/quotas", c::NAV_QUOTAS, "M2.500 11.500a5.500 5.500 0 1 1 11 0M8 11.500l2.600-3.400"),
    (
        "/prices",
        c::NAV_PRICES,
        "M8 2v12M11 5c-.5-1-1.500-1.500-3-1.500S5.200 4.300 5.200 5.600c0 3 5.800 1.600 5.800 4.600 0 1.400-1.300 2.200-3 2.200s-2.700-.6-3.200-1.700",
    ),
    ("/groups", c::NAV_GROUPS, "M2.500 2.500h5l6 6-5 5-6-6zM5.200 5.200h.01"),
    (
        "/packages",
        c::NAV_PACKAGES,
        "M2.500 5L8 2.500 13.500 5v6L8 13.500 2.500 11zM2.500 5L8 7.500 13.500 5M8 7.500v6",
    ),
    ("/ledger", c::NAV_LEDGER, "M3.500 2.500h9v11h-9zM6 2.500v11M8 5.500h2.500M8 8h2.500"),
];
const RUN: &[Entry] = &[
    ("/settings", c::NAV_SETTINGS, "M2.5 5h6M12 5h1.500M2.500 11h2M8 11h5.500M10 3.500v3M6 9.500v3"),
    ("/audit", c::NAV_AUDIT, "M4 2.500h8v11H4zM6 6h4M6 8.500h4M6 11h2"),
    ("/system", c::NAV_SYSTEM, "M2.500 3h11v7.500h-11zM6 13.500h4M8 10.500v3"),
    ("/api-docs", c::NAV_API_DOCS, "M6 4L2.500 8 6 12M10 4l3.500 4-3.500 4"),
];
const MEMBER: &[Entry] = &[
    ("/me", c::NAV_ME, "M2 9l4-4 3 3 5-6M2 13.500h12"),
    ("/requests", c::NAV_MY_REQUESTS, "M2.500 4h11M2.500 8h11M2.500 12h7"),
    ("/models", c::NAV_MODELS, MODELS_ICON),
    ("/playground", c::NAV_PLAYGROUND, PLAYGROUND_ICON),
];

/// Navigation, tools and the page.
#[component]
pub(crate) fn Frame(children: Children) -> impl IntoView {
    let t = translator();
    let facts = use_context::<Facts>().unwrap_or_default();
    let Some(viewer) = facts.viewer.clone() else {
        return view! {
            <div class="bare">
                <main id="main">{children()}</main>
            </div>
        }
        .into_any();
    };
    let busy = use_context::<Busy>();
    let busy = move || busy.filter(|busy| busy.0.get() > 0).map(|_| "true");
    let is_admin = viewer.is_admin;
    let home = if is_admin { "/" } else { "/me" };
    let path = use_location().pathname;
    view! {
        <a class="skip" href="#main">{t(c::SKIP)}</a>
        <div class="frame">
            <aside class="rail">
                <a class="brand" href=home><Logo/><span>{t(c::PRODUCT)}</span></a>
                <Nav is_admin/>
                <Person viewer=viewer.clone()/>
            </aside>
            <div class="narrow">
                <a class="brand" href=home><Logo/><span>{t(c::PRODUCT)}</span></a>
                // Rebuilt with each page, so that following a link closes it.
                {move || {
                    path.track();
                    let viewer = viewer.clone();
                    view! {
                        <details class="narrow-menu">
                            <summary>{t(c::MENU)}</summary>
                            <div class="narrow-panel">
                                <Nav is_admin/>
                                <Preferences/>
                                <Person viewer/>
                            </div>
                        </details>
                    }
                }}
            </div>
            <div class="tools">
                {is_admin.then(|| view! { <Palette/> })}
                <Preferences/>
            </div>
            <main id="main" tabindex="-1" aria-busy=busy>{children()}</main>
        </div>
    }
    .into_any()
}

/// The mark: a gate with its bar up.
#[component]
pub(crate) fn Logo() -> impl IntoView {
    view! {
        <svg class="logo" viewBox="0 0 24 24" aria-hidden="true">
            <rect class="logo-ground" x="0" y="0" width="24" height="24" rx="6"/>
            <path class="logo-line" d="M6 18V9.500M18 18V9.500M6 10.500L17 5"/>
            <circle class="logo-dot" cx="6" cy="8.500" r="2"/>
        </svg>
    }
}

#[component]
fn Nav(is_admin: bool) -> impl IntoView {
    let t = translator();
    let groups: &[(Option<Text>, &'static [Entry])] = if is_admin {
        &[
            (Some(c::NAV_WATCH), WATCH),
            (Some(c::NAV_SERVE), SERVE),
            (Some(c::NAV_MONEY), MONEY),
            (Some(c::NAV_RUN), RUN),
        ]
    } else {
        &[(None, MEMBER)]
    };
    view! {
        <nav class="nav" aria-label=t(c::NAV_MAIN)>
            {groups
                .iter()
                .map(|(title, entries)| view! {
                    <div class="nav-group">
                        {title.map(|title| view! { <p class="nav-title">{t(title)}</p> })}
                        <ul>{entries.iter().map(|entry| view! { <NavLink entry=*entry/> }).collect_view()}</ul>
                    </div>
                })
                .collect_view()}
        </nav>
    }
}

#[component]
fn NavLink(entry: Entry) -> impl IntoView {
    let t = translator();
    let (href, words, icon) = entry;
    let path = use_location().pathname;
    let current = move || {
        let path = path.get();
        let within =
            |part: &str| path.strip_prefix(part).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let here = match href {
            "/" => path == "/",
            "/providers" => within(href) || OF_PROVIDERS.iter().any(|part| within(part)),
            _ => within(href),
        };
        here.then_some("page")
    };
    view! {
        <li>
            <a href=href aria-current=current>
                <svg class="icon" viewBox="0 0 16 16" aria-hidden="true"><path d=icon/></svg>
                {t(words)}
            </a>
        </li>
    }
}

#[component]
fn Person(viewer: Viewer) -> impl IntoView {
    let t = translator();
    let name = if viewer.is_admin { t(c::ADMINISTRATOR).to_owned() } else { viewer.name };
    view! {
        <div class="person">
            <span class="person-name" title=t(c::SIGNED_IN_AS)>{name}</span>
            <form method="post" action="/auth/logout">
                <button class="button small quiet">{t(c::SIGN_OUT)}</button>
            </form>
        </div>
    }
}

/// Language and theme: a plain form each, so that they work without scripts.
#[component]
pub(crate) fn Preferences() -> impl IntoView {
    let t = translator();
    let facts = use_context::<Facts>().unwrap_or_default();
    let location = use_location();
    let next = move || {
        let (path, search) = (location.pathname.get(), location.search.get());
        if search.is_empty() { path } else { format!("{path}?{}", search.trim_start_matches('?')) }
    };
    let other = facts.lang.other().cookie();
    let themes = [
        (Theme::Auto, c::THEME_AUTO, "◐"),
        (Theme::Light, c::THEME_LIGHT, "○"),
        (Theme::Dark, c::THEME_DARK, "●"),
    ];
    let language_next = next;
    view! {
        <form class="preferences" method="post" action="/preferences">
            <input type="hidden" name="next" value=language_next/>
            <button class="tool" name="lang" value=other aria-label=t(c::OTHER_LANGUAGE_LABEL)>{t(c::OTHER_LANGUAGE)}</button>
        </form>
        <form class="preferences" method="post" action="/preferences">
            <input type="hidden" name="next" value=next/>
            <span class="segments" role="group" aria-label=t(c::THEME)>
                {themes
                    .into_iter()
                    .map(|(theme, words, mark)| view! {
                        <button
                            class="segment"
                            name="theme"
                            value=theme.as_str()
                            title=t(words)
                            aria-label=t(words)
                            aria-pressed=if theme == facts.theme { "true" } else { "false" }
                        >
                            {mark}
                        </button>
                    })
                    .collect_view()}
            </span>
        </form>
    }
}
