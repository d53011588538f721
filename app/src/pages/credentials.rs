//! The credentials of one provider: state with its reason and next event, and what can be done about it.

use leptos::prelude::*;
use types::ProviderId;
use types::breaker::BreakerState;
use types::credential::{CredentialAuth, CredentialState, CredentialView, Tier};
use types::oauth::TokenStatus;
use types::provider::ProviderKind;
use types::quota::ScopeKind;

use super::account::{Account, AccountActions};
use super::pool_checks::{CheckCell, CheckResult};
use super::quota_panel::{Increases, ResetUsage, Subject};
use super::secret_fields::SecretFields;
use crate::api;
use crate::components::confirm::Confirm;
use crate::components::field::{Check, Choice, Field, FormState};
use crate::components::flash::Failed;
use crate::components::limit_fields::LimitFields;
use crate::components::load::{Empty, load, shown_of};
use crate::components::reason::Reason;
use crate::components::time::maybe;
use crate::components::{Refresh, badge, failure, failure_and_state, query, routing_words};
use crate::form::provider::CredentialForm;
use crate::format;
use crate::text::{
    cache, check as k, common as c, limit as l, oauth as w, pool as o, provider as p, translator,
};

/// What can be done with one; made beside the list, so that what became of it outlives the list's next look.
#[derive(Clone, Copy)]
struct Actions {
    toggle: ServerAction<api::credential::Toggle>,
    remove: ServerAction<api::credential::Remove>,
    recover: ServerAction<api::credential::Recover>,
    check: ServerAction<api::credential::Check>,
    update: ServerAction<api::credential::Update>,
    account: AccountActions,
}

/// The panel.
#[component]
pub(crate) fn Credentials(
    provider_id: ProviderId,
    /// Of the provider: decides what a credential may be made of.
    kind: ProviderKind,
) -> impl IntoView {
    let t = translator();
    let refresh = Refresh::get();
    let create = ServerAction::<api::credential::Create>::new();
    let actions = Actions {
        toggle: ServerAction::new(),
        remove: ServerAction::new(),
        recover: ServerAction::new(),
        check: ServerAction::new(),
        update: ServerAction::new(),
        account: AccountActions::new(),
    };
    let (create_failed, update_failed) = (failure(create), failure(actions.update));
    let buttons = [
        failure(actions.toggle),
        failure(actions.remove),
        failure_and_state(actions.recover),
        failure(actions.check),
        failure_and_state(actions.account.refresh),
        failure(actions.account.again),
    ];
    let adding = create_failed.with_untracked(Option::is_some);
    let form = FormState { scope: "new-credential", error: create_failed };
    let list = Resource::new(move || refresh.0.get(), move |_| api::credential::list(provider_id));
    let checked = move || {
        let value = actions.check.value().with(|value| value.as_ref().and_then(|r| r.as_ref().ok().cloned()));
        value.map(|report| view! { <CheckResult report/> })
    };
    view! {
        <section class="panel" id="credentials">
            <h2 class="panel-title">{t(p::CREDENTIALS)}</h2>
            {buttons.into_iter().map(|error| view! { <Failed error notes=true/> }).collect_view()}
            <Failed error=create_failed/>
            <Failed error=update_failed/>
            {checked}
            {load(list, move |credentials: Vec<CredentialView>| {
                if credentials.is_empty() {
                    view! { <Empty title=t(p::NO_CREDENTIALS)/> }.into_any()
                } else {
                    view! { <List provider_id credentials kind actions update_failed/> }.into_any()
                }
            })}
            {kind.takes(CredentialAuth::Oauth).then(|| view! {
                <p class="pad"><a class="button small" href=format!("/oauth?provider={provider_id}")>{t(w::CONNECT)}</a></p>
            })}
            <details class="fold pad" open=adding>
                <summary>{t(p::ADD_CREDENTIAL)}</summary>
                <ActionForm action=create attr:class="form">
                    <input type="hidden" name="provider_id" value=provider_id.to_string()/>
                    <CredentialFields form present=CredentialForm::default() auth=None kind proxy=None/>
                    <button class="button primary" disabled=move || create.pending().get()>{t(p::ADD_CREDENTIAL)}</button>
                </ActionForm>
            </details>
        </section>
    }
}

