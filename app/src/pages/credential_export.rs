//! Handing credentials on to another installation: what goes into the sealed file, and the file itself.

use leptos::prelude::*;
use types::import::CredentialExport;
use types::provider::ProviderView;

use crate::api;
use crate::components::field::{Field, FormState};
use crate::components::load::load;
use crate::error::AppError;
use crate::format;
use crate::text::{lang, problem, provider as p, transfer as x, translator};

/// The form that an export is asked for with: of everything, or of chosen providers.
#[component]
pub(super) fn Export(
    export: ServerAction<api::transfer::Export>,
    failed: Signal<Option<AppError>>,
) -> impl IntoView {
    let t = translator();
    let form = FormState { scope: "export", error: failed };
    let providers = Resource::new(|| (), |()| api::provider::list(false));
    view! {
        <ActionForm action=export attr:class="form panel pad short export-form">
            <h2 class="panel-title">{t(x::EXPORT)}</h2>
            <p class="help">{t(x::EXPORT_TEXT)}</p>
            {load(providers, move |providers| view! { <Providers form providers/> })}
            <Field form label=x::NEW_PASSPHRASE name="passphrase" kind="password" help=x::NEW_PASSPHRASE_HELP/>
            <div class="save-bar">
                <button class="button" disabled=move || export.pending().get()>{t(x::DO_EXPORT)}</button>
            </div>
        </ActionForm>
    }
}

/// The boxes; none of them ticked means all.
#[component]
fn Providers(form: FormState, providers: Vec<ProviderView>) -> impl IntoView {
    let t = translator();
    let chosen = form.initial("provider_ids", "");
    let chosen: Vec<&str> = chosen.split(',').collect();
    let any = chosen.iter().any(|id| !id.is_empty());
    let boxes = providers.iter().map(|provider| {
        let id = provider.id.to_string();
        let on = chosen.contains(&id.as_str());
        view! {
            <label class="check-line">
                <input type="checkbox" name="form[provider_ids][]" value=id checked=on/>
                <span class="truncate" title=provider.name.clone()>{provider.name.clone()}</span>
                <span class="faint small">{format::count(u64::from(provider.credential_count))}</span>
            </label>
        }
    });
    let boxes = boxes.collect_view();
    let lang = lang();
    let note = move || {
        form.error.with(|error| {
            let note = error.as_ref()?.problem.fields.get("provider_ids")?;
            Some(problem::field_note(note, lang).into_owned())
        })
    };
    view! {
        <details class="section" open=any || form.noted("provider_ids")>
            <summary><span>{t(x::CHOOSE)}</span><span class="faint">{t(x::CHOOSE_SUMMARY)}</span></summary>
            <fieldset class="checks">
                <legend class="visually-hidden">{t(p::TITLE)}</legend>
                <div class="pick-list">{boxes}</div>
            </fieldset>
            {move || note().map(|note| view! { <p class="note" role="alert">{note}</p> })}
        </details>
    }
}

/// The sealed file, as text and as a link that saves it.
#[component]
pub(super) fn Sealed(file: CredentialExport) -> impl IntoView {
    let t = translator();
    let CredentialExport { name, content, providers, credentials, unreadable } = file;
    // A link that needs no script; base64 and line ends are all that has to be written otherwise.
    let coded = content.replace('\n', "%0A").replace('+', "%2B").replace(' ', "%20");
    let left_out = (unreadable > 0)
        .then(|| view! { <p class="note">{format::count(unreadable)} " " {t(x::UNREADABLE)}</p> });
    view! {
        <section class="panel pad" id="exported">
            <h2 class="panel-title">{t(x::EXPORTED)}</h2>
            <p class="help">
                {format::count(providers)} " " {t(p::TITLE)} ", " {format::count(credentials)} " " {t(p::CREDENTIALS)}
            </p>
            {left_out}
            <textarea class="input mono" rows="6" readonly=true aria-label=t(x::EXPORTED)>{content}</textarea>
            <p><a class="button primary" href=format!("data:text/plain;charset=utf-8,{coded}") download=name rel="external">{t(x::DOWNLOAD)}</a></p>
        </section>
    }
}
