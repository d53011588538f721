//! Taking credentials over from another gateway: give a file, look at what it would add, import exactly that. And the
//! way out: everything in one sealed file.
//!
//! As with price lists, what was given waits on the server and the address names it, so that it works without scripts.

use leptos::prelude::*;
use types::import::{CredentialImport, together};

use super::credential_export::{Export, Sealed};
use super::credential_import_table::Table;
use crate::api;
use crate::components::field::{Check, Choice, Field, FormState};
use crate::components::flash::Failed;
use crate::components::head::{Answer, Head};
use crate::components::load::load;
use crate::components::{Refresh, failure, query};
use crate::format;
use crate::host;
use crate::text::{common as c, import_reason, lang, money as m, provider as p, transfer as x, translator};

/// What the server takes, unpacked; an archive is smaller.
const MOST_BYTES: f64 = 8.0 * 1024.0 * 1024.0;
/// Other gateways by the names that `from` and an answer's `format` use, and as they call themselves.
const KINDS: &[(&str, &str)] = &[
    ("litellm", "LiteLLM"),
    ("one-api", "one-api"),
    ("new-api", "new-api"),
    ("claude-relay-service", "claude-relay-service"),
    ("claude-code-hub", "claude-code-hub"),
    ("cliproxyapi", "CLIProxyAPI"),
];

/// The page.
#[component]
pub(crate) fn CredentialImportPage() -> impl IntoView {
    let t = translator();
    let preview = ServerAction::<api::transfer::Preview>::new();
    let import = ServerAction::<api::transfer::Import>::new();
    let export = ServerAction::<api::transfer::Export>::new();
    let (preview_failed, export_failed) = (failure(preview), failure(export));
    let kept = query("kept");
    let exported = query("exported");
    let refresh = Refresh::get();
    let found = Resource::new(
        move || (kept.get(), exported.get(), refresh.0.get()),
        |(kept, exported, _)| async move {
            let found = match kept {
                Some(kept) => Some((kept.clone(), api::transfer::previewed(kept).await?)),
                None => None,
            };
            let file = match exported {
                Some(kept) => Some(api::transfer::exported(kept).await?),
                None => None,
            };
            Ok((found, file))
        },
    );
    view! {
        <Head title=t(x::TITLE) parent=("/providers", t(p::TITLE))/>
        <div class="page">
            <Failed error=preview_failed/>
            <Failed error=failure(import)/>
            <Failed error=export_failed/>
            {load(found, move |(found, file)| {
                let found = match found {
                    Some((kept, Some(found))) => view! { <Previewed found kept import/> }.into_any(),
                    Some((_, None)) => view! { <Answer mood="warn" text=t(m::PREVIEW_GONE)/> }.into_any(),
                    None => ().into_any(),
                };
                let file = match file {
                    Some(Some(file)) => view! { <Sealed file/> }.into_any(),
                    Some(None) => view! { <Answer mood="warn" text=t(m::PREVIEW_GONE)/> }.into_any(),
                    None => ().into_any(),
                };
                view! { {found} {file} }
            })}
            <Give preview failed=preview_failed/>
            <Export export failed=export_failed/>
        </div>
    }
}

