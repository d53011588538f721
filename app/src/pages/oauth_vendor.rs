//! One vendor: what to register with it, the operator's client, the descriptor, and the beginning of a sign-in.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use types::credential::CredentialAuth;
use types::oauth::{Grant, VendorSpec, VendorView};
use types::provider::ProviderView;

use super::oauth::{is_for_people, standing, terms};
use crate::api;
use crate::components::confirm::Confirm;
use crate::components::copy::Copy;
use crate::components::field::{Field, FormState};
use crate::components::flash::{Done, Failed};
use crate::components::head::{Answer, Head};
use crate::components::load::{Empty, load, load_page};
use crate::components::{Refresh, failure, query};
use crate::form::vendor::VendorForm;
use crate::host::Facts;
use crate::text::sentence::sentence;
use crate::text::{Text, common as c, lang, oauth as w, problem, provider as p, translator};

/// Whose descriptor a new vendor begins with.
const LIKE: &str = "generic";
/// Where browsers are sent back to, below this gateway's own address.
const CALLBACK: &str = "/auth/enrol/callback";

/// The page of a known vendor.
#[component]
pub(crate) fn OauthVendor() -> impl IntoView {
    let t = translator();
    let (refresh, params) = (Refresh::get(), use_params_map());
    let put = ServerAction::<api::oauth::PutVendor>::new();
    let reset = ServerAction::<api::oauth::ResetVendor>::new();
    let (put_failed, reset_failed) = (failure(put), failure(reset));
    let form = FormState { scope: "vendor", error: put_failed };
    let name = move || params.with(|params| params.get("name").unwrap_or_default());
    let vendor = Resource::new(move || (name(), refresh.0.get()), |(name, _)| api::oauth::vendor(name));
    load_page(
        vendor,
        ("/oauth", t(w::TITLE)),
        |vendor: &VendorView| vendor.spec.label.clone(),
        move |vendor| {
            let mood = match (vendor.missing.is_some(), is_for_people(&vendor.spec)) {
                (true, true) => "warn",
                (true, false) => "calm",
                (false, _) => "good",
            };
            let (answer, note) = (t(standing(&vendor)), sentence(lang(), &vendor.spec.terms_note));
            let words = t(terms(vendor.spec.terms));
            let (name, version) = (vendor.name.clone(), vendor.version);
            let (present, hint) = (VendorForm::of(&vendor), vendor.secret_hint.clone());
            let (people, forgotten) = (is_for_people(&vendor.spec), vendor.clone());
            view! {
                <Done/>
                <Failed error=reset_failed notes=true/>
                <Answer mood text=answer>
                    <span class="faint">{t(w::TERMS)} ": " {words} " · " {note}</span>
                </Answer>
                <WhatNext vendor/>
                <section class="panel" id="client">
                    <h2 class="panel-title">{t(w::CLIENT)}</h2>
                    <Failed error=put_failed/>
                    <ActionForm action=put attr:class="form pad">
                        <input type="hidden" name="name" value=name/>
                        <input type="hidden" name="form[version]" value=version.to_string()/>
                        <VendorFields form present hint people/>
                        <div class="save-bar">
                            <button class="button primary">{t(c::SAVE)}</button>
                            <a class="button quiet" href="/oauth">{t(c::CANCEL)}</a>
                        </div>
                    </ActionForm>
                    {(version > 0).then(|| view! { <div class="pad"><Forget vendor=forgotten reset/></div> })}
                </section>
            }
        },
    )
}

/// The page of a vendor that is missing.
#[component]
pub(crate) fn OauthVendorNew() -> impl IntoView {
    let t = translator();
    let add = ServerAction::<api::oauth::AddVendor>::new();
    let failed = failure(add);
    let form = FormState { scope: "vendor", error: failed };
    let like = Resource::new(|| (), |()| api::oauth::vendor(LIKE.to_owned()));
    view! {
        <Head title=t(w::NEW) parent=("/oauth", t(w::TITLE))/>
        <div class="page">
            <Answer mood="calm" text=t(w::NEW_TEXT)/>
            <section class="panel">
                <Failed error=failed/>
                {load(like, move |like: VendorView| view! {
                    <ActionForm action=add attr:class="form pad">
                        <Field form label=c::NAME name="name" help=w::NAME_HELP required=true/>
                        <VendorFields form present=VendorForm::like(&like) hint=None people=true/>
                        <div class="save-bar">
                            <button class="button primary">{t(c::CREATE)}</button>
                            <a class="button quiet" href="/oauth">{t(c::CANCEL)}</a>
                        </div>
                    </ActionForm>
                })}
            </section>
        </div>
    }
}