/// Cards that are drawn at once; more are found by name, or shown all on demand.
const MOST: usize = 20;

/// The cards. Of many the ones that need somebody come first.
#[component]
fn List(
    provider_id: ProviderId,
    credentials: Vec<CredentialView>,
    kind: ProviderKind,
    actions: Actions,
    update_failed: Signal<Option<crate::error::AppError>>,
) -> impl IntoView {
    let t = translator();
    let (named, every, edit) = (query("credential"), query("all"), query("edit"));
    let credentials = StoredValue::new(credentials);
    move || {
        let mut rows = credentials.get_value();
        let total = rows.len();
        let many = total > MOST;
        let wanted = named.get().unwrap_or_default();
        let edited = edit.get().unwrap_or_default();
        let is_edited = |one: &CredentialView| one.id.to_string() == edited;
        if many {
            let text = wanted.trim().to_lowercase();
            rows.retain(|one| is_edited(one) || one.name.to_lowercase().contains(&text));
            rows.sort_by_key(|one| (!is_edited(one), !needs_somebody(one)));
        }
        let found = u64::try_from(rows.len()).unwrap_or(u64::MAX);
        if every.get().is_none() {
            rows.truncate(MOST);
        }
        let shown = rows.len();
        let cut = u64::try_from(shown).unwrap_or(u64::MAX) < found;
        let none = rows.is_empty().then(|| view! { <Empty title=t(cache::E_SEARCH)/> });
        let head = many.then(|| view! {
            <div class="filters pad-x cards-search">
                <form method="get" action=format!("/providers/{provider_id}#credentials") class="search">
                    <input class="input" type="search" name="credential" value=wanted placeholder=t(c::NAME)
                        aria-label=t(p::FIND_CREDENTIAL) spellcheck="false"/>
                </form>
                <span class="faint small">{shown_of(shown, found)}</span>
                {cut.then(|| view! {
                    <a class="button small quiet" href=format!("/providers/{provider_id}?all=on#credentials")>{t(p::ALL_CREDENTIALS)}</a>
                })}
            </div>
        });
        let items = rows
            .into_iter()
            .map(|credential| view! { <Item credential kind actions update_failed/> })
            .collect_view();
        view! {
            {head}
            {none}
            <ul class="cards">{items}</ul>
        }
    }
}

/// Whether it cannot serve although it is meant to, or has troubles.
fn needs_somebody(credential: &CredentialView) -> bool {
    credential.state != CredentialState::Disabled
        && (credential.state != CredentialState::Valid
            || credential.breaker != BreakerState::Closed
            || credential.consecutive_errors > 0
            || !credential.cooldowns.is_empty())
}

