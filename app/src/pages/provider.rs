//! One provider: its state, its credentials, its settings, a test with a real call.

use leptos::prelude::*;
use types::ProviderId;
use types::provider::ProviderView;
use types::quota::ScopeKind;

use super::credentials::Credentials;
use super::path_id;
use super::provider_form::ProviderFields;
use super::provider_health::ProviderHealth;
use super::provider_reset::ProviderReset;
use super::quota_panel::{QuotaPanel, Subject};
use crate::api;
use crate::components::confirm::Confirm;
use crate::components::field::FormState;
use crate::components::flash::{Done, Failed};
use crate::components::head::Answer;
use crate::components::load::{load, load_page};
use crate::components::test_result::{TestResult, landed};
use crate::components::{Refresh, failure, failure_of, query};
use crate::form::provider::ProviderForm;
use crate::text::{common as c, provider as p, translation as x, translator};

/// The page.
#[component]
pub(crate) fn ProviderPage() -> impl IntoView {
    let t = translator();
    let id = path_id::<ProviderId>();
    let own = Refresh(RwSignal::new(0));
    let update = ServerAction::<api::provider::Update>::new();
    let remove = ServerAction::<api::provider::Remove>::new();
    let restore = ServerAction::<api::provider::Restore>::new();
    let restore_credential = ServerAction::<api::credential::Restore>::new();
    let (update_failed, remove_failed) = (failure_of(update, own), failure_of(remove, own));
    let restore_failed = failure_of(restore, own);
    let restore_credential_failed = failure(restore_credential);
    let undo = query("undo_credential");
    let provider = Resource::new(move || (id.get().0, own.0.get()), |(id, _)| api::provider::fetch(id));
    let form = FormState { scope: "provider", error: update_failed };
    load_page(
        provider,
        ("/providers", t(p::TITLE)),
        |provider| provider.name.clone(),
        move |provider| {
            view! {
                <Done>
                    {move || undo.get().map(|credential| view! {
                        <ActionForm action=restore_credential>
                            <input type="hidden" name="provider_id" value=id.get().0.to_string()/>
                            <input type="hidden" name="id" value=credential/>
                            <button class="link">{t(c::UNDO)}</button>
                        </ActionForm>
                    })}
                </Done>
                <Failed error=update_failed/>
                <Failed error=remove_failed/>
                <Failed error=restore_failed/>
                <Failed error=restore_credential_failed/>
                <Body provider form update remove restore/>
            }
        },
    )
}

#[component]
fn Body(
    provider: ProviderView,
    form: FormState,
    update: ServerAction<api::provider::Update>,
    remove: ServerAction<api::provider::Remove>,
    restore: ServerAction<api::provider::Restore>,
) -> impl IntoView {
    let t = translator();
    let id = provider.id;
    if provider.deleted_at.is_some() {
        return view! {
            <Answer mood="warn" text=t(p::IS_DELETED)>
                <ActionForm action=restore>
                    <input type="hidden" name="id" value=id.to_string()/>
                    <button class="button primary small">{t(c::RESTORE)}</button>
                </ActionForm>
            </Answer>
        }
        .into_any();
    }
    let (mood, answer) = match (provider.enabled, provider.credential_count) {
        (false, _) => ("calm", t(c::OFF).to_owned()),
        (true, 0) => ("warn", t(p::NO_CREDENTIALS).to_owned()),
        (true, _) => ("good", t(c::ON).to_owned()),
    };
    let speaks = speaks(&provider);
    let present = ProviderForm::of(&provider);
    let proxy = provider.proxy_url.clone();
    let name = provider.name.clone();
    let subject = Subject {
        scope: ScopeKind::Provider,
        id: id.0,
        name: name.clone(),
        back: format!("/providers/{id}"),
    };
    view! {
        <Answer mood text=answer>
            <span class="faint">{provider.kind.to_string()} " · " <code>{provider.base_url.clone()}</code></span>
            <a class="button small quiet" href=format!("/usage?by=model&provider_id={id}")>{t(c::NAV_USAGE)}</a>
            <a class="button small quiet" href=format!("/requests?provider_id={id}")>{t(p::ITS_REQUESTS)}</a>
            <a class="button small quiet" href=format!("/audit?object=provider&object_id={id}")>{t(p::ITS_AUDIT)}</a>
        </Answer>
        <p class="reason" id="speaks">{speaks}</p>
        <div class="columns">
            <div class="column">
                <ProviderHealth id/>
                <Credentials provider_id=id kind=provider.kind/>
                <QuotaPanel subject limits=provider.limits.clone()/>
                <ActionForm action=update attr:class="form panel pad">
                    <input type="hidden" name="id" value=id.to_string()/>
                    <ProviderFields form present known=true proxy/>
                    <div class="save-bar">
                        <button class="button primary" disabled=move || update.pending().get()>{t(c::SAVE)}</button>
                        <a class="button quiet" href="/providers">{t(c::CANCEL)}</a>
                    </div>
                </ActionForm>
            </div>
            <div class="column side">
                <TestPanel id/>
                <ModelsPanel id/>
                <ProviderReset id name=name.clone()/>
                <section class="panel pad away">
                    <p class="help">{t(p::DELETE_TEXT)}</p>
                    <Confirm what="delete" trigger=c::DELETE title=p::DELETE_TITLE text=p::DELETE_TEXT subject=name>
                        <ActionForm action=remove>
                            <input type="hidden" name="id" value=id.to_string()/>
                            <button class="button danger">{t(c::DELETE)}</button>
                        </ActionForm>
                    </Confirm>
                </section>
            </div>
        </div>
    }
    .into_any()
}

