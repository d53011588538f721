//! One vendor: the operator's client, the descriptor, and the beginning of a sign-in.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use types::oauth::VendorView;
use types::provider::ProviderView;

use super::oauth::{standing, terms};
use crate::api;
use crate::components::flash::{Done, Failed};
use crate::components::head::Answer;
use crate::components::load::{load, load_page};
use crate::components::{Refresh, failure, query};
use crate::text::sentence::sentence;
use crate::text::{common as c, lang, oauth as w, translator};

/// The page.
#[component]
pub(crate) fn OauthVendor() -> impl IntoView {
    let t = translator();
    let (refresh, params) = (Refresh::get(), use_params_map());
    let name = move || params.with(|params| params.get("name").unwrap_or_default());
    let vendor = Resource::new(move || (name(), refresh.0.get()), |(name, _)| api::oauth::vendor(name));
    load_page(
        vendor,
        ("/oauth", t(w::TITLE)),
        |vendor: &VendorView| vendor.spec.label.clone(),
        |vendor| view! { <Body vendor/> },
    )
}

#[component]
fn Body(vendor: VendorView) -> impl IntoView {
    let t = translator();
    let put = ServerAction::<api::oauth::PutVendor>::new();
    let reset = ServerAction::<api::oauth::ResetVendor>::new();
    let (put_failed, reset_failed) = (failure(put), failure(reset));
    let mood = if vendor.missing.is_some() { "warn" } else { "good" };
    let answer = t(standing(&vendor));
    let spec = serde_json::to_string_pretty(&vendor.spec).unwrap_or_default();
    let ready = vendor.missing.is_none();
    let (name, reset_name, connect_name) = (vendor.name.clone(), vendor.name.clone(), vendor.name.clone());
    let note = sentence(lang(), &vendor.spec.terms_note);
    let words = t(terms(vendor.spec.terms));
    view! {
        <Done/>
        <Answer mood text=answer>
            <span class="faint">{t(w::TERMS)} ": " {words} " · " {note}</span>
        </Answer>
        {ready.then(|| view! { <Connect vendor=connect_name/> })}
        <section class="panel">
            <Failed error=put_failed notes=true/>
            <Failed error=reset_failed notes=true/>
            <ActionForm action=put attr:class="form pad">
                <input type="hidden" name="name" value=name/>
                <input type="hidden" name="version" value=vendor.version.to_string()/>
                <div class="field">
                    <label for="client_id">{t(w::CLIENT_ID)}</label>
                    <input class="input mono" id="client_id" name="client_id" value=vendor.client_id.clone() autocomplete="off" spellcheck="false"/>
                </div>
                <div class="field">
                    <label for="client_secret">{t(w::CLIENT_SECRET)} " " <code>{vendor.secret_hint.clone()}</code></label>
                    <input class="input" type="password" id="client_secret" name="client_secret" autocomplete="new-password"/>
                    <p class="help">{t(w::SECRET_KEEP)}</p>
                </div>
                <div class="field">
                    <label for="spec">{t(w::DESCRIPTOR)}</label>
                    <textarea class="input mono" id="spec" name="spec" rows="16" spellcheck="false">{spec}</textarea>
                    <p class="help">{t(w::DESCRIPTOR_HELP)}</p>
                </div>
                <div class="save-bar">
                    <button class="button primary">{t(c::SAVE)}</button>
                    <a class="button quiet" href="/oauth">{t(c::CANCEL)}</a>
                </div>
            </ActionForm>
            {(vendor.version > 0).then(|| view! {
                <ActionForm action=reset attr:class="pad">
                    <input type="hidden" name="name" value=reset_name/>
                    <button class="button danger">{t(c::DELETE)}</button>
                </ActionForm>
            })}
        </section>
    }
}

/// For which provider, and how the answer comes back.
#[component]
fn Connect(vendor: String) -> impl IntoView {
    let t = translator();
    let begin = ServerAction::<api::oauth::Begin>::new();
    let failed = failure(begin);
    let chosen = query("provider");
    let providers = Resource::new(|| (), |()| api::provider::list(false));
    let vendor = StoredValue::new(vendor);
    view! {
        <section class="panel pad" id="connect">
            <h2>{t(w::CONNECT)}</h2>
            <Failed error=failed notes=true/>
            {load(providers, move |providers: Vec<ProviderView>| {
                let chosen = chosen.get();
                let options = providers
                    .into_iter()
                    .map(|provider| {
                        let id = provider.id.to_string();
                        let selected = chosen.as_deref() == Some(id.as_str());
                        view! { <option value=id selected=selected>{provider.name}</option> }
                    })
                    .collect_view();
                let ways = [
                    ("", w::W_AUTO), ("callback", w::W_CALLBACK), ("loopback", w::W_LOOPBACK), ("paste", w::W_PASTE),
                    ("device", w::W_DEVICE),
                ];
                let ways = ways.into_iter().map(|(value, words)| view! { <option value=value>{t(words)}</option> }).collect_view();
                view! {
                    <ActionForm action=begin attr:class="inline-form">
                        <input type="hidden" name="vendor" value=vendor.get_value()/>
                        <select class="input" name="provider_id" aria-label=t(c::PROVIDER)>{options}</select>
                        <select class="input" name="way" aria-label=t(w::WAY)>{ways}</select>
                        <button class="button primary">{t(w::BEGIN)}</button>
                    </ActionForm>
                }
            })}
        </section>
    }
}
