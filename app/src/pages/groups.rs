//! Groups of providers: what requests through them cost, and how much they may spend.

use leptos::prelude::*;
use leptos_router::location::Url;
use types::group::GroupView;
use types::quota::ScopeKind;
use types::routing::Strategy;

use super::quota_panel::{Increases, ResetUsage, Subject};
use crate::api;
use crate::components::field::{Choice, Field, FormState};
use crate::components::flash::{Done, Failed};
use crate::components::head::{Answer, Head};
use crate::components::limit_fields::LimitFields;
use crate::components::load::{Empty, load};
use crate::components::{Refresh, failure, query, routing_words};
use crate::form::group::GroupForm;
use crate::form::limits::LimitsForm;
use crate::format;
use crate::text::{common as c, limit as l, people as p, routing as w, translator};

/// The page.
#[component]
pub(crate) fn Groups() -> impl IntoView {
    let t = translator();
    let edit = query("edit");
    let refresh = Refresh::get();
    let put = ServerAction::<api::group::Put>::new();
    let put_failed = failure(put);
    let form = FormState { scope: "group", error: put_failed };
    let list = Resource::new(move || refresh.0.get(), |_| api::group::list());
    view! {
        <Head title=t(l::GROUPS)/>
        <div class="page">
            <Done/>
            <Failed error=put_failed/>
            {load(list, move |groups: Vec<GroupView>| {
                // Read here, so that another choice shows another form without asking the server again.
                let groups = StoredValue::new(groups);
                move || {
                    let chosen = edit.get();
                    let groups = groups.get_value();
                    view! { <List groups chosen form put/> }
                }
            })}
        </div>
    }
}

#[component]
fn List(
    groups: Vec<GroupView>,
    #[prop(optional_no_strip)] chosen: Option<String>,
    form: FormState,
    put: ServerAction<api::group::Put>,
) -> impl IntoView {
    let t = translator();
    if groups.is_empty() {
        return view! {
            <div class="panel">
                <Empty title=t(l::GROUPS_NONE) text=t(l::GROUPS_EMPTY_TEXT)>
                    <a class="button primary" href="/providers">{t(c::NAV_PROVIDERS)}</a>
                </Empty>
            </div>
        }
        .into_any();
    }
    let count = groups.len();
    let editor = chosen.as_ref().map(|name| match groups.iter().find(|group| group.name == *name).cloned() {
        Some(group) => view! { <Editor group form put/> }.into_any(),
        None => view! { <Answer mood="warn" text=t(l::GROUP_GONE)/> }.into_any(),
    });
    let rows = groups.into_iter().map(|group| view! { <Row group chosen=chosen.clone()/> }).collect_view();
    view! {
        <Answer mood="calm" text=format!("{count} {}", t(l::GROUPS_HEAD))>
            <span class="faint">{t(l::GROUPS_TEXT)}</span>
        </Answer>
        {editor}
        <section class="panel table-scroll">
            <table class="table rows">
                <caption class="visually-hidden">{t(l::GROUPS)}</caption>
                <thead>
                    <tr>
                        <th scope="col">{t(c::NAME)}</th>
                        <th scope="col" class="num">{t(l::RATE)}</th>
                        <th scope="col">{t(l::LIMITS)}</th>
                        <th scope="col" class="num">{t(c::NAV_PROVIDERS)}</th>
                        <th scope="col" class="num">{t(p::USERS)}</th>
                        <th scope="col" class="num">{t(p::KEYS)}</th>
                        <th scope="col"><span class="visually-hidden">{t(c::ACTIONS)}</span></th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </section>
    }
    .into_any()
}

#[component]
fn Row(group: GroupView, #[prop(optional_no_strip)] chosen: Option<String>) -> impl IntoView {
    let t = translator();
    let name = Url::escape(&group.name);
    let limits = match LimitsForm::of(&group.limits).count() {
        0 => t(c::NONE).to_owned(),
        n => format!("{n} {}", t(l::LIMITS_SET)),
    };
    let current = (chosen.as_ref() == Some(&group.name)).then_some("true");
    let n = |n: u32| format::count(n.into());
    view! {
        <tr aria-current=current>
            <th scope="row" data-label=t(c::NAME)><a class="truncate" href=format!("/groups?edit={name}")>{group.name.clone()}</a></th>
            <td class="num" data-label=t(l::RATE)>"× " {group.price_rate.to_string()}</td>
            <td data-label=t(l::LIMITS)>{limits}</td>
            <td class="num" data-label=t(c::NAV_PROVIDERS)>{n(group.providers)}</td>
            <td class="num" data-label=t(p::USERS)>{n(group.users)}</td>
            <td class="num" data-label=t(p::KEYS)>{n(group.keys)}</td>
            <td class="actions"><a class="button small quiet" href=format!("/groups?edit={name}")>{t(c::EDIT)}</a></td>
        </tr>
    }
}

#[component]
fn Editor(group: GroupView, form: FormState, put: ServerAction<api::group::Put>) -> impl IntoView {
    let t = translator();
    let present = GroupForm::of(&group);
    let strategies = std::iter::once((String::new(), t(w::STRATEGY_OF_SETTING).to_owned()))
        .chain(
            Strategy::ALL.iter().map(|one| (one.to_string(), t(routing_words::strategy(*one).0).to_owned())),
        )
        .collect::<Vec<_>>();
    let subject = Subject {
        scope: ScopeKind::Group,
        id: group.id.map(|id| id.0).unwrap_or_default(),
        name: group.name.clone(),
        back: format!("/groups?edit={}", Url::escape(&group.name)),
    };
    let reset = group.id.is_some().then(|| view! { <ResetUsage subject=subject.clone()/> });
    view! {
        <section class="panel narrow-form">
            <div class="panel-head"><h2 class="panel-title">{group.name.clone()}</h2> {reset}</div>
            <ActionForm action=put attr:class="form pad">
                <input type="hidden" name="name" value=group.name.clone()/>
                <Field form label=l::RATE name="price_rate" kind="decimal" value=present.price_rate help=l::GROUP_RATE_HELP placeholder="1"/>
                <Choice form label=w::STRATEGY name="strategy" value=present.strategy help=w::STRATEGY_GROUP_HELP options=strategies/>
                <LimitFields form present=present.limits help=l::GROUP_LIMITS_HELP/>
                <input type="hidden" name="form[version]" value=present.version/>
                <div class="save-bar">
                    <button class="button primary" disabled=move || put.pending().get()>{t(c::SAVE)}</button>
                    <a class="button quiet" href="/groups">{t(c::CANCEL)}</a>
                </div>
            </ActionForm>
            <Increases subject limits=group.limits/>
        </section>
    }
}