#[component]
fn Item(
    credential: CredentialView,
    kind: ProviderKind,
    actions: Actions,
    update_failed: Signal<Option<crate::error::AppError>>,
) -> impl IntoView {
    let t = translator();
    let edit = query("edit");
    let (id, provider_id) = (credential.id, credential.provider_id);
    let form = FormState { scope: "credential", error: update_failed };
    let present = StoredValue::new(CredentialForm::of(&credential));
    let proxy = StoredValue::new(credential.proxy_url.clone());
    let editing = move || edit.with(|edit| edit.as_deref() == Some(id.to_string().as_str()));
    let ids = move || {
        view! {
            <input type="hidden" name="provider_id" value=provider_id.to_string()/>
            <input type="hidden" name="id" value=id.to_string()/>
        }
    };
    let name = credential.name.clone();
    let enabled = credential.enabled;
    let managed_by = credential.managed_by.clone();
    let own = managed_by.is_none();
    let auth = credential.auth;
    let subject = Subject {
        scope: ScopeKind::Credential,
        id: id.0,
        name: credential.name.clone(),
        back: format!("/providers/{provider_id}"),
    };
    let limits = credential.limits.clone();
    let limited = !limits.is_none();
    let well = credential.state == CredentialState::Valid
        && credential.cooldowns.is_empty()
        && credential.breaker == BreakerState::Closed;
    // Nothing is forgotten about a lost account: its own buttons ask the vendor, or lead there.
    let lost = credential.token.as_ref().is_some_and(|token| token.status == TokenStatus::NeedsReauth);
    let can_recover = !well
        && !lost
        && !matches!(credential.state, CredentialState::Disabled | CredentialState::Unreadable);
    let recover = can_recover.then(|| view! {
        <ActionForm action=actions.recover>{ids()}<button class="button small">{t(p::RECOVER)}</button></ActionForm>
    });
    view! {
        <li class="card">
            <div class="card-head">
                <strong class="truncate">{credential.name.clone()}</strong>
                {(auth != CredentialAuth::ApiKey).then(|| view! {
                    <span class="faint">{t(routing_words::auth(auth))}</span>
                })}
                <code>{credential.secret_hint.clone()}</code>
                {managed_by.clone().map(|variable| view! {
                    <span class="faint" title=t(o::MANAGED_TEXT)>{t(o::MANAGED)} " " <code>{variable}</code></span>
                })}
                {badge::credential(&credential)}
                {(credential.breaker != BreakerState::Closed).then(|| view! {
                    <span>{t(o::BREAKER)} ": " {badge::breaker(credential.breaker)}</span>
                })}
            </div>
            <Reason credential=credential.clone()/>
            <Account credential=credential.clone() actions=actions.account/>
            {credential.check.at.is_some().then(|| view! {
                <div class="reason card-check">{t(k::LAST_RUN)} ": " <CheckCell credential=credential.clone()/></div>
            })}
            <dl class="facts">
                <div><dt>{t(p::TIER)}</dt><dd>{t(routing_words::tier(credential.tier))}</dd></div>
                <div><dt>{t(c::PRIORITY)}</dt><dd>{credential.priority.to_string()}</dd></div>
                <div><dt>{t(c::WEIGHT)}</dt><dd>{credential.weight.to_string()}</dd></div>
                <div><dt>{t(p::IN_FLIGHT)}</dt><dd>{credential.in_flight.to_string()}
                    {credential.max_concurrency.map(|most| format!(" / {most}"))}</dd></div>
                <div><dt>{t(o::LATENCY)}</dt><dd>{credential.latency_ms.map_or_else(|| "–".to_owned(), format::duration)}</dd></div>
                <div><dt>{t(o::ANSWERED)}</dt><dd>{format::count(credential.answered)}</dd></div>
                <div><dt>{t(o::FAILED_REQUESTS)}</dt><dd>{format::count(credential.failed)}</dd></div>
                {credential.proxy_url.clone().map(|proxy| view! {
                    <div><dt>{t(p::PROXY)}</dt><dd><code class="truncate">{proxy}</code></dd></div>
                })}
                <div><dt>{t(c::LAST_USED)}</dt><dd>{maybe(credential.last_used_at, t(c::NOT_YET))}</dd></div>
            </dl>
            <div class="card-actions">
                <ActionForm action=actions.check>
                    {ids()}
                    <button class="button small" disabled=move || actions.check.pending().get()>{t(p::CHECK)}</button>
                </ActionForm>
                {recover}
                <ActionForm action=actions.toggle attr:class="inline-form">
                    <input type="hidden" name="id" value=id.to_string()/>
                    <input type="hidden" name="enabled" value=(!enabled).to_string()/>
                    <button class="button small quiet">{if enabled { t(c::DISABLE) } else { t(c::ENABLE) }}</button>
                    {(!enabled).then(|| view! {
                        <span class="check"><label><input type="checkbox" name="anew" value="true" checked/> {t(p::ANEW)}</label></span>
                    })}
                </ActionForm>
                {own.then(|| view! {
                    {credential.session_key.then(|| view! {
                        <a class="button small" href=format!("/providers/{provider_id}?edit={id}#credential-api_key")>
                            {t(p::REPLACE_SESSION_KEY)}
                        </a>
                    })}
                    <a class="button small quiet" href=format!("/providers/{provider_id}?edit={id}")>{t(c::EDIT)}</a>
                })}
                <ResetUsage subject=subject.clone()/>
                <a class="button small quiet" href=format!("/pool?history={id}")>{t(o::HISTORY)}</a>
                <a class="button small quiet" href=format!("/requests?credential_id={id}")>{t(p::ITS_REQUESTS)}</a>
                {own.then(|| view! {
                <Confirm what=format!("credential-{id}") trigger=c::DELETE title=p::DELETE_CREDENTIAL_TITLE
                    text=p::DELETE_CREDENTIAL_TEXT subject=name>
                    <ActionForm action=actions.remove>{ids()}<button class="button danger">{t(c::DELETE)}</button></ActionForm>
                </Confirm>
                })}
            </div>
            {limited.then(|| view! { <Increases subject limits/> })}
            {(!own).then(|| view! { <p class="help">{t(o::MANAGED_TEXT)}</p> })}
            {move || (own && editing()).then(|| view! {
                <ActionForm action=actions.update attr:class="form inset">
                    {ids()}
                    <CredentialFields form present=present.get_value() auth=Some(auth) kind proxy=proxy.get_value()/>
                    <div class="save-bar">
                        <button class="button primary">{t(c::SAVE)}</button>
                        <a class="button quiet" href=format!("/providers/{provider_id}")>{t(c::CANCEL)}</a>
                    </div>
                </ActionForm>
            })}
        </li>
    }
}

