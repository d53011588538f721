//! One key: shown once after it was made, then what is stored of it; and the form of a new one.

use leptos::prelude::*;
use types::api_key::ApiKeyView;
use types::package::GrantView;
use types::quota::ScopeKind;
use types::translation::TranslationMode;
use types::user::UserView;
use types::{ApiKeyId, GrantId, UserId};

use super::path_id;
use super::quota_panel::{QuotaPanel, Subject};
use crate::api;
use crate::components::confirm::Confirm;
use crate::components::copy::Copy;
use crate::components::field::{Area, Check, Choice, Field, FormState};
use crate::components::flash::{Done, Failed};
use crate::components::grant_card::amounts;
use crate::components::head::{Answer, Head};
use crate::components::limit_fields::LimitFields;
use crate::components::load::{Empty, load, load_page};
use crate::components::snippets::Snippets;
use crate::components::time::maybe;
use crate::components::usd::usd;
use crate::components::{Refresh, badge, failure, query};
use crate::error::AppError;
use crate::form::checked;
use crate::form::key::KeyForm;
use crate::format;
use crate::text::{
    Text, common as c, limit as l, money as m, people as p, provider, translation as x, translator,
};

/// The form of a new key.
#[component]
pub(crate) fn KeyNew() -> impl IntoView {
    let t = translator();
    let create = ServerAction::<api::key::Create>::new();
    let error = failure(create);
    let form = FormState { scope: "key", error };
    let user = query("user_id");
    let users = Resource::new(|| (), |()| api::user::list(false));
    view! {
        <Head title=t(p::NEW_KEY) parent=("/keys", t(p::KEYS))/>
        <div class="page narrow-page">
            <Failed error/>
            {load(users, move |users: Vec<UserView>| {
                if users.is_empty() {
                    return view! {
                        <div class="panel">
                            <Empty title=t(p::USERS_NONE) text=t(p::OWNER_NEW_FIRST)>
                                <a class="button primary" href="/users/new">{t(p::NEW_USER)}</a>
                            </Empty>
                        </div>
                    }
                    .into_any();
                }
                let owners = users.into_iter().map(|user| (user.id.to_string(), user.name)).collect::<Vec<_>>();
                let present = KeyForm { user_id: user.get_untracked().unwrap_or_default(), ..KeyForm::default() };
                view! {
                    <ActionForm action=create attr:class="form panel pad">
                        <Choice form label=p::OWNER name="user_id" value=present.user_id.clone() options=owners/>
                        <KeyFields form present known=false/>
                        <div class="save-bar">
                            <button class="button primary" disabled=move || create.pending().get()>{t(c::CREATE)}</button>
                            <a class="button quiet" href="/keys">{t(c::CANCEL)}</a>
                        </div>
                    </ActionForm>
                }
                .into_any()
            })}
        </div>
    }
}

/// The page of one key.
#[component]
pub(crate) fn KeyPage() -> impl IntoView {
    let t = translator();
    let id = path_id::<ApiKeyId>();
    let refresh = Refresh::get();
    let update = ServerAction::<api::key::Update>::new();
    let remove = ServerAction::<api::key::Remove>::new();
    let restore = ServerAction::<api::key::Restore>::new();
    let (update_failed, remove_failed, restore_failed) = (failure(update), failure(remove), failure(restore));
    let form = FormState { scope: "key", error: update_failed };
    let key = Resource::new(move || (id.get().0, refresh.0.get()), |(id, _)| api::key::fetch(id));
    // Not asked for again after changes: it can be taken once only.
    let fresh = Resource::new(move || id.get().0, api::key::reveal);
    load_page(
        key,
        ("/keys", t(p::KEYS)),
        |key| key.name.clone(),
        move |key| {
            view! {
                <Done/>
                <Failed error=update_failed/>
                <Failed error=remove_failed/>
                <Failed error=restore_failed/>
                {load(fresh, |fresh: Option<String>| fresh.map(|key| view! { <Fresh key/> }))}
                <Body key_view=key fresh form update remove restore/>
            }
        },
    )
}

/// The key itself right after it was made, and how to use it.
#[component]
fn Fresh(key: String) -> impl IntoView {
    let t = translator();
    view! {
        <section class="panel pad fresh-key">
            <h2>{t(p::SHOWN_ONCE_TITLE)}</h2>
            <Copy text=key.clone()/>
            <p class="help">{t(p::SHOWN_ONCE_TEXT)}</p>
        </section>
        <Snippets key=Some(key)/>
    }
}

