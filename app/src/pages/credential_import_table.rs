//! What an import would do, line by line, and what it would leave.

use leptos::prelude::*;
use types::import::{CredentialImport, ImportAction, ImportNote, ImportedCredential, ImportedProvider};

use crate::components::badge;
use crate::components::load::shown_of;
use crate::components::routing_words;
use crate::text::{common as c, import_reason, lang, provider as p, transfer as x, translator};

/// Rows that are drawn; all of them are imported.
const SHOWN: usize = 300;

/// Providers with their credentials, then the notes.
#[component]
pub(crate) fn Table(found: CredentialImport) -> impl IntoView {
    let t = translator();
    let CredentialImport { format, providers, notes, more_notes, .. } = found;
    let total = providers.iter().map(|provider| 1 + provider.credentials.len()).sum::<usize>();
    let rows: Vec<AnyView> = providers.into_iter().flat_map(rows).take(SHOWN).collect();
    let (shown, total) = (rows.len(), u64::try_from(total).unwrap_or(u64::MAX));
    let left = (!notes.is_empty()).then(|| view! { <Notes notes more=more_notes/> });
    view! {
        <section class="panel" id="previewed">
            <div class="panel-head">
                <h2 class="panel-title">{t(x::PREVIEWED)}</h2>
                <span class="faint small">{t(x::FORMAT)} ": " {format} " · " {shown_of(shown, total)}</span>
            </div>
            <div class="table-scroll">
                <table class="table rows">
                    <thead>
                        <tr>
                            <th scope="col">{t(c::NAME)}</th>
                            <th scope="col">{t(x::ACTION)}</th>
                            <th scope="col">{t(p::KIND)}</th>
                            <th scope="col">{t(x::PLACE)}</th>
                            <th scope="col">{t(x::WHY)}</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        </section>
        {left}
    }
}

fn rows(provider: ImportedProvider) -> Vec<AnyView> {
    let t = translator();
    let ImportedProvider { place, action, reason, name, kind, base_url, models, credentials, .. } = provider;
    let models = if models.is_empty() { t(x::ALL_MODELS).to_owned() } else { models.join(", ") };
    let first = view! {
        <tr>
            <th scope="row" data-label=t(c::NAME)><span class="truncate" title=name.clone()>{name.clone()}</span></th>
            <td data-label=t(x::ACTION)><Does action/></td>
            <td data-label=t(p::KIND)>
                <span class="two-lines">
                    <span>{kind}</span>
                    <span class="truncate faint" title=base_url.clone()>{base_url.clone()}</span>
                    <span class="truncate faint small" title=models.clone()>{models.clone()}</span>
                </span>
            </td>
            {place_and_reason(place, reason)}
        </tr>
    };
    std::iter::once(first.into_any()).chain(credentials.into_iter().map(row)).collect()
}

fn row(credential: ImportedCredential) -> AnyView {
    let t = translator();
    let ImportedCredential { place, action, reason, name, auth, secret_hint, account, tier, trial, .. } =
        credential;
    let taken = trial.filter(|_| reason.is_none()).map(|_| t(x::TAKEN).to_owned());
    let account = account.filter(|account| *account != name);
    view! {
        <tr>
            <td data-label=t(c::NAME)>
                <span>"↳ " <span class="truncate" title=name.clone()>{name.clone()}</span> " " <code class="faint">{secret_hint}</code> " " {account}</span>
            </td>
            <td data-label=t(x::ACTION)><Does action/></td>
            <td data-label=t(p::KIND)>{nature(&auth)} ", " {t(routing_words::tier(tier))}</td>
            {place_and_reason(place, reason.or(taken))}
        </tr>
    }
    .into_any()
}

/// The last two cells; a narrow screen leaves an empty one out.
fn place_and_reason(place: String, reason: Option<String>) -> impl IntoView {
    let t = translator();
    let why = reason.map(|why| import_reason::told(lang(), &why));
    view! {
        <td data-label=t(x::PLACE)><code class="truncate" title=place.clone()>{place.clone()}</code></td>
        <td data-label=t(x::WHY) class="wrap-cell" class:none=why.is_none()><span class="wrap">{why.clone()}</span></td>
    }
}

/// What a credential is made of, in words; one that is not known stays as it is called.
fn nature(auth: &str) -> String {
    let known = auth.parse().ok().map(routing_words::auth);
    known.map_or_else(|| auth.to_owned(), |words| translator()(words).to_owned())
}

#[component]
fn Does(action: ImportAction) -> impl IntoView {
    let (mood, words) = match action {
        ImportAction::Add => ("good", x::A_ADD),
        ImportAction::Exists => ("off", x::A_EXISTS),
        ImportAction::Skip => ("warn", x::A_SKIP),
    };
    view! { <badge::State mood word=translator()(words)/> }
}

#[component]
fn Notes(notes: Vec<ImportNote>, more: u64) -> impl IntoView {
    let (t, lang) = (translator(), lang());
    let total = u64::try_from(notes.len()).unwrap_or(u64::MAX).saturating_add(more);
    let shown = notes.len().min(SHOWN);
    let items = notes.into_iter().take(SHOWN).map(|note| {
        view! {
            <li><code>{note.place}</code> " " {import_reason::told(lang, &note.what)}</li>
        }
    });
    view! {
        <section class="panel pad" id="import-notes">
            <div class="panel-head">
                <h2 class="panel-title">{t(x::NOTES)}</h2>
                <span class="faint small">{shown_of(shown, total)}</span>
            </div>
            <p class="help">{t(x::NOTES_HELP)}</p>
            <ul class="notes">{items.collect_view()}</ul>
        </section>
    }
}
