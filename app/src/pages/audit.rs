//! The audit log: who changed what, from what to what.

use std::collections::BTreeSet;

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use serde_json::Value;
use types::Page;
use types::audit::{AuditFilter, AuditRow};

use crate::api;
use crate::components::head::{Answer, Head};
use crate::components::load::{Empty, load};
use crate::components::pager::Pager;
use crate::components::time::Time;
use crate::text::{Text, common as c, system as s, translator};

const OBJECTS: &[(&str, Text)] = &[
    ("provider", s::O_PROVIDER),
    ("credential", s::O_CREDENTIAL),
    ("user", s::O_USER),
    ("key", s::O_KEY),
    ("setting", s::O_SETTING),
    ("session", s::O_SESSION),
];

/// The page.
#[component]
pub(crate) fn Audit() -> impl IntoView {
    let t = translator();
    let map = use_query_map();
    let filter = Memo::new(move |_| {
        map.with(|map| {
            let get = |name: &str| map.get(name).filter(|value| !value.is_empty());
            AuditFilter {
                object: get("object"),
                object_id: get("object_id"),
                action: get("action"),
                limit: get("limit").and_then(|n| n.parse().ok()),
                cursor: get("cursor"),
            }
        })
    });
    let rows = Resource::new(move || filter.get(), api::audit::list);
    let current = move || filter.with(|f| f.object.clone().unwrap_or_default());
    view! {
        <Head title=t(s::AUDIT)/>
        <div class="page">
            <Answer mood="calm" text=t(s::AUDIT_HEAD)/>
            <div class="filters">
                <nav class="tabs" aria-label=t(s::OBJECT)>
                    <a href="/audit" aria-current=move || current().is_empty().then_some("true")>{t(c::ALL)}</a>
                    {OBJECTS
                        .iter()
                        .map(|(object, words)| view! {
                            <a href=format!("/audit?object={object}") aria-current=move || (current() == *object).then_some("true")>{t(*words)}</a>
                        })
                        .collect_view()}
                </nav>
                <form method="get" action="/audit" class="inline-form">
                    <input type="hidden" name="object" value=current/>
                    <input class="input" name="action" placeholder=t(s::F_ACTION) aria-label=t(s::F_ACTION)
                        value=move || filter.with(|f| f.action.clone().unwrap_or_default()) spellcheck="false"/>
                    <button class="button small">{t(c::APPLY)}</button>
                </form>
            </div>
            {load(rows, move |page| view! { <List page filtered=filter.with_untracked(is_filtered)/> })}
        </div>
    }
}

fn is_filtered(filter: &AuditFilter) -> bool {
    filter.object.is_some() || filter.object_id.is_some() || filter.action.is_some()
}

#[component]
fn List(page: Page<AuditRow>, filtered: bool) -> impl IntoView {
    let t = translator();
    if page.items.is_empty() {
        return if filtered {
            view! { <div class="panel"><Empty title=t(s::AUDIT_FILTERED)><a class="button" href="/audit">{t(c::CLEAR_FILTERS)}</a></Empty></div> }.into_any()
        } else {
            view! { <div class="panel"><Empty title=t(s::AUDIT_EMPTY) text=t(s::AUDIT_EMPTY_TEXT)/></div> }
                .into_any()
        };
    }
    let rows = page.items.into_iter().map(|row| view! { <Row row/> }).collect_view();
    view! {
        <div class="panel table-scroll">
            <table class="table rows">
                <caption class="visually-hidden">{t(s::AUDIT)}</caption>
                <thead>
                    <tr>
                        <th scope="col">{t(c::TIME)} " (UTC)"</th>
                        <th scope="col">{t(s::WHO)}</th>
                        <th scope="col">{t(s::ACTION)}</th>
                        <th scope="col">{t(s::OBJECT)}</th>
                        <th scope="col">{t(s::CHANGES)}</th>
                        <th scope="col">{t(s::FROM)}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
        <Pager next=page.next/>
    }
    .into_any()
}

#[component]
fn Row(row: AuditRow) -> impl IntoView {
    let t = translator();
    let AuditRow { at, actor, client_ip, action, object, object_id, object_name, before, after, .. } = row;
    let words = OBJECTS
        .iter()
        .find(|(known, _)| *known == object)
        .map_or_else(|| object.clone(), |(_, text)| t(*text).to_owned());
    let name = if object_name.is_empty() { object_id.clone() } else { object_name };
    let page = match object.as_str() {
        "provider" | "user" | "key" => Some(format!("/{object}s/{object_id}")),
        "setting" => Some("/settings".to_owned()),
        _ => None,
    };
    view! {
        <tr>
            <td data-label=t(c::TIME) class="nowrap"><Time at/></td>
            <td data-label=t(s::WHO)><span class="truncate">{actor}</span></td>
            <td data-label=t(s::ACTION)><code>{action}</code></td>
            <td data-label=t(s::OBJECT)>
                <span class="faint">{words} " "</span>
                {match page {
                    Some(page) => view! { <a class="truncate" href=page title=name.clone()>{name.clone()}</a> }.into_any(),
                    None => view! { <span class="truncate" title=name.clone()>{name.clone()}</span> }.into_any(),
                }}
            </td>
            <td data-label=t(s::CHANGES)>{changes(before.as_ref(), after.as_ref())}</td>
            <td data-label=t(s::FROM) class="nowrap faint">{client_ip.unwrap_or_else(|| "–".to_owned())}</td>
        </tr>
    }
}

/// The fields that changed, with both values, folded behind their names.
fn changes(before: Option<&Value>, after: Option<&Value>) -> AnyView {
    let t = translator();
    let empty = serde_json::Map::new();
    let side =
        |value: Option<&Value>| value.and_then(Value::as_object).cloned().unwrap_or_else(|| empty.clone());
    let (before, after) = (side(before), side(after));
    let names: BTreeSet<String> = before
        .keys()
        .chain(after.keys())
        .filter(|name| before.get(*name) != after.get(*name))
        .cloned()
        .collect();
    if names.is_empty() {
        return view! { <span class="faint">"–"</span> }.into_any();
    }
    let summary = names.iter().cloned().collect::<Vec<_>>().join(", ");
    let rows = names
        .into_iter()
        .map(|name| {
            let (old, new) = (plain(before.get(&name)), plain(after.get(&name)));
            view! { <tr><th scope="row">{name}</th><td><del>{old}</del></td><td><ins>{new}</ins></td></tr> }
        })
        .collect_view();
    view! {
        <details class="changes">
            <summary class="truncate">{summary}</summary>
            <table class="table tight">
                <thead><tr><th scope="col">{t(s::FIELD)}</th><th scope="col">{t(s::BEFORE)}</th><th scope="col">{t(s::AFTER)}</th></tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </details>
    }
    .into_any()
}

fn plain(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "–".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}