#[component]
fn Body(
    key_view: ApiKeyView,
    fresh: Resource<Result<Option<String>, AppError>>,
    form: FormState,
    update: ServerAction<api::key::Update>,
    remove: ServerAction<api::key::Remove>,
    restore: ServerAction<api::key::Restore>,
) -> impl IntoView {
    let t = translator();
    let id = key_view.id;
    if key_view.deleted_at.is_some() {
        return view! {
            <Answer mood="warn" text=t(p::KEY_IS_DELETED)>
                <ActionForm action=restore>
                    <input type="hidden" name="id" value=id.to_string()/>
                    <button class="button primary small">{t(c::RESTORE)}</button>
                </ActionForm>
            </Answer>
        }
        .into_any();
    }
    let present = KeyForm::of(&key_view);
    let subject =
        Subject { scope: ScopeKind::Key, id: id.0, name: key_view.name.clone(), back: format!("/keys/{id}") };
    view! {
        <section class="panel pad">
            <dl class="facts wide">
                <div><dt>{t(c::STATUS)}</dt><dd>{badge::on_off(key_view.enabled, false)}</dd></div>
                <div><dt>{t(p::OWNER)}</dt><dd><a href=format!("/users/{}", key_view.user_id)>{key_view.user_name}</a></dd></div>
                <div><dt>{t(p::PREFIX)}</dt><dd><code>{key_view.prefix} "…"</code></dd></div>
                <div><dt>{t(c::REQUESTS)}</dt><dd><a href=format!("/requests?key_id={id}")>{format::count(key_view.request_count)}</a></dd></div>
                <div><dt>{t(c::LAST_USED)}</dt><dd>{maybe(key_view.last_used_at, t(c::NOT_YET))}</dd></div>
                <div><dt>{t(c::EXPIRES)}</dt><dd>{maybe(key_view.expires_at, t(c::NEVER))}</dd></div>
                <div><dt>{t(x::MODE)}</dt><dd>{t(mode_words(key_view.translation))}</dd></div>
                <div><dt>{t(c::MODELS)}</dt><dd><a href=format!("/models?key_id={id}")>{t(x::REACHES)}</a></dd></div>
                <div><dt>{t(m::COST)}</dt><dd><a href=format!("/usage?by=model&key_id={id}")>{usd(key_view.cost_usd)}</a></dd></div>
                <div><dt>{t(c::CREATED)}</dt><dd>{maybe(Some(key_view.created_at), "")}</dd></div>
            </dl>
        </section>
        {load(fresh, |fresh: Option<String>| fresh.is_none().then(|| view! { <Snippets key=None/> }))}
        <QuotaPanel subject limits=key_view.limits.clone() reset_at=key_view.usage_reset_at/>
        <ActionForm action=update attr:class="form panel pad">
            <input type="hidden" name="id" value=id.to_string()/>
            <KeyFields form present known=true/>
            <PaidBy form user_id=key_view.user_id chosen=key_view.grant_id/>
            <div class="save-bar">
                <button class="button primary" disabled=move || update.pending().get()>{t(c::SAVE)}</button>
                <a class="button quiet" href=format!("/audit?object=key&object_id={id}")>{t(provider::ITS_AUDIT)}</a>
            </div>
        </ActionForm>
        <section class="panel pad away">
            <p class="help">{t(p::DELETE_KEY_TEXT)}</p>
            <Confirm what="delete" trigger=c::DELETE title=p::DELETE_KEY_TITLE text=p::DELETE_KEY_TEXT subject=key_view.name>
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
fn KeyFields(form: FormState, present: KeyForm, known: bool) -> impl IntoView {
    let t = translator();
    view! {
        <Field form label=c::NAME name="name" value=present.name help=p::KEY_NAME_HELP required=true/>
        {known.then(|| view! {
            <Check form label=provider::ENABLED name="enabled" on=checked(&present.enabled) help=p::KEY_ENABLED_HELP/>
        })}
        <details class="section" open=known>
            <summary><span>{t(p::RESTRICTIONS)}</span><span class="faint">{t(p::RESTRICTIONS_SUMMARY)}</span></summary>
            <Field form label=c::GROUPS name="groups" value=present.groups help=p::KEY_GROUPS_HELP optional=true/>
            <Area form label=c::MODELS name="models" value=present.models help=p::KEY_MODELS_HELP optional=true/>
            <Field form label=p::CLIENTS name="clients" value=present.clients help=p::CLIENTS_HELP optional=true/>
            <Area form label=p::IP_ALLOW name="ip_allow" value=present.ip_allow help=p::IP_ALLOW_HELP optional=true/>
            <Choice form label=x::MODE name="translation" value=present.translation help=x::MODE_HELP options=modes()/>
            <Field form label=c::EXPIRES name="expires_at" kind="datetime-local" value=present.expires_at help=p::EXPIRES_HELP optional=true/>
        </details>
        <LimitFields form present=present.limits help=l::LIMITS_HELP more=l::LIMITS_KEY_HELP/>
        <input type="hidden" name="form[version]" value=present.version/>
    }
}

fn mode_words(mode: TranslationMode) -> Text {
    match mode {
        TranslationMode::Allow => x::MODE_ALLOW,
        TranslationMode::Strict => x::MODE_STRICT,
        TranslationMode::Off => x::MODE_OFF,
    }
}

fn modes() -> Vec<(String, String)> {
    let t = translator();
    TranslationMode::ALL.iter().map(|mode| (mode.to_string(), t(mode_words(*mode)).to_owned())).collect()
}

/// Which of its user's packages pays for the key.
#[component]
fn PaidBy(
    form: FormState,
    user_id: UserId,
    #[prop(optional_no_strip)] chosen: Option<GrantId>,
) -> impl IntoView {
    let t = translator();
    let grants = Resource::new(|| (), move |()| api::package::grants(Some(user_id)));
    load(grants, move |grants: Vec<GrantView>| {
        let none = grants.is_empty();
        let chosen = chosen.map(|id| id.to_string()).unwrap_or_default();
        let mut options = vec![(String::new(), t(l::PAYS_ANY).to_owned())];
        options.extend(grants.into_iter().map(|grant| {
            (grant.id.to_string(), format!("{} #{} ({})", grant.spec.name, grant.id, amounts(&grant.spec)))
        }));
        // A grant that is gone stays chosen until another is: saving must not change it unseen.
        if !options.iter().any(|(id, _)| *id == chosen) {
            options.push((chosen.clone(), format!("#{chosen}")));
        }
        view! {
            <Choice form label=l::PAYS name="grant_id" value=chosen help=l::PAYS_HELP options/>
            {none.then(|| view! { <p class="help">{t(l::PAYS_NONE)}</p> })}
        }
    })
}