/// The form that a file is given with. What was typed is never sent back: it holds secrets.
#[component]
fn Give(
    preview: ServerAction<api::transfer::Preview>,
    failed: Signal<Option<crate::error::AppError>>,
) -> impl IntoView {
    let t = translator();
    let lang = lang();
    let form = FormState { scope: "import", error: failed };
    let (content, origin) = (RwSignal::new(String::new()), RwSignal::new(form.initial("origin", "")));
    let too_large = RwSignal::new(false);
    let note = move || {
        if too_large.get() {
            return Some(t(x::TOO_LARGE).to_owned());
        }
        failed.with(|error| {
            let note = error.as_ref()?.problem.fields.get("content")?;
            Some(import_reason::told(lang, note))
        })
    };
    let offered = |choices: &[(&str, crate::text::Text)]| -> Vec<(String, String)> {
        choices.iter().map(|(value, words)| ((*value).to_owned(), t(*words).to_owned())).collect()
    };
    let conflicts = offered(&[("rename", x::CONFLICT_RENAME), ("skip", x::CONFLICT_SKIP)]);
    let mut kinds = offered(&[("", x::FROM_CONTENT)]);
    kinds.extend(KINDS.iter().map(|(kind, name)| ((*kind).to_owned(), (*name).to_owned())));
    kinds.extend(offered(&[("tollgate", x::FROM_OWN)]));
    view! {
        <ActionForm action=preview attr:class="form panel pad short import-form">
            <h2 class="panel-title">{t(x::IMPORT)}</h2>
            <p class="help">{t(x::IMPORT_TEXT)}</p>
            <div class="field" class:wrong=move || note().is_some()>
                <label for="import-content">{t(x::CONTENT)}</label>
                <textarea id="import-content" class="input mono" name="form[content]" rows="8" spellcheck="false"
                    autocomplete="off" prop:value=content aria-describedby="import-content-help"
                    aria-invalid=move || note().is_some().then_some("true")
                    on:input=move |event| {
                        too_large.set(false);
                        content.set(event_target_value(&event));
                    }></textarea>
                {move || note().map(|note| view! { <p class="note" role="alert">{note}</p> })}
                <p class="help" id="import-content-help">{t(x::CONTENT_HELP)}</p>
            </div>
            <div class="pair">
                <div class="field scripted">
                    <label for="import-file">{t(x::FROM_FILE)}</label>
                    <input id="import-file" class="file" type="file" multiple=true aria-describedby="import-file-help"
                        accept=".json,.yaml,.yml,.txt,.zip,.tar,.gz,.tgz"
                        on:change=move |event| host::read_files(&event, MOST_BYTES, move |files| {
                            too_large.set(files.is_none());
                            let files = files.unwrap_or_default();
                            origin.set(match files.as_slice() {
                                [] => String::new(),
                                [(name, _)] => name.clone(),
                                [(name, _), rest @ ..] => format!("{name} + {}", rest.len()),
                            });
                            content.set(match files.as_slice() {
                                [(_, text)] => text.clone(),
                                files => together(files.iter().map(|(name, text)| (name.as_str(), text.as_str()))),
                            });
                        })/>
                    <p class="help" id="import-file-help">{t(x::FROM_FILE_HELP)}</p>
                </div>
                <Field form label=x::PASSPHRASE name="passphrase" kind="password" help=x::PASSPHRASE_HELP optional=true/>
            </div>
            <div class="pair">
                <Choice form label=x::FROM name="from" options=kinds help=x::FROM_HELP/>
                <Choice form label=x::CONFLICT name="on_conflict" value="rename" options=conflicts help=x::CONFLICT_HELP/>
            </div>
            <Check form label=x::PROBE name="probe" help=x::PROBE_HELP/>
            <input type="hidden" name="form[origin]" value=origin.get_untracked() prop:value=origin/>
            <div class="save-bar">
                <button class="button primary" disabled=move || preview.pending().get()>{t(x::PREVIEW)}</button>
                <a class="button quiet" href="/providers">{t(c::CANCEL)}</a>
            </div>
        </ActionForm>
    }
}

/// What the file would add, and the button that does it.
#[component]
fn Previewed(
    found: CredentialImport,
    /// The name under which the file waits.
    kept: String,
    import: ServerAction<api::transfer::Import>,
) -> impl IntoView {
    let t = translator();
    let tiles = [
        (x::N_PROVIDERS, found.new_providers),
        (x::N_CREDENTIALS, found.new_credentials),
        (x::N_EXISTING, found.existing),
        (x::N_SKIPPED, found.skipped),
    ];
    let tiles = tiles.into_iter().map(|(words, n)| {
        view! {
            <div class="tile">
                <span class="tile-name">{t(words)}</span>
                <span class="tile-number">{format::count(n)}</span>
            </div>
        }
    });
    let refused = found.refused().len();
    let confirm = (found.new_providers + found.new_credentials > 0).then(|| {
        let (kept, preview) = (kept.clone(), found.preview.clone());
        view! { <Confirm kept preview import insist=false/> }
    });
    let none = match (confirm.is_none(), refused) {
        (true, 0) => Some(view! { <Answer mood="calm" text=t(x::NOTHING)/> }),
        (_, 0) => None,
        _ => Some(view! { <Answer mood="warn" text=t(x::REFUSED)/> }),
    };
    let insist = (refused > 0).then(|| {
        let preview = found.preview.clone();
        view! { <Confirm kept preview import insist=true/> }
    });
    view! {
        <div class="tiles">{tiles.collect_view()}</div>
        {none}
        <div class="card-actions">{confirm} {insist}</div>
        <Table found/>
    }
}

/// The button that imports what is shown or, insisting, also what was tried and not taken.
#[component]
fn Confirm(
    kept: String,
    preview: String,
    import: ServerAction<api::transfer::Import>,
    insist: bool,
) -> impl IntoView {
    let t = translator();
    let (class, words) = if insist { ("button", x::DO_IMPORT_ALL) } else { ("button primary", x::DO_IMPORT) };
    view! {
        <ActionForm action=import attr:class="inline-form">
            <input type="hidden" name="kept" value=kept/>
            <input type="hidden" name="preview" value=preview/>
            {insist.then(|| view! { <input type="hidden" name="insist" value="true"/> })}
            <button class=class disabled=move || import.pending().get()>{t(words)}</button>
        </ActionForm>
    }
}
