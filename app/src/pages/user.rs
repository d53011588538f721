//! One user, and the form of a new one.

use leptos::prelude::*;
use types::UserId;
use types::api_key::ApiKeyView;
use types::quota::ScopeKind;
use types::user::UserView;

use super::grants::Grants;
use super::path_id;
use super::quota_panel::{QuotaPanel, Subject};
use crate::api;
use crate::components::confirm::Confirm;
use crate::components::field::{Check, Field, FormState};
use crate::components::flash::{Done, Failed};
use crate::components::head::{Answer, Head};
use crate::components::key_table::KeyTable;
use crate::components::limit_fields::LimitFields;
use crate::components::load::{Empty, load, load_page};
use crate::components::{Refresh, failure};
use crate::form::checked;
use crate::form::user::UserForm;
use crate::text::{common as c, limit as l, people as p, provider, translator};

/// The form of a new user.
#[component]
pub(crate) fn UserNew() -> impl IntoView {
    let t = translator();
    let create = ServerAction::<api::user::Create>::new();
    let error = failure(create);
    let form = FormState { scope: "user", error };
    let present = UserForm { enabled: "on".to_owned(), ..UserForm::default() };
    view! {
        <Head title=t(p::NEW_USER) parent=("/users", t(p::USERS))/>
        <div class="page narrow-page">
            <Failed error/>
            <ActionForm action=create attr:class="form panel pad">
                <UserFields form present has_password=None/>
                <div class="save-bar">
                    <button class="button primary" disabled=move || create.pending().get()>{t(c::CREATE)}</button>
                    <a class="button quiet" href="/users">{t(c::CANCEL)}</a>
                </div>
            </ActionForm>
        </div>
    }
}

/// The page of one user.
#[component]
pub(crate) fn UserPage() -> impl IntoView {
    let t = translator();
    let id = path_id::<UserId>();
    let refresh = Refresh::get();
    let update = ServerAction::<api::user::Update>::new();
    let remove = ServerAction::<api::user::Remove>::new();
    let restore = ServerAction::<api::user::Restore>::new();
    let (update_failed, remove_failed, restore_failed) = (failure(update), failure(remove), failure(restore));
    let form = FormState { scope: "user", error: update_failed };
    let user = Resource::new(move || (id.get().0, refresh.0.get()), |(id, _)| api::user::fetch(id));
    load_page(
        user,
        ("/users", t(p::USERS)),
        |user| user.name.clone(),
        move |user| {
            view! {
                <Done/>
                <Failed error=update_failed/>
                <Failed error=remove_failed/>
                <Failed error=restore_failed/>
                <Body user form update remove restore/>
            }
        },
    )
}

#[component]
fn Body(
    user: UserView,
    form: FormState,
    update: ServerAction<api::user::Update>,
    remove: ServerAction<api::user::Remove>,
    restore: ServerAction<api::user::Restore>,
) -> impl IntoView {
    let t = translator();
    let id = user.id;
    if user.deleted_at.is_some() {
        return view! {
            <Answer mood="warn" text=t(p::USER_IS_DELETED)>
                <ActionForm action=restore>
                    <input type="hidden" name="id" value=id.to_string()/>
                    <button class="button primary small">{t(c::RESTORE)}</button>
                </ActionForm>
            </Answer>
        }
        .into_any();
    }
    let refresh = Refresh::get();
    let keys = Resource::new(move || refresh.0.get(), move |_| api::key::list(Some(id)));
    let (mood, word) = if user.enabled { ("good", t(c::ON)) } else { ("calm", t(c::OFF)) };
    let present = UserForm::of(&user);
    let subject =
        Subject { scope: ScopeKind::User, id: id.0, name: user.name.clone(), back: format!("/users/{id}") };
    view! {
        <Answer mood text=word>
            <a class="button small quiet" href=format!("/usage?by=model&user_id={id}")>{t(c::NAV_USAGE)}</a>
            <a class="button small quiet" href=format!("/requests?user_id={id}")>{t(provider::ITS_REQUESTS)}</a>
            <a class="button small quiet" href=format!("/audit?object=user&object_id={id}")>{t(provider::ITS_AUDIT)}</a>
        </Answer>
        <section class="panel">
            <div class="panel-head">
                <h2 class="panel-title">{t(p::KEYS_OF_USER)}</h2>
                <a class="button small primary" href=format!("/keys/new?user_id={id}")>{t(p::NEW_KEY)}</a>
            </div>
            {load(keys, move |keys: Vec<ApiKeyView>| if keys.is_empty() {
                view! { <Empty title=t(p::NO_KEYS_OF_USER)/> }.into_any()
            } else {
                view! { <KeyTable keys linked=true owners=false/> }.into_any()
            })}
        </section>
        <div class="grid two top">
            <QuotaPanel subject limits=user.limits.clone() reset_at=user.usage_reset_at/>
            <Grants user_id=id/>
        </div>
        <ActionForm action=update attr:class="form panel pad">
            <input type="hidden" name="id" value=id.to_string()/>
            <UserFields form present has_password=Some(user.has_password)/>
            <div class="save-bar">
                <button class="button primary" disabled=move || update.pending().get()>{t(c::SAVE)}</button>
                <a class="button quiet" href="/users">{t(c::CANCEL)}</a>
            </div>
        </ActionForm>
        <section class="panel pad away">
            <p class="help">{t(p::DELETE_USER_TEXT)}</p>
            <Confirm what="delete" trigger=c::DELETE title=p::DELETE_USER_TITLE text=p::DELETE_USER_TEXT subject=user.name>
                <ActionForm action=remove>
                    <input type="hidden" name="id" value=id.to_string()/>
                    <button class="button danger">{t(c::DELETE)}</button>
                </ActionForm>
            </Confirm>
        </section>
    }
    .into_any()
}

#[component]
fn UserFields(
    form: FormState,
    present: UserForm,
    /// Whether a password is set; `None` for a new user.
    has_password: Option<bool>,
) -> impl IntoView {
    let t = translator();
    view! {
        <fieldset class="section">
            <legend>{t(p::OWNER)}</legend>
            <Field form label=c::NAME name="name" value=present.name help=p::USER_NAME_HELP required=true/>
            <Field form label=c::GROUPS name="groups" value=present.groups help=p::USER_GROUPS_HELP optional=true/>
            <Field form label=c::EXPIRES name="expires_at" kind="datetime-local" value=present.expires_at help=p::EXPIRES_HELP optional=true/>
            <Check form label=provider::ENABLED name="enabled" on=checked(&present.enabled) help=p::USER_ENABLED_HELP/>
        </fieldset>
        <fieldset class="section">
            <legend>{t(p::SIGN_IN)}</legend>
            {has_password.map(|set| view! {
                <p class="help">{if set { t(p::PASSWORD_SET) } else { t(p::PASSWORD_NOT_SET) }} " " {set.then(|| t(p::PASSWORD_KEEP))}</p>
            })}
            <Field form label=p::PASSWORD name="password" kind="password" help=p::PASSWORD_HELP optional=true/>
            {(has_password == Some(true)).then(|| view! { <Check form label=p::PASSWORD_REMOVE name="password_clear"/> })}
        </fieldset>
        <fieldset class="section">
            <legend>{t(l::MONEY)}</legend>
            <Field form label=l::RATE name="price_rate" kind="decimal" value=present.price_rate help=l::RATE_HELP placeholder="1"/>
        </fieldset>
        <LimitFields form present=present.limits help=l::LIMITS_HELP/>
        <input type="hidden" name="form[version]" value=present.version/>
    }
}