/// Client and descriptor. What is wrong with the descriptor stands under it, by its fields.
#[component]
fn VendorFields(
    form: FormState,
    present: VendorForm,
    /// First and last characters of the stored secret.
    hint: Option<String>,
    /// Whether people sign in with it: only then a client is needed.
    people: bool,
) -> impl IntoView {
    let t = translator();
    let lang = lang();
    let notes = move || {
        form.error.with(|error| {
            let fields = error.as_ref().map(|error| error.problem.fields.clone()).unwrap_or_default();
            let of_descriptor = |name: &str| !matches!(name, "name" | "client_id" | "client_secret");
            let told = |(name, note): (&String, &String)| {
                let note = problem::field_note(note, lang);
                if name == "spec" { note.into_owned() } else { format!("{name}: {note}") }
            };
            fields.iter().filter(|(name, _)| of_descriptor(name)).map(told).collect::<Vec<_>>()
        })
    };
    let wrong = Signal::derive(move || !notes().is_empty());
    let secret_help = if hint.is_some() { w::SECRET_KEEP } else { w::SECRET_NEW };
    view! {
        {people.then(|| view! {
            <Field form label=w::CLIENT_ID name="client_id" value=present.client_id/>
            <Field form label=w::CLIENT_SECRET name="client_secret" kind="password" help=secret_help
                placeholder=hint.unwrap_or_default()/>
        })}
        <div class="field" class:wrong=wrong>
            <label for="vendor-spec">{t(w::DESCRIPTOR)}</label>
            <textarea class="input mono" id="vendor-spec" name="form[spec]" rows="16" spellcheck="false"
                aria-describedby="vendor-spec-help" aria-invalid=move || wrong.get().then_some("true")>
                {form.initial("spec", &present.spec)}
            </textarea>
            {move || notes().into_iter().map(|note| view! { <p class="note" role="alert">{note}</p> }).collect_view()}
            <p class="help" id="vendor-spec-help">{t(w::DESCRIPTOR_HELP)}</p>
        </div>
    }
}

/// What the operator does next: register a client, then sign in; or add accounts elsewhere.
#[component]
fn WhatNext(vendor: VendorView) -> impl IntoView {
    let t = translator();
    if !is_for_people(&vendor.spec) {
        return view! {
            <section class="panel pad">
                <p>{t(w::BY_FILE)} " " <a href="/providers">{t(p::TITLE)}</a></p>
            </section>
        }
        .into_any();
    }
    let ready = vendor.missing.is_none();
    let connect = vendor.clone();
    view! {
        {ready.then(|| view! { <Connect vendor=connect/> })}
        <Register vendor/>
    }
    .into_any()
}

/// Everything that the vendor has to be told of a client (OA-01).
#[component]
fn Register(vendor: VendorView) -> impl IntoView {
    let t = translator();
    let by_browser = vendor.spec.grants.contains(&Grant::AuthorizationCode);
    let mut uris = vendor.redirect_uris.clone();
    let assumed = by_browser && !uris.iter().any(|uri| uri.ends_with(CALLBACK));
    if assumed {
        let origin = use_context::<Facts>().unwrap_or_default().origin;
        uris.insert(0, format!("{origin}{CALLBACK}"));
    }
    let text = if by_browser { w::REGISTER_TEXT } else { w::REGISTER_DEVICE };
    let console = Some(vendor.spec.register_url).filter(|url| !url.is_empty());
    let rows = uris.into_iter().map(|uri| view! { <li><Copy text=uri/></li> }).collect_view();
    view! {
        <section class="panel pad" id="register">
            <h2>{t(w::REGISTER)}</h2>
            <p>{t(text)}</p>
            {by_browser.then(|| view! {
                <p class="faint">{t(w::REDIRECTS)}</p>
                <ul class="redirects">{rows}</ul>
            })}
            {assumed.then(|| view! { <p class="help">{t(w::NO_BASE_URL)}</p> })}
            {console.map(|url| view! {
                <p><a class="button small" href=url rel="external noreferrer">{t(w::REGISTER_AT)}</a></p>
            })}
        </section>
    }
}

