//! All providers: who serves.

use leptos::prelude::*;
use types::credential::CredentialView;
use types::provider::ProviderView;

use super::provider_health::Health;
use crate::api;
use crate::components::flash::{Done, Failed};
use crate::components::head::{Answer, Head};
use crate::components::load::{Empty, load};
use crate::components::{Refresh, badge, failure, query};
use crate::format;
use crate::text::{
    Lang, common as c, lang, oauth, pool as o, provider as p, routing as w, transfer, translator,
};

/// The page.
#[component]
pub(crate) fn Providers() -> impl IntoView {
    let t = translator();
    let deleted = query("deleted");
    let undo = query("undo");
    let refresh = Refresh::get();
    let toggle = ServerAction::<api::provider::Toggle>::new();
    let restore = ServerAction::<api::provider::Restore>::new();
    let toggle_failed = failure(toggle);
    let restore_failed = failure(restore);
    let show_deleted = move || deleted.with(Option::is_some);
    let list = Resource::new(
        move || (show_deleted(), refresh.0.get()),
        |(deleted, _)| async move { Ok((api::provider::list(deleted).await?, api::pool::credentials().await?)) },
    );
    view! {
        <Head title=t(p::TITLE)>
            <a class="button small quiet" href=move || if show_deleted() { "/providers" } else { "/providers?deleted=1" }>
                {move || if show_deleted() { t(c::HIDE_DELETED) } else { t(c::SHOW_DELETED) }}
            </a>
            <a class="button small primary" href="/providers/new">{t(p::NEW)}</a>
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
            <Failed error=toggle_failed/>
            <Failed error=restore_failed/>
            {load(list, move |(providers, credentials)| view! { <List providers credentials toggle restore/> })}
            <div class="filters">
                <a class="button small" href="/oauth">{t(oauth::TITLE)}</a>
                <a class="button small" href="/credentials/import">{t(transfer::TITLE)}</a>
            </div>
        </div>
    }
}