/// What it speaks, and whether it answers callers of other dialects.
fn speaks(provider: &ProviderView) -> String {
    let t = translator();
    let spoken = provider.routing.spoken(provider.kind);
    let spoken = spoken.iter().map(|dialect| dialect.as_str()).collect::<Vec<_>>().join(", ");
    let named = !provider.models.is_empty() || !provider.model_redirects.is_empty();
    let others = match (provider.routing.translate, named) {
        (false, _) => x::OTHERS_OFF,
        (true, false) => x::OTHERS_UNNAMED,
        (true, true) => x::OTHERS_ON,
    };
    format!("{} {spoken} · {}", t(x::SPEAKS), t(others))
}

/// A test with a real call.
#[component]
fn TestPanel(id: ProviderId) -> impl IntoView {
    let t = translator();
    let test = ServerAction::<api::provider::Test>::new();
    let error = Signal::derive(move || {
        test.value().with(|value| value.as_ref().and_then(|r| r.as_ref().err().cloned()))
    });
    let earlier = StoredValue::new(landed());
    let result = move || {
        let fresh = test.value().with(|value| value.as_ref().and_then(|r| r.as_ref().ok().cloned()));
        fresh.or_else(|| earlier.get_value()).map(|test| view! { <TestResult test/> })
    };
    view! {
        <section class="panel pad" id="test">
            <h2>{t(p::TEST_TITLE)}</h2>
            <ActionForm action=test attr:class="inline-form">
                <input type="hidden" name="id" value=id.to_string()/>
                <input class="input" name="model" placeholder=t(c::MODEL) aria-label=t(c::MODEL) spellcheck="false" autocomplete="off"/>
                <button class="button" disabled=move || test.pending().get()>
                    {move || if test.pending().get() { t(p::TEST_RUNNING) } else { t(p::TEST) }}
                </button>
            </ActionForm>
            <p class="help">{t(p::TEST_HELP)}</p>
            <Failed error/>
            {result}
        </section>
    }
}

/// What the provider itself lists; asked for only when wanted, since it is a call to the vendor.
#[component]
fn ModelsPanel(id: ProviderId) -> impl IntoView {
    let t = translator();
    let wanted = query("models");
    let list = Resource::new(
        move || wanted.with(Option::is_some),
        move |wanted| async move { if wanted { api::provider::models(id).await.map(Some) } else { Ok(None) } },
    );
    view! {
        <section class="panel pad" id="models">
            <h2>{t(c::MODELS)}</h2>
            <a class="button small" href=format!("/providers/{id}?models=1")>{t(p::FETCH_MODELS)}</a>
            {load(list, move |models: Option<Vec<String>>| models.map(|models| view! { <Models models/> }))}
        </section>
    }
}

#[component]
fn Models(models: Vec<String>) -> impl IntoView {
    let t = translator();
    if models.is_empty() {
        return view! { <p class="faint">{t(p::MODELS_NONE)}</p> }.into_any();
    }
    view! {
        <p class="help">{models.len().to_string()} " " {t(p::MODELS_FOUND)}</p>
        <ul class="model-list">{models.into_iter().map(|model| view! { <li><code>{model}</code></li> }).collect_view()}</ul>
    }
    .into_any()
}
