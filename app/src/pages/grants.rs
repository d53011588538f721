//! The packages of one user: what was granted, how far it is used, and what can be done about it.

use leptos::prelude::*;
use types::UserId;
use types::package::{GrantState, GrantView, PackageKind, PackageView};
use types::quota::ScopeKind;

use super::quota_panel::{ResetUsage, Subject};
use crate::api;
use crate::components::confirm::Confirm;
use crate::components::field::{Choice, Field, FormState};
use crate::components::flash::Failed;
use crate::components::grant_card::{GrantCard, amounts};
use crate::components::load::{Empty, load};
use crate::components::{Refresh, failure, query};
use crate::form::package::GrantChangeForm;
use crate::text::{common as c, package as p, translator};

#[derive(Clone, Copy)]
struct Actions {
    change: ServerAction<api::package::Change>,
    revoke: ServerAction<api::package::Revoke>,
}

/// The panel.
#[component]
pub(crate) fn Grants(user_id: UserId) -> impl IntoView {
    let t = translator();
    let refresh = Refresh::get();
    let grant = ServerAction::<api::package::Grant>::new();
    let actions = Actions { change: ServerAction::new(), revoke: ServerAction::new() };
    let (grant_failed, change_failed) = (failure(grant), failure(actions.change));
    let failures = [grant_failed, change_failed, failure(actions.revoke)];
    let adding = grant_failed.with_untracked(Option::is_some);
    let grants = Resource::new(move || refresh.0.get(), move |_| api::package::grants(Some(user_id)));
    let templates = Resource::new(|| (), |()| api::package::list(false));
    view! {
        <section class="panel" id="packages">
            <h2 class="panel-title">{t(p::GRANTS)}</h2>
            {failures.into_iter().map(|error| view! { <Failed error/> }).collect_view()}
            {load(grants, move |grants: Vec<GrantView>| if grants.is_empty() {
                view! { <p class="help pad-x">{t(p::GRANTS_NONE)}</p> }.into_any()
            } else {
                let items = grants
                    .into_iter()
                    .map(|grant| view! { <Item grant actions change_failed/> })
                    .collect_view();
                view! { <ul class="cards">{items}</ul> }.into_any()
            })}
            <details class="fold pad" open=adding>
                <summary>{t(p::GRANT)}</summary>
                {load(templates, move |templates| view! { <GrantPackage user_id templates grant error=grant_failed/> })}
            </details>
        </section>
    }
}

#[component]
fn GrantPackage(
    user_id: UserId,
    templates: Vec<PackageView>,
    grant: ServerAction<api::package::Grant>,
    error: Signal<Option<crate::error::AppError>>,
) -> impl IntoView {
    let t = translator();
    if templates.is_empty() {
        return view! {
            <Empty title=t(p::NO_TEMPLATES) text=t(p::EMPTY_TEXT)>
                <a class="button primary" href="/packages/new">{t(p::NEW)}</a>
            </Empty>
        }
        .into_any();
    }
    let form = FormState { scope: "grant", error };
    let options: Vec<_> = templates
        .into_iter()
        .map(|package| {
            (package.id.to_string(), format!("{} ({})", package.spec.name, amounts(&package.spec)))
        })
        .collect();
    view! {
        <ActionForm action=grant attr:class="form">
            <input type="hidden" name="user_id" value=user_id.to_string()/>
            <Choice form label=p::PACKAGES name="package_id" options/>
            <div class="pair">
                <Field form label=p::STARTS name="starts_at" kind="datetime-local" help=p::STARTS_HELP optional=true/>
                <Field form label=p::ENDS name="ends_at" kind="datetime-local" help=p::ENDS_HELP optional=true/>
            </div>
            <div><button class="button primary" disabled=move || grant.pending().get()>{t(p::GRANT)}</button></div>
        </ActionForm>
    }
    .into_any()
}

#[component]
fn Item(
    grant: GrantView,
    actions: Actions,
    change_failed: Signal<Option<crate::error::AppError>>,
) -> impl IntoView {
    let t = translator();
    let edit = query("grant");
    let (id, user_id, kind) = (grant.id, grant.user_id, grant.spec.kind);
    let name = grant.spec.name.clone();
    let present = StoredValue::new(GrantChangeForm::of(&grant));
    let subject = Subject {
        scope: ScopeKind::Package,
        id: id.0,
        name: name.clone(),
        back: format!("/users/{user_id}"),
    };
    let ids = move || {
        view! {
            <input type="hidden" name="user_id" value=user_id.to_string()/>
            <input type="hidden" name="id" value=id.to_string()/>
        }
    };
    let revoke = if grant.state == GrantState::Disabled {
        view! {
            <ActionForm action=actions.revoke>
                {ids()}
                <input type="hidden" name="disabled" value="false"/>
                <button class="button small">{t(p::GIVE_BACK)}</button>
            </ActionForm>
        }
        .into_any()
    } else {
        view! {
            <Confirm what=format!("grant-{id}") trigger=p::REVOKE title=p::REVOKE_TITLE text=p::REVOKE_TEXT subject=name>
                <ActionForm action=actions.revoke>
                    {ids()}
                    <input type="hidden" name="disabled" value="true"/>
                    <button class="button danger">{t(p::REVOKE)}</button>
                </ActionForm>
            </Confirm>
        }
        .into_any()
    };
    let editing = move || edit.with(|edit| edit.as_deref() == Some(id.to_string().as_str()));
    let form = FormState { scope: "grant-change", error: change_failed };
    view! {
        <GrantCard grant>
            <a class="button small quiet" href=format!("/users/{user_id}?grant={id}#packages")>{t(p::CHANGE)}</a>
            <ResetUsage subject/>
            {revoke}
            {move || editing().then(|| view! {
                <ActionForm action=actions.change attr:class="form inset full">
                    {ids()}
                    <ChangeFields form present=present.get_value() kind/>
                    <div class="save-bar">
                        <button class="button primary">{t(c::SAVE)}</button>
                        <a class="button quiet" href=format!("/users/{user_id}")>{t(c::CANCEL)}</a>
                    </div>
                </ActionForm>
            })}
        </GrantCard>
    }
}

#[component]
fn ChangeFields(form: FormState, present: GrantChangeForm, kind: PackageKind) -> impl IntoView {
    let amounts = match kind {
        PackageKind::Subscription => view! {
            <div class="triple">
                <Field form label=p::DAILY name="daily_usd" kind="decimal" value=present.daily_usd/>
                <Field form label=p::WEEKLY name="weekly_usd" kind="decimal" value=present.weekly_usd/>
                <Field form label=p::MONTHLY name="monthly_usd" kind="decimal" value=present.monthly_usd/>
            </div>
        }
        .into_any(),
        PackageKind::Quota => {
            view! { <Field form label=p::TOTAL name="total_usd" kind="decimal" value=present.total_usd/> }
                .into_any()
        }
    };
    view! {
        {amounts}
        <Field form label=p::ENDS name="ends_at" kind="datetime-local" value=present.ends_at help=p::ENDS_NEVER_HELP optional=true/>
        <input type="hidden" name="form[version]" value=present.version/>
    }
}