/// Asks before a vendor is forgotten.
#[component]
fn Forget(vendor: VendorView, reset: ServerAction<api::oauth::ResetVendor>) -> impl IntoView {
    let t = translator();
    let (trigger, title, text): (Text, Text, Text) = if vendor.preset {
        (w::TO_PRESET, w::TO_PRESET_TITLE, w::TO_PRESET_TEXT)
    } else {
        (c::DELETE, w::DELETE_TITLE, w::DELETE_TEXT)
    };
    view! {
        <Confirm what="forget" trigger title text subject=vendor.spec.label.clone()>
            <ActionForm action=reset>
                <input type="hidden" name="name" value=vendor.name.clone()/>
                <button class="button danger">{t(trigger)}</button>
            </ActionForm>
        </Confirm>
    }
}

/// For which provider, and how the answer comes back.
#[component]
fn Connect(vendor: VendorView) -> impl IntoView {
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
            {load(providers, move |mut providers: Vec<ProviderView>| {
                let VendorView { name, spec, .. } = vendor.get_value();
                providers.retain(|provider| suits(&spec, provider));
                if providers.is_empty() {
                    return view! { <NoProvider spec/> }.into_any();
                }
                let chosen = chosen.get();
                let options = providers
                    .into_iter()
                    .map(|provider| {
                        let id = provider.id.to_string();
                        let selected = chosen.as_deref() == Some(id.as_str());
                        view! { <option value=id selected=selected>{provider.name}</option> }
                    })
                    .collect_view();
                let ways = ways(&spec).into_iter().map(|(value, words)| view! { <option value=value>{t(words)}</option> });
                let ways = ways.collect_view();
                view! {
                    <ActionForm action=begin attr:class="inline-form">
                        <input type="hidden" name="vendor" value=name/>
                        <select class="input" name="provider_id" aria-label=t(c::PROVIDER)>{options}</select>
                        <select class="input" name="way" aria-label=t(w::WAY)>{ways}</select>
                        <button class="button primary" disabled=move || begin.pending().get()>{t(w::BEGIN)}</button>
                    </ActionForm>
                }
                .into_any()
            })}
        </section>
    }
}

#[component]
fn NoProvider(spec: VendorSpec) -> impl IntoView {
    let t = translator();
    let kinds = spec.provider_kinds.join(", ");
    let text = if kinds.is_empty() { String::new() } else { format!("{} {kinds}", t(w::NO_PROVIDER_KINDS)) };
    view! {
        <Empty title=t(w::NO_PROVIDER) text>
            <a class="button primary" href="/providers/new">{t(p::NEW)}</a>
        </Empty>
    }
}

/// Whether a vendor's accounts are of use at a provider.
fn suits(spec: &VendorSpec, provider: &ProviderView) -> bool {
    let kinds = &spec.provider_kinds;
    provider.kind.takes(CredentialAuth::Oauth)
        && (kinds.is_empty() || kinds.iter().any(|kind| kind == provider.kind.as_str()))
}

/// The ways in which a vendor's answer can come back, the usual one first.
fn ways(spec: &VendorSpec) -> Vec<(&'static str, Text)> {
    let by_browser = spec.grants.contains(&Grant::AuthorizationCode);
    [
        ("", w::W_AUTO, true),
        ("callback", w::W_CALLBACK, by_browser),
        ("loopback", w::W_LOOPBACK, by_browser && spec.callback_port.is_some()),
        ("paste", w::W_PASTE, by_browser),
        ("device", w::W_DEVICE, spec.grants.contains(&Grant::DeviceCode)),
    ]
    .into_iter()
    .filter_map(|(value, words, offered)| offered.then_some((value, words)))
    .collect()
}