#[component]
fn List(
    providers: Vec<ProviderView>,
    credentials: Vec<CredentialView>,
    toggle: ServerAction<api::provider::Toggle>,
    restore: ServerAction<api::provider::Restore>,
) -> impl IntoView {
    let t = translator();
    if providers.is_empty() {
        return view! {
            <div class="panel">
                <Empty title=t(p::HEAD_NONE) text=t(p::EMPTY_TEXT)>
                    <a class="button primary" href="/providers/new">{t(p::NEW)}</a>
                </Empty>
            </div>
        }
        .into_any();
    }
    let (mood, sentence) = headline(&providers, &credentials, lang());
    let rows = providers
        .into_iter()
        .map(|provider| {
            let health = Health::of(provider.id, &credentials);
            view! { <Row provider health toggle restore/> }
        })
        .collect_view();
    view! {
        <Answer mood text=sentence/>
        <div class="panel table-scroll">
            <table class="table rows">
                <caption class="visually-hidden">{t(p::TITLE)}</caption>
                <thead>
                    <tr>
                        <th scope="col">{t(c::NAME)}</th>
                        <th scope="col">{t(o::STATE)}</th>
                        <th scope="col">{t(o::BREAKER)}</th>
                        <th scope="col" class="num">{t(o::LOAD)}</th>
                        <th scope="col" class="num">{t(w::LATENCY)}</th>
                        <th scope="col">{t(c::GROUPS)}</th>
                        <th scope="col" class="num">{t(c::PRIORITY)}</th>
                        <th scope="col" class="num">{t(c::WEIGHT)}</th>
                        <th scope="col" class="num">{t(p::CREDENTIALS)}</th>
                        <th scope="col"><span class="visually-hidden">{t(c::ACTIONS)}</span></th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}

#[component]
fn Row(
    provider: ProviderView,
    health: Health,
    toggle: ServerAction<api::provider::Toggle>,
    restore: ServerAction<api::provider::Restore>,
) -> impl IntoView {
    let t = translator();
    let id = provider.id;
    let deleted = provider.deleted_at.is_some();
    let state = if provider.enabled && !deleted {
        let (mood, words) = health.words();
        view! { <a href=format!("/providers/{id}#credentials")><badge::State mood word=words/></a> }
            .into_any()
    } else {
        badge::on_off(provider.enabled, deleted)
    };
    let groups = if provider.groups.is_empty() { "–".to_owned() } else { provider.groups.join(", ") };
    let action = if deleted {
        view! {
            <ActionForm action=restore>
                <input type="hidden" name="id" value=id.to_string()/>
                <button class="button small">{t(c::RESTORE)}</button>
            </ActionForm>
        }
        .into_any()
    } else {
        view! {
            <ActionForm action=toggle>
                <input type="hidden" name="id" value=id.to_string()/>
                <input type="hidden" name="enabled" value=(!provider.enabled).to_string()/>
                <button class="button small quiet">{if provider.enabled { t(c::DISABLE) } else { t(c::ENABLE) }}</button>
            </ActionForm>
        }
        .into_any()
    };
    view! {
        <tr>
            <th scope="row" data-label=t(c::NAME)>
                <span class="two-lines">
                    <a class="truncate" href=format!("/providers/{id}") title=provider.name.clone()>{provider.name.clone()}</a>
                    <span class="truncate faint small" title=provider.base_url.clone()>{provider.kind.to_string()}</span>
                </span>
            </th>
            <td data-label=t(o::STATE)>{state}</td>
            <td data-label=t(o::BREAKER)><a href=format!("/breakers?provider_id={id}")>{badge::breaker(health.breaker)}</a></td>
            <td data-label=t(o::LOAD) class="num">{health.in_flight.to_string()}</td>
            <td data-label=t(w::LATENCY) class="num">{health.latency_ms.map_or_else(|| "–".to_owned(), format::duration)}</td>
            <td data-label=t(c::GROUPS)><span class="truncate" title=groups.clone()>{groups.clone()}</span></td>
            <td data-label=t(c::PRIORITY) class="num">{provider.priority.to_string()}</td>
            <td data-label=t(c::WEIGHT) class="num">{provider.weight.to_string()}</td>
            <td data-label=t(p::CREDENTIALS) class="num">
                {if provider.credential_count == 0 {
                    view! { <badge::State mood="warn" word=t(p::NO_CREDENTIAL)/> }.into_any()
                } else {
                    provider.credential_count.to_string().into_any()
                }}
            </td>
            <td class="actions">{action}</td>
        </tr>
    }
}

fn headline(
    providers: &[ProviderView],
    credentials: &[CredentialView],
    lang: Lang,
) -> (&'static str, String) {
    let live: Vec<_> = providers.iter().filter(|provider| provider.deleted_at.is_none()).collect();
    let on = live.iter().filter(|provider| provider.enabled).count();
    let bare = live.iter().filter(|provider| provider.enabled && provider.credential_count == 0).count();
    let mut text = format!("{on} {}", p::HEAD_ALL_ON.in_lang(lang));
    if on < live.len() {
        text = format!("{text} · {} {}", live.len() - on, p::HEAD_SOME_OFF.in_lang(lang));
    }
    let broken = live
        .iter()
        .filter(|provider| provider.enabled && provider.credential_count > 0)
        .filter(|provider| Health::of(provider.id, credentials).usable == 0)
        .count();
    if broken > 0 {
        text = format!("{text} · {broken} {}", p::HEAD_BROKEN.in_lang(lang));
    }
    if bare > 0 {
        text = format!("{text} · {bare} {}", p::NO_CREDENTIAL.in_lang(lang));
    }
    (
        if on == 0 || broken == on {
            "bad"
        } else if bare > 0 || broken > 0 {
            "warn"
        } else {
            "good"
        },
        text,
    )
}