#[component]
fn CredentialFields(
    form: FormState,
    present: CredentialForm,
    /// The nature of a known credential's secret; a new one's is for its kind of provider to offer.
    auth: Option<CredentialAuth>,
    kind: ProviderKind,
    proxy: Option<String>,
) -> impl IntoView {
    let known = auth.is_some();
    let secret = present.clone();
    let t = translator();
    let tier = if present.tier.is_empty() { Tier::Shared.to_string() } else { present.tier };
    let tiers = Tier::ALL
        .iter()
        .map(|tier| (tier.to_string(), t(routing_words::tier(*tier)).to_owned()))
        .collect::<Vec<_>>();
    view! {
        <Field form label=c::NAME name="name" value=present.name help=p::CREDENTIAL_NAME_HELP optional=!known/>
        <SecretFields form kind auth present=secret/>
        <Choice form label=p::TIER name="tier" value=tier help=p::TIER_HELP options=tiers/>
        <div class="pair">
            <Field form label=c::PRIORITY name="priority" kind="number" value=present.priority help=p::PRIORITY_HELP placeholder="0"/>
            <Field form label=c::WEIGHT name="weight" kind="number" value=present.weight help=p::WEIGHT_HELP placeholder="1"/>
        </div>
        <Field form label=p::MAX_CONCURRENCY name="max_concurrency" kind="number" value=present.max_concurrency
            help=p::MAX_CONCURRENCY_HELP optional=true/>
        <Field form label=p::PROXY name="proxy_url" kind="password" help=p::CREDENTIAL_PROXY_HELP optional=true/>
        {proxy.map(|proxy| view! {
            <p class="help">{t(p::PROXY_KEEP)} " " <code>{proxy}</code></p>
            <Check form label=p::PROXY_CLEAR name="proxy_clear"/>
        })}
        <LimitFields form present=present.limits help=l::LIMITS_SUPPLIER_HELP/>
        <input type="hidden" name="form[version]" value=present.version/>
    }
}
